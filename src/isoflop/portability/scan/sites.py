"""What a scan writes down of a file: calls of frameworks, and marks of what is tied to a device."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

Confidence = Literal["exact", "inferred", "possible"]
"""``exact``: names alone decide. ``inferred``: through the type of a receiver or one of several ways.
``possible``: the receiver is unknown, only the method's name fits; shown, never counted."""
Use = Literal["call", "construct", "method", "layer", "decorator"]
DTYPES = frozenset({
    "bfloat16", "complex64", "complex128", "double", "float16", "float32", "float64", "float8_e4m3fn",
    "float8_e5m2", "half", "int4", "int64", "int8", "uint8",
})  # fmt: skip
"""Dtypes noted where they are written out: those that not every device has, and the usual ones."""
MarkKind = Literal["device", "kernel", "vendor", "wrapper", "dtype"]


@dataclass(frozen=True, slots=True)
class Site:
    """One call of a framework's function.

    `line` is counted from 1, `column` from 0 in characters, at the last name of what is called; `function` is
    canonical; `written` is what stands in the text; `dtype` a literal dtype among the arguments.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    function: str
    written: str
    confidence: Confidence
    use: Use
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that names a device, a kernel of one's own, a vendor's library, a wrapper or a dtype."""

    line: int
    column: int
    kind: MarkKind
    what: str


def site_of(node: ast.Call, function: str, confidence: Confidence, use: Use) -> Site:
    """Return the site of a call; its place is that of the last name of what is called."""
    func = node.func
    line, column = func.end_lineno or func.lineno, func.end_col_offset or 0
    if isinstance(func, ast.Attribute):
        column -= len(func.attr.encode())
    elif isinstance(func, ast.Name):
        line, column = func.lineno, func.col_offset
    return Site(
        line=line,
        column=column,
        end_line=node.end_lineno or line,
        end_column=node.end_col_offset or column,
        function=function,
        written=_text(func),
        confidence=confidence,
        use=use,
        dtype=literal_dtype(node),
    )


def _text(func: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(func, ast.Attribute):
        parts.append(func.attr)
        func = func.value
    parts.append(func.id if isinstance(func, ast.Name) else "…")
    return ".".join(reversed(parts))


def literal_dtype(node: ast.Call) -> str:
    """Return the dtype that a call names; empty for none."""
    for keyword in node.keywords:
        if keyword.arg == "dtype":
            value = keyword.value
            if isinstance(value, ast.Attribute) and value.attr in DTYPES:
                return value.attr
            if isinstance(value, ast.Constant) and value.value in DTYPES:
                return str(value.value)
    return ""
