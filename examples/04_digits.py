"""4. A convolutional network reads handwriting.

1,797 handwritten digits of 8x8 pixels come with the package, 1,442 to train with and 355 to test
with. The network: two convolutions, the second of which halves the picture by its stride, a maximum
over 2x2 pixels, and one linear layer that gives each digit a score.

    python examples/04_digits.py
"""

from __future__ import annotations

import pellucid
from pellucid import nn, optim
from pellucid.data import DataLoader, Digits

pellucid.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 2 * 2, 10),
)  # fmt: skip
optimizer = optim.AdamW(model.parameters(), lr=0.01)
loss_of = nn.CrossEntropyLoss()
train, test = Digits(train=True), Digits(train=False)
loader = DataLoader(train, batch_size=64, shuffle=True)


def accuracy() -> float:
    """Return the share of the test pictures that are read correctly."""
    with pellucid.no_grad():
        x, labels = next(iter(DataLoader(test, batch_size=len(test))))
        return float((model(x).argmax(dim=1) == labels).float().mean().item())


print(model)
print(f"\n{sum(p.numel() for p in model.parameters()):,} weights")
print(f"epoch 0: {accuracy():6.1%} of {len(test)} test pictures, before training")
for epoch in range(1, 6):
    total = 0.0
    for x, labels in loader:
        loss = loss_of(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    print(f"epoch {epoch}: {accuracy():6.1%}, training loss {total / len(train):.4f}")

x, label = test[0]
with pellucid.no_grad():
    chances = nn.functional.softmax(model(pellucid.tensor(x)[None]), dim=1)[0]
print(f"\nthe first test picture, a {int(label)}:")
for row in pellucid.tensor(x)[0].tolist():
    print("  " + "".join(" .:-=+*#%@"[min(int(value * 10), 9)] * 2 for value in row))
best = int(chances.argmax().item())
print(f"read as {best}, with a probability of {chances[best].item():.3f}")
