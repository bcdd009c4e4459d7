"""8. Which mistake is it: a backward pass of your own, and what is wrong with it.

A gradient check says that a gradient is wrong and where. `diagnose` says which mistake was made: it
computes what each known mistake would return, and finds the one that returns just what your
function did, on small cases from the worked example on. Here is a backward pass as most people
write their first, with NumPy, one window at a time, and four others with a mistake each.

    python examples/08_diagnose.py

For a function in a file of yours: `pellucid diagnose my_conv.py:backward`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pellucid.testing import diagnose


def backward(
    gy: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int, padding: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return gx, gw and gb: the windows of the forward pass, walked again."""
    (H, W), (KH, KW) = x.shape[2:], w.shape[2:]
    p = padding
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    gxp, gw = np.zeros_like(xp), np.zeros_like(w)
    for i, j in np.ndindex(gy.shape[2:]):
        window = np.s_[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
        # (N, O) @ (O, C, KH, KW) -> (N, C, KH, KW), and (N, O), (N, C, KH, KW) -> (O, C, KH, KW)
        gxp[window] += np.tensordot(gy[:, :, i, j], w, 1)
        gw += np.tensordot(gy[:, :, i, j], xp[window], (0, 0))
    return gxp[:, :, p : p + H, p : p + W], gw, gy.sum(axis=(0, 2, 3))


def not_added(gy, x, w, stride):
    """`=` where windows overlap."""
    gx = np.zeros_like(x)
    for i, j in np.ndindex(gy.shape[2:]):
        rows = slice(i * stride, i * stride + w.shape[2])
        columns = slice(j * stride, j * stride + w.shape[3])
        gx[:, :, rows, columns] = np.tensordot(gy[:, :, i, j], w, 1)
    return gx, backward(gy, x, w, stride, 0)[1], gy.sum(axis=(0, 2, 3))


def not_flipped(gy, x, w):
    """The textbook's full correlation of gy, with the kernel as it is."""
    KH, KW = w.shape[2:]
    padded = np.pad(gy, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KH, KW), axis=(2, 3))
    # (N, O, H, W, KH, KW), (O, C, KH, KW) -> (N, C, H, W)
    gx = np.einsum("nohwuv,ocuv->nchw", windows, w)
    return gx, *backward(gy, x, w, 1, 0)[1:]


def not_cropped(gy, x, w, stride, padding):
    """The slice [p:-p], which is empty where p is 0."""
    gx, gw, gb = backward(gy, np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2), w, stride, 0)
    return gx[:, :, padding:-padding, padding:-padding], gw, gb


def not_transposed(gy, x, w):
    """A reshape where a transpose is needed: images and channels change places."""
    O, C, KH, KW = w.shape
    windows = np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(2, 3))
    # (N, C, OH, OW, KH, KW) -> (N OH OW, C KH KW)
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, C * KH * KW)
    gw = (gy.reshape(O, -1) @ columns).reshape(w.shape)
    return backward(gy, x, w, 1, 0)[0], gw, gy.sum(axis=(0, 2, 3))


functions: list[Callable[..., object]] = [
    backward, not_added, not_flipped, not_cropped, not_transposed
]  # fmt: skip
for function in functions:
    found = diagnose(function)
    print(f"{function.__name__}: {found.mistake}, {found.case}, {found.element}")

print(f"\nin words:\n\n{diagnose(not_added)}")
print(f"\nin Korean:\n\n{diagnose(not_flipped).text('ko')}")
