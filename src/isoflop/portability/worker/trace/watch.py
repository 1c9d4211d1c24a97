"""Watching calls: through torch's own hook, and by wrapping the public functions of JAX and TensorFlow.

A framework is watched from the moment that the script has imported it; no framework is imported for the
script. Only the outermost call is noted, not those that a function makes inside.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Note = Callable[[str, str, tuple[Any, ...], dict[str, Any]], None]
"""``note(framework, function, args, kwargs)``."""
_OPERATORS = {
    "add": "add", "radd": "add", "iadd": "add_", "sub": "sub", "rsub": "rsub", "isub": "sub_", "mul": "mul",
    "rmul": "mul", "imul": "mul_", "truediv": "div", "rdiv": "div", "rtruediv": "div", "itruediv": "div_",
    "matmul": "matmul", "rmatmul": "matmul", "pow": "pow", "rpow": "pow", "neg": "neg", "abs": "abs",
    "eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "invert": "bitwise_not", "mod": "remainder",
    "floordiv": "floor_divide", "getitem": "__getitem__", "setitem": "__setitem__",
}  # fmt: skip
"""Operators of tensors to the methods that do the same."""
_NOT_NOTED = frozenset({"backward", "register_hook", "retain_grad", "requires_grad_"})
"""Methods that mean nothing without the script's own graph of gradients."""
_WRAPPED = {
    "jax": ("jax.numpy", "jax.numpy.linalg", "jax.numpy.fft", "jax.nn", "jax.random", "jax.lax",
            "jax.scipy.special", "jax.scipy.linalg", "jax.scipy.signal", "jax.image", "jax.ops"),
    "tensorflow": ("tensorflow", "tensorflow.math", "tensorflow.nn", "tensorflow.linalg", "tensorflow.signal",
                   "tensorflow.image", "tensorflow.random", "tensorflow.strings", "tensorflow.sparse",
                   "tensorflow.bitwise", "tensorflow.audio"),
}  # fmt: skip
_NOT_WRAPPED = frozenset({
    "function", "while_loop", "cond", "map_fn", "scan", "fori_loop", "switch", "associative_scan", "foldl",
    "foldr", "case", "switch_case", "vectorized_map", "custom_gradient", "py_function", "numpy_function",
    "custom_root", "custom_linear_solve", "map", "init_scope", "device", "name_scope", "print", "Assert",
    "no_gradient", "group", "control_dependencies", "vectorize", "ndim", "shape", "size", "dtype",
    "issubdtype", "result_type", "promote_types", "isscalar", "iterable", "is_tensor", "executing_eagerly",
    "PRNGKey", "key", "stop_gradient",
})  # fmt: skip
"""Functions that take functions, or that compute nothing on a device."""


class Watch:
    """Watches frameworks from their import on, for as long as it is entered.

    Parameters
    ----------
    note : callable
    on : {"cpu", "meta"}
        With ``meta`` torch makes tensors without values: nothing is computed.
    """

    def __init__(self, note: Note, on: str) -> None:
        self.note, self.on = note, on
        self.watched: set[str] = set()
        self.inside = False
        self._import = builtins.__import__
        self._mode: Any = None

    def __enter__(self) -> Watch:
        builtins.__import__ = self._importing
        return self

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self._import
        if self._mode is not None:
            self._mode.__exit__(None, None, None)
            self._mode = None

    def _importing(self, name: str, *args: Any, **kwargs: Any) -> Any:
        module = self._import(name, *args, **kwargs)
        root = name.partition(".")[0]
        if root in ("torch", "jax", "tensorflow") and root not in self.watched and _is_whole(root):
            self.watched.add(root)
            if root == "torch":
                self._watch_torch()
            else:
                self._wrap(root)
        return module

    def _watch_torch(self) -> None:
        import torch
        from torch.overrides import TorchFunctionMode, resolve_name

        watch = self

        class Noting(TorchFunctionMode):  # type: ignore[misc, unused-ignore]
            def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                name = torch_name(resolve_name(func) or "")
                if name:
                    watch.note("torch", name, args, kwargs or {})
                return func(*args, **(kwargs or {}))

        if self.on == "meta":
            torch.set_default_device("meta")
        self._mode = Noting()
        self._mode.__enter__()

    def _wrap(self, framework: str) -> None:
        for path in _WRAPPED[framework]:
            module = _module(path)
            for name in dir(module):
                thing = getattr(module, name, None)
                if not name.startswith("_") and name not in _NOT_WRAPPED and _is_function(thing, framework):
                    setattr(module, name, self._noting(framework, f"{path}.{name}", thing))

    def _noting(self, framework: str, name: str, function: Any) -> Any:
        @functools.wraps(function, updated=())
        def noted(*args: Any, **kwargs: Any) -> Any:
            if self.inside:
                return function(*args, **kwargs)
            self.inside = True
            try:
                self.note(framework, name, args, kwargs)
                return function(*args, **kwargs)
            finally:
                self.inside = False

        return noted


def torch_name(name: str) -> str:
    """Return the public name of what torch's hook was called for; empty for properties and the like.

    Examples
    --------
    >>> torch_name("torch.Tensor.__radd__"), torch_name("torch.Tensor.shape.__get__")
    ('torch.Tensor.add', '')
    """
    owner, _, last = name.rpartition(".")
    if last.startswith("__"):
        known = _OPERATORS.get(last.strip("_"))
        return f"{owner}.{known}" if known and owner == "torch.Tensor" else ""
    return name if name.startswith("torch.") and not last.startswith("_") and last not in _NOT_NOTED else ""


def _module(path: str) -> Any:
    """Return a public module, which may be an attribute alone; None where this version has none."""
    try:
        return importlib.import_module(path)
    except ImportError:
        found: Any = sys.modules.get(path.partition(".")[0])
        for part in path.split(".")[1:]:
            found = getattr(found, part, None)
        return found


def _is_whole(root: str) -> bool:
    """Say whether a package has been imported to its end."""
    spec = getattr(sys.modules.get(root), "__spec__", None)
    return spec is not None and not getattr(spec, "_initializing", False)


def _is_function(thing: Any, framework: str) -> bool:
    if thing is None or isinstance(thing, ModuleType) or inspect.isclass(thing) or not callable(thing):
        return False
    home = getattr(thing, "__module__", None) or ""
    return home.partition(".")[0] in (framework, "jaxlib") and not hasattr(thing, "dtype")
