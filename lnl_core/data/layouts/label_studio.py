"""Label Studio's import format: tasks with predictions and annotations, and the labelling config.

Documented in Label Studio's "task format" and "pre-annotations": a task is an object with `data`,
`predictions` and `annotations`; a result of a choice has `from_name`, `to_name`, `type` "choices"
and `value.choices`. Images are served from disk by its local-files storage
(`/data/local-files/?d=PATH`, PATH relative to LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from lnl_core.data import chances
from lnl_core.data.files import inside_path
from lnl_core.data.layouts import placing
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.data.layouts.placing import Names, Placer, Report, Written
from lnl_core.types import Action, Decision, LnlError

TASKS_PER_FILE = 50_000
"""Label Studio advises at most 100,000 tasks a project and takes uploads of limited size."""

FROM, TO = "label", "image"


def config(cleaned: Cleaned) -> str:
    """Return the labelling config as XML: one image, one choice of the set's classes."""
    choices = "\n".join(
        f"    <Choice value={quoteattr(name)}/>" for name in cleaned.data.class_names
    )
    several = any(d.action is Action.MULTIPLE for ds in cleaned.decisions.values() for d in ds)
    kind = "multiple" if several else "single"
    return (
        f'<View>\n  <Image name="{TO}" value="$image"/>\n'
        f'  <Choices name="{FROM}" toName="{TO}" choice="{kind}">\n{choices}\n  </Choices>\n'
        "</View>\n"
    )


def write(
    cleaned: Cleaned, target: Path, *, images: str = "none", report: Report | None = None
) -> Written:
    """Write `tasks.json` (`tasks-2.json` ...), `label_config.xml` and `README.txt`.

    Every image is a task: the given label and the methods' opinion as predictions, every
    reviewer's decision in force as an annotation (`none` is one without a choice; `unsure` and
    `skip` are none).

    Args:
        cleaned: the set.
        target: a folder that does not exist yet.
        images: `none` refers to the originals; `copy` and `link` put them into `images/`.
        report: told how far it is.

    Raises:
        LnlError: no room, a target that cannot be used, or originals that no folder holds which
            Label Studio should serve.
    """
    every = np.arange(len(cleaned.data))
    placing.check_space(placing.need(cleaned, every, target, images), target)
    root = _referred_to(cleaned, images)
    count = 0
    with placing.new_folder(target, cleaned) as part:
        placer = Placer(part, cleaned, images, len(every), report)
        if root is None:
            (part / "images").mkdir()
        place = _placed(placer) if root is None else _referred(cleaned, placer, root)
        tasks = _tasks(cleaned, place)
        number = 0
        more = True
        while more:
            number += 1
            file = part / ("tasks.json" if number == 1 else f"tasks-{number}.json")
            with file.open("w", encoding="utf-8") as stream:
                written = 0
                for written, task in zip(range(1, TASKS_PER_FILE + 1), tasks, strict=False):
                    stream.write("[\n" if written == 1 else ",\n")
                    json.dump(task, stream, ensure_ascii=False)
                stream.write("\n]\n" if written else "[]\n")
            count += written
            more = written == TASKS_PER_FILE
            if number > 1 and not written:
                file.unlink()
        problems = placer.problems()
        (part / "label_config.xml").write_text(config(cleaned), "utf-8")
        named = "the folder that holds this file" if root is None else root
        notes = _also_served(cleaned, root)
        readme = _README.format(root=named) + "".join(f"\n{each}\n" for each in notes)
        (part / "README.txt").write_text(readme, "utf-8")
    return Written(count, problems, notes)


def foreseen(cleaned: Cleaned, images: str) -> list[str]:
    """Say before anything is written what Label Studio would have to serve beside the set.

    Raises:
        LnlError: as `write` does, of originals that no folder holds which it should serve.
    """
    return _also_served(cleaned, _referred_to(cleaned, images))


def _referred_to(cleaned: Cleaned, images: str) -> Path | None:
    """Return the folder that Label Studio serves; None where the images are in the export."""
    return _served(cleaned) if images == "none" and placing.has_originals(cleaned) else None


def _served(cleaned: Cleaned) -> Path:
    """Return the folder that all originals lie in: of images added from elsewhere too.

    Raises:
        LnlError: it is the whole disk, or has the home of the user in it.
    """
    assert cleaned.root is not None
    added = [os.path.dirname(path) for path in cleaned.data.paths or () if os.path.isabs(path)]
    if not added:
        return cleaned.root
    served = Path(os.path.commonpath([os.path.abspath(cleaned.root), *added]))
    if served == Path(os.path.abspath(cleaned.root)):
        return cleaned.root
    if served == Path(served.anchor) or Path.home().resolve().is_relative_to(served.resolve()):
        other = next(each for each in added if not inside_path(cleaned.root, each))
        raise LnlError(
            f"The originals lie in {cleaned.root} and in {other}: Label Studio would have to serve "
            f"{served} and could read whatever is in it. Choose copy or link for its images "
            "(--images), which put those alone into the new folder."
        )
    return served


