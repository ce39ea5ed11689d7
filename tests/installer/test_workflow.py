"""The workflow that makes the installers on three systems: its form, its scripts, and that secrets stay where they are needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from installer.make_locks import LOCKS, TARGETS

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github" / "workflows" / "installers.yml"
WORKFLOW = yaml.safe_load(FILE.read_text(encoding="utf-8"))
STEPS = [
    pytest.param(job, step, id=f"{name}-{step.get('name') or step.get('uses')}")
    for name, job in WORKFLOW["jobs"].items()
    for step in job["steps"]
]


def is_shell(job: dict, step: dict) -> bool:
    """Whether a step has a script for bash; Windows has PowerShell."""
    return "run" in step and not job.get("defaults")


def test_every_system_makes_installs_and_hands_over():
    assert set(WORKFLOW["jobs"]) == {"lists", "linux", "windows", "macos", "release"}
    for name in ("linux", "windows", "macos"):
        steps = WORKFLOW["jobs"][name]["steps"]
        scripts = "\n".join(step.get("run", "") for step in steps)
        assert "installer/try_installed.py" in scripts.replace("\\", "/"), name
        assert "remove" in scripts.lower() or "unins" in scripts
        assert steps[-1]["uses"].startswith("actions/upload-artifact@")
        assert steps[-1]["with"]["if-no-files-found"] == "error"
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_it_makes_the_lists_that_the_repository_does_not_have():
    scripts = "\n".join(step.get("run", "") for step in WORKFLOW["jobs"]["lists"]["steps"])
    (names,) = re.findall(r"make_locks\.py ([^\n]+)", scripts)
    assert set(names.split()) == {target.name for target in TARGETS} - {file.stem for file in LOCKS.glob("*.txt")}
    for name in ("linux", "windows", "macos"):
        job = WORKFLOW["jobs"][name]
        assert job["needs"] == "lists"
        assert {"name": "lists", "path": "installer/locks"} in [step.get("with") for step in job["steps"]]


@pytest.mark.parametrize(("job", "step"), STEPS)
def test_secrets_are_given_to_signing_steps_alone(job, step):
    if "secrets." in str(step):
        assert step["if"] == "env.SIGN == 'true'", "without secrets it is left out"
        assert "secrets." not in step["run"], "secrets come by the environment, not into the script"
    assert "${{" not in step.get("run", ""), "values come by the environment: nothing is pasted into a script"


@pytest.mark.parametrize(("job", "step"), STEPS)
def test_the_programs_it_calls_are_there_and_know_their_options(job, step):
    for name, rest in re.findall(r"python installer[/\\](\w+\.py)([^\n]*)", step.get("run", "")):
        text = (ROOT / "installer" / name).read_text(encoding="utf-8")
        for option in re.findall(r"(?<= )--[a-z-]+", rest.partition(" -- ")[0]):
            assert f'"{option}"' in text, (name, option)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
@pytest.mark.parametrize(
    "script", [pytest.param(step.values[1]["run"], id=step.id) for step in STEPS if is_shell(*step.values)]
)
def test_its_shell_scripts_are_clean(script):
    done = subprocess.run(["shellcheck", "-"], input=f"#!/bin/bash -e\n{script}", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
