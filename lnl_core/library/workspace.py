"""A workspace from a notebook: the same data sets, runs and answers that the app shows."""

from __future__ import annotations

import io
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.library.inputs import (
    as_array,
    checked_ids,
    checked_labels,
    checked_list,
    checked_methods,
    checked_name,
    checked_seed,
    named_labels,
)
from lnl_core.store import datasets, db
from lnl_core.types import ACTIVE_STATES, Array, Job, JobState, LnlError

if TYPE_CHECKING:
    from pandas import DataFrame

    from lnl_core.data.importers import ImportReport
    from lnl_core.services.export.reimporting import DecisionImport
    from lnl_core.types import DatasetInfo

_WATCH_SECONDS = 0.5
"""How often a notebook that waits asks the job table."""

_FLOATS = ("suspicion", "p_wrong", "label_quality")


class Workspace:
    """A workspace folder and its database, shared with the app and the command line.

    Args:
        path: the folder; `LNL_HOME`, else `~/.lnl-review`, where None.
        database: address of a PostgreSQL database; `LNL_DATABASE_URL`, else SQLite in the folder,
            where None.

    Raises:
        LnlError: the folder cannot be written, or the database cannot be opened.
    """

    def __init__(self, path: str | Path | None = None, database: str | None = None) -> None:
        self._ws = db.open_workspace(path, database)

    def __repr__(self) -> str:
        return f"Workspace({str(self._ws.home)!r})"

    @property
    def path(self) -> Path:
        """The folder."""
        return self._ws.home

    def datasets(self) -> DataFrame:
        """Return the data sets, a row each: `n`, `classes`, `reviewed`, `scored`, by name."""
        import pandas as pd

        from lnl_core.services.runs.status import status

        told = status(datasets.datasets(self._ws))["datasets"]
        columns = ["name", "n", "classes", "reviewed", "scored"]
        rows = [[each[column] for column in columns] for each in told]
        return pd.DataFrame(rows, columns=columns).set_index("name")

    def add(
        self,
        source: str | Path | Array,
        name: str,
        labels: Sequence[Any] | Array | None = None,
        *,
        class_names: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        root: str | Path | None = None,
        no_classes: Sequence[str] = (),
    ) -> ImportReport:
        """Import a data set; the originals are never changed.

        Args:
            source: a folder with one folder per class, a list, .npz or .zip; or images, uint8
                (n, h, w) or (n, h, w, 1 or 3), with `labels`.
            name: what to call it.
            labels: (n,) numbers in 0..k-1, or names of classes; for images only.
            class_names: (k,), for images only; the labels' own names, or numbers, where None.
            ids: (n,), for images only; row numbers where None.
            root: for a list, the folder that its paths start from.
            no_classes: labels that say that nobody labelled the image, such as "Not sure": never
                learned, never suggested.

        Returns:
            What came in, and what was skipped and why.

        Raises:
            LnlError: nothing could be read, labels that do not do, or the name is taken.
        """
        from lnl_core.services.datasets.catalog import import_dataset

        name = checked_name(name, "name")
        no_classes = checked_list(no_classes, "no_classes")
        if isinstance(source, str | Path):
            if labels is not None or class_names is not None or ids is not None:
                raise LnlError(f"{source} brings its own labels, class_names and ids: leave them.")
            where = None if root is None else Path(root)
            return import_dataset(self._ws, Path(source), name, root=where, no_classes=no_classes)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "images.npz"
            np.savez(file, allow_pickle=False, **_arrays(source, labels, class_names, ids))
            return import_dataset(self._ws, file, name, no_classes=no_classes)

    def run(
        self,
        name: str,
        methods: Sequence[str] | None = None,
        *,
        preset: str = "quick",
        representation: str | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        seed: int = 0,
        device: str = "auto",
        train_on: Sequence[str] = (),
        judge: Sequence[str] = (),
        wait: bool = True,
    ) -> DataFrame:
        """Run methods in the worker process, which goes on when the notebook is closed.

        Args:
            name: the data set.
            methods: keys of `lnl_core.methods()`, perhaps `jump@pretrained`, or recipes such as
                `dmlp->jump`; the default recipe for such images where None.
            preset: `quick`, `standard` or `paper`.
            representation: as of `lnl run --representation`.
            overrides: method -> knob -> value.
            seed: of everything random.
            device: `auto`, `cpu` or `cuda`.
            train_on: splits to train on; all of the set when there is none.
            judge: splits whose labels are judged; scores of all others are blank.
            wait: until they have ended; an interrupt leaves them running.

        Returns:
            The runs, a row each: `method`, `state`, `fraction`, `seconds`, by number.

        Raises:
            LnlError: no such data set, method, preset or knob; or a run that failed, in its words.
        """
        from lnl_core.services.runs.running import default_recipe, start_runs

        info = self._info(name)
        jobs = start_runs(
            info,
            default_recipe(info) if methods is None else checked_methods(methods),
            preset,
            overrides=overrides,
            representation=representation,
            seed=checked_seed(seed),
            device=device,
            train_on=checked_list(train_on, "train_on"),
            judge=checked_list(judge, "judge"),
        )
        numbers = [job.id for job in jobs]
        return self._runs(self._watched(numbers) if wait else self._jobs(numbers))

    def _jobs(self, numbers: Sequence[int]) -> list[Job]:
        from lnl_core.jobs import queue

        return [queue.job(self._ws, number) for number in numbers]

    def _watched(self, numbers: Sequence[int]) -> list[Job]:
        """Wait for runs to end, looking after them as the app does.

        Raises:
            LnlError: one failed.
        """
        from lnl_core.services.runs.running import reconcile

        jobs = self._jobs(numbers)
        while any(job.state in ACTIVE_STATES for job in jobs):
            reconcile(self._ws)
            time.sleep(_WATCH_SECONDS)
            jobs = self._jobs(numbers)
        failed = [job for job in jobs if job.state is JobState.FAILED]
        if failed:
            told = "; ".join(f"run {job.id} ({job.method}): {job.error}" for job in failed)
            raise LnlError(f"Not all runs were done: {told}")
        return jobs

    @staticmethod
    def _runs(jobs: Sequence[Job]) -> DataFrame:
        import pandas as pd

        rows = [
            [job.id, job.method, str(job.state), job.fraction, job.cost.get("seconds")]
            for job in jobs
        ]
        columns = ["run", "method", "state", "fraction", "seconds"]
        return pd.DataFrame(rows, columns=columns).set_index("run")

    def ranking(self, name: str, method: str = "consensus") -> DataFrame:
        """Return the ranking in force, most suspicious first; the index is the image's row.

        Args:
            name: the data set.
            method: `consensus`, `before` (the same before people gave their first answer), or a
                method whose run is done.

        Returns:
            Columns `id`, `given_label`, `suggested_label`, `suspicion`, `p_wrong` (1 = wrong) and
            `label_quality` (1 = right); these three NaN, and the image last, where a run was told
            the answer or none has judged it.

        Raises:
            LnlError: no such data set, nothing is scored yet, or no such run.
        """
        import pandas as pd

        from lnl_core.services.export.scores import rank_rows

        table = pd.DataFrame(list(rank_rows(self._info(name), method)))
        for name in _FLOATS:  # blank where there is none
            table[name] = pd.to_numeric(table[name], errors="coerce")
        return table.sort_values("suspicion", ascending=False, kind="stable")

    def store(self, name: str, ranking: DataFrame, title: str = "notebook") -> int:
        """Keep a ranking made in a notebook as one more opinion, to be reviewed in the app.

        It enters the consensus beside the runs; a second one of the same title takes the place of
        the first.

        Args:
            name: the data set.
            ranking: of `lnl_core.rank` or `rank_probs`, for all its images; matched by `id`.
            title: what it is called on screen.

        Returns:
            The number of the run that it is stored as.

        Raises:
            LnlError: columns are missing, or ids or classes are not those of the data set.
        """
        from lnl_core.jobs import own

        info = self._info(name)
        probs = _probabilities_of(ranking, info)
        return own.add(info, title, probs, "a ranking made in a notebook").id

    def decide(
        self,
        name: str,
        decisions: DataFrame | Sequence[Mapping[str, Any]] | str | Path,
        reviewer: str,
    ) -> DecisionImport:
        """Store answers made elsewhere; importing the same ones twice stores nothing twice.

        Args:
            name: the data set.
            decisions: a CSV or Parquet file, a table, or rows with `id`, `action` (keep, relabel,
                multiple, none, unsure, skip) and `label` where the action has one.
            reviewer: who decided, where a row names nobody.

        Returns:
            How many were stored, and what was held back and why.

        Raises:
            LnlError: no such data set, or no table of decisions.
        """
        import pandas as pd

        from lnl_core.services.export.reimporting import import_decisions

        reviewer = checked_name(reviewer, "reviewer")
        if isinstance(decisions, str | Path):
            return import_decisions(self._info(name), Path(decisions), reviewer)
        if isinstance(decisions, Mapping):  # one row
            decisions = [decisions]
        table = pd.DataFrame(
            decisions, dtype=None if isinstance(decisions, pd.DataFrame) else object
        )
        table = table.apply(_whole)  # a class called 3 beside a row without one
        stream = io.BytesIO(table.to_csv(index=False).encode("utf-8"))
        return import_decisions(self._info(name), stream, reviewer)

    def export(
        self,
        name: str,
        format: str = "corrections",
        out: str | Path | None = None,
        *,
        force: bool = False,
    ) -> DataFrame | Path:
        """Return a table of what leaves the desk, or write it.

        Args:
            name: the data set.
            format: `corrections`, `decisions`, `manifest`, `audit-trail`; with `out` also `folder`,
                `cleanlab`, `fiftyone`, `label-studio`.
            out: file, or folder to make; a table is returned where None.
            force: replace the file where it is there; a folder never is.

        Returns:
            The table, text as it would be written; with `out` the path that was written. What is
            missing there, images whose originals are gone, say, comes as a warning.

        Raises:
            LnlError: no such data set or format, or a place that cannot or must not be written.
        """
        import pandas as pd

        from lnl_core.services.export.exporting import write_export
        from lnl_core.services.export.formats import FORMATS

        info = self._info(name)
        if out is not None:
            made = write_export(info, format, Path(out), force=force)
            for words in (*made.problems, *made.notes):
                warnings.warn(words, stacklevel=2)
            return Path(out)
        if format in FORMATS and FORMATS[format].folder:
            raise LnlError(f"{format} is a folder: say where, with out=.")
        stream = io.BytesIO()
        write_export(info, format, stream, safe=False)
        stream.seek(0)
        return pd.read_csv(stream, dtype=str, keep_default_na=False)

    def _info(self, name: str) -> DatasetInfo:
        return datasets.dataset(self._ws, checked_name(name, "name"))


