"""The mistakes in Korean: the same entries as in english.py, in the words of a Korean textbook.

Next room: english.py.
"""

from __future__ import annotations

MISTAKES: dict[str, tuple[str, str]] = {
    "kernel-not-flipped": (
        "{where}: 커널이 거꾸로 놓였다",
        "화소 쪽에서 보면(gather) 윈도우 i와 만나는 커널 위치는 u = h + p - i s이다. i가 커지면 "
        "u는 작아진다. 그래서 gy와 커널의 상관으로 구할 때는 커널을 180도 돌린 w[:, :, ::-1, "
        "::-1]을 써야 한다. 윈도우 쪽에서 보면(scatter) gy에 커널을 곱해 그대로 더하므로 뒤집지 "
        "않는다. 앞의 경우에 뒤집지 않은 것과 뒤의 경우에 뒤집은 것은 결과가 같다.",
    ),
    "kernel-flipped-along-one-axis": (
        "{where}: 커널을 한 축으로만 뒤집었다",
        "180도 회전은 두 축을 모두 뒤집는 것이다: w[:, :, ::-1, ::-1]. [::-1] 하나는 거울상이고, "
        "np.rot90을 한 번 쓰면 90도만 돈다. 두 축은 저마다 u = h + p - i s를 따른다.",
    ),
    "result-flipped": (
        "{where}: 위아래와 좌우가 뒤집혀 나온다",
        "gw[o,c,u,v]는 gy와 커널 위치 (u,v) 아래의 화소 i s + u d - p를 곱해 더한 것이다. u와 "
        "화소는 같은 방향으로 움직이므로 뒤집을 것이 없다. 이것은 x와 gy의 상관이다. 뒤집는 "
        "함수인 convolve를 쓰거나 상관의 두 인자를 바꿔 쓰면 전체가 뒤집혀 나온다.",
    ),
    "forward-flipped": (
        "순전파가 커널을 뒤집는다",
        "수학에서 말하는 합성곱을 계산하고 있다. 딥러닝 라이브러리의 합성곱은 커널을 뒤집지 않는 "
        "상관, 곧 x[i s + u d - p] w[u]의 합이다. 순전파에서 뒤집으면 역전파 식의 뒤집는 곳이 "
        "모두 달라진다. convolve 대신 correlate를 쓴다.",
    ),
    "gy-flipped": (
        "{where}: gy가 거꾸로 놓였다",
        "y의 윈도우 i는 화소 i s + u d - p에 놓이며, i와 화소는 같은 방향으로 움직인다. "
        "convolve라는 함수는 둘째 인자를 뒤집는다. 그 인자가 gy라면 correlate를 쓰거나 gy를 먼저 "
        "뒤집는다.",
    ),
    "stride-ignored": (
        "{where}: 보폭을 무시했다",
        "윈도우 i는 i - p가 아니라 i s - p에서 시작한다. 윈도우를 도는 반복문이라면 슬라이스가 i "
        "* stride에서 시작해야 한다. 상관으로 구한다면 gx에서는 gy의 원소 사이에 0을 보폭 - 1개씩 "
        "넣고, gw에서는 x 위를 보폭만큼 건너뛰어야 한다. 어느 쪽을 잊어도 결과는 같다.",
    ),
    "wrong-number-of-zeros": (
        "{where}: 윈도우 사이의 거리가 틀렸다",
        "gy에서 이웃한 원소의 윈도우는 화소 s개만큼 떨어져 있으므로 사이에 넣을 0은 s - 1개이다. "
        "길이 (OH - 1) s + 1인 배열에 a[:, :, ::s, ::s] = gy로 넣는다. 마찬가지로 팽창이 d인 "
        "커널의 원소 사이에는 0이 d - 1개 들어간다.",
    ),
    "stride-and-dilation-exchanged": (
        "{where}: 보폭과 팽창이 서로 바뀌었다",
        "윈도우는 보폭만큼 움직이고 커널 원소는 팽창만큼 떨어져 있다: h = i s + u d - p. gw에서는 "
        "gy가 x 위를 지나는 커널이 되어 둘의 구실이 바뀐다. 팽창이 s, 보폭이 d이다. gx에서는 "
        "바뀌지 않는다.",
    ),
    "dilation-ignored": (
        "{where}: 팽창을 무시했다",
        "한 윈도우의 커널 원소는 화소 d개씩 떨어져 있어서 u는 화소 i s + u d - p와 만난다. "
        "윈도우의 슬라이스는 [h : h + (KH - 1) * d + 1 : d]이다. 커널과의 상관이라면 커널 원소 "
        "사이에 0을 d - 1개씩 넣고 패딩은 d (KH - 1) - p로 한다. gx의 크기는 그대로여서 수를 "
        "봐야만 드러난다.",
    ),
    "leftover-lost": (
        "{where}: 남는 행과 열이 빠졌다",
        "(H + 2 p - d (KH - 1) - 1) % s가 0이 아니면 패딩한 입력의 마지막 행들은 어느 윈도우에도 "
        "들지 않는다. 그 기울기는 0이거나 패딩에 놓이지만, gx의 모양은 언제나 x와 같아야 한다. "
        "패딩한 x의 크기로 0 배열을 만들어 거기에 더하거나, 상관의 결과 뒤에 그만큼 행을 붙인다.",
    ),
    "leftover-misplaced": (
        "{where}: 남는 행과 열의 자리가 틀렸다",
        "첫 윈도우는 패딩한 입력의 첫 행에서 시작하므로 남는 행은 끝에 있다. 마지막 행 뒤에만 (H "
        "+ 2 p - d (KH - 1) - 1) % s개를 두고 앞에는 두지 않는다. 이 수는 크기에 따라 다르며 늘 s "
        "- 1이거나 늘 0인 것이 아니다.",
    ),
    "leftover-not-cropped": (
        "{where}: 커널보다 크다",
        "x 전체와 보폭만큼 벌린 gy의 상관을 구하면 남는 행에 해당하는 자리까지 나온다. 커널 "
        "밖이므로 앞의 KH, KW개만 남긴다: gw[:, :, :KH, :KW].",
    ),
    "padding-not-cropped": (
        "{where}: 패딩이 남아 있다",
        "윈도우는 패딩한 x 위에 놓이므로 거기에 더하면 패딩한 x의 기울기가 된다. x는 그 가운데에 "
        "있다: gx = gxp[:, :, p : p + H, p : p + W]. gy와의 상관이라면 패딩을 d (KH - 1)이 아니라 "
        "d (KH - 1) - p로 한다.",
    ),
    "padding-on-wrong-side": (
        "{where}: 패딩을 엉뚱한 쪽에서 잘라 내거나 붙였다",
        "x의 화소 h는 패딩한 x의 행 h + p이다. 앞에 p행, 뒤에 p행이 있다. 그러므로 gx = gxp[:, :, "
        "p : p + H, ...]이며, [:H]도 [2 * p :]도 아니다. 윈도우 i는 i s - p에서 시작한다. gx에서 "
        "패딩을 아예 무시한 역전파는 끝에서만 잘라 낸 것과 결과가 같다.",
    ),
    "padding-cropped-twice": (
        "{where}: 패딩을 두 번 잘라 냈다",
        "패딩 d (KH - 1) - p로 구한 상관은 이미 x의 크기이다. p만큼 잘라 내는 것은 패딩한 x의 "
        "기울기를 구했을 때뿐이다. 둘 중 하나만 한다.",
    ),
    "padding-ignored": (
        "{where}: 패딩을 무시했다",
        "순전파에서 윈도우는 패딩한 x 위에 놓였다. 같은 화소를 다시 만나야 하므로 x에 먼저 0을 "
        "둘러 패딩하거나, 윈도우 i를 i s - p에서 시작하고 x 밖은 건너뛴다.",
    ),
    "padding-low-high-exchanged": (
        "{where}: 앞쪽 패딩과 뒤쪽 패딩이 서로 바뀌었다",
        "화소의 자리를 옮기는 것은 앞쪽 패딩뿐이다: h = i s + u d - p_low. 뒤쪽 패딩은 윈도우의 "
        "수만 정한다.",
    ),
    "padding-not-zero": (
        "{where}: x 밖의 화소가 0이 아니다",
        "패딩은 0이고 그리로는 기울기가 흐르지 않는다. x 밖에 놓인 커널 원소는 아무것도 더하지 "
        "않는다. np.pad는 mode='constant'로 쓴다. np.roll이나 나머지 연산은 반대쪽 끝을 끌어온다.",
    ),
    "empty-crop": (
        "{where}: 패딩이 없을 때 비어 있다",
        "p = 0이면 슬라이스 [p:-p]는 [0:0]이 되어 아무것도 남지 않는다. [p : p + H]로 쓰면 어떤 "
        "p에서도 맞다.",
    ),
    "not-full-correlation": (
        "{where}: gy의 패딩이 틀렸다",
        "gx는 full 상관을 p만큼 잘라 낸 것이다. gy의 패딩은 양쪽 모두 d (KH - 1) - p이며, "
        "순전파의 패딩과 같은 것은 우연일 뿐이다. 'valid'(패딩 없음)와 'same'은 너무 작다.",
    ),
    "assigned-not-added": (
        "{where}: 더해야 할 곳에 대입했다",
        "한 원소에는 그 원소가 들어 있던 윈도우마다 항이 하나씩 있고, 기울기는 그 합이다. 0으로 "
        "시작하는 배열에 +=로 더한다. =로 쓰면 마지막 윈도우의 값만 남는다. 윈도우가 겹칠 "
        "때(보폭이 커널보다 작을 때), 그리고 윈도우나 이미지에 대한 합에서 드러난다.",
    ),
    "channel-axes-exchanged": (
        "{where}: 입력 채널 축과 출력 채널 축이 서로 바뀌었다",
        "w의 모양은 (O, C, KH, KW)로 o가 먼저이다. gx[n,c]는 o에 대한 합이고, gw[o,c]는 gy[:,o]와 "
        "x[:,c]에서 나온다. O = C이면 오류 없이 전치 행렬의 수가 나온다.",
    ),
    "channels-not-summed": (
        "{where}: 채널 하나만 더했다",
        "모든 출력 채널이 x[n,c]를 보았으므로 gx[n,c]는 (같은 그룹의) 모든 o에 대한 합이다. "
        "y[n,o]가 c에 대한 합인 것과 같다. o를 도는 반복문에서 대입하거나 o 하나만 보면 항이 "
        "하나만 남는다.",
    ),
    "channels-mixed": (
        "{where}: 채널끼리 수가 섞였다",
        "gx[n,c]는 w[:,c]에서만 나오고 다른 입력 채널과는 무관하다. gw[o,c]는 gy[:,o]와 "
        "x[:,c]에서, gb[o]는 gy[:,o]에서 나온다. 0으로 고정된 인덱스나, 채널 축으로 더한 뒤 다시 "
        "펼친 합은 모든 채널에 같은 수를 준다.",
    ),
    "images-mixed": (
        "{where}: 배치의 이미지끼리 수가 섞였다",
        "이미지는 서로 만나지 않는다. gx[n]은 gy[n]에서만 나오고 이미지마다 있다. n에 대해 더하는 "
        "것은 gw와 gb뿐이며, 그 항마다 gy와 x의 n이 같다.",
    ),
    "groups-mixed": (
        "{where}: 채널이 다른 그룹의 가중치와 만났다",
        "출력 채널 o는 그룹 g = o // (O // G)에 속하고, 입력 채널 g C/G부터 (g + 1) C/G - 1까지를 "
        "이 순서로 본다. w[o, q]는 채널 g C/G + q의 가중치이다. gy, x, w를 이런 토막으로 잘라 "
        "그룹마다 따로 합성곱으로 다룬다.",
    ),
    "kernel-axes-transposed": (
        "{where}: 커널의 높이와 너비가 서로 바뀌었다",
        "u는 높이, v는 너비를 따라가며, w[o,c,u,v]는 화소 (i s + u d - p, j s + v d - p) 위에 "
        "놓인다. w.T나 축을 너무 많이 바꾸는 transpose는 이 두 축도 바꾼다.",
    ),
    "image-axes-transposed": (
        "{where}: 이미지의 높이와 너비가 서로 바뀌었다",
        "모든 배열에서 h와 i는 높이(축 2), w와 j는 너비(축 3)를 따라간다. 순서가 바뀐 인덱스와, "
        "축이 셋 이상인 배열의 .T를 찾아본다.",
    ),
    "axes-permuted": (
        "{where}: 축의 순서가 다르다",
        "수는 맞지만 {form} 순서로 놓여 있다. 기울기의 축은 그 배열의 축과 같다. gx는 x의 (N, C, "
        "H, W), gw는 w의 (O, C, KH, KW)이다. 끝에서 transpose로 바로잡는다.",
    ),
    "height-and-width-exchanged": (
        "{where}: 한 축의 옵션이나 크기를 다른 축에 썼다",
        "두 축에는 저마다의 수가 있다: h = i s_h + u d_h - p_h, w = j s_w + v d_w - p_w, 그리고 "
        "KH, OH와 KW, OW. 두 축이 다를 때 드러난다.",
    ),
    "window-missing": (
        "{where}: 빠뜨린 윈도우가 있다",
        "i는 gy의 모든 행을 돈다: range(OH). 슬라이스는 그 i에서 i * stride로 계산한다. 화소를 "
        "도는 반복문의 끝은 H + 2 p - d (KH - 1)까지이며, 보기보다 하나 더 간다.",
    ),
    "tap-missing": (
        "{where}: 빠뜨린 커널 원소가 있다",
        "u는 커널의 모든 행을 돈다: range(KH). 팽창은 인덱스 u가 아니라 화소를 u * d로 옮긴다.",
    ),
    "shifted-by-one": (
        "{where}: 화소 하나만큼 밀렸다",
        "0부터 세면 윈도우 i는 i s - p에서 시작하고 커널 원소 u는 거기서 + u d에 있다. 슬라이스의 "
        "시작에 있는 + 1이나 - 1, 그리고 KH - 1이어야 할 패딩이 KH로 된 곳을 찾아본다.",
    ),
    "negative-index": (
        "{where}: 첫 화소보다 앞의 화소가 끝으로 돌아갔다",
        "패딩이 있으면 처음 몇 커널 원소에서 i s + u d - p가 0보다 작고, 파이썬은 음수 인덱스를 "
        "끝에서부터 센다. if 0 <= h < H로 건너뛰거나 패딩한 배열에 더한다.",
    ),
    "batch-not-summed": (
        "{where}: 배치에 대해 더하지 않았다",
        "w와 b는 모든 이미지에 같으므로 이미지마다 항이 하나씩 있다. gw와 gb는 n에 대한 합이다. "
        "n을 도는 반복문의 =나 gy[0]은 이미지 하나만 남기고, 합에서 축 0을 빠뜨리면 이미지마다 "
        "따로 남는다.",
    ),
    "space-not-summed": (
        "{where}: y의 화소에 대해 더하지 않았다",
        "b[o]는 y[:,o]의 모든 화소에 더해졌으므로 gb[o]는 gy[:,o]를 이미지, 행, 열에 대해 모두 "
        "더한 것이다: gy.sum(axis=(0, 2, 3)), 모양은 (O,).",
    ),
    "wrong-axes-summed": (
        "{where}: 축 {form}에 대해 더했다",
        "gb에는 출력 채널마다 수가 하나 있다. o의 축을 뺀 모든 축에 대해 더한다: gy.sum(axis=(0, "
        "2, 3)).",
    ),
    "mean-for-sum": (
        "{where}: 합이어야 하는데 평균이다",
        "합의 기울기에는 1/N이 없다. 연쇄 법칙은 이미지와 윈도우마다의 몫을 더한다. 손실이 "
        "평균이라면 그 1/N은 이미 gy에 들어 있으므로 두 번 곱하지 않는다.",
    ),
    "wrong-sign": (
        "{where}: 부호가 틀렸다",
        "기울기는 오르막을 가리킨다. 경사 하강법의 빼기는 갱신 w -= lr * gw의 몫이지 여기의 것이 "
        "아니다.",
    ),
    "wrong-factor": (
        "{where}: 맞는 값에 배수가 곱해져 있다({form})",
        "모든 원소가 같은 배수만큼 다르므로 합 자체는 맞다. 너무 안쪽 반복문에 있어 여러 번 "
        "더해지는 것이나, 크기로 나누는 곳을 찾아본다.",
    ),
    "reshape-for-transpose": (
        "{where}: 수의 순서가 틀렸다. transpose가 있어야 할 곳에 reshape가 있다",
        "reshape는 메모리의 순서를 그대로 두고 토막만 새로 낸다. gy (N, O, OH, OW)를 o마다 한 "
        "행으로 모으려면 먼저 축을 옮긴다: gy.transpose(1, 0, 2, 3).reshape(O, -1). 되돌릴 때는 "
        "놓인 순서대로 reshape한 다음 transpose한다. 이미지와 채널이 하나씩이면 드러나지 않는다.",
    ),
    "all-zero": (
        "{where}: 모두 0이다",
        "배열을 만들고 쓰지 않았거나 복사본에 썼다. a[mask][...] += 와 a.reshape(...)[...] += 는 "
        "임시 배열을 바꾼다.",
    ),
    "wrong-shape": (
        "{where}: 수는 맞지만 모양이 틀렸다",
        "기울기의 모양은 그 배열의 모양과 같다. gx는 x, gw는 w와 같고, gb는 (O,)이다. 끝에서 "
        "reshape한다.",
    ),
    "low-precision": (
        "{where}: 두세 자리까지만 맞다",
        "float32보다 덜 정확하다. float16이나 간격이 큰 수치 미분을 쓰는지 찾아본다.",
    ),
    "bias-left-out": (
        "순전파가 편향을 더하지 않는다",
        "y[n,o,i,j]에는 b[o]가 더해진다: y += b[:, None, None].",
    ),
    "returns-none": (
        "{where}: None이다",
        "return이 없는 파이썬 함수는 None을 돌려준다. return gx, gw, gb로 끝낸다.",
    ),
    "wrong-number-of-results": (
        "함수가 돌려주는 결과가 {count}개이다",
        "gx, gw, gb를 돌려주어야 한다. 편향이 없으면 gb는 빼거나 None으로 둔다.",
    ),
    "not-numbers": (
        "{where}: 수의 배열이 아니라 {type}이다",
        "NumPy 배열이나 np.asarray가 받는 것을 돌려준다.",
    ),
    "results-exchanged": (
        "결과의 순서가 다르다: {order}",
        "결과는 자리로 구별한다: gx, gw, gb의 순서이다.",
    ),
    "inputs-modified": (
        "함수가 입력을 바꾼다: {arrays}",
        "이 배열들은 호출한 쪽의 것이고, 다음 계층이나 다음 단계에서 다시 쓰인다. 복사본에 "
        "계산한다. 제자리 연산(+=, *=, out=)과, reshape나 슬라이스처럼 메모리를 함께 쓰는 뷰를 "
        "찾아본다.",
    ),
    "memory-not-initialised": (
        "{where}: 한 번도 쓰지 않은 메모리가 들어 있다",
        "np.empty에는 전에 있던 것이 그대로 있다. 오늘은 0이고 내일은 옛 수이다. 더해 나가거나 "
        "일부만 쓰는 배열은 np.zeros로 시작해야 한다.",
    ),
    "not-finite": (
        "{where}: NaN이나 무한대가 들어 있다",
        "합성곱에는 나눗셈이 없다. 0인 크기로 나누는 곳과, 빈 것의 평균을 찾아본다.",
    ),
    "changes-between-calls": (
        "{where}: 같은 입력으로 다시 부르면 결과가 달라진다",
        "첫 호출의 것이 남아 있다. 전역 변수나 기본 인자의 배열에 더하고 있거나 난수를 쓴다. "
        "돌려줄 배열은 부를 때마다 새로 만든다.",
    ),
    "integer-dtype": (
        "{where}: 정수로 되어 있다",
        "정수 배열은 소수점 아래를 버린다. 입력의 dtype으로 만든다: np.zeros_like(x)나 "
        "np.zeros(x.shape).",
    ),
    "raises": (
        "함수에서 오류가 난다: {error}",
        "이 경우의 기능은 하나씩은 모두 되므로 지원하지 않는 것이 아니다. 오류가 나는 곳의 모양을 "
        "살펴본다.",
    ),
    "not-recognised": (
        "{where}: 틀렸으나 원인은 알아내지 못했다",
        "아래 원소를 식과 견주어 본다. 어느 항이 빠졌고 어느 항이 더 있는가? 그다음 조금 더 큰 "
        "경우를 본다.",
    ),
}

