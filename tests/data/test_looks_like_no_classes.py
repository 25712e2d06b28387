"""What looks like classes and is none: masks, confidences, objects, sentinels; lists not read."""

import pytest

from lnl_core.types import LnlError
from tests.data.asking import asked, counts, listed, put, read, rows_of, stops

ONE = [f"im/{i}.png" for i in range(6)]
LABELS = ["cat", "dog"] * 3
UNREAD = {
    "list.json": '[{"image": "im/0.png", "label": "cat"}]',
    "labels.json": '{"im/0.png": "cat"}',
    "list.csv": "by a tool\nimage,label\nim/0.png,cat\n",
    "latin.csv": "image,label\nim/0.png,B\xe4r\n",
    "book.csv": "PK\x03\x04 a spreadsheet",
    "list.txt": "image label\nim/0.png cat\n",
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_list_that_is_not_understood_is_no_leave_to_read_a_lone_folder_as_a_class(tmp_path, name):
    source = put(tmp_path / "s", ONE)
    (source / name).write_bytes(UNREAD[name].encode("latin-1"))
    said = stops(source, "labels_in", tmp_path)
    assert f"{name} beside it is not read" in said
    assert counts(read(source, labels_in="folders")) == {"im": 6}
    (source / name).rename(source / "README.txt")
    assert "labels_in" not in asked(read(source))


@pytest.mark.parametrize(
    "name", ["LICENSE-MIT.txt", "licence_cc-by.txt", "requirements-dev.txt", "notes_2024.txt"]
)
def test_licences_and_notes_beside_images_are_no_lists(tmp_path, name):
    text = "MIT License\n\nPermission is hereby granted, free of charge, to any person\n"
    for folder, pictures in (("one", ONE), ("flat", [f"{i}.png" for i in range(4)])):
        put(tmp_path / folder, pictures)
        (tmp_path / folder / name).write_text(text)
    assert "labels_in" not in asked(read(tmp_path / "one"))
    with pytest.raises(LnlError, match="4 images lie beside each other"):
        read(tmp_path / "flat")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("license_plates.txt", "image label\nim/0.png cat\n"),
        ("notes-labels.txt", "image label\nim/0.png cat\n"),
        ("license_plates.csv", "by a tool\nimage,label\nim/0.png,cat\n"),
    ],
)
def test_a_list_is_one_though_its_name_begins_as_a_licences(tmp_path, name, text):
    source = put(tmp_path / "s", ONE)
    (source / name).write_text(text)
    assert f"{name} beside it is not read" in stops(source, "labels_in", tmp_path)


def test_masks_are_no_classes(tmp_path):
    put(tmp_path / "a", ["images/0.png", "masks/0.png"])
    with pytest.raises(LnlError, match="segmentation"):
        read(tmp_path / "a")
    source = put(
        tmp_path / "b",
        ["train/good/0.png", "test/good/1.png", "test/crack/0.png", "ground_truth/crack/0_m.png"],
    )
    assert "ground_truth" in stops(source, "parts", tmp_path)
    assert counts(read(source, parts="splits")) == {"crack": 1, "good": 2}
    put(tmp_path / "c", ["good/0.png", "crack/0.png", "ground_truth/0.png"])
    assert [c.value for c in asked(read(tmp_path / "c"))["no_classes"].choices] == ["ground_truth"]


@pytest.mark.parametrize(
    "labels",
    [
        ["cat:0.9", "dog:0.8", "cat:.75"],
        ["cat (0.91)", "dog (0.75)"],
        ["cat 91 %", "dog 75%"],
        ['"{""label"": ""cat""}"', '"{""label"": ""dog""}"'],
        ["np.str_('cat')", "dog"],
        ["b'cat'", "b'dog'"],
        ["tensor(0)", "tensor(1)"],
        ["<Animal.CAT: 1>", "<Animal.DOG: 2>"],
    ],
)
def test_labels_with_a_confidence_or_as_objects_stop_the_import(tmp_path, labels):
    assert "--measured classes" in stops(listed(tmp_path / "s", labels * 3), "measured", tmp_path)


