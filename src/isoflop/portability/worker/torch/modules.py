"""PyTorch's own tables of layers and optimisers as catalogues.

Both are part of PyTorch's internal test suite, like the table of operations. A layer is built once, with its
parameters drawn from a fixed seed, and called; an optimiser makes one step on two small matrices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from isoflop.portability.task import Item, Kind
from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.measure.execute import sample_id
from isoflop.portability.worker.torch.eager import load
from isoflop.portability.worker.torch.opinfo import plain_version, seed_generators, spread
from isoflop.portability.worker.torch.values import described, dtype_name, elements, rung, widened

DRAWS = frozenset({
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
    "FractionalMaxPool2d", "FractionalMaxPool3d", "GRU", "LSTM", "MultiheadAttention", "RNN", "RReLU",
    "Transformer", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
})  # fmt: skip
"""Layers that draw numbers while they are trained, some only where asked to drop parts."""
ALWAYS_DRAW = frozenset({"FractionalMaxPool2d", "FractionalMaxPool3d"})


def layer_kind(name: str, *, training: bool) -> Kind:
    """Return how a layer's outputs vary.

    Examples
    --------
    >>> layer_kind("Dropout", training=True), layer_kind("Dropout", training=False)
    ('random', 'deterministic')
    """
    return "random" if name in ALWAYS_DRAW or (training and name in DRAWS) else "deterministic"


class Modules:
    """Layers of ``torch.nn`` and inputs for them."""

    name = "modules"
    framework = "torch"
    licence = "BSD-3-Clause (PyTorch)"

    def __init__(self) -> None:
        self._torch = load()
        self._entries: dict[str, Any] = {}

    def version(self) -> str:
        """Return torch's version: the table is part of it."""
        return plain_version(self._torch)

    def entries(self) -> dict[str, Any]:
        """Return the entries by name."""
        if not self._entries:
            from torch.testing._internal.common_modules import module_db

            self._entries = {entry.name: entry for entry in module_db}
        return self._entries

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterator[Item]:
        """Yield the items of every layer: in training, and in evaluation where that differs."""
        for name, entry in self.entries().items():
            taken = {dtype_name(dtype) for dtype in entry.dtypes}
            wanted = [one for one in dtypes if one in taken] if dtypes else _first(taken)
            modes = (True, False) if entry.train_and_eval_differ else (True,)
            for dtype in wanted:
                for training in modes:
                    for item in self._of(name, entry, dtype, training, samples):
                        if not sizes or item.size_class in sizes:
                            yield item

    def make(self, item: Item, seed: int) -> Call:
        """Return the call of an item; raise what the making of its inputs raises."""
        address = json.loads(item.address)
        name, training = str(address["entry"]), bool(address["training"])
        samples = self._samples(self.entries()[name], item.dtype, training, seed)
        if item.index >= len(samples):
            raise ValueError(f"{name}: {len(samples)} samples, sample {item.index} is asked for")
        return self._call(name, item.dtype, training, samples[item.index], seed)

    def _of(self, name: str, entry: Any, dtype: str, training: bool, samples: int) -> Iterator[Item]:
        try:
            made = self._samples(entry, dtype, training, 0)
        except Exception:  # made again, and reported, when the item is run
            made = []
        for index in spread(len(made), samples) or [0]:
            call = self._made(name, dtype, training, made[index]) if made else None
            count = elements((call.args, dict(call.kwargs))) if call else 0
            kind = layer_kind(entry.module_cls.__name__, training=training)
            yield Item(
                framework=self.framework,
                function=layer_name(entry.module_cls),
                variant=("train" if training else "eval") if entry.train_and_eval_differ else "",
                provider=self.name,
                dtype=dtype,
                size_class=rung(count),
                index=index,
                address=json.dumps({"entry": name, "training": training}),
                kind=kind,
                sample_id=sample_id(call, 0) if call else "",
                gradient=call is not None and kind == "deterministic" and dtype.startswith("float"),
                cost=1e-4 + 1e-8 * count,
            )

    def _made(self, name: str, dtype: str, training: bool, sample: Any) -> Call | None:
        try:
            return self._call(name, dtype, training, sample, 0)
        except Exception:  # made again, and reported, when the item is run
            return None

    def _samples(self, entry: Any, dtype: str, training: bool, seed: int) -> list[Any]:
        seed_generators(seed)
        kind = getattr(self._torch, dtype)
        return list(entry.module_inputs_func(entry, "cpu", kind, False, training))

    def _call(self, name: str, dtype: str, training: bool, sample: Any, seed: int) -> Call:
        entry, built, given = self.entries()[name], sample.constructor_input, sample.forward_input
        seed_generators(seed)
        module = entry.module_cls(*built.args, **built.kwargs).to(getattr(self._torch, dtype)).train(training)
        if entry.is_lazy:
            # Its parameters are made by the first call: the same ones for every target, then.
            module(*given.args, **given.kwargs)
        signature = {
            "provider": self.name,
            "version": self.version(),
            "entry": name,
            "training": training,
            "built": described((built.args, built.kwargs)),
        }
        args, kwargs = (given.args, given.kwargs) if given is not None else ((), {})
        kind = layer_kind(entry.module_cls.__name__, training=training)
        return module_call(module, tuple(args), dict(kwargs), signature=signature, kind=kind)


