"""Walk through a set that grows and moves: `python docs/walk.py`, some minutes on two cores.

Needs what `docs/screenshots.py` needs. Photographs of the demo become folders with splits, a class
that is spelled in two ways and a picture under two labels. They are imported, scored, added to,
moved and exported on the pages, and each step is photographed. With a folder as argument the
pictures go there, each light and dark.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import screenshots
from PIL import Image
from screenshots import lnl, server

NAME = "wardrobe"
PER_CLASS, ADDED = 24, 4
COUNT = 4
"""Classes that are taken, the largest ones."""

SHOWN = ("reading", "add", "conflict", "relink")
"""Pictures that the guides show."""


def main() -> None:
    """Make the folders, walk, photograph each step."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as place:
        home, data = Path(place, "home"), Path(place, "data")
        prepare(home, data)
        with server(home) as url, screenshots.window() as page:
            page.context.set_default_timeout(60_000)
            walk = Walk(page, url, data, home, out)
            for step in (read, score, grow, review_copies, split, move, export):
                step(walk)


def prepare(home: Path, data: Path) -> None:
    """Write a set as folders, and more of it, from the demo's photographs."""
    from lnl_core.services.workspace import dataset, open_workspace
    from lnl_core.store import datasets

    lnl(home, "demo")
    info = dataset(open_workspace(home), "Clothing photographs")
    loaded = datasets.load(info)
    of_class: dict[str, list[int]] = {name: [] for name in loaded.class_names}
    for row, label in enumerate(loaded.given_labels):
        of_class[loaded.class_names[int(label)]].append(row)
    found = sorted(of_class, key=lambda name: -len(of_class[name]))[:COUNT]
    for name in found:
        for at, row in enumerate(of_class[name][: PER_CLASS + ADDED]):
            part = ("train", "val")[at % 6 == 5]
            called = name.upper() if name == found[0] and at in (1, 2) else name
            folder = data / "more" / name if at >= PER_CLASS else data / "photos" / part / called
            save(loaded.images[row], folder / f"{row}.png")
        again = of_class[name][0]
        save(loaded.images[again], data / "more" / name / f"{again}-small.jpg")
    first, second = (of_class[name][3] for name in found[:2])
    save(loaded.images[first], data / "photos" / "train" / found[1] / f"{first}-again.png")
    save(loaded.images[second], data / "photos" / "val" / found[1] / f"{second}-again.jpg")
    save(loaded.images[of_class[found[0]][4]], data / "more" / "Scarf" / "new.png")
    lnl(home, "remove", "Clothing photographs", "--yes")


def save(pixels: Any, file: Path) -> None:
    """Write one picture."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


class Walk:
    """A window on the app, and where things are."""

    def __init__(self, page: Any, url: str, data: Path, home: Path, out: Path | None) -> None:
        self.page, self.url, self.data, self.home, self.out = page, url, data, home, out

    def visit(self, path: str, **query: str) -> None:
        """Open a page of the set."""
        asked = "&".join(f"{key}={value}" for key, value in ({"dataset": NAME} | query).items())
        self.page.goto(f"{self.url}/{path}?{asked}")
        screenshots.Desk(self.page, self.url, "").rest()

    def press(self, name: str) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=False).first.click()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing runs."""
        self.page.wait_for_timeout(700)
        self.page.wait_for_selector("[data-test-script-state=notRunning]")
        self.page.wait_for_timeout(700)

    def keep(self, name: str) -> None:
        """Photograph the window."""
        if self.out is None:
            if name in SHOWN:
                screenshots.save(self.page, f"growing-{name}")
            return
        self.out.mkdir(exist_ok=True, parents=True)
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_timeout(800)
            self.page.screenshot(path=self.out / f"{name}-{scheme}.png", animations="disabled")
        self.page.emulate_media(color_scheme="light")


def read(walk: Walk) -> None:
    """Import the folders: what was read, the question about the class spelled in two ways."""
    walk.page.goto(walk.url)
    walk.settle()
    walk.press("Folder per class")
    walk.page.get_by_label("Folder on this computer").fill(str(walk.data / "photos"))
    walk.page.get_by_text("Recognised").wait_for()
    walk.settle()
    walk.keep("reading")
    walk.page.get_by_text("one class", exact=True).first.click()
    walk.page.locator("[data-testid=stAlert]").get_by_text("Recognised").wait_for()
    walk.settle()
    walk.page.get_by_label("Name", exact=True).fill(NAME)
    walk.settle()
    walk.press("Import only")
    walk.page.get_by_text("images in, ").wait_for()


def score(walk: Walk) -> None:
    """Run the first method, at the command line."""
    lnl(walk.home, "run", NAME, "--methods", "probe")
    walk.visit("")
    walk.keep("card")


def grow(walk: Walk) -> None:
    """Add images: what is new, there already, a copy."""
    walk.visit("", data_tab="Settings")
    walk.page.get_by_text("Settings", exact=True).first.click()
    walk.settle()
    walk.press("Add images")
    walk.page.get_by_label("Folder or file on this computer").fill(str(walk.data / "more"))
    walk.page.get_by_text("No classes of this set").wait_for()
    walk.settle()
    walk.page.get_by_text("Beside the").scroll_into_view_if_needed()
    walk.keep("add")
    walk.page.get_by_text("Labels that this set does not have", exact=False).first.click()
    walk.settle()
    walk.page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    walk.page.get_by_text("added,").wait_for()
    walk.settle()
    walk.keep("added")


def review_copies(walk: Walk) -> None:
    """A picture under two labels comes first, with its copies."""
    walk.visit("review")
    walk.page.locator(".stage > img").wait_for()
    walk.page.wait_for_timeout(1500)
    walk.keep("conflict")


def split(walk: Walk) -> None:
    """The queue of one split."""
    walk.visit("review", split="val")
    walk.page.locator(".stage > img").wait_for()
    walk.keep("split")


def move(walk: Walk) -> None:
    """The folder moves; the set is pointed to it."""
    moved = walk.data / "moved"
    shutil.move(walk.data / "photos", moved)
    walk.visit("")
    walk.page.get_by_text("Settings", exact=True).first.click()
    walk.settle()
    walk.press("Point to another folder")
    walk.page.get_by_label("Folder on this computer").fill(str(moved))
    walk.keep("relink")
    walk.press("Compare and point there")
    walk.page.wait_for_timeout(1500)
    walk.keep("relinked")


def export(walk: Walk) -> None:
    """What leaves, with its splits."""
    walk.visit("export")
    walk.page.get_by_text("Cleaned manifest", exact=True).click()
    walk.settle()
    walk.keep("export")


if __name__ == "__main__":
    main()