@pytest.mark.parametrize(
    "labels", [["size 0", "size 1"], ["v1.05", "v1.5"], ["cat 2", "cat 10"], ["b's", "np (x)"]]
)
def test_names_with_numbers_are_classes(tmp_path, labels):
    assert asked(read(listed(tmp_path, labels * 3))) == {}


@pytest.mark.parametrize(
    ("labels", "odd"),
    [
        (["0", "1", "999"], ["999"]),
        (["0", "1", "2", "255"], ["255"]),
        (["cat", "dog", "0"], ["0"]),
        (["98", "99", "97"], []),
        (["0", "cat"], []),
    ],
)
def test_a_number_that_stands_apart_may_be_none(tmp_path, labels, odd):
    question = asked(read(listed(tmp_path, labels * 3))).get("no_classes")
    assert [each.value for each in question.choices] == odd if question else not odd


@pytest.mark.parametrize("pair", [("café", "cafe"), ("Bär", "Baer"), ("Über", "UBER")])
def test_accents_alone_make_no_other_class_unasked(tmp_path, pair):
    source = listed(tmp_path / "s", [*pair, "dog"] * 2)
    if pair[1] == "UBER":  # ü is ue, not u
        assert "spellings" not in asked(read(source))
    else:
        assert "spellings" in stops(source, "spellings", tmp_path)
    assert "spellings" not in asked(read(listed(tmp_path / "k", ["が", "か", "dog"] * 2)))


def test_a_second_column_of_splits_and_boxes_are_named(tmp_path):
    rows = ["image,label,split,fold,xmin", *(f"im{i}.png,cat,train,{i},3" for i in range(4))]
    notes = " ".join(read(rows_of(tmp_path, "\n".join(rows))).notes)
    assert "“fold” is not read: “split” has the splits." in notes
    assert "of boxes" in notes


@pytest.mark.parametrize("word", ["license_plate_", "notes-", "requirements"])
def test_labels_of_boxes_are_no_notes_to_people_whatever_images_are_called(tmp_path, word):
    source = put(tmp_path / "s", [f"images/{word}{i:03}.png" for i in range(12)])
    (source / "labels").mkdir()
    for i in range(12):
        (source / "labels" / f"{word}{i:03}.txt").write_text("0 .5 .5 .1 .1")
    with pytest.raises(LnlError, match="this looks like a set for detection"):
        read(source)


def test_a_splits_only_folder_is_a_class_though_others_write_it_otherwise(tmp_path):
    train = [f"train/{name}/{i}.png" for name in ("Photos", "drawings") for i in range(3)]
    source = put(tmp_path / "s", [*train, "val/photos/a.png", "val/photos/b.png"])
    assert asked(read(source))["spellings"].is_open
    assert counts(read(source, spellings="merge")) == {"Photos": 5, "drawings": 3}


TO_PEOPLE = ["LICENSE.txt", "notes.txt", "LICENSE_images.txt"]


@pytest.mark.parametrize("name", TO_PEOPLE)
def test_a_licence_of_each_image_is_the_list_only_when_a_person_says_so(tmp_path, name):
    paths = [f"{'cat' if i % 2 else 'dog'}/{i}.png" for i in range(6)]
    source = put(tmp_path / "two", paths)
    licences = "".join(f"{path} CC-{'BY' if 'cat' in path else 'SA'}\n" for path in paths)
    (source / name).write_text(licences)
    assert f"{name} is called like a note" in stops(source, "labels_in", tmp_path, header="none")
    assert counts(read(source, labels_in="folders")) == {"cat": 3, "dog": 3}
    for said in ({"labels_in": "list"}, {"lists": (name,)}):
        taken = read(source, header="none", **said)
        assert counts(taken) == {"CC-BY": 3, "CC-SA": 3}
        assert not taken.open_questions


