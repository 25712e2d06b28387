"""Let eight people review in eight browsers at once; count what is doubled, lost or misnamed.

    python benchmarks/browsers.py --rows 400 --answers 25 --picture team.png

The whole way: a server without a login, one Chromium with a context (cookies, storage) for each
person. The first browser goes on unasked, the others are asked who they are and type a name. Then
all press keys at once, as soon as the picture counts and `--pace` seconds have passed. What the
browsers pressed is compared with what the store has, by image and name. `--url` names an empty
PostgreSQL database; else it is SQLite. `--picture` keeps what Team shows afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _desk, _out, reviewers  # noqa: E402

NAMES = ("reviewer A", "Ben", "Cleo", "Dana", "Emil", "Fay", "Gus", "Hana")
PATIENCE = 300_000
"""Milliseconds that a busy machine may take for what is usually done at once."""

COUNTED = """async (stage, before) => {
  for (;;) {
    const row = stage.querySelector(":scope > img")?.src.split("/").at(-2);
    if (row && row !== before && stage.dataset.counts === row) return row;
    if (!stage.isConnected) return null;
    await new Promise(requestAnimationFrame);
  }
}"""
"""The row on the stage, once an answer to it counts and it is another one than before."""


async def enter(browser: Any, address: str, name: str) -> tuple[Any, bool]:
    """Open Review in a browser of one's own; return its page, and whether it asked for a name."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto(address)
    await page.locator(".stage > img, .st-key-who_asked").first.wait_for()
    asked = bool(await page.locator(".st-key-who_asked").count())
    if asked:
        await page.get_by_label("Your name").fill(name)
        await page.keyboard.press("Enter")
    await page.locator(".stage > img").first.wait_for()
    return page, asked


async def review(page: Any, answers: int, pace: float) -> tuple[list[int], list[float]]:
    """Press a key on so many images; return their rows, and the seconds from key to next image."""
    rows: list[int] = []
    waits: list[float] = []
    row = await page.locator(".stage").evaluate(COUNTED, "")
    while len(rows) < answers:
        await asyncio.sleep(pace)
        rows.append(int(row))
        start = time.perf_counter()
        await page.keyboard.press("n" if len(rows) % 4 == 0 else "k")
        row = await page.locator(".stage").evaluate(COUNTED, row)
        waits.append(time.perf_counter() - start)
    await page.locator(".saved", has_text="All answers saved").wait_for()
    return rows, waits


async def session(url: str, dataset: str, options: Any) -> dict[str, Any]:
    """Let everybody in, review at once, and photograph Team; return what each one pressed."""
    from playwright.async_api import async_playwright

    address, names = f"{url}/review?dataset={quote(dataset)}", NAMES[: options.reviewers]
    async with async_playwright() as play:
        browser = await _desk.chromium(play)
        first = await enter(browser, address, names[0])
        others = await asyncio.gather(*(enter(browser, address, name) for name in names[1:]))
        people = (first, *others)
        start = time.perf_counter()
        done = await asyncio.gather(
            *(review(page, options.answers, options.pace) for page, _ in people)
        )
        seconds = time.perf_counter() - start
        if options.picture is not None:
            await photograph(people[0][0], f"{url}/team?dataset={quote(dataset)}", options.picture)
        await browser.close()
    return {
        "asked": sum(asked for _, asked in people),
        "seconds": round(seconds, 1),
        "waits": [wait for _, waits in done for wait in waits],
        "rows": dict(zip(names, (rows for rows, _ in done), strict=True)),
    }


async def photograph(page: Any, address: str, out: Path) -> None:
    """Write what a page shows, in few colours."""
    from PIL import Image

    await page.goto(address)
    await page.locator(".team-people").wait_for()
    await page.wait_for_timeout(3000)  # its thumbnails have come by then
    picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled"))).convert("RGB")
    picture.quantize(192, dither=Image.Dither.NONE).save(out, optimize=True)


def compare(sent: dict[str, list[int]], stored: list[tuple[int, str]]) -> dict[str, int]:
    """Count what the store has of what the browsers pressed, as (row, name)."""
    pressed = Counter((row, name) for name, rows in sent.items() for row in rows)
    kept, images = Counter(stored), Counter(row for row, _ in stored)
    return {
        "pressed": pressed.total(),
        "stored": kept.total(),
        "images": len(images),
        "doubled": kept.total() - len(images),
        "lost": (pressed - kept).total(),
        "under_another_name": (kept - pressed).total(),
    }


def measure(options: Any) -> dict[str, Any]:
    """Make a set, serve it, let everybody review, and count."""
    from lnl_core.store import datasets, decisions
    from lnl_core.store.db import dispose, open_workspace

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, socket.socket() as probe:
        home = Path(place)
        reviewers.make(home, options.rows, 0)
        ws = open_workspace(home, options.url)
        (info,) = datasets.datasets(ws)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        with _desk.Server(home, port, named="") as server:
            found = asyncio.run(session(server.url, info.name, options))
            cpu = server.cpu()
        stored = [(each.row, each.reviewer) for each in decisions.history(info, looks=True)]
        datasets.remove(info) if options.url else None
        dispose(ws)
    waits = 1000 * np.array(found["waits"])
    return {
        "asked_for_a_name": found["asked"],
        **compare(found["rows"], stored),
        "seconds": found["seconds"],
        "server_cpu_seconds": round(cpu, 1),
        "key_to_next_ms_median": round(float(np.median(waits)), 1),
        "key_to_next_ms_p95": round(float(np.quantile(waits, 0.95)), 1),
    }


def main() -> None:
    """Run one session and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--reviewers", type=int, default=8, choices=range(1, len(NAMES) + 1))
    parser.add_argument("--answers", type=int, default=25, help="of each person")
    parser.add_argument("--pace", type=float, default=0.5, help="seconds before each key")
    parser.add_argument("--url", help="of an empty PostgreSQL database")
    parser.add_argument("--picture", type=Path, help="PNG of Team afterwards")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/browsers.json")
    options = _out.parse(parser, grows=True)
    if options.url:
        os.environ["LNL_DATABASE_URL"] = options.url  # of the server, too
    known = json.loads(options.out.read_text("utf-8")) if options.out.is_file() else {}
    asked = {key: getattr(options, key) for key in ("rows", "reviewers", "answers", "pace")}
    known["postgresql" if options.url else "sqlite"] = asked | measure(options)
    print(json.dumps(known, indent=1))
    options.out.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
