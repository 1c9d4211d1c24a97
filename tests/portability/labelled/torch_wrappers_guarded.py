"""Optional packages behind try and guards; those that are missing stay so."""
import importlib
import warnings

import torch
import torch.nn as nn

try:
    from flash_attn import flash_attn_func
except ImportError:
    flash_attn_func = None
try:
    import triton
    import triton.language as tl
except ImportError:
    triton = tl = None
try:
    from apex.normalization import FusedLayerNorm as LayerNorm
except ImportError:
    from torch.nn import LayerNorm
try:
    import torchvision.transforms as T
except ImportError:
    T = None

if triton is not None:
    @triton.jit
    def kernel(x_ptr, n, BLOCK: "tl.constexpr"):
        pid = tl.program_id(0)
        offsets = pid * BLOCK + tl.arange(0, BLOCK)
        tl.store(x_ptr + offsets, tl.load(x_ptr + offsets) * 2)


def attend(q, k, v):
    if flash_attn_func is not None:
        return flash_attn_func(q, k, v)
    scores = torch.bmm(q, k.transpose(1, 2)) / q.size(-1) ** 0.5
    return torch.bmm(scores.softmax(-1), v)


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        warnings.warn(f"{name} is not there", stacklevel=1)
        return None


class Norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = LayerNorm(d)
        self.mix = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return torch.lerp(x, self.norm(x), self.mix.sigmoid())


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    missing = optional("surely_not_installed")
q = torch.rand(2, 3, 4)
out = attend(q, q, q)
normed = Norm(4)(out)
transform = T.Compose([T.ToTensor()]) if T is not None else torch.nn.Identity()
print(out.shape, normed.mean(dim=-1).abs().max() < 1, transform(q).sum(), missing)
