"""Which targets can be used here, and why the others cannot."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isoflop.errors import SettingError
from isoflop.findings import Provenance, json_ready
from isoflop.portability.engine.child import Child, WorkerDied
from isoflop.portability.registry import TARGETS, extend, parse_target
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

FRAMEWORKS_PYTHON = "ISOFLOP_FRAMEWORKS_PYTHON"
DETECT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreters:
    """Which Python runs the worker of which target.

    Parameters
    ----------
    named : mapping
        Target id or framework to interpreter; the target wins.
    default : str
        For all others.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    default: str = field(default_factory=lambda: os.environ.get(FRAMEWORKS_PYTHON) or sys.executable)

    @classmethod
    def of(cls, given: Iterable[str]) -> Interpreters:
        """Return interpreters from texts ``PATH`` or ``NAME=PATH``.

        Raises
        ------
        SettingError
            A path is no file.
        """
        named: dict[str, str] = {}
        default = None
        for text in given:
            name, sign, path = text.rpartition("=")
            if not os.path.isfile(path):  # noqa: PTH113 (an interpreter may be a link that resolve() loses)
                raise SettingError(f"--python: no interpreter {path}, needs a file. Give PATH or NAME=PATH.")
            if sign:
                named[name] = path
            else:
                default = path
        return cls(named=named) if default is None else cls(named=named, default=default)

    def __call__(self, target: str) -> str:
        """Return the interpreter of a target; the fakes need nothing and run here."""
        name = target.partition("(")[0]
        framework = name.partition(":")[0]
        if framework == "fake":
            return sys.executable
        return self.named.get(name) or self.named.get(framework) or self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """A target here: present with its versions, or absent with the reason."""

    id: str
    framework: str
    level: str
    present: bool
    reason: str = ""
    target_version: str = ""
    framework_version: str = ""
    device_name: str = ""
    driver: str = ""
    notes: str = ""
    doc: str = ""
    needs: str = ""

    def row(self) -> dict[str, Any]:
        """Return the state as a table row."""
        return {name: getattr(self, name) for name in self.__slots__}

    def columns(self) -> dict[str, Any]:
        """Return the columns of a result that follow from the target alone."""
        names = ("target_version", "framework_version", "device_name", "driver")
        return {name: getattr(self, name) or None for name in names}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetList:
    """All targets, present and absent."""

    targets: tuple[TargetState, ...]

    @property
    def present(self) -> tuple[TargetState, ...]:
        """Return those that can be used here; the fakes aside."""
        return tuple(t for t in self.targets if t.present and t.framework != "fake")

    def __getitem__(self, name: str) -> TargetState:
        return {target.id: target for target in self.targets}[name]

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return none: a target that is absent says why."""
        return ()

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Return none: nothing was measured."""
        return ()

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a target."""
        return [target.row() for target in self.targets]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {"targets": json_ready(self.rows())}

    def summary(self) -> str:
        """Return a text of one screen."""
        real = [t for t in self.targets if t.framework != "fake"]
        lines = [f"targets: {len(self.present)} of {len(real)} can be used here"]
        lines += [f"  {t.id}: {t.reason or t.target_version}" for t in real]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def targets(
    names: Iterable[str] | None = None, *, python: Interpreters | None = None, detect: bool = True
) -> TargetList:
    """Return every known target: whether it can be used here, and why not.

    Parameters
    ----------
    names : iterable of str, optional
        Target ids; default all. Ids with arguments, such as ``fake:slow(10)``, are taken too.
    python : Interpreters, optional
        Which interpreter runs which target.
    detect : bool
        False lists them without starting a worker; then nothing is known to be present.

    Examples
    --------
    >>> [one.id for one in targets(["fake:plain"], detect=False).targets]
    ['fake:plain']
    """
    extend()
    chosen = list(names if names is not None else TARGETS)
    entries = {name: parse_target(name)[0] for name in chosen}
    interpreters = python or Interpreters()
    groups: dict[tuple[str, str], list[str]] = {}
    for name, entry in entries.items():
        groups.setdefault((interpreters(name), entry.framework), []).append(name)
    found: dict[str, dict[str, Any]] = {}
    for (interpreter, _), members in groups.items():
        if detect:
            found |= _detected(interpreter, members)
    states = []
    for name, entry in entries.items():
        told = found.get(name, {"present": False, "reason": "not looked for"})
        states.append(
            TargetState(
                id=name,
                framework=entry.framework,
                level=entry.level,
                doc=entry.doc,
                needs=entry.needs,
                **told,
            )
        )
    return TargetList(targets=tuple(states))


def _detected(interpreter: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Ask one worker for all; if one of them brings it down, ask for each alone."""
    try:
        child = Child(interpreter)
    except WorkerDied as died:
        last = (died.printed.strip().splitlines() or [died.signal_name])[-1]
        return {
            name: {"present": False, "reason": f"no worker starts in this Python: {last}"} for name in names
        }
    try:
        child.send({"do": "detect", "targets": names})
        told: dict[str, dict[str, Any]] = child.receive(DETECT_S)["detected"]
        child.close()
    except WorkerDied as died:
        if len(names) == 1:
            reason = f"looking for it ended in {died.status} ({died.signal_name})"
            return {names[0]: {"present": False, "reason": reason}}
        return {name: state for one in names for name, state in _detected(interpreter, [one]).items()}
    return told
