"""Both languages say the same things with the same names and numbers."""

import re
import string

import pytest

from pellucid.explain import sentences
from pellucid.explain.sentences import LANGUAGES, as_language

TABLES = ["GENERAL", "REASONS", "SCREEN", "VIEWS", "WHY"]


@pytest.mark.parametrize("table", TABLES)
def test_the_same_keys_and_fields_in_each_language(table):
    by_language = getattr(sentences, table)
    assert set(by_language) == set(LANGUAGES)
    english, korean = by_language["en"], by_language["ko"]
    assert english.keys() == korean.keys()
    for key in english:
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (english[key], korean[key])
        ]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize("table", TABLES)
def test_each_language_is_written_in_its_letters(table):
    by_language = getattr(sentences, table)
    for key, text in by_language["en"].items():
        assert text.isascii(), key
    for key, text in by_language["ko"].items():
        assert re.search("[가-힣]", text), key


def test_the_names_of_places_have_three_lengths():
    for table in (sentences.PLACES, sentences.ROWS, sentences.TOPICS):
        assert [len(names) for lang in LANGUAGES for names in table[lang]] == [1, 2, 3] * 2


def test_a_language_by_its_name():
    assert [as_language(lang) for lang in ("en", "ko")] == list(LANGUAGES)
