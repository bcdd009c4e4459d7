"""Every layer with every option beside PyTorch's: text, state, outputs, gradients, in float64.

The state dict of PyTorch's layer, as arrays, is loaded into ours, and ours back into PyTorch's.
"""

import itertools

import numpy as np
import pytest

import pellucid
from pellucid import nn

torch = pytest.importorskip("torch")

IMAGES = (2, 4, 9, 8)
CONV = {
    "stride": [1, 2, (2, 3)],
    "padding": [0, 1, (0, 2), "same", "valid"],
    "dilation": [1, 2, (1, 2)],
    "groups": [1, 2, 4],
    "bias": [True, False],
    "padding_mode": ["zeros", "reflect", "replicate", "circular"],
}


TRANSPOSED = {
    "stride": [1, 2, (2, 3)],
    "padding": [0, 1, (0, 2)],
    "dilation": [1, 2, (1, 2)],
    "output_padding": [0, 1, (0, 1)],
    "groups": [1, 2, 4],
    "bias": [True, False],
}


def one_at_a_time(options):
    """Yield the defaults, each option alone, and each pair of neighbours together."""
    yield {}
    for name, values in options.items():
        yield from ({name: value} for value in values[1:])
    for (first, a), (second, b) in itertools.pairwise(options.items()):
        yield {first: a[-1], second: b[-1]}


def in_pytorch(options):
    """PyTorch has 'same' for stride 1 alone."""
    return options.get("padding") != "same" or options.get("stride", 1) == 1


def conv_cases():
    for options in filter(in_pytorch, one_at_a_time(CONV)):
        yield "Conv2d", (4, 8, 3), options, IMAGES
    for name, shape in (("Conv1d", (2, 4, 9)), ("Conv3d", (2, 4, 5, 6, 5))):
        yield name, (4, 6, 3), {}, shape
        yield name, (4, 6, 2, 2, 1, 1, 2, False, "circular"), {}, shape
        yield name, (4, 6, 3), {"padding": "same", "padding_mode": "reflect"}, shape


def transposed_cases():
    for options in one_at_a_time(TRANSPOSED):
        stride = {"stride": 2} if options.get("output_padding") else {}
        yield "ConvTranspose2d", (4, 8, 3), {**options, **stride}, IMAGES
    for name, shape in (("ConvTranspose1d", (2, 4, 9)), ("ConvTranspose3d", (2, 4, 3, 4, 3))):
        yield name, (4, 6, 3), {}, shape
        yield name, (4, 6, 3, 2, 1, 1, 2, False, 1, "zeros"), {}, shape


CASES = [
    *conv_cases(),
    *transposed_cases(),
    ("Linear", (8, 5), {}, (3, 8)),
    ("Linear", (8, 5), {"bias": False}, (2, 3, 8)),
    ("Identity", (54,), {"unused": 1}, (2, 3)),
    ("MaxPool1d", (2,), {}, (2, 4, 9)),
    ("MaxPool1d", (3, 1, 1, 2), {"ceil_mode": True}, (2, 4, 9)),
    ("AvgPool1d", (3, 2, 1), {"count_include_pad": False}, (2, 4, 9)),
    ("AdaptiveAvgPool1d", (4,), {}, (2, 4, 9)),
    ("MaxPool2d", (2,), {}, IMAGES),
    ("MaxPool2d", ((3, 2), 1, (1, 0), 2), {"ceil_mode": True}, IMAGES),
    ("AvgPool2d", (2,), {}, IMAGES),
    ("AvgPool2d", ((3, 2), 2, 1), {"ceil_mode": True, "count_include_pad": False}, IMAGES),
    ("AvgPool2d", (3,), {"divisor_override": 2}, IMAGES),
    ("AdaptiveAvgPool2d", (1,), {}, IMAGES),
    ("AdaptiveAvgPool2d", ((5, None),), {}, IMAGES),
    ("BatchNorm1d", (8,), {}, (6, 8)),
    ("BatchNorm1d", (4,), {}, (3, 4, 5)),
    ("BatchNorm2d", (4,), {}, IMAGES),
    ("BatchNorm2d", (4, 1e-3, 0.3), {}, IMAGES),
    ("BatchNorm2d", (4,), {"momentum": None}, IMAGES),
    ("BatchNorm2d", (4,), {"affine": False}, IMAGES),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, IMAGES),
    ("Dropout", (), {"p": 0.0}, IMAGES),
    ("Flatten", (), {}, IMAGES),
    ("Flatten", (0, 2), {}, IMAGES),
    ("ReLU", (), {}, IMAGES),
    ("ReLU6", (), {}, IMAGES),
    ("LeakyReLU", (), {}, IMAGES),
    ("LeakyReLU", (0.2,), {}, IMAGES),
    ("ELU", (), {}, IMAGES),
    ("ELU", (0.5,), {}, IMAGES),
    ("SiLU", (), {}, IMAGES),
    ("Sigmoid", (), {}, IMAGES),
    ("Tanh", (), {}, IMAGES),
    ("GELU", (), {}, IMAGES),
    ("GELU", ("tanh",), {}, IMAGES),
    ("Softmax", (1,), {}, IMAGES),
    ("LogSoftmax", (), {"dim": -1}, IMAGES),
]


