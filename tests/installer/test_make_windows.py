"""What Inno Setup gets: every line is one of its grammar, every file is there, and every command survives a hostile folder."""

from __future__ import annotations

import configparser
import ntpath
import re
import subprocess
import sys
from pathlib import Path

import pytest

from installer import make_macos, make_offline, make_packages, make_windows
from installer.launcher.places import long_form

ROOT = Path(__file__).parents[2]
HOSTILE = "C:\\Users\\Zoë & O'Brien 100% {x} 日本\\AppData\\Local\\Programs\\EchoGen"


def entries(section: str) -> list[dict[str, str]]:
    """The parameters of every line of a section, quotes undone; a line of another form fails."""
    found = []
    for line in section.splitlines():
        parameters = {}
        rest = line
        while rest:
            match = re.match(r'(\w+): (?:"((?:[^"]|"")*)"|([^";]+))(?:; |$)', rest)
            assert match, line
            assert match[1] not in parameters, line
            parameters[match[1]] = match[2].replace('""', '"') if match[2] is not None else match[3]
            rest = rest[match.end() :]
        found.append(parameters)
    return found


def sections(script: str) -> dict[str, str]:
    parts = re.split(r"^\[(\w+)\]$", script, flags=re.MULTILINE)
    assert parts[0] == ""
    return {name: text.strip("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def arguments(command: str) -> list[str]:
    """A command line as Windows programs take it apart; none of ours has a backslash before a quote."""
    assert '\\"' not in command
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', command)]


@pytest.fixture(scope="module")
def script() -> dict[str, str]:
    return sections(make_windows.iss("0.1.0"))


def test_the_tree_and_the_script_belong_together(tmp_path, monkeypatch):
    monkeypatch.setattr(
        make_packages, "CONTENTS", ("main.py", "LICENSE", "installer", "engine/version.py", "resources/icons")
    )
    python = tmp_path / "pythons" / "cpython-3.11.9-windows-x86_64-none"
    python.mkdir(parents=True)
    (python / "pythonw.exe").touch()
    uv = tmp_path / "uv.exe"
    uv.touch()
    made = make_windows.make_windows(
        tmp_path / "it's {a} 100% 日本", python.parent, uv, "https://example.org/latest.json"
    )
    text = made.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf") and text.count(b"\n") == text.count(b"\r\n")
    script = text.decode("utf-8-sig").replace("\r\n", "\n")
    parts = sections(script)
    tree = made.parent / make_windows.TREE
    for line in parts["Setup"].splitlines():
        name, _, value = line.partition("=")
        if name in ("SetupIconFile", "LicenseFile"):
            assert (made.parent / value.replace("\\", "/")).is_file(), line
    wanted = set(re.findall(r"\{app\}\\([^\"'\n]+?)(?=[\"'\n])", script))
    for path in wanted:
        assert (tree / path.replace("\\", "/")).exists() or path in make_windows.OWN_FOLDERS, path
    assert (tree / "installer/launcher/bin/uv.exe").is_file() and (tree / "python/pythonw.exe").is_file()
    assert (tree / "installer/updates-address").read_text() == "https://example.org/latest.json\n"
    assert entries(parts["Files"])[0]["Source"] == "echogen\\*"


def test_a_folder_without_python_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"pythonw\.exe"):
        make_windows.make_windows(tmp_path / "out", tmp_path)


def test_what_is_named_wrongly_is_one_sentence_and_destroys_nothing(tmp_path, capsys):
    app = tmp_path / "EchoGen.app" / "kept"
    app.mkdir(parents=True)
    out, nothing = ["--out", str(tmp_path)], ["--python", str(tmp_path / "none")]
    for made, words, said in (
        (make_windows, nothing, "holds no folder with a pythonw.exe"),
        (make_macos, nothing, "there is no folder"),
        (make_offline, ["none"], "there is no list none"),
    ):
        with pytest.raises(SystemExit) as ended:
            made.main([*words, *out])
        assert ended.value.code == 2 and said in capsys.readouterr().err
    assert app.exists()


def test_it_is_for_one_user_and_every_section_can_be_read(script):
    setup = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=())
    setup.optionxform = str
    setup.read_string("[Setup]\n" + script["Setup"])
    values = setup["Setup"]
    assert values["PrivilegesRequired"] == "lowest" and values["DefaultDirName"].startswith("{localappdata}")
    assert values["MinVersion"] == "10.0.17763" and values["ChangesAssociations"] == "yes"
    assert "SignTool" not in values and "SignTool=sign" in make_windows.iss("0.1.0", sign=True)
    for name in ("Languages", "InstallDelete", "Files", "Icons", "Registry", "Run", "UninstallDelete"):
        assert entries(script[name]), name
    assert all(entry["Root"] == "HKCU" for entry in entries(script["Registry"])), "nothing of another user is touched"
    assert "{{odd} version" in make_windows.iss("{odd} version")
    assert script["Code"].count("begin") == script["Code"].count("end;") == 1


def test_commands_survive_a_hostile_folder(script):
    pythonw, start = (
        ntpath.join(HOSTILE, "python", "pythonw.exe"),
        ntpath.join(HOSTILE, "installer\\launcher\\start.pyw"),
    )
    (icon,) = entries(script["Icons"])
    assert arguments(icon["Parameters"].replace("{app}", HOSTILE)) == ["-I", start]
    assert icon["Filename"].replace("{app}", HOSTILE) == pythonw
    registry = {(entry["Subkey"], entry["ValueName"]): entry["ValueData"] for entry in entries(script["Registry"])}
    command = registry[r"Software\Classes\EchoGen.Picture\shell\open\command", ""].replace("{app}", HOSTILE)
    photo = "D:\\my photos\\100% {duck} 日本.png"
    assert arguments(command.replace("%1", photo)) == [pythonw, "-I", start, photo]
    assert (r"Software\Classes\.png\OpenWithProgids", "EchoGen.Picture") in registry


def test_the_start_file_reaches_the_launcher_from_a_hostile_folder(tmp_path):
    launcher = tmp_path / "it's 100% {x} 日本" / "installer" / "launcher"
    launcher.mkdir(parents=True)
    (launcher / "start.pyw").write_bytes((ROOT / "installer/launcher/start.pyw").read_bytes())
    (launcher.parent / "__init__.py").touch()
    (launcher / "__init__.py").touch()
    (launcher / "__main__.py").write_text("import sys; print(sys.argv[1:], __name__)", encoding="utf-8")
    command = [sys.executable, "-I", "-X", "utf8", str(launcher / "start.pyw"), "a photo.png"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path)
    assert done.stdout.strip() == "['a photo.png'] __main__", done.stderr


@pytest.mark.parametrize(
    ("path", "long"),
    [
        ("C:\\Users\\Zoë\\x/y\\..\\z", "\\\\?\\C:\\Users\\Zoë\\x\\z"),
        ("\\\\server\\share\\x", "\\\\?\\UNC\\server\\share\\x"),
        ("\\\\?\\C:\\x", "\\\\?\\C:\\x"),
    ],
)
def test_long_paths_have_the_form_that_windows_takes(path, long):
    assert long_form(path) == long
