"""Thirty and more kinds of odd files in one folder: what each got."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import importers
from tests.data.making import encoded, picture


def png_header(width, height):
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(20, 10), exif=exif)


def broken_exif():
    data = encoded(picture(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert b"Exif" in data
    return data


def flipped_bytes():
    data = bytearray(encoded(picture(64, 64), "PNG"))
    at = data.index(b"IDAT") + 20
    data[at : at + 8] = b"\xff" * 8
    return bytes(data)


JPEG, PNG = encoded(picture(64, 64)), encoded(picture(64, 64), "PNG")
CLEAR = Image.new("RGBA", (20, 20), (255, 0, 0, 40))
RAMP = np.arange(400, dtype=np.uint16).reshape(20, 20) * 160

FILES = {
    # name: (content, None = accepted, or words of the reason)
    "ok.jpg": (JPEG, None),
    "ok.PNG": (PNG, None),
    "ok.webp": (encoded(picture(), "WEBP"), None),
    "ok.bmp": (encoded(picture(), "BMP"), None),
    "ok.ppm": (encoded(picture(), "PPM"), None),
    "ok.tif": (encoded(picture(), "TIFF"), None),
    "ok.jp2": (encoded(picture(32, 32), "JPEG2000"), None),
    "ok.ico": (encoded(picture(32, 32), "ICO"), None),
    "png_called.jpg": (PNG, None),
    "no_suffix": (JPEG, None),
    "jpeg_called.txt": (JPEG, None),
    "rotated.jpg": (rotated(), None),
    "broken_exif.jpg": (broken_exif(), None),
    "cmyk.jpg": (encoded(picture(mode="CMYK")), None),
    "progressive.jpg": (encoded(picture(), progressive=True), None),
    "palette.png": (encoded(picture().quantize(16), "PNG"), None),
    "palette_clear.gif": (encoded(picture().quantize(16), "GIF", transparency=0), None),
    "gray.png": (encoded(picture(mode="L"), "PNG"), None),
    "gray_alpha.png": (encoded(picture(mode="LA"), "PNG"), None),
    "one_bit.png": (encoded(picture(mode="1"), "PNG"), None),
    "alpha.png": (encoded(CLEAR, "PNG"), None),
    "16_bit.png": (encoded(Image.fromarray(RAMP), "PNG"), None),
    "16_bit.tif": (encoded(Image.fromarray(RAMP), "TIFF"), None),
    "float.tif": (encoded(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), None),
    "lab.tif": (encoded(Image.new("LAB", (20, 20)), "TIFF"), None),
    "animated.gif": (
        encoded(picture(), "GIF", save_all=True, append_images=[picture(seed=1)]),
        None,
    ),
    "one_pixel.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), None),
    "very_wide.png": (encoded(Image.new("RGB", (4000, 2)), "PNG"), None),
    "=cmd|'!A1'.jpg": (JPEG, None),
    "<img src=x>.jpg": (JPEG, None),
    "two\nlines.jpg": (JPEG, None),
    "-quote'\".jpg": (JPEG, None),
    "empty.jpg": (b"", "empty"),
    "cut_off.jpg": (JPEG[: len(JPEG) // 2], "cut off"),
    "cut_off.png": (PNG[: len(PNG) // 2], "cut off"),
    "header_only.jpg": (JPEG[:30], "cut off"),
    "flipped.png": (flipped_bytes(), "damaged"),
    "text.jpg": (b"hello, I am no image\n" * 20, "Not an image"),
    "random.png": (np.random.default_rng(0).bytes(3000), "Not an image"),
    "zeros.bmp": (bytes(2000), "Not an image"),
    "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "vector drawing"),
    "page.pdf": (b"%PDF-1.7\n1 0 obj", "PDF"),
    "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage", "PostScript"),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    "pointer.jpg": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "archive.zip": (b"PK\x03\x04" + bytes(60), "Not an image"),
    "oversized.png": (png_header(10_000, 9_500), "megapixels"),
    "bomb.png": (png_header(60_000, 60_000), "megapixels"),
    "zero_wide.png": (png_header(0, 10), "damaged"),
    ".hidden.jpg": (b"", ""),
    "Thumbs.db": (b"junk", ""),
}


@pytest.fixture
def zoo(tmp_path):
    """One folder with every kind, a second with one good image, and what no file can be."""
    root = tmp_path / "zoo"
    (root / "odd" / "deeper").mkdir(parents=True)
    (root / "fine").mkdir()
    (root / "nothing here").mkdir()
    for name, (content, _) in FILES.items():
        (root / "odd" / name).write_bytes(content)
    (root / "odd" / "deeper" / "more.jpg").write_bytes(JPEG)
    (root / "fine" / "1.jpg").write_bytes(JPEG)
    (root / "stray.jpg").write_bytes(JPEG)
    (root / "notes.txt").write_text("no one's business")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(JPEG)
    (root / "odd" / "link_inside.jpg").symlink_to(root / "fine" / "1.jpg")
    (root / "odd" / "link_outside.jpg").symlink_to(outside / "secret.jpg")
    (root / "odd" / "link_nowhere.jpg").symlink_to(root / "gone.jpg")
    (root / "odd" / "link_loop").symlink_to(root / "odd")
    (root / "link_folder").symlink_to(outside)
    os.mkfifo(root / "odd" / "pipe.jpg")
    with open(os.fsencode(root / "odd") + b"/caf\xe9.jpg", "wb") as stream:
        stream.write(JPEG)
    return root


PLACES = {
    "odd/deeper/more.jpg": None,
    "fine/1.jpg": None,
    "odd/link_inside.jpg": None,
    "odd/link_outside.jpg": "leads out",
    "odd/link_nowhere.jpg": "no such file",
    "odd/link_loop": "another folder of the set",
    "link_folder": "leads out",
    "odd/pipe.jpg": "Not a file",
    "odd/caf\ufffd.jpg": "not UTF-8",
    "stray.jpg": "outside the class folders",
} | {f"odd/{name}": why for name, (_, why) in FILES.items()}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.filterwarnings("ignore:Image size .* exceeds limit")
def test_each_file_gets_what_it_deserves(zoo, do_import):
    got = do_import(zoo, size=32)
    accepted = set(got.ids)
    skipped = {row["where"]: row["reason"] for row in got.skipped}
    outcome = {place: skipped.get(place, "") for place in PLACES}
    for place, why in PLACES.items():
        if why is None:
            assert place in accepted, f"{place!r} was refused: {outcome[place]}"
        elif why == "":
            assert place not in accepted
            assert place not in skipped, f"{place!r} should be passed over in silence"
        else:
            assert why.lower() in outcome[place].lower(), f"{place!r}: {outcome[place]!r}"
    assert accepted | set(skipped) == {p for p, why in PLACES.items() if why != ""}
    assert got.report.n == len(accepted) == len(got.images)
    assert got.report.skipped == len(got.skipped) == sum(r.count for r in got.report.reasons)
    assert all(row["remedy"].endswith(".") for row in got.skipped)
    assert got.names == ["fine", "nothing here", "odd"]
    assert any("nothing here" in note for note in got.report.notes)
    assert len(FILES) + len(PLACES) > 60


def test_the_list_of_reasons_is_readable(zoo, do_import):
    got = do_import(zoo, size=16)
    assert all(reason.first and reason.count for reason in got.report.reasons)
    assert got.report.reasons[0].count == max(r.count for r in got.report.reasons)


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("nested", [False, True])
def test_images_that_are_cut_off_are_counted_before_the_import(tmp_path, do_import, ending, nested):
    for at in range(60):
        part = ("train" if at % 3 else "test",) if nested else ()
        place = (tmp_path / "s").joinpath(*part, ("cat", "dog")[at % 2], f"{at:02}.{ending}")
        place.parent.mkdir(parents=True, exist_ok=True)
        picture(60, 60, seed=at).save(place)
        if at in (7, 40, 59):
            place.write_bytes(place.read_bytes()[:-300])
        if at == 12:  # whole, and more behind it
            place.write_bytes(place.read_bytes() + bytes(9000))
    found = importers.read(tmp_path / "s")
    assert found.n == 57
    (left,) = found.left_out
    assert left.counted.startswith("3 ")
    assert left.reason == "The image is cut off."
    assert left.first.endswith((f"07.{ending}", f"40.{ending}", f"59.{ending}"))
    got = do_import(tmp_path / "s")
    assert len(got.given) == 57
    assert {name: got.given.count(name) for name in ("cat", "dog")} == {
        each.name: each.count for each in found.classes
    }
