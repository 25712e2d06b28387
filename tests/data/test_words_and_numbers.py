"""Lists that are read together and write the same classes in words, or count them otherwise."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, lists_of, put, read, stops


def test_words_in_one_list_and_numbers_in_another_are_asked_about(tmp_path, agrees):
    folder = tmp_path / "s"
    put(folder, [f"{name}{i}.png" for name in ("a", "b") for i in range(4)])
    first = [f"a{i}.png,{['cat', 'dog'][i % 2]}" for i in range(4)]
    second = [f"b{i}.png,{i % 2},{['cat', 'dog'][i % 2]}" for i in range(4)]
    (folder / "train.csv").write_text("\n".join(["image,label", *first]) + "\n")
    (folder / "test.csv").write_text("\n".join(["image,target,word", *second]) + "\n")
    found = asked(read(folder))["label_column"]
    assert found.is_open
    assert "“cat”, “dog” in “label” of train.csv, “0”, “1” in “target” of test.csv" in found.text
    assert [each.value for each in found.choices] == ["label,word", "label,target"]
    stops(folder, "label_column", tmp_path)
    assert counts(read(folder, label_column="label,word")) == {"cat": 4, "dog": 4}
    apart = agrees(folder, Answers(label_column="label,target"))
    assert sorted(set(apart.given)) == ["0", "1", "cat", "dog"]


def test_words_and_numbers_in_columns_of_one_name_are_asked_about(tmp_path, agrees):
    source = lists_of(
        tmp_path / "a",
        train=("image,label", {"label": "012"}),
        test=("image,label", {"label": ["cat", "dog", "bird"]}),
    )
    assert "Name the classes of the numbers in a file with --classes" in stops(
        source, "label_column", tmp_path
    )
    assert len(counts(read(source, label_column="label"))) == 6
    agrees(source, Answers(label_column="label"))
    (tmp_path / "names.txt").write_text("cat\ndog\nbird\n")
    named = read(source, classes_file=str(tmp_path / "names.txt"))
    assert (named.open_questions, len(counts(named))) == ((), 3)
    source = lists_of(
        tmp_path / "b",
        train=("image,label,word", {"label": "01", "word": ["cat", "dog"]}),
        test=("image,label", {"label": ["cat", "dog"]}),
    )
    assert "word,label" in [each.value for each in asked(read(source))["label_column"].choices]
    assert counts(read(source, label_column="word,label")) == {"cat": 8, "dog": 8}


def test_numbers_from_0_in_one_list_and_from_1_in_another_are_asked_about(tmp_path):
    for name, labels, asks in (("a", "123", True), ("b", "012", False), ("c", "12", False)):
        source = lists_of(
            tmp_path / name,
            train=("image,label", {"label": "012"}),
            test=("image,label", {"label": labels}),
        )
        assert ("label_column" in asked(read(source))) == asks
    said = stops(tmp_path / "a", "label_column", tmp_path)
    assert "count from 0 to 2" in said
    parts = {"train": "012", "val": "01", "test": "12"}  # train shows how all of them count
    of = {name: ("image,label", {"label": labels}) for name, labels in parts.items()}
    assert "label_column" not in asked(read(lists_of(tmp_path / "d", **of)))
    assert "from 1 to 3" in said
    assert len(counts(read(tmp_path / "a", label_column="label"))) == 4


@pytest.mark.parametrize("names", ["cat dog fox", "cat dog fox owl", "0:cat 1:dog 2:fox 3:owl"])
@pytest.mark.parametrize("ending", ["", ".0"])
def test_names_hide_not_that_one_list_counts_from_0_and_another_from_1(
    tmp_path, agrees, names, ending
):
    source = lists_of(
        tmp_path / "s",
        train=("image,label", {"label": [f"{i}{ending}" for i in (0, 1, 2)]}),
        test=("image,label", {"label": [f"{i}{ending}" for i in (1, 2, 3)]}),
    )
    (source / "classes.txt").write_text(names.replace(" ", "\n") + "\n")
    assert "train.csv count from 0 to 2, those of test.csv from 1 to 3" in stops(
        source, "label_column", tmp_path
    )
    got = agrees(source, Answers(label_column="label", count_from="0"))
    assert got.names[:3] == ["cat", "dog", "fox"]
    alike = lists_of(tmp_path / "t", train=("image,label", {"label": "012"}))
    lists_of(alike, train=("image,label", {"label": "012"}), test=("image,label", {"label": "02"}))
    (alike / "classes.txt").write_text("cat\ndog\nfox\n")
    assert not read(alike).open_questions


@pytest.mark.parametrize(
    ("train", "test", "asks"),
    [
        ("0123", "1240", False),
        ("0123", "124", True),  # class 2 of the four is in no row of test
        ("013", "1234", True),
        ("0123", "4", False),
        ("0123", "45", False),
    ],
)
def test_a_list_that_lacks_a_class_may_count_otherwise_too(tmp_path, train, test, asks):
    source = lists_of(
        tmp_path / "s",
        train=("image,label", {"label": train}),
        test=("image,label", {"label": test}),
    )
    assert ("label_column" in asked(read(source))) == asks


@pytest.mark.parametrize("keep", ["", "keep"])
@pytest.mark.parametrize("labels", ["01", ["cat", "dog"]])
def test_a_list_of_blank_labels_mixes_no_words_into_numbers(tmp_path, labels, keep):
    source = lists_of(
        tmp_path / "s",
        train=("image,label", {"label": labels}),
        test=("image,class", {"class": [""]}),
    )
    found = read(source, unlabelled=keep)
    assert "label_column" not in asked(found)
    assert {name: counts(found)[name] for name in labels} == dict.fromkeys(labels, 4)


@pytest.mark.parametrize("keep", ["", "keep"])
@pytest.mark.parametrize(("first", "second"), [("01", ["cat", ""]), (["cat", "dog"], ["0", ""])])
def test_blank_labels_hide_no_words_beside_numbers(tmp_path, keep, first, second):
    source = lists_of(
        tmp_path / "s",
        train=("image,label", {"label": first}),
        test=("image,class", {"class": second}),
    )
    assert asked(read(source, unlabelled=keep))["label_column"].is_open
