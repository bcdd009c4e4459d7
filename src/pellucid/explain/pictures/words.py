"""The sentences in pictures, in English and in Korean. Each language has the same keys.

Braces hold names and numbers; `$...$` is mathematics. Not here: when a sentence is said.
Next room: block.py.
"""

from __future__ import annotations

# What the equation of an element is, by its place in the convolution.
SUMS = {
    "en": {
        "window": "one window of {first}, times the kernel, added up",
        "window_bias": "one window of {first}, times the kernel, added up, plus the bias",
        "spread": "each {first} whose window holds this place, times the weight that lies on it",
        "spread_bias": "each {first} whose window holds this place, times the weight that lies on "
        "it, plus the bias",
        "weight": "each {first}, times the {second} that it met under this weight",
        "bias": "all of {first}, added up",
    },
    "ko": {
        "window": "{first}의 윈도우 하나에 커널을 곱해 모두 더한다",
        "window_bias": "{first}의 윈도우 하나에 커널을 곱해 모두 더하고 편향을 더한다",
        "spread": "이 자리를 품은 윈도우마다 {first}에 이 자리의 가중치를 곱해 더한다",
        "spread_bias": "이 자리를 품은 윈도우마다 {first}에 이 자리의 가중치를 곱해 더하고 편향을 "
        "더한다",
        "weight": "각 {first}에 이 가중치 아래에서 만난 {second}를 곱해 더한다",
        "bias": "{first}를 모두 더한다",
    },
}

# What stands around an equation.
NOTES = {
    "en": {
        "title": "{name} in {problem}",
        "desc": "{sentence}. {equation}.",
        "part": "Only a part is drawn: {parts}.",
        "range": "{places} {first} to {last} of {size}",
        "of": "of {array} {ranges}",
        "some": "{count} of {size} {places}",
        "and": " and ",
        "images": "{count} of {total} images",
        "channels": "{count} of {total} channels ${letter}$",
        "terms": "{count} of {total} terms",
        "zero": "{equation}: {why}.",
    },
    "ko": {
        "title": "{problem}의 {name}",
        "desc": "{sentence}. {equation}.",
        "part": "일부만 그렸다: {parts}.",
        "range": "{places} {first}~{last}(전체 {size})",
        "of": "{array}의 {ranges}",
        "some": "{places} {size}개 가운데 {count}개",
        "and": ", ",
        "images": "이미지 {total}장 가운데 {count}장",
        "channels": "채널 ${letter}$ {total}개 가운데 {count}개",
        "terms": "항 {total}개 가운데 {count}개",
        "zero": "{equation}: {why}.",
    },
}

# The heat map.
COVERAGE = {
    "en": {
        "title": "How many windows hold each pixel of {array} in {problem}",
        "heading": "How many windows hold each pixel of {array}",
        "heading_transposed": "How many windows reach each place of {array}",
        "one": "{name}: 1 window",
        "many": "{name}: {count} windows",
        "none": "{name}: {why}",
        "terms": "Each window that holds a pixel adds a term to its gradient: here {least} to "
        "{most} for every channel of the output.",
        "terms_transposed": "Each window that reaches a place adds a term to its sum: here {least} "
        "to {most} for every channel of the input.",
        "grey": "Grey: no window holds {places}.",
        "counts": "Row by row: {counts}.",
    },
    "ko": {
        "title": "{problem}에서 {array}의 각 화소를 품은 윈도우의 수",
        "heading": "{array}의 각 화소를 품은 윈도우의 수",
        "heading_transposed": "{array}의 각 자리에 닿는 윈도우의 수",
        "one": "{name}: 윈도우 1개",
        "many": "{name}: 윈도우 {count}개",
        "none": "{name}: {why}",
        "terms": "화소를 품은 윈도우마다 그 기울기에 항이 하나씩 더해진다. 여기서는 출력 채널마다 "
        "{least}~{most}개이다.",
        "terms_transposed": "어떤 자리에 닿는 윈도우마다 그 합에 항이 하나씩 더해진다. 여기서는 "
        "입력 채널마다 {least}~{most}개이다.",
        "grey": "회색: 어느 윈도우에도 들어가지 않는다({places}).",
        "counts": "행 순서대로: {counts}.",
    },
}

# A view, step by step.
STEPS = {
    "en": {
        "title": "{problem}: {view}, step by step",
        "step": "Step {k}: {adds}.",
        "product": "{first} · {second}",
        "product_window": "{first} · (window of {second})",
        "spread": " with zeros",
        "flipped": " flipped",
        "part": "Only a part is drawn: {count} of {total} steps.",
    },
    "ko": {
        "title": "{problem}: {view}, 한 단계씩",
        "step": "{k}단계: {adds}.",
        "product": "{first} · {second}",
        "product_window": "{first} · ({second}의 윈도우)",
        "spread": ", 0을 끼움",
        "flipped": ", 뒤집음",
        "part": "일부만 그렸다: 단계 {total}개 가운데 {count}개.",
    },
}
