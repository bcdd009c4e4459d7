// What is said of a transposed convolution where it differs from what strings.js says.
// Read on: draw.js.

import { STRINGS } from "./strings.js";

const many = (count) => count.toLocaleString("en");

const en = {
  problem: "The transposed convolution",
  specHint:
    "The line names the convolution whose ∂L/∂X is this O: i and c are the size and the channels of O, o the channels of X.",
  sizes: { i: "output size", c: "channels out", o: "channels in" },
  words: {
    y: (windows, channels) =>
      `${windows === 1 ? "One window holds" : `${many(windows)} windows hold`} this place` +
      `${channels > 1 ? `, in each of ${many(channels)} input channels` : ""}. ` +
      `${windows * channels === 1 ? "It" : "Each"} adds its element of X, times the weight that lies here; then comes b.`,
    gx: () =>
      "W is laid over this window of ∂L/∂O. What lies on each other is multiplied, and all is added.",
    gw: (uses) =>
      `${uses === 1 ? "One window uses" : `${many(uses)} windows use`} this weight. ` +
      `${uses === 1 ? "It" : "Each"} sends back the gradient of the output under the weight, ` +
      "times its element of X.",
    x: () => "This element is given. Its gradient is collected from the outputs in its window:",
    gy: () =>
      "Given by what follows the layer. It goes back times W into ∂L/∂X, and times X into ∂L/∂W. Its output:",
  },
  reasons: {
    leftover: "No window reaches this place: it is left over behind the last one. Only b is here.",
    stride:
      "No window holds this place: the stride is larger than the kernel and steps over it. Only b is here.",
    dilation: "No window holds this place: it lies in a gap of the dilation. Only b is here.",
    crop: "No window holds this place: it lies in the negative padding. Only b is here.",
  },
  outside: "All that it would meet is cut off by the padding. Its gradient is 0.",
  ways: "The same output, seen another way",
  waysLead: "All of these compute the same numbers; b comes on top.",
  views: {
    scatter: {
      start:
        "Every element of X spreads the kernel, scaled by it, over its window of O. Nothing is flipped. " +
        "All begins at 0.",
    },
    gather: {
      start: (zeros, rows) =>
        `Every place of O collects what it is owed: a convolution of stride 1. For that, ${zeros === 0 ? "no zeros are" : zeros === 1 ? "one zero is" : `${zeros} zeros are`} ` +
        `put between the elements of X, ${rows}zeros go around, and the kernel is turned by 180°.`,
      step: (name, value) =>
        `The turned kernel lies where it meets this place: ${name} = ${value} + b.`,
    },
    phases: {
      start: (count) =>
        count === 1
          ? "With stride 1 there is one phase, and it is the whole output."
          : STRINGS.en.views.phases.start(count),
    },
    windows: {
      start: (stride, dilation) =>
        "Every element of X returns its window of ∂L/∂O, scaled by it, and all windows are added. " +
        `So it is a correlation of ∂L/∂O with X, where stride and dilation change places: dilation ${stride}, stride ${dilation}.`,
      step: (name, value) => `Its window of ∂L/∂O times ${name} = ${value} is added (+=).`,
    },
  },
  coverLead: "An input of all ones through a kernel of all ones would be this picture, without b.",
  legend: { crop: "in the negative padding" },
};

