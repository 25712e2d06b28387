"""`python -m lnl_core`, where the `lnl` script is not on the path."""

import sys

from lnl_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
