"""The peers of scripts/bench/step.ts: the same training step in NumPy (with SciPy's LAPACK) and in PyTorch, each written for speed:
held buffers, one pass where one will do, gradients by hand, random numbers by the fastest route each library offers, matrices laid out
as its products like them (G is kept transposed). Each peer comes in two forms: with inputs multiplied out, as the paper writes them, and with
the algebra of lib/linalg/colouredRows.ts. PyTorch also by torch.compile, which makes one pass of what is done entry by entry.

    python3 step.py FOLDER numpy|numpy-factored|torch|torch-factored|torch-compiled|torch-compiled-factored

FOLDER has a file for each size, as written by problem.ts. Answers as peers.py says questions METHOD:SIZE:DTYPE, with the last subspace
distance; the subspace distance is part of a step."""

import sys

from peers import numpy_facts, serve, torch_facts, with_older_sympy


def read(path, dtype):
    """The problem: a header of ten numbers, then G0, F0, G*, F*, Sigma^(1/2), Sigma^(-1/2), Sigma^-1."""
    import numpy as np

    values = np.fromfile(path)
    n, d, m, k = (int(v) for v in values[:4])
    noise, rate, adam_rate, damping = values[4:8].tolist()
    arrays, at = [], 10
    for rows, cols in [(k, d), (m, k), (k, d), (m, k), (d, d), (d, d), (d, d)]:
        arrays.append(values[at : at + rows * cols].reshape(rows, cols).astype(dtype))
        at += rows * cols
    return (n, d, m, k), (noise, rate, adam_rate, damping), arrays


def signs_of_bytes(dtype):
    """256 x 8: the signs that a random byte stands for. Gathering rows of it beats every sign generator of both libraries."""
    import numpy as np

    return (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2.0 - 1.0).astype(dtype)


BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class NumPy:
    def __init__(self, path, dtype):
        import numpy as np
        from scipy.linalg import lapack

        sizes, numbers, (g, self.f, teacher_g, teacher_f, self.root, self.inverse_root, self.precision) = read(path, dtype)
        (n, d, m, k), (self.noise, self.rate, self.adam_rate, self.damping) = sizes, numbers
        self.np, self.n, self.dtype = np, n, dtype
        letter = "d" if dtype == "float64" else "s"
        self.posv, self.geqrf, self.orgqr, self.syev = (getattr(lapack, letter + name) for name in ("posv", "geqrf", "orgqr", "syev"))
        self.rng = np.random.Generator(np.random.SFC64(0))
        self.table = signs_of_bytes(dtype)
        self.gt = np.ascontiguousarray(g.T)  # d x k
        self.teacher_gt, self.teacher_ft = np.ascontiguousarray(teacher_g.T), np.ascontiguousarray(teacher_f.T)
        self.teacher_g = teacher_g
        empty = lambda *shape: np.empty(shape, dtype)
        self.u, self.x, self.y, self.r = empty(n, d), empty(n, d), empty(n, m), empty(n, m)
        self.h, self.dh, self.gg, self.gf = empty(n, k), empty(n, k), empty(k, d), empty(m, k)
        self.q, self.words = empty(d, d), n * d // 64
        self.signal = empty(n, m)
        self.white, self.across = empty(d, k), empty(d, k)
        self.teacher_white = self.root @ self.teacher_gt
        self.steps = 0
        self.moments = [(np.zeros_like(p), np.zeros_like(p), np.empty_like(p)) for p in (self.gt, self.f)]

    def sample(self):
        np = self.np
        bits = self.rng.bit_generator.random_raw(self.words).view(np.uint8)
        np.take(self.table, bits, axis=0, out=self.u.reshape(-1, 8), mode="clip")
        self.rng.standard_normal(out=self.y, dtype=self.dtype)
        self.y *= self.noise
        self.teacher_features()
        np.matmul(self.h, self.teacher_ft, out=self.signal)
        self.y += self.signal

    def teacher_features(self):
        self.np.matmul(self.u, self.root, out=self.x)
        self.np.matmul(self.x, self.teacher_gt, out=self.h)

    def features(self):
        self.np.matmul(self.x, self.gt, out=self.h)

    def residual(self):
        np = self.np
        self.features()
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
        _, solution, info = self.posv(a.T, right, lower=1, overwrite_a=1)
        assert info == 0
        return solution

    def features_step(self):
        """grad_G (X'X/n + damping I)^-1, transposed."""
        self.features_gradient()
        self.np.matmul(self.x.T, self.x, out=self.q)  # NumPy sees A'A and calls dsyrk
        self.q *= 1 / self.n
        return self.solve(self.q, self.gg.T)

    def layerwise(self):
        np = self.np
        self.sample()
        self.residual()
        step = self.features_step()
        step = self.solve(self.f.T @ self.f, step.T).T
        self.gt -= (self.rate / self.n) * step

        self.residual()
        np.matmul(self.r.T, self.h, out=self.gf)
        a = self.h.T @ self.h
        a *= 1 / self.n
        self.f -= (self.rate / self.n) * self.solve(a, self.gf.T).T

    def adam(self):
        np = self.np
        self.sample()
        self.residual()
        np.matmul(self.r.T, self.h, out=self.gf)
        self.features_gradient()
        self.steps += 1
        for p, gradient, (mean, square, work) in zip((self.gt, self.f), (self.gg.T, self.gf), self.moments):
            np.multiply(gradient, (1 - BETA1) / self.n, out=work)
            mean *= BETA1
            mean += work
            np.multiply(gradient, gradient, out=work)
            work *= (1 - BETA2) / self.n**2
            square *= BETA2
            square += work
            np.sqrt(square, out=work)
            work *= (1 - BETA2**self.steps) ** -0.5
            work += EPSILON
            np.divide(mean, work, out=work)
            work *= self.adam_rate / (1 - BETA1**self.steps)
            p -= work

    def distance(self):
        k = self.gt.shape[1]
        qr, tau, _, _ = self.geqrf(self.gt, lwork=64 * k)
        q, _, _ = self.orgqr(qr, tau, lwork=64 * k, overwrite_a=1)
        q -= self.teacher_gt @ (self.teacher_g @ q)
        values, _, _ = self.syev(q.T @ q, compute_v=0)  # cheaper than the singular values of q
        return max(0.0, values[-1]) ** 0.5


