"""Rows that can still be read of a database file, taken over into another one.

`lay_over` puts a newer file over an older state: nothing goes only because it could not be read,
and what is never changed once it is written (an answer) stays as the older state has it: a row that
reads otherwise is damaged. `take_set` brings one set with all that belongs to it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from lnl_core.store import db, listing, owned, possible, schema

OF_SETS = tuple(each.name for each in possible.OF_SETS)
"""Tables whose rows go with their set."""

SIGNED = tuple(each.name for each in possible.OF_SETS if "reviewer" in each.columns)
"""Those whose rows name a reviewer."""

_LISTS = ("datasets", "jobs", "parts")
"""Tables whose rows are taken away, too; of the others rows go with their set alone."""

_CHANGING = (*_LISTS, "reviewers")
"""Tables whose rows change, so that the newer one is in force; those of others are only added."""

_FAULTS = (sqlite3.Error, UnicodeDecodeError)

_LAST, _FINE, _SINGLY = 2**40, 256, 2**20
"""No row has a higher number; how many are looked at one by one behind a fault, and at the end."""


@dataclass(slots=True)
class Found:
    """What one file gave.

    Attributes:
        counts: table -> rows.
        untrue: table -> rows that cannot be true, which were left out.
        torn: the tables that could not be read to their end, whatever was wrong with single rows.
        otherwise: table -> rows that say something else than the older state, which stays.
        keys: table -> the keys of its rows, of a table that could be read to its end.
        folders: of the sets that it lists.
        moved: number -> name that an older set has now, because the file calls another one so.
        removed: name and folder of the sets that were removed before the file was last written.
    """

    counts: Counter[str] = field(default_factory=Counter)
    untrue: Counter[str] = field(default_factory=Counter)
    torn: set[str] = field(default_factory=set)
    otherwise: Counter[str] = field(default_factory=Counter)
    keys: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    moved: dict[int, tuple[str, str]] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def opened(source: Path) -> Iterator[sqlite3.Connection]:
    """Open a file to read it, with what its log holds; the file itself is never written.

    SQLite reads a file that is shorter than it says only while the schema may be written.
    """
    lenient = "pragma writable_schema=on"
    log = Path(f"{source}-wal")
    if not log.is_file() or not log.stat().st_size:
        address = f"{source.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute(lenient)
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:  # a log is merged by writing
        for each in (source, log):
            shutil.copyfile(each, Path(folder, each.name))
        with closing(sqlite3.connect(Path(folder, source.name))) as connection:
            connection.execute(lenient)
            yield connection


def lay_over(source: Path, target: sqlite3.Connection, sets: Path) -> Found | None:
    """Put what a file gives over an older state; None where there is no such file.

    What the file no longer lists is removed where its list could be read to the end AND its folder
    is gone: either alone proves nothing.

    Args:
        source: the newer file, damaged or not.
        target: the older state; it becomes the newer.
        sets: the folder with the sets' folders.
    """
    if not source.is_file() or not source.stat().st_size:
        return None
    found, sizes = Found(), dict[Any, possible.Size]()
    with opened(source) as newer:
        for table in possible.TABLES:
            _over(_Rows(newer, table, sizes), target, sets, found)
            if table is schema.datasets:
                sizes = possible.sizes(target.execute, sets)
        _numbers(newer, target)
    _take_away(target, found, sets)
    for number, (_, now) in list(found.moved.items()):
        there = target.execute("select name from datasets where id = ?", (number,)).fetchone()
        if there != (now,):  # the file itself said later what it is called
            del found.moved[number]
    target.commit()
    return found


def _over(rows: _Rows, target: sqlite3.Connection, sets: Path, to: Found) -> None:
    table, keys = rows.table, set()
    for values in rows:
        if table is schema.datasets:
            listing.fit(values, rows.connection, target, sets)
            to.moved |= listing.make_room(target, values)
            to.folders.add(values["folder"])
        if table is schema.reviewers and values.get("login") is not None:
            target.execute(
                "update reviewers set login = null where login = ? and name != ?",
                (values["login"], values["name"]),
            )
        if table.name not in _CHANGING:
            same = _put(target, table, values, "insert") or _is_there_already(target, table, values)
            (to.counts if same else to.otherwise)[table.name] += 1
        elif _put(target, table, values, "insert or replace"):
            to.counts[table.name] += 1
        else:
            rows.whole = False
            continue
        if table.name in _LISTS:
            keys.add(tuple(values[column.name] for column in table.primary_key))
    to.untrue[table.name] += rows.untrue
    to.torn |= {table.name} if rows.torn else set()
    if rows.whole and table.name in _LISTS:
        to.keys[table.name] = keys


def _put(target: sqlite3.Connection, table: Table, values: dict[str, Any], how: str) -> bool:
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join("?" * len(values))
    with suppress(sqlite3.IntegrityError, sqlite3.DataError):  # a value that no such column takes
        target.execute(
            f'{how} into "{table.name}" ({columns}) values ({places})', tuple(values.values())
        )
        return True
    return False


def _is_there_already(target: sqlite3.Connection, table: Table, values: dict[str, Any]) -> bool:
    columns = ", ".join(f'"{name}"' for name in values)
    keys = [column.name for column in table.primary_key]
    where = " and ".join(f'"{name}" = ?' for name in keys)
    query = f'select {columns} from "{table.name}" where {where}'
    row = target.execute(query, [values[name] for name in keys]).fetchone()
    return row is not None and tuple(row) == tuple(values.values())


class _Rows:
    """The rows of a table that can be read and be true, of one set or of all.

    Behind a fault it goes on. `whole` says afterwards whether the table is there and all of it
    could be read and be true, `torn` whether some of it could not be read, and `untrue` how many
    rows cannot be true.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        table: Table,
        sizes: Mapping[Any, possible.Size],
        of: int | None = None,
    ) -> None:
        self.table, self.whole, self.torn, self.untrue = table, False, False, 0
        self.connection, self._sizes, self._of = connection, sizes, of
        self._seen: set[int] = set()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        name = self.table.name
        try:
            query = f"select cast(name as blob) from pragma_table_info('{name}')"
            there = {row[0].decode(errors="replace") for row in self.connection.execute(query)}
        except sqlite3.Error:
            there = set()
        names = [column.name for column in self.table.columns if column.name in there]
        if not names:
            self.torn = not _is_older(self.connection)
            return
        columns = ", ".join(f'"{each}"' for each in names)
        self.whole, seen = True, self._seen
        for row in self._read(f'select rowid, {columns} from "{name}" not indexed'):
            if row[0] in seen:
                continue
            seen.add(row[0])
            values = dict(zip(names, row[1:], strict=True))
            number = values.get("dataset_id")
            if self._of not in (None, number):
                continue
            left = possible.mended(self.table, values, self._sizes.get(number))
            if left is not None:
                yield left
            else:
                self.untrue += 1
        self.whole = self.whole and not self.untrue

    def _read(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Read upwards, and on behind each fault; then down from the end, and one by one."""
        at, more = -1, True
        while more:
            try:
                for row in self.connection.execute(
                    f"{query} where rowid >= ? order by rowid", (at + 1,)
                ):
                    at = max(at, row[0]) if row[0] <= _LAST else at
                    yield row
                break
            except _FAULTS:
                self.whole, self.torn = False, True
            behind = self._behind(query, at)
            yield from behind
            at, more = max([at, *(row[0] for row in behind)]), bool(behind)
        if self.whole:
            return
        with suppress(*_FAULTS):  # a number that is wrong itself may have led past some
            yield from self.connection.execute(f"{query} order by rowid desc")
        for number in range(min(max(self._seen, default=0), _SINGLY)):
            if number not in self._seen:
                with suppress(*_FAULTS):
                    yield from self.connection.execute(f"{query} where rowid = ?", (number,))

    def _behind(self, query: str, at: int) -> list[tuple[Any, ...]]:
        """Return the next rows behind a number after which reading failed; none at the end.

        It looks at each number first, and the further it gets, the wider it steps.
        """
        far, step = 1, 1  # the driver has not given the last row before the fault: from there
        while at + far < _LAST:
            with suppress(*_FAULTS):
                row = self.connection.execute(
                    f"{query} where rowid >= ? order by rowid limit 1", (at + far,)
                ).fetchone()
                if row is None or row[0] >= at + far:
                    over = self._down(query, at + far - step, at + far - 1) if step > 1 else []
                    return over if row is None else [*over, row]
            step = 1 + far // _FINE
            far += step
        return []

    def _down(self, query: str, low: int, high: int) -> list[tuple[Any, ...]]:
        """Return what was stepped over: from `high` down as far as it can be read."""
        over: list[tuple[Any, ...]] = []
        with suppress(*_FAULTS):
            while low < high:
                row = self.connection.execute(
                    f"{query} where rowid > ? and rowid <= ? order by rowid desc limit 1",
                    (low, high),
                ).fetchone()
                if row is None or not low < row[0] <= high:
                    break
                over.append(row)
                high = row[0] - 1
        return over


def _is_older(connection: sqlite3.Connection) -> bool:
    """Say whether an earlier version wrote a file, which knew fewer tables."""
    with suppress(sqlite3.Error):
        (version,) = connection.execute("select version_num from alembic_version").fetchone()
        return str(version) < db.HEAD
    return False


def _numbers(newer: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Let no number come a second time that the newer file has given."""
    with suppress(sqlite3.Error):
        for name, last in newer.execute("select name, seq from sqlite_sequence").fetchall():
            before = "select max(seq) from sqlite_sequence where name = ?"
            (known,) = target.execute(before, (name,)).fetchone()
            if isinstance(last, int) and last > (known or 0):
                target.execute("delete from sqlite_sequence where name = ?", (name,))
                target.execute(
                    "insert into sqlite_sequence (name, seq) values (?, ?)", (name, last)
                )


def _take_away(target: sqlite3.Connection, found: Found, sets: Path) -> None:
    """Take off what was removed: the newer list, read to its end, does not have it."""
    folders = dict(target.execute("select id, folder from datasets").fetchall())
    if "datasets" in found.keys:
        for number, name, folder in target.execute(
            "select id, name, folder from datasets"
        ).fetchall():
            if (number,) not in found.keys["datasets"] and not _is_there(sets / folder):
                target.execute("delete from datasets where id = ?", (number,))
                for table in OF_SETS:
                    drop_of(target, table, number)
                found.removed.append((name, folder))
    if "jobs" in found.keys:
        for number, owner in target.execute("select id, dataset_id from jobs").fetchall():
            place = sets / folders[owner] if owner in folders else None
            gone = place is None or (place.is_dir() and not (place / "runs" / str(number)).exists())
            if (number,) not in found.keys["jobs"] and gone:
                target.execute("delete from jobs where id = ?", (number,))
    if "parts" in found.keys:
        for key in target.execute("select dataset_id, reviewer from parts").fetchall():
            if key not in found.keys["parts"]:
                target.execute("delete from parts where dataset_id = ? and reviewer = ?", key)


def drop_of(target: sqlite3.Connection, table: str, number: int | None = None) -> int:
    """Delete what a table has of a set, else what belongs to none; return how many rows."""
    of = "not in (select id from datasets)" if number is None else "= ?"
    given = () if number is None else (number,)
    return target.execute(f'delete from "{table}" where dataset_id {of}', given).rowcount


def _is_there(folder: Path) -> bool:
    return folder.exists() and not (folder / owned.MARK).is_file()  # else it was being removed


# One set --------------------------------------------------------------------------------------


def listed_in(source: Path, folder: str) -> dict[str, Any] | None:
    """Return what a file lists of the set in a folder; None where it does not list it."""
    with suppress(sqlite3.Error, OSError), opened(source) as connection:
        for values in _Rows(connection, schema.datasets, {}):
            if values["folder"] == folder:
                return values
    return None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was brought of one set.

    Attributes:
        counts: table -> rows that were taken.
        untrue: table -> rows that cannot be true, which were left out.
        refused: table -> rows that were left out because another's have their numbers.
        raised: table -> by how much its rows' numbers are higher than they were.
    """

    counts: Counter[str]
    untrue: Counter[str]
    refused: Counter[str]
    raised: dict[str, int]


def take_set(
    source: Path, target: sqlite3.Connection, old: int, new: int, size: possible.Size
) -> Taken:
    """Bring what belongs to a set, which is so large, from a file where it has the number `old`.

    Where a row's number is another's here, all rows of its table get higher ones, in their order.
    Runs keep theirs, by which their folders are called, or are left out.
    """
    last = dict(target.execute("select name, seq from sqlite_sequence").fetchall())
    above = dict[str, int]()
    while True:
        target.execute("savepoint one_set")
        taken, untrue, refused = Counter[str](), Counter[str](), Counter[str]()
        with opened(source) as connection:
            for values in _Rows(connection, schema.reviewers, {}):
                _put(target, schema.reviewers, values, "insert or ignore")
            for table in possible.OF_SETS:
                rows = _Rows(connection, table, {old: size}, old)
                for values in rows:
                    values["dataset_id"] = new
                    _raise_numbers(table, values, above)
                    put = _put(target, table, values, "insert")
                    (taken if put else refused)[table.name] += 1
                untrue[table.name] += rows.untrue
        again = set(refused) - {schema.jobs.name} - set(above)
        if again:
            target.execute("rollback to one_set")
            above |= {name: last.get(name, 0) for name in again}
        target.execute("release one_set")
        if not again:
            return Taken(taken, untrue, refused, above)


def _raise_numbers(table: Table, values: dict[str, Any], above: Mapping[str, int]) -> None:
    if "id" in values and table is not schema.jobs:
        values["id"] += above.get(table.name, 0)
    if "last_decision" in values:
        values["last_decision"] += above.get(schema.decisions.name, 0)
