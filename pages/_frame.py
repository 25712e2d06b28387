"""The sidebar: data set, running job, reviewer; and the login gate."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lnl_core.figures.palette import TONES
from lnl_core.services import methods
from lnl_core.services.review.holding import give_back
from lnl_core.services.runs import control
from lnl_core.services.runs.running import reconcile
from lnl_core.services.workspace import datasets, is_full, read_only
from lnl_core.types import Job, JobState, Workspace
from pages import _jobs, _ui, _urls, _who, _words
from pages._ui import plain

_STYLE = """<style>
.st-key-demo_card{border-color:ACCENT;padding:22px 24px}
.st-key-ways .stElementContainer+.stElementContainer{border-top:1px solid EDGE4D}
:root :is([data-variant="segmented_control"],[data-variant="pills"])[data-selected="true"] p,
:root [data-testid="stSliderThumbValue"] p{color:ACCENT}
:root [data-testid="stDialog"]{background-color:rgb(0 0 0/SHADE)}
[data-testid="stDialog"] :has(>[role="dialog"]):has(.st-key-import_foot){overflow:clip}
[role="dialog"] :has(>:is(.st-key-import_foot,.st-key-knobs_foot)){position:sticky;
  bottom:-30px;z-index:1;padding:10px 0 14px;background:GROUND;box-shadow:0 -1px 0 EDGE4D}
[role="dialog"] :has(>.st-key-knobs_foot){bottom:-22px}
:root :is(a,button,summary,[role="tab"],.stMain):focus-visible{
  outline:2px solid ACCENT!important;outline-offset:1px}
:root button:is([kind="secondary"],[kind="tertiary"]):is([aria-expanded="true"],:active),
:root button[kind="tertiary"]:hover{color:ACCENT}
</style>"""
"""A focus ring and buttons that are open, pressed or pointed at, of enough contrast, which no theme
key reaches; what lies behind a dialog darker than it, in the dark too; the finish of the first
visit; buttons of an import and of knobs in sight below what they are about; the rest is native. The
gutters are in `_shell`, so that they stand before the first element. Where a rule stops matching,
only that detail falls back to Streamlit's own look."""

_PRESENTING = """<style>
html{font-size:20px}
[data-testid="stSidebar"],[data-testid="stExpandSidebarButton"]{display:none}
</style>"""
"""For a room: what Streamlit draws is sized by the root, and nothing stands beside the page."""

