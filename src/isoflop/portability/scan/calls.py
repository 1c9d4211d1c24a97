"""Calls: what is called, what it gives, and what it tells about the functions of the text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from isoflop.portability.names import array_of, canonical, gives
from isoflop.portability.scan import known
from isoflop.portability.scan.marks import device_marks
from isoflop.portability.scan.sites import Confidence, Use
from isoflop.portability.scan.values import (
    MOST,
    PLAIN,
    Bound,
    Class,
    Each,
    Function,
    Gives,
    Group,
    Keyed,
    Made,
    Name,
    Parent,
    Plain,
    Thing,
    Value,
    alternatives,
    element,
    join,
)

if TYPE_CHECKING:
    from isoflop.portability.scan.reader import Reader

_PLAIN_BUILTINS = frozenset({
    "len", "int", "float", "str", "bool", "range", "print", "isinstance", "issubclass", "type", "id", "hash",
    "repr", "format", "open", "input", "any", "all", "hasattr", "ord", "chr", "bytes", "vars", "dir",
    "divmod",
})  # fmt: skip
_ANY_LAYER = frozenset({"torch.nn.Module", "keras.Layer", "mlx.nn.Module"})
"""Bases of all layers: which of them is called, the text does not say."""
_PASS_ELEMENTS = frozenset({"list", "tuple", "iter", "reversed", "sorted", "set", "frozenset", "filter"})
_COMMON = frozenset(
    name for kind in (str, bytes, list, tuple, dict, set, int, float, complex) for name in dir(kind)
) | {
    "abs", "add", "add_argument", "all", "any", "apply", "apply_", "argmax", "argmin", "argsort", "astype",
    "choose", "clip", "close", "conj", "cumprod", "cumsum", "data", "diff", "div", "dot", "eq", "equal",
    "fill", "flatten", "item", "log", "map", "max", "mean", "min", "mul", "nonzero", "plot", "prod", "put",
    "ravel", "read", "repeat", "requires", "reshape", "round", "run", "select", "set_", "shape", "size",
    "squeeze",
    "start", "std", "sub", "sum", "swapaxes", "take", "tolist", "trace", "transpose", "type", "var", "view",
    "where", "write",
}  # fmt: skip
"""Methods of built-in types, of NumPy and of much else: alone they say nothing of a framework."""


def call(reader: Reader, node: ast.Call) -> Value:
    """Return what a call gives; write it down where it is a framework's."""
    called = reader.value(node.func)
    arguments = [reader.value(part) for part in node.args]
    keywords = {part.arg: reader.value(part.value) for part in node.keywords}
    if called is None:
        _possible(reader, node)
        device_marks(reader, node, None)
        return None
    options = alternatives(called)
    found: Value = None
    for i, one in enumerate(options):
        given = _call_one(reader, node, one, arguments, keywords, only=len(options) == 1)
        found = given if i == 0 else join(found, given)
    return found


def _call_one(
    reader: Reader,
    node: ast.Call,
    called: Value,
    arguments: list[Value],
    keywords: dict[str | None, Value],
    *,
    only: bool,
) -> Value:
    if isinstance(called, Name):
        return _call_name(reader, node, called, arguments, keywords, only=only)
    if isinstance(called, Thing):
        if gives(called.type) == "layer":
            write(reader, node, called.type, "possible" if called.type in _ANY_LAYER else "inferred", "layer")
            if called.type in known.CONTAINERS:
                _through(reader, called.of, arguments)
            return known.called_layer(called)
        if called.type in known.ARRAY_TYPES:
            return None
        write(reader, node, called.type, "inferred", "layer")
        return known.array(called.type)
    if isinstance(called, Function):
        return _call_function(reader, called, arguments, keywords)
    if isinstance(called, Bound):
        return _call_function(reader, called.function, arguments, keywords, skip=1)
    if isinstance(called, Class):
        start = _method(called, "__init__")
        if start is not None:
            _call_function(reader, start, arguments, keywords, skip=1)
        return Made(called)
    if isinstance(called, Made):
        return _call_made(reader, called, arguments, keywords)
    if isinstance(called, Gives):
        return called.value
    return PLAIN if isinstance(called, Plain) else None


