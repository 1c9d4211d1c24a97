"""Statements in the order in which they would run; ways that may be taken are joined afterwards."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from isoflop.portability.names import array_of, canonical, names
from isoflop.portability.scan import known
from isoflop.portability.scan.calls import write
from isoflop.portability.scan.marks import import_mark, is_guard, kernel_mark
from isoflop.portability.scan.reader import AUTOGRAD, base_of, default_nodes
from isoflop.portability.scan.scopes import Scope
from isoflop.portability.scan.values import (
    Class,
    Each,
    Function,
    Group,
    Made,
    Name,
    Thing,
    Value,
    element,
    join,
)

if TYPE_CHECKING:
    from isoflop.portability.scan.reader import Reader

_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def run(reader: Reader, body: list[ast.stmt]) -> bool:
    """Read statements; return whether the way ends in them."""
    ended = False
    for node in body:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            ended = bool(handler(reader, node)) or ended
        else:
            _others(reader, node)
            ended = ended or isinstance(node, _ENDS)
    return ended


def _others(reader: Reader, node: ast.AST) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            reader.value(child)


def assign(reader: Reader, target: ast.expr, value: Value) -> None:
    """Bind what stands left of an equals sign."""
    if isinstance(target, ast.Name):
        reader.scope.bind(target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(reader, target.elts, value)
    elif isinstance(target, ast.Starred):
        assign(reader, target.value, Each(element(value)))
    elif isinstance(target, ast.Attribute):
        owner = reader.value(target.value)
        if isinstance(owner, (Made, Class)):
            reader.learn_attribute(owner.cls if isinstance(owner, Made) else owner, target.attr, value)
    elif isinstance(target, ast.Subscript):
        reader.value(target.value)
        reader.value(target.slice)


def _unpack(reader: Reader, targets: list[ast.expr], value: Value) -> None:
    starred = any(isinstance(target, ast.Starred) for target in targets)
    if isinstance(value, Group) and len(value.items) == len(targets) and not starred:
        for target, item in zip(targets, value.items, strict=True):
            assign(reader, target, item)
        return
    inside = value if isinstance(value, Thing) and value.type in known.ARRAY_TYPES else element(value)
    for target in targets:
        assign(reader, target, Each(inside) if isinstance(target, ast.Starred) else inside)


def _assignment(reader: Reader, node: ast.Assign) -> None:
    value = reader.value(node.value)
    for target in node.targets:
        assign(reader, target, value)


def _annotated(reader: Reader, node: ast.AnnAssign) -> None:
    value = reader.value(node.value)
    declared = reader.declared(node.annotation)
    if declared is not None or node.value is not None:
        assign(reader, node.target, declared if value is None else value)


def _augmented(reader: Reader, node: ast.AugAssign) -> None:
    value = reader.value(node.value)
    if isinstance(node.target, ast.Name):
        before = reader.value(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        arrays = [v for v in (before, value) if isinstance(v, Thing) and v.type in known.ARRAY_TYPES]
        reader.scope.bind(node.target.id, arrays[0] if arrays else before)
    else:
        reader.value(node.target)


def _import(reader: Reader, node: ast.Import) -> None:
    for alias in node.names:
        import_mark(reader, node, alias.name)
        _note(reader, alias.name)
        if alias.asname:
            reader.scope.bind(alias.asname, _imported(reader, alias.name))
        else:
            root = alias.name.partition(".")[0]
            reader.scope.bind(root, Name(root))


def _import_from(reader: Reader, node: ast.ImportFrom) -> None:
    module = node.module or ""
    if node.level:
        home = reader.package.split(".")
        kept = home[: len(home) - node.level + 1]
        module = ".".join([*kept, module] if module else kept)
    else:
        import_mark(reader, node, module)
        _note(reader, module)
    for alias in node.names:
        if alias.name == "*":
            _star(reader, module)
            continue
        if node.level or module in reader.modules:
            value = reader.modules.get(module, {}).get(alias.name)
            if value is None and f"{module}.{alias.name}" in reader.modules:
                value = Name(f"{module}.{alias.name}")
        else:
            value = _imported(reader, f"{module}.{alias.name}")
        reader.scope.bind(alias.asname or alias.name, value)


def _imported(reader: Reader, path: str) -> Value:
    home, _, last = path.rpartition(".")
    if home in reader.modules:
        return reader.modules[home].get(last)
    return Name(path)


def _note(reader: Reader, module: str) -> None:
    root = module.partition(".")[0]
    if root in ("torch", "jax", "tensorflow", "keras", "mlx"):
        reader.frameworks.add(root)


def _star(reader: Reader, module: str) -> None:
    if module in reader.modules:
        reader.scope.names |= {k: v for k, v in reader.modules[module].items() if not k.startswith("_")}
        return
    listed = names(module.partition(".")[0])
    if listed is not None:
        for name in listed.star(canonical(module)):
            reader.scope.bind(name, Name(f"{module}.{name}"))


def _function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    function = reader.functions.get(node)
    if function is None:
        function = reader.functions[node] = Function(node, reader.scope)
    function.scope = reader.scope
    function.owner = reader.owner if reader.scope.is_class else None
    arguments = node.args
    for name, default in default_nodes(arguments).items():
        value_given = reader.value(default)
        if reader.uses(value_given):
            function.defaults[name] = join(value_given, None)
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if parameter.annotation is not None:
            reader.value(parameter.annotation)
    if node.returns is not None and function.returns is None:
        function.returns = reader.declared(node.returns)
    value: Value = function
    for decorator in reversed(node.decorator_list):
        value = _decorate(reader, decorator, value, function)
    if function.owner is not None:
        _method(function.owner, node.name, function)
    reader.scope.bind(node.name, value)
    reader.waiting.append(function)


def _decorate(reader: Reader, node: ast.expr, value: Value, function: Function) -> Value:
    given = reader.value(node)
    kernel_mark(reader, node, given)
    called = given
    if isinstance(node, ast.Call):
        inner = node.args[0] if node.args else None
        made_by = reader.value(node.func) if False else given
        called = made_by
        if inner is not None and isinstance(given, Name):
            called = given
    elif isinstance(given, Name) and reader.is_resolved(given):
        write(
            reader,
            ast.copy_location(ast.Call(node, [], []), node),
            canonical(given.path),
            "exact",
            "decorator",
        )
    if isinstance(called, Name):
        path = canonical(called.path)
        if path.startswith("jax.") and not function.is_array_code:
            function.is_array_code = "jax.Array"
        if path == "builtins.property" and reader.owner is not None:
            reader.owner.properties.add(getattr(function.node, "name", ""))
        if path in known.DIFFERENTIATE:
            return known.differentiated(path, frozenset())
    return value


def _method(owner: Class, name: str, function: Function) -> None:
    owner.members[name] = function
    if name in ("forward", "call", "training_step", "validation_step", "test_step", "predict_step", "loss"):
        base = base_of(owner)
        if base and (known.is_layer(base) or base == AUTOGRAD):
            function.is_array_code = array_of(canonical(known.WRAPPER_BASES.get(base, base)))
    if name == "backward" and base_of(owner) == AUTOGRAD:
        function.is_array_code = "torch.Tensor"


def _class(reader: Reader, node: ast.ClassDef) -> None:
    bases = tuple(reader.value(base) for base in node.bases)
    for keyword in node.keywords:
        reader.value(keyword.value)
    for decorator in node.decorator_list:
        reader.value(decorator)
    cls = reader.classes.get(node)
    if cls is None:
        cls = reader.classes[node] = Class(node.name)
    cls.bases = bases
    keep = reader.scope, reader.owner
    reader.scope, reader.owner = Scope(keep[0], is_class=True), cls
    run(reader, node.body)
    cls.members |= {k: v for k, v in reader.scope.names.items() if not isinstance(v, Function)}
    reader.scope, reader.owner = keep
    reader.scope.bind(node.name, cls)


def _return(reader: Reader, node: ast.Return) -> bool:
    value = reader.value(node.value)
    if reader.current is not None:
        reader.learn_return(reader.current, value)
    return True


def _branches(reader: Reader, ways: list[list[ast.stmt]]) -> bool:
    """Read ways of which one is taken, and join what they bind."""
    before = dict(reader.scope.names)
    after: list[dict[str, Value]] = []
    for way in ways:
        reader.scope.names = dict(before)
        if not run(reader, way):
            after.append(reader.scope.names)
    reader.scope.names = _joined(after) if after else before
    return not after


def _joined(ways: list[dict[str, Value]]) -> dict[str, Value]:
    found = dict(ways[0])
    for way in ways[1:]:
        for name in {**found, **way}:
            one, other = found.get(name), way.get(name)
            if one is not other:
                found[name] = join(one, other)
    return found


def _if(reader: Reader, node: ast.If) -> bool:
    reader.value(node.test)
    guard = is_guard(node.test)
    narrowed = _narrowed(reader, node.test)
    before = dict(reader.scope.names)
    reader.guards += guard
    if narrowed is not None:
        reader.scope.names[narrowed[0]] = narrowed[1]
    first_ends = run(reader, node.body)
    reader.guards -= guard
    first = reader.scope.names
    reader.scope.names = before
    second_ends = run(reader, node.orelse)
    ways = [w for w, ends in ((first, first_ends), (reader.scope.names, second_ends)) if not ends]
    reader.scope.names = _joined(ways) if ways else before
    return not ways


def _narrowed(reader: Reader, test: ast.expr) -> tuple[str, Value] | None:
    """Return the name that ``isinstance`` pins down in a branch, and as what."""
    if not isinstance(test, ast.Call) or not test.args or not isinstance(test.args[0], ast.Name):
        return None
    name = test.args[0].id
    if name not in reader.scope.names:
        return None
    if isinstance(test.func, ast.Name) and test.func.id == "isinstance" and len(test.args) == 2:
        declared = reader.declared(test.args[1])
        return (name, declared) if declared is not None else None
    func = test.func
    if isinstance(func, ast.Attribute) and func.attr == "is_tensor":
        return name, Thing("torch.Tensor")
    return None


def _for(reader: Reader, node: ast.For | ast.AsyncFor) -> None:
    assign(reader, node.target, element(reader.value(node.iter)))
    _branches(reader, [node.body, []])
    run(reader, node.orelse)


def _while(reader: Reader, node: ast.While) -> None:
    reader.value(node.test)
    _branches(reader, [node.body, []])
    run(reader, node.orelse)


def _with(reader: Reader, node: ast.With | ast.AsyncWith) -> bool:
    for item in node.items:
        value = reader.value(item.context_expr)
        if item.optional_vars is not None:
            assign(reader, item.optional_vars, value)
    return run(reader, node.body)


def _try(reader: Reader, node: Any) -> bool:
    before = dict(reader.scope.names)
    ended = run(reader, node.body) or run(reader, node.orelse)
    tried = reader.scope.names
    for handler in node.handlers:
        reader.scope.names = {**before, **tried}
        reader.value(handler.type)
        if handler.name:
            reader.scope.names[handler.name] = None
        if not run(reader, handler.body):
            tried = _instead(reader, tried, reader.scope.names)
            ended = False
    reader.scope.names = tried
    return run(reader, node.finalbody) or ended


def _instead(reader: Reader, tried: dict[str, Value], handled: dict[str, Value]) -> dict[str, Value]:
    """Return what holds after a try: its body wins, as the handler is the way for those who lack it.

    Where the body binds nothing of a framework and the handler does, either may be called.
    """
    found = dict(handled)
    for name, value in tried.items():
        either = bool(reader.uses(handled.get(name))) and not reader.uses(value)
        if value is not None:
            found[name] = join(value, handled[name]) if either else value
    return found


def _match(reader: Reader, node: ast.Match) -> bool:
    reader.value(node.subject)
    for case in node.cases:
        reader.value(case.guard)
    return _branches(reader, [*(case.body for case in node.cases), []])


def _delete(reader: Reader, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            reader.scope.names.pop(target.id, None)


_HANDLERS: dict[type[ast.stmt], Any] = {
    ast.AnnAssign: _annotated,
    ast.Assign: _assignment,
    ast.AsyncFor: _for,
    ast.AsyncFunctionDef: _function,
    ast.AsyncWith: _with,
    ast.AugAssign: _augmented,
    ast.ClassDef: _class,
    ast.Delete: _delete,
    ast.For: _for,
    ast.FunctionDef: _function,
    ast.If: _if,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
    ast.Return: _return,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.While: _while,
    ast.With: _with,
}
