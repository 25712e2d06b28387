"""The second table of `cases.md`: what happens to a set after its import, command by command.

Each case is a few commands in a workspace of its own; the last one's words and exit code count.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lnl_core.cli import main

HEAD = """
## After the import

The same inputs, imported and used; of each row the last command's words. Exit code 1: refused,
nothing is changed; 3: done in part, the rest is named.

| case | command | says | exit code |
|---|---|---|---|
"""


class Done(NamedTuple):
    """What a command left: exit code and words."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Deed:
    """One row: what it shows, the commands before, the command that is shown.

    In a command `{cases}` is the folder of the inputs and `{out}` an empty one; `mv` moves.
    """

    shows: str
    before: tuple[str, ...]
    command: str


def _import(source: str, more: str = "") -> str:
    return f"import {{cases}}/{source} --name set {more}".strip()


_SPLITS = (_import("splits"),)
_SIGNED = (_import("signed"),)
DEEDS = (
    Deed(
        "decisions of a set to which an image came in front",
        (_import("after.npz"),),
        "decide set --file {cases}/decisions_of_before.csv --reviewer ann",
    ),
    Deed(
        "the same decisions, with the images' content beside them",
        (
            "import {cases}/before.npz --name old",
            "decide old --file {cases}/decisions_of_before.csv --reviewer ann",
            "export old --format decisions --out {out}/with_content.csv",
            _import("after.npz"),
        ),
        "decide set --file {out}/with_content.csv --reviewer ann",
    ),
    Deed(
        "a decision on a label that the set does not have",
        (_import("before.npz"),),
        "decide set --file {cases}/decisions_contradicting.csv --reviewer ann",
    ),
    Deed(
        "the larger set added to the smaller", (_import("before.npz"),), "add set {cases}/after.npz"
    ),
    Deed("copies", (_import("copies.npz"),), "copies set"),
    Deed(
        "an image under two labels: first in the queue",
        (_import("two_labels"), "run set --methods knn"),
        "rank set --out -",
    ),
    Deed(
        "originals that have moved",
        (_import("splits"), "mv {cases}/splits {out}/moved"),
        "relink set {out}/moved",
    ),
    Deed("originals that are not there", _SPLITS, "relink set {cases}/spellings"),
    Deed("splits in a list", _SPLITS, "export set --format manifest --out -"),
    Deed("classes that are signed numbers", _SIGNED, "export set --format manifest --out -"),
    Deed(
        "a file that is there",
        (*_SIGNED, "export set --format manifest --out {out}/a.csv"),
        "export set --format manifest --out {out}/a.csv",
    ),
    Deed(
        "an original",
        _SIGNED,
        "export set --format manifest --out {cases}/signed/list.csv --force",
    ),
    Deed(
        "a folder that is not there", _SIGNED, "export set --format manifest --out {out}/no/a.csv"
    ),
    Deed("an ending of another format", _SIGNED, "export set --format manifest --out {out}/a.json"),
    Deed("a device", _SIGNED, "export set --format manifest --out /dev/null"),
)


def table(inputs: Path, scratch: Path) -> str:
    """Return the table; the inputs are copied first, for some of them move."""
    return HEAD + "".join(_row(deed, inputs, scratch / str(at)) for at, deed in enumerate(DEEDS))


def _row(deed: Deed, inputs: Path, place: Path) -> str:
    cases, out = place / "cases", place / "out"
    shutil.copytree(inputs, cases, symlinks=True)
    out.mkdir()
    for each in (*deed.before, deed.command):
        done = _done(each.format(cases=cases, out=out), place)
    said = " ".join((done.stderr + "\n" + done.stdout).replace(str(place), "").split())
    said = said.replace("|", "\\|").replace("<", "&lt;")
    shown = said if len(said) <= _MOST else f"{said[:_MOST]} …"
    command = deed.command.format(cases="cases", out="out")
    return f"| {deed.shows} | `lnl {command}` | {shown} | {done.returncode} |\n"


_MOST = 420


def _done(command: str, place: Path) -> Done:
    words = command.split()
    if words[0] == "mv":
        shutil.move(*words[1:])
        return Done(0, "", "")
    return call(words, place / "home")


def call(words: Sequence[str], home: Path, here: Path | None = None) -> Done:
    """Run `lnl` with these words in this process, on a workspace and in a folder."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    before = os.environ.get("LNL_HOME")
    os.environ["LNL_HOME"] = str(home)
    try:
        with chdir(here or "."), redirect_stdout(out), redirect_stderr(err):
            code = main(list(words))
    except SystemExit as ended:  # bad usage
        code = int(ended.code or 0)
    finally:
        os.environ.pop("LNL_HOME")
        os.environ.update({} if before is None else {"LNL_HOME": before})
    for each in (out, err):
        each.seek(0)
    return Done(code, out.read(), err.read())
