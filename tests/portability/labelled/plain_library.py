"""No framework here: a small library whose methods sound like tensors'."""
from __future__ import annotations

import collections
import functools
import itertools
import json
import re
from pathlib import PurePosixPath


class Matrix:
    def __init__(self, rows):
        self.rows = [list(row) for row in rows]

    @property
    def shape(self):
        return len(self.rows), len(self.rows[0])

    def view(self, *shape):
        flat = self.flatten()
        width = shape[-1]
        return Matrix(flat[i:i + width] for i in range(0, len(flat), width))

    def flatten(self):
        return list(itertools.chain.from_iterable(self.rows))

    def matmul(self, other):
        return Matrix([[sum(a * b for a, b in zip(row, col)) for col in zip(*other.rows)] for row in self.rows])

    def cuda(self):
        return self

    def to(self, device):
        return self if device else None

    def mean(self):
        values = self.flatten()
        return sum(values) / len(values)

    def unsqueeze(self, dim):
        return [self]

    def backward(self):
        return self.mean()


def relu(x):
    return max(x, 0.0)


def conv2d(image, kernel):
    return functools.reduce(lambda total, pair: total + pair[0] * pair[1], zip(image, kernel), 0)


@functools.lru_cache(maxsize=None)
def softmax(*values):
    top = max(values)
    return tuple(v / top for v in values)


a = Matrix([[1, 2], [3, 4]])
b = a.matmul(a).view(1, 4).cuda().to("cuda")
print(b.mean(), a.shape, relu(-1), conv2d([1, 2], [3, 4]), softmax(1, 2), a.unsqueeze(0)[0].backward())
counts = collections.Counter(re.findall(r"\w+", "torch relu torch jax"))
print(counts.most_common(1), json.dumps({"torch": counts["torch"]}), PurePosixPath("torch").joinpath("nn").as_posix())
torch = {"relu": relu}
print(torch["relu"](2), torch.get("nn", "none"), sorted(torch.items())[0][0].upper())
