"""Runs that build on another run: post-training of its network, or training on its labels."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from lnl_core.methods import METHODS, leaves, title_of
from lnl_core.store import schema
from lnl_core.store.db import now
from lnl_core.types import DatasetInfo, Job, JobState, Leaves, LnlError

ARROW = "->"
"""Between the methods of a recipe: the second builds on the first."""

NETWORK = "network.safetensors"
"""The network that a run kept, in its folder."""

OF_RUN = "run:"
"""Before a number, as a representation: the features of that run's network."""

_ENDED = (str(JobState.FAILED), str(JobState.CANCELLED))
_TABLE = schema.jobs
_base = schema.jobs.alias("base")


def post_trains(method: str) -> bool:
    """Say whether a method takes the network of the run that it builds on."""
    return method in METHODS and Leaves.NETWORK in METHODS[method].builds_on


def purifies(method: str) -> bool:
    """Say whether runs of a method leave labels that every other method can train on."""
    return leaves(method, Leaves.PURIFIED_LABELS)


def fits(base: str, method: str) -> bool:
    """Say whether a run of one method can build on a run of another."""
    return leaves(base, Leaves.NETWORK if post_trains(method) else Leaves.PURIFIED_LABELS)


def recipes() -> dict[str, str]:
    """Return methods that combine well, `first->second` -> words, as their cards say."""
    return {
        f"{first}{ARROW}{key}": f"{title_of(first)}, then {title_of(key)}"
        for key, method in METHODS.items()
        for first in method.after
        if first in METHODS and fits(first, key)
    }


def run_of(representation: str | None) -> int | None:
    """Return the number of the run whose features `run:12`, or plainly `12`, names; else None."""
    number = (representation or "").removeprefix(OF_RUN)
    return int(number) if number.isdecimal() else None


def check(base: Job, info: DatasetInfo, method: str) -> None:
    """Raise LnlError where a run cannot build on another."""
    _there(base, info)
    able = _has(base, info, method) if base.state is JobState.DONE else fits(base.method, method)
    if not able:
        raise LnlError(refusal(base.method, method))


def _has(base: Job, info: DatasetInfo, method: str) -> bool:
    """Tell whether a run that has ended left what a method builds on."""
    from lnl_core.store import arrays  # slow to load, and the list of runs needs none

    folder = info.directory / "runs" / str(base.id)
    if post_trains(method):
        return (folder / NETWORK).is_file()
    return Leaves.PURIFIED_LABELS in arrays.load_signals(folder).extras


def check_features(base: Job, info: DatasetInfo, method: str, usable: bool) -> None:
    """Raise LnlError where a run cannot learn from the features of another.

    Args:
        base: the run whose network made the features.
        info: the data set of both.
        method: key of the run that wants them.
        usable: whether that method can learn from features at all.
    """
    _there(base, info)
    if post_trains(method):
        raise LnlError(f"{method} takes the network of run {base.id} itself: name it as the base.")
    if not usable:
        raise LnlError(f"{method} learns from pixels or maps, not from the features of a run.")


def _there(base: Job, info: DatasetInfo) -> None:
    if base.dataset != info.name:
        raise LnlError(
            f"Run {base.id} is of “{base.dataset}”, not of “{info.name}”. Choose a run of this set."
        )
    if str(base.state) in _ENDED:
        raise LnlError(f"Run {base.id} is {base.state}. Resume it first, or choose another run.")


def refusal(base: str, method: str) -> str:
    """Say in words why one method cannot build on another."""
    networks = " and ".join(filter(post_trains, METHODS))
    labels = " or ".join(filter(purifies, METHODS))
    return (
        f"{method} cannot build on {base}: {networks} post-trains the network "
        f"of a run, other methods train on labels purified by {labels}, and those on features "
        "learn from the ones of a network, such as ce."
    )


def _state() -> ColumnElement[str]:
    state: ColumnElement[str] = (
        select(_base.c.state).where(_base.c.id == _TABLE.c.base).scalar_subquery()
    )
    return state


def ready() -> ColumnElement[bool]:
    """Match jobs that build on nothing or on a run that is done."""
    return or_(_TABLE.c.base.is_(None), _state() == str(JobState.DONE))


def fail_without_base(connection: Connection) -> None:
    """Fail waiting jobs whose base failed, was cancelled or is gone; the reason names it."""
    lost = and_(
        _TABLE.c.state == str(JobState.QUEUED),
        _TABLE.c.base.is_not(None),
        or_(_state().in_(_ENDED), _state().is_(None)),
    )
    waiting = select(_TABLE.c.id, _TABLE.c.base, _state().label("base_state")).where(lost)
    for number, base, state in connection.execute(waiting).all():
        reason = (
            f"run {base}, which this one builds on, is gone; start it on another run"
            if state is None
            else f"run {base}, which this one builds on, {_WORDS[state]}; resume run {base}, "
            "then this one"
        )
        connection.execute(
            update(_TABLE)
            .where(_TABLE.c.id == number, _TABLE.c.state == str(JobState.QUEUED))
            .values(state=str(JobState.FAILED), finished_at=now(), error=reason)
        )


_WORDS = {str(JobState.FAILED): "failed", str(JobState.CANCELLED): "was cancelled"}