class NumPyFactored(NumPy):
    """Inputs are kept as signs U and a root: never multiplied out."""

    def teacher_features(self):
        self.np.matmul(self.u, self.teacher_white, out=self.h)

    def features(self):
        self.np.matmul(self.root, self.gt, out=self.white)
        self.np.matmul(self.u, self.white, out=self.h)

    def white_gradient(self):
        self.np.matmul(self.r, self.f, out=self.dh)
        self.np.matmul(self.u.T, self.dh, out=self.across)

    def features_gradient(self):
        self.white_gradient()
        self.np.matmul(self.across.T, self.root, out=self.gg)

    def features_step(self):
        """grad_G (X'X/n + damping I)^-1 = grad_G Sigma^(-1/2) (U'U/n + damping Sigma^-1)^-1 Sigma^(-1/2), transposed."""
        self.white_gradient()
        self.np.matmul(self.u.T, self.u, out=self.q)
        self.q *= 1 / self.n
        self.np.multiply(self.precision, self.damping, out=self.sum)
        self.q += self.sum
        _, solution, info = self.posv(self.q.T, self.across, lower=1, overwrite_a=1)
        assert info == 0
        return self.inverse_root @ solution

    def __init__(self, path, dtype):
        super().__init__(path, dtype)
        self.sum = self.np.empty_like(self.q)
        del self.x


