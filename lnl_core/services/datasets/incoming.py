"""Imports that go on in a process of their own, so that no page waits and none is lost.

A task is one JSON file in the workspace's `imports` folder. The page writes it and starts
`python -m lnl_core.importer`; that process writes its progress into it, atomically. Closing the
browser or the app changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lnl_core.readings import Answers
from lnl_core.store import arrays, datasets, db, faults, owned
from lnl_core.store.db import now
from lnl_core.store.processes import process_lives
from lnl_core.types import LnlError, Workspace

UPLOAD = "upload-"
if TYPE_CHECKING:
    from lnl_core.readings import Reading

_CHUNK = 1 << 20
_STARTED: list[subprocess.Popen[bytes]] = []
"""This process's own imports, waited for when somebody looks, so that none stays a zombie."""

_GRACE = 20.0
"""Seconds that a started import may take until it reports for the first time."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One import: `state` is `reading`, `done` or `failed`; `message` says why it failed.

    `done` of `total` items were looked at, `skipped` of them left out; `imported` came in. `stage`
    says what goes on where items are not what counts (a download). `scores` says that its runs
    start by themselves once it is in; where that failed, `message` says why of a done import, too.
    """

    id: str
    name: str
    source: str
    state: str
    done: int
    total: int
    skipped: int
    imported: int
    eta_seconds: float | None
    message: str
    stage: str = ""
    scores: bool = False


def allowed_path(text: str) -> Path:
    """Return an existing file or folder that may be read.

    `LNL_DATA_ROOTS` (folders separated like PATH) limits what people can open from the browser;
    links are followed first, so none leads out.

    Raises:
        LnlError: blank, not there, or outside the roots.
    """
    if not text.strip():
        raise LnlError("Type the path of a folder or file on this computer.")
    try:
        path = Path(text.strip()).expanduser().resolve(strict=True)
        if not path.is_dir():
            path.open("rb").close()
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise LnlError(
            f"{text.strip()} cannot be read ({reason}). Check the spelling; the path is one of "
            "the computer that runs LNL Review."
        ) from error
    allowed = roots()
    if allowed and not any(path.is_relative_to(root) for root in allowed):
        listed = ", ".join(os.environ["LNL_DATA_ROOTS"].split(os.pathsep))
        raise LnlError(
            f"{path} is outside the folders that may be read here ({listed}). "
            "Choose one inside, or add its folder to LNL_DATA_ROOTS."
        )
    return path


def roots() -> list[Path]:
    """Return the folders that may be read from the browser; none where all may."""
    named = [each for each in os.environ.get("LNL_DATA_ROOTS", "").split(os.pathsep) if each]
    return [Path(each).expanduser().resolve() for each in named]


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked over, and how.

    Attributes:
        source: file or folder; a zip is unpacked for a moment, in a folder of the system's.
        root: for a list, the folder that its paths start from.
        size: working resolution in pixels; chosen from the images when None.
        answers: what a person said about what is ambiguous.
        pictures: make a small picture of a few images of each class.
        unpack_up_to: bytes; of a larger zip, only lists and a sample of the images are unpacked.
    """

    source: Path
    root: Path | None = None
    size: int | None = None
    answers: Answers = field(default_factory=Answers)
    pictures: bool = False
    unpack_up_to: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return {
            "source": str(self.source),
            "root": None if self.root is None else str(self.root),
            "size": self.size,
            "answers": self.answers.to_json(),
            "pictures": self.pictures,
            "unpack_up_to": self.unpack_up_to,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Look:
        """Return what `to_json` made."""
        return cls(
            source=Path(values["source"]),
            root=None if values["root"] is None else Path(values["root"]),
            size=values["size"],
            answers=Answers.from_json(values["answers"]),
            pictures=values["pictures"],
            unpack_up_to=values["unpack_up_to"],
        )


def read(look: Look) -> Reading:
    """Say what would be imported and what has to be answered first; nothing is stored.

    Raises:
        LnlError: nothing there can be imported.
    """
    from lnl_core.data import importers

    most, source = look.unpack_up_to, look.source
    large = most is not None and source.is_file() and source.stat().st_size > most
    with tempfile.TemporaryDirectory(prefix="lnl-reading-") as scratch:
        return importers.read(
            source,
            root=look.root,
            size=look.size,
            answers=look.answers,
            scratch=Path(scratch).resolve() / "zip",
            hollow=large,
            pictures=look.pictures,
        )


def keep_upload(ws: Workspace, stream: IO[bytes], file_name: str) -> Path:
    """Copy an upload to the workspace's disk, piece by piece; the import removes it again."""
    db.refuse_read_only(ws)
    folder = ws.home / "imports" / f"{UPLOAD}{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    owned.claim(folder)  # until the process that reads it has it
    target = folder / (
        re.sub(r"[^\w. -]", "_", Path(file_name).stem)[:60] + Path(file_name).suffix.lower()
    )
    try:
        with target.open("wb") as out:
            while piece := stream.read(_CHUNK):
                out.write(piece)
    except OSError as error:
        drop_upload(target)
        raise LnlError(
            f"The upload could not be kept ({error.strerror}). Free some disk, then try again."
        ) from error
    return target


def take_upload(file: Path) -> None:
    """Let an upload's copy be this process's, which reads it; any other path is left alone."""
    if file.parent.name.startswith(UPLOAD):
        owned.claim(file.parent)


def uploads_being_read(ws: Workspace) -> list[Path]:
    """Return the copies of uploads that a living import reads, or is about to."""
    tasks = [values for _, values in _tasks(ws)]
    return [
        Path(values["source"])
        for values in tasks
        if values.get("uploaded") and values["state"] == "reading" and _alive(values)
    ]


