"""Networks for images refuse other sizes by name."""

import pytest

import pellucid
from pellucid import nn
from pellucid.errors import ShapeError
from pellucid.models.images import ImageNetwork


class Tiny(ImageNetwork):
    image_shape = (1, 2, 3)


def test_images_of_the_right_size_pass():
    net = Tiny(nn.Flatten())
    assert net(pellucid.ones(5, 1, 2, 3)).shape == (5, 6)


@pytest.mark.parametrize(
    ("shape", "said"),
    [((5, 1, 3, 2), "x (N=5, C=1, H=3, W=2)"), ((1, 2, 3), "x (1, 2, 3)")],
)
def test_other_sizes(shape, said):
    with pytest.raises(ShapeError) as caught:
        Tiny(nn.Flatten())(pellucid.ones(*shape))
    assert str(caught.value) == (
        f"Tiny: the network is built for images of C=1 H=2 W=3\n  {said}\n"
        "  fix: give it such images, or choose another model"
    )
