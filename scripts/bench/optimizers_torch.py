"""The methods of optimizers.ts in PyTorch: gradients by autograd, torch.optim's own SGD and AdamW (the fused ones), the others by hand with
held buffers and operations in place."""

from peers import torch_facts as facts  # noqa: F401
from peers import with_older_sympy

with_older_sympy()
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(1)


class Net:
    """A ReLU network with biases under softmax cross-entropy, or a linear one without under squared loss. Sampled: the graph is kept for a second backward pass."""

    sampled = False

    def __init__(self, problem, options):
        self.problem, self.o, self.t = problem, options, 0
        self.params = [torch.from_numpy(p.astype(problem.dtype)) for p in problem.parameters()]
        self.linear = problem.linear
        if self.linear:
            self.params = [p.clone().requires_grad_() for p in self.params]
            self.weights, self.biases = self.params, []
        else:
            self.params = [(p if i % 2 == 0 else p[0]).clone().requires_grad_() for i, p in enumerate(self.params)]
            self.weights, self.biases = self.params[::2], self.params[1::2]
        self.batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in problem.batches(joint=False)]
        self.dtype = self.batches[0][0].dtype
        drawn = problem.widths[-1] if self.linear else 1
        self.draws = None if problem.draws is None else torch.from_numpy(problem.draws).view(-1, problem.batch, drawn)
        torch.manual_seed(0)

    def zeros(self, shapes):
        return [torch.zeros(*shape, dtype=self.dtype) for shape in shapes]

    def batch(self):
        self.t += 1
        return self.batches[(self.t - 1) % len(self.batches)]

    def forward(self, x):
        """Outputs; leaves every layer's inputs and outputs in self.inputs and self.outputs."""
        self.inputs, self.outputs = [], []
        for l, w in enumerate(self.weights):
            x = F.relu(x) if l > 0 and not self.linear else x
            self.inputs.append(x)
            x = F.linear(x, w, None if self.linear else self.biases[l])
            self.outputs.append(x)
        return x

    def loss(self, outputs, targets):
        if self.linear:
            return F.mse_loss(outputs, targets, reduction="sum") / (2 * len(outputs))
        return F.cross_entropy(outputs, targets)

    def passes(self):
        """The loss; self.gradients."""
        x, targets = self.batch()
        loss = self.loss(self.forward(x), targets)
        self.gradients = torch.autograd.grad(loss, self.params, retain_graph=self.sampled)
        return loss.detach()

    def sampled_gradients(self):
        """Every layer's output gradients, a row a sample, at labels drawn from the model."""
        if self.linear:
            noise = torch.randn_like(self.outputs[-1]) if self.draws is None else self.draws[self.t - 1].to(self.dtype)
            return torch.autograd.grad(self.outputs[-1], self.outputs, grad_outputs=noise)
        with torch.no_grad():
            below = torch.softmax(self.outputs[-1], 1).cumsum(1)[:, :-1]
            n = len(below)
            u = torch.rand(n, 1, dtype=self.dtype) if self.draws is None else self.draws[self.t - 1]
            labels = (u >= below).sum(1)
        return torch.autograd.grad(F.cross_entropy(self.outputs[-1], labels, reduction="sum"), self.outputs)

    @torch.no_grad()
    def move(self, rate, steps):
        torch._foreach_add_(self.params, steps, alpha=-rate)

    def save(self, path):
        torch.cat([p.detach().double().flatten() for p in self.params]).numpy().tofile(path)


class OfTorch(Net):
    """With an optimiser of torch.optim's."""

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.optimizers = self.optimizers_of(options)

    def step(self):
        x, targets = self.batch()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss = self.loss(self.forward(x), targets)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.detach()


class Sgd(OfTorch):
    def optimizers_of(self, o):
        return [torch.optim.SGD(self.params, lr=o["learningRate"], momentum=o["momentum"], fused=True)]


def adamw(params, o):
    betas = o["beta1"], o["beta2"]
    return torch.optim.AdamW(params, lr=o["learningRate"], betas=betas, eps=o["epsilon"], weight_decay=o["weightDecay"], fused=True)


