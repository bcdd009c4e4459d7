"""`diagnose` names the mistake of functions that have one, and accuses no other."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from testing import partial
from testing.backwards import CORRECT, pair
from testing.diagnose_mutants import MUTANTS, Mutant, read

import pellucid
from pellucid.errors import ArgumentError
from pellucid.kernels import conv
from pellucid.kernels.conv import ConvSpec
from pellucid.testing import Diagnosis, diagnose

# Seeds, each with other numbers and other random specs: for everyone, for CI, for `full`.
SEEDS = [
    0,
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 3)),
    *(pytest.param(seed, marks=pytest.mark.full) for seed in range(3, 22)),
]
# What a function returns at all, which cannot be put into another form.
OF_THE_CALL = {"returns-none", "wrong-number-of-results", "results-exchanged"}


def by_kernels(algorithm: str | None) -> Any:
    """The library's own kernels as a backward pass."""

    def backward(gy, x, w, stride, padding, dilation, groups):
        spec = ConvSpec.from_shapes(x.shape, w.shape, stride, padding, dilation, groups)
        gx = conv.grad_input(gy, w, spec, algorithm)
        gw = conv.grad_weight(gy, x, spec, algorithm)
        return gx, gw, conv.grad_bias(gy, spec)

    return backward


def by_autograd(gy, x, w, stride, padding, dilation, groups):
    """The library's own op, by its tensors."""
    tensors = [pellucid.tensor(a, requires_grad=True) for a in (x, w, np.zeros(len(w), w.dtype))]
    y = pellucid.nn.functional.conv2d(*tensors, stride, padding, dilation, groups)
    y.backward(pellucid.tensor(gy))
    return tuple(t.grad.numpy() for t in tensors)


def in_float32(f: Any) -> Any:
    return lambda gy, x, w, stride, padding, dilation, groups: f(
        *(a.astype("float32") for a in (gy, x, w)), stride, padding, dilation, groups
    )


RIGHT = {
    **CORRECT,
    **{name: by_kernels(name) for name in ("im2col", "reference")},
    "chosen": by_kernels(None),
    "autograd": by_autograd,
}


# --- correct functions ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", RIGHT)
def test_nobody_is_accused(name: str, seed: int) -> None:
    """Five seeds of each, in both dtypes: with PyTorch's 2,000 runs in all under `full`."""
    for k in range(5):
        for function in (RIGHT[name], in_float32(RIGHT[name])):
            found = diagnose(function, seed=100 * seed + k)
            assert found.mistake is None, found.text()
            assert found.tried > 40


@pytest.mark.parametrize("part", [*partial.PARTS, partial.with_planes])
@pytest.mark.parametrize("name", CORRECT)
def test_nobody_is_accused_who_knows_less(name: str, part: Any) -> None:
    found = diagnose(part(CORRECT[name]))
    assert found.mistake is None, found.text()
    assert found.tried > 5


# --- one mistake ----------------------------------------------------------------------------------


@lru_cache
def diagnosed(seed: int) -> list[Diagnosis]:
    return [diagnose(mutant.build(), seed=seed) for mutant in MUTANTS]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mistake_is_named(seed: int) -> None:
    """At least 98 % of more than a hundred mutants; the others are not recognised."""
    named = [found.mistake for found in diagnosed(seed)]
    missed = [(m, n) for m, n in zip(MUTANTS, named, strict=True) if n != m.mistake]
    assert {name for _, name in missed} <= {"not-recognised"}
    assert len(missed) <= 0.02 * len(MUTANTS), missed


@pytest.mark.slow
@pytest.mark.parametrize("part", partial.PARTS[1:])
def test_the_mistake_is_named_in_functions_that_know_less(part: Any) -> None:
    """Or nothing, where what the function knows does not show it; at most one not recognised."""
    results: Counter[str] = Counter()
    for mutant in MUTANTS:
        found = diagnose(part(mutant.build()))
        right = {mutant.mistake}
        if "dilation" in found.unsupported and mutant.mistake == "stride-and-dilation-exchanged":
            right.add("stride-ignored")  # the stride became a dilation that is always 1
        results["named" if right & {*found.mistakes} else str(found.mistake)] += 1
    assert set(results) <= {"named", "None", "not-recognised"}, results
    assert results["not-recognised"] <= 1
    assert results["named"] > len(MUTANTS) / 2


