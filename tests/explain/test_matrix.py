"""Whole gradients as matrices, in text and LaTeX, and how large they may be."""

import pytest

from pellucid.errors import UnsupportedError
from pellucid.explain import derive
from pellucid.nn import MSELoss


def test_the_worked_example():
    found = derive("c1 i5x5 o1 k3x3 s2").matrix("grad_input")
    (plane,) = found.planes
    assert [[str(e.left) for e in row] for row in plane.rows] == [
        [f"dL/dx{h}{w}" for w in range(1, 6)] for h in range(1, 6)
    ]
    title, *rows = found.text().splitlines()
    assert title == "dL/dX ="
    assert rows[0].split("   ")[0] == "  | dL/do11 w11"
    assert "dL/do11 w33 + dL/do12 w31 + dL/do21 w13 + dL/do22 w11" in rows[2]
    assert len({len(row) for row in rows}) == 1
    assert found._repr_latex_() == rf"$\displaystyle {plane.latex()}$"


def test_latex():
    assert derive("c1 i2x2 o1 k2x1").matrix("grad_input").latex() == (
        r"\frac{\partial L}{\partial X} = \begin{bmatrix} "
        r"\frac{\partial L}{\partial o_{11}} w_{11} & \frac{\partial L}{\partial o_{12}} w_{11} \\ "
        r"\frac{\partial L}{\partial o_{11}} w_{21} & \frac{\partial L}{\partial o_{12}} w_{21} "
        r"\end{bmatrix}"
    )


@pytest.mark.parametrize(
    ("spec", "name", "notation", "names"),
    [
        ("n2 c2 i2x2 o1 k1x1", "grad_input", "textbook",
         ["dL/dX11", "dL/dX12", "dL/dX21", "dL/dX22"]),
        ("c1 i2x2 o2 k1x1", "grad_weight", "indices", ["dL/dW[0,0]", "dL/dW[1,0]"]),
        ("c1 i2x2x2 o1 k1x1x1", "grad_input", "textbook", ["dL/dX1", "dL/dX2"]),
        ("c1 i2x2 o2 k1x1", "grad_bias", "textbook", ["dL/dB"]),
        ("c2 i3 o1 k2", "forward", "textbook", ["O"]),
        ("c2 i3 o1 k2", "forward", "indices", ["Y[0,0]"]),
        ("c1 i12x1 o2 k1x1", "forward", "textbook", ["O[1]", "O[2]"]),
    ],
)  # fmt: skip
def test_planes_and_their_names(spec, name, notation, names):
    assert [p.name for p in derive(spec, notation=notation).matrix(name).planes] == names


def test_the_shapes_of_the_planes():
    d = derive("n2 c2 i3 o2 k2")
    for name in ("forward", "grad_input", "grad_weight", "grad_bias"):
        found = d.matrix(name)
        entries = [e for plane in found.planes for row in plane.rows for e in row]
        assert [e.left for e in entries] == [e.left for e in getattr(d, name)]
        assert str(found) == found.text()
    assert derive("n0 c1 i3 o1 k2").matrix("forward").text() == ""


def test_a_loss_is_a_matrix_of_one_entry():
    d = derive(MSELoss(), (1, 2))
    assert d.matrix("forward").text() == ("L =\n  | 1/2 (x1 - t1)^2 + 1/2 (x2 - t2)^2 |")


@pytest.mark.parametrize(
    ("spec", "name", "error", "message"),
    [
        ("c1 i224x224 o1 k3x3", "grad_input", UnsupportedError,
         "matrix: grad_input has 50,176 entries, too many to write as a matrix\n"
         "  c1 i224x224 o1 k3x3\n"
         "  fix: ask for single elements, as in grad_input[0, 0, 0, 0]"),
        ("c1 i224x224 o1 k3x3", "grad_weight", UnsupportedError,
         "matrix: grad_weight has 443,556 terms, too many to write as a matrix\n"
         "  c1 i224x224 o1 k3x3\n"
         "  fix: ask for single elements, as in grad_weight[0, 0, 0, 0]"),
    ],
)  # fmt: skip
def test_what_is_no_matrix(spec, name, error, message):
    with pytest.raises(error) as raised:
        derive(spec).matrix(name)
    assert str(raised.value) == message
