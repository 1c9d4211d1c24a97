"""The evaluator of the onnx package: the definition of each operator in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.onnx.suite import feed_names
from isoflop.portability.worker.onnx.values import leaves
from isoflop.portability.worker.ready import Ready


class Reference:
    """The evaluator of the onnx package: what other runtimes are held against."""

    id = "onnx:reference"
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether the onnx package is here."""
        try:
            import onnx
        except ImportError as error:
            return Absent(reason=f"onnx cannot be imported: {error}")
        return Present(
            target_version=f"NumPy {np.__version__}",
            framework_version=str(onnx.__version__),
            device_name="CPU",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Read the model."""
        import onnx
        from onnx.reference import ReferenceEvaluator

        model = onnx.load_from_string(model_of(call))
        evaluator = ReferenceEvaluator(model)
        feeds = dict(zip(feed_names(model), call.args, strict=True))
        return Ready(run=lambda: evaluator.run(None, feeds), read=leaves)

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: a test asks for no gradients."""

    def null_call(self) -> Callable[[], None]:
        """Return the evaluation of a model that passes one number on."""
        from onnx.reference import ReferenceEvaluator

        evaluator, feeds = ReferenceEvaluator(identity_model()), {"x": np.zeros(1, dtype=np.float32)}

        def null() -> None:
            evaluator.run(None, feeds)

        return null


def model_of(call: Call) -> bytes:
    """Return the serialised model of a call, which every runtime of this folder needs."""
    if call.model is None:
        raise TypeError(f"a call of {call.framework} without a model cannot be given to an ONNX runtime")
    return call.model


def identity_model() -> Any:
    """Return a model that passes one number on: the least that a runtime can be asked."""
    from onnx import TensorProto, helper

    def one(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])

    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "null", [one("x")], [one("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_operatorsetid("", 13)])
    model.ir_version = 7
    return model
