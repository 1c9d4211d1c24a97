"""Scopes: which names a function binds, and where a name is looked up."""

from __future__ import annotations

import ast
from typing import Any

from isoflop.portability.scan.values import Value, join


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


def bound_names(node: ast.AST, *, walrus: bool = True) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a function's body binds, and those it declares to live elsewhere.

    Expressions are looked into only where the text has a ``:=`` at all.
    """
    bound: set[str] = set()
    outer: set[str] = set()
    waiting: list[Any] = list(getattr(node, "body", ())) if not isinstance(node, ast.Lambda) else []
    while waiting:
        child = waiting.pop()
        kind = child.__class__
        if kind is ast.Name:
            bound.add(child.id)
        elif kind in _DEFINITIONS:
            bound.add(child.name)
        elif kind is ast.Import or kind is ast.ImportFrom:
            bound |= {(a.asname or a.name.partition(".")[0]) for a in child.names}
        elif kind is ast.Global or kind is ast.Nonlocal:
            outer |= set(child.names)
        else:
            if kind in _NAMING and child.name:
                bound.add(child.name)
            for name in _BINDING.get(kind, ()):
                inner = getattr(child, name)
                if inner.__class__ is list:
                    waiting += inner
                elif inner is not None:
                    waiting.append(inner)
    if walrus:
        bound |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
    return frozenset(bound), frozenset(outer)


_DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_NAMING = frozenset({ast.ExceptHandler, ast.MatchAs, ast.MatchStar})
_BINDING: dict[type[ast.AST], tuple[str, ...]] = {
    ast.AnnAssign: ("target",),
    ast.Assign: ("targets",),
    ast.AsyncFor: ("target", "body", "orelse"),
    ast.AsyncWith: ("items", "body"),
    ast.AugAssign: ("target",),
    ast.Delete: ("targets",),
    ast.ExceptHandler: ("body",),
    ast.For: ("target", "body", "orelse"),
    ast.If: ("body", "orelse"),
    ast.List: ("elts",),
    ast.Match: ("cases",),
    ast.MatchAs: ("pattern",),
    ast.MatchClass: ("patterns", "kwd_patterns"),
    ast.MatchMapping: ("patterns",),
    ast.MatchOr: ("patterns",),
    ast.MatchSequence: ("patterns",),
    ast.Starred: ("value",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.TryStar: ("body", "handlers", "orelse", "finalbody"),
    ast.Tuple: ("elts",),
    ast.While: ("body", "orelse"),
    ast.With: ("items", "body"),
    ast.match_case: ("pattern", "body"),
    ast.withitem: ("optional_vars",),
}
"""Where a statement binds names or holds statements that do."""
