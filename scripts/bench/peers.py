"""What the Python contenders of the benchmarks share: the facts of the libraries they run on, and how they answer (see contender.ts)."""

import json
import re
import sys
import time


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


def numpy_facts():
    import numpy
    import scipy

    return {"numpy": numpy.__version__, "scipy": scipy.__version__, **openblas_facts()}


def with_older_sympy():
    """Before PyTorch is imported: the one function that it asks of SymPy 1.13 and Debian's 1.11 does not have."""
    try:
        import sympy.core.numbers as numbers
    except ImportError:
        return
    if not hasattr(numbers, "equal_valued"):
        numbers.equal_valued = lambda x, y: (numbers.Float(x) if isinstance(x, float) else x) == y


def torch_facts():
    import torch

    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", torch.__config__.show())
    blas = f"MKL {mkl[1]}" if mkl else "not MKL"
    capability = torch.backends.cpu.get_cpu_capability()
    return {"torch": torch.__version__, "blas": blas, "kernel": capability, "threads": torch.get_num_threads()}


def serve(start, result):
    """Prints a line of facts, or why the contender is absent, and answers each line `METHOD WARM_UP STEPS [FILE]` on standard input with
    the microseconds a step takes, by the clock and of the processor, and the last step's outcome under the name `result`.

    start() returns the facts and begin; begin(method) returns step, which takes one and returns its outcome, and save(file)."""
    try:
        facts, begin = start()
    except ImportError as error:
        print(json.dumps({"absent": str(error)}), flush=True)
        return
    print(json.dumps({"facts": {"python": sys.version.split()[0], **facts}}), flush=True)
    for line in sys.stdin:
        method, warm_up, steps, *file = line.split()
        step, save = begin(method)
        for _ in range(int(warm_up)):
            step()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(steps)):
            last = step()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if file:
            save(file[0])
        print(json.dumps({"wall": wall / int(steps) * 1e6, "cpu": cpu / int(steps) * 1e6, result: float(last)}), flush=True)
