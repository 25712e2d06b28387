"""Lists whose rows name an image by two cells: camera and frame, patient and slice."""

import pytest

from tests.data.asking import counts, put, read

NAMES = [f"f{at}.png" for at in range(4)]


def of_cameras(folder, cameras, *, of=("cam1", "cam2"), header="camera,frame,label", names=NAMES):
    """Write frames of the same names for some cameras, and a list of those `of` others, too."""
    put(folder, [f"{camera}/{name}" for camera in cameras for name in names])
    rows = [
        f"{camera},{name},{'cat' if camera == 'cam1' else 'dog'}" for camera in of for name in names
    ]
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


@pytest.mark.parametrize(
    "header", ["camera,frame,label", "folder,filename,label", "Station,File,label"]
)
def test_frames_of_two_cameras_are_told_apart(tmp_path, agrees, header):
    source = of_cameras(tmp_path / "s", ["cam1", "cam2"], header=header)
    got = agrees(source)
    labels = dict(zip(got.ids, got.given, strict=True))
    assert labels == {f"cam1/{name}": "cat" for name in NAMES} | {
        f"cam2/{name}": "dog" for name in NAMES
    }
    reading = read(source)
    assert reading.columns["folder"] == header.split(",")[0]


@pytest.mark.parametrize("order", [("cam1", "cam2"), ("cam2", "cam1")])
def test_a_camera_that_is_not_there_does_not_label_the_frames_of_another(tmp_path, order):
    reading = read(of_cameras(tmp_path / "s", ["cam1"], of=order))
    assert {label: n for label, n in counts(reading).items() if n} == {"cat": 4}
    (left,) = [each for each in reading.left_out if each.what == "images"]
    assert (left.count, left.first) == (4, "cam2/f0.png")


def test_folders_of_windows_with_folders_inside(tmp_path, agrees):
    source = put(tmp_path / "s", [f"{a}/{b}/{n}" for a in "AB" for b in "xy" for n in NAMES])
    rows = [
        f"{a}\\{b}\\;{n};{'cat' if a == 'A' else 'dog'}" for a in "AB" for b in "xy" for n in NAMES
    ]
    (source / "data.csv").write_text("\n".join(["RelativePath;File;label", *rows]) + "\n")
    got = agrees(source)
    assert {one[0] + label for one, label in zip(got.ids, got.given, strict=True)} == {
        "Acat",
        "Bdog",
    }
    assert got.report.n == 16


def test_a_column_that_names_no_folders_joins_nothing(tmp_path):
    source = of_cameras(tmp_path / "s", ["a"], of=("cam1",), header="camera,frame,label")
    reading = read(source)
    assert "folder" not in reading.columns
    assert counts(reading) == {"cat": 4}


def test_what_a_person_says_of_the_folder_goes_before_the_column(tmp_path):
    source = of_cameras(tmp_path / "s", ["cam1", "cam2"])
    assert "folder" not in read(source, images_in="cam1").columns
