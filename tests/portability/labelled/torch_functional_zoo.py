"""A tour of functions under several spellings."""
import torch as th
import torch.fft
import torch.linalg as LA
from torch import einsum, nn
from torch.nn.functional import conv1d, gelu as gelu_fn, pad, softmax
from torch.special import expit

relu = th.relu
act = {"relu": th.nn.functional.relu, "tanh": th.tanh, "gelu": gelu_fn}


def norm(x, axis=-1):
    return x / LA.vector_norm(x, dim=axis, keepdim=True)


def attention(q: th.Tensor, k: th.Tensor, v: th.Tensor) -> th.Tensor:
    scores = einsum("bid,bjd->bij", q, k).div(q.shape[-1] ** 0.5)
    weights = softmax(scores, dim=-1)
    return weights.matmul(v)


def spectrum(signal: "th.Tensor"):
    freq = torch.fft.rfft(signal)
    return freq.abs().pow(2), torch.fft.rfftfreq(signal.numel())


x = th.linspace(-1, 1, 24).reshape(2, 3, 4)
y = relu(x)
y = act["tanh"](y)
y = getattr(th, "sigmoid")(y)
y = expit(y)
z = pad(y, (1, 1))
z = conv1d(z, th.ones(5, 3, 2))
print(norm(z).shape, attention(x, x, x).amax(dim=(1, 2)))
power, freq = spectrum(th.sin(th.arange(32.0)))
peak = power.argmax()
print(freq[peak])

u, s, vh = LA.svd(x)
chol = LA.cholesky(th.eye(3) + 0.1)
solved = LA.solve(chol, th.ones(3, 1))
eig = LA.eigvalsh(chol @ chol.mT)
det = th.det(chol) + LA.det(chol)
q, r = th.linalg.qr(th.rand(4, 4))
print((q @ r).allclose(q.mm(r)), det.item(), eig.min(), solved.squeeze().dot(th.ones(3)))

mask = x > 0
picked = x[mask]
filled = x.masked_fill(mask, 0.0)
chosen = th.where(mask, x, filled)
values, indices = chosen.sort(dim=-1, descending=True)
gathered = th.gather(x, -1, indices)
scattered = th.zeros_like(x).scatter_(-1, indices, gathered)
stacked = th.stack([x, y, scattered]).mean(0).unsqueeze(0)
chunks = th.chunk(stacked, 2, dim=1)
parts = [c.flatten().cumsum(0) for c in chunks]
joined = th.cat(parts).to(th.float64)
print(joined.std(), joined.quantile(0.5), th.median(joined), picked.numel())

with th.no_grad():
    layer = nn.Linear(4, 2)
    layer.weight.fill_(0.5)
    layer.bias.zero_()
    result = layer(x)
print(result.tolist()[0], len(parts), max(1, 2), sorted(act))
