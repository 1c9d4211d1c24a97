"""What a scan writes down of a file: calls of frameworks, and marks of what is tied to a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["exact", "inferred", "possible"]
"""``exact``: names alone decide. ``inferred``: through the type of a receiver or one of several ways.
``possible``: the receiver is unknown, only the method's name fits; shown, never counted."""
Use = Literal["call", "construct", "method", "layer", "decorator"]
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
