"""What one benchmark takes from another one is there: a renamed function stops none unseen."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
MODULES = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.py"))}


def names_of(module):
    """The names that a module has at its top level."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (part.id for each in targets for part in ast.walk(each)
                        if isinstance(part, ast.Name))  # fmt: skip


def wanted(module):
    """(module, name) of all that a benchmark takes from other ones."""
    taken = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module == "benchmarks":
            taken |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmarks."):
            yield from ((node.module.partition(".")[2], each.name) for each in node.names)
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in taken:
            yield taken[node.value.id], node.attr


@pytest.mark.parametrize("name", MODULES)
def test_what_a_benchmark_takes_from_another_one_is_there(name):
    missing = [
        f"{module}.{each}"
        for module, each in wanted(MODULES[name])
        if each not in set(names_of(MODULES[module]))
    ]
    assert missing == []
