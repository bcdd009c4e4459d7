"""Both languages say the same things with the same names and numbers."""

from __future__ import annotations

import re
import string

from pellucid.explain.network.words import HEADERS, WORDS
from pellucid.explain.sentences import LANGUAGES


def test_the_same_keys_and_fields_in_each_language() -> None:
    assert set(WORDS) == set(HEADERS) == set(LANGUAGES)
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    for key, text in WORDS["en"].items():
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(said) if name}
            for said in (text, WORDS["ko"][key])
        ]
        assert fields[0] == fields[1], key
    assert {k: len(v) for k, v in HEADERS["en"].items()} == {
        k: len(v) for k, v in HEADERS["ko"].items()
    }


def test_each_language_is_written_in_its_letters() -> None:
    assert all(text.isascii() for text in WORDS["en"].values())
    for text in WORDS["ko"].values():
        assert re.search("[가-힣]", text), text
