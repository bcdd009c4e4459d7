// All words of the page, in English and in Korean. A function fills in numbers, or names that are
// markup already; where Korean would need a particle that depends on a name, the sentence is built
// without one. Read on: transposed.js.

const many = (count) => count.toLocaleString("en");
const s = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const en = {
  title: "Where a gradient comes from",
  lead: "Every gradient of a convolution is a sum of products. Point at any number to see which ones.",
  language: "Language",
  theme: "Switch between light and dark",
  notation: "Names of elements",
  textbook: "counted from 1",
  indices: "all indices, from 0",
  problem: "The convolution",
  kind: "Operation",
  kinds: { convolution: "convolution", transposed: "transposed" },
  spec: "In one line",
  specHint:
    "Letters: n batch, c channels, i input, o outputs, k kernel, s stride, p padding, d dilation, g groups.",
  sizes: {
    i: "input size",
    k: "kernel",
    s: "stride",
    p: "padding",
    d: "dilation",
    c: "channels in",
    o: "channels out",
    g: "groups",
  },
  numbers: "Numbers",
  patterns: { counting: "counting", ones: "ones", mixed: "mixed" },
  impossible: "There is no such convolution.",
  still: (spec) => `The picture is still that of ${spec}.`,
  arrays: {
    x: "input",
    w: "kernel",
    b: "bias",
    y: "output",
    gx: "its gradient",
    gw: "its gradient",
    gb: "its gradient",
    gy: "given",
  },
  planes: { n: "image", c: "channel", o: "filter", d: "slice" },
  explore: "Explore",
  equation: "Equation",
  newNumber: (name) => `New number for ${name}`,
  badNumber: "That is not a number.",
  term: (text, numbers) => `${text}, that is ${numbers}`,
  more: (count) => `… and ${many(count)} more`,
  tooMany: (count) => `a sum of ${many(count)} terms, which is not computed here`,
  words: {
    y: () =>
      "W is laid over this window. What lies on each other is multiplied, all is added, and then b.",
    gx: (windows, channels) =>
      `${windows === 1 ? "One window holds" : `${many(windows)} windows hold`} this pixel` +
      `${channels > 1 ? `, in each of ${many(channels)} output channels` : ""}. ` +
      `${windows * channels === 1 ? "It" : "Each"} sends back its output’s gradient, ` +
      "times the weight that lay here.",
    gw: (uses) =>
      `${uses === 1 ? "One window uses" : `${many(uses)} windows use`} this weight. ` +
      `${uses === 1 ? "It" : "Each"} sends back its output’s gradient, ` +
      "times the pixel that lay under the weight.",
    gb: () => "b is added to every output as it is, so its gradient is the sum of theirs.",
    x: () => "This pixel is given. Its gradient follows from the outputs that it goes into:",
    w: () => "This weight is given. Its gradient follows from the outputs that it goes into:",
    b: () => "The bias is given. Its gradient follows from the outputs that it is added to:",
    gy: () =>
      "Given by what follows the layer. It goes back times W into a window of ∂L/∂X, and times that window of X into ∂L/∂W. " +
      "Its output:",
  },
  reasons: {
    leftover:
      "No window reaches this pixel: it is left over behind the last one. Its gradient is 0.",
    stride:
      "No window holds this pixel: the stride is larger than the kernel and steps over it. Its gradient is 0.",
    dilation: "No window holds this pixel: it lies in a gap of the dilation. Its gradient is 0.",
    crop: "No window holds this pixel: the negative padding cuts it off. Its gradient is 0.",
  },
  noImages: "There are no images in the batch, so the sum is empty.",
  outside: "In every window this weight lies on padding. Its gradient is 0.",
  goTo: "Go to an element",
  goToArray: "Array",
  goToIndex: (letters) => `Index ${letters}, counted from 0`,
  goToButton: "Show",
  badIndex: (letters, shape) => `Give ${letters}, each from 0 and below ${shape}.`,
  large: (what, count, most) =>
    `${what} has ${many(count)} numbers, and at most ${most} are drawn. So the grids, the three ways and the heat map ` +
    "are left out. Any single element is still derived: type its index.",
  ways: "The same gradient, seen another way",
  waysLead: "All of these compute the same numbers.",
  tabs: { scatter: "Scatter", gather: "Gather", phases: "Phases", windows: "Kernel" },
  previous: "Previous step",
  next: "Next step",
  play: "Play",
  pause: "Pause",
  restart: "Back to the start",
  step: (step, count) => `Step ${step} of ${count}`,
  views: {
    scatter: {
      start:
        "Every output spreads its gradient: scaled by it, the kernel is added where the output's window " +
        "lies. Nothing is flipped. All begins at 0.",
      step: (name, value) =>
        `W times ${name} = ${value} is added (+=) to its window. Where windows overlap, the numbers add up.`,
    },
    gather: {
      start: (zeros, rows) =>
        `Every pixel collects what it is owed: a convolution of stride 1. For that, ${zeros === 0 ? "no zeros are" : zeros === 1 ? "one zero is" : `${zeros} zeros are`} ` +
        `put between the output gradients, ${rows}zeros go around, and the kernel is turned by 180°.`,
      leftover: (rows) => `${s(rows, "leftover row")} behind them, `,
      step: (name, value) =>
        `The turned kernel lies where it meets this pixel: ${name} = ${value}.`,
    },
    phases: {
      start: (count) =>
        count === 1
          ? "With stride 1 there is one phase, and it is the whole gradient."
          : `The stride makes ${count} kinds of pixels, the phases. Each meets its own taps, as a small convolution of stride 1: no zeros are multiplied.`,
      step: (phase, taps, pixels) =>
        `Phase ${phase}: ${s(pixels, "pixel")} with ${s(taps, "tap")}, turned by 180°.`,
      none: (phase, pixels) =>
        `Phase ${phase}: no tap meets its ${s(pixels, "pixel")}; they stay 0.`,
    },
    windows: {
      start: (stride, dilation) =>
        "Every output returns its window of X, scaled by its gradient, and all windows are added. " +
        `So it is a correlation of X with ∂L/∂O, where stride and dilation change places: dilation ${stride}, stride ${dilation}.`,
      step: (name, value) => `Its window of X times ${name} = ${value} is added (+=).`,
    },
  },
  pictures: {
    products: "scaled",
    padded: "zeros inserted",
    turned: "turned by 180°",
    taps: "its taps, turned",
  },
  plane: (names) => `Shown is the plane ${names}.`,
  cover: "How many windows hold each pixel",
  coverLead: "A gradient of all ones through a kernel of all ones would be this picture.",
  coverCell: (name, count) => `${name} lies in ${s(count, "window")}`,
  coverAll: "Every pixel lies in a window.",
  legend: {
    leftover: "left over behind the last window",
    stride: "stepped over by the stride",
    dilation: "in a gap of the dilation",
    crop: "cut off by the negative padding",
  },
  take: "Take it with you",
  takeLead: "The equation as LaTeX, and code that computes the same numbers.",
  copy: "Copy",
  copied: "Copied",
  copyLatex: "Copy LaTeX",
  copyNamed: { latex: "Copy LaTeX", torch: "Copy PyTorch code", pellucid: "Copy pellucid code" },
  copyFailed: "The browser would not copy. Select the text and copy it by hand.",
  footer:
    "“Convolution” means cross-correlation here, as in every deep-learning library. Made with pellucid; works without a network.",
  rules: {
    unknownKey: ({ part, keys }) => `“${part}” begins with no known key. The keys are ${keys}.`,
    twice: ({ key, first, part }) =>
      `Key ${key} comes twice, ${first} and ${part}. Keep one of them.`,
    badValue: ({ part, key }) =>
      `“${part}” is not ${key} and what belongs behind it. Write it like ${EXAMPLES[key]}.`,
    tooLarge: ({ part }) => `“${part}” is a larger number than this page counts with.`,
    missing: ({ key }) =>
      `Key ${key} is missing. Give at least c, i, o and k, as in c3 i32x32 o16 k3x3.`,
    axes: ({ axes }) => `The input has ${axes} axes, but there are 1 to 3.`,
    count: ({ key, count, axes }) =>
      `${key} has ${s(count, "number")}, but the input has ${s(axes, "axis").replace("axiss", "axes")}. Give one number for all, or one for each.`,
    positive: ({ key }) => `${key} must be at least 1.`,
    groups: ({ letter, channels, g, rest }) =>
      `${letter} = ${channels} channels do not divide into ${g} groups (${channels} mod ${g} = ${rest}). Choose groups that divide both channels.`,
    kernel: ({ letter, reach, padded }) =>
      `The kernel is larger than the padded input along ${letter}: d (k − 1) + 1 = ${reach} > ${padded} = i + p + p. Pad more, or use a smaller kernel or dilation.`,
  },
};

