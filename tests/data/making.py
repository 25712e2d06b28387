"""Pictures made in memory."""

import io

import numpy as np
from PIL import Image


def picture(width=20, height=20, seed=0, mode="RGB"):
    """A smooth picture with some colour, so that JPEG keeps it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def encoded(image, format="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()
