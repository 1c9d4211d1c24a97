"""ONNX node tests on the runtimes that take them, and on compilers for hardware that is not here.

A test holds a model, its inputs and the right outputs, so that every runtime gets the same question.
"""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.onnx"
_REFERENCE = "onnx:reference"

PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="onnx_node",
        framework="onnx",
        home=f"{_HERE}.providers:node_tests",
        needs="onnx",
        doc="The node tests that the onnx package ships, expected outputs included.",
    ),
    ProviderEntry(
        name="onnx_function",
        framework="onnx",
        home=f"{_HERE}.providers:function_tests",
        needs="onnx",
        doc="The same tests with the operator written out as the function that defines it.",
    ),
    ProviderEntry(
        name="onnx_model",
        framework="onnx",
        home=f"{_HERE}.providers:model_tests",
        needs="onnx",
        doc="The small models that the onnx package ships, expected outputs included.",
    ),
)

TARGETS: tuple[TargetEntry, ...] = (
    TargetEntry(
        id=_REFERENCE,
        home=f"{_HERE}.reference:Reference",
        level="ran",
        needs="onnx",
        reference=_REFERENCE,
        doc="The evaluator of the onnx package: NumPy, written to be read, not to be fast.",
    ),
    *(
        TargetEntry(
            id=f"onnx:ort-{name}",
            home=f"{_HERE}.runtime:{name}",
            level="ran",
            needs=needs,
            reference=_REFERENCE,
            doc=doc,
        )
        for name, needs, doc in (
            ("cpu", "onnx onnxruntime", "ONNX Runtime on the CPU, one thread."),
            ("cuda", "onnx onnxruntime-gpu", "ONNX Runtime on an NVIDIA GPU."),
            ("tensorrt", "onnx onnxruntime-gpu tensorrt", "ONNX Runtime through TensorRT."),
            ("rocm", "onnx onnxruntime-rocm", "ONNX Runtime on an AMD GPU, MIGraphX where it is built in."),
            ("coreml", "onnx onnxruntime", "ONNX Runtime through Core ML, on macOS."),
            ("directml", "onnx onnxruntime-directml", "ONNX Runtime through DirectML, on Windows."),
            ("qnn", "onnx onnxruntime-qnn", "ONNX Runtime on a Qualcomm NPU."),
        )
    ),
    *(
        TargetEntry(
            id=f"onnx:openvino-{name}",
            home=f"{_HERE}.openvino:{name}",
            level="ran",
            needs="onnx openvino",
            reference=_REFERENCE,
            doc=doc,
        )
        for name, doc in (
            ("cpu", "OpenVINO on the CPU, one thread."),
            ("gpu", "OpenVINO on an Intel GPU."),
            ("npu", "OpenVINO on an Intel NPU."),
        )
    ),
    *(
        TargetEntry(
            id=f"onnx:tinygrad-{name}",
            home=f"{_HERE}.tinygrad:{name}",
            level="ran",
            needs="onnx tinygrad",
            reference=_REFERENCE,
            doc=doc,
        )
        for name, doc in (
            ("cpu", "tinygrad's reader of ONNX models, on the CPU; needs clang."),
            ("gpu", "tinygrad's reader of ONNX models, on the first GPU that it opens."),
        )
    ),
)
