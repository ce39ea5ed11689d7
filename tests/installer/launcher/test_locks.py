"""The lists of packages in the repository, and lists that are damaged."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from installer import make_locks
from installer.launcher import targets
from installer.launcher.errors import SetupFailed
from installer.launcher.locks import FIRST, PYTHON, read_lock
from installer.launcher.places import Places
from installer.launcher.setup import Setup
from installer.make_locks import LOCKS, TARGETS
from tests.installer.launcher.conftest import Index, make_wheel

ROOT = Path(__file__).parents[3]
FILES = sorted(LOCKS.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_list_is_whole_and_holds_no_address(file):
    lock = read_lock(file)
    assert "://" not in file.read_text(encoding="utf-8")
    assert {package.name for package in lock.part("window")} == set(FIRST)
    assert all(package.hashes for package in lock.packages)
    target = target_of(lock.name)
    assert lock.backend == target.backend
    assert {package.name: package.version for package in lock.packages}["torch"] == target.torch


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_list_has_all_that_the_program_declares(file):
    """A dependency that was added to pyproject.toml and to no list would be missed by those alone who install by a double-click."""
    versions = {package.name: package.version for package in read_lock(file).packages}
    missing = [str(wanted) for wanted in declared() if canonicalize_name(wanted.name) not in versions]
    assert not missing, "run installer/make_locks.py"
    outside = [
        f"{wanted}: {found}"
        for wanted in declared()
        if not wanted.specifier.contains(found := versions[canonicalize_name(wanted.name)], prereleases=True)
    ]
    assert not outside, "run installer/make_locks.py"


def declared() -> list[Requirement]:
    """What pyproject.toml declares for the Python of the lists: the program's own, and what reads photos of phones and cameras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["photos"]])
    python = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    return [one for one in wanted if one.marker is None or one.marker.evaluate(python)]


