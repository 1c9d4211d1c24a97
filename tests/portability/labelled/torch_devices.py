"""Hard-coded devices, guarded and not; the lines that need one are not run here."""
import os

import torch
import torch.nn as nn

HAS = torch.cuda.is_available()
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
RUN = os.environ.get("NO_SUCH_VARIABLE") == "1"


def pick(index=0):
    if torch.cuda.is_available():
        torch.cuda.set_device(index)
        return torch.device("cuda", index)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def hard(model, x):
    model = model.cuda()
    x = x.cuda(non_blocking=True)
    y = torch.zeros(3, device="cuda")
    z = torch.ones(3).to("cuda:0")
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    with torch.cuda.amp.autocast():
        out = model(x)
    return out + y + z


model = nn.Linear(3, 3).to(device)
x = torch.rand(2, 3, device=device)
if RUN:
    hard(model, x)
with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
    half = model(x)
scaler = torch.amp.GradScaler("cpu", enabled=False)
loss = scaler.scale(half.float().sum())
loss.backward()
print(half.dtype, pick(), x.is_cuda, x.device.type)
x64 = x.double()
xh = x.half().to(torch.float32)
xi = x.mul(10).to(dtype=torch.int32)
print(x64.dtype, xh.sum(), xi.bitwise_and(3).max(), torch.get_default_dtype())
