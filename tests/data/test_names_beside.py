"""Class names in a file beside numbered classes: folders, or a list of numbers or codes."""

import json

import pytest

from lnl_core.data.reading import classes_files
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, listed, put, read, stops

WRITTEN = {
    "classes.txt": "cat\ndog\nfox\n",
    "labels.txt": "0: cat\n1: dog\n2: fox\n",
    "class_names.txt": "# ours\n2,fox\n0,cat\n1,dog\n",
    "label_map.txt": "cat 0\ndog 1\nfox 2\n",
    "classes.csv": 'id,name\n0,cat\n1,dog\n2,"fox"\n',
    "classes.json": '["cat", "dog", "fox"]',
    "class_to_idx.json": '{"cat": 0, "dog": 1, "fox": 2}',
    "id2label.json": '{"0": "cat", "1": "dog", "2": "fox"}',
    "label2id.json": '{"cat": "0", "dog": "1", "fox": "2"}',
    "categories.json": '{"categories": [{"id": 2, "name": "fox"}, {"id": 0, "name": "cat"}, '
    '{"id": 1, "name": "dog"}]}',
    "data.yaml": "path: .\ntrain: images\nnc: 3\nnames: ['cat', \"dog\", fox]  # three\n",
    "dataset.yml": "names:\n  0: cat\n  1: dog  # no wolf\n  2: 'fox'\nnc: 3\n",
    "classes.yaml": "nc: 3\nnames:\n- cat\n- dog\n- fox\n",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_numbered_folders_and_lists_get_the_names_of_a_file_beside_them(tmp_path, agrees, name):
    folders = put(tmp_path / "f", [f"{kind}/{i}.png" for kind in "012" for i in range(2)])
    numbers = listed(tmp_path / "l", [2, 0, 1, 2])
    for source in (folders, numbers):
        (source / name).write_text(WRITTEN[name])
        found = read(source)
        assert found.class_names == ("cat", "dog", "fox")
        assert (name in found.files, found.open_questions) == (True, ())
        assert set(counts(read(source, classes_file="none"))) == {"0", "1", "2"}
        got = agrees(source)
        assert dict(zip(got.ids, got.given, strict=True)).get("0/0.png", "cat") == "cat"
    assert got.given == ["fox", "cat", "dog", "fox"]


def test_a_file_above_the_class_folders_and_their_splits_names_them(tmp_path):
    put(tmp_path, [f"set/{split}/{kind}/0.png" for split in ("train", "val") for kind in "01"])
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    assert counts(read(tmp_path)) == {"cat": 2, "dog": 2}


def test_folders_counted_from_one_are_asked_about_unless_the_file_counts_itself(tmp_path):
    source = put(tmp_path / "s", ["1/0.png", "1/1.png", "2/0.png"])
    (source / "classes.txt").write_text("cat\ndog\n")
    assert "--count-from 0 or 1" in stops(source, "count_from", tmp_path)
    assert counts(read(source, count_from="1")) == {"cat": 2, "dog": 1}
    (source / "classes.txt").write_text("1 cat\n2 dog\n")
    assert (counts(read(source)), read(source).open_questions) == ({"cat": 2, "dog": 1}, ())


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("LOC_synset_mapping.txt", "n01 crane, bird\nn02 crane, bird\nn03 fox\n"),
        ("classes.json", json.dumps({"n01": "crane, bird", "n02": "crane, bird", "n03": "fox"})),
        ("imagenet_class_index.json",
         json.dumps({"0": ["n01", "crane, bird"], "1": ["n02", "crane, bird"],
                     "2": ["n03", "fox"]})),
    ],
)  # fmt: skip
def test_codes_get_their_names_and_stay_apart(tmp_path, name, written):
    source = put(tmp_path / "s", ["n01/0.png", "n02/0.png", "n03/0.png"])
    (source / name).write_text(written)
    assert set(counts(read(source))) == {"crane, bird (n01)", "crane, bird (n02)", "fox"}


