"""What it costs to begin: `lnl --help`, `lnl status`, the first page; beside what is unavoidable.

CPU seconds, not wall-clock: other people's load is not in them. The commands stand beside a bare
interpreter and `import sqlalchemy`. The first page stands beside a Streamlit app of three lines:
each server is started anew, a headless Chromium opens its first page, and what the server's process
has used until the page is drawn and still counts. Everything is run once before, so that no
bytecode is compiled; the least of the repeats counts, and both sides take turns.

    python benchmarks/startup.py [--repeats 5] [--no-pages] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from time import sleep
from typing import Any

import _out
import psutil
from _desk import REPO, chromium, ordinary

THREE_LINES = """import streamlit as st
st.title("Three lines")
st.write("and nothing else")
"""
COMMAND_BUDGET = 0.25
"""CPU seconds above a bare interpreter."""

PAGE_BUDGET = 1.5
"""Server CPU, as a multiple of the app of three lines."""


def spent(arguments: list[str], home: Path) -> float:
    """Return the CPU seconds of one Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        env=ordinary() | {"LNL_HOME": str(home), "PYTHONPATH": str(REPO)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(home: Path, repeats: int) -> dict[str, float]:
    """Return what each command costs, the least of the repeats."""
    asked = {
        "bare": ["-c", "pass"],
        "import sqlalchemy": ["-c", "import sqlalchemy"],
        "lnl --help": ["-m", "lnl_core", "--help"],
        "lnl status": ["-m", "lnl_core", "status"],
    }
    spent(
        ["-m", "lnl_core", "demo", "--digits"], home
    )  # a set to tell of; its tables are made by then
    for arguments in asked.values():
        spent(arguments, home)
    rounds = [{name: spent(each, home) for name, each in asked.items()} for _ in range(repeats)]
    return {name: round(min(each[name] for each in rounds), 3) for name in asked}


def first_page(browser: Any, script: Path, home: Path) -> float:
    """Start a server, let the browser open its first page, and return the server's CPU seconds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1")
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), *options],
        env=ordinary() | {"LNL_HOME": str(home), "PYTHONPATH": str(REPO)},
        cwd=script.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/_stcore/health")
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector("h1", timeout=60_000)
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        page.wait_for_load_state("networkidle")
        times = psutil.Process(server.pid).cpu_times()
        page.close()
        return float(times.user + times.system)
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            sleep(0.1)
    raise SystemExit(f"{url} did not answer within a minute")


def pages(home: Path, repeats: int) -> dict[str, float]:
    """Return the server's CPU for the first page: three lines, a new workspace, the demo set."""
    from playwright.sync_api import sync_playwright

    three = home / "three" / "three.py"
    three.parent.mkdir()
    three.write_text(THREE_LINES)
    app = REPO / "app.py"
    new, demo = home / "new", home / "demo"
    spent(["-m", "lnl_core", "demo", "--digits"], demo)
    places = {"three lines": (three, new), "first start": (app, new), "demo set": (app, demo)}
    with sync_playwright() as play:
        browser = chromium(play)
        for place in places.values():
            first_page(browser, *place)
        rounds = [
            {name: first_page(browser, *place) for name, place in places.items()}
            for _ in range(repeats)
        ]
        browser.close()
    return {name: round(min(each[name] for each in rounds), 2) for name in places}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-pages", action="store_true", help="the commands alone: no browser")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/startup.json")
    options = _out.parse(parser)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cpu = commands(home / "commands", options.repeats)
        seen = {} if options.no_pages else pages(home, options.repeats)
    found: dict[str, Any] = {
        "commands_cpu_s": cpu,
        "above_bare_s": {
            name: round(cpu[name] - cpu["bare"], 3) for name in cpu if name.startswith("lnl")
        },
        "command_budget_s": COMMAND_BUDGET,
        "first_page_cpu_s": seen,
        "times_three_lines": {
            name: round(seen[name] / seen["three lines"], 2) for name in list(seen)[1:]
        },
        "page_budget": PAGE_BUDGET,
    }
    print(json.dumps(found, indent=1))
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    within = all(each <= COMMAND_BUDGET for each in found["above_bare_s"].values())
    return 0 if within and all(r <= PAGE_BUDGET for r in found["times_three_lines"].values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
