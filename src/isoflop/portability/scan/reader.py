"""Reading one file: names are resolved as Python would, without running anything.

A file is read up to `PASSES` times, until nothing new is found out about its functions and classes; only the
last pass writes down calls. A function's body is read after the body around it, as it would run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from isoflop.portability.names import RESOLVED, canonical, gives
from isoflop.portability.scan import known
from isoflop.portability.scan.scopes import Scope, bound_names
from isoflop.portability.scan.sites import Confidence, Mark, Site, Use, site_of
from isoflop.portability.scan.values import (
    MOST,
    Class,
    Function,
    Name,
    Thing,
    Value,
    alternatives,
    join,
)

AUTOGRAD = "torch.autograd.Function"
PASSES = 3
"""Passes over a file at most: facts about a function reach its callers' callers in two."""


def _nothing(reader: Reader, node: Any) -> Value:
    """Know nothing of an expression, before reading begins."""


Way = Callable[["Reader", Any], Value]
Found = tuple[ast.Call, str, Confidence, Use]


@dataclass(slots=True)
class Reader:
    """State of reading one file."""

    package: str = ""
    walrus: bool = True
    """Whether the text has a ``:=`` anywhere."""
    modules: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    """Names bound by other files of the same scan, by the dotted name of the module."""
    scope: Scope = field(default_factory=lambda: Scope(None))
    found: list[Found] = field(default_factory=list)
    """Calls of this pass: what is called, how sure, how, and the node."""
    marks: list[Mark] = field(default_factory=list)
    functions: dict[ast.AST, Function] = field(default_factory=dict)
    classes: dict[ast.AST, Class] = field(default_factory=dict)
    locals: dict[ast.AST, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    waiting: list[Function] = field(default_factory=list)
    current: Function | None = None
    owner: Class | None = None
    frameworks: set[str] = field(default_factory=set)
    guards: int = 0
    ways: Mapping[type[ast.expr], Way] = field(default_factory=dict)
    other_way: Way = _nothing
    learnt: bool = False
    """Whether this pass found out something that an earlier line could use."""

    def read(self, tree: ast.Module) -> dict[str, Value]:
        """Read a module and return the names that it binds."""
        from isoflop.portability.scan.expressions import EXPRESSIONS, other
        from isoflop.portability.scan.statements import run

        self.ways, self.other_way = EXPRESSIONS, other
        for _ in range(PASSES):
            self.found, self.marks, self.learnt = [], [], False
            self.scope = Scope(None)
            run(self, tree.body)
            while self.waiting:
                self._read_function(self.waiting.pop(0))
            if not self.learnt:
                break
        return self.scope.names

    @property
    def sites(self) -> list[Site]:
        """The calls that the last pass wrote down."""
        return [site_of(*found) for found in self.found]

    def _read_function(self, function: Function) -> None:
        from isoflop.portability.scan.statements import run

        node = function.node
        if node not in self.locals:
            self.locals[node] = bound_names(node, walrus=self.walrus)
        local, outer = self.locals[node]
        keep = self.scope, self.current, self.owner, self.guards
        self.scope = Scope(function.scope, local=local, outer=outer)
        self.current, self.owner, self.guards = function, function.owner, 0
        self._bind_parameters(function)
        if isinstance(node, ast.Lambda):
            self.learn_return(function, self.value(node.body))
        else:
            run(self, node.body)
        self.scope, self.current, self.owner, self.guards = keep

    def _bind_parameters(self, function: Function) -> None:
        arguments = function.node.args
        names = self.scope.names
        defaults = default_nodes(arguments)
        for parameter in (*function.parameters, *arguments.kwonlyargs):
            value = function.given.get(parameter.arg)
            if parameter.annotation is not None:
                declared = self.declared(parameter.annotation)
                value = declared if declared is not None else value
            default = defaults.get(parameter.arg)
            if value is None:
                value = function.defaults.get(parameter.arg)
            if value is None and function.is_array_code and _may_be_array(default):
                value = Thing(function.is_array_code)
            names[parameter.arg] = value
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                names[rest.arg] = None
        if function.owner is not None and function.parameters and not _has(function.node, "staticmethod"):
            from isoflop.portability.scan.values import Made

            first = function.parameters[0].arg
            is_class = _has(function.node, "classmethod")
            names[first] = function.owner if is_class else Made(function.owner)
        elif function.owner is not None and function.parameters and base_of(function.owner) == AUTOGRAD:
            names[function.parameters[0].arg] = Thing(known.CONTEXT)

    def value(self, node: ast.expr | None) -> Value:
        """Return what an expression may be, writing down the calls in it."""
        return None if node is None else self.ways.get(node.__class__, self.other_way)(self, node)

    def declared(self, node: ast.expr) -> Value:
        """Return an instance of what an annotation names; None where it names nothing of a framework."""
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, str):
                return None
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return None
        if isinstance(node, ast.BinOp):
            return self.declared(node.left) or self.declared(node.right)
        if isinstance(node, ast.Subscript):
            return self._declared_inside(node)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._instance(self.value(node))
        return None

    def _declared_inside(self, node: ast.Subscript) -> Value:
        from isoflop.portability.scan.values import Each, Group

        outer = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inside = [self.declared(part) for part in parts if isinstance(part, ast.expr)]
        if outer in ("Optional", "Union", "Annotated", "Final", "ClassVar"):
            return next((value for value in inside if value is not None), None)
        if outer in ("Tuple", "tuple") and not any(isinstance(p, ast.Constant) for p in parts):
            return Group(tuple(inside))
        if outer in ("List", "list", "Sequence", "Iterable", "Iterator", "Tuple", "tuple", "Set"):
            return Each(inside[0]) if inside and inside[0] is not None else None
        if outer in ("Dict", "dict", "Mapping"):
            return Each(inside[-1]) if inside and inside[-1] is not None else None
        return None

    def _instance(self, value: Value) -> Value:
        from isoflop.portability.scan.values import Made

        if isinstance(value, Class):
            return Made(value)
        if not isinstance(value, Name):
            return None
        path = canonical(value.path)
        if path in known.ARRAY_TYPES or path in ("torch.FloatTensor", "torch.LongTensor"):
            return Thing("torch.Tensor" if path.startswith("torch.") else path)
        if path.startswith(("jaxtyping.",)):
            return None
        if path == "torch.utils.data.DataLoader":
            return known.result(value, (), frozenset())
        return Thing(path) if gives(path) in ("class", "layer") else None

    def learn_return(self, function: Function, value: Value) -> None:
        """Add to what a function may return."""
        found = join(function.returns, value) if function.returns is not None else value
        if found != function.returns:
            function.returns = found
            self.learnt = True

    def learn_parameter(self, function: Function, name: str, value: Value) -> None:
        """Add to what a parameter may be, by a call of the function."""
        if value is None:
            return
        found = join(function.given.get(name), value)
        if found != function.given.get(name):
            function.given[name] = found
            self.learnt = True

    def learn_attribute(self, cls: Class, name: str, value: Value) -> None:
        """Add to what an attribute of instances may be."""
        if value is None and name in cls.attributes:
            return
        known_before = cls.attributes.get(name)
        found = join(known_before, value) if name in cls.attributes else value
        if found != known_before or name not in cls.attributes:
            cls.attributes[name] = found
            self.learnt = True

    def is_resolved(self, value: Value) -> bool:
        """Say whether a value is a name of a framework whose calls are attributed."""
        return isinstance(value, Name) and value.path.partition(".")[0] in RESOLVED

    def uses(self, value: Value) -> list[Name]:
        """Return the framework's names among the alternatives of a value."""
        return [v for v in alternatives(value) if isinstance(v, Name) and self.is_resolved(v)]


def default_nodes(arguments: ast.arguments) -> dict[str, ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args]
    found = dict(
        zip(
            [a.arg for a in positional[len(positional) - len(arguments.defaults) :]],
            arguments.defaults,
            strict=True,
        )
    )
    found |= {
        a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None
    }
    return found


def base_of(cls: Class, depth: int = 0) -> str:
    """Return the framework's class that a class of the text goes back to; empty for none."""
    for base in cls.bases:
        if isinstance(base, Name):
            return canonical(base.path)
        if isinstance(base, Class) and depth < PASSES + MOST:
            found = base_of(base, depth + 1)
            if found:
                return found
    return ""


def _may_be_array(default: ast.expr | None) -> bool:
    """Say whether a parameter with this default may be given an array: not flags, numbers and words."""
    return default is None or (isinstance(default, ast.Constant) and default.value is None)


def _has(node: ast.AST, decorator: str) -> bool:
    return any(isinstance(d, ast.Name) and d.id == decorator for d in getattr(node, "decorator_list", ()))
