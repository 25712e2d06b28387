"""Write the palette where Python is not at hand: `python -m pages._components._palette`.

`lnl_core/figures/palette.py` is the one place of every colour. The script of the map, the
components' sheet and the theme hold copies of it, which this writes; a test says when to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lnl_core.figures import palette

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "map" / "palette.js"
SHEET = HERE / "desk" / "desk.css"
THEME = HERE.parents[1] / ".streamlit" / "config.toml"


def script(text: str) -> str:
    """Return the map's script with the palette's colours in `PALETTES`."""
    light, dark = text.index("  light: {"), text.index("  dark: {")
    end = text.index("};", dark)
    parts = {"light": text[light:dark], "dark": text[dark:end]}
    for mode, part in parts.items():
        for name, colours in palette.points(mode).items():
            listed = ", ".join(f'"{colour}"' for colour in colours)
            part = re.sub(rf"\b{name}: \[[^\]]*\]", f"{name}: [{listed}]", part)
        for name, colour in (
            ("dot", palette.TONES[mode]["dot"]),
            ("ink", palette.TONES[mode]["text"]),
        ):
            part = re.sub(rf'\b{name}: "#\w+"', f'{name}: "{colour}"', part)
        parts[mode] = part
    return text[:light] + parts["light"] + parts["dark"] + text[end:]


def sheet(text: str) -> str:
    """Return the components' sheet with the palette's colours in its variables."""
    for mode, selector in (("light", ".desk {"), ("dark", ".desk.dark {")):
        start = text.index(f"\n{selector}" if mode == "dark" else selector)
        end = text.index("}", start)
        rule = text[start:end]
        for name, colour in palette.variables(mode).items():
            rule = re.sub(rf"{name}: #\w+;", f"{name}: {colour.lower()};", rule)
        text = text[:start] + rule + text[end:]
    return text


def theme(text: str) -> str:
    """Return the theme's file with the palette's colours in `[theme.light]` and `[theme.dark]`."""
    for mode in palette.TONES:
        values: Mapping[str, Any] = palette.theme(mode)
        plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
        text = _table(text, f"theme.{mode}", plain)
        for name, value in values.items():
            if isinstance(value, Mapping):
                text = _table(text, f"theme.{mode}.{name}", value)
    return text


def _table(text: str, name: str, values: Mapping[str, Any]) -> str:
    start = text.index(f"[{name}]\n")
    following = re.search(r"^\[", text[start + 1 :], re.M)
    end = len(text) if following is None else start + 1 + following.start()
    table = text[start:end]
    for key, value in values.items():
        listed = isinstance(value, list)
        written = "[" + ", ".join(f'"{each}"' for each in value) + "]" if listed else f'"{value}"'
        table = re.sub(rf"^{key} = .*$", f"{key} = {written}", table, flags=re.M)
    return text[:start] + table + text[end:]


FILES = {SCRIPT: script, SHEET: sheet, THEME: theme}


def main() -> None:
    """Write every copy anew."""
    for path, render in FILES.items():
        text = path.read_text("utf-8")
        path.write_text(render(text), "utf-8")


if __name__ == "__main__":
    main()
