"""Label Studio: tasks with the annotations of people, as JSON or JSON-MIN.

Documented in Label Studio's "export annotations": a task has `data` and `annotations`; an
annotation has `completed_by` (a number, or an object with an address), `created_at`, `updated_at`,
`was_cancelled` and `result`, whose choices are of `type` "choices". JSON-MIN is an object per
annotation: the data beside `annotator` and one key for each control.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lnl_core.data.elsewhere.saying import Heard, Said, corrected_among, shown, text
from lnl_core.readings import How
from lnl_core.types import Action, LnlError

_IMAGE = ("image", "img", "image_url", "url", "photo", "picture", "path", "file")
_EMPTY = (
    "The annotation has no choice: nobody knows whether none fits or none was made. Correct it in "
    "Label Studio, or decide on the image here."
)
_KEPT_OUT = frozenset({"id", "annotator", "annotation_id", "lead_time", "created_at", "updated_at"})


def is_one(document: Any) -> bool:
    """Tell whether a JSON document is one that Label Studio writes."""
    if not isinstance(document, list) or not document:
        return False
    few = [each for each in document[:20] if isinstance(each, Mapping)]
    whole = all(isinstance(each.get("data"), Mapping) and "annotations" in each for each in few)
    return bool(few) and (whole or all("annotation_id" in each for each in few))


def heard(document: Any, how: How, file: str) -> Heard:
    """Return what the annotations say, each under the name of the one who made it.

    An annotation that leaves the given label confirms it: somebody has looked. What was cancelled
    or only predicted is no decision.

    Raises:
        LnlError: images have several choices each, and nobody said which one is meant.
    """
    tasks = [each for each in document if isinstance(each, Mapping)]
    if tasks and "annotations" not in tasks[0]:
        return Heard("label-studio", list(_small(tasks, how, file)))
    names = {
        text(result.get("from_name")): None
        for task in tasks
        for annotation in _annotations(task)
        for result in _choices(annotation)
    }
    asked = corrected_among(names, how.label_column, file) if how.label_column else None
    if asked is None and len(names) > 1:
        raise LnlError(
            f"{file} has several choices for an image: {shown(names)}. Say which one is the label: "
            f"--label-column {next(iter(names))}."
        )
    predicted = sum(not _annotations(task) for task in tasks)
    notes = () if not predicted else (_unlabelled(predicted),)
    said = [each for at, task in enumerate(tasks, 1) for each in _task(at, task, asked, how)]
    return Heard("label-studio", said, notes)


def _unlabelled(count: int) -> str:
    tasks = "task has" if count == 1 else "tasks have"
    return f"{count:,} {tasks} no annotation: predictions are no decisions."


def _annotations(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    several = task.get("annotations")
    several = several if isinstance(several, list) else []
    return [a for a in several if isinstance(a, Mapping) and not a.get("was_cancelled")]


def _choices(annotation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    results = annotation.get("result")
    results = results if isinstance(results, list) else []
    return [each for each in results if isinstance(each, Mapping) and each.get("type") == "choices"]


def _task(number: int, task: Mapping[str, Any], asked: str | None, how: How) -> Iterator[Said]:
    """Yield the last word of everybody on a task."""
    data = task.get("data")
    facts = data if isinstance(data, Mapping) else {}
    of_each: dict[str, Said] = {}
    for annotation in sorted(_annotations(task), key=_when):
        who = _who(annotation)
        labels = tuple(
            text(choice)
            for result in _choices(annotation)
            if asked is None or text(result.get("from_name")) == asked
            for choice in _listed(result)
        )
        meta = annotation.get("meta")
        action = text(meta.get("action")) if isinstance(meta, Mapping) else ""
        plain = action in (Action.NONE, Action.UNSURE, Action.SKIP)
        said = Said(
            number,
            _image(facts, how),
            labels,
            action if plain and not labels else "",
            given=text(facts.get("given_label")),
            reviewer=who,
            decided_at=_when(annotation),
            content=text(facts.get("content")),
            looked=True,
            problem="" if labels or plain else _EMPTY,
        )
        of_each.pop(who, None)
        of_each[who] = said
    yield from of_each.values()


def _listed(result: Mapping[str, Any]) -> Sequence[Any]:
    value = result.get("value")
    choices = value.get("choices") if isinstance(value, Mapping) else None
    return choices if isinstance(choices, list) else ()


def _when(annotation: Mapping[str, Any]) -> str:
    return text(annotation.get("updated_at")) or text(annotation.get("created_at"))


def _who(annotation: Mapping[str, Any]) -> str:
    """Return who made an annotation: by name where the file has one, else by number."""
    meta = annotation.get("meta")
    if isinstance(meta, Mapping) and text(meta.get("reviewer")):
        return text(meta.get("reviewer"))
    return person(annotation.get("completed_by"))


def person(who: Any) -> str:
    """Return how a person is called here; "" where the file says nothing."""
    if isinstance(who, Mapping):
        names = " ".join(filter(None, (text(who.get("first_name")), text(who.get("last_name")))))
        return text(who.get("email")) or names.strip() or person(who.get("id"))
    word = text(who)
    return f"annotator {word}" if word.isdecimal() else word


def _image(facts: Mapping[str, Any], how: How) -> str:
    """Return how a task calls its image: by our id, where it came from here."""
    if how.image_column:
        return text(facts.get(how.image_column))
    if text(facts.get("content")) and text(facts.get("id")):
        return text(facts["id"])
    for name in _IMAGE:
        if text(facts.get(name)):
            return text(facts[name])
    return next((text(v) for v in facts.values() if isinstance(v, str) and "/" in v), "")


def _small(rows: Sequence[Mapping[str, Any]], how: How, file: str) -> Iterator[Said]:
    """Yield what JSON-MIN says: a row per annotation."""
    about = {how.image_column, *_KEPT_OUT, *_IMAGE, "given_label", "content", "verdict", "split"}
    names = {
        key: None
        for row in rows
        for key, value in row.items()
        if key not in about and isinstance(value, str | Mapping)
    }
    asked = how.label_column or ("choice" if "choice" in names else next(iter(names), ""))
    if not how.label_column and "choice" not in names and len(names) > 1:
        raise LnlError(
            f"{file} has several that may be the label: {shown(names)}. Say which one: "
            f"--label-column {asked}."
        )
    for number, row in enumerate(rows, start=1):
        value = row.get(asked)
        several = _listed({"value": value}) if isinstance(value, Mapping) else (value,)
        labels = tuple(filter(None, map(text, several)))
        yield Said(
            number,
            _image(row, how),
            labels,
            given=text(row.get("given_label")),
            reviewer=person(row.get("annotator")),
            decided_at=_when(row),
            content=text(row.get("content")),
            looked=True,
            problem="" if labels else _EMPTY,
        )
