"""6. The gradient of a gradient.

The backward pass of a convolution is made of convolutions, so it can be differentiated like any
other computation: ask for the gradient with `create_graph=True`, compute with it, and go back once
more. Here a small network f is trained so that its slope is 1 in every picture of a batch, as the
critic of a WGAN-GP is:

    penalty = mean over the batch of (|df/dx| - 1)^2

df/dx comes from a first backward pass, and what the weights have to do with it from a second one.

    python examples/06_double_backward.py
"""

from __future__ import annotations

import numpy as np

import pellucid
from pellucid.nn import functional
from pellucid.testing import gradgradcheck

pellucid.manual_seed(0)
x = pellucid.randn(8, 1, 8, 8, dtype="float64", requires_grad=True)
w1 = (0.3 * pellucid.randn(6, 1, 3, 3, dtype="float64")).requires_grad_()
w2 = (0.3 * pellucid.randn(1, 6, 3, 3, dtype="float64")).requires_grad_()
weights = [w1, w2]


def f(x: pellucid.Tensor) -> pellucid.Tensor:
    """One number for each picture, by two convolutions with stride 2."""
    hidden = functional.conv2d(x, w1, stride=2, padding=1).tanh()
    return functional.conv2d(hidden, w2, stride=2).sum(dim=(1, 2, 3))


def slopes(x: pellucid.Tensor) -> pellucid.Tensor:
    """|df/dx| of each picture, as a part of the graph."""
    (gx,) = pellucid.autograd.grad(f(x).sum(), x, create_graph=True)
    return (gx * gx).sum(dim=(1, 2, 3)).sqrt()


print("step   penalty   |df/dx| of the eight pictures")
for step in range(41):
    slope = slopes(x)
    penalty = ((slope - 1) ** 2).mean()
    if step % 10 == 0:
        print(f"{step:4} {penalty.item():9.6f}  ", " ".join(f"{s:.3f}" for s in slope.tolist()))
    gradients = pellucid.autograd.grad(penalty, weights)  # the second pass
    with pellucid.no_grad():
        for w, gw in zip(weights, gradients, strict=True):
            w.sub_(0.2 * gw)
assert penalty.item() < 0.01

# Is the second pass right? Move a weight a little and look at the penalty, which holds a gradient.
h = 1e-5
(gw, _) = pellucid.autograd.grad(((slopes(x) - 1) ** 2).mean(), weights)
values = []
for sign in (1, -1):
    with pellucid.no_grad():
        w1[2, 0, 1, 1] += sign * h
    values.append(((slopes(x) - 1) ** 2).mean().item())
    with pellucid.no_grad():
        w1[2, 0, 1, 1] -= sign * h
measured = (values[0] - values[1]) / (2 * h)
print(f"\ndpenalty/dw1[2,0,1,1]: {gw[2, 0, 1, 1].item():.10f} by the second pass,")
print(f"                       {measured:.10f} by moving the weight")
assert np.isclose(gw[2, 0, 1, 1].item(), measured, rtol=1e-6)

small = pellucid.randn(2, 1, 6, 6, dtype="float64", requires_grad=True)
print("\ngradgradcheck of f:", gradgradcheck(f, small))
