"""Pickles of plain data, read without running any of them.

A pickle is a program for a machine with a stack. This is that machine with the instructions left
in that lists, dicts, text, numbers and numpy arrays of numbers need; `pickletools` only splits the
bytes. Everything else is refused. Every instruction makes at most one thing, whose parts are on the
stack already, so that time and memory are bounded by the file's length: no index reserves memory,
what is shared is kept once, and a dict's keys are plain values, whose hash is soon known.

Arrays are rebuilt from their bytes here, never by numpy's own code.
"""

from __future__ import annotations

import io
import math
import pickletools
import re
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from lnl_core.types import Array, LnlError

MAX_BYTES = 2**30

MAX_STEPS = 2_000_000
"""Instructions of one pickle; a batch of CIFAR-100 has 250,000. Arrays are few, however large."""

MAX_SWELL = 200
"""How many times larger than stored a pickle inside a zip may be, beyond `_SWELL_FREE`."""

_SWELL_FREE = 2**24
_KIND = re.compile(r"[biuf](1|2|4|8)|bool")
_REBUILD = ("numpy.core.multiarray", "numpy._core.multiarray")
_KEYS = (str, bytes, int, float, bool, type(None))
_MARK = object()


class _Refused(Exception):
    pass


class _TooLong(Exception):
    pass


class _Dtype:
    """`numpy.dtype(kind)`: numbers only."""

    __slots__ = ("kind", "order")

    def __init__(self, kind: object) -> None:
        text = kind.decode("latin1") if isinstance(kind, bytes) else kind
        if not (isinstance(text, str) and _KIND.fullmatch(text)):
            raise _Refused(f"an array of {text[:20] if isinstance(text, str) else 'objects'}")
        self.kind, self.order = text, "|"

    def set_state(self, state: object) -> _Dtype:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        text = order.decode("latin1") if isinstance(order, bytes) else order
        if text not in ("<", ">", "|", "="):
            raise _Refused("an array of an unknown byte order")
        self.order = str(text)
        return self


class _Unbuilt:
    """An array on its way: its shape and bytes come as state; `keys` are where it is remembered."""

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: list[int] = []

    def set_state(self, state: object) -> Array:
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
        array: Array = np.frombuffer(data, kind)
        return array.reshape(shape, order="F" if fortran is True or fortran == 1 else "C")


class _Name:
    """What a pickle calls a function or class by; four of them are known."""

    __slots__ = ("module", "name")

    def __init__(self, module: object, name: object) -> None:
        self.module, self.name = str(module)[:80], str(name)[:80]
        known = (self.module in _REBUILD and name == "_reconstruct") or (module, name) in (
            ("numpy", "dtype"),
            ("numpy", "ndarray"),  # only ever an argument of _reconstruct
            ("_codecs", "encode"),
            ("collections", "OrderedDict"),
            ("__builtin__", "bytes"),
        )
        if not known:
            raise _Refused(f"{self.module}.{self.name}"[:80])

    def call(self, arguments: object) -> Any:
        """Return what the call would make, without calling it."""
        if not isinstance(arguments, tuple):
            raise _Refused("a call of an unknown form")
        if self.name == "_reconstruct":
            return _Unbuilt()
        if self.name == "dtype" and arguments:
            return _Dtype(arguments[0])
        if self.name == "encode":  # how Python 3 writes bytes in old pickles
            text, codec = (*arguments, "latin1", "latin1")[:2]
            if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
                raise _Refused("an encoded object")
            return text.encode("latin1")
        if self.name == "ndarray" or arguments:
            raise _Refused(f"a {self.name} made of an object")
        return {} if self.name == "OrderedDict" else b""


