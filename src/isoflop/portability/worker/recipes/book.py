"""How recipes are written, and what is read from them.

A line is one recipe, or several that share their arguments::

    [jax.numpy]                                  names below start with this
    sin cos tan: x(8, 16)                        jax.numpy.sin(x(8, 16)), and so on
    sqrt: pos(8, 16)
    matmul: x(N, N), x(N, N) | N=8,64,512        three sizes
    = torch.nn.Conv2d(3, 8, 3)(x(2, 3, 8, 8))    a whole expression; named torch.nn.Conv2d
    torch.add = x(8) + x(8)                      a name for an expression
    unique: index(20, below=6) | data_dependent

After ``|`` stand options. A kind: ``random``, ``undefined_values``, ``data_dependent_shape``. A check:
``sorted``, ``shape_dtype``, ``distribution``. ``rebuild=svd``: a form of the module ``rebuild`` beside this.
``dtypes=int32,bool``: the dtypes that the recipe takes, its own choice first; default the floating ones.
``nograd``: no gradients. ``size=tiny``: rung of the size ladder. ``N=8,64,512,2048``: rungs tiny, small,
medium, large. In an expression ``main`` stands for the item's dtype in the framework's own words.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any, cast, get_args

from isoflop.errors import SettingError
from isoflop.portability.model import SizeClass
from isoflop.portability.task import Kind
from isoflop.portability.worker.interface import Check
from isoflop.portability.worker.recipes.inputs import MAKERS

FLOATS = ("float32", "float64", "float16", "bfloat16")
RUNGS: tuple[SizeClass, ...] = ("tiny", "small", "medium", "large")
_HEAD = re.compile(r"^\[([\w.]+)\]$")
_SHARED = re.compile(r"^(?P<names>[\w.]+(?: [\w.]+)*): *(?P<rest>.*)$")
_WHOLE = re.compile(r"^(?P<name>[\w.]+)? *= *(?P<rest>.+)$")
_LADDER = "N"
_MAIN = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One call, written down.

    Parameters
    ----------
    function : str
        Canonical qualified name.
    expression : str
        The call in the framework's words, with makers for inputs.
    dtypes : tuple of str
        What the item's dtype may be, the recipe's own choice first.
    size_class : str
    ladder : int or None
        What ``N`` stands for.
    kind, check, rebuild
        How outputs may be compared.
    gradient : bool
    """

    function: str
    expression: str
    dtypes: tuple[str, ...] = FLOATS
    size_class: SizeClass = "small"
    ladder: int | None = None
    kind: Kind = "deterministic"
    check: Check = "values"
    rebuild: str | None = None
    gradient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A maker in an expression: ``index(4, below=8)``."""

    maker: str
    shape: tuple[int, ...]
    options: dict[str, Any]


def read(text: str) -> tuple[Recipe, ...]:
    """Return the recipes of a file in its order.

    Raises
    ------
    SettingError
        A line that is no recipe; the message has its number.

    Examples
    --------
    >>> [(r.function, r.expression) for r in read("[jax.numpy]\\nsin cos: x(2)")]
    [('jax.numpy.sin', 'jax.numpy.sin(x(2))'), ('jax.numpy.cos', 'jax.numpy.cos(x(2))')]
    """
    prefix, found = "", list[Recipe]()
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if head := _HEAD.match(line):
            prefix = head[1]
            continue
        try:
            found += _line(line, prefix)
        except (ValueError, SyntaxError) as error:
            raise SettingError(
                f"recipes: line {number} is {line!r}: {error}. Write 'names: arguments | options'."
            ) from error
    return tuple(found)


def _line(line: str, prefix: str) -> list[Recipe]:
    body, *rest = line.rsplit(" | ", 1)
    options = rest[0] if rest else ""
    if whole := _WHOLE.match(body):
        pairs = [(whole["name"] or named(whole["rest"]), whole["rest"])]
    elif shared := _SHARED.match(body):
        pairs = [
            (f"{prefix}.{name}", f"{prefix}.{name}({shared['rest']})") for name in shared["names"].split()
        ]
    else:
        raise ValueError("neither 'names: arguments' nor '= expression'")
    return [recipe for name, expression in pairs for recipe in _recipes(name, expression, options.split())]


def _recipes(function: str, expression: str, options: list[str]) -> list[Recipe]:
    ast.parse(expression, mode="eval")
    settings: dict[str, Any] = {}
    ladder: list[int] = []
    for option in options:
        name, _, value = option.partition("=")
        if name in get_args(Kind):
            settings["kind"] = cast("Kind", name)
        elif name in get_args(Check) and name != "reconstruct":
            settings["check"] = cast("Check", name)
        elif name == "rebuild":
            settings |= {"check": "reconstruct", "rebuild": value}
        elif name == "dtypes":
            settings["dtypes"] = tuple(value.split(","))
        elif name == "nograd":
            settings["gradient"] = False
        elif name == "size" and value in RUNGS:
            settings["size_class"] = value
        elif name == _LADDER:
            ladder = [int(part) for part in value.split(",")]
        else:
            raise ValueError(f"unknown option {option!r}")
    if not ladder:
        return [Recipe(function=function, expression=expression, **settings)]
    return [
        Recipe(function=function, expression=expression, **{**settings, "size_class": rung, "ladder": n})
        for rung, n in zip(RUNGS, ladder, strict=False)
    ]


def named(expression: str) -> str:
    """Return the dotted name of what an expression calls; brackets in between are left out.

    Examples
    --------
    >>> named("torch.distributions.Normal(0.0, pos(3)).log_prob(x(3))")
    'torch.distributions.Normal.log_prob'
    """
    node: ast.AST = ast.parse(expression, mode="eval").body
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            raise ValueError("not a call of a named function; write 'name = expression'")
    return ".".join([node.id, *reversed(parts)])


class _Lift(ast.NodeTransformer):
    """Takes makers out of an expression and puts names in their place."""

    def __init__(self, ladder: int | None) -> None:
        self.ladder = ladder
        self.inputs: list[Input] = []

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == _LADDER and self.ladder is not None:
            return ast.copy_location(ast.Constant(self.ladder), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in MAKERS:
            return node
        self.inputs.append(
            Input(
                maker=node.func.id,
                shape=tuple(_number(part) for part in node.args),
                options={str(word.arg): _number(word.value) for word in node.keywords},
            )
        )
        return ast.copy_location(ast.Name(f"_{len(self.inputs) - 1}", ast.Load()), node)


def _number(node: ast.expr) -> Any:
    """Return the value of a literal or of arithmetic on literals, such as ``4 * 64``."""
    return eval(compile(ast.Expression(node), "<recipe>", "eval"), {"__builtins__": {}})


def lift(recipe: Recipe) -> tuple[str, tuple[Input, ...]]:
    """Return a recipe as the text of a function of its inputs, and the inputs.

    Examples
    --------
    >>> text, inputs = lift(read("[jax.numpy]\\ntake: x(8), index(3, below=8), axis=0")[0])
    >>> text, [one.maker for one in inputs]
    ('lambda _0, _1: jax.numpy.take(_0, _1, axis=0)', ['x', 'index'])
    """
    lifting = _Lift(recipe.ladder)
    body = ast.fix_missing_locations(lifting.visit(ast.parse(recipe.expression, mode="eval"))).body
    names = ", ".join(f"_{i}" for i in range(len(lifting.inputs)))
    return f"lambda {names}: {ast.unparse(body)}" if names else f"lambda: {ast.unparse(body)}", tuple(
        lifting.inputs
    )
