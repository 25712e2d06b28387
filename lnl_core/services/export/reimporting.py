"""Decisions made elsewhere come in: each to its own image, once, never over a newer one unasked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import numpy as np

from lnl_core.data.matching import BY_CONTENT, HeldBack
from lnl_core.data.reimport import Entry
from lnl_core.readings import How
from lnl_core.services.export import conflicts as conflicts_of
from lnl_core.services.export import hearing
from lnl_core.services.export.conflicts import Conflict, answer
from lnl_core.services.in_force import loaded, score_shown, scored
from lnl_core.services.review import groups
from lnl_core.services.team.roles import Act, may
from lnl_core.store import checking, decisions, meaning
from lnl_core.types import Action, DatasetInfo, Decision, LnlError

MAX_CONFLICTS = 1000
_CLOCKS_APART = 10
"""Minutes by which the clocks of two computers may differ."""


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
        source: the tool that wrote the file, a key of `SOURCES`.
        unlooked: labels that are the given ones, where the file does not say that anybody looked.
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
    source: str = "lnl"
    unlooked: int = 0


@dataclass(slots=True)
class _Known:
    """What is stored about the rows that a file names, kept up to date while it is read."""

    latest: dict[int, dict[str, Decision]]
    cids: dict[tuple[str, str], Decision]
    void: dict[tuple[int, str], Decision] = field(default_factory=dict)
    """Answers that count as taken back, because their label is no class any more."""

    def add(self, decision: Decision, no_classes: Collection[int] = ()) -> None:
        self.cids[decision.reviewer, decision.cid] = decision
        place = decision.row, decision.reviewer
        self.void.pop(place, None)
        if meaning.is_void(decision, no_classes):
            self.void[place] = decision
            decision = replace(decision, action=Action.REOPEN, label=None, labels=())
        self.latest.setdefault(decision.row, {})[decision.reviewer] = decision

    def says(self, entry: Entry) -> bool:
        """Tell whether somebody's answer in force is what a row says."""
        return any(_same(each, entry) for each in self.latest.get(entry.row, {}).values())

    def of(self, row: int, reviewer: str) -> Decision | None:
        return self.latest.get(row, {}).get(reviewer)


def check_file(file: Path) -> None:
    """Refuse a path without a file of decisions.

    Raises:
        LnlError: nothing is there, or a folder.
    """
    if file.is_dir():
        raise LnlError(f"{file} is a folder. Name a file of decisions in it.")
    if not file.is_file():
        raise LnlError(f"There is no file {file}. Check the path.")


def import_decisions(
    info: DatasetInfo,
    file: Path | IO[bytes],
    reviewer: str,
    *,
    replace_newer: bool = False,
    by_id: bool = False,
    to_copies: bool = False,
    file_name: str | None = None,
    how: How | None = None,
    dry_run: bool = False,
    by: str | None = None,
) -> DecisionImport:
    """Store decisions made elsewhere, here or in another tool (`data.elsewhere`).

    Our own file needs the columns id and action, and label where the action has one. Its image is
    the one with the row's `content`, where the file has that column, else the one with the id; a
    row that contradicts the set is held back (`data.matching`). A row's identity is what it says
    (or its `cid`, where this program wrote the file), so that importing a file twice stores nothing
    twice. A row that differs from the same reviewer's answer in force is stored only where its
    `decided_at` is later; else it is held back and reported. What settled a contradiction where the
    file comes from settles it here, if whoever imports it may settle.

    Args:
        info: the data set.
        file: CSV or JSON, or Parquet (path).
        reviewer: who decided, where the file names nobody.
        replace_newer: store rows that are older than what is in force; the file's last word counts.
        by_id: match by id, whatever the content.
        to_copies: an answer goes to the copies of its picture as well, but for those that the
            file names and those that people have settled.
        file_name: what messages call the file.
        how: how a file of another tool is read; found out where None.
        dry_run: say what would be stored, and store nothing.
        by: who asks, on a page; None works on the machine itself.

    Raises:
        LnlError: no such set, no file, or one that cannot be read as decisions.
    """
    if isinstance(file, Path):
        check_file(file)
    data = loaded(info)
    shown = file_name or (file.name if isinstance(file, Path) else "The file")
    read = hearing.read(info, file, shown, how or How(), by_id=by_id)
    problems = list(read.problems)
    entries = [replace(e, reviewer=(e.reviewer or reviewer).strip()) for e in read.entries]
    entries = list(_possible(info, entries, problems))
    entries, notes = _settling(info, entries, by)
    known = _known(info, {e.row for e in entries})
    nothing_new = [not e.looked and known.says(e) for e in entries]
    entries = [
        e for e, known_already in zip(entries, nothing_new, strict=True) if not known_already
    ]
    last_word = {(e.row, e.reviewer): e.number for e in entries}
    settled = {e.row for e in entries if e.settled and last_word[e.row, e.reviewer] == e.number}
    made: list[Decision] = []
    standing: list[Decision] = []
    conflicts: list[Conflict] = []
    unchanged, held = sum(nothing_new), 0
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
        if _stands(before, entry, same_id) or (same_id is not None and not final):
            unchanged += 1
            standing += [before] if before is not None and _same(before, entry) else []
            continue
        conflict = None
        void = known.void.get((entry.row, entry.reviewer))
        later = before is None or _later(entry, before, latest)
        later = later or (void is not None and not entry.decided_at)  # it stands against nothing
        if before is not None and (same_id is not None or not later):
            if not (replace_newer and final):
                conflict = conflicts_of.held(
                    info, data.ids[entry.row], entry, void or before, same_id is not None
                )
                held += 1
            else:
                cid = _digest(cid, str(before.id or before.cid))
        elif entry.row not in settled:
            others = known.latest.get(entry.row, {})
            conflict = conflicts_of.contradiction(info, data.ids[entry.row], entry, others)
        if conflict is not None and len(conflicts) < MAX_CONFLICTS:
            conflicts.append(conflict)
        if conflict is not None and not conflict.stored:
            continue
        decision = _decision(entry, cid)
        made.append(decision)
        known.add(decision)
    to_copy = _to_copies(info, [*standing, *made], entries) if to_copies else []
    if not dry_run:
        decisions.append(info, _with_facts(info, [*made, *to_copy]))
    return DecisionImport(
        stored=len(made),
        on_copies=len(to_copy),
        unchanged=unchanged,
        conflicts=tuple(conflicts),
        held=held + len(read.held),
        problems=tuple(problems),
        held_back=tuple(read.held[:MAX_CONFLICTS]),
        notes=(*read.notes, *notes, *_ahead(ahead)),
        source=read.source,
        unlooked=read.unlooked,
        by_content=sum(entry.by == BY_CONTENT for entry in entries),
    )


