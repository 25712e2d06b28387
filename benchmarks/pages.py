"""How soon every page's figures, tables and map are painted, beside an empty Streamlit page.

Beside each page of the app stands an empty page of another Streamlit app with the same settings
that shows the same figures and tables (`_empty.py`). The set has four runs and forty corrections by
two people, so that Runs and Export have tables. Four figures of each, of both sides in turn:

cold      a server and a browser's memory of their own for each load
warm      the page was opened before, in the same tab
click     from the press on the page's name in the sidebar of another page
settled   warm, until no skeleton is left and the server has sent all

Each lasts from its start until the second animation frame in which all that is waited for is there.
A turn is both sides, one after the other, the first by turns; what counts is the median of the
turns' ratios, so that other people's load is on both. Beside the time stand the seconds of a core
that server and browser used meanwhile: on a busy machine they say more. `messages` and `bytes` are
what the server sent for a warm load by its own connection.

Layout shift is the browser's own measure (0 is none, 0.1 what it calls good) from the first paint
of the page's content on, cold and warm, the larger.

    python benchmarks/pages.py [--repeats 5] [--rows 2000] [--only data,runs] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _empty, _out  # noqa: E402
from benchmarks._desk import chromium, ordinary  # noqa: E402

BUDGET, MOST_SHIFT = 1.5, 0.03
WAIT = 120_000  # ms
TURNS = 3
"""Warm loads and clicks after each cold one, in the same tab."""

PAGES: dict[str, tuple[str, list[str]]] = {
    "data": ("", []),
    "runs": ("runs", [".st-key-recipe_card button"]),
    "review": ("review", [".stage > img"]),
    "explore": ("explore", [".map[data-painted]"]),
    "quality": ("compare?view=quality", []),
    "losses": ("compare?view=losses", []),
    "agreement": ("compare?view=agreement", []),
    "export": ("export", ["[data-testid=stRadio] label"]),
}
"""Page -> address, and what has to be painted beside figures and tables, in shadow trees too."""

LIKE = {
    "runs": ["[data-testid=stButton] button"],
    "review": ["[data-testid=stImage] img"],
    "explore": [".map[data-painted]"],
    "export": ["[data-testid=stRadio] label"],
}
"""Page -> the same on the empty page."""

CLICKED = {name: name.title() for name in ("data", "runs", "review", "explore", "export")} | {
    "quality": "Compare"
}
"""Page -> its name in the sidebar; the others are a press further."""

DRAWN = ".st-key-{} .cartesianlayer .overplot :is(path,image)"
TABLE = "[data-testid=stDataFrame] canvas"

WATCH = """(() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value;
  }).observe({ type: "layout-shift", buffered: true });
  const inside = (root, selector) => root.querySelector(selector) ||
    [...root.querySelectorAll("[data-testid=stBidiComponentIsolated]")].map(
      (host) => host.shadowRoot && host.shadowRoot.querySelector(selector)).find(Boolean);
  const there = () => WANTED.map((selector) => inside(document, selector))
    .every((each) => each && each.complete !== false);
  const still = () => there() && !document.querySelector("[data-testid=stSkeleton]") &&
    document.querySelector(".stApp")?.dataset.testScriptState === "notRunning";
  const once = (found, act) => requestAnimationFrame(() => found()
    ? requestAnimationFrame(() => act(performance.now())) : once(found, act));
  window.measure = (from) => once(there, (painted) => {
    console.log(`painted ${painted - from}`);
    once(still, (settled) => console.log(`settled ${settled - from}`));
  });
  if (location.pathname !== AWAY) return window.measure(0);
  document.addEventListener("pointerdown", ({ timeStamp }) =>
    requestAnimationFrame(() => window.measure(timeStamp)), { capture: true, once: true });
})()"""
"""Says in the console when all is painted, and when all has come, counted from the start of the
navigation or of the press."""


class Site:
    """A server that can be started anew."""

    def __init__(self, script: Path, home: Path) -> None:
        self.script, self.home, self.process = script, home, None
        with socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, in place of the one before."""
        self.end()
        self.process: Any = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(self.script),
             f"--server.port={self.port}", "--server.headless=true"],
            env=ordinary() | {"LNL_HOME": str(self.home), "LNL_REVIEWER": "reviewer A"}
            | {"PYTHONPATH": str(REPO)},
            cwd=self.script.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        give_up = monotonic() + WAIT / 1000
        while monotonic() < give_up:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).close()
                return
            except OSError:
                sleep(0.1)
        raise SystemExit(f"{self.script} did not start")

    def end(self) -> None:
        """Stop it."""
        if self.process:
            self.process.terminate()
            self.process.wait()


