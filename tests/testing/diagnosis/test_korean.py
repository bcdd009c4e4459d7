"""The Korean texts: the same entries with the same facts as in English, and in Korean."""

from __future__ import annotations

import re

from testing.diagnosis.test_english import fields

from pellucid.testing.diagnosis import english, korean


def test_the_entries_are_those_of_the_english_texts() -> None:
    assert list(korean.MISTAKES) == list(english.MISTAKES)
    assert list(korean.PHRASES) == list(english.PHRASES)
    assert list(korean.FEATURES) == list(english.FEATURES)


def test_the_facts_are_the_same() -> None:
    for name, texts in english.MISTAKES.items():
        for text, translated in zip(texts, korean.MISTAKES[name], strict=True):
            assert fields(text) == fields(translated), name
    for name, text in english.PHRASES.items():
        assert fields(text) == fields(korean.PHRASES[name]), name


def test_they_are_korean() -> None:
    texts = [text for pair in korean.MISTAKES.values() for text in pair]
    for text in [*texts, *korean.FEATURES.values()]:
        assert re.search("[가-힣]", text), text


def test_the_terms_are_those_of_the_textbooks() -> None:
    everything = " ".join(text for pair in korean.MISTAKES.values() for text in pair)
    for term in ("합성곱", "역전파", "기울기", "보폭", "패딩", "팽창", "커널", "윈도우"):
        assert term in everything
    for other in ("스트라이드", "그래디언트", "컨볼루션", "딜레이션"):
        assert other not in everything
