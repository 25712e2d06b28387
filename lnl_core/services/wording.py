"""Remedies that name options of the command line, worded for a page that has controls instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lnl_core.readings import OPTIONS

_ABOUT = {
    "spellings": "names that differ little",
    "numbers": "how numbers are written",
    "alike": "singular, plural and slips of the pen",
    "measured": "labels that look measured",
    "missing": "words for missing",
    "several": "several labels",
    "count_from": "what labels count from",
    "lists": "lists",
    "labels_in": "where the labels are",
    "split_spellings": "splits that differ little",
    "split_true": "true and false",
    "parts": "what the folders are",
    "level": "folders in folders",
    "unlabelled": "images without a label",
    "masks": "masks",
    "mostly_skipped": "what is left out",
    "contrast": "pixels",
    "image_column": "the column of images",
    "label_column": "the column of labels",
    "id_column": "the column of ids",
    "split_column": "the column of splits",
    "images_in": "files of one name",
    "header": "the first row",
    "one_hot": "a column for each class",
    "class_columns": "which columns are classes",
    "classes_file": "the file of class names",
    "links": "links",
    "no_classes": "labels that are none",
}
_FLAG = r"(?:lnl [a-z]+ )?(?P<flag>--[a-z][a-z-]*)"
_VALUE = r"(?: (?:[A-Z]+(?:=[a-z]+)?|none)\b)?"
_CHOICES = {each.flag: each.choices for each in OPTIONS}
_SENTENCE = re.compile(r"(?<=[.?!]) +(?=[A-Z“-])")


def asked(keys: Iterable[str]) -> dict[str, str]:
    """Return option -> words for the questions of these keys, as a page shows them."""
    flags = {each.key: each.flag for each in OPTIONS}
    return {flags[key]: f"the question about {_ABOUT[key]}" for key in keys if key in flags}


def on_page(text: str, controls: Mapping[str, str]) -> str:
    """Return a message with what the page has in place of options; what it has not is left out.

    Args:
        text: sentences, such as “Mend it, or import with --follow-links.”
        controls: option -> what stands for it on the page.
    """
    return " ".join(filter(None, (_sentence(each, controls) for each in _SENTENCE.split(text))))


def about(key: str) -> str:
    """Return what a kind of question is about, in a few words."""
    return _ABOUT.get(key, key.replace("_", " "))


def _sentence(text: str, controls: Mapping[str, str]) -> str:
    flags = re.findall(_FLAG, text)
    if not flags:
        return text
    if not any(flag in controls for flag in flags):
        return _without(text)
    for flag in flags:
        option = rf"(?:lnl [a-z]+ )?{re.escape(flag)}(?![a-z-]){_value(flag)}"
        if flag not in controls:
            text = re.sub(rf"{option}, or (?=--)|,? or {option}", "", text)
            if re.search(option, text):
                return ""
            continue
        words = controls[flag]
        text = re.sub(rf"^{option} .*$", f"Answer {words} to change it.", text)
        text = re.sub(rf"^Leave {option} out\b.*$", f"Take back the answer to {words}.", text)
        text = re.sub(rf"^Check .*{option}\.$", "", text)
        text = re.sub(option, lambda _, words=words: words, text, count=1)  # type: ignore[misc]
    text = re.sub(r"\bmport with |\bimport with ", "answer ", text)
    text = re.sub(r"\b(Import|Give|Choose it) with (?=the question)", "Answer ", text)
    text = re.sub(r"\bGive the question", "Answer the question", text)
    return re.sub(r"(, or )(?=[.]?$)", "", text)


def _value(flag: str) -> str:
    """Return the pattern of what may stand behind an option."""
    choices = "|".join(map(re.escape, _CHOICES.get(flag, ())))
    return f"(?: (?:{choices})(?:, or [a-z-]+ to label it here)?)?" if choices else _VALUE


def _without(text: str) -> str:
    """Return a sentence without the way of the command line; "" where nothing else is in it."""
    rest = re.sub(rf",? (?:or|and) (?:import with|add|say|give) {_FLAG}[^.]*", "", text)
    return "" if re.search(_FLAG, rest) else rest
