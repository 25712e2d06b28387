"""What the labels of a source mean: the class of each as it is written, or why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lnl_core.data.reading import alike, measured, missing, several, spellings
from lnl_core.data.tables import BadRow, natural
from lnl_core.readings import Answers, Question

_MISSING = BadRow(
    "The label is a word for missing.",
    "Write its class, or import with --missing-words class, or no-class to label it here.",
)
_SEVERAL = BadRow(
    "Several labels are in the cell.", "Import with --several-labels first to review them."
)


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label as written -> the classes that it names, or why its row is left out.

    Attributes:
        meanings: written -> class, the first is the given one where there are several.
        no_classes: classes that are none, because a person said so.
        questions: what is asked about them.
    """

    meanings: Mapping[str, tuple[str, ...] | BadRow]
    no_classes: tuple[str, ...] = ()
    questions: list[Question] = field(default_factory=list)

    @property
    def class_names(self) -> list[str]:
        """Return every class that is named, in natural order."""
        return natural(
            {name for each in self.meanings.values() if isinstance(each, tuple) for name in each}
        )

    def written(self) -> dict[str, tuple[str, ...]]:
        """Return class -> how it is written, for those that are written otherwise as well."""
        forms: dict[str, list[str]] = {}
        for written, names in self.meanings.items():
            if isinstance(names, tuple) and len(names) == 1:
                forms.setdefault(names[0], []).append(written)
        return {name: tuple(group) for name, group in forms.items() if group != [name]}


def understood(
    counts: Mapping[str, int],
    answers: Answers,
    *,
    class_map: Mapping[str, str] | None = None,
    from_cells: bool = False,
) -> Labels:
    """Say what every label means, and what has to be asked.

    Args:
        counts: label as written -> how often.
        answers: what a person said already.
        class_map: label as written -> class name, to rename or merge first.
        from_cells: True for labels of a list or of arrays, where programs leave words for missing.
    """
    renamed = class_map or {}
    seen: Counter[str] = Counter()
    for label, count in counts.items():
        seen[renamed.get(label, label)] += count
    questions: list[Question] = []
    gone: dict[str, BadRow] = {}
    none: tuple[str, ...] = ()
    words, question = missing.asked(seen, answers) if from_cells else ((), None)
    questions += [question] if question is not None else []
    taken = question.taken if question is not None else "skip"
    if taken == "skip":
        gone = dict.fromkeys(words, _MISSING)
    elif taken == "no-class":
        none = words
    left = {label: count for label, count in seen.items() if label not in gone}
    commas = measured.decimal_commas(left) if from_cells and not answers.several else {}
    if commas and several.found(left) and not measured.surely_numbers(left, commas):
        commas = {}  # “1,2” may be two labels: that is asked
    parts, question = several.asked({} if commas else left, answers)
    if question is not None:
        questions.append(question)
        if answers.several == "skip":
            gone |= dict.fromkeys(parts, _SEVERAL)
        elif answers.several == "class":
            parts = {}
    single: Counter[str] = Counter()
    for label, count in left.items():
        for name in () if label in gone else parts.get(label, (label,)):
            single[commas.get(name, name)] += count
    merge, more = spellings.merged(
        {name: count for name, count in single.items() if name not in none}, answers
    )
    questions += more
    left_names: Counter[str] = Counter()
    for name, count in single.items():
        if name not in none:
            left_names[merge.get(name, name)] += count
    one, question = alike.asked(left_names, answers)
    questions += [question] if question is not None else []
    merge = {name: one.get(now, now) for name, now in ({n: n for n in one} | merge).items()}
    merge = {**merge, **{label: merge.get(text, text) for label, text in commas.items()}}
    if from_cells:
        alone = {name: count for name, count in single.items() if name not in none}
        question = measured.asked(alone, answers)
        questions += [question] if question is not None else []
    meanings: dict[str, tuple[str, ...] | BadRow] = {}
    for label in counts:
        now = renamed.get(label, label)
        if now in gone:
            meanings[label] = gone[now]
        else:
            names = parts.get(now, (now,))
            meanings[label] = tuple(dict.fromkeys(merge.get(name, name) for name in names))
    return Labels(meanings, none, questions)
