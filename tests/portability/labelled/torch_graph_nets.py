import torch as t
import torch.nn as tnn
import torch.nn.functional as tF


def scatter_sum(src, index, size):
    out = src.new_zeros(size, src.size(-1))
    return out.index_add_(0, index, src)


def scatter_mean(src, index, size):
    total = scatter_sum(src, index, size)
    count = t.bincount(index, minlength=size).clamp(min=1)
    return total / count.unsqueeze(-1)


def normalise(edge_index, n):
    row, col = edge_index
    deg = t.zeros(n).scatter_add_(0, row, t.ones(row.numel()))
    inv = deg.pow(-0.5)
    inv[inv.isinf()] = 0
    return inv[row] * inv[col]


class GCNConv(tnn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = tnn.Linear(n_in, n_out, bias=False)
        self.bias = tnn.Parameter(t.zeros(n_out))

    def forward(self, x, edge_index):
        x = self.lin(x)
        weight = normalise(edge_index, x.size(0))
        messages = x.index_select(0, edge_index[1]) * weight.view(-1, 1)
        return scatter_sum(messages, edge_index[0], x.shape[0]) + self.bias


class GATConv(tnn.Module):
    def __init__(self, n_in, n_out, slope=0.2):
        super().__init__()
        self.W = tnn.Parameter(t.empty(n_in, n_out))
        self.a = tnn.Parameter(t.empty(2 * n_out, 1))
        tnn.init.xavier_normal_(self.W)
        tnn.init.xavier_normal_(self.a)
        self.slope = slope

    def forward(self, h, adj):
        Wh = t.mm(h, self.W)
        n = Wh.size(0)
        pairs = t.cat([Wh.repeat_interleave(n, dim=0), Wh.repeat(n, 1)], dim=1).view(n, n, -1)
        e = tF.leaky_relu(t.matmul(pairs, self.a).squeeze(2), self.slope)
        attention = t.where(adj > 0, e, t.full_like(e, -9e15))
        attention = tF.dropout(tF.softmax(attention, dim=1), 0.1, training=self.training)
        return tF.elu(t.matmul(attention, Wh))


class Net(tnn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = GCNConv(4, 8), GCNConv(8, 3)
        self.gat = GATConv(4, 3)
        self.readout = tnn.Bilinear(3, 3, 2)

    def forward(self, x, edge_index, adj):
        h = tF.relu(self.conv1(x, edge_index))
        h = self.conv2(h, edge_index)
        g = self.gat(x, adj)
        return self.readout(h, g).log_softmax(-1)


n = 6
edge_index = t.randint(0, n, (2, 14))
adj = t.zeros(n, n)
adj[edge_index[0], edge_index[1]] = 1
adj = (adj + adj.T + t.eye(n)).clamp_max(1)
x = t.randn(n, 4)
net = Net()
out = net(x, edge_index, adj)
train_mask = t.rand(n).gt(0.3)
train_mask[0] = True
loss = tF.nll_loss(out[train_mask], t.randint(0, 2, (n,))[train_mask])
loss.backward()
print(loss.item(), scatter_mean(x, edge_index[0][:n], n).shape, adj.nonzero().size(0))
laplacian = t.diag(adj.sum(1)) - adj
eigenvalues, eigenvectors = t.linalg.eigh(laplacian)
fiedler = eigenvectors[:, 1]
order = fiedler.argsort()
print(eigenvalues[:2].round(decimals=3), order.tolist())
