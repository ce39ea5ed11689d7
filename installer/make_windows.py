"""Makes what Inno Setup packs for Windows, in ``build/windows``: ``python installer/make_windows.py --python FOLDER``.

    echogen/       the program, uv, and the Python in FOLDER (``uv python install 3.11 --install-dir FOLDER``)
    EchoGen.iss    the script; ``iscc build/windows/EchoGen.iss`` makes ``EchoGen-Setup-VERSION.exe`` beside it

Python comes along so that the first sign of the launcher is there at once, and nothing is fetched before there is a window. All paths of
the script are relative to its folder or begin with a constant of Inno Setup: no name of a folder is written into it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installer.desktop_entry import APP_ID, COMMENT  # noqa: E402
from installer.launcher.versions import version_of  # noqa: E402
from installer.make_packages import fetch_uv, put_program  # noqa: E402

TREE = "echogen"
TYPES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
"""Kinds of files that offer EchoGen under *Open with*. What opens them by default stays as it is."""
OWN_FOLDERS = ("app", "engine", "installer", "python", "resources")
"""Folders of the program in which Python leaves compiled files; the uninstaller empties them whole."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make_windows.py", description="Make what Inno Setup packs for Windows.")
    parser.add_argument("--python", type=Path, required=True, help="folder of a Python for Windows, as uv installs it")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "windows", help="folder for it (%(default)s)")
    parser.add_argument("--uv", type=Path, help="a uv.exe to take along instead of the pinned one")
    parser.add_argument("--updates", default="", help="address of the latest.json of later versions")
    parser.add_argument("--sign", action="store_true", help="sign with the tool that iscc knows as “sign” (/Ssign=…)")
    options = parser.parse_args(arguments)
    if not any(options.python.glob("*/pythonw.exe")):
        parser.error(f"{options.python} holds no folder with a pythonw.exe")
    print(make_windows(options.out, options.python, options.uv, options.updates, sign=options.sign))
    return 0


