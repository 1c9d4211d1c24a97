"""One verb for slow-downs, whoever measured them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.errors import SettingError
from isoflop.portability.model import Bootstrap, Policy, Wilson
from isoflop.portability.runs import Run

if TYPE_CHECKING:
    from isoflop.portability.paper.slowdown import PaperSlowdown
    from isoflop.portability.slowdown.result import Slowdown

OWN_RULE, PAPER_RULE = "interleaved", "robust"


def slowdown(
    results: Any,
    *,
    source: str,
    target: str,
    framework: str | None = None,
    rule: str | None = None,
    first_call: str | None = None,
    outcome_filter: bool | None = None,
    dtype_join: str | None = None,
    policy: Policy = "strict",
    protocol: str | None = None,
    ci: Wilson | Bootstrap | None = None,
) -> Slowdown | PaperSlowdown:
    """Return how many times slower functions are on `target` than on `source`.

    Parameters
    ----------
    results : Run or PaperResults
        Own timings, or published ones.
    source, target : str
    framework : str, optional
        Needed for published results, and where targets take calls of several.
    rule, first_call, outcome_filter, dtype_join : optional
        How published timings are joined and averaged; see `isoflop.portability.paper`. An own run has
        one rule: neighbouring blocks, passed tasks, equal inputs.
    policy, protocol : optional
        Of own runs; see `own_slowdown`.
    ci : Wilson or Bootstrap, optional

    Raises
    ------
    SettingError
        A setting belongs to the other kind of results.

    Examples
    --------
    >>> import numpy as np
    >>> from isoflop.portability.simulate import PlantedRun
    >>> run, _ = PlantedRun(functions=8).draw(np.random.default_rng(0))
    >>> slowdown(run, source="made:plain", target="made:other").n
    8
    """
    if isinstance(results, Run):
        from isoflop.portability.slowdown.own import own_slowdown

        given = {"rule": rule, "first_call": first_call, "outcome_filter": outcome_filter,
                 "dtype_join": dtype_join}  # fmt: skip
        for name, value in given.items():
            if value not in (None, OWN_RULE):
                raise SettingError(
                    f"slowdown: {name}={value!r}, is for published timings; an own run pairs blocks of equal "
                    "inputs. Leave it out."
                )
        draws = ci if isinstance(ci, Bootstrap) else Bootstrap(level=ci.level if ci else 0.95)
        return own_slowdown(
            results,
            source=source,
            target=target,
            framework=framework,
            policy=policy,
            protocol=protocol,
            ci=draws,
        )
    from isoflop.portability.paper import paper_slowdown

    return paper_slowdown(
        results,
        source=source,
        target=target,
        framework=framework,
        rule=rule or PAPER_RULE,
        first_call=first_call,
        outcome_filter=outcome_filter,
        dtype_join=dtype_join,
        ci=ci,
    )
