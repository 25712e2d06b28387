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

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import math
import os
import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.jobs import knobs, queue
from lnl_core.services import moment
from lnl_core.services.review import activation_maps, desk, draws
from lnl_core.services.review import evidence as image_evidence
from lnl_core.store import datasets
from lnl_core.store.checkpoint import load_checkpoint, save_checkpoint
from lnl_core.store.db import dispose, open_workspace

FIXTURES = Path(__file__).resolve().parent / "fixtures"
WORKSPACE = FIXTURES / "workspace_0_1_0.zip"
EXPECTED = FIXTURES / "workspace_0_1_0"

SETS = {"plain": "Old digits", "noisy": "Old digits, noisy"}
RANKED = {
    "plain": (
        *("consensus", "own-my-vit", "probe", "knn", "influence@raw", "dmlp", "hnml", "jump"),
        *("sr@raw", "sr", "aum", "ce", "confident"),
    ),
    "noisy": ("consensus", "probe", "knn"),
}
TABLES = {
    "corrections.csv": ("corrections",),
    "corrections-all.csv": ("corrections", "--all", "--no-scores", "--raw"),
    "decisions.csv": ("decisions",),
    "manifest.csv": ("manifest",),
    "manifest-all.parquet": ("manifest", "--all"),
    "audit-trail.csv": ("audit-trail",),
}
FOLDERS = {
    "folder": ("folder",),
    "cleanlab": ("cleanlab",),
    "fiftyone": ("fiftyone",),
    "label-studio": ("label-studio",),
    "label-studio-images": ("label-studio", "--images", "copy", "--all"),
}
REVIEWERS = ("ann", "Bob Ömer", "cleo")
LOOKS = ((12, 3), (15, 2))
"""Image and other class of which HNML's run has stored activation maps."""

SCORED = ["id", "given_label", "suggested_label", "suspicion", "p_wrong", "label_quality"]
DIGITS = 5.1e-5
"""Half of the last digit that chances had in tables of version 0.1.0."""

CANCELLED, NETWORK = 15, 9
"""Numbers of the run that was cancelled half-way, and of one whose network is stored."""


def unpacked(home):
    """Unpack the stored workspace into a folder and return it."""
    with zipfile.ZipFile(WORKSPACE) as archive:
        archive.extractall(home)
    return home


def lnl(*arguments):
    """Return what a command prints."""
    told, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(errors):
        code = main([str(one) for one in arguments])
    assert code == 0, errors.getvalue()
    return told.getvalue()


# What leaves a workspace ------------------------------------------------------------------------


def write_outputs(home, out):
    """Write all that leaves a workspace to a folder; `LNL_HOME` names the workspace."""
    for key, name in SETS.items():
        place = out / key
        place.mkdir(parents=True)
        for method in RANKED[key]:
            ranked = place / f"rank-{method}.csv"
            lnl("rank", name, "--method", method, "--out", ranked)
            ranked.write_bytes(without_later_columns(ranked, ranked.read_bytes()))
        for title, command in {
            "status": ("status", name),
            "audit": ("audit", name),
            "audit-40": ("audit", name, "--target", "0.4"),
        }.items():
            write_json(place / f"{title}.json", json.loads(lnl(*command, "--json")))
        write_tables(name, place)
        write_folders(name, place, home / "exported" / key)
        write_json(place / "review.json", reviewing(home, name))
    write_json(out / "noisy" / "report.json", report(SETS["noisy"], home / "report.html"))


def without_later_columns(file, data):
    """Return what a file holds without digests of the images, and which runs were told of them."""
    if file.suffix == ".csv":
        head, *lines = data.split(b"\r\n")
        later = b",told,content" if head.endswith(b",told,content") else b",content"
        if head.endswith(later):
            cells = rb"(,[0-9 ]*)?" if b"told" in later else b""
            end = cells + rb",[0-9a-f]{32}( [0-9a-f]{64})?$"
            lines = [re.sub(end, b"", line) for line in lines]
            return b"\r\n".join([head.removesuffix(later), *lines])
    if file.suffix == ".json":
        return re.sub(rb', "(content|told)": "[0-9a-f ]+"', b"", data)
    return data


def write_json(path, value):
    """Write an object, one line for each key."""
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def write_tables(name, place):
    import pyarrow.parquet as pq

    for title, (form, *more) in TABLES.items():
        file = place / title
        lnl("export", name, "--format", form, "--out", file, *more)
        if file.suffix == ".csv":
            file.write_bytes(without_later_columns(file, file.read_bytes()))
        if file.suffix == ".parquet":
            table = pq.read_table(file).drop_columns(["told", "content"])
            file.unlink()
            types = {column.name: str(column.type) for column in table.schema}
            rows = {row["id"]: list(row.values()) for row in table.to_pylist()}
            write_json(file.with_suffix(".json"), types | rows)


