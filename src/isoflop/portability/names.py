"""What a framework's public functions are called: canonical names, what they return, and alias families.

The lists beside this module were read from the frameworks themselves (``validation/portability_names.py``):
which public names there are in one version, which of them are the same object, and what they return. One
object has one canonical name; a *family* joins names that reach the same kernel by other roads, such as
``torch.relu``, ``torch.nn.functional.relu`` and ``torch.Tensor.relu_``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Gives = Literal["array", "arrays", "other", "class", "layer", "value", ""]
"""What a name is: a function that returns an array, several, or something else; a class; a class of layers
called on arrays; a value that is not called; empty for a name that is not listed."""

FRAMEWORKS = ("torch", "jax", "tensorflow", "keras", "mlx")
"""Frameworks whose names are listed. Names of others are resolved by import alone."""
RESOLVED = (*FRAMEWORKS, "tinygrad", "onnx", "onnxruntime", "openvino", "torch_xla", "jaxlib")
"""Import roots whose names are attributed."""
_PREFIXES = (
    ("tensorflow.keras.", "keras."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.python.keras.", "keras."),
    ("keras.api.", "keras."),
    ("jax.experimental.maps.", "jax."),
)
"""Older or second homes of whole modules."""
_TWINS = (
    # One name in two libraries of one framework, where both reach the same kernel.
    ("torch", ("torch", "torch.Tensor", "torch.nn.functional", "torch.special")),
    ("jax", ("jax.numpy", "jax.Array")),
    ("tensorflow", ("tensorflow", "tensorflow.math", "tensorflow.Tensor")),
)
_NOT_TWINS = frozenset({"torch.Tensor.unfold", "torch.nn.functional.unfold"})
"""Equal in name only: one makes a view along a dimension, the other gathers image patches."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NameList:
    """Public names of one version of a framework.

    Parameters
    ----------
    framework, version : str
    array : str
        Type of its arrays, e.g. ``torch.Tensor``.
    gives : mapping
        Full name of a function, class, method or value to what it is.
    aliases : mapping
        Another full name of an object to its canonical one.
    """

    framework: str
    version: str
    array: str
    gives: dict[str, Gives]
    aliases: dict[str, str]

    def star(self, module: str) -> list[str]:
        """Return the names that ``from module import *`` binds in this version."""
        start = module + "."
        return [
            n.removeprefix(start) for n in self.gives if n.startswith(start) and "." not in n[len(start) :]
        ]


@cache
def names(framework: str) -> NameList | None:
    """Return the list of a framework; None where none ships.

    Examples
    --------
    >>> names("torch").gives["torch.nn.Conv2d"], names("torch").gives["torch.Tensor.view"]
    ('layer', 'array')
    """
    if framework not in FRAMEWORKS:
        return None
    text = _shipped(f"{framework}.json")
    raw = json.loads(text)
    gives: dict[str, Gives] = {}
    for group in ("modules", "methods"):
        for home, kinds in raw[group].items():
            for kind, listed in kinds.items():
                for name in listed.split():
                    gives.setdefault(f"{home}.{name}", kind)
    return NameList(
        framework=framework, version=raw["version"], array=raw["array"], gives=gives, aliases=raw["aliases"]
    )


@cache
def canonical(name: str) -> str:
    """Return the one public name of what a dotted name refers to.

    Examples
    --------
    >>> canonical("torch.nn.modules.conv.Conv2d"), canonical("tensorflow.keras.layers.Dense")
    ('torch.nn.Conv2d', 'keras.layers.Dense')
    """
    for prefix, home in _PREFIXES:
        if name.startswith(prefix):
            name = home + name[len(prefix) :]
    listed = names(name.partition(".")[0])
    if listed is None or (name in listed.gives and name not in listed.aliases):
        return name
    if name in listed.aliases:
        return listed.aliases[name]
    owner, _, last = name.rpartition(".")
    return f"{listed.aliases[owner]}.{last}" if owner in listed.aliases else name