def _call_name(
    reader: Reader,
    node: ast.Call,
    called: Name,
    arguments: list[Value],
    keywords: dict[str | None, Value],
    *,
    only: bool,
) -> Value:
    root, _, rest = called.path.partition(".")
    if root == "builtins":
        return _call_builtin(reader, node, rest, called.receiver, arguments, keywords)
    path = canonical(called.path)
    first = arguments[0] if arguments else None
    if reader.is_resolved(called):
        use: Use = "method" if called.receiver is not None else "call"
        if gives(path) in ("class", "layer") or (not gives(path) and path.rpartition(".")[2][:1].isupper()):
            use = "construct"
        write(reader, node, path, "exact" if called.sure and only else "inferred", use)
        _refine(reader, node, path)
    device_marks(reader, node, path)
    if path == "functools.partial":
        return first
    if path in ("functools.reduce",) and len(arguments) > 1:
        return _applied(reader, first, element(arguments[1]))
    _callbacks(reader, path, arguments)
    if path in known.SAME:
        return first if arguments else called
    if path in known.CONTAINERS:
        return Thing(path, first if path == "torch.nn.ModuleDict" else _members(first, arguments))
    if path == "collections.OrderedDict" and arguments:
        return first
    if not reader.is_resolved(called):
        return (
            PLAIN
            if root in ("numpy", "math", "os", "json", "random", "time", "pathlib", "re", "pandas")
            else None
        )
    return known.result(called, arguments, frozenset(k for k in keywords if k))


def write(reader: Reader, node: ast.Call, function: str, confidence: Confidence, use: Use) -> None:
    """Write down a call of a framework's function."""
    if function.rpartition(".")[2].startswith("__"):
        return
    reader.frameworks.add(function.partition(".")[0])
    reader.found.append((node, function, confidence, use))


def _possible(reader: Reader, node: ast.Call) -> None:
    """Write down a method of an unknown receiver whose name few things but a framework's array have."""
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr in _COMMON or not reader.frameworks:
        return
    for framework in sorted(reader.frameworks):
        kind = array_of(framework)
        if kind and gives(f"{kind}.{func.attr}") in ("array", "arrays", "other"):
            write(reader, node, f"{kind}.{func.attr}", "possible", "method")
            return


def _refine(reader: Reader, node: ast.Call, path: str) -> None:
    """Learn that a name is a tensor from its being given to a function that takes nothing else first."""
    if not path.startswith("torch.") or not node.args or not isinstance(node.args[0], ast.Name):
        return
    name = node.args[0].id
    found, value = reader.scope.look_up(name)
    if found and value is None and name in reader.scope.names and _takes_tensor(path):
        reader.scope.names[name] = Thing("torch.Tensor")


def _takes_tensor(path: str) -> bool:
    owner, _, last = path.rpartition(".")
    if owner == "torch.nn.functional":
        return True
    return owner in ("torch", "torch.linalg", "torch.special", "torch.fft") and bool(
        gives(f"torch.Tensor.{last}")
    )


def _callbacks(reader: Reader, path: str, arguments: list[Value]) -> None:
    """Tell functions of the text that a framework will call them with arrays."""
    if path.startswith("jax."):
        kind = "jax.Array"
    elif path.startswith(("torch.func.", "torch.vmap", "torch.autograd.functional.")):
        kind = "torch.Tensor"
    else:
        return
    for value in arguments:
        target = value.function if isinstance(value, Bound) else value
        if isinstance(target, Function) and not target.is_array_code:
            target.is_array_code = kind
            reader.learnt = True


