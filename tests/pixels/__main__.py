"""Takes pictures of the window's states with a painted model, in seconds and without trained weights.

python -m tests.pixels --renew             the snapshots that tests/pixels/test_snapshots.py compares with
python -m tests.pixels --review FOLDER     every state, to look at
    [--size 960x640] [--theme dark] [--language zh_CN] [--only drawing- settings-keys]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from PySide6.QtCore import QSize

from app.application import make_application
from docs.camera import folders_of_its_own
from tests.pixels.walk import Walk, save


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--renew", action="store_true", help="take the snapshots anew; look at them before you commit")
    parser.add_argument("--review", type=Path, metavar="FOLDER", help="every state, into this folder")
    parser.add_argument("--size", default="1440x900", help="of the window")
    parser.add_argument("--theme", choices=("light", "dark"), help="one theme instead of both")
    parser.add_argument("--language", default="en")
    parser.add_argument(
        "--only", nargs="*", default=(), help="names of states; one that ends in - takes all that begin so"
    )
    arguments = parser.parse_args()
    if not arguments.renew and not arguments.review:
        parser.error("say --renew or --review FOLDER")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with folders_of_its_own():
        application = make_application([])
        if arguments.renew:
            from tests.pixels.snapshots import renew

            renew()
        else:
            width, height = map(int, arguments.size.split("x"))
            themes = (arguments.theme,) if arguments.theme else ("light", "dark")

            def take(name: str, theme: str, image) -> None:
                save(image, arguments.review / f"{name}-{theme}.png")
                sys.stderr.write(f"{name}-{theme}\n")

            walk = Walk(take, themes, QSize(width, height), arguments.only, language=arguments.language)
            try:
                walk.run()
            finally:
                walk.end()
        application.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