@cache
def gives(name: str) -> Gives:
    """Return what a canonical name is; empty where it is not listed."""
    listed = names(name.partition(".")[0])
    return "" if listed is None else listed.gives.get(name, "")


@cache
def is_host_only(name: str) -> bool:
    """Say whether a call computes nothing on a device: it builds, holds, lists, sets or asks.

    Examples
    --------
    >>> is_host_only("torch.no_grad"), is_host_only("torch.nn.Module.parameters"), is_host_only("torch.add")
    (True, True, False)
    """
    return _host_only().match(canonical(name)) is not None


@cache
def _host_only() -> re.Pattern[str]:
    lines = (line for line in _shipped("host_only.txt").splitlines() if not line.startswith("#"))
    patterns = (re.escape(word).replace(r"\*", ".*") for line in lines for word in line.split())
    return re.compile(f"(?:{'|'.join(patterns)})$")


def _shipped(name: str) -> str:
    return resources.files("isoflop.portability.public_names").joinpath(name).read_text("utf-8")


def array_of(name: str) -> str:
    """Return the array type of the framework of a name; empty where none is known."""
    listed = names(name.partition(".")[0])
    return "" if listed is None else listed.array


@cache
def family(name: str) -> str:
    """Return the key under which names of the same kernel meet.

    Examples
    --------
    >>> family("torch.Tensor.relu_") == family("torch.relu") == family("torch.nn.functional.relu")
    True
    >>> family("torch.Tensor.unfold") == family("torch.nn.functional.unfold")
    False
    """
    name = canonical(name)
    if name in _NOT_TWINS:
        return name
    home, _, last = name.rpartition(".")
    for framework, homes in _TWINS:
        if home in homes:
            plain = last[:-1] if framework == "torch" and re.fullmatch(r"[a-z]\w*[a-z0-9]_", last) else last
            return f"{framework}:{_second_names().get(f'{framework}:{plain}', plain)}"
    return _second_names().get(name, name)


@cache
def implied(name: str) -> tuple[str, ...]:
    """Return families whose evidence says something of a name that has none of its own, nearest first.

    A layer does what its function does (``torch.nn.ReLU``: ``torch.nn.functional.relu``); a method of an
    object does what its class does.

    Examples
    --------
    >>> implied("torch.nn.LayerNorm") == (family("torch.nn.functional.layer_norm"),)
    True
    """
    name = canonical(name)
    owner, _, last = name.rpartition(".")
    found: list[str] = []
    if owner == "torch.nn" and gives(name) == "layer":
        function = _function_of(last)
        found += [family(function)] if function else []
    if owner == "tensorflow.raw_ops":
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", last).lower()
        homes = ("tensorflow", "tensorflow.nn", "tensorflow.linalg")
        found += [family(f"{home}.{snake}") for home in homes if gives(canonical(f"{home}.{snake}"))]
    if owner in ("jax.numpy", "jax.Array", "jax.nn"):
        found.append(f"jax.lax.{_second_names().get(f'lax:{last}', last)}")
    if gives(owner) in ("class", "layer") and owner != array_of(owner):
        found += [family(owner), *implied(owner)]
    return tuple(found)


@cache
def _function_of(layer: str) -> str:
    """Return the function of ``torch.nn.functional`` that a layer calls, by its spelling; empty for none."""
    start = "torch.nn.functional."
    listed = names("torch")
    if listed is None:
        return ""
    every = (name for name in listed.aliases | listed.gives if name.startswith(start))
    known = {name[len(start) :].replace("_", ""): name for name in every}
    folded = layer.lower()
    meant = _second_names().get(f"layer:{layer}", "").replace("_", "")
    for spelled in (meant, folded, folded.removesuffix("loss"), re.sub(r"[123]d$", "", folded)):
        if spelled in known:
            return known[spelled]
    return ""


@cache
def _second_names() -> dict[str, str]:
    """Return names that are documented as another's alias, with that other."""
    text = _shipped("second_names.txt")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            home, meant, *others = line.split()
            found |= {f"{home}:{other}": meant for other in others}
    return found
