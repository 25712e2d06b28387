"""Strong views: each change to the last bit, the levels that are drawn, their order."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from lnl_core.methods import jump
from lnl_core.methods.jump import strong_views
from lnl_core.methods.jump.strong_views import POOL, rand_augment
from tests.conftest import golden

NUMBERS = {
    "AutoContrast": 0,
    "Brightness": 1,
    "Color": 2,
    "Contrast": 3,
    "Cutout": 4,
    "Equalize": 5,
    "Invert": 6,
    "Posterize": 7,
    "Rotate": 8,
    "Sharpness": 9,
    "ShearX": 10,
    "ShearY": 11,
    "Solarize": 12,
    "SolarizeAdd": 13,
    "TranslateX": 14,
    "TranslateY": 15,
}
PUBLISHED = {name: number for name, number in NUMBERS.items() if name != "Cutout"}


def square(image, side, place):
    """The authors' blanked square: both corners are inside, and cut off at the image's edges."""
    w, h = image.size
    x0, y0 = (int(max(0, p * n - side / 2)) for p, n in ((place[1], w), (place[0], h)))
    image = image.copy()
    corners = (x0, y0, int(min(w, x0 + side)), int(min(h, y0 + side)))
    ImageDraw.Draw(image).rectangle(corners, 127 if image.mode == "L" else (127,) * 3)
    return image


def by_pillow(name, image, level, sign=1, place=(0.5, 0.5)):
    """One change of one image as Pillow makes it, at the levels of the authors' pool."""
    v = sign * level
    matrix = {
        "ShearX": (1, v * 0.1 / 10, 0, 0, 1, 0),
        "ShearY": (1, 0, 0, v * 0.1 / 10, 1, 0),
        "TranslateX": (1, 0, int(v * 0.05 / 10 * image.width), 0, 1, 0),
        "TranslateY": (1, 0, 0, 0, 1, int(v * 0.05 / 10 * image.height)),
    }
    if name in matrix:
        return image.transform(image.size, Image.Transform.AFFINE, matrix[name])
    if name in ("Brightness", "Color", "Contrast", "Sharpness"):
        return getattr(ImageEnhance, name)(image).enhance(level * 1.8 / 10 + 0.1)
    if name == "Cutout":
        return square(image, int(level * 0.1 / 10 * min(image.size)), place)
    if name == "Posterize":
        return ImageOps.posterize(image, int(level * 4 / 10) + 4)
    if name == "Rotate":
        return image.rotate(3 * v)
    if name == "Solarize":
        return ImageOps.solarize(image, 256 - int(level * 256 / 10))
    if name == "SolarizeAdd":
        added = np.asarray(image).astype(int) + sign * int(level * 110 / 10)
        return ImageOps.solarize(Image.fromarray(added.clip(0, 255).astype(np.uint8)), 128)
    return getattr(ImageOps, name.lower())(image)


def ours(name, image, level, sign=1, place=(0.5, 0.5)):
    """The same change made here; (h, w, c) or (h, w) uint8 in and out."""
    values = torch.from_numpy(image if image.ndim == 3 else image[..., None])
    values = values.permute(2, 0, 1)[None].float()
    at = torch.tensor(place, dtype=torch.float64)[:, None]
    found = POOL[NUMBERS[name]](values, torch.tensor([level]), torch.tensor([sign]), at)
    assert torch.equal(found, found.round())
    return found[0].permute(1, 2, 0).to(torch.uint8).numpy().reshape(image.shape)