class AdamW(OfTorch):
    def optimizers_of(self, o):
        return [adamw(self.params, o)]


class Kronecker(Net):
    """Factors of every layer, the bias being one more column of its weight."""

    def __init__(self, problem, options):
        super().__init__(problem, options)
        n, dtype = problem.batch, self.dtype
        shapes = [(m, d if self.linear else d + 1) for m, d in (w.shape for w in self.weights)]
        self.input_factors, self.output_factors = self.zeros((d, d) for _, d in shapes), self.zeros((m, m) for m, _ in shapes)
        self.joint_inputs = None if self.linear else [torch.ones(n, d, dtype=dtype) for _, d in shapes]
        self.updates, self.velocities, self.halves = self.zeros(shapes), self.zeros(shapes), self.zeros(shapes)
        parts = lambda matrices: matrices if self.linear else [part for v in matrices for part in (v[:, :-1], v[:, -1])]
        self.steps, self.parts = parts(self.velocities), parts(self.updates)
        self.weight_of_average = 0.0

    def joined(self):
        """The gradients into self.updates."""
        torch._foreach_copy_(self.parts, self.gradients)

    def observe(self, output_gradients=None):
        w = self.weight_of_average = self.o["factorDecay"] * self.weight_of_average + 1
        if self.linear:
            self.joint_inputs = [x.detach() for x in self.inputs]
        for l, (x, joint, a) in enumerate(zip(self.inputs, self.joint_inputs, self.input_factors)):
            if not self.linear:
                joint[:, :-1] = x.detach()
            a.addmm_(joint.T, joint, beta=1 - 1 / w, alpha=1 / (w * len(x)))
            if output_gradients is not None:
                g = output_gradients[l]
                self.output_factors[l].addmm_(g.T, g, beta=1 - 1 / w, alpha=1 / (w * len(x)))

    def average(self):
        torch._foreach_mul_(self.velocities, self.o["momentum"])
        torch._foreach_add_(self.velocities, self.updates)


class Solving(Kronecker):
    """With an inverse a side: formed where it serves for several steps, since products are faster than triangular solves."""

    LONG = 3

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.formed = options["inversePeriod"] >= self.LONG

    def inverse(self, factor, damping):
        damped = factor.clone()
        damped.diagonal().add_(damping)
        root = torch.linalg.cholesky_ex(damped)[0]
        return torch.cholesky_inverse(root) if self.formed else root

    def inputs_solved(self, x, a, out):
        """out = x (A + lA I)^-1."""
        return torch.mm(x, a, out=out) if self.formed else out.copy_(torch.cholesky_solve(x.T, a).T)

    def outputs_solved(self, x, b, out):
        """out = (B + lB I)^-1 x."""
        return torch.mm(b, x, out=out) if self.formed else out.copy_(torch.cholesky_solve(x, b))


class Kfac(Solving):
    sampled = True

    def step(self):
        loss = self.passes()
        gradients = self.sampled_gradients()
        with torch.no_grad():
            self.observe(gradients)
            if (self.t - 1) % self.o["inversePeriod"] == 0:
                self.inverses = []
                for a, b in zip(self.input_factors, self.output_factors):
                    pi = ((a.trace() / len(a)) / (b.trace() / len(b))).sqrt().item()
                    damping = self.o["damping"] ** 0.5
                    self.inverses.append((self.inverse(a, damping * pi), self.inverse(b, damping / pi)))
            self.joined()
            for u, half, (a, b) in zip(self.updates, self.halves, self.inverses):
                self.inputs_solved(self.outputs_solved(u, b, half), a, u)
            self.average()
            self.move(self.o["learningRate"], self.steps)
        return loss


class Foof(Solving):
    def step(self):
        loss = self.passes()
        with torch.no_grad():
            self.joined()
            self.average()
            self.observe()
            if (self.t - 1) % self.o["inversePeriod"] == 0:
                self.inverses = [self.inverse(a, self.o["damping"]) for a in self.input_factors]
            for u, v, a in zip(self.updates, self.velocities, self.inverses):
                self.inputs_solved(v, a, u)
            self.move(self.o["learningRate"], self.parts)
        return loss


