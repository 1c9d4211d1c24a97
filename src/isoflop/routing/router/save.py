"""A router on disk: one ``.npz`` without pickles, with a JSON manifest inside."""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError, IsoflopError
from isoflop.findings import Provenance, json_ready, write_atomically
from isoflop.routing.router import policies
from isoflop.routing.router.local import LocalFit
from isoflop.routing.router.policies import AtLeast, Budget, Cascade, CostAware, Policy, Quality

if TYPE_CHECKING:
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.router.router import Router

SCHEMA = 1
ARRAYS = ("vectors", "dataset", "score", "gain", "expected", "cost_usd", "seconds", "cost_in_usd_per_token")
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError, EOFError, OSError, MemoryError),
    *(RuntimeError, LookupError, ValueError, TypeError, AttributeError),
)
"""What numpy, zipfile and json raise on damaged bytes, depending on which: none of them promises one kind."""
POLICIES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Quality, CostAware, AtLeast, Budget, Cascade)
}


def save_router(router: Router, path: Path | str, *, keep_text: bool = True) -> Path:
    """Write a router, whole or not at all.

    Parameters
    ----------
    router : Router
    path : path
        Ends in ``.npz``, or gets that ending.
    keep_text : bool
        Also write the prompts; without them reasons name neighbours by identifier.

    Returns
    -------
    Path
        The file written.
    """
    target = Path(path)
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    manifest = {
        "schema": SCHEMA,
        "isoflop": _version(),
        "encoder": _encoder(router.encoder),
        "models": router.models,
        "datasets": router.datasets,
        "instance_ids": router.instance_ids,
        "texts": router.texts if keep_text else (),
        "w": router.local.w,
        "v": router.local.v,
        "distance_range": router.distance_range,
        "policy": {"kind": type(router.policy).__name__, **_settings(router.policy)},
        "settings": dict(router.settings),
        "provenance": [one.to_dict() for one in router.provenance],
        "cautions": router.cautions,
    }
    arrays: dict[str, Any] = {
        "vectors": router.vectors,
        "dataset": router.dataset.astype(np.int32),
        "score": router.score,
        "gain": router.local.gain,
        "expected": router.local.expected,
        "cost_usd": router.cost_usd,
        "seconds": router.seconds,
        "cost_in_usd_per_token": router.cost_in_usd_per_token,
    }
    text = json.dumps(json_ready(manifest), ensure_ascii=False, allow_nan=False)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, manifest=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    write_atomically(target, packed.getvalue())
    return target


def load_router(path: Path | str, *, encoder: str | Encoder | None = None) -> Router:
    """Read a router that `save_router` wrote.

    Parameters
    ----------
    path : path
    encoder : str or Encoder, optional
        Default: the one it was fitted with, by name.

    Returns
    -------
    Router

    Raises
    ------
    EvidenceError
        The file is not there, is no router, is cut off, was written by a newer version, or was fitted with
        another encoder than the one offered.
    """
    from isoflop.routing.encoders import encoder_of

    source = Path(path)
    manifest, arrays = _read(source)
    try:
        fitted = manifest["encoder"]
        tool = encoder_of(fitted["name"] if encoder is None else encoder)
        if _encoder(tool) != fitted:
            raise EvidenceError(
                f"load_router: {source.name} was fitted with {fitted['id']}, got {tool.id}. Vectors are not "
                "interchangeable: fit again, or offer that encoder."
            )
        return _router(manifest, arrays, tool, source)
    except DAMAGE as problem:
        if isinstance(problem, IsoflopError):
            raise
        raise _damaged(source, problem) from problem


