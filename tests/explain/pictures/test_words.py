"""The sentences: both languages have the same, with the same blanks in them."""

import re

import pytest

from pellucid.explain.pictures import words

TABLES = {name: table for name, table in vars(words).items() if name.isupper()}


def leaves(table, path=()):
    """Every sentence of one language by its path."""
    items = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in items:
        if isinstance(value, str):
            yield (*path, key), value
        else:
            yield from leaves(value, (*path, key))


@pytest.mark.parametrize("name", TABLES)
def test_languages_have_the_same_sentences(name):
    table = TABLES[name]
    assert list(table) == ["en", "ko"]
    english, korean = (dict(leaves(table[lang])) for lang in table)
    assert list(english) == list(korean)
    for key, sentence in english.items():
        blanks = [sorted(re.findall(r"\{\w+\}", text)) for text in (sentence, korean[key])]
        assert blanks[0] == blanks[1], key
        assert not re.search("[가-힣]", sentence)


def test_korean_is_korean():
    sentences = [s for table in TABLES.values() for _, s in leaves(table["ko"])]
    without = [s for s in sentences if not re.search("[가-힣]", s)]
    assert set(without) == {"{sentence}. {equation}.", "{equation}: {why}.", ", ",
                            "{first} · {second}", "{name}: {why}"}  # fmt: skip
