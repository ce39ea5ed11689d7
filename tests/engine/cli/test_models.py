"""``python -m engine models`` as a person at the command line meets it: files, words, exit codes."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from engine.bundle.manifest import read_manifest
from engine.cli import main
from engine.cli.models import _tell_more, describe, progress
from engine.errors import ExitCode, NetworkError
from engine.weights.state import Meter, ModelState, licence_words
from engine.weights.store import ModelStore
from tests.engine.weights import hub_server as faults
from tests.engine.weights.conftest import hub  # noqa: F401 - a fixture
from tests.engine.weights.hub_server import FakeHub, Repository


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return tmp_path / "models"


@pytest.fixture
def helpers(hub: FakeHub, models: Path) -> FakeHub:  # noqa: F811
    for repository, content in (("IDEA-Research/grounding-dino-tiny", b"g"), ("facebook/sam2.1-hiera-small", b"s")):
        hub.repositories[repository] = Repository({"config.json": b"{}", "model.safetensors": content * 70_000})
    return hub


def test_the_list_says_what_there_is_and_could_be(models: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["models", "list"]) == ExitCode.DONE
    printed = capsys.readouterr()
    assert "EchoGen 2B, not here, 26.4 GB to download, MIT and Apache-2.0" in printed.out
    assert "import it from a folder" in printed.out
    assert "free in" in printed.err
    assert main(["models", "list", "--json"]) == ExitCode.DONE
    listed = {entry["name"]: entry for entry in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {"echogen-2b", "echogen-125m", "cut-out", "naming", "evaluation"} <= listed.keys()
    assert not listed["echogen-2b"]["installed"]
    assert len(listed["echogen-2b"]["parts"]) == 5


def test_get_verify_remove(helpers: FakeHub, models: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["models", "get", "cut-out"]) == ExitCode.BAD_INPUT
    output = capsys.readouterr().err
    assert "Apache-2.0" in output and "https://www.apache.org" in output and "--accept-licences" in output
    assert helpers.requests == []

    helpers.fail("model.safetensors", faults.cut(0.5))
    assert main(["models", "get", "cut-out", "--accept-licences", "--json"]) == ExitCode.DONE
    printed = capsys.readouterr()
    assert json.loads(printed.out)["installed"]
    assert "Asking the server" not in printed.err, "nobody watches the progress in a pipe"

    assert main(["models", "verify", "cut-out"]) == ExitCode.DONE
    assert "every byte is right" in capsys.readouterr().out
    (models / "parts" / "grounding-dino-tiny" / "config.json").write_bytes(b"[]")
    assert main(["models", "verify", "cut-out"]) == ExitCode.BUNDLE
    assert "grounding-dino-tiny/config.json" in capsys.readouterr().err
    assert main(["models", "get", "cut-out"]) == ExitCode.DONE  # accepted before: not asked again
    capsys.readouterr()
    assert main(["models", "remove", "cut-out"]) == ExitCode.DONE
    assert capsys.readouterr().out == "140 KB are free again.\n"
    assert main(["models", "remove", "cut-out"]) == ExitCode.BAD_INPUT
    assert main(["models", "verify", "cut-out"]) == ExitCode.BUNDLE


def test_several_models_are_got_in_one_go_with_their_licences_first(helpers: FakeHub, models: Path, capsys):
    helpers.repositories["Qwen/Qwen2.5-VL-3B-Instruct"] = Repository(
        {"config.json": b"{}", "model.safetensors": b"q" * 70_000}, "qwen-research"
    )
    command = ["models", "get", "cut-out", "naming", "--choose", "qwen2.5-vl-3b", "--accept-licences"]
    assert main(command) == ExitCode.DONE
    printed = capsys.readouterr()
    assert printed.out.count("ready") == 2
    assert "Qwen Research. For research and evaluation only" in printed.err
    assert (models / "parts" / "qwen2.5-vl-3b" / "model.safetensors").is_file()
    assert main(["models", "get", "cut-out", "naming", "--choose", "dinov2-base"]) == ExitCode.BAD_INPUT
    assert "is no choice for Better cut-outs" in capsys.readouterr().err


def test_what_goes_well_with_a_model_is_said_until_it_is_here(models: Path, capsys):
    store = ModelStore()
    large = state(name="echogen-2b", phase="ready", installed=True, originals=25_000_000_000)
    _tell_more(store, large, ["echogen-2b"])
    output = capsys.readouterr().err
    assert "not needed any more (25.0 GB): python -m engine models remove echogen-2b --originals" in output
    assert "Better cut-outs (875 MB)." in output and output.rstrip().endswith("python -m engine models get naming")
    _tell_more(store, large, ["echogen-2b", "cut-out", "naming"])
    assert "Goes well" not in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "code"), [("yes\n", ExitCode.DONE), ("no\n", ExitCode.CANCELLED)])
def test_a_person_is_asked(
    helpers: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, code: int
):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["models", "get", "cut-out"]) == code
    assert "Type yes" in capsys.readouterr().err


def test_a_server_that_refuses_is_a_network_error(helpers: FakeHub, capsys: pytest.CaptureFixture[str]):
    helpers.fail("config.json", faults.status(403))
    assert main(["models", "get", "cut-out", "--accept-licences"]) == ExitCode.NETWORK
    assert "The server refuses" in capsys.readouterr().err


def test_import_from_a_folder(helpers: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, model_type in (("dino", "grounding-dino"), ("sam", "sam2")):
        (tmp_path / "stick" / name).mkdir(parents=True)
        (tmp_path / "stick" / name / "config.json").write_text(json.dumps({"model_type": model_type}))
        (tmp_path / "stick" / name / "model.safetensors").write_bytes(b"w")
    assert main(["models", "import", str(tmp_path / "stick")]) == ExitCode.DONE
    assert "ready" in capsys.readouterr().out
    assert main(["models", "import", str(tmp_path / "nothing")]) == ExitCode.BAD_INPUT
    assert helpers.requests == []


def test_a_bundle_of_ones_own_is_imported_and_removed(
    tiny_bundle: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """One that the catalogue does not know: a model that somebody trained."""
    name = read_manifest(tiny_bundle).name
    stick = shutil.copytree(tiny_bundle, tmp_path / "stick")
    assert main(["models", "import", str(stick)]) == ExitCode.DONE
    assert capsys.readouterr().out.startswith(f"{name}: ") and (models / name / "bundle.json").is_file()
    assert main(["models", "remove", name]) == ExitCode.DONE
    assert "free again" in capsys.readouterr().out and not (models / name).exists()
    (stick / "text" / "tokenizer.json").unlink()
    assert main(["models", "import", str(stick)]) == ExitCode.BUNDLE
    assert "text/tokenizer.json" in capsys.readouterr().err and not (models / name).exists()


def test_a_mirror_is_remembered_and_has_to_be_safe(helpers: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.delenv("ECHOGEN_HUB")
    assert main(["models", "get", "cut-out", "--from", "http://mirror.example"]) == ExitCode.BAD_INPUT
    assert "https://" in capsys.readouterr().err
    arguments = ["models", "get", "cut-out", "--accept-licences"]
    assert main([*arguments, "--from", helpers.url]) == ExitCode.DONE
    assert main(["models", "remove", "cut-out"]) == ExitCode.DONE
    asked = len(helpers.requests)
    assert main(arguments) == ExitCode.DONE  # from the same mirror, without saying it again
    assert len(helpers.requests) > asked


def test_unknown_models_list_the_known_ones(models: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["models", "get", "echogen-9b"]) == ExitCode.BAD_INPUT
    assert "There are: echogen-2b" in capsys.readouterr().err


# Words


def state(**changes) -> ModelState:
    return ModelState(
        **{"name": "m", "title": "EchoGen 2B", "description": "", "licence": "MIT", "phase": "absent", **changes}
    )


def test_progress_in_words():
    moving = state(phase="fetching", done=6_100_000_000, total=14_200_000_000, rate=38e6, left=240.0)
    assert progress(moving) == "EchoGen 2B: 6.1 GB of 14.2 GB, 38 MB/s, about 4 min left"
    assert progress(state(phase="converting", fraction=0.42)) == "EchoGen 2B: Converting, 42%"
    assert "goes on" in describe(state(done=5, total=10, phase="paused"))
    assert "fell silent" in describe(state(phase="failed", error=NetworkError("The server fell silent.")))


def test_licences_in_words():
    assert licence_words(["MIT", "Apache-2.0", "MIT"]) == "MIT and Apache-2.0"
    assert licence_words(["MIT", "Apache-2.0", "Other"]) == "MIT, Apache-2.0 and Other"


def test_the_meter_follows_the_last_seconds():
    now = [0.0]
    meter = Meter(8.0, lambda: now[0])
    assert meter.left(0, 100) is None
    for second in range(20):
        now[0] = float(second)
        meter.mark(second * 1000)
    assert meter.rate(19_000) == pytest.approx(1000)
    assert meter.left(19_000, 29_000) == pytest.approx(10)
    now[0] = 60.0
    assert meter.rate(19_000) < 200


def test_a_server_that_falls_silent_is_no_slow_one():
    now = [0.0]
    meter = Meter(8.0, lambda: now[0])
    for second in range(10):
        now[0] = float(second)
        meter.mark(second * 1000)
    assert not meter.silent
    now[0] = 9 + Meter.SILENT_AFTER + 0.1
    assert meter.silent
    now[0] = 18.0
    assert meter.rate(9000) == 0 and meter.left(9000, 20_000) is None  # what came before is no speed any more
    meter.reset()
    assert not meter.silent  # its time begins now