def test_there_are_mutants_of_most_mistakes() -> None:
    assert len(MUTANTS) >= 100
    assert len({mutant.mistake for mutant in MUTANTS}) >= 40
    assert {mutant.function for mutant in MUTANTS} == set(CORRECT)


def test_the_table_of_mutants_is_read() -> None:
    text = "# no\n\n= a loops\n- x\n-  y\n+ z\n@\n- u\n\n= b im2col\n- v\n+ w\n"
    assert read(text) == [
        Mutant("a", "loops", (("x\n y", "z"), ("u", ""))),
        Mutant("b", "im2col", (("v", "w"),)),
    ]


# --- two mistakes ---------------------------------------------------------------------------------


def pairs(step: int) -> list[Mutant]:
    """Two mistakes in one function, every `step`-th of those that can be combined."""
    both = [
        Mutant(f"{a.mistake} and {b.mistake}", a.function, a.replaced + b.replaced)
        for a, b in combinations(MUTANTS, 2)
        if a.function == b.function and a.mistake != b.mistake
        and not {a.mistake, b.mistake} & OF_THE_CALL
        and _can_be_built(a, b)
    ]  # fmt: skip
    return both[::step]


def _can_be_built(a: Mutant, b: Mutant) -> bool:
    try:
        Mutant("", a.function, a.replaced + b.replaced).build()
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(50, id="some"),
        pytest.param(20, id="more", marks=pytest.mark.slow),
        pytest.param(1, id="all", marks=[pytest.mark.full, pytest.mark.timeout(3600)]),
    ],
)
def test_of_two_mistakes_at_least_one_is_named(step: int) -> None:
    missed = []
    both = pairs(step)
    for mutant in both:
        found = diagnose(mutant.build())
        if not set(mutant.mistake.split(" and ")) & set(found.mistakes):
            missed.append((str(mutant), found.mistakes))
    assert {names for _, names in missed} <= {("not-recognised",)}, missed
    assert len(missed) <= max(2, 0.02 * len(both)), missed  # of all pairs, not of each fiftieth


def test_two_mistakes_in_one_array_are_both_told() -> None:
    def backward(gy, x, w):
        gx, gw, gb = CORRECT["windows"](gy, x, w[:, :, ::-1, ::-1], 1, 0, 1, 1)
        return -gx, gw[:, :, ::-1, ::-1], gb

    found = diagnose(backward)
    assert found.mistakes == ("kernel-not-flipped", "wrong-sign", "result-flipped")
    assert "Two mistakes at once in gx:" in found.text()


def test_padding_that_is_ignored_in_both_gradients_has_one_name() -> None:
    loops = Mutant(
        "padding-ignored",
        "loops",
        (("u * dh - ph\n", "u * dh\n"), ("v * dw - pw\n", "v * dw\n")),
    )
    assert diagnose(loops.build()).mistakes == ("padding-ignored",)


# --- what is not recognised -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        lambda gx, gw, gb, x, w: (gx * (x > 0), gw, gb),
        lambda gx, gw, gb, x, w: (gx, gw + 0.1 * w, gb),
        lambda gx, gw, gb, x, w: (np.clip(gx, -9, 9), gw, gb),
        lambda gx, gw, gb, x, w: (gx, abs(gw), gb),
        lambda gx, gw, gb, x, w: (gx, gw - gw.mean(), gb),
        lambda gx, gw, gb, x, w: (np.sort(gx), gw, gb),
        lambda gx, gw, gb, x, w: (gx, gw, gb + np.arange(len(gb)) + 1),
        lambda gx, gw, gb, x, w: (np.roll(gx, 1, 2), gw, gb),
    ],
)
def test_no_name_is_made_up(wrong: Any) -> None:
    def backward(gy, x, w, stride, padding, dilation, groups):
        return wrong(*CORRECT["windows"](gy, x, w, stride, padding, dilation, groups), x, w)

    found = diagnose(backward)
    assert found.mistake == "not-recognised"
    assert "wrong, cause not recognised: g" in found.text()
    assert found.element is not None


