"""Opens EchoGen on Windows: the shortcut starts the Python that came along with this file, without a console window."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
runpy.run_module("installer.launcher", run_name="__main__", alter_sys=True)
