"""From pooled exponents to findings with stable ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding
from isoflop.scaling.pooling.differences import CONFOUNDED, Difference
from isoflop.scaling.pooling.group import ESTIMATORS, Group, Pool, halving_estimate
from isoflop.scaling.studies.comparators import PUBLISHED, PUBLISHED_FAMILIARITY
from isoflop.scaling.studies.sartor2024 import BIAS_CAUTION, halving_factor

if TYPE_CHECKING:
    from isoflop.scaling.pooling.pooled import Pooled

HEADLINES = ("data", "model_size", "compute")
METHOD_TEXT = {
    "hierarchical": "binomial likelihood of each study, normal exponents; interval over papers (sandwich, t)",
    "random_effects": "binomial likelihood, normal paper and study effects; profile interval, t over papers",
    "three_level": "REML with paper and study effects on each study's estimate; CR2 interval",
    "two_level": "REML on each study's estimate, studies independent; Knapp-Hartung interval",
    "sartor2024": "least squares in percent, exponents in (−1, 0), plain mean with t interval",
}
_WORDS = {"data": "data", "model_size": "model size", "compute": "compute", "inference": "inference compute"}
REDUCIBLE = "halves the reducible error: performance does not double, and a floor, if there is one, stays."
UNLIKE = "exponents of success error and of cross-entropy are different quantities: compare like with like."


def findings_of(pooled: Pooled) -> tuple[Finding, ...]:
    """Return exponents and halving factors by resource, groups, differences and the ratio to vision."""
    found = [f for resource in HEADLINES for f in _resource(pooled, resource)]
    found += [
        f for resource in pooled.resources if resource not in HEADLINES for f in _resource(pooled, resource)
    ]
    found += [_familiarity(pooled, d) for d in pooled.familiarity]
    found += _classes(pooled)
    if pooled.domain is not None:
        found.append(_ratio(pooled))
    return tuple(found)


def _resource(pooled: Pooled, resource: str) -> Iterator[Finding]:
    group, word = pooled.group(resource), _WORDS[resource]
    base, factor = f"scaling.exponent_{resource}_robotics", f"scaling.halving_factor_{resource}_robotics"
    published = PUBLISHED.get(resource)
    beside = {"published": published.to_dict()} if published else {}
    if group is None:
        reason = f"no study of {word} in {pooled.fits.sample.table.name}. Add studies."
        for id_, label, unit in (
            (base, f"exponent of error in {word}, robotics", "1"),
            (factor, f"multiple of {word} that halves the reducible error", "×"),
        ):
            yield _finding(
                pooled,
                id_,
                label,
                Estimate(value=None, unit=unit),
                "none",
                0,
                (reason,),
                beside | {"reason": reason},
            )
        return
    lead = pooled.fits.method
    for method in (lead, *(m for m in ESTIMATORS if m != lead)):
        suffix = "" if method == lead else f".{method}"
        details = _details(pooled, group, group.pools[method]) | beside if method == lead else {}
        if method == "hierarchical":
            details["decisive_paper"] = pooled.decisive_paper(resource)
        yield _exponent(
            pooled,
            base + suffix,
            f"exponent of error in {word}, robotics",
            group.pools[method],
            method,
            details,
        )
        if method in (lead, "sartor2024"):
            yield _halving(pooled, factor + suffix, word, group.pools[method], method, published)
    yield _logit(pooled, resource, word, group.pools["hierarchical"])
    for by, names in (("source", ("literature", "own study")), ("familiarity", ("seen", "unseen"))):
        for name in names:
            part = pooled.group(resource, by, name)
            if part is not None and part.pools:
                where = name.replace(" ", "_")
                label = f"exponent of error in {word}, robotics, {name}"
                extra = _published_familiarity(resource, name)
                yield _exponent(pooled, f"{base}.{where}", label, part.pools[lead], lead, extra)


def _published_familiarity(resource: str, name: str) -> dict[str, Any]:
    if resource != "data" or name not in PUBLISHED_FAMILIARITY:
        return {}
    value, low, high = PUBLISHED_FAMILIARITY[name]
    return {"published": {"mean": value, "low": low, "high": high, "version": "v2"}}


def _details(pooled: Pooled, group: Group, lead: Pool) -> dict[str, Any]:
    own = pooled.group(group.resource, "source", "own study")
    literature = pooled.group(group.resource, "source", "literature")
    prediction = lead.prediction
    return {
        "n_papers": lead.n_papers,
        "weights": pooled.weights,
        "floor": pooled.fits.floor,
        "floor_ratio": pooled.fits.floor_ratio.get(group.resource),
        "default_trials": pooled.fits.sample.default_trials,
        "sd": lead.sd,
        "median": lead.median,
        "prediction": None if prediction is None else {"low": prediction.low, "high": prediction.high},
        "own_study": _small(own.pools["hierarchical"]) if own is not None else None,
        "literature": _small(literature.pools["hierarchical"]) if literature is not None else None,
        "methods": {name: _small(group.pools[name]) for name in ESTIMATORS},
    }


def _small(pool: Pool) -> dict[str, Any]:
    e = pool.exponent
    return {
        "value": e.value,
        "low": e.low,
        "high": e.high,
        "n_studies": pool.n_studies,
        "n_papers": pool.n_papers,
        "reason": pool.reason,
    }


def _exponent(
    pooled: Pooled, id_: str, label: str, pool: Pool, method: str, details: dict[str, Any]
) -> Finding:
    said = [text for text in (pool.reason, details.get("decisive_paper", "")) if text]
    said.append(BIAS_CAUTION if method == "sartor2024" else UNLIKE)
    shown = {"n_papers": pool.n_papers, "estimator": method} | details
    return _finding(
        pooled, id_, label, pool.exponent, METHOD_TEXT[method], pool.n_studies, tuple(said), shown
    )


def _halving(pooled: Pooled, id_: str, word: str, pool: Pool, method: str, published: Any) -> Finding:
    label = f"multiple of {word} that halves the reducible error"
    estimate = halving_estimate(pool.exponent)
    details: dict[str, Any] = {
        "n_papers": pool.n_papers,
        "estimator": method,
        "exponent": pool.exponent.value,
    }
    if method == "sartor2024" and pool.median is not None:
        # as published: the factor is that of the median, which has no interval there
        estimate = Estimate(value=halving_factor(pool.median), unit="×")
        details |= {"from": "median", "median": pool.median}
    if published is not None:
        details["published"] = published.halving_factor
    said = [f"the factor {REDUCIBLE}", *([pool.reason] if pool.reason else [])]
    if estimate.interval == "open_above":
        said.append("the interval of the exponent reaches 0: no finite factor is excluded.")
    if method == "sartor2024":
        said.append(BIAS_CAUTION)
    return _finding(pooled, id_, label, estimate, METHOD_TEXT[method], pool.n_studies, tuple(said), details)


def _logit(pooled: Pooled, resource: str, word: str, pool: Pool) -> Finding:
    return _finding(
        pooled,
        f"scaling.logit_success_per_tenfold_{resource}_robotics",
        f"rise of logit(success) per tenfold of {word}, robotics",
        pooled.logit_slopes[resource],
        "logistic curve of each study, binomial likelihood; interval over papers (sandwich, t)",
        pool.n_studies,
        (pool.reason,) if pool.reason else (),
        {"n_papers": pool.n_papers},
    )


def _familiarity(pooled: Pooled, d: Difference) -> Finding:
    word = _WORDS[d.resource]
    details: dict[str, Any] = {
        "n_studies": d.n_studies,
        "n_papers": d.n_papers,
        "papers_with_both": d.papers_with_both,
        "within_papers": None if d.within is None else _interval(d.within),
        "reason": d.reason,
    }
    if d.welch is not None:
        details["sartor2024"] = _interval(d.welch.difference) | {
            "t": d.welch.t, "df": d.welch.df, "p": d.welch.p, "stars": d.welch.stars,
        }  # fmt: skip
    said = (CONFOUNDED, *([d.reason] if d.reason else []))
    return _finding(
        pooled,
        f"scaling.familiarity_difference_{d.resource}_robotics",
        f"exponent in {word}, unseen minus seen (positive: seen tasks improve faster)",
        d.estimate,
        "hierarchical, familiarity as moderator; interval over papers (sandwich, t)",
        sum(d.n_studies),
        said,
        details,
    )


def _classes(pooled: Pooled) -> Iterator[Finding]:
    ids = ("scaling.class_difference_robotics", "scaling.class_difference_robotics.prompted_as_llm")
    for id_, d in zip(ids, pooled.class_difference, strict=True):
        details = {"n_studies": d.n_studies, "n_papers": d.n_papers, "reason": d.reason, "contrast": d.label}
        yield _finding(
            pooled,
            id_,
            f"exponent, {d.label}",
            d.estimate,
            "hierarchical, class as moderator beside a mean for each resource; interval over papers",
            sum(d.n_studies),
            (d.reason,) if d.reason else (),
            details,
        )


def _ratio(pooled: Pooled) -> Finding:
    domain = pooled.domain
    assert domain is not None
    said = (domain.reason,) if domain.reason else (
        f"the interval is robotics' alone: {len(domain.theirs)} published exponents of {domain.domain} "
        "without a spread of their own.",
    )  # fmt: skip
    return _finding(
        pooled,
        f"scaling.exponent_ratio_robotics_{domain.domain}",
        f"robotics' exponent over {domain.domain}'s, error rate over error rate",
        domain.ratio,
        "pooled exponent over the mean of published ones of the same resource, metric and form",
        len(domain.theirs),
        (*said, UNLIKE),
        {
            "resource": domain.resource,
            "theirs": domain.theirs,
            "sources": domain.sources,
            "reason": domain.reason,
            "apart": domain.apart,
        },
    )


def _interval(e: Estimate) -> dict[str, Any]:
    return {"value": e.value, "low": e.low, "high": e.high, "level": e.level}


def _finding(
    pooled: Pooled,
    id_: str,
    label: str,
    estimate: Estimate,
    method: str,
    n: int,
    said: tuple[str, ...],
    details: dict[str, Any],
) -> Finding:
    return Finding(
        id=id_,
        instrument="scaling",
        label=label,
        estimate=estimate,
        method=method,
        n=n,
        evidence=pooled.provenance,
        cautions=(*said, *pooled.fits.cautions),
        details=details,
    )
