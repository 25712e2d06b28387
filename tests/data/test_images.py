import io

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose as T

from lnl_core.data import images
from lnl_core.data.images import ImageError
from tests.data.making import encoded, picture


def near(array, expected, tolerance=3):
    assert array.shape == expected.shape
    assert np.abs(array.astype(int) - expected.astype(int)).max() <= tolerance


def test_same_size_is_copied_without_loss():
    source = np.asarray(picture(24, 24))
    np.testing.assert_array_equal(images.decode(encoded(picture(24, 24), "PNG"), 24), source)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright(orientation):
    upright = Image.new("RGB", (32, 16), "black")
    upright.paste("red", (0, 0, 8, 8))  # a red corner, top left
    undo = {
        2: T.FLIP_LEFT_RIGHT,
        3: T.ROTATE_180,
        4: T.FLIP_TOP_BOTTOM,
        5: T.TRANSPOSE,
        6: T.ROTATE_90,
        7: T.TRANSVERSE,
        8: T.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, "PNG", exif=exif)
    near(images.decode(data, (16, 32)), np.asarray(upright), 0)
    assert (images.probe(data).width, images.probe(data).height) == (32, 16)
    shown = Image.open(io.BytesIO(images.render(data, 64)))
    assert shown.size == (32, 16)
    assert np.asarray(shown)[3, 3, 0] > 200


def test_whole_image_is_kept_and_bars_take_the_edge_colour():
    wide = Image.new("RGB", (40, 10), (10, 20, 30))
    wide.paste((200, 0, 0), (0, 0, 4, 10))
    wide.paste((0, 0, 200), (36, 0, 40, 10))
    out = images.decode(encoded(wide, "PNG"), 40)
    assert out.shape == (40, 40, 3)
    near(out[15:25], np.asarray(wide), 0)
    assert (out[:15] == out[0, 0]).all()
    mean = np.asarray(wide).reshape(-1, 3).mean(axis=0)
    assert np.abs(out[0, 0] - mean).max() <= 1


def test_extreme_shapes_survive():
    assert images.decode(encoded(Image.new("RGB", (3000, 1), "white"), "PNG"), 32).mean() == 255
    assert images.decode(encoded(Image.new("L", (1, 1), 7), "PNG"), 8).mean() == 7


def test_16_bit_keeps_its_range_instead_of_clipping():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    expected = np.rint(ramp / 257).astype(np.uint8)[:, :, None]
    for format in ("PNG", "TIFF"):
        near(images.decode(encoded(Image.fromarray(ramp), format), 16), expected, 1)


def test_float_and_32_bit_span_the_grays():
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    expected = np.rint(ramp * 255).astype(np.uint8)[:, :, None]
    near(images.decode(encoded(Image.fromarray(ramp), "TIFF"), 16), expected, 1)
    deep = (ramp.astype(np.float64) * 2_000_000 - 1_000_000).astype(np.int32)
    near(images.decode(encoded(Image.fromarray(deep), "TIFF"), 16), expected, 1)


def test_transparency_lies_over_white():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.putpixel((0, 0), (255, 0, 0, 255))
    out = images.decode(encoded(clear, "PNG"), 8)
    assert out[0, 0].tolist() == [255, 0, 0]
    assert (out[1:] == 255).all()
    gray = Image.new("LA", (8, 8), (0, 128))
    assert images.decode(encoded(gray, "PNG"), 8).shape == (8, 8, 1)
    assert abs(int(images.decode(encoded(gray, "PNG"), 8)[0, 0, 0]) - 127) <= 1


def test_palette_with_a_clear_entry():
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 255, 255, 0, 0] + [0] * 750)
    palette.putpixel((0, 0), 1)
    out = images.decode(encoded(palette, "PNG", transparency=0), 8)
    assert out[0, 0].tolist() == [255, 0, 0]
    assert out[4, 4].tolist() == [255, 255, 255]
    assert images.decode(encoded(palette, "GIF"), 8)[4, 4].tolist() == [0, 0, 255]


def test_cmyk_one_bit_and_animation():
    red = Image.new("RGB", (16, 16), (200, 30, 30))
    out = images.decode(encoded(red.convert("CMYK"), "JPEG", quality=95), 16)
    near(out, np.asarray(red), 12)
    assert images.decode(encoded(Image.new("1", (8, 8), 1), "PNG"), 8).mean() == 255
    frames = [Image.new("RGB", (8, 8), color) for color in ("lime", "blue")]
    for format in ("GIF", "WEBP", "TIFF"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
        assert images.decode(data, 8)[0, 0].tolist() == [0, 255, 0]


def test_large_jpeg_is_reduced_faithfully():
    big = picture(1600, 1200, seed=3)
    out = images.decode(encoded(big, "JPEG", quality=95), (96, 128))
    near(out, np.asarray(big.resize((128, 96), Image.Resampling.LANCZOS)), 6)


def test_render_is_bounded_and_never_enlarges():
    big = images.render(encoded(picture(900, 300), "PNG"), 256)
    assert Image.open(io.BytesIO(big)).size == (256, 85)
    small = images.render(encoded(picture(20, 10, mode="CMYK"), "TIFF"), 256)
    with Image.open(io.BytesIO(small)) as shown:
        assert (shown.size, shown.mode, shown.format) == ((20, 10), "RGB", "JPEG")


def test_encoders_return_what_they_got():
    for channels in (1, 3):
        array = np.random.default_rng(0).integers(0, 256, (9, 7, channels), dtype=np.uint8)
        back = np.asarray(Image.open(io.BytesIO(images.encode_png(array))))
        np.testing.assert_array_equal(back.reshape(array.shape), array)


def test_only_pixel_formats_are_opened(tmp_path):
    with pytest.raises(ImageError, match="PostScript"):
        images.decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", 8)
    with pytest.raises(ImageError, match="no such file"):
        images.decode(tmp_path / "gone.jpg", 8)
    with pytest.raises(ImageError, match="Not a file"):
        images.decode(tmp_path, 8)