class Side:
    """One of the two pages that are compared, in a tab of its own."""

    def __init__(self, site: Site, address: str, wanted: list[str], away: str, link: str) -> None:
        self.site, self.wanted, self.link = site, wanted, link
        self.address, self.away = f"{site.url}/{address}", f"{site.url}/{away}"
        self.found: dict[str, list[float]] = {}

    def open(self, browser: Any) -> None:
        """Start its server and load the page for the first time."""
        self.site.start()
        self.context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.page = self.context.new_page()
        told = {"WANTED": self.wanted, "AWAY": urlsplit(self.away).path}
        text = WATCH
        for word, value in told.items():
            text = text.replace(word, json.dumps(value))
        self.page.add_init_script(text)
        self.page.on("websocket", lambda ws: ws.on("framereceived", self._count))
        self._load("cold")

    def _count(self, frame: Any) -> None:
        self.messages, self.bytes = self.messages + 1, self.bytes + len(frame)

    def warm(self) -> None:
        """Load the page again."""
        self._load("warm")

    def _load(self, kind: str) -> None:
        self._timed(kind, lambda: self.page.goto(self.address, wait_until="commit"))
        self._keep("shift", float(self.page.evaluate("window.shift")))

    def click(self) -> None:
        """Go to the page from another one by its name in the sidebar."""
        self.page.goto(self.away)
        link = self.page.get_by_test_id("stSidebarNavLink").filter(has_text=self.link)
        link.wait_for(timeout=WAIT)
        self.page.wait_for_selector(".stApp[data-test-script-state=notRunning]", timeout=WAIT)
        self.page.wait_for_timeout(500)
        self._timed("click", link.click)

    def _timed(self, kind: str, act: Callable[[], object]) -> None:
        self.messages = self.bytes = 0
        before, heard = self._cpu(), {}

        def said(word: str) -> Callable[[Any], bool]:
            return lambda message: bool(message.text.startswith(word))

        with self.page.expect_console_message(said("settled"), timeout=WAIT) as settled:
            with self.page.expect_console_message(said("painted"), timeout=WAIT) as painted:
                act()
            heard[kind] = painted.value
            spent = self._cpu() - before
        heard[f"{kind}_settled"] = settled.value
        for name, message in heard.items():
            self._keep(name, float(message.text.split()[1]))
        self._keep(f"{kind}_cpu", 1000 * spent)
        self._keep(f"{kind}_messages", self.messages)
        self._keep(f"{kind}_bytes", self.bytes)

    def _keep(self, name: str, value: float) -> None:
        self.found.setdefault(name, []).append(value)

    def _cpu(self) -> float:
        """Return the seconds of a core that server and browser have used; the other tab is idle."""
        import psutil

        spent = 0.0
        own = psutil.Process(self.site.process.pid)
        children = psutil.Process().children(recursive=True)
        for each in [own, *(each for each in children if each.ppid() != psutil.Process().pid)]:
            try:
                if each is own or "chrom" in each.name():
                    spent += sum(each.cpu_times()[:2])
            except psutil.Error:  # it has ended
                continue
        return spent

    def close(self) -> None:
        """Close the tab, and forget what the browser has kept for it."""
        self.context.close()


