"""The developers' way with a real pip and an index that has another build than the launcher's list: a torch built at home."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from installer import bootstrap
from installer.launcher.locks import PYTHON
from installer.launcher.targets import list_name
from tests.installer.launcher.conftest import Index, make_wheel


@pytest.fixture
def environment(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment to be made, and an index with a torch and a thing, of which a list knows the thing alone by its digest."""
    for name in os.environ:
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
    monkeypatch.setenv("ECHOGEN_BACKEND", "cpu")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", tmp_path / "it's 100% $env 日本")
    monkeypatch.setattr(bootstrap, "environment_python", lambda: bootstrap.ENVIRONMENT / "bin" / "python")
    monkeypatch.setattr(bootstrap, "read_dependencies", lambda with_tests: ["torch>=2.10,<2.14", "thing>=1"])
    monkeypatch.setattr(bootstrap, "check_qt", lambda: None)
    monkeypatch.setattr(bootstrap, "LISTS", tmp_path / "locks")
    (tmp_path / "locks").mkdir()
    lines = []
    for name, version in (("torch", "2.13.0+cpu"), ("thing", "1.0")):
        wheel = make_wheel(tmp_path, name, version=version)
        index.files[wheel.name] = wheel.read_bytes()
        lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
        newer = make_wheel(tmp_path, name, version="2.13.9" if name == "torch" else "1.1")
        index.files[newer.name] = newer.read_bytes()
    (tmp_path / "locks" / f"{list_name('cpu')}.txt").write_text("".join(lines), encoding="utf-8")
    return bootstrap.ENVIRONMENT


def installed() -> set[str]:
    code = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()))"
    python = bootstrap.environment_python()
    words = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return {word for word in words if word.startswith(("torch", "thing"))}


@pytest.mark.skipif(os.name == "nt", reason="folders of an environment")
@pytest.mark.skipif(not bootstrap.sys.version.startswith(PYTHON), reason="lists are for one Python")
def test_the_versions_of_the_list_and_a_torch_built_at_home(environment, index, capsys):
    bootstrap.set_up()
    assert installed() == {"torch==2.13.0+cpu", "thing==1.0"}, "not the newest that is allowed"
    assert "taking" not in capsys.readouterr().err
    bootstrap.shutil.rmtree(environment)
    index.files = {name: data + b" " if "+cpu" in name else data for name, data in index.files.items()}
    index.files.pop("torch-2.13.9-py3-none-any.whl")
    bootstrap.set_up()
    assert installed() == {"torch==2.13.0+cpu", "thing==1.0"}, "the build is another one, and all else as the list says"
    assert "taking what pyproject.toml allows" in capsys.readouterr().err
    assert bootstrap.is_ready()
