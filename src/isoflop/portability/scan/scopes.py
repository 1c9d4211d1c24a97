"""Scopes: which names a function binds, and where a name is looked up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from isoflop.portability.scan.values import Value, join

_Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Scope:
    """Names bound in a module, class, function or comprehension.

    Parameters
    ----------
    parent : Scope or None
    is_class : bool
        Methods do not see the names of their class.
    local : frozenset of str
        Names that the body binds somewhere: before that they are unbound here, not those of an outer scope.
    outer : frozenset of str
        Names declared ``global`` or ``nonlocal``.
    """

    __slots__ = ("is_class", "local", "names", "outer", "parent")

    def __init__(
        self,
        parent: Scope | None,
        *,
        is_class: bool = False,
        local: frozenset[str] = frozenset(),
        outer: frozenset[str] = frozenset(),
    ) -> None:
        self.parent, self.is_class, self.local, self.outer = parent, is_class, local, outer
        self.names: dict[str, Value] = {}

    def look_up(self, name: str) -> tuple[bool, Value]:
        """Return whether the name is bound in the text, and to what."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return True, scope.names[name]
            if name in scope.local and name not in scope.outer:
                return True, None
            scope = scope.parent
        return False, None

    def bind(self, name: str, value: Value) -> None:
        """Bind a name here, or where it was declared to live."""
        scope: Scope = self
        if name in self.outer:
            while scope.parent is not None and name not in scope.parent.names:
                scope = scope.parent
            scope = scope.parent or scope
            value = join(scope.names.get(name), value)
        scope.names[name] = value


def bound_names(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a function's body binds, and those it declares to live elsewhere."""
    bound: set[str] = set()
    outer: set[str] = set()
    for child in _own(node):
        kind = type(child)
        if kind is ast.Name:
            if not isinstance(child.ctx, ast.Load):  # type: ignore[attr-defined]
                bound.add(child.id)  # type: ignore[attr-defined]
        elif kind is ast.FunctionDef or kind is ast.ClassDef or kind is ast.AsyncFunctionDef:
            bound.add(child.name)  # type: ignore[attr-defined]
        elif kind is ast.Import or kind is ast.ImportFrom:
            bound |= {(a.asname or a.name.partition(".")[0]) for a in child.names}  # type: ignore[attr-defined]
        elif kind is ast.ExceptHandler and child.name:  # type: ignore[attr-defined]
            bound.add(child.name)  # type: ignore[attr-defined]
        elif kind is ast.Global or kind is ast.Nonlocal:
            outer |= set(child.names)  # type: ignore[attr-defined]
    return frozenset(bound), frozenset(outer)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a body, but not those inside functions, classes and comprehensions within it."""
    waiting: list[ast.AST] = (
        list(getattr(node, "body", ())) if not isinstance(node, ast.Lambda) else [node.body]
    )
    while waiting:
        child = waiting.pop()
        yield child
        if isinstance(child, (*_Function, ast.ClassDef)):
            continue
        if isinstance(child, _COMPREHENSIONS):
            waiting += [n for n in ast.walk(child) if isinstance(n, ast.NamedExpr)]
            continue
        waiting += ast.iter_child_nodes(child)
