"""FiftyOne: the samples that it writes as JSON, or its labels of an image classification set.

Documented as FiftyOneDataset (`samples.json`: `filepath`, `tags` and fields of `_cls`
Classification), `Dataset.write_json`, and FiftyOneImageClassificationDataset (`labels.json`:
`classes`, and `labels` that maps a file's name without its ending to a class).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lnl_core.data.elsewhere.saying import (
    Heard,
    Said,
    corrected_among,
    shown,
    text,
    unseen,
    unseen_words,
)
from lnl_core.data.tables import visible
from lnl_core.readings import How
from lnl_core.types import LnlError

_GIVEN = ("ground_truth", "given_label", "label")


def is_one(document: Any) -> bool:
    """Tell whether a JSON document is one that FiftyOne writes."""
    if isinstance(document, Mapping) and isinstance(document.get("labels"), Mapping):
        return "classes" in document
    samples = _samples(document)
    return bool(samples) and all("filepath" in each for each in samples[:20])


def heard(document: Any, how: How, file: str) -> Heard:
    """Return what the samples say.

    A corrected field is a decision where it differs from the given label. Labels left as they were
    and tags say nothing unless `how` says what: nobody knows who has looked.

    Raises:
        LnlError: it has no corrected field, or several.
    """
    if isinstance(document, Mapping) and isinstance(document.get("labels"), Mapping):
        left_out = unseen_words(sum(map(_unseen, map(_facts, document["labels"].values()))))
        return Heard("fiftyone", list(_of_labels(document, how)), tuple(filter(None, [left_out])))
    samples = _samples(document)
    fields = {name: None for each in samples for name, v in each.items() if _labels(v) is not None}
    words = {
        name: None
        for each in samples
        for name, value in each.items()
        if isinstance(value, str) and name not in ("filepath", "id", "_id")
    }
    names = [*fields, *(name for name in words if name not in fields)]
    corrected = corrected_among(names, how.label_column, file)
    if corrected is None and not how.tags:
        raise LnlError(
            f"{file} has no corrected field. Its fields of labels: {shown(fields)}. Name the one "
            "that people corrected: --label-column ground_truth where labels were changed in place "
            "(predictions are a model's guess and no decision). "
            f"{_tags_words(samples, how)}".rstrip()
        )
    given = next((n for n in _GIVEN if n in names and n != corrected), "")
    said = [_sample(at, each, corrected, given, how) for at, each in enumerate(samples, 1)]
    notes = [_tags_words(samples, how), "" if how.time_column else _no_time_words(samples)]
    if corrected is not None:
        notes.append(unseen_words(sum(_unseen(_facts(each.get(corrected))) for each in samples)))
    return Heard(
        "fiftyone", [each for each in said if each is not None], tuple(filter(None, notes))
    )


def _samples(document: Any) -> list[Mapping[str, Any]]:
    if isinstance(document, Mapping):
        document = document.get("samples")
    if not isinstance(document, list):
        return []
    return [each for each in document if isinstance(each, Mapping)]


def _labels(value: Any) -> tuple[str, ...] | None:
    """Return the classes of a field of labels; None where it is none."""
    if not isinstance(value, Mapping):
        return None
    if isinstance(several := value.get("classifications"), list):
        found = [_labels(each) or () for each in several]
        return tuple(label for each in found for label in each)
    if "label" not in value or value.get("_cls", "Classification") != "Classification":
        return None
    label = text(value["label"])
    return (label,) if label else ()


def _value(sample: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = sample.get(name)
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    return _labels(value) or ()


def _sample(
    number: int, sample: Mapping[str, Any], corrected: str | None, given: str, how: How
) -> Said | None:
    if corrected and _unseen(_facts(sample.get(corrected))):
        return None
    labels = _value(sample, corrected) if corrected else ()
    action = "" if labels else _by_tag(sample, how)
    if not labels and not action:
        return None
    was = _value(sample, given) if given else ()
    return Said(
        number,
        text(sample.get("filepath")) or text(sample.get("id")),
        labels,
        str(action),
        given=was[0] if len(was) == 1 else "",
        reviewer=text(sample.get(how.reviewer_column)) if how.reviewer_column else "",
        decided_at=_when(sample.get(how.time_column)) if how.time_column else "",
        content=text(sample.get("content")),
        looked=bool(action) or bool(_by_tag(sample, how)),
    )


def _when(value: Any) -> str:
    """Return a moment as ISO 8601: text as it is, or `$date`, as text or milliseconds of 1970."""
    if isinstance(value, Mapping):
        value = value.get("$date")
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
        except (ValueError, OverflowError, OSError):
            return str(value)  # refused as no time, in words
    return text(value)


def _no_time_words(samples: list[Mapping[str, Any]]) -> str:
    """Say what it means that no sample has a time, and which field may be one."""
    fields = [
        name
        for name in ("last_modified_at", "created_at")
        if samples and all(_when(each.get(name)) for each in samples)
    ]
    words = (
        "FiftyOne keeps no time of a decision: theirs is that of this import, and an answer of the "
        "same person that is here already stays."
    )
    if not fields:
        return words
    return f"{words} --time-column {fields[0]} takes a sample's own."


def _tags(sample: Mapping[str, Any]) -> list[str]:
    tags = sample.get("tags")
    return [each for each in tags if isinstance(each, str)] if isinstance(tags, list) else []


def _by_tag(sample: Mapping[str, Any], how: How) -> str:
    return next((str(how.tags[tag]) for tag in _tags(sample) if tag in how.tags), "")


def _tags_words(samples: list[Mapping[str, Any]], how: How) -> str:
    """Say which tags are there that nobody has given a meaning."""
    counts = Counter(tag for each in samples for tag in _tags(each) if tag not in how.tags)
    if not counts:
        return ""
    named = ", ".join(f"“{visible(tag)[:24]}” ({n:,})" for tag, n in counts.most_common(6))
    return f"Tags are not read: {named}. --tag TAG=keep says what one stands for."


def _facts(label: Any) -> Mapping[str, Any]:
    """Return what a label says of itself: its attributes, which FiftyOne makes fields of it."""
    if not isinstance(label, Mapping):
        return {}
    attributes = label.get("attributes")
    return {**label, **attributes} if isinstance(attributes, Mapping) else label


def _unseen(facts: Mapping[str, Any]) -> bool:
    return unseen(text(facts.get("verdict")))


def _of_labels(document: Mapping[str, Any], how: How) -> Iterator[Said]:
    """Yield what `labels.json` says: of every image the label that it has there."""
    classes = document.get("classes")
    names = [text(each) for each in classes] if isinstance(classes, list) else []
    for number, (key, value) in enumerate(document["labels"].items(), start=1):
        facts = _facts(value)
        if _unseen(facts):
            continue
        if isinstance(value, Mapping):
            value = value.get("label")
        if isinstance(value, int) and not isinstance(value, bool):
            value = names[value] if 0 <= value < len(names) else f"class {value}"
        label = text(value)
        action = _by_tag(facts, how)
        if not label and not action:
            continue
        yield Said(
            number,
            text(facts.get("lnl_id")) or str(key),
            (label,) if label else (),
            "" if label else action,
            given=text(facts.get("given_label")),
            content=text(facts.get("content")),
            looked=bool(action),
        )