def test_a_number_without_a_name_keeps_it_and_is_named(tmp_path):
    source = put(tmp_path / "s", ["1/0.png", "3/0.png", "4/0.png"])
    (source / "classes.json").write_text('{"1": "cat", "4": "fox"}')
    found = read(source)
    assert set(counts(found)) == {"cat", "3", "fox"}
    assert any("classes.json has no name for “3”." in note for note in found.notes)


@pytest.mark.parametrize("written", ["cat\ncat\n", "a\n", '{"names": []}', "nothing: here\n"])
def test_a_file_that_names_no_such_classes_is_said_not_read(tmp_path, written):
    for name in ("labels.txt", "classes.json", "data.yaml"):
        source = put(tmp_path / name / "s", ["0/0.png", "4/0.png"])
        (source / name).write_text(written)
        found = read(source)
        assert set(counts(found)) == {"0", "4"}
        assert any("is not used" in note for note in found.notes)


def test_a_file_of_words_beside_folders_of_words_is_no_ones_business(tmp_path):
    source = put(tmp_path / "s", ["cat/0.png", "dog/0.png"])
    (source / "classes.txt").write_text("cat: a pet\ndog: another\n")
    assert counts(read(source)) == {"cat": 1, "dog": 1}


def test_a_file_that_gives_one_number_two_names_is_not_used_and_that_is_said(tmp_path):
    source = listed(tmp_path, [0, 1, 0])
    (source / "class_to_idx.json").write_text('{"cat": 0, "dog": 0, "fox": 1}')
    found = read(source)
    assert found.class_names == ("0", "1")
    assert any("class_to_idx.json” is not used" in note for note in found.notes)


def test_a_file_that_was_asked_for_has_to_be_one(tmp_path):
    source = put(tmp_path / "s", ["0/0.png", "1/0.png"])
    with pytest.raises(LnlError, match="There is no file"):
        read(source, classes_file="other.txt")
    (source / "other.txt").write_text("cat\ncat\n")
    with pytest.raises(LnlError, match="names no classes"):
        read(source, classes_file="other.txt")


def test_words_for_missing_do_not_hide_numbers(tmp_path):
    listed(tmp_path, [0, 1, 0, 1, "NA"])
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert counts(read(tmp_path, missing="skip")) == {"cat": 2, "dog": 2}


@pytest.mark.parametrize("written", ["\x00\xff", "[" * 100_000, "{", "names: [", "names:\n- \n"])
def test_broken_files_are_refused_in_words(tmp_path, written):
    for ending in ("txt", "json", "yaml"):
        file = tmp_path / f"classes.{ending}"
        file.write_bytes(written.encode("latin-1"))
        try:
            assert classes_files.classes_of(file).by_number
        except LnlError:
            continue
        assert ending == "txt"


def test_a_file_with_fewer_names_than_labels_is_said_to_have_too_few(tmp_path):
    source = put(tmp_path / "s", [f"{at}/0.png" for at in range(1, 5)])
    (source / "classes.txt").write_text("1 cat\n2 dog\n")
    assert (
        "classes.txt is not used: labels go from 1 to 4, and it has 2 names." in read(source).notes
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("classes.csv", "class\ncat\ndog\nfox\n"),
        ("classes.csv", '"Class Name"\n"cat"\ndog\nfox\n'),
        ("classes.csv", "0\ncat\ndog\nfox\n"),  # as pandas writes a series
        ("class_names.txt", "label\ncat\ndog\nfox\n"),
        ("classes.csv", "name,supercategory\ncat,pet\ndog,pet\nfox,wild\n"),
        ("class_dict.csv", "name,r,g,b\ncat,0,0,0\ndog,9,0,0\nfox,8,0,0\n"),
    ],
)
def test_a_header_above_names_is_no_class_and_that_is_said(tmp_path, name, written):
    source = listed(tmp_path, [0, 1, 2, 0])
    (source / name).write_text(written)
    found = read(source)
    assert (counts(found), found.open_questions) == ({"cat": 2, "dog": 1, "fox": 1}, ())
    header = written.split("\n")[0].strip('"')
    assert any(f"{name}, “{header}”, is its header" in each for each in found.notes)


