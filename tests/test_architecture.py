"""This repository keeps the rules of the house; the rules themselves are functions in house.py."""

from __future__ import annotations

from pathlib import Path

import house
import pytest

ROOT = Path(__file__).resolve().parents[1]


def hold(broken: list[str], advice: str) -> None:
    """Fail with one line for each thing that breaks a rule."""
    assert not broken, "\n  ".join([f"{advice}:", *broken])


def test_imports_go_one_way() -> None:
    hold(house.broken_imports(ROOT), "nn -> ops -> kernels, ops -> autograd -> tensor -> backend")


def test_modules_import_each_other_in_no_circle() -> None:
    hold(house.import_circles(ROOT), "take what both need to a module that neither imports")


def test_a_bare_install_brings_all_that_the_core_imports() -> None:
    hold(house.foreign_imports(ROOT), "the core needs only numpy and safetensors")


def test_files_and_functions_are_small() -> None:
    hold(house.oversized(ROOT), "cut along a seam of the problem, not in the middle")


def test_no_file_is_over_a_megabyte() -> None:
    hold(house.large_files(ROOT), "keep the repository quick to clone")


def test_public_names_change_on_purpose() -> None:
    hold(
        house.changed_names(ROOT),
        "the public names changed; if that is meant, say so in CHANGELOG.md and run "
        "`python tests/house.py > tests/public_names.txt`",
    )


def test_every_folder_has_a_readme_that_names_its_files() -> None:
    hold(house.missing_readmes(ROOT), "a README.md says what the room is and what to read first")


def test_every_module_says_where_to_read_on() -> None:
    hold(house.unsigned_rooms(ROOT), "end the module docstring with `Next room: <a file>.`")


def test_public_functions_have_docstrings() -> None:
    hold(house.undescribed(ROOT), "say what it does in one line, then Shapes, Maths, Raises")


def test_every_module_has_its_test() -> None:
    hold(house.untested_modules(ROOT), "tests mirror src: a/b.py is tested in tests/a/test_b.py")


def test_the_version_stands_in_one_place() -> None:
    hold(house.scattered_versions(ROOT), "the version is in src/pellucid/__init__.py")


@pytest.mark.parametrize("table", [house.TABLES_OF_DATA, house.TESTED_ELSEWHERE])
def test_exemptions_give_a_reason(table: dict[str, str]) -> None:
    hold([name for name, reason in table.items() if len(reason) < 10], "say why")