class Ekfac(Kronecker):
    sampled = True

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.scales = [torch.empty_like(u) for u in self.updates]

    def step(self):
        loss = self.passes()
        gradients = self.sampled_gradients()
        with torch.no_grad():
            self.observe(gradients)
            if (self.t - 1) % self.o["inversePeriod"] == 0:
                self.bases = [
                    (torch.linalg.eigh(a)[1], torch.linalg.eigh(b)[1]) for a, b in zip(self.input_factors, self.output_factors)
                ]
                self.weight_of_scales = 0.0
            w = self.weight_of_scales = self.o["factorDecay"] * self.weight_of_scales + 1
            self.joined()
            for l, (qa, qb) in enumerate(self.bases):
                x, g, scales = self.joint_inputs[l] @ qa, gradients[l] @ qb, self.scales[l]
                x.square_()
                g.square_()
                if w == 1:
                    torch.mm(g.T, x, out=scales).div_(len(x))
                else:
                    scales.addmm_(g.T, x, beta=1 - 1 / w, alpha=1 / (w * len(x)))
                u, half = self.updates[l], self.halves[l]
                torch.mm(u, qa, out=half)
                torch.mm(qb.T, half, out=u)
                u.div_(torch.add(scales, self.o["damping"], out=half))
                torch.mm(qb, u, out=half)
                torch.mm(half, qa.T, out=u)
            self.average()
            self.move(self.o["learningRate"], self.steps)
        return loss


class Shampoo(Net):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.factors = [self.zeros((n, n) for n in p.shape) for p in self.params]
        shapes = [p.shape for p in self.params]
        self.means, self.halves, self.updates = self.zeros(shapes), self.zeros(shapes), self.zeros(shapes)
        self.roots = [None for _ in self.params]

    def root(self, factor, exponent):
        values, vectors = torch.linalg.eigh(factor)
        values += self.o["epsilon"] - min(0.0, values[0].item())
        vectors *= values ** (-exponent / 2)
        return vectors @ vectors.T

    def step(self):
        loss = self.passes()
        o = self.o
        with torch.no_grad():
            for g, factors in zip(self.gradients, self.factors):
                if g.dim() == 1:
                    factors[0].addr_(g, g)
                else:
                    factors[0].addmm_(g, g.T)
                    factors[1].addmm_(g.T, g)
            if (self.t - 1) % o["rootPeriod"] == 0:
                self.roots = [[self.root(f, 1 / (2 * len(factors))) for f in factors] for factors in self.factors]
            torch._foreach_lerp_(self.means, self.gradients, 1 - o["beta1"])
            for m, half, update, roots in zip(self.means, self.halves, self.updates, self.roots):
                if m.dim() == 1:
                    torch.mv(roots[0], m, out=update)
                else:
                    torch.mm(roots[0], m, out=half)
                    torch.mm(half, roots[1], out=update)
            self.move(o["learningRate"] / (1 - o["beta1"] ** self.t), self.updates)
        return loss