const ko = {
  problem: "전치 합성곱의 설정",
  specHint:
    "한 줄 이름은 ∂L/∂X가 이 O와 같은 합성곱의 것이다. i와 c는 O의 크기와 채널, o는 X의 채널이다.",
  sizes: { i: "출력 크기", c: "출력 채널", o: "입력 채널" },
  words: {
    y: (windows, channels) =>
      `윈도우 ${windows}개가 이 자리를 덮는다${channels > 1 ? `(입력 채널 ${channels}개에서 각각)` : ""}. ` +
      `${windows * channels === 1 ? "그 X의 원소에" : "각 X의 원소에"} 이 자리에 놓인 가중치를 곱해 더하고, 편향 b를 더한다.`,
    gx: () => "∂L/∂O의 이 윈도우에 W를 겹쳐 놓고, 겹친 것끼리 곱해 모두 더한다.",
    gw: (uses) =>
      `윈도우 ${many(uses)}개가 이 가중치를 쓴다. ${uses === 1 ? "" : "각각 "}이 가중치가 놓인 출력의 기울기에 X의 원소를 곱한 값이 ` +
      `${uses === 1 ? "돌아온다." : "돌아와 더해진다."}`,
    x: () => "주어진 원소이다. 이 원소의 기울기는 자기 윈도우 안의 출력들에서 나온다.",
    gy: () =>
      "다음 층에서 주어지는 기울기이다. W를 곱해 ∂L/∂X에, X를 곱해 ∂L/∂W에 더한다. 이 기울기의 출력은 다음과 같다.",
  },
  reasons: {
    leftover:
      "어느 윈도우도 이 자리에 닿지 않는다. 마지막 윈도우 뒤에 남은 자리이다. 편향만 있다.",
    stride:
      "어느 윈도우도 이 자리를 덮지 않는다. 보폭이 커널보다 커서 건너뛴 자리이다. 편향만 있다.",
    dilation:
      "어느 윈도우도 이 자리를 덮지 않는다. 팽창한 커널의 틈에 놓인 자리이다. 편향만 있다.",
    crop: "어느 윈도우도 이 자리를 덮지 않는다. 음수 패딩에 놓인 자리이다. 편향만 있다.",
  },
  outside: "만날 자리가 모두 패딩으로 잘려 나간다. 기울기는 0이다.",
  ways: "같은 출력, 다른 눈으로 보기",
  waysLead: "어느 쪽으로 계산해도 같은 수가 나온다. 편향은 따로 더한다.",
  views: {
    scatter: {
      start:
        "X의 원소마다 커널에 그 값을 곱해 O의 윈도우 자리에 더한다. 아무것도 뒤집지 않는다. 처음에는 모두 0이다.",
    },
    gather: {
      start: (zeros, rows) =>
        `O의 자리마다 자기 몫을 모은다. 보폭이 1인 합성곱이 된다. 그러려면 X의 원소 사이에 0을 ${zeros}개씩 넣고, ${rows}` +
        "둘레에 0을 두르고, 커널을 180° 돌린다.",
      step: (name, value) => `돌린 커널을 이 자리와 만나는 곳에 놓으면 ${name} = ${value} + b.`,
    },
    phases: {
      start: (count) =>
        count === 1
          ? "보폭이 1이면 위상은 하나이고, 그것이 출력 전체이다."
          : STRINGS.ko.views.phases.start(count),
    },
    windows: {
      start: (stride, dilation) =>
        "X의 원소마다 그 값에 ∂L/∂O의 윈도우를 곱해 돌려보내고, 그것을 모두 더한다. " +
        `그래서 ∂L/∂O와 X의 교차상관이며, 보폭과 팽창이 자리를 바꾼다. 팽창 ${stride}, 보폭 ${dilation}이다.`,
      step: (name, value) => `${name} = ${value}에 ∂L/∂O의 윈도우를 곱해 더한다(+=).`,
    },
  },
  coverLead: "입력과 커널이 모두 1일 때의 출력에서 편향을 뺀 것이 바로 이 그림이다.",
  legend: { crop: "음수 패딩에 놓인 자리" },
};

export const TRANSPOSED = { en, ko };

// All words, with some in the place of others.
const replaced = (words, others) =>
  Object.fromEntries(
    Object.entries(words).map(([key, word]) => {
      const other = others[key] ?? word;
      return [key, typeof word === "object" && other !== word ? replaced(word, other) : other];
    }),
  );

export const wordsOf = (language, transposed) =>
  transposed ? replaced(STRINGS[language], TRANSPOSED[language]) : STRINGS[language];
