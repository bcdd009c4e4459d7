"""7. A transposed convolution is the gradient of a convolution, run forward.

A convolution is linear in x, so it is a matrix M: each row holds the kernel where one window lies.
Backward, gx = M^T gy: each gy spreads the kernel over the pixels that its window saw. Nothing in
that needs a loss. Take any small picture in place of gy, and M^T makes a large one of it: a layer
that leads from the size that a strided convolution makes back to the size that it is given, as
decoders and generators want it. Its own gradient is the convolution, M again.

    python examples/07_transposed_convolution.py
"""

from __future__ import annotations

import numpy as np

import pellucid
from pellucid import nn, optim
from pellucid.data import DataLoader, Digits
from pellucid.nn import functional

# Seven pixels, the kernel 1 2 3, stride 2: three windows. Column h of M is the answer to pixel h.
w = pellucid.tensor([[[1.0, 2.0, 3.0]]])
pixels = pellucid.tensor(np.eye(7, dtype="float32")).unsqueeze(1)  # (7, 1, 7)
M = functional.conv1d(pixels, w, stride=2).numpy()[:, 0].T.astype(int)
print(f"the convolution as a matrix, a row for each window\n{M}\n")

# The same matrix, transposed, three times: as backward, by hand, and as a layer's forward.
x = pellucid.zeros(1, 1, 7, requires_grad=True)
gy = pellucid.tensor([[[1.0, 10.0, 100.0]]], requires_grad=True)
functional.conv1d(x, w, stride=2).backward(gy.detach())
y = functional.conv_transpose1d(gy, w, stride=2)
print("backward of conv1d    ", x.grad.numpy().astype(int)[0, 0])
print("M^T gy                ", M.T @ gy.detach().numpy().astype(int)[0, 0])
print("conv_transpose1d of gy", y.detach().numpy().astype(int)[0, 0])
assert x.grad.tolist() == y.tolist()

# And its own backward is the convolution.
g = pellucid.arange(7.0).reshape(1, 1, 7)
y.backward(g)
assert gy.grad.tolist() == functional.conv1d(g, w, stride=2).tolist()
print("its backward of 0..6  ", gy.grad.numpy().astype(int)[0, 0], "= conv1d of 0..6")

# 7 and 8 pixels both become 3, since a stride of 2 may leave one over. Which shall come back?
print()
for extra in (0, 1):
    y = functional.conv_transpose1d(gy, w, stride=2, output_padding=extra)
    again = functional.conv1d(y, w, stride=2)
    print(
        f"3 -> {y.shape[2]} pixels with output_padding={extra}, and the convolution makes ", end=""
    )
    print(f"{again.shape[2]} of them")

# Three taps at stride 2: every second pixel is met twice. Four taps meet all but the edges alike.
print("\nhow many taps meet each pixel:")
for taps in (3, 4):
    counts = functional.conv_transpose1d(gy * 0 + 1, pellucid.ones(1, 1, taps), stride=2)
    print(f"  {taps} taps {counts.detach().numpy().astype(int)[0, 0]}")

# A decoder: digits of 8x8 are pressed into 12 numbers, and transposed convolutions unfold them.
pellucid.manual_seed(0)
encoder = nn.Sequential(
    nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(),  # 8x8 -> 4x4
    nn.Conv2d(16, 3, 3, stride=2, padding=1),  # -> 2x2, three channels
)  # fmt: skip
decoder = nn.Sequential(
    nn.ConvTranspose2d(3, 16, 4, stride=2, padding=1), nn.ReLU(),  # 2x2 -> 4x4
    nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),  # -> 8x8
)  # fmt: skip
parameters = [*encoder.parameters(), *decoder.parameters()]
optimizer = optim.AdamW(parameters, lr=0.01)
print(f"\n{decoder}\n")
for epoch in range(1, 9):
    total = 0.0
    for x, _ in DataLoader(Digits(), batch_size=64, shuffle=True):
        loss = functional.mse_loss(decoder(encoder(x)), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    print(f"epoch {epoch}: mean squared error {total / len(Digits()):.4f}")
assert total / len(Digits()) < 0.03

x = pellucid.tensor(Digits(train=False)[0][0])[None]
with pellucid.no_grad():
    back = decoder(encoder(x))
print("\na test picture, and what came back from its 12 numbers:")
for row, copy in zip(x[0, 0].tolist(), back[0, 0].tolist(), strict=True):
    inks = ["".join(" .:-=+*#%@"[min(max(int(v * 10), 0), 9)] * 2 for v in r) for r in (row, copy)]
    print("  " + "   ".join(inks))
