"""The house rules that a reader cannot see at a glance, checked over the syntax trees."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from lnl_core.methods import METHODS

REPO = Path(__file__).resolve().parents[1]

ROWS = [
    {"types", "records", "readings", "said", "parsing"},
    {"store"},
    {"review", "data"},
    {"views"},
    {"learning", "figures"},
    {"methods"},
    {"jobs"},
    {"services"},
    {"cli", "library", "worker", "importer"},
    {"__main__"},
]
"""Rooms from the ground up: a module imports from its own room and from rows below."""

SHARED_PAGES = [
    ".".join(p.relative_to(REPO).with_suffix("").parts)
    for p in sorted(REPO.glob("pages/_*.py"))
    if p.stem != "_main"
]

HEAVY = ("torch", "torchvision", "timm", "umap", "numba", "sklearn")


def modules():
    return sorted((REPO / "lnl_core").rglob("*.py"))


def room(path):
    return path.relative_to(REPO / "lnl_core").with_suffix("").parts[0]


def level(name):
    for i, row in enumerate(ROWS):
        if name in row:
            return i
    raise AssertionError(f"{name} is a new room: give it a row")


@cache
def tree_of(path):
    return ast.parse(path.read_text("utf-8"))


def imported(path, *, top_level=False):
    """Names of modules that a file imports; inside functions too, unless `top_level`."""
    tree = tree_of(path)
    nodes = _outside_functions(tree) if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _outside_functions(tree):
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        stack += list(ast.iter_child_nodes(node))


def test_imports_point_down():
    wrong = []
    for path in modules():
        if room(path) == "__init__":
            continue
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "lnl_core" or len(parts) == 1 or parts[1] == "__version__":
                continue
            if level(parts[1]) > level(room(path)):
                wrong.append(f"{path.relative_to(REPO)} imports {name}")
    assert wrong == []


def test_a_method_imports_its_own_folder_and_lower_rows_only():
    """What starts with an underscore in `methods/` is no method: two or more share it."""
    folder = REPO / "lnl_core" / "methods"
    for path in folder.rglob("*.py"):
        own = path.relative_to(folder).with_suffix("").parts[0]
        if own == "__init__":
            continue
        names = [n.split(".")[2] for n in imported(path) if n.startswith("lnl_core.methods.")]
        assert [n for n in names if n != own and not n.startswith("_")] == [], path


def test_no_module_imports_itself_through_others():
    files = {module_name(p): p for p in [*modules(), *REPO.glob("pages/**/*.py")]}
    # `from package import module` needs the module, not what the package's own file imports
    needs = {
        name: {_module(found, files) for found in imported(path)} & files.keys() - {name}
        for name, path in files.items()
    }
    with_circle = []
    try:
        tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        with_circle = error.args[1]
    assert with_circle == []


def module_name(path):
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module(name, files):
    """Return the module that an imported name is or stands in."""
    return name if name in files else name.rpartition(".")[0]


def test_streamlit_stays_in_the_pages():
    for path in modules():
        assert not [n for n in imported(path) if n.split(".")[0] == "streamlit"], path


def test_torch_stays_in_learning_and_in_methods_folders():
    """Listing the methods costs no torch: their own files import it inside functions only."""
    methods = REPO / "lnl_core" / "methods"
    for path in [*modules(), REPO / "app.py", *(REPO / "pages").rglob("*.py")]:
        in_learning = path.is_relative_to(REPO / "lnl_core" / "learning")
        part_of_one = path.is_relative_to(methods) and path.parent != methods
        if in_learning or (part_of_one and path.name != "__init__.py"):
            continue
        heavy = [n for n in imported(path, top_level=True) if n.split(".")[0] in HEAVY]
        assert heavy == [], path
        if not path.is_relative_to(methods):
            assert not [n for n in imported(path) if n.split(".")[0] == "torch"], path


def test_labels_judged_before_the_import_are_read_by_compare_alone():
    """They judge methods; a method or a reviewer that saw them would be judged by what it knew."""
    words = ("judged_labels", "JUDGED_LABELS")
    found = {
        path.relative_to(REPO / "lnl_core").as_posix()
        for path in modules()
        if any(word in path.read_text("utf-8") for word in words)
    }
    writers = {"store/datasets.py", "data/writing.py", "data/joining.py"}
    assert found - writers == {"services/compare/truth.py", "services/compare/comparing.py"}


def test_only_one_file_opens_a_database():
    for path in modules():
        if path.name != "db.py" and "create_engine" in path.read_text("utf-8"):
            raise AssertionError(f"{path} opens a database")


MAY_BE_ASKED = tuple(f"lnl_core.{room}." for room in ("services", "types", "records", "readings"))
PAGES_MAY = (*MAY_BE_ASKED, "lnl_core.figures.", "lnl_core.views.")
COMMANDS_MAY = (*MAY_BE_ASKED, "lnl_core.said.", "lnl_core.cli.", "lnl_core.__version__")


@pytest.mark.parametrize(
    ("folder", "may"), [("pages", PAGES_MAY), ("lnl_core/cli", COMMANDS_MAY)], ids=["pages", "cli"]
)
def test_pages_and_commands_ask_services_and_nobody_else(folder, may):
    """And figures, which draw what services say, and the nouns that all share."""
    asked = {
        (str(path.relative_to(REPO)), name)
        for path in (REPO / folder).rglob("*.py")
        for name in imported(path)
        if name.startswith("lnl_core.") and not f"{name}.".startswith(may)
    }
    assert asked == set()


def test_figures_draw_values_and_reach_nothing_else():
    """Data in, Plotly out: of this package only palette, frame, and the values to draw."""
    may = tuple(f"lnl_core.{room}" for room in ("figures", "views", "types"))
    for path in (REPO / "lnl_core" / "figures").rglob("*.py"):
        ours = [name for name in imported(path) if name.startswith("lnl_core")]
        assert [name for name in ours if not name.startswith(may)] == [], path


def test_what_is_private_is_imported_in_its_own_folder_only():
    """A module `_x`, or a name `_x` of a module, serves its folder and what is below that."""
    files = {module_name(path) for path in [*modules(), *REPO.glob("pages/**/*.py")]}
    foreign = []
    for path in [*modules(), *REPO.glob("pages/**/*.py")]:
        for name in imported(path):
            parts = name.split(".")
            private = [i for i, part in enumerate(parts) if part[0] == "_" and part[:2] != "__"]
            if not private or parts[0] not in ("lnl_core", "pages"):
                continue
            owner = ".".join(parts[: private[0]])
            if owner in files and not (REPO / Path(*owner.split("."))).is_dir():
                owner = owner.rpartition(".")[0]  # a module's folder
            if not path.is_relative_to(REPO / Path(*owner.split("."))):
                foreign.append(f"{path.relative_to(REPO)} imports {name}")
    assert foreign == []


RESOLVE = {"services.workspace.dataset", "store.datasets.dataset", "store.datasets.register"}
"""The functions that turn a data set's name into the value, and the one that first stores it."""

