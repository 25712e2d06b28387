"""Class probabilities that somebody else's model gave: NPY, NPZ, CSV or Parquet, checked."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from lnl_core.data.export import protect
from lnl_core.parsing import parsed
from lnl_core.types import Array, FloatArray, IntArray, LnlError

if TYPE_CHECKING:
    from pandas import DataFrame

OFF_BY = 0.02
"""How far a row may miss 1, for probabilities written with few digits or as float16."""

ARRAY_NAMES = ("pred_probs", "probs", "probabilities", "arr_0")
CLASS_NAMES = ("class_names", "classes")
ID_NAMES = ("ids", "id")

_SHOWN = 60
_BLANKS = ["", "NA", "N/A", "nan", "NaN", "null", "None"]


def read(
    file: Path | IO[bytes], name: str, ids: Sequence[str], class_names: Sequence[str]
) -> FloatArray:
    """Read the probabilities of every image of a data set.

    NPY is one array (n, k), rows and columns in the order of the data set. NPZ holds it as
    `pred_probs` (or as its only array), perhaps with `class_names` (k,) and `ids` (n,), which then
    decide the order. CSV and Parquet have a column `id` and one column per class, named like it.

    Args:
        file: a path, or a binary stream.
        name: what messages call the file; its ending says what it is.
        ids: (n,) of the data set.
        class_names: (k,) of the data set.

    Returns:
        (n, k) float32 rows that sum to 1, in the order of the data set.

    Raises:
        LnlError: what does not fit, where, and what to do.
    """
    kind = Path(name).suffix.lower()
    if isinstance(file, Path) and file.is_dir():
        raise LnlError(f"{file} is a folder. Name a file of probabilities in it: NPY, NPZ or CSV.")
    if isinstance(file, Path) and not file.is_file():
        raise LnlError(f"{file} is not there. Name a file of probabilities: NPY, NPZ or CSV.")
    order: IntArray | None = None
    first = 1
    if kind == ".npy":
        probs: Any = _array(file, name)
    elif kind == ".npz":
        probs, order = _archive(file, name, ids, class_names)
    elif kind in (".csv", ".tsv", ".txt", ".parquet", ".pq"):
        probs, order = _table(file, name, kind, ids, class_names)
        first = 2  # below the header
    else:
        raise LnlError(
            f"{name} is not of a kind that is read here. Give the probabilities as .npy, .npz, "
            ".csv or .parquet."
        )

    def place(row: int) -> str:
        if order is None:
            return f"row {first + row}"
        return f"row {first + int(order[row])}, “{str(ids[row])[:_SHOWN]}”,"

    return checked(probs, name, len(ids), class_names, place)


def checked(
    probs: Array, name: str, n: int, class_names: Sequence[str], place: Callable[[int], str]
) -> FloatArray:
    """Return probabilities as (n, k) float32 rows of exactly 1.

    Args:
        probs: (n, k) in the order of the data set.
        name: what messages call the file.
        n: number of images.
        class_names: (k,).
        place: row of the data set -> where the file has it, in words.

    Raises:
        LnlError: a wrong shape, something that is no number, or rows that do not sum to 1.
    """
    k = len(class_names)
    if probs.ndim != 2 or probs.shape != (n, k):
        shape = " x ".join(map(str, probs.shape)) or "one number"
        turned = " It is turned: pass its transpose." if probs.shape == (k, n) and k != n else ""
        raise LnlError(
            f"{name} holds {shape}, but this data set has {n:,} images and {k:,} classes. Give "
            f"one row per image and one column per class.{turned}"
        )
    if probs.dtype.kind not in "fiu":
        raise LnlError(f"{name} holds no numbers but {probs.dtype}. Save it as floating point.")
    out = np.empty((n, k), np.float32)
    step = max(1, 4_000_000 // max(k, 1))
    for start in range(0, n, step):
        part = np.asarray(probs[start : start + step], np.float64)
        bad = ~np.isfinite(part)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise LnlError(
                f"{name}: {place(start + int(row))} has {part[row, column]} for the class "
                f"“{class_names[int(column)][:_SHOWN]}”. Every image needs a probability for every "
                "class."
            )
        sums = part.sum(axis=1)
        off = (np.abs(sums - 1) > OFF_BY) | (part.min(axis=1) < -1e-6)
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise LnlError(f"{name}: {place(start + row)} {_what_is_wrong(part[row])}")
        part = np.clip(part, 0, None)
        out[start : start + len(part)] = part / part.sum(axis=1, keepdims=True)
    return out


def _what_is_wrong(row: Array) -> str:
    total = float(row.sum())
    if row.min() < 0 or row.max() > 1.5:
        if row.min() >= 0 and abs(total - 100) < 100 * OFF_BY:
            return "sums to 100, so these are per cent. Divide them by 100."
        return (
            f"runs from {row.min():.4g} to {row.max():.4g}, so these are scores and not "
            "probabilities. Apply softmax first."
        )
    return f"sums to {total:.4g}, not to 1. Give probabilities over all classes of the data set."


def _load(file: Path | IO[bytes]) -> Any:
    if isinstance(file, Path):
        return np.load(file, allow_pickle=False, mmap_mode="r")
    file.seek(0)
    return np.load(file, allow_pickle=False)


def _array(file: Path | IO[bytes], name: str) -> Array:
    try:
        array = parsed(_load, file)
    except (ValueError, OSError, EOFError) as error:
        raise LnlError(
            f"{name} cannot be read as an array. Write it with numpy.save, without objects in it."
        ) from error
    if not isinstance(array, np.ndarray):
        raise LnlError(f"{name} is an archive of arrays. Rename it to end in .npz.")
    return array


def _archive(
    file: Path | IO[bytes], name: str, ids: Sequence[str], class_names: Sequence[str]
) -> tuple[Array, IntArray | None]:
    """Return (array in the data set's order, which of its rows each image has, where it says)."""
    try:
        with np.load(file, allow_pickle=False) as held:
            known = list(held.files)
            own = [key for key in ARRAY_NAMES if key in known]
            rest = [key for key in known if key not in (*CLASS_NAMES, *ID_NAMES)]
            if not own and len(rest) != 1:
                listed = ", ".join(known)[:200] or "nothing"
                raise LnlError(
                    f"{name} holds {listed}. Save the probabilities in it as “pred_probs”."
                )
            probs = parsed(held.__getitem__, own[0] if own else rest[0])
            names, told = (
                next((parsed(held.__getitem__, key) for key in keys if key in known), None)
                for keys in (CLASS_NAMES, ID_NAMES)
            )
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise LnlError(
            f"{name} cannot be read as an archive. Write it with numpy.savez and without objects."
        ) from error
    if probs.ndim == 2 and names is not None:
        probs = probs[:, _columns(name, [str(one) for one in names], class_names)]
    order = None
    if probs.ndim == 2 and told is not None:
        named = [str(one) for one in told.reshape(-1)]
        if len(named) != len(probs):
            raise LnlError(
                f"{name} has {len(named):,} ids for {len(probs):,} rows. Give one id per row."
            )
        order = _rows(name, named, ids)
        probs = probs[order]
    return np.asarray(probs), order


def _table(
    file: Path | IO[bytes], name: str, kind: str, ids: Sequence[str], class_names: Sequence[str]
) -> tuple[Array, IntArray]:
    """Return (array in the data set's order, which of the file's rows each image has)."""
    table = _read_table(file, name, kind)
    headers = [str(column).strip() for column in table.columns]
    lower = [header.lower() for header in headers]
    at = next((lower.index(word) for word in ID_NAMES if word in lower), None)
    if at is None:
        raise LnlError(
            f"{name} has no column “id”. Its columns: {_some(headers)}. Name the images by the "
            "ids of the data set (`lnl rank NAME --out scores.csv` lists them)."
        )
    named = [header for place, header in enumerate(headers) if place != at]
    order = _columns(name, named, class_names)
    places = [place for place in range(len(headers)) if place != at]
    values = table.iloc[:, [places[one] for one in order]]
    if not len(values):
        raise LnlError(f"{name} has no row below its header. Give a row for every image.")
    listed: list[str] = table.iloc[:, at].astype(str).str.strip().tolist()
    _refuse_text(values, listed, name)
    order = _rows(name, listed, ids)
    return np.asarray(values.to_numpy(np.float64)[order]), order


def _read_table(file: Path | IO[bytes], name: str, kind: str) -> DataFrame:
    """Read Parquet, or CSV separated by , ; or tab; only an id column may hold text.

    Raises:
        LnlError: it is no table.
    """
    import pandas as pd

    try:
        if kind not in (".parquet", ".pq"):
            return _read_csv(file.read_bytes() if isinstance(file, Path) else file.read())
        table = pd.read_parquet(file if isinstance(file, Path) else io.BytesIO(file.read()))
    except pd.errors.ParserWarning as error:
        raise LnlError(
            f"{name}: the rows have more cells than the header. Give every column a name, or take "
            "the extra ones out."
        ) from error
    except (ValueError, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0][:200].rstrip(". ")
        raise LnlError(
            f"{name} cannot be read as a table: {reason}. Save it as “CSV UTF-8”."
        ) from error
    ids_are_its_index = str(table.index.name).lower() in ID_NAMES
    return table.reset_index() if ids_are_its_index else table


def _read_csv(data: bytes) -> DataFrame:
    import pandas as pd

    first = data[:65536].split(b"\n", 1)[0]
    mark = chr(max(b",;\t", key=lambda byte: first.count(bytes([byte]))))
    columns = pd.read_csv(io.BytesIO(data), sep=mark, encoding="utf-8-sig", nrows=0).columns
    text = {one: str for one in columns if str(one).strip().lower() in ID_NAMES}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            io.BytesIO(data),
            sep=mark,
            encoding="utf-8-sig",
            dtype=text,
            keep_default_na=False,  # an image may be called NA
            na_values={str(one): _BLANKS for one in columns if one not in text},
            index_col=False,  # rows longer than the header are no reason to shift them
        )


