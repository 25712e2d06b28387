"""What is fetched is what was told; offline it says so. Nothing here leaves this computer."""

import hashlib
import http.server
import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.data import public
from lnl_core.types import LnlError

CONTENT = bytes(range(256)) * 5000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: 1000 if self.path == "/short" else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


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
        ("/short", "ended after|could not be reached"),
    ],
)
def test_what_is_not_right_is_not_kept(address, tmp_path, path, words):
    with pytest.raises(LnlError, match=words):
        public.fetch(download(address + path, "0" * 32), tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_offline_it_names_what_it_wanted_and_what_to_do(tmp_path, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(LnlError) as caught:
        public.write_cifar10n(tmp_path / "set", tmp_path / "cache")
    words = str(caught.value)
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz" in words
    assert "Connect to the network" in words
    assert not (tmp_path / "set").exists()


@pytest.fixture(scope="module")
def people():
    """Labels with the noise rates that the paper gives."""
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 10, 50_000)
    found = {"clean_label": clean}
    for key, column in (
        ("aggre", "aggre_label"),
        ("random1", "random_label1"),
        ("worse", "worse_label"),
    ):
        wrong = rng.permutation(50_000)[: round(50_000 * public.CIFAR10N.labels[key][1])]
        found[column] = clean.copy()
        found[column][wrong] = (clean[wrong] + 1) % 10
    return found


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