def _also_served(cleaned: Cleaned, served: Path | None) -> list[str]:
    """Say that Label Studio is to serve more than the set's own folder."""
    if served is None or served == cleaned.root:
        return []
    return [
        f"Label Studio is to serve {served}, the folder around {cleaned.root} and the images that "
        "were added from elsewhere: it can read whatever else is in it. With copies or links of "
        "the images it serves those alone."
    ]


def _referred(cleaned: Cleaned, placer: Placer, served: Path) -> Callable[[int], str | None]:
    def place(row: int) -> str | None:
        paths, root = cleaned.data.paths, cleaned.root
        if not placer.put(row, "") or paths is None or root is None:
            return None
        if served == root:
            return paths[row]
        return Path(os.path.relpath(os.path.join(root, paths[row]), served)).as_posix()

    return place


def _placed(placer: Placer) -> Callable[[int], str | None]:
    names = Names()

    def place(row: int) -> str | None:
        inside = f"images/{names.take(placer.wanted_name(row))}"
        return inside if placer.put(row, inside) else None

    return place


def _tasks(cleaned: Cleaned, place: Callable[[int], str | None]) -> Iterator[dict[str, Any]]:
    data, ranking = cleaned.data, cleaned.ranking
    version = "LNL Review" if ranking is None else f"LNL Review: {', '.join(ranking.methods)}"
    for row in range(len(data)):
        where = place(row)
        if where is None:
            continue
        facts: dict[str, Any] = {
            "image": f"/data/local-files/?d={quote(where)}",
            "id": data.ids[row],
            "given_label": cleaned.given_name(row),
            "verdict": cleaned.verdict(row),
        }
        if cleaned.content is not None:
            facts["content"] = cleaned.content[row]
        if told := cleaned.told_by(row):
            facts["told"] = told
        if split := cleaned.split(row):
            facts["split"] = split
        predictions = [_prediction("given label", [cleaned.given_name(row)], None)]
        if ranking is not None:
            p_wrong = float(ranking.p_wrong[row])
            if cleaned.is_scored(row):
                facts |= {
                    "p_wrong": chances.number(p_wrong),
                    "label_quality": chances.number(1 - float(ranking.suspicion[row])),
                }
            suggested = int(ranking.suggested_labels[row])
            if suggested >= 0:
                facts["suggested_label"] = data.class_names[suggested]
                other: float | None = float(ranking.top_probs[row, 0])
                if cleaned.has_class(row):
                    other = other * p_wrong if other and cleaned.is_scored(row) else None
                suggestion = _prediction(version, [data.class_names[suggested]], other)
                predictions.insert(0, suggestion)
        for decision in cleaned.decisions.get(row, ()):
            if decision.action is Action.AUTO and cleaned.verdict(row) == "auto":
                chosen = [cleaned.label_name(row)]
                predictions.insert(0, _prediction(f"auto-fix, {decision.mode}", chosen, None))
        yield {
            "data": facts,
            "predictions": predictions,
            "annotations": [
                _annotation(cleaned, decision)
                for decision in cleaned.decisions.get(row, ())
                if decision.action not in (Action.UNSURE, Action.SKIP, Action.AUTO)
            ],
        }


def _result(choices: list[str]) -> list[dict[str, Any]]:
    if not choices:
        return []
    return [{"from_name": FROM, "to_name": TO, "type": "choices", "value": {"choices": choices}}]


def _prediction(version: str, choices: list[str], score: float | None) -> dict[str, Any]:
    prediction: dict[str, Any] = {"model_version": version, "result": _result(choices)}
    return prediction if score is None else prediction | {"score": chances.number(score)}


def _annotation(cleaned: Cleaned, decision: Decision) -> dict[str, Any]:
    names = cleaned.data.class_names
    choices = {
        Action.KEEP: [cleaned.given_name(decision.row)],
        Action.RELABEL: [] if decision.label is None else [names[decision.label]],
        Action.MULTIPLE: [names[label] for label in decision.labels],
    }.get(decision.action, [])
    annotation: dict[str, Any] = {
        "result": _result(choices),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": decision.decided_at,
        "meta": {"reviewer": decision.reviewer, "action": str(decision.action)},
    }
    return annotation if decision.seconds is None else annotation | {"lead_time": decision.seconds}


_README = """Tasks for Label Studio, written by LNL Review.

1. Start Label Studio with
     LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true
     LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root}
   and add a source storage of type "Local files" for that folder (or one inside it) to the
   project, without syncing it: Label Studio serves files of connected storages only.
2. Paste label_config.xml into Settings > Labeling Interface > Code.
3. Import tasks.json (then tasks-2.json, ... where there are more).

Predictions: what the methods suggest, with its probability as score, and the given label.
Annotations: what reviewers decided; "meta" has who and which action. Direction of the numbers in
the task's data: p_wrong 1 = surely wrong, label_quality 1 = surely right.
"""
