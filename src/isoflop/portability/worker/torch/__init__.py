"""PyTorch: eager and compiled targets, and what its functions can be exported to."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry

_HERE = "isoflop.portability.worker.torch"
_REFERENCE = "torch:eager"

TARGETS: tuple[TargetEntry, ...] = (
    TargetEntry(
        id=_REFERENCE,
        home=f"{_HERE}.eager:Eager",
        level="ran",
        needs="torch",
        reference=_REFERENCE,
        doc="PyTorch on the CPU, one operation after another.",
    ),
    TargetEntry(
        id="torch:meta",
        home=f"{_HERE}.eager:Meta",
        level="traced",
        needs="torch",
        reference=_REFERENCE,
        doc="Shapes and dtypes propagate on tensors without values.",
    ),
    TargetEntry(
        id="torch:aot_eager",
        home=f"{_HERE}.compiled:aot_eager",
        level="ran",
        needs="torch",
        reference=_REFERENCE,
        doc="torch.compile: captured with its gradients, then run operation by operation.",
    ),
    TargetEntry(
        id="torch:inductor",
        home=f"{_HERE}.compiled:inductor",
        level="ran",
        needs="torch, and g++ or clang++",
        reference=_REFERENCE,
        doc="torch.compile: code generated for this CPU.",
    ),
    TargetEntry(
        id="torch:onnxruntime",
        home=f"{_HERE}.exported:OnnxRuntime",
        level="ran",
        needs="torch onnx onnxscript onnxruntime",
        reference=_REFERENCE,
        doc="torch.onnx.export, then ONNX Runtime on the CPU.",
    ),
    TargetEntry(
        id="torch:openvino",
        home=f"{_HERE}.exported:OpenVino",
        level="ran",
        needs="torch onnx openvino",
        reference=_REFERENCE,
        doc="torch.export, then OpenVINO on the CPU.",
    ),
    *(
        TargetEntry(
            id=f"torch:{name}",
            home=f"{_HERE}.devices:{name}",
            level="ran",
            needs=needs,
            reference=_REFERENCE,
            doc=doc,
        )
        for name, needs, doc in (
            ("cuda", "torch for CUDA", "PyTorch on an NVIDIA GPU."),
            ("rocm", "torch for ROCm", "PyTorch on an AMD GPU."),
            ("mps", "torch on macOS", "PyTorch on an Apple GPU."),
            ("xpu", "torch for XPU", "PyTorch on an Intel GPU."),
            ("npu", "torch and torch_npu", "PyTorch on a Huawei Ascend NPU."),
            ("xla", "torch and torch_xla", "PyTorch through torch_xla, on a TPU."),
        )
    ),
)
PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(
        name="opinfo",
        framework="torch",
        home=f"{_HERE}.opinfo:OpInfos",
        needs="torch expecttest",
        doc="The operations and sample inputs of PyTorch's own test suite.",
    ),
    ProviderEntry(
        name="modules",
        framework="torch",
        default=False,
        home=f"{_HERE}.modules:Modules",
        needs="torch expecttest",
        doc="The layers of torch.nn with the inputs of PyTorch's own test suite.",
    ),
    ProviderEntry(
        name="optimisers",
        framework="torch",
        default=False,
        home=f"{_HERE}.modules:Optimisers",
        needs="torch expecttest",
        doc="The optimisers of torch.optim, one step each.",
    ),
    ProviderEntry(
        name="torch_recipes",
        framework="torch",
        default=False,
        home=f"{_HERE}.recipes:TorchRecipes",
        needs="torch",
        doc="Layers, distributions and methods that PyTorch's tables lack, and kernels in four sizes.",
    ),
)
