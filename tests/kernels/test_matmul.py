"""Matrix products: right for all sizes and layouts, and the same bits whatever surrounds them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels.conv.checks import BOUNDS
from kernels.conv.native import needs_native, normal
from kernels.test_conv import LAYOUTS

import pellucid
from pellucid.kernels import matmul
from pellucid.kernels.layout import empty_channels_last
from pellucid.kernels.matmul import product

FEW, PANEL = 64, matmul._PANEL
SIZES = [
    (1, 1, 1), (1, 16, 10), (1, 1152, 256), (2, 3, 4), (5, 7, 5), (6, 16, 16), (7, 17, 33),
    (8, 700, 90), (13, 1, 9), (144, 256, 10), (100, 64, 100), (300, 5, 1), (1, 5, 300),
    (FEW, 9, FEW), (FEW, 9, FEW + 1), (FEW + 1, 9, 200),
    (3, PANEL, 5), (3, PANEL + 1, 5), (70, 2 * PANEL + 1, 6), (5, 3 * PANEL - 1, 70),
    (700, 20, 900), (2100, 9, 130), (50, PANEL + 9, 1300),
    # b is read as it lies: very few rows, and megabytes of b
    (9, 2 * PANEL + 6, 528), (13, 40, 1 << 14), (18, PANEL + 33, 1048),
]  # fmt: skip
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def integers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9, 10, shape).astype("float64")


def fill_pool_with_nan(*sizes: int, dtype: str = "float32") -> None:
    """Leave NaN in the memory that the pool will hand out next."""
    for size in sizes:
        empty_channels_last((size, 1), np.dtype(dtype)).fill(np.nan)


def check(a: np.ndarray, b: np.ndarray, bias: np.ndarray | None) -> None:
    """Hold the product to NumPy's in float64 within the bound on rounding (docs/maths.md, 12)."""
    fill_pool_with_nan(a.shape[0] * b.shape[1], a.size, b.size, dtype=a.dtype.name)
    y = product(a, b, bias)
    wide = [x.astype("float64") for x in (a, b, np.zeros(b.shape[1]) if bias is None else bias)]
    exact = wide[0] @ wide[1] + wide[2]
    S = (np.abs(wide[0]) @ np.abs(wide[1]) + np.abs(wide[2])).max(initial=0)
    assert (y.dtype, y.shape) == (a.dtype, exact.shape)
    assert y.flags.c_contiguous
    assert np.abs(y - exact).max(initial=0) <= BOUNDS[a.dtype.name] * S


@dtypes
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_against_float64_in_all_three_directions(size, dtype):
    M, K, N = size
    x, w, gy = normal((M, K), 0, dtype), normal((N, K), 1, dtype), normal((M, N), 2, dtype)
    check(x, w.T, normal((N,), 3, dtype))
    check(x, w.T, None)
    check(gy, w, None)
    check(gy.T, x, None)


sizes = st.integers(0, 40)


@given(sizes, st.integers(0, 3 * PANEL), sizes, st.booleans())
def test_drawn_sizes(M, K, N, b_is_transposed):
    a, b = normal((M, K), 0, "float32"), normal((K, N), 1, "float32")
    check(a, np.asfortranarray(b) if b_is_transposed else b, normal((N,), 2, "float32"))


@dtypes
@pytest.mark.parametrize("b_layout", LAYOUTS)
@pytest.mark.parametrize("a_layout", LAYOUTS)
@pytest.mark.parametrize("size", [(5, 7, 40), (70, 2 * PANEL + 3, 9)], ids=str)
def test_any_layout_gives_the_same_numbers(size, a_layout, b_layout, dtype):
    M, K, N = size
    whole = integers((M, K), 0), integers((K, N), 1), integers((N,), 2)
    a = LAYOUTS[a_layout](whole[0].astype(dtype))
    b, bias = (LAYOUTS[b_layout](x.astype(dtype)) for x in whole[1:])
    for array in (a, b, bias):
        array.flags.writeable = False
    y = product(a, b, bias)
    assert y.dtype == np.dtype(dtype)
    assert np.array_equal(y, whole[0] @ whole[1] + whole[2])
    assert all(map(np.array_equal, (a, b, bias), whole))


