"""Copies of one picture are found; different pictures are never joined."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lnl_core.data import copies, images, joining
from lnl_core.store.datasets import COPIES, OUTLINE
from tests.data.making import encoded, picture

SIDE = 64


def photos(count, seed=0):
    """Pictures with detail at every scale, as photographs have, (count, SIDE, SIDE, 3)."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(SIDE)]))
    frequency[0, 0] = 1
    noise = np.fft.fft2(rng.normal(size=(count, 3, SIDE, SIDE))) / frequency**1.2
    waves = np.fft.ifft2(noise).real
    waves = 0.7 * waves.mean(axis=1, keepdims=True) + 0.3 * waves
    waves -= waves.mean(axis=(1, 2, 3), keepdims=True)
    waves *= 50 / waves.std(axis=(1, 2, 3), keepdims=True)
    return np.clip(128 + waves, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def anew(pixels, *, scale=1.0, **options):
    """The picture resized and encoded again, as an import would read it."""
    image = Image.fromarray(pixels)
    side = round(scale * SIDE)
    image = image.resize((side, side), Image.Resampling.BICUBIC)
    return images.decode(encoded(image, **options), SIDE, channels=3)


def alone(count):
    return np.arange(count)


@pytest.mark.parametrize(
    "change",
    [
        {"quality": 40},
        {"quality": 95},
        {"format": "PNG", "scale": 0.5},
        {"format": "PNG", "scale": 2},
        {"quality": 75, "scale": 0.75},
        {"format": "WEBP", "quality": 60},
    ],
    ids=str,
)
def test_what_is_encoded_or_sized_anew_is_a_copy(change):
    base = photos(200)
    again = np.stack([anew(each, **change) for each in base[:50]])
    groups = copies.group(np.concatenate([base, again]))
    np.testing.assert_array_equal(groups, np.append(alone(200), alone(50)))


def test_the_code_of_a_picture_survives_encoding():
    base = photos(50)
    again = np.stack([anew(each, quality=50) for each in base])
    one, other = copies.outline(base).codes, copies.outline(again).codes
    same = np.bitwise_count(one ^ other).sum(axis=1)
    strange = np.bitwise_count(one ^ np.roll(other, 1, axis=0)).sum(axis=1)
    assert same.max() <= 16 < 64 <= strange.min()


def test_digits_are_no_copies_of_each_other():
    from sklearn.datasets import load_digits

    digits = (load_digits().images * 255 / 16).astype(np.uint8)[..., None]
    np.testing.assert_array_equal(copies.group(digits), alone(len(digits)))


def test_exact_copies_of_digits_are_found():
    from sklearn.datasets import load_digits

    digits = (load_digits().images[:300] * 255 / 16).astype(np.uint8)[..., None]
    groups = copies.group(np.concatenate([digits, digits[7:10]]))
    np.testing.assert_array_equal(groups, np.append(alone(300), [7, 8, 9]))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_show_nothing_that_could_be_copied(level):
    rng = np.random.default_rng(0)
    flat = np.full((20, 32, 32, 3), level, np.uint8)
    flat[10:] ^= rng.integers(0, 2, (10, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(copies.group(flat), alone(20))


def test_the_same_shapes_in_other_colours_are_no_copies():
    base = photos(60)
    warm = base.astype(float)
    warm[..., 0] += 30
    warm[..., 2] -= 30 * 0.299 / 0.114  # as bright as before
    both = np.concatenate([base, np.clip(warm, 0, 255).astype(np.uint8)])
    np.testing.assert_array_equal(copies.group(both), alone(120))


def test_a_chain_of_small_steps_joins_no_different_pictures():
    """Neighbours of a film are alike, its ends are not."""
    first, last = photos(2).astype(float)
    share = np.linspace(0, 1, 60)[:, None, None, None]
    film = ((1 - share) * first + share * last).astype(np.uint8)
    groups = copies.group(np.concatenate([film, photos(100, seed=1)]))
    assert groups[0] != groups[59]
    assert len(np.unique(groups[:60])) > 2
    assert np.bincount(groups).max() > 1


def test_hundreds_of_copies_of_one_picture_are_one_group():
    base = photos(100)
    rng = np.random.default_rng(0)
    noisy = np.clip(base[5] + rng.integers(-2, 3, (400, SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    groups = copies.group(np.concatenate([base, noisy, base]))
    np.testing.assert_array_equal(groups, np.concatenate([alone(100), np.full(400, 5), alone(100)]))


@pytest.mark.parametrize("shape", [(0, 8, 8, 1), (1, 8, 8, 3), (2, 1, 1, 1), (3, 5, 90, 3)])
def test_tiny_and_odd_sets(shape):
    pictures = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    np.testing.assert_array_equal(copies.group(pictures), alone(shape[0]))


def test_an_import_keeps_the_groups_beside_the_images(do_import, photos):
    (photos / "dog" / "again.jpg").write_bytes((photos / "cat" / "1.jpg").read_bytes())
    got = do_import(photos)
    again, first = (
        next(row for row, path in enumerate(got.paths) if path.endswith(end))
        for end in ("again.jpg", "cat/1.jpg")
    )
    groups = np.load(got.folder / COPIES)
    assert groups.dtype == np.int32
    assert groups[again] == groups[first] == min(again, first)
    assert len(np.unique(groups)) == len(groups) - 1


def test_what_is_noted_is_not_computed_again(tmp_path):
    np.save(tmp_path / "images.npy", np.concatenate([photos(3), photos(3)]))
    made = copies.noted(tmp_path)
    np.testing.assert_array_equal(made, [0, 1, 2, 0, 1, 2])
    np.save(tmp_path / COPIES, np.zeros(6, np.int32))
    np.testing.assert_array_equal(copies.noted(tmp_path), np.zeros(6))
    np.save(tmp_path / COPIES, np.zeros(5, np.int32))  # the set has grown since
    np.testing.assert_array_equal(copies.noted(tmp_path), made)


def test_real_photographs_encoded_again(sample_folder):
    files = sorted(sample_folder.rglob("*.jpg"))
    base, again = [], []
    for file in files:
        image = Image.open(io.BytesIO(file.read_bytes())).convert("RGB")
        base.append(images.decode(file, 32, channels=3))
        again.append(images.decode(encoded(image, quality=80), 32, channels=3))
    np.testing.assert_array_equal(copies.group(np.stack(base)), alone(len(base)))
    groups = copies.group(np.stack(base + again))
    np.testing.assert_array_equal(groups, np.tile(alone(len(base)), 2))


def test_smooth_pictures_of_the_other_tests_are_different():
    base = np.stack([np.asarray(picture(24, 24, seed)) for seed in range(300)])
    np.testing.assert_array_equal(copies.group(base), alone(300))


def test_an_import_says_how_many_copies_there_are_and_which_contradict(do_import, photos):
    data = (photos / "cat" / "1.jpg").read_bytes()
    (photos / "cat" / "again.jpg").write_bytes(data)
    (photos / "cat" / "2b.jpg").write_bytes((photos / "cat" / "2.jpg").read_bytes())
    agreeing = "2 pictures come more than once, 4 images in all"
    assert copies.notes(copies.summary(np.array([0, 0, 2, 2, 4]), np.zeros(5, int))) == [
        f"{agreeing}."
    ]
    (photos / "dog" / "again.jpg").write_bytes(data)
    got = do_import(photos)
    note = next(note for note in got.report.notes if "more than once" in note)
    assert note.startswith("2 pictures come more than once, 5 images in all; 1 of them with diff")
    assert note not in got.meta["notes"], "what a set holds changes when it grows"


def test_copies_that_nobody_labelled_contradict_nothing():
    told = copies.notes(copies.summary(np.array([0, 0]), np.array([0, 1]), none=[1]))
    assert told == ["1 picture comes more than once, 2 images in all."]
    assert copies.notes(copies.summary(np.arange(3), np.zeros(3, int))) == []


@pytest.mark.parametrize(
    "turn",
    [lambda p: p[:, :, ::-1], lambda p: p[:, ::-1], lambda p: np.rot90(p, axes=(1, 2))],
    ids=["mirrored", "upside down", "turned"],
)
def test_what_is_mirrored_or_turned_is_no_copy(turn):
    base = photos(80)
    both = np.concatenate([base, np.ascontiguousarray(turn(base[:40]))])
    np.testing.assert_array_equal(copies.group(both), alone(120))


def test_a_class_that_is_stored_twice_is_as_many_pairs():
    base = photos(90)
    groups = copies.group(np.concatenate([base, base[30:60]]))
    np.testing.assert_array_equal(groups, np.append(alone(90), np.arange(30, 60)))


def test_ten_thousand_blank_images_stay_alone_beside_pictures():
    blank = np.zeros((10_000, 16, 16, 3), np.uint8)
    shown = photos(40)[:, ::4, ::4]
    groups = copies.group(np.concatenate([shown, blank, shown]))
    np.testing.assert_array_equal(groups[:10_040], alone(10_040))
    np.testing.assert_array_equal(groups[10_040:], alone(40))
    assert copies.summary(groups, np.zeros(10_080, int))["pictures"] == 40


def test_grey_sets_are_grouped_as_coloured_ones_are():
    base = photos(120)
    grey = np.stack([np.asarray(Image.fromarray(each).convert("L"))[..., None] for each in base])
    again = np.stack([anew(each, quality=80) for each in base[:30]])
    again = np.stack([np.asarray(Image.fromarray(each).convert("L"))[..., None] for each in again])
    groups = copies.group(np.concatenate([grey, again]))
    np.testing.assert_array_equal(groups, np.append(alone(120), alone(30)))


def test_all_digits_of_eight_pixels_are_different():
    from sklearn.datasets import load_digits

    digits = (load_digits().images * 255 / 16).astype(np.uint8)[..., None]
    np.testing.assert_array_equal(copies.group(digits), alone(1797))


def drawings(count, side, seed=0):
    """Line drawings, and each again with one stroke less or elsewhere."""
    rng = np.random.default_rng(seed)
    made = ([], [])
    for _ in range(count):
        strokes = [tuple(rng.uniform(0.1, 0.9, 4)) for _ in range(12)]
        other = [*strokes[1:], *([tuple(rng.uniform(0.1, 0.9, 4))] if rng.random() < 0.5 else [])]
        for kept, lines in zip(made, (strokes, other), strict=True):
            image = Image.new("L", (4 * side, 4 * side), 255)
            for line in lines:
                at = [4 * side * each for each in line]
                ImageDraw.Draw(image).line(at, fill=0, width=side // 6)
            kept.append(image.resize((side, side), Image.Resampling.LANCZOS))
    return made


@pytest.mark.parametrize("side", [32, 64, 128])
def test_drawings_that_differ_in_one_stroke_are_different(side):
    one, other = drawings(100, side)
    both = np.stack([np.asarray(each)[..., None] for each in [*one, *other]])
    joined = (copies.group(both)[100:] == alone(100)).sum()
    assert joined <= 2, "a stroke may lie upon the others"


@pytest.mark.parametrize("side", [64, 128])
def test_drawings_that_are_stored_anew_are_copies(side):
    base, _ = drawings(60, side)
    for change in (
        {"format": "JPEG", "quality": 50},
        {"format": "PNG", "scale": 0.5},
        {"format": "PNG", "scale": 2},
    ):
        scale = change.get("scale", 1)
        sized = [each.resize(2 * [round(scale * side)], Image.Resampling.BICUBIC) for each in base]
        options = {key: value for key, value in change.items() if key != "scale"}
        again = [images.decode(encoded(each, **options), side, channels=1) for each in sized]
        whole = [images.decode(encoded(each, "PNG"), side, channels=1) for each in base]
        groups = copies.group(np.stack([*whole, *again]))
        assert (groups[60:] == alone(60)).mean() >= 0.95, change


def test_what_comes_to_a_set_is_compared_without_reading_the_set_again(tmp_path):
    class Read:
        """Images that tell which of them were read."""

        def __init__(self, array):
            self.array, self.shape, self.rows = array, array.shape, set()

        def __len__(self):
            return len(self.array)

        def __getitem__(self, rows):
            at = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
            self.rows |= set(np.asarray(at).tolist())
            return self.array[rows]

    base = photos(2000)
    new = np.concatenate([np.stack([anew(base[7], quality=70)]), photos(5, seed=9), base[11:12]])
    np.save(tmp_path / "images.npy", base)
    copies.noted(tmp_path)
    read = Read(np.concatenate([base, new]))
    groups = copies.group(read, known=copies.outlined(tmp_path))
    np.testing.assert_array_equal(groups, copies.group(read.array))
    assert groups[[2000, 2006]].tolist() == [7, 11]
    assert len(read.rows) < 1600, "a sample, and what may be a copy"
    both = joining.Joined(base, new, np.array([0, 6]))
    np.testing.assert_array_equal(both[1998:2002], np.concatenate([base[1998:], new[[0, 6]]]))
    np.testing.assert_array_equal(both[np.array([2001, 3])], np.stack([new[6], base[3]]))


@pytest.mark.parametrize("spoilt", ["cut", "text", "fields", "count"])
def test_a_damaged_outline_is_made_anew(tmp_path, spoilt):
    np.save(tmp_path / "images.npy", photos(5))
    want = copies.outlined(tmp_path)
    file = tmp_path / OUTLINE
    whole = file.read_bytes()
    if spoilt in ("cut", "text"):
        file.write_bytes(whole[:-20] if spoilt == "cut" else b"garbage")
    else:
        np.save(file, np.zeros(5, np.int32) if spoilt == "fields" else np.load(file)[:4])
    got = copies.outlined(tmp_path)
    np.testing.assert_array_equal(got.codes, want.codes)
    np.testing.assert_array_equal(got.digests, want.digests)
    assert file.read_bytes() == whole
