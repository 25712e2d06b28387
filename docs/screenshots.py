"""Take the pictures of the guides: `python docs/screenshots.py`, some minutes on two cores.

Needs Chromium and Playwright (extra `test`). In a workspace of its own it registers the digits,
runs methods on it, answers a few images, and photographs each page: 1280 wide, light theme, few
colours. With a folder as argument that workspace is kept, and used again by the next call.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

REPO = Path(__file__).resolve().parents[1]
PICTURES = Path(__file__).with_name("images")
SET = "Handwritten digits"
METHODS = "probe,knn,sr,jump,ce,hnml,dmlp"
ANSWERS = 60
"""Images that are answered before the pictures are taken, most suspicious first."""

COLOURS = 192
"""Colours of a picture: 30 to 120 kB each."""

PATIENCE = 180_000
"""Milliseconds that a busy machine may take."""


def main() -> None:
    """Make the workspace, start the app, take every picture."""
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    home = kept or Path(tempfile.mkdtemp())
    try:
        doubted = prepare(home)
        with server(home) as url, window() as page:
            for name, take in SCENES.items():
                take(Desk(page, url, doubted))
                save(page, name)
            answer_as_others(home)
            team(Desk(page, url, doubted))
            save(page, "team")
        stopping(home / "stopping")
    finally:
        if kept is None:
            shutil.rmtree(home, ignore_errors=True)


def prepare(home: Path) -> str:
    """Register the digits, run the methods that have not run, answer the head of the queue.

    Returns:
        The id of an image that is suspected and has no answer.
    """
    lnl(home, "demo", "--digits")
    (found,) = json.loads(lnl(home, "status", "--json"))["datasets"]
    done = {run["method"] for run in found["runs"] if run["state"] == "done"}
    missing = [key for key in METHODS.split(",") if key not in done]
    if missing:
        lnl(home, "run", SET, "--methods", ",".join(missing))
    scores, answers = home / "scores.csv", home / "answers.csv"
    if not scores.is_file():
        lnl(home, "rank", SET, "--out", str(scores))
    with scores.open(encoding="utf-8-sig", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: -float(row["suspicion"]))
    with answers.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "action", "label"])
        for row in rows[:ANSWERS]:
            writer.writerow([row["id"], "relabel", row["suggested_label"]])
        for row in rows[-ANSWERS // 3 :]:
            writer.writerow([row["id"], "keep", ""])
    lnl(home, "decide", SET, "--file", str(answers), "--reviewer", "reviewer A")
    return rows[ANSWERS + 2]["id"]


def answer_as_others(home: Path) -> None:
    """Let two more people answer the head of the queue, each with an opinion of their own."""
    with (home / "answers.csv").open(encoding="utf-8", newline="") as stream:
        mine = list(csv.DictReader(stream))
    for name, every, n in (("reviewer B", 11, ANSWERS), ("reviewer C", 7, ANSWERS - 5)):
        theirs = [
            {**row, "action": "keep" if i % every == 3 else row["action"]}
            for i, row in enumerate(mine[:n])
        ]
        with (home / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(mine[0]))
            writer.writeheader()
            writer.writerows(
                {**row, "label": row["label"] if row["action"] == "relabel" else ""}
                for row in theirs
            )
        lnl(home, "decide", SET, "--file", str(home / f"{name}.csv"), "--reviewer", name)


def lnl(home: Path, *arguments: str) -> str:
    """Run a command on the workspace; return what it prints."""
    command = [sys.executable, "-m", "lnl_core", *arguments]
    return subprocess.run(
        command, cwd=REPO, env=environment(home), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a fresh installation."""
    found = {k: v for k, v in os.environ.items() if not k.startswith(("LNL_", "STREAMLIT_"))}
    named = {"LNL_REVIEWER": "reviewer A"}  # whose answers the pictures show
    return found | named | {"LNL_HOME": str(home), "PYTHONPATH": str(REPO)}


@contextmanager
def server(home: Path) -> Iterator[str]:
    """Serve the app on a free port; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    process = subprocess.Popen(
        [*command, f"--server.port={port}"], cwd=REPO, env=environment(home),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + PATIENCE / 1000
        while process.poll() is None and time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def window() -> Iterator[Any]:
    """Open a light window, 1280 wide, in Chromium."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme="light", reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
        browser.close()


def save(page: Any, name: str) -> None:
    """Write what the window shows with few colours."""
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    few.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


