import io
import copy

import torch
from torch import jit, nn
from torch.func import functional_call, grad as fgrad, vmap
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.checkpoint import checkpoint


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = weight_norm(nn.Linear(3, 4))
        self.b = nn.Linear(4, 2)

    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.b(h)


def per_sample(params, x, y):
    out = functional_call(model, params, (x.unsqueeze(0),))
    return (out.squeeze(0) - y).pow(2).sum()


model = nn.Sequential(nn.Linear(3, 2))
params = {k: v.detach() for k, v in model.named_parameters()}
xs, ys = torch.randn(5, 3), torch.randn(5, 2)
grads = vmap(fgrad(per_sample), in_dims=(None, 0, 0))(params, xs, ys)
print({k: g.shape for k, g in grads.items()})
small = Small()
vector = parameters_to_vector(small.parameters())
vector_to_parameters(vector.mul(0.5), small.parameters())
with torch.no_grad():
    traced = jit.trace(nn.ReLU(), torch.rand(2))
buffer = io.BytesIO()
torch.save(small.state_dict(), buffer)
buffer.seek(0)
state = torch.load(buffer, weights_only=True)
twin = copy.deepcopy(small)
twin.load_state_dict(state, strict=True)
x = torch.rand(2, 3, requires_grad=True)
y = checkpoint(twin, x, use_reentrant=False)
y.sum().backward()
print(traced(torch.tensor([-1.0, 1.0])), vector.numel(), x.grad.abs().sum().item())
q = torch.quantize_per_tensor(torch.rand(4), scale=0.1, zero_point=0, dtype=torch.quint8)
print(q.dequantize(), q.int_repr(), q.q_scale())
sp = torch.eye(3).to_sparse()
print(sp.coalesce().values(), torch.sparse.mm(sp, torch.ones(3, 1)).sum(), sp.to_dense().trace())
nested = torch.nn.utils.rnn.pad_sequence([torch.ones(2), torch.ones(3)], batch_first=True)
print(nested, torch.nn.functional.one_hot(torch.tensor([0, 2])), torch.tril_indices(3, 3).shape)
windows = torch.hann_window(8)
spec = torch.stft(torch.rand(32), n_fft=8, window=windows, return_complex=True)
back = torch.istft(spec, n_fft=8, window=windows)
print(spec.abs().mean(), back.shape, torch.view_as_real(spec).shape, torch.angle(spec).max())
comp = torch.complex(torch.ones(2), torch.zeros(2))
print(comp.conj().real, torch.polar(torch.ones(1), torch.zeros(1)), comp.resolve_conj().imag.sum())
boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0]])
lt = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
rb = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
wh = (rb - lt).clamp(min=0)
inter = wh[..., 0] * wh[..., 1]
area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
print(inter / (area[:, None] + area - inter), torch.logical_not(inter > 0), torch.isclose(lt, rb).any())
