"""Images decoded safely: upright, 8 bit, gray or RGB, whole, and never larger than memory allows.

What a file is called does not matter, only what it holds. A file that cannot be trusted raises
`ImageError`, whose reason and remedy are words for the import report.
"""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.Image import Resampling, Transpose

from lnl_core.data import deep_colour
from lnl_core.data.contrast import Contrast, to_bytes
from lnl_core.types import ByteArray, FloatArray, LnlError

MAX_PIXELS = 1024**3 // 4 // 3
"""Larger images are refused: about 90 megapixels, where Pillow begins to warn of a bomb."""

MAX_FILE_BYTES = 2**30

BIG_PIXELS = 24_000_000
"""Above this size, one image at a time is in memory, whatever the number of threads."""

FORMATS = (
    "JPEG",
    "MPO",
    "PNG",
    "GIF",
    "BMP",
    "DIB",
    "TIFF",
    "WEBP",
    "AVIF",
    "PPM",
    "JPEG2000",
    "ICO",
)
"""Pixel formats that need no outside program; all others (EPS, PDF ...) stay unopened."""

NO_KIND = "Not an image of a known kind."
VECTOR = "A vector drawing (SVG), not pixels."
MASK = "Called like the mask of an image beside it."
BESIDE = "Not an image, by name and content"
"""How the reason of a file begins that is called like no image either: text, sound, notes."""


def is_beside(reason: str) -> bool:
    """Tell whether what was left out only lies beside images, by its reason."""
    return reason.startswith(BESIDE) or reason in (VECTOR, MASK)


SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "jp2", "j2k", "png", "apng", "gif", "bmp", "dib"),
        *("tif", "tiff", "webp", "avif", "ppm", "pgm", "pbm", "pnm", "ico"),
    )
)
"""Names that promise an image; used to guess what a folder is, not to decide what is read."""

_GRAY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_big = threading.Lock()

AGAIN = "Copy or download it again."


class ImageError(LnlError):
    """An image that is left out: `reason` says why, `remedy` what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Probe:
    """What a header says: upright `width` and `height` in pixels, `gray`, `format` (`JPEG`).

    `deep` says that a pixel has more than 8 bits.
    """

    width: int
    height: int
    gray: bool
    format: str
    deep: bool = False


def probe(source: Path | bytes) -> Probe:
    """Read an image's header only.

    Raises:
        ImageError: no image, or a larger one than `MAX_PIXELS`.
    """
    with opened(source) as image:
        width, height = image.size
        if _orientation(image) >= 5:
            width, height = height, width
        deep = image.mode.startswith("I") or image.mode == "F" or deep_colour.has(image)
        return Probe(width, height, image.mode in _GRAY_MODES, image.format or "", deep)


def check(source: Path | bytes) -> None:
    """Read an image's header, and all of one that has no end: it is cut off, or something follows.

    Raises:
        ImageError: as `probe` and `decode`.
    """
    end = _ENDS.get(probe(source).format)
    if end is not None and end not in _last(source):
        decode(source, 8)


_ENDS = {"PNG": b"IEND", "JPEG": b"\xff\xd9"}
_LAST = 4096


def _last(source: Path | bytes) -> bytes:
    """Return the last bytes of a file."""
    if isinstance(source, bytes):
        return source[-_LAST:]
    try:
        with source.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _LAST))
            return stream.read()
    except OSError:  # gone or forbidden meanwhile: who decodes it says so
        return b""


def has_pages(source: Path | bytes) -> bool:
    """Tell whether a file holds several pictures: pages, or the frames of an animation."""
    try:
        with opened(source) as image:
            return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except ImageError:
        return False


def decode(
    source: Path | bytes,
    size: int | tuple[int, int],
    *,
    channels: int | None = None,
    contrast: Contrast | None = None,
) -> ByteArray:
    """Decode an image and fit all of it, upright and undistorted, into the working resolution.

    The bars beside a narrower image take the mean colour of the edge that they touch.
    Transparency lies over white, unless all of the image is transparent; of an animation the first
    frame is taken; 16-bit values 0..65535 become 0..255, unless `contrast` says otherwise.

    Args:
        source: path or bytes of the file.
        size: side of a square, or (height, width), in pixels.
        channels: 1 or 3; None keeps gray images gray.
        contrast: the values that are black and white, for the whole set.

    Returns:
        (height, width, channels) uint8.

    Raises:
        ImageError: empty, no image, damaged, cut off or too large.
    """
    height, width = (size, size) if isinstance(size, int) else size
    return _letterbox(_upright(source, (height, width), channels, contrast), height, width)


def fit(array: ByteArray, size: tuple[int, int], channels: int) -> ByteArray:
    """Bring an array (h, w), (h, w, 1), (h, w, 2 = gray, alpha), 3 or 4 to (*size, channels)."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    image = _flat(Image.fromarray(np.ascontiguousarray(array)))
    return _letterbox(image.convert("L" if channels == 1 else "RGB"), *size)


