"""The sentences of explain, in English and in Korean.

Each language has the same keys. Braces hold names of elements and numbers. Not here: when a
sentence is said (why.py, general.py). Next room: why.py.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pellucid.errors import ArgumentError

Language: TypeAlias = Literal["en", "ko"]

LANGUAGES: tuple[Language, ...] = ("en", "ko")


def as_language(lang: str, op: str = "explain") -> Language:
    """Return a language, held to those that there are; `op` is who asks, for the error."""
    for known in LANGUAGES:
        if lang == known:
            return known
    raise ArgumentError(
        op, f"there is no language {lang!r}", fix=f"use one of {', '.join(LANGUAGES)}"
    )


# What a place along each of 1, 2 or 3 axes is called.
PLACES = {
    "en": (("place",), ("row", "column"), ("slice", "row", "column")),
    "ko": (("자리",), ("행", "열"), ("단면", "행", "열")),
}

# The same where there are several.
ROWS = {
    "en": (("places",), ("rows", "columns"), ("slices", "rows", "columns")),
    "ko": PLACES["ko"],
}

# Why an element meets nothing, in a word or two.
REASONS = {
    "en": {
        "crop": "cut off",
        "leftover": "left over",
        "stride": "between two windows",
        "dilation": "in a gap of the dilation",
    },
    "ko": {
        "crop": "잘려 나감",
        "leftover": "마지막 윈도우 뒤",
        "stride": "두 윈도우 사이",
        "dilation": "팽창의 틈",
    },
}

# The same in a sentence. In Korean `{at}{place}` ends with its particle.
WHY = {
    "en": {
        "crop": "{place} {at} is cut off by the negative padding",
        "leftover": "{place} {at} lies behind the last window, so it is left over",
        "stride": "{place} {at} lies between two windows: the stride {s} is larger than the "
        "{reach} that a window spans",
        "dilation": "{place} {at} lies in a gap of the dilation: the taps of a window are {d} "
        "apart, and none falls on it",
        "padding": "it meets nothing but padding",
        "batch": "there are no images in the batch",
    },
    "ko": {
        "crop": "{at}{place} 음수 패딩으로 잘려 나간다",
        "leftover": "{at}{place} 마지막 윈도우 뒤에 남는다",
        "stride": "{at}{place} 두 윈도우 사이에 있다. 보폭({s})이 윈도우의 폭({reach})보다 크다",
        "dilation": "{at}{place} 팽창으로 생긴 틈에 있다. 한 윈도우의 가중치는 {d}칸 간격으로 놓여 "
        "여기에 닿지 않는다",
        "padding": "패딩하고만 만난다",
        "batch": "배치에 이미지가 없다",
    },
}
TOPICS = {
    "en": PLACES["en"],
    "ko": (("번째 자리는",), ("행은", "열은"), ("번째 단면은", "행은", "열은")),
}

# What the terminal and the page say around the equations.
SCREEN = {
    "en": {
        "convolution": "Convolution",
        "transposed": "Transposed convolution",
        "spec_of": "The first line names the convolution whose gradient by x this is.",
        "images": "{N} images",
        "input": "input",
        "output": "output",
        "kernel": "kernel",
        "stride": "stride",
        "padding": "padding",
        "dilation": "dilation",
        "groups": "{G} groups",
        "channels": "{C} channels of {size}",
        "marked": "Marked: {name} and what stands in its equation.",
        "left_out": "{count} of {total} equations are left out; --grad and --at show any of them.",
        "terms": "{count} terms, of which the first and the last are shown.",
        "one_element": "One element, counted from 0:",
        "as_latex": "All of this as LaTeX:",
        "by_pixel": "Which windows and taps lie on it? (Counted from 0.)",
        "by_window": "On which pixels does its window lie, with which taps? (Counted from 0.)",
        "by_tap": "On which pixels does it lie, in which windows? (Counted from 0.)",
        "none": "none",
    },
    "ko": {
        "convolution": "합성곱",
        "transposed": "전치 합성곱",
        "spec_of": "첫 줄은 원래 합성곱을 가리킨다. 그 x에 대한 기울기가 이 전치 합성곱이다.",
        "images": "이미지 {N}장",
        "input": "입력",
        "output": "출력",
        "kernel": "커널",
        "stride": "보폭",
        "padding": "패딩",
        "dilation": "팽창",
        "groups": "그룹 {G}개",
        "channels": "{C}채널 {size}",
        "marked": "표시: {name}, 그리고 그 식에 나오는 원소.",
        "left_out": "식 {total}개 가운데 {count}개는 생략했다. --grad와 --at으로 어느 것이든 볼 수 "
        "있다.",
        "terms": "항은 {count}개이며, 처음과 끝만 보인다.",
        "one_element": "원소 하나를 보려면(첨자는 0부터 센다):",
        "as_latex": "모두 LaTeX로 보려면:",
        "by_pixel": "어느 윈도우의 어느 가중치가 그 위에 놓이는가? (0부터 센다.)",
        "by_window": "그 윈도우는 어느 가중치로 어느 화소 위에 놓이는가? (0부터 센다.)",
        "by_tap": "어느 윈도우에서 어느 화소 위에 놓이는가? (0부터 센다.)",
        "none": "없음",
    },
}

# How the general formulas follow.
GENERAL = {
    "en": {
        "forward": "Forward",
        "grad_input": "Gradient by x",
        "grad_weight": "Gradient by w",
        "grad_bias": "Gradient by b",
        "counted": "In these formulas indices count from 0, all of them are written, and the "
        "output is called y.",
        "window": "An output is one window of x times the kernel, added up, plus the bias:",
        "window_no_bias": "An output is one window of x times the kernel, added up:",
        "spread": "Every element of x spreads the kernel, scaled by it, over its window of y; "
        "where windows overlap they add up, and then comes the bias:",
        "spread_no_bias": "Every element of x spreads the kernel, scaled by it, over its window of "
        "y; where windows overlap they add up:",
        "lies": "On which pixel a tap of a window lies, along each axis (stride s, dilation d, low "
        "padding p):",
        "padding": "Where that is outside of x, there is padding and the term is 0.",
        "cropped": "Where that is outside of y, the padding takes the term away.",
        "groups": "The {G} groups do not mix. c and o count within a group: in group g they stand "
        "for {c} in x, and for {o} in y, b and the first axis of w.",
        "groups_spread": "The {G} groups do not mix. c and o count within a group: in group g they "
        "stand for {c} in x and the first axis of w, and for {o} in y and b.",
        "chain": "Chain rule: {x} acts on L through the outputs, each with the factor that {x} has "
        "in it:",
        "used": "{x} has a part in {y} once for each tap that lies on it, with the factor {w}:",
        "used_spread": "{x} has a part in every {y} under its window, with the factor {w}. So this "
        "is a convolution of dL/dy with w:",
        "solve": "Which windows hold it? Solve for the tap, which must be in the kernel:",
        "solve_whole": "Which windows hold it? Solve for the tap, which must be a whole number and "
        "in the kernel:",
        "solve_spread": "Which windows reach {y}? Solve for the tap, which must be in the kernel:",
        "solve_spread_whole": "Which windows reach {y}? Solve for the tap, which must be a whole "
        "number and in the kernel:",
        "covered": "Every place lies in at least one window.",
        "uncovered": "No window lies on these, so they are 0: {places}.",
        "uncovered_bias": "No window lies on these, so they are the bias alone: {places}.",
        "weight": "Chain rule: {w} has a part in every output of channel o, with the factor that "
        "lies under it, a pixel of x:",
        "weight_spread": "Chain rule: {w} carries every element of channel c of x into y, with "
        "that element as its factor:",
        "same_walk": "These are the windows of the forward pass, in the same order, with the same "
        "stride.",
        "bias": "{b} is added to every output of channel o, with the factor 1:",
    },
    "ko": {
        "forward": "순전파",
        "grad_input": "x에 대한 기울기",
        "grad_weight": "w에 대한 기울기",
        "grad_bias": "b에 대한 기울기",
        "counted": "아래 식에서는 첨자를 0부터 세고 모두 적으며, 출력을 y라고 쓴다.",
        "window": "출력 하나는 x의 윈도우 하나에 커널을 곱해 모두 더하고 편향을 더한 것이다.",
        "window_no_bias": "출력 하나는 x의 윈도우 하나에 커널을 곱해 모두 더한 것이다.",
        "spread": "x의 원소마다 커널에 그 원소를 곱해 y의 자기 윈도우에 펼친다. 윈도우가 겹치는 "
        "곳에서는 서로 더하고, 끝으로 편향을 더한다.",
        "spread_no_bias": "x의 원소마다 커널에 그 원소를 곱해 y의 자기 윈도우에 펼친다. 윈도우가 "
        "겹치는 곳에서는 서로 더한다.",
        "lies": "윈도우의 각 가중치가 어느 화소 위에 놓이는지는 축마다 다음과 같다(보폭 s, 팽창 d, "
        "앞쪽 패딩 p).",
        "padding": "그 자리가 x의 밖이면 패딩이므로 그 항은 0이다.",
        "cropped": "그 자리가 y의 밖이면 패딩이 그 항을 잘라 낸다.",
        "groups": "{G}개의 그룹은 서로 섞이지 않는다. c와 o는 그룹 안에서 센 번호이다. 그룹 g에서 "
        "c는 x의 채널 {c}를, o는 y와 b의 채널이자 w의 첫째 첨자 {o}를 가리킨다.",
        "groups_spread": "{G}개의 그룹은 서로 섞이지 않는다. c와 o는 그룹 안에서 센 번호이다. 그룹 "
        "g에서 c는 x의 채널이자 w의 첫째 첨자 {c}를, o는 y와 b의 채널 {o}를 가리킨다.",
        "chain": "연쇄 법칙: {x}는 출력을 거쳐 L에 영향을 준다. 각 출력의 기울기에, {x}가 그 "
        "출력에서 곱해진 수를 곱해 모두 더한다.",
        "used": "{x}는 가중치가 그 위에 놓일 때마다 {y}에 쓰이고, 이때 곱해진 수는 {w}이다.",
        "used_spread": "{x}는 자기 윈도우에 있는 모든 {y}에 쓰이고, 이때 곱해진 수는 {w}이다. "
        "따라서 이것은 dL/dy와 w의 합성곱이다.",
        "solve": "어느 윈도우가 이 화소를 포함하는가? 첨자 식을 가중치의 번호에 대해 푼다. "
        "번호는 커널 안에 있어야 한다.",
        "solve_whole": "어느 윈도우가 이 화소를 포함하는가? 첨자 식을 가중치의 번호에 대해 푼다. "
        "번호는 정수이고 커널 안에 있어야 한다.",
        "solve_spread": "어느 윈도우가 {y}에 닿는가? 첨자 식을 가중치의 번호에 대해 푼다. 번호는 "
        "커널 안에 있어야 한다.",
        "solve_spread_whole": "어느 윈도우가 {y}에 닿는가? 첨자 식을 가중치의 번호에 대해 푼다. "
        "번호는 정수이고 커널 안에 있어야 한다.",
        "covered": "모든 자리가 적어도 한 윈도우에 들어간다.",
        "uncovered": "다음 자리는 어느 윈도우에도 들어가지 않아 0이다: {places}.",
        "uncovered_bias": "다음 자리는 어느 윈도우에도 들어가지 않아 편향만 남는다: {places}.",
        "weight": "연쇄 법칙: {w}는 채널 o의 모든 출력에 쓰이고, 이때 곱해진 수는 그 아래에 놓인 "
        "x의 화소이다.",
        "weight_spread": "연쇄 법칙: {w}는 x의 채널 c의 모든 원소를 y로 옮기고, 이때 곱해진 수는 "
        "그 원소이다.",
        "same_walk": "순전파와 같은 윈도우를 같은 순서, 같은 보폭으로 지나간다.",
        "bias": "{b}는 채널 o의 모든 출력에 그대로 더해진다. 곱해진 수는 1이다.",
    },
}

# The views of a gradient.
VIEWS = {
    "en": {
        "scatter": "Scatter: every element of {given} spreads the kernel, scaled by it and not "
        "flipped, over the window that it came from; where windows overlap, they add up.",
        "windows": "Windows: every element of dL/d{y}, times the window of {x} that it came from, "
        "is added into {target}.",
        "adds": "{element} adds to {first} .. {last}:",
        "no_adds": "{element} adds nothing: its window lies in the padding.",
        "more_steps": "... and {count} more.",
        "gather": "Gather: {target} is one convolution with stride 1, of {given} with zeros in it "
        "and the flipped kernel.",
        "gather_spread": "Spread {given}: {inserted} zeros between neighbours, {leftover} leftover "
        "behind, and padding d (k - 1) - p of {low} before and {high} behind (negative: cropped), "
        "{size} in all (0: a zero between or behind, .: padding):",
        "gather_kernel": "Flip the kernel along every axis, its taps d apart:",
        "gather_slide": "Slide it with stride 1; what is not zero, for the element in the middle:",
        "phases": "Phases: the places with the same (h + p) mod s are met by the same taps. So "
        "{target} falls into {count} of {given} with stride 1, without zeros.",
        "one_phase": "one convolution",
        "many_phases": "{count} convolutions",
        "phase": "{pixels}: {given}, padded by {pads} (low:high, negative: cropped), with "
        "dilation {dilation} and the flipped taps",
        "empty_phase": "{pixels}: no tap meets them, so they are 0.",
        "correlation": "Correlation: {target} is one convolution of {x} and dL/d{y}: padded by "
        "{pads} (low:high), the one slides over the other as a kernel with dilation {dilation} "
        "(the stride), with stride {stride} (the dilation):",
        "crop": "It fits {places} times; the first {kernel} are the taps, the rest is cropped. So:",
        "no_crop": "It fits {places} times, once for each tap. So:",
    },
    "ko": {
        "scatter": "흩뿌리기(scatter): {given}의 원소마다 커널에 그 원소를 곱해, 뒤집지 않고 자기 "
        "윈도우에 펼친다. 윈도우가 겹치는 곳에서는 서로 더한다.",
        "windows": "윈도우(windows): dL/d{y}의 원소마다 자기 {x} 윈도우에 곱해 {target}에 더한다.",
        "adds": "{element}: {first} .. {last}에 더한다.",
        "no_adds": "{element}: 윈도우가 패딩에만 놓여 더할 것이 없다.",
        "more_steps": "... 그 밖에 {count}개.",
        "gather": "모으기(gather): {target}는 사이에 0을 끼운 {given}에 뒤집은 커널을 보폭 1로 "
        "적용한 합성곱 하나이다.",
        "gather_spread": "{given} 펼치기: 이웃 사이에 0을 {inserted}개, 뒤에 남는 줄을 "
        "{leftover}개 넣고, d (k - 1) - p만큼 앞에 {low}, 뒤에 {high}의 패딩을 둔다(음수는 잘라 "
        "냄). 모두 {size}이다(0: 사이나 뒤의 0, .: 패딩).",
        "gather_kernel": "모든 축에서 커널을 뒤집고, 가중치를 d칸 간격으로 놓는다.",
        "gather_slide": "이 커널을 보폭 1로 옮긴다. 가운데 원소에서 0이 아닌 것만 쓰면 다음과 "
        "같다.",
        "phases": "위상(phases): (h + p) mod s가 같은 자리는 같은 가중치와 만난다. 그래서 "
        "{target}는 0 없이 보폭 1인 {given}의 합성곱 {count}로 나뉜다.",
        "one_phase": "하나",
        "many_phases": "{count}개",
        "phase": "{pixels}: {given}에 패딩 {pads}(앞:뒤, 음수는 잘라 냄)를 두고, 팽창 "
        "{dilation}로 다음의 뒤집은 가중치를 적용한다.",
        "empty_phase": "{pixels}: 만나는 가중치가 없어 0이다.",
        "correlation": "상관(correlation): {target}는 {x}와 dL/d{y}의 합성곱 하나이다. {x}에 패딩 "
        "{pads}(앞:뒤)를 두고, 다른 하나를 팽창 {dilation}(원래의 보폭)인 커널로 삼아 보폭 "
        "{stride}(원래의 팽창)로 옮긴다.",
        "crop": "{places}번 놓이며, 처음 {kernel}개가 가중치에 해당하고 나머지는 잘라 낸다. 곧",
        "no_crop": "{places}번 놓이며, 하나하나가 가중치에 해당한다. 곧",
    },
}
