from collections import Counter

import torch
from torch import nn, optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

SENTENCES = ["the cat sat", "a dog ran fast", "the dog sat", "a cat"]
LABELS = [0, 1, 0, 1]


class Vocab:
    def __init__(self, texts):
        counts = Counter(word for text in texts for word in text.split())
        self.stoi = {w: i + 1 for i, (w, _) in enumerate(counts.most_common())}

    def encode(self, text):
        return torch.tensor([self.stoi.get(w, 0) for w in text.split()], dtype=torch.long)

    def __len__(self):
        return len(self.stoi) + 1


class Classifier(nn.Module):
    def __init__(self, vocab_size, dim=8, hidden=8, num_layers=1, bidirectional=True):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        self.rnn = nn.LSTM(dim, hidden, num_layers, batch_first=True, bidirectional=bidirectional)
        self.gru = nn.GRU(dim, hidden, batch_first=True)
        self.norm = nn.LayerNorm(hidden * 2)
        self.head = nn.Sequential(nn.Linear(hidden * 3, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 2))

    def forward(self, tokens, lengths):
        embedded = self.embedding(tokens)
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed_out, (hidden, cell) = self.rnn(packed)
        output, _ = pad_packed_sequence(packed_out, batch_first=True)
        _, last = self.gru(embedded)
        pooled = self.norm(output).max(dim=1).values
        both = torch.cat([pooled, last.squeeze(0)], dim=1)
        return self.head(both) + hidden.sum() * 0 + cell.mean() * 0


def collate(batch):
    texts, labels = zip(*batch)
    lengths = torch.tensor([len(t) for t in texts])
    return pad_sequence(texts, batch_first=True), lengths, torch.tensor(labels)


vocab = Vocab(SENTENCES)
data = [(vocab.encode(s), y) for s, y in zip(SENTENCES, LABELS)]
loader = torch.utils.data.DataLoader(data, batch_size=2, collate_fn=collate)
model = Classifier(len(vocab))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
for epoch in range(2):
    for tokens, lengths, labels in loader:
        optimizer.zero_grad()
        logits = model(tokens, lengths)
        loss = criterion(logits, labels)
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 1.0)
        optimizer.step()
    scheduler.step()
    print(epoch, loss.detach().item(), scheduler.get_last_lr())
accuracy = (logits.argmax(-1) == labels).float().mean()
print(accuracy.item(), ", ".join(vocab.stoi))
