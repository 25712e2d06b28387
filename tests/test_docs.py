"""The docs say what the code says: citations, links, variables, columns, commands, test tables."""

import ast
import importlib.util
import io
import re
import subprocess
import sys
import tokenize
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
DOCS = REPO / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
METHODS = ("sr", "jump", "influence", "dmlp", "hnml")
NAMED = {
    "SR": "sr",
    "Jump-teaching": "jump",
    "Influential Rank": "influence",
    "DMLP": "dmlp",
    "HNML": "hnml",
}
PLACE = r"(?:[1-9](?:\.[1-9])*(?![\d.]*\d)|[TDH][1-9]\d?)"
CITED = re.compile(
    rf"(?:({'|'.join(NAMED)})\s+)?\b[Ss]pec\s+({PLACE}(?:(?:,\s+|\s+and\s+|\s+to\s+){PLACE})*)"
)
SCIENCE = re.compile(rf"[Rr]eview science ({PLACE}(?:(?:,\s+|\s+and\s+){PLACE})*)")
ID = re.compile(r"\b([TDH])([1-9]\d?)\b(?!\s*[=(\[])")


@cache
def text(path):
    return path.read_text("utf-8")


def sources(*rooms):
    for room in rooms:
        yield from sorted((REPO / room).rglob("*.py"))


@cache
def words(path):
    """Docstrings, comments and other strings of a file, each as one line."""
    found = []
    if not re.search(r"spec|review science|\b[TDH][1-9]", text(path), re.IGNORECASE):
        return found
    for token in tokenize.generate_tokens(io.StringIO(text(path)).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            found.append((token.start[0], re.sub(r"\s+#?\s*", " ", token.string)))
    return found


def method_of(path):
    """The method that a file belongs to, by its folder."""
    return next((part for part in path.parts if part in METHODS), None)


def has(page, place):
    """Whether a page has a section with that number, or a row or paragraph with that id."""
    found = text(page)
    if place[0].isdigit():
        heading = rf"^#+ {re.escape(place)} "
        return bool(re.search(heading, found, re.M)) or f"| {place} |" in found
    return f"| {place} |" in found or f"**{place}**" in found


def places(cited):
    """`H1 to H3, H7` -> H1, H2, H3, H7."""
    named = re.findall(PLACE, cited)
    for first, last in re.findall(rf"({PLACE}) to ({PLACE})", cited):
        if first[0] == last[0] and not first[0].isdigit():
            named += [f"{first[0]}{n}" for n in range(int(first[1:]), int(last[1:]))]
    return named


# Citations ------------------------------------------------------------------------------------


def test_every_cited_section_and_id_is_on_its_page():
    lost, seen = [], 0
    for path in sources("lnl_core", "pages", "tests", "benchmarks"):
        if path == Path(__file__).resolve():
            continue
        for line, said in words(path):
            where = f"{path.relative_to(REPO)}:{line}"
            for name, cited in CITED.findall(said):
                method = NAMED.get(name) or method_of(path.relative_to(REPO))
                if method is None:
                    lost.append(f"{where}: “spec {cited}” of which method?")
                    continue
                for place in places(cited):
                    seen += 1
                    if not has(DOCS / "methods" / f"{method}.md", place):
                        lost.append(f"{where}: {method}.md has no {place}")
            for cited in SCIENCE.findall(said):
                seen += 1
                page = DOCS / "review-science.md"
                lost += [
                    f"{where}: no {p} in {page.name}" for p in places(cited) if not has(page, p)
                ]
    assert lost == []
    assert seen > 40, "citations are written otherwise now"


def test_ids_in_a_methods_own_files_are_rows_of_its_page():
    lost, seen = [], 0
    for path in sources("lnl_core/methods", "tests/methods"):
        method = method_of(path.relative_to(REPO))
        if method is None:
            continue
        page = DOCS / "methods" / f"{method}.md"
        named = [f"{a}{b}" for _, said in words(path) for a, b in ID.findall(said)]
        named += [
            f"{a.upper()}{b}" for a, b in re.findall(r"def test_([tdh])([1-9]\d?)_", text(path))
        ]
        sections = re.findall(r"def test_(6)_?([1-9])(?:_([1-9]))?_", text(path))
        named += [".".join(filter(None, parts)) for parts in sections]
        seen += len(named)
        lost += [f"{path.relative_to(REPO)}: {name}" for name in named if not has(page, name)]
    assert lost == []
    assert seen > 60


def test_quoted_figures_of_the_prototype_stand_on_the_page():
    quoted = re.compile(r"\bspec:?\s+((?:0?\.\d+(?:,\s+|\s+and\s+|\s+against\s+)?)+)", re.I)
    lost, seen = [], 0
    for path in sources("tests/methods"):
        method = method_of(path.relative_to(REPO))
        for line, said in words(path):
            for figures in quoted.findall(said):
                for figure in re.findall(r"\.\d+", figures):
                    seen += 1
                    if figure not in text(DOCS / "methods" / f"{method}.md"):
                        lost.append(f"{path.relative_to(REPO)}:{line}: {figure}")
    assert lost == []
    assert seen > 15


def test_tests_named_on_a_page_exist():
    known = {
        name for path in sources("tests") for name in re.findall(r"def (test_\w+)\(", text(path))
    }
    lost = []
    for page in PAGES:
        named = re.findall(r"`(test_\w+)`", text(page))
        lost += [f"{page.name}: {name}" for name in named if name not in known]
        files = re.findall(r"tests/[\w/]+\.py", text(page))
        lost += [f"{page.name}: {file}" for file in files if not (REPO / file).is_file()]
    assert lost == []


def test_every_test_of_the_closed_forms_has_its_row():
    """The table of a page is complete: what carries an id in the code stands in it."""
    lost = []
    for path in sources("tests/methods"):
        method = method_of(path.relative_to(REPO))
        named = re.findall(r"def (test_(?:[tdh][1-9]\d?|6_?[1-9])_\w+)\(", text(path))
        page = text(DOCS / "methods" / f"{method}.md") if method else ""
        lost += [f"{method}.md: {name}" for name in named if f"`{name}`" not in page]
    assert lost == []


def test_paths_of_docs_that_are_named_exist():
    lost = []
    files = [*sources("lnl_core", "pages", "tests", "benchmarks", "docs")]
    files += [REPO / name for name in ("README.md", "CONTRIBUTING.md", ".ci/run", *PAGES)]
    for path in files:
        for named in re.findall(r"\bdocs/[\w./-]*\w", text(path)):
            if "_build" not in named and not (REPO / named).exists():
                lost.append(f"{path.relative_to(REPO)}: {named}")
    assert lost == []


# Links ----------------------------------------------------------------------------------------


def anchors(page):
    """Anchors of a page's headings, as GitHub and MyST make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text(page), re.M):
        plain = re.sub(r"[`*]|\$[^$]*\$", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", [*PAGES, REPO / "README.md", REPO / "CONTRIBUTING.md"], ids=str)
def test_relative_links_resolve(page):
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text(page), flags=re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.is_file() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_line_is_taken_for_a_comment(page):
    """MyST drops a line that begins with a per cent sign, as after “9.1” at a line's end."""
    assert re.findall(r"^\s*%.*", text(page), re.M) == []


def test_pictures_are_used_light_and_described():
    shown = {
        (page.parent / target).resolve(): words
        for page in PAGES
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text(page))
    }
    kept = set((DOCS / "images").iterdir())
    assert kept <= set(shown)
    assert all(len(words) > 10 for words in shown.values())
    assert sum(path.stat().st_size for path in kept) < 2_000_000


