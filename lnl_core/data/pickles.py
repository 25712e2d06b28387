"""Pickles of plain data, read without running any of them.

A pickle is a program; this reader knows lists, dicts, text, numbers and numpy arrays of numbers,
and refuses everything else. Arrays are rebuilt from their bytes here, never by numpy's own code.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
from typing import IO, Any

import numpy as np

from lnl_core.types import Array, LnlError

MAX_BYTES = 2**30

_KIND = re.compile(r"[biuf](1|2|4|8)|bool")
_REBUILD = {"numpy.core.multiarray", "numpy._core.multiarray"}


class _Refused(Exception):
    pass


class _Callable:
    """Something that a pickle may call; it can be given no state."""

    __slots__ = ()

    def __setstate__(self, _state: object) -> None:
        raise _Refused("an object with a state of its own")


class _Dtype:
    """`numpy.dtype(kind)`: numbers only."""

    __slots__ = ("kind", "order")

    def __init__(self, kind: object) -> None:
        text = kind.decode("latin1") if isinstance(kind, bytes) else str(kind)
        if not _KIND.fullmatch(text):
            raise _Refused(f"an array of {text[:20]}")
        self.kind, self.order = text, "|"

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        text = order.decode("latin1") if isinstance(order, bytes) else order
        if text not in ("<", ">", "|", "="):
            raise _Refused("an array of an unknown byte order")
        self.order = str(text)


class _MakeDtype(_Callable):
    __slots__ = ()

    def __call__(self, kind: object, *_: object) -> _Dtype:
        return _Dtype(kind)


class _Array:
    """An array on its way: its shape and bytes come as state."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: Array | None = None

    def __setstate__(self, state: object) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise _Refused("an array of an unknown form")
        _, shape, dtype, fortran, data = state
        data = data.encode("latin1") if isinstance(data, str) else data
        good = (
            isinstance(shape, tuple)
            and len(shape) <= 8
            and all(isinstance(side, int) and 0 <= side < 2**40 for side in shape)
            and isinstance(dtype, _Dtype)
            and isinstance(data, bytes)
        )
        if not good:
            raise _Refused("an array of an unknown form")
        kind = np.dtype(dtype.order.replace("|", "=") + dtype.kind.replace("bool", "b1"))
        if len(data) != math.prod(shape) * kind.itemsize:
            raise _Refused("an array that is cut off")
        self.array = np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


class _Rebuild(_Callable):
    __slots__ = ()

    def __call__(self, *_: object) -> _Array:
        return _Array()


class _Encode(_Callable):
    """`_codecs.encode(text, "latin1")`: how Python 3 writes bytes in old pickles."""

    __slots__ = ()

    def __call__(self, text: object, codec: object = "latin1", *_: object) -> bytes:
        if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
            raise _Refused("an encoded object")
        return text.encode("latin1")


class _Empty(_Callable):
    """`collections.OrderedDict()` and `bytes()` without arguments."""

    __slots__ = ("kind",)

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __call__(self, *arguments: object) -> Any:
        if arguments:
            raise _Refused(f"a {self.kind.__name__} made of an object")
        return self.kind()


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module in _REBUILD and name == "_reconstruct":
            return _Rebuild()
        if module == "numpy" and name == "dtype":
            return _MakeDtype()
        if module == "numpy" and name == "ndarray":
            return "numpy.ndarray"  # only ever an argument of _reconstruct
        if (module, name) == ("_codecs", "encode"):
            return _Encode()
        if (module, name) in (("collections", "OrderedDict"), ("__builtin__", "bytes")):
            return _Empty(dict if name == "OrderedDict" else bytes)
        raise _Refused(f"{module}.{name}"[:80])

    def persistent_load(self, _pid: object) -> Any:
        raise _Refused("a reference to something outside")


def read(stream: IO[bytes], name: str) -> Any:
    """Read one pickle of plain data; text of Python 2 is read as latin-1.

    Args:
        stream: binary.
        name: what messages call the file.

    Raises:
        LnlError: it holds anything else, or is damaged.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise LnlError(f"{name} is larger than 1 GB, too large for a pickle of one batch.")
    try:
        return _arrays(_Reader(io.BytesIO(data), encoding="latin1").load())
    except _Refused as error:
        raise LnlError(
            f"{name} is a pickle that holds {error}, which is never loaded: it could run code. "
            "Save the images and labels as NPZ (numpy.savez_compressed), then import that."
        ) from None
    except Exception as error:
        raise LnlError(
            f"{name} is no readable pickle: it is damaged. Download it again."
        ) from error


def read_torch(stream: IO[bytes], name: str) -> Any:
    """Read a file of `torch.save` that holds numpy arrays and plain data, no tensors.

    Raises:
        LnlError: it holds anything else, or is damaged.
    """
    head = stream.read(4)
    stream.seek(0)
    if head == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(stream) as archive:
                inner = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
                with archive.open(inner) as pickled:
                    return read(pickled, name)
        except (zipfile.BadZipFile, StopIteration, NotImplementedError, RuntimeError) as error:
            raise LnlError(f"{name} is no file of torch.save. Download it again.") from error
    data = io.BytesIO(stream.read(MAX_BYTES))  # before torch 1.6: several pickles in a row
    loaded = None
    for _ in range(4):  # magic number, protocol, system, then the object
        try:
            loaded = _Reader(data, encoding="latin1").load()
        except _Refused as error:
            raise LnlError(
                f"{name} holds {error}, which is never loaded: it could run code."
            ) from None
        except Exception as error:
            raise LnlError(f"{name} is no file of torch.save. Download it again.") from error
    return _arrays(loaded)


def _arrays(part: Any, depth: int = 0) -> Any:
    """Replace the placeholders of arrays by the arrays."""
    if isinstance(part, _Array):
        if part.array is None:
            raise _Refused("an array without its bytes")
        return part.array
    if depth < 4 and isinstance(part, dict):
        return {key: _arrays(value, depth + 1) for key, value in part.items()}
    if depth < 4 and isinstance(part, list | tuple):
        if not any(isinstance(value, _Array | dict | list | tuple) for value in part):
            return part
        return type(part)(_arrays(value, depth + 1) for value in part)
    return part
