"""Decisions made elsewhere come in: each to its own image, once, never over a newer one unasked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import numpy as np

from lnl_core.data import export as files
from lnl_core.data.content import Finder
from lnl_core.data.matching import BY_CONTENT, HeldBack, Matcher
from lnl_core.data.reimport import Entry
from lnl_core.services.in_force import contents, loaded, scored
from lnl_core.services.review import groups
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, Decision, LnlError

MAX_CONFLICTS = 1000
_CLOCKS_APART = 10
"""Minutes by which the clocks of two computers may differ."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row of a file that says something else than what is in force.

    Attributes:
        number: the file's row, as a spreadsheet counts it.
        id: the image.
        reviewer: whose answer it is about.
        in_force: what counts now, in words.
        file: what the file says, in words.
        remedy: what was done, and what a person can do.
        stored: True where the row was stored all the same (people contradict each other).
    """

    number: int
    id: str
    reviewer: str
    in_force: str
    file: str
    remedy: str
    stored: bool

    def words(self) -> str:
        """Return the conflict as one sentence."""
        return (
            f"Row {self.number}, {self.id}: in force is {self.in_force}; "
            f"the file says {self.file}. {self.remedy}"
        )


@dataclass(frozen=True, slots=True)
class DecisionImport:
    """What became of a file of decisions.

    Attributes:
        stored: new decisions.
        unchanged: rows that say what is in force already, or were imported before.
        conflicts: rows that say something else than what is in force, the first 1,000.
        held: how many rows were not stored because of a conflict, or because they contradict the
            set; the latter are in `held_back`, the first 1,000 of them.
        problems: rows that cannot be used, as sentences.
        by_content: rows whose image was found by its content; all others by their id.
        notes: what should be known of the file as a whole.
        on_copies: new decisions beside those, on copies of the images that the file names.
    """

    stored: int
    unchanged: int
    conflicts: tuple[Conflict, ...]
    held: int
    problems: tuple[str, ...]
    held_back: tuple[HeldBack, ...] = ()
    by_content: int = 0
    on_copies: int = 0
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Known:
    """What is stored about the rows that a file names, kept up to date while it is read."""

    latest: dict[int, dict[str, Decision]]
    cids: dict[tuple[str, str], Decision]

    def add(self, decision: Decision) -> None:
        self.latest.setdefault(decision.row, {})[decision.reviewer] = decision
        self.cids[decision.reviewer, decision.cid] = decision

    def of(self, row: int, reviewer: str) -> Decision | None:
        return self.latest.get(row, {}).get(reviewer)


def import_decisions(
    info: DatasetInfo,
    file: Path | IO[bytes],
    reviewer: str,
    *,
    replace_newer: bool = False,
    by_id: bool = False,
    to_copies: bool = False,
    file_name: str | None = None,
) -> DecisionImport:
    """Store decisions made elsewhere.

    The file needs the columns id and action, and label where the action has one. Its image is the
    one with the row's `content`, where the file has that column, else the one with the id; a row
    that contradicts the set is held back (`data.matching`). A row's identity
    is what it says (or its `cid`, where this program wrote the file), so that importing a file
    twice stores nothing twice. A row that differs from the same reviewer's answer in force is
    stored only where its `decided_at` is later; else it is held back and reported.

    Args:
        info: the data set.
        file: CSV, or Parquet (path).
        reviewer: who decided, where the file names nobody.
        replace_newer: store rows that are older than what is in force; the file's last word counts.
        by_id: match by id, whatever the content.
        to_copies: an answer goes to the copies of its picture as well, but for those that the
            file names and those that people have settled.
        file_name: what messages call the file.

    Raises:
        LnlError: no such set, or a file that cannot be read as a table of decisions.
    """
    data = loaded(info)
    shown = file_name or (file.name if isinstance(file, Path) else "The file")
    entries, problems, matcher = _read(info, file, shown, by_id)
    entries = [replace(e, reviewer=(e.reviewer or reviewer).strip()) for e in entries]
    entries = list(_possible(info, entries, problems))
    known = _known(info, {e.row for e in entries})
    last_word = {(e.row, e.reviewer): e.number for e in entries}
    made: list[Decision] = []
    standing: list[Decision] = []
    conflicts: list[Conflict] = []
    unchanged = held = 0
    latest, ahead = _latest_possible(), 0
    for entry in entries:
        cid = _cid(entry, data.ids[entry.row], info.class_names)
        if entry.decided_at > latest:
            ahead += 1
            entry = replace(entry, decided_at="")  # nobody knows when: it wins over nothing
        before = known.of(entry.row, entry.reviewer)
        owner = known.cids.get((entry.reviewer, entry.cid))
        if entry.cid and (owner is None or _same(owner, entry)):  # else it is another answer's
            cid = entry.cid
        same_id = known.cids.get((entry.reviewer, cid))
        final = last_word[entry.row, entry.reviewer] == entry.number
        if _stands(before, entry) or (same_id is not None and not final):
            unchanged += 1
            standing += [before] if before is not None and _same(before, entry) else []
            continue
        conflict = None
        if before is not None and (same_id is not None or not _later(entry, before, latest)):
            if not (replace_newer and final):
                conflict = _held(info, data.ids[entry.row], entry, before, same_id is not None)
                held += 1
            else:
                cid = _digest(cid, str(before.id or before.cid))
        else:
            conflict = _contradiction(info, data.ids[entry.row], entry, known)
        if conflict is not None and len(conflicts) < MAX_CONFLICTS:
            conflicts.append(conflict)
        if conflict is not None and not conflict.stored:
            continue
        decision = _decision(entry, cid)
        made.append(decision)
        known.add(decision)
    to_copy = groups.spread(info, [*standing, *made], {e.row for e in entries}) if to_copies else []
    decisions.append(info, _with_facts(info, [*made, *to_copy]))
    return DecisionImport(
        stored=len(made),
        on_copies=len(to_copy),
        unchanged=unchanged,
        conflicts=tuple(conflicts),
        held=held + len(matcher.held),
        problems=tuple(problems),
        held_back=tuple(matcher.held[:MAX_CONFLICTS]),
        notes=_ahead(ahead),
        by_content=sum(entry.by == BY_CONTENT for entry in entries),
    )


def _read(
    info: DatasetInfo, file: Path | IO[bytes], name: str, by_id: bool
) -> tuple[list[Entry], list[str], Matcher]:
    """Read a file's rows and find their images; the matcher knows which ones it held back."""
    data = loaded(info)
    matcher = Matcher(
        file=name,
        ids=data.ids,
        class_names=info.class_names,
        given_labels=data.given_labels,
        finder=Finder(contents(info)),
        since=info.created_at,
        by_id=by_id,
    )
    entries, problems = files.read_decisions(
        file,
        class_names=info.class_names,
        positions=data.ids.positions,  # type: ignore[attr-defined]
        name=name,
        place=matcher.place,
    )
    doubtful = matcher.doubtful(entries)
    matcher.held.sort(key=lambda each: each.number)
    return [e for e in entries if e.number not in doubtful], problems, matcher


