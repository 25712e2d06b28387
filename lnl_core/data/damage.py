"""Where what people made is read: it ends in a value or in a refusal, whatever the bytes are."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from lnl_core.store import unexpected
from lnl_core.types import LnlError

P = ParamSpec("P")
T = TypeVar("T")


class Passed(Exception):
    """Carries what a caller's own function raised through `named`, untouched."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def named(name: str) -> Iterator[None]:
    """Turn everything that reading can raise into a refusal that names the source.

    Args:
        name: what messages call it.

    Raises:
        LnlError: it cannot be read, with why and what helps.
        Unexpected: this program made a mistake in reading it.
    """
    try:
        yield
    except Passed as passed:
        raise passed.error from None
    except LnlError:
        raise
    except MemoryError as error:
        raise LnlError(
            f"Memory is too small for {name}. Close other programs, or import a part of it."
        ) from error
    except RecursionError as error:
        raise LnlError(f"{name} is nested too deeply. Save it anew, then import again.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LnlError(
                "The disk is full. Free space, or set LNL_HOME to another disk."
            ) from error
        raise LnlError(
            f"{name} cannot be read ({error.strerror or error}). Check the file and its rights, "
            "then import again."
        ) from error
    except Exception as error:  # a decoder may raise anything on hostile bytes
        if unexpected.is_ours(error):
            raise unexpected.refusal(f"{name} could not be read", error) from error
        said = " ".join(str(error).split())[:120]
        raise LnlError(
            f"{name} is damaged, or of a form that is not known ({type(error).__name__}"
            f"{': ' if said else ''}{said}). Save or download it again, then import again."
        ) from error


def refusing(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function whose first argument is a source to read in `named`.

    What the functions raise that it is handed (`report`, `told`) reaches the caller as it is.
    """

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        for key in ("report", "told"):
            if callable(kwargs.get(key)):
                kwargs[key] = _passing(kwargs[key])  # type: ignore[arg-type]
        with named(Path(str(args[0])).name):
            return function(*args, **kwargs)

    return inner


def _passing(tell: Callable[..., Any]) -> Callable[..., Any]:
    def told(*args: Any) -> Any:
        try:
            return tell(*args)
        except Exception as error:
            raise Passed(error) from error

    return told
