"""The one table that lists the instruments. Nothing of an instrument is imported until used."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from isoflop.errors import SettingError, closest


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """An instrument by name, with where its commands and its chapter live.

    Parameters
    ----------
    name : str
        Folder, command and first word of its finding ids.
    question : str
        What it answers, in plain words.
    paper : str
        The published study, as cited.
    commands, chapter, claims : str
        ``module:name`` of the click group, of the chapter factory, and of the function that judges the
        paper's claims on findings.
    """

    name: str
    question: str
    paper: str
    commands: str
    chapter: str
    claims: str


INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument(
        name="scaling",
        question="How much better does more buy, and what to train next?",
        paper="S. Sartor, N. Thompson (2024). Neural Scaling Laws in Robotics. arXiv:2405.14005v2.",
        commands="isoflop.scaling.commands:group",
        chapter="isoflop.scaling.chapter:chapter",
        claims="isoflop.scaling.claims:judge",
    ),
    Instrument(
        name="progress",
        question="How fast do algorithms make compute go further?",
        paper="A. Ho, T. Besiroglu, E. Erdil, D. Owen, R. Rahman, Z. C. Guo, D. Atkinson, N. Thompson, "
        "J. Sevilla (2024). Algorithmic progress in language models. NeurIPS.",
        commands="isoflop.progress.commands:group",
        chapter="isoflop.progress.chapter:chapter",
        claims="isoflop.progress.claims:judge",
    ),
    Instrument(
        name="divide",
        question="Who has the compute, and what do those without it do?",
        paper="T. Besiroglu, S. A. Bergerson, A. Michael, L. Heim, X. Luo, N. Thompson (2024). The Compute "
        "Divide in Machine Learning: A Threat to Academic Contribution and Scrutiny? arXiv:2401.02452.",
        commands="isoflop.divide.commands:group",
        chapter="isoflop.divide.chapter:chapter",
        claims="isoflop.divide.claims:judge",
    ),
    Instrument(
        name="routing",
        question="Which model for which task, when no one model wins?",
        paper="T. Shnitzer, A. Ou, M. Silva, K. Soule, Y. Sun, J. Solomon, N. Thompson, M. Yurochkin (2023). "
        "LLM Routing with Benchmark Datasets. arXiv:2309.15789.",
        commands="isoflop.routing.commands:group",
        chapter="isoflop.routing.chapter:chapter",
        claims="isoflop.routing.claims:judge",
    ),
    Instrument(
        name="portability",
        question="What still runs on other hardware, and how slowly?",
        paper="F. Mince, D. Dinh, J. Kgomo, N. Thompson, S. Hooker (2023). The Grand Illusion: The Myth of "
        "Software Portability and Implications for ML Progress. NeurIPS.",
        commands="isoflop.portability.commands:group",
        chapter="isoflop.portability.chapter:chapter",
        claims="isoflop.portability.claims:judge",
    ),
)


def choose(names: tuple[str, ...]) -> tuple[Instrument, ...]:
    """Return the named instruments in the table's order; all of them for no name.

    Raises
    ------
    SettingError
        A name is not in the table.
    """
    known = {i.name: i for i in INSTRUMENTS}
    for name in names:
        if name not in known:
            near = closest(name, known)
            hint = f"Did you mean {near!r}?" if near else "Choose one of these."
            raise SettingError(f"--only: {name!r}, must be one of {', '.join(known)}. {hint}")
    return tuple(i for i in INSTRUMENTS if not names or i.name in names)


def resolve(target: str) -> Any:
    """Return the object that ``module:name`` points at, importing its module."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
