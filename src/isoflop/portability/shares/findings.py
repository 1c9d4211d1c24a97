"""Failure shares as findings, qualified by framework and target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isoflop.findings import Finding, equal_probability_quantiles
from isoflop.portability.counted import share_finding

if TYPE_CHECKING:
    from isoflop.portability.sampling.estimate import DesignShare
    from isoflop.portability.shares.result import ShareCell, Shares

HEADLINE = "portability.failure_share"
_WORDS = {
    "failing": "that fail wholly or in part",
    "partial": "that fail in part",
    "complete": "that fail wholly",
}


def qualifier(framework: str, target: str) -> str:
    """Return framework and target as they stand in ids.

    Examples
    --------
    >>> qualifier("torch", "torch:meta"), qualifier("jax", "gpu_t4"), qualifier("fake", "fake:slow(10)")
    ('torch.meta', 'jax.gpu_t4', 'fake.slow_10')
    """
    return f"{plain(framework)}.{plain(target.removeprefix(f'{framework}:'))}"


def plain(text: str) -> str:
    """Return a name as it stands in ids: lower-case letters, digits, ``_`` and ``-``."""
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_") or "unnamed"


def findings_of(found: Shares) -> tuple[Finding, ...]:
    """Return the findings of failure shares.

    Ids: ``portability.failure_share.<framework>.<target>`` under the leading policy; with ``.fallback`` or
    ``.strict`` for the other, ``.partial``, ``.complete``, ``.design`` and ``.calls``. A group by dtype or
    family stands after the target.
    """
    out: list[Finding] = []
    names = _names(found)
    for cell in found.cells:
        base = names[(*cell.key, cell.group)]
        if cell.policy != found.policy:
            out.append(_finding(found, cell, f"{base}.{cell.policy}", "failing"))
            continue
        out.append(_finding(found, cell, base, "failing"))
        if cell.group:
            continue
        out += [_finding(found, cell, f"{base}.{kind}", kind) for kind in ("partial", "complete")]
        for name, share in (("design", cell.by_design), ("calls", cell.by_calls)):
            if share is not None:
                out.append(_weighted(found, cell, f"{base}.{name}", share))
    return tuple(out)


def _names(found: Shares) -> dict[tuple[str, ...], str]:
    """Return the id of each target and group; the level, then a number, tells equal ones apart."""
    names: dict[tuple[str, ...], str] = {}
    for cell in found.leading:
        base = f"{HEADLINE}.{qualifier(cell.framework, cell.target)}"
        if cell.group:
            base += f".{plain(cell.group)}"
        if base in names.values():
            base += f".{plain(cell.level)}"
        name, number = base, 2
        while name in names.values():
            name, number = f"{base}_{number}", number + 1
        names[(*cell.key, cell.group)] = name
    return names


def _finding(found: Shares, cell: ShareCell, name: str, kind: str) -> Finding:
    count = {"partial": cell.partial, "complete": cell.complete}.get(kind, cell.partial + cell.complete)
    group = f" ({cell.group})" if cell.group else ""
    return share_finding(
        name,
        f"functions of {cell.framework} {_WORDS[kind]} on {cell.target}{group}, {cell.policy} policy",
        count,
        cell.counted,
        method=f"counted failures of functions, level {cell.level}, {cell.policy} policy",
        evidence=found.provenance,
        cautions=tuple(dict.fromkeys((*found.notes, *found.cautions_of(cell)))),
        details=_details(cell),
        level=found.ci_level,
    )


def _details(cell: ShareCell) -> dict[str, object]:
    return {
        "framework": cell.framework,
        "target": cell.target,
        "level": cell.level,
        "policy": cell.policy,
        "success": cell.success,
        "partial": cell.partial,
        "complete": cell.complete,
        "not_counted": cell.not_counted,
        "only_with_fallback": cell.only_with_fallback,
        "results": cell.tasks,
        "results_left_out": cell.left_out,
    }


def _weighted(found: Shares, cell: ShareCell, name: str, share: DesignShare) -> Finding:
    return Finding(
        id=name,
        instrument="portability",
        label=f"share of {share.of} of {cell.framework} that fail on {cell.target}, weighted",
        estimate=share.estimate,
        method=f"{share.method}; level {cell.level}, {cell.policy} policy; {found.weighted}",
        n=share.n,
        evidence=found.provenance,
        cautions=tuple(dict.fromkeys((*found.notes, *found.cautions_of(cell)))),
        details=_details(cell)
        | {
            "drawn": share.drawn,
            "tested": share.n,
            "best_case": share.band[0],
            "worst_case": share.band[1],
            "draws": equal_probability_quantiles(share.draws),
        },
    )
