"""The peers of scripts/bench/sweep.ts: the same trials in NumPy, spread over two processes by multiprocessing or by joblib, the way a script
would do it. A trial makes its task from its seed, trains, and takes the three metrics of the experiment. Results are returned to the
parent and kept nowhere.

    python3 sweep.py PROBLEM TRIALS STEPS EVERY multiprocessing|joblib plain|factored

plain: inputs multiplied out; factored: never (step.py).

Prints one line of JSON: the facts, seconds in all, and the sum of the trials' own seconds; or why it is absent."""

import json
import sys
import time

from peers import numpy_facts
from step import NumPy, NumPyFactored

RATES = 20
CONDITION = 100.0


def start(path, form):
    """Once a process: held buffers, as in step.py."""
    global model
    model = {"plain": NumPy, "factored": NumPyFactored}[form](path, "float64")


def orthonormal_columns(rng, n, k):
    """Of a uniformly random subspace: QR with R's diagonal made positive."""
    qr, tau, _, _ = model.geqrf(rng.standard_normal((k, n)).T, lwork=64 * k, overwrite_a=1)
    signs = model.np.sign(model.np.diagonal(qr))
    q, _, _ = model.orgqr(qr[:, :k], tau, lwork=64 * k, overwrite_a=1)
    q *= signs
    return q


class Teacher:
    def __init__(self, rng, d, m, k, eigenvalues):
        self.head = orthonormal_columns(rng, m, k) @ orthonormal_columns(rng, k, k).T
        self.vectors, self.eigenvalues = orthonormal_columns(rng, d, d), eigenvalues

    def power(self, exponent):
        return (self.vectors * self.eigenvalues**exponent) @ self.vectors.T


def begin_trial(rng):
    """A task of this trial's own, and a network. @returns takes the metrics"""
    np = model.np
    (d, k), m = model.gt.shape, len(model.f)
    eigenvalues = CONDITION ** -np.linspace(0, 1, d)
    eigenvalues /= eigenvalues.mean()
    model.teacher_gt = np.ascontiguousarray(orthonormal_columns(rng, d, k))
    model.teacher_g = model.teacher_gt.T
    train, transfer = (Teacher(rng, d, m, k, eigenvalues) for _ in range(2))
    model.teacher_ft, model.root = np.ascontiguousarray(train.head.T), train.power(1 / 2)
    model.teacher_white = model.root @ model.teacher_gt
    if isinstance(model, NumPyFactored):
        model.inverse_root, model.precision = train.power(-1 / 2), train.power(-1)
    model.gt[:], model.f[:] = rng.standard_normal((d, k)) / d**0.5, rng.standard_normal((m, k)) / k**0.5
    target, wanted = train.head @ model.teacher_g, transfer.head @ model.teacher_g
    sigma, root = transfer.power(1), transfer.power(1 / 2)
    weighted = wanted @ sigma
    size = lambda a: np.vdot(a, a) / 2
    scale = size(wanted @ root)

    def metrics():
        qr, tau, _, _ = model.geqrf(model.gt, lwork=64 * k)
        q, _, _ = model.orgqr(qr, tau, lwork=64 * k, overwrite_a=1)
        head = np.linalg.solve(q.T @ sigma @ q, (weighted @ q).T).T
        lost = size((wanted - head @ q.T) @ root) / scale
        population = size((model.f @ model.gt.T - target) @ model.root) + m * model.noise**2 / 2
        return model.distance(), lost, population

    return metrics


def trial(job):
    """One trial. @returns its seconds and the curves of its metrics"""
    i, steps, every = job
    begun = time.perf_counter()
    model.rng = model.np.random.Generator(model.np.random.SFC64(i))
    model.rate = 0.01 * 10 ** ((i % RATES) / RATES)
    metrics = begin_trial(model.rng)
    step = model.sgd if i // RATES % 2 == 0 else model.layerwise
    curve = [metrics()]
    for t in range(1, steps + 1):
        step()
        if t % every == 0:
            curve.append(metrics())
    return time.perf_counter() - begun, curve


def through_multiprocessing(path, form, jobs):
    from multiprocessing import Pool

    with Pool(2, start, (path, form)) as pool:
        return list(pool.imap_unordered(trial, jobs))


def held(path, form, job):
    """joblib has no start of a process: the first trial in each makes the buffers."""
    if "model" not in globals():
        start(path, form)
    return trial(job)


def through_joblib(path, form, jobs):
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2)(delayed(held)(path, form, job) for job in jobs)


if __name__ == "__main__":
    path, (trials, steps, every), (way, form) = sys.argv[1], map(int, sys.argv[2:5]), sys.argv[5:7]
    jobs = [(i, steps, every) for i in range(trials)]
    try:
        begun = time.perf_counter()
        results = (through_joblib if way == "joblib" else through_multiprocessing)(path, form, jobs)
        wall = time.perf_counter() - begun
        facts = {"python": sys.version.split()[0], **numpy_facts()}
        print(json.dumps({"facts": facts, "wall": wall, "own": sum(seconds for seconds, _ in results)}))
    except ImportError as error:
        print(json.dumps({"absent": str(error)}))