def _possible(info: DatasetInfo, entries: list[Entry], problems: list[str]) -> Iterator[Entry]:
    """Yield the entries that can be; a label that is no class is told as a problem of its row."""
    given = loaded(info).given_labels
    for entry in entries:
        try:
            decisions.check_classes(info, entry, int(given[entry.row]))
        except LnlError as error:
            problems.append(f"Row {entry.number}: {error}")
        else:
            yield entry


def _known(info: DatasetInfo, rows: set[int]) -> _Known:
    known = _Known({}, {})
    for decision in decisions.history(info):
        known.cids[decision.reviewer, decision.cid] = decision
        if decision.row in rows:
            known.add(decision)
    return known


def _cid(entry: Entry, id_: str, class_names: Sequence[str]) -> str:
    """Return the identity of a row: what it says, about which image, by whom and when."""
    labels = entry.labels if entry.label is None else (entry.label,)
    said = [id_, entry.action, [class_names[label] for label in labels], entry.decided_at]
    return _digest(json.dumps(said, ensure_ascii=False))


def _digest(*parts: str) -> str:
    return "file-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _answer(what: Entry | Decision) -> tuple[Action, int | None, frozenset[int]]:
    return what.action, what.label, frozenset(what.labels)


def _same(stored: Decision, entry: Entry) -> bool:
    return stored.row == entry.row and _answer(stored) == _answer(entry)


def _stands(before: Decision | None, entry: Entry) -> bool:
    """Tell whether a row changes nothing: said already, or takes back what is not there."""
    if before is None:
        return entry.action is Action.REOPEN
    return _same(before, entry)


