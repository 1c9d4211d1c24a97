from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Union

import torch
from torch import Tensor


@dataclass
class Running:
    total: Tensor = field(default_factory=lambda: torch.zeros(()))
    count: int = 0
    history: List[Tensor] = field(default_factory=list)

    def update(self, value: Tensor, n: int = 1) -> "Running":
        self.total = self.total + value.detach().sum()
        self.count += n
        self.history.append(value.detach().mean())
        return self

    @property
    def mean(self) -> Tensor:
        return self.total.div(max(self.count, 1))

    def std(self) -> float:
        return torch.stack(self.history).std(unbiased=False).item()


def accuracy(output: Tensor, target: Tensor, topk=(1,)) -> List[Tensor]:
    with torch.no_grad():
        maxk = max(topk)
        batch_size = target.size(0)
        _, pred = output.topk(maxk, 1, True, True)
        pred = pred.t()
        correct = pred.eq(target.view(1, -1).expand_as(pred))
        res = []
        for k in topk:
            correct_k = correct[:k].reshape(-1).float().sum(0, keepdim=True)
            res.append(correct_k.mul_(100.0 / batch_size))
        return res


def confusion(pred: Tensor, target: Tensor, classes: int) -> Tensor:
    index = target * classes + pred
    return torch.bincount(index, minlength=classes ** 2).reshape(classes, classes)


def f1(matrix: Tensor, average: Optional[str] = "macro") -> Union[Tensor, float]:
    tp = matrix.diag().float()
    precision = tp / matrix.sum(0).clamp_min(1)
    recall = tp / matrix.sum(1).clamp_min(1)
    score = 2 * precision * recall / (precision + recall).clamp_min(1e-8)
    if average is None:
        return score
    return score.mean().item()


def auc(scores: Tensor, labels: Tensor) -> Tensor:
    order = torch.argsort(scores, descending=True)
    labels = labels[order].to(torch.float32)
    tps = torch.cumsum(labels, dim=0)
    fps = torch.cumsum(1 - labels, dim=0)
    return torch.trapezoid(tps / tps[-1], fps / fps[-1])


def calibration(probs: Tensor, target: Tensor, bins: int = 5) -> Dict[str, Tensor]:
    confidence, predicted = probs.max(dim=-1)
    edges = torch.linspace(0, 1, bins + 1)
    which = torch.bucketize(confidence, edges[1:-1])
    hits = predicted.eq(target).float()
    gaps = []
    for b in range(bins):
        inside = which == b
        if inside.any():
            gaps.append((confidence[inside].mean() - hits[inside].mean()).abs() * inside.float().mean())
    return {"ece": torch.stack(gaps).sum(), "entropy": torch.special.entr(probs).sum(-1).mean()}


class MovingAverage:
    def __init__(self, beta=0.9):
        self.beta = beta
        self.value = None

    def __call__(self, x):
        if self.value is None:
            self.value = x.clone()
        else:
            self.value.lerp_(x, 1 - self.beta)
        return self.value


torch.manual_seed(0)
logits = torch.randn(12, 4)
target = torch.randint(4, (12,))
top1, top3 = accuracy(logits, target, topk=(1, 3))
matrix = confusion(logits.argmax(dim=1), target, 4)
running = Running().update(logits.logsumexp(1), 12).update(logits.var(dim=1), 12)
print(top1.item(), top3.item(), f1(matrix), running.mean.item(), running.std())
print(f1(matrix, None), auc(torch.rand(10), torch.tensor([1, 0] * 5)))
print(calibration(logits.softmax(-1), target)["ece"].item())
average = MovingAverage()
for _ in range(3):
    current = average(torch.rand(2))
print(current.tolist(), torch.equal(current, average.value))
stats = {"min": logits.min(), "max": logits.max(), "nan": logits.isnan().sum()}
for name, value in stats.items():
    print(name, value.item())
