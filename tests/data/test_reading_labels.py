"""What an import understands of labels: spellings, numbers, missing words, several in a cell."""

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from tests.data.asking import arrays, asked, counts, listed, put, read, stops

# class names -----------------------------------------------------------------------------------

COMPOSED, SPLIT_UP = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    "names",
    [
        ["Cat", "cat"],
        ["cat", "cat "],
        ["polar bear", "polar_bear", "Polar-Bear", "polarbear"],
        [COMPOSED, SPLIT_UP],
        ["\uff23at", "Cat"],
        ["STRASSE", "stra\u00dfe"],
        ["cat", "c\u200bat"],
        ["cat", "'cat'", "\u201ccat\u201d"],
        ["cat", "cat."],
        ["cat", "\u0441at"],  # its first letter is Cyrillic
        ["B\u00e4r", "B\u00c3\u00a4r"],  # UTF-8 that was read as Latin-1
        ["\u0130stanbul", "istanbul"],
        ["class_1", "class_01"],
        ["salt and pepper", "salt & pepper"],
    ],
)
def test_one_class_under_several_spellings_is_asked_for(tmp_path, do_import, names):
    for name in names:
        put(tmp_path / "s" / name, ["0.png", "1.png"])
    put(tmp_path / "s", ["dog/0.png", f"{names[0]}/2.png"])
    assert "--spellings merge or keep" in stops(tmp_path / "s", "spellings", tmp_path)
    kept = read(tmp_path / "s", spellings="keep")
    assert (len(kept.classes), kept.open_questions) == (len(names) + 1, ())
    one = do_import(tmp_path / "s", answers=Answers(spellings="merge"))
    assert sorted(one.names) == sorted([names[0], "dog"])
    assert one.report.n == 2 * len(names) + 2


def test_names_that_differ_in_more_are_no_question(tmp_path):
    listed(tmp_path, ["A+", "A-", "A", "c", "c#", "t1", "t2", "t10", "v1.05", "v1.5", "yes"] * 2)
    assert asked(read(tmp_path)) == {}


def test_yes_and_no_written_as_words_and_numbers_are_two_classes(tmp_path, do_import):
    listed(tmp_path / "s", ["True", "True", "1", "False", "False", "0", "no"])
    stops(tmp_path / "s", "spellings", tmp_path)
    one = do_import(tmp_path / "s", answers=Answers(spellings="merge"))
    assert one.names == ["False", "True"]
    assert one.given == ["True"] * 3 + ["False"] * 4
    listed(tmp_path / "t", ["yes", "no", "yes"])
    assert asked(read(tmp_path / "t")) == {}


@pytest.mark.parametrize("other", ["cat.", "c\u200bat", "\u0441at"])
def test_the_name_that_is_kept_of_several_is_a_plain_one(tmp_path, other):
    listed(tmp_path, ["cat", other, other, "dog"])
    assert set(counts(read(tmp_path, spellings="merge"))) == {"cat", "dog"}


@pytest.mark.parametrize(
    ("labels", "merged"),
    [
        (["1", "1.0", "01", "2", "2.0"], ["1", "2"]),
        (["0.5", ".5", "0.50", "1.5"], ["0.5", "1.5"]),
        (["+1", "1", "-1", "-1.0"], ["-1", "1"]),
        (["1e1", "10", "3"], ["3", "10"]),
        (["1000", '"1,000"', "7"], ["7", "1000"]),
        (["-0", "0", "1"], ["0", "1"]),
        (["\u22121", "-1", "1"], ["-1", "1"]),  # a minus sign, and a hyphen
    ],
)
def test_one_number_written_in_several_ways_is_asked_for(tmp_path, do_import, labels, merged):
    listed(tmp_path / "s", labels)
    assert "--numbers merge or keep" in stops(tmp_path / "s", "numbers", tmp_path)
    one = do_import(tmp_path / "s", answers=Answers(numbers="merge"))
    assert sorted(one.names, key=float) == merged
    assert len(read(tmp_path / "s", numbers="keep").classes) == len(labels)


