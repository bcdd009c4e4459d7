"""2. Backpropagation through a convolution, every element of it.

Input 5x5, kernel 3x3, stride 2, no padding, so the output is 2x2. The four windows of the input
begin at x11, x13, x31 and x33; an output is its window times the kernel, plus the bias:

    o11 = x11 w11 + x12 w12 + x13 w13 + x21 w21 + ... + x33 w33 + b

The backward pass walks the same windows with the same stride. Where an output met a pixel x under a
weight w, it adds dL/do w to dL/dx, and dL/do x to dL/dw. There is nothing else to it: see the two
lines inside the loops below.

The numbers are chosen to be read. The weights are the digits 1 to 9 and dL/do is 1, 10, 100, 1000,
so the digits of a dL/dx spell the weights that met that pixel, and their places say under which o.

    python examples/02_worked_example.py
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np

import pellucid
from pellucid.nn import functional

KH, OH, STRIDE = 3, 2, 2

X = pellucid.arange(1.0, 26.0).reshape(1, 1, 5, 5).requires_grad_()
W = pellucid.arange(1.0, 10.0).reshape(1, 1, 3, 3).requires_grad_()
b = pellucid.zeros(1, requires_grad=True)
gy = pellucid.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]])  # dL/do11, dL/do12, dL/do21, dL/do22

O = functional.conv2d(X, W, b, stride=STRIDE)
O.backward(gy)

# The equations: for each element of a gradient the products that add up to it, name and numbers.
x, w, go = (tensor.detach().numpy()[0, 0] for tensor in (X, W, gy))
dx, dw = defaultdict(list), defaultdict(list)
for i, j in product(range(OH), repeat=2):
    for u, v in product(range(KH), repeat=2):
        h, k = i * STRIDE + u, j * STRIDE + v  # the pixel under weight u, v in window i, j
        dx[h, k].append((f"dL/do{i + 1}{j + 1} w{u + 1}{v + 1}", go[i, j], w[u, v]))
        dw[u, v].append((f"dL/do{i + 1}{j + 1} x{h + 1}{k + 1}", go[i, j], x[h, k]))


def show(name: str, equations: dict, gradient: pellucid.Tensor) -> None:
    """Print each equation, its numbers, and the number that backward computed."""
    print(f"\n{name}  =  equation  =  its numbers  |  by backward")
    for (row, column), products in sorted(equations.items()):
        value = sum(a * b for _, a, b in products)
        found = gradient[0, 0, row, column].item()
        symbols = " + ".join(text for text, _, _ in products)
        numbers = " + ".join(f"{a:g}*{b:g}" for _, a, b in products)
        print(f"  {name}{row + 1}{column + 1} = {symbols} = {numbers} = {value:g} | {found:g}")
        assert value == found, "the equations and backward disagree"


print("O =", *O.detach().numpy()[0, 0].tolist())
show("dL/dx", dx, X.grad)
show("dL/dw", dw, W.grad)
print(f"\ndL/db = dL/do11 + dL/do12 + dL/do21 + dL/do22 = {go.sum():g} | {b.grad.item():g}")
assert b.grad.item() == go.sum()

print("\ndL/dX as a whole:")
print(np.array2string(X.grad.numpy()[0, 0].astype(int)))
print("1379, from the right: x33 met w33 under o11 (ones), w31 under o12 (tens), w13 under o21")
print("(hundreds) and w11 under o22 (thousands).")
