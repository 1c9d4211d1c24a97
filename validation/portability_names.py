"""Make the lists of public names that `isoflop.portability.names` ships: names are facts of a version.

Run under an interpreter that has the frameworks::

    PYTHON_OF_THE_FRAMEWORKS validation/portability_names.py src/isoflop/portability/public_names

Each list says for every public module which functions return an array (``array``), several arrays
(``arrays``) or something else (``other``), which classes there are (``class``) and which of them are layers
that are called on arrays (``layer``); for a few classes it lists methods; and it gives every other path under
which the same object is reachable (``alias``).
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = {
    "torch": """torch torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.rnn
        torch.nn.utils.parametrizations torch.nn.attention torch.nn.parallel torch.linalg torch.fft
        torch.special torch.optim torch.optim.lr_scheduler torch.optim.swa_utils torch.distributions
        torch.autograd torch.autograd.functional torch.cuda torch.cuda.amp torch.amp torch.utils.data
        torch.utils.checkpoint torch.utils.dlpack torch.jit torch.sparse torch.random torch.onnx torch.func
        torch.signal.windows torch.distributed torch.compiler torch.export torch.mps torch.xpu torch.profiler
        torch.hub torch.testing torch.backends.cudnn torch.backends.cuda torch.backends.mps""",
    "jax": """jax jax.numpy jax.numpy.linalg jax.numpy.fft jax.lax jax.lax.linalg jax.nn jax.nn.initializers
        jax.random jax.scipy.special jax.scipy.linalg jax.scipy.signal jax.scipy.ndimage jax.scipy.fft
        jax.scipy.stats jax.scipy.stats.norm jax.scipy.optimize jax.scipy.integrate jax.scipy.sparse.linalg
        jax.ops jax.image jax.tree jax.tree_util jax.flatten_util jax.debug jax.export jax.profiler
        jax.sharding jax.dtypes jax.dlpack jax.example_libraries.optimizers jax.example_libraries.stax
        jax.experimental.sparse jax.experimental.pallas jax.experimental.shard_map""",
    "tensorflow": """tensorflow tensorflow.math tensorflow.nn tensorflow.linalg tensorflow.signal
        tensorflow.image tensorflow.bitwise tensorflow.random tensorflow.strings tensorflow.sparse
        tensorflow.ragged tensorflow.raw_ops tensorflow.audio tensorflow.sets tensorflow.io tensorflow.data
        tensorflow.data.experimental tensorflow.config tensorflow.config.experimental tensorflow.distribute
        tensorflow.summary tensorflow.train tensorflow.autograph tensorflow.debugging tensorflow.dtypes
        tensorflow.lookup tensorflow.nest tensorflow.quantization tensorflow.queue tensorflow.saved_model
        tensorflow.test tensorflow.tpu tensorflow.types tensorflow.xla tensorflow.version
        tensorflow.experimental.numpy tensorflow.math.special tensorflow.random.experimental""",
    "keras": """keras keras.layers keras.models keras.optimizers keras.optimizers.schedules keras.losses
        keras.metrics keras.callbacks keras.ops keras.activations keras.initializers keras.regularizers
        keras.constraints keras.utils keras.random keras.datasets keras.applications keras.preprocessing
        keras.backend keras.mixed_precision keras.saving keras.tree keras.distribution""",
    "mlx": """mlx.core mlx.core.fast mlx.core.fft mlx.core.linalg mlx.core.random mlx.nn mlx.nn.losses
        mlx.nn.init mlx.optimizers mlx.utils""",
}
ARRAYS = {
    "torch": ("torch.nn.functional", "torch.linalg", "torch.fft", "torch.special", "torch.nn.init",
              "torch.signal.windows"),
    "jax": ("jax.numpy", "jax.lax", "jax.nn", "jax.random", "jax.scipy", "jax.ops", "jax.image"),
    "tensorflow": ("tensorflow", "tensorflow.math", "tensorflow.nn", "tensorflow.linalg", "tensorflow.signal",
                   "tensorflow.image", "tensorflow.bitwise", "tensorflow.random", "tensorflow.strings",
                   "tensorflow.raw_ops", "tensorflow.audio", "tensorflow.experimental.numpy",
                   "tensorflow.math.special"),
    "keras": ("keras.ops", "keras.activations", "keras.random"),
    "mlx": ("mlx.core", "mlx.nn", "mlx.nn.losses"),
}  # fmt: skip
"""Modules whose functions return an array unless something says otherwise."""
OTHER = {
    "torch": "",
    "jax": "jax.lax.cond jax.lax.scan jax.lax.while_loop jax.lax.fori_loop jax.lax.switch jax.lax.map "
    "jax.numpy.shape jax.numpy.ndim jax.numpy.size jax.numpy.save jax.numpy.savez jax.numpy.iinfo "
    "jax.numpy.finfo jax.numpy.dtype jax.numpy.result_type jax.numpy.issubdtype jax.numpy.isscalar "
    "jax.numpy.iterable jax.numpy.printoptions jax.numpy.set_printoptions jax.numpy.promote_types "
    "jax.numpy.can_cast jax.numpy.vectorize jax.lax.custom_root jax.lax.custom_linear_solve "
    "jax.lax.associative_scan jax.random.key_impl",
    "tensorflow": "tensorflow.function tensorflow.py_function tensorflow.numpy_function tensorflow.cond "
    "tensorflow.case tensorflow.while_loop tensorflow.switch_case tensorflow.device tensorflow.name_scope "
    "tensorflow.init_scope tensorflow.custom_gradient tensorflow.recompute_grad tensorflow.no_gradient "
    "tensorflow.print tensorflow.Assert tensorflow.group tensorflow.control_dependencies "
    "tensorflow.get_logger tensorflow.gradients tensorflow.hessians tensorflow.is_tensor "
    "tensorflow.executing_eagerly tensorflow.map_fn tensorflow.vectorized_map tensorflow.scan "
    "tensorflow.foldl tensorflow.foldr tensorflow.as_dtype tensorflow.make_ndarray "
    "tensorflow.inside_function "
    "tensorflow.get_static_value tensorflow.load_library tensorflow.load_op_library "
    "tensorflow.random.set_seed",
    "keras": "",
    "mlx": "mlx.core.eval mlx.core.async_eval mlx.core.grad mlx.core.value_and_grad mlx.core.vmap "
    "mlx.core.compile mlx.core.save mlx.core.savez mlx.core.load mlx.core.set_default_device "
    "mlx.core.default_device mlx.core.seed mlx.core.synchronize mlx.core.stream mlx.core.jvp mlx.core.vjp "
    "mlx.core.checkpoint mlx.core.random.seed mlx.nn.value_and_grad",
}
SEVERAL = {
    "tensorflow": "tensorflow.split tensorflow.unstack tensorflow.unique tensorflow.unique_with_counts "
    "tensorflow.meshgrid tensorflow.linalg.svd tensorflow.linalg.qr tensorflow.linalg.eigh "
    "tensorflow.linalg.lu "
    "tensorflow.math.top_k tensorflow.nn.moments tensorflow.linalg.eig tensorflow.dynamic_partition "
    "tensorflow.nn.top_k tensorflow.clip_by_global_norm tensorflow.linalg.slogdet "
    "tensorflow.required_space_to_batch_paddings tensorflow.nn.weighted_moments "
    "tensorflow.nn.max_pool_with_argmax tensorflow.eig tensorflow.shape_n",
    "keras": "keras.ops.split keras.ops.unstack keras.ops.svd keras.ops.qr keras.ops.top_k keras.ops.moments "
    "keras.ops.meshgrid keras.ops.eigh keras.ops.lu_factor",
    "jax": "jax.numpy.linalg.eigh jax.numpy.linalg.eig jax.numpy.linalg.svd jax.numpy.linalg.qr "
    "jax.numpy.linalg.slogdet jax.scipy.linalg.eigh jax.scipy.linalg.svd jax.scipy.linalg.qr "
    "jax.scipy.linalg.cho_factor "
    "jax.scipy.linalg.lu jax.scipy.linalg.lu_factor jax.numpy.split "
    "jax.numpy.array_split jax.numpy.meshgrid jax.numpy.nonzero jax.lax.top_k "
    "jax.random.split jax.numpy.unstack",
    "mlx": "mlx.core.split mlx.core.meshgrid mlx.core.random.split mlx.core.linalg.qr mlx.core.linalg.svd",
}
ARRAY_TYPE = {
    "torch": "torch.Tensor",
    "jax": "jax.Array",
    "tensorflow": "tensorflow.Tensor",
    "keras": "keras.KerasTensor",
    "mlx": "mlx.core.array",
}
METHODS = {
    "torch": """torch.Tensor torch.nn.Module torch.optim.Optimizer torch.optim.lr_scheduler.LRScheduler
        torch.distributions.Distribution torch.Generator torch.nn.ModuleDict torch.nn.ModuleList
        torch.nn.ParameterList torch.nn.ParameterDict torch.Size torch.device""",
    "jax": "jax.Array",
    "tensorflow": """tensorflow.Tensor tensorflow.Variable tensorflow.data.Dataset tensorflow.GradientTape
        tensorflow.Module tensorflow.RaggedTensor tensorflow.SparseTensor tensorflow.TensorArray
        tensorflow.TensorShape""",
    "keras": "keras.Model keras.Layer keras.Sequential keras.optimizers.Optimizer keras.losses.Loss "
    "keras.metrics.Metric",
    "mlx": "mlx.core.array mlx.nn.Module mlx.optimizers.Optimizer",
}
LAYERS = {"torch": ("torch.nn.Module",), "keras": ("keras.Layer",), "mlx": ("mlx.nn.Module",)}


def main(folder: Path) -> None:
    """Write one list a framework into `folder`."""
    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for framework in MODULES:
        listed = enumerate_names(framework)
        text = json.dumps(listed, separators=(",", ":"), sort_keys=True).replace("},", "},\n")
        (folder / f"{framework}.json").write_text(text + "\n")
        count = sum(len(v.split()) for kinds in listed["modules"].values() for v in kinds.values())
        print(framework, listed["version"], count, "names", len(listed["aliases"]), "aliases", len(text), "B")


def enumerate_names(framework: str) -> dict[str, Any]:
    """Return the list of one framework."""
    root = importlib.import_module(framework)
    version = getattr(root, "__version__", None) or importlib.import_module(f"{framework}.core").__version__
    stubs = torch_stubs(root) if framework == "torch" else {}
    layers = tuple(at(path) for path in LAYERS.get(framework, ()))
    modules: dict[str, dict[str, list[str]]] = {}
    homes: dict[int, str] = {}
    aliases: dict[str, str] = {}
    keep_alive = []
    for path in MODULES[framework].split():
        try:
            module = importlib.import_module(path)
        except ImportError:
            module = at(path)
        kinds: dict[str, list[str]] = {}
        for name, thing in public(module):
            full = f"{path}.{name}"
            if isinstance(thing, ModuleType) or not belongs(thing, framework):
                continue
            kind = kind_of(framework, full, thing, layers, stubs)
            kinds.setdefault(kind, []).append(name)
            if kind == "value":
                continue
            keep_alive.append(thing)
            home = homes.setdefault(id(thing), full)
            if home != full:
                aliases[full] = home
            inner = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
            if inspect.isclass(thing) and inner.startswith(framework) and inner != home and "<" not in inner:
                aliases.setdefault(inner, home)
        modules[path] = kinds
    return {
        "framework": framework,
        "version": str(version),
        "array": ARRAY_TYPE[framework],
        "modules": {
            path: {k: " ".join(sorted(v)) for k, v in kinds.items()} for path, kinds in modules.items()
        },
        "methods": {path: methods(at(path), stubs) for path in METHODS[framework].split()},
        "aliases": aliases,
    }


def public(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield public names, those of ``__all__`` or of ``dir``."""
    for name in sorted({*dir(module), *getattr(module, "__all__", ())}):
        if not name.startswith("_"):
            thing = getattr(module, name, None)
            if thing is not None:
                yield name, thing


