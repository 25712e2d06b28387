"""Hot pixels, and colours of 16 bits that stand for transparent."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import images, importers, levels
from lnl_core.data.contrast import Contrast
from lnl_core.readings import Answers
from tests.data.test_pixel_ranges import question, ramps


@pytest.fixture
def hot(tmp_path):
    """Ramps of 10 bits, and one pixel of one image at the top of all 16."""
    source = ramps(tmp_path / "s", 1023)
    pixels = np.array(Image.open(source / "full" / "0.png"))
    pixels[4, 5] = 65535
    Image.fromarray(pixels).save(source / "full" / "0.png")
    return source


def test_a_hot_pixel_does_not_darken_a_set(hot, do_import):
    reading = importers.read(hot)
    asked = question(reading)
    assert "(10 bits)" in asked.text
    assert [each.value for each in asked.choices] == ["set", "whole", "file"]
    assert any("go from 0 to 65,535" in note for note in reading.notes)
    got = do_import(hot)
    assert got.meta["contrast"] == {"deep": [0, 1023]}
    assert got.images[got.labels == 1].max() in (127, 128)


def test_a_hot_pixel_counts_where_a_person_says_so(hot, do_import):
    got = do_import(hot, answers=Answers(contrast="whole"))
    assert got.images[got.labels == 1].max() == 2
    assert not any("A few pixels" in note for note in got.report.notes)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize(("said", "middle"), [("", 127), ("whole", 2)])
def test_a_hot_pixel_in_arrays(tmp_path, dtype, said, middle, do_import):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1000, (40, 12, 12)).astype(dtype)
    values[3, 4, 5] = 60000
    file = tmp_path / "a.npz"
    np.savez(file, images=values, labels=np.arange(40) % 2)
    got = do_import(file, answers=Answers(contrast=said))
    assert np.median(got.images) == pytest.approx(middle, abs=4)


@pytest.fixture(params=["files", "arrays"])
def dark(request, tmp_path):
    """Masks of 0 to 9 in 8 bits, and one pixel of one image that is white."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 10, (40, 16, 16), dtype=np.uint8)
    values[3, 0, 0] = 255  # seen by any sample of the image
    if request.param == "arrays":
        np.savez(tmp_path / "a.npz", images=values, labels=np.arange(40) % 2)
        return tmp_path / "a.npz", values
    for i, pixels in enumerate(values):
        file = tmp_path / "s" / "ab"[i % 2] / f"{i:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    return tmp_path / "s", values


def test_a_hot_pixel_of_eight_bits_does_not_leave_a_set_black(dark, do_import):
    source, _ = dark
    reading = importers.read(source)
    assert "nearly black: values from 0 to 9" in question(reading).text
    assert [each.value for each in question(reading).choices] == ["set", "whole", "file"]
    assert any("go from 0 to 255" in note for note in reading.notes)
    got = do_import(source)
    assert got.meta["contrast"] == {"byte": [0, 9]}
    assert np.median(got.images) == pytest.approx(127, abs=20)
    whole = importers.read(source, answers=Answers(contrast="whole"))
    assert not any("nearly black" in note for note in whole.notes)


def test_rare_bright_points_of_eight_bits_are_no_hot_pixels(tmp_path, do_import):
    values = np.random.default_rng(0).integers(0, 10, (40, 16, 16), dtype=np.uint8)
    values[:, 5, 5] = 255
    np.savez(tmp_path / "a.npz", images=values, labels=np.arange(40) % 2)
    got = do_import(tmp_path / "a.npz")
    assert np.median(got.images) < 10  # as they are


def test_rare_bright_points_of_which_a_set_is_made_are_kept(tmp_path, do_import):
    """More than one pixel in 5,000 is no accident."""
    values = np.zeros((40, 12, 12), np.uint16)
    values[:, 6, 6] = 4000
    file = tmp_path / "a.npz"
    np.savez(file, images=values, labels=np.arange(40) % 2)
    assert do_import(file).images[:, 6, 6].min() == pytest.approx(249, abs=2)


def png_of(pixels, key):
    """Encode (h, w) or (h, w, 3) uint16 as a PNG in which one value is transparent."""
    gray = pixels.ndim == 2
    h, w = pixels.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", w, h, 16, 0 if gray else 2, 0, 0, 0)),
        (b"tRNS", np.array(key, ">u2").tobytes()),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


@pytest.mark.parametrize("gray", [True, False])
def test_a_value_of_sixteen_bits_that_stands_for_transparent(gray):
    """All its bits count: a value that shares its upper ones is a colour, not a hole."""
    pixels = np.array([[0x0100, 0x0102], [0x0000, 0x0FFF]], np.uint16)
    key = 0x0100
    if not gray:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
        key = [key] * 3
    png = png_of(pixels, key)
    for contrast, like, top in ((None, 1, 15), (Contrast(deep=(0.0, 4095.0)), 16, 255)):
        got = images.decode(png, 2, channels=1, contrast=contrast)[..., 0].astype(int)
        assert got[0, 0] == 255
        assert got.ravel()[1:].tolist() == pytest.approx([like, 0, top], abs=1)


def test_what_is_transparent_is_no_part_of_the_range():
    pixels = np.array([[65535, 100], [65535, 200]], np.uint16)
    found = levels.levels(png_of(pixels, 65535))
    assert (found.low, found.high, found.clear) == (100, 200, False)
    found = levels.levels(png_of(np.full((2, 2), 7, np.uint16), 7))
    assert (found.low, found.high, found.clear) == (7, 7, True)
