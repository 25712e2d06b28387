"""A workspace of version 0.1.0 opens with today's code, and everything that leaves it is the same.

What leaves it is written by the command line, and what the Review page shows by the services that
it calls; the same functions wrote what is expected, with the code of version 0.1.0
(`tests/fixtures/README.md`). Tables are compared byte by byte, files of other formats by digests.
Not the same bytes, and why:

- the workspace's path in Label Studio's README becomes `HOME`: it is where the test runs;
- a Parquet file is compared by names, types and rows: it names the version of pyarrow;
- of one method's ranking (`lnl rank --method`) the suggestion and p_wrong: no file holds them, they
  are computed from the run's probabilities with the consensus of today. The ranking in force is
  stored, and leaves with the same bytes;
- what today's code adds is left out: the digests of the images (`content`), and which runs were
  told the answer (`told`);
- cleanlab's `label_quality` is blank where a run was told the answer: it stood for what was told;
- a label is found wrong where nobody calls it right: while people contradict each other it is not;
- chances have six digits and are never 0 or 1, where some tables had four and some were: they are
  compared within half of the fourth digit;
- floats in JSON may differ in the tenth digit: other processors add in another order;
- of the report only its numbers, and of evidence all but the names of methods: they hold colours,
  the date, versions, and words of the screen, which may improve.
"""

import csv
import dataclasses
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lnl_core.jobs import knobs, queue
from lnl_core.services import moment
from lnl_core.store import datasets
from lnl_core.store.checkpoint import load_checkpoint, save_checkpoint
from lnl_core.store.db import dispose, open_workspace
from tests.old_workspace import EXPECTED, SETS, lnl, unpacked, write_outputs

SCORED = ["id", "given_label", "suggested_label", "suspicion", "p_wrong", "label_quality"]
DIGITS = 5.1e-5
"""Half of the last digit that chances had in tables of version 0.1.0."""

TOLD_SINCE = "revealed", "mode"
"""What is told of the last answers since: whether the advice came first, and in which mode."""

CANCELLED, NETWORK = 15, 9
"""Numbers of the run that was cancelled half-way, and of one whose network is stored."""


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The old workspace, to be read only; the environment names it."""
    with pytest.MonkeyPatch.context() as patch:
        home = unpacked(tmp_path_factory.mktemp("old"))
        patch.setenv("LNL_HOME", str(home))
        for name in ("LNL_DATABASE_URL", "LNL_DATA_ROOTS", "LNL_REVIEWER"):
            patch.delenv(name, raising=False)
        yield home


@pytest.fixture(scope="module")
def written(old, tmp_path_factory):
    """What today's code writes for the old workspace."""
    out = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:  # of today's numbers, those after every answer
        patch.setattr(moment, "step", lambda info: 1)
        write_outputs(old, out)
    return out


def files(folder):
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*.*"))


def test_the_same_files_leave_it(written):
    assert files(written) == files(EXPECTED)


@pytest.mark.parametrize("name", [each for each in files(EXPECTED) if each.endswith(".csv")])
def test_tables_have_the_same_bytes(written, name):
    (now, chances), (then, before) = (_stored(each / name) for each in (written, EXPECTED))
    if name.endswith("label_issues.csv"):
        now, then = _told_apart(now), _told_apart(then, now)
    assert now == then
    np.testing.assert_allclose(chances, before, rtol=0, atol=DIGITS)


def _told_apart(data, blank=None):
    """Return a table of cleanlab's without the qualities that are blank in it, or in another."""
    rows = [line.split(b",") for line in data.split(b"\r\n")]
    others = rows if blank is None else [line.split(b",") for line in blank.split(b"\r\n")]
    return [
        row if len(row) < 2 or other[1] else [row[0], b"", *row[2:]]
        for row, other in zip(rows, others, strict=True)
    ]


def _stored(file):
    """Return a table's bytes but for chances, and these; of one method only what files hold."""
    told = b"p_wrong" in file.read_bytes().split(b"\r\n")[0]
    if not told:
        return file.read_bytes(), []
    with file.open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    own = file.name.startswith("rank-") and file.name != "rank-consensus.csv"
    if own:
        assert head == SCORED
    out = {"p_wrong", "suggested_label"} if own else set()
    columns = [i for i, title in enumerate(head) if title not in out]
    chance = {i for i in columns if head[i].startswith(("suspicion", "p_wrong", "label_quality"))}
    cells = [[bool(row[i]) if i in chance else row[i] for i in columns] for row in rows]
    return [head, *cells], [float(row[i]) for row in rows for i in sorted(chance) if row[i]]


