"""What is said around contributions, in English and in Korean.

Each language has the same keys. Not here: when it is said (table.py, heat.py). Next room: table.py.
"""

from __future__ import annotations

HEADERS = {
    "en": {
        "term": ("call", "term", "numbers", "product", "share"),
        "image": ("image", "sum", "share"),
        "channel": ("output channel", "sum", "share"),
    },
    "ko": {
        "term": ("호출", "항", "값", "곱", "비율"),
        "image": ("이미지", "합", "비율"),
        "channel": ("출력 채널", "합", "비율"),
    },
}
WORDS = {
    "en": {
        "one": "one term",
        "sum": "{count} terms: ",
        "signs": "{above} above 0 add up to {plus}, {below} below 0 to {minus}, {none} are 0",
        "magnitude": "their magnitudes add up to {magnitude}; shares are shares of that",
        "kernel": "computed in {dtype}: {value}, which is off by {off}, {share} of the magnitudes",
        "same": "computed in {dtype}: {value}, the same",
        "others": "not counted here: the gradient also came through {ops}",
        "called": "this is call {call} of {count} of the layer",
        "calls": "the layer was called {count} times, and all calls add up",
        "rest": "... {count} more, {share}",
        "more": "{count} more",
        "title": "Where {name} comes from",
        "desc": "Heat map of the terms of {name} in {layer}. {panels}",
        "all_images": "all {count} images",
        "all_channels": "all {count} channels",
        "image": "image {at}",
        "channel": "channel {at}",
        "of_call": "{label}, call {call}",
        "positive": "adds to {name}",
        "negative": "takes from it",
        "scale": "The strongest colour is {first}.",
        "scales": "The strongest colour is {first} on the left and {other} on the others.",
        "pooled": "Each square is {size} pixels.",
        "slices": "Summed over the first axis.",
        "terms": "terms",
        "all_outputs": "all {count} outputs",
        "cells": "Each cell is one term, row by row.",
        "terms_in": "terms, in {name}",
        "replay": "{layer} of {model} on {data}, {images} images: batch {batch} of {batches} of "
        "epoch {epoch}",
        "exact": "The weights are those that this batch meets in the training.",
        "end": "The weights are not those that this batch met, but those at the end of the "
        "training: a run keeps no others.",
        "checkpoint": "The weights are not those that this batch met, but those of the checkpoint, "
        "after batch {batch} of epoch {epoch}: a run keeps no others.",
        "sample": "image {at} is training image {sample}, of class {label}",
    },
    "ko": {
        "one": "항 1개",
        "sum": "항 {count}개: ",
        "signs": "0보다 큰 {above}개의 합 {plus}, 작은 {below}개의 합 {minus}, 0인 것 {none}개",
        "magnitude": "절댓값의 합은 {magnitude}이다. 비율은 이 합에 대한 것이다",
        "kernel": "{dtype}로 계산한 값 {value}, 차이 {off}(절댓값 합의 {share})",
        "same": "{dtype}로 계산한 값 {value}, 같다",
        "others": "여기에 세지 않은 것: 기울기는 {ops}에서도 왔다",
        "called": "층을 {count}번 호출한 가운데 {call}번째이다",
        "calls": "층을 {count}번 호출했고, 모든 호출을 더한다",
        "rest": "... 외 {count}개, {share}",
        "more": "외 {count}개",
        "title": "{name}의 내역",
        "desc": "{layer}의 {name} 항들의 히트맵. {panels}",
        "all_images": "이미지 {count}장 전체",
        "all_channels": "채널 {count}개 전체",
        "image": "이미지 {at}",
        "channel": "채널 {at}",
        "of_call": "{label}, 호출 {call}",
        "positive": "{name}에 더한다",
        "negative": "뺀다",
        "scale": "가장 진한 색은 {first}이다.",
        "scales": "가장 진한 색은 왼쪽에서 {first}, 나머지에서 {other}이다.",
        "pooled": "한 칸은 픽셀 {size}개이다.",
        "slices": "첫째 축을 따라 더했다.",
        "terms": "항",
        "all_outputs": "출력 {count}개 전체",
        "cells": "한 칸이 항 하나이고, 행의 순서로 놓았다.",
        "terms_in": "{name}에 놓은 항",
        "replay": "{data}로 학습한 {model}의 {layer}, 이미지 {images}장: 에포크 {epoch}, 배치 "
        "{batches}개 가운데 {batch}번째",
        "exact": "가중치는 학습에서 이 배치가 만나는 바로 그 값이다.",
        "end": "가중치는 학습이 끝났을 때의 값이다. 남은 것은 그뿐이며, 이 배치가 만난 값은 "
        "아니다.",
        "checkpoint": "가중치는 에포크 {epoch}, 배치 {batch} 뒤의 체크포인트 값이다. 남은 것은 "
        "그뿐이며, 이 배치가 만난 값은 아니다.",
        "sample": "이미지 {at}: 학습 이미지 {sample}번, 분류 {label}",
    },
}
