"""The report: one page that needs nothing else and says what happened."""

from __future__ import annotations

import base64
import html
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn
from pellucid.data import Digits, ImageDataset
from pellucid.models import digits_cnn
from pellucid.training import EpochDone, Evaluation, Settings, choose
from pellucid.training import report as module
from pellucid.training.build import make_model
from pellucid.training.replay import Replay, Weights, replay
from pellucid.training.report import MISTAKES, TERMS, Outcome, make_report, percent

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

VOID = {"meta", "link", "img", "source", "br", "hr", "input"}


class Page(HTMLParser):
    """The elements of a page with their attributes, its text, and whether the tags match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.elements if name == tag]


def answers(data: ImageDataset, wrong: int) -> Evaluation:
    """Right answers but for the first `wrong` images, each taken for the class that follows."""
    count = len(data)
    said = data.targets.array.copy()
    said[:wrong] = (said[:wrong] + 1) % 10
    scores = np.zeros((count, 10), np.float32)
    scores[np.arange(count), said] = 3 + np.arange(count) / count
    found = Evaluation(10)
    found.add(pellucid.tensor(scores), data.targets)
    return found


def replayed(settings: Settings) -> Replay:
    """A batch of digits passed through a new network."""
    data = Digits()
    model = make_model(settings, data)
    return replay(settings, data, Weights(model.state_dict(), None))


def outcome(wrong: int = 5, model: nn.Module | None = None, **given: Any) -> Outcome:
    data = Digits(train=False)
    found = answers(data, wrong)
    history = [EpochDone(1, 0.9, 0.8, 0.7), EpochDone(2, 0.1234, 0.2, found.accuracy)]
    settings = choose("digits", epochs=2, **given)
    again = replayed(settings) if model is None else None
    model = digits_cnn() if model is None else model
    return Outcome(settings, history, found, model, 1442, data, 75.4, again)


@pytest.fixture
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the pictures out, which take seconds."""
    drawings = {name: lambda theme: b"" for name in ("curves.png", "confusion.png")}
    monkeypatch.setattr(module, "_drawings", lambda outcome: drawings)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return make_report(outcome())


@pytest.fixture(scope="module")
def source(files: dict[str, bytes]) -> str:
    return files["report.html"].decode()


def test_the_pictures_are_files_and_in_the_page(files: dict[str, bytes], source: str) -> None:
    assert list(files) == ["curves.png", "confusion.png", "filters.png", "report.html"]
    for name in list(files)[:3]:
        assert base64.b64encode(files[name]).decode() in source


def test_the_page_loads_nothing(source: str) -> None:
    page = Page(source)
    assert not {tag for tag, _ in page.elements} & {
        "script", "link", "iframe", "object", "embed", "base", "form"
    }  # fmt: skip
    for _, attributes in page.elements:
        for name in {"src", "srcset", "href", "data", "action", "poster"} & set(attributes):
            assert attributes[name].startswith("data:image/png;base64,")
        assert not [name for name in attributes if name.startswith("on")]
    bare = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", source)
    assert "url(" not in bare
    assert "@import" not in bare
    assert "//" not in bare  # no address of any kind


def test_the_page_follows_the_reader(source: str) -> None:
    page = Page(source)
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert "prefers-color-scheme: dark" in source
    assert [s["media"] for s in page.all("source")] == ["(prefers-color-scheme: dark)"] * 3
    for dark, light in zip(page.all("source"), page.all("img"), strict=False):
        assert dark["srcset"] != light["src"]
    assert all(len(img["alt"]) > 20 for img in page.all("img"))
    assert page.text.count("\n") > 50


def test_the_page_says_what_happened(source: str) -> None:
    text = html.unescape(re.sub(r"\s+", " ", Page(source).text))
    assert "digits_cnn on digits" in text
    assert "98.59 % of 355 test images recognised; 5 were taken for something else." in text
    assert choose("digits", epochs=2).command() in text
    assert "<td>0.9000</td><td>0.8000</td><td>70.00 %</td>" in source
    assert "<td>0.1234</td><td>0.2000</td><td>98.59 %</td>" in source
    for fact in ("1,442", "1:15", "38,378", "--batch-size", "adamw", "BatchNorm2d",
                 f"pellucid {pellucid.__version__}, NumPy {np.__version__}"):  # fmt: skip
        assert fact in text


