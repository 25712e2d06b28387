"""Contrast by the range of the set: deep files, floats, masks, images that are all transparent."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import images, importers, levels
from lnl_core.readings import Answers


def ramps(folder, high, low=0, dtype=np.uint16, suffix="png", scale=(1.0, 0.5)):
    """Write two classes of ramps from low to high, and to half of it."""
    for kind, part in zip(("full", "half"), scale, strict=True):
        (folder / kind).mkdir(parents=True)
        row = np.linspace(low, low + (high - low) * part, 32)
        for i in range(2):
            pixels = np.tile(np.roll(row, i), (32, 1)).astype(dtype)
            Image.fromarray(pixels).save(folder / kind / f"{i}.{suffix}")
    return folder


def question(reading):
    return next((each for each in reading.questions if each.key == "contrast"), None)


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_bits_in_deep_files_get_the_whole_contrast(tmp_path, do_import, bits):
    source = ramps(tmp_path / "s", 2**bits - 1)
    asked = question(importers.read(source))
    assert f"({bits} bits)" in asked.text
    assert (asked.taken, asked.stops) == ("set", False)
    got = do_import(source)
    full, half = (got.images[got.labels == label] for label in (0, 1))
    assert (full.min(), full.max()) == (0, 255)
    assert abs(int(half.max()) - 127) <= 1  # one range for the set, not one for each image
    assert any("bits" in note for note in got.report.notes)


def test_the_format_says_the_range_where_it_is_used_or_wanted(tmp_path, do_import):
    assert question(importers.read(ramps(tmp_path / "all", 65535))) is None
    got = do_import(ramps(tmp_path / "s", 4095), answers=Answers(contrast="file"))
    assert got.images.max() == 16
    assert "contrast" not in got.meta


def test_a_range_far_from_zero_starts_where_it_does(tmp_path, do_import):
    got = do_import(ramps(tmp_path / "s", 4000, low=3000))
    assert (got.images.min(), got.images.max()) == (0, 255)


@pytest.mark.parametrize(
    ("low", "high", "lowest", "middle"),
    [(0, 1, 0, 127), (-1, 1, 0, 127), (0, 255, 0, 127), (-1000, 3000, 0, 127)],
)
def test_floats_of_any_range(tmp_path, do_import, low, high, lowest, middle):
    got = do_import(ramps(tmp_path / "s", high, low, np.float32, "tiff"))
    full, half = (got.images[got.labels == label] for label in (0, 1))
    assert (full.min(), full.max()) == (lowest, 255)
    assert abs(int(half.max()) - middle) <= 1


def test_masks_of_nought_and_one_are_seen(tmp_path, do_import):
    source = ramps(tmp_path / "s", 1, dtype=np.uint8, scale=(1.0, 1.0))
    assert "nearly black" in question(importers.read(source)).text
    assert set(np.unique(do_import(source).images)) == {0, 255}


def test_one_bright_image_says_that_the_others_are_dark(tmp_path, do_import):
    source = ramps(tmp_path / "s", 20, dtype=np.uint8)
    Image.new("L", (32, 32), 200).save(source / "full" / "bright.png")
    assert question(importers.read(source)) is None
    assert do_import(source).images.max() == 200


def test_images_that_are_transparent_everywhere_show_their_colours(tmp_path, do_import):
    (tmp_path / "s" / "a").mkdir(parents=True)
    Image.new("RGBA", (16, 16), (200, 10, 10, 0)).save(tmp_path / "s" / "a" / "clear.png")
    half = Image.new("RGBA", (16, 16), (200, 10, 10, 255))
    half.putalpha(Image.fromarray(np.repeat([[0, 255]], 16, 0).repeat(8, 1).astype(np.uint8)))
    half.save(tmp_path / "s" / "a" / "half.png")
    got = do_import(tmp_path / "s")
    assert got.images[0, 0, 0].tolist() == [200, 10, 10]
    assert got.images[1, 0, 0].tolist() == [255, 255, 255]
    assert any("1 of 2 images looked at are transparent" in note for note in got.report.notes)


def test_the_original_is_shown_as_the_working_copy_is(tmp_path, do_import):
    from lnl_core.data.contrast import Contrast

    source = ramps(tmp_path / "s", 4095)
    got = do_import(source)
    contrast = Contrast.from_json(got.meta["contrast"])
    shown = Image.open(io.BytesIO(images.render(source / "full" / "0.png", 64, contrast)))
    assert abs(int(np.asarray(shown).max()) - 255) <= 4
    assert Contrast.from_json({}) is None


def array_of(path, low, high, dtype):
    """Save two images as NPZ: a ramp from low to high, and one to half of it."""
    row = np.linspace(0, 1, 32)
    ramps_ = np.stack([np.tile(row, (32, 1)), np.tile(row / 2, (32, 1))])
    values = (low + ramps_ * (high - low)).astype(dtype)
    np.savez(path, images=values, labels=np.array([0, 1]))
    return path


@pytest.mark.parametrize(
    ("low", "high", "dtype", "said"),
    [
        (0, 1, np.float32, "floating point numbers from 0 to 1"),
        (-1, 1, np.float64, "floating point numbers from -1 to 1"),
        (0, 255, np.float16, "floating point numbers from 0 to 255"),
        (0, 4095, np.uint16, "(12 bits)"),
        (0, 255, np.int64, "read as 0 to 255"),
        (-1000, 3000, np.int16, "from -1,000 to 3,000"),
        (3_000_000_000, 3_000_000_255, np.int64, "3,000,000,255"),
        (0, 1, np.int32, "as masks have"),
        (0, 1, np.uint8, "nearly black"),
        (0, 1, bool, "as masks have"),
    ],
)
def test_arrays_of_any_numbers_are_shown_by_their_range(
    tmp_path, do_import, low, high, dtype, said
):
    source = array_of(tmp_path / "s.npz", low, high, dtype)
    assert said in question(importers.read(source)).text
    got = do_import(source)
    assert (got.images[0].min(), got.images[0].max()) == (0, 255)
    assert any(said in note for note in got.report.notes)
    if high - low > 1:
        assert abs(int(got.images[1].max()) - 127) <= 1
        shown = importers.read(source, pictures=True).classes[1].examples[0].picture
        assert abs(Image.open(io.BytesIO(shown)).getextrema()[1] - 127) <= 4


def test_arrays_as_their_type_says(tmp_path, do_import):
    source = array_of(tmp_path / "s.npz", 0, 4095, np.uint16)
    got = do_import(source, answers=Answers(contrast="file"))
    assert got.images.max() == 16


def test_all_of_an_array_says_its_range(tmp_path, do_import):
    values = np.zeros((9000, 8, 8), np.float32)
    values[-1] = 100  # the last image alone tells
    np.savez(tmp_path / "s.npz", images=values, labels=np.arange(9000) % 2)
    assert do_import(tmp_path / "s.npz").images[-1].max() == 100


def test_pixels_that_are_no_numbers_are_said(tmp_path, do_import):
    values = np.linspace(0, 1, 2 * 64, dtype=np.float32).reshape(2, 8, 8)
    values[0, 0, :3] = [np.nan, np.inf, -np.inf]
    np.savez(tmp_path / "s.npz", images=values, labels=np.array([0, 1]))
    assert any(
        "3 pixels are no numbers" in note for note in do_import(tmp_path / "s.npz").report.notes
    )


def colours(n=6, side=24):
    """Pictures in colour with all of 8 bits, (n, side, side, 3)."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, side, side, 3))
    pixels[:, 0, 0], pixels[:, 0, 1] = 0, 255
    return pixels.astype(np.uint8)


