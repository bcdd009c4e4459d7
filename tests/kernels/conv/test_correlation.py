"""The plans by themselves: evaluated by loops, they are the convolution and its gradients."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from kernels.conv.problems import conv_specs, integers

from pellucid.kernels.conv import ConvSpec, reference
from pellucid.kernels.conv.correlation import bias_plan, forward_plan, phases


def read_plan(plan, axes):
    """The numbers of a plan: five of all, then (in, out, step, offsets, places) of each axis."""
    numbers = np.frombuffer(plan, np.int64).tolist()
    images, groups, C, O, work = numbers[:5]
    found, at = [], 5
    for _ in range(axes):
        size, out, step, taps = numbers[at : at + 4]
        offsets = numbers[at + 4 : at + 4 + taps]
        places = numbers[at + 4 + taps : at + 4 + 2 * taps]
        assert offsets == sorted(offsets)
        found.append((size, out, step, offsets, places))
        at += 4 + 2 * taps
    assert at == len(numbers)
    return (images, groups, C, O, work), found


def correlate(x, w, plan, axes):
    """y[n,o,q] = sum over taps and channels of x[n, c, q step + offset] w[o, c, place]."""
    (images, groups, C, O, _), found = read_plan(plan, axes)
    y = np.zeros((images, groups * O, *(out for _, out, *_ in found)))
    for q in itertools.product(*(range(out) for _, out, *_ in found)):
        for taps in itertools.product(*(range(len(offsets)) for *_, offsets, _ in found)):
            at = [i * axis[2] + axis[3][t] for i, axis, t in zip(q, found, taps, strict=True)]
            if not all(0 <= h < axis[0] for h, axis in zip(at, found, strict=True)):
                continue
            place = [axis[4][t] for axis, t in zip(found, taps, strict=True)]
            for g in range(groups):
                seen = x[(slice(None), slice(g * C, (g + 1) * C), *at)]
                # (N, C) @ (C, O) -> (N, O)
                weights = w[(slice(g * O, (g + 1) * O), slice(None), *place)]
                y[(slice(None), slice(g * O, (g + 1) * O), *q)] += seen @ weights.T
    return y


@settings(max_examples=60, deadline=None)
@given(conv_specs())
def test_the_forward_plan(spec):
    x, w = integers(spec.x_shape, 0), integers(spec.w_shape, 1)
    found = correlate(x, w, forward_plan(spec), spec.axes)
    assert np.array_equal(found, reference.forward(x, w, None, spec))


@settings(max_examples=60, deadline=None)
@given(conv_specs())
def test_the_phases_of_grad_input(spec):
    gy, w = integers(spec.y_shape, 0), integers(spec.w_shape, 1)
    G, spatial = spec.groups, spec.kernel
    # (O, C/G, ...) -> (C, O/G, ...), group by group
    turned = w.reshape(G, -1, *w.shape[1:]).swapaxes(1, 2).reshape(-1, w.shape[0] // G, *spatial)
    gx, times = np.full(spec.x_shape, np.nan), np.zeros(spec.x_shape, int)
    for part, plan, _ in phases(spec):
        times[part] += 1
        gx[part] = 0 if plan is None else correlate(gy, turned, plan, spec.axes)
    assert (times == 1).all()  # every pixel belongs to one phase
    assert np.array_equal(gx, reference.grad_input(gy, w, spec))


def test_no_zeros_are_multiplied():
    """The taps of all phases together are the taps of the kernel."""
    spec = ConvSpec.parse("c1 i12x12 o1 k3x3 s2 p1")
    taps = 0
    for _, plan, _ in phases(spec):
        if plan is not None:
            _, axes = read_plan(plan, 2)
            taps += len(axes[0][3]) * len(axes[1][3])
    assert taps == 9


def test_pixels_without_taps_go_together_and_are_a_correlation_of_no_channels():
    spec = ConvSpec.parse("n2 c3 i9x8 o4 k1x1 s4x4")
    bare = [gx_part for gx_part, plan, _ in phases(spec) if plan is None]
    assert len(bare) == 3 + 3  # three of four rows, and in the fourth three of four columns
    (*head, _), axes = read_plan(bias_plan(spec, (2, 8)), 2)
    assert head == [2, 1, 0, 3]
    assert [(size, out) for size, out, *_ in axes] == [(2, 2), (8, 8)]


def test_a_step_that_leads_nowhere_is_not_told():
    """With one output, a stride may be larger than any x; the phases are rows that have pixels."""
    spec = ConvSpec.parse(f"c1 i5x6 o1 k2x2 s{10**30}x{2**62} p{2**40}:{2**40}")
    _, axes = read_plan(forward_plan(spec), 2)
    assert [step for _, _, step, *_ in axes] == [1, 1]
    assert len(phases(spec)) == 5  # none has taps, so all columns go together


def test_more_multiply_adds_than_64_bits_count():
    spec = ConvSpec.parse(f"n{2**40} c{2**20} i2 o{2**20} k1")
    (*_, work), _ = read_plan(forward_plan(spec), 1)
    assert work == 2**63 - 1
    (_, plan, _), *_ = phases(spec)
    assert read_plan(plan, 1)[0][-1] == 2**63 - 1
