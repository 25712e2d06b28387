"""What is fetched is what was told; offline it says so. Nothing here leaves this computer."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.data import public
from lnl_core.services.datasets import catalog
from lnl_core.store import datasets
from lnl_core.types import LnlError
from tests.data.test_import_vision import cifar

CONTENT = bytes(range(256)) * 5000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the server's `files`; `/breaks` ends early and goes on, `/short` starts anew."""

    def do_GET(self):
        found = self.server.files.get(self.path)
        if found is None:
            self.send_error(404)
            return
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.server.asked.append((self.path, first))
        goes_on = self.path != "/short"
        if first and goes_on:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(found) - 1}/{len(found)}")
            found = found[first:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        broken = self.path in ("/breaks", "/short") and not (first and goes_on)
        self.wfile.write(found[: 1000 if broken else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files = dict.fromkeys(("/file", "/short", "/breaks"), CONTENT)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(server):
    return f"http://127.0.0.1:{server.server_port}"


def download(url, md5=""):
    return public.Download("images", url, 10, "free", md5)


def test_the_images_are_those_of_torchvision():
    vision = pytest.importorskip("torchvision.datasets")
    images = public.CIFAR10N.downloads[0]
    assert (images.url, images.md5) == (vision.CIFAR10.url, vision.CIFAR10.tgz_md5)
    assert images.url.endswith(vision.CIFAR10.filename)


def test_a_download_is_checked_and_kept(address, tmp_path):
    target = tmp_path / "deep" / "file"
    told = []
    right = download(f"{address}/file", hashlib.md5(CONTENT).hexdigest())
    digest = public.fetch(right, target, lambda *what: told.append(what))
    assert target.read_bytes() == CONTENT
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert told[-1] == ("downloading the images", len(CONTENT), len(CONTENT))
    assert public.fetch(replace(right, url=f"{address}/gone"), target) == digest  # not fetched


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/file", "MD5"),
        ("/gone", "could not be reached.*404|404"),
        ("/short", "could not be reached.*ended after 1,000 of 1,280,000"),
    ],
)
def test_what_is_not_right_is_not_kept(address, tmp_path, path, words):
    with pytest.raises(LnlError, match=words):
        public.fetch(download(address + path, "0" * 32), tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_connection_goes_on_where_it_ended(server, address, tmp_path):
    told = []
    right = download(f"{address}/breaks", hashlib.md5(CONTENT).hexdigest())
    public.fetch(right, tmp_path / "file", lambda _, done, total: told.append((done, total)))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [first for _, first in server.asked] == [0, 1000]
    assert told == sorted(told)
    assert {total for _, total in told} == {len(CONTENT)}


def test_a_server_that_cannot_go_on_is_asked_three_times(server, address, tmp_path):
    with pytest.raises(LnlError, match="ended after 1,000 of 1,280,000 bytes"):
        public.fetch(download(f"{address}/short"), tmp_path / "file")
    assert server.asked == [("/short", 0), ("/short", 1000), ("/short", 1000)]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_and_left_as_it_was(address, tmp_path):
    resource = pytest.importorskip("resource")  # not on every system

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) // 2, limits[1]))
    try:
        with pytest.raises(LnlError, match=r"cannot be written.*Free space"):
            public.fetch(download(f"{address}/file"), tmp_path / "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_download_left_is_removed(address, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f".file.{gone.pid}.part"
    left.write_bytes(CONTENT[:10])
    mine = tmp_path / f".file.{os.getppid()}.part"  # its process lives
    mine.write_bytes(CONTENT[:10])
    public.fetch(download(f"{address}/file"), tmp_path / "file")
    assert sorted(tmp_path.iterdir()) == sorted([mine, tmp_path / "file"])


@pytest.fixture
def small(server, address, tmp_path, monkeypatch):
    """The public set in small: an archive of CIFAR's layout and its labels, on this computer."""
    vision = pytest.importorskip("torchvision.datasets")
    _, clean = cifar(tmp_path, per_batch=400)
    folder = tmp_path / "cifar-10-batches-py"
    with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz", compresslevel=1) as tar:
        tar.add(folder, folder.name)

    def md5(path):
        return hashlib.md5(path.read_bytes()).hexdigest()

    archive = tmp_path / "cifar.tar.gz"
    for name, files in (("train_list", "data_batch_?"), ("test_list", "test_batch")):
        listed = [[path.name, md5(path)] for path in sorted(folder.glob(files))]
        monkeypatch.setattr(vision.CIFAR10, name, listed)
    meta = vision.CIFAR10.meta | {"md5": md5(folder / "batches.meta")}
    monkeypatch.setattr(vision.CIFAR10, "meta", meta)
    monkeypatch.setattr(vision.CIFAR10, "tgz_md5", md5(archive))
    clean = np.array(clean[:2000])
    labels = saved(tmp_path / "human.pt", noisy(clean))
    server.files = {"/images": archive.read_bytes(), "/people": labels.read_bytes()}
    images, people_file = public.CIFAR10N.downloads
    images = replace(images, url=f"{address}/images", md5=md5(archive))
    people_file = replace(people_file, url=f"{address}/people")
    known = replace(public.CIFAR10N, downloads=(images, people_file))
    monkeypatch.setattr(public, "CIFAR10N", known)
    monkeypatch.setitem(public.SETS, known.key, known)
    return clean


def test_the_whole_set_comes_in(small, server, workspace):
    stages = []
    info = catalog.add_public(
        workspace, "cifar10n", "people", "worse", report=lambda words, *_: stages.append(words)
    )
    assert list(dict.fromkeys(stages)) == [
        "downloading the images",
        "downloading the human labels",
        "unpacking the images",
        "reading the images",
    ]
    data = datasets.load(info)
    assert (info.n, info.class_count) == (2000, 10)
    np.testing.assert_array_equal(data.true_labels, small)
    assert (data.given_labels != small).mean() == pytest.approx(0.4021, abs=0.001)
    assert list(data.ids)[:2] == ["train-00000", "train-00001"]
    server.files = {}  # offline from here on: what was downloaded is enough
    assert catalog.add_public(workspace, "cifar10n", "again", "aggre").n == 2000
    assert not (workspace.home / "incoming").exists()


def test_other_files_are_refused_and_nothing_stays(small, server, workspace):
    cache = workspace.home / "downloads" / "cifar10n"
    good = dict(server.files)
    server.files = good | {"/images": good["/images"][:-1] + b"x"}
    with pytest.raises(LnlError, match="gave another file than expected"):
        catalog.add_public(workspace, "cifar10n", "people", "worse")
    assert list(cache.iterdir()) == []
    server.files = good | {"/people": b"<html>log in first</html>"}
    with pytest.raises(LnlError, match=r"no file of torch\.save"):
        catalog.add_public(workspace, "cifar10n", "people", "worse")
    assert not (cache / "CIFAR-10_human.pt").exists()
    assert datasets.datasets(workspace) == []
    assert not (workspace.home / "incoming").exists()
    server.files = good
    assert catalog.add_public(workspace, "cifar10n", "people", "worse").n == 2000
    assert [path for path, _ in server.asked].count("/images") == 2  # the good one was kept


def test_offline_it_names_what_it_wanted_and_what_to_do(tmp_path, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(LnlError) as caught:
        public.write_cifar10n(tmp_path / "set", tmp_path / "cache")
    words = str(caught.value)
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz" in words
    assert "Connect to the network" in words
    assert not (tmp_path / "set").exists()


def noisy(clean):
    """Labels with the noise rates that the paper gives."""
    rng = np.random.default_rng(0)
    found = {"clean_label": clean}
    for key, column in (
        ("aggre", "aggre_label"),
        ("random1", "random_label1"),
        ("worse", "worse_label"),
    ):
        n = len(clean)
        wrong = rng.permutation(n)[: round(n * public.CIFAR10N.labels[key][1])]
        found[column] = clean.copy()
        found[column][wrong] = (clean[wrong] + 1) % 10
    return found


@pytest.fixture(scope="module")
def people():
    return noisy(np.random.default_rng(0).integers(0, 10, 50_000))


def saved(path, values):
    torch = pytest.importorskip("torch")
    torch.save(values, path)
    return path


def test_human_labels_are_read_and_checked(tmp_path, people):
    clean = people["clean_label"]
    found = public.human_labels(saved(tmp_path / "a.pt", people), clean)
    assert {key: len(values) for key, values in found.items()} == dict.fromkeys(
        ("aggre", "random1", "worse"), 50_000
    )
    np.testing.assert_array_equal(found["worse"], people["worse_label"])
    for change, words in (
        ({"clean_label": np.roll(clean, 1)}, "own labels"),
        ({"worse_label": people["aggre_label"]}, "its paper says"),
        ({"worse_label": clean[:10]}, "no usable labels"),
        ({"worse_label": people["worse_label"] + 5}, "no usable labels"),
    ):
        with pytest.raises(LnlError, match=words):
            public.human_labels(saved(tmp_path / "b.pt", people | change), clean)


def test_the_set_says_where_it_is_from(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (20, 32, 32, 3), dtype=np.uint8)
    clean = np.arange(20) % 10
    given = (clean + 1) % 10
    names = [f"class {i}" for i in range(10)]
    public.write_set(tmp_path / "set", pixels, clean, given, names, "worse", "abc")
    meta = json.loads((tmp_path / "set" / "meta.json").read_text("utf-8"))
    assert "CC BY-NC 4.0" in meta["notes"][0]
    assert np.load(tmp_path / "set" / "true_labels.npy").tolist() == clean.tolist()
    assert np.load(tmp_path / "set" / "given_labels.npy").tolist() == given.tolist()


def test_unknown_sets_and_labels_are_named():
    with pytest.raises(LnlError, match="Known: cifar10n"):
        public.check_labels("imagenet", "aggre")
    with pytest.raises(LnlError, match="Known: aggre, random1, worse"):
        public.check_labels("cifar10n", "best")