def compare(browser: Any, sides: tuple[Side, Side], repeats: int) -> None:
    """Measure both sides of a page in turns, each of which one of them begins."""
    for repeat in range(repeats):
        order = sides if repeat % 2 else sides[::-1]
        for side in order:
            side.open(browser)
        for _ in range(TURNS):
            for side in order:
                side.warm()
            order = order[::-1]
        for _ in range(TURNS if sides[0].link else 0):
            for side in order:
                side.click()
            order = order[::-1]
        for side in sides:
            side.close()


def row(ours: dict[str, list[float]], empty: dict[str, list[float]]) -> dict[str, float]:
    """Return both sides' medians, and the median ratio of what was measured in one turn."""
    said: dict[str, float] = {"cold_loads": len(ours["cold"]), "warm_loads": len(ours["warm"])}
    for name in ("cold", "warm", "warm_settled", "click"):
        if name not in ours:
            continue
        said |= {
            f"{name}_ms": round(statistics.median(ours[name])),
            f"{name}_empty_ms": round(statistics.median(empty[name])),
            f"{name}_times": _times(ours[name], empty[name]),
        }
        cpu = f"{name}_cpu"
        if cpu in ours:
            said |= {
                f"{cpu}_ms": round(statistics.median(ours[cpu])),
                f"{cpu}_times": _times(ours[cpu], empty[cpu]),
            }
    for name in ("messages", "bytes"):
        for side, values in (("", ours), ("empty_", empty)):
            said[f"warm_{side}{name}"] = round(statistics.median(values[f"warm_{name}"]))
    return said | {"shift": round(statistics.median(ours["shift"]), 3)}


def _times(ours: list[float], empty: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, empty, strict=True)), 2)


def waited_for(name: str, keys: list[str]) -> tuple[list[str], list[str]]:
    """Return what has to be painted on a page, and on the empty page beside it."""
    figures = [key for key in keys if key]
    tables = [TABLE] if "" in keys else []
    ours = [DRAWN.format(key) for key in figures]
    like = [DRAWN.format(f"{name}-{number}-{key}") for number, key in enumerate(figures, start=1)]
    return [*PAGES[name][1], *ours, *tables], [*LIKE.get(name, []), *like, *tables]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--only", default="", help="pages, by comma")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/pages.json")
    options = _out.parse(parser)
    from playwright.sync_api import sync_playwright

    names = options.only.split(",") if options.only else list(PAGES)
    rows: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:  # a page that fails leaves no server behind
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        play = stack.enter_context(sync_playwright())
        home, empty = Path(folder) / "home", Path(folder) / "empty"
        empty.mkdir(parents=True)
        addresses = {name: PAGES[name][0] for name in names}
        dataset, figures = _empty.make(home, empty, options.rows, addresses)
        app, plain, routed = (
            Site(script, home)
            for script in (REPO / "app.py", empty / "script.py", empty / "app.py")
        )
        stack.callback(lambda: [site.end() for site in (app, plain, routed)])
        browser = chromium(play)
        for name in names:
            wanted, like = waited_for(name, figures[name])
            joint, asks = "&" if "?" in addresses[name] else "?", f"dataset={dataset}"
            link = CLICKED.get(name, "")
            beside = routed if name == "explore" else plain
            sides = (
                Side(app, f"{addresses[name]}{joint}{asks}", wanted, f"team?{asks}", link),
                Side(beside, name, like, "", name if link else ""),
            )
            compare(browser, sides, options.repeats)
            rows[name] = row(*(side.found for side in sides))
            print(name, json.dumps(rows[name]), flush=True)
            options.out.write_text(json.dumps({"budget": BUDGET, "pages": rows}, indent=1) + "\n")
    return 0 if all(map(_kept, rows.values())) else 1


def _kept(said: dict[str, float]) -> bool:
    return max(said["cold_times"], said["warm_times"]) <= BUDGET and said["shift"] <= MOST_SHIFT


if __name__ == "__main__":
    raise SystemExit(main())