def belongs(thing: Any, framework: str) -> bool:
    """Say whether the framework itself made this object."""
    home = getattr(thing, "__module__", None)
    if not isinstance(home, str):
        return True
    if home.split(".")[0] in sys.stdlib_module_names and home != "builtins":
        return False
    return not (framework == "tensorflow" and home.startswith("keras"))


def kind_of(framework: str, full: str, thing: Any, layers: tuple[Any, ...], stubs: dict[str, str]) -> str:
    """Return ``array``, ``arrays``, ``other``, ``class``, ``layer`` or ``value``."""
    if full == "tensorflow.constant":
        return "array"
    if inspect.isclass(thing):
        if framework == "jax" and not inspect.isclass(type(thing)):
            return "value"
        return "layer" if layers and issubclass(thing, layers) else "class"
    if not callable(thing):
        return "value"
    if type(thing).__name__ in ("_ScalarMeta", "DType", "dtype"):
        return "value"
    if full in OTHER.get(framework, "").split():
        return "other"
    if full in SEVERAL.get(framework, "").split():
        return "arrays"
    declared = stubs.get(full.removeprefix("torch.")) if full.count(".") == 1 else None
    usual = full.rpartition(".")[0] in ARRAYS[framework] or thing.__module__ == "torch.functional"
    return returned(declared or annotation(thing), usual)


