"""What is damaged in a workspace, what can be restored, and restoring it.

It looks at everything without changing it; also where the database cannot be opened.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from lnl_core.jobs import queue
from lnl_core.records import NoRoom
from lnl_core.said import command, many
from lnl_core.services.datasets import leftovers, unreadable
from lnl_core.store import (
    adopting,
    arrays,
    datasets,
    db,
    faults,
    interrupted,
    locks,
    order,
    possible,
    rescue,
    schema,
)
from lnl_core.store.files import ranking_version, read_json, write_json
from lnl_core.store.table import read_table
from lnl_core.types import Damaged, DatasetInfo, JobState, LnlError, Workspace

RESTORE = "`lnl doctor --restore`"
AGAIN = "It cannot be restored: import the set again, or bring its folder back from a copy of yours"


_AS_A_COPY = (
    f"{RESTORE} takes those rows as a copy of the database has them, and leaves out the rest; the "
    "file is kept as it is"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, what, what helps; `restorable` by `restore`."""

    place: str
    problem: str
    remedy: str
    restorable: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the database.

    Attributes:
        file: of the copy.
        answers: how many it holds; None where it cannot be restored from.
        newer: a newer version of the program wrote it.
    """

    file: Path
    answers: int | None
    newer: bool

    @property
    def held(self) -> str:
        """What it holds, in words."""
        if self.newer:
            return "written by a newer LNL Review"
        return "damaged" if self.answers is None else many(self.answers, "answer")


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor says.

    Attributes:
        home: the workspace's folder.
        findings: what is wrong; empty where all is well.
        copies: of the database, newest first.
        read_only: nothing can be saved.
    """

    home: Path
    findings: tuple[Finding, ...]
    copies: tuple[Copy, ...]
    read_only: bool

    @property
    def restorable(self) -> bool:
        """Whether `restore` would mend something."""
        return any(each.restorable for each in self.findings)


def look(home: Path | str | None = None, url: str | None = None) -> Report:
    """Look at a workspace, whole or not; nothing is changed.

    Args:
        home: folder; default `LNL_HOME`, else `~/.lnl-review`.
        url: database; default `LNL_DATABASE_URL`, else SQLite in the folder.

    Raises:
        LnlError: the address of the database is none.
    """
    ws = db.located(home, url)
    copies = tuple(
        Copy(each, order.answers_in(each), order.of_newer(each)) for each in faults.backups(ws)
    )
    wrong = rescue.problem(ws, with_indexes=True)
    if wrong is None:
        untrue = list(_untrue(ws))  # with such rows the sets may not even open
        findings = [
            *_full(ws),
            *_without_copies(ws),
            *(untrue or [*_unlisted(ws), *_sets(ws)]),
        ]
    else:
        mends = isinstance(wrong, Damaged) and ws.on_sqlite
        help_ = _from(ws, copies) if mends else ""
        findings = [*_full(ws), Finding("database", _bare(str(wrong)), help_, mends)]
    return Report(ws.home, tuple(findings), copies, db.is_read_only(ws))


def _bare(problem: str) -> str:
    """Return what is wrong without the advice to ask the doctor, who says it."""
    return problem.partition(" `lnl doctor`")[0]


def _from(ws: Workspace, copies: tuple[Copy, ...]) -> str:
    """Say what a damaged database can be restored from."""
    file = faults.database_file(ws)
    assert file is not None
    given = order.sources(ws, file)
    whole = next((each for each in copies if each.file == given.base), None)
    sets = len(adopting.unlisted(ws, set()))
    parts = [] if whole is None else [f"{whole.held} of the copy {whole.file.name}"]
    parts += [f"{many(sets, 'data set')} from the folders"] if sets else []
    parts += [f"whatever {each.name} still gives" for each in given.later]
    if file.is_file() and file.stat().st_size:
        parts.append("whatever the damaged file still gives; that file is kept")
    lost = "" if whole is not None else ". No copy can be taken: answers in no other place are lost"
    return _with(f"{RESTORE} brings back {', '.join(parts)}{lost}", rescue.passed_over(given))


def _with(said: str, more: list[str]) -> str:
    return ". ".join([said, " ".join(more)]).rstrip(".") if more else said


