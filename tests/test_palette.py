"""The palette: apart for every eye, and the same in figures, components and the theme."""

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from lnl_core.figures import palette
from lnl_core.figures.palette import TONES
from pages._components import _palette

REPO = Path(__file__).resolve().parents[1]
COMPONENTS = REPO / "pages" / "_components"
MODES = pytest.mark.parametrize("mode", TONES)

DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
"""Linear RGB as it is seen: Machado, Oliveira, Fernandes, IEEE TVCG 15, 2009, severity 1."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ, white D65 (IEC 61966-2-1)."""

APART = 20


def linear(colour):
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear RGB."""
    xyz = TO_XYZ @ rgb / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(first, second, seen=None):
    matrix = np.eye(3) if seen is None else seen
    one, other = (lab(np.clip(matrix @ linear(each), 0, 1)) for each in (first, second))
    return float(np.linalg.norm(one - other))


def contrast(first, second):
    low, high = sorted(float(TO_XYZ[1] @ linear(each)) for each in (first, second))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself():
    assert distance("#FFFFFF", "#000000") == pytest.approx(100, abs=0.1)
    np.testing.assert_allclose(lab(linear("#FF0000")), [53.24, 80.09, 67.20], atol=0.05)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    # grey stays grey, and DMLP's old purple was as good as the baselines' grey
    assert distance("#808080", "#808080", DEUTERANOPIA) == 0
    assert distance("#A84E85", "#6B7480", DEUTERANOPIA) < 5


@MODES
def test_curves_stay_apart_for_every_eye(mode):
    tone = TONES[mode]
    for first, second in itertools.combinations((*tone["curves"], tone["text"]), 2):
        assert distance(first, second) >= APART, (first, second)
        assert distance(first, second, DEUTERANOPIA) >= APART, (first, second)


@MODES
def test_what_is_drawn_can_be_seen_and_what_is_written_read(mode):
    tone = TONES[mode]
    for colour in (*tone["curves"], tone["grey"], tone["button"], tone["red"]):
        assert contrast(colour, tone["page"]) >= 3, colour
    for name in ("text", "muted", "accent", *(f"{hue}_text" for hue in ("red", "green", "blue"))):
        assert contrast(tone[name], tone["page"]) >= 4.5, name


@MODES
def test_no_two_lines_of_many_are_alike(mode):
    dashed = [i % 3 == 2 for i in range(24)]
    lines = palette.strokes(dashed, TONES[mode])
    assert len({(line["color"], line["dash"]) for line in lines}) == len(lines)
    for thin, line in zip(dashed, lines, strict=True):
        assert (line["dash"] in ("dash", "dot", "dashdot")) == thin


@MODES
def test_the_theme_is_the_palette(mode):
    theme = tomllib.loads((REPO / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    assert theme[mode] == palette.theme(mode)


def test_the_map_of_explore_is_drawn_in_the_palette():
    (block,) = [
        found[0]
        for path in COMPONENTS.rglob("*.js")
        if (found := re.search(r"const PALETTES = \{.*?\n\};", path.read_text("utf-8"), re.S))
    ]
    light, dark = block.split("dark: {")
    for mode, text in (("light", light), ("dark", dark)):
        for name, colours in palette.points(mode).items():
            listed = re.search(rf"\b{name}: \[([^\]]*)\]", text)[1]
            drawn = re.findall(r"#\w{6}", listed.upper())
            assert drawn == [colour.upper() for colour in colours], (mode, name)


def test_the_components_sheets_know_the_palette():
    sheet = "".join(path.read_text("utf-8") for path in COMPONENTS.rglob("*.css"))
    for mode, selector in (("light", r"\.desk"), ("dark", r"\.desk\.dark")):
        rule = re.search(rf"^{selector} \{{(.*?)\}}", sheet, re.S | re.M)[1]
        for name, colour in palette.variables(mode).items():
            assert f"{name}: {colour.lower()};" in rule, (mode, name)


@pytest.mark.parametrize("path", _palette.FILES, ids=lambda path: path.name)
def test_every_copy_is_as_it_would_be_written(path):
    """`python -m pages._components._palette` writes them after a change of the palette."""
    text = path.read_text("utf-8")
    assert _palette.FILES[path](text) == text


@MODES
@pytest.mark.parametrize(
    ("path", "tone"), [(_palette.SCRIPT, "red"), (_palette.SHEET, "mat"), (_palette.THEME, "red")]
)
def test_a_new_colour_reaches_every_copy(monkeypatch, mode, path, tone):
    text = path.read_text("utf-8")
    monkeypatch.setitem(TONES[mode], tone, "#123456")
    assert (
        _palette.FILES[path](text).count("#123456")
        == text.upper().count("#123456")
        + {
            _palette.SCRIPT: 2,  # suspected, and the verdict that no class fits
            _palette.SHEET: 1,
            _palette.THEME: 1,
        }[path]
    )


PLAIN = {"#fff"}
"""White on a filled button."""


def test_no_colour_stands_elsewhere():
    known = {
        colour.lower() for tone in TONES.values() for colour in re.findall(r"#\w{6}", str(tone))
    }
    for path in [*(REPO / "lnl_core").rglob("*.py"), *(REPO / "pages").rglob("*.py")]:
        if path.name != "palette.py":
            assert re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text("utf-8")) == [], path
    for path in (*COMPONENTS.rglob("*.js"), *COMPONENTS.rglob("*.css")):
        text = path.read_text("utf-8")  # the ramp of activation maps is not the house's
        text = re.sub(r"linear-gradient\([^;]*;", "", text)
        for line in text.splitlines():
            found = re.findall(r"(?<=[\"' ,])#[0-9a-fA-F]{3,8}\b", line)
            assert {each.lower() for each in found} <= known | PLAIN, (path, line)


@MODES
def test_numbers_in_cells_can_be_read_on_every_place_of_the_scale(mode):
    scale = TONES[mode]["scale"]
    places = [at for at, _ in scale]
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in scale])
    for share in np.linspace(0, 1, 101):
        rgb = [round(float(np.interp(share, places, stops[:, c]))) for c in range(3)]
        cell = "#" + "".join(f"{value:02X}" for value in rgb)
        assert contrast(palette.ink_on(scale, share), cell) >= 4.5, share