def test_signed_numbers_are_two_classes(tmp_path):
    listed(tmp_path, ["-1", "+1"] * 3)
    assert asked(read(tmp_path)) == {}


MISSING = ["nan", "NaN", "NA", "None", "null", "N/A", "<NA>", "?", "-", "#N/A"]
PROGRAMS = [
    *("#REF!", "#VALUE!", "#DIV/0!", "\\N", "-nan", "-nan(ind)", "1.#QNAN", "np.nan", "n. a."),
    *("N.A", "k.A.", "(blank)", "<missing>", "[null]", "[UNK]", "''", "()", "{}", "\u2014", "..."),
]


def test_words_for_missing_leave_their_rows_out_and_say_so(tmp_path, do_import):
    listed(tmp_path / "s", ["cat", "dog", *MISSING, "cat", "dog"])
    found = read(tmp_path / "s")
    assert counts(found) == {"cat": 2, "dog": 2}
    assert not found.open_questions
    assert any("words for a missing label" in note for note in found.notes)
    assert found.left_out[0].count == len(MISSING)
    got = do_import(tmp_path / "s")
    assert (got.report.n, got.report.skipped) == (4, len(MISSING))
    assert any("--missing-words" in note for note in got.report.notes)


@pytest.mark.parametrize("word", PROGRAMS)
def test_what_programs_write_for_nothing_is_missing(tmp_path, word):
    listed(tmp_path, ["cat", "dog"] * 3 + [word])
    found = read(tmp_path)
    assert counts(found) == {"cat": 3, "dog": 3}
    assert asked(found)["missing"].taken == "skip"


@pytest.mark.parametrize("name", ["nano", "(nano)", "[a]b", "Kat.", "kA", "blank", "inf"])
def test_names_that_only_look_like_words_for_missing(tmp_path, name):
    listed(tmp_path, ["cat", "dog"] * 3 + [name])
    assert "missing" not in asked(read(tmp_path))


@pytest.mark.parametrize("name", ["unlabelled", "TBD", "\u4e0d\u660e", "sin etiqueta", "-1", "_"])
def test_a_label_that_sounds_like_none_is_named_before_the_import(tmp_path, name):
    listed(tmp_path, ["cat", "dog"] * 3 + [name])
    found = read(tmp_path)
    assert any(f"“{name}” (1)" in note and "--not-a-class" in note for note in found.notes)


def test_a_number_below_zero_is_a_class_among_signs_and_may_be_none_among_counts(tmp_path):
    for place, labels in (("signs", ["-1", "0", "1"]), ("counts", ["-1", "0", "1", "2"])):
        listed(tmp_path / place, labels * 2)
        assert ("no_classes" in asked(read(tmp_path / place))) == (place == "counts")


def test_words_for_missing_may_be_a_class_or_images_to_label(tmp_path, do_import):
    listed(tmp_path / "s", ["cat", "dog", "NA", "cat", "dog", "None"])
    assert counts(read(tmp_path / "s", missing="class"))["NA"] == 1
    got = do_import(tmp_path / "s", answers=Answers(missing="no-class"))
    assert got.meta["no_classes"] == ["NA", "None"]
    assert got.report.n == 6


def test_a_word_for_missing_on_many_rows_may_be_a_class_so_it_is_asked(tmp_path):
    listed(tmp_path / "s", ["crack", "none", "none", "dent", "none"])
    assert "--missing-words" in stops(tmp_path / "s", "missing", tmp_path)
    assert counts(read(tmp_path / "s", missing="class"))["none"] == 3


def test_a_class_folder_called_none_stays_a_class(tmp_path):
    put(tmp_path, ["none/0.png", "none/1.png", "dent/0.png"])
    assert counts(read(tmp_path)) == {"dent": 1, "none": 2}


