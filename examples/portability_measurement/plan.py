"""What is run: each step is one run with its own folder, gone on with where it stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run.

    Parameters
    ----------
    name : str
        Of its folder.
    framework : str
    targets : tuple of str
    timing : {"none", "full"}
        Outcomes and agreement alone, or the full protocol.
    providers, functions, sizes : tuple of str
        What of the catalogue; empty for its default.
    every : int
        Keep every so-manyth item, so that all parts of a catalogue are there.
    """

    name: str
    framework: str
    targets: tuple[str, ...]
    timing: str = "none"
    providers: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    every: int = 1


LADDER = ("small", "medium", "large")
PLAN: tuple[Step, ...] = (
    Step(
        name="jax-lower",
        framework="jax",
        targets=("jax:lower-cpu", "jax:lower-cuda", "jax:lower-tpu", "jax:lower-rocm"),
    ),
    Step(name="torch", framework="torch", targets=("torch:eager", "torch:meta")),
    Step(name="torch-compiled", framework="torch", targets=("torch:aot_eager",)),
    Step(
        name="torch-exported",
        framework="torch",
        targets=("torch:onnxruntime", "torch:openvino", "torch:inductor"),
        every=10,
    ),
    Step(
        name="tensorflow",
        framework="tensorflow",
        targets=("tensorflow:eager", "tensorflow:graph", "tensorflow:xla"),
    ),
    Step(name="onnx", framework="onnx", targets=("onnx:ort-cpu", "onnx:openvino-cpu")),
    Step(name="mlx", framework="mlx", targets=("mlx:cpu",)),
    Step(name="tinygrad", framework="tinygrad", targets=("tinygrad:cpu",)),
    Step(
        name="torch-timed",
        framework="torch",
        targets=("torch:eager", "torch:aot_eager"),
        timing="full",
        providers=("torch_recipes",),
        sizes=("large",),
    ),
    Step(
        name="torch-runtimes-timed",
        framework="torch",
        targets=("torch:inductor", "torch:onnxruntime", "torch:openvino"),
        timing="full",
        providers=("torch_recipes",),
        functions=("torch.matmul", "torch.nn.functional.gelu", "torch.nn.functional.softmax"),
        sizes=LADDER,
    ),
    Step(
        name="jax-timed",
        framework="jax",
        targets=("jax:eager", "jax:jit"),
        timing="full",
        providers=("jax_recipes",),
        sizes=("large",),
    ),
    Step(
        name="tensorflow-timed",
        framework="tensorflow",
        targets=("tensorflow:eager", "tensorflow:graph", "tensorflow:xla"),
        timing="full",
        sizes=("large",),
    ),
)