# Scenes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Desk:
    """A window on the app: its page, the app's address, the id of a suspected image."""

    page: Any
    url: str
    doubted: str

    def visit(self, path: str, **query: str) -> None:
        """Open a page of the set and wait until it has come to rest."""
        asked = "".join(f"&{key}={quote(value)}" for key, value in query.items())
        self.page.goto(f"{self.url}/{path}?dataset={quote(SET)}{asked}")
        self.rest()

    def rest(self) -> None:
        """Wait until the script has run, figures are drawn and pictures have come."""
        self.page.wait_for_selector("[data-testid=stMainBlockContainer]")
        self.page.wait_for_timeout(600)
        self.page.wait_for_selector("[data-test-script-state=notRunning]")
        under_way = self.page.locator("[data-testid=stSidebar] [data-testid=stProgress]")
        under_way.wait_for(state="detached")  # a map that is laid out is in no guide's way
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(1200)


def data(desk: Desk) -> None:
    """Show the card of the set."""
    desk.visit("")


def add(desk: Desk) -> None:
    """Show the ways to add a set."""
    desk.visit("")
    desk.page.get_by_role("button", name="Add data set").first.click()
    desk.page.wait_for_timeout(800)


def runs(desk: Desk) -> None:
    """Show methods, costs and finished runs."""
    desk.visit("runs")


def review(desk: Desk) -> None:
    """Show an image before the answer."""
    desk.visit("review")
    desk.page.locator(".stage > img").wait_for()


def evidence(desk: Desk) -> None:
    """Show the evidence after the answer, with the map over the image."""
    desk.visit("review", id=desk.doubted)
    desk.page.locator(".stage > img").wait_for()
    desk.page.keyboard.press("w")
    desk.page.locator(".choice.first .name").wait_for()
    desk.page.wait_for_timeout(4000)  # the maps are drawn by then
    desk.page.keyboard.press("c")
    desk.page.wait_for_timeout(1500)


def together(desk: Desk) -> None:
    """Show twelve images of one class at once."""
    review(desk)
    desk.page.keyboard.press("g")
    desk.rest()


def explore(desk: Desk) -> None:
    """Show the map; the first time it has to be laid out."""
    desk.visit("explore")
    make = desk.page.get_by_role("button", name="Lay out the map")
    if make.count():
        make.first.click()
    desk.page.locator(".map[data-painted]").wait_for()
    desk.rest()


def compare(desk: Desk) -> None:
    """Show what the methods find where the truth is known."""
    desk.visit("compare")
    desk.page.locator("[data-testid=stPlotlyChart] .main-svg").first.wait_for()
    desk.rest()


def export(desk: Desk) -> None:
    """Show the formats and the preview."""
    desk.visit("export")


def team(desk: Desk) -> None:
    """Show who did what, what to settle, how far people agree."""
    desk.visit("team")
    desk.page.locator(".team-line").first.wait_for()
    desk.rest()


def stopping(home: Path) -> None:
    """Show what is left at four stages of one review, and the certificate at its end."""
    if not home.is_dir():
        lnl(home, "demo", "--digits")
        lnl(home, "run", SET, "--methods", "probe")
    with server(home) as url, window() as page:
        desk = Desk(page, url, "")
        for stage, answers in enumerate((0, 150, 350, 2000), 1):
            answer(home, answers)
            review(desk)
            if stage < 4:  # at the end the strip says that one may stop
                page.locator("button.left, .leftsec .plainbtn").first.click()
                page.locator(".overlay .sheet").wait_for()
            save(page, f"stopping-{stage}")
        export(desk)
        page.get_by_role("button", name="Read it").click()
        page.wait_for_timeout(2500)
        save(page, "certificate")


def answer(home: Path, answers: int) -> None:
    """Answer so many images as a person who never errs does, until the goal is reached."""
    from lnl_core.services.review import desk, goals, recording
    from lnl_core.services.workspace import dataset, open_workspace
    from lnl_core.store import datasets

    info = dataset(open_workspace(home), SET)
    data, who = datasets.load(info), "reviewer A"
    while answers > 0 and not goals.stand(info).holds:
        entries = []
        for item in desk.review_state(info, who).items[: min(answers, 25)]:
            row = item["row"]
            right, truth = data.given_labels[row] == data.true_labels[row], data.true_labels[row]
            said = {"action": "keep"} if right else {"action": "relabel", "label": int(truth)}
            entries.append({"cid": uuid.uuid4().hex, "row": row, "ms": 1500, **said})
        recording.record(info, who, entries)
        answers -= len(entries)


SCENES: dict[str, Callable[[Desk], None]] = {
    "data": data,
    "data-add": add,
    "runs": runs,
    "review": review,
    "review-evidence": evidence,
    "review-page": together,
    "explore": explore,
    "compare": compare,
    "export": export,
}
"""Name of the picture -> what brings the window there."""


if __name__ == "__main__":
    main()