# several labels --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "cat|dog",
        '"cat,dog"',
        '"cat, dog"',
        "cat;dog",
        "\"['cat', 'dog']\"",
        "['cat' 'dog']",
        '"[""cat"",""dog""]"',
        '"{cat, dog}"',
        "cat/dog",
        "cat dog",
        "cat+dog",
        "cat::dog",
        "cat\uff0cdog",
        "cat\u3001dog",
        "cat and dog",
        "cat oder dog",
        "cat_dog",
        "[cat|dog]",
        "\"{'cat', 'dog'}\"",
        '"{""dog"": 0.2, ""cat"": 0.8}"',
    ],
)
def test_several_labels_in_a_cell_are_asked_for(tmp_path, do_import, cell):
    listed(tmp_path / "s", ["cat", "dog", cell, "cat", "dog"])
    assert "--several-labels" in stops(tmp_path / "s", "several", tmp_path)
    first = do_import(tmp_path / "s", answers=Answers(several="first"))
    assert (first.names, first.given[2]) == (["cat", "dog"], "cat")
    assert np.load(first.folder / "listed.npy").tolist() == [[2, 0], [2, 1]]
    assert len(read(tmp_path / "s", several="class").classes) == 3
    assert counts(read(tmp_path / "s", several="skip")) == {"cat": 2, "dog": 2}


@pytest.mark.parametrize("cell", ["cat|cat", "cat/cat", '"cat, cat"', "cat;cat;"])
def test_one_label_twice_in_a_cell_is_no_class_of_its_own(tmp_path, cell):
    listed(tmp_path, ["cat", "dog", cell])
    assert list(asked(read(tmp_path))) == ["several"]
    assert counts(read(tmp_path, several="first")) == {"cat": 2, "dog": 1}


def test_labels_with_numbers_name_those_above_zero(tmp_path):
    listed(tmp_path, ["cat", "dog", "\"{'cat': 0, 'dog': 1}\""])
    assert counts(read(tmp_path, several="first")) == {"cat": 1, "dog": 2}


def test_an_end_that_could_separate_is_part_of_a_name(tmp_path):
    listed(tmp_path, ["A", "A+", "B", "C++", "C"])
    assert asked(read(tmp_path)) == {}


def test_a_comma_inside_a_name_is_no_list(tmp_path):
    listed(tmp_path, ['"tench, Tinca tinca"', '"crane, bird"', "T-shirt/top", "(small) cat"])
    assert asked(read(tmp_path)) == {}


def test_sets_of_labels_of_which_none_stands_alone(tmp_path):
    listed(tmp_path, ['"cat,dog"', '"dog,emu"', '"emu,cat"'])
    assert list(asked(read(tmp_path))) == ["several"]


# numbers for names -----------------------------------------------------------------------------


def test_labels_of_arrays_that_go_from_one_are_asked_for(tmp_path, do_import):
    names = np.array(["cat", "dog", "emu", "fox"])
    path = arrays(tmp_path / "s.npz", [1, 2, 3, 4] * 3, class_names=names)
    assert "--count-from 0 or 1" in stops(path, "count_from", tmp_path)
    got = do_import(path, answers=Answers(count_from="1"))
    assert got.given == ["cat", "dog", "emu", "fox"] * 3
    assert counts(read(path, count_from="0")) == {"cat": 0, "dog": 3, "emu": 3, "fox": 3}


def test_a_class_without_images_is_not_settled_either(tmp_path):
    path = arrays(tmp_path / "s.npz", [1, 2, 3] * 3, class_names=np.array(["a", "b", "c", "d"]))
    assert list(asked(read(path))) == ["count_from"]
    full = arrays(tmp_path / "t.npz", [0, 1, 3] * 3, class_names=np.array(["a", "b", "c", "d"]))
    assert asked(read(full)) == {}


def test_numbers_of_a_list_stand_for_the_lines_of_a_classes_file(tmp_path, do_import):
    listed(tmp_path / "s", ["1", "2", "1", "2"])
    (tmp_path / "s" / "classes.txt").write_text("cat\ndog\n")
    assert "--count-from" in stops(tmp_path / "s", "count_from", tmp_path)
    got = do_import(tmp_path / "s", answers=Answers(count_from="1"))
    assert got.given == ["cat", "dog", "cat", "dog"]
    listed(tmp_path / "t", ["0", "1", "0", "1"])
    (tmp_path / "names").write_text("cat\ndog\n")
    said = Answers(classes_file=str(tmp_path / "names"))
    assert counts(importers.read(tmp_path / "t", answers=said)) == {"cat": 2, "dog": 2}