class _Machine:
    """The stack, what is remembered under a number, and one method per kind of instruction.

    `copied` counts bytes that were made from text: each piece of text stands for one array, so
    they are no more than the file has.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0

    def run(self, stream: io.BytesIO) -> Any:
        """Read one pickle from where the stream stands."""
        most = len(stream.getbuffer())
        for step, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if step > MAX_STEPS:
                raise _TooLong
            if self.copied > most:
                raise _Refused("one text many times over")
            if opcode.name == "STOP":
                break
            instruction = _INSTRUCTIONS.get(opcode.name)
            if instruction is None:
                raise _Refused(f"an instruction that plain data does not need ({opcode.name})")
            instruction(self, argument)
        return _finished(self.pop())

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value should be")
        return value

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def marked(self) -> list[Any]:
        """Take everything above the last mark, and the mark."""
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:  # IndexError: damaged
            at -= 1
            if at < 0:
                raise ValueError("no mark")
        values = [_finished(value) for value in self.stack[at + 1 :]]
        del self.stack[at:]
        return values

    def take(self, count: int) -> list[Any]:
        values = [_finished(self.pop()) for _ in range(count)]
        return values[::-1]

    def remember(self, key: int | None = None) -> None:
        place, value = len(self.memo) if key is None else int(key), self.stack[-1]
        self.memo[place] = value
        if isinstance(value, _Unbuilt):
            value.keys.append(place)

    def recall(self, key: int) -> None:
        self.push(self.memo[int(key)])

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise _Refused("an object that is filled like a list")
        target += values

    def fill(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise _Refused("an object that is filled like a dict")
        target |= _pairs(values)

    def reduce(self) -> None:
        name, arguments = self.take(2)
        if not isinstance(name, _Name):
            raise _Refused("a call of an object")
        made = name.call(arguments)
        self.copied += len(made) if isinstance(made, bytes) else 0
        self.push(made)

    def build(self) -> None:
        state = _finished(self.pop())
        unbuilt = self.pop()
        if not isinstance(unbuilt, _Dtype | _Unbuilt):
            raise _Refused("an object with a state of its own")
        if isinstance(unbuilt, _Unbuilt) and isinstance(state, tuple):
            self.copied += sum(len(part) for part in state if isinstance(part, str))
        built = unbuilt.set_state(state)
        self.push(built)
        for key in unbuilt.keys if isinstance(unbuilt, _Unbuilt) else ():
            if self.memo[key] is unbuilt:
                self.memo[key] = built


def _finished(value: Any) -> Any:
    """Return a value that may become a part of another."""
    if isinstance(value, _Unbuilt):
        raise _Refused("an array without its bytes")
    return value


def _pairs(values: list[Any]) -> dict[Any, Any]:
    keys = values[::2]
    if len(values) % 2 or not all(isinstance(key, _KEYS) for key in keys):
        raise _Refused("a dict whose keys are no plain values")
    return dict(zip(keys, values[1::2], strict=True))


def _ignored(_machine: _Machine, _argument: Any) -> None:
    return None


_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _ignored,
    "FRAME": _ignored,
    "MARK": lambda m, _: m.push(_MARK),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "LIST": lambda m, _: m.push(m.marked()),
    "TUPLE": lambda m, _: m.push(tuple(m.marked())),
    "TUPLE1": lambda m, _: m.push(tuple(m.take(1))),
    "TUPLE2": lambda m, _: m.push(tuple(m.take(2))),
    "TUPLE3": lambda m, _: m.push(tuple(m.take(3))),
    "DICT": lambda m, _: m.push(_pairs(m.marked())),
    "APPEND": lambda m, _: m.extend(m.take(1)),
    "APPENDS": lambda m, _: m.extend(m.marked()),
    "SETITEM": lambda m, _: m.fill(m.take(2)),
    "SETITEMS": lambda m, _: m.fill(m.marked()),
    "POP": lambda m, _: m.stack.__delitem__(-1),
    "POP_MARK": lambda m, _: m.marked().clear(),
    "MEMOIZE": lambda m, _: m.remember(),
    "PUT": lambda m, key: m.remember(key),
    "BINPUT": lambda m, key: m.remember(key),
    "LONG_BINPUT": lambda m, key: m.remember(key),
    "GET": lambda m, key: m.recall(key),
    "BINGET": lambda m, key: m.recall(key),
    "LONG_BINGET": lambda m, key: m.recall(key),
    "GLOBAL": lambda m, words: m.push(_Name(*words.split(" ", 1))),
    "STACK_GLOBAL": lambda m, _: m.push(_Name(*m.take(2))),
    "REDUCE": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.build(),
} | dict.fromkeys(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    ),
    _Machine.push,
)
"""Instruction -> what it does; numbers, text and bytes are pushed as they are."""


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
        return _Machine().run(io.BytesIO(data))
    except _Refused as error:
        raise LnlError(
            f"{name} is a pickle that holds {error}, which is never loaded: it could run code. "
            "Save the images and labels as NPZ (numpy.savez_compressed), then import that."
        ) from None
    except _TooLong:
        raise LnlError(_too_long(name)) from None
    except Exception as error:
        raise LnlError(
            f"{name} is no readable pickle: it is damaged. Download it again."
        ) from error


def _too_long(name: str) -> str:
    return (
        f"{name} has more than {MAX_STEPS:,} values that are no arrays. Save the images and labels "
        "as NPZ (numpy.savez_compressed), then import that."
    )


def read_torch(stream: IO[bytes], name: str) -> Any:
    """Read a file of `torch.save` that holds numpy arrays and plain data, no tensors.

    Raises:
        LnlError: it holds anything else, or is damaged.
    """
    head = stream.read(4)
    stream.seek(0)
    if head == b"PK\x03\x04":
        return _zipped(stream, name)
    data = io.BytesIO(stream.read(MAX_BYTES))  # before torch 1.6: several pickles in a row
    loaded = None
    for _ in range(4):  # magic number, protocol, system, then the object
        try:
            loaded = _Machine().run(data)
        except _Refused as error:
            raise LnlError(
                f"{name} holds {error}, which is never loaded: it could run code."
            ) from None
        except _TooLong:
            raise LnlError(_too_long(name)) from None
        except Exception as error:
            raise LnlError(f"{name} is no file of torch.save. Download it again.") from error
    return loaded


def _zipped(stream: IO[bytes], name: str) -> Any:
    try:
        with zipfile.ZipFile(stream) as archive:
            inner = next(i for i in archive.infolist() if i.filename.endswith("/data.pkl"))
            if inner.file_size > max(_SWELL_FREE, MAX_SWELL * inner.compress_size):
                raise LnlError(f"{name} looks like a zip bomb. Download it again.")
            with archive.open(inner) as pickled:
                return read(pickled, name)
    except LnlError:
        raise
    except Exception as error:  # a damaged zip may raise anything from its decompressor
        raise LnlError(f"{name} is no file of torch.save. Download it again.") from error