def render(source: Path | bytes, max_side: int, contrast: Contrast | None = None) -> bytes:
    """Return the original as a JPEG for the browser: upright, 8 bit, at most `max_side` px.

    Args:
        source: path or bytes of the file.
        max_side: pixels.
        contrast: of its set, so that it looks as the working copy does.

    Raises:
        ImageError: as `decode`.
    """
    image = _upright(source, (max_side, max_side), None, contrast, enlarge=False)
    return _jpeg(image)


def encode_png(array: ByteArray) -> bytes:
    """Encode (h, w, 1 or 3) uint8 as PNG, without loss."""
    stream = io.BytesIO()
    _image(array).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _image(array: ByteArray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(array[:, :, 0] if array.shape[2] == 1 else array))


def _jpeg(image: Image.Image) -> bytes:
    small = max(image.size) <= 256
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95 if small else 88, subsampling=0 if small else 2)
    return stream.getvalue()


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def opened(source: Path | bytes, *, check: bool = False) -> Iterator[Image.Image]:
    """Open an image, its header checked; every failure inside becomes an `ImageError`.

    With `check`, a PNG's checksums are verified once the caller is done.
    """
    try:
        with _stream(source) as stream:
            head = stream.read(512)
            stream.seek(0)
            if not head:
                raise ImageError("The file is empty.", AGAIN)
            try:
                with Image.open(stream, formats=_formats()) as image:
                    if image.width * image.height > MAX_PIXELS:
                        raise _too_large()
                    yield image
                    is_png = image.format == "PNG"
                if check and is_png:  # decoding ignores the checksums
                    stream.seek(0)
                    with Image.open(stream, formats=("PNG",)) as again:
                        again.verify()
            except UnidentifiedImageError as error:
                raise ImageError(*_guess(head)) from error
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except PermissionError as error:
        raise ImageError("The file may not be read.", "Give yourself read permission.") from error
    except FileNotFoundError as error:
        raise ImageError("There is no such file.", "Check the path.") from error
    except MemoryError as error:
        raise ImageError("Memory is too small for this image.", "Shrink the image.") from error
    except Exception as error:  # a hostile file may raise anything from a decoder
        words = str(error).lower()
        if "truncated" in words or "not enough" in words or isinstance(error, EOFError):
            raise ImageError("The image is cut off.", AGAIN) from error
        raise ImageError("The image is damaged.", f"{AGAIN[:-1]}, or save it anew.") from error


def _stream(source: Path | bytes) -> IO[bytes]:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    status = source.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise ImageError("Not a file.", "Put the image itself there.")
    if status.st_size > MAX_FILE_BYTES:
        raise ImageError("The file is larger than 1 GB.", "Shrink the image.")
    return source.open("rb")


def _too_large() -> ImageError:
    return ImageError(
        f"The image has more than {MAX_PIXELS // 10**6} megapixels.",
        "Shrink it, then import again.",
    )