def _refuse_text(values: DataFrame, listed: Sequence[str], name: str) -> None:
    """Name the first cell of `values` that is no number.

    Raises:
        LnlError: there is one.
    """
    import pandas as pd

    for column in range(values.shape[1]):
        cells = values.iloc[:, column]
        if cells.dtype.kind in "fiub":
            continue
        bad = pd.to_numeric(cells, errors="coerce").isna() & cells.notna()
        row = int(np.flatnonzero(bad.to_numpy())[0]) if bad.any() else 0
        raise LnlError(
            f"{name}: column “{str(values.columns[column])[:_SHOWN]}” holds text, first in row "
            f"{row + 2}, “{listed[row][:_SHOWN]}”: “{str(cells.iloc[row])[:20]}”. Write numbers "
            "with a point, such as 0.25, in every cell."
        )


def _columns(name: str, header: Sequence[str], class_names: Sequence[str]) -> IntArray:
    """Return for each class the position of its column; the names have to be the same set."""
    places = {one.strip(): place for place, one in reversed(list(enumerate(header)))}
    missing = [one for one in class_names if one.strip() not in places]
    if missing:
        raise LnlError(
            f"{name} has no column for the class “{missing[0][:_SHOWN]}”"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + f". Its classes: {_some(header)}. Name the columns like the classes of the data set."
        )
    if len(header) != len(class_names):
        more = next(one for one in header if one.strip() not in {c.strip() for c in class_names})
        raise LnlError(
            f"{name} has {len(header)} columns for {len(class_names)} classes; “{more[:_SHOWN]}” "
            "is none of them. Leave it out."
        )
    return np.array([places[one.strip()] for one in class_names], np.int64)


