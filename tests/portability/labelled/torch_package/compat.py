try:
    import torch.nn.functional as F
except ImportError:
    F = None

try:
    from torch import compile as maybe_compile
except ImportError:
    def maybe_compile(model, **kwargs):
        return model

import torch

if hasattr(torch, "linalg"):
    inverse = torch.linalg.inv
else:
    inverse = torch.inverse

gelu = F.gelu
ACTIVATIONS = {"relu": F.relu, "gelu": gelu, "silu": F.silu}


def activation(name):
    return ACTIVATIONS[name]


def to_tensor(data, dtype=None):
    if torch.is_tensor(data):
        return data.to(dtype) if dtype is not None else data
    return torch.as_tensor(data, dtype=dtype)
