"""The tests inside the onnx package, read one file at a time.

A test file of an operator makes its cases while it is imported and seeds NumPy before each of them, so a case
is the same whether its file is imported alone or all of them are: a worker that needs one case pays for one
file. Importing warns on purpose (overflow, division by zero); those warnings are not ours.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from isoflop.portability.worker.onnx.values import array_of

_NODE = "onnx.backend.test.case.node"
MODEL_KINDS = ("simple", "pytorch-converted", "pytorch-operator")
"""Folders of shipped models with inputs and outputs. The folders ``light`` and ``real`` name large networks
whose weights are made up or fetched; nothing is fetched here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test: a model, what goes in and what must come out.

    Parameters
    ----------
    name : str
    home : str
        Test file or folder by which it is found again.
    model : onnx.ModelProto
    inputs, outputs : tuple
        Arrays, lists of arrays, or None for an empty optional.
    """

    name: str
    home: str
    model: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    @property
    def is_expanded(self) -> bool:
        """Return whether the operator was replaced by the function that defines it."""
        return "_expanded" in self.name

    @property
    def opset(self) -> str:
        """Return the first operator set the model asks for, e.g. ``13`` or ``ai.onnx.ml-4``."""
        first = self.model.opset_import[0]
        return f"{first.domain}-{first.version}" if first.domain else str(first.version)

    @property
    def feed_names(self) -> tuple[str, ...]:
        """Return the names of the model's inputs, in the order of `inputs`."""
        return feed_names(self.model)


def feed_names(model: Any) -> tuple[str, ...]:
    """Return the inputs of a model that no initialiser fills."""
    filled = {part.name for part in model.graph.initializer}
    return tuple(part.name for part in model.graph.input if part.name not in filled)


def node_files() -> tuple[str, ...]:
    """Return the test files of operators, as module names below the folder of node tests."""
    package = importlib.import_module(_NODE)
    found = pkgutil.walk_packages(package.__path__, prefix=f"{_NODE}.")
    return tuple(module.name.removeprefix(f"{_NODE}.") for module in found if not module.ispkg)


@cache
def node_cases(file: str) -> tuple[Case, ...]:
    """Return the cases of one test file."""
    package: Any = importlib.import_module(_NODE)
    before = len(package._NodeTestCases)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(f"{_NODE}.{file}")
    return tuple(_case(test, file) for test in package._NodeTestCases[before:])


def node_case(file: str, name: str) -> Case:
    """Return one case by its file and name; raise LookupError where this version has none."""
    for case in node_cases(file):
        if case.name == name:
            return case
    raise LookupError(f"no test {name} in {file} of this version of onnx")


def model_folders() -> tuple[str, ...]:
    """Return the folders of shipped models, as ``kind/name``, sorted."""
    base = _data()
    return tuple(
        f"{kind}/{folder.name}"
        for kind in MODEL_KINDS
        for folder in sorted((base / kind).glob("*"))
        if (folder / "model.onnx").exists()
    )


def model_case(folder: str, data_set: int) -> Case:
    """Return one shipped model with one of its sets of inputs and outputs."""
    import onnx

    home = _data() / folder
    model = onnx.load(str(home / "model.onnx"))
    data = home / f"test_data_set_{data_set}"
    named = feed_names(model)
    types = {part.name: part.type for part in (*model.graph.input, *model.graph.output)}
    outputs = [part.name for part in model.graph.output]
    return Case(
        name=folder.partition("/")[2],
        home=folder,
        model=model,
        inputs=tuple(_read(data / f"input_{i}.pb", types[name]) for i, name in enumerate(named)),
        outputs=tuple(_read(data / f"output_{i}.pb", types[name]) for i, name in enumerate(outputs)),
    )


def data_sets(folder: str) -> int:
    """Return how many sets of inputs and outputs a shipped model has."""
    return sum(1 for _ in (_data() / folder).glob("test_data_set_*"))


def all_node_cases() -> Iterator[Case]:
    """Yield every case of every test file."""
    for file in node_files():
        yield from node_cases(file)


def _case(test: Any, file: str) -> Case:
    inputs, outputs = test.data_sets[0]
    return Case(
        name=test.name,
        home=file,
        model=test.model,
        inputs=tuple(array_of(value) for value in inputs),
        outputs=tuple(array_of(value) for value in outputs),
    )


def _data() -> Path:
    from onnx.backend.test import loader

    return Path(loader.DATA_DIR)


def _read(file: Path, kind: Any) -> Any:
    import onnx
    from onnx import numpy_helper

    text = file.read_bytes()
    if kind.HasField("sequence_type"):
        sequence = onnx.SequenceProto()
        sequence.ParseFromString(text)
        return [array_of(part) for part in numpy_helper.to_list(sequence)]
    if kind.HasField("optional_type"):
        optional = onnx.OptionalProto()
        optional.ParseFromString(text)
        return array_of(numpy_helper.to_optional(optional))
    tensor = onnx.TensorProto()
    tensor.ParseFromString(text)
    return numpy_helper.to_array(tensor)
