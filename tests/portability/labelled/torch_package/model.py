import torch
import torch.nn as nn

from . import compat
from .compat import F, activation, to_tensor
from .layers import FeedForward, SelfAttention, rotate_half, switch


class EncoderLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention = SelfAttention(dim, heads)
        self.ff = FeedForward(dim, dim * 2)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x, mask=None):
        x = x + self.dropout(self.attention(x, mask))
        return x + self.dropout(self.ff(x))


class Encoder(nn.Module):
    def __init__(self, vocab, dim=8, heads=2, depth=2):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.layers = nn.ModuleList(EncoderLayer(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.register_parameter("scale", nn.Parameter(torch.ones(1)))

    def forward(self, ids, mask=None):
        x = self.embed(ids) * self.scale
        for i, layer in enumerate(self.layers):
            x = layer(x, mask)
            if i == 0:
                x = x + rotate_half(x).mul(0.1)
        pooled = self.norm(x).mean(dim=1)
        return F.normalize(pooled, dim=-1)


def contrastive(a, b, temperature=0.07):
    logits = a @ b.t() / temperature
    labels = torch.arange(logits.size(0))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2


def build(vocab=12):
    torch.manual_seed(0)
    return Encoder(vocab)


encoder = build()
ids = to_tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.long)
mask = torch.ones_like(ids).bool()
z = encoder(ids, mask)
loss = contrastive(z, z.detach().roll(1, 0))
loss.backward()
act = activation("silu")
print(loss.item(), act(z).max(), switch("relu", z).min(), compat.inverse(torch.eye(2)).trace())
print(compat.gelu(z).isnan().any(), compat.to_tensor([1.0]).sum(), compat.F.relu(z).count_nonzero())