def drop_upload(file: Path) -> None:
    """Remove an upload's copy; any other path is left alone."""
    if file.parent.name.startswith(UPLOAD):
        shutil.rmtree(file.parent, ignore_errors=True)


def start_import(
    ws: Workspace,
    source: Path,
    name: str,
    *,
    root: Path | None = None,
    size: int | None = None,
    no_classes: Sequence[str] = (),
    answers: Answers | None = None,
    uploaded: str | None = None,
    score: bool = False,
) -> str:
    """Start an import in the background and return its id.

    Args:
        ws: the workspace.
        source: file or folder.
        name: what to call the data set.
        root: for a list, the folder that its paths start from.
        size: working resolution in pixels; chosen from the images when None.
        no_classes: labels that say that nobody labelled the image.
        answers: what a person said about what is ambiguous.
        uploaded: name of the uploaded file; `source` is then a copy, removed at the end.
        score: start the default recipe as soon as the set is in, whoever still watches.

    Raises:
        LnlError: the name is blank or taken.
    """
    name = _free_name(ws, name)
    return _launch(
        ws,
        {
            "name": name,
            "source": str(source),
            "shown": uploaded or str(source),
            "uploaded": uploaded is not None,
            "root": None if root is None else str(root),
            "size": size,
            "no_classes": list(no_classes),
            "answers": {} if answers is None else answers.to_json(),
            "score": score,
        },
    )


def start_public(ws: Workspace, key: str, labels: str, name: str) -> str:
    """Start downloading a public set in the background and return the import's id.

    Raises:
        LnlError: no such set or labels, or a name that is blank or taken.
    """
    from lnl_core.data import public

    known = public.check_labels(key, labels)
    name = _free_name(ws, name)
    shown = ", ".join(download.url for download in known.downloads)
    values = {"source": "", "shown": shown, "uploaded": False, "root": None, "size": None}
    return _launch(ws, values | {"name": name, "public": key, "labels": labels})


def _free_name(ws: Workspace, name: str) -> str:
    """Return the name without outer blanks.

    Raises:
        LnlError: it is blank or taken, by a set or by an import that goes on.
    """
    name = datasets.check_name(name)
    taken = {info.name for info in datasets.datasets(ws)}
    if name in taken | {task.name for task in imports(ws) if task.state == "reading"}:
        raise LnlError(f"There is a data set named “{name}” already. Choose another name.")
    return name


def _launch(ws: Workspace, values: dict[str, Any]) -> str:
    """Write the task's file and start the process that does it."""
    db.refuse_read_only(ws)
    task = uuid.uuid4().hex
    file = ws.home / "imports" / f"{task}.json"
    file.parent.mkdir(exist_ok=True)
    values |= {
        "home": str(ws.home),
        "url": ws.url,
        "state": "reading",
        "started": time.time(),
        "started_at": now(),
    }
    arrays.write_json(file, values)
    with (file.with_suffix(".log")).open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "lnl_core.importer", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": python_path()},
        )
    _STARTED.append(child)
    return task


def python_path() -> str:
    """Return the path by which a child imports this package even where it is not installed."""
    here = str(Path(__file__).resolve().parents[3])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))


def imports(ws: Workspace) -> list[Incoming]:
    """Return the imports that go on or that nobody has dismissed yet, newest first."""
    _STARTED[:] = [child for child in _STARTED if child.poll() is None]
    tasks = sorted(_tasks(ws), key=lambda pair: str(pair[1]["started_at"]), reverse=True)
    return [_incoming(ws, file, values) for file, values in tasks]


def _tasks(ws: Workspace) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in (ws.home / "imports").glob("*.json"):
        with suppress(OSError, ValueError):
            yield file, arrays.read_json(file)


def _incoming(ws: Workspace, file: Path, values: dict[str, Any]) -> Incoming:
    state, message = str(values["state"]), str(values.get("message", ""))
    if state == "reading" and not _alive(values):
        state, message = "failed", "The import stopped before its end. Start it again."
        if full := faults.full_disks(ws):
            message = f"The disk of {full[0]} is full. Free some space, then start it again."
    done, total = int(values.get("done", 0)), int(values.get("total", 0))
    return Incoming(
        id=file.stem,
        name=str(values["name"]),
        source=str(values["shown"]),
        state=state,
        done=done,
        total=total,
        skipped=int(values.get("skipped", 0)),
        imported=int(values.get("imported", 0)),
        eta_seconds=_eta(values, done, total),
        message=message,
        stage=str(values.get("stage", "")),
        scores=bool(values.get("score")),
    )


def _eta(values: dict[str, Any], done: int, total: int) -> float | None:
    """Return the seconds left at the pace so far; None within the first second."""
    since, before = values.get("read_from", (time.time(), 0))
    passed: float = time.time() - float(since)
    if passed < 1 or done <= before:
        return None
    return passed * (total - done) / (done - int(before))


def _alive(values: dict[str, Any]) -> bool:
    """Tell a working import from one whose process is gone; a process is pid and start time."""
    if "pid" not in values:
        return time.time() - float(values["started"]) < _GRACE
    return process_lives(int(values["pid"]), float(values["pid_started"]))


def dismiss(ws: Workspace, task: str) -> None:
    """Forget a finished import's report; the data set stays."""
    if task.isalnum():
        for suffix in (".json", ".log"):
            (ws.home / "imports" / f"{task}{suffix}").unlink(missing_ok=True)