def _call_builtin(
    reader: Reader,
    node: ast.Call,
    name: str,
    receiver: Value,
    arguments: list[Value],
    keywords: dict[str | None, Value],
) -> Value:
    first = arguments[0] if arguments else None
    if name in _PLAIN_BUILTINS:
        return PLAIN
    if name in _PASS_ELEMENTS:
        return Each(element(arguments[-1] if name == "filter" else first)) if arguments else None
    if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        from isoflop.portability.scan.expressions import attribute_of

        return attribute_of(reader, first, str(node.args[1].value))
    if name == "enumerate":
        return Each(Group((PLAIN, element(first))))
    if name == "zip":
        return Each(Group(tuple(element(a) for a in arguments)))
    if name == "map" and len(arguments) > 1:
        return Each(_applied(reader, first, *(element(a) for a in arguments[1:])))
    if name == "next":
        return element(first)
    if name in ("sum", "max", "min", "abs", "round", "pow"):
        inside = element(first) if name in ("sum", "max", "min") and not isinstance(first, Thing) else first
        return inside if isinstance(inside, Thing) and inside.type in known.ARRAY_TYPES else None
    if name == "super" and reader.owner is not None:
        return Parent(reader.owner)
    if name == "dict":
        return Keyed(tuple((key or "*", value) for key, value in keywords.items())) if keywords else first
    return _of_container(name, receiver) if name.startswith("dict.") else None


def _of_container(name: str, receiver: Value) -> Value:
    inside: Value
    if isinstance(receiver, Keyed):
        inside = element(Group(tuple(v for _, v in receiver.items)))
    else:
        inside = element(receiver)
    return {
        "dict.items": Each(Group((PLAIN, inside))),
        "dict.values": Each(inside),
        "dict.keys": Each(PLAIN),
    }.get(name, inside if name in ("dict.get", "dict.pop") else None)


def _applied(reader: Reader, function: Value, *arguments: Value) -> Value:
    """Return what a function gives that some other function calls."""
    if isinstance(function, Function):
        return _call_function(reader, function, list(arguments), {})
    if isinstance(function, Name) and reader.is_resolved(function):
        return known.result(function, arguments, frozenset())
    return known.called_layer(function) if isinstance(function, Thing) else None


def _members(first: Value, arguments: list[Value]) -> Value:
    if len(arguments) > 1:
        return Group(tuple(arguments[: 4 * MOST]))
    if isinstance(first, Keyed):
        return Group(tuple(v for _, v in first.items))
    if isinstance(first, (Group, Each)):
        inside = element(first)
        return (
            element(inside) if isinstance(inside, Each) else (first if isinstance(first, Group) else inside)
        )
    return first


def _through(reader: Reader, members: Value, arguments: list[Value]) -> None:
    """Tell the modules of the text inside a sequence what they are called on."""
    inside = members.items if isinstance(members, Group) else (members,)
    for one in inside:
        if isinstance(one, Made):
            _call_made(reader, one, arguments, {})


def _call_made(
    reader: Reader, made: Made, arguments: list[Value], keywords: dict[str | None, Value]
) -> Value:
    for name in ("forward", "__call__", "call"):
        method = _method(made.cls, name)
        if method is not None:
            return _call_function(reader, method, arguments, keywords, skip=1)
    base = _framework_base(made.cls)
    return known.array(base) if base and known.is_layer(base) else None


def _framework_base(cls: Class, depth: int = 0) -> str:
    for base in cls.bases:
        if isinstance(base, Name):
            return base.path
        if isinstance(base, Class) and depth < MOST:
            return _framework_base(base, depth + 1)
    return ""


def _method(cls: Class, name: str, depth: int = 0) -> Function | None:
    found = cls.members.get(name)
    if isinstance(found, Function):
        return found
    for base in cls.bases:
        if isinstance(base, Class) and depth < MOST:
            above = _method(base, name, depth + 1)
            if above is not None:
                return above
    return None


def _call_function(
    reader: Reader,
    function: Function,
    arguments: list[Value],
    keywords: dict[str | None, Value],
    skip: int = 0,
) -> Value:
    parameters = function.parameters
    decorators = getattr(function.node, "decorator_list", ())
    if skip and any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators):
        skip = 0
    for parameter, value in zip(parameters[skip:], arguments, strict=False):
        reader.learn_parameter(function, parameter.arg, value)
    for name, value in keywords.items():
        if name is not None and value is not None:
            reader.learn_parameter(function, name, value)
    return function.returns
