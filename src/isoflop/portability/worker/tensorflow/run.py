"""TensorFlow run here: operation by operation, as a graph, or compiled by XLA; on a GPU or TPU if present.

Strict and fallback are TensorFlow's own hard and soft placement: under the first an operation without a
kernel for the device is an error, under the second it runs on the CPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.tensorflow.values import (
    dependent,
    floating_places,
    leaves,
    total,
    versions,
)

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFlow:
    """TensorFlow on one kind of device.

    Parameters
    ----------
    id : str
    device : str
        ``cpu``, ``gpu`` or ``tpu``: where outputs must lie.
    mode : str
        ``eager``, ``graph`` or ``xla``.
    """

    id: str
    device: str
    mode: str
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether TensorFlow has a device of the kind."""
        tf = _tensorflow()
        if isinstance(tf, ImportError):
            return Absent(reason=f"{tf.name} is not installed in this Python")
        kind = self.device.upper()
        found = tf.config.list_logical_devices(kind)
        version = versions()
        if not found:
            return Absent(reason=f"no {kind} visible to tensorflow {version}")
        details = [
            tf.config.experimental.get_device_details(one) for one in tf.config.list_physical_devices()
        ]
        names = [one["device_name"] for one in details if kind == "GPU" and "device_name" in one]
        tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
        return Present(
            target_version=version,
            framework_version=version,
            device_name=names[0] if names else self.device,
            notes=f"one thread; tf32 {'on' if tf32 else 'off'}; {self.mode}",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:
        """Move the inputs, trace and compile; raise what TensorFlow raises."""
        return self._ready(call, call.function, policy)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:
        """Return the gradients with respect to all floating inputs, or None where there are none."""
        import tensorflow as tf

        places = floating_places(call)
        if not places or total(call.function(*call.args)) is None:
            return None

        def gradients(*args: Any) -> Any:
            watched = [args[i] for i in places]
            with tf.GradientTape() as tape:
                tape.watch(watched)
                value = total(call.function(*args))
            return tape.gradient(value, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)

        return self._ready(call, gradients, policy)

    def null_call(self) -> Callable[[], None]:
        """Return a synchronised identity of one number."""
        import tensorflow as tf

        call = Call(framework="tensorflow", function=tf.identity, args=(tf.zeros(()),))
        ready = self._ready(call, tf.identity, "fallback")

        def null() -> None:
            ready.sync(ready.call())

        return null

    def _ready(self, call: Call, function: Callable[..., Any], policy: Policy) -> Ready:
        import tensorflow as tf

        tf.config.set_soft_device_placement(policy == "fallback")
        where = f"/device:{self.device.upper()}:0"
        with tf.device(where):
            args = tuple(tf.identity(arg) if tf.is_tensor(arg) else arg for arg in call.args)
        run, moved = function, tuple[str, ...]()
        if self.mode != "eager":
            graph = tf.function(function, jit_compile=self.mode == "xla", autograph=False)
            with tf.device(where):
                run = graph.get_concrete_function(*args)
                if self.mode == "graph" and self.device != "cpu":
                    moved = _moved(run, self.device.upper())
                if self.mode == "xla":
                    dependent(run(*args))  # XLA compiles at the first call, and no earlier

        def start() -> Any:
            with tf.device(where):
                return run(*args)

        bare = self.device == "cpu" and not tf.config.list_logical_devices("GPU")
        return Ready(
            run=(lambda: run(*args)) if bare else start, read=leaves, wait=dependent, left=lambda: moved
        )


def _moved(concrete: Any, device: str) -> tuple[str, ...]:
    """Return the operations of a traced graph that have no kernel for the device."""
    from tensorflow.python.framework import kernels

    found = []
    for operation in concrete.graph.get_operations():
        registered = kernels.get_registered_kernels_for_op(operation.type).kernel
        if registered and device not in {kernel.device_type for kernel in registered}:
            found.append(operation.type)
    return tuple(dict.fromkeys(found))


def _tensorflow() -> Any:
    """Return TensorFlow with one thread and without its chatter, or the ImportError."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import tensorflow as tf
    except ImportError as error:
        return error
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        # Threads are fixed once TensorFlow has started, as in the second target of a worker.
        return tf
    return tf


def eager() -> TensorFlow:
    """Return TensorFlow on the CPU, operation by operation."""
    return TensorFlow(id="tensorflow:eager", device="cpu", mode="eager")


def graph() -> TensorFlow:
    """Return TensorFlow on the CPU as a graph."""
    return TensorFlow(id="tensorflow:graph", device="cpu", mode="graph")


def xla() -> TensorFlow:
    """Return TensorFlow on the CPU, compiled by XLA."""
    return TensorFlow(id="tensorflow:xla", device="cpu", mode="xla")


def gpu() -> TensorFlow:
    """Return TensorFlow on a GPU as a graph."""
    return TensorFlow(id="tensorflow:gpu", device="gpu", mode="graph")


def tpu() -> TensorFlow:
    """Return TensorFlow on a TPU, compiled by XLA."""
    return TensorFlow(id="tensorflow:tpu", device="tpu", mode="xla")