NAMES_SOMETHING_NEW = {"import_dataset", "add_public", "start_import", "start_public"}
"""Services that make a data set and are told what to call it."""


def functions():
    """(dotted name, {parameter: annotation}) of every top-level function of `lnl_core`."""
    for path in modules():
        where = module_name(path).removeprefix("lnl_core.")
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef):
                every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                told = {a.arg: ast.unparse(a.annotation) for a in every if a.annotation}
                yield f"{where}.{node.name}", told


def test_a_data_set_travels_as_a_value_that_knows_its_workspace():
    both = [name for name, told in functions() if {"Workspace", "DatasetInfo"} <= {*told.values()}]
    assert both == []


def test_a_data_set_is_found_by_its_name_at_the_edge_only():
    by_name = []
    for name, told in functions():
        function = name.rpartition(".")[2]
        known = name in RESOLVE or function in NAMES_SOMETHING_NEW or function.startswith("_")
        asks = {key for key in ("name", "dataset") if told.get(key, "").startswith("str")}
        if asks and not known and (name.startswith("services") or "Workspace" in told.values()):
            by_name.append(name)
    assert by_name == ["store.decisions.add_reviewer"]  # a person's


@pytest.mark.parametrize(
    "code",
    [
        "import lnl_core.services, lnl_core.methods, lnl_core.jobs.queue, lnl_core.cli",
        # what pages share, and so what the app's process imports; _main runs the app
        "import " + ", ".join(SHARED_PAGES),
    ],
    ids=["core", "pages"],
)
def test_the_ui_process_loads_nothing_heavy(code):
    check = f"{code}; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", check], cwd=REPO, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    assert "uv.lock" not in listed
    needles = ["index-" + "url", "/sim" + "ple", "pypi." + "org", "files.python" + "hosted"]
    needles += [f"{REPO}/", f"{sys.prefix}/", "/ro" + "ot/", "/ho" + "me/"]
    for name in filter(None, listed):
        path = REPO / name
        if path.suffix in (".png", ".ico", ".woff2") or not path.is_file():
            continue
        text = path.read_text("utf-8", errors="replace")
        assert not [n for n in needles if n in text], name


