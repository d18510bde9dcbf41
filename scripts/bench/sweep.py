"""The peers of scripts/bench/sweep.ts: the same trials as NumPy steps, spread over two processes by multiprocessing or by joblib, the way a
script would do it. Results are returned to the parent and kept nowhere.

    python3 sweep.py PROBLEM TRIALS STEPS EVERY multiprocessing|joblib plain|factored

plain: inputs multiplied out; factored: never (step.py).

Prints one line of JSON: the facts, seconds in all, and the sum of the trials' own seconds; or why it is absent."""

import json
import sys
import time

from peers import numpy_facts
from step import NumPy, NumPyFactored

RATES = 20


def start(path, form):
    """Once a process: held buffers, as in step.py."""
    global model, first
    model = {"plain": NumPy, "factored": NumPyFactored}[form](path, "float64")
    first = (model.gt.copy(), model.f.copy())


def trial(job):
    """One trial. @returns its seconds and its curve of subspace distances"""
    i, steps, every = job
    begun = time.perf_counter()
    model.rng = model.np.random.Generator(model.np.random.SFC64(i))
    model.rate = 0.01 * 10 ** ((i % RATES) / RATES)
    model.gt[:], model.f[:] = first
    step = model.sgd if i // RATES % 2 == 0 else model.layerwise
    curve = [model.distance()]
    for t in range(1, steps + 1):
        step()
        if t % every == 0:
            curve.append(model.distance())
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
