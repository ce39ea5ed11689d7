"""Lines and branches that the tests went through, by package.

python -m tests.coverage_table build/coverage.json    what `bootstrap.py test --coverage` wrote
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePath

DECIDING = (
    "app/session",
    "app/store",
    "engine/weights",
    "engine/planning",
    "engine/sampling",
    "engine/photo",
)
"""Packages whose modules decide something: 95 % of their branches are wanted."""
WANTED = 0.95


@dataclass
class Covered:
    """Counts of one package."""

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    def add(self, summary: dict[str, int]) -> None:
        self.lines += summary["num_statements"]
        self.lines_run += summary["covered_lines"]
        self.branches += summary["num_branches"]
        self.branches_run += summary["covered_branches"]

    def words(self) -> str:
        return f"{_share(self.lines_run, self.lines)} of {self.lines:6}  {_share(self.branches_run, self.branches)} of {self.branches:5}"


def package_of(file: str) -> str:
    """ "app/session" for app/session/queue.py, "engine" for a module that lies in it directly."""
    parts = PurePath(file.replace("\\", "/")).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def by_package(report: dict) -> dict[str, Covered]:
    """The counts of coverage's JSON report, added up."""
    found: dict[str, Covered] = defaultdict(Covered)
    for file, entry in report["files"].items():
        found[package_of(file)].add(entry["summary"])
    return dict(sorted(found.items()))


def table(report: dict) -> str:
    """The table, and what is short of what is wanted."""
    packages = by_package(report)
    width = max(len(name) for name in packages)
    lines = [f"{'':{width}}  lines run          branches run"]
    lines += [f"{name:{width}}  {covered.words()}" for name, covered in packages.items()]
    whole = Covered()
    for entry in report["files"].values():
        whole.add(entry["summary"])
    lines.append(f"{'all':{width}}  {whole.words()}")
    short = [
        f"{file}: {_share(summary['covered_branches'], summary['num_branches']).strip()}"
        for file, entry in sorted(report["files"].items())
        if package_of(file) in DECIDING
        and (summary := entry["summary"])["num_branches"]
        and summary["covered_branches"] < WANTED * summary["num_branches"]
    ]
    if short:
        lines += ["", f"Less than {WANTED:.0%} of the branches, in packages that decide something:", *short]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else "     – "


def main(arguments: list[str]) -> int:
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    sys.stdout.write(f"{table(report)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
