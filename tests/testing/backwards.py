"""Four correct backward passes of a convolution, as people write them; mutants.py breaks them.

Each is one function that can be read alone, since the mutants are made by replacing a line of it.
"""

from __future__ import annotations

import numpy as np


def pair(option):
    return option if isinstance(option, tuple) else (option, option)


def loops(gy, x, w, stride, padding, dilation, groups):
    """Seven loops, and a test for pixels outside."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    N, _, H, W = x.shape
    O, Cg, KH, KW = w.shape
    OH, OW = gy.shape[2:]
    gx, gw, gb = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype), np.zeros(O, w.dtype)
    for n in range(N):
        for o in range(O):
            g = o // (O // groups)
            for i in range(OH):
                for j in range(OW):
                    gb[o] += gy[n, o, i, j]
                    for q in range(Cg):
                        c = g * Cg + q
                        for u in range(KH):
                            for v in range(KW):
                                h = i * sh + u * dh - ph
                                k = j * sw + v * dw - pw
                                if 0 <= h < H and 0 <= k < W:
                                    gx[n, c, h, k] += gy[n, o, i, j] * w[o, q, u, v]
                                    gw[o, q, u, v] += gy[n, o, i, j] * x[n, c, h, k]
    return gx, gw, gb


def windows(gy, x, w, stride, padding, dilation, groups):
    """A window of padded x at a time, all images and channels at once."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    H, W = x.shape[2:]
    O, Cg, KH, KW = w.shape
    OH, OW = gy.shape[2:]
    Og = O // groups
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxp = np.zeros_like(xp)
    gw = np.zeros_like(w)
    for g in range(groups):
        os, cs = slice(g * Og, (g + 1) * Og), slice(g * Cg, (g + 1) * Cg)
        for i in range(OH):
            for j in range(OW):
                rows = slice(i * sh, i * sh + (KH - 1) * dh + 1, dh)
                columns = slice(j * sw, j * sw + (KW - 1) * dw + 1, dw)
                part = gy[:, os, i, j]
                gxp[:, cs, rows, columns] += np.tensordot(part, w[os], (1, 0))
                gw[os] += np.tensordot(part, xp[:, cs, rows, columns], (0, 0))
    gx = gxp[:, :, ph : ph + H, pw : pw + W]
    gb = gy.sum(axis=(0, 2, 3))
    return gx, gw, gb


def im2col(gy, x, w, stride, padding, dilation, groups):
    """Matrix products with the columns of im2col, and col2im."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    N, _, H, W = x.shape
    O, Cg, KH, KW = w.shape
    OH, OW = gy.shape[2:]
    Og = O // groups
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxp = np.zeros(xp.shape, x.dtype)
    gw = np.zeros(w.shape, w.dtype)
    for g in range(groups):
        os, cs = slice(g * Og, (g + 1) * Og), slice(g * Cg, (g + 1) * Cg)
        columns = np.zeros((N, Cg, KH, KW, OH, OW), x.dtype)
        for u in range(KH):
            for v in range(KW):
                top, left = u * dh, v * dw
                bottom, right = top + (OH - 1) * sh + 1, left + (OW - 1) * sw + 1
                columns[:, :, u, v] = xp[:, cs, top:bottom:sh, left:right:sw]
        columns = columns.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1)
        gym = gy[:, os].transpose(0, 2, 3, 1).reshape(-1, Og)
        gw[os] = (gym.T @ columns).reshape(Og, Cg, KH, KW)
        gcolumns = gym @ w[os].reshape(Og, -1)
        gcolumns = gcolumns.reshape(N, OH, OW, Cg, KH, KW).transpose(0, 3, 4, 5, 1, 2)
        for u in range(KH):
            for v in range(KW):
                top, left = u * dh, v * dw
                bottom, right = top + (OH - 1) * sh + 1, left + (OW - 1) * sw + 1
                gxp[:, cs, top:bottom:sh, left:right:sw] += gcolumns[:, :, u, v]
    gx = gxp[:, :, ph : ph + H, pw : pw + W]
    gb = gy.transpose(1, 0, 2, 3).reshape(O, -1).sum(axis=1)
    return gx, gw, gb


def correlate(image, kernel, dilation, step):
    """Correlate the planes (N, C, H, W) with (O, C, KH, KW)."""
    (dh, dw), (sh, sw) = dilation, step
    KH, KW = kernel.shape[2:]
    OH = (image.shape[2] - (KH - 1) * dh - 1) // sh + 1
    OW = (image.shape[3] - (KW - 1) * dw - 1) // sw + 1
    out = np.zeros((len(image), len(kernel), OH, OW), image.dtype)
    for u in range(KH):
        for v in range(KW):
            rows = slice(u * dh, u * dh + (OH - 1) * sh + 1, sh)
            columns = slice(v * dw, v * dw + (OW - 1) * sw + 1, sw)
            out += np.einsum("nchw,oc->nohw", image[:, :, rows, columns], kernel[:, :, u, v])
    return out


def gather(gy, x, w, stride, padding, dilation, groups):
    """Both gradients as correlations: gy with zeros between for gx, gy as the kernel for gw."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    N, _, H, W = x.shape
    O, Cg, KH, KW = w.shape
    OH, OW = gy.shape[2:]
    Og = O // groups
    rest_h = (H + 2 * ph - (KH - 1) * dh - 1) % sh
    rest_w = (W + 2 * pw - (KW - 1) * dw - 1) % sw
    up = np.zeros((N, O, (OH - 1) * sh + 1, (OW - 1) * sw + 1), gy.dtype)
    up[:, :, ::sh, ::sw] = gy
    top, left = (KH - 1) * dh - ph, (KW - 1) * dw - pw
    up = np.pad(up, ((0, 0), (0, 0), (top, top + rest_h), (left, left + rest_w)))
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    gxs, gws = [], []
    for g in range(groups):
        os, cs = slice(g * Og, (g + 1) * Og), slice(g * Cg, (g + 1) * Cg)
        flipped = w[os, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        gxs.append(correlate(up[:, os], flipped, (dh, dw), (1, 1)))
        part = correlate(
            xp[:, cs].transpose(1, 0, 2, 3), gy[:, os].transpose(1, 0, 2, 3), (sh, sw), (dh, dw)
        )
        gws.append(part[:, :, :KH, :KW].transpose(1, 0, 2, 3))
    return np.concatenate(gxs, axis=1), np.concatenate(gws, axis=0), np.sum(gy, axis=(0, 2, 3))


CORRECT = {"loops": loops, "windows": windows, "im2col": im2col, "gather": gather}
