"""What the names of frameworks and of well-known libraries give, where their lists do not say it."""

from __future__ import annotations

from collections.abc import Sequence

from isoflop.portability.names import array_of, canonical, gives
from isoflop.portability.scan.values import PLAIN, Each, Gives, Group, Keyed, Made, Name, Thing, Value

ARRAY_TYPES = frozenset(
    {"torch.Tensor", "jax.Array", "tensorflow.Tensor", "keras.KerasTensor", "mlx.core.array"}
)
SAME = frozenset({
    "jax.jit", "jax.vmap", "jax.pmap", "jax.checkpoint", "jax.remat", "jax.named_call", "jax.custom_jvp",
    "jax.custom_vjp", "jax.block_until_ready", "jax.device_put", "jax.lax.stop_gradient",
    "jax.numpy.vectorize", "jax.linearize", "torch.compile", "torch.jit.script", "torch.jit.trace",
    "torch.jit.freeze", "torch.func.vmap", "torch.vmap", "torch.compiler.disable", "torch.jit.ignore",
    "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel", "torch.nn.utils.weight_norm",
    "torch.nn.utils.spectral_norm", "torch.nn.utils.parametrizations.weight_norm",
    "torch.nn.utils.parametrizations.spectral_norm", "torch.nn.utils.parametrizations.orthogonal",
    "tensorflow.function", "tensorflow.autograph.experimental.do_not_convert", "tensorflow.recompute_grad",
    "tensorflow.custom_gradient", "mlx.core.compile", "copy.deepcopy", "copy.copy", "tqdm.tqdm",
    "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "tqdm.trange", "functools.lru_cache", "functools.cache",
    "torch.no_grad", "torch.enable_grad", "torch.inference_mode", "torch.autograd.no_grad",
    "torch.optim.swa_utils.AveragedModel", "torch.nn.utils.skip_init",
})  # fmt: skip
"""What gives its first argument again: wrappers of functions and models, decorators, progress bars."""
DIFFERENTIATE = frozenset({
    "jax.grad", "jax.jacfwd", "jax.jacrev", "jax.hessian", "jax.value_and_grad", "torch.func.grad",
    "torch.func.grad_and_value", "torch.func.jacrev", "torch.func.jacfwd", "mlx.core.grad",
    "mlx.core.value_and_grad",
})  # fmt: skip
CONTEXT = "torch.autograd.function.FunctionCtx"
_AT = "jax.Array.at"
_DATASET = "tensorflow.data.Dataset"
_SEVERAL = frozenset({"torch.split", "torch.Tensor.split", "torch.broadcast_tensors", "torch.meshgrid",
                      "torch.autograd.grad", "torch.atleast_1d", "torch.align_tensors"})  # fmt: skip
_LEAVES = frozenset({"jax.tree_util.tree_leaves", "jax.tree.leaves"})
_SELF = frozenset({
    "to", "cuda", "cpu", "float", "double", "half", "bfloat16", "eval", "train", "requires_grad_", "apply",
    "to_empty", "share_memory", "type", "xpu", "manual_seed",
})  # fmt: skip
"""Methods of layers that give the layer itself."""
NAMED_MEMBERS = frozenset({
    "values", "indices", "sign", "logabsdet", "Q", "R", "U", "S", "V", "Vh", "L", "LU", "P", "eigenvalues",
    "eigenvectors", "solution", "residuals", "mantissa", "exponent", "output", "inverse",
})  # fmt: skip
"""Names of the members of what torch returns several arrays in."""
_BY_DIMENSION = frozenset({"max", "min", "median", "nanmedian"})
_TENSOR_PROPERTIES = frozenset({"T", "mT", "H", "mH", "data", "grad", "real", "imag"})
_LAYER_PARAMETERS = frozenset({
    "weight", "bias", "in_proj_weight", "in_proj_bias", "running_mean", "running_var", "weight_ih_l0",
    "weight_hh_l0", "kernel", "gamma", "beta", "embeddings",
})  # fmt: skip
_RECURRENT = frozenset({"torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN", "torch.nn.LSTMCell"})
CONTAINERS = frozenset({"torch.nn.ModuleList", "torch.nn.ModuleDict", "torch.nn.ParameterList",
                        "torch.nn.ParameterDict", "torch.nn.Sequential", "keras.Sequential"})  # fmt: skip
_BASE_METHODS = {
    "layer": {"torch": "torch.nn.Module", "keras": "keras.Layer", "mlx": "mlx.nn.Module"},
    "class": {},
}
WRAPPER_BASES = {
    "pytorch_lightning.LightningModule": "torch.nn.Module",
    "lightning.LightningModule": "torch.nn.Module",
    "lightning.pytorch.LightningModule": "torch.nn.Module",
    "transformers.PreTrainedModel": "torch.nn.Module",
}
"""Classes of other packages that are a framework's class with more to it."""


def array(name: str) -> Value:
    """Return an array of the framework of a name."""
    kind = array_of(name)
    return Thing(kind) if kind else None


