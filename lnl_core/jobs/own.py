"""A finished run that nobody here has run: probabilities of somebody's own model.

It stands in the job table as done and has signals like any other run, so that ranking, review and
export know no difference. Its method key is `own`, or `own-` and its title.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import unicodedata
import uuid

import numpy as np
from sqlalchemy import insert

from lnl_core.jobs import outcome, queue, submitting
from lnl_core.jobs.inputs import note_no_classes
from lnl_core.methods import OWN
from lnl_core.review import labelled
from lnl_core.review.probabilities import signals_of
from lnl_core.store import arrays, datasets, schema
from lnl_core.store.db import now, transaction
from lnl_core.types import (
    DatasetInfo,
    FloatArray,
    Job,
    JobState,
    LnlError,
)

LONGEST = 40


def key_of(title: str) -> str:
    """Return the method key of a title: letters and digits, the rest becomes hyphens.

    Raises:
        LnlError: nothing is left of it, or it is too long.
    """
    plain = unicodedata.normalize("NFKC", title).strip().lower()
    slug = re.sub(r"[^\w.]+", "-", plain).strip("-_.")
    if not slug:
        raise LnlError("The title has no letter in it. Call your model something, such as vit-b.")
    if len(slug) > LONGEST:
        raise LnlError(f"The title is too long. Use at most {LONGEST} characters.")
    return OWN if slug == OWN else f"{OWN}-{slug}"


def add(info: DatasetInfo, title: str, probs: FloatArray, source: str) -> Job:
    """Store probabilities as a finished run and rank anew.

    Args:
        info: the data set.
        title: what people call the model; a second run of the same title takes the place of the
            first one in the ranking.
        probs: (n, k) rows that sum to 1, in the order of the data set.
        source: name of the file, for the record.
    """
    key = key_of(title)
    # the model was told no answer: it judges the labels that the images came with
    labels = np.asarray(datasets.load(info).given_labels)
    part = labelled.part(labels, info.class_count, info.no_classes)
    signals = outcome.with_trust(signals_of(key, part.only(probs), labels), ~part.inner)
    runs = info.directory / "runs"
    aside = runs / f".own-{uuid.uuid4().hex}.{os.getpid()}.part"
    try:
        arrays.save_signals(aside, signals)
        note_no_classes(info, aside)
        stamp = now()
        with transaction(
            info.workspace
        ) as connection:  # a run is seen with all its files, or not at all
            result = connection.execute(
                insert(schema.jobs).values(
                    dataset_id=info.id,
                    method=key,
                    preset=OWN,
                    config=json.dumps({"title": title.strip(), "source": source}),
                    representation="auto",  # unknown; it is one ranking, whatever it saw
                    state=str(JobState.DONE),
                    stage="done",
                    fraction=1.0,
                    created_at=stamp,
                    started_at=stamp,
                    finished_at=stamp,
                    other_class=outcome.other_class(
                        part.inside(signals), part.renumbered(labels)[part.rows]
                    ),
                )
            )
            inserted = result.inserted_primary_key
            assert inserted is not None
            number = int(inserted[0])
            os.replace(aside, submitting.empty_folder(info, number))
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    outcome.rank(info)
    return queue.job(info.workspace, number)
