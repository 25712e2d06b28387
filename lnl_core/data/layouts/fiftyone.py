"""FiftyOne's own layout for image classification: `data/` and `labels.json`.

Documented as FiftyOneImageClassificationDataset: `classes` is the list of names, `labels` maps a
file's name without its suffix (or an absolute path) to a class number, or to an object with
`label`, `confidence` and `attributes`. Read it with
`fiftyone.Dataset.from_dir(DIR, dataset_type=fiftyone.types.FiftyOneImageClassificationDataset)`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lnl_core.data import chances
from lnl_core.data.layouts import placing
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.data.layouts.placing import Names, Placer, Report, Written
from lnl_core.said import many


def write(
    cleaned: Cleaned, target: Path, *, images: str = "copy", report: Report | None = None
) -> Written:
    """Write the corrected labels with images.

    Each label carries the attributes id, given_label, verdict and, once scored, p_wrong,
    suspicion and suggested_label, so that FiftyOne can sort and filter by them; of a set with
    splits also `split`, and the same as the label's tag.

    Args:
        cleaned: the set.
        target: a folder that does not exist yet.
        images: `copy`, `link`, or `none`: labels.json then names the originals by absolute path.
        report: told how far it is.

    Raises:
        LnlError: no room, or a target that cannot be used.
    """
    rows = cleaned.rows()
    placing.check_space(placing.need(cleaned, rows, target, images), target)
    refer = images == "none" and placing.has_originals(cleaned)
    labels: dict[str, Any] = {}
    alike = []
    with placing.new_folder(target, cleaned) as part:
        (part / "data").mkdir()
        names = Names(by_stem=True)
        placer = Placer(part, cleaned, images, len(rows), report)
        for row in map(int, rows):
            if refer:
                source = placing.original(cleaned, row)
                name = "" if source is None else str(source)
                if not placer.put(row, ""):
                    continue
            else:
                name = names.take(placer.wanted_name(row))
                if not placer.put(row, f"data/{name}"):
                    continue
            key = name if refer else os.path.splitext(name)[0]
            if key in labels:  # a list may name one file twice
                alike.append(str(cleaned.data.ids[row]))
                continue
            labels[key] = {
                "label": int(cleaned.labels[row]),
                "attributes": _attributes(cleaned, row),
            }
        problems = [*placer.problems(), *_alike(alike)]
        whole = {"classes": list(cleaned.data.class_names), "labels": labels}
        (part / "labels.json").write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    return Written(len(labels), problems)


def _alike(ids: list[str]) -> list[str]:
    if not ids:
        return []
    share = many(len(ids), "image shares its", "images share their")
    return [
        f"{share} file with another, and FiftyOne has one label for each file: left out, first "
        f"{ids[0]}. With copies of the images all of them are there: --images copy."
    ]


def _attributes(cleaned: Cleaned, row: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "lnl_id": cleaned.data.ids[row],
        "given_label": cleaned.given_name(row),
        "verdict": cleaned.verdict(row),
    }
    if cleaned.content is not None:
        attributes["content"] = cleaned.content[row]
    if cleaned.ranking is not None:
        suggested = int(cleaned.ranking.suggested_labels[row])
        if cleaned.is_scored(row):
            attributes["p_wrong"] = chances.number(float(cleaned.ranking.p_wrong[row]))
            attributes["suspicion"] = chances.number(float(cleaned.ranking.suspicion[row]))
        if suggested >= 0:
            attributes["suggested_label"] = cleaned.data.class_names[suggested]
    if told := cleaned.told_by(row):
        attributes["told"] = told
    if split := cleaned.split(row):
        attributes |= {"split": split, "tags": [split]}
    return attributes
