"""Copies: how many are found, how many different pictures are joined, and what it costs.

    python benchmarks/copies.py [--million] [--out benchmarks/results/copies.json]

Copies are made of 300 pictures of each set: encoded again (JPEG), made smaller and larger, cropped
on all sides. They are added to the whole set, and the import's own grouping is asked which it
finds. A false join is a pair of different pictures of the set itself in one group; by eye, none of
the joined ones may be. Sets of photographs are read from beside the repository and are left out
where they are not; scikit-learn's digits come with the package.

Line drawings of twelve strokes, and the same with one stroke less or elsewhere, or with one short
stroke more, are different pictures: how many of 150 are joined.

`--million` groups 1,000,000 images of 32 x 32 that are blends of two cut-outs of real ones, with
10,000 copies among them, on the disk: one process, one thread; and once more, the last 1,000 as
what comes to a set whose outline is kept.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _out
import numpy as np
from PIL import Image, ImageDraw

from lnl_core.data import copies, images
from lnl_core.types import ByteArray

REPO = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("LNL_SHARED", REPO.parent / "shared")) / "data"
COPIED = 300
DRAWN = 150
MILLION, HIDDEN, MORE = 1_000_000, 10_000, 1000


def sets() -> Iterator[tuple[str, list[Image.Image], int]]:
    """Yield name, pictures at original size, and the working resolution of an import."""
    from sklearn.datasets import load_digits

    if (folder := SHARED / "clothing/images").is_dir():
        pictures = [Image.open(path).convert("RGB") for path in sorted(folder.iterdir())]
        yield "clothing, 192 px", pictures, 128
    if (folder := SHARED / "sample_folder").is_dir():
        pictures = [Image.open(path).convert("RGB") for path in sorted(folder.rglob("*.jpg"))]
        yield "sample_folder, 32 px", pictures, 32
    if (file := SHARED / "cifar10n_dev.npz").is_file():
        yield "CIFAR-10, 32 px", [Image.fromarray(each) for each in np.load(file)["images"]], 32
    if (file := SHARED / "mnist_train6k.npz").is_file():
        yield "MNIST, 28 px", [Image.fromarray(each) for each in np.load(file)["images"]], 28
    digits = (load_digits().images * 255 / 16).astype(np.uint8)
    yield "digits, 8 px", [Image.fromarray(each) for each in digits], 8


def changed(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield each way to store a picture again."""
    width, height = picture.size
    for quality in (30, 50, 70, 85, 95):
        yield f"JPEG {quality}", _encoded(picture, "JPEG", quality=quality)
    for scale in (0.5, 0.75, 1.5, 2.0):
        size = (max(1, round(scale * width)), max(1, round(scale * height)))
        yield f"size x {scale:g}", _encoded(picture.resize(size, Image.Resampling.LANCZOS), "PNG")
    half = picture.resize((max(1, width // 2), max(1, height // 2)), Image.Resampling.BICUBIC)
    yield "size x 0.5, JPEG 50", _encoded(half, "JPEG", quality=50)
    for share in (0.01, 0.02, 0.05):
        across, down = round(share * width), round(share * height)
        if across and down:
            box = (across, down, width - across, height - down)
            yield f"cropped by {share:.0%}", _encoded(picture.crop(box), "PNG")


def _encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def measure(pictures: list[Image.Image], side: int) -> dict[str, Any]:
    """Return recall by kind of copy, pairs joined within the set, and CPU seconds."""
    channels = 1 if pictures[0].mode == "L" else 3
    base = np.stack(
        [images.decode(_encoded(each, "PNG"), side, channels=channels) for each in pictures]
    )
    n = len(base)
    began = time.process_time()
    alone = copies.group(base)
    cpu = time.process_time() - began
    chosen = np.sort(np.random.default_rng(0).choice(n, min(n, COPIED), replace=False))
    made: dict[str, list[ByteArray]] = {}
    for row in chosen:
        for kind, data in changed(pictures[row]):
            made.setdefault(kind, []).append(images.decode(data, side, channels=channels))
    recall, false = {}, 0
    for kind, again in made.items():
        groups = copies.group(np.concatenate([base, np.stack(again)]))
        recall[kind] = round(float((groups[n:] == groups[chosen]).mean()), 3)
        false = max(false, int((groups[:n] != np.arange(n)).sum()))
    usual = copies.usual_difference(base, np.arange(n))
    return {
        "images": n,
        "limit": round(min(copies.MOST_DIFFERENT, copies.SHARE_OF_USUAL * usual), 4),
        "joined": int((alone != np.arange(n)).sum()),
        "joined_with_copies_added": false,
        "cpu_seconds": round(cpu, 2),
        "ms_per_image": round(1e3 * cpu / n, 3),
        "recall": recall,
    }


def drawings() -> dict[str, float]:
    """Return side and kind of change -> share of drawings that are joined with the changed one."""
    told = {}
    for side, width in ((32, 2), (64, 3), (128, 4)):
        rng = np.random.default_rng(0)
        made: dict[str, list[ByteArray]] = {"as it is": [], "one stroke": [], "short stroke": []}
        for _ in range(DRAWN):
            strokes = [tuple(rng.uniform(0.1, 0.9, 4)) for _ in range(12)]
            other = strokes[1:] + [tuple(rng.uniform(0.1, 0.9, 4))] * int(rng.random() < 0.5)
            x, y, angle = *rng.uniform(0.15, 0.85, 2), rng.uniform(0, 2 * np.pi)
            short = (x, y, x + 0.12 * np.cos(angle), y + 0.12 * np.sin(angle))
            every = (strokes, other, [*strokes, short])
            for kept, lines in zip(made.values(), every, strict=True):
                kept.append(_drawn(lines, side, width))
        base = np.stack(made.pop("as it is"))
        for kind, changed_ in made.items():
            groups = copies.group(np.concatenate([base, np.stack(changed_)]))
            told[f"{side} px, {kind}"] = round(float((groups[DRAWN:] < DRAWN).mean()), 3)
    return told


def _drawn(lines: list[tuple[float, ...]], side: int, width: int) -> ByteArray:
    image = Image.new("L", (4 * side, 4 * side), 255)
    for line in lines:
        ImageDraw.Draw(image).line([4 * side * at for at in line], fill=0, width=4 * width)
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))[..., None]


def million() -> dict[str, Any]:
    """Group a million images on the disk; return CPU seconds, memory and what was found."""
    source = np.load(SHARED / "cifar10n_dev.npz")["images"]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        shape = (MILLION, 32, 32, 3)
        made = np.lib.format.open_memmap(f"{folder}/images.npy", "w+", np.uint8, shape)
        for start in range(0, MILLION, 10_000):
            made[start : start + 10_000] = _blends(source, rng, 10_000)
        hidden = rng.choice(MILLION // 2, HIDDEN, replace=False)
        target = np.sort(rng.choice(np.arange(MILLION // 2, MILLION), HIDDEN, replace=False))
        noise = rng.integers(-3, 4, (HIDDEN, 32, 32, 3))
        made[target] = np.clip(made[hidden].astype(np.int16) + noise, 0, 255)
        made.flush()
        del made
        pictures = np.load(f"{folder}/images.npy", mmap_mode="r")
        began, wall = time.process_time(), time.monotonic()
        groups = copies.group(pictures)
        cpu, wall = time.process_time() - began, time.monotonic() - wall
        tracemalloc.start()
        copies.group(pictures)
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        kept = copies.outline(pictures[:-MORE])
        began = time.process_time()
        again = copies.group(pictures, known=kept)
        more = time.process_time() - began
        assert (again == groups).all()
        alone = np.ones(MILLION, dtype=bool)
        alone[target] = False
        return {
            "images": MILLION,
            "cpu_seconds": round(cpu, 1),
            "wall_seconds": round(wall, 1),
            "memory_mb": round(memory / 1e6),
            "cpu_seconds_with_outline": round(more, 1),
            "found": round(float((groups[target] == groups[hidden]).mean()), 4),
            "joined_of_the_others": int((groups != np.arange(MILLION))[alone].sum()),
        }


def _blends(source: ByteArray, rng: np.random.Generator, count: int) -> ByteArray:
    """Return pictures with the statistics of real ones: half one cut-out, half another."""
    total = np.zeros((count, 32, 32, 3), dtype=np.float32)
    for _ in range(2):
        rows = rng.integers(0, len(source), count)
        top, left = rng.integers(0, 12, (2, count))
        down = (top[:, None] + np.arange(32) * 20 // 32)[:, :, None]
        across = (left[:, None] + np.arange(32) * 20 // 32)[:, None, :]
        total += 0.5 * source[rows[:, None, None], down, across]
    return total.astype(np.uint8)


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--million", action="store_true", help="group 1,000,000 images, too")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/copies.json")
    options = _out.parse(parser, grows=True)
    told: dict[str, Any] = {"sets": {}}
    if options.out.is_file():
        told |= json.loads(options.out.read_text("utf-8"))
    for name, pictures, side in sets():
        told["sets"][name] = found = measure(pictures, side)
        print(name, {key: value for key, value in found.items() if key != "recall"})
        for kind, share in found["recall"].items():
            print(f"  {kind:<22}{share:.3f}")
    told["drawings"] = drawings()
    print("joined drawings", told["drawings"])
    if options.million:
        told["million"] = million()
        print(told["million"])
    options.out.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
