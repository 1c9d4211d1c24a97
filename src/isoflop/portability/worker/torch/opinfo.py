"""PyTorch's own table of operations and sample inputs as a catalogue.

The table is part of PyTorch's internal test suite and ships with it. It needs the package expecttest, and
its entries change from version to version: an index is good for one version alone.
"""

from __future__ import annotations

import random
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from isoflop.portability.task import Item
from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.measure.execute import sample_id
from isoflop.portability.worker.torch.eager import load
from isoflop.portability.worker.torch.kinds import kind_of, rebuilt
from isoflop.portability.worker.torch.public import public_name
from isoflop.portability.worker.torch.values import described, dtype_name, elements, rung, widened

LOOKED_AT = 64
"""Samples of an entry that are looked at; some have thousands that differ in one flag."""
KEPT = 8
"""Entries whose samples are kept: the tasks of an entry follow one another."""
PREFERRED = (
    "float32", "float64", "complex64", "complex128", "int64", "int32", "bool", "float16", "bfloat16", "int16",
    "uint8", "int8",
)  # fmt: skip
"""Which dtype stands for an entry that is not asked for one."""


def spread(count: int, wanted: int) -> list[int]:
    """Return at most `wanted` places spread over `count`, the first included.

    Examples
    --------
    >>> spread(10, 3), spread(2, 3), spread(5, 1)
    ([0, 4, 9], [0, 1], [0])
    """
    if wanted <= 1 or count <= 1:
        return list(range(min(count, 1)))
    if count <= wanted:
        return list(range(count))
    return sorted({int(i * (count - 1) / (wanted - 1)) for i in range(wanted)})


def plain_version(torch: Any) -> str:
    """Return torch's version without the build: inputs are the same on every computer."""
    return str(torch.__version__).partition("+")[0]


class OpInfos:
    """Entries of ``torch.testing``'s operation table, and inputs for them."""

    name = "opinfo"
    framework = "torch"
    licence = "BSD-3-Clause (PyTorch)"

    def __init__(self) -> None:
        self._torch = load()
        self._entries: dict[str, Any] = {}
        self._samples: OrderedDict[tuple[str, str, int], list[Any]] = OrderedDict()

    def version(self) -> str:
        """Return torch's version: the table is part of it."""
        return plain_version(self._torch)

    def entries(self) -> dict[str, Any]:
        """Return the entries by name and variant."""
        if not self._entries:
            self._entries = {entry.full_name: entry for entry in _table()}
        return self._entries

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterator[Item]:
        """Yield the items of every entry; one without inputs is an item that says why when it is made."""
        for name, entry in self.entries().items():
            for dtype in self._dtypes(entry, dtypes):
                for item in self._of(name, entry, dtype, samples):
                    if not sizes or item.size_class in sizes:
                        yield item

    def make(self, item: Item, seed: int) -> Call:
        """Return the call of an item; raise what the making of its inputs raises."""
        import json

        name = str(json.loads(item.address)["entry"])
        samples = self._list(name, item.dtype, seed)
        if item.index >= len(samples):
            raise ValueError(
                f"{name}: {len(samples)} samples of {item.dtype}, sample {item.index} is asked for"
            )
        return self._call(name, item.dtype, samples[item.index])

    def _dtypes(self, entry: Any, wanted: tuple[str, ...]) -> list[str]:
        """Return the wanted dtypes that an entry takes on a CPU, or the one that stands for it."""
        taken = {dtype_name(dtype) for dtype in entry.supported_dtypes("cpu")}
        if wanted:
            return [name for name in wanted if name in taken]
        taken = taken or {dtype_name(dtype) for dtype in entry.supported_dtypes("cuda")} or {"float32"}
        return [next((name for name in PREFERRED if name in taken), min(taken))]

    def _of(self, name: str, entry: Any, dtype: str, samples: int) -> Iterator[Item]:
        """Yield the items of an entry and dtype; inputs are made only where several must be told apart."""
        plain = Item(
            framework=self.framework,
            function=public_name(entry.name, entry.variant_test_name),
            variant=entry.variant_test_name,
            provider=self.name,
            dtype=dtype,
            size_class="tiny",
            address=f'{{"entry": "{name}"}}',
            kind=kind_of(name),
            gradient=self._has_gradient(name, entry, dtype),
        )
        if samples <= 1:
            yield plain
            return
        try:
            made = self._list(name, dtype, 0)
        except Exception:  # made again, and reported, when the item is run
            yield plain
            return
        for index in spread(len(made), samples):
            call = self._call(name, dtype, made[index])
            count = elements((call.args, dict(call.kwargs)))
            yield replace(
                plain,
                index=index,
                size_class=rung(count),
                sample_id=sample_id(call, 0),
                cost=2e-5 + 2e-9 * count,
            )

    def _has_gradient(self, name: str, entry: Any, dtype: str) -> bool:
        """Return whether gradients are promised and fixed: those of a factor turn with its phase."""
        if kind_of(name) not in ("deterministic", "data_dependent_shape") or rebuilt(name) is not None:
            return False
        kinds = {dtype_name(one) for one in entry.supported_backward_dtypes("cpu")}
        return bool(entry.supports_autograd) and dtype in kinds

    def _list(self, name: str, dtype: str, seed: int) -> list[Any]:
        key = (name, dtype, seed)
        if key not in self._samples:
            seed_generators(seed)
            entry = self.entries()[name]
            made = entry.sample_inputs("cpu", getattr(self._torch, dtype), requires_grad=False)
            self._samples[key] = list(islice(made, LOOKED_AT))
            if len(self._samples) > KEPT:
                self._samples.popitem(last=False)
        self._samples.move_to_end(key)
        return self._samples[key]

    def _call(self, name: str, dtype: str, sample: Any) -> Call:
        entry = self.entries()[name]
        args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
        return made_call(
            entry.op,
            args,
            kwargs,
            signature={"provider": self.name, "version": self.version(), "entry": name, "dtype": dtype},
            name=name,
        )


def made_call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    signature: dict[str, Any],
    name: str,
) -> Call:
    """Return a call with what the tables of kinds say of its name.

    Parameters
    ----------
    function : callable
    args, kwargs
        Inputs on the CPU.
    signature : dict
        What belongs to the sample's id besides the inputs.
    name : str
        By which the tables know the function.
    """
    rebuild = rebuilt(name)

    def wide() -> Call:
        moved, named = widened((args, kwargs))
        return made_call(widened(function), moved, named, signature=signature, name=name)

    return Call(
        framework="torch",
        function=function,
        args=args,
        kwargs=kwargs,
        signature={**signature, "args": described(args), "kwargs": described(kwargs)},
        kind=kind_of(name),
        check="reconstruct" if rebuild else "values",
        float64=wide,
        rebuild=rebuild,
    )


def _table() -> list[Any]:
    """Return the entries, their calls freed of the seed that the test suite sets inside them.

    Seeds are set outside a call here: a compiler would meet the setting of a seed as part of the function.
    """
    from torch.testing._internal import common_methods_invocations as table

    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("torch.testing._internal") and hasattr(
            module, "wrapper_set_seed"
        ):
            vars(module)["wrapper_set_seed"] = _plain_call
    return list(table.op_db)


def _plain_call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def seed_generators(seed: int) -> None:
    """Start all generators anew that makers of samples draw from."""
    import torch

    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the table's makers draw from this generator
