"""Names are resolved as Python would: imports, scopes, bindings, receivers."""

from __future__ import annotations

import ast
import keyword
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.portability.scan.reader import Reader
from isoflop.portability.scan.sites import Site

TAKEN = {*keyword.kwlist, "torch", "jax", "nn", "jnp"}
HEAD = (
    "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
    "import jax\nimport jax.numpy as jnp\n"
)


def read(code: str) -> list[Site]:
    reader = Reader()
    reader.read(ast.parse(HEAD + textwrap.dedent(code)))
    return reader.sites


def called(code: str, *confidences: str) -> list[str]:
    wanted = confidences or ("exact", "inferred")
    return sorted(site.function for site in read(code) if site.confidence in wanted)


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("F.relu(1)", "torch.nn.functional.relu"),
        ("from torch.nn.functional import relu as r\nr(1)", "torch.nn.functional.relu"),
        ("import torch.nn.functional\ntorch.nn.functional.relu(1)", "torch.nn.functional.relu"),
        ("from torch import nn as layers\nlayers.ReLU()", "torch.nn.ReLU"),
        ("from torch import *\nrelu(1)", "torch.relu"),
        ("relu = F.relu\nrelu(1)", "torch.nn.functional.relu"),
        ("getattr(torch, 'relu')(1)", "torch.relu"),
        (
            "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\ntf.add(1, 2)",
            "tensorflow.add",
        ),
        (
            "from functools import partial\nf = partial(F.gelu, approximate='tanh')\nf(1)",
            "torch.nn.functional.gelu",
        ),
        ("table = {'a': F.relu}\ntable['a'](1)", "torch.nn.functional.relu"),
        ("f = jax.jit(jnp.dot)\nf(1, 2)", "jax.numpy.dot"),
        ("@jax.jit\ndef f(x):\n    return x", "jax.jit"),
        ("from tensorflow.keras import layers\nlayers.Dense(1)", "keras.layers.Dense"),
        ("from torch.nn.modules.conv import Conv2d\nConv2d(1, 1, 1)", "torch.nn.Conv2d"),
        ("def f():\n    import jax.nn\n    return jax.nn.relu(1)", "jax.nn.relu"),
        ("(lambda x: jnp.sin(x))(1)", "jax.numpy.sin"),
        ("[jnp.cos(i) for i in range(3)]", "jax.numpy.cos"),
        ("if (y := torch.tensor(1)) is not None:\n    pass", "torch.tensor"),
    ],
)
def test_a_name_leads_to_the_function_that_python_would_call(code: str, function: str) -> None:
    assert function in called(code)


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("torch.ones(2).sum()", "torch.Tensor.sum"),
        ("x = torch.ones(2)\n(x + 1).abs_()", "torch.Tensor.abs_"),
        ("def f(x: torch.Tensor):\n    return x.view(-1)", "torch.Tensor.view"),
        ("def f(x: 'torch.Tensor | None'):\n    return x.view(-1)", "torch.Tensor.view"),
        ("class M(nn.Module):\n    def forward(self, x):\n        return x.relu()", "torch.Tensor.relu"),
        (
            "class M(nn.Module):\n    def __init__(self):\n        self.c = nn.Conv2d(1, 1, 1)\n"
            "    def forward(self, x):\n        return self.c(x).flatten()",
            "torch.Tensor.flatten",
        ),
        ("v, i = torch.max(torch.ones(2, 2), dim=1)\ni.long()", "torch.Tensor.long"),
        ("def g():\n    return torch.ones(1)\ng().neg()", "torch.Tensor.neg"),
        ("def g(x):\n    return x.neg()\ng(torch.ones(1))", "torch.Tensor.neg"),
        ("opt = torch.optim.SGD([], lr=1)\nopt.step()", "torch.optim.SGD.step"),
        ("jnp.ones(2).at[0].set(1)", "jax.Array.at.set"),
        ("for m in nn.ModuleList([nn.Linear(1, 1)]):\n    m(1)", "torch.nn.Linear"),
        ("def f(x):\n    if isinstance(x, torch.Tensor):\n        x.clone()", "torch.Tensor.clone"),
    ],
)
def test_a_receiver_is_inferred_from_what_is_known_of_functions(code: str, function: str) -> None:
    assert function in called(code, "inferred")


@pytest.mark.parametrize(
    "code",
    [
        "def relu(x):\n    return x\nrelu(1)",
        "def f(torch):\n    return torch.relu(1)",
        "def f():\n    F = object()\n    return F.relu(1)",
        "def f():\n    x = F.relu\n    F = None",
        "class torch:\n    pass\ntorch.relu(1)",
        "[].append(1)\nrange(3)\n', '.join([])\nprint(1)",
        "import numpy as np\nnp.zeros(3).sum()",
        "for torch in range(3):\n    torch.bit_length()",
        "F.relu",
        "class A:\n    def view(self):\n        return 1\nA().view()",
        "with open('x') as F:\n    F.read()",
        "F = 3\nF.relu(1)",
        "del F\nF.relu(1)",
    ],
)
def test_what_a_local_name_shadows_is_never_attributed(code: str) -> None:
    assert called(code) == []


def test_an_unknown_receiver_gives_at_most_a_possible_call() -> None:
    sites = read("def f(x):\n    torch.zeros(1)\n    return x.unsqueeze(0), x.append(1), x.mean()")
    assert [(s.function, s.confidence) for s in sites] == [
        ("torch.zeros", "exact"),
        ("torch.Tensor.unsqueeze", "possible"),
    ]


def test_either_way_of_a_branch_is_kept_and_no_longer_sure() -> None:
    sites = read("f = F.relu if len('a') else F.gelu\nf(1)")
    assert {s.function for s in sites} == {"torch.nn.functional.relu", "torch.nn.functional.gelu"}
    assert {s.confidence for s in sites} == {"inferred"}


def test_a_call_stands_at_the_last_name_of_what_is_called() -> None:
    (first, second) = sorted(read("torch.ones(2).sum()"), key=lambda s: s.column)
    assert (first.line, first.column, first.written) == (6, 6, "torch.ones")
    assert (second.line, second.column) == (6, 14)


@given(name=st.from_regex(r"\A[a-z][a-z0-9]{0,6}\Z").filter(lambda n: n not in TAKEN))
@settings(max_examples=25, deadline=None)
def test_what_a_module_is_called_by_makes_no_difference(name: str) -> None:
    assert called(f"import torch.nn.functional as {name}\n{name}.softmax({name}.relu(1)).sum()") == [
        "torch.Tensor.sum",
        "torch.nn.functional.relu",
        "torch.nn.functional.softmax",
    ]


@given(order=st.permutations(["def a(x):\n    return b(x)", "def b(x):\n    return x.neg()", "X = 1"]))
@settings(max_examples=6, deadline=None)
def test_the_order_of_definitions_makes_no_difference(order: list[str]) -> None:
    assert called("\n".join(order) + "\na(torch.ones(1))") == ["torch.Tensor.neg", "torch.ones"]