def _whole(column: Any) -> Any:
    """Return a column of floats that are whole as the numbers they were before one was missing."""
    known = column.dropna()
    if column.dtype.kind != "f" or not len(known):
        return column
    whole = (known % 1 == 0).all() and known.abs().max() < 2**53
    return column.astype("Int64") if whole else column


def _arrays(
    images: Array,
    labels: Sequence[Any] | Array | None,
    class_names: Sequence[str] | None,
    ids: Sequence[str] | None,
) -> dict[str, Array]:
    """Return images and labels as the NPZ importer takes them."""
    pixels = as_array(images, "images")
    names, given = named_labels(labels, class_names)
    if pixels.ndim not in (3, 4) or len(pixels) != len(given):
        raise LnlError(
            f"There are {len(given)} labels and images of the shape {pixels.shape}. Give uint8 "
            "(n, h, w) or (n, h, w, 1 or 3), one label each."
        )
    return {
        "images": pixels,
        "labels": given,
        "class_names": np.array(names),
        "ids": np.array(checked_ids(ids, len(given))),
    }


def _probabilities_of(ranking: DataFrame, info: DatasetInfo) -> Array:
    """Return (n, k) probabilities that say what a ranking says, in the order of the data set.

    The given label gets 1 - p_wrong, the suggestion the rest but for a tenth, which the other
    classes share.

    Raises:
        LnlError: columns, ids or classes that are not those of the data set.
    """
    import pandas as pd

    if not isinstance(ranking, pd.DataFrame):
        raise LnlError("A ranking is a table, as lnl.rank or lnl.rank_probs return it.")
    wanted = ["id", "suggested_label", "p_wrong"]
    missing = [column for column in wanted if column not in ranking.columns]
    if missing:
        raise LnlError(f"The ranking has no column {', '.join(missing)}.")
    data = datasets.load(info)
    n, k = info.n, info.class_count
    rows = {str(id_): row for row, id_ in enumerate(ranking["id"].tolist())}
    order = [rows.get(id_, -1) for id_ in data.ids]
    absent = [id_ for id_, row in zip(data.ids, order, strict=True) if row < 0]
    if absent or len(ranking) != n:
        first = f", for one “{absent[0][:60]}”" if absent else ""
        raise LnlError(
            f"The ranking has {len(ranking):,} images, “{info.name}” has {n:,}; {len(absent):,} of "
            f"these are not in it by their id{first}. Give ids= to rank."
        )
    table = ranking.iloc[order]
    suggested = checked_labels(table["suggested_label"].tolist(), info.class_names, by_name=True)
    wrong = pd.to_numeric(table["p_wrong"], errors="coerce").to_numpy(np.float64)
    if not ((wrong >= 0) & (wrong <= 1)).all():
        row = int(np.flatnonzero(~((wrong >= 0) & (wrong <= 1)))[0])
        raise LnlError(
            f"p_wrong of “{data.ids[row][:60]}” is {table['p_wrong'].iloc[row]}; it lies in [0, 1]."
        )
    given = np.asarray(data.given_labels, np.int64)
    at = np.arange(n)
    others = max(k - 2, 1)
    probs = np.repeat((0.1 * wrong / others)[:, None], k, axis=1)
    probs[at, suggested] = (0.9 if k > 2 else 1.0) * wrong
    probs[at, given] = 1 - wrong
    return probs
