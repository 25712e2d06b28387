"""Sources of every form with bytes changed, cut and moved: each is read or refused in words.

`LNL_FUZZ=2000 pytest tests/data/test_fuzzed_imports.py` tries more than the few that always run.
"""

import gzip
import io
import os
import pickle
import random
import shutil
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import importers
from lnl_core.records import Unexpected
from lnl_core.types import LnlError

TIMES = int(os.environ.get("LNL_FUZZ", "6"))
"""Changed copies of each form, each with a seed of its own."""

N = 12


def pictures():
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (N, 16, 16, 3), np.uint8)


def picture(form, number):
    stream = io.BytesIO()
    Image.fromarray(pictures()[number]).save(stream, form)
    return stream.getvalue()


def image_folder(folder):
    (folder / "images").mkdir(parents=True)
    for i in range(N):
        (folder / "images" / f"{i}.png").write_bytes(picture("PNG", i))


def csv_list(folder):
    image_folder(folder)
    rows = [f"images/{i}.png,{'cat' if i % 2 else 'dog'},id {i}" for i in range(N)]
    (folder / "list.csv").write_text("image,label,id\n" + "\n".join(rows) + "\n")
    return folder / "list.csv"


def json_lines(folder):
    image_folder(folder)
    rows = [f'{{"image": "images/{i}.png", "label": "{i % 2}"}}' for i in range(N)]
    (folder / "list.jsonl").write_text("\n".join(rows))
    return folder / "list.jsonl"


