"""The components' sources, joined: each is one file that a browser fetches once and keeps.

The scripts are ES modules that import each other; editors, `tsc` and `node --test` read them as
they are. For the browser they become one module here. Streamlit would send a component's script and
style sheets again with every change of its data, and the browser would read them anew each time the
page is loaded; so what Streamlit gets is `stub`, which imports `address`: the digest in it lets the
browser keep the file for good, and its compiled form too.

A module becomes a function that runs once and returns its exports, after those that it imports. So
its other names stay its own, as in the browser's loader; what the joiner cannot keep true to that
(a circle, a default or renamed import, an export that could change) it refuses.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from os.path import normpath
from pathlib import Path
from typing import Any

from pages import _urls

HERE = Path(__file__).parent

COMPONENTS = {
    "review": ("review/review.js", "desk/desk.css", "review/review.css"),
    "page": ("page/page.js", "desk/desk.css", "page/page.css"),
    "map": ("map/map.js", "desk/desk.css", "map/map.css"),
    "near": ("map/near.js", "desk/desk.css", "map/map.css"),
}
"""Component -> the module whose default export it is, and its style sheets."""

_STYLED = """
const $styles = new CSSStyleSheet();
$styles.replaceSync(CSS);
export default (component) => {
  const root = component.parentElement;
  if (!root.adoptedStyleSheets.includes($styles)) {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, $styles];
  }
  return $main({ ...component, data: component.data[0] });
};
"""
"""The end of a component's file: its style sheets stand before it draws anything."""

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]*)";\n', re.M)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.M)
_DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.M)
_DEFAULT = re.compile(r"^export default ", re.M)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.M)
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.M | re.S)


def stub(name: str) -> str:
    """Return the script that Streamlit gets in place of a component's own, which it imports.

    It runs from a `blob:` address, against which none but a whole address resolves.
    """
    return (
        "export default async (component) =>\n"
        f"  (await import(`${{location.origin}}{address(name)}`)).default(component);\n"
    )


def sent(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what Streamlit gets as a component's data, which `_STYLED` takes out again.

    In a list it is JSON as it is. In a dictionary Streamlit looks for tables, with pandas, whose
    import takes 0.4 s.
    """
    return [dict(data)]


def address(name: str) -> str:
    """Return where a component's file is, below the server's own address."""
    return f"{_urls.base_path()}/lnl/js/{name}/{_file(name)[0]}.js"


def file(name: str, digest: str) -> bytes | None:
    """Return a component's file; None where there is none, or none of this digest any more."""
    if name not in COMPONENTS:
        return None
    known, text = _file(name)
    return text if digest == known else None


@lru_cache(maxsize=len(COMPONENTS))
def _file(name: str) -> tuple[str, bytes]:
    """Return the digest of a component's file and the file: its script with its style sheets."""
    entry, *sheets = COMPONENTS[name]
    css = "\n".join((HERE / sheet).read_text("utf-8") for sheet in sheets)
    own = _DEFAULT.sub("const $main = ", script(entry))
    text = (own + _STYLED.replace("CSS);", f"{json.dumps(css)});")).encode()
    return hashlib.sha256(text).hexdigest()[:16], text


def script(entry: str, root: Path = HERE) -> str:
    """Return one module that does what `entry` and all that it imports do.

    Comments stay behind: they are half of what the browser would have to read.

    Args:
        entry: the module whose default export is the component, relative to `root`.
        root: folder of all modules.

    Raises:
        ValueError: a circle of imports, an import of what is not there, one name twice, or a form
            of import or export that cannot be joined.
    """
    texts = _read_all((root / entry).resolve(), root.resolve())
    parts = []
    for path in _in_order(texts):
        is_entry = path == (root / entry).resolve()
        parts.append(_body(path, texts) if is_entry else _module(path, texts))
    return "\n".join(parts)


def _read_all(entry: Path, root: Path) -> dict[Path, str]:
    """Return the texts of a module and of all that it imports, without their comments."""
    texts: dict[Path, str] = {}
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path in texts:
            continue
        if not path.is_relative_to(root) or not path.is_file():
            raise ValueError(f"{path} is no module below {root}")
        texts[path] = _COMMENT.sub("", path.read_text("utf-8"))
        waiting += _imports(path, texts[path])
    return texts


def _imports(path: Path, text: str) -> dict[Path, list[str]]:
    """Return what a module imports: module -> names."""
    names_of: dict[Path, list[str]] = {}
    for names, source in _IMPORT.findall(text):
        listed = [name.strip() for name in names.split(",") if name.strip()]
        whole = Path(normpath(path.parent / source))  # `resolve` asks the disk at each step of it
        names_of.setdefault(whole, []).extend(listed)
    return names_of


def _in_order(texts: dict[Path, str]) -> list[Path]:
    """Return the modules, each after those that it imports."""
    graph = {path: sorted(_imports(path, text)) for path, text in texts.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " imports ".join(path.name for path in reversed(error.args[1]))
        raise ValueError(f"a circle of imports: {circle}") from None


def _name(path: Path) -> str:
    """Return the name that a module has in the joined script; no source writes a `$`."""
    return f"${path.parent.name}_{path.stem}"


def _module(path: Path, texts: dict[Path, str]) -> str:
    """Return a module as a function that runs once and returns its exports."""
    exports = ", ".join(_exports(texts[path]))
    return f"const {_name(path)} = (() => {{\n{_body(path, texts)}return {{ {exports} }};\n}})();\n"


def _exports(text: str) -> list[str]:
    return [name for _, name in _EXPORT.findall(text)]


def _body(path: Path, texts: dict[Path, str]) -> str:
    """Return a module's text, its imports taken from the modules before it."""
    text, taken, names = texts[path], [], _DECLARED.findall(texts[path])
    for source, wanted in _imports(path, text).items():
        missing = sorted(set(wanted) - set(_exports(texts[source])))
        if missing:
            raise ValueError(f"{path.name} imports {missing[0]}, which {source.name} has not")
        taken.append(f"const {{ {', '.join(wanted)} }} = {_name(source)};\n")
        names += wanted
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path.name} has two of {twice[0]}")
    rest = _EXPORT.sub(r"\1", _IMPORT.sub("", text))
    odd = _OTHER.search(_DEFAULT.sub("", rest))
    if odd:
        raise ValueError(f"{path.name} cannot be joined: {odd[0]}")
    return "".join(taken) + rest.lstrip("\n")
