"""The sentences of the layers' derivations, in English and in Korean.

Not here: those of a convolution (../sentences.py). Next room: linear.py.
"""

from __future__ import annotations

from pellucid.explain.sentences import GENERAL, Language

_TITLES = ("forward", "grad_input", "grad_weight", "grad_bias")

LAYERS: dict[Language, dict[str, str]] = {
    "en": {
        **{key: GENERAL["en"][key] for key in _TITLES},
        "mean": "Mean",
        "variance": "Variance",
        "scale": "Scale",
        "normalised": "Normalised",
        "probabilities": "Softmax",
        "linear": "Every output is a row of w times the features of x, plus the bias; for all rows "
        "at once, a matrix product (w is stored as (O, I)):",
        "linear_input": "Chain rule: x[n,i] has a part in every output of its row, with the factor "
        "w[o,i]:",
        "linear_weight": "w[o,i] has a part in output o of every row, with the factor x[n,i]:",
        "linear_transposed": "Where a textbook writes Y = X W, with W as (I, O), the same "
        "products are transposed:",
        "linear_bias": "b[o] is added to output o of every row, with the factor 1:",
        "relu": "An element passes where it is positive, and is 0 elsewhere:",
        "relu_input": "So does its gradient; [x > 0] is 1 where x is positive, else 0, also at the "
        "kink:",
        "sigmoid": "Each element is moved to between 0 and 1:",
        "sigmoid_input": "Chain rule; the derivative can be written with the output alone:",
        "max_pool": "The largest element of each window:",
        "max_pool_input": "Only the element that was the largest acts on the output, with the "
        "factor 1; of several equal ones, the first. Where windows overlap, the gradients add up:",
        "avg_pool": "The mean of each window, over the elements that it counts:",
        "avg_pool_input": "Every element of the window acts on the output with the same factor. "
        "Where windows overlap, the gradients add up:",
        "batch_mean": "The mean of a channel over its M values, of all images and places:",
        "batch_variance": "The mean squared distance from it:",
        "batch_scale": "One over the standard deviation; eps keeps it finite:",
        "batch_z": "Each value from its mean, measured in standard deviations:",
        "batch_forward": "The output:",
        "batch_direct": "x acts on L in three ways. Through its own z:",
        "batch_by_mean": "through the mean, which is part of every z of the channel, with a share "
        "of 1/M:",
        "batch_by_scale": "and through the standard deviation, in proportion to z:",
        "batch_input": "Together:",
        "batch_evaluation": "The statistics are constants, so only the direct way is left:",
        "batch_weight": "w is multiplied with every z of its channel:",
        "batch_bias": "b is added to every output of its channel:",
        "mse": "The squared distance of each element from its target:",
        "mse_input": "The derivative of a square; the other elements are constants:",
        "softmax": "Scores become probabilities, whose sum over the classes is 1:",
        "cross_entropy": "Minus the logarithm of the probability of the target:",
        "softmax_input": "The logarithm of a probability, by a score of the same row:",
        "cross_entropy_input": "Summed over the classes with the targets, whose sum is 1, the "
        "difference of two distributions remains:",
    },
    "ko": {
        **{key: GENERAL["ko"][key] for key in _TITLES},
        "mean": "평균",
        "variance": "분산",
        "scale": "배율",
        "normalised": "정규화",
        "probabilities": "소프트맥스",
        "linear": "출력 하나는 w의 한 행과 x의 특징을 곱해 더하고 편향을 더한 것이다. 모든 행을 "
        "한꺼번에 쓰면 행렬곱이다(w는 (O, I) 꼴로 저장한다).",
        "linear_input": "연쇄 법칙: x[n,i]는 자기 행의 모든 출력에 쓰이고, 이때 곱해진 수는 "
        "w[o,i]이다.",
        "linear_weight": "w[o,i]는 모든 행의 출력 o에 쓰이고, 이때 곱해진 수는 x[n,i]이다.",
        "linear_transposed": "교과서에서처럼 W를 (I, O) 꼴로 두고 Y = X W로 쓰면 같은 곱이 "
        "전치된다.",
        "linear_bias": "b[o]는 모든 행의 출력 o에 그대로 더해진다. 곱해진 수는 1이다.",
        "relu": "양수는 그대로 지나가고, 나머지는 0이 된다.",
        "relu_input": "기울기도 마찬가지이다. [x > 0]은 x가 양수이면 1, 꺾이는 점을 포함해 그 "
        "밖에는 0이다.",
        "sigmoid": "원소마다 0과 1 사이의 값으로 옮긴다.",
        "sigmoid_input": "연쇄 법칙을 쓴다. 도함수는 출력만으로 쓸 수 있다.",
        "max_pool": "윈도우마다 가장 큰 원소를 고른다.",
        "max_pool_input": "가장 큰 원소만 출력에 쓰이고, 이때 곱해진 수는 1이다. 같은 값이 "
        "여럿이면 처음 것이다. 윈도우가 겹치는 곳에서는 기울기를 서로 더한다.",
        "avg_pool": "윈도우마다 세는 원소들의 평균이다.",
        "avg_pool_input": "윈도우의 모든 원소가 같은 수로 곱해져 출력에 쓰인다. 윈도우가 겹치는 "
        "곳에서는 기울기를 서로 더한다.",
        "batch_mean": "한 채널의 값 M개(모든 이미지, 모든 자리)의 평균이다.",
        "batch_variance": "평균과의 차이를 제곱한 것의 평균이다.",
        "batch_scale": "표준편차의 역수이다. eps는 이 값이 한없이 커지는 것을 막는다.",
        "batch_z": "평균과의 차이를 표준편차를 단위로 잰다.",
        "batch_forward": "출력은 다음과 같다.",
        "batch_direct": "x는 세 갈래로 L에 영향을 준다. 첫째, 자기 z를 거친다.",
        "batch_by_mean": "둘째, 평균을 거친다. 평균은 그 채널의 모든 z에 들어 있고, x의 몫은 "
        "1/M이다.",
        "batch_by_scale": "셋째, 표준편차를 거친다. 그 영향은 z에 비례한다.",
        "batch_input": "모두 더하면 다음과 같다.",
        "batch_evaluation": "평균과 분산이 상수이므로 직접 가는 길만 남는다.",
        "batch_weight": "w는 자기 채널의 모든 z에 곱해진다.",
        "batch_bias": "b는 자기 채널의 모든 출력에 더해진다.",
        "mse": "원소마다 목표와의 차이를 제곱한다.",
        "mse_input": "제곱의 도함수이다. 다른 원소는 상수이다.",
        "softmax": "점수를 확률로 바꾼다. 모든 클래스에 걸친 합은 1이다.",
        "cross_entropy": "목표 클래스의 확률에 로그를 취하고 부호를 바꾼다.",
        "softmax_input": "확률의 로그를 같은 행의 점수로 미분한다.",
        "cross_entropy_input": "이를 목표와 곱해 클래스에 걸쳐 더하면, 목표의 합이 1이므로 두 "
        "분포의 차이가 남는다.",
    },
}