class Soap(Net):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.factors = [self.zeros((n, n) for n in p.shape) if p.dim() == 2 else None for p in self.params]
        held = [self.zeros(p.shape for p in self.params) for _ in range(5)]
        self.means, self.squares, self.turned, self.halves, self.roots = held

    def turn(self, x, basis, out, half):
        """out = QL' x QR."""
        torch.mm(basis[0].T, x, out=half)
        torch.mm(half, basis[1], out=out)

    def turn_back(self, x, basis, out, half):
        torch.mm(basis[0], x, out=half)
        torch.mm(half, basis[1].T, out=out)

    def step(self):
        loss = self.passes()
        with torch.no_grad():
            o, k = self.o, self.t - 1
            if k > 0:
                self.adam(o, k)
            for g, factors in zip(self.gradients, self.factors):
                if factors is not None:
                    factors[0].addmm_(g, g.T, beta=o["beta2"], alpha=1 - o["beta2"])
                    factors[1].addmm_(g.T, g, beta=o["beta2"], alpha=1 - o["beta2"])
            if k == 0:
                self.bases = [None if f is None else [torch.linalg.eigh(s)[1].flip(1) for s in f] for f in self.factors]
            elif k % o["period"] == 0:
                for i, basis in enumerate(self.bases):
                    if basis is not None:
                        self.refresh(i, basis)
        return loss

    def adam(self, o, k):
        for g, out, half, basis in zip(self.gradients, self.turned, self.halves, self.bases):
            if basis is None:
                out.copy_(g)
            else:
                self.turn(g, basis, out, half)
        torch._foreach_lerp_(self.means, self.turned, 1 - o["beta1"])
        torch._foreach_mul_(self.squares, o["beta2"])
        torch._foreach_addcmul_(self.squares, self.turned, self.turned, value=1 - o["beta2"])
        for m, v, root, out, half, basis in zip(self.means, self.squares, self.roots, self.turned, self.halves, self.bases):
            torch.sqrt(v, out=root).add_(o["epsilon"])
            torch.div(m, root, out=root)
            if basis is None:
                out.copy_(root)
            else:
                self.turn_back(root, basis, out, half)
        self.move(o["learningRate"] * (1 - o["beta2"] ** k) ** 0.5 / (1 - o["beta1"] ** k), self.turned)
        torch._foreach_mul_(self.params, 1 - o["learningRate"] * o["weightDecay"])

    def refresh(self, i, basis):
        mean, square, turned, half = self.means[i], self.squares[i], self.turned[i], self.halves[i]
        self.turn_back(mean, basis, turned, half)
        orders = []
        for side, factor in enumerate(self.factors[i]):
            image = factor @ basis[side]
            order = torch.argsort((basis[side] * image).sum(0), descending=True)
            orders.append(order)
            basis[side] = torch.linalg.qr(image[:, order])[0]
        self.turn(turned, basis, mean, half)
        square.copy_(square[orders[0]][:, orders[1]])


class Muon(Net):
    """By hand, in the network's dtype: torch.optim.Muon iterates in bfloat16, which is another result (see MuonOfTorch)."""

    COEFFICIENTS = 3.4445, -4.7750, 2.0315

    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.adam = adamw(self.biases, options["vectors"]) if self.biases else None
        self.momenta = self.zeros(w.shape for w in self.weights)

    def orthogonalised(self, x):
        a, b, c = self.COEFFICIENTS
        tall = x.size(0) > x.size(1)
        x = x.T if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(self.o["steps"]):
            gram = x @ x.T
            x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x.T if tall else x

    def step(self):
        loss = self.passes()
        o = self.o
        with torch.no_grad():
            gradients = self.gradients if self.linear else self.gradients[::2]
            torch._foreach_lerp_(self.momenta, gradients, 1 - o["momentum"])
            for w, g, m in zip(self.weights, gradients, self.momenta):
                x = self.orthogonalised(torch.lerp(g, m, o["momentum"]))
                w.add_(x, alpha=-o["learningRate"] * max(1, w.size(0) / w.size(1)) ** 0.5)
            for p, g in zip(self.biases, self.gradients[1::2]):
                p.grad = g
            if self.adam is not None:
                self.adam.step()
        return loss


class MuonOfTorch(OfTorch):
    def optimizers_of(self, o):
        muon = torch.optim.Muon(
            self.weights, lr=o["learningRate"], weight_decay=0.0, momentum=o["momentum"], ns_steps=o["steps"], adjust_lr_fn="original"
        )
        return [muon, adamw(self.biases, o["vectors"])] if self.biases else [muon]


METHODS = {
    "sgd": Sgd,
    "adamw": AdamW,
    "kfac": Kfac,
    "ekfac": Ekfac,
    "foof": Foof,
    "shampoo": Shampoo,
    "soap": Soap,
    "muon": Muon,
    "torch.optim.Muon": MuonOfTorch,
}
