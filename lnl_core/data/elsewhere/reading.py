"""A file of decisions, whichever tool wrote it: recognised by what is in it, and heard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from lnl_core.data.elsewhere import fiftyone, label_studio, lists
from lnl_core.data.elsewhere.saying import Heard, Known
from lnl_core.readings import SOURCES, How
from lnl_core.types import LnlError

_JSON = {"fiftyone": fiftyone.is_one, "label-studio": label_studio.is_one}
_MOST = 2**31
"""Bytes of JSON that are read: it is held in memory as a whole."""


def heard(file: Path | IO[bytes], name: str, how: How, known: Known) -> Heard | None:
    """Return what a file says; None where it is this program's own table of id and action.

    Args:
        file: JSON, CSV or Parquet (path).
        name: what messages call the file.
        how: what a person said about it.
        known: the set that the decisions come to.

    Raises:
        LnlError: it is none of these, or says nothing that is a decision.
    """
    if how.source == "lnl":
        return None
    if _is_json(file):
        return _of_json(file, name, how)
    if how.source in _JSON and how.source != "label-studio":
        raise LnlError(f"{name} is no JSON, which {SOURCES[how.source]} writes. Export it again.")
    named = how.label_column or how.image_column or how.source
    if not named and lists.is_ours(lists.names_of(file, name)):
        return None
    return lists.heard(file, name, how, known)


def _of_json(file: Path | IO[bytes], name: str, how: How) -> Heard:
    document = _document(file, name)
    found = [key for key, is_one in _JSON.items() if is_one(document)]
    if how.source and how.source not in found:
        raise LnlError(f"{name} is not what {SOURCES[how.source]} writes. Leave --from out.")
    if not found:
        raise LnlError(
            f"{name} is JSON of no known kind. FiftyOne's samples and labels and Label Studio's "
            "tasks can be read; of anything else save a CSV with image and corrected_label."
        )
    if found[0] == "fiftyone":
        return fiftyone.heard(document, how, name)
    return label_studio.heard(document, how, name)


def _is_json(file: Path | IO[bytes]) -> bool:
    """Tell whether a file begins as a JSON array or object does; lines of JSON are a table."""
    if isinstance(file, Path):
        if file.suffix.lower() == ".jsonl":
            return False
        with file.open("rb") as stream:
            head = stream.read(64)
    else:
        file.seek(0)
        head = file.read(64)
        file.seek(0)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def _document(file: Path | IO[bytes], name: str) -> Any:
    try:
        if isinstance(file, Path):
            with file.open("rb") as stream:
                data = stream.read(_MOST)
        else:
            data = file.read(_MOST)
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise LnlError(f"{name} is no whole JSON file ({error}). Export it again.") from error
