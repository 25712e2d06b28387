import hashlib

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import content
from lnl_core.data.content import Contents, Finder
from lnl_core.store import arrays
from tests.data.making import picture


def contents_of(imported):
    return content.noted(imported.folder)


def by_id(imported):
    return dict(zip(imported.ids, contents_of(imported), strict=True))


@pytest.fixture
def renderings(tmp_path):
    """The same five pictures as PNG, as BMP turned by EXIF, as TIFF, and as one NPZ."""
    whole = [picture(64, 48, seed) for seed in range(5)]
    for at, image in enumerate(whole):
        for form, suffix in (("PNG", "png"), ("TIFF", "tif")):
            folder = tmp_path / form / "ab"[at % 2]
            folder.mkdir(parents=True, exist_ok=True)
            image.save(folder / f"{at}.{suffix}", form)
        turned = tmp_path / "turned" / "ab"[at % 2]
        turned.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x0112] = 6
        lying = image.transpose(Image.Transpose.ROTATE_90)
        lying.save(turned / f"{at}.png", exif=exif)
    np.savez(
        tmp_path / "set.npz",
        images=np.stack([np.asarray(image) for image in whole]),
        labels=np.arange(5) % 2,
        class_names=np.array(["a", "b"]),
    )
    return tmp_path


@pytest.mark.parametrize("size", [None, 32])
@pytest.mark.parametrize("other", ["TIFF", "turned", "set.npz"])
def test_pixels_are_the_same_in_every_lossless_rendering(renderings, do_import, other, size):
    first = do_import(renderings / "PNG", size=size)
    before = contents_of(first)
    pixels = sorted(bytes(one) for one in before.pixels)
    files = {word.split()[1] for word in before}
    (renderings / "out").rename(renderings / "out-first")
    again = contents_of(do_import(renderings / other, size=size))
    assert sorted(bytes(one) for one in again.pixels) == pixels
    assert len(set(pixels)) == 5
    if other.endswith(".npz"):
        assert again.files is None  # arrays have no files
    else:
        assert not files & {word.split()[1] for word in again}


def test_the_file_is_known_at_any_working_size(renderings, do_import):
    first = by_id(do_import(renderings / "PNG"))
    (renderings / "out").rename(renderings / "out-first")
    small = by_id(do_import(renderings / "PNG", size=16))
    assert not {w.split()[0] for w in first.values()} & {w.split()[0] for w in small.values()}
    for id_, word in first.items():
        name = renderings / "PNG" / id_
        assert word.split()[1] == hashlib.sha256(name.read_bytes()).hexdigest()
        assert small[id_].split()[1] == word.split()[1]


def test_gray_is_gray_in_one_channel_or_three():
    gray = np.random.default_rng(0).integers(0, 255, (6, 5, 1), dtype=np.uint8)
    wide = np.repeat(gray, 3, axis=2)
    assert content.pixel_digest(gray) == content.pixel_digest(wide)
    wide[5, 4, 2] ^= 1
    assert content.pixel_digest(gray) != content.pixel_digest(wide)
    assert content.pixel_digest(gray) != content.pixel_digest(gray.reshape(5, 6, 1))


def test_a_set_of_an_older_version_gets_its_digests_on_first_use(renderings, do_import):
    made = do_import(renderings / "PNG")
    at_import = [bytes(one) for one in contents_of(made).pixels]
    (made.folder / "content.npy").unlink()
    (made.folder / "file_digests.npy").unlink()
    later = content.noted(made.folder)
    assert [bytes(one) for one in later.pixels] == at_import
    assert later.files is None
    assert (made.folder / "content.npy").is_file()


def test_rows_are_found_among_equals_and_with_zero_bytes(tmp_path):
    words = [b"\0" * 15 + b"\1", b"\1" + b"\0" * 15, b"\1" * 8 + b"\0" * 8, b"\1" + b"\0" * 15]
    pixels = np.frombuffer(b"".join(words), "V16")
    finder = Finder(Contents(pixels, None))
    assert finder.rows(words[1].hex()) == [1, 3]
    assert finder.rows(words[2].hex()) == [2]
    assert finder.rows(words[0].hex().upper()) == [0]
    assert finder.rows((b"\1" * 9 + b"\0" * 7).hex()) == []
    for nonsense in ("", "zz", "00" * 16, "ab", words[1].hex()[:-2]):
        assert finder.rows(nonsense) == []


def test_digests_of_another_number_of_images_are_made_anew(renderings, do_import):
    made = do_import(renderings / "PNG")
    right = contents_of(made).pixels
    arrays.write_array(made.folder / "content.npy", right[:3])
    assert len(content.noted(made.folder)) == 5