PHRASES = {
    "right": "{where}: {tried}가지 경우에서 모두 맞다.",
    "right in some": "{where}: 함수가 지원하는 {tried}가지 경우에서 모두 맞다.",
    "wrong": "{title}. [{name}]",
    "two": "{where}에 실수가 두 가지 있다.",
    "and": ", ",
    "along h": "(높이 방향만)",
    "along w": "(너비 방향만)",
    "count": "{tried}가지 경우 중 {wrong}가지에서 틀리며, 그중 가장 작은 것은 다음과 같다.",
    "first": "처음으로 틀린 원소: {element}",
    "equation": "정답",
    "yours": "결과",
    "shape": "모양이 {found}인데 {wanted}이어야 한다",
    "whole": "{name}의 정답과 결과:",
    "thought": "바로잡으려면:",
    "beyond": "{feature}에서는 다른 것도 틀린다. 먼저 이것을 바로잡고 diagnose를 다시 실행한다.",
    "shared": "틀린 경우에 공통으로 있는 것: {features}.",
    "alternatives": "함수가 지원하는 범위에서는 다음과 구별되지 않는다: {names}.",
    "also right": "맞는 것: {names}",
    "unsupported": "함수가 지원하지 않아 시험하지 않은 것:",
    "no parameter": "해당하는 인자가 없음",
    "raised": "오류 {error}",
    "nothing": "함수가 실행된 경우가 없다.",
    "varies": "경우마다 다른 수",
}

FEATURES = {
    "stride": "보폭",
    "leftover": "남는 행과 열",
    "unequal image sides": "정사각형이 아닌 이미지",
    "unequal kernel sides": "정사각형이 아닌 커널",
    "padding": "패딩",
    "stride larger than the kernel": "커널보다 큰 보폭",
    "unequal strides": "높이와 너비의 서로 다른 보폭",
    "unequal paddings": "높이와 너비의 서로 다른 패딩",
    "batch": "여러 이미지",
    "input channels": "여러 입력 채널",
    "output channels": "여러 출력 채널",
    "unequal channels": "서로 다른 입출력 채널 수",
    "dilation": "팽창",
    "unequal dilations": "높이와 너비의 서로 다른 팽창",
    "groups": "그룹",
    "padding larger than the kernel": "커널보다 큰 패딩",
    "low and high padding": "앞뒤가 다른 패딩",
}