def write_folders(name, place, scratch):
    """Export to folders; tables stay as they are, of the rest digests, of images one for all."""
    home = os.fsencode(os.path.realpath(scratch.parents[1]))
    digests = {}
    scratch.mkdir(parents=True)
    for title, (form, *more) in FOLDERS.items():
        folder = scratch / title
        lnl("export", name, "--format", form, "--out", folder, *more)
        images = hashlib.sha256()
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            inside = path.relative_to(folder).as_posix()
            data = without_later_columns(path, path.read_bytes().replace(home, b"HOME"))
            if path.name == "content.txt":
                continue
            if path.suffix == ".csv":
                (place / f"{title}-{path.name}").write_bytes(data)
            elif path.suffix == ".png":
                images.update(f"{inside}\0{len(data)}\0".encode() + data)
            else:
                digests[f"{title}/{inside}"] = hashlib.sha256(data).hexdigest()
        digests[f"{title}/*.png"] = images.hexdigest()
    write_json(place / "folders.json", digests)


def report(name, file):
    """Return how many figures the report has, the numbers of its tables, the head of its queue."""
    figures = json.loads(lnl("report", name, "--out", file, "--json"))["figures"]
    page = file.read_text("utf-8")
    sections = dict(re.findall(r"<section><h2>(.*?)</h2>(.*?)</section>", page, re.DOTALL))
    queue = re.findall(r"<figcaption>(.*?)</figcaption>", sections["Head of the queue"])
    return {
        "figures": figures,
        "methods": [row[2:] for row in rows_of(sections["Methods"])],  # without colour and name
        "queue": [re.sub(r"<[^>]+>", " ", each) for each in queue],
        "corrections": rows_of(sections["Decisions so far"]),
    }


def rows_of(html):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def unsigned(item):
    """Leave out the token of an item, which differs from set to set."""
    return {key: item[key] for key in item if key != "look"}


def reviewing(home, name):
    """Return what the Review page shows to each reviewer, and the evidence on a few images."""
    ws = open_workspace(home)
    info = datasets.dataset(ws, name)
    datasets.update_meta(info, hidden_looks=0)  # there were none
    shown = {}
    for who in REVIEWERS:
        with pytest.MonkeyPatch.context() as then:  # drawn images that wait came in their places
            then.setattr(draws, "FEW_MORE", info.n)
            then.setattr(draws, "ALONE_AHEAD", draws.AHEAD)
            state = desk.review_state(info, who)
            diverse = desk.review_state(info, who, order="diverse")
            page = desk.page_state(info, who)
        shown |= {
            f"{who}: items": [unsigned(each) for each in state.items[:12]],
            f"{who}: rows": [item["row"] for item in state.items],
            f"{who}: diverse": [item["row"] for item in diverse.items],
            f"{who}: recent": [unsigned(each) for each in state.recent],
            f"{who}: progress": state.progress.as_dict(),
            f"{who}: page": [page.label, page.confirmed, [item["row"] for item in page.items]],
        }
    for row in shown["ann: rows"][:4]:
        shown[f"evidence on {row}"] = nameless(image_evidence.evidence(info, row))
    if name == SETS["plain"]:
        for row, label in LOOKS:
            found = activation_maps.where_it_looks(info, row, label, anyway=True)
            kept = {"state": found["state"], "shares": found["shares"], "maps": found["maps"]}
            shown[f"maps of {row}"] = kept
    dispose(ws)
    return shown


SHOWN = (
    "row", "p_wrong", "top", "methods", "told", "curve", "loss", "neighbours",
    "exemplars_given", "exemplars_suggested", "said",
)  # fmt: skip


def nameless(evidence):
    """Return evidence without the names that the screen gives to methods, and numbers as words.

    It held one curve, of the first run that has one, where today it holds one of each run.
    """
    named = ("source", "key", "title", "ends")
    said = {key: part for key, part in evidence.items() if key != "curves"}
    said |= {"curve": next(iter(evidence["curves"]), None), "said": [*evidence["said"].values()]}
    for key in ("curve", "loss"):
        if said[key]:
            said[key] = {k: v for k, v in said[key].items() if k not in named}
    methods = [{k: v for k, v in each.items() if k != "title"} for each in evidence["methods"]]
    top = [{k: v for k, v in each.items() if k != "said"} for each in evidence["top"]]
    said |= {"methods": methods, "top": top}
    return {key: said[key] for key in (*SHOWN, *(set(said) - set(SHOWN)))}


# Tests ------------------------------------------------------------------------------------------


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
        assert now.pop("goal")["kind"] == "left"
        assert now.pop("people", {}).get("at_most_left") is None  # nobody was measured
    assert list(now) == list(then)
    for key in then:
        if name.split("/")[-1].startswith("audit") and key in COMPUTED:
            continue
        if key.endswith(": items"):
            now[key], then[key] = without_examples(now[key]), without_examples(then[key])
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
