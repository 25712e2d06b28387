"""Random views: what moves, what may be mirrored, what a seed fixes."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.functional import crop, hflip, pad

from lnl_core.learning.augment import Augment, augment, mirror_is_safe, wants_flip
from lnl_core.types import LabeledDataset


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(b=4, h=8, w=8, c=1):
    return (
        torch.arange(b * h * w * c, dtype=torch.int64)
        .remainder(251)
        .to(torch.uint8)
        .view(b, h, w, c)
    )


def dataset(channels, names):
    n = len(names)
    return LabeledDataset(
        "d",
        tuple(names),
        np.arange(n),
        [str(i) for i in range(n)],
        np.zeros((n, 8, 8, channels), np.uint8),
    )


def test_digits_letters_and_gray_images_are_never_mirrored():
    assert not mirror_is_safe(dataset(1, ["cat", "dog"]))
    assert not mirror_is_safe(dataset(3, ["0", "1", "2"]))
    assert not mirror_is_safe(dataset(3, ["b", "d"]))
    assert mirror_is_safe(dataset(3, ["cat", "dog"]))
    assert wants_flip("yes", dataset(1, ["a", "b"]))
    with pytest.raises(ValueError, match="flip must be"):
        wants_flip("maybe", dataset(1, ["a", "b"]))


@pytest.mark.parametrize("border", ["zero", "edge", "reflect"])
def test_shift_moves_by_whole_pixels_and_fills_the_edge(border):
    images = numbered() + 1
    moved = augment(images, Augment(shift=2, border=border), generator())
    offsets = set()
    for before, after in zip(images[..., 0], moved[..., 0], strict=True):
        mode = {"zero": "constant", "edge": "edge", "reflect": "reflect"}[border]
        padded = np.pad(before.numpy(), 2, mode=mode)
        fits = [
            (dy, dx)
            for dy in range(5)
            for dx in range(5)
            if (padded[dy : dy + 8, dx : dx + 8] == after.numpy()).all()
        ]
        assert fits
        offsets |= set(fits[:1])
    assert len(offsets) > 1


def test_mirror_turns_about_half_and_changes_nothing_else():
    images = numbered(b=200, c=3)
    seen = augment(images, Augment(flip=True), generator())
    turned = (seen == images.flip(2)).flatten(1).all(dim=1)
    kept = (seen == images).flatten(1).all(dim=1)
    assert (turned ^ kept).all()
    assert 70 < turned.sum() < 130


def test_zero_border_stays_black_when_mirrored():
    images = torch.full((64, 8, 8, 3), 200, dtype=torch.uint8)
    seen = augment(images, Augment(shift=3, flip=True, border="zero"), generator())
    assert set(seen.unique().tolist()) == {0, 200}
    rows_dark = (seen == 0).all(dim=(2, 3)).sum(dim=1)
    columns_dark = (seen == 0).all(dim=(1, 3)).sum(dim=1)
    assert rows_dark.max() <= 3
    assert columns_dark.max() <= 3


def test_cutout_blanks_a_square_and_jitter_keeps_the_range():
    images = torch.randint(0, 256, (16, 12, 12, 3), dtype=torch.uint8, generator=generator(1))
    holed = augment(images, Augment(cutout=4), generator())
    changed = (holed != images).any(dim=3)
    assert 1 <= changed.flatten(1).sum(dim=1).max() <= 16
    lit = augment(images, Augment(jitter=0.4), generator())
    assert lit.dtype == torch.uint8
    assert (lit != images).any()


def test_same_seed_same_views():
    images, how = numbered(c=3), Augment(shift=2, flip=True, cutout=3, jitter=0.2)
    torch.testing.assert_close(
        augment(images, how, generator(7)), augment(images, how, generator(7)), atol=0, rtol=0
    )


def test_shift_larger_than_the_image_is_held_back():
    images = numbered(h=2, w=3)
    assert augment(images, Augment(shift=50), generator()).shape == images.shape


def test_rotation_turns_about_the_middle_and_brings_in_black():
    images = torch.zeros(200, 9, 9, 1, dtype=torch.uint8)
    images[:, 4, 4] = 200  # the middle stays
    images[:, 4, 8] = 100  # a mark at the right edge goes up or down
    turned = augment(images, Augment(rotate=20), generator())[..., 0]
    assert (turned[:, 4, 4] == 200).all()
    rows, columns = torch.nonzero(turned == 100)[:, 1:].T
    angles = torch.rad2deg(torch.atan2((4 - rows).float(), (columns - 4).float()))
    assert angles.abs().max() <= 27  # 20 degrees and half a pixel at 4 pixels from the middle
    assert angles.min() < -10
    assert angles.max() > 10
    whole = torch.full((64, 9, 9, 3), 255, dtype=torch.uint8)
    corners = augment(whole, Augment(rotate=20), generator())[:, 0, 0]
    assert set(corners.unique().tolist()) == {0, 255}
    np.testing.assert_array_equal(
        augment(images, Augment(rotate=20), generator()), turned[..., None]
    )
    assert augment(numbered(), Augment(rotate=1e-6), generator()).equal(numbered())


@pytest.mark.parametrize(("h", "w", "c"), [(32, 32, 3), (28, 28, 1), (21, 40, 3)])
def test_rotation_is_pillows_nearest_pixel_by_pixel(h, w, c):
    """As torchvision turns by a random angle in the published views; ours counts clockwise."""
    images = torch.randint(0, 256, (100, h, w, c), dtype=torch.uint8, generator=generator(2))
    turned = augment(images, Augment(rotate=20), generator(5))
    angles = (torch.rand(100, generator=generator(5)) * 2 - 1) * 20
    for image, found, angle in zip(images, turned, angles.tolist(), strict=True):
        expected = np.asarray(Image.fromarray(image.numpy().squeeze()).rotate(-angle))
        differs = (found.numpy().squeeze() != expected).mean()
        assert differs < 5e-3, angle  # three pixels whose middles fall on a border


def test_a_black_bordered_crop_is_torchvisions():
    """Pad by four, crop anywhere, mirror: the published views of small photographs."""
    images = torch.randint(1, 256, (60, 32, 32, 3), dtype=torch.uint8, generator=generator(3))
    seen = augment(images, Augment(shift=4, flip=True, border="zero"), generator(4))
    places = set()
    for image, found in zip(images, seen, strict=True):
        padded = pad(image.permute(2, 0, 1), [4])
        fits = [
            (top, left, mirrored)
            for top in range(9)
            for left in range(9)
            for mirrored in (False, True)
            if torch.equal(
                (hflip if mirrored else lambda x: x)(crop(padded, top, left, 32, 32)),
                found.permute(2, 0, 1),
            )
        ]
        assert len(fits) == 1
        places.update(fits)
    assert len(places) > 40
    assert {top for top, _, _ in places} == {left for _, left, _ in places} == set(range(9))
