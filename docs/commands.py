"""Write docs/commands.md from the argument parser: `python docs/commands.py`.

`tests/test_docs.py` fails where the page is not what the parser says.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).with_name("commands.md")

START = """# Every command

<!-- Written by docs/commands.py from the parser; run it after a change of the command line. -->

`lnl COMMAND --help` says the same in a terminal. Exit codes: 0 done, 1 failed, 2 bad usage, 3
partly imported. With `--json` standard output holds one JSON value and nothing
else; with `--out -` it is the file, and the JSON value goes to standard error.
"""


def page() -> str:
    """Return the page as Markdown."""
    from lnl_core.cli import parser as words_of

    parser = words_of()
    parts = [START, *_options(parser, ("help",))]
    for name, one, sentence in _commands(parser):
        parts += [f"## {name}", "", sentence, "", f"    {_usage(one)}", ""]
        parts += _options(one, ("help",))
        if one.epilog:
            lines = (line.rstrip() for line in one.epilog.strip().splitlines())
            parts += ["```text", *lines, "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def _commands(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Go through the commands in the order of `lnl --help`, `runs rm` and the like inside."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            sentences = {each.dest: each.help or "" for each in action._choices_actions}
            for name, one in action.choices.items():
                whole = f"{parser.prog} {name}"
                yield whole, one, sentences.get(name, "").replace("%%", "%")
                yield from _commands(one)


def _usage(parser: argparse.ArgumentParser) -> str:
    """Return one line: the name, what stands without a dash, and that options may follow."""
    words = [parser.prog]
    for action in parser._actions:
        name = action.metavar if isinstance(action.metavar, str) else action.dest
        if action.required and action.option_strings:
            words.append(f"{action.option_strings[0]} {action.dest.upper()}")
        elif not action.option_strings and not isinstance(action, argparse._SubParsersAction):
            words.append(name.upper() if action.required else f"[{name.upper()}]")
    return " ".join([*words, "[options]"])


def _options(parser: argparse.ArgumentParser, without: tuple[str, ...]) -> list[str]:
    """Return a table of what a parser takes, nothing where it takes nothing."""
    rows = []
    for action in parser._actions:
        if action.dest in without or isinstance(action, argparse._SubParsersAction):
            continue
        rows.append(f"| {_name(action)} | {_words(parser, action)} |")
    return ["| argument | |", "|---|---|", *rows, ""] if rows else []


def _name(action: argparse.Action) -> str:
    value = action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper()
    if isinstance(value, tuple):
        value = " ".join(value)
    if not action.option_strings:
        return f"`{_cell(action.metavar if isinstance(action.metavar, str) else action.dest)}`"
    takes = "" if action.nargs == 0 else f" {value}"
    return ", ".join(f"`{_cell(option + takes)}`" for option in action.option_strings)


def _words(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = action.help or ""
    if "%(" in text or "%%" in text:
        text = text % {**vars(action), "prog": parser.prog}
    if action.option_strings and action.choices and action.default and "default" not in text:
        text = f"{text} (default: {action.default})".strip()
    return _cell(re.sub(r"\s+", " ", text))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
