"""What a program asks of the network, written down: lay `WATCH` on its path as sitecustomize.py."""

WATCH = """
import os, sys

def watch(event, said):
    if event == "socket.connect":
        place = said[1]
        local = not isinstance(place, tuple) or place[0] in ("127.0.0.1", "::1", "localhost")
    elif event == "socket.getaddrinfo":
        local = said[0] in (None, "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1")
    else:
        return
    with open(os.environ["LNL_HOME"] + "/asked.log", "a") as file:
        file.write(f"{'local' if local else 'AWAY'} {event} {said[1:] if local else said}\\n")

sys.addaudithook(watch)
with open(os.environ["LNL_HOME"] + "/asked.log", "a") as file:
    file.write("watching\\n")
"""


def away(home):
    """Return the lines about other machines, of every program that was watched."""
    lines = (home / "asked.log").read_text().splitlines()
    assert "watching" in lines
    return [line for line in lines if line.startswith("AWAY")]