def test_a_row_for_each_epoch_and_each_class(source: str) -> None:
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', source)
    assert [name for name, _ in rows if name.isdigit()] == ["1", "2", *"0123456789"]
    cells = dict(re.findall(r'<th scope="row">(\d)</th><td class="bar">.*?</td>(.*?)</tr>', source))
    data, found = Digits(train=False), answers(Digits(train=False), 5)
    for k in range(10):
        of_class = data.targets.array == k
        right, count = int((found.predicted[of_class] == k).sum()), int(of_class.sum())
        assert cells[str(k)] == (
            f"<td>{right}</td><td>{count}</td><td>{percent(right / count)}</td>"
        )


def test_mistakes_are_shown_surest_first(source: str) -> None:
    data, found = Digits(train=False), answers(Digits(train=False), 5)
    alts = [img["alt"] for img in Page(source).all("img") if img["alt"].startswith("Test image")]
    truth = data.targets.array
    assert alts == [
        f"Test image {k}: a {truth[k]}, taken for {found.predicted[k]}" for k in (4, 3, 2, 1, 0)
    ]
    assert "All of them, those first" in source
    assert found.confidence[4] > found.confidence[0]


def test_one_gradient_is_taken_apart(source: str) -> None:
    found = replayed(choose("digits", epochs=2)).contributions("weight")
    text = html.unescape(re.sub(r"\s+", " ", Page(source).text))
    assert "Where one gradient comes from" in text
    assert "Batch 45 of the last epoch once more, with the weights at the end." in text
    assert f"the largest element is {found.name} = {found.value:.4g}." in text
    assert f"It is the sum of {len(found.terms):,} products" in text
    listed = re.findall(r"<tr><td>(dL/do\S+ x\S+)</td><td>.*?</td><td>(\S+)</td>", source)
    assert [name for name, _ in listed] == [
        found.shares[0].expression.terms[int(k)].text() for k in found.largest(TERMS)
    ]
    for k, (_, product) in zip(found.largest(TERMS), listed, strict=True):
        assert float(product) == pytest.approx(found.terms[k], rel=1e-3)
    at = ",".join(map(str, found.index))
    assert f"pellucid explain FOLDER --layer conv1 --grad weight --at {at} --batch 45" in text
    (picture,) = Page(source).all("svg")
    assert picture["role"] == "img"
    assert f"all {32} images" in text


@pytest.mark.usefixtures("_no_pictures")
def test_a_model_without_convolutions_has_no_gradient_to_show() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    source = make_report(outcome(model=model))["report.html"].decode()
    assert "Where one gradient comes from" not in source
    assert "<svg" not in source


@pytest.mark.usefixtures("_no_pictures")
def test_many_mistakes_and_none() -> None:
    many = make_report(outcome(wrong=100))["report.html"].decode()
    assert f"{MISTAKES} of 100, those first" in many
    assert many.count("Test image ") == MISTAKES
    one = make_report(outcome(wrong=1))["report.html"].decode()
    assert "1\nwas taken for something else." in one
    none = make_report(outcome(wrong=0))["report.html"].decode()
    assert "Nothing: every test image was recognised." in none
    assert "100.00 %" in none


@pytest.mark.usefixtures("_no_pictures")
def test_texts_are_escaped() -> None:
    source = make_report(outcome(data_dir="<b>&"))["report.html"].decode()
    assert "<td>&lt;b&gt;&amp;</td>" in source
    assert "<b>" not in source


def test_a_model_without_convolutions_has_no_filters() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    assert list(module._drawings(outcome(model=model))) == ["curves.png", "confusion.png"]


@pytest.mark.usefixtures("_no_pictures")
def test_a_page_without_filters() -> None:
    assert "What it looks for first" not in make_report(outcome())["report.html"].decode()