def test_what_is_common_to_the_failing_cases_is_told() -> None:
    def backward(gy, x, w, stride, padding, dilation, groups):
        gx, gw, gb = CORRECT["windows"](gy, x, w, stride, padding, dilation, groups)
        return (np.sort(gx) if groups > 1 else gx), gw, gb

    found = diagnose(backward)
    assert found.mistake == "not-recognised"
    assert "All failing cases have: several input channels, " in found.text()
    assert found.text().count("groups") == 1


def test_a_mistake_beside_one_that_is_not_recognised() -> None:
    def backward(gy, x, w, stride, padding, dilation, groups):
        gx, gw, gb = CORRECT["windows"](
            gy, x, w[:, :, ::-1, ::-1], stride, padding, dilation, groups
        )
        return (np.sort(gx) if groups > 1 else gx), gw, gb

    found = diagnose(backward)
    assert found.mistakes == ("kernel-not-flipped",)
    assert "With groups something else is wrong as well" in found.text()


# --- the forward pass -----------------------------------------------------------------------------


def forward(x, w, b, stride, padding, dilation, groups):
    spec = ConvSpec.from_shapes(x.shape, w.shape, stride, padding, dilation, groups)
    return conv.forward(x, w, b, spec)


@pytest.mark.parametrize(
    ("function", "mistake"),
    [
        (forward, None),
        (lambda x, w, stride, padding: forward(x, w, None, stride, padding, 1, 1), None),
        (lambda x, w, b, stride: forward(x, w[:, :, ::-1, ::-1], b, stride, 0, 1, 1),
         "forward-flipped"),
        (lambda x, w, b, stride: forward(x, w, None, stride, 0, 1, 1), "bias-left-out"),
        (lambda x, w, b, stride: forward(x, w.swapaxes(2, 3), b, stride, 0, 1, 1),
         "kernel-axes-transposed"),
        (lambda x, w, b, dilation: forward(x, w, b, 1, 0, 1, 1), "dilation-ignored"),
        (lambda x, w, b, stride: -forward(x, w, b, stride, 0, 1, 1), "wrong-sign"),
        (lambda x, w, b, stride: None, "returns-none"),
    ],
)  # fmt: skip
def test_a_wrong_forward_pass_is_said_first(function: Any, mistake: str | None) -> None:
    wrong = next(m for m in MUTANTS if m.mistake == "wrong-sign").build()
    assert diagnose(CORRECT["windows"], function).mistake == mistake
    both = dict.fromkeys(filter(None, [mistake, "wrong-sign"]))
    assert diagnose(wrong, function).mistakes == tuple(both)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((3,), "diagnose: a int is no function\n"
         "  fix: pass backward(gy, x, w, stride, padding, dilation, groups)"),
        ((None,), "diagnose: there is no function\n"
         "  fix: pass a backward pass, a forward pass or both"),
    ],
)  # fmt: skip
def test_there_must_be_a_function(given: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        diagnose(*given)
    assert str(caught.value) == message


def test_a_function_that_ends_the_program_raises() -> None:
    def backward(gy, x, w):
        raise SystemExit(3)

    assert "SystemExit: 3" in diagnose(backward).text()


# --- parameters -----------------------------------------------------------------------------------


def test_features_without_a_parameter_and_those_that_raise() -> None:
    def backward(gy, x, w, stride, padding=0):
        assert w.shape[2] == w.shape[3], "square kernels only"
        return CORRECT["windows"](gy, x, w, stride, padding, 1, 1)

    found = diagnose(backward)
    assert found.mistake is None
    assert found.unsupported["unequal kernel sides"] == "AssertionError: square kernels only"
    assert found.unsupported["groups"] == found.unsupported["dilation"] == ""
    assert {"stride", "padding", "batch", "unequal strides"} <= set(found.supported)
    assert "groups: no parameter for it" in found.text()
    assert "not square: raises AssertionError: square kernels only" in found.text()


def test_an_error_with_features_that_work_alone_is_a_mistake() -> None:
    def backward(gy, x, w, stride, padding, dilation, groups):
        if x.shape[0] > 1 and pair(stride)[0] > 1:
            raise ValueError("shapes do not fit\nsecond line")
        return CORRECT["windows"](gy, x, w, stride, padding, dilation, groups)

    found = diagnose(backward)
    assert (found.mistake, found.element) == ("raises", None)
    assert "the function raises ValueError: shapes do not fit. [raises]" in found.text()


def test_a_refusal_is_no_mistake() -> None:
    def backward(gy, x, w, stride, padding, dilation, groups):
        if x.shape[0] > 1 and pair(stride)[0] > 1:
            raise NotImplementedError
        return CORRECT["windows"](gy, x, w, stride, padding, dilation, groups)

    assert diagnose(backward).mistake is None


def test_names_in_any_order_and_keywords() -> None:
    def backward(x, w, gy, **options):
        assert set(options) == {"stride", "padding", "dilation", "groups"}
        return CORRECT["windows"](gy, x, w, **options)

    assert diagnose(backward).mistake is None


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda gy, x: None,
         "diagnose: <lambda> has 2 parameters for the 3 arrays gy, x, w\n"
         "  fix: wrap it in a function backward(gy, x, w, stride, padding, dilation, groups); "
         "options that it does not know may be left out"),
        (lambda gy, x, w, cache: None,
         "diagnose: <lambda> has a parameter 'cache' that is neither an array nor an option\n"
         "  fix: wrap it in a function backward(gy, x, w, stride, padding, dilation, groups); "
         "options that it does not know may be left out"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_filled(function: Any, said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        diagnose(function)
    assert str(caught.value) == said


def test_no_bias() -> None:
    found = diagnose(lambda gy, x, w: CORRECT["windows"](gy, x, w, 1, 0, 1, 1)[:2])
    assert (found.mistake, found.checked) == (None, ("gx", "gw"))
    found = diagnose(lambda gy, x, w: (*CORRECT["windows"](gy, x, w, 1, 0, 1, 1)[:2], None))
    assert (found.mistake, found.checked) == (None, ("gx", "gw"))


# --- the report -----------------------------------------------------------------------------------


def not_flipped() -> Diagnosis:
    return diagnose(next(m for m in MUTANTS if m.mistake == "kernel-not-flipped").build())


def test_the_report_of_the_worked_example() -> None:
    found = not_flipped()
    assert (found.mistake, found.mistakes) == ("kernel-not-flipped", ("kernel-not-flipped",))
    assert (found.case, found.element) == ("c1 i5x5 o1 k3x3 s2", "gx[0,0,0,0]")
    assert (
        "    first wrong element: gx[0,0,0,0]\n"
        "        right   dL/dx11 = dL/do11 w11 = 1*1 = 1\n"
        "        yours   dL/do11 w33 = 1*9 = 9\n"
    ) in str(found)


def test_the_report_in_korean() -> None:
    text = not_flipped().text("ko")
    assert text.startswith("gx: 커널이 거꾸로 놓였다. [kernel-not-flipped]\n")
    assert "처음으로 틀린 원소: gx[0,0,0,0]" in text
    assert "gw, gb: 함수가 지원하는 " in text


def test_a_language_that_is_not_there() -> None:
    with pytest.raises(ArgumentError) as caught:
        not_flipped().text("de")
    assert str(caught.value) == "explain: there is no language 'de'\n  fix: use one of en, ko"


def test_all_right() -> None:
    text = diagnose(by_kernels(None)).text()
    assert text == "gx, gw and gb: right in all 48 cases."


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    diagnose(CORRECT["windows"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 48) for k in range(48)]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_report_can_be_written(lang: str) -> None:
    for mutant, found in zip(MUTANTS, diagnosed(0), strict=True):
        text = found.text(lang)
        assert f"[{mutant.mistake}]" in text
        assert "{" not in text
        assert max(map(len, text.splitlines())) < 400