def _rows(name: str, file_ids: Sequence[str], ids: Sequence[str]) -> IntArray:
    """Return for each image of the data set its row in the file."""
    places = {one: place for place, one in enumerate(file_ids)}
    if len(places) != len(file_ids):
        seen: set[str] = set()
        twice = next(one for one in file_ids if one in seen or seen.add(one))  # type: ignore[func-returns-value]
        raise LnlError(f"{name}: the id “{twice[:_SHOWN]}” comes twice. Give each image one row.")
    order = np.array([_place(str(one), places) for one in ids], np.int64)
    if (order < 0).any():
        lost = int((order < 0).sum())
        first = str(ids[int(np.flatnonzero(order < 0)[0])])
        raise LnlError(
            f"{name} says nothing about {lost:,} of {len(ids):,} images; the first is "
            f"“{first[:_SHOWN]}”. Give a row for every image, by the ids of the data set."
        )
    return order


def _place(id_: str, places: Mapping[str, int]) -> int:
    """Find an id as it is, without outer blanks, or as an export protects it; else -1."""
    for spelling in (id_, id_.strip(), protect(id_)):
        if spelling in places:
            return places[spelling]
    return -1


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(f"“{one[:_SHOWN]}”" for one in names[:8]) or "none"
    return listed + (", …" if len(names) > 8 else "")