@pytest.mark.parametrize("name", [*TO_PEOPLE, "notes.csv"])
def test_it_is_asked_about_too_where_no_folders_have_labels(tmp_path, name):
    for at, (folder, key) in enumerate((("", "lists"), ("one/", "labels_in"))):
        source = put(tmp_path / str(at), [f"{folder}{i}.png" for i in "1234"])
        (source / name).write_text("".join(f"{i}.png,CC-{i in '12'}\n" for i in "1234"))
        stops(source, key, tmp_path, header="none")
        assert len(counts(read(source, header="none", lists=(name,)))) == 2
    said = read(source, labels_in="folders")
    assert (counts(said), len(said.questions)) == ({"one": 4}, 1)


def test_another_list_is_read_alone_and_the_note_named(tmp_path):
    source = listed(tmp_path / "s", ["cat", "dog"] * 3)
    (source / "notes.csv").write_text("image,label\nim0.png,blurred\nim1.png,fine\n")
    taken = read(source)
    assert counts(taken) == {"cat": 3, "dog": 3}
    assert not taken.open_questions
    assert "“notes.csv” is not used. It is called like a note to people." in taken.notes


def test_a_list_without_endings_called_nearly_like_a_licence_is_not_passed_over(tmp_path):
    source = put(tmp_path / "s", ["im/a1.png", "im/a2.png", "im/a3.png"])
    (source / "license_plates.txt").write_text("# by a tool\na1 cat\na2 dog\nim/a3 dog\n")
    assert "license_plates.txt is called like a note" in stops(source, "labels_in", tmp_path)
    (source / "license_plates.txt").write_text("MIT License\n\nCopyright 2024\nas is, a1\n")
    assert asked(read(source)) == {}


@pytest.mark.parametrize("name", ["license_plates.txt", "LICENSE.txt", "list.csv"])
def test_a_table_of_the_images_is_a_list_whatever_it_is_called(tmp_path, name):
    """Its columns are called otherwise than labels are: it is asked about, or named at least."""
    flat = put(tmp_path / "flat", [f"{i}.png" for i in range(6)])
    (flat / name).write_text("frame,plate\n" + "".join(f"{i}.png,AB{i % 2}\n" for i in range(6)))
    assert f"{name} has no column “label”" in stops(flat, "label_column", tmp_path)
    assert counts(read(flat, label_column="plate")) == {"AB0": 3, "AB1": 3}
    two = put(tmp_path / "two", paths := [f"{'cd'[i % 2]}/{i}.png" for i in range(6)])
    (two / name).write_text("frame,plate\n" + "".join(f"{path},AB\n" for path in paths))
    assert any(f"“{name}” is not used. Its rows name images" in note for note in read(two).notes)


def test_prose_that_names_images_is_a_note_to_people(tmp_path):
    source = put(tmp_path / "s", [f"im/{i}.png" for i in range(6)])
    for text in ("0.png is the first.\nOf the rest\nnothing is known\n", "im/0.png: a cat\n"):
        (source / "README.txt").write_text(text)
        assert asked(read(source)) == {}


def test_columns_that_might_have_the_labels_are_named_where_folders_are_taken(tmp_path):
    put(tmp_path, [f"{site}/{i}.png" for site in ("north", "south") for i in range(6)])
    rows = [
        f"{site}/{i}.png,{'ab'[i % 2]},{'xyz'[i % 3]}"
        for site in ("north", "south")
        for i in range(6)
    ]
    (tmp_path / "meta.csv").write_text("\n".join(["image,finding,view", *rows]) + "\n")
    found = read(tmp_path)
    assert found.kind == "folder"
    assert any("not known: “finding”, “view”" in note for note in found.notes)


def test_lists_whose_ids_name_images_in_no_known_way_say_so(tmp_path, agrees):
    source = tmp_path / "s"
    for split in ("train", "test"):
        put(source, [f"{split}_images/{at}.png" for at in range(4)])
        rows = "".join(f"{at},{'ab'[at % 2]}\n" for at in range(4))
        (source / f"{split}_labels.csv").write_text(f"id,label\n{rows}")
    got = agrees(source)  # each list is called like the folder of its images
    assert got.report.n == 8
    for split in ("train", "test"):
        (source / f"{split}_labels.csv").rename(source / f"{split}_notes.csv")
    left = next(each for each in read(source).left_out if each.what == "lists")
    assert left.reason == "Which of its columns names images is not known."
    assert "--image-column" in left.remedy
