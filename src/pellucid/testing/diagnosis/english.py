"""The mistakes in English: what each one is, and the line of thought that mends it.

`{where}` is the array, `gx` or `gw and gx`; other names in braces are facts of that mistake.
Next room: korean.py, the same in Korean.
"""

from __future__ import annotations

# Name -> what is wrong, how to think about it.
MISTAKES: dict[str, tuple[str, str]] = {
    "kernel-not-flipped": (
        "the kernel lies upside down in {where}",
        "Seen from a pixel (gather), the tap that meets window i is u = h + p - i s: as i goes "
        "up, u goes down. So the correlation of gy with the kernel needs the kernel turned by 180 "
        "degrees, w[:, :, ::-1, ::-1]. Seen from a window (scatter), gy times the kernel is added "
        "as it is: no flip there. Not flipping in the first and flipping in the second give the "
        "same wrong numbers.",
    ),
    "kernel-flipped-along-one-axis": (
        "the kernel is flipped along one axis in {where}, and not along the other",
        "Turning by 180 degrees reverses both axes: w[:, :, ::-1, ::-1]. One [::-1] alone "
        "mirrors, and np.rot90 once turns by 90 degrees only. Each axis follows u = h + p - i s "
        "for itself.",
    ),
    "result-flipped": (
        "the whole result lies upside down in {where}",
        "gw[o,c,u,v] adds up gy times the pixel under the tap (u,v), at i s + u d - p: u goes "
        "with the pixel, so nothing is flipped. It is the correlation of x with gy. A "
        "convolution, which flips, or a correlation with exchanged arguments returns all of it "
        "upside down.",
    ),
    "forward-flipped": (
        "the forward pass flips the kernel",
        "It computes a mathematician's convolution. Deep-learning libraries mean the correlation: "
        "y[i] adds up x[i s + u d - p] w[u], without a flip. With a flipped forward pass every "
        "formula of the backward pass has its flips elsewhere; use correlate instead of convolve.",
    ),
    "gy-flipped": (
        "gy is upside down in {where}",
        "Window i of y belongs to pixels i s + u d - p, with i and the pixel going the same way. "
        "A function called convolve flips its second argument; where that is gy, call correlate "
        "instead, or flip gy first.",
    ),
    "stride-ignored": (
        "the stride is ignored in {where}",
        "Window i begins at i s - p, not at i - p. In a loop over windows the slice must begin at "
        "i * stride; in a correlation of gy, stride - 1 zeros must stand between its elements "
        "(for gx), or the taps over x must step by it (for gw). Forgetting the one or the other "
        "gives the same numbers.",
    ),
    "wrong-number-of-zeros": (
        "the windows lie at a wrong distance in {where}",
        "Neighbours in gy belong to windows that are s pixels apart, so s - 1 zeros go between "
        "them: a[:, :, ::s, ::s] = gy in an array of (OH - 1) s + 1. Likewise a kernel with "
        "dilation d has d - 1 zeros between its taps.",
    ),
    "stride-and-dilation-exchanged": (
        "stride and dilation have each other's place in {where}",
        "A window moves by the stride, its taps lie a dilation apart: h = i s + u d - p. In gw, "
        "gy is the kernel of a correlation over x, and there the two change places: its dilation "
        "is s and its step is d. In gx they do not.",
    ),
    "dilation-ignored": (
        "the dilation is ignored in {where}",
        "The taps of a window lie d pixels apart: tap u meets pixel i s + u d - p. The slice of a "
        "window is [h : h + (KH - 1) * d + 1 : d], and a correlation with the kernel needs d - 1 "
        "zeros between its taps and d (KH - 1) - p rows of padding. The size of gx does not "
        "change, so only numbers show it.",
    ),
    "leftover-lost": (
        "the leftover rows are missing in {where}",
        "When (H + 2 p - d (KH - 1) - 1) % s is not 0, the last rows of the padded input lie in "
        "no window. Their gradient is 0 (or lies in the padding), but gx has them: it always has "
        "the shape of x. Allocate it as np.zeros_like(x), padded, and add into that; or add that "
        "many rows behind the correlation.",
    ),
    "leftover-misplaced": (
        "the leftover rows are in the wrong place in {where}",
        "The first window begins with the first row of the padded input; what is left over is at "
        "the end. So (H + 2 p - d (KH - 1) - 1) % s rows go behind the last one, and none in "
        "front. How many there are depends on the sizes; it is not always s - 1, and not always "
        "0.",
    ),
    "leftover-not-cropped": (
        "there are more taps than the kernel has in {where}",
        "Correlating all of x with gy, spread by the stride, also counts the positions in the "
        "leftover rows. They are beyond the kernel: keep the first KH and KW, gw[:, :, :KH, :KW].",
    ),
    "padding-not-cropped": (
        "the padding is not cropped in {where}",
        "Windows are laid over padded x, so adding into them gives the gradient of padded x. x "
        "itself is in the middle of it: gx = gxp[:, :, p : p + H, p : p + W]. In a correlation of "
        "gy that is a padding of d (KH - 1) - p instead of d (KH - 1).",
    ),
    "padding-on-wrong-side": (
        "the padding is taken off, or put on, at the wrong end in {where}",
        "Pixel h of x is row h + p of padded x: p rows in front, p behind. So gx = gxp[:, :, p : "
        "p + H, ...], and neither [:H] nor [2 * p :]; window i begins at i s - p. A backward pass "
        "that ignores the padding in gx returns the same as one that crops all of it at the end.",
    ),
    "padding-cropped-twice": (
        "the padding is taken off twice in {where}",
        "A correlation with padding d (KH - 1) - p returns gx of the size of x already; cropping "
        "by p belongs to the gradient of padded x alone. Do one or the other.",
    ),
    "padding-ignored": (
        "the padding is ignored in {where}",
        "Forward, the windows lay over padded x. The taps must meet the same pixels again: pad x "
        "with the same zeros first, or begin window i at i s - p and skip what is outside.",
    ),
    "padding-low-high-exchanged": (
        "low and high padding have each other's place in {where}",
        "Only the padding in front moves the pixels: h = i s + u d - p_low. That behind decides "
        "how many windows there are, and nothing else.",
    ),
    "padding-not-zero": (
        "pixels outside of x are not zero in {where}",
        "The padding is made of zeros, and no gradient flows into it: a tap outside of x adds "
        "nothing. np.pad needs mode='constant'; np.roll and modulo bring the other end in.",
    ),
    "empty-crop": (
        "nothing is left where there is no padding in {where}",
        "A slice [p:-p] is [0:0] for p = 0, which is empty. Write [p : p + H]: it is right for "
        "every p.",
    ),
    "not-full-correlation": (
        "gy is padded by the wrong amount for {where}",
        "gx is the full correlation, cropped by p: gy is padded by d (KH - 1) - p at both ends, "
        "which is the padding of the forward pass only by chance. 'valid' (no padding) and 'same' "
        "are too small.",
    ),
    "assigned-not-added": (
        "terms are assigned where they must be added in {where}",
        "An element has one term for each window that it was in, and the gradient is their sum: "
        "+=, into an array that begins with zeros. With = the last window wins. It shows where "
        "windows overlap (stride less than the kernel), and in a sum over windows or images.",
    ),
    "channel-axes-exchanged": (
        "the axes of input and output channels are exchanged in {where}",
        "w is (O, C, KH, KW): o first. gx[n,c] adds up over o, gw[o,c] belongs to gy[:,o] and "
        "x[:,c]. Where O = C nothing fails, and the numbers are those of the transposed matrix.",
    ),
    "channels-not-summed": (
        "only one of the channels is counted in {where}",
        "Every output channel has seen x[n,c], so gx[n,c] adds up over all o (of its group), as "
        "y[n,o] adds up over c. A loop over o that assigns, or that looks at one o, keeps a "
        "single term.",
    ),
    "channels-mixed": (
        "channels get each other's numbers in {where}",
        "gx[n,c] is made of w[:,c] and of nothing from other input channels; gw[o,c] of gy[:,o] "
        "and x[:,c]; gb[o] of gy[:,o]. An index that is fixed at 0, or a channel axis that is "
        "summed and spread again, gives all of them the same.",
    ),
    "images-mixed": (
        "images of the batch get each other's numbers in {where}",
        "Images do not meet each other: gx[n] is made of gy[n] alone, and every image has one. "
        "Only gw and gb add up over n, and each term of them has gy and x of the same n.",
    ),
    "groups-mixed": (
        "channels meet weights of another group in {where}",
        "Output channel o belongs to group g = o // (O // G) and sees the input channels g C/G to "
        "(g + 1) C/G - 1, in this order; w[o, q] is the weight of channel g C/G + q. Cut gy, x "
        "and w into such blocks and treat each group as a convolution of its own.",
    ),
    "kernel-axes-transposed": (
        "height and width of the kernel are exchanged in {where}",
        "u runs along the height, v along the width, and w[o,c,u,v] stands under the pixel (i s + "
        "u d - p, j s + v d - p). w.T and transpose with too many axes turn these two as well.",
    ),
    "image-axes-transposed": (
        "height and width of the image are exchanged in {where}",
        "h and i run along the height (axis 2), w and j along the width (axis 3), in all arrays. "
        "Look for indices in another order, and for .T of more than two axes.",
    ),
    "axes-permuted": (
        "the axes have another order in {where}",
        "The numbers are right, but they lie as {form}. A gradient has the axes of its array: gx "
        "those of x (N, C, H, W), gw those of w (O, C, KH, KW). A transpose at the end mends it.",
    ),
    "height-and-width-exchanged": (
        "an option or a size of one axis is used for the other in {where}",
        "Each axis has numbers of its own: h = i s_h + u d_h - p_h and w = j s_w + v d_w - p_w, "
        "with KH, OH and KW, OW. It shows where the two axes differ.",
    ),
    "window-missing": (
        "windows are left out in {where}",
        "i runs over all rows of gy, range(OH), and the slice is computed from it: i * stride. A "
        "loop over pixels ends at H + 2 p - d (KH - 1) inclusive, which is one more than it "
        "seems.",
    ),
    "tap-missing": (
        "taps of the kernel are left out in {where}",
        "u runs over all rows of the kernel, range(KH); a dilation moves the pixel u * d, not the "
        "index u.",
    ),
    "shifted-by-one": (
        "all is shifted by one pixel in {where}",
        "Counted from 0, window i begins at i s - p and tap u is at + u d. Off by one: look for + "
        "1 or - 1 in the beginning of a slice, and for a padding of KH where KH - 1 is meant.",
    ),
    "negative-index": (
        "pixels before the first one wrap round to the end in {where}",
        "With padding, i s + u d - p is below 0 for the first taps, and Python counts negative "
        "indices from the end. Skip such a tap: if 0 <= h < H; or add into a padded array.",
    ),
    "batch-not-summed": (
        "the sum over the batch is missing in {where}",
        "w and b are the same for all images, so each image adds a term: gw and gb are sums over "
        "n. = in the loop over n, or gy[0], keeps one image; a missing axis 0 in the sum keeps "
        "all of them apart.",
    ),
    "space-not-summed": (
        "the sum over the pixels of y is missing in {where}",
        "b[o] is added at every pixel of y[:,o], so gb[o] is the sum of gy[:,o] over images, rows "
        "and columns: gy.sum(axis=(0, 2, 3)), of shape (O,).",
    ),
    "wrong-axes-summed": (
        "the sum is over the axes {form} in {where}",
        "gb has one number for each output channel: sum over all axes but that of o, "
        "gy.sum(axis=(0, 2, 3)).",
    ),
    "mean-for-sum": (
        "a mean stands where a sum must be in {where}",
        "The gradient of a sum has no 1/N: the chain rule adds up what each image and window "
        "contributes. If the loss is a mean, its 1/N is in gy already and must not be applied "
        "twice.",
    ),
    "wrong-sign": (
        "the sign is wrong in {where}",
        "The gradient points uphill. The minus of gradient descent belongs to the update, w -= lr "
        "* gw, not here.",
    ),
    "wrong-factor": (
        "there is a factor too much in {where} ({form})",
        "Every element is off by the same factor, so the sums are right. Look for what is added "
        "several times (inside a loop too far in), or divided by a size.",
    ),
    "reshape-for-transpose": (
        "numbers are in the wrong order in {where}: a reshape stands where a transpose is needed",
        "reshape keeps the order of memory and only cuts it anew. To bring gy (N, O, OH, OW) into "
        "rows of one o, move the axis first: gy.transpose(1, 0, 2, 3).reshape(O, -1); to come "
        "back, reshape into the axes as they lie, then transpose. With one image and one channel "
        "nothing shows.",
    ),
    "all-zero": (
        "there are only zeros in {where}",
        "It is allocated and never written, or written into a copy: a[mask][...] += and "
        "a.reshape(...)[...] += change a temporary array.",
    ),
    "wrong-shape": (
        "the numbers are right and the shape is wrong in {where}",
        "A gradient has the shape of its array: gx that of x, gw that of w, gb (O,). Reshape it "
        "at the end.",
    ),
    "low-precision": (
        "only two or three digits are right in {where}",
        "That is less than float32 keeps. Look for float16, and for finite differences with a "
        "large step.",
    ),
    "bias-left-out": (
        "the forward pass does not add the bias",
        "y[n,o,i,j] has b[o] added: y += b[:, None, None].",
    ),
    "returns-none": (
        "None is returned for {where}",
        "A Python function without return returns None: end with return gx, gw, gb.",
    ),
    "wrong-number-of-results": (
        "the function returns {count} results",
        "It must return gx, gw, gb; gb may be left out or None where there is no bias.",
    ),
    "not-numbers": (
        "no array of numbers is returned for {where}, but {type}",
        "Return NumPy arrays, or what np.asarray takes.",
    ),
    "results-exchanged": (
        "the results are returned in another order: {order}",
        "They are told apart by their place: gx, then gw, then gb.",
    ),
    "inputs-modified": (
        "the function changes its inputs: {arrays}",
        "The arrays belong to the caller, who needs them again: for the next layer, or the next "
        "step. Work on a copy; look for in-place operators (+=, *=, out=) and for views such as "
        "reshape and slices.",
    ),
    "memory-not-initialised": (
        "memory that was never written is in {where}",
        "np.empty gives whatever was there before, zeros today and old numbers tomorrow. What is "
        "added into, or written in part only, must begin as np.zeros.",
    ),
    "not-finite": (
        "NaN or infinity is in {where}",
        "No step of a convolution divides. Look for a division by a size that is 0, and for a "
        "mean of nothing.",
    ),
    "changes-between-calls": (
        "the next call with the same inputs gives another {where}",
        "Something is kept from the first call: an array in a global or a default argument that "
        "is added into, or random numbers. Allocate what is returned in each call.",
    ),
    "integer-dtype": (
        "there are only integers in {where}",
        "An array of integers cuts off what is behind the point. Allocate it with the dtype of "
        "the inputs: np.zeros_like(x), or np.zeros(x.shape).",
    ),
    "raises": (
        "the function raises {error}",
        "Each of the features of this case works alone, so the error is not a refusal. Look at "
        "the shapes where it is raised.",
    ),
    "not-recognised": (
        "wrong, cause not recognised: {where}",
        "Compare the element below with its equation: which term is missing, which one is there "
        "too much? Then the next larger case.",
    ),
}

