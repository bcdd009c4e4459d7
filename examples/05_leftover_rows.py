"""5. Leftover rows: pixels that no window covers, and the mistake that follows from them.

Input 6x6, kernel 3x3, stride 2: the windows begin at 0 and 2, the next would begin at 4 and need
row 6, which is not there. So row 5 and column 5 are in no window. They change no output, and their
gradient is 0.

Textbooks give dL/dX as a convolution: put stride - 1 zeros between the elements of dL/dO, pad by
KH - 1 all around, and convolve with the flipped kernel. That is right, but its result ends with the
last pixel that was covered, here at 5x5; what is left over must be added as rows of zeros. Whoever
forgets this has a gradient of the wrong shape, and only for some sizes: torch7 (issue 20, 2012),
BackPACK (issue 30, 2020), mlpack (issue 2986, 2021) and candle (issue 1212, 2023) all had it.

    python examples/05_leftover_rows.py
"""

from __future__ import annotations

import numpy as np

import pellucid
from pellucid.kernels.conv import ConvSpec
from pellucid.nn import functional


def textbook(gy: np.ndarray, w: np.ndarray, stride: int, leftover: int) -> np.ndarray:
    """Return dL/dX for one channel, with `leftover` rows and columns of zeros behind it."""
    (OH, OW), (KH, KW) = gy.shape, w.shape
    spread = np.zeros(((OH - 1) * stride + 1, (OW - 1) * stride + 1))
    spread[::stride, ::stride] = gy
    padded = np.pad(spread, ((KH - 1, KH - 1 + leftover), (KW - 1, KW - 1 + leftover)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KH, KW))
    # (H, W, KH, KW) with (KH, KW) -> (H, W)
    return np.einsum("hwuv,uv->hw", windows, w[::-1, ::-1])


def report(H: int) -> None:
    """Print the gradient of an HxH input as it is and as the recipe gives it."""
    spec = ConvSpec.parse(f"c1 i{H}x{H} o1 k3x3 s2")
    x = pellucid.ones(1, 1, H, H, requires_grad=True)
    w = pellucid.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    y = functional.conv2d(x, w, stride=2)
    y.backward(pellucid.ones(*y.shape))
    gx = x.grad.numpy()[0, 0]

    leftover = spec.leftover[0]
    bare, mended = (textbook(np.ones(spec.out_size), w.numpy()[0, 0], 2, r) for r in (0, leftover))
    print(f"\n{H}x{H} -> {spec.out_size[0]}x{spec.out_size[1]}, left over: ", end="")
    print(f"({H} - 3) mod 2 = {leftover}")
    print(np.array2string(gx.astype(int)))
    verdict = "right" if bare.shape == gx.shape and (bare == gx).all() else "too small"
    print(f"the recipe alone: {bare.shape[0]}x{bare.shape[1]}, {verdict}")
    assert (mended == gx).all()
    if leftover:
        print(f"the recipe with {leftover} row and column of zeros behind it: right")
        assert verdict == "too small"
        assert (gx[-1] == 0).all()
        assert (gx[:, -1] == 0).all()


report(5)
report(6)

# Rows can be uncovered for two more reasons: a stride that is larger than the kernel, and the gaps
# of a dilated kernel. With all weights and all dL/do equal to 1, the gradient counts the windows.
print("\nin how many windows each pixel lies:")
for text in ("c1 i8x8 o1 k2x2 s3", "c1 i9x9 o1 k3x3 s2 d2"):
    spec = ConvSpec.parse(text)
    x = pellucid.zeros(*spec.x_shape, requires_grad=True)
    stride, dilation = spec.stride[0], spec.dilation[0]
    functional.conv2d(x, pellucid.ones(*spec.w_shape), None, stride, 0, dilation).sum().backward()
    print(f"{text}\n{np.array2string(x.grad.numpy()[0, 0].astype(int))}")
