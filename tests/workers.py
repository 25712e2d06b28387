"""What tests ask about worker processes."""

from lnl_core.jobs.engines import local


def worker_lives(ws):
    """Say whether a worker holds the workspace's lock."""
    held = local.lock(ws)
    if held is None:
        return True
    held.close()
    return False
