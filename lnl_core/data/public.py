"""Public sets for those with a network: addresses, checksums and licences, shown before a download.

Nothing here is fetched unless a person asks for it. What cannot be checked by a published checksum
is checked by its structure and by published figures, and its own digest is kept in the set's notes.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil

from lnl_core.data import pickles
from lnl_core.data.writing import Plan, Row, SetWriter
from lnl_core.types import IntArray, LnlError

Report = Callable[[str, int, int], None]
"""Called with (what is done in words, done, total); total is 0 where unknown; may raise."""

_CHUNK = 2**20
_TIMEOUT = 30.0
_TRIES = 3
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
_UNPACKED = 350_000_000
"""Bytes of CIFAR-10 unpacked, and of the working copy beside it."""

_MAX_LABELS = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Download:
    """One file: `md5` blank where its authors publish none; `check` says how it is checked."""

    what: str
    url: str
    bytes: int
    licence: str
    md5: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set that can be fetched, with everything that a person should know before.

    `labels` maps the key of a label set to (words, share of wrong labels as its paper gives it).
    """

    key: str
    title: str
    sentence: str
    downloads: tuple[Download, ...]
    labels: dict[str, tuple[str, float]]
    cite: str


CIFAR10N = PublicSet(
    key="cifar10n",
    title="CIFAR-10 with human labels (CIFAR-10N)",
    sentence="50,000 photographs of 32 × 32 px in ten classes, labelled by people who made real "
    "mistakes. CIFAR-10's own labels come along as the truth for reports.",
    downloads=(
        Download(
            "images",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            170_498_071,
            "No formal licence; its author asks to cite “Learning Multiple Layers of Features from "
            "Tiny Images” (Krizhevsky, 2009).",
            md5="c58f30108f718f92721af3b95e74349a",
            check="Checked by the MD5 that torchvision gives.",
        ),
        Download(
            "human labels",
            "https://raw.githubusercontent.com/UCSC-REAL/cifar-10-100n/main/data/CIFAR-10_human.pt",
            0,
            "CC BY-NC 4.0: not for commercial use; name its authors.",
            check="Its authors publish no checksum: checked by its clean labels, equal to all "
            "50,000 of CIFAR-10, and by the noise rates in its paper.",
        ),
    ),
    labels={
        "aggre": ("majority of three people", 0.0903),
        "random1": ("one person", 0.1723),
        "worse": ("the worst of three", 0.4021),
    },
    cite="Wei et al., “Learning with Noisy Labels Revisited”, ICLR 2022",
)
SETS = {CIFAR10N.key: CIFAR10N}

_COLUMNS = {"aggre": "aggre_label", "random1": "random_label1", "worse": "worse_label"}
_RATE_TOLERANCE = 0.002


def check_labels(key: str, labels: str) -> PublicSet:
    """Return a public set that has such labels.

    Raises:
        LnlError: there is no such set, or no such labels of it.
    """
    if key not in SETS:
        raise LnlError(f"There is no public set “{key}”. Known: {', '.join(SETS)}.")
    if labels not in SETS[key].labels:
        known = ", ".join(SETS[key].labels)
        raise LnlError(f"{SETS[key].title} has no labels “{labels}”. Known: {known}.")
    return SETS[key]


def fetch(download: Download, target: Path, report: Report | None = None) -> str:
    """Download a file, checked, to `target`; a whole one that lies there already is kept.

    Returns:
        Its SHA-256.

    Raises:
        LnlError: what could not be reached and what to do instead; or another content than told.
    """
    if download.md5 and target.is_file() and _digest(target, "md5") == download.md5:
        return _digest(target, "sha256")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        with part.open("wb") as out:
            for tries_left in reversed(range(_TRIES)):
                try:
                    _take(download, out, report)
                    break
                except (OSError, http.client.HTTPException) as error:
                    final = isinstance(error, urllib.error.HTTPError) or _of_disk(error)
                    if final or not tries_left or not out.tell():  # nothing came: offline
                        raise
        if download.md5 and (digest := _digest(part, "md5")) != download.md5:
            raise LnlError(
                f"{download.url} gave another file than expected (MD5 {digest}, not "
                f"{download.md5}), so it was not used. Try again; a proxy may have changed it."
            )
        os.replace(part, target)
    except (OSError, http.client.HTTPException) as error:
        if _of_disk(error):
            raise _no_room(target, error) from error
        raise _unreachable(download, error) from error
    finally:
        part.unlink(missing_ok=True)
    return _digest(target, "sha256")


