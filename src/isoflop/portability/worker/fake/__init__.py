"""Targets of known behaviour, on NumPy alone: the negative controls of every run."""

from __future__ import annotations

from isoflop.portability.entries import ProviderEntry, TargetEntry
from isoflop.portability.model import Level

_HERE = "isoflop.portability.worker.fake"


def _entry(name: str, home: str, doc: str, level: Level = "ran") -> TargetEntry:
    return TargetEntry(
        id=f"fake:{name}", home=f"{_HERE}.targets:{home}", level=level, reference="fake:plain", doc=doc
    )


TARGETS: tuple[TargetEntry, ...] = (
    _entry("plain", "Plain", "NumPy on this computer: the reference of the negative controls."),
    _entry("slow", "Slow", "Every call takes the stated number of times as long."),
    _entry("broken", "Broken", "Fails exactly the named functions."),
    _entry("wrong", "Wrong", "Perturbs the named functions by the stated relative error."),
    _entry("silent_fallback", "SilentFallback", "Computes the named functions elsewhere."),
    _entry("crashy", "Crashy", "Aborts on the named functions."),
    _entry("hang", "Hang", "Never returns from the named functions."),
    _entry("oom", "OutOfMemory", "Runs out of memory on the named functions."),
    _entry("lower", "Lower", "Lowers functions and runs none; fails the named ones.", "lowered"),
    _entry("absent", "Missing", "Is never there."),
)
PROVIDERS: tuple[ProviderEntry, ...] = (
    ProviderEntry(name="fake", framework="fake", home=f"{_HERE}.provider:Plain", doc="Plain functions."),
    ProviderEntry(
        name="fake_trouble",
        framework="fake",
        home=f"{_HERE}.provider:Trouble",
        doc="Functions that crash, hang, flood or eat memory.",
    ),
)
