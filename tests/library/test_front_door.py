"""What `import lnl_core as lnl` offers, and what it costs to import."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lnl_core as lnl
from lnl_core.jobs.engines import local

REPO = Path(__file__).resolve().parents[2]


def test_the_front_door_offers_exactly_this():
    assert sorted(lnl.__all__) == [
        "LnlError",
        "Workspace",
        "__version__",
        "find_label_errors",
        "methods",
        "rank",
        "rank_probs",
    ]
    assert set(lnl.__all__) <= set(dir(lnl))
    with pytest.raises(AttributeError, match="no attribute 'rank_images'"):
        _ = lnl.rank_images


@pytest.mark.parametrize("name", [n for n in lnl.__all__ if n != "__version__"])
def test_each_name_is_documented_and_typed(name):
    offered = getattr(lnl, name)
    assert inspect.getdoc(offered), name
    if name == "LnlError":
        return
    functions = [offered]
    if name == "methods":
        functions = [offered.__call__]
    if name == "Workspace":
        functions = [
            member
            for key, member in inspect.getmembers(offered, inspect.isfunction)
            if not key.startswith("_") or key == "__init__"
        ]
        assert {f.__name__ for f in functions} > {"add", "run", "ranking", "decide", "export"}
    for function in functions:
        signature = inspect.signature(function)
        untyped = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.annotation is inspect.Parameter.empty and parameter.name != "self"
        ]
        assert untyped == [], function
        assert signature.return_annotation is not inspect.Signature.empty, function
        if len(signature.parameters) > 1 and function.__name__ != "__init__":
            assert "Args:" in inspect.getdoc(function), function
            assert "Raises:" in inspect.getdoc(function), function


def loaded_by(code):
    """Return which heavy modules a fresh interpreter has after `code`."""
    check = "print([m for m in ('torch', 'streamlit', 'pandas', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import sys; {code}; {check}"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_importing_it_loads_nothing_heavy():
    assert loaded_by("import lnl_core") == "[]"


def test_asking_for_every_name_loads_no_torch_and_no_streamlit():
    found = loaded_by("import lnl_core as lnl; [getattr(lnl, n) for n in lnl.__all__]")
    assert "torch" not in found
    assert "streamlit" not in found


def test_methods_stays_callable_whoever_imported_the_package_first():
    import lnl_core.methods

    assert lnl.methods is lnl_core.methods
    table = lnl.methods()
    assert list(table.index) == list(lnl_core.methods.METHODS)
    assert table.loc["influence", "reconstruction"]
    assert table.loc["probe", "features"]
    assert not table.loc["sr", "features"]
    assert "photographs" in table.loc["probe", "first_on"]


def test_the_examples_of_the_docs_run(tmp_path, monkeypatch, capsys):
    """Five examples, in one session, as a reader would type them."""
    text = (REPO / "docs" / "library.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    assert len(examples) == 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LNL_HOME", str(tmp_path / "elsewhere"))
    names = {}
    for number, example in enumerate(examples, start=1):
        exec(compile(example, f"example {number} of library.md", "exec"), names)
    for process in local._started:  # the worker ends by itself once nothing waits
        process.wait(timeout=60)
    said = capsys.readouterr().out
    found = re.search(r"(\d+) labels look wrong; of the first 50, (\d+) are", said)
    assert 40 <= int(found[1]) <= 150
    assert int(found[2]) >= 42  # 1 - p(given) alone finds 44
    assert names["ranked"].index[:50].isin(names["wrong"]).mean() > 0.9
    row = names["ws"].export("digits").iloc[0]
    assert row["id"] == str(names["wrong"][0])
    assert (tmp_path / "review" / "review.db").is_file()
    assert not (tmp_path / "elsewhere").exists()