def _untrue(ws: Workspace) -> Iterator[Finding]:
    try:
        counts = rescue.untrue(ws)
        problem = f"The database holds {possible.told(counts)} that cannot be true: {possible.WHY}."
    except Damaged as error:  # text that cannot be read
        counts, problem = Counter({"": 1}), _bare(str(error))
    file = faults.database_file(ws)
    if counts and file is not None:
        help_ = _with(_AS_A_COPY, rescue.passed_over(order.sources(ws, file)))
        yield Finding("database", problem, help_, True)


def _full(ws: Workspace) -> Iterator[Finding]:
    for folder in faults.full_disks(ws):
        yield Finding(
            "disk",
            f"The disk of {folder} is full: nothing can be saved, no run can go on.",
            "Free some space there; nothing that is stored is damaged by this",
            False,
        )


def _without_copies(ws: Workspace) -> Iterator[Finding]:
    """Say that no daily copy is made, for lack of room on a disk that is not full."""
    file = faults.database_file(ws)
    if file is None or ws.home in faults.full_disks(ws):
        return
    needed, free = (each / 2**20 for each in (file.stat().st_size, shutil.disk_usage(ws.home).free))
    if needed > free:
        yield Finding(
            "disk",
            f"The database is not copied once a day: a copy takes {needed:,.0f} MB, and "
            f"{ws.home / 'backups'} has {free:,.0f} MB free.",
            "Free some space there; nothing that is stored is damaged by this",
            False,
        )


def restore(home: Path | str | None = None, url: str | None = None) -> list[str]:
    """Restore what can be; say what was done, a sentence each.

    Raises:
        LnlError: nothing can be written, or the disk is full.
    """
    ws = db.located(home, url)
    db.refuse_read_only(ws)
    for finding in _full(ws):
        raise NoRoom(f"{finding.problem} {finding.remedy}. Then restore again.")
    said = _restore_database(ws)
    is_new = bool(said)
    for broken in datasets.broken(ws):
        said += _restore_meta(broken)
    said += adopting.adopt_unlisted(ws)
    for info in datasets.datasets(ws):
        said += _restore_misfit(info)
    for info in datasets.datasets(ws):
        said += _restore_ranking(info)
        said += _drop_copies(info)
        said += unreadable.drop(info)
        said += _finished(info) if is_new else []
    leftovers.sweep(ws)
    return said


def _restore_database(ws: Workspace) -> list[str]:
    """Make it whole where it is not: one window or command at a time, and once."""
    if not _restorable(ws):
        return []
    lock = ws.home / "backups" / "restoring.lock"
    try:
        lock.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise LnlError(
            f"{lock.parent} is no folder, or cannot be made ({error.strerror}): what is damaged is "
            "kept there. Move what has that name elsewhere, then restore again."
        ) from error
    with locks.held(lock):
        if not _restorable(ws):  # somebody was first, and has done it
            return []
        said = rescue.restore(ws)
    wrong = rescue.problem(ws)
    if wrong is not None:
        raise wrong
    return said


def _restorable(ws: Workspace) -> bool:
    wrong = rescue.problem(ws, update=True, with_indexes=True)
    if wrong is not None and not isinstance(wrong, Damaged):
        raise wrong
    return wrong is not None or any(_untrue(ws))


def keep_copy(ws: Workspace) -> Path | None:
    """Copy the database where the last daily copy is a day old; return the new one."""
    return rescue.keep_copy(ws)


# Sets -----------------------------------------------------------------------------------------


def broken(ws: Workspace) -> list[datasets.Broken]:
    """Return the data sets that cannot be opened, with why."""
    return datasets.broken(ws)


def forget(broken_set: datasets.Broken) -> None:
    """Remove a data set that cannot be opened, with its runs and decisions."""
    datasets.forget(broken_set.workspace, broken_set.id, broken_set.directory)


def _unlisted(ws: Workspace) -> Iterator[Finding]:
    with db.reading(ws) as connection:
        listed = set(connection.execute(select(schema.datasets.c.folder)).scalars())
    for folder in adopting.unlisted(ws, listed):
        yield Finding(
            f"datasets/{folder.name}",
            "This folder holds a data set that the database does not list.",
            f"{RESTORE} lists it again",
            ws.on_sqlite,
        )


def _sets(ws: Workspace) -> Iterator[Finding]:
    for each in datasets.broken(ws):
        mends = _has_copy(each.directory)
        gone = f"{AGAIN}; `{command('remove', each.name)}` takes it off the list"
        help_ = f"{RESTORE} takes meta.json from its copy; nothing is lost" if mends else gone
        yield Finding(each.name, _bare(each.problem), help_, mends)
    for info in datasets.datasets(ws):
        yield from _of(info)


