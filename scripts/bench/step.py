"""The peers of scripts/bench/step.ts: the same training step in NumPy (with SciPy's LAPACK) and in PyTorch, each written for speed:
held buffers, one pass where one will do, gradients by hand, random numbers by the fastest route each library offers, matrices laid out
as its products like them (G is kept transposed).

    python3 step.py PROBLEM numpy|torch

PROBLEM is as written by problem.ts. Prints one line of facts (or why it is absent), then answers each line `METHOD WARM_UP STEPS` on
standard input with the microseconds a step, by the clock and of the processor, and the last subspace distance."""

import json
import re
import sys
import time


def read(path):
    """The problem: a header of nine numbers, then G0, F0, G*, F*, Sigma^(1/2)."""
    import numpy as np

    values = np.fromfile(path)
    n, d, m, k = (int(v) for v in values[:4])
    noise, rate, damping = values[4:7].tolist()
    arrays, at = [], 9
    for rows, cols in [(k, d), (m, k), (k, d), (m, k), (d, d)]:
        arrays.append(values[at : at + rows * cols].reshape(rows, cols).copy())
        at += rows * cols
    return (n, d, m, k), (noise, rate, damping), arrays


def signs_of_bytes():
    """256 x 8: the signs that a random byte stands for. Gathering rows of it beats every sign generator of both libraries."""
    import numpy as np

    return np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2.0 - 1.0


class NumPy:
    def __init__(self, path):
        import numpy as np
        from scipy.linalg import lapack

        (n, d, m, k), (self.noise, self.rate, self.damping), (g, self.f, teacher_g, teacher_f, self.root) = read(path)
        self.np, self.lapack, self.n = np, lapack, n
        self.rng = np.random.Generator(np.random.SFC64(0))
        self.table = signs_of_bytes()
        self.gt = np.ascontiguousarray(g.T)  # d x k
        self.teacher_gt, self.teacher_ft = np.ascontiguousarray(teacher_g.T), np.ascontiguousarray(teacher_f.T)
        self.teacher_g = teacher_g
        self.u, self.x, self.y, self.r = np.empty((n, d)), np.empty((n, d)), np.empty((n, m)), np.empty((n, m))
        self.h, self.dh, self.gg, self.gf = np.empty((n, k)), np.empty((n, k)), np.empty((k, d)), np.empty((m, k))
        self.q, self.words = np.empty((d, d)), n * d // 64
        self.signal = np.empty((n, m))

    def facts(self):
        import scipy

        return {"numpy": self.np.__version__, "scipy": scipy.__version__, **openblas_facts()}

    def sample(self):
        np = self.np
        bits = self.rng.bit_generator.random_raw(self.words).view(np.uint8)
        np.take(self.table, bits, axis=0, out=self.u.reshape(-1, 8), mode="clip")
        np.matmul(self.u, self.root, out=self.x)
        self.rng.standard_normal(out=self.y)
        self.y *= self.noise
        np.matmul(self.x, self.teacher_gt, out=self.h)
        np.matmul(self.h, self.teacher_ft, out=self.signal)
        self.y += self.signal

    def residual(self):
        np = self.np
        np.matmul(self.x, self.gt, out=self.h)
        np.matmul(self.h, self.f.T, out=self.r)
        self.r -= self.y
        self.loss = np.vdot(self.r, self.r) / (2 * self.n)

    def features_gradient(self):
        self.np.matmul(self.r, self.f, out=self.dh)
        self.np.matmul(self.dh.T, self.x, out=self.gg)

    def sgd(self):
        self.sample()
        self.residual()
        self.np.matmul(self.r.T, self.h, out=self.gf)
        self.features_gradient()
        self.gt -= (self.rate / self.n) * self.gg.T
        self.f -= (self.rate / self.n) * self.gf

    def solve(self, a, right):
        """(A + damping I)^-1 right, for a symmetric A that may be overwritten."""
        a.ravel()[:: a.shape[0] + 1] += self.damping
        _, solution, info = self.lapack.dposv(a.T, right, lower=1, overwrite_a=1)
        assert info == 0
        return solution

    def layerwise(self):
        np = self.np
        self.sample()
        self.residual()
        self.features_gradient()
        np.matmul(self.x.T, self.x, out=self.q)  # NumPy sees A'A and calls dsyrk
        self.q *= 1 / self.n
        step = self.solve(self.q, self.gg.T)
        step = self.solve(self.f.T @ self.f, step.T).T
        self.gt -= (self.rate / self.n) * step

        self.residual()
        np.matmul(self.r.T, self.h, out=self.gf)
        a = self.h.T @ self.h
        a *= 1 / self.n
        self.f -= (self.rate / self.n) * self.solve(a, self.gf.T).T

    def distance(self):
        lapack, k = self.lapack, self.gt.shape[1]
        qr, tau, _, _ = lapack.dgeqrf(self.gt, lwork=64 * k)
        q, _, _ = lapack.dorgqr(qr, tau, lwork=64 * k, overwrite_a=1)
        q -= self.teacher_gt @ (self.teacher_g @ q)
        values, _, _ = lapack.dsyev(q.T @ q, compute_v=0)  # cheaper than the singular values of q
        return max(0.0, values[-1]) ** 0.5


