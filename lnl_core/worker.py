"""`python -m lnl_core.worker`: the training process, on this machine or submitted to another."""

import sys

from lnl_core.jobs.worker import main

if __name__ == "__main__":
    sys.exit(main())
