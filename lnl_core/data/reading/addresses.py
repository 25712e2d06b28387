"""Web addresses and escaped paths: what they call a file that lies here.

Label Studio's export has `/data/local-files/?d=images/1.jpg`, a list of downloads
`https://example.org/a/1.jpg?w=200`, a program that escapes blanks `pic%201.jpg`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LOCAL = "/data/local-files/"
_ESCAPED = re.compile("%[0-9A-Fa-f]{2}")


def is_web(cell: str) -> bool:
    """Tell whether a cell is the address of a file on a server: https, s3, gs."""
    return _SCHEME.match(cell) is not None


def path(cell: str) -> str:
    """Return the path of an address on its server, without host and query; any other cell as it is.

    Of Label Studio's storage it is the path below that storage's folder.
    """
    if not is_web(cell) and not cell.startswith(_LOCAL):
        return cell
    try:
        address = urlsplit(cell)
        inside = parse_qs(address.query).get("d") if address.path == _LOCAL else None
    except ValueError:  # brackets that are no host
        return cell
    return inside[0] if inside else address.path.lstrip("/")


def stored(cell: str) -> str:
    """Return what Label Studio's address of a file calls it; any other cell as it is."""
    return path(cell) if cell.startswith(_LOCAL) else cell


def end(cell: str, depth: int) -> str:
    """Return the last parts of an address's path."""
    return "/".join([part for part in path(cell).split("/") if part][-depth:])


def unescaped(cell: str) -> str:
    """Return a path with the signs that it escapes: %20 is a blank."""
    if _ESCAPED.search(cell) is None:
        return cell
    plain = unquote(cell)
    return cell if "\0" in plain or "\ufffd" in plain else plain


def depth(cells: Sequence[str], is_there: Callable[[str], bool]) -> int:
    """Return how many of their last parts web addresses are looked for by; 0: they are not.

    As many as find at least half of them, and leave no two the same.

    Args:
        cells: addresses.
        is_there: tells whether a file has a path, or ends with it.
    """
    paths = {path(cell) for cell in cells}
    for parts in range(max((each.count("/") + 1 for each in paths), default=0), 0, -1):
        ends = {end(each, parts) for each in paths}
        if len(ends) == len(paths) and 2 * sum(map(is_there, ends)) >= len(ends):
            return parts
    return 0