# What the code has ----------------------------------------------------------------------------


def test_every_variable_is_on_the_configuration_page_and_no_other():
    from lnl_core.jobs import engines

    read = {
        name
        for path in [*sources("lnl_core", "pages", "benchmarks"), REPO / "app.py"]
        for name in re.findall(r"\bLNL(?:_[A-Z]+)+\b(?!_)", text(path))
    }
    read -= {"LNL_SLURM_KEY", "LNL_RAY_KEY"}  # written so in help
    for name in ("slurm", "ray"):
        read |= {f"LNL_{name.upper()}_{key.upper()}" for key in engines.engine(name).OPTIONS}
    said = set(re.findall(r"\bLNL(?:_[A-Z]+)+\b", text(DOCS / "configuration.md")))
    assert said == read


def test_the_command_page_is_what_the_parser_says():
    made = subprocess.run(
        [
            sys.executable,
            "-c",
            "import runpy; print(runpy.run_path('docs/commands.py')['page'](), end='')",
        ],
        cwd=REPO,
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    assert text(DOCS / "commands.md") == made, "run: python docs/commands.py"


def columns(heading):
    """First cells of the table below a heading of the formats page."""
    part = re.split(r"^#+ ", text(DOCS / "formats.md").split(f"### {heading}\n")[1], flags=re.M)[0]
    rows = [row.split("|") for row in part.splitlines() if row.startswith("| `")]
    return [cells[1].strip().strip("`") for cells in rows], [cells[2] for cells in rows]


def test_columns_that_go_out_are_those_of_the_code():
    from lnl_core.data import export
    from lnl_core.data.layouts import lists

    assert tuple(columns("Scores")[0]) == export.COLUMNS["scores"]
    assert tuple(columns("Corrections")[0]) == export.COLUMNS["corrections"]
    assert tuple(columns("All decisions")[0]) == export.COLUMNS["decisions"]
    assert tuple(columns("Cleaned manifest")[0]) == (*lists.MANIFEST, "label_by")
    assert tuple(columns("Audit trail")[0]) == lists.TRAIL


@pytest.mark.parametrize("heading", ["A list", "Decisions made elsewhere"])
def test_columns_that_come_in_are_those_of_the_code(heading):
    from lnl_core.data import reimport
    from lnl_core.data.reading import columns as of_lists

    known = of_lists.COLUMNS if heading == "A list" else reimport.COLUMNS
    names, others = columns(heading)
    said = {
        name: {name, *re.findall(r"`(\w+)`", other)}
        for name, other in zip(names, others, strict=True)
    }
    assert said == {name: set(accepted) for name, accepted in known.items()}


def test_formats_that_are_explained_are_those_that_exist():
    from lnl_core.services.export.exporting import FORMATS

    said = set(re.findall(r"`--format ([\w-]+)", text(DOCS / "formats.md")))
    assert said == set(FORMATS)


def test_messages_that_are_explained_are_ones_that_the_program_gives():
    said = [
        piece
        for row in text(DOCS / "troubleshooting.md").splitlines()
        if row.startswith("|")
        for piece in re.findall(r"`([^`]+)`", row.split("|")[1])
        if " " in piece
    ]
    known = {
        node.value
        for path in sources("lnl_core", "pages")
        if any(word in text(path) for word in ("LnlError", "Unavailable", "toast", "caption"))
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    lost = [piece for piece in said if not any(piece in value for value in known)]
    assert lost == []
    assert len(said) > 10


def test_presets_of_a_page_are_those_of_the_code():
    """Knobs that a method's page names exist."""
    from lnl_core.methods import METHODS as methods

    lost = []
    for key in METHODS:
        knobs = set(methods[key].config.__dataclass_fields__)
        part = text(DOCS / "methods" / f"{key}.md").split("\n## 3 ")[1].split("\n## 4 ")[0]
        cells = [row.split("|")[1] for row in part.splitlines() if row.startswith("| `")]
        named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
        lost += [f"{key}: {name}" for name in sorted(named - knobs)]
    assert lost == []


def test_the_method_that_is_shown_works(tmp_path):
    import numpy as np

    from lnl_core.jobs.context import LocalContext
    from lnl_core.methods import _finding
    from lnl_core.types import LabeledDataset

    page = text(DOCS / "methods" / "your-own.md")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (offer,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert f'"{_finding.ENTRY_POINTS}"' in offer
    file = tmp_path / "means.py"
    file.write_text(code, "utf-8")
    spec = importlib.util.spec_from_file_location("means", file)
    made = importlib.util.module_from_spec(spec)
    sys.modules["means"] = made  # dataclasses look their module up
    try:
        spec.loader.exec_module(made)
    finally:
        del sys.modules["means"]
    rng = np.random.default_rng(0)
    truth = np.arange(90) % 3
    features = (3 * np.eye(3, 8)[truth] + rng.normal(size=(90, 8))).astype(np.float32)
    wrong = rng.permutation(90) < 12
    given = np.where(wrong, (truth + 1) % 3, truth)
    ids = [str(i) for i in range(90)]
    data = LabeledDataset("three", ("a", "b", "c"), given, ids, np.zeros((90, 2, 2, 1), np.uint8))
    config = made.Config.preset("quick", 90, 3, 2)
    found = made.METHOD.fit(data, config, LocalContext(features=features))
    assert wrong[np.argsort(-found.suspicion)[:12]].mean() > 0.7


def test_rooms_of_the_design_page_are_those_of_the_code():
    from tests.test_architecture import ROWS

    table = text(DOCS / "design.md").split("## Rooms")[1].split("## ")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    said = {
        re.sub(r"\.py$|/$", "", name) for cell in cells for name in re.findall(r"`([^`]+)`", cell)
    }
    assert said - {"app", "pages"} == set().union(*ROWS)


# The site -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_site_builds_strictly_and_fetches_nothing(tmp_path):
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "-d",
            tmp_path / "trees",
            DOCS,
            tmp_path / "site",
        ],
        cwd=REPO,
        check=True,
    )
    fetched = re.compile(
        r"<(?:script|img|iframe)[^>]*\bsrc=\"(?:https?:)?//[^\"]*"
        r"|<link[^>]*rel=\"(?:stylesheet|preload|icon)\"[^>]*href=\"(?:https?:)?//[^\"]*"
        r"|@import[^;]*https?://|url\([\"']?https?://"
    )
    pages = [*(tmp_path / "site").rglob("*.html"), *(tmp_path / "site").rglob("*.css")]
    assert len(pages) > 30
    assert {found for page in pages for found in fetched.findall(text(page))} == set()
    import lnl_core

    offered = set(lnl_core.__all__) - {"__version__"}
    reference = text(tmp_path / "site" / "api.html")
    assert {name for name in offered if f'id="lnl_core.{name}"' not in reference} == set()
    assert not [name for name in lnl_core.methods().columns if name not in reference]
    formula = text(tmp_path / "site" / "methods" / "dmlp.html")
    assert formula.count("<math") > 20
