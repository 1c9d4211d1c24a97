import math
from typing import NamedTuple

import torch
from torch import nn


class Schedule(NamedTuple):
    betas: torch.Tensor
    alphas_bar: torch.Tensor


def cosine_schedule(steps: int, s: float = 0.008) -> Schedule:
    t = torch.linspace(0, steps, steps + 1, dtype=torch.float64)
    f = torch.cos((t / steps + s) / (1 + s) * math.pi / 2).square()
    bar = f / f[0]
    betas = (1 - bar[1:] / bar[:-1]).clip(0, 0.999)
    return Schedule(betas.float(), torch.cumprod(1 - betas, dim=0).float())


def timestep_embedding(t: torch.Tensor, dim: int) -> torch.Tensor:
    half = dim // 2
    freqs = torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / half)
    args = t[:, None].float() * freqs[None]
    return torch.cat([args.cos(), args.sin()], dim=-1)


class Residual(nn.Module):
    def __init__(self, fn: nn.Module):
        super().__init__()
        self.fn = fn

    def forward(self, x, *args):
        return x + self.fn(x, *args)


class Conditioned(nn.Module):
    def __init__(self, dim, emb):
        super().__init__()
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.to_scale_shift = nn.Linear(emb, 2 * dim)
        self.ff = nn.Sequential(nn.Linear(dim, dim * 2), nn.Mish(), nn.Linear(dim * 2, dim))

    def forward(self, x, emb):
        scale, shift = self.to_scale_shift(emb).chunk(2, dim=-1)
        return self.ff(self.norm(x) * (1 + scale) + shift)


class Denoiser(nn.Module):
    def __init__(self, dim=2, width=16, emb=8, depth=2):
        super().__init__()
        self.emb = emb
        self.inp = nn.Linear(dim, width)
        self.time = nn.Sequential(nn.Linear(emb, emb), nn.SiLU())
        self.blocks = nn.ModuleList()
        for _ in range(depth):
            self.blocks.append(Residual(Conditioned(width, emb)))
        self.out = nn.Linear(width, dim)

    def forward(self, x, t):
        e = self.time(timestep_embedding(t, self.emb))
        h = self.inp(x)
        for block in self.blocks:
            h = block(h, e)
        return self.out(h)


class Diffusion:
    def __init__(self, model, steps=8):
        self.model = model
        self.schedule = cosine_schedule(steps)
        self.steps = steps

    def q_sample(self, x0, t, noise):
        bar = self.schedule.alphas_bar.gather(0, t).unsqueeze(-1)
        return bar.sqrt() * x0 + (1 - bar).sqrt() * noise

    def loss(self, x0):
        t = torch.randint(0, self.steps, (x0.size(0),))
        noise = torch.randn_like(x0)
        predicted = self.model(self.q_sample(x0, t, noise), t)
        return nn.functional.mse_loss(predicted, noise)

    @torch.no_grad()
    def sample(self, n):
        x = torch.randn(n, 2)
        for i in reversed(range(self.steps)):
            t = torch.full((n,), i, dtype=torch.long)
            beta = self.schedule.betas[i]
            bar = self.schedule.alphas_bar[i]
            eps = self.model(x, t)
            mean = (x - beta / torch.sqrt(1 - bar) * eps) / torch.sqrt(1 - beta)
            x = mean + beta.sqrt() * torch.randn_like(x) if i > 0 else mean
        return x


torch.manual_seed(0)
diffusion = Diffusion(Denoiser())
optimizer = torch.optim.NAdam(diffusion.model.parameters(), lr=1e-3)
angles = torch.rand(32).mul(2 * math.pi)
data = torch.stack((angles.cos(), angles.sin()), dim=1)
for _ in range(3):
    optimizer.zero_grad()
    loss = diffusion.loss(data)
    loss.backward()
    optimizer.step()
samples = diffusion.sample(4)
print(loss.item(), samples.norm(dim=-1).tolist(), torch.cdist(samples, data).min(dim=1).values.mean())