def _latest_possible() -> str:
    """Return the latest time that a decision can have, where clocks differ by some minutes."""
    ahead = datetime.now(UTC) + timedelta(minutes=_CLOCKS_APART)
    return ahead.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ahead(count: int) -> tuple[str, ...]:
    """Say how many rows were decided in the future."""
    if not count:
        return ()
    return (
        f"{count:,} {'row was' if count == 1 else 'rows were'} decided in the future by the clock "
        "of this computer: the time of this import is theirs, and they win over no answer that is "
        "there. Correct the clock, or the column decided_at.",
    )


def _later(entry: Entry, before: Decision, latest: str) -> bool:
    """Tell whether a row was decided after what counts now; without a time, nobody knows.

    What was stored with a time in the future (a clock that was wrong) counts as of now.

    Rows of one file and one moment were decided in the file's order, as an export has them.
    """
    same_file = not before.id
    return bool(entry.decided_at) and (
        entry.decided_at > before.decided_at
        or before.decided_at > latest
        or (same_file and entry.decided_at == before.decided_at)
    )


def _held(
    info: DatasetInfo, id_: str, entry: Entry, before: Decision, known_already: bool
) -> Conflict:
    when = _when(before.decided_at) or "an earlier row of the file"
    stands = f"{_said(info, before)} by {entry.reviewer}, {when}"
    if before.action is Action.REOPEN:
        stands = f"nothing: {entry.reviewer} took the answer back, {when}"
    if known_already:
        why = "Not stored: answered anew since it was."
    elif entry.decided_at:
        why = f"Not stored: it is older, {_when(entry.decided_at)}."
    else:
        why = "Not stored: no decided_at says which is later."
    return Conflict(
        number=entry.number,
        id=id_,
        reviewer=entry.reviewer,
        in_force=stands,
        file=_said(info, entry),
        remedy=f"{why} Let the file win, or correct the row.",
        stored=False,
    )


def _contradiction(info: DatasetInfo, id_: str, entry: Entry, known: _Known) -> Conflict | None:
    """Report a row that another reviewer's answer in force contradicts; it is stored."""
    nothing = (Action.UNSURE, Action.SKIP, Action.REOPEN)
    if entry.action in nothing:
        return None
    others = known.latest.get(entry.row, {}).items()
    against = next(
        (
            decision
            for who, decision in others
            if who != entry.reviewer
            and decision.action not in nothing
            and _answer(decision) != _answer(entry)
        ),
        None,
    )
    if against is None:
        return None
    return Conflict(
        number=entry.number,
        id=id_,
        reviewer=entry.reviewer,
        in_force=f"{_said(info, against)} by {against.reviewer}",
        file=f"{_said(info, entry)} by {entry.reviewer}",
        remedy="Stored beside it; a third look settles it.",
        stored=True,
    )


def _when(moment: str | None) -> str:
    """Return an ISO time in UTC as people read it: `2026-01-02 09:30:00 UTC`."""
    return f"{moment[:10]} {moment[11:19]} UTC" if moment else ""


def _said(info: DatasetInfo, what: Entry | Decision) -> str:
    """Return an answer in words: `relabel to cat`."""
    names = info.class_names
    if what.label is not None:
        return f"{what.action} to {names[what.label]}"
    if what.labels:
        return f"{what.action}: {files.joined(what.labels, names)}"
    return str(what.action)


def _decision(entry: Entry, cid: str) -> Decision:
    return Decision(
        row=entry.row,
        action=entry.action,
        reviewer=entry.reviewer,
        label=entry.label,
        labels=entry.labels,
        cid=cid,
        decided_at=entry.decided_at,
        seconds=entry.seconds,
        suggested_label=entry.suggested_label,
        p_wrong=entry.p_wrong,
        mode="import",
        route="import",
    )


def _with_facts(info: DatasetInfo, made: list[Decision]) -> list[Decision]:
    """Add the given label and, where the file does not say it, what the methods say today."""
    ranked = scored(info)
    given = np.asarray(loaded(info).given_labels)

    def known(decision: Decision) -> Decision:
        suggested, wrong = decision.suggested_label, decision.p_wrong
        if suggested is None and wrong is None and ranked is not None:
            suggested = int(ranked.ranking.suggested_labels[decision.row])
            wrong = float(ranked.ranking.p_wrong[decision.row])
        return replace(
            decision,
            given_label=int(given[decision.row]),
            suggested_label=suggested,
            p_wrong=wrong,
        )

    return [known(decision) for decision in made]