@needs_native
@pytest.mark.parametrize("size", [(8, 700, 90), (100, 700, 90)], ids=str)
def test_the_layout_changes_no_bit(size):
    M, K, N = size
    a, b = normal((M, K), 0, "float32"), normal((K, N), 1, "float32")
    y = product(a, b)
    for in_layout in LAYOUTS.values():
        assert np.array_equal(product(in_layout(a), b), y)
        assert np.array_equal(product(a, in_layout(b)), y)


@needs_native
@dtypes
@pytest.mark.parametrize("b_layout", LAYOUTS)
@pytest.mark.parametrize(
    "size", [*SIZES, (1, 1030, 50), (3, 7, 401), (40, 8, 500), (70, 1, 130), (33, 66, 100)], ids=str
)
def test_packing_changes_no_bit(monkeypatch, size, b_layout, dtype):
    M, K, N = size
    a, b = normal((M, K), 0, dtype), LAYOUTS[b_layout](normal((K, N), 1, dtype))
    bias = normal((2 * N,), 2, dtype)[::2]
    fill_pool_with_nan(M * N, dtype=dtype)
    monkeypatch.setattr(matmul, "_VERY_FEW", max(M, K))
    y = product(a, b, bias)
    monkeypatch.setattr(matmul, "_VERY_FEW", 0)
    monkeypatch.setattr(matmul, "_SMALL", 0)
    assert np.array_equal(product(a, b, bias), y)


def test_rows_that_are_one_row_repeated():
    a, b = (
        np.broadcast_to(integers((1, 7), 0), (5, 7)),
        np.broadcast_to(integers((1, 3), 1), (7, 3)),
    )
    assert np.array_equal(product(a, b), a.copy() @ b.copy())


@dtypes
@pytest.mark.parametrize("size", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0), (1, 0, 1)], ids=str)
def test_nothing_to_multiply(size, dtype):
    M, K, N = size
    a, b, bias = np.ones((M, K), dtype), np.ones((K, N), dtype), np.arange(N, dtype=dtype)
    fill_pool_with_nan(M * N, dtype=dtype)
    assert product(a, b).tolist() == np.zeros((M, N)).tolist()
    assert product(a, b, bias).tolist() == (np.zeros((M, N)) + bias + K * bool(K)).tolist()


@pytest.mark.parametrize(
    "size", [(1, 30, 20), (4, 700, 90), (100, 30, 20), (100, 700, 20)], ids=str
)
def test_the_bias_is_added_last(size):
    M, K, N = size
    for b in (normal((N, K), 1, "float32").T, normal((K, N), 1, "float32")):
        a, bias = normal((M, K), 0, "float32"), normal((N,), 2, "float32")
        assert np.array_equal(product(a, b, bias), product(a, b) + bias)


@needs_native
@pytest.mark.parametrize(
    "size",
    [(1, 1152, 256), (8, 2048, 100), (144, 1152, 256), (1000, 64, 64), (64, 9000, 16)],
    ids=str,
)
def test_the_number_of_threads_changes_no_bit(size):
    M, K, N = size
    x, w, gy = (normal(s, k, "float32") for k, s in enumerate(((M, K), (N, K), (M, N))))
    before = pellucid.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3, 5):
            pellucid.set_num_threads(threads)
            products = product(x, w.T), product(gy, w), product(gy.T, x)
            found.append([y.tobytes() for y in products])
        assert all(bits == found[0] for bits in found)
    finally:
        pellucid.set_num_threads(before)


