"""More methods on Runs: what each is good for and costs, and the button that starts them."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services import methods as known
from lnl_core.services.runs import recipes, running
from lnl_core.types import DatasetInfo, Method
from pages import _jobs, _ui, _words
from pages._runs import knobs
from pages._ui import plain

PRESETS = {
    "quick": "Small networks, few epochs: minutes on a laptop.",
    "standard": "More epochs on pixels.",
    "paper": "Every knob as published: a GPU's work.",
}
_ROW, _ROOMY_ROW = 30, 42
"""Pixels of a line, the second on a large screen."""
GOOD_FOR = 258
"""Pixels of the column that says what a method is good for, with 10 at its edges."""
_TALL_ROW = 84
"""The same on a telephone, where what a method is good for stands below its name."""
_REPRESENTATIONS = {"": "chosen from the images", "pretrained": "pretrained", "raw": "raw pixels"}


def machine(row: DeltaGenerator) -> str:
    """Draw what runs will run on into the title row; return the device."""
    machines = {"auto": f"this machine: cpu, {_words.plural(_jobs.cores(), 'core')}"}
    if _jobs.has_gpu():
        machines = {"auto": "this machine: gpu", "cpu": machines["auto"]}
    device = row.selectbox(
        "Where",
        list(machines),
        format_func=machines.__getitem__,
        key="device",
        label_visibility="collapsed",
        width=210,
    )
    return device if device in machines else "auto"


def draw(info: DatasetInfo, device: str) -> None:
    """Draw every method to tick, behind one line where the recipe has not been started."""
    if st.session_state.pop("runs_started", False):  # what is under way is not ticked again
        st.session_state["ticked"] = {}
        st.session_state.pop("recipes", None)
        st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    with st.expander(
        "More methods", icon=":material/tune:", expanded=not recipes.missing(info), key="more"
    ):
        preset = _preset()
        published = [m for m in known.every() if not m.baseline]
        baselines = [m for m in known.every() if m.baseline]
        chosen: list[str] = []
        with st.container(gap=None, key="method_tables"):
            if published:
                chosen += _table(info, published, preset, "Method")
            if baselines:
                chosen += _table(info, baselines, preset, "Baselines")
        for problem in known.problems():
            st.warning(plain(problem), icon=":material/extension_off:")
        _start(info, chosen, preset, device)


def _preset() -> str:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        preset = st.segmented_control(
            "Preset",
            list(PRESETS),
            default="quick",
            required=True,
            key="preset",
            label_visibility="collapsed",
            width="content",
            persist_state="session",
        )
        preset = preset if preset in PRESETS else "quick"
        st.caption(PRESETS[preset], width="stretch")
    return preset


def _table(info: DatasetInfo, methods: list[Method], preset: str, title: str) -> list[str]:
    """Draw one table with a checkbox per method; return the ticked keys."""
    changed = knobs.overrides(info, preset)
    asked = [_as_default(info, m.key, preset) for m in methods]
    costs = [
        running.estimate(info, run, preset, changed.get(m.key))
        for run, m in zip(asked, methods, strict=True)
    ]
    narrow = _ui.narrow()
    key = f"{title}_{info.id}_{preset}_{st.session_state.get('ticks', 0)}_{int(narrow)}"
    now = st.session_state.setdefault("ticked", {})
    started, done = _jobs.started(info, preset), _jobs.started(info, preset, done=True)
    # An editor keeps its edits against the table it started with, so that must stay the same.
    if key not in st.session_state:
        st.session_state[f"start_{key}"] = dict(now)
    start = st.session_state[f"start_{key}"]
    marks = [" ✓" if m.key in done else " …" if m.key in started else "" for m in methods]
    names = [f"{m.title}{mark}" for m, mark in zip(methods, marks, strict=True)]
    lines = [_line(m) for m in methods]
    if narrow:
        names = [f"{name}: {line}" for name, line in zip(names, lines, strict=True)]
    table = pd.DataFrame(
        {
            "run": [start.get(m.key, False) for m in methods],
            "method": names,
            "time": [_words.short_clock(seconds) if seconds else "" for seconds, _ in costs],
            "gb": [f"{size / 1e9:.1f}" if size else "" for _, size in costs],
            "knobs": [
                ":material/tune: set" if m.key in changed else ":material/tune:" for m in methods
            ],
            "line": lines,
        }
    )
    line = _TALL_ROW if narrow else _ROOMY_ROW if _ui.roomy() else _ROW
    edited = st.data_editor(
        table,
        key=key,
        hide_index=True,
        disabled=["method", "line", "time", "gb"],
        row_height=line,
        height=line * len(methods) + min(line, _ROOMY_ROW) + (0 if narrow else 7),
        column_config={
            "run": st.column_config.CheckboxColumn("", width=32),
            "method": st.column_config.TextColumn(
                title,
                width=140 if narrow else 150,
                help="✓ has run with this preset; … is on its way.",
            ),
            "time": st.column_config.TextColumn("min:s", width=46, alignment="right"),
            "gb": st.column_config.TextColumn("GB", width=38, alignment="right"),
            "knobs": st.column_config.ButtonColumn(
                "", width=40, type="tertiary", key=f"knobs_{key}", alignment="right"
            ),
            "line": None if narrow else st.column_config.TextColumn("Good for", width=GOOD_FOR),
        },
        alt=f"{title}: tick what to run",
    )
    pressed = st.session_state.get(f"knobs_{key}")
    if pressed:
        knobs.open_drawer(info, methods[int(pressed["row"])].key, preset)
    now.update({m.key: bool(run) for m, run in zip(methods, edited["run"], strict=True)})
    return [m.key for m, run in zip(methods, edited["run"], strict=True) if run]


def _line(method: Method) -> str:
    """Return what a method is good for; a reconstruction says so."""
    line = (method.good_for or method.summary).rstrip(".")
    return f"reconstruction; {line}" if method.reconstruction else line


def _start(info: DatasetInfo, chosen: list[str], preset: str, device: str) -> None:
    changed = knobs.overrides(info, preset)
    asked = {key: _as_default(info, key, preset) for key in chosen}
    costs = {key: running.estimate(info, asked[key], preset, changed.get(key)) for key in chosen}
    order = sorted(chosen, key=lambda key: costs[key][0])  # the first queue comes first
    chains = _recipes(info, chosen)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="start_row"):
        runs = len(chosen) + sum(_added(chain, chosen) for chain in chains)
        label = f"Start {_words.plural(runs, 'run')}" if runs else "Start"
        fresh = bool(chains or set(chosen) - _jobs.started(info, preset))
        pressed = st.button(
            label,
            icon=":material/play_arrow:",
            type="primary" if fresh and not recipes.missing(info) else "secondary",
            disabled=not runs,
            key="start",
            help=None if fresh or not runs else "What is ticked is done or on its way already.",
        )
        words = st.empty()
        seed, representation, executor, train_on, judge = _options(info)
    if representation is not None:
        asked = {key: key for key in chosen}
        on = {key: known.on_features(key, representation) for key in chosen}
        costs = {key: running.estimate(info, on[key], preset, changed.get(key)) for key in chosen}
        order = sorted(chosen, key=lambda key: costs[key][0])
    shared = running.features_seconds(info, [asked[key] for key in chosen], representation)
    first = running.features_seconds(info, [asked[key] for key in order[:1]], representation)
    words.markdown(_cost_words(costs, order, shared, first), width="stretch")
    if pressed:
        run = {known.method_of(step) for chain in chains for step in known.steps(chain)}
        running.start_runs(
            info,
            [_on_base(key, asked[key]) for key in order] + chains,
            preset,
            overrides={key: changed[key] for key in changed if key in run | set(chosen)},
            representation=representation,
            seed=seed,
            device=device,
            executor=executor,
            train_on=train_on,
            judge=judge,
            by=_ui.reviewer(),
        )
        st.session_state["runs_started"] = True
        st.rerun()


def _recipes(info: DatasetInfo, chosen: list[str]) -> list[str]:
    """Ask what is post-trained and which recipes run as well; return the recipes."""
    combined = known.recipes()
    post = [known.title(key) for key in chosen if known.post_trains(key)]
    if not combined and not post:
        return []
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="recipe_row"):
        if post:
            kept, here = running.kept_networks(info), {each.key for each in known.every()}
            titles = {0: f"a fresh {known.yardstick().title.lower()} run"} | {
                job.id: f"run {job.id}, {known.title(job.method)}"
                for job in kept
                if job.method in here
            }
            st.selectbox(
                "Post-train",
                list(titles),
                format_func=titles.__getitem__,
                key="post_train",
                help=f"The network that {' and '.join(post)} starts from.",
                width=290,
            )
        asked = list(
            st.pills(
                "One method on what another found",
                list(combined),
                selection_mode="multi",
                format_func=combined.__getitem__,
                key="recipes",
                help="The second method builds on what the first one found.",
                wrap=True,  # one that stands to the right says nothing of itself
            )
        )
    building = [*chosen, *(known.steps(recipe)[-1] for recipe in asked)]
    for words in dict.fromkeys(known.method(key).after_words for key in building):
        if words:
            st.caption(words)
    return asked


def _on_base(key: str, asked: str) -> str:
    """Return what is asked for, or the method on the run that was chosen to be post-trained."""
    base = st.session_state.get("post_train") if known.post_trains(key) else 0
    return known.on_run(base, key) if base else asked


def _by_default(info: DatasetInfo) -> dict[str, str]:
    """Return method -> run of the default recipe, perhaps on frozen features."""
    return {known.method_of(run): run for run in running.default_recipe(info)}


def _as_default(info: DatasetInfo, key: str, preset: str) -> str:
    """Return the run of a method: as in the default recipe, where quick; else on its own ground.

    Where a person changed knobs, these are of its own ground.
    """
    own = preset != "quick" or key in knobs.overrides(info, preset)
    return key if own else _by_default(info).get(key, key)


def _added(recipe: str, chosen: list[str]) -> int:
    """Return how many runs a recipe adds to those of the ticked methods."""
    first, *rest = known.steps(recipe)
    return len(rest) + (first not in chosen)


def _cost_words(
    costs: dict[str, tuple[float, float]], order: list[str], shared: float, first: float
) -> str:
    """Return `about 5 min 40 s, 0.9 GB at most, first result after 6 s` as Markdown.

    Args:
        costs: method -> (seconds, bytes).
        order: keys in the order in which they run.
        shared: seconds for features that any of them needs; `first`, that the first one needs.
    """
    if not order:
        return ":gray[Tick what should run.]"
    seconds = recipes.START_SECONDS + shared + sum(cost for cost, _ in costs.values())
    soonest = recipes.START_SECONDS + first + costs[order[0]][0]
    memory = running.WORKER_BYTES + max(size for _, size in costs.values())
    words = f"**about {_words.about(seconds)}**"
    if memory > running.WORKER_BYTES:
        words += f", {_words.gigabytes(memory)} at most"
    words += f", first result after **{_words.about(soonest)}**"
    return f"{words}  \n:gray[:small[{basis(shared)}]]"


def basis(shared: float) -> str:
    """Say what all costs of the page rest on, and what features that are not there yet add once."""
    cores = _words.plural(_jobs.cores(), "core")
    words = f"All estimated for the processor here, {cores}"
    if _jobs.has_gpu():
        words += "; the graphics card is faster"
    start = f"{_words.about(recipes.START_SECONDS)} to start"
    if shared:
        return f"{words}. With {_words.about(shared)} for features, shared by all, and {start}."
    return f"{words}. With {start}."


def _splits(info: DatasetInfo) -> tuple[list[str], list[str]]:
    """Ask which splits are trained on and judged, where the set has some; none means all."""
    known = running.split_names(info)
    if len(known) < 2:
        return [], []
    asked = []
    for key, label, words in (
        ("train_on", "Train on", "Methods learn from these alone."),
        ("judge", "Judge", "Labels of these are judged; scores of all others stay blank."),
    ):
        choice = st.selectbox(
            label,
            ["", *known],
            format_func=lambda name: _ui.short(name, 40) if name else "all of the set",
            key=f"{key}_{info.id}",
            help=words,
        )
        asked.append([choice] if choice else [])
    return asked[0], asked[1]


def _options(info: DatasetInfo) -> tuple[int, str | None, str, list[str], list[str]]:
    """Ask for seed, features, splits and, where there is a choice, executor, out of the way."""
    with st.popover("Options", icon=":material/settings:", type="tertiary"):
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, key="seed", help="The same seed gives the same result."
        )
        features = _REPRESENTATIONS | running.feature_runs(info)
        representation = st.selectbox(
            "Features",
            list(features),
            format_func=lambda key: features.get(key, key),
            key=f"representation_{info.id}",
            help="What methods on features work with; computed once and shared. With those of a "
            "run, methods that otherwise train on pixels train a head on them.",
        )
        engines = running.usable_executors()
        executor = "local"
        if len(engines) > 1:
            executor = st.selectbox(
                "Runs on",
                engines,
                format_func=_jobs.executor_word,
                key="executor",
                help="Slurm and Ray take what the environment says, e.g. LNL_SLURM_PARTITION.",
            )
        train_on, judge = _splits(info)
    return int(seed), representation or None, executor, train_on, judge
