"""The table of `bootstrap.py test --coverage`."""

from __future__ import annotations

from tests.coverage_table import by_package, package_of, table


def entry(lines: int, lines_run: int, branches: int, branches_run: int) -> dict:
    return {
        "summary": {
            "num_statements": lines,
            "covered_lines": lines_run,
            "num_branches": branches,
            "covered_branches": branches_run,
        }
    }


REPORT = {
    "files": {
        "app/session/queue.py": entry(100, 90, 20, 18),
        "app/session/state.py": entry(100, 100, 20, 20),
        "app/look/icons.py": entry(10, 5, 4, 0),
        "engine/files.py": entry(50, 50, 0, 0),
        "engine\\weights\\transfer\\disk.py": entry(40, 40, 100, 95),
    }
}


def test_modules_are_added_up_by_package():
    assert (
        package_of("engine/files.py") == "engine"
        and package_of("engine\\weights\\transfer\\disk.py") == "engine/weights"
    )
    found = by_package(REPORT)
    assert list(found) == ["app/look", "app/session", "engine", "engine/weights"]
    session = found["app/session"]
    assert (session.lines, session.lines_run, session.branches, session.branches_run) == (200, 190, 40, 38)


def test_what_is_short_of_what_is_wanted_is_named():
    text = table(REPORT)
    assert "95.0 % of    200   95.0 % of    40" in text
    assert "app/session/queue.py: 90.0 %" in text
    assert "look/icons.py:" not in text, "it decides nothing"
    assert "disk.py:" not in text and "state.py:" not in text
    assert table({"files": {"engine/files.py": entry(1, 1, 0, 0)}}).count("–") == 2