@needs_native
@dtypes
@pytest.mark.parametrize("size", [(20, 5000, 3000), (300, 5000, 300), (3000, 20, 3000)], ids=str)
def test_packing_takes_less_than_a_mebibyte_for_each_thread(size, dtype):
    M, K, N = size
    a, b = np.ones((M, K), dtype), np.ones((K, N), dtype)
    for b_ in (b, np.asfortranarray(b)):
        matmul.module.take_pool_peak()
        y = product(np.asfortranarray(a), b_)
        used = matmul.module.pool_state()[0]  # by y too, which is still there
        assert 0 < matmul.module.take_pool_peak() - used < pellucid.get_num_threads() * 2**20
        assert (y == K).all()
        del y


@needs_native
@pytest.mark.parametrize("K", [300, 2 * PANEL + 1])
@pytest.mark.parametrize("rows", [8, 2 * FEW])
def test_a_row_does_not_depend_on_the_others(rows, K):
    x, w = normal((rows, K), 0, "float32"), normal((150, K), 1, "float32")
    v, bias = normal((K, 150), 2, "float32"), normal((150,), 3, "float32")
    for b in (w.T, v):
        whole = product(x, b, bias)
        for size in (rows // 2, 1):
            for k in range(0, rows, size):
                part = slice(k, k + size)
                assert np.array_equal(product(x[part], b, bias), whole[part])


@needs_native
def test_long_sums_of_positive_terms_keep_their_digits():
    a, b = np.random.default_rng(0).random((2, 2, 200_000), np.float32)
    exact = a.astype("float64") @ b.T.astype("float64")
    assert np.abs(product(a, b.T) / exact - 1).max() < 1e-6
    one_by_one = np.cumsum(a[0] * b[0], dtype=np.float32)[-1]
    assert abs(one_by_one / exact[0, 0] - 1) > 1e-6, "the test can fail"


def test_a_nan_spoils_its_row_or_column_only():
    for shape in ((5, 9, 40), (100, 9, 40)):
        M, K, N = shape
        a, b = integers((M, K), 0), integers((K, N), 1)
        a[2, 3], b[4, 17] = np.nan, np.inf
        with np.errstate(invalid="ignore"):  # as ops do
            found = ~np.isfinite(product(a, b))
        wanted = np.zeros((M, N), bool)
        wanted[2], wanted[:, 17] = True, True
        assert np.array_equal(found, wanted)


STACKS = [
    ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (6, 4, 5)),
    ((0, 3, 4), (4, 5)), ((2, 0, 4), (4, 5)), ((2, 3, 0), (0, 5)), ((2, 1, 4), (2, 4, 1)),
]  # fmt: skip


@dtypes
@pytest.mark.parametrize(("a_shape", "b_shape"), STACKS)
def test_stacks_broadcast(a_shape, b_shape, dtype):
    a, b = integers(a_shape, 0).astype(dtype), integers(b_shape, 1).astype(dtype)
    for a_, b_ in ((a, b), (a[..., ::-1], np.swapaxes(np.swapaxes(b, -1, -2).copy(), -1, -2))):
        y = product(a_, b_)
        assert y.dtype == dtype
        assert np.array_equal(y, np.matmul(a_, b_))
        assert y.shape == np.matmul(a_, b_).shape


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_integers_are_left_to_numpy(dtype):
    a, b = np.arange(6, dtype=dtype).reshape(2, 3), np.arange(12, dtype=dtype).reshape(3, 4)
    y = product(a, b)
    assert y.dtype == dtype
    assert np.array_equal(y, a @ b)


@dtypes
def test_the_same_numbers_without_the_native_module(monkeypatch, dtype):
    monkeypatch.setattr(matmul, "module", None)
    a, b, bias = integers((4, 600), 0), integers((600, 30), 1), integers((30,), 2)
    y = product(a.astype(dtype), b.astype(dtype), bias.astype(dtype))
    assert y.dtype == dtype
    assert np.array_equal(y, a @ b + bias)
    assert np.array_equal(product(a, b), a @ b)