def parquet(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    image_folder(folder)
    names = [f"images/{i}.png" for i in range(N)]
    dates = pa.array([10**9 * i for i in range(N)], pa.timestamp("s"))
    table = pa.table({"image": names, "label": ["a", "b"] * (N // 2), "id": dates})
    pq.write_table(table, folder / "list.parquet")
    return folder / "list.parquet"


def npz(folder):
    folder.mkdir(parents=True)
    ids = np.array([f"id {i}" for i in range(N)])
    np.savez_compressed(folder / "set.npz", images=pictures(), labels=np.arange(N) % 3, ids=ids)
    return folder / "set.npz"


def zipped(compression):
    def make(folder):
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "set.zip", "w", compression) as archive:
            for i in range(N):
                archive.writestr(f"{'ab'[i % 2]}/{i}.bmp", picture("BMP", i))
        return folder / "set.zip"

    return make


def class_folders(folder):
    for i, form in enumerate(("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "ICO", "PPM")):
        place = folder / "set" / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.{form.lower()}").write_bytes(picture(form, i))
    return folder / "set"


def cifar(folder):
    folder.mkdir(parents=True)
    data = np.zeros((N, 3072), np.uint8)
    batch = {"labels": [i % 2 for i in range(N)], "data": data}
    for i in range(1, 6):
        (folder / f"data_batch_{i}").write_bytes(pickle.dumps(batch, 2))
    (folder / "test_batch").write_bytes(pickle.dumps(batch, 4))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a", "b"]}, 2))
    return folder


def idx(folder):
    folder.mkdir(parents=True)
    images = struct.pack(">4B3I", 0, 0, 8, 3, N, 16, 16) + pictures()[..., 0].tobytes()
    labels = struct.pack(">4BI", 0, 0, 8, 1, N) + bytes(i % 2 for i in range(N))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    return folder


FORMS = {
    "csv": csv_list,
    "jsonl": json_lines,
    "parquet": parquet,
    "npz": npz,
    "zip": zipped(zipfile.ZIP_DEFLATED),
    "zip lzma": zipped(zipfile.ZIP_LZMA),
    "zip bz2": zipped(zipfile.ZIP_BZIP2),
    "folders": class_folders,
    "cifar": cifar,
    "idx": idx,
}


def changed(data, chance):
    """Change a file a little: bytes, a cut, a piece gone, twice, filled or of another place."""
    data = bytearray(data)
    if not data:
        return b"\0"
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(data) + 1)
        size = chance.choice((1, 2, 4, 64, len(data) // 3))
        kind = chance.randrange(6)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[at : at + size]
        elif kind == 2:
            data[at:at] = data[at : at + size]
        elif kind == 3:
            data[at : at + size] = bytes([chance.choice((0, 255, 34, 10))]) * size
        else:
            for _ in range(size if size < 9 else 3):
                if data:
                    data[chance.randrange(len(data))] = chance.randrange(256)
        if not data:
            break
    return bytes(data)


@pytest.mark.filterwarnings("ignore")  # decoders warn of what they repair
@pytest.mark.parametrize("form", FORMS)
def test_what_is_changed_is_read_or_refused(form, tmp_path):
    whole = FORMS[form](tmp_path / "whole")
    for number in range(TIMES):
        chance = random.Random(f"{form} {number}")
        folder = tmp_path / f"{number}"
        shutil.copytree(tmp_path / "whole", folder)
        source = folder / whole.relative_to(tmp_path / "whole")
        files = (
            [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
        )
        for file in chance.sample(files, min(len(files), chance.choice((1, 1, 3)))):
            file.write_bytes(changed(file.read_bytes(), chance))
        tried(lambda s=source: importers.read(s), form, number)
        tried(
            lambda s=source, f=folder: importers.import_source(s, "fuzzed", f / "out"),
            form,
            number,
        )
        shutil.rmtree(folder)


def tried(act, form, number):
    """Do something that may refuse and must not fail otherwise, nor hide where it read."""
    try:
        act()
        return
    except LnlError as error:
        refusal = error
    assert len(str(refusal)) > 20, (form, number)
    assert "\0" not in str(refusal), (form, number)
    assert not isinstance(refusal, Unexpected), (form, number, refusal)  # the bytes are to blame


# What was found by it, each in its plainest form ------------------------------------------------


def test_a_first_cell_that_is_too_long(tmp_path):
    file = csv_list(tmp_path / "set")
    good = file.read_text()
    file.write_text("a" * 131_073 + ",label\n")
    with pytest.raises(LnlError, match="is no header"):
        importers.import_source(file, "long", tmp_path / "out")
    file.write_text(good + "a" * 131_073 + ",cat\n")
    told = importers.import_source(file, "long", tmp_path / "out")
    assert told.n == N
    assert told.reasons[0].reason == "A cell is longer than 131,072 characters."


def test_names_in_a_refusal_steer_no_terminal():
    said = str(LnlError("Column “lab\x1b[2J\0el” is not there.\nNext line."))
    assert said == "Column “lab\ufffd[2J\ufffdel” is not there.\nNext line."


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_one_damaged_file_in_a_zip_is_skipped(tmp_path, compression):
    file = zipped(compression)(tmp_path / "set")
    data = bytearray(file.read_bytes())
    data[60:90] = b"\xff" * 30
    file.write_bytes(data)
    told = importers.import_source(file, "damaged", tmp_path / "out")
    assert told.n == N - 1
    assert told.reasons[0].reason == "Damaged inside the zip."


def test_a_date_that_no_calendar_has(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    image_folder(tmp_path)
    table = pa.table({"image": ["images/0.png"], "label": pa.array([10**14], pa.timestamp("s"))})
    pq.write_table(table, tmp_path / "list.parquet")
    with pytest.raises(LnlError, match="holds a value that cannot be read"):
        importers.import_source(tmp_path / "list.parquet", "dates", tmp_path / "out")


def test_an_npz_that_would_take_all_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, kind in (("images", "|u1"), ("labels", "<i8")):
            shape = (2**26, 1, 1) if name == "images" else (2**26,)
            head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117)
            head = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.encode() + b"\n"
            with archive.open(f"{name}.npy", "w", force_zip64=True) as out:
                out.write(head)
                for _ in range(64 if name == "images" else 512):
                    out.write(bytes(2**20))
    with pytest.raises(LnlError, match="zip bomb"):
        importers.read(tmp_path / "bomb.npz")


def test_what_a_caller_raises_is_not_taken_for_damage(tmp_path):
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    with pytest.raises(Stop):
        importers.import_source(npz(tmp_path / "set"), "stopped", tmp_path / "out", report=stop)