def _router(manifest: dict[str, Any], arrays: dict[str, Any], tool: Encoder, source: Path) -> Router:
    from isoflop.routing.router.router import Router

    return Router(
        models=tuple(manifest["models"]),
        datasets=tuple(manifest["datasets"]),
        encoder=tool,
        vectors=arrays["vectors"],
        dataset=arrays["dataset"].astype(np.int64),
        score=arrays["score"],
        instance_ids=tuple(manifest["instance_ids"]),
        texts=tuple(manifest["texts"]),
        local=LocalFit(w=manifest["w"], v=manifest["v"], gain=arrays["gain"], expected=arrays["expected"]),
        distance_range=(manifest["distance_range"][0], manifest["distance_range"][1]),
        cost_usd=arrays["cost_usd"],
        seconds=arrays["seconds"],
        cost_in_usd_per_token=arrays["cost_in_usd_per_token"],
        policy=_policy(dict(manifest["policy"]), source),
        settings=dict(manifest["settings"]),
        provenance=tuple(Provenance(**one) for one in manifest["provenance"]),
        cautions=tuple(manifest["cautions"]),
    )


def _read(source: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return manifest and arrays, refused with what is wrong."""
    if not source.is_file():
        raise EvidenceError(
            f"load_router: no file {source}, needs one that `isoflop routing fit --out` wrote. Check the "
            "path."
        )
    try:
        with np.load(io.BytesIO(source.read_bytes()), allow_pickle=False) as held:
            manifest = json.loads(held["manifest"].tobytes())
            schema = manifest["schema"]
            if not isinstance(schema, int) or schema > SCHEMA:
                raise EvidenceError(
                    f"load_router: {source.name} has schema {schema}, this version reads up to {SCHEMA}. "
                    "Update isoflop, or fit again."
                )
            arrays = {name: held[name] for name in ARRAYS}
        _check_fit(manifest, arrays)
    except DAMAGE as problem:
        if isinstance(problem, EvidenceError):
            raise
        raise _damaged(source, problem) from problem
    return manifest, arrays


def _check_fit(manifest: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Raise ValueError, which names the part, where the parts are not of one router."""
    n, width = arrays["score"].shape[0], manifest["encoder"]["width"]
    models, datasets = len(manifest["models"]), len(manifest["datasets"])
    by_model = dict.fromkeys(("cost_usd", "seconds", "cost_in_usd_per_token"), (models,))
    shapes = {"vectors": (n, width), "dataset": (n,), "score": (n, models), **by_model}
    shapes |= dict.fromkeys(("gain", "expected"), (datasets,))
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} {arrays[name].shape}, needs {shape}")
    for name, array in arrays.items():
        if array.dtype.kind != ("i" if name == "dataset" else "f"):
            raise ValueError(f"{name} of type {array.dtype}")
    home = arrays["dataset"]
    if not (home.size and home.min() >= 0 and home.max() < datasets):
        raise ValueError(f"dataset, needs numbers in [0, {datasets})")
    if not np.isfinite(arrays["vectors"]).all():
        raise ValueError("vectors hold NaN or infinity")
    if len(manifest["instance_ids"]) != n or len(manifest["texts"]) not in (0, n):
        raise ValueError(f"instance_ids or texts, needs {n}")


def _damaged(source: Path, problem: BaseException) -> EvidenceError:
    # numpy's own advice on such a file is to load it with pickle, which no router needs.
    ours = type(problem) is ValueError and "pickle" not in str(problem)
    said = f": {problem}" if ours else ""
    return EvidenceError(
        f"load_router: {source.name} is no router or is damaged ({type(problem).__name__}{said}), needs a "
        "whole file that `isoflop routing fit --out` wrote. Fit again."
    )


def _encoder(encoder: Encoder) -> dict[str, Any]:
    return {
        "name": encoder.name,
        "version": encoder.version,
        "width": encoder.width,
        "weights_sha256": encoder.weights_sha256,
        "id": str(encoder.id),
    }


def _settings(policy: Policy) -> dict[str, Any]:
    derived = ("needs_costs", "needs_seconds")
    return {name: value for name, value in asdict(policy).items() if name not in derived}  # type: ignore[call-overload]


def _policy(said: dict[str, Any], source: Path) -> Policy:
    kind = said.pop("kind", None)
    if kind not in POLICIES:
        raise EvidenceError(
            f"load_router: {source.name} has policy {kind!r}, needs one of {', '.join(POLICIES)}. Fit again."
        )
    made: policies.Policy = POLICIES[kind](**said)
    return made


def _version() -> str:
    from isoflop import __version__

    return __version__
