"""What is run: an item of a catalogue, and the task that an item becomes on one target.

Nothing here needs a framework or a table library: the same text runs in the parent and in a worker.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from isoflop.portability.model import Policy, SizeClass, Timing

Kind = Literal["deterministic", "random", "undefined_values", "data_dependent_shape"]
ID_DIGITS = 16


def digest(*parts: object) -> str:
    """Return a short SHA-256 of JSON-ready parts, equal on every computer.

    Examples
    --------
    >>> digest("torch", 1) == digest("torch", 1), len(digest("x"))
    (True, 16)
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a catalogue: a function with one set of inputs, before a target is chosen.

    Parameters
    ----------
    framework : str
        Framework whose function it is: ``torch``, ``jax``, ``tensorflow``, ``onnx``, ``fake``, or new.
    function : str
        Canonical qualified public name, e.g. ``torch.nn.functional.relu``; what a scan of code resolves to.
    variant : str
        What the provider adds to tell two entries of one function apart; may be empty.
    provider : str
        Name in `PROVIDERS` of who makes the inputs.
    dtype : str
        Dtype of the main input, e.g. ``float32``.
    size_class : str
        Rung of the size ladder.
    index : int
        Which of the provider's samples.
    address : str
        The provider's own JSON text by which it finds this item again.
    kind : str
        How outputs may be compared.
    sample_id : str
        Hash of shapes, dtypes, layout, other arguments, seed and generator version: equal on every
        computer. Empty where the inputs could not be made.
    gradient : bool
        Whether gradients may be checked.
    cost : float
        Rough seconds of one call: cheap tasks go first.
    """

    framework: str
    function: str
    provider: str
    dtype: str
    variant: str = ""
    size_class: SizeClass = "small"
    index: int = 0
    address: str = "{}"
    kind: Kind = "deterministic"
    sample_id: str = ""
    gradient: bool = False
    cost: float = 1e-4

    @property
    def item_id(self) -> str:
        """Return the short hash that names this item within a catalogue."""
        return digest(
            self.framework, self.function, self.variant, self.provider, self.dtype, self.size_class,
            self.index, self.address,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return asdict(self)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Item:
        """Return the item that `to_dict` wrote; unknown keys of newer versions are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in row.items() if key in known})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An item on one target, in one process repeat.

    Parameters
    ----------
    item : Item
    target, reference : str
        Target ids, e.g. ``torch:meta`` and ``torch:eager``.
    policy : {"strict", "fallback"}
        Whether the target may move work to another device by itself.
    timing : Timing
    repeat : int, >= 0
        Number of the process repeat.
    seed : int
        Seed of the inputs.
    deadline_s : float, > 0
        Seconds after which the parent kills the worker.
    """

    item: Item
    target: str
    reference: str
    policy: Policy = "fallback"
    timing: Timing
    repeat: int = 0
    seed: int = 0
    deadline_s: float = 60.0

    @property
    def key(self) -> str:
        """Return what names this task in a journal: known before the inputs are made."""
        return f"{self.item.item_id}.{digest(self.target, self.timing.protocol)}.{self.repeat}"

    @property
    def task_id(self) -> str:
        """Return the id under which results of several computers are joined."""
        item = self.item
        return digest(
            item.framework, item.function, item.variant, item.sample_id or item.item_id, item.dtype,
            item.size_class, self.target, self.timing.protocol,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return asdict(self)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Task:
        """Return the task that `to_dict` wrote."""
        return cls(**{**row, "item": Item.of(row["item"]), "timing": Timing(**row["timing"])})