def test_labels_that_go_beyond_the_names_are_asked_for(tmp_path):
    names = np.array(["cat", "dog", "emu", "fox"])
    for at, labels in enumerate(([2, 3, 4, 5], [1, 2, 3, 6])):
        path = arrays(tmp_path / f"{at}.npz", labels * 3, class_names=names)
        assert "--count-from 0 or 1" in stops(path, "count_from", tmp_path)
        assert not read(path, count_from="1").open_questions


@pytest.mark.parametrize("labels", [[2, 3, 4], [3, 4], [4]])
def test_labels_above_one_up_to_the_number_of_names_are_asked_about(tmp_path, labels):
    listed(tmp_path / "s", labels * 3)
    (tmp_path / "s" / "classes.txt").write_text("cat\ndog\nemu\nfox\n")
    said = stops(tmp_path / "s", "count_from", tmp_path)
    assert "label 4 is none of the 4 classes if they count from 0" in said
    names = ["cat", "dog", "emu", "fox"][labels[0] - 1 :]
    assert counts(read(tmp_path / "s", count_from="1")) == dict.fromkeys(names, 3)
    assert "4" in counts(read(tmp_path / "s", count_from="0"))
    path = arrays(tmp_path / "s.npz", labels * 3, class_names=np.array(["a", "b", "c", "d"]))
    assert "--count-from 0 or 1" in stops(path, "count_from", tmp_path)
    inner = arrays(tmp_path / "t.npz", [2, 3] * 3, class_names=np.array(["a", "b", "c", "d"]))
    assert asked(read(inner)) == {}


def test_a_label_more_than_the_names_is_asked_about(tmp_path, agrees):
    listed(tmp_path / "s", ["0", "1", "2"] * 3)
    (tmp_path / "s" / "classes.txt").write_text("cat\ndog\n")
    said = stops(tmp_path / "s", "count_from", tmp_path)
    assert "from 0 to 2, and 2 classes have names" in said
    assert counts(read(tmp_path / "s", count_from="0")) == {"cat": 3, "dog": 3, "2": 3}
    assert agrees(tmp_path / "s", Answers(count_from="1")).names == ["cat", "dog", "0"]
    path = arrays(tmp_path / "s.npz", [0, 1, 2] * 3, class_names=np.array(["cat", "dog"]))
    assert "--count-from 0 or 1" in stops(path, "count_from", tmp_path)
    assert counts(read(path, count_from="1")) == {"cat": 3, "dog": 3}
    full = arrays(tmp_path / "t.npz", [0, 1] * 3, class_names=np.array(["cat", "dog"]))
    assert asked(read(full)) == {}


def test_labels_from_one_without_names_have_no_class_zero(tmp_path, do_import):
    path = arrays(tmp_path / "s.npz", [1, 2, 4, 2] * 3, true_labels=np.array([1, 2, 4, 1] * 3))
    got = do_import(path)
    assert (got.names, got.given[:4]) == (["1", "2", "3", "4"], ["1", "2", "4", "2"])
    true = np.load(got.folder / "true_labels.npy")
    assert [got.names[label] for label in true[:4]] == ["1", "2", "4", "1"]


def test_of_numbers_and_names_of_the_same_classes_the_names_are_read(tmp_path):
    put(tmp_path, [f"im{i}.png" for i in range(4)])
    rows = [f"im{i}.png,{i % 2},{'cat' if i % 2 else 'dog'}" for i in range(4)]
    (tmp_path / "l.csv").write_text("\n".join(["image,label,label_name", *rows]) + "\n")
    assert counts(read(tmp_path)) == {"cat": 2, "dog": 2}