def make_windows(out: Path, python: Path, uv: Path | None = None, updates: str = "", *, sign: bool = False) -> Path:
    """Make the tree and the script. Returns the script.

    Raises:
        FileNotFoundError: there is no ``pythonw.exe`` in the folder of Python.
    """
    found = sorted(python.glob("*/pythonw.exe"))
    if not found:
        raise FileNotFoundError(f"{python} holds no folder with a pythonw.exe")
    tree = out / TREE
    shutil.rmtree(tree, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        put_program(tree, uv or fetch_uv(Path(folder), "windows"), updates)
    shutil.copytree(found[-1].parent, tree / "python")
    script = out / "EchoGen.iss"
    # With a byte order mark: Inno Setup takes the file for another encoding without one.
    script.write_text(iss(version_of(ROOT), sign=sign), encoding="utf-8-sig", newline="\r\n")
    return script


def iss(version: str, *, sign: bool = False) -> str:
    """The script for Inno Setup 6.3 or newer.

    Args:
        version: of the program.
        sign: sign the installer and the uninstaller.
    """
    start = r"{app}\installer\launcher\start.pyw"
    pythonw = r"{app}\python\pythonw.exe"
    command = f'"{pythonw}" -I "{start}" "%1"'
    icon = r"{app}\resources\icons\echogen.ico"
    lines = [
        "[Setup]",
        f"AppId={APP_ID}",
        "AppName=EchoGen",
        f"AppVersion={_plain(version)}",
        f"AppVerName=EchoGen {_plain(version)}",
        "AppPublisher=The EchoGen authors",
        f"AppComments={_plain(COMMENT)}",
        # For this user only: no administrator is asked.
        "PrivilegesRequired=lowest",
        r"DefaultDirName={localappdata}\Programs\EchoGen",
        "DefaultGroupName=EchoGen",
        "DisableProgramGroupPage=yes",
        "DisableWelcomePage=no",
        "ArchitecturesAllowed=x64compatible",
        "ArchitecturesInstallIn64BitMode=x64compatible",
        "MinVersion=10.0.17763",
        "ChangesAssociations=yes",
        "CloseApplications=yes",
        "Compression=lzma2",
        "SolidCompression=yes",
        "WizardStyle=modern",
        rf"SetupIconFile={TREE}\resources\icons\echogen.ico",
        rf"LicenseFile={TREE}\LICENSE",
        f"UninstallDisplayIcon={icon}",
        "OutputDir=.",
        f"OutputBaseFilename=EchoGen-Setup-{_plain(version)}",
        *(["SignTool=sign", "SignedUninstaller=yes"] if sign else []),
        "",
        "[Languages]",
        'Name: "en"; MessagesFile: "compiler:Default.isl"',
        "",
        "[CustomMessages]",
        "en.RemoveModels=Remove the downloaded models, too? Pictures, history and settings stay in any case.",
        "",
        "[InstallDelete]",  # of the version before: a module that moved must not be found twice
        *(_entry(Type="filesandordirs", Name=rf"{{app}}\{folder}") for folder in OWN_FOLDERS),
        "",
        "[Files]",
        _entry(Source=rf"{TREE}\*", DestDir="{app}", Flags="ignoreversion recursesubdirs createallsubdirs"),
        "",
        "[Icons]",
        _entry(
            Name=r"{autoprograms}\EchoGen",
            Filename=pythonw,
            Parameters=f'-I "{start}"',
            WorkingDir="{app}",
            IconFilename=icon,
            Comment=COMMENT,
            AppUserModelID=APP_ID,
        ),
        "",
        "[Registry]",
        _key(r"Software\Classes\EchoGen.Picture", "", "Picture"),
        _key(r"Software\Classes\EchoGen.Picture\DefaultIcon", "", icon),
        _key(r"Software\Classes\EchoGen.Picture\shell\open", "FriendlyAppName", "EchoGen"),
        _key(r"Software\Classes\EchoGen.Picture\shell\open\command", "", command),
        *(_key(rf"Software\Classes\{kind}\OpenWithProgids", "EchoGen.Picture", "", own=False) for kind in TYPES),
        "",
        "[Run]",
        _entry(
            Filename=pythonw,
            Parameters=f'-I "{start}"',
            Description="{cm:LaunchProgram,EchoGen}",
            Flags="nowait postinstall skipifsilent",
        ),
        "",
        "[UninstallDelete]",
        *(_entry(Type="filesandordirs", Name=rf"{{app}}\{folder}") for folder in OWN_FOLDERS),
        "",
        "[Code]",
        CODE,
    ]
    return "\n".join(lines)


CODE = r"""procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Parameters: String;
  Code: Integer;
begin
  if Step <> usUninstall then
    Exit;
  Parameters := '-I "' + ExpandConstant('{app}\installer\launcher\start.pyw') + '" --remove';
  if SuppressibleMsgBox(CustomMessage('RemoveModels'), mbConfirmation, MB_YESNO or MB_DEFBUTTON2, IDNO) = IDYES then
    Parameters := Parameters + ' --with-models';
  Exec(ExpandConstant('{app}\python\pythonw.exe'), Parameters, '', SW_HIDE, ewWaitUntilTerminated, Code);
end;
"""


def _plain(text: str) -> str:
    """A value without constants: a brace begins one, and the second of two is none."""
    return " ".join(text.split()).replace("{", "{{")


def _entry(**values: str) -> str:
    """One line of a section: quotes in a value are doubled."""
    return "; ".join(
        f'{name}: "{value.replace(chr(34), chr(34) * 2)}"' if name != "Flags" else f"{name}: {value}"
        for name, value in values.items()
    )


def _key(subkey: str, name: str, value: str, *, own: bool = True) -> str:
    """A value in the user's part of the registry, gone with the program; ``own``: so is its key."""
    flags = "uninsdeletekey" if own else "uninsdeletevalue"
    return f"Root: HKCU; {_entry(Subkey=subkey, ValueType='string', ValueName=name, ValueData=value)}; Flags: {flags}"


if __name__ == "__main__":
    sys.exit(main())
