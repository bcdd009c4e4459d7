"""Fifteen wrong backward passes, written by somebody who had not read `diagnose`.

They are written as learners write them: three ways to get the gradients right, and in each of them
a line gone wrong. `MUTANTS` says in plain words what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Backward = Callable[..., tuple[Any, Any, Any]]


def pair(value):
    return (value, value) if np.isscalar(value) else tuple(value)


def sizes(gy, w):
    return gy.shape[2], gy.shape[3], w.shape[2], w.shape[3]


# --- 1 to 4: loops over windows, all channels of a group at once --------------------------------


def no_overlap_sum(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    OH, OW, KH, KW = sizes(gy, w)
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxp, gw = np.zeros_like(xp), np.zeros_like(w)
    CG, OG = w.shape[1], w.shape[0] // groups
    for g in range(groups):
        c, o = slice(g * CG, (g + 1) * CG), slice(g * OG, (g + 1) * OG)
        for i in range(OH):
            for j in range(OW):
                rows = slice(i * sh, i * sh + (KH - 1) * dh + 1, dh)
                columns = slice(j * sw, j * sw + (KW - 1) * dw + 1, dw)
                # wrong: the next window overwrites
                gxp[:, c, rows, columns] = np.einsum("no,ocuv->ncuv", gy[:, o, i, j], w[o])
                gw[o] += np.einsum("no,ncuv->ocuv", gy[:, o, i, j], xp[:, c, rows, columns])
    H, W = x.shape[2:]
    return gxp[:, :, ph : ph + H, pw : pw + W], gw, gy.sum(axis=(0, 2, 3))


def window_start_without_stride(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    (ph, pw), (dh, dw) = pair(padding), pair(dilation)
    sh, sw = pair(stride)
    OH, OW, KH, KW = sizes(gy, w)
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxp, gw = np.zeros_like(xp), np.zeros_like(w)
    CG, OG = w.shape[1], w.shape[0] // groups
    for n in range(x.shape[0]):
        for o in range(w.shape[0]):
            g = o // OG
            for i in range(OH):
                for j in range(OW):
                    for c in range(CG):
                        for u in range(KH):
                            for v in range(KW):
                                h, k = i * sh + u * dh, j * sw + v * dw
                                # wrong: the windows of gx lie side by side, whatever the stride
                                gxp[n, g * CG + c, i + u * dh, j + v * dw] += (
                                    gy[n, o, i, j] * w[o, c, u, v]
                                )
                                gw[o, c, u, v] += gy[n, o, i, j] * xp[n, g * CG + c, h, k]
    H, W = x.shape[2:]
    return gxp[:, :, ph : ph + H, pw : pw + W], gw, gy.sum(axis=(0, 2, 3))


def every_group_reads_the_first(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    OH, OW, KH, KW = sizes(gy, w)
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxp, gw = np.zeros_like(xp), np.zeros_like(w)
    CG, OG = w.shape[1], w.shape[0] // groups
    for g in range(groups):
        c, o = slice(g * CG, (g + 1) * CG), slice(g * OG, (g + 1) * OG)
        first = slice(0, CG)  # wrong: should be c
        for i in range(OH):
            for j in range(OW):
                rows = slice(i * sh, i * sh + (KH - 1) * dh + 1, dh)
                columns = slice(j * sw, j * sw + (KW - 1) * dw + 1, dw)
                gxp[:, c, rows, columns] += np.einsum("no,ocuv->ncuv", gy[:, o, i, j], w[o])
                gw[o] += np.einsum("no,ncuv->ocuv", gy[:, o, i, j], xp[:, first, rows, columns])
    H, W = x.shape[2:]
    return gxp[:, :, ph : ph + H, pw : pw + W], gw, gy.sum(axis=(0, 2, 3))


def only_the_last_image(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    OH, OW, KH, KW = sizes(gy, w)
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxp = np.zeros_like(xp)
    CG, OG = w.shape[1], w.shape[0] // groups
    for n in range(x.shape[0]):
        gw = np.zeros_like(w)  # wrong: begins again with each image
        for g in range(groups):
            c, o = slice(g * CG, (g + 1) * CG), slice(g * OG, (g + 1) * OG)
            for i in range(OH):
                for j in range(OW):
                    rows = slice(i * sh, i * sh + (KH - 1) * dh + 1, dh)
                    columns = slice(j * sw, j * sw + (KW - 1) * dw + 1, dw)
                    gxp[n, c, rows, columns] += np.einsum("o,ocuv->cuv", gy[n, o, i, j], w[o])
                    gw[o] += np.einsum("o,cuv->ocuv", gy[n, o, i, j], xp[n, c, rows, columns])
    H, W = x.shape[2:]
    return gxp[:, :, ph : ph + H, pw : pw + W], gw, gy.sum(axis=(0, 2, 3))


# --- 5 to 8: im2col and col2im --------------------------------------------------------------------


def im2col(x, w, gy, stride, padding, dilation):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    OH, OW, KH, KW = sizes(gy, w)
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    N, C = x.shape[:2]
    columns = np.zeros((N, C, KH, KW, OH, OW), x.dtype)
    for u in range(KH):
        for v in range(KW):
            columns[:, :, u, v] = xp[
                :, :, u * dh : u * dh + sh * OH : sh, v * dw : v * dw + sw * OW : sw
            ][:, :, :OH, :OW]
    return columns


def col2im(columns, x, stride, padding, dilation):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    N, C, KH, KW, OH, OW = columns.shape
    H, W = x.shape[2:]
    gxp = np.zeros((N, C, H + 2 * ph, W + 2 * pw), columns.dtype)
    for u in range(KH):
        for v in range(KW):
            rows = slice(u * dh, u * dh + (OH - 1) * sh + 1, sh)
            cols = slice(v * dw, v * dw + (OW - 1) * sw + 1, sw)
            gxp[:, :, rows, cols] += columns[:, :, u, v]
    return gxp[:, :, ph : ph + H, pw : pw + W]


def both_by_columns(gy, x, w, stride, padding, dilation, groups):
    N, O, OH, OW = gy.shape
    CG, KH, KW = w.shape[1:]
    G, OG = groups, O // groups
    columns = im2col(x, w, gy, stride, padding, dilation).reshape(N, G, CG, KH, KW, OH, OW)
    gyg, wg = gy.reshape(N, G, OG, OH, OW), w.reshape(G, OG, CG, KH, KW)
    gw = np.einsum("ngoij,ngcuvij->gocuv", gyg, columns).reshape(w.shape)
    gcolumns = np.einsum("ngoij,gocuv->ngcuvij", gyg, wg).reshape(N, G * CG, KH, KW, OH, OW)
    return col2im(gcolumns, x, stride, padding, dilation), gw


def bias_without_batch(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, gw, gy.sum(axis=(2, 3))[0]  # wrong: of the first image


def mean_over_the_batch(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, gw / x.shape[0], gy.sum(axis=(0, 2, 3))  # wrong: somebody divided


def kernel_axes_swapped(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    # wrong: (u, v) came out as (v, u)
    return gx, np.ascontiguousarray(gw.transpose(0, 1, 3, 2)), gy.sum(axis=(0, 2, 3))


def padding_left_on(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    ph, pw = pair(padding)
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    H, W = x.shape[2:]
    whole = np.pad(gx, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    # what col2im has before the crop, cut to the size of x from the first row on
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    whole, _ = both_by_columns(gy, xp, w, stride, 0, dilation, groups)
    return whole[:, :, :H, :W], gw, gy.sum(axis=(0, 2, 3))  # wrong: not from ph, pw on


# --- 9 to 12: gx as a full correlation with the flipped kernel -----------------------------------


def full_correlation(gy, x, w, stride, padding, dilation, groups, kernel, spread=True, rest=True):
    """Correct with kernel = w[:, :, ::-1, ::-1]."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    OH, OW, KH, KW = sizes(gy, w)
    N, (H, W) = x.shape[0], x.shape[2:]
    if not spread:
        sh = sw = 1
    z = np.zeros((N, w.shape[0], (OH - 1) * sh + 1, (OW - 1) * sw + 1), gy.dtype)
    z[:, :, ::sh, ::sw] = gy
    high, wide = H + 2 * ph, W + 2 * pw
    z = np.pad(z, ((0, 0), (0, 0), ((KH - 1) * dh,) * 2, ((KW - 1) * dw,) * 2))
    gxp = np.zeros((N, x.shape[1], high, wide), gy.dtype)
    CG, OG = w.shape[1], w.shape[0] // groups
    out_h = min(high, z.shape[2] - (KH - 1) * dh)
    out_w = min(wide, z.shape[3] - (KW - 1) * dw)
    for g in range(groups):
        c, o = slice(g * CG, (g + 1) * CG), slice(g * OG, (g + 1) * OG)
        for u in range(KH):
            for v in range(KW):
                part = z[:, o, u * dh : u * dh + out_h, v * dw : v * dw + out_w]
                gxp[:, c, :out_h, :out_w] += np.einsum("nohw,oc->nchw", part, kernel[o, :, u, v])
    return gxp[:, :, ph : ph + H, pw : pw + W]