def test_a_list_that_cannot_be_made_stays_as_it_is(tmp_path, monkeypatch):
    """As where PyTorch's own index cannot be reached."""
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / "linux-x86_64-cpu.txt").write_text("as it was\n", encoding="utf-8")
    monkeypatch.setattr(make_locks, "LOCKS", folder)
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'error: it cannot be reached' >&2\nexit 2\n", encoding="utf-8")
    uv.chmod(0o755)
    assert "it cannot be reached" in make_locks.make(TARGETS[0], str(uv))
    assert (folder / "linux-x86_64-cpu.txt").read_text(encoding="utf-8") == "as it was\n"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_command_asks_for_the_target_and_what_is_in_its_list_already(target, tmp_path, monkeypatch):
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / f"{target.name}.txt").write_text("x==1\n", encoding="utf-8")
    monkeypatch.setattr(make_locks, "LOCKS", folder)
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    uv = tmp_path / "uv"
    # It writes down how it was called behind the list that it was given to go by.
    uv.write_text(
        '#!/bin/sh\nfor file; do :; done\nwhile [ "$1" != --output-file ]; do all="$all $1"; shift; done\n'
        'echo "# $all $3 $4 $(cat "$file")" >>"$2"\n',
        encoding="utf-8",
    )
    uv.chmod(0o755)
    assert make_locks.make(target, str(uv)) == ""
    lines = (folder / f"{target.name}.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == (f"# torch-backend: {target.backend}" if target.backend else "x==1")
    assert "x==1" in lines
    assert f"--python-platform {target.platform} --python-version {PYTHON}" in lines[-1]
    assert ("--torch-backend" in lines[-1]) == bool(target.backend)
    assert f"--extra photos torch=={target.torch}" in lines[-1]


BUILDS = {
    "windows-x86_64-cuda": ("2.13.0+cu130", "cp311-cp311-win_amd64"),
    "linux-x86_64-rocm": ("2.13.0+rocm7.2", "cp311-cp311-manylinux_2_28_x86_64"),
    "linux-x86_64-xpu": ("2.13.0+xpu", "cp311-cp311-manylinux_2_28_x86_64"),
}
"""Lists that are in no repository, and the build of torch that each has to name."""


@pytest.fixture
def builds(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An index with all that is declared, in the version of the lists and in a newer one, and builds of torch on a page of their own.

    Returns:
        digest of every build by its file's name.
    """
    folder = tmp_path / "wheels"
    folder.mkdir()
    versions = {package.name: package.version for package in read_lock(LOCKS / "linux-x86_64-cpu.txt").packages}
    for wanted in declared():
        name = canonicalize_name(wanted.name)
        if name == "torch":
            continue
        for version in (versions[name], f"{versions[name]}.post7"):
            if wanted.specifier.contains(version, prereleases=True):
                wheel = make_wheel(folder, name, 320, version=version)
                index.files[wheel.name] = wheel.read_bytes()
    # What the index itself has: for NVIDIA's cards on Linux, for the processor on Windows.
    for tag in ("cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-win_amd64"):
        wheel = make_wheel(folder, "torch", 320, version="2.13.0", tag=tag)
        index.files[wheel.name] = wheel.read_bytes()
    found = {}
    for version, tag in BUILDS.values():
        for one in (tag, tag.replace("cp311", "cp312")):
            wheel = make_wheel(folder, "torch", 320, version=version, tag=one, requires=["triton-of-its-own==3.7.1"])
            found[wheel.name] = hashlib.sha256(wheel.read_bytes()).hexdigest()
            index.builds[wheel.name] = wheel.read_bytes()
    own = make_wheel(folder, "triton-of-its-own", 320, version="3.7.1")
    index.builds[own.name] = own.read_bytes()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{index.url}/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_FIND_LINKS", f"{index.url}/builds/")
    return found


@pytest.mark.parametrize("name", BUILDS)
def test_one_command_makes_the_lists_where_their_builds_can_be_reached(name, builds, tmp_path, monkeypatch):
    """uv itself, and an index and a page of builds on this computer: the right build, and the versions that other lists have."""
    folder = tmp_path / "locks"
    shutil.copytree(LOCKS, folder)
    (folder / f"{name}.txt").unlink(missing_ok=True)
    monkeypatch.setattr(make_locks, "LOCKS", folder)
    monkeypatch.setenv("ECHOGEN_UV", find_uv_bin())
    assert make_locks.main([name]) == 0
    lock = read_lock(folder / f"{name}.txt")
    packages = {package.name: package for package in lock.packages}
    version, tag = BUILDS[name]
    assert packages["torch"].version == version and lock.backend == target_of(name).backend
    assert builds[f"torch-{version}-{tag}.whl"] in packages["torch"].hashes
    assert packages["triton-of-its-own"].version == "3.7.1", "what its build needs, from the same page"
    sibling = read_lock(folder / f"{name.rpartition('-')[0]}-cpu.txt")
    others = set(packages) - {"torch", "triton-of-its-own"}
    assert others and {packages[one] for one in others} <= set(sibling.packages), "as its sibling has them"
    assert "://" not in (folder / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(
    sys.platform != "linux" or targets.platform.machine() != "x86_64", reason="sets up a list of Linux on Intel and AMD"
)
@pytest.mark.parametrize("name", ["linux-x86_64-rocm", "linux-x86_64-xpu"])
def test_a_list_for_a_card_is_set_up_with_the_build_for_it(name, builds, index, tmp_path, monkeypatch):
    """From the mirrors of the network settings: the file for this Python and system, and none of the index's own torch."""
    root = tmp_path / "program"
    folder = root / "installer/locks"
    folder.mkdir(parents=True)
    # Without digests: the files are not those of the real list.
    known = (f"{package.name}=={package.version}\n" for package in read_lock(LOCKS / "linux-x86_64-cpu.txt").packages)
    (folder / "linux-x86_64-cpu.txt").write_text("".join(known), encoding="utf-8")
    monkeypatch.setattr(make_locks, "LOCKS", folder)
    monkeypatch.setenv("ECHOGEN_UV", find_uv_bin())
    assert make_locks.main([name]) == 0
    for variable in ("UV_FIND_LINKS", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("ECHOGEN_PACKAGES", f"{index.url}/simple")
    monkeypatch.setenv("ECHOGEN_TORCH", f"{index.url}/builds/")
    monkeypatch.setenv("ECHOGEN_BACKEND", name.rpartition("-")[2])
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    setup = Setup(Places.standard(root))
    setup.run()
    asked = {unquote(path.rpartition("/")[2]) for path, _ in index.asked if "/torch-" in path}
    assert f"torch-{BUILDS[name][0]}-{BUILDS[name][1]}.whl" in asked
    code = "from importlib.metadata import version; print(version('torch'))"
    output = subprocess.run([setup.python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == BUILDS[name][0] and setup.is_done("program")


def target_of(name: str) -> make_locks.Target:
    return next(target for target in TARGETS if target.name == name)


def test_the_digest_follows_the_list(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text(f"a==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    one = read_lock(file).digest
    file.write_text(f"a==2 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    assert read_lock(file).digest != one


@pytest.mark.parametrize("text", ["a>=1\n", "a==1\n", "a==1 --hash=sha256:xyz\n", "--index-url x\n", "a==1 ; b\n"])
def test_a_damaged_list_is_refused(tmp_path, text):
    file = tmp_path / "x.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SetupFailed, match="damaged"):
        read_lock(file)
    with pytest.raises(SetupFailed, match="cannot be read"):
        read_lock(tmp_path / "none.txt")


def test_windows_on_arm_takes_the_list_of_the_python_that_comes_along(tmp_path, monkeypatch):
    """That Python is for Intel and AMD, and runs there; so do its packages."""
    monkeypatch.setattr(targets.sys, "platform", "win32")
    monkeypatch.setattr(targets.platform, "machine", lambda: "ARM64")
    monkeypatch.setattr(targets.sysconfig, "get_platform", lambda: "win-amd64")
    (tmp_path / "windows-x86_64-cpu.txt").touch()
    assert targets.choose_lock(tmp_path, "cpu").stem == "windows-x86_64-cpu"


def test_the_list_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(targets.sys, "platform", "linux")
    monkeypatch.setattr(targets.platform, "machine", lambda: "AMD64")
    with pytest.raises(SetupFailed, match="no list of packages for this computer"):
        targets.choose_lock(tmp_path, "cuda")
    (tmp_path / "linux-x86_64-cpu.txt").touch()
    assert targets.choose_lock(tmp_path, "cuda").stem == "linux-x86_64-cpu"
    (tmp_path / "linux-x86_64-cuda.txt").touch()
    assert targets.choose_lock(tmp_path, "cuda").stem == "linux-x86_64-cuda"


def test_systems_that_are_too_old_are_told_so(monkeypatch):
    monkeypatch.setattr(targets.struct, "calcsize", lambda kind: 4)
    with pytest.raises(SetupFailed, match="32 bits"):
        targets.check_system()
    monkeypatch.undo()
    monkeypatch.setattr(targets.sys, "platform", "linux")
    monkeypatch.setattr(targets.platform, "libc_ver", lambda: ("glibc", "2.31"))
    with pytest.raises(SetupFailed, match=r"2\.31, and 2\.34 is needed"):
        targets.check_system()
    monkeypatch.setattr(targets.platform, "libc_ver", lambda: ("glibc", "2.36"))
    targets.check_system()
