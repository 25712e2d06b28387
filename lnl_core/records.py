"""The nouns of the database, and the errors that people read: plain values without arrays.

They stand apart from `lnl_core.types`, which has them all, so that what only reads the database
(`lnl status`) starts without numpy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Action(StrEnum):
    """What a reviewer can say about one image (a verdict, or taking one back)."""

    KEEP = "keep"
    RELABEL = "relabel"
    MULTIPLE = "multiple"
    NONE = "none"
    UNSURE = "unsure"
    SKIP = "skip"
    REOPEN = "reopen"
    AUTO = "auto"
    """The suggestion was accepted unseen, by a plan whose random check passed: nobody's answer."""


class JobState(StrEnum):
    """Where a job stands; `lost` and `stalled` are seen from outside, never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"


ACTIVE_STATES = (JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING)


class Cancelled(Exception):
    """Raised inside a method by `context.report` once the user has pressed stop."""


_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class LnlError(Exception):
    """An error whose text is written for the person at the screen: what, where, what to do.

    `code` is what a program reads beside it (`--json`). Names out of people's files stand in it, so
    signs that steer a terminal are replaced.
    """

    code = "refused"

    def __str__(self) -> str:
        return _STEERING.sub("\N{REPLACEMENT CHARACTER}", super().__str__())


def file_size(size: float) -> str:
    """Write bytes as `61 KB`, `16 MB`, `1.2 GB`."""
    if size < 1000:
        return f"{size:.0f} B"
    if size < 999_500:
        return f"{size / 1e3:.0f} KB"
    if size < 999_500_000:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB"


def meant(name: str, known: Iterable[str]) -> str:
    """Return “ Did you mean …?” with up to two names that are spelled much alike.

    Args:
        name: what was asked for.
        known: what there is.

    Returns:
        "" where nothing is near.
    """
    import difflib

    by_fold: dict[str, str] = {}
    for one in known:
        by_fold.setdefault(one.casefold(), one)
    near = difflib.get_close_matches(name.casefold(), list(by_fold), n=2, cutoff=0.7)
    return f" Did you mean “{'” or “'.join(by_fold[one] for one in near)}”?" if near else ""


class NotFound(LnlError):
    """What was named is not there."""

    code = "not_found"


class Damaged(LnlError, ValueError):
    """A file of the workspace does not hold what was written into it."""

    code = "damaged"


class Missing(Damaged, FileNotFoundError):
    """A file of the workspace is gone."""


class Unexpected(LnlError):
    """This program made a mistake; its traceback is in the log."""

    code = "unexpected"


class Busy(LnlError):
    """Another program holds the database."""

    code = "busy"


class NoAnswer(LnlError):
    """The database cannot be reached now: a server that is down, a file that does not open."""

    code = "no_answer"


class ReadOnly(LnlError):
    """The workspace can be looked at; nothing can be saved in it."""

    code = "read_only"


class NoRoom(ReadOnly):
    """The disk of the workspace is full: what is there can be looked at until there is room."""

    code = "no_room"


class NoCopy(LnlError):
    """The database could not be copied; it is as it was, and everything goes on."""

    code = "no_copy"


class Unavailable(LnlError):
    """This machine lacks what was asked for."""

    code = "unavailable"


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict by one reviewer, as stored; never edited.

    `label` is the class for `relabel`, `labels` the classes for `multiple`. `cid` is the client's
    id of this very press, so that a journal sent twice is stored once. `suggested_label`,
    `p_wrong`, `run_ids`, `position`, `mode`, `route`, `revealed` say what was shown.
    """

    row: int
    action: Action
    reviewer: str
    label: int | None = None
    labels: tuple[int, ...] = ()
    cid: str = ""
    id: int = 0
    decided_at: str = ""
    seconds: float | None = None
    given_label: int | None = None
    suggested_label: int | None = None
    p_wrong: float | None = None
    run_ids: tuple[int, ...] = ()
    position: int | None = None
    mode: str = "single"
    route: str = "queue"
    revealed: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one method, as the job table has it. Times are ISO 8601 UTC.

    `base` is the number of the run that this one builds on. `splits` has `train_on` and `judge`,
    names of splits, where it does not train on and judge all of the set.
    """

    id: int
    dataset: str
    method: str
    preset: str
    config: Mapping[str, Any]
    representation: str
    seed: int
    device: str
    executor: str
    state: JobState
    stage: str
    fraction: float
    metrics: Mapping[str, Any]
    eta_seconds: float | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    heartbeat_at: str | None
    host: str | None
    pid: int | None
    pid_started: float | None
    error: str | None
    other_class: int | None
    cost: Mapping[str, float]
    base: int | None = None
    engine_job: str | None = None
    engine_options: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a person's work lives.

    Attributes:
        home: folder with `review.db` and one folder per data set.
        url: SQLAlchemy URL of the database, SQLite or PostgreSQL.
    """

    home: Path
    url: str

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is a file, which processes of one machine only may share."""
        return self.url.startswith("sqlite:")

    @property
    def datasets_dir(self) -> Path:
        """Folder that holds one folder per data set."""
        return self.home / "datasets"


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A registered data set, as every function takes it: it knows the workspace it belongs to.

    A name is turned into one of these once, at the edge (command line, route, sidebar), by
    `store.datasets.dataset`. `version` is a digest of its contents, used in cache keys and URLs.
    `no_classes` are the labels (numbers) that say that nobody labelled the image, `new_classes`
    those that people added while they reviewed; the first `imported_classes` labels are as old as
    the set, and keys stand for them alone. `additions` are the first rows of what was added later,
    `grown_at` says when each was, `grown_after` how many draws and which last decision there were
    by then; None where that was not kept yet. `moved` are (folder, where it is now, rows from the
    first that it counts for) of originals that were added from elsewhere.
    """

    workspace: Workspace
    id: int
    name: str
    directory: Path
    kind: str
    source: str
    n: int
    class_count: int
    created_at: str
    used_at: str
    class_names: tuple[str, ...]
    height: int
    width: int
    channels: int
    skipped: int
    has_truth: bool
    root: str | None
    version: str
    format: str
    no_classes: tuple[int, ...] = ()
    new_classes: tuple[int, ...] = ()
    imported_classes: int = 0
    additions: tuple[int, ...] = ()
    grown_at: tuple[str, ...] = ()
    grown_after: tuple[tuple[int, int] | None, ...] = ()
    moved: tuple[tuple[str, str, int], ...] = ()

    @property
    def arrays(self) -> Path:
        """Folder of the working copies: the set's own, or the one that its last addition made."""
        return self.directory / f"grown-{len(self.additions)}" if self.additions else self.directory

    @property
    def real_class_count(self) -> int:
        """Number of labels that are classes."""
        return self.class_count - len(self.no_classes)
