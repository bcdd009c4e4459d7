"""What is shown: plain lines anywhere, and on a terminal a bar that tells how it goes."""

from __future__ import annotations

import io
import re

import pytest

from pellucid.data import ImageDataset
from pellucid.training import BatchDone, Trainer, choose
from pellucid.training.build import load_data, make_trainer

pytest.importorskip("rich")

from rich.console import Console

from pellucid.cli import progress
from pellucid.cli.progress import Display, clock, say


def new_trainer() -> Trainer:
    whole = load_data(choose(), train=True)
    images, labels = whole.data.array[:40], whole.targets.array[:40]
    data = ImageDataset(images, labels, whole.classes, whole.white)
    return make_trainer(choose(epochs=2, batch_size=8), data, data)


def shown(terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, color_system=None)
    trainer = new_trainer()
    with Display(console, trainer) as display:
        for event in trainer.events():
            display.show(event)
            display._bar.refresh()
    return file.getvalue()


def test_not_on_a_terminal_there_is_a_plain_line_for_each_epoch() -> None:
    number = r"\d+\.\d{4}"
    line = rf"epoch (\d)/2  train loss {number}  test loss {number}  test accuracy \d+\.\d\d %"
    lines = shown(terminal=False).splitlines()
    assert [re.fullmatch(line, text)[1] for text in lines] == ["1", "2"]


def test_on_a_terminal_a_bar_moves() -> None:
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown(terminal=True))
    for part in ("epoch 1/2", "epoch 2/2", "5/5 batches", "1/1 test batches", " images/s", " left"):
        assert part in text
    assert re.search(r"loss \d\.\d{4}", text)
    assert len(re.findall(r"test accuracy \d+\.\d\d %", text)) >= 2


def test_the_numbers_of_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    trainer = new_trainer()
    display = Display(Console(file=io.StringIO(), force_terminal=True), trainer)
    fields = display._bar.tasks[0].fields
    for batch, seconds in ((1, 2.0), (2, 2.0), (5, 2.0)):
        now += seconds
        trainer.batch = batch
        display.show(BatchDone(1, True, batch, 5, 8, 0.5))
    assert fields["rate"] == "4 images/s"  # the first batch only starts the clock
    assert fields["left"] == "0:06"  # 5 of 10 batches took 6 s
    assert fields["epoch"] == "1/2"


def test_the_time_that_is_left_does_not_count_what_was_done_before() -> None:
    trainer = new_trainer()
    trainer.epoch = 1
    display = Display(Console(file=io.StringIO()), trainer)
    assert display._seconds_left(display._begin + 5) == 0
    trainer.batch = 1
    assert display._seconds_left(display._begin + 5) == pytest.approx(20)


def test_the_bar_goes_when_the_block_ends_with_an_error() -> None:
    display = Display(Console(file=io.StringIO(), force_terminal=True), new_trainer())
    with pytest.raises(ZeroDivisionError), display:
        raise ZeroDivisionError
    assert not display._bar.live.is_started


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.99, "0:59"), (60, "1:00"), (3725, "62:05")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_say_leaves_a_text_as_it_is() -> None:
    file = io.StringIO()
    text = "[bold]runs[/bold] " + "a long word " * 20 + "/a/path/with/[brackets]"
    say(Console(file=file, width=20), text)
    assert file.getvalue() == text + "\n"