def name_of(case):
    name, args, options, _ = case
    given = [*map(str, args), *[f"{key}={value}" for key, value in options.items()]]
    return f"{name}({', '.join(given)})"


def arrays(state):
    return {key: value.detach().numpy().copy() for key, value in state.items()}


def both(name, args, options):
    """The layer of PyTorch with parameters away from their defaults, and ours with its state."""
    theirs = getattr(torch.nn, name)(*args, **options).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for x in (*theirs.parameters(), *theirs.buffers()):
            if x.is_floating_point():
                x.copy_(torch.rand(x.shape, generator=generator, dtype=x.dtype) + 0.5)
    ours = getattr(nn, name)(*args, **options).double()
    assert ours.load_state_dict(arrays(theirs.state_dict())) == ([], [])
    return theirs, ours


def assert_close(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours.array, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", CASES, ids=map(name_of, CASES))
def test_layer(case):
    name, args, options, shape = case
    theirs, ours = both(name, args, options)
    assert repr(ours) == repr(theirs)
    rng = np.random.default_rng(1)
    for training in (True, True, False):
        theirs.train(training)
        ours.train(training)
        array = rng.normal(scale=3.0, size=shape)
        their_x = torch.tensor(array, requires_grad=True)
        our_x = pellucid.tensor(array, requires_grad=True)
        their_y, our_y = theirs(their_x), ours(our_x)
        assert_close(our_y, their_y)
        gy = rng.normal(size=our_y.shape)
        their_y.backward(torch.tensor(gy))
        our_y.backward(pellucid.tensor(gy))
        assert_close(our_x.grad, their_x.grad)
    for (key, ours_p), (their_key, theirs_p) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert key == their_key
        assert_close(ours_p.grad, theirs_p.grad)
    state = {key: torch.tensor(value.array) for key, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    for key, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[key], value)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [{"stride": 1}, {"stride": 3}, {"stride": 2, "dilation": 3}])
def test_output_sizes(axes, options):
    """Every size that PyTorch says is in reach, and none besides."""
    name = f"ConvTranspose{axes}d"
    theirs, ours = both(name, (1, 2, 3), {"padding": 1, **options})
    x = np.random.default_rng(0).normal(size=(1, 1, 5, 4, 6)[: axes + 2])
    found = []
    for size in range(30):
        output_size = [*theirs(torch.tensor(x)).shape[2:-1], size]
        try:
            wanted = theirs(torch.tensor(x), output_size=output_size)
        except ValueError:
            with pytest.raises(ValueError, match=f"output_size={size} along W, where "):
                ours(pellucid.tensor(x), output_size=output_size)
        else:
            found.append(size)
            assert_close(ours(pellucid.tensor(x), output_size=output_size), wanted)
            assert ours(pellucid.tensor(x), (1, 2, *output_size)).shape == wanted.shape
    assert len(found) == options["stride"]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ReLU", (True,)),
        ("ReLU6", (True,)),
        ("LeakyReLU", (0.1, True)),
        ("ELU", (1.0, True)),
        ("SiLU", (True,)),
        ("Dropout", (0.5, True)),
        ("BatchNorm2d", (3,)),
        ("MSELoss", ()),
        ("L1Loss", ()),
        ("NLLLoss", ()),
        ("CrossEntropyLoss", ()),
        ("BCEWithLogitsLoss", ()),
    ],
)
def test_text_of_what_is_not_compared_above(name, args):
    assert repr(getattr(nn, name)(*args)) == repr(getattr(torch.nn, name)(*args))


