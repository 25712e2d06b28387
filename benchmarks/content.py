"""Digests of images: what an import pays for them, beside decoding; and what finding by them costs.

    python benchmarks/content.py [--images 200000] [--out benchmarks/results/content.json]

CPU seconds of one thread, scaled up from a few thousand images made of noise and blends of colour.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import _out
import numpy as np
from PIL import Image

from lnl_core.data import content, images
from lnl_core.data.content import FILE_BYTES, PIXEL_BYTES, Contents, Finder

SOME = 2000


def seconds(work: Callable[[], object], times: int, n: int) -> float:
    """Return the CPU seconds that `times` pieces of work took, scaled to n."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * n / times


def measure(n: int) -> dict[str, float]:
    """Return what n images cost, in CPU seconds."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (SOME, 32, 32, 3), dtype=np.uint8)
    large = rng.integers(0, 255, (SOME // 10, 128, 128, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        blend = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
        blend.resize((500, 375)).save(photo, quality=85)
        costs = {
            "pixels, 32 x 32": seconds(
                lambda: [content.pixel_digest(one) for one in small], len(small), n
            ),
            "pixels, 128 x 128": seconds(
                lambda: [content.pixel_digest(one) for one in large], len(large), n
            ),
            f"files of {photo.stat().st_size // 1000} kB": seconds(
                lambda: [content.file_digest(photo) for _ in range(SOME)], SOME, n
            ),
            "decoding the same JPEG files, 500 x 375, to 128": seconds(
                lambda: [images.decode(photo, 128) for _ in range(SOME // 10)], SOME // 10, n
            ),
        }
    pixels = np.frombuffer(rng.bytes(PIXEL_BYTES * n), f"V{PIXEL_BYTES}")
    files = np.frombuffer(rng.bytes(FILE_BYTES * n), f"V{FILE_BYTES}")
    contents = Contents(pixels, files)
    costs["making ready to find"] = seconds(lambda: Finder(contents), 1, 1)
    finder = Finder(contents)
    costs["finding all"] = seconds(
        lambda: [finder.rows(contents[row]) for row in range(SOME)], SOME, n
    )
    return costs


def main() -> None:
    """Print the table and write it as JSON."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--images", type=int, default=200_000)
    asked.add_argument("--out", type=Path)
    options = _out.parse(asked)
    costs = measure(options.images)
    for what, cost in costs.items():
        print(f"{what:50} {cost:8.1f} CPU s")
    if options.out is not None:
        options.out.write_text(json.dumps({"images": options.images, "cpu_seconds": costs}))


if __name__ == "__main__":
    main()
