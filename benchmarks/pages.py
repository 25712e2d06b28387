"""How soon every page's figures, tables and map are painted, beside an empty Streamlit page.

Beside each page of the app stands a page of some lines that shows the same figures and tables, as
the page itself gives them to Streamlit, made beforehand; of the map, Plotly's drawing. The set has
four runs and forty corrections by two people, so that Runs and Export have tables. Counted is from
the start of the navigation until the second animation frame in which all that is waited for is
there. Cold: a server and a browser's memory of their own for each load. Warm: the page was opened
before, in the same tab. Both sides take turns and the medians are compared, so that other people's
load is on both; the ratio is what counts.

Layout shift is the browser's own measure (0 is none, 0.1 what it calls good) from the first paint
of the page's content on, cold.

    python benchmarks/pages.py [--repeats 5] [--rows 2000] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _out  # noqa: E402
from benchmarks._desk import chromium, ordinary, register  # noqa: E402

BUDGET = 1.5
WAIT = 120_000  # ms
WARM = 2
"""Loads that follow a cold one, in the same tab."""

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
    "explore": [".st-key-explore-0-map canvas.gl-canvas"],
    "export": ["[data-testid=stRadio] label"],
}
"""Page -> the same on the empty page. The map is Plotly's there."""

DRAWN = ".st-key-{} .cartesianlayer .overplot :is(path,image)"
TABLE = "[data-testid=stDataFrame] canvas"

TABLED = {"quality": slice(None), "runs": slice(-1, None), "export": slice(1)}
"""Page -> its tables that stand open; others are drawn once they are unfolded."""

EMPTY = """import json
from pathlib import Path
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
st.set_page_config(layout="wide")
st.title("Empty")
here = Path(__file__).parent
name = st.query_params.get("page", "data")
for file in sorted(here.glob(f"{name}-*.json")):
    made = json.loads(file.read_text())
    st.plotly_chart(
        go.Figure(made["figure"]), theme=None, key=file.stem, config=made["config"]
    )
for file in sorted(here.glob(f"{name}-*.parquet")):
    st.dataframe(pd.read_parquet(file))
if name == "review":
    st.image(str(here / "picture.png"), width=500)
if name == "runs":
    st.button("Start")
if name == "export":
    st.radio("Format", ["a", "b", "c"], captions=["one", "two", "three"])
"""

WATCH = """(() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value;
  }).observe({ type: "layout-shift", buffered: true });
  const inside = (root, selector) => root.querySelector(selector) ||
    [...root.querySelectorAll("[data-testid=stBidiComponentIsolated]")].map(
      (host) => host.shadowRoot && host.shadowRoot.querySelector(selector)).find(Boolean);
  const look = () => {
    const wanted = WANTED.map((selector) => inside(document, selector));
    if (!wanted.every((each) => each && each.complete !== false)) {
      return requestAnimationFrame(look);
    }
    requestAnimationFrame(() => { window.painted = performance.now(); });
  };
  requestAnimationFrame(look);
})()"""


def make(home: Path, empty: Path, rows: int) -> tuple[str, dict[str, list[str]]]:
    """Write a set with runs, answers and a map, and the empty pages; return name and figures."""
    from PIL import Image

    from lnl_core.figures import embedding
    from lnl_core.figures.palette import TONES
    from lnl_core.jobs import queue
    from lnl_core.jobs.tasks import embedding as maps
    from lnl_core.review import consensus
    from lnl_core.services.explore import embedding as exploring
    from lnl_core.store import arrays, decisions
    from lnl_core.types import Action, Decision, JobState, Signals

    rng, k = np.random.default_rng(0), 10
    true = rng.integers(0, k, rows)
    given = np.where(rng.random(rows) < 0.1, (true + 1) % k, true)
    info = register(home, given, [f"class {c}" for c in range(k)], true)
    found, runs = [], {}
    for key in ("sr", "knn", "ce", "probe"):
        number = queue.submit(info, key).id
        queue.claim(info.workspace, number)
        queue.finish(info.workspace, number, JobState.DONE)
        probs = rng.dirichlet(np.ones(k), rows) * 0.4
        probs[np.arange(rows), true] += 0.6
        suspicion = 1 - probs[np.arange(rows), given]
        curves = {"p_given": (1 - suspicion) * np.linspace(0.4, 1, 8)[:, None]}
        found.append(Signals(key, suspicion, probs, curves=curves))
        arrays.save_signals(info.directory / "runs" / str(number), found[-1])
        runs[key] = number
    arrays.save_ranking(info.directory / "ranking", consensus.rank(found, given, k), runs)
    wrong = np.flatnonzero(given != true)[:40].tolist()
    said = [
        Decision(row, Action.RELABEL, f"reviewer {who}", label=int(true[row]))
        for who in "AB"
        for row in wrong
    ]
    decisions.append(info, said)
    settings = exploring.Settings(exploring.sources(info)[0].key)
    place = maps.place(info, maps.key_of(info, settings))
    arrays.write_array(place, (4 * rng.normal(size=(rows, 2)) + true[:, None]).astype(np.float32))
    facts = settings.as_dict() | {"n": info.n, "fitted": info.n, "seconds": 1.0}
    arrays.write_json(place.with_suffix(".json"), facts)

    layout = exploring.layout(info, place.stem)
    assert layout is not None
    p = np.asarray(arrays.load_ranking(info.directory / "ranking")[0].p_wrong)
    points = embedding.embedding_map(layout, p, [], lambda _: ("", "", ""), TONES["light"])
    write_figure(empty / "explore-0-map.json", points.to_json(), "{}")
    Image.new("RGB", (32, 32), "gray").save(empty / "picture.png")
    (empty / "app.py").write_text(EMPTY)
    return str(info.name), {name: copy(home, empty, name, str(info.name)) for name in PAGES}