def result(name: Name, arguments: Sequence[Value], keywords: frozenset[str]) -> Value:
    """Return what a call of a framework's name gives."""
    path = canonical(name.path)
    owner, _, last = path.rpartition(".")
    if last in _BY_DIMENSION and owner in ("torch", "torch.Tensor"):
        rest = arguments[1:] if owner == "torch" else arguments
        by_dimension = "dim" in keywords or bool(rest and not isinstance(rest[0], Thing))
        return Each(Thing("torch.Tensor")) if by_dimension else Thing("torch.Tensor")
    kind = gives(path)
    if kind == "array":
        if owner in ARRAY_TYPES or not owner.rpartition(".")[2][:1].isupper():
            return Thing(owner) if owner in ARRAY_TYPES else array(path)
        return name.receiver
    if kind == "arrays":
        return Each(array(path))
    if kind in ("class", "layer") or (kind == "" and last[:1].isupper()):
        if path == "torch.utils.data.DataLoader":
            return Thing(path, Each(Thing("torch.Tensor"), is_batch=True))
        if path in ("torch.nn.Parameter", "torch.nn.Buffer", "torch.nn.parameter.Parameter"):
            return Thing("torch.Tensor")
        if path in ("jax.numpy.float32", "jax.numpy.bfloat16", "jax.numpy.int32", "jax.numpy.float16"):
            return Thing("jax.Array")
        return Thing(path)
    if owner.startswith("torch.distributions") and last in (
        "sample",
        "rsample",
        "log_prob",
        "entropy",
        "cdf",
    ):
        return Thing("torch.Tensor")
    if path in _SEVERAL:
        return Each(Thing("torch.Tensor"))
    if path in DIFFERENTIATE:
        return differentiated(path, keywords)
    if path in _LEAVES:
        return Each(array(path))
    if path == "torch.autograd.Function.apply" or path.startswith("torch.autograd.functional."):
        return Thing("torch.Tensor")
    if owner == _DATASET or (owner.startswith(_DATASET) and last[:1].islower()):
        arrays = Each(Thing("tensorflow.Tensor"), is_batch=True)
        return arrays if last in ("as_numpy_iterator", "take_one") else Thing(_DATASET, arrays)
    if owner == _AT:
        return Thing("jax.Array")
    if last in _SELF and isinstance(name.receiver, (Made, Thing)):
        return name.receiver
    if path in ("torch.Tensor.item", "torch.Tensor.size", "torch.Tensor.dim", "torch.Tensor.numel",
                "torch.Tensor.tolist", "torch.Tensor.numpy", "jax.Array.item"):  # fmt: skip
        return PLAIN
    if path == "torch.nn.Module.parameters":
        return Each(Thing("torch.Tensor"))
    if path == "torch.nn.Module.named_parameters":
        return Each(Group((PLAIN, Thing("torch.Tensor"))))
    if path in ("torch.nn.Module.children", "torch.nn.Module.modules"):
        return Each(Thing("torch.nn.Module"))
    return None


def called_layer(thing: Thing) -> Value:
    """Return what calling a layer on arrays gives."""
    if thing.type in _RECURRENT:
        hidden: Value = Thing("torch.Tensor")
        state = Group((hidden, hidden)) if "LSTM" in thing.type else hidden
        return state if thing.type.endswith("Cell") else Group((hidden, state))
    if thing.type == "torch.nn.MultiheadAttention":
        return Group((Thing("torch.Tensor"), Thing("torch.Tensor")))
    return array(thing.type)


def attribute(thing: Thing, name: str) -> Value:
    """Return an attribute of an instance of a framework's class; None where nothing is known of it.

    A method that the list of its class does not hold is not attributed to arrays and layers, whose users add
    attributes of their own; of other classes it is.
    """
    kind = thing.type
    if kind in ARRAY_TYPES:
        if name in _TENSOR_PROPERTIES:
            return thing
        if name == "at" and kind == "jax.Array":
            return Thing(_AT, Thing(_AT))
        given = gives(f"{kind}.{name}")
        if given == "value":
            return PLAIN
        return Name(f"{kind}.{name}", sure=False, receiver=thing) if given else None
    if kind == CONTEXT and name == "saved_tensors":
        return Each(Thing("torch.Tensor"))
    if gives(kind) == "layer" or kind == "torch.nn.Module":
        if isinstance(thing.of, Keyed) and name in dict(thing.of.items):
            return dict(thing.of.items)[name]
        if name in _LAYER_PARAMETERS:
            return array(kind)
        for owner in (kind, _BASE_METHODS["layer"].get(kind.partition(".")[0], "")):
            if gives(f"{owner}.{name}") not in ("", "value"):
                return Name(f"{owner}.{name}", sure=False, receiver=thing)
        if kind == "keras.Sequential" and gives(f"keras.Model.{name}") not in ("", "value"):
            return Name(f"keras.Model.{name}", sure=False, receiver=thing)
        return None
    if gives(f"{kind}.{name}") == "value":
        return PLAIN
    return Name(f"{kind}.{name}", sure=False, receiver=thing)


def inherited(base: str, name: str, receiver: Value) -> Value:
    """Return a method that a class of the text inherits from a framework's class."""
    base = WRAPPER_BASES.get(base, base)
    owners = [base]
    if gives(base) == "layer" or base == "torch.nn.Module":
        owners.append(_BASE_METHODS["layer"].get(base.partition(".")[0], ""))
    for owner in owners:
        if gives(f"{owner}.{name}") not in ("", "value"):
            return Name(f"{owner}.{name}", sure=False, receiver=receiver)
    return Name(f"{base}.apply") if base == "torch.autograd.Function" and name == "apply" else None


def differentiated(path: str, keywords: frozenset[str]) -> Value:
    """Return what a transformation that differentiates gives: a function and what that gives."""
    if not path.endswith("value_and_grad"):
        return Gives(None)
    value = array(path)
    return Gives(Group((Group((value, None)) if "has_aux" in keywords else value, None)))


def is_layer(base: str) -> bool:
    """Say whether a class is a framework's layer, called on arrays."""
    base = canonical(WRAPPER_BASES.get(base, base))
    return gives(base) == "layer" or base in (
        "torch.nn.Module",
        "keras.Model",
        "keras.Layer",
        "mlx.nn.Module",
    )