_MEMORY = st.components.v2.component(
    "lnl_reviewer_memory",
    js=r"""
// From 1600 px on tables are written larger: their text is painted, so no style sheet reaches it.
const WIDE = window.matchMedia("(min-width: 1600px)");
const ROOMY = window.matchMedia("(min-width: 2200px) and (min-height: 1100px)");
const NARROW = window.matchMedia("(max-width: 700px)");
const DARK = window.matchMedia("(prefers-color-scheme: dark)");
const presents = () => new URLSearchParams(location.search).get("present") === "1";
const painted = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, "font");
if (painted && !window.lnlTables) {
  window.lnlTables = true;
  Object.defineProperty(CanvasRenderingContext2D.prototype, "font", {
    ...painted,
    set(font) {
      const table = (WIDE.matches || presents()) && /^\d+ 13\.\d+px "?Source Sans/.test(font);
      painted.set.call(this, table ? font.replace(/13\.\d+px/, "16px") : font);
    },
  });
}

// Streamlit lets Tab stop first at a row's first choice, whichever is chosen; arrows do the rest.
if (!window.lnlTabs) {
  window.lnlTabs = true;
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Tab") return;
    for (const row of document.querySelectorAll('[role="radiogroup"][data-rac]')) {
      const choices = [...row.querySelectorAll('[role="radio"]')];
      const chosen = choices.find((each) => each.ariaChecked === "true") ?? choices[0];
      for (const each of choices) each.tabIndex = each === chosen ? 0 : -1;
    }
  }, true);
}

export default function ({ data, setStateValue }) {
  const later = after();
  const tell = () => later.dialogs(() => {
    if (WIDE.matches !== data.wide) setStateValue("wide", WIDE.matches);
    if (ROOMY.matches !== data.roomy) setStateValue("roomy", ROOMY.matches);
    if (NARROW.matches !== data.narrow) setStateValue("narrow", NARROW.matches);
  });
  tell();
  const sizes = [WIDE, ROOMY, NARROW];
  for (const size of sizes) size.addEventListener("change", tell);
  const redraw = () => once(shows(DARK.matches ? "dark" : "light"), (scheme) =>
    later.dialogs(() => setStateValue("scheme", scheme)));
  DARK.addEventListener("change", redraw);
  const leave = () => navigator.sendBeacon(data.leave, data.tab);
  window.addEventListener("pagehide", leave);
  remember(data, setStateValue);
  return () => {
    for (const size of sizes) size.removeEventListener("change", tell);
    DARK.removeEventListener("change", redraw);
    window.removeEventListener("pagehide", leave);
    later.never();
  };
}

// The page drawn anew closes a dialog: whatever asks for that waits until the person has closed it.
function after() {
  const watches = new Set();
  const open = () => document.querySelector('[data-testid="stDialog"]');
  return {
    dialogs(act) {
      if (!open()) return act();
      const watch = new MutationObserver(() => {
        if (open()) return;
        watch.disconnect();
        act();
      });
      watches.add(watch);
      watch.observe(document.body, { childList: true, subtree: true });
    },
    never: () => watches.forEach((watch) => watch.disconnect()),
  };
}

// What the server draws has colours of its own: it draws again once the app shows another scheme.
const shows = (scheme) => () => {
  const app = document.querySelector(".stApp");
  return app && getComputedStyle(app).colorScheme === scheme ? scheme : null;
};

function once(found, act, turns = 120) {
  const value = found();
  if (value) act(value);
  else if (turns) requestAnimationFrame(() => once(found, act, turns - 1));
}

function remember(data, setStateValue) {
  // A browser keeps the name that was chosen in it.
  const KEY = "lnl:reviewer";
  const read = (store) => { try { return store.getItem(KEY); } catch { return null; } };
  const write = (store) => { try { store.setItem(KEY, data.name); } catch { /* private mode */ } };
  if (data.asked) {
    const known = read(window.sessionStorage) || read(window.localStorage);
    if (known) setStateValue("name", known);
    return;
  }
  if (!data.kept) return;
  write(window.sessionStorage);
  write(window.localStorage);
  const name = encodeURIComponent(data.name);
  // The server reads it before the first image is sent; a script could not tell it so early.
  document.cookie = `lnl_reviewer_${location.port}=${name};path=/;max-age=31536000;SameSite=Strict`;
}
""",
)


def style() -> None:
    """Set the logo and the one thing that no theme key reaches, the gutters."""
    mode = "dark" if st.context.theme.type == "dark" else "light"
    tone = TONES[mode]
    told = {"ACCENT": "accent", "EDGE": "edge", "GROUND": "page"}
    text = _STYLE.replace("SHADE", "60%" if mode == "dark" else "30%")
    for word, name in told.items():
        text = text.replace(word, tone[name])
    st.html(text)
    if _ui.presents():
        st.html(_PRESENTING)
    st.logo(str(_ui.ASSETS / f"logo_{mode}.svg"), icon_image=str(_ui.ASSETS / f"mark_{mode}.svg"))


def require_login() -> None:
    """Stop in front of every page until the person is known, where `[auth]` is configured."""
    known: Any = st.user.to_dict()
    if known.get("is_logged_in") is False:
        st.title("LNL Review", anchor=False)
        st.markdown("Sign in to review. Your name is kept with your answers.")
        st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
        st.stop()


def leave(title: str) -> None:
    """Give back the images that this tab holds once it shows another page than Review."""
    if title == "Review":
        st.session_state["holds"] = True
    elif st.session_state.pop("holds", False):
        give_back(_ui.workspace(), _ui.tab())


def sidebar() -> None:
    """Draw the sidebar below the navigation and settle data set and reviewer for the page."""
    ws = _ui.workspace()
    with st.sidebar:
        _dataset_select(ws)
        if read_only(ws):
            st.warning("Read only: nothing can be saved here.", icon=":material/lock:")
        elif is_full(ws):
            st.fragment(_full, run_every=2)()
        else:
            _running(ws)
        _who.settle(ws)
        _remember()


