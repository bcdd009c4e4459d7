"""Backward passes that know less: no groups, numbers instead of pairs, planes instead of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Backward = Callable[..., Any]


def as_it_is(f: Backward) -> Backward:
    return f


def without_groups(f: Backward) -> Backward:
    return lambda gy, x, w, stride, padding, dilation: f(gy, x, w, stride, padding, dilation, 1)


def without_dilation(f: Backward) -> Backward:
    return lambda gy, x, w, stride, padding: f(gy, x, w, stride, padding, 1, 1)


def without_padding(f: Backward) -> Backward:
    return lambda gy, x, w, stride, dilation, groups: f(gy, x, w, stride, 0, dilation, groups)


def with_stride_alone(f: Backward) -> Backward:
    return lambda gy, x, w, stride: f(gy, x, w, stride, 0, 1, 1)


def without_options(f: Backward) -> Backward:
    return lambda gy, x, w: f(gy, x, w, 1, 0, 1, 1)


def with_numbers(f: Backward) -> Backward:
    def numbers(dout: Any, x: Any, w: Any, stride: int = 1, pad: int = 0) -> Any:
        return f(dout, x, w, stride + 0, pad + 0, 1, 1)

    return numbers


def with_pairs(f: Backward) -> Backward:
    def pairs(gy: Any, x: Any, w: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        (a, b), (c, d), (e, g) = stride, padding, dilation
        return f(gy, x, w, (a, b), (c, d), (e, g), 1)

    return pairs


def with_one_channel(f: Backward) -> Backward:
    def one_channel(gy: Any, x: Any, w: Any, stride: Any, padding: Any) -> Any:
        if x.shape[1] > 1 or len(w) > 1:
            raise NotImplementedError("one channel only")
        return f(gy, x, w, stride, padding, 1, 1)

    return one_channel


def with_planes(f: Backward) -> Backward:
    def planes(gy: Any, x: Any, w: Any, stride: Any, padding: Any) -> Any:
        (H, W), (KH, KW), (OH, OW) = x.shape, w.shape, gy.shape
        arrays = gy.reshape(1, 1, OH, OW), x.reshape(1, 1, H, W), w.reshape(1, 1, KH, KW)
        gx, gw, gb = f(*arrays, stride, padding, 1, 1)
        return gx[0, 0], gw[0, 0], float(gb[0]) if np.size(gb) == 1 else gb

    return planes


PARTS = [
    as_it_is, without_groups, without_dilation, without_padding, with_stride_alone,
    without_options, with_numbers, with_pairs, with_one_channel,
]  # fmt: skip
