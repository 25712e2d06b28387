"""The files of a data set that a command would refuse, and what becomes of each.

Every array, JSON file and table in a set's folder is opened as its readers open it, but for what
`services.doctor` looks at itself (pixels, labels, copies, the ranking in force, signals).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lnl_core.jobs import inputs, queue
from lnl_core.said import command
from lnl_core.store import arrays, datasets
from lnl_core.store.files import read_json, write_json
from lnl_core.store.table import read_table
from lnl_core.types import ACTIVE_STATES, Damaged, DatasetInfo, Job, JobState, LnlError, Missing

_READ: dict[str, Callable[[Path], object]] = {
    ".npy": arrays.read_array,
    ".json": lambda file: read_json(file, object if file.parent.name == "comparison" else dict),
    ".parquet": read_table,
}
"""Ending of a file -> what opens it, or refuses it."""

_ANEW = ("comparison", "embeddings", "features", "maps", "retrain", "selections")
"""Folders of a set with what is worked out again when somebody asks for it."""

_IN_PART = "part."
"""How names of files begin that are being written, and from which nobody reads but who writes."""

_FIRST = "before.json"
"""Beside the rankings: which one was in force before the first answer."""

_ELSEWHERE = {
    *("images.npy", "given_labels.npy", "table.parquet", datasets.TRUE_LABELS),
    *(datasets.COPIES, datasets.META),
    datasets.OUTLINE,  # is made anew without a word
}
"""Files of a set that the doctor looks at itself."""

DROPPED = {
    datasets.CONTENT: "it is made anew of the working copies when it is needed",
    datasets.FILE_DIGESTS: (
        "answers still find their images by the pixels; whether an original has changed since the "
        "import is not told any more"
    ),
    "skipped.parquet": "which files the import left out is not told any more",
    datasets.META_COPY: "it is written anew of meta.json",
    _FIRST: "how the queue stood before the first answer is not told any more",
}
"""Name of a file that a set can be without -> what follows."""

_AGAIN = "It cannot be restored: import the set again, or bring the file back from a copy of yours"
_NO_GOAL = "It cannot be restored: set the goal again"
_MADE_AGAIN = "it is made anew when somebody asks for it"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One file that would be refused.

    Attributes:
        file: where it is.
        problem: what is wrong with it.
        run: number of the run that it belongs to; None where it belongs to none.
        without: what follows where it is dropped; "" where a set cannot be without it.
        remedy: what helps there.
    """

    file: Path
    problem: str
    run: int | None
    without: str
    remedy: str = ""


def unreadable(info: DatasetInfo) -> Iterator[Unreadable]:
    """Yield the files of a set that would be refused; of a run the first one."""
    for file in sorted({*info.arrays.glob("*.*"), info.directory / datasets.META_COPY}):
        if file.name not in _ELSEWHERE:
            yield from _dropped(file, DROPPED.get(file.name, ""))
    yield from _dropped(info.directory / "ranking" / _FIRST, DROPPED[_FIRST])
    for name in (*_ANEW, "goals"):
        for file in sorted((info.directory / name).rglob("*")):
            yield from _dropped(file, _MADE_AGAIN if name in _ANEW else "")
    for job in queue.jobs(info):
        if job.state not in ACTIVE_STATES:  # its files are being written
            yield from _of_run(info, job)


def drop(info: DatasetInfo) -> list[str]:
    """Remove the files that a set can be without; say what follows."""
    said = []
    for each in list(unreadable(info)):
        if each.without:
            place = each.file.relative_to(info.directory)
            _remove(info, each.file)
            said.append(f"“{info.name}”: {place} was damaged and is dropped; {each.without}.")
    return said


def _remove(info: DatasetInfo, file: Path) -> None:
    if file.name == datasets.META_COPY:
        write_json(file, datasets.read_meta(info))
        return
    file.unlink(missing_ok=True)
    if file.parent.name == "embeddings":  # a map is positions and facts; one is nothing alone
        for ending in (".npy", ".json"):
            file.with_suffix(ending).unlink(missing_ok=True)


def _dropped(file: Path, without: str) -> Iterator[Unreadable]:
    problem = _problem(file)
    if problem is None:
        return
    if not isinstance(problem, Damaged):  # no right to read it, no memory: the file may be whole
        yield Unreadable(file, str(problem), None, "", "Nothing is dropped: it may be whole")
        return
    help_ = _NO_GOAL if file.parent.name == "goals" else _AGAIN
    yield Unreadable(file, str(problem), None, without, help_)


def _of_run(info: DatasetInfo, job: Job) -> Iterator[Unreadable]:
    """Yield the first file of a run that would be refused, by itself or with the others."""
    folder, problem = queue.run_dir(info.workspace, job), None
    for file in sorted(folder.rglob("*")):
        if (wrong := _problem(file)) is not None:
            problem = str(wrong)
            break
    if problem is None and job.state is JobState.DONE and job.method in _methods():
        problem = _refused(info, folder)
    if problem is not None:
        help_ = (
            "It cannot be restored: start this method again, and what builds on this run, then "
            f"remove the run with `{command('runs', 'rm', info.name, str(job.id))}`"
        )
        yield Unreadable(folder, problem, job.id, "", help_)


def _refused(info: DatasetInfo, folder: Path) -> str | None:
    """Return why the files of a run that is done would be refused together."""
    try:
        arrays.load_signals(folder)
        if (folder / "labels.npy").is_file():
            inputs.training_part(info, folder)
            inputs.labels_under_review(info, folder)
    except LnlError as error:
        return str(error)
    return None


def _methods() -> set[str]:
    from lnl_core.methods import METHODS

    return set(METHODS)


def _problem(file: Path) -> LnlError | None:
    """Return why a file would be refused; None where it opens, is none, or is being written."""
    opens = _READ.get(file.suffix)
    if opens is None or file.name.startswith((".", _IN_PART)) or not file.is_file():
        return None
    try:
        opens(file)
    except Missing:  # just now
        return None
    except LnlError as error:
        return error
    return None


def meta_that_fits(info: DatasetInfo) -> dict[str, Any] | None:
    """Return the copy of `meta.json` where that fits the set's arrays and `meta.json` does not."""
    try:
        copy: dict[str, Any] = read_json(info.directory / datasets.META_COPY)
    except LnlError:
        return None
    fits = not _fits(info, datasets.read_meta(info)) and _fits(info, copy)
    return copy if fits else None


def _fits(info: DatasetInfo, meta: dict[str, Any]) -> bool:
    try:
        grown = len(meta.get("additions", ()))
        folder = info.directory / f"grown-{grown}" if grown else info.directory
        shape = arrays.read_array(folder / "images.npy").shape
        labels = arrays.read_array(folder / "given_labels.npy")
        size = tuple(int(meta[name]) for name in ("n", "height", "width", "channels"))
        known = not len(labels) or int(labels.max()) < len(meta["class_names"])
        return shape == size and len(labels) == size[0] and known
    except (LnlError, TypeError, ValueError):
        return False
