"""Each rule of house.py passes a small made-up tree that keeps it and names what breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import house
import pytest

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a function that writes files, with paths inside src/pellucid or from `/`."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / (name[1:] if name.startswith("/") else f"src/pellucid/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


ERRORS = {"errors.py": "", "__init__.py": "", "backend.py": "import pellucid.errors\n"}


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("kernels/conv/im2col.py", "from pellucid.tensor import Tensor", "kernels may import"),
        ("ops/conv.py", "from pellucid.nn.module import Module", "ops may import"),
        ("ops/conv.py", "from pellucid import nn", "ops may import"),
        ("ops/conv.py", "import pellucid", "imports pellucid, but ops may import"),
        ("ops/conv.py", "from ..nn import module", "ops may import"),
        ("nn/conv.py", "from pellucid.kernels import conv", "nn may import"),
        ("tensor.py", "from pellucid.ops import conv\n\n\nclass Tensor: ...", "below the last"),
        ("tensor.py", "def add():\n    from pellucid.ops import conv", "below the last"),
        ("ops/conv.py", "def f():\n    from pellucid import tensor", "inside a function"),
        ("ops/conv.py", "if TYPE_CHECKING:\n    from pellucid import nn", "ops may import"),
        ("attic/box.py", "", "'attic' has no line in MAY_IMPORT"),
    ],
)
def test_imports_against_the_one_way_are_named(tree: Tree, file: str, line: str, said: str) -> None:
    rooms = {"tensor.py": "", "ops/conv.py": "", "nn/__init__.py": "", "nn/module.py": ""}
    rooms |= {"kernels/__init__.py": "", "kernels/conv/__init__.py": ""}
    broken = house.broken_imports(tree(ERRORS | rooms | {file: line}))
    assert len(broken) == 1
    assert broken[0].startswith(file)
    assert said in broken[0]


def test_imports_along_the_one_way_pass(tree: Tree) -> None:
    root = tree(
        ERRORS
        | {
            "tensor.py": "import pellucid.backend\nif TYPE_CHECKING:\n"
            "    from pellucid.autograd import Function\n\n\nclass Tensor: ...\n\n\n"
            "from pellucid.ops import conv  # noqa: E402\n",
            "autograd.py": "from pellucid.tensor import Tensor\n",
            "ops/conv.py": "import os\nfrom pellucid.autograd import Function\n"
            "from pellucid.kernels.conv import choose\n",
            "kernels/conv/__init__.py": "import numpy as np\nfrom pellucid import backend\n",
            "nn/conv.py": "from pellucid.ops import conv\nfrom .module import Module\n",
            "nn/module.py": "from pellucid import tensor\n",
            "cli/train.py": "def main():\n    from pellucid import nn\n",
        }
    )
    assert house.broken_imports(root) == []


def test_a_circle_of_imports_is_named_and_the_allowed_one_is_not(tree: Tree) -> None:
    root = tree({"tensor.py": "import pellucid.ops.add", "ops/add.py": "import pellucid.tensor"})
    tree(
        {
            "nn/a.py": "if TYPE_CHECKING:\n    import pellucid.nn.b",
            "nn/b.py": "import pellucid.nn.a",
        }
    )
    assert house.import_circles(root) == []
    tree({"nn/a.py": "import pellucid.nn.b", "nn/b.py": "import pellucid.nn.a"})
    assert house.import_circles(root) == ["pellucid.nn.a -> pellucid.nn.b -> pellucid.nn.a"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("ops/conv.py", "import torch", "torch is in no extra"),
        ("cli/train.py", "import pandas", "pandas is in no extra"),
        ("nn/conv.py", "def f():\n    import scipy.linalg", "scipy is in no extra"),
        ("data/mnist.py", "import pooch", "pooch is in the extra 'app'"),
        ("data/mnist.py", "def get():\n    import pooch", None),
        ("data/mnist.py", "if TYPE_CHECKING:\n    import rich", None),
        ("cli/train.py", "from rich.console import Console", None),
        ("ops/conv.py", "import math\nimport numpy as np\nfrom safetensors import numpy", None),
    ],
)
def test_imports_from_outside(tree: Tree, file: str, text: str, said: str | None) -> None:
    broken = house.foreign_imports(tree({file: text}))
    assert (said is None) == (broken == [])
    assert said is None or said in broken[0]


def test_lines_of_code_are_those_without_blanks_comments_and_docstrings() -> None:
    text = '"""Module\n\ndocstring."""\n\n# comment\nx = 1  # one\n\n\n'
    text += 'def f():\n    """Doc."""\n    # why\n    return [\n\n        "a\\nb",\n    ]\n'
    assert house.code_lines(text) == {6, 9, 12, 14, 15}
    assert house.code_lines('x = """a\nb\n"""\n') == {1, 2, 3}


def function_of(lines: int) -> str:
    return "def f():\n" + "    x = 1\n\n    # a comment\n" * (lines - 1)


def test_long_functions_and_files_are_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"a.py": function_of(40) + "x = 1\n" * 360})
    assert house.oversized(root) == []
    tree({"a.py": function_of(41), "/examples/b.py": "x = 1\n" * 401})
    assert house.oversized(root) == [
        "src/pellucid/a.py::f: 41 lines of code, at most 40",
        "examples/b.py: 401 lines of code, at most 400",
    ]
    monkeypatch.setattr(
        house, "TABLES_OF_DATA", {"examples/b.py": "a table", "src/pellucid/c.py": "gone"}
    )
    assert house.oversized(root) == [
        "src/pellucid/a.py::f: 41 lines of code, at most 40",
        "src/pellucid/c.py: not too long; take it out of TABLES_OF_DATA",
    ]


def test_large_files_are_named(tree: Tree) -> None:
    root = tree({"a.bin": "x" * 1_000_000, "/.cache/c.bin": "x" * 2_000_000})
    assert house.large_files(root) == []
    tree({"a.bin": "x" * 1_000_001})
    assert house.large_files(root) == ["src/pellucid/a.bin: 1000001 bytes, at most 1000000"]


def test_public_names_are_re_exports_and_definitions_of_init_files(tree: Tree) -> None:
    root = tree(
        {
            "__init__.py": "import os\nfrom pellucid import nn as nn\n"
            "from pellucid.tensor import Tensor as Tensor\nfrom pellucid.tensor import hidden\n"
            "from pellucid.dtypes import bool_ as bool\n",
            "kernels/__init__.py": "def choose(): ...\n\n\ndef _private(): ...\n",
            "nn/_blocks/__init__.py": "from pellucid.nn.conv import Conv2d as Conv2d\n",
            "ops/conv.py": "def conv2d(): ...\n",
        }
    )
    names = ["pellucid.Tensor", "pellucid.bool", "pellucid.kernels.choose", "pellucid.nn"]
    assert house.public_names(root) == names
    tree({"/tests/public_names.txt": "pellucid.Tensor\npellucid.gone\npellucid.nn\n"})
    changed = ["+ pellucid.bool", "+ pellucid.kernels.choose", "- pellucid.gone"]
    assert house.changed_names(root) == changed


def test_folders_without_a_readme_are_named(tree: Tree) -> None:
    root = tree({"ops/conv.py": "", "ops/README.md": "conv.py", "README.md": "all rooms"})
    assert house.missing_readmes(root) == []
    tree({"ops/pool.py": "", "/tests/ops/test_conv.py": "", "/docs/notes/why.md": ""})
    assert house.missing_readmes(root) == [
        "docs/notes: has no README.md",
        "src/pellucid/ops/README.md: does not name pool.py",
        "tests/ops: has no README.md",
    ]


@pytest.mark.parametrize(
    ("docstring", "said"),
    [
        ("What it is.\n\nNot that. Next room: spec.py.", None),
        ("What it is. Next room: kernels/conv/spec.py, where\nthe sizes are.", None),
        ("What it is. Next room: docs/maths.md", None),
        ("What it is. Next room:\nspec.py.", None),
        ("What it is. Next room: the file of a family, spec.py, and kernels/ below.", None),
        ("What it is. Next room: spec.py, then attic/box.py.", "attic/box.py is not there"),
        ("What it is. Next room: somewhere else.", "does not end with"),
        ("What it is.", "does not end with"),
        ("Next room: spec.py.\n\nBut the text goes on.", "does not end with"),
        ("What it is. Next room: nowhere.py.", "nowhere.py is not there"),
    ],
)
def test_rooms_end_with_the_next_room(tree: Tree, docstring: str, said: str | None) -> None:
    spec = '"""Sizes. Next room: im2col.py."""'
    root = tree({"kernels/conv/im2col.py": f'"""{docstring}"""', "kernels/conv/spec.py": spec})
    tree({"/docs/maths.md": "", "kernels/conv/_tables.py": ""})
    broken = house.unsigned_rooms(root)
    assert (said is None) == (broken == [])
    assert said is None or (said in broken[0] and "kernels/conv/im2col.py" in broken[0])


def test_public_functions_without_docstring_are_named(tree: Tree) -> None:
    text = 'def said():\n    """It."""\n\n\ndef _hidden(): ...\n\n\ndef unsaid(): ...\n'
    text += "@overload\ndef typed(x: int): ...\n"
    root = tree({"a.py": text + "class Bare: ...\n"})
    assert house.undescribed(root) == [
        "a.py:8: unsaid has no docstring",
        "a.py:11: Bare has no docstring",
    ]


def test_modules_without_a_test_are_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"__init__.py": "", "ops/conv.py": "", "/tests/ops/test_conv.py": ""})
    assert house.untested_modules(root) == []
    tree({"ops/norm.py": "", "/tests/ops/cases/norm.py": "", "ops/pool.py": ""})
    assert house.untested_modules(root) == ["ops/pool.py: has no tests/ops/test_pool.py"]
    exempt = {"ops/pool.py": "for this test", "ops/conv.py": "stale"}
    monkeypatch.setattr(house, "TESTED_ELSEWHERE", exempt)
    assert house.untested_modules(root) == ["ops/conv.py: take it out of TESTED_ELSEWHERE"]


def test_a_version_in_a_second_place_is_named(tree: Tree) -> None:
    log = "# Change log\n\n## [Unreleased]\n\n## [0.2.0] - 2030-01-01\n\n## [0.1.0]\n"
    root = tree({"__init__.py": '__version__ = "0.2.0"\n', "/CHANGELOG.md": log})
    tree({"/pyproject.toml": 'minimum = "10.2.0"\n'})
    assert house.scattered_versions(root) == []
    tree({"cli/info.py": 'VERSION = "0.2.0"\n', "/CHANGELOG.md": "## [0.1.0]\n## [0.2.0]\n"})
    assert house.scattered_versions(root) == [
        "src/pellucid/cli/info.py: repeats the version 0.2.0",
        "CHANGELOG.md: its newest version is 0.1.0, the package is 0.2.0",
    ]
