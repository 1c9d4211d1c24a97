"""What the tables of targets and providers hold. Each framework's folder lists its own entries."""

from __future__ import annotations

from dataclasses import dataclass

from isoflop.portability.model import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """A target by its id, and where its class lives.

    Parameters
    ----------
    id : str
        ``framework:target``.
    home : str
        ``module:Class``; called with the arguments of the id, as text.
    level : str
        The highest level of evidence that it can give.
    needs : str
        What must be installed, as one would ask for it; empty for nothing.
    reference : str
        Id of the target that its results are compared with.
    """

    id: str
    home: str
    level: Level
    needs: str = ""
    reference: str
    doc: str = ""

    @property
    def framework(self) -> str:
        """Return the framework whose calls it takes."""
        return self.id.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """A provider by its name, and where its class lives."""

    name: str
    framework: str
    home: str
    needs: str = ""
    doc: str = ""
    default: bool = True
    """Whether its items are part of a framework's catalogue unless others are named."""