PHRASES = {
    "right": "{where}: right in all {tried} cases.",
    "right in some": "{where}: right in all {tried} cases of what the function supports.",
    "wrong": "{title}. [{name}]",
    "two": "Two mistakes at once in {where}:",
    "and": " and ",
    "along h": " (along the height only)",
    "along w": " (along the width only)",
    "count": "{wrong} of {tried} cases fail; the smallest of them:",
    "first": "first wrong element: {element}",
    "equation": "right",
    "yours": "yours",
    "shape": "shape {found}, but it must be {wanted}",
    "whole": "{name}, right and yours:",
    "thought": "To mend it:",
    "beyond": "With {feature} something else is wrong as well: mend this first, then run diagnose "
    "again.",
    "shared": "All failing cases have: {features}.",
    "alternatives": "From what the function supports it cannot be told from: {names}.",
    "also right": "right: {names}",
    "unsupported": "not tried, because the function does not support it:",
    "no parameter": "no parameter for it",
    "raised": "raises {error}",
    "nothing": "The function ran in no case.",
    "varies": "another one in each case",
}

FEATURES = {
    "stride": "stride",
    "leftover": "leftover rows",
    "unequal image sides": "images that are not square",
    "unequal kernel sides": "kernels that are not square",
    "padding": "padding",
    "stride larger than the kernel": "a stride larger than the kernel",
    "unequal strides": "different strides for height and width",
    "unequal paddings": "different paddings for height and width",
    "batch": "several images",
    "input channels": "several input channels",
    "output channels": "several output channels",
    "unequal channels": "different numbers of input and output channels",
    "dilation": "dilation",
    "unequal dilations": "different dilations for height and width",
    "groups": "groups",
    "padding larger than the kernel": "padding larger than the kernel",
    "low and high padding": "different padding in front and behind",
}