class Torch:
    def __init__(self, path, dtype):
        with_older_sympy()
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(getattr(torch, dtype))
        torch.manual_seed(0)
        (n, d, m, k), (self.noise, self.rate, self.adam_rate, self.damping), arrays = read(path, dtype)
        g, self.f, self.teacher_g, teacher_f, self.root, self.inverse_root, self.precision = (torch.from_numpy(a) for a in arrays)
        self.torch, self.n, self.steps = torch, n, 0
        self.table = torch.from_numpy(signs_of_bytes(dtype))
        self.gt, self.teacher_gt, self.teacher_ft = g.T.contiguous(), self.teacher_g.T.contiguous(), teacher_f.T.contiguous()
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in (self.gt, self.f)]
        empty = torch.empty
        self.words, self.bytes = empty(n * d // 32, dtype=torch.int64), empty(n * d // 8, dtype=torch.int32)
        self.u, self.x, self.y, self.r = empty(n, d), empty(n, d), empty(n, m), empty(n, m)
        self.h, self.dh, self.ggt, self.gf, self.q = empty(n, k), empty(n, k), empty(d, k), empty(m, k), empty(d, d)
        self.white, self.across = empty(d, k), empty(d, k)
        self.teacher_white = self.root @ self.teacher_gt
        self.uniforms, self.radii, self.angles = empty(2, n * m // 2), empty(n * m // 2), empty(n * m // 2)

    def noise_into(self, out):
        """Box-Muller by whole-array operations: normal_ draws float64 one by one, at twice the time."""
        torch = self.torch
        if out.dtype == torch.float32:
            out.normal_(0, self.noise)
            return
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
        self.noise_into(self.y)
        self.teacher_features()
        self.y.addmm_(self.h, self.teacher_ft)

    def teacher_features(self):
        self.torch.mm(self.u, self.root, out=self.x)
        self.torch.mm(self.x, self.teacher_gt, out=self.h)

    def features(self):
        self.torch.mm(self.x, self.gt, out=self.h)

    def residual(self):
        torch = self.torch
        self.features()
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

    def adam(self):
        torch = self.torch
        self.sample()
        self.residual()
        torch.mm(self.r.T, self.h, out=self.gf)
        self.features_gradient()
        self.steps += 1
        scale = (1 - BETA2**self.steps) ** -0.5
        for p, gradient, (mean, square) in zip((self.gt, self.f), (self.ggt, self.gf), self.moments):
            gradient *= 1 / self.n
            mean.lerp_(gradient, 1 - BETA1)
            square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
            p.addcdiv_(mean, square.sqrt().mul_(scale).add_(EPSILON), value=-self.adam_rate / (1 - BETA1**self.steps))

    def solve(self, a, right):
        a.diagonal().add_(self.damping)
        factor, _ = self.torch.linalg.cholesky_ex(a)
        return self.torch.cholesky_solve(right, factor)

    def features_step(self):
        self.features_gradient()
        self.torch.mm(self.x.T, self.x, out=self.q).mul_(1 / self.n)
        return self.solve(self.q, self.ggt)

    def layerwise(self):
        torch = self.torch
        self.sample()
        self.residual()
        step = self.features_step()
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


class TorchFactored(Torch):
    """As NumPyFactored."""

    def teacher_features(self):
        self.torch.mm(self.u, self.teacher_white, out=self.h)

    def features(self):
        self.torch.mm(self.root, self.gt, out=self.white)
        self.torch.mm(self.u, self.white, out=self.h)

    def white_gradient(self):
        self.torch.mm(self.r, self.f, out=self.dh)
        self.torch.mm(self.u.T, self.dh, out=self.across)

    def features_gradient(self):
        self.white_gradient()
        self.torch.mm(self.root, self.across, out=self.ggt)

    def features_step(self):
        self.white_gradient()
        self.torch.mm(self.u.T, self.u, out=self.q).mul_(1 / self.n).add_(self.precision, alpha=self.damping)
        factor, _ = self.torch.linalg.cholesky_ex(self.q)
        return self.inverse_root @ self.torch.cholesky_solve(self.across, factor)

    def __init__(self, path, dtype):
        super().__init__(path, dtype)
        del self.x


def torch_compile():
    """torch.compile; ImportError where it cannot run."""
    import sympy  # noqa: F401: named as what is missing
    import torch
    import torch._inductor.codecache  # noqa: F401: what it needs is looked for here

    return torch.compile


class TorchCompiled(Torch):
    """Steps as functions of tensors, each compiled as a whole, random numbers included."""

    def __init__(self, path, dtype):
        self.compile = torch_compile()
        super().__init__(path, dtype)
        compiled = lambda f: self.compile(f, dynamic=False, fullgraph=True)
        self.compiled_sgd, self.compiled_adam = compiled(self.sgd_of), compiled(self.adam_of)
        self.features_of, self.head_of, self.decide = compiled(self.features_of), compiled(self.head_of), compiled(self.drawn)
        self.damp = compiled(self.damped)

    def drawn(self, words, uniforms):
        """Signs and targets."""
        torch = self.torch
        u = self.table[words.view(torch.uint8).view(-1, 8)[:, :4].reshape(-1).int()].view(self.u.shape)
        radii = (-2 * self.noise**2 * torch.log1p(-uniforms[0])).sqrt()
        angles = uniforms[1] * (2 * torch.pi)
        noise = torch.cat((radii * angles.cos(), radii * angles.sin())).view(self.y.shape)
        x = self.rows(u)
        return x, noise + (x @ self.teacher_of()) @ self.teacher_ft

    def draw(self):
        return self.decide(self.words.random_(), self.uniforms.uniform_())

    def rows(self, u):
        return u @ self.root

    def teacher_of(self):
        return self.teacher_gt

    def weight_of(self, gt):
        return gt

    def gradient_of(self, x, dh):
        return x.T @ dh

    def gradients(self, x, y, gt, f):
        h = x @ self.weight_of(gt)
        r = (h @ f.T - y) * (1 / self.n)
        return self.gradient_of(x, r @ f), r.T @ h

    def sgd_of(self, x, y, gt, f):
        gg, gf = self.gradients(x, y, gt, f)
        return gt - self.rate * gg, f - self.rate * gf

    def sgd(self):
        self.gt, self.f = self.compiled_sgd(*self.draw(), self.gt, self.f)

    def adam_of(self, x, y, gt, f, moments, scale, rate):
        out = []
        for p, gradient, (mean, square) in zip((gt, f), self.gradients(x, y, gt, f), moments):
            mean = BETA1 * mean + (1 - BETA1) * gradient
            square = BETA2 * square + (1 - BETA2) * gradient * gradient
            out.append((p - rate * mean / (square.sqrt() * scale + EPSILON), mean, square))
        return out

    def adam(self):
        self.steps += 1
        # As tensors, or each step would be compiled anew.
        scale = self.torch.tensor((1 - BETA2**self.steps) ** -0.5)
        rate = self.torch.tensor(self.adam_rate / (1 - BETA1**self.steps))
        (self.gt, *first), (self.f, *second) = self.compiled_adam(*self.draw(), self.gt, self.f, self.moments, scale, rate)
        self.moments = [tuple(first), tuple(second)]

    def features_of(self, x, y, gt, f):
        r = x @ self.weight_of(gt) @ f.T - y
        return x.T @ (r @ f), f.T @ f

    def damped(self, x):
        return (x.T @ x) * (1 / self.n) + self.damping * self.torch.eye(x.shape[1], dtype=x.dtype)

    def solved(self, x, across):
        factor, _ = self.torch.linalg.cholesky_ex(self.damp(x))
        return self.torch.cholesky_solve(across, factor)

    def head_of(self, x, y, gt, f):
        h = x @ self.weight_of(gt)
        return (h @ f.T - y).T @ h, (h.T @ h) * (1 / self.n)

    def layerwise(self):
        x, y = self.draw()
        across, output = self.features_of(x, y, self.gt, self.f)
        step = self.solve(output, self.solved(x, across).T).T
        self.gt = self.gt - (self.rate / self.n) * step
        gradient, a = self.head_of(x, y, self.gt, self.f)
        self.f = self.f - (self.rate / self.n) * self.solve(a, gradient.T).T


class TorchCompiledFactored(TorchCompiled):
    def rows(self, u):
        return u

    def teacher_of(self):
        return self.teacher_white

    def weight_of(self, gt):
        return self.root @ gt

    def gradient_of(self, x, dh):
        return self.root @ (x.T @ dh)

    def damped(self, x):
        return (x.T @ x) * (1 / self.n) + self.damping * self.precision

    def solved(self, x, across):
        return self.inverse_root @ super().solved(x, across)


def main():
    folder, which = sys.argv[1:]

    def start():
        contender, facts = {
            "numpy": (NumPy, numpy_facts),
            "numpy-factored": (NumPyFactored, numpy_facts),
            "torch": (Torch, torch_facts),
            "torch-factored": (TorchFactored, torch_facts),
            "torch-compiled": (TorchCompiled, torch_facts),
            "torch-compiled-factored": (TorchCompiledFactored, torch_facts),
        }[which]
        runs = {}
        if "compiled" in which:
            with_older_sympy()
            torch_compile()

        def begin(question):
            if question not in runs:
                method, size, dtype = question.split(":")
                runs[question] = step_of(contender(f"{folder}/{size}.f64", dtype), method)
            return runs[question], None

        return facts(), begin

    serve(start, "distance")


def step_of(run, method):
    step, distance = getattr(run, method), run.distance

    def step_and_distance():
        step()
        return distance()

    return step_and_distance


if __name__ == "__main__":
    main()
