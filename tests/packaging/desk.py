"""`lnl` in a terminal of its own, as a person starts it who has just installed it.

`LNL_COMMAND` names the command to test; without it the clone's own is meant.
"""

import os
import pty
import selectors
import shlex
import subprocess
import sys
import time

PATIENCE = 120
"""Seconds that a busy machine may take for what is usually done at once."""

LNL = shlex.split(os.environ.get("LNL_COMMAND", "")) or [sys.executable, "-m", "lnl_core"]

IN_FRONT = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Takes the terminal, so that its keys reach the command, and becomes the command."""

CHANCE = "raise SystemExit('this file was found by chance')\n"

FOREIGN = """
[server]
address = "0.0.0.0"
port = 9
headless = false
baseUrlPath = "elsewhere"

[browser]
gatherUsageStats = true

[theme]
baseFontSize = 30
"""


def foreign_folder(folder):
    """Another project of the person's: its modules and settings have names that ours have too."""
    for name in ("app.py", "streamlit.py", "pages/__init__.py", "assets/icon.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(CHANCE)
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(FOREIGN)
    return folder


class Terminal:
    """A shell's terminal with a screen, an empty home, and a browser that notes its address."""

    def __init__(self, place):
        self.home, self.ws, self.cwd = place / "home", place / "workspace", place / "folder"
        for folder in (self.home, self.cwd):
            folder.mkdir()
        browser = place / "browser"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{place / "address"}"\n')
        browser.chmod(0o755)
        os.mkfifo(place / "address")
        self._opened = os.open(place / "address", os.O_RDONLY | os.O_NONBLOCK)
        own = ("LNL_", "STREAMLIT_", "SSH_", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "XDG_")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        self.env |= {"HOME": str(self.home), "DISPLAY": ":99", "BROWSER": str(browser)}
        self.env |= {"TERM": "xterm", "USER": "ann", "LNL_HOME": str(self.ws)}
        self.said, self.process = "", None
        self._screen, self._keys = None, None

    def start(self, *arguments):
        """Run `lnl` in the foreground of the terminal."""
        self._screen, self._keys = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_FRONT, *LNL, *arguments],
            cwd=self.cwd,
            env=self.env,
            stdin=self._keys,
            stdout=self._keys,
            stderr=self._keys,
            start_new_session=True,
        )
        return self

    def run(self, *arguments):
        """Run `lnl` to its end, beside the one in the terminal."""
        return subprocess.run(
            [*LNL, *arguments],
            cwd=self.cwd,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def press(self, key):
        os.write(self._screen, key)
        return self

    def opened(self):
        """Wait for the browser and return the address that it was given."""
        return self._read_until(self._opened, lambda text: text)

    def wait_for(self, words):
        """Read the terminal until it says so."""
        self.said += self._read_until(self._screen, lambda text: words in self.said + text)
        return self

    def _read_until(self, source, done):
        text, give_up = "", time.monotonic() + PATIENCE
        while not done(text):
            left = give_up - time.monotonic()
            ready = self._ready({source, self._screen}, max(left, 0))
            assert ready, f"nothing came within {PATIENCE} s; the terminal says: {self.said}{text}"
            if source in ready:
                text += os.read(source, 10_000).decode()
            elif self._screen in ready:
                self.said += os.read(self._screen, 10_000).decode()
        return text

    def _ready(self, sources, seconds):
        with selectors.DefaultSelector() as waiting:  # `select` takes no number above 1,023
            for source in sources:
                waiting.register(source, selectors.EVENT_READ)
            return [key.fd for key, _ in waiting.select(seconds)]

    def close(self):
        for number in (self._opened, self._screen, self._keys):
            if number is not None:
                os.close(number)
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
