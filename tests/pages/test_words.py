import re

import pytest

from lnl_core.views import chance
from pages import _words

JOINER = "\u2060"


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example/a.png)",
        "<b>bold</b><script>alert(1)</script>",
        "*a* _b_ `c` ~~d~~ **e**",
        ":tada: :material/delete: :red[x] :streamlit: :+1:",
        "$x^2$ and $$y$$",
        "www.evil.example me@evil.example",
        "a -> b <- c >= d",
        "# head",
        "- item",
        "&lt;b&gt; &#42;",
        "[^1]: note",
    ],
)
def test_plain_shows_the_text_itself(text):
    made = _words.plain(text)
    shown = re.sub(r"\\(.)", r"\1", made).replace(JOINER, "")
    assert shown == text
    # Every mark that Markdown knows is escaped …
    assert not re.search(r"(?<!\\)[][*_`~$#<>!(){}|&:+=^-]", made)
    # … and what Streamlit looks for in the finished text is broken.
    finished = re.sub(r"\\(.)", r"\1", made)
    for pattern in (r":[\w+-]+:", r":material/", r"https?://", r"www\.", r"\w@\w", r"->|<-|>="):
        assert not re.search(pattern, finished)


def test_plain_removes_line_breaks_and_direction_overrides():
    assert _words.plain("a\nb\u202ec\x00") == "a bc"


@pytest.mark.parametrize(
    ("p", "shown"), [(0.9996, ">0.99"), (0.9951, ">0.99"), (0.99, "0.99"), (0.25, "0.25"),
                     (0.0101, "0.01"), (0.004, "<0.01"), (0.0, "<0.01"), (1.0, ">0.99")]
)  # fmt: skip
def test_a_chance_is_never_certain(p, shown):
    assert chance(p) == shown


def test_short_keeps_24_characters():
    assert _words.short("x" * 24) == "x" * 24
    assert _words.short("x" * 25) == "x" * 23 + "…"


def test_names_that_differ_at_their_end_alone_stay_apart():
    names = [f"Scottish deerhound with a coat, no. {each}" for each in (1, 2)]
    cut = [_words.short_name(name, 24) for name in names]
    assert cut == ["Scottish deerho…t, no. 1", "Scottish deerho…t, no. 2"]
    assert [_words.chart_text(name, 24) for name in names] == cut
    assert _words.short_name("x" * 24) == "x" * 24


def test_chart_text_cannot_format():
    assert _words.chart_text("<b>&") == "&lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2.06, "2.1 s"),
        (6.0, "6 s"),
        (34.2, "34 s"),
        (59.6, "1 min"),
        (100, "1 min 40 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_duration(seconds, words):
    assert _words.duration(seconds) == words


def test_numbers():
    assert _words.count(8000) == "8,000"
    assert _words.percent(0.654) == "65\u202f%"
    assert _words.clock(340) == "5:40"
    assert [_words.short_clock(s) for s in (0.0, 0.2, 3.0)] == ["0:00", "<0:01", "0:03"]
    assert _words.about(342) == "5 min 40 s"
    assert _words.gigabytes(9e8) == "0.9 GB"
    assert [_words.file_size(s) for s in (999, 61_000, 16e6, 2.1e9)] == [
        "999 B",
        "61 KB",
        "16 MB",
        "2.1 GB",
    ]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a/b/c.png", "a/b/c.png"),
        ("photographs/of/2024/in/cats/0123.png", "photographs/o…/0123.png"),
        ("C:\\photographs\\of\\2024\\0123.png", "C:\\photograph…\\0123.png"),
        ("x/an-image-with-a-very-long-name-0123.png", "an-image-wi…me-0123.png"),
    ],
)
def test_a_path_that_is_cut_keeps_the_name_of_its_file(path, shown):
    assert _words.short_path(path, 23) == shown
    assert len(shown) <= 23


def test_a_command_in_a_message_is_set_as_code_and_all_else_is_plain():
    said = _words.told("*x*.db is none. `lnl doctor --restore` mends it (or `rm -r *`).")
    assert "`lnl doctor --restore` mends" in said.replace(JOINER, "")
    assert r"\*x\*" in said
    assert r"\`rm" in said, "no command of ours: text of people"
