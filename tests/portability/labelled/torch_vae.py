import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F
from torch.distributions import Normal, kl_divergence


class VAE(nn.Module):
    def __init__(self, hidden=20, latent=4):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 784), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def exact_kl(mu, logvar):
    posterior = Normal(mu, logvar.mul(0.5).exp())
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return kl_divergence(posterior, prior).sum(-1).mean()


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=1e-3)
dataset = torch.utils.data.TensorDataset(torch.rand(32, 1, 28, 28))
loader = torch.utils.data.DataLoader(dataset, batch_size=8)
history = []
for epoch in range(2):
    train_loss = 0.0
    for (data,) in loader:
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data)
        loss = loss_function(recon_batch, data, mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    history.append(train_loss / len(loader.dataset))
with torch.no_grad():
    sample = torch.randn(3, 4)
    sample = model.decode(sample).cpu()
    grid = sample.view(3, 1, 28, 28).clamp(0, 1).numpy()
print(exact_kl(mu, logvar).item(), grid.mean(), history)
