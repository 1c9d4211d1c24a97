"""Providers of ONNX tests: operators, the functions that define operators, and small models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import SizeClass
from isoflop.portability.task import Item, Kind, digest
from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.onnx.suite import (
    Case,
    all_node_cases,
    data_sets,
    feed_names,
    model_case,
    model_folders,
    node_case,
)
from isoflop.portability.worker.onnx.values import describe, dtype_name, elements, leaves

_DRAWS = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)
_TRAINING_DROPOUT = "test_training_dropout"
_SIZES: tuple[tuple[int, SizeClass], ...] = ((10_000, "tiny"), (1_000_000, "small"), (100_000_000, "medium"))
"""Most elements of all inputs together, and the rung that this is."""


@dataclass(frozen=True, slots=True)
class Evaluate:
    """A model as a function of its inputs, by the evaluator of the onnx package."""

    model: bytes

    def __call__(self, *inputs: Any) -> list[Any]:
        """Return the model's outputs."""
        import onnx
        from onnx.reference import ReferenceEvaluator

        model = onnx.load_from_string(self.model)
        feeds = dict(zip(feed_names(model), inputs, strict=True))
        return list(ReferenceEvaluator(model).run(None, feeds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """A family of the tests inside the onnx package."""

    name: str
    every: Callable[[str], Iterator[Item]]
    framework: str = "onnx"
    licence: str = "Apache-2.0"

    def version(self) -> str:
        """Return the version of onnx, whose tests these are."""
        return _version()

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:
        """Yield an item for each set of inputs that a test has, at most `samples` of each."""
        for item in self.every(self.name):
            fits = (not dtypes or item.dtype in dtypes) and (not sizes or item.size_class in sizes)
            if fits and item.index < max(samples, 1):
                yield item

    def make(self, item: Item, seed: int) -> Call:  # noqa: ARG002
        """Return the call. The inputs belong to the test, so that `seed` changes nothing."""
        address = json.loads(item.address)
        case = (
            model_case(address["folder"], address["set"])
            if "folder" in address
            else node_case(address["file"], address["test"])
        )
        model = case.model.SerializeToString()
        return Call(
            framework="onnx",
            function=Evaluate(model),
            args=case.inputs,
            signature=_signature(case),
            kind=item.kind,
            check="shape_dtype" if item.kind == "random" else "values",
            expected=leaves(case.outputs),
            model=model,
        )


def node_tests() -> Tests:
    """Return the node tests: one operator each."""
    return Tests(name="onnx_node", every=_operators)


def function_tests() -> Tests:
    """Return the node tests in which the operator is written out as the function that defines it.

    They ask whether the parts of an operator run where the operator itself may not; their functions are named
    ``onnx.expanded.<operator>``, so that they never count for the operator.
    """
    return Tests(name="onnx_function", every=_expanded)


def model_tests() -> Tests:
    """Return the small models that are shipped with inputs and outputs."""
    return Tests(name="onnx_model", every=_models)


def _operators(provider: str) -> Iterator[Item]:
    for case in all_node_cases():
        if not case.is_expanded:
            yield _node_item(case, case.model.graph.node[0], provider)


def _expanded(provider: str) -> Iterator[Item]:
    operators = {case.name: case.model.graph.node[0] for case in all_node_cases() if not case.is_expanded}
    for case in all_node_cases():
        if case.is_expanded:
            yield _node_item(case, operators[case.name.partition("_expanded")[0]], provider)


def _models(provider: str) -> Iterator[Item]:
    for folder in model_folders():
        for number in range(data_sets(folder)):
            case = model_case(folder, number)
            function = f"onnx.model.{case.name.removeprefix('test_')}"
            yield _item(case, function, provider, address={"folder": folder, "set": number}, index=number)


def _node_item(case: Case, operator: Any, provider: str) -> Item:
    domain = f"{operator.domain}." if operator.domain else ""
    expanded = "expanded." if case.is_expanded else ""
    return _item(
        case,
        f"onnx.{expanded}{domain}{operator.op_type}",
        provider,
        address={"file": case.home, "test": case.name},
        kind=_kind(case.name, operator.op_type),
    )


def _item(
    case: Case,
    function: str,
    provider: str,
    *,
    address: Mapping[str, Any],
    kind: Kind = "deterministic",
    index: int = 0,
) -> Item:
    arrays = [array for array in (*case.inputs, *case.outputs) if isinstance(array, np.ndarray)]
    return Item(
        framework="onnx",
        function=function,
        provider=provider,
        dtype=dtype_name(arrays[0]) if arrays else "",
        variant=f"{case.name} opset {case.opset}",
        size_class=_size(case),
        index=index,
        address=json.dumps(address, sort_keys=True),
        kind=kind,
        sample_id=digest(_signature(case)),
    )


def _signature(case: Case) -> dict[str, Any]:
    return {
        "onnx": _version(),
        "test": case.name,
        "opset": case.opset,
        "inputs": describe(case.inputs),
        "outputs": describe(case.outputs),
    }


def _kind(name: str, operator: str) -> Kind:
    """Return how a test may be judged: what NumPy's generator drew, no other generator draws again."""
    drawn = operator in _DRAWS or (name.startswith(_TRAINING_DROPOUT) and "zero_ratio" not in name)
    return "random" if drawn else "deterministic"


def _size(case: Case) -> SizeClass:
    count = elements(case.inputs)
    return next((size for most, size in _SIZES if count <= most), "large")


def _version() -> str:
    import onnx

    return str(onnx.__version__)