@pytest.mark.parametrize("name", [each for each in files(EXPECTED) if each.endswith(".json")])
def test_everything_else_says_the_same(written, name):
    now, then = (json.loads((each / name).read_text("utf-8")) for each in (written, EXPECTED))
    if Path(name).name == "status.json":
        _only_what_was_told(now, then)
    if Path(name).name == "report.json":
        assert now["figures"] >= then["figures"]  # some were added since
        now["figures"] = then["figures"]
    if Path(name).name == "folders.json":  # what a folder says of the goal came later
        now = {key: now[key] for key in now if not key.endswith("/review.json")}
    if Path(name).name.startswith("audit"):
        assert now.pop("unseen", 0) == 0  # images that were added later, which no set here has
        now.pop("waits", None)  # drawn images that were put off, counted since
        assert now.pop("goal")["kind"] == "left"
        assert now.pop("people", {}).get("at_most_left") is None  # nobody was measured
    assert list(now) == list(then)
    for key in then:
        if name.split("/")[-1].startswith("audit") and key in COMPUTED:
            continue
        if key.endswith(": items"):
            now[key], then[key] = without_examples(now[key]), without_examples(then[key])
        if key.endswith(": recent"):
            now[key] = [{k: each[k] for k in each if k not in TOLD_SINCE} for each in now[key]]
        if key.endswith("progress"):
            now[key], then[key] = stored(now[key]), stored(then[key])
            then[key]["wrong"] -= CONTRADICTED[name.split("/")[0]]
        if key.startswith("maps of"):
            of_other = round(100 * then[key].pop("share"))
            assert now[key].pop("shares")[1] == f"{of_other}\u202f%"
        within = DIGITS if Path(name).name == "manifest-all.json" else 1e-12
        assert same(now[key], then[key], within), (key, now[key], then[key])


def _only_what_was_told(now, then):
    """Take out what a status tells today and did not then; `flagged` has another name since."""
    for one, before in zip(now["datasets"], then["datasets"], strict=True):
        for key in set(one) - set(before):
            del one[key]
        for at, told in enumerate(before["runs"]):
            told = {"other_class" if key == "flagged" else key: told[key] for key in told}
            before["runs"][at] = told
            one["runs"][at] = {key: one["runs"][at][key] for key in told}


CONTRADICTED = {"noisy": 0, "plain": 1}
"""Labels of each set that somebody calls wrong and somebody right."""

COMPUTED = {
    "errors_left",
    "interval",
    "at_most",
    "audits_needed",
    "certified",
    "target",
    "target_errors",
    "noise_rate",
    "noise_rate_interval",
}
"""What `lnl audit` computes anew: the bound is sharper by now, the goal a number of labels, and the
noise rate the sum of what was found and what is left."""


def stored(progress):
    """Return of a review's progress what the workspace holds, not what is computed from it."""
    kept = {key: progress[key] for key in ("reviewed", "wrong", "total")}
    left = progress["errors_left"]
    return kept | {key: left[key] for key in ("audits", "enough", "total")}


def without_examples(items):
    """Return items without examples of their classes: doubted ones were among them."""
    left_out = ("exemplars", "confirmed")
    return [{key: kept for key, kept in item.items() if key not in left_out} for item in items]


def same(now, then, within=1e-12):
    """Compare JSON; floats to ten digits, or within what is said."""
    if isinstance(then, float) and isinstance(now, float):
        return math.isclose(now, then, rel_tol=1e-9, abs_tol=within)
    if isinstance(then, dict) and isinstance(now, dict):
        return list(now) == list(then) and all(same(now[key], then[key], within) for key in then)
    if isinstance(then, list) and isinstance(now, list):
        return len(now) == len(then) and all(
            same(a, b, within) for a, b in zip(now, then, strict=True)
        )
    return type(now) is type(then) and now == then


def test_every_stored_run_still_has_its_method_and_knobs(old):
    ws = open_workspace(old)
    jobs = [job for name in SETS.values() for job in queue.jobs(datasets.dataset(ws, name))]
    runs = [job for job in jobs if not job.method.startswith("own")]
    assert len(runs) == 18
    for job in runs:
        today = dataclasses.asdict(knobs.stored(job))  # a knob that nobody knows raises
        then = Counter(map(repr, job.config.values()))  # some have another name now
        assert then <= Counter(map(repr, today.values())), job.method
    dispose(ws)


@pytest.mark.slow
def test_a_cancelled_run_goes_on_from_its_checkpoint_and_an_old_network_is_built_on(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("LNL_HOME", str(unpacked(tmp_path / "old")))
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    ws = open_workspace()
    info = datasets.dataset(ws, SETS["plain"])
    features = sorted((info.directory / "features").iterdir())
    folder = info.directory / "runs" / str(CANCELLED)
    arrays, state = load_checkpoint(folder / "checkpoint.safetensors")
    arrays["recorder.curve.loss"][0] = 7  # no training says this: only who goes on has it
    save_checkpoint(folder / "checkpoint.safetensors", arrays, state)

    lnl("run", info.name, "--resume", "--methods", "hnml")
    lnl(
        "run", info.name, "--methods", "influence", "--base", NETWORK, "--set", "influence.rounds=2"
    )
    lnl("run", info.name, "--methods", "knn", "--set", "knn.neighbours=8")

    loss = np.load(folder / "curve_loss.npy")
    assert len(loss) == 12
    assert (loss[0] == 7).all()
    assert (loss[1:] != 7).any()
    assert sorted((info.directory / "features").iterdir()) == features  # taken from the cache
    dispose(ws)
