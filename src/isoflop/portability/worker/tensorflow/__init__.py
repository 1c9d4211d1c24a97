"""TensorFlow: eager, graph and XLA."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.tensorflow"
_EAGER = "tensorflow:eager"

PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="tensorflow_recipes",
        framework="tensorflow",
        home=f"{_HERE}.recipes:recipes",
        needs="tensorflow",
        doc="Own recipes for tf, tf.math, tf.nn, tf.linalg, tf.signal, tf.image, tf.raw_ops and others.",
    ),
)

TARGETS: tuple[TargetEntry, ...] = tuple(
    TargetEntry(
        id=f"tensorflow:{name}",
        home=f"{_HERE}.run:{name}",
        level="ran",
        needs=needs,
        reference=_EAGER,
        doc=doc,
    )
    for name, needs, doc in (
        ("eager", "tensorflow", "TensorFlow on the CPU, operation by operation."),
        ("graph", "tensorflow", "TensorFlow on the CPU as a graph (tf.function)."),
        ("xla", "tensorflow", "TensorFlow on the CPU, compiled by XLA (jit_compile)."),
        ("gpu", "tensorflow[and-cuda]", "TensorFlow on a GPU as a graph."),
        ("tpu", "tensorflow-tpu", "TensorFlow on a TPU, compiled by XLA."),
    )
)
