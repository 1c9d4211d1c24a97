"""What an expression may be, as far as reading the text can tell.

None stands for "unknown" and `PLAIN` for "known to be nothing of a framework": a number, a string, an array
of NumPy. Only unknown receivers may ever give a ``possible`` call.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from isoflop.portability.scan.scopes import Scope


@dataclass(frozen=True, slots=True)
class Name:
    """Something importable: a module, function, class or method, by its dotted name.

    `sure` is whether the text says so without inference; `receiver` is what a method is bound to.
    """

    path: str
    sure: bool = True
    receiver: Value = None


@dataclass(frozen=True, slots=True)
class Thing:
    """An instance of a class of a framework; `of` is what iterating or indexing gives."""

    type: str
    of: Value = None


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple or list whose members are known one by one."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """A container whose members are alike; `is_batch` where moving it to a device gives the same again."""

    of: Value
    is_batch: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """A dictionary with literal keys."""

    items: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several, by the way that the program takes."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Gives:
    """Something that, when called, gives a known value."""

    value: Value


@dataclass(frozen=True, slots=True)
class Plain:
    """Nothing of a framework."""


@dataclass(slots=True, eq=False)
class Function:
    """A function of the text, with what is found out about it pass by pass."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: Class | None = None
    given: dict[str, Value] = field(default_factory=dict)
    defaults: dict[str, Value] = field(default_factory=dict)
    returns: Value = None
    is_array_code: str = ""
    """Type of array that its parameters are, where a framework calls it with arrays."""

    @property
    def parameters(self) -> list[ast.arg]:
        """Parameters by position."""
        return [*self.node.args.posonlyargs, *self.node.args.args]


@dataclass(slots=True, eq=False)
class Class:
    """A class of the text: its bases, methods and what its instances hold."""

    name: str
    bases: tuple[Value, ...] = ()
    members: dict[str, Value] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    properties: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Made:
    """An instance of a class of the text."""

    cls: Class


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of a class of the text, bound to an instance or to the class."""

    function: Function


@dataclass(frozen=True, slots=True)
class Parent:
    """What ``super()`` gives inside a class of the text."""

    cls: Class


Value: TypeAlias = (
    "Name | Thing | Group | Each | Keyed | Choice | Gives | Plain | Function | Class"
    " | Made | Bound | Parent | None"
)
PLAIN = Plain()
MOST = 6
"""Alternatives and members kept."""


def join(one: Value, other: Value) -> Value:
    """Return what holds after either way was taken: knowledge beats its absence, but is no longer sure.

    Examples
    --------
    >>> join(Name("torch.relu"), None)
    Name(path='torch.relu', sure=False, receiver=None)
    """
    if one is other or one == other:
        return one
    if one is None or isinstance(one, Plain):
        return _unsure(other) if other is not None else one
    if other is None or isinstance(other, Plain):
        return _unsure(one)
    if isinstance(one, Group) and isinstance(other, Group) and len(one.items) == len(other.items):
        return Group(tuple(join(a, b) for a, b in zip(one.items, other.items, strict=True)))
    if isinstance(one, Name) and isinstance(other, Name) and one.path == other.path:
        return replace(one, sure=one.sure and other.sure)
    options = dict.fromkeys(_unsure(v) for way in (one, other) for v in alternatives(way))
    return Choice(tuple(options)[:MOST])


def alternatives(value: Value) -> tuple[Value, ...]:
    """Return the options of a choice, or the value itself."""
    return value.options if isinstance(value, Choice) else (value,)


def element(value: Value) -> Value:
    """Return what iterating gives.

    Examples
    --------
    >>> element(Group((Thing("torch.nn.Linear"), Thing("torch.nn.Linear"))))
    Thing(type='torch.nn.Linear', of=None)
    """
    if isinstance(value, Each):
        return value.of
    if isinstance(value, Group):
        found: Value = value.items[0] if value.items else None
        for item in value.items[1:]:
            found = join(found, item)
        return found
    if isinstance(value, Thing):
        return element(value.of) if isinstance(value.of, Group) else value.of
    if isinstance(value, Choice):
        return element(value.options[0])
    return PLAIN if isinstance(value, Plain) else None


def _unsure(value: Value) -> Value:
    return replace(value, sure=False) if isinstance(value, Name) and value.sure else value