def _guess(head: bytes) -> tuple[str, str]:
    """Say what a file that is no image seems to be, and what helps."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"version https://git-lfs"):
        return "A Git LFS pointer, not the image.", "Run “git lfs pull” where it came from."
    if text.startswith((b"<!doctype", b"<html")):
        return "A web page, not an image.", "Download the image itself."
    if text.startswith((b"<svg", b"<?xml")):
        return VECTOR, "Export it as PNG."
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis"):
        return "A HEIC photo or a film; neither can be read.", "Convert it to JPEG."
    if head.startswith((b"%PDF", b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "A PDF or PostScript page, not an image.", "Export it as PNG."
    if (
        head.startswith((b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF"))
        or head[4:8] == b"ftyp"
    ):
        return "The image is damaged.", f"{AGAIN[:-1]}, or save it anew."
    return NO_KIND, "Save it as JPEG or PNG."


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF does not make the pixels worse
        return 1
    return value if value in _UPRIGHT else 1


def _upright(
    source: Path | bytes,
    bounds: tuple[int, int],
    channels: int | None,
    contrast: Contrast | None = None,
    *,
    enlarge: bool = True,
) -> Image.Image:
    """Return the image in mode L or RGB, its whole inside `bounds` (height, width)."""
    with opened(source, check=True) as image:
        pixels = image.width * image.height
        with _big if pixels > BIG_PIXELS else nullcontext():
            colours = None
            deep = None if contrast is None else contrast.deep
            if deep_colour.has(image) and (deep is not None or deep_colour.has_key(image)):
                with opened(source) as again:
                    colours = deep_colour.scaled(image, again, *(deep or (0.0, 65535.0)))
            turn = _UPRIGHT.get(_orientation(image))
            height, width = bounds if _orientation(image) < 5 else bounds[::-1]
            scale = min(width / image.width, height / image.height)
            if not enlarge:
                scale = min(scale, 1.0)
            target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            if image.format in ("JPEG", "MPO"):
                image.draft(image.mode, (2 * target[0], 2 * target[1]))
            image.load()
            flat = _flat(image, contrast) if colours is None else _flat(colours)
            if channels is not None:
                flat = flat.convert("L" if channels == 1 else "RGB")
            if turn is not None:  # first, so that a picture saved upright gives the same pixels
                flat = flat.transpose(turn)
                target = target if _orientation(image) < 5 else target[::-1]
            if flat.size != target:
                way = Resampling.LANCZOS if scale < 1 else Resampling.BICUBIC
                flat = flat.resize(target, way, reducing_gap=3.0)
            return flat


def _flat(image: Image.Image, contrast: Contrast | None = None) -> Image.Image:
    """Return an image of any mode as L or RGB, transparency over white."""
    if image.mode.startswith("I") or image.mode == "F":
        pixels, hidden = _to_bytes(image, contrast), deep_colour.hidden(image)
        if hidden is not None and not hidden.all():
            pixels[hidden] = 255
        return Image.fromarray(pixels)
    flat = eight_bits(image)
    if contrast is None or contrast.byte is None:
        return flat
    return Image.fromarray(to_bytes(np.asarray(flat), *contrast.byte))


def is_clear(image: Image.Image) -> bool:
    """Tell whether an image is transparent everywhere: its colours are all there is to see."""
    return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (0, 0)


def eight_bits(image: Image.Image) -> Image.Image:
    """Return an image of 8 bits as L or RGB, transparency over white."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if is_clear(image):
        return image.convert("L" if image.mode == "LA" else "RGB")
    gray = image.mode in _GRAY_MODES
    has_alpha = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if has_alpha:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        image = Image.alpha_composite(white, clear)
    return image.convert("L" if gray else "RGB")


def _to_bytes(image: Image.Image, contrast: Contrast | None) -> ByteArray:
    """Scale deep gray values to 0..255: by the set's range, else by the format's or the span."""
    known = None
    if contrast is not None:
        known = contrast.real if image.mode == "F" else contrast.deep
    if known is not None:
        return to_bytes(np.asarray(image), *known)
    values: FloatArray = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and high <= 65535):
        low, high = 0.0, 65535.0
    elif image.mode == "F" and low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    return to_bytes(values, low, high)


def _letterbox(image: Image.Image, height: int, width: int) -> ByteArray:
    """Centre an image in (height, width); the bars take the mean of the edge that they touch."""
    scale = min(width / image.width, height / image.height)
    target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if image.size != target:
        way = Resampling.LANCZOS if scale < 1 else Resampling.BICUBIC
        image = image.resize(target, way, reducing_gap=3.0)
    pixels: ByteArray = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    h, w, c = pixels.shape
    if (h, w) == (height, width):
        return np.ascontiguousarray(pixels)
    top, left = (height - h) // 2, (width - w) // 2
    edges = pixels[[0, -1]] if h < height else pixels[:, [0, -1]]
    canvas = np.empty((height, width, c), dtype=np.uint8)
    canvas[:] = np.rint(edges.reshape(-1, c).mean(axis=0))
    canvas[top : top + h, left : left + w] = pixels
    return canvas
