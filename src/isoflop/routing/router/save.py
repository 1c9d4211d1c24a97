"""A router on disk: one ``.npz`` without pickles, with a JSON manifest inside."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.findings import Provenance, json_ready, write_atomically
from isoflop.routing.router import policies
from isoflop.routing.router.local import LocalFit
from isoflop.routing.router.policies import AtLeast, Budget, Cascade, CostAware, Policy, Quality

if TYPE_CHECKING:
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.router.router import Router

SCHEMA = 1
ARRAYS = ("vectors", "dataset", "score", "gain", "expected", "cost_usd", "seconds", "cost_in_usd_per_token")
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
    from isoflop.routing.router.router import Router

    source = Path(path)
    manifest, arrays = _read(source)
    fitted = manifest["encoder"]
    tool = encoder_of(fitted["name"] if encoder is None else encoder)
    if _encoder(tool) != fitted:
        raise EvidenceError(
            f"load_router: {source.name} was fitted with {fitted['id']}, got {tool.id}. Vectors are not "
            "interchangeable: fit again, or offer that encoder."
        )
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
        settings=manifest["settings"],
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
                    "Update "
                    "isoflop, or fit again."
                )
            arrays = {name: held[name] for name in ARRAYS}
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, TypeError) as problem:
        if isinstance(problem, EvidenceError):
            raise
        raise EvidenceError(
            f"load_router: {source.name} is no router or is cut off ({type(problem).__name__}), needs a "
            "whole file "
            "that `isoflop routing fit --out` wrote. Fit again."
        ) from problem
    rows = {name: arrays[name].shape[0] for name in ("vectors", "dataset", "score")}
    if len(set(rows.values())) > 1 or arrays["score"].shape[1] != len(manifest["models"]):
        raise EvidenceError(f"load_router: parts of {source.name} do not fit each other ({rows}). Fit again.")
    return manifest, arrays


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
