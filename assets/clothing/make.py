"""Makes the photographs of the demo, and their list, from the clothing set and the looks at it.

    python assets/clothing/make.py SOURCE [TARGET]

SOURCE holds `images/`, `list.csv` (image, label) and `checked.csv` (image, verdict, better_label);
TARGET is this file's own folder, unless told otherwise. Every judged photograph comes in, right,
wrong or ambiguous. The others are drawn by `SEED` within each class, so many that classes keep
their shares as far as the judged ones allow. "Not sure", "Other" and "Skip" say that nobody has
labelled a picture; such pictures stay out.
"""

import csv
import hashlib
import sys
from collections import Counter
from pathlib import Path

from PIL import Image, ImageOps

COUNT = 600
SEED = 2020
SIDE = 128
QUALITY = 90
NO_CLASS = ("Not sure", "Other", "Skip")
COLUMNS = ("image", "label", "true_label", "verdict")


def read(file: Path) -> list[dict[str, str]]:
    """Return the rows of a list with a head."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def chance(image: str) -> str:
    """Return where the seed puts an image in the draw; the same on every machine."""
    return hashlib.blake2b(f"{SEED} {image}".encode(), digest_size=8).hexdigest()


def places(whole: Counter[str], judged: Counter[str], count: int) -> dict[str, int]:
    """Return how many photographs of each class come in, `count` together.

    One after the other goes to the class whose share of the whole set is kept worst; the judged
    ones are in from the start.
    """
    given = {label: judged[label] for label in whole}
    while sum(given.values()) < count:
        open_ = [label for label in sorted(whole) if given[label] < whole[label]]
        given[min(open_, key=lambda label: given[label] / whole[label])] += 1
    return given


def choose(source: Path, count: int = COUNT) -> list[dict[str, str]]:
    """Return the rows of the list, by image name."""
    found = [row for row in read(source / "list.csv") if row["label"] not in NO_CLASS]
    looks = {row["image"]: row for row in read(source / "checked.csv")}
    whole = Counter(row["label"] for row in found)
    judged = Counter(row["label"] for row in found if row["image"] in looks)
    chosen = [row for row in found if row["image"] in looks]
    for label, number in places(whole, judged, count).items():
        rest = [row for row in found if row["label"] == label and row["image"] not in looks]
        rest.sort(key=lambda row: chance(row["image"]))
        chosen += rest[: number - judged[label]]
    rows = [_row(row["image"], row["label"], looks.get(row["image"])) for row in chosen]
    return sorted(rows, key=lambda row: row["image"])


def _row(image: str, label: str, look: dict[str, str] | None) -> dict[str, str]:
    verdict = look["verdict"] if look else ""
    true = {"right": label, "wrong": look["better_label"] if look else ""}.get(verdict, "")
    return dict(zip(COLUMNS, (image, label, true, verdict), strict=True))


def shrink(source: Path, target: Path) -> None:
    """Store a photograph upright, without its metadata, at most `SIDE` pixels long."""
    with Image.open(source) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    upright.save(target, "JPEG", quality=QUALITY, optimize=True)


def make(source: Path, target: Path) -> None:
    """Write the list and its photographs."""
    rows = choose(source)
    (target / "images").mkdir(parents=True, exist_ok=True)
    for row in rows:
        shrink(source / row["image"], target / row["image"])
    with (target / "list.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else Path(__file__).parent)