def copy(home: Path, empty: Path, name: str, dataset: str) -> list[str]:
    """Write a page's own figures and tables for the empty page; return their keys, "" a table."""
    from streamlit.testing.v1 import AppTest

    os.environ |= {"LNL_HOME": str(home), "LNL_REVIEWER": "reviewer A"}  # nobody is asked
    address = urlsplit(PAGES[name][0])
    query = dict(parse_qsl(address.query)) | {"dataset": dataset}
    app = AppTest.from_file(str(REPO / "pages" / "_main.py"), default_timeout=120)
    app.query_params.update(query)
    app.run()
    if address.path:
        app.switch_page(str(REPO / "pages" / f"{address.path}.py"))
        app.query_params.update(query)
        app.run()
    assert not app.exception
    keys = []
    for number, element in enumerate(app.get("plotly_chart"), start=1):
        keys.append(str(element.proto.id).split("-", 2)[2])
        write_figure(
            empty / f"{name}-{number}-{keys[-1]}.json", element.proto.spec, element.proto.config
        )
    shown = app.dataframe[TABLED[name]] if name in TABLED else []
    for number, table in enumerate(shown, start=1):
        table.value.astype(str).to_parquet(empty / f"{name}-table-{number}.parquet")
        keys.append("")
    return keys


def write_figure(place: Path, figure: str, config: str) -> None:
    """Write a figure and how it is shown, both as JSON."""
    made = {"figure": json.loads(figure), "config": json.loads(config or "{}")}
    place.write_text(json.dumps(made))


def waited_for(name: str, keys: list[str]) -> tuple[list[str], list[str]]:
    """Return what has to be painted on a page, and on the empty page beside it."""
    figures = [key for key in keys if key]
    tables = [TABLE] if "" in keys else []
    ours = [DRAWN.format(key) for key in figures]
    like = [DRAWN.format(f"{name}-{number}-{key}") for number, key in enumerate(figures, start=1)]
    return [*PAGES[name][1], *ours, *tables], [*LIKE.get(name, []), *like, *tables]


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
             f"--server.port={self.port}", "--server.headless=true",
             "--server.address=127.0.0.1", "--runner.postScriptGC=false"],
            env=ordinary() | {"LNL_HOME": str(self.home), "LNL_REVIEWER": "reviewer A"}
            | {"PYTHONPATH": str(REPO)},
            cwd=self.script.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        give_up = monotonic() + 120
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


def load(page: Any, address: str, wanted: list[str]) -> tuple[float, float]:
    """Open an address; return ms until all is painted, and the layout shift until then."""
    page.add_init_script(WATCH.replace("WANTED", json.dumps(wanted)))
    page.goto(address)
    page.wait_for_function("window.painted", timeout=WAIT)
    return float(page.evaluate("window.painted")), float(page.evaluate("window.shift"))


def measure(browser: Any, site: Site, address: str, wanted: list[str]) -> dict[str, list[float]]:
    """Return cold and warm ms of one page on a server that begins, and its shift."""
    site.start()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        cold, shift = load(page, f"{site.url}/{address}", wanted)
        page.wait_for_timeout(1000)
        shift = float(page.evaluate("window.shift"))
        warm = []
        for _ in range(WARM):
            page.goto(f"{site.url}/{address}")
            page.wait_for_function("window.painted", timeout=WAIT)
            warm.append(float(page.evaluate("window.painted")))
    finally:
        context.close()
    return {"cold": [cold], "warm": warm, "shift": [shift]}


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
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        home, empty = Path(folder) / "home", Path(folder) / "empty"
        empty.mkdir(parents=True)
        dataset, figures = make(home, empty, options.rows)
        sites = Site(REPO / "app.py", home), Site(empty / "app.py", home)
        browser = chromium(play)
        for name in names:
            address, (wanted, like) = PAGES[name][0], waited_for(name, figures[name])
            joint = "&" if "?" in address else "?"
            sides: tuple[list[dict[str, list[float]]], list[dict[str, list[float]]]] = ([], [])
            for _ in range(options.repeats):
                ours = f"{address}{joint}dataset={dataset}"
                sides[0].append(measure(browser, sites[0], ours, wanted))
                sides[1].append(measure(browser, sites[1], f"?page={name}", like))
            rows[name] = _row(*sides)
            print(name, json.dumps(rows[name]), flush=True)
            options.out.write_text(json.dumps({"budget": BUDGET, "pages": rows}, indent=1) + "\n")
        browser.close()
        for site in sites:
            site.end()
    worst = max(max(row["cold_times"], row["warm_times"]) for row in rows.values())
    return 0 if worst <= BUDGET else 1


def _row(
    ours: list[dict[str, list[float]]], empty: list[dict[str, list[float]]]
) -> dict[str, float]:
    row: dict[str, float] = {"cold_loads": len(ours), "warm_loads": WARM * len(ours)}
    for kind in ("cold", "warm"):
        mine, theirs = (
            statistics.median(ms for each in side for ms in each[kind]) for side in (ours, empty)
        )
        row |= {f"{kind}_ms": round(mine), f"{kind}_empty_ms": round(theirs)}
        row[f"{kind}_times"] = round(mine / theirs, 2)
    return row | {"shift": round(statistics.median(each["shift"][0] for each in ours), 3)}


if __name__ == "__main__":
    raise SystemExit(main())
