"""The methods of optimizers.ts in NumPy, with SciPy's BLAS and LAPACK called directly where NumPy does more than is needed. Written for
speed: held buffers, all parameters (and all gradients) in one vector, the two backward passes of the sampled factors as one with twice
the rows, moving averages inside syrk, only a triangle of what is symmetric, solutions in place. Row-major memory handed to LAPACK is the
transpose, so that the transposed problem is solved and nothing is copied."""

import numpy as np
from scipy.linalg import blas, lapack

from peers import numpy_facts as facts  # noqa: F401


class Net:
    """Passes through a ReLU network with biases under softmax cross-entropy, or a linear one without under squared loss. Joint: each weight holds its bias as one more column, and every
    layer's input a 1. Sampled: the backward pass also carries the gradients at labels drawn from the model."""

    joint = sampled = False

    def __init__(self, problem, options):
        self.problem, self.o, self.t = problem, options, 0
        self.linear = problem.linear
        dtype, n = problem.dtype, problem.batch
        # A weight a layer and nothing beside it.
        self.single = self.joint or self.linear
        shapes = []
        for d, m in zip(problem.widths, problem.widths[1:]):
            shapes += [(m, d)] if self.linear else [(m, d + 1)] if self.joint else [(m, d), (1, m)]
        self.shapes = shapes
        self.values = np.empty(sum(m * d for m, d in shapes), dtype)
        self.gradients = np.empty_like(self.values)
        self.p, self.g = self.views(self.values), self.views(self.gradients)
        for i, given in enumerate(problem.parameters()):
            if self.linear or not self.joint:
                self.p[i][:] = given
            elif i % 2 == 0:
                self.p[i // 2][:, :-1] = given
            else:
                self.p[i // 2][:, -1] = given[0]
        self.layers = len(problem.widths) - 1
        self.batches = problem.batches(self.joint)
        extra = 1 if self.joint and not self.linear else 0
        self.a = [None] + [np.ones((n, m + extra), dtype) for m in problem.widths[1:-1]] + [np.empty((n, problem.widths[-1]), dtype)]
        blocks = 2 if self.sampled else 1
        self.d = [np.empty((blocks, n, m), dtype) for m in problem.widths[1:]]
        self.mask = [np.empty((n, m), bool) for m in problem.widths[1:-1]]
        self.rows = np.arange(n)
        self.rng = np.random.Generator(np.random.SFC64(0))
        # By dtype, once: f2py's functions are looked up by name.
        for module in (blas, lapack):
            for name in ("syrk", "trsm", "axpy", "scal", "nrm2", "symm", "potrf", "potri", "potrs", "syevd", "geqrf", "orgqr"):
                found = getattr(module, ("s" if dtype == np.float32 else "d") + name, None)
                if found is not None:
                    setattr(self, name, found)

    def views(self, vector):
        out, at = [], 0
        for m, d in self.shapes:
            out.append(vector[at : at + m * d].reshape(m, d))
            at += m * d
        return out

    def square(self, n):
        return np.zeros((n, n), self.problem.dtype, order="F")

    def weight(self, l):
        return self.p[l] if self.linear else self.p[l][:, :-1] if self.joint else self.p[2 * l]

    def passes(self):
        """Loss; gradients; with them the inputs a[l] and output gradients d[l] of every layer."""
        inputs, targets = self.batches[self.t % len(self.batches)]
        self.t += 1
        self.a[0] = inputs
        n = len(inputs)
        for l in range(self.layers):
            last = l == self.layers - 1
            z = self.a[l + 1] if last or self.linear or not self.joint else self.a[l + 1][:, :-1]
            np.matmul(self.a[l], (self.p[l] if self.single else self.p[2 * l]).T, out=z)
            if not self.single:
                z += self.p[2 * l + 1]
            if not (last or self.linear):
                np.maximum(z, 0, out=z)
                np.greater(z, 0, out=self.mask[l])
        loss = (self.squared if self.linear else self.cross_entropy)(z, targets, self.d[-1])
        for l in range(self.layers - 1, -1, -1):
            d = self.d[l]
            if self.single:
                np.matmul(d[0].T, self.a[l], out=self.g[l])
            else:
                np.matmul(d[0].T, self.a[l], out=self.g[2 * l])
                np.sum(d[0], axis=0, keepdims=True, out=self.g[2 * l + 1])
            if l > 0:
                below = self.d[l - 1]
                np.matmul(d.reshape(-1, d.shape[2]), self.weight(l), out=below.reshape(-1, below.shape[2]))
                if not self.linear:
                    below *= self.mask[l - 1]
        return loss

    def squared(self, z, targets, top):
        """The loss; its gradient, and where they are asked for those at targets drawn from the model, into top."""
        if self.sampled:
            if self.problem.draws is None:
                self.rng.standard_normal(out=top[1], dtype=top.dtype)
            else:
                top[1] = self.problem.draws[(self.t - 1) * z.size : self.t * z.size].reshape(z.shape)
        np.subtract(z, targets, out=top[0])
        loss = np.vdot(top[0], top[0]) / (2 * len(z))
        top[0] *= 1 / len(z)
        return loss

    def cross_entropy(self, z, labels, top):
        n = len(z)
        loss, probabilities = self.softmax(z, labels)
        if self.sampled:
            top[1] = probabilities
            top[1][self.rows, self.drawn(probabilities)] -= 1
        np.multiply(probabilities, 1 / n, out=top[0])
        top[0][self.rows, labels] -= 1 / n
        return loss

    def softmax(self, z, labels):
        z -= z.max(axis=1, keepdims=True)
        score = z[self.rows, labels]
        np.exp(z, out=z)
        sums = z.sum(axis=1, keepdims=True)
        z /= sums
        return np.log(sums).mean() - score.mean(), z

    def drawn(self, probabilities):
        n = len(probabilities)
        draws = self.problem.draws
        u = self.rng.random(n, self.problem.dtype) if draws is None else draws[(self.t - 1) * n : self.t * n]
        below = np.cumsum(probabilities[:, :-1], axis=1)
        return (u[:, None] >= below).sum(axis=1)

    def move(self, rate, step):
        """Adds -rate step to the parameters, all in one vector."""
        self.axpy(step, self.values, a=-rate)

    def save(self, path):
        if self.linear or not self.joint:
            arrays = self.p
        else:
            arrays = [part for w in self.p for part in (w[:, :-1], w[:, -1])]
        np.concatenate([a.astype(np.float64).ravel() for a in arrays]).tofile(path)


class Sgd(Net):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.velocity = np.zeros_like(self.values)

    def step(self):
        loss = self.passes()
        self.scal(self.o["momentum"], self.velocity)
        self.axpy(self.gradients, self.velocity)
        self.move(self.o["learningRate"], self.velocity)
        return loss


class AdamVector:
    """Adam on a vector in place, a stretch at a time so that it stays in the cache. The moments are kept without their factors 1 - beta,
    which saves two passes."""

    STRETCH = 16384

    def __init__(self, size, dtype, options):
        self.o, self.t, self.size = options, 0, size
        self.mean, self.square = np.zeros(size, dtype), np.zeros(size, dtype)
        self.work = np.empty(min(size, self.STRETCH), dtype)

    def move(self, values, gradients):
        o, self.t = self.o, self.t + 1
        beta1, beta2 = o["beta1"], o["beta2"]
        root = ((1 - beta2**self.t) / (1 - beta2)) ** 0.5
        rate = o["learningRate"] * (1 - beta1) / (1 - beta1**self.t) * root
        decay = o["learningRate"] * o["weightDecay"]
        for at in range(0, self.size, self.STRETCH):
            part = slice(at, at + self.STRETCH)
            p, g, m, v = values[part], gradients[part], self.mean[part], self.square[part]
            work = self.work[: len(g)]
            m *= beta1
            m += g
            v *= beta2
            np.multiply(g, g, out=work)
            v += work
            np.sqrt(v, out=work)
            work += o["epsilon"] * root
            np.divide(m, work, out=work)
            work *= rate
            if decay != 0:
                p *= 1 - decay
            p -= work


class AdamW(Net):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.adam = AdamVector(self.values.size, problem.dtype, options)

    def step(self):
        loss = self.passes()
        self.adam.move(self.values, self.gradients)
        return loss


class Kronecker(Net):
    """Factors of every layer as averages in syrk (of each the lower triangle), the rest in turn."""

    joint = True

    def __init__(self, problem, options):
        super().__init__(problem, options)
        dtype = problem.dtype
        rows, cols = zip(*self.shapes)
        self.output_factors, self.input_factors = [self.square(m) for m in rows], [self.square(d) for d in cols]
        self.output_inverses, self.input_inverses = [self.square(m) for m in rows], [self.square(d) for d in cols]
        self.velocity = np.zeros_like(self.values)
        self.updates = self.views(self.gradients)
        self.half = [np.empty(s, dtype) for s in self.shapes]
        self.weight_of_average = 0.0

    def observe(self):
        """F <- (1 - 1/w) F + rows'rows / (n w)."""
        self.weight_of_average = w = self.o["factorDecay"] * self.weight_of_average + 1
        sides = [(self.a, self.input_factors)]
        if self.sampled:
            sides.append(([d[1] for d in self.d], self.output_factors))
        for rows, factors in sides:
            for l, factor in enumerate(factors):
                x = rows[l]
                factors[l] = self.syrk(1 / (len(x) * w), x.T, beta=1 - 1 / w, c=factor, lower=1, overwrite_c=1)

    def average(self):
        """Momentum on what the gradients' memory holds."""
        self.scal(self.o["momentum"], self.velocity)
        self.axpy(self.gradients, self.velocity)


class Solving(Kronecker):
    """With an inverse a side. Products are faster than triangular solves, and an inverse costs as much as two Cholesky factorisations:
    inverses that serve for several steps are formed, others are solved with."""

    LONG = 3

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.formed = options["inversePeriod"] >= self.LONG

    def invert(self, factor, damping, out):
        np.copyto(out, factor)
        out.ravel(order="K")[:: len(out) + 1] += damping
        out, info = self.potrf(out, lower=1, clean=0, overwrite_a=1)
        assert info == 0
        return self.potri(out, lower=1, overwrite_c=1)[0] if self.formed else out

    def inputs_solved(self, x, l):
        """(A + lA I)^-1 x for x of n x m, in place."""
        a = self.input_inverses[l]
        if not self.formed:
            return self.potrs(a, x, lower=1, overwrite_b=1)[0]
        return self.symm(1, a, x, lower=1, c=self.half[l].T, overwrite_c=1)

    def outputs_solved(self, x, l, out):
        """out = x (B + lB I)^-1."""
        b = self.output_inverses[l]
        if self.formed:
            return self.symm(1, b, x, side=1, lower=1, c=out, overwrite_c=1)
        x = self.trsm(1, b, x, side=1, lower=1, trans_a=1, overwrite_b=1)
        return self.trsm(1, b, x, side=1, lower=1, overwrite_b=1)


class Kfac(Solving):
    sampled = True

    def step(self):
        loss = self.passes()
        self.observe()
        if (self.t - 1) % self.o["inversePeriod"] == 0:
            damping = self.o["damping"] ** 0.5
            for l, (a, b) in enumerate(zip(self.input_factors, self.output_factors)):
                pi = (a.trace() / len(a) / (b.trace() / len(b))) ** 0.5
                self.input_inverses[l] = self.invert(a, damping * pi, self.input_inverses[l])
                self.output_inverses[l] = self.invert(b, damping / pi, self.output_inverses[l])
        for l, u in enumerate(self.updates):
            self.outputs_solved(self.inputs_solved(u.T, l), l, u.T)
        self.average()
        self.move(self.o["learningRate"], self.velocity)
        return loss


class Foof(Solving):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.velocities = self.views(self.velocity)
        self.update = self.gradients if not self.formed else np.empty_like(self.gradients)
        self.half = self.views(self.update)

    def step(self):
        loss = self.passes()
        self.average()
        self.observe()
        if (self.t - 1) % self.o["inversePeriod"] == 0:
            for l, a in enumerate(self.input_factors):
                self.input_inverses[l] = self.invert(a, self.o["damping"], self.input_inverses[l])
        if not self.formed:
            np.copyto(self.update, self.velocity)
        for l, v in enumerate(self.velocities if self.formed else self.half):
            self.inputs_solved(v.T, l)
        self.move(self.o["learningRate"], self.update)
        return loss


class Ekfac(Kronecker):
    sampled = True

    def __init__(self, problem, options):
        super().__init__(problem, options)
        dtype, n = problem.dtype, problem.batch
        self.scales = [np.empty(s, dtype) for s in self.shapes]
        self.batch_scales = [np.empty(s, dtype) for s in self.shapes]
        self.x = [np.empty((n, d), dtype) for _, d in self.shapes]
        self.y = [np.empty((n, m), dtype) for m, _ in self.shapes]

    def basis(self, factor):
        values, vectors, info = self.syevd(factor, lower=1)
        assert info == 0
        floor = len(factor) * np.finfo(factor.dtype).eps * values[-1]
        return np.maximum(values, floor, out=values), vectors

    def step(self):
        loss = self.passes()
        self.observe()
        if (self.t - 1) % self.o["inversePeriod"] == 0:
            self.bases = [(self.basis(a)[1], self.basis(b)[1]) for a, b in zip(self.input_factors, self.output_factors)]
            self.weight_of_scales = 0.0
        self.weight_of_scales = w = self.o["factorDecay"] * self.weight_of_scales + 1
        for l, (qa, qb) in enumerate(self.bases):
            x, y, scales, batch, u, half = (h[l] for h in (self.x, self.y, self.scales, self.batch_scales, self.updates, self.half))
            np.matmul(self.a[l], qa, out=x)
            x *= x
            np.matmul(self.d[l][1], qb, out=y)
            y *= y
            np.matmul(y.T, x, out=batch)
            batch *= 1 / (len(x) * w)
            if w == 1:
                np.copyto(scales, batch)
            else:
                scales *= 1 - 1 / w
                scales += batch
            np.matmul(u, qa, out=half)
            np.matmul(qb.T, half, out=u)
            np.add(scales, self.o["damping"], out=batch)
            u /= batch
            np.matmul(qb, u, out=half)
            np.matmul(half, qa.T, out=u)
        self.average()
        self.move(self.o["learningRate"], self.velocity)
        return loss


class Shampoo(Net):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        dtype = problem.dtype
        self.left = [self.square(m) if m > 1 else None for m, _ in self.shapes]
        self.right = [self.square(d) for _, d in self.shapes]
        self.roots = [[None, None] for _ in self.shapes]
        self.mean = np.zeros_like(self.values)
        self.means = self.views(self.mean)
        self.half = [np.empty(s, dtype) for s in self.shapes]
        self.update = np.empty_like(self.values)
        self.updates = self.views(self.update)

    def root(self, factor, exponent):
        values, vectors, info = self.syevd(factor, lower=1)
        assert info == 0
        values += self.o["epsilon"] - min(0, values[0])
        vectors *= values ** (-exponent / 2)
        return vectors @ vectors.T

    def step(self):
        loss = self.passes()
        o, t = self.o, self.t
        for i, g in enumerate(self.g):
            if self.left[i] is not None:
                self.left[i] = self.syrk(1, g.T, trans=1, beta=1, c=self.left[i], lower=1, overwrite_c=1)
            self.right[i] = self.syrk(1, g.T, beta=1, c=self.right[i], lower=1, overwrite_c=1)
        if (t - 1) % o["rootPeriod"] == 0:
            for left, right, roots in zip(self.left, self.right, self.roots):
                if left is None:
                    roots[1] = self.root(right, 1 / 2)
                else:
                    roots[:] = self.root(left, 1 / 4), self.root(right, 1 / 4)
        self.scal(o["beta1"], self.mean)
        self.axpy(self.gradients, self.mean, a=1 - o["beta1"])
        for m, (left, right), half, update in zip(self.means, self.roots, self.half, self.updates):
            if left is None:
                np.matmul(m, right, out=update)
            else:
                np.matmul(left, m, out=half)
                np.matmul(half, right, out=update)
        self.move(o["learningRate"] / (1 - o["beta1"] ** t), self.update)
        return loss


class Soap(Net):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        dtype = problem.dtype
        self.factors = [None if m == 1 else [self.square(m), self.square(d)] for m, d in self.shapes]
        self.rotated = np.empty_like(self.values)
        self.turned = self.views(self.rotated)
        self.mean, self.second = np.zeros_like(self.values), np.zeros_like(self.values)
        self.means, self.seconds = self.views(self.mean), self.views(self.second)
        self.root = np.empty_like(self.values)
        self.roots = self.views(self.root)
        self.half = [np.empty(s, dtype) for s in self.shapes]

    def turn(self, x, basis, out, half):
        """out = QL' x QR."""
        np.matmul(basis[0].T, x, out=half)
        np.matmul(half, basis[1], out=out)

    def turn_back(self, x, basis, out, half):
        np.matmul(basis[0], x, out=half)
        np.matmul(half, basis[1].T, out=out)

    def refresh(self, factor, basis):
        image = self.symm(1, factor, basis, lower=1)
        order = np.argsort(-np.einsum("ij,ij->j", basis, image), kind="stable")
        qr, tau, _, _ = self.geqrf(np.asfortranarray(image[:, order]), lwork=64 * len(factor), overwrite_a=1)
        q, _, _ = self.orgqr(qr, tau, lwork=64 * len(factor), overwrite_a=1)
        return order, q

    def step(self):
        loss = self.passes()
        o, k = self.o, self.t - 1
        if k > 0:
            for g, out, half, basis in zip(self.g, self.turned, self.half, self.bases):
                if basis is None:
                    np.copyto(out, g)
                else:
                    self.turn(g, basis, out, half)
            m, v, g, work = self.mean, self.second, self.rotated, self.root
            self.scal(o["beta1"], m)
            self.axpy(g, m, a=1 - o["beta1"])
            np.multiply(g, g, out=work)
            self.scal(o["beta2"], v)
            self.axpy(work, v, a=1 - o["beta2"])
            np.sqrt(v, out=work)
            work += o["epsilon"]
            np.divide(m, work, out=work)
            for x, out, half, basis in zip(self.roots, self.turned, self.half, self.bases):
                if basis is None:
                    np.copyto(out, x)
                else:
                    self.turn_back(x, basis, out, half)
            self.move(o["learningRate"] * (1 - o["beta2"] ** k) ** 0.5 / (1 - o["beta1"] ** k), self.rotated)
            self.scal(1 - o["learningRate"] * o["weightDecay"], self.values)
        for i, g in enumerate(self.g):
            if self.factors[i] is None:
                continue
            left, right = self.factors[i]
            w = 1 - o["beta2"]
            self.factors[i] = [
                self.syrk(w, g.T, trans=1, beta=o["beta2"], c=left, lower=1, overwrite_c=1),
                self.syrk(w, g.T, beta=o["beta2"], c=right, lower=1, overwrite_c=1),
            ]
        if k == 0:
            self.bases = [None if f is None else [np.asfortranarray(self.syevd(s, lower=1)[1][:, ::-1]) for s in f] for f in self.factors]
        elif k % o["period"] == 0:
            for i, basis in enumerate(self.bases):
                if basis is None:
                    continue
                self.turn_back(self.means[i], basis, self.turned[i], self.half[i])
                orders = []
                for side in range(2):
                    order, basis[side] = self.refresh(self.factors[i][side], basis[side])
                    orders.append(order)
                self.turn(self.turned[i], basis, self.means[i], self.half[i])
                self.seconds[i][:] = self.seconds[i][np.ix_(*orders)]
        return loss


class Muon(Net):
    COEFFICIENTS = 3.4445, -4.7750, 2.0315

    def __init__(self, problem, options):
        super().__init__(problem, options)
        dtype = problem.dtype
        self.momentum = np.zeros_like(self.values)
        self.momenta = self.views(self.momentum)
        self.update = np.empty_like(self.values)
        self.updates = self.views(self.update)
        self.work = []
        for m, d in self.shapes:
            k, l = min(m, d), max(m, d)
            self.work.append((np.empty((k, l), dtype), np.empty((k, l), dtype), np.empty((k, k), dtype), np.empty((k, k), dtype)))
        self.adams = [AdamVector(d, dtype, options["vectors"]) for m, d in self.shapes if m == 1]

    def orthogonalised(self, x, work):
        a, b, c = self.COEFFICIENTS
        x, tall = (x.T, True) if len(x) > x.shape[1] else (x, False)
        now, after, gram, polynomial = work
        np.multiply(x, 1 / (np.linalg.norm(x) + 1e-7), out=now)
        for _ in range(self.o["steps"]):
            np.matmul(now, now.T, out=gram)
            np.matmul(gram, gram, out=polynomial)
            polynomial *= c
            gram *= b
            polynomial += gram
            polynomial.ravel()[:: len(polynomial) + 1] += a  # a X + P X = (P + a I) X
            np.matmul(polynomial, now, out=after)
            now, after = after, now
        return now.T if tall else now

    def step(self):
        loss = self.passes()
        o = self.o
        momentum = o["momentum"]
        self.scal(momentum, self.momentum)
        self.axpy(self.gradients, self.momentum, a=1 - momentum)
        np.multiply(self.momentum, momentum, out=self.update)
        self.axpy(self.gradients, self.update, a=1 - momentum)
        adams = iter(self.adams)
        for i, (m, d) in enumerate(self.shapes):
            if m == 1:
                next(adams).move(self.p[i][0], self.g[i][0])
                continue
            x = self.orthogonalised(self.updates[i], self.work[i])
            np.multiply(x, o["learningRate"] * max(1, m / d) ** 0.5, out=self.updates[i])
            self.p[i] -= self.updates[i]
        return loss


METHODS = {
    "sgd": Sgd,
    "adamw": AdamW,
    "kfac": Kfac,
    "ekfac": Ekfac,
    "foof": Foof,
    "shampoo": Shampoo,
    "soap": Soap,
    "muon": Muon,
}