def _take(download: Download, out: IO[bytes], report: Report | None) -> None:
    """Fetch what `out` does not hold yet; from the start where the server cannot go on.

    Raises:
        ConnectionError: it ended before its end; `out` keeps what came.
    """
    done = out.tell()
    headers = {"User-Agent": "lnl-review"} | ({"Range": f"bytes={done}-"} if done else {})
    request = urllib.request.Request(download.url, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        goes_on = str(answer.headers.get("Content-Range", "")).startswith(f"bytes {done}-")
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT or not goes_on:
            done = 0
            out.seek(0)
            out.truncate()
        coming = int(answer.headers.get("Content-Length") or 0)
        total = done + coming if coming else download.bytes
        _space(Path(out.name), total - done)
        _copy(answer, out, f"downloading the {download.what}", done, total, report)


def _sweep(target: Path) -> None:
    """Remove the beginnings that downloads of processes left which are no more."""
    for part in target.parent.glob(f".{target.name}.*.part"):
        pid = part.name.split(".")[-2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            part.unlink(missing_ok=True)


def _of_disk(error: Exception) -> bool:
    return getattr(error, "errno", None) in _DISK


def _no_room(target: Path, error: Exception) -> LnlError:
    reason = getattr(error, "strerror", None) or error
    return LnlError(
        f"{target} cannot be written: {reason}. Free space, or set LNL_HOME to another disk."
    )


def _unreachable(download: Download, error: Exception) -> LnlError:
    reason: object = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    if isinstance(error, urllib.error.HTTPError):
        reason = error
    elif isinstance(reason, OSError) and reason.strerror:
        reason = reason.strerror
    return LnlError(
        f"The {download.what} could not be reached: {download.url} ({reason}). Connect to the "
        "network, or let a computer that is connected download it, and import the folder "
        "cifar-10-batches-py here as a torchvision folder. The demo needs no network."
    )


def _space(path: Path, need: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if need > free:
        raise LnlError(
            f"The download needs {need / 1e6:,.0f} MB, the disk has {free / 1e6:,.0f} MB free. "
            "Free some, or set LNL_HOME to another disk."
        )


def _copy(
    source: Any, out: IO[bytes], words: str, done: int, total: int, report: Report | None
) -> None:
    while piece := source.read(_CHUNK):
        out.write(piece)
        done += len(piece)
        if report is not None:
            report(words, done, max(total, done))
    if total and done < total:
        raise ConnectionError(f"the connection ended after {done:,} of {total:,} bytes")


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def human_labels(path: Path, clean: IntArray) -> dict[str, IntArray]:
    """Read CIFAR-10N's labels and check them; no object of the file is run.

    Args:
        path: `CIFAR-10_human.pt`.
        clean: (50000,) CIFAR-10's own training labels.

    Returns:
        Key of the label set -> (50000,) int labels.

    Raises:
        LnlError: another content than the paper's.
    """
    if path.stat().st_size > _MAX_LABELS:
        raise LnlError(f"{path.name} is too large for a file of labels. It was not used.")
    with path.open("rb") as stream:
        content = pickles.read_torch(stream, path.name)
    columns = content if isinstance(content, dict) else {}
    own = columns.get("clean_label")
    if own is None or not np.array_equal(np.asarray(own).reshape(-1), clean):
        raise LnlError(
            f"{path.name} does not carry CIFAR-10's own labels in their order, so its human labels "
            "cannot be trusted to belong to these images. It was not used."
        )
    labels: dict[str, IntArray] = {}
    for key, column in _COLUMNS.items():
        values = np.asarray(columns.get(column, ())).reshape(-1)
        good = len(values) == len(clean) and values.dtype.kind in "iu"
        if not good or not 0 <= int(values.min()) <= int(values.max()) <= 9:
            raise LnlError(f"{path.name} has no usable labels “{column}”. It was not used.")
        rate = float((values != clean).mean())
        told = CIFAR10N.labels[key][1]
        if abs(rate - told) > _RATE_TOLERANCE:
            raise LnlError(
                f"“{column}” of {path.name} differs from CIFAR-10 in {rate:.2%}, its paper says "
                f"{told:.2%}. It was not used."
            )
        labels[key] = values.astype(np.int64)
    return labels


def write_cifar10n(
    target: Path, cache: Path, labels: str = "aggre", report: Report | None = None
) -> None:
    """Download CIFAR-10 and its human labels, and write the set as an import would.

    torchvision unpacks the images and checks every batch; both downloads stay in `cache`.

    Args:
        target: the folder to make.
        cache: where the downloads go, and are looked for.
        labels: the label set to take as given.
        report: told what goes on.

    Raises:
        LnlError: offline, no room, or files with another content.
    """
    images, people = CIFAR10N.downloads
    archive, file = cache / "cifar-10-python.tar.gz", cache / "CIFAR-10_human.pt"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_room(cache, error) from error
    _space(archive, _UNPACKED + (0 if archive.is_file() else images.bytes))
    fetch(images, archive, report)
    # without a checksum, what lies there is judged by its content below, and removed if wrong
    digest = _digest(file, "sha256") if file.is_file() else fetch(people, file, report)
    if report is not None:
        report("unpacking the images", 0, 0)
    pixels, clean, names = _cifar10(cache)
    try:
        given = human_labels(file, clean)[labels]
    except LnlError:
        file.unlink(missing_ok=True)  # so that the next try downloads it again
        raise
    write_set(target, pixels, clean, given, names, labels, digest, report)


def write_set(
    target: Path,
    pixels: Any,
    clean: IntArray,
    given: IntArray,
    names: list[str],
    labels: str,
    digest: str,
    report: Report | None = None,
) -> None:
    """Write images, human labels and CIFAR-10's own as the truth, as an import would.

    Args:
        target: the folder to make.
        pixels: (n, 32, 32, 3) uint8.
        clean: (n,) CIFAR-10's own labels.
        given: (n,) the people's labels.
        names: (k,) class names.
        labels: key of the label set.
        digest: SHA-256 of the label file.
        report: told how far it is.
    """
    images, people = CIFAR10N.downloads
    with SetWriter(target, Plan(32, 32, 3, "CIFAR batches"), len(clean), True) as writer:
        for row in range(len(clean)):
            name = f"train-{row:05d}"
            writer.add(Row(name, pixels[row], int(given[row]), None, int(clean[row])))
            if report is not None and row % 500 == 0:
                report("reading the images", row, len(clean))
        writer.finish(
            {
                "name": CIFAR10N.title,
                "class_names": names,
                "kind": "public",
                "source": f"{images.url} and {people.url}, labels: {labels}",
                "root": None,
                "format": "CIFAR batches",
                "notes": [
                    f"Labels: {CIFAR10N.labels[labels][0]}. {people.licence} {CIFAR10N.cite}.",
                    f"Images: {images.licence}",
                    f"SHA-256 of the label file as downloaded: {digest}.",
                ],
            }
        )


def _cifar10(cache: Path) -> tuple[Any, IntArray, list[str]]:
    """Let torchvision unpack and check the images; return pixels, labels, names."""
    import torchvision

    try:
        cifar = torchvision.datasets.CIFAR10(str(cache), train=True, download=True)
    except (RuntimeError, OSError, EOFError, tarfile.TarError, zlib.error) as error:
        if _of_disk(error):
            raise _no_room(cache, error) from error
        raise LnlError(
            f"torchvision could not unpack CIFAR-10: {error}. Remove {cache} and try again."
        ) from error
    return cifar.data, np.asarray(cifar.targets, np.int64), list(cifar.classes)
