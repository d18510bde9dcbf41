"""The peers of scripts/bench/step.ts: the same training step in NumPy (with SciPy's LAPACK) and in PyTorch, each written for speed:
held buffers, one pass where one will do, gradients by hand, random numbers by the fastest route each library offers, matrices laid out
as its products like them (G is kept transposed).

    python3 step.py PROBLEM numpy|torch

PROBLEM is as written by problem.ts. Answers as peers.py says, with the last subspace distance; the subspace distance is part of a step."""

import sys

from peers import numpy_facts, serve, torch_facts


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


def main():
    path, which = sys.argv[1:]

    def start():
        contender, facts = {"numpy": (NumPy, numpy_facts), "torch": (Torch, torch_facts)}[which]
        runs = {method: contender(path) for method in ("sgd", "layerwise")}
        return facts(), lambda method: (step_of(runs[method], method), None)

    serve(start, "distance")


def step_of(run, method):
    step, distance = getattr(run, method), run.distance

    def step_and_distance():
        step()
        return distance()

    return step_and_distance


if __name__ == "__main__":
    main()