def _of(info: DatasetInfo) -> Iterator[Finding]:
    if unreadable.meta_that_fits(info) is not None:
        problem = f"{info.directory.name}/meta.json is damaged: it does not fit the set's arrays."
        help_ = f"{RESTORE} takes meta.json from its copy, which does; nothing is lost"
        yield Finding(info.name, problem, help_, True)
        return  # of a set that says of itself what is not true nothing else can be said
    try:
        datasets.copies(info)
    except LnlError as error:
        help_ = f"{RESTORE} drops the list; the next run looks for copies anew"
        yield Finding(info.name, _bare(str(error)), help_, True)
        return  # what is below reads it as well
    try:
        data = datasets.load(info)
        if len(data.images) != info.n or len(data.ids) != info.n:
            raise Damaged(f"{info.directory.name} does not hold {info.n:,} images.")
        read_table(info.arrays / "table.parquet")
    except LnlError as error:
        yield Finding(info.name, _bare(str(error)), AGAIN, False)
    root = None if info.root is None else info.directory / info.root
    if root is not None and not root.is_dir():
        yield Finding(
            info.name,
            f"The originals are not at {root}; the working copies are shown.",
            f"If they have moved: `{command('relink', info.name, 'ROOT')}`",
            False,
        )
    try:
        arrays.load_ranking(info.directory / "ranking")
    except LnlError as error:
        help_ = f"{RESTORE} takes an earlier ranking; without one the next run ranks anew"
        yield Finding(info.name, _bare(str(error)), help_, True)
    for each in unreadable.unreadable(info):
        place = info.name if each.run is None else f"{info.name}, run {each.run}"
        help_ = f"{RESTORE} drops it: {each.without}" if each.without else each.remedy
        yield Finding(place, _bare(each.problem), help_, bool(each.without))


def _has_copy(directory: Path) -> bool:
    with suppress(LnlError):
        return "class_names" in read_json(directory / datasets.META_COPY)
    return False


def _restore_meta(each: datasets.Broken) -> list[str]:
    if not _has_copy(each.directory):
        return []
    write_json(each.directory / datasets.META, read_json(each.directory / datasets.META_COPY))
    return [f"“{each.name}”: meta.json is there again, from its copy."]


def _restore_misfit(info: DatasetInfo) -> list[str]:
    meta = unreadable.meta_that_fits(info)
    if meta is None:
        return []
    write_json(info.directory / datasets.META, meta)
    return [f"“{info.name}”: meta.json did not fit the set's arrays; it is its copy's again."]


def _restore_ranking(info: DatasetInfo) -> list[str]:
    """Point to the newest ranking that is whole; to none where there is none."""
    folder = info.directory / "ranking"
    try:
        arrays.load_ranking(folder)
        return []
    except LnlError:
        current = None
        with suppress(LnlError):
            current = ranking_version(folder)
    for version in sorted((each.name for each in folder.glob("[0-9]*")), reverse=True):
        with suppress(LnlError):
            arrays.read_ranking(folder / version)
            write_json(folder / "current.json", {"version": version})
            return [f"“{info.name}”: the ranking {version} is in force again."]
    arrays.drop_ranking(folder)
    if current is not None:
        shutil.rmtree(folder / current, ignore_errors=True)
    return [f"“{info.name}”: no ranking was whole, so it has none now. The next run ranks anew."]


def _finished(info: DatasetInfo) -> list[str]:
    """Say which runs ended after the copy was taken: what they found is in their folders."""
    count = 0
    for job in queue.jobs(info):
        with suppress(LnlError):
            if job.state is JobState.FAILED and job.error == interrupted.WORDS:
                arrays.load_signals(queue.run_dir(info.workspace, job))
                count += 1
    if not count:
        return []
    whose, them = ("its", "it") if count == 1 else ("their", "them")
    return [
        f"“{info.name}”: {many(count, 'run')} shown as interrupted had ended, and {whose} results "
        f"are there: `{command('run', info.name, '--resume')}` takes {them} in without computing "
        "anew."
    ]


def _drop_copies(info: DatasetInfo) -> list[str]:
    try:
        datasets.copies(info)
    except LnlError:
        (info.arrays / datasets.COPIES).unlink(missing_ok=True)
        return [f"“{info.name}”: the damaged list of copies is dropped; the next run looks anew."]
    return []