@pytest.mark.parametrize(
    ("name", "weights", "options", "integers"),
    [
        ("MSELoss", (), {}, False),
        ("L1Loss", (), {"reduction": "sum"}, False),
        ("NLLLoss", (), {}, True),
        ("NLLLoss", ("weight",), {"ignore_index": 1, "reduction": "sum"}, True),
        ("CrossEntropyLoss", (), {}, True),
        ("CrossEntropyLoss", ("weight",), {"ignore_index": 1, "label_smoothing": 0.1}, True),
        ("CrossEntropyLoss", ("weight",), {"reduction": "none", "label_smoothing": 0.2}, False),
        ("BCEWithLogitsLoss", (), {}, False),
        ("BCEWithLogitsLoss", ("weight", "pos_weight"), {"reduction": "none"}, False),
    ],
)
def test_loss(name, weights, options, integers):
    rng = np.random.default_rng(0)
    x, given = rng.normal(size=(6, 5)), {key: rng.uniform(0.5, 2, 5) for key in weights}
    target = rng.integers(0, 5, 6) if integers else rng.dirichlet(np.ones(5), 6)
    found = []
    for library, module in ((pellucid, nn), (torch, torch.nn)):
        weight = {key: library.tensor(value) for key, value in given.items()}
        loss = getattr(module, name)(**weight, **options)
        score = library.tensor(x, requires_grad=True)
        value = loss(score, library.tensor(target))
        value.sum().backward()
        found.append((value, score.grad, list(loss.state_dict())))
    (our_value, our_grad, our_state), (their_value, their_grad, their_state) = found
    assert_close(our_value, their_value)
    assert_close(our_grad, their_grad)
    assert our_state == their_state


def containers(module):
    """Nested containers with equal neighbours, a name of its own, and nothing."""
    net = module.Sequential(
        module.Sequential(module.Conv2d(1, 2, 3), module.ReLU()),
        module.ModuleList([module.Tanh(), module.Tanh(), module.Linear(1, 2)]),
        module.ModuleList(),
    )
    net.add_module("last", module.BatchNorm2d(2))
    return net


def test_containers():
    ours, theirs = containers(nn), containers(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    names = [name for name, _ in theirs.named_modules()]
    assert [name for name, _ in ours.named_modules()] == names


@pytest.mark.parametrize(
    "make",
    [
        lambda module: module.Linear(300, 200),
        lambda module: module.Conv2d(16, 32, 5, groups=2),
        lambda module: module.Conv1d(64, 64, 7),
        lambda module: module.Conv3d(4, 16, 3),
        lambda module: module.ConvTranspose2d(16, 32, 5, groups=2),
    ],
)
def test_default_initialisations_have_the_same_spread(make):
    torch.manual_seed(0)
    pellucid.manual_seed(0)
    ours, theirs = make(nn), make(torch.nn)
    for key, value in theirs.state_dict().items():
        own = ours.state_dict()[key].array
        assert own.dtype == np.float32
        # Both are uniform in the same interval, whose ends the largest of n draws comes near.
        assert np.abs(own).max() == pytest.approx(value.abs().max().item(), rel=20 / value.numel())
        assert own.std() == pytest.approx(value.std().item(), rel=8 / value.numel() ** 0.5)
