"""What each kind of expression may be. Each is visited exactly once a pass, and so is every call."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from isoflop.portability.names import array_of, canonical, gives
from isoflop.portability.scan import known
from isoflop.portability.scan.calls import call
from isoflop.portability.scan.marks import dtype_mark
from isoflop.portability.scan.scopes import Scope
from isoflop.portability.scan.values import (
    MOST,
    PLAIN,
    Bound,
    Choice,
    Class,
    Each,
    Function,
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

_BUILTINS = frozenset(dir(builtins))


def other(reader: Reader, node: ast.AST) -> Value:
    """Visit what is inside an expression of which nothing is known."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            reader.value(child)
        elif not isinstance(child, (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)):
            other(reader, child)
    return None


def _plain(reader: Reader, node: ast.AST) -> Value:
    other(reader, node)
    return PLAIN


def _constant(reader: Reader, node: ast.Constant) -> Value:  # noqa: ARG001
    return None if node.value is None else PLAIN


def _name(reader: Reader, node: ast.Name) -> Value:
    found, value = reader.scope.look_up(node.id)
    if found:
        return value
    return Name(f"builtins.{node.id}") if node.id in _BUILTINS else None


def _attribute(reader: Reader, node: ast.Attribute) -> Value:
    found = attribute_of(reader, reader.value(node.value), node.attr)
    if isinstance(found, Name) and gives(canonical(found.path)) in ("value", "class"):
        dtype_mark(reader, node, found)
    return found


def attribute_of(reader: Reader, owner: Value, name: str) -> Value:
    """Return the attribute of a value."""
    if isinstance(owner, Choice):
        found = tuple(dict.fromkeys(attribute_of(reader, one, name) for one in owner.options))
        useful = tuple(one for one in found if one is not None)
        return useful[0] if len(useful) == 1 else Choice(useful) if useful else None
    if isinstance(owner, Name):
        if owner.path in reader.modules:
            return reader.modules[owner.path].get(name)
        if owner.path == "builtins.dict.values":
            return attribute_of(reader, element(owner.receiver), name)
        if owner.receiver is None or gives(canonical(owner.path)) == "":
            return Name(f"{owner.path}.{name}", owner.sure)
        return None
    if isinstance(owner, Thing):
        return known.attribute(owner, name)
    if isinstance(owner, Made):
        return _member(owner.cls, name, owner)
    if isinstance(owner, Class):
        return _member(owner, name, owner)
    if isinstance(owner, Parent):
        for base in owner.cls.bases:
            found_above = _member_of_base(base, name, Made(owner.cls))
            if found_above is not None:
                return found_above
        return None
    if isinstance(owner, Each) and owner.is_batch and name in ("to", "cuda"):
        return Name(f"{array_of('torch')}.{name}", sure=False, receiver=owner)
    if isinstance(owner, Each) and name in known.NAMED_MEMBERS and name != "values":
        return owner.of
    if isinstance(owner, (Keyed, Each, Group)) and name in (
        "items",
        "values",
        "keys",
        "get",
        "pop",
        "append",
    ):
        return Name(f"builtins.dict.{name}", receiver=owner)
    return PLAIN if isinstance(owner, Plain) else None


def _member(cls: Class, name: str, receiver: Value, depth: int = 0) -> Value:
    """Return an attribute of a class of the text: its own, then its bases'."""
    if name in cls.attributes and cls.attributes[name] is not None:
        return cls.attributes[name]
    if name in cls.members:
        found = cls.members[name]
        if isinstance(found, Function):
            return found.returns if name in cls.properties else Bound(found)
        return found
    if depth < MOST and name not in cls.attributes:
        for base in cls.bases:
            above = _member_of_base(base, name, receiver, depth + 1)
            if above is not None:
                return above
    return None


def _member_of_base(base: Value, name: str, receiver: Value, depth: int = 0) -> Value:
    if isinstance(base, Class):
        return _member(base, name, receiver, depth)
    return known.inherited(canonical(base.path), name, receiver) if isinstance(base, Name) else None


def _operation(reader: Reader, node: ast.BinOp) -> Value:
    left, right = reader.value(node.left), reader.value(node.right)
    for one in (*alternatives(left), *alternatives(right)):
        if isinstance(one, Thing) and one.type in known.ARRAY_TYPES:
            return Thing(one.type)
    if isinstance(left, (Group, Each)) and isinstance(right, (Group, Each)):
        if isinstance(left, Group) and isinstance(right, Group):
            return Group((*left.items, *right.items)[: 4 * MOST])
        return Each(join(element(left), element(right)))
    return PLAIN if isinstance(left, Plain) and isinstance(right, Plain) else None


def _unary(reader: Reader, node: ast.UnaryOp) -> Value:
    found = reader.value(node.operand)
    return PLAIN if isinstance(node.op, ast.Not) else found


