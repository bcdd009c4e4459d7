"""The documents tell the truth: examples in docstrings and pages run, and links lead somewhere.

In a page, the ```python blocks run from top to bottom in one namespace; blocks with `>>>` are
doctests. A block that cannot run stands below the comment `<!-- not run: why -->`.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any, NamedTuple

import house
import pytest

import pellucid

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
FENCE = re.compile(
    r"^(?:<!-- (?P<note>.*?) -->\n+)?```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One fenced block of a page."""

    line: int
    language: str
    note: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, each with the comment right above it."""
    return [
        Block(
            page.count("\n", 0, found.start("text")) + 1,
            found["language"],
            found["note"] or "",
            found["text"],
        )
        for found in FENCE.finditer(page)
    ]


def run_page(page: str, name: str) -> list[str]:
    """Run the Python blocks of a page in one namespace; return what doctests report."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    reports: list[str] = []
    for block in blocks(page):
        if block.language != "python" or block.note.startswith("not run: "):
            continue
        if ">>> " in block.text:
            case = doctest.DocTestParser().get_doctest(
                block.text, namespace, name, name, block.line - 1
            )
            runner = doctest.DocTestRunner(optionflags=OPTIONS)
            runner.run(case, out=reports.append, clear_globs=False)
            namespace = case.globs
        else:
            lines = "\n" * (block.line - 1) + block.text
            exec(compile(lines, name, "exec"), namespace)
    return reports


def pages(root: Path) -> list[str]:
    """Return the Markdown pages of the repository."""
    return [p.relative_to(root).as_posix() for p in house.tracked_files(root) if p.suffix == ".md"]


MODULES = [
    "pellucid",
    *(found.name for found in pkgutil.walk_packages(pellucid.__path__, "pellucid.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reports: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    module = importlib.import_module(name)
    for case in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        runner.run(case, out=reports.append)
    assert not reports, "".join(reports)


def test_the_finder_finds_the_examples() -> None:
    cases = doctest.DocTestFinder().find(pellucid.errors, "errors")
    assert [case.name for case in cases if case.examples] == ["errors.named_shape"]


@pytest.mark.parametrize("page", [p for p in pages(ROOT) if "```python" in (ROOT / p).read_text()])
def test_code_in_pages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reports = run_page((ROOT / page).read_text(encoding="utf-8"), page)
    assert not reports, "".join(reports)


def test_code_in_pages_shares_one_namespace_and_can_fail() -> None:
    page = "# Page\n\n```python\na = 1\n```\n\n```python\n>>> a + 1\n2\n>>> b = 5\n```\n\n"
    page += "<!-- not run: it takes an hour -->\n```python\n1 / 0\n```\n\n```sh\nfalse\n```\n"
    assert run_page(page, "page.md") == []
    assert "Got:\n    5" in run_page(page + "```python\n>>> b\n6\n```\n", "page.md")[0]
    with pytest.raises(ZeroDivisionError) as raised:
        run_page(page + "```python\n1 / 0\n```\n", "page.md")
    assert raised.traceback[-1].lineno == page.count("\n") + 1


def python_of(page: str) -> list[str]:
    """The Python blocks of a page without their comments, which are translated."""
    sources = [block.text for block in blocks(page) if block.language == "python"]
    return [s if ">>>" in s else ast.dump(ast.parse(s)) for s in sources]


def test_both_readmes_show_the_same_code_and_commands() -> None:
    english, korean = ((ROOT / f"README{of}.md").read_text("utf-8") for of in ("", ".ko"))
    assert python_of(korean) == python_of(english)
    shell = [[b.text for b in blocks(p) if b.language in {"sh", "bash"}] for p in (english, korean)]
    assert shell[0] == shell[1]


# --- links ----------------------------------------------------------------------------------------


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    without_code = FENCE.sub("", page)
    titles = re.findall(r"^#+ (.+?)\s*#*$", without_code, re.MULTILINE)
    names = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
    repeated = {f"{name}-{k}" for name in names for k in range(1, names.count(name))}
    return {*names, *repeated, *re.findall(r'<a (?:id|name)="([^"]+)"', page)}


def broken_links(root: Path, page: str) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of it."""
    text = (root / page).read_text(encoding="utf-8")
    prose = re.sub(r"`[^`\n]+`", "", FENCE.sub("", text))
    links = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", prose)
    links += re.findall(r'(?:src|href|srcset)="([^"]+)"', prose)
    links += re.findall(r"^\[[^\]]+\]:\s+(\S+)", prose, re.MULTILINE)
    broken = []
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (root / page).parent / name if name else root / page
        if not target.exists():
            broken.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(f"{link}: no such heading")
    return broken


@pytest.mark.parametrize("page", pages(ROOT))
def test_links_in_pages_lead_somewhere(page: str) -> None:
    assert broken_links(ROOT, page) == []


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# One: `two`, three!\n\n```\n# no heading\n```\n")
    text = "[a](docs/a.md) [b](docs/a.md#one-two-three) ![c](c.svg) [d](docs/a.md#no-heading) "
    text += '<img src="d.png"> [e](https://example.org/x) `[f](f.md)` [g](#top)\n\n[h]: h.md\n'
    (tmp_path / "README.md").write_text(f"# Top\n\n{text}")
    assert broken_links(tmp_path, "README.md") == [
        "c.svg: no such file",
        "docs/a.md#no-heading: no such heading",
        "d.png: no such file",
        "h.md: no such file",
    ]


@pytest.mark.parametrize("folder", ["src", "tests", "examples", "benchmarks"])
def test_pages_that_code_cites_are_there(folder: str) -> None:
    broken = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        for name, anchor in re.findall(
            r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?", path.read_text(encoding="utf-8")
        ):
            cited = ROOT / name
            if path.name in {"test_docs.py", "test_house.py"}:
                continue
            if not cited.exists() or (anchor and anchor not in anchors(cited.read_text("utf-8"))):
                broken.append(f"{path.relative_to(ROOT)}: {name}#{anchor}")
    assert not broken
