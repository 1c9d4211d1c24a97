import os

import torch
import torch.nn as nn
from torch.autograd import Variable
from torch.optim import Adam

NZ, NGF, NDF, NC = 8, 4, 4, 1


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(NZ, NGF * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(NGF * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(NGF * 4, NGF, 4, 2, 1, bias=False),
            nn.BatchNorm2d(NGF),
            nn.ReLU(True),
            nn.ConvTranspose2d(NGF, NC, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        blocks = []
        channels = NC
        for width in (NDF, NDF * 2):
            blocks += [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
            channels = width
        blocks.append(nn.Conv2d(channels, 1, 4, 1, 0, bias=False))
        blocks.append(nn.Sigmoid())
        self.main = nn.Sequential(*blocks)

    def forward(self, input):
        return self.main(input).view(-1, 1).squeeze(1)


netG = Generator()
netG.apply(weights_init)
netD = Discriminator()
netD.apply(weights_init)
criterion = nn.BCELoss()
fixed_noise = torch.randn(4, NZ, 1, 1)
optimizerD = Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerG = Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
for i in range(2):
    netD.zero_grad()
    real = torch.rand(4, NC, 16, 16)
    batch_size = real.size(0)
    label = torch.full((batch_size,), 1.0)
    output = netD(Variable(real))
    errD_real = criterion(output, label)
    errD_real.backward()
    D_x = output.mean().item()
    noise = torch.randn(batch_size, NZ, 1, 1)
    fake = netG(noise)
    label.fill_(0.0)
    output = netD(fake.detach())
    errD_fake = criterion(output, label)
    errD_fake.backward()
    optimizerD.step()
    netG.zero_grad()
    label.fill_(1.0)
    output = netD(fake)
    errG = criterion(output, label)
    errG.backward()
    optimizerG.step()
    print(f"[{i}] {errD_real.item() + errD_fake.item():.3f} {errG.item():.3f} {D_x:.3f}")
samples = netG(fixed_noise).detach().add(1).div(2)
print(samples.shape, os.path.basename("a/b"), samples.flatten(1).std(dim=1))
