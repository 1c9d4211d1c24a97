"""What a provider and a target must offer, and what passes between them inside a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

    from isoflop.portability.model import Level, Policy
    from isoflop.portability.task import Item, Kind

Check = Literal["values", "sorted", "reconstruct", "shape_dtype", "distribution"]
"""How an output is compared: leaf by leaf; after sorting (unordered outputs); by putting a factorisation
together again; by shape and dtype alone; by shape, dtype, support and distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One array of an output, on the host.

    Parameters
    ----------
    array : numpy.ndarray or None
        Values; None where the target has none (meta). bfloat16 and 8-bit floats are widened to float32.
    dtype : str
        The framework's own dtype as text, e.g. ``bfloat16``.
    shape : tuple of int
    device : str
        Where the framework says that it lay, e.g. ``cpu``, ``cuda:0``.
    """

    array: np.ndarray | None
    dtype: str
    shape: tuple[int, ...]
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function with its inputs, ready to be given to a target.

    Parameters
    ----------
    framework : str
        Framework of `function` and of the arguments.
    function : callable
        Called as ``function(*args, **kwargs)``; takes and gives the framework's own arrays.
    args, kwargs
        Inputs on the host, in the framework's own types. A target moves what is an array.
    signature : mapping
        JSON-ready: shapes, dtypes, layouts, other arguments; `sample_id` is its hash.
    kind, check
        How outputs may be compared.
    expected : tuple of Leaf, optional
        Right outputs where the provider has them (ONNX node tests).
    float64 : callable, optional
        Gives the same call in float64 (complex128), for the reference value.
    rebuild : callable, optional
        ``rebuild(leaves, args) -> leaves`` for ``check="reconstruct"``: puts a factorisation together again.
    model : bytes, optional
        A serialised model for targets that take one instead of a function (ONNX).
    """

    framework: str
    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    signature: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "deterministic"
    check: Check = "values"
    expected: tuple[Leaf, ...] | None = None
    float64: Callable[[], Call] | None = None
    rebuild: Callable[[tuple[Leaf, ...], tuple[Any, ...]], tuple[Leaf, ...]] | None = None
    model: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The target can be used here; what it is."""

    target_version: str
    framework_version: str
    device_name: str = ""
    driver: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """The target cannot be used here, and why, as one plain phrase: ``no CUDA device visible to torch``."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """What a target below the level ``ran`` leaves behind."""

    size_byte: int | None = None
    custom_calls: tuple[str, ...] = ()


class Prepared(Protocol):
    """A call that was compiled or exported and whose inputs lie on the target."""

    def call(self) -> Any:
        """Start one call and return its output, which may not be there yet."""
        ...

    def sync(self, value: Any) -> None:
        """Wait until everything that was started is done, `value` included."""
        ...

    def fetch(self, value: Any) -> tuple[Leaf, ...]:
        """Return the output's arrays on the host, flattened in the framework's own order."""
        ...

    def fallback_ops(self) -> tuple[str, ...]:
        """Return the operations that left the target since the first call, in order, once each."""
        ...

    def artefact(self) -> Artefact:
        """Return what was made where nothing is run."""
        ...


class Provider(Protocol):
    """Who knows functions and makes inputs for them. Its module may import its framework."""

    name: str
    framework: str
    licence: str

    def version(self) -> str:
        """Return the version on which the index depends, e.g. that of the library that holds it."""
        ...

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:
        """Yield items with their `sample_id`; empty tuples mean the provider's own choice."""
        ...

    def make(self, item: Item, seed: int) -> Call:
        """Return the call; raise where the inputs cannot be made."""
        ...


class Target(Protocol):
    """Something that a call can be given to. Its module may import its framework."""

    id: str
    level: Level

    def detect(self) -> Present | Absent:
        """Say whether the target can be used here; never raise."""
        ...

    def prepare(self, call: Call, policy: Policy) -> Prepared:
        """Compile, export, move the inputs; raise what the framework raises."""
        ...

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:
        """Return the gradients of a weighted sum of all real outputs, or None where there is none."""
        ...

    def null_call(self) -> Callable[[], None]:
        """Return a synchronised call that does as little as the target allows: its overhead."""
        ...
