from torch import nn
import torch

from .compat import ACTIVATIONS, F, gelu


class FeedForward(nn.Module):
    def __init__(self, dim, hidden, act=gelu):
        super().__init__()
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self.act = act
        self.norm = nn.RMSNorm(dim)

    def forward(self, x):
        return self.down(self.act(self.up(self.norm(x))))


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.out = nn.Linear(dim, dim)

    def split(self, x):
        b, t, d = x.shape
        return x.view(b, t, self.heads, d // self.heads).permute(0, 2, 1, 3)

    def forward(self, x, mask=None):
        q, k, v = map(self.split, self.qkv(x).chunk(3, dim=-1))
        if mask is not None:
            mask = mask[:, None, None, :].expand(-1, self.heads, q.size(2), -1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        y = y.permute(0, 2, 1, 3).flatten(2)
        return self.out(y)


def rotate_half(x):
    x1, x2 = x.chunk(2, dim=-1)
    return torch.cat((-x2, x1), dim=-1)


def switch(name, x):
    return ACTIVATIONS[name](x)
