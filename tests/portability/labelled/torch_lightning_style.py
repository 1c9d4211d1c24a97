"""A trainer in the style of a well-known wrapper, without it."""
from __future__ import annotations

import contextlib
import copy
import logging
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Tuple
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, random_split

logger = logging.getLogger(__name__)


class Task(nn.Module, ABC):
    @abstractmethod
    def training_step(self, batch: Tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor: ...

    @abstractmethod
    def configure_optimizers(self) -> torch.optim.Optimizer: ...


class Regression(Task):
    def __init__(self, dim: int = 3):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(dim, 8), nn.ELU(), nn.Linear(8, 1))
        self.loss = nn.HuberLoss()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return self.loss(self(x), y)

    def configure_optimizers(self):
        return torch.optim.RMSprop(self.parameters(), lr=1e-2)


class Points(Dataset):
    def __init__(self, n: int, dim: int = 3):
        g = torch.Generator().manual_seed(3)
        self.x = torch.randn(n, dim, generator=g)
        self.y = self.x.sum(1).sin()

    def __len__(self):
        return self.x.shape[0]

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class EMA:
    def __init__(self, model: nn.Module, decay: float = 0.9):
        self.shadow = copy.deepcopy(model)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.mul_(self.decay).add_(p, alpha=1 - self.decay)


class Trainer:
    def __init__(self, max_epochs: int = 1, device: Optional[torch.device] = None, amp: bool = True):
        self.max_epochs = max_epochs
        self.device = device if device is not None else torch.device("cpu")
        self.amp = amp
        self.history: Dict[str, list] = {"loss": [], "time": []}

    def autocast(self):
        if self.amp:
            return torch.autocast(device_type=self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def fit(self, task: Task, train: Iterable, val: Optional[Iterable] = None) -> Dict[str, Any]:
        task.to(self.device)
        optimizer = task.configure_optimizers()
        ema = EMA(task)
        for epoch in range(self.max_epochs):
            start = time.perf_counter()
            task.train()
            for i, batch in enumerate(train):
                batch = tuple(b.to(self.device) for b in batch)
                with self.autocast():
                    loss = task.training_step(batch, i)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                ema.update(task)
                self.history["loss"].append(loss.item())
            self.history["time"].append(time.perf_counter() - start)
            if val is not None:
                logger.info("val %s", self.evaluate(task, val))
        return self.history

    @torch.inference_mode()
    def evaluate(self, task: Task, loader: Iterable) -> float:
        task.eval()
        total = torch.zeros(())
        count = 0
        for x, y in loader:
            total += (task(x) - y).abs().sum()
            count += y.numel()
        return (total / count).item()

    def save(self, task: Task, path: Path) -> None:
        torch.save({"state": task.state_dict(), "history": self.history}, path)

    def load(self, task: Task, path: Path) -> None:
        checkpoint = torch.load(path, map_location="cpu")
        task.load_state_dict(checkpoint["state"])


dataset = Points(24)
train_set, val_set = random_split(dataset, [16, 8])
task = Regression()
trainer = Trainer(max_epochs=2)
history = trainer.fit(task, DataLoader(train_set, batch_size=8, shuffle=True), DataLoader(val_set, batch_size=8))
with tempfile.TemporaryDirectory() as folder:
    trainer.save(task, Path(folder) / "a.pt")
    trainer.load(task, Path(folder) / "a.pt")
print(len(Subset(dataset, [0, 1])), min(history["loss"]), list(history))