def _compare(reader: Reader, node: ast.Compare) -> Value:
    values = [reader.value(node.left), *(reader.value(part) for part in node.comparators)]
    if isinstance(node.ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn)):
        return PLAIN
    for one in values:
        if isinstance(one, Thing) and one.type in known.ARRAY_TYPES:
            return Thing(one.type)
    return None


def _boolean(reader: Reader, node: ast.BoolOp) -> Value:
    found: Value = None
    for part in node.values:
        found = join(found, reader.value(part))
    return found


def _either(reader: Reader, node: ast.IfExp) -> Value:
    from isoflop.portability.scan.marks import is_guard

    guard = is_guard(node.test)
    reader.guards += guard
    reader.value(node.test)
    found = join(reader.value(node.body), reader.value(node.orelse))
    reader.guards -= guard
    return found


def _subscript(reader: Reader, node: ast.Subscript) -> Value:
    owner = reader.value(node.value)
    reader.value(node.slice)
    return _indexed(owner, node.slice)


def _indexed(owner: Value, index: ast.expr) -> Value:
    if isinstance(owner, Thing):
        if owner.type in known.ARRAY_TYPES:
            return owner
        if owner.type == "torch.nn.Sequential" and isinstance(owner.of, Group):
            return _indexed(owner.of, index)
        return element(owner.of) if isinstance(owner.of, Group) else owner.of
    literal = index.value if isinstance(index, ast.Constant) else None
    if (
        isinstance(index, ast.UnaryOp)
        and isinstance(index.op, ast.USub)
        and isinstance(index.operand, ast.Constant)
    ):
        literal = -index.operand.value if isinstance(index.operand.value, int) else None
    if isinstance(owner, Group):
        if isinstance(literal, int) and -len(owner.items) <= literal < len(owner.items):
            return owner.items[literal]
        return Each(element(owner)) if isinstance(index, ast.Slice) else element(owner)
    if isinstance(owner, Keyed):
        entries = dict(owner.items)
        if isinstance(literal, str):
            return entries.get(literal)
        return element(Group(tuple(entries.values())))
    if isinstance(owner, Each):
        return owner if isinstance(index, ast.Slice) else owner.of
    return None


def _sequence(reader: Reader, node: ast.Tuple | ast.List | ast.Set) -> Value:
    values = [reader.value(part.value if isinstance(part, ast.Starred) else part) for part in node.elts]
    if any(isinstance(part, ast.Starred) for part in node.elts):
        spread = [
            element(v) if isinstance(p, ast.Starred) else v for v, p in zip(values, node.elts, strict=True)
        ]
        return Each(element(Group(tuple(spread))))
    return Group(tuple(values)) if len(values) <= 4 * MOST else Each(element(Group(tuple(values))))


def _dictionary(reader: Reader, node: ast.Dict) -> Value:
    entries: list[tuple[str, Value]] = []
    for key, part in zip(node.keys, node.values, strict=True):
        reader.value(key)
        value = reader.value(part)
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            entries.append((key.value, value))
        elif key is None and isinstance(value, Keyed):
            entries += value.items
        else:
            entries.append(("*", value))
    return Keyed(tuple(entries))


def _comprehension(
    reader: Reader, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
) -> Value:
    from isoflop.portability.scan.statements import assign

    keep = reader.scope
    first = reader.value(node.generators[0].iter)
    reader.scope = Scope(keep)
    for i, part in enumerate(node.generators):
        assign(reader, part.target, element(first if i == 0 else reader.value(part.iter)))
        for test in part.ifs:
            reader.value(test)
    if isinstance(node, ast.DictComp):
        reader.value(node.key)
        found = reader.value(node.value)
    else:
        found = reader.value(node.elt)
    reader.scope = keep
    return Each(found)


def _lambda(reader: Reader, node: ast.Lambda) -> Value:
    function = reader.functions.get(node)
    if function is None:
        function = reader.functions[node] = Function(node, reader.scope)
    function.scope = reader.scope
    for default in (*node.args.defaults, *node.args.kw_defaults):
        reader.value(default)
    reader.waiting.append(function)
    return function


def _walrus(reader: Reader, node: ast.NamedExpr) -> Value:
    found = reader.value(node.value)
    reader.scope.bind(node.target.id, found)
    return found


def _yield(reader: Reader, node: ast.Yield) -> Value:
    found = reader.value(node.value)
    if reader.current is not None:
        reader.learn_return(reader.current, Each(found))
    return None


def _inside(reader: Reader, node: ast.Await | ast.Starred) -> Value:
    return reader.value(node.value)


EXPRESSIONS: dict[type[ast.expr], Callable[[Reader, Any], Value]] = {
    ast.Attribute: _attribute,
    ast.Await: _inside,
    ast.BinOp: _operation,
    ast.BoolOp: _boolean,
    ast.Call: call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Dict: _dictionary,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _either,
    ast.JoinedStr: _plain,
    ast.Lambda: _lambda,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Set: _sequence,
    ast.SetComp: _comprehension,
    ast.Starred: _inside,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
}
