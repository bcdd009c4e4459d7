"""Both languages say the same things about layers."""

import re

from pellucid.explain.layers.sentences import LAYERS


def test_the_same_keys_in_each_language():
    assert set(LAYERS) == {"en", "ko"}
    assert LAYERS["en"].keys() == LAYERS["ko"].keys()
    assert all(text.isascii() for text in LAYERS["en"].values())
    assert all(re.search("[가-힣]", text) for text in LAYERS["ko"].values())
