"""A set with runs and answers, and beside each of the app's pages an empty one with its figures.

The empty pages are a Streamlit app of its own in a folder: the same settings as the app, a
navigation, and on each page nothing but the figures, tables and pictures of the app's page, as the
app itself gives them to Streamlit, made beforehand. Explore's map is the app's own, from the app's
own routes. Each page imports only what it shows.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from benchmarks._desk import register

REPO = Path(__file__).resolve().parents[1]
MAP = "explore-map-1"
TABLED = {"quality": slice(None), "runs": slice(-1, None), "export": slice(1)}
"""Page -> its tables that stand open; others are drawn once they are unfolded."""

LAUNCHER = """from pathlib import Path
import streamlit as st
from pages import _routes
from pages._explore import routes
every = [*_routes.ROUTES, *routes.ROUTES]
app = st.App(Path(__file__).parent / "script.py", routes=every)
"""

SCRIPT = """import json
from pathlib import Path
import streamlit as st
HERE = Path(__file__).parent
st.set_page_config(layout="wide")

def show(name):
    st.title(name)
    for file in sorted(HERE.glob(f"{name}-*.json")):
        import plotly.graph_objects as go
        made = json.loads(file.read_text())
        st.plotly_chart(
            go.Figure(made["figure"]),
            theme=None, key=file.stem, config=made["config"], height=made["height"],
        )
    for file in sorted(HERE.glob(f"{name}-*.parquet")):
        import pandas as pd
        st.dataframe(pd.read_parquet(file))
    if name == "review":
        st.image(str(HERE / "picture.png"), width=500)
    if name == "runs":
        st.button("Start")
    if name == "explore":
        from pages._components.explore_map import explore_map
        explore_map("KEY", json.loads((HERE / "map.json").read_text()))
    if name == "export":
        st.radio("Format", ["a", "b", "c"], captions=["one", "two", "three"])

pages = [
    st.Page(lambda name=name: show(name), title=name, url_path=name)
    for name in ["empty", *NAMES]
]
st.navigation(pages).run()
""".replace("KEY", MAP)


def make(
    home: Path, empty: Path, rows: int, pages: dict[str, str]
) -> tuple[str, dict[str, list[str]]]:
    """Write a set with runs, answers and a map, and the empty pages; return name and figures.

    Args:
        home: the workspace.
        empty: folder of the app with empty pages.
        rows: images of the set.
        pages: page -> address.
    """
    from PIL import Image

    name = _write_set(home, rows)
    Image.new("RGB", (32, 32), "gray").save(empty / "picture.png")
    (empty / "app.py").write_text(LAUNCHER)
    (empty / "script.py").write_text(SCRIPT.replace("NAMES", repr(list(pages))))
    shutil.copytree(REPO / ".streamlit", empty / ".streamlit")
    return name, {page: copy(home, empty, page, pages[page], name) for page in pages}


def _write_set(home: Path, rows: int) -> str:
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
    positions = (4 * rng.normal(size=(rows, 2)) + true[:, None]).astype(np.float32)
    maps.write(info, settings, positions, info.n)
    return str(info.name)


def copy(home: Path, empty: Path, name: str, where: str, dataset: str) -> list[str]:
    """Write a page's own figures and tables for the empty page; return their keys, "" a table."""
    from streamlit.testing.v1 import AppTest

    os.environ |= {"LNL_HOME": str(home), "LNL_REVIEWER": "reviewer A"}  # nobody is asked
    address = urlsplit(where)
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
        figure = json.loads(element.proto.spec)
        made = {
            "figure": figure,
            "config": json.loads(element.proto.config or "{}"),
            "height": figure["layout"].get("height", "content"),
        }
        (empty / f"{name}-{number}-{keys[-1]}.json").write_text(json.dumps(made))
    shown = app.dataframe[TABLED[name]] if name in TABLED else []
    for number, table in enumerate(shown, start=1):
        table.value.astype(str).to_parquet(empty / f"{name}-table-{number}.parquet")
        keys.append("")
    for part in app.get("bidi_component"):
        if str(part.proto.id).endswith(f"-{MAP}"):
            (empty / "map.json").write_text(json.dumps(json.loads(part.proto.json)[0]))
    return keys