def pictures(h, w, channels):
    """Noise, a smooth ramp with few values, an even image, and one of two values."""
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(h) * 3, np.arange(w) * 2)[..., None] % 200 + 20
    made = [
        rng.integers(0, 256, (h, w, channels)),
        ramp + np.arange(channels) * 9,
        np.full((h, w, channels), 77),
        rng.integers(0, 2, (h, w, channels)) * 90 + 100,
    ]
    return [(each if channels > 1 else each[..., 0]).astype(np.uint8) for each in made]


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_change_at_every_level_is_the_published_one(name):
    held = golden("jump_views.npz")
    levels = [int(key.partition(".")[2]) for key in held if key.startswith(f"{name}.")]
    assert levels in ([1], list(range(1, 10)))
    for level in levels:
        found = ours(name, held["image"], level)
        np.testing.assert_array_equal(found, held[f"{name}.{level}"], err_msg=str(level))


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("h", "w", "channels"), [(32, 32, 3), (21, 48, 3), (28, 28, 1)])
def test_every_change_is_pillows_on_other_images_and_either_way(name, h, w, channels):
    for image in pictures(h, w, channels):
        for level in range(1, 10):
            for sign, place in ((1, (0.03, 0.4)), (-1, (0.97, 0.55))):
                expected = by_pillow(name, Image.fromarray(image), level, sign, place)
                found = ours(name, image, level, sign, place)
                np.testing.assert_array_equal(found, np.asarray(expected), err_msg=f"{level}{sign}")


@pytest.mark.parametrize(("k", "levels"), [(10, range(1, 5)), (100, range(1, 10))])
def test_the_settings_draw_their_levels_from_the_whole_pool(k, levels):
    """CIFAR-10's and CIFAR-100's: every change alike, half of them applied, all levels alike."""
    config = jump.Config.preset("paper", 50_000, k, 32)
    drawn = strong_views.draw(64_000, config.magnitude, torch.Generator().manual_seed(0))
    assert sorted(drawn.level.unique().tolist()) == list(levels)
    for values in (drawn.level, drawn.choice, drawn.sign, drawn.applied.long()):
        _, counts = values.unique(return_counts=True)
        share = counts / 64_000
        error = (share[0] * (1 - share[0]) / 64_000).sqrt()
        assert (share - 1 / len(counts)).abs().max() < 5 * error
    assert drawn.choice.unique().tolist() == list(range(16))
    assert (config.operations, config.strong_cutout) == (2, 0.15)
    assert 0 <= drawn.place.min() < 0.01 < 0.99 < drawn.place.max() < 1


@pytest.mark.parametrize(("magnitude", "channels"), [(5, 3), (10, 3), (10, 1)])
def test_a_view_is_two_changes_in_turn_and_then_the_square(magnitude, channels):
    b, side = 200, 32
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (b, side, side, channels)).astype(np.uint8)
    whole = rand_augment(
        torch.from_numpy(images),
        torch.Generator().manual_seed(3),
        operations=2,
        magnitude=magnitude,
        cutout=4,
    )
    generator, names = torch.Generator().manual_seed(3), list(NUMBERS)
    draws = [strong_views.draw(b, magnitude, generator) for _ in range(2)]
    place = torch.rand(2, b, generator=generator).double().numpy()
    changed = 0
    for row in range(b):
        image = Image.fromarray(images[row] if channels > 1 else images[row, ..., 0])
        for drawn in draws:
            if drawn.applied[row]:
                at = tuple(drawn.place[:, row].double().tolist())
                name = names[drawn.choice[row]]
                level, sign = drawn.level[row].item(), drawn.sign[row].item()
                image = by_pillow(name, image, level, sign, at)
                changed += 1
        expected = np.asarray(square(image, 4, place[:, row]))
        np.testing.assert_array_equal(
            whole[row].numpy().reshape(expected.shape), expected, err_msg=str(row)
        )
    assert changed > b / 2


def test_views_depend_on_the_generator_alone_and_can_be_turned_off():
    images = torch.randint(0, 256, (40, 16, 12, 3), dtype=torch.uint8)

    def view(seed, **knobs):
        return rand_augment(images, torch.Generator().manual_seed(seed), **knobs)

    assert torch.equal(view(0), view(0))
    assert not torch.equal(view(0), view(1))
    assert torch.equal(view(0, magnitude=1, cutout=0), images)
    generator, other = torch.Generator().manual_seed(2), torch.Generator().manual_seed(2)
    rand_augment(images, generator, magnitude=1, cutout=0)
    rand_augment(images, other, magnitude=9, cutout=3)
    assert torch.equal(generator.get_state(), other.get_state())
