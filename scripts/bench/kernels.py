"""The peers for single operations (kernels.ts): NumPy with SciPy's BLAS and LAPACK, and PyTorch, each by its fastest route, with held
outputs where the library can.

    python3 kernels.py numpy|torch

Answers as peers.py says, with a number of the result."""

import os
import sys

from peers import numpy_facts, serve, torch_facts


def parse(question):
    op, m, n, k, dtype = question.split(":")
    return op, int(m), int(n), int(k), dtype


def signs_of_bytes(np, dtype):
    """256 x 8: the signs that a random byte stands for. Gathering rows of it beats every sign generator of both libraries."""
    return (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2.0 - 1.0).astype(dtype)


class NumPy:
    def __init__(self):
        import numpy
        from scipy.linalg import blas, lapack

        self.np, self.blas, self.lapack = numpy, blas, lapack
        self.rng = numpy.random.Generator(numpy.random.SFC64(0))

    def begin(self, question):
        np, rng = self.np, self.rng
        op, m, n, k, dtype = parse(question)
        letter = "d" if dtype == "float64" else "s"
        lapack = lambda name: getattr(self.lapack, letter + name)
        random = lambda rows, cols: np.asfortranarray(rng.standard_normal((rows, cols), dtype=dtype))
        if op == "gemm":
            a, b, out = np.ascontiguousarray(random(m, k)), np.ascontiguousarray(random(k, n)), np.empty((m, n), dtype)
            return lambda: np.matmul(a, b, out=out)[0, 0]
        if op == "syrk":
            a, out = np.ascontiguousarray(random(k, n)), np.empty((n, n), dtype)
            return lambda: np.matmul(a.T, a, out=out)[0, 0]  # NumPy sees A'A, and calls syrk
        if op == "potrf":
            a = self.spd(n, dtype, random)
            return lambda: lapack("potrf")(a, lower=1, clean=0)[0][0, 0]
        if op == "syevd":
            a = self.spd(n, dtype, random)
            return lambda: lapack("syevd")(a, lower=1)[0][0]
        if op == "svd":
            a = random(m, n)
            return lambda: lapack("gesdd")(a, full_matrices=0)[1][0]
        if op == "qr":
            a = random(m, n)
            work = 64 * n

            def qr():
                factor, tau, _, _ = lapack("geqrf")(a, lwork=work)
                lapack("orgqr")(factor[:, : min(m, n)], tau, lwork=work)
                return factor[0, 0]

            return qr
        out = np.empty(n, dtype)
        if op == "normal":
            return lambda: rng.standard_normal(out=out, dtype=dtype)[0]
        if op == "uniform":
            return lambda: rng.random(out=out, dtype=dtype)[0]
        table = signs_of_bytes(np, dtype)

        def rademacher():
            bits = rng.bit_generator.random_raw(n // 64).view(np.uint8)
            np.take(table, bits, axis=0, out=out.reshape(-1, 8), mode="clip")
            return out[0]

        return rademacher

    def spd(self, n, dtype, random):
        a = random(n, n)
        return self.np.asfortranarray(a.T @ a / n + self.np.eye(n, dtype=dtype))


class Torch:
    def __init__(self):
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        torch.set_grad_enabled(False)
        torch.manual_seed(0)
        self.torch = torch

    def begin(self, question):
        torch = self.torch
        op, m, n, k, name = parse(question)
        dtype = getattr(torch, name)
        random = lambda rows, cols: torch.randn(rows, cols, dtype=dtype)
        empty = lambda *shape: torch.empty(*shape, dtype=dtype)

        def spd():
            a = random(n, n)
            return a.T @ a / n + torch.eye(n, dtype=dtype)

        if op == "gemm":
            a, b, out = random(m, k), random(k, n), empty(m, n)
            return lambda: torch.mm(a, b, out=out)[0, 0]
        if op == "syrk":
            a, out = random(k, n), empty(n, n)
            return lambda: torch.mm(a.T, a, out=out)[0, 0]
        if op == "potrf":
            a = spd()
            return lambda: torch.linalg.cholesky_ex(a)[0][0, 0]
        if op == "syevd":
            a = spd()
            return lambda: torch.linalg.eigh(a)[0][0]
        if op == "svd":
            a = random(m, n)
            return lambda: torch.linalg.svd(a, full_matrices=False)[1][0]
        if op == "qr":
            a = random(m, n)
            return lambda: torch.linalg.qr(a)[1][0, 0]
        out = empty(n)
        if op == "normal":
            if name == "float32":
                return lambda: out.normal_()[0]
            uniforms, radii, angles = empty(2, n // 2), empty(n // 2), empty(n // 2)

            def normal():  # Box-Muller by whole-array operations: normal_ draws float64 one by one, at twice the time
                uniforms.uniform_()
                torch.neg(uniforms[0], out=radii).log1p_().mul_(-2).sqrt_()
                torch.mul(uniforms[1], 2 * torch.pi, out=angles)
                halves = out.view(2, -1)
                torch.cos(angles, out=halves[0]).mul_(radii)
                torch.sin(angles, out=halves[1]).mul_(radii)
                return out[0]

            return normal
        if op == "uniform":
            return lambda: out.uniform_()[0]
        import numpy as np

        table = torch.from_numpy(signs_of_bytes(np, name))
        words, index = torch.empty(n // 32, dtype=torch.int64), torch.empty(n // 8, dtype=torch.int32)

        def rademacher():
            index.view(-1, 4).copy_(words.random_().view(torch.uint8).view(-1, 8)[:, :4])  # random_ gives 63 bits a word
            torch.index_select(table, 0, index, out=out.view(-1, 8))
            return out[0]

        return rademacher


def main():
    def start():
        contender, facts = {"numpy": (NumPy, numpy_facts), "torch": (Torch, torch_facts)}[sys.argv[1]]
        own, known = contender(), {}

        def begin(question):
            if question not in known:
                known[question] = own.begin(question)
            return known[question], None

        return facts(), begin

    serve(start, "result")


if __name__ == "__main__":
    main()
