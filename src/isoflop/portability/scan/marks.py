"""Places that tie code to a device: named devices, own kernels, vendors' libraries; also dtypes, wrappers."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from isoflop.portability.scan.sites import DTYPES, Mark, MarkKind
from isoflop.portability.scan.values import Name, Value

if TYPE_CHECKING:
    from isoflop.portability.scan.reader import Reader

VENDOR = frozenset({
    "apex", "bitsandbytes", "cupy", "cudf", "cuml", "deepspeed", "flash_attn", "habana_frameworks",
    "intel_extension_for_pytorch", "intel_extension_for_tensorflow", "mamba_ssm", "nvidia", "pycuda",
    "pynvml", "tensorrt", "torch_npu", "torch_tensorrt", "torch_xla", "transformer_engine", "triton", "vllm",
    "xformers",
})  # fmt: skip
"""Packages written for one vendor's devices."""
WRAPPERS = frozenset({
    "accelerate", "diffusers", "einops", "equinox", "fastai", "flax", "gpytorch", "haiku", "ignite", "jraph",
    "keras_cv", "keras_nlp", "kornia", "lightning", "monai", "numpyro", "optax", "peft", "pyro",
    "pytorch_lightning", "sentence_transformers", "sonnet", "stable_baselines3", "tensorflow_addons",
    "tensorflow_datasets", "tensorflow_hub", "tensorflow_probability", "timm", "torch_geometric",
    "torchaudio",
    "torchmetrics", "torchtext", "torchvision", "transformers",
})  # fmt: skip
"""Packages that call a framework for you: listed, not resolved."""
_KERNELS = {
    "triton.jit": "Triton kernel",
    "triton.autotune": "Triton kernel",
    "torch.utils.cpp_extension.load": "C++/CUDA extension built at run time",
    "torch.utils.cpp_extension.load_inline": "C++/CUDA extension built at run time",
    "torch.utils.cpp_extension.CUDAExtension": "CUDA extension",
    "torch.utils.cpp_extension.CppExtension": "C++ extension",
    "torch.ops.load_library": "library of own operators",
    "torch.classes.load_library": "library of own operators",
    "torch.library.custom_op": "own operator",
    "tensorflow.load_op_library": "library of own operators",
    "tensorflow.load_library": "library of own operators",
    "jax.experimental.pallas.pallas_call": "Pallas kernel",
    "jax.ffi.ffi_call": "foreign function",
    "cupy.RawKernel": "CUDA source",
    "cupy.RawModule": "CUDA source",
    "cupy.ElementwiseKernel": "CUDA source",
    "numba.cuda.jit": "Numba CUDA kernel",
    "pycuda.compiler.SourceModule": "CUDA source",
    "mlx.core.fast.metal_kernel": "Metal source",
    "torch.utils.cpp_extension.load_library": "library of own operators",
}
_DEVICE = re.compile(
    r"^/?(?:device:)?(cuda|gpu|tpu|mps|xpu|npu|hpu|rocm|xla|ipu|metal)(?::\d+|:\*)?$", re.IGNORECASE
)
_ASKS = frozenset({
    "is_available", "device_count", "is_initialized", "is_built", "is_bf16_supported", "get_device_name",
    "get_device_capability",
})  # fmt: skip
"""Functions that ask what there is and tie nothing."""
_TAKES_DEVICE = frozenset({
    "torch.device", "torch.set_default_device", "tensorflow.device", "jax.devices", "jax.local_devices",
    "torch.cuda.set_device", "torch.autocast", "torch.amp.autocast", "torch.amp.GradScaler",
    "torch.GradScaler",
    "jax.default_backend",
})  # fmt: skip


def import_mark(reader: Reader, node: ast.stmt, module: str) -> None:
    """Mark an import of a vendor's library or of a wrapper."""
    root = module.partition(".")[0]
    if root in VENDOR:
        _mark(reader, node, "vendor", root)
    elif root in WRAPPERS:
        _mark(reader, node, "wrapper", root)
    if module.startswith("torch.utils.cpp_extension") or module == "numba.cuda":
        _mark(reader, node, "kernel", module)


def device_marks(reader: Reader, node: ast.Call, path: str | None) -> None:
    """Mark what a call says of devices and kernels."""
    if path in _KERNELS:
        _mark(reader, node, "kernel", _KERNELS[path])
        return
    if reader.guards:
        return
    last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if (
        last == "cuda"
        and (path is None or path.endswith(("Tensor.cuda", "Module.cuda")))
        and reader.frameworks
    ):
        _mark(reader, node, "device", ".cuda()")
        return
    if path is not None and path.startswith(("torch.cuda.", "torch.mps.", "torch.xpu.")):
        if path.rpartition(".")[2] not in _ASKS:
            _mark(reader, node, "device", path)
        return
    literal = _device_literal(node, last, path)
    if literal:
        _mark(reader, node, "device", literal)


def _device_literal(node: ast.Call, last: str, path: str | None) -> str:
    words = [k.value for k in node.keywords if k.arg in ("device", "device_type", "map_location", "backend")]
    if last == "to" or path in _TAKES_DEVICE:
        words += node.args[:1]
    for word in words:
        if isinstance(word, ast.Constant) and isinstance(word.value, str) and _DEVICE.match(word.value):
            return word.value
    return ""


def kernel_mark(reader: Reader, node: ast.expr, value: Value) -> None:
    """Mark a decorator that makes a kernel of one's own."""
    if isinstance(value, Name) and not isinstance(node, ast.Call) and value.path in _KERNELS:
        _mark(reader, node, "kernel", _KERNELS[value.path])


def dtype_mark(reader: Reader, node: ast.Attribute, value: Name) -> None:
    """Mark a dtype that is written out."""
    if node.attr in DTYPES and reader.is_resolved(value):
        _mark(reader, node, "dtype", node.attr)


def is_guard(test: ast.expr) -> bool:
    """Say whether a condition asks first whether a device is there."""
    for part in ast.walk(test):
        if isinstance(part, ast.Attribute) and (part.attr in _ASKS or part.attr in ("is_cuda", "use_cuda")):
            return True
        if isinstance(part, ast.Name) and part.id in ("use_cuda", "has_cuda", "use_gpu"):
            return True
    return False


def _mark(reader: Reader, node: ast.expr | ast.stmt, kind: MarkKind, what: str) -> None:
    reader.marks.append(Mark(node.lineno, node.col_offset, kind, what))
