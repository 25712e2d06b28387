"""Sources written by a test, and what a reading of them asks."""

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers, Unanswered
from tests.data.making import encoded, picture


def put(folder, names):
    """Write a picture under each name."""
    for at, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture(16, 16, seed=at), "PNG"))
    return folder


def listed(folder, labels, name="list.csv", header="image,label"):
    """Write one picture per label, and the list of them."""
    put(folder, [f"im{i}.png" for i in range(len(labels))])
    rows = [f"im{i}.png,{label}" for i, label in enumerate(labels)]
    (folder / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return folder


def read(source, **answers):
    return importers.read(source, answers=Answers(**answers))


def asked(reading):
    return {each.key: each for each in reading.questions}


def counts(reading):
    return {each.name: each.count for each in reading.classes}


def stops(source, key, tmp_path, **answers):
    """Hold that an import of a source stores nothing and names its question."""
    with pytest.raises(Unanswered) as stopped:
        importers.import_source(source, "x", tmp_path / "no", answers=Answers(**answers))
    assert key in [each.key for each in stopped.value.questions]
    assert not (tmp_path / "no").exists()
    return str(stopped.value)


def arrays(path, labels, **more):
    pixels = np.random.default_rng(0).integers(0, 255, (len(labels), 8, 8, 3), np.uint8)
    np.savez(path, images=pixels, labels=np.array(labels), **more)
    return path


def rows_of(folder, text, count=8):
    """Write pictures im0 ... and a list with these lines."""
    put(folder, [f"im{i}.png" for i in range(count)])
    (folder / "list.csv").write_text(text)
    return folder


def lists_of(folder, **lists):
    """Write lists of eight rows each, their images counted on: name=(header, column=cells)."""
    put(folder, [f"im{i}.png" for i in range(8 * len(lists))])
    for at, (name, (header, cells)) in enumerate(lists.items()):
        rows = [header]
        for i in range(8):
            values = {key: of[i % len(of)] for key, of in cells.items()}
            values["image"] = f"im{8 * at + i}.png"
            rows.append(",".join(values[column] for column in header.split(",")))
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return folder
