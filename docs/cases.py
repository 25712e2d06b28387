"""Write `cases.md`: what `lnl import --dry-run` says of each awkward input, and what comes after.

    python docs/cases.py FOLDER

FOLDER holds the inputs, a file or folder each. Nothing is stored.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # where another program runs this

import deeds

PAGE = Path(__file__).with_name("cases.md")
HEAD = """# Awkward inputs

What `lnl import INPUT --dry-run` says of inputs that go wrong elsewhere, one by one. Exit code 0:
it would come in as said; 2: a question comes first; 1: refused. `python docs/cases.py FOLDER`
writes this page.

| input | read as | asked or said | exit code |
|---|---|---|---|
"""


def page(folder: Path) -> str:
    """Return the page for the inputs in a folder."""
    with tempfile.TemporaryDirectory() as home:
        read = HEAD + "".join(_row(each, Path(home)) for each in sorted(folder.iterdir()))
    with tempfile.TemporaryDirectory() as scratch:
        return read + deeds.table(folder, Path(scratch))


def _row(source: Path, home: Path) -> str:
    done = deeds.call(["import", source.name, "--dry-run", "--json"], home, source.parent)
    value = json.loads(done.stdout)
    reading = value.get("reading")
    said = _said(reading) if reading else [value["error"]["message"]]
    cells = [f"`{source.name}`", _read_as(reading) if reading else "refused"]
    cells += ["; ".join(said) or "nothing", str(done.returncode)]
    return f"| {' | '.join(cells)} |\n"


def _read_as(reading: dict[str, Any]) -> str:
    if reading["n"] is None:
        return reading["kind"] + ", questions first"
    classes = ", ".join(f"{each['name']} {each['count']}" for each in reading["classes"])
    splits = ", ".join(f"{name} {count}" for name, count in reading["splits"].items())
    words = f"{reading['kind']}, {reading['n']} images: {classes}"
    if reading["columns"]:
        words += f"; columns {', '.join(f'{k} = {v}' for k, v in reading['columns'].items())}"
    return _plain(f"{words}; splits {splits}" if splits else words)


def _said(reading: dict[str, Any]) -> list[str]:
    asked = [_asked(each) for each in reading["questions"]]
    left = [
        f"left out: {each['count']} {each['what'].removesuffix('s' * (each['count'] == 1))}"
        + (f", first {each['first']}" if each["first"] else "")
        + f": {each['reason']}"
        for each in reading["left_out"]
    ]
    texts = [each["text"] for each in reading["questions"]]
    notes = [note for note in reading["notes"] if not any(map(note.startswith, texts))]
    return [_plain(each) for each in [*asked, *left, *notes]]


def _asked(question: dict[str, Any]) -> str:
    end = f" Unasked: {question['default']}." if question["default"] else ""
    return f"**{question['key']}**: {question['text']}{end}"


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), "utf-8")
