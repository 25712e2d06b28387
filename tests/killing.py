"""Kill a piece of work at every step that it takes on the disk or in the database."""

import os
import signal
import warnings

from sqlalchemy import Engine, event

_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def killed_at_every_step(prepare, act, check, *, most=400):
    """Do `act` again and again, killed one step later each time; after each kill, `check`.

    A step is a file opened for writing, made, renamed or removed, and a commit: the process is
    killed right before it. `prepare` makes what `act` and `check` are given, anew for each kill.

    Args:
        prepare: () -> state; leaves no connection open.
        act: state -> anything, in a child process.
        check: (state, step) -> None; `step` is None once nothing was killed.
        most: kills after which something must be wrong.

    Returns:
        How often it was killed.
    """
    for step in range(most):
        state = prepare()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads do not follow: intended
            child = os.fork()
        if child == 0:
            _work_until(step, act, state)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the work failed by itself; see its traceback above"
            check(state, None)
            return step
        assert os.WTERMSIG(status) == signal.SIGKILL
        check(state, step)
    raise AssertionError(f"it takes more than {most} steps")


def _work_until(step, act, state):
    """In the child: work, and die right before step number `step`."""
    import sys
    import traceback

    left = step

    def count(*_):
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def seen(name, arguments):
        if name in _STEPS and (name != "open" or _writes(arguments)):
            count()

    code = 1
    try:
        event.listen(Engine, "commit", count)
        sys.addaudithook(seen)
        act(state)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _writes(arguments):
    _, mode, flags = arguments
    return bool(set(mode or "") & set("wax+")) or (mode is None and bool((flags or 0) & _WRITES))