def deep_colours(folder, bits, suffix="png", alpha=None):
    """Write `colours` with so many bits in files of 16 a channel, in two classes."""
    import cv2  # grad-cam brings it; Pillow writes no such files

    for i, each in enumerate(colours()):
        deep = np.rint(each[..., ::-1] / 255 * (2**bits - 1)).astype(np.uint16)
        if alpha is not None:
            deep = np.dstack([deep, np.full(deep.shape[:2], alpha, np.uint16)])
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / "ab"[i % 2] / f"{i}.{suffix}"), deep)
    return folder


@pytest.mark.parametrize(
    ("bits", "suffix", "alpha"),
    [
        *((bits, "png", None) for bits in (10, 12, 14, 16)),
        *((bits, "tiff", None) for bits in (12, 14)),
        *((12, "png", alpha) for alpha in (0, 65535)),
    ],
)
def test_deep_colours_are_the_pictures_that_eight_bits_give(
    tmp_path, do_import, bits, suffix, alpha
):
    from lnl_core.data.contrast import Contrast

    source = deep_colours(tmp_path / "s", bits, suffix, alpha)
    got = do_import(source)
    wanted = colours()[[0, 2, 4, 1, 3, 5]]
    np.testing.assert_array_equal(got.images, wanted)
    contrast = Contrast.from_json(got.meta.get("contrast"))
    original = images.render(source / "a" / f"0.{suffix}", 24, contrast)
    shown = Image.open(io.BytesIO(original))
    assert np.abs(np.asarray(shown).astype(int) - wanted[0]).mean() < 8  # it is a JPEG
    asked = question(importers.read(source))
    assert asked is None if bits == 16 else f"({bits} bits)" in asked.text


def test_deep_gray_with_alpha_is_read_by_all_its_bits(tmp_path):
    from lnl_core.data.contrast import Contrast

    rows = np.array([[[0, 65535], [4095, 65535]], [[2048, 65535], [100, 0]]], ">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", 2, 2, 16, 4, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    told = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    png = b"\x89PNG\r\n\x1a\n" + told
    assert (levels.levels(png).kind, levels.levels(png).high) == ("deep", 4095)
    got = images.decode(png, 2, channels=1, contrast=Contrast(deep=(0.0, 4095.0)))
    np.testing.assert_array_equal(got[..., 0], [[0, 255], [128, 255]])  # the clear one is white


def test_pixels_of_files_that_are_no_numbers_are_said(tmp_path):
    for at in range(6):
        values = np.random.default_rng(at).random((12, 12)).astype(np.float32)
        values[0, 0] = np.nan if at < 2 else values[0, 0]
        place = tmp_path / "s" / ("a", "b")[at % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(place / f"{at}.tif")
    found = importers.read(tmp_path / "s")
    assert any("2 of 6 images looked at have pixels that are no numbers" in n for n in found.notes)