def annotation(thing: Any) -> str:
    """Return the declared result as text; empty where none is declared."""
    try:
        found = inspect.signature(thing).return_annotation
    except (TypeError, ValueError):
        return ""
    if found is inspect.Signature.empty:
        return ""
    return found if isinstance(found, str) else getattr(found, "__name__", None) or str(found)


def returned(declared: str, default: bool) -> str:
    """Return the kind that a declared result has."""
    whole = declared
    declared = re.sub(r"[\w.]+\.(?=\w)", "", declared.strip("'\" "))
    if re.match(r"(Tensor|Array|ArrayLike|Self|array|KerasTensor)\b", declared):
        return "array"
    if re.match(r"(tuple|list|Tuple|List)\b", declared) or whole.startswith("torch.return_types"):
        inside = "Tensor" in declared or "Array" in declared or whole.startswith("torch.return_types")
        return "arrays" if inside else "other"
    if declared in ("", "Any", "T", "Annotated") or declared.startswith("Annotated"):
        return "array" if default else "other"
    return "other"


def torch_stubs(torch: Any) -> dict[str, str]:
    """Return the declared results of torch's C functions and of its Tensor methods, from its stub files."""
    folder = Path(torch.__file__).parent / "_C"
    found: dict[str, str] = {}
    for name, prefix in (("_VariableFunctions.pyi", ""), ("__init__.pyi", "Tensor.")):
        text = (folder / name).read_text()
        if prefix:
            text = text[text.index("class TensorBase") :]
            text = text[: text.index("\nclass ", 10)]
        for match in re.finditer(r"def (\w+)\(.*?\)\s*->\s*([^:]+):", text, re.DOTALL):
            result = re.sub(r"\s+", " ", match[2]).strip()
            if result == "Tensor" or prefix + match[1] not in found:
                found[prefix + match[1]] = result
    return found