class Torch:
    def __init__(self, path):
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(0)
        (n, d, m, k), (self.noise, self.rate, self.damping), arrays = read(path)
        g, self.f, self.teacher_g, teacher_f, self.root = (torch.from_numpy(a) for a in arrays)
        self.torch, self.n = torch, n
        self.table = torch.from_numpy(signs_of_bytes())
        self.gt, self.teacher_gt, self.teacher_ft = g.T.contiguous(), self.teacher_g.T.contiguous(), teacher_f.T.contiguous()
        empty = torch.empty
        self.words, self.bytes = empty(n * d // 32, dtype=torch.int64), empty(n * d // 8, dtype=torch.int32)
        self.u, self.x, self.y, self.r = empty(n, d), empty(n, d), empty(n, m), empty(n, m)
        self.h, self.dh, self.ggt, self.gf, self.q = empty(n, k), empty(n, k), empty(d, k), empty(m, k), empty(d, d)
        self.uniforms, self.radii, self.angles = empty(2, n * m // 2), empty(n * m // 2), empty(n * m // 2)

    def facts(self):
        config = self.torch.__config__.show()
        mkl = re.search(r"Math Kernel Library Version ([\d.]+)", config)
        capability = self.torch.backends.cpu.get_cpu_capability()
        blas = f"MKL {mkl[1]}" if mkl else "not MKL"
        return {"torch": self.torch.__version__, "blas": blas, "kernel": capability, "threads": self.torch.get_num_threads()}

    def noise_into(self, out):
        """Box-Muller by whole-array operations: normal_ draws float64 one by one, at twice the time."""
        torch = self.torch
        self.uniforms.uniform_()
        torch.neg(self.uniforms[0], out=self.radii).log1p_().mul_(-2 * self.noise**2).sqrt_()
        torch.mul(self.uniforms[1], 2 * torch.pi, out=self.angles)
        halves = out.view(2, -1)
        torch.cos(self.angles, out=halves[0]).mul_(self.radii)
        torch.sin(self.angles, out=halves[1]).mul_(self.radii)

    def sample(self):
        torch = self.torch
        # random_ gives 63 bits a word: the low halves are used.
        self.bytes.view(-1, 4).copy_(self.words.random_().view(torch.uint8).view(-1, 8)[:, :4])
        torch.index_select(self.table, 0, self.bytes, out=self.u.view(-1, 8))
        torch.mm(self.u, self.root, out=self.x)
        self.noise_into(self.y)
        torch.mm(self.x, self.teacher_gt, out=self.h)
        self.y.addmm_(self.h, self.teacher_ft)

    def residual(self):
        torch = self.torch
        torch.mm(self.x, self.gt, out=self.h)
        torch.addmm(self.y, self.h, self.f.T, beta=-1, out=self.r)
        flat = self.r.view(-1)
        self.loss = torch.dot(flat, flat) / (2 * self.n)

    def features_gradient(self):
        self.torch.mm(self.r, self.f, out=self.dh)
        self.torch.mm(self.x.T, self.dh, out=self.ggt)

    def sgd(self):
        self.sample()
        self.residual()
        self.torch.mm(self.r.T, self.h, out=self.gf)
        self.features_gradient()
        self.gt.add_(self.ggt, alpha=-self.rate / self.n)
        self.f.add_(self.gf, alpha=-self.rate / self.n)

    def solve(self, a, right):
        a.diagonal().add_(self.damping)
        factor, _ = self.torch.linalg.cholesky_ex(a)
        return self.torch.cholesky_solve(right, factor)

    def layerwise(self):
        torch = self.torch
        self.sample()
        self.residual()
        self.features_gradient()
        torch.mm(self.x.T, self.x, out=self.q).mul_(1 / self.n)
        step = self.solve(self.q, self.ggt)
        step = self.solve(self.f.T @ self.f, step.T).T
        self.gt.add_(step, alpha=-self.rate / self.n)

        self.residual()
        torch.mm(self.r.T, self.h, out=self.gf)
        step = self.solve((self.h.T @ self.h).mul_(1 / self.n), self.gf.T).T
        self.f.add_(step, alpha=-self.rate / self.n)

    def distance(self):
        torch = self.torch
        q, _ = torch.linalg.qr(self.gt)
        r = torch.addmm(q, self.teacher_gt, self.teacher_g @ q, alpha=-1)
        return max(0.0, torch.linalg.eigvalsh(r.T @ r)[-1].item()) ** 0.5


def openblas_facts():
    """Version, kernel and threads of the OpenBLAS that NumPy has loaded, asked of the library itself."""
    import ctypes

    with open("/proc/self/maps") as maps:
        paths = sorted({line.split()[-1] for line in maps if "openblas" in line})
    for path in [p for p in paths if "64_" in p] + paths:
        library = ctypes.CDLL(path)
        for prefix, suffix in [("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")]:
            try:
                functions = [getattr(library, f"{prefix}openblas_get_{f}{suffix}") for f in ("config", "corename", "num_threads")]
            except AttributeError:
                continue
            for function in functions[:2]:
                function.restype = ctypes.c_char_p
            config, kernel = (function().decode() for function in functions[:2])
            return {"blas": " ".join(config.split()[:2]), "kernel": kernel, "threads": functions[2]()}
    return {"blas": "not OpenBLAS", "kernel": "unknown", "threads": "unknown"}


def main():
    path, which = sys.argv[1:]
    contender = {"numpy": NumPy, "torch": Torch}[which]
    try:
        runs = {method: contender(path) for method in ("sgd", "layerwise")}
        facts = runs["sgd"].facts()
    except ImportError as error:
        print(json.dumps({"absent": str(error)}), flush=True)
        return
    print(json.dumps({"facts": {"python": sys.version.split()[0], **facts}}), flush=True)
    for line in sys.stdin:
        method, warm_up, steps = line.split()
        step, distance = getattr(runs[method], method), runs[method].distance
        for _ in range(int(warm_up)):
            step()
            distance()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(steps)):
            step()
            last = distance()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"wall": wall / int(steps) * 1e6, "cpu": cpu / int(steps) * 1e6, "distance": last}), flush=True)


main()
