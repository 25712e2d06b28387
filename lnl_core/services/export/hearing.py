"""A file of decisions becomes entries of a set: read, each row given its image, or held back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from lnl_core.data.content import Finder
from lnl_core.data.contrast import Contrast
from lnl_core.data.elsewhere import placing, reading
from lnl_core.data.elsewhere.saying import Heard, Known, Said
from lnl_core.data.matching import Held, HeldBack, Matcher
from lnl_core.data.reimport import Entry, read_decisions, read_rows
from lnl_core.data.tables import BadRow, Cells
from lnl_core.readings import SOURCES, How
from lnl_core.services.in_force import contents, loaded
from lnl_core.store import datasets
from lnl_core.types import Action, DatasetInfo


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says of the images of a set.

    Attributes:
        entries: in the file's order; each knows its image.
        problems: rows that cannot be used, as sentences.
        held: rows that contradict the set, by their number.
        source: the tool that wrote the file, a key of `SOURCES`.
        notes: what should be known of the file as a whole.
        unlooked: labels that are the given ones, where the file does not say that anybody looked.
    """

    entries: list[Entry]
    problems: list[str]
    held: list[HeldBack]
    source: str = "lnl"
    notes: tuple[str, ...] = ()
    unlooked: int = 0


def read(
    info: DatasetInfo, file: Path | IO[bytes], file_name: str, how: How, *, by_id: bool = False
) -> Read:
    """Read a file of decisions, this program's own or another tool's, and find their images.

    Args:
        info: the data set.
        file: CSV or JSON, or Parquet (path).
        file_name: what messages call the file.
        how: how a file of another tool is read.
        by_id: match by id or path, whatever the content.

    Raises:
        LnlError: it cannot be read as decisions.
    """
    data = loaded(info)
    matcher = Matcher(
        file=file_name,
        ids=data.ids,
        class_names=info.class_names,
        given_labels=data.given_labels,
        finder=Finder(contents(info)),
        since=info.created_at,
        by_id=by_id,
    )
    known = Known(data.ids, info.class_names, np.asarray(data.given_labels))
    heard = reading.heard(file, file_name, how, known)
    if heard is None:
        entries, problems = read_decisions(
            file,
            class_names=info.class_names,
            positions=data.ids.positions,  # type: ignore[attr-defined]
            name=file_name,
            place=matcher.place,
        )
        told = _Elsewhere(Heard("lnl", ()), how, known)
    else:
        told = _Elsewhere(heard, how, known)
        contrast = Contrast.from_json(datasets.read_meta(info).get("contrast"))
        placer = placing.Placer(
            matcher,
            data.paths,
            file.parent.resolve() if isinstance(file, Path) else None,
            placing.digest_of((info.height, info.width), contrast),
        )
        entries, problems = read_rows(
            told.rows(),
            class_names=info.class_names,
            positions=data.ids.positions,  # type: ignore[attr-defined]
            place=placer.place,
            meant=told.meant,
        )
    doubtful = matcher.doubtful(entries)
    matcher.held.sort(key=lambda each: each.number)
    kept = [e for e in entries if e.number not in doubtful]
    return Read(kept, problems, matcher.held, told.heard.source, told.notes(), told.unlooked)


@dataclass(slots=True)
class _Elsewhere:
    """What another tool says, as rows of our own; the action follows from the given label."""

    heard: Heard
    how: How
    known: Known
    unlooked: int = field(default=0)

    def rows(self) -> Iterator[tuple[int, Cells | BadRow]]:
        """Yield what is said as cells, what cannot be used in its place."""
        for each in self.heard.said:
            if each.problem:
                yield each.number, BadRow(each.problem, "")
            else:
                yield each.number, _cells(each)

    def meant(self, cells: Cells, row: int) -> Cells:
        """Return cells with the action that a label is: kept, or changed to it.

        Raises:
            Held: it is the given one, and nobody says that anybody looked.
        """
        if cells["action"]:
            return cells
        if cells["label"].startswith("["):
            return cells | {"action": str(Action.MULTIPLE)}
        if cells["label"].strip() != self.known.given(row).strip():
            return cells | {"action": str(Action.RELABEL)}
        if cells["looked"] == "no" and self.how.unchanged != "keep":
            self.unlooked += 1
            raise Held("Nobody says that anybody looked.")
        return cells | {"action": str(Action.KEEP), "label": ""}

    def notes(self) -> tuple[str, ...]:
        """Return what should be known of the whole file."""
        said = list(self.heard.notes)
        if self.unlooked:
            are = "label is" if self.unlooked == 1 else "labels are"
            said.append(
                f"{self.unlooked:,} {are} the given one: no decision, because nothing says that "
                "anybody looked. --unchanged keep stores them as confirmed."
            )
        if self.heard.source != "lnl":
            said.insert(0, f"Read as {SOURCES[self.heard.source]} writes it.")
        return tuple(said)


def _cells(said: Said) -> Cells:
    one = len(said.labels) == 1
    label = said.labels[0] if one else json.dumps(said.labels, ensure_ascii=False)
    return {
        "id": said.image,
        "action": said.action,
        "label": label if said.labels else "",
        "reviewer": said.reviewer,
        "decided_at": said.decided_at,
        "given_label": said.given,
        "content": said.content,
        "looked": "yes" if said.looked else "no",
    }