@_ui.guarded
def _full() -> None:
    """Say that the disk is full, for as long as it is."""
    ws = _ui.workspace()
    if not is_full(ws):
        _ui.rerun_page()
        return
    st.warning(
        f"The disk is full: answers wait in this browser until there is room where "
        f"{plain(str(ws.home))} is.",
        icon=":material/hard_drive:",
    )


# Data set -------------------------------------------------------------------------------------


def _dataset_select(ws: Workspace) -> None:
    """Choose the data set: the address is the truth, so that every view can be shared."""
    infos = datasets(ws)
    if not infos:
        st.session_state["dataset"] = None
        st.caption("No data set yet. Open the demo or add your own.")
        return
    last_used, names = infos[0].name, sorted((i.name for i in infos), key=str.casefold)
    asked = st.query_params.get("dataset")
    chosen = asked if asked in names else st.session_state.get("dataset")
    if chosen not in names:
        chosen = last_used
    if asked is not None and asked not in names:
        # A toast outlives the rerun that the corrected address brings.
        st.toast(
            f"There is no data set “{plain(_ui.short(asked, 40))}” here.",
            icon=":material/warning:",
            duration="long",
        )
    st.session_state["dataset_select"] = chosen
    st.selectbox("Data set", names, key="dataset_select", on_change=_dataset_chosen)
    st.session_state["dataset"] = chosen
    if asked != chosen:
        st.query_params["dataset"] = chosen


def _dataset_chosen() -> None:
    st.query_params.clear()  # the other selections belong to the set before
    st.query_params["dataset"] = st.session_state["dataset_select"]


# Running job ----------------------------------------------------------------------------------


def _running(ws: Workspace) -> None:
    """Show the job that runs, and look again every second while there is one."""
    active = bool(control.active(ws))
    st.fragment(_progress, run_every=1 if active else None)(active)


@_ui.guarded
def _progress(was_active: bool) -> None:
    reconcile(_ui.workspace())
    active = control.active(_ui.workspace())  # oldest first
    running = [job for job in active if job.state is not JobState.QUEUED]
    if was_active and not active:
        _ui.rerun_page()  # the page shows what came out, and nobody asks any more
    if not active:
        return
    _sidebar_job(running[0] if running else active[0], waiting=len(active) - len(running))


def _sidebar_job(job: Job, waiting: int) -> None:
    with st.container(gap="xsmall", key="sidebar_job"):
        title = methods.title(job.method)
        with_preset = f"{title}, {job.preset}"
        title = plain(with_preset if len(with_preset) <= 24 else _ui.short(title))
        if job.state is JobState.QUEUED:
            st.progress(0.0, text=f":small[{title}]")
            st.caption(f"waiting{_elsewhere(job)}")
            return
        share = _words.percent(job.fraction)
        st.progress(min(max(job.fraction, 0.0), 1.0), text=f":small[{title}  {share}]")
        words = _jobs.where(job) + _elsewhere(job)
        st.caption(f"{words}, {waiting} waiting" if waiting else words)


def _elsewhere(job: Job) -> str:
    """Name the job's data set where it is not the chosen one."""
    same = job.dataset == st.session_state.get("dataset")
    return "" if same else f", on {plain(_ui.short(job.dataset))}"


# What the browser keeps ------------------------------------------------------------------------


def _remember() -> None:
    """Let the browser keep the reviewer's name, and ask it for the name once per session."""
    _MEMORY(
        key="reviewer_memory",
        data={
            "name": _ui.reviewer(),
            "asked": _who.asked(),
            "kept": "reviewer_chosen" in st.session_state,
            "wide": _ui.wide(),
            "roomy": _ui.roomy(),
            "narrow": _ui.narrow(),
            "tab": _ui.tab(),
            "leave": _urls.leave_url(),
        },
        on_name_change=lambda: None,
        on_wide_change=lambda: None,
        on_roomy_change=lambda: None,
        on_narrow_change=lambda: None,
        on_scheme_change=lambda: None,
        height=1,
    )
