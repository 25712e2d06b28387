"""Lists whose rows are of folders: a video, a patient or a scan, and the label of its images."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops

KINDS = ("cat", "dog", "fox")
CLIPS = [f"vid{at:02d}" for at in range(6)]


def written(folder, folders, header, row_of, *, name="labels.csv", around=""):
    """Write two pictures in every folder, and a list with a row for each."""
    put(folder, [f"{around}{each}/{at}.png" for each in folders for at in range(2)])
    rows = [row_of(each, at) for at, each in enumerate(folders)]
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return folder


def labelled(each, at):
    return f"{each},{KINDS[at % 3]}"


@pytest.mark.parametrize(
    ("folders", "header", "row_of"),
    [
        (CLIPS, "video,label", labelled),
        (CLIPS, "video_id,label", lambda each, at: f"{each}.mp4,{KINDS[at % 3]}"),
        (CLIPS, "folder,class", labelled),
        (CLIPS, "path,label", lambda each, at: f"frames/{each},{KINDS[at % 3]}"),
        (["8863", "8864", "9001"], "patient,diagnosis", labelled),
        (["0007", "0010", "0012"], "scan_id,label", lambda e, at: f"{int(e)},{KINDS[at]}"),
        (["2024-05-01", "2024-05-02", "2024-05-03"], "day,species", labelled),
    ],
)
def test_images_have_the_label_of_their_folder(tmp_path, agrees, folders, header, row_of):
    source = written(tmp_path / "s", folders, header, row_of, around="frames/")
    found = read(source)
    assert not found.open_questions
    got = agrees(source)
    labels = {each: KINDS[at % 3] for at, each in enumerate(folders)}
    assert dict(zip(got.paths, got.given, strict=True)) == {
        f"frames/{each}/{at}.png": label for each, label in labels.items() for at in range(2)
    }
    assert agrees(source / "labels.csv").given == got.given
    assert agrees(source, Answers(lists=("labels.csv",))).given == got.given


def test_a_person_can_say_that_the_folders_are_the_classes(tmp_path, agrees):
    source = written(tmp_path / "s", CLIPS, "video,label", labelled)
    assert asked(read(source))["labels_in"].taken == "list"
    assert agrees(source, Answers(labels_in="folders")).names == CLIPS


def test_splits_are_those_of_the_column_and_of_the_lists(tmp_path, agrees):
    put(
        tmp_path / "s", [f"{part}/study{at}/0.png" for at, part in enumerate(["train", "test"] * 2)]
    )
    rows = [f"study{at},{KINDS[at // 2]},{part}" for at, part in enumerate(["train", "test"] * 2)]
    (tmp_path / "s/labels.csv").write_text("study,label,split\n" + "\n".join(rows))
    got = agrees(tmp_path / "s")
    assert (got.given, got.splits) == (["cat", "cat", "dog", "dog"], ["train", "test"] * 2)
    put(tmp_path / "t", [f"{part}/clip{at}/0.png" for part in ("train", "val") for at in range(3)])
    for part, shift in (("train", 0), ("val", 1)):
        rows = [f"clip{at},{KINDS[(at + shift) % 3]}" for at in range(3)]
        (tmp_path / f"t/{part}.csv").write_text("clip,label\n" + "\n".join(rows))
    got = agrees(tmp_path / "t")
    assert got.given == ["cat", "dog", "fox", "dog", "fox", "cat"]
    assert got.splits == ["train"] * 3 + ["val"] * 3


def test_what_is_not_plain_is_asked(tmp_path, agrees):
    breeds = ["beagle", "poodle", "siamese", "persian"]
    source = written(tmp_path / "a", breeds, "name,category", lambda e, at: f"{e},{KINDS[at // 2]}")
    stops(source, "labels_in", tmp_path)
    assert agrees(source, Answers(labels_in="list")).names == ["cat", "dog"]
    assert agrees(source, Answers(labels_in="folders")).names == sorted(breeds)
    source = written(tmp_path / "b", CLIPS, "subject,sex,group", lambda e, at: f"{e},m,{at % 2}")
    assert "no column is known" in stops(source, "labels_in", tmp_path)
    stops(source, "label_column", tmp_path, labels_in="list")
    got = agrees(source, Answers(labels_in="list", label_column="group"))
    assert (got.names, got.report.n) == (["0", "1"], 12)


def test_several_labels_for_one_folder_are_no_answer(tmp_path):
    source = written(tmp_path / "s", CLIPS, "patient,slice,label", lambda e, at: f"{e},0,cat")
    with (source / "labels.csv").open("a") as stream:
        stream.write("vid00,1,dog\n")
    assert "several labels" in stops(source, "labels_in", tmp_path)
    stops(source, "labels_in", tmp_path, labels_in="list")


def test_one_name_of_several_folders_is_asked_about(tmp_path, agrees):
    source = written(tmp_path / "s", CLIPS, "subject,label", labelled, around="rgb/")
    put(source, [f"depth/{each}/0.png" for each in CLIPS])
    assert "Several folders are called" in stops(source, "labels_in", tmp_path)
    assert agrees(source, Answers(labels_in="list")).report.n == 18


def test_folders_and_rows_without_the_other_are_named(tmp_path, agrees):
    source = written(tmp_path / "s", CLIPS, "video,label", labelled)
    lines = (source / "labels.csv").read_text().splitlines()
    (source / "labels.csv").write_text("\n".join([*lines[:5], "vid99,cat"]) + "\n")
    found = read(source)
    assert any("4 images are in no list" in note for note in found.notes)
    assert [each.reason for each in found.left_out] == ["No folder of this name holds images."]
    assert agrees(source).report.n == 8


def test_a_list_of_less_than_half_of_the_images_is_asked_about(tmp_path):
    source = written(tmp_path / "s", CLIPS, "video,label", labelled)
    lines = (source / "labels.csv").read_text().splitlines()
    (source / "labels.csv").write_text("\n".join(lines[:3]) + "\n")
    stops(source, "labels_in", tmp_path)


def test_labels_that_name_nothing_beside_folders_called_like_parts_are_asked_about(tmp_path):
    source = written(tmp_path / "s", CLIPS, "number,label", lambda _, at: f"{7 * at + 900},cat")
    stops(source, "labels_in", tmp_path)
    stops(source, "image_column", tmp_path, labels_in="list")
    assert counts(read(source, labels_in="folders")) == dict.fromkeys(CLIPS, 2)


@pytest.mark.parametrize(
    ("header", "row_of"),
    [
        ("class,description", lambda each, at: f"{each},text {at % 2}"),
        ("breed,species", lambda each, at: f"{each},{KINDS[at % 2]}"),
        ("folder,label", lambda each, _: f"{each},{each}"),
        ("folder,label", lambda each, at: f"{each},name {at}"),
        ("name,legs,habitat", lambda each, at: f"{each},4,{'ab'[at % 2]}"),
        ("split,label", lambda each, at: f"{'train' if at else 'test'},{KINDS[at % 3]}"),
    ],
)
def test_a_table_of_classes_is_no_list_of_folders(tmp_path, header, row_of):
    folders = ["beagle", "poodle", "siamese", "persian"]
    found = read(written(tmp_path / "s", folders, header, row_of))
    assert not found.open_questions
    assert counts(found) == dict.fromkeys(sorted(folders), 2)


def test_folders_called_like_classes_are_no_parts(tmp_path):
    folders = [f"n0144{at:04d}" for at in range(4)]
    source = written(tmp_path / "s", folders, "folder,label", lambda e, at: f"{e},{KINDS[at % 2]}")
    stops(source, "labels_in", tmp_path)


def test_masks_in_the_folders_are_asked_about(tmp_path, agrees):
    source = written(tmp_path / "s", CLIPS, "video,label", labelled)
    put(source, [f"{each}/0_mask.png" for each in CLIPS])
    stops(source, "masks", tmp_path)
    assert agrees(source, Answers(masks="skip")).report.n == 12
    assert agrees(source, Answers(masks="keep")).report.n == 18