def weights_by_columns(gy, x, w, stride, padding, dilation, groups):
    return both_by_columns(gy, x, w, stride, padding, dilation, groups)[1]


def not_flipped(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx = full_correlation(gy, x, w, stride, padding, dilation, groups, w)  # wrong
    gw = weights_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, gw, gy.sum(axis=(0, 2, 3))


def flipped_in_rows_only(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx = full_correlation(gy, x, w, stride, padding, dilation, groups, w[:, :, ::-1])  # wrong
    gw = weights_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, gw, gy.sum(axis=(0, 2, 3))


def no_zeros_between(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx = full_correlation(
        gy, x, w, stride, padding, dilation, groups, w[:, :, ::-1, ::-1], spread=False
    )
    gw = weights_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, gw, gy.sum(axis=(0, 2, 3))


def dense_kernel_for_gx(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    # wrong: the kernel of gx is not dilated
    gx = full_correlation(gy, x, w, stride, padding, 1, groups, w[:, :, ::-1, ::-1])
    gw = weights_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, gw, gy.sum(axis=(0, 2, 3))


# --- 13 to 15: signs, factors and what a caller sees ---------------------------------------------


def minus(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    return gx, -gw, gy.sum(axis=(0, 2, 3))  # wrong: the step of the optimizer crept in


def half(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    return 0.5 * gx, gw, gy.sum(axis=(0, 2, 3))  # wrong


def writes_into_gy(gy, x, w, stride=1, padding=0, dilation=1, groups=1):
    gx, gw = both_by_columns(gy, x, w, stride, padding, dilation, groups)
    gb = gy.sum(axis=(0, 2, 3))
    gy *= 0  # wrong: gradients "cleared", in the caller's array
    return gx, gw, gb


# What is wrong, in words that were there before the names, and the name of it.
MUTANTS: list[tuple[Backward, str, str]] = [
    (no_overlap_sum, "gx: = in place of += where windows overlap", "assigned-not-added"),
    (window_start_without_stride, "gx: stride ignored", "stride-ignored"),
    (every_group_reads_the_first, "gw: groups mixed", "groups-mixed"),
    (only_the_last_image, "gw: sum over the batch forgotten", "batch-not-summed"),
    (bias_without_batch, "gb: sum over the batch forgotten", "batch-not-summed"),
    (mean_over_the_batch, "gw: mean over the batch in place of the sum", "mean-for-sum"),
    (kernel_axes_swapped, "gw: kernel axes transposed", "kernel-axes-transposed"),
    (padding_left_on, "gx: padding not cropped, or on the wrong side", "padding-on-wrong-side"),
    (not_flipped, "gx: kernel not flipped", "kernel-not-flipped"),
    (
        flipped_in_rows_only,
        "gx: kernel flipped along one axis only",
        "kernel-flipped-along-one-axis",
    ),
    (no_zeros_between, "gx: zeros not inserted, stride ignored", "stride-ignored"),
    (dense_kernel_for_gx, "gx: dilation ignored", "dilation-ignored"),
    (minus, "gw: wrong sign", "wrong-sign"),
    (half, "gx: constant factor 1/2", "wrong-factor"),
    (writes_into_gy, "inputs modified: gy", "inputs-modified"),
]
