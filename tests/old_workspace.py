"""What leaves a workspace and what the Review page shows of it, written to files.

`tests/test_old_workspace.py` compares them with what version 0.1.0 wrote of the same workspace.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from lnl_core.cli import main
from lnl_core.services.review import activation_maps, desk, draws
from lnl_core.services.review import evidence as image_evidence
from lnl_core.store import datasets
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
