"""The peers of scripts/bench/optimizers.ts.

    python3 optimizers.py PROBLEM numpy|torch [NAME]

PROBLEM is as written by optimizersProblem.ts; NAME, of a method, is run in place of those asked for. Answers as peers.py says, every block of steps from the start of training, with the last
step's loss; the parameters go into FILE, as float64."""

import json
import sys

from peers import serve


class Problem:
    def __init__(self, path):
        import numpy as np

        with open(path) as file:
            about = json.load(file)
        self.linear = about["model"] == "linear"
        self.methods, self.widths, self.batch = about["methods"], about["widths"], about["batch"]
        self.dtype = np.dtype(about["dtype"])
        numbers, at = np.fromfile(path + ".f64"), 0

        def take(*shape):
            nonlocal at
            size = int(np.prod(shape))
            at += size
            return numbers[at - size : at].reshape(shape)

        self._parameters = []
        for d, m in zip(self.widths, self.widths[1:]):
            self._parameters += [take(m, d)] if self.linear else [take(m, d), take(1, m)]
        count, n = about["batches"], self.batch
        self._inputs = [take(n, self.widths[0]).astype(self.dtype) for _ in range(count)]
        if self.linear:
            self._targets = [take(n, self.widths[-1]).astype(self.dtype) for _ in range(count)]
        else:
            self._targets = [take(n).astype(np.int64) for _ in range(count)]
        self.draws = take(about["draws"]) if about["draws"] > 0 else None
        self._joint = self._inputs if self.linear else [np.hstack([x, np.ones((n, 1), self.dtype)]) for x in self._inputs]

    def parameters(self):
        """Each layer's weight (m x d) and, but for a linear network, bias (1 x m) at the start, float64."""
        return self._parameters

    def batches(self, joint):
        """Inputs and targets (of a classifier labels); joint: inputs with a 1 appended where there are biases."""
        return list(zip(self._joint if joint else self._inputs, self._targets))


def main():
    path, which, *named = sys.argv[1:]

    def start():
        peer = __import__(f"optimizers_{which}")
        problem = Problem(path)

        def begin(method):
            about = problem.methods[method]
            run = peer.METHODS[named[0] if named else about["name"]](problem, about["options"])
            return run.step, run.save

        return peer.facts(), begin

    serve(start, "loss")


main()