@pytest.mark.parametrize(
    "written",
    [
        "id,name,supercategory\n0,cat,pet\n1,dog,pet\n2,fox,wild\n",
        "name;kind;index\nfox;wild;2\ncat;pet;0\ndog;pet;1\n",
        "label,class\n2,fox\n0,cat\n1,dog\n",
        "0 - cat\n1 - dog\n2 - fox\n",
        "0. cat\n1. dog\n2. fox\n",
        "0) cat\n1) dog\n2) fox\n",
    ],
)
def test_numbers_beside_names_are_those_of_the_file(tmp_path, written):
    source = listed(tmp_path, [0, 1, 2, 0])
    (source / "classes.csv").write_text(written)
    found = read(source)
    assert (found.class_names, found.open_questions) == (("cat", "dog", "fox"), ())


def test_codes_below_a_header_get_their_names(tmp_path):
    source = put(tmp_path / "s", ["n01/0.png", "n02/0.png"])
    (source / "classes.csv").write_text("wnid,name,kind\nn01,crane,bird\nn02,crane,machine\n")
    assert set(counts(read(source))) == {"crane (n01)", "crane (n02)"}


def test_names_that_end_with_a_number_are_whole(tmp_path):
    source = put(tmp_path / "s", ["0/a.png", "1/b.png"])
    (source / "classes.txt").write_text("Type 1\nType 2\n")
    assert set(counts(read(source))) == {"Type 1", "Type 2"}


def test_what_the_first_numbers_stand_for_is_said_where_a_name_is_left_over(tmp_path):
    source = listed(tmp_path, [0, 1, 0])
    (source / "classes.csv").write_text("Klasse\ncat\ndog\n")
    assert "names: 0 is “Klasse”, 1 is “cat”, 2" in asked(read(source))["classes_file"].text
    (source / "classes.csv").write_text("cat\ndog\n")
    assert asked(read(source))["classes_file"].text.endswith("has their names.")


@pytest.mark.parametrize(
    ("labels", "first", "said", "answers"),
    [
        ([0, 1, 2, 0], 1, "0 has no name. Is label 0 “cat”, counted from 0?", ("0", "1")),
        ([2, 3, 1, 2], 0, "3 has no name. Is label 1 “cat”, counted from 1?", ("1", "0")),
        ([0, 2, 0, 2], 1, "0 has no name. Is label 0 “cat”, counted from 0?", ("0", "1")),
    ],
)
def test_labels_and_a_file_that_count_otherwise_are_asked_about(
    tmp_path, labels, first, said, answers
):
    source = listed(tmp_path / "s", labels)
    rows = [f"{at},{name}" for at, name in enumerate(("cat", "dog", "fox"), start=first)]
    (source / "classes.csv").write_text("\n".join(["id,name", *rows]))
    assert said in stops(source, "count_from", tmp_path)
    moved = read(source, count_from=answers[0])
    assert set(counts(moved)) <= {"cat", "dog", "fox"}
    name = ("cat", "dog", "fox")[labels[0] - int(answers[0])]
    assert counts(moved)[name] == labels.count(labels[0])
    kept = read(source, count_from=answers[1])
    assert any("has no name for" in note for note in kept.notes)
    assert (moved.open_questions, kept.open_questions) == ((), ())


def test_a_number_without_a_name_that_no_shift_explains_is_not_asked_about(tmp_path):
    source = listed(tmp_path, [0, 1, 2, 3])
    (source / "classes.csv").write_text("id,name\n1,cat\n2,dog\n3,fox\n")
    found = read(source)
    assert (set(counts(found)), found.open_questions) == ({"0", "cat", "dog", "fox"}, ())


@pytest.mark.parametrize("written", ["Type 1\nType 2\nType 3\n", "0 - cat\n1 - dog\n2 - fox\n"])
def test_names_with_numbers_are_no_list_beside_one(tmp_path, written):
    put(tmp_path, [f"images/{at}.png" for at in range(8)])
    rows = [f"{at}.png,{at % 3}" for at in range(8)]
    (tmp_path / "l.csv").write_text("\n".join(["image,label", *rows]))
    (tmp_path / "classes.txt").write_text(written)
    found = read(tmp_path)
    assert found.open_questions == ()
    assert found.class_names[0] in ("Type 1", "cat")