const ko = {
  title: "기울기는 어디에서 오는가",
  lead: "합성곱의 기울기는 모두 곱들의 합이다. 어느 수든 가리키면 어떤 곱들의 합인지 보인다.",
  language: "언어",
  theme: "밝은 화면과 어두운 화면 바꾸기",
  notation: "원소의 이름",
  textbook: "1부터 세기",
  indices: "모든 첨자를 0부터",
  problem: "합성곱의 설정",
  kind: "연산",
  kinds: { convolution: "합성곱", transposed: "전치 합성곱" },
  spec: "한 줄로 쓰면",
  specHint: "n 배치, c 입력 채널, i 입력 크기, o 출력 채널, k 커널, s 보폭, p 패딩, d 팽창, g 그룹",
  sizes: {
    i: "입력 크기",
    k: "커널",
    s: "보폭",
    p: "패딩",
    d: "팽창",
    c: "입력 채널",
    o: "출력 채널",
    g: "그룹",
  },
  numbers: "수",
  patterns: { counting: "차례대로", ones: "모두 1", mixed: "섞어서" },
  impossible: "이런 합성곱은 없다.",
  still: (spec) => `그림은 아직 ${spec}의 것이다.`,
  arrays: {
    x: "입력",
    w: "커널",
    b: "편향",
    y: "출력",
    gx: "입력의 기울기",
    gw: "커널의 기울기",
    gb: "편향의 기울기",
    gy: "주어짐",
  },
  planes: { n: "이미지", c: "채널", o: "필터", d: "단면" },
  explore: "살펴보기",
  equation: "식",
  newNumber: (name) => `${name}의 새 값`,
  badNumber: "수가 아니다.",
  term: (text, numbers) => `${text}, 곧 ${numbers}`,
  more: (count) => `… 그리고 ${many(count)}개 더`,
  tooMany: (count) => `항 ${many(count)}개의 합이며, 여기서는 계산하지 않는다`,
  words: {
    y: () => "이 윈도우에 W를 겹쳐 놓고, 겹친 것끼리 곱해 모두 더한 다음 편향 b를 더한다.",
    gx: (windows, channels) =>
      `윈도우 ${windows}개가 이 화소를 덮는다${channels > 1 ? `(출력 채널 ${channels}개에서 각각)` : ""}. ` +
      `${windows * channels === 1 ? "그 출력의 기울기에" : "각 출력의 기울기에"} 이 화소와 곱했던 가중치를 곱한 값이 ` +
      `${windows * channels === 1 ? "돌아온다." : "돌아와 더해진다."}`,
    gw: (uses) =>
      `윈도우 ${many(uses)}개가 이 가중치를 쓴다. ${uses === 1 ? "그 출력의 기울기에" : "각 출력의 기울기에"} 이 가중치와 곱했던 화소를 곱한 값이 ` +
      `${uses === 1 ? "돌아온다." : "돌아와 더해진다."}`,
    gb: () =>
      "편향은 모든 출력에 그대로 더해진다. 그래서 편향의 기울기는 출력의 기울기를 모두 더한 것이다.",
    x: () => "주어진 화소이다. 이 화소의 기울기는 이 화소가 들어간 출력들에서 나온다.",
    w: () => "주어진 가중치이다. 이 가중치의 기울기는 이 가중치가 들어간 출력들에서 나온다.",
    b: () => "주어진 편향이다. 편향의 기울기는 편향이 더해진 출력들에서 나온다.",
    gy: () =>
      "다음 층에서 주어지는 기울기이다. W를 곱해 ∂L/∂X의 윈도우에, 그 윈도우의 X를 곱해 ∂L/∂W에 더한다. 이 기울기의 출력은 다음과 같다.",
  },
  reasons: {
    leftover:
      "어느 윈도우도 이 화소에 닿지 않는다. 마지막 윈도우 뒤에 남은 자리이다. 기울기는 0이다.",
    stride:
      "어느 윈도우도 이 화소를 덮지 않는다. 보폭이 커널보다 커서 건너뛴 자리이다. 기울기는 0이다.",
    dilation:
      "어느 윈도우도 이 화소를 덮지 않는다. 팽창한 커널의 틈에 놓인 자리이다. 기울기는 0이다.",
    crop: "어느 윈도우도 이 화소를 덮지 않는다. 음수 패딩으로 잘려 나간 자리이다. 기울기는 0이다.",
  },
  noImages: "배치에 이미지가 없어 더할 것이 없다.",
  outside: "어느 윈도우에서나 이 가중치는 패딩 위에 놓인다. 기울기는 0이다.",
  goTo: "원소 찾아가기",
  goToArray: "배열",
  goToIndex: (letters) => `첨자 ${letters} (0부터)`,
  goToButton: "보기",
  badIndex: (letters, shape) => `${letters}의 순서로, 각각 0 이상 ${shape} 미만으로 쓴다.`,
  large: (what, count, most) =>
    `${what}에는 수가 ${many(count)}개 있는데, 그림으로는 ${most}개까지만 그린다. 그래서 배열 그림과 세 가지 보기, 열지도는 뺐다. ` +
    "원소 하나하나의 식은 그대로 구할 수 있다. 첨자를 써 넣으면 된다.",
  ways: "같은 기울기, 다른 눈으로 보기",
  waysLead: "어느 쪽으로 계산해도 같은 수가 나온다.",
  tabs: { scatter: "흩뿌리기", gather: "모으기", phases: "위상", windows: "커널" },
  previous: "이전 단계",
  next: "다음 단계",
  play: "재생",
  pause: "멈춤",
  restart: "처음으로",
  step: (step, count) => `${count}단계 중 ${step}단계`,
  views: {
    scatter: {
      start:
        "출력마다 자기 기울기를 흩뿌린다. 커널에 그 기울기를 곱해 출력의 윈도우 자리에 더한다. 아무것도 뒤집지 않는다. 처음에는 모두 0이다.",
      step: (name, value) =>
        `${name} = ${value}에 W를 곱해 윈도우 자리에 더한다(+=). 윈도우가 겹치는 곳에서는 수가 쌓인다.`,
    },
    gather: {
      start: (zeros, rows) =>
        `화소마다 자기 몫을 모은다. 보폭이 1인 합성곱이 된다. 그러려면 출력의 기울기 사이에 0을 ${zeros}개씩 넣고, ${rows}` +
        "둘레에 0을 두르고, 커널을 180° 돌린다.",
      leftover: (rows) => `뒤에 남은 줄 ${rows}개를 붙이고, `,
      step: (name, value) => `돌린 커널을 이 화소와 만나는 자리에 놓으면 ${name} = ${value}.`,
    },
    phases: {
      start: (count) =>
        count === 1
          ? "보폭이 1이면 위상은 하나이고, 그것이 기울기 전체이다."
          : `보폭 때문에 화소는 ${count}가지로 나뉜다. 이를 위상이라 하자. 위상마다 만나는 가중치가 따로 있어, 보폭 1인 작은 합성곱이 된다. 0을 곱하는 일이 없다.`,
      step: (phase, taps, pixels) =>
        `위상 ${phase}: 화소 ${pixels}개가 가중치 ${taps}개(180° 돌림)와 만난다.`,
      none: (phase, pixels) =>
        `위상 ${phase}: 화소 ${pixels}개는 어느 가중치와도 만나지 않아 0으로 남는다.`,
    },
    windows: {
      start: (stride, dilation) =>
        "출력마다 자기 기울기에 X의 윈도우를 곱해 돌려보내고, 그것을 모두 더한다. " +
        `그래서 X와 ∂L/∂O의 교차상관이며, 보폭과 팽창이 자리를 바꾼다. 팽창 ${stride}, 보폭 ${dilation}이다.`,
      step: (name, value) => `${name} = ${value}에 X의 윈도우를 곱해 더한다(+=).`,
    },
  },
  pictures: {
    products: "곱한 커널",
    padded: "0을 넣은 것",
    turned: "180° 돌림",
    taps: "만나는 가중치(돌림)",
  },
  plane: (names) => `그림은 ${names}의 것이다.`,
  cover: "화소마다 윈도우 몇 개가 덮는가",
  coverLead: "출력의 기울기와 커널이 모두 1일 때의 기울기가 바로 이 그림이다.",
  coverCell: (name, count) => `${name}: 윈도우 ${count}개`,
  coverAll: "모든 화소가 윈도우에 들어 있다.",
  legend: {
    leftover: "마지막 윈도우 뒤에 남은 자리",
    stride: "보폭이 건너뛴 자리",
    dilation: "팽창의 틈",
    crop: "음수 패딩으로 잘려 나간 자리",
  },
  take: "가져가기",
  takeLead: "식은 LaTeX으로, 수는 같은 값을 계산하는 코드로 가져갈 수 있다.",
  copy: "복사",
  copied: "복사했다",
  copyLatex: "LaTeX 복사",
  copyNamed: { latex: "LaTeX 복사", torch: "PyTorch 코드 복사", pellucid: "pellucid 코드 복사" },
  copyFailed: "브라우저가 복사를 막았다. 글을 직접 골라 복사한다.",
  footer:
    "여기서 “합성곱”은 딥러닝 라이브러리가 모두 그렇듯 커널을 뒤집지 않는 교차상관을 뜻한다. pellucid로 만들었고, 네트워크 없이 열린다.",
  rules: {
    unknownKey: ({ part, keys }) =>
      `“${part}”의 첫 글자는 없는 이름이다. 쓸 수 있는 글자는 ${keys}.`,
    twice: ({ key, first, part }) =>
      `${key} 항목이 두 번 나온다(${first}, ${part}). 하나만 남긴다.`,
    badValue: ({ part, key }) =>
      `“${part}”에서 ${key} 뒤의 값을 읽을 수 없다. ${EXAMPLES[key]}처럼 쓴다.`,
    tooLarge: ({ part }) => `“${part}”의 수가 이 페이지에서 다루기에는 너무 크다.`,
    missing: ({ key }) => `${key} 항목이 없다. c3 i32x32 o16 k3x3처럼 적어도 c, i, o, k를 쓴다.`,
    axes: ({ axes }) => `입력의 축이 ${axes}개인데, 1개에서 3개까지만 된다.`,
    count: ({ key, count, axes }) =>
      `${key}에 수가 ${count}개 있는데, 입력의 축은 ${axes}개이다. 모두에 쓸 수 하나, 또는 축마다 하나씩 쓴다.`,
    positive: ({ key }) => `${key} 값은 1 이상이어야 한다.`,
    groups: ({ letter, channels, g, rest }) =>
      `채널 ${letter} = ${channels}개를 그룹 ${g}개로 나눌 수 없다(나머지 ${rest}). 두 채널 수를 모두 나누는 그룹 수를 고른다.`,
    kernel: ({ letter, reach, padded }) =>
      `${letter} 축에서 커널이 패딩한 입력보다 크다: d (k − 1) + 1 = ${reach} > ${padded} = i + p + p. 패딩을 늘리거나, 커널이나 팽창을 줄인다.`,
  },
};

const EXAMPLES = {
  n: "n8",
  c: "c3",
  i: "i5x5",
  o: "o4",
  k: "k3 / k3x5",
  s: "s2 / s2x1",
  p: "p1 / p0x2 / p0:1x2:1",
  d: "d2",
  g: "g2",
};

export const STRINGS = { en, ko };