def _to_copies(info: DatasetInfo, said: list[Decision], entries: list[Entry]) -> list[Decision]:
    """Answer for each copy that is open to an answer; what settles one image settles no other."""
    plain = [
        replace(d, route=decisions.IMPORT) if d.route == decisions.SETTLED else d for d in said
    ]
    return groups.spread(info, plain, {entry.row for entry in entries})


def _possible(info: DatasetInfo, entries: list[Entry], problems: list[str]) -> Iterator[Entry]:
    """Yield the entries that can be, a relabel to the given class as the keep that it means.

    A label that is no class is told as a problem of its row.
    """
    given = loaded(info).given_labels
    for entry in entries:
        try:
            checking.check_classes(info, entry, int(given[entry.row]))
        except LnlError as error:
            problems.append(f"Row {entry.number}: {error}")
        else:
            same = entry.action is Action.RELABEL and entry.label == given[entry.row]
            yield replace(entry, action=Action.KEEP, label=None) if same else entry


def _settling(
    info: DatasetInfo, entries: list[Entry], by: str | None
) -> tuple[list[Entry], list[str]]:
    """Return entries that settle only if whoever imports them may, and a note where not."""
    count = sum(entry.settled for entry in entries)
    if not count or by is None or may(info.workspace, by, Act.SETTLE):
        return entries, []
    were = "row that settled a contradiction counts" if count == 1 else "rows that settled count"
    note = f"{count:,} {were} as answers here: {by} may not settle. Ask an adjudicator to import."
    return [replace(entry, settled=False) for entry in entries], [note]


def _known(info: DatasetInfo, rows: set[int]) -> _Known:
    known = _Known({}, {})
    for decision in map(meaning.meant, decisions.history(info)):
        if decision.reviewer == decisions.AUTO_FIX:
            continue
        known.cids[decision.reviewer, decision.cid] = decision
        if decision.row in rows:
            known.add(decision, info.no_classes)
    return known


def _cid(entry: Entry, id_: str, class_names: Sequence[str]) -> str:
    """Return the identity of a row: what it says, about which image, by whom and when."""
    labels = entry.labels if entry.label is None else (entry.label,)
    said = [id_, entry.action, [class_names[label] for label in labels], entry.decided_at]
    return _digest(json.dumps(said, ensure_ascii=False))


def _digest(*parts: str) -> str:
    return "file-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _same(stored: Decision, entry: Entry) -> bool:
    return stored.row == entry.row and answer(stored) == answer(entry)


def _stands(before: Decision | None, entry: Entry, same_id: Decision | None) -> bool:
    """Tell whether a row changes nothing: said already, or takes back what is not there.

    What settles says more than the same person's answer before it.
    """
    if before is None:
        return entry.action is Action.REOPEN
    new = entry.settled and before.route != decisions.SETTLED and same_id is None
    return _same(before, entry) and not new


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
        mode=decisions.COPIES if entry.copies else "import",
        route=decisions.SETTLED if entry.settled else decisions.IMPORT,
    )


def _with_facts(info: DatasetInfo, made: list[Decision]) -> list[Decision]:
    """Add the given label and, where the file does not say it, what the methods say today."""
    ranked = scored(info)
    given = np.asarray(loaded(info).given_labels)

    def known(decision: Decision) -> Decision:
        suggested, wrong = decision.suggested_label, decision.p_wrong
        if suggested is None and wrong is None and ranked is not None:
            suggested = int(ranked.ranking.suggested_labels[decision.row])
            wrong = score_shown(info, decision.row)
        return replace(
            decision,
            given_label=int(given[decision.row]),
            suggested_label=suggested,
            p_wrong=wrong,
        )

    return [known(decision) for decision in made]
