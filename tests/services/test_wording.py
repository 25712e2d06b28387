"""What an import says of options is worded by what is on the page."""

import re

import pytest

from lnl_core.readings import OPTIONS
from lnl_core.services.wording import asked, on_page

MOVE = "Move it into a split's class, or import with --parts classes."
MISSING = "Write its class, or import with --missing-words class, or no-class to label it here."


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        (MOVE, (), "Move it into a split's class."),
        (MOVE, ("parts",), "Move it into a split's class, or answer the question about what the "
         "folders are."),
        (MISSING, (), "Write its class."),
        (MISSING, ("missing",), "Write its class, or answer the question about words for missing."),
        ("Import with --several-labels first to review them.", (), ""),
        ("Import with --several-labels first to review them.", ("several",),
         "Answer the question about several labels to review them."),
        ("Not read. Choose it with --list, or --labels-in list.", (), "Not read."),
        ("Choose it with --list, or --labels-in list.", ("labels_in", "lists"),
         "Answer the question about lists, or the question about where the labels are."),
        ("Assumed: one. --missing-words says otherwise.", (), "Assumed: one."),
        ("Is it? Give --label-column 'the kind' or x.", (), "Is it?"),
        ("Choose it with --list, or --labels-in list.", ("labels_in",),
         "Answer the question about where the labels are."),
        ("It has none. Leave --one-hot out, or name the column with --label-column.", ("one_hot",),
         "It has none. Take back the answer to the question about a column for each class."),
        ("Dark. --contrast whole lets them count.", ("contrast",),
         "Dark. Answer the question about pixels to change it."),
        ("There is no file x. Check the path of --classes.", ("classes_file",),
         "There is no file x."),
        ("Plain words stay - all of them.", ("links",), "Plain words stay - all of them."),
    ],
)  # fmt: skip
def test_remedies_name_what_the_page_has(text, keys, words):
    assert on_page(text, asked(keys)) == words


def test_columns_of_corrections_are_called_as_their_fields():
    text = "Three columns could be it. Say which: --label-column COLUMN."
    field = {"--label-column": "“Column of corrected labels”"}
    assert on_page(text, field) == (
        "Three columns could be it. Say which: “Column of corrected labels”."
    )


def test_every_question_has_words():
    words = asked(each.key for each in OPTIONS)
    assert set(words) == {each.flag for each in OPTIONS}
    assert not any(re.search("--", each) for each in words.values())


def test_every_question_has_words_for_the_page():
    assert set(asked(each.key for each in OPTIONS)) == {each.flag for each in OPTIONS}
