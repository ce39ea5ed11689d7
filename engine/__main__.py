"""``python -m engine``: the headless program."""

import sys

from engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
