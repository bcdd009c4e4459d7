"""The profiler: what it counts for which layer, and that it changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ArgumentError
from pellucid.profiler import Event, profile

rng = np.random.default_rng(0)


class Twice(nn.Module):
    """Two convolutions, and an op between them that belongs to no layer inside."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 4, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x: pellucid.Tensor) -> pellucid.Tensor:
        return self.act(self.last(self.conv(x) * 2))


def model_and_images() -> tuple[nn.Module, pellucid.Tensor]:
    pellucid.manual_seed(0)
    x = pellucid.from_numpy(rng.standard_normal((8, 4, 32, 32)).astype("float32"))
    return nn.Sequential(Twice(), nn.Conv2d(4, 2, 1)), x


def phases(found: profile) -> list[tuple[str, str, str]]:
    return [(e.layer, e.name, e.phase) for e in found.events if e.depth == 0]


def test_each_op_counts_for_the_innermost_layer_and_its_gradient_for_the_same() -> None:
    model, x = model_and_images()
    with profile() as found:
        model(x).sum().backward()
    assert phases(found) == [
        ("0.conv", "Conv", "forward"),
        ("0", "Mul", "forward"),
        ("0.last", "Conv", "forward"),
        ("0.act", "ReLU", "forward"),
        ("1", "Conv", "forward"),
        ("-", "Sum", "forward"),
        ("-", "Sum", "backward"),
        ("1", "Conv", "backward"),
        ("0.act", "ReLU", "backward"),
        ("0.last", "Conv", "backward"),
        ("0", "Mul", "backward"),
        ("0.conv", "Conv", "backward"),
    ]
    inner = [e for e in found.events if e.name == "ConvGradWeight"]
    assert [(e.layer, e.phase, e.depth) for e in inner] == [
        ("1", "backward", 1), ("0.last", "backward", 1), ("0.conv", "backward", 1)
    ]  # fmt: skip


def test_gradients_that_meet_are_added_in_the_backward_pass() -> None:
    layer = nn.Conv2d(4, 4, 1)
    with profile() as found:
        layer(layer(model_and_images()[1])).sum().backward()
    added = [event for event in found.events if event.name == "Add"]
    assert {(event.phase, event.depth > 0) for event in added} == {("backward", True)}


def test_the_step_of_an_optimizer_is_a_region() -> None:
    model, x = model_and_images()
    optimizer = pellucid.optim.SGD(model.parameters(), lr=0.1)
    with profile() as found:
        model(x).sum().backward()
        optimizer.step()
    assert [(e.name, e.phase) for e in found.events][-1] == ("SGD.step", "region")


def test_times_are_nested_and_within_the_block() -> None:
    model, x = model_and_images()
    with profile() as found:
        model(x).sum().backward()
    outer = [e for e in found.events if e.depth == 0]
    assert 0 < sum(e.seconds for e in outer) <= found.seconds
    assert all(0 <= e.inner <= e.seconds and e.own == e.seconds - e.inner for e in found.events)
    assert [e.begin for e in found.events] == sorted(e.begin for e in found.events)


def test_own_time_is_what_the_ops_inside_leave() -> None:
    model, x = model_and_images()
    with profile() as found:
        model(x).sum().backward()
    for outer in found.events:
        end = outer.begin + outer.seconds
        inside = [
            e.seconds
            for e in found.events
            if e.depth == outer.depth + 1 and outer.begin <= e.begin <= e.begin + e.seconds <= end
        ]
        assert outer.own == pytest.approx(outer.seconds - sum(inside), abs=1e-9)
    assert any(event.inner for event in found.events)


@pytest.mark.usefixtures("native_pool")
def test_memory_is_what_an_op_keeps_and_its_peak() -> None:
    model, x = model_and_images()
    with profile() as found, pellucid.no_grad():
        y = model[0].conv(x)
    (event,) = found.events
    assert y.array.nbytes <= event.kept <= 1.3 * y.array.nbytes  # the pool rounds up
    assert event.peak >= event.kept


@pytest.fixture
def native_pool() -> None:
    from pellucid.kernels.native import module

    if module is None:
        pytest.skip("there is no pool without the native module")


def test_nothing_is_measured_outside_and_the_numbers_are_the_same() -> None:
    model, x = model_and_images()
    plain = model(x)
    with profile() as found:
        measured = model(x)
    count = len(found.events)
    model(x)
    assert len(found.events) == count
    np.testing.assert_array_equal(plain.array, measured.array, strict=True)


def test_a_block_may_be_entered_again_and_time_between_does_not_count() -> None:
    model, x = model_and_images()
    found = profile()
    for _ in range(2):
        with found:
            model(x)
    assert len(found.events) == 10
    second = found.events[5]
    assert second.begin >= sum(e.seconds for e in found.events[:5])
    assert found.seconds >= second.begin


def test_an_error_ends_the_measuring() -> None:
    model, x = model_and_images()
    with pytest.raises(pellucid.errors.ShapeError), profile():
        model(x[:, :3])
    with profile() as again:
        model(x)
    assert phases(again)[0] == ("0.conv", "Conv", "forward")


def test_a_profile_inside_of_another_is_refused() -> None:
    with profile(), pytest.raises(ArgumentError) as raised:
        profile().__enter__()
    assert str(raised.value) == (
        "profile: there is a profile around this one, and it measures the same ops\n"
        "  fix: leave one of them out"
    )


def test_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    found = profile()
    found.seconds = 0.010
    found._kinds = {"conv1": "Conv2d"}
    found.events = [
        Event("Conv", "forward", "conv1", 0, 0.000, 0.002, 0.0, 3_000_000, 4_000_000),
        Event("Conv", "backward", "conv1", 0, 0.003, 0.004, 0.003, -3_000_000, 5_000_000),
        Event("ConvGradWeight", "backward", "conv1", 1, 0.003, 0.003, 0.0, 0, 5_000_000),
        Event("Adam.step", "region", "-", 0, 0.008, 0.001, 0.0, 0, 0),
    ]
    assert found.table() == (
        "layer        kind    forward ms  backward ms   share  kept MB  peak MB\n"
        "conv1        Conv2d        2.00         4.00  60.0 %      3.0      5.0\n"
        "Adam.step    region        1.00               10.0 %\n"
        "between ops                3.00               30.0 %"
    )
    assert found.table("op") == (
        "op              phase     calls  own ms  ms a call   share  peak MB\n"
        "ConvGradWeight  backward      1    3.00       3.00  30.0 %      5.0\n"
        "Conv            forward       1    2.00       2.00  20.0 %      4.0\n"
        "Conv            backward      1    1.00       1.00  10.0 %      5.0\n"
        "Adam.step       region        1    1.00       1.00  10.0 %      0.0"
    )
    assert str(found) == f"{found.table()}\n\n{found.table('op')}"
    with pytest.raises(ArgumentError) as raised:
        found.table("size")
    assert str(raised.value) == ("profile: there is no table by 'size'\n  fix: use 'layer' or 'op'")


def test_a_trace_has_an_event_for_each(tmp_path: Path) -> None:
    model, x = model_and_images()
    with profile() as found:
        model(x).sum().backward()
    found.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert [(e["name"], e["cat"], e["args"]["layer"]) for e in events] == [
        (e.name, e.phase, e.layer) for e in found.events
    ]
    assert all(e["ph"] == "X" and e["dur"] >= 0 for e in events)
