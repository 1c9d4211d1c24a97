"""Targets of known behaviour, on NumPy alone: the negative controls of every run."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry
from isoflop.portability.model import Level

_HERE = "isoflop.portability.worker.fake"
_REFERENCE = "fake:plain"


def _target(name: str, doc: str, level: Level = "ran") -> TargetEntry:
    return TargetEntry(
        id=f"fake:{name}", home=f"{_HERE}.targets:{name}", level=level, reference=_REFERENCE, doc=doc
    )


def _provider(name: str, maker: str, doc: str, *, default: bool = False) -> ProviderEntry:
    return ProviderEntry(
        name=name, framework="fake", home=f"{_HERE}.provider:{maker}", doc=doc, default=default
    )


TARGETS: tuple[TargetEntry, ...] = (
    _target("plain", "NumPy on this computer: the reference of the negative controls."),
    _target("slow", "Takes as many times as long as the number in brackets says."),
    _target("broken", "Lacks the functions named."),
    _target("wrong", "Is off by a relative error on the functions named: fake:wrong(add,0.01)."),
    _target("crashy", "Dies of a memory fault on the functions named."),
    _target("hang", "Never returns on the functions named, whatever signal comes."),
    _target("oom", "Fills memory on the functions named."),
    _target("silent_fallback", "Computes the functions named on another device and does not say so."),
    _target("fallback", "Computes the functions named on another device and says so."),
    _target("trouble", "Lets the functions of provider fake_trouble do their harm."),
    _target("lower", "Lowers and runs nothing; has no rule for the functions named.", "lowered"),
    _target("traced", "Propagates shapes alone; cannot for the functions named.", "traced"),
    _target("absent", "Is never here."),
)
PROVIDERS: tuple[ProviderEntry, ...] = (
    _provider(
        "fake",
        "healthy",
        "Functions on which nothing goes wrong, each kind of output among them.",
        default=True,
    ),
    _provider("fake_null", "null", "A function that does nothing: what a task costs by itself."),
    _provider("fake_trouble", "trouble", "Functions that kill, hang or flood a worker on fake:trouble."),
)