def methods(thing: Any, stubs: dict[str, str]) -> dict[str, str]:
    """Return the public methods of a class by what they return."""
    kinds: dict[str, list[str]] = {}
    is_tensor = thing.__name__ in ("Tensor", "Array", "array", "Variable")
    names = {*dir(thing)}
    if thing.__module__.startswith("jax"):
        from jax import numpy

        names |= set(dir(numpy.zeros(1)))
        thing = type(numpy.zeros(1))
    if thing.__module__.startswith("tensorflow") and thing.__name__ == "Tensor":
        import tensorflow

        thing = type(tensorflow.constant(1))
        names |= set(dir(thing))
    for name in sorted(names):
        member = inspect.getattr_static(thing, name, None)
        if name.startswith("_") or member is None:
            continue
        if isinstance(member, property) or not callable(getattr(thing, name, None)):
            kinds.setdefault("value", []).append(name)
            continue
        declared = stubs.get(f"Tensor.{name}") if thing.__name__ == "Tensor" else None
        kinds.setdefault(returned(declared or annotation(getattr(thing, name)), is_tensor), []).append(name)
    return {kind: " ".join(found) for kind, found in kinds.items()}


def at(path: str) -> Any:
    """Return the object at a dotted path."""
    parts = path.split(".")
    thing: Any = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], 2):
        try:
            thing = importlib.import_module(".".join(parts[:i]))
        except ImportError:
            thing = getattr(thing, part)
    return thing


if __name__ == "__main__":
    main(Path(sys.argv[1]))
