"""1. A tensor is a NumPy array that remembers how it was computed.

One neuron with one input, y = w x + b, and how wrong it is: loss = (y - target)^2. The gradient
says how the loss answers to a small change of each number. Here it is computed three times: by the
chain rule on paper, by walking the graph back, and by changing each number a little.

    python examples/01_tensor_and_gradient.py
"""

from __future__ import annotations

import numpy as np

import pellucid

x, target = 2.0, 10.0


def loss_of(w: pellucid.Tensor, b: pellucid.Tensor) -> pellucid.Tensor:
    return (w * x + b - target) ** 2


w = pellucid.tensor(3.0, dtype="float64", requires_grad=True)
b = pellucid.tensor(1.0, dtype="float64", requires_grad=True)
loss = loss_of(w, b)
print(f"y = {w.item():g} * {x:g} + {b.item():g} = {w.item() * x + b.item():g}")
print(f"loss = (y - {target:g})^2 = {loss.item():g}\n")

# Each op left a node, with edges to the nodes that made its inputs; at the end of the edges are
# the leaves, w and b. `backward` walks from the youngest node to the oldest.
print("the graph, from the loss back:")
node = loss.grad_fn
while isinstance(node, pellucid.autograd.Function):
    reached = [edge[0] for edge in node.next_functions if edge is not None]
    names = ["a leaf" if isinstance(end, pellucid.Tensor) else end.name for end in reached]
    print(f"  {node.name:<4} -> {', '.join(names)}")
    node = reached[0]

loss.backward()

error = w.item() * x + b.item() - target  # y - target
step = 1e-6
print("\n            chain rule   backward   (loss(+) - loss(-)) / 2 step")
for name, leaf, by_hand, change in [
    ("dloss/dw", w, 2 * error * x, (step, 0.0)),
    ("dloss/db", b, 2 * error, (0.0, step)),
]:
    with pellucid.no_grad():  # only numbers are wanted here, no graph
        ahead, behind = (loss_of(w + sign * change[0], b + sign * change[1]) for sign in (1, -1))
    slope = (ahead.item() - behind.item()) / (2 * step)
    print(f"  {name}  {by_hand:10.4f} {leaf.grad.item():10.4f} {slope:12.4f}")
    assert leaf.grad.item() == by_hand
    assert abs(slope - by_hand) < 1e-6

# `.grad` adds up: a second backward adds to the first. Set it to None to begin again.
loss_of(w, b).backward()
print(f"\nafter a second backward, dloss/dw has doubled: {w.grad.item():g}")
w.grad = b.grad = None

# Going against the gradient makes the loss smaller. This is all that an optimizer does.
print("\nfive steps of 0.05 times the gradient:")
for _ in range(5):
    loss = loss_of(w, b)
    loss.backward()
    print(f"  loss {loss.item():8.4f}   w {w.item():.4f}   b {b.item():.4f}")
    with pellucid.no_grad():
        for leaf in (w, b):
            leaf.sub_(0.05 * leaf.grad)
            leaf.grad = None

# Near to NumPy: `from_numpy` and `numpy()` share the memory, `tensor()` copies it.
array = np.zeros(3, np.float32)
shared, copied = pellucid.from_numpy(array), pellucid.tensor(array)
array[0] = 7
print(f"\nshared {shared.tolist()}, copied {copied.tolist()}")