LOSS = "Sparse Regularization's loss of this name, stored in its runs, is no method"
NOT_A_KEY = {
    ("lnl_core/methods/sr/__init__.py", "ce"): LOSS,
    ("lnl_core/methods/sr/losses.py", "ce"): LOSS,
}
"""(file, word) -> why a word that is also a method's key may stand there."""


def test_no_key_of_a_method_stands_outside_its_card():
    """What is known about a method stands in its own file; others ask its card.

    A card may name others in `after`: those it builds on well.
    """
    from lnl_core.methods import METHODS

    folder = REPO / "lnl_core" / "methods"
    found = set()
    for path in [*modules(), REPO / "app.py", *REPO.glob("pages/**/*.py")]:
        own = path.relative_to(folder).with_suffix("").parts[0] if folder in path.parents else ""
        tree = tree_of(path)
        cards = [node.value for node in ast.walk(tree) if _is_after(node) and own in METHODS]
        allowed = {id(each) for card in cards for each in ast.walk(card)}
        for node in ast.walk(tree):
            word = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            if word in METHODS and word != own and id(node) not in allowed:
                found.add((str(path.relative_to(REPO)), word))
    for path in REPO.glob("pages/_components/**/*.js"):
        words = re.findall(r"""["'`](\w+)["'`]""", path.read_text("utf-8"))
        found |= {(str(path.relative_to(REPO)), word) for word in words if word in METHODS}
    assert found == NOT_A_KEY.keys()


def _is_after(node):
    return isinstance(node, ast.keyword) and node.arg == "after"


def test_learning_knows_no_method_by_name():
    """Not in docstrings either: what two methods share is described by what it does."""
    names = {
        word for key, card in METHODS.items() for word in (key, card.title, card.short) if word
    }
    named = re.compile("|".join(rf"\b{re.escape(n)}\b" for n in sorted(names) if len(n) > 3), re.I)
    for path in (REPO / "lnl_core" / "learning").glob("*.py"):
        assert named.findall(path.read_text("utf-8")) == [], path


def test_what_is_private_is_used_in_its_own_folder_only():
    """`module._name` is as private as `from module import _name`."""
    wrong = []
    for path in [*modules(), *sorted((REPO / "pages").rglob("*.py"))]:
        tree = tree_of(path)
        places = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OURS):
                for alias in node.names:
                    places[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        own = module_name(path).rpartition(".")[0]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            place = places.get(node.value.id, "")
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if private and place and place.rpartition(".")[0] != own:
                wrong.append(f"{path.relative_to(REPO)}: {node.value.id}.{node.attr}")
    assert wrong == []


OURS = ("lnl_core", "pages")
