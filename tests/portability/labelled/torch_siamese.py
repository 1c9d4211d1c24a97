import itertools as it

import torch
import torch.nn.functional as functional
from torch.nn import (BatchNorm1d, CosineSimilarity, Linear, Module, ModuleDict, PairwiseDistance, ParameterList,
                      Parameter, PReLU, Sequential, TripletMarginLoss)
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau
from torch.utils.data import BatchSampler, ConcatDataset, IterableDataset, DataLoader, RandomSampler, TensorDataset


class Stream(IterableDataset):
    def __iter__(self):
        for i in range(4):
            yield torch.full((3,), float(i))


class Tower(Module):
    def __init__(self, sizes):
        super().__init__()
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers.extend([Linear(a, b), BatchNorm1d(b), PReLU()])
        self.layers = Sequential(*layers)
        self.gates = ParameterList([Parameter(torch.ones(s)) for s in sizes[1:]])

    def forward(self, x):
        return self.layers(x) * self.gates[-1]


class Siamese(Module):
    towers: ModuleDict

    def __init__(self):
        super().__init__()
        self.towers = ModuleDict({"query": Tower([4, 8, 3]), "item": Tower([4, 8, 3])})
        self.cosine = CosineSimilarity(dim=-1)
        self.distance = PairwiseDistance(p=2)

    def encode(self, kind, x):
        return functional.normalize(self.towers[kind](x), p=2.0, dim=1)

    def forward(self, a, b):
        left, right = self.encode("query", a), self.encode("item", b)
        return self.cosine(left, right), self.distance(left, right)


def hard_negatives(a, b):
    scores = a.matmul(b.T)
    scores.fill_diagonal_(-1)
    return b.index_select(0, scores.argmax(1))


torch.manual_seed(2)
net = Siamese()
data = ConcatDataset([TensorDataset(torch.randn(6, 4), torch.randn(6, 4)) for _ in range(2)])
sampler = BatchSampler(RandomSampler(data), batch_size=4, drop_last=True)
loader = DataLoader(data, batch_sampler=sampler)
opt = torch.optim.Adagrad(net.parameters(), lr=0.05)
plan = OneCycleLR(opt, max_lr=0.1, total_steps=10, cycle_momentum=False)
loss_fn = TripletMarginLoss(margin=0.5)
for a, b in loader:
    anchor = net.encode("query", a)
    positive = net.encode("item", b)
    negative = hard_negatives(anchor.detach(), positive.detach())
    loss = loss_fn(anchor, positive, negative)
    opt.zero_grad()
    loss.backward()
    opt.step()
    plan.step()
net.eval()
similarity, distance = net(torch.randn(2, 4), torch.randn(2, 4))
plateau = ReduceLROnPlateau(opt, patience=1)
plateau.step(loss.detach())
warm = LambdaLR(torch.optim.SGD(net.parameters(), lr=1.0), lambda e: 0.5 ** e)
print(similarity.shape, distance.mean().item(), warm.get_last_lr(), opt.param_groups[0]["lr"])
batches = [batch for batch in DataLoader(Stream(), batch_size=2)]
pairs = list(it.combinations(range(3), 2))
print(torch.vstack(batches).sum(0), len(pairs), torch.tensor(pairs).unique().numel())
frozen = [p for n, p in net.named_parameters() if n.startswith("towers.query")]
for p in frozen:
    p.requires_grad_(False)
trainable = filter(lambda p: p.requires_grad, net.parameters())
print(sum(p.numel() for p in trainable), functional.pairwise_distance(a, b).tolist()[:1])
for name, child in net.named_children():
    print(name, child.training, len(list(child.parameters())))
buffers = dict(net.named_buffers())
print(len(buffers), sorted(buffers)[0], net.get_submodule("towers.item").state_dict().keys())
