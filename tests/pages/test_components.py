"""The joiner of the components' scripts: what it makes is one module, and true to its sources."""

import json
import re
import shutil
import subprocess

import pytest

from pages._components import _assets

COMPONENTS = sorted(
    path.relative_to(_assets.HERE).as_posix()
    for path in _assets.HERE.rglob("*.js")
    if re.search(r"^export default", path.read_text("utf-8"), re.M)
)


@pytest.fixture
def modules(tmp_path):
    """Write modules by name and return the script of the first."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text, "utf-8")
        return _assets.script(f"{next(iter(texts))}.js", tmp_path)

    return write


def node(script, *arguments):
    """Give a module to node and return what it prints."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on this machine: apt-get install nodejs")
    return subprocess.run(
        [program, "--input-type=module", *arguments],
        input=script,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_every_component_has_a_file_of_its_own():
    used = "".join(path.read_text("utf-8") for path in _assets.HERE.glob("*.py"))
    assert sorted(entry for entry, *_ in _assets.COMPONENTS.values()) == COMPONENTS
    assert [name for name in _assets.COMPONENTS if f'stub("{name}")' not in used] == []


@pytest.mark.parametrize("name", _assets.COMPONENTS)
def test_streamlit_gets_the_address_of_a_components_file_which_styles_and_then_draws(name):
    """What Streamlit sends with every change of a component's data stays small."""
    stub = _assets.stub(name)
    assert len(stub) < 200
    assert stub.strip().count("\n")  # else Streamlit takes it for a path
    _, digest, _ = re.split(r"/js/\w+/|\.js`", stub)
    text = _assets.file(name, digest).decode()
    assert _assets.file(name, digest[::-1]) is None
    assert ".desk {" in text
    drawn = text[: text.index("const $main")] + (
        "const $main = ({ parentElement, data }) =>\n"
        "  parentElement.adoptedStyleSheets.length + data.what;\n"
        + text[text.rindex("\nconst $styles") :]
    )
    world = "globalThis.CSSStyleSheet = class { replaceSync(css) { this.css = css; } };\n"
    data = _assets.sent({"what": "ever"})
    asks = (
        "\nconst root = { adoptedStyleSheets: [] };\n"
        "const draw = (await import(`data:text/javascript,${encodeURIComponent(TEXT)}`)).default;\n"
        f"const sent = {{ parentElement: root, data: {json.dumps(data)} }};\n"
        "console.log(draw(sent), draw(sent));\n"
    )
    assert node(world + f"const TEXT = {json.dumps(drawn)};" + asks) == "1ever 1ever"


@pytest.mark.parametrize("entry", COMPONENTS)
def test_a_component_parses_as_one_module(entry):
    script = _assets.script(entry)
    assert "\nimport " not in script
    assert len(re.findall(r"^export default ", script, re.M)) == 1
    assert "/**\n" not in script
    node(script, "--check")


def test_a_module_runs_once_after_what_it_imports(modules):
    """A diamond: both sides see the one module below them."""
    script = modules(
        top='import { left } from "./left.js";\nimport { right } from "./right.js";\n'
        "console.log(left(), right());\n",
        left='import { next } from "./below.js";\nexport const left = () => next();\n',
        right='import { next } from "./below.js";\nexport function right() {\n  return next();\n}',
        below="let n = 0;\nexport const next = () => (n += 1);\n",
    )
    assert node(script) == "1 2"


def test_names_stay_in_their_module(modules):
    """Also names of the browser's: another module's `fetch` is not this one's."""
    script = modules(
        top='import { shown } from "./below.js";\nconst inner = "top";\n'
        "console.log(inner, shown, typeof fetch);\n",
        below='const inner = "below";\nconst fetch = 0;\nexport const shown = inner + fetch;\n',
    )
    assert node(script) == "top below0 function"


def test_comments_stay_behind_and_the_code_beside_them_does_not(modules):
    script = modules(
        top="// words\n/**\n * @type {string}\n */\nconst a = 'http://x/*y*/'; // why\n"
        "const b =\n  /** @type {string} */ (a);\nconsole.log(b);\n",
    )
    assert "words" not in script
    assert "@type {string}\n */" not in script
    assert node(script) == "http://x/*y*/"


def test_a_circle_of_imports_fails(modules):
    with pytest.raises(ValueError, match="circle of imports") as raised:
        modules(
            one='import { b } from "./two.js";\nexport const a = 1;\n',
            two='import { c } from "./three.js";\nexport const b = 2;\n',
            three='import { a } from "./one.js";\nexport const c = 3;\n',
        )
    assert "three.js imports one.js" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import { b } from "./below.js";\nconst b = 2;\n', "top.js has two of b"),
        ("const a = 1;\nfunction a() {}\n", "top.js has two of a"),
        ('import { c } from "./below.js";\n', "imports c, which below.js has not"),
        ('import { hidden } from "./below.js";\n', "imports hidden, which below.js has not"),
        ('import { b } from "./gone.js";\n', "gone.js is no module below"),
        ('import { b } from "../outside.js";\n', "outside.js is no module below"),
        ('import * as all from "./below.js";\n', "top.js cannot be joined: import"),
        ('import b from "./below.js";\n', "top.js cannot be joined: import"),
        ("export let moving = 1;\n", "top.js cannot be joined: export let"),
        ("export { b };\n", "top.js cannot be joined: export {"),
    ],
)
def test_what_cannot_be_joined_is_refused(modules, text, words):
    below = "const hidden = 1;\nexport const b = hidden;\n"
    with pytest.raises(ValueError, match=re.escape(words)):
        modules(top=text, below=below)


def test_a_renamed_import_is_refused(modules):
    with pytest.raises(ValueError, match="b as c"):
        modules(top='import { b as c } from "./below.js";\n', below="export const b = 1;\n")
