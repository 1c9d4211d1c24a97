"""Names that look like a framework's and are not, beside some that are."""
import functools
import math
import os

import numpy as np
import torch
import torch.nn.functional as F


def relu(x):
    return max(x, 0)


def softmax(values):
    exps = [math.exp(v) for v in values]
    return [e / sum(exps) for e in exps]


class Linear:
    def __init__(self, n):
        self.n = n
        self.items = []

    def forward(self, x):
        return x * self.n

    def append(self, item):
        self.items.append(item)
        return self

    def size(self):
        return len(self.items)

    def view(self, *shape):
        return shape


class Tensor:
    def sum(self):
        return 1

    def cuda(self):
        return self


def local_shadow():
    torch = Linear(3)
    torch.append(1).append(2)
    return torch.size(), torch.view(1, 2)


def parameter_shadow(F, torch=None):
    return F.relu(1) if torch is None else torch.view(2)


class Fake:
    @staticmethod
    def relu(x):
        return x


print(relu(-1), softmax([1.0, 2.0]), Linear(2).forward(3), local_shadow(), parameter_shadow(Fake))
print(Tensor().cuda().sum())
array = np.arange(6.0).reshape(2, 3)
print(array.mean(), array.sum(axis=0).argmax(), np.linalg.norm(array), array.T.dot(array).trace())
words = "a b c".split()
print(", ".join(words), os.path.join("a", "b"), list(map(str, range(3))))
table = {}
table.setdefault("x", []).append(1)
table.update(y=[2])
print(table.get("x"), table.pop("y"), table.items())

real = torch.tensor([1.0, -1.0])
print(F.relu(real).sum(), torch.relu(real).max())
stack = [real]
stack.append(real.abs())
top = stack.pop()
top.clamp_(min=0.5)
total = functools.reduce(torch.add, [real, real.neg()])
print(total.norm(), torch.stack([real, total]).shape)


def inner():
    F = Fake
    value = F.relu(2)

    def innermost():
        return F.relu(value)

    return innermost()


print(inner())
for torch_name in ("sum", "mean"):
    print(getattr(real, torch_name)())
del table
sum = torch.sum
print(sum(real))
