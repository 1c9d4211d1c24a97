from torch import (arange, cat, eye, manual_seed, no_grad, ones, rand, randn, stack, tensor, zeros)
from torch import nn as N
from torch import optim as O
from torch.nn import functional as Fn

manual_seed(0)


class MoE(N.Module):
    def __init__(self, d=4, experts=3, k=2):
        super().__init__()
        self.gate = N.Linear(d, experts, bias=False)
        self.experts = N.ModuleList([N.Sequential(N.Linear(d, d), N.Hardswish()) for _ in range(experts)])
        self.k = k

    def forward(self, x):
        scores = Fn.softmax(self.gate(x), dim=-1)
        top, which = scores.topk(self.k, dim=-1)
        top = top / top.sum(-1, keepdim=True)
        outs = stack([e(x) for e in self.experts], dim=1)
        picked = outs.gather(1, which.unsqueeze(-1).expand(-1, -1, x.size(-1)))
        return (picked * top.unsqueeze(-1)).sum(1)


def kmeans(points, k, iters=4):
    centres = points[:k].clone()
    for _ in range(iters):
        d = (points[:, None] - centres[None]).norm(dim=-1)
        assign = d.argmin(dim=1)
        for j in range(k):
            members = points[assign == j]
            if len(members):
                centres[j] = members.mean(dim=0)
    return centres, assign


def power_iteration(a, n=5):
    v = ones(a.shape[0])
    for _ in range(n):
        v = a.mv(v)
        v /= v.norm()
    return v.dot(a @ v)


def sinkhorn(cost, n=5, eps=0.1):
    k = (-cost / eps).exp()
    u = ones(k.size(0)) / k.size(0)
    v = ones(k.size(1)) / k.size(1)
    for _ in range(n):
        u = 1 / (k @ v).clamp_min(1e-9)
        v = 1 / (k.t() @ u).clamp_min(1e-9)
    return u.unsqueeze(1) * k * v.unsqueeze(0)


layer = MoE()
opt = O.Adamax(layer.parameters())
x = randn(5, 4)
loss = Fn.smooth_l1_loss(layer(x), x)
opt.zero_grad()
loss.backward()
opt.step()
with no_grad():
    centres, assign = kmeans(rand(12, 2), 3)
    top = power_iteration(eye(3) + 0.1)
    plan = sinkhorn(rand(3, 3))
print(centres.shape, assign.bincount(minlength=3), top.item(), plan.sum())
seq = arange(6).view(2, 3)
rolled = cat([seq, zeros(2, 1).long()], dim=1).flip(1)
print(rolled.tolist(), tensor([1, 2]).repeat(2).unique(return_counts=True))
print(Fn.unfold(rand(1, 1, 4, 4), 2).shape, seq.unfold(1, 2, 1).shape, Fn.embedding(seq, rand(6, 2)).shape)
print(Fn.grid_sample(rand(1, 1, 4, 4), zeros(1, 2, 2, 2), align_corners=False).shape, Fn.hardtanh(x).max())
print(Fn.kl_div(Fn.log_softmax(x, -1), Fn.softmax(x, -1), reduction="batchmean").item(), Fn.glu(x).shape)
