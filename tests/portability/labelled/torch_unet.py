import torch
import torch.nn as nn
import torch.nn.functional as F
from functools import partial


class DoubleConv(nn.Module):
    def __init__(self, in_ch, out_ch, act_layer=nn.SiLU, norm_layer=partial(nn.GroupNorm, 2)):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_ch, out_ch, 3, padding=1), norm_layer(out_ch), act_layer(),
            nn.Conv2d(out_ch, out_ch, 3, padding=1), norm_layer(out_ch), act_layer(),
        )

    def forward(self, x):
        return self.net(x)


class Down(nn.Module):
    def __init__(self, in_ch, out_ch):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.conv = DoubleConv(in_ch, out_ch)

    def forward(self, x):
        return self.conv(self.pool(x))


class Up(nn.Module):
    def __init__(self, in_ch, out_ch, bilinear=True):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        else:
            self.up = nn.ConvTranspose2d(in_ch // 2, in_ch // 2, 2, stride=2)
        self.conv = DoubleConv(in_ch, out_ch)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        dy = x2.size(2) - x1.size(2)
        dx = x2.size(3) - x1.size(3)
        x1 = F.pad(x1, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(torch.cat([x2, x1], dim=1))


class UNet(nn.Module):
    def __init__(self, n_channels=3, n_classes=2, base=4):
        super().__init__()
        self.inc = DoubleConv(n_channels, base)
        self.downs = nn.ModuleList([Down(base, base * 2), Down(base * 2, base * 2)])
        self.ups = nn.ModuleList([Up(base * 4, base * 2), Up(base * 3, base)])
        self.outc = nn.Conv2d(base, n_classes, 1)
        self.dropout = nn.Dropout2d(0.1)

    def forward(self, x):
        skips = [self.inc(x)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        h = skips.pop()
        for up in self.ups:
            h = up(h, skips.pop())
        return self.outc(self.dropout(h))


def dice_loss(logits, target, eps=1e-6):
    probs = torch.softmax(logits, dim=1)[:, 1]
    target = target.float()
    inter = (probs * target).sum(dim=(1, 2))
    union = probs.sum(dim=(1, 2)) + target.sum(dim=(1, 2))
    return 1 - ((2 * inter + eps) / (union + eps)).mean()


def iou(pred, target):
    pred, target = pred.bool(), target.bool()
    both = torch.logical_and(pred, target).sum()
    either = torch.logical_or(pred, target).sum()
    return (both / either.clamp(min=1)).item()


net = UNet()
image = torch.rand(2, 3, 17, 19)
truth = (torch.rand(2, 17, 19) > 0.5).long()
logits = net(image)
loss = F.cross_entropy(logits, truth) + dice_loss(logits, truth)
loss.backward()
small = F.interpolate(logits.detach(), scale_factor=0.5, mode="nearest")
weights = torch.tensor([0.3, 0.7])
weighted = F.cross_entropy(logits, truth, weight=weights, reduction="none")
print(small.shape, iou(logits.argmax(1), truth), weighted.mean().item())
