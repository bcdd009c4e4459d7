"""SVG: well formed, described, of one file, in two themes, and still where motion is not wanted."""

import re
import subprocess
import sys

import pytest
from explain.pictures.reading import SVG, Reading

from pellucid.explain import derive, view
from pellucid.explain.pictures.scene import THEMES, Box, Label, Line, Scene, Style
from pellucid.explain.pictures.svg import to_svg

D = derive("c1 i5x5 o1 k3x3 s2")
PICTURES = {
    "figure": D.grad_input[0, 0, 0, 2].figure(),
    "coverage": D.coverage(),
    "moving": view(D, "gather").animation(),
    "korean": view(D, "windows").animation("ko"),
}


def scene(*shapes, **more):
    return Scene(100, 50, "a < b & c", "d", "en", shapes, **more)


@pytest.mark.parametrize("theme", ["auto", *THEMES])
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_has_a_title_a_description_and_a_size(name, theme):
    root = Reading(PICTURES[name].svg(theme)).root
    labelled = str(root.get("aria-labelledby")).split()
    for part in ("title", "desc"):
        element = root.find(SVG + part)
        assert element is not None
        assert element.text
        assert element.get("id") in labelled
    assert root.get("role") == "img"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_needs_nothing_else(name):
    svg = PICTURES[name].svg()
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"url\(|@import|<script|href", svg)


@pytest.mark.parametrize("name", PICTURES)
def test_rules_are_for_this_picture_alone(name):
    """So that several pictures stand on one page."""
    svg = PICTURES[name].svg()
    identity = str(Reading(svg).root.get("id"))
    for rule in re.findall(r"^[#.\w*@:(][^\n]*?(?=\{)", svg[svg.index("<style>") + 8 :], re.M):
        if not rule.startswith("@"):
            assert all(f"#{identity}" in part for part in rule.split(",")), rule
    assert all(name.startswith(identity) for name in re.findall(r"@keyframes (\w+)", svg))
    identities = {str(Reading(p.svg()).root.get("id")) for p in PICTURES.values()}
    assert len(identities) == len(PICTURES)


def test_auto_follows_the_reader_and_can_be_set():
    svg = PICTURES["figure"].svg()
    assert "@media(prefers-color-scheme:dark)" in svg
    for theme in THEMES.values():
        for name, colour in theme.items():
            assert f"--{name}:{colour}" in svg
    # A program that knows no variables takes the declaration before, which is light.
    for prop, name in re.findall(r"(fill|stroke):var\(--(\w+)\)", svg):
        assert f"{prop}:{THEMES['light'][name]};{prop}:var(--{name})" in svg


@pytest.mark.parametrize("theme", THEMES)
def test_a_fixed_theme_has_its_colours_and_no_variables(theme):
    svg = PICTURES["figure"].svg(theme)
    assert "var(" not in svg
    assert "prefers-color-scheme" not in svg
    used = set(re.findall(r"#[0-9a-f]{6}(?=[;}])", svg))
    assert used <= set(THEMES[theme].values())
    assert THEMES[theme]["paper"] in used


def test_shapes():
    svg = to_svg(
        scene(
            Box(1, 2.5, 3, 4, Style("tile", 0.5, "line", 2, 3), 1.5, "1 < 2"),
            Line(((0, 0), (1, 1)), Style(stroke="ink")),
            Line(((0, 0), (1, 1), (2, 0)), Style("ink")),
        ),
        "light",
    )
    assert '<rect x="1" y="2.5" width="3" height="4" rx="1.5" class="c0 t">' in svg
    assert "<title>1 &lt; 2</title>" in svg
    assert '<polyline points="0,0 1,1" class="c1"/>' in svg
    assert '<polygon points="0,0 1,1 2,0" class="c2"/>' in svg
    look = "fill:#eaeef2;fill-opacity:0.5;stroke:#afb8c1;stroke-width:2;stroke-dasharray:3"
    look += ";stroke-dashoffset:1.5"
    assert f".c0{{{look}}}" in svg
    assert ">a &lt; b &amp; c</title>" in svg


def test_labels_are_text_with_lowered_pieces():
    label = Label(10, 20, "the $x_{13}$ <", 10, anchor="start", bold=True, width=40)
    root = Reading(to_svg(scene(label), "light")).root
    (text,) = root.iter(f"{SVG}text")
    assert "".join(text.itertext()) == "the x13 <"
    assert (text.get("x"), text.get("y"), text.get("textLength")) == ("10", "23.4", "40")
    assert [(span.text, span.get("dy"), span.get("class")) for span in text] == [
        ("x", None, "m"), ("13", "2.5", "m"), (" <", "-2.5", None),
    ]  # fmt: skip
    assert text.get("class").split()[1:] == ["s", "b"]


def test_frames_are_seen_in_turn_or_one_of_them_at_rest():
    boxes = [
        Box(0, 0, 1, 1, Style("ink"), frames=frames)
        for frames in (None, frozenset([0]), frozenset([1, 2]), frozenset([1, 2]))
    ]
    svg = to_svg(scene(*boxes, frames=4, seconds=1.5, still=1), "light")
    groups = re.findall(r'<g class="(f\d)">\n((?:<rect.*\n)+)</g>', svg)
    assert [(name, inside.count("<rect")) for name, inside in groups] == [("f0", 1), ("f1", 2)]
    assert re.search(r"^#\w+ \.f0\{visibility:hidden\}$", svg, re.MULTILINE)
    motion = svg[svg.index("@media(prefers-reduced-motion:no-preference){") :]
    assert "animation:" not in svg[: svg.index(motion)]
    assert motion.count("6s step-end infinite") == 2
    seen, hidden = "{visibility:visible}", "{visibility:hidden}"
    assert f"0%{seen}25%{hidden}" in motion
    assert f"0%{hidden}25%{seen}75%{hidden}" in motion
    assert "animation-play-state:paused" in motion


def test_an_svg_needs_the_core_alone():
    program = (
        "import sys\nfrom pellucid.explain import derive, view\n"
        "d = derive('c1 i5x5 o1 k3x3 s2')\n"
        "pictures = d.grad_bias[0].figure(), d.coverage(), view(d, 'scatter').animation()\n"
        "[picture.svg() for picture in pictures]\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not set(ran.stdout.split()) & {"matplotlib", "PIL", "jinja2", "sympy", "latex2mathml"}


def test_a_still_picture_has_no_motion():
    assert "animation" not in PICTURES["figure"].svg()
