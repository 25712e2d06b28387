"""`python -m lnl_core.worker`: the training process, on this machine or submitted to another."""

import sys

from lnl_core.learning import threads


def main() -> int:
    """Settle how threads wait, then load what has threads, and work."""
    threads.settle()
    from lnl_core.jobs.worker import main as work

    return work()


if __name__ == "__main__":
    sys.exit(main())
