"""Makes one archive that installs without a network: ``python3 installer/make_offline.py linux-x86_64-cpu``.

It holds the program, uv, the mini model and every file of one list of packages. It has to be made on a computer with a network and
the same system. The computer it is for needs a Python 3.11, or ``--python`` takes one along: a folder of uv's own
(``uv python install 3.11 --install-dir FOLDER``).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installer.launcher.errors import SetupFailed  # noqa: E402
from installer.launcher.fetch import Control  # noqa: E402
from installer.launcher.locks import Lock, read_lock  # noqa: E402
from installer.launcher.network import Network  # noqa: E402
from installer.launcher.places import Places  # noqa: E402
from installer.launcher.setup import PARTS, fetch_packages  # noqa: E402
from installer.launcher.uv import Uv  # noqa: E402
from installer.launcher.versions import version_of  # noqa: E402
from installer.make_locks import LOCKS  # noqa: E402
from installer.make_packages import fetch_uv, put_program  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make_offline.py", description="Make an archive that installs without a network."
    )
    parser.add_argument("list", help="of installer/locks, without its ending: linux-x86_64-cpu")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "packages", help="folder for it (%(default)s)")
    parser.add_argument("--uv", type=Path, help="a uv to take along instead of the pinned one")
    parser.add_argument("--python", type=Path, help="a folder of Pythons, as uv installs them, to take along")
    options = parser.parse_args(arguments)
    if not (LOCKS / f"{options.list}.txt").is_file():
        parser.error(f"there is no list {options.list}")
    try:
        made = make_offline(read_lock(LOCKS / f"{options.list}.txt"), options.out, options.uv, options.python)
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{made} ({made.stat().st_size / 1e6:.0f} MB)")
    return 0


def make_offline(lock: Lock, out: Path, uv: Path | None = None, python: Path | None = None) -> Path:
    """Make the archive of one list. Raises ``SetupFailed``."""
    out.mkdir(parents=True, exist_ok=True)
    made = out / f"echogen-{version_of(ROOT)}-{lock.name}-offline.tar"
    with tempfile.TemporaryDirectory(dir=out) as folder:
        uv = uv or fetch_uv(Path(folder))
        tree = Path(folder) / "echogen"
        put_program(tree, uv)
        places = Places(tree, Path(folder) / "work")
        places.prepare()
        os.environ.setdefault("ECHOGEN_UV", str(uv))
        runner = Uv(places, Network.load(), Control())
        for part in PARTS:
            fetch_packages(runner, places, lock, part, into=tree / "wheels", python=sys.executable)
        (tree / "wheels" / "list").write_text(lock.name + "\n", encoding="utf-8")
        if python is not None:
            shutil.copytree(python, tree / "python", symlinks=True)
        partial = made.with_suffix(".part")
        # Wheels are compressed already.
        with tarfile.open(partial, "w") as archive:
            archive.add(tree, tree.name)
        partial.replace(made)
    return made


if __name__ == "__main__":
    sys.exit(main())