class Optimisers:
    """Optimisers of ``torch.optim``, one step each."""

    name = "optimisers"
    framework = "torch"
    licence = "BSD-3-Clause (PyTorch)"

    def __init__(self) -> None:
        self._torch = load()
        self._entries: dict[str, Any] = {}

    def version(self) -> str:
        """Return torch's version: the table is part of it."""
        return plain_version(self._torch)

    def entries(self) -> dict[str, Any]:
        """Return the entries by name."""
        if not self._entries:
            from torch.testing._internal.common_optimizers import optim_db

            self._entries = {entry.optim_cls.__name__: entry for entry in optim_db}
        return self._entries

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterator[Item]:
        """Yield the items of every optimiser; its settings take the place of samples."""
        for name, entry in self.entries().items():
            for dtype in [one for one in dtypes if one.startswith("float")] if dtypes else ["float32"]:
                for index in spread(len(entry.optim_inputs_func(device="cpu")), samples):
                    item = self._item(name, dtype, index)
                    if not sizes or item.size_class in sizes:
                        yield item

    def make(self, item: Item, seed: int) -> Call:
        """Return one step of an optimiser."""
        name = str(json.loads(item.address)["entry"])
        return self._call(name, item.dtype, item.index, seed)

    def _item(self, name: str, dtype: str, index: int) -> Item:
        return Item(
            framework=self.framework,
            function=f"torch.optim.{name}",
            provider=self.name,
            dtype=dtype,
            size_class="tiny",
            index=index,
            address=json.dumps({"entry": name}),
            sample_id=sample_id(self._call(name, dtype, index, 0), 0),
            cost=3e-4,
        )

    def _call(self, name: str, dtype: str, index: int, seed: int) -> Call:
        entry = self.entries()[name]
        settings = dict(entry.optim_inputs_func(device="cpu")[index].kwargs)
        seed_generators(seed)
        module = one_step(entry.optim_cls, settings).to(getattr(self._torch, dtype))
        signature = {
            "provider": self.name,
            "version": self.version(),
            "entry": name,
            "dtype": dtype,
            "settings": described(settings),
        }
        return module_call(module, (), {}, signature=signature, kind="deterministic")


def module_call(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, signature: dict[str, Any], kind: Kind
) -> Call:
    """Return a call of a module, and the same in float64."""

    def wide() -> Call:
        moved, named = widened((args, kwargs))
        return module_call(widened(module), moved, named, signature=signature, kind=kind)

    return Call(
        framework="torch",
        function=module,
        args=args,
        kwargs=kwargs,
        signature={**signature, "args": described(args), "kwargs": described(kwargs)},
        kind=kind,
        float64=wide,
    )


def layer_name(layer: type) -> str:
    """Return the public name of a layer's class."""
    import torch

    if getattr(torch.nn, layer.__name__, None) is layer:
        return f"torch.nn.{layer.__name__}"
    return f"{layer.__module__}.{layer.__name__}"


def one_step(optimiser: Any, settings: dict[str, Any]) -> Any:
    """Return a module whose call makes one step of an optimiser on two matrices and returns them.

    The optimiser is made once the matrices lie in their place: it keeps their addresses. LBFGS, which asks
    for the loss again and again, gets that of a paraboloid; others get a fixed gradient.
    """
    import torch

    name = optimiser.__name__

    class Step(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            shapes = ((8, 4), (6, 4))
            self.weights = torch.nn.ParameterList([torch.nn.Parameter(torch.randn(s)) for s in shapes])
            for i, shape in enumerate(shapes):
                self.register_buffer(f"slope_{i}", torch.randn(shape))
            self.optimiser: Any = None

        def slopes(self) -> list[Any]:
            return [self.slope_0, self.slope_1]

        def settle(self) -> None:
            self.optimiser = optimiser(list(self.weights), **settings)
            for weight, slope in zip(self.weights, self.slopes(), strict=True):
                weight.grad = slope.to_sparse() if name == "SparseAdam" else slope.clone()

        def loss(self) -> Any:
            self.optimiser.zero_grad()
            pairs = zip(self.weights, self.slopes(), strict=True)
            total = torch.stack([((w - s) ** 2).sum() for w, s in pairs]).sum()
            total.backward()
            return total

        def forward(self) -> list[Any]:
            self.optimiser.step(*([self.loss] if name == "LBFGS" else []))
            return [weight.detach() for weight in self.weights]

    return Step()


def _first(taken: set[str]) -> list[str]:
    return ["float32"] if "float32" in taken else sorted(taken)[:1]
