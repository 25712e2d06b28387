"""A reading apart says what one in this process says, and ends where its time or memory does."""

import json
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from lnl_core.services.datasets import apart, incoming
from lnl_core.services.datasets.incoming import Look
from lnl_core.types import LnlError


def folders(tmp_path):
    for i in range(6):
        place = tmp_path / "set" / ("Cat", "cat", "dog")[i % 3]
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 12), (40 * i, 9, 9)).save(place / f"{i}.png")
    (tmp_path / "set" / "dog" / "notes.txt").write_text("no image")
    return tmp_path / "set"


@pytest.mark.parametrize("pictures", [False, True])
def test_it_is_the_same_reading(tmp_path, pictures):
    source = folders(tmp_path)
    here = incoming.read(Look(source, pictures=pictures))
    assert here.questions
    assert apart.read(Look(source, pictures=pictures)) == here


def test_a_refusal_comes_back_in_the_same_words(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LnlError) as here:
        incoming.read(Look(tmp_path / "empty"))
    with pytest.raises(LnlError) as there:
        apart.read(Look(tmp_path / "empty"))
    assert str(there.value) == str(here.value)


def asked(source):
    plain = {"root": None, "size": None, "answers": {}, "pictures": False, "unpack_up_to": None}
    return json.dumps(plain | {"source": str(source)})


def test_it_is_stopped_when_it_takes_too_long(tmp_path):
    said = apart.ask(asked(folders(tmp_path)), seconds=0.01)  # no interpreter starts in that
    assert "takes longer than" in said["error"]


def test_it_is_stopped_when_it_takes_too_much_memory(tmp_path):
    """Labels that fill more memory than is allowed, in a file of 150 kB."""
    n = 2**24
    with zipfile.ZipFile(tmp_path / "much.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, kind, shape in (("images", "|u1", (n, 1, 1)), ("labels", "<i8", (n,))):
            head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117)
            with archive.open(f"{name}.npy", "w") as out:
                out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.encode() + b"\n")
                for _ in range(n * np.dtype(kind).itemsize >> 20):
                    out.write(bytes(2**20))
    said = apart.ask(asked(tmp_path / "much.npz"), memory=2**27 + 2**26)
    assert "emory" in said["error"]
