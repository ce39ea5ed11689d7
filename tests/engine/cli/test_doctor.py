"""``python -m engine doctor``: plain words for every way a machine can be set up wrongly."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import replace

import pytest

from engine.bundle.library import FoundBundle
from engine.bundle.published import published_manifest
from engine.cli import main
from engine.device.devices import GIB, Device
from engine.errors import ExitCode
from engine.planning import diagnosis
from engine.planning.diagnosis import GraphicsCard, TorchBuild, diagnose, find_cards, torch_build
from tests.e2e.paper import write_paper_bundle

SMI = "NVIDIA GeForce RTX 4090, 550.54.14, 24564\nNVIDIA GeForce GTX 1660, 550.54.14, 6144\n"
CARD = GraphicsCard("NVIDIA", "NVIDIA GeForce RTX 4090", "550.54.14", 24 * GIB, "12.4")
PLAIN_TORCH = TorchBuild("2.13.0", "cpu")
CPU = Device("cpu", "CPU", 16 * GIB, 12 * GIB, 4)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, models):
    """A machine with these cards, this torch, and whether CUDA works."""

    def set_up(cards=(), build=PLAIN_TORCH, cuda_works=False, devices=(CPU,)):
        monkeypatch.setattr(diagnosis, "find_cards", lambda: tuple(cards))
        monkeypatch.setattr(diagnosis, "torch_build", lambda: build)
        monkeypatch.setattr(diagnosis, "_cuda_works", lambda: cuda_works)
        monkeypatch.setattr(diagnosis, "find_devices", lambda: devices)
        monkeypatch.setattr(diagnosis, "choose_device", lambda: devices[0])
        return {finding.fact: finding for finding in diagnose()}

    return set_up


@pytest.fixture
def models(tmp_path, monkeypatch):
    """No model but those that ship."""
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def about(findings, start):
    return [finding for finding in findings.values() if finding.fact.startswith(start)]


def wrong(findings, topic):
    return [finding for finding in findings.values() if finding.topic == topic and not finding.good]


def test_a_card_that_torch_was_not_built_for(machine):
    (finding,) = wrong(machine([CARD]), "Graphics card")
    assert (
        "has a graphics card (NVIDIA GeForce RTX 4090), but the installed torch was built for processors only"
        in finding.fact
    )
    assert finding.step.startswith("The processor draws until you install the build for it: ")
    assert finding.step.endswith("bootstrap.py repair")


def test_with_a_card_that_cannot_be_used_yet_it_says_what_it_would_do(machine, models):
    findings = machine([CARD])
    assert "CPU, 4 cores: will be used." in findings
    (model,) = about(findings, "EchoGen 2B")
    assert model.good and model.step == "Get it: python -m engine models get echogen-2b (the licences are shown first)."
    assert "It would run once the graphics card can be used. Fast: needs 20.5 GB, you have 24 GB." in model.fact


def test_a_computer_without_a_card(machine, models):
    findings = machine()
    (card,) = about(findings, "No graphics card")
    assert card.topic == "Graphics card" and card.good
    assert "The processor draws instead" in card.step
    assert "CPU, 4 cores: will be used." in findings  # nothing to be faster than
    (model,) = about(findings, "EchoGen 2B")
    assert model.good and "It might run." in model.fact
    assert "more than is free. Get it:" in model.step


def test_a_computer_far_too_small_for_the_large_model(machine, models):
    (model,) = about(machine(devices=(replace(CPU, total=4 * GIB, free=3 * GIB),)), "EchoGen 2B")
    assert model.good and "would not run: EchoGen 2B needs at least" in model.fact and model.step == ""


@pytest.mark.parametrize(
    ("memory", "step"),
    [(64, "Draw on the processor instead (in the settings, or --device cpu). Fast: needs"), (8, "Use EchoGen mini.")],
)
def test_a_card_with_too_little_memory_for_a_model_that_is_here(machine, models, monkeypatch, memory, step):
    manifest = published_manifest("echogen-2b")
    found = FoundBundle("echogen-2b", models / "echogen-2b", manifest)
    monkeypatch.setattr(diagnosis, "find_bundles", lambda: [found])
    monkeypatch.setattr(diagnosis, "processor", lambda: replace(CPU, total=memory * GIB, free=memory * GIB))
    small = Device("cuda", "NVIDIA GeForce GT 1030", 2 * GIB, 1 * GIB, 4)
    findings = machine(
        [GraphicsCard("NVIDIA", "NVIDIA GeForce GT 1030", "550.54", 2 * GIB, "12.4")],
        TorchBuild("2.13.0", "cuda 12.4"),
        True,
        (small, CPU),
    )
    (model,) = about(findings, "EchoGen 2B")
    assert not model.good
    assert "EchoGen 2B needs at least" in model.fact and "GT 1030" in model.fact
    assert step in model.step


def test_a_driver_that_is_too_old(machine):
    (finding,) = wrong(machine([CARD], TorchBuild("2.13.0+cu130", "cuda 13.0")), "Graphics card")
    assert "takes CUDA up to 12.4, and torch was built for 13.0" in finding.fact
    assert "Update the driver" in finding.step


def test_a_driver_that_is_missing(machine):
    (finding,) = wrong(
        machine([GraphicsCard("NVIDIA", "NVIDIA AD102")], TorchBuild("2.13.0", "cuda 12.4")), "Graphics card"
    )
    assert "driver does not answer" in finding.fact


def test_a_driver_that_does_not_get_along(machine):
    (finding,) = wrong(machine([CARD], TorchBuild("2.13.0", "cuda 12.4")), "Graphics card")
    assert "Restart the computer" in finding.step


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ROCm is for Linux")
def test_an_amd_card(machine):
    (finding,) = wrong(machine([GraphicsCard("AMD", "Navi 31")]), "Graphics card")
    assert "ROCm" in finding.fact


def test_a_card_that_works(machine):
    device = Device("cuda", "NVIDIA GeForce RTX 4090", 24 * GIB, 23 * GIB, 8, half=True)
    findings = machine([CARD], TorchBuild("2.13.0", "cuda 12.4"), True, (device, CPU))
    assert wrong(findings, "Graphics card") == []
    assert "NVIDIA GeForce RTX 4090, 24 GB, 23.0 GB free: will be used, as the fastest one." in findings
    assert "CPU, 4 cores." in findings
    assert "torch 2.13.0, built for NVIDIA cards, CUDA 12.4." in findings


def test_a_model_whose_size_cannot_be_told(machine, models):
    write_paper_bundle(models / "paper")  # its encoders are described by nothing
    (finding,) = [finding for finding in wrong(machine(), "Model") if finding.fact.startswith("paper")]
    assert "cannot be told from its description" in finding.fact and "d_model" in finding.fact


def test_no_torch_at_all(machine):
    findings = machine([CARD], TorchBuild("", "", "it is not installed"))
    (finding,) = wrong(findings, "Torch")
    assert finding.fact == "torch cannot be used: it is not installed."
    assert wrong(findings, "Graphics card") == []


def test_a_torch_that_does_not_load(monkeypatch: pytest.MonkeyPatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "torch":
                raise OSError("libtorch_cuda.so: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    build = torch_build()
    assert build.version
    assert "libtorch_cuda.so" in build.problem


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (types.SimpleNamespace(cuda="12.4"), "cuda 12.4"),
        (types.SimpleNamespace(cuda=None, hip="6.4"), "rocm 6.4"),
        (types.SimpleNamespace(cuda=None), "cpu"),
    ],
)
def test_what_torch_was_built_for(monkeypatch: pytest.MonkeyPatch, version, expected):
    built = types.SimpleNamespace(is_built=lambda: False)
    fake = types.SimpleNamespace(version=version, backends=types.SimpleNamespace(mps=built))
    monkeypatch.setitem(sys.modules, "torch", fake)
    assert torch_build().built_for == expected


def test_cards_are_read_from_the_drivers_tool():
    def run(command):
        return {"nvidia-smi": SMI if len(command) > 1 else "| Driver 550.54.14   CUDA Version: 12.4 |"}.get(
            command[0], ""
        )

    first, second = find_cards(run)
    assert first == GraphicsCard("NVIDIA", "NVIDIA GeForce RTX 4090", "550.54.14", 24564 * 2**20, "12.4")
    assert second.name == "NVIDIA GeForce GTX 1660"


def test_cards_without_a_driver_are_found_too():
    line = "01:00.0 VGA compatible controller: NVIDIA Corporation AD102 [GeForce RTX 4090] (rev a1)\n"
    line += "00:02.0 VGA compatible controller: Intel Corporation UHD Graphics\n"
    (card,) = find_cards(lambda command: line if command[0] == "lspci" else "")
    assert card.maker == "NVIDIA" and card.driver == ""
    assert find_cards(lambda command: "") == ()


def test_a_damaged_model_is_said_and_a_good_one_gets_its_plan(machine, tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bundle.json").write_text("{")
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path))
    (finding,) = wrong(machine(), "Model")
    assert finding.fact.startswith("bad: ")


def test_a_computer_that_lacks_room_is_said_with_the_step(machine, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "models" / "not there yet"))
    memory = types.SimpleNamespace(total=2 * GIB, available=GIB)
    monkeypatch.setattr(diagnosis.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=30 * 10**9))
    findings = {finding.topic: finding for finding in machine().values()}
    assert not findings["Computer"].good and findings["Computer"].step.startswith("The small model needs about 2 GB")
    assert findings["Disk"].good and findings["Disk"].fact.startswith("30 GB free")
    assert findings["Disk"].step.startswith("EchoGen 2B needs about 40 GB")
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=90 * 10**9))
    assert about(machine(), "90 GB free")[0].step == ""
    monkeypatch.setattr(diagnosis.os, "access", lambda *_: False)
    (disk,) = about(machine(), "90 GB free")
    assert not disk.good and "set ECHOGEN_MODELS" in disk.step


def test_what_is_missing_of_the_program_is_said(machine, models, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(diagnosis, "find_bundles", list)
    monkeypatch.setattr(diagnosis, "LIBRARIES", ("numpy", "echogen-no-such-thing", "echogen-nor-this"))
    monkeypatch.setattr("engine.preflight.things_problem", lambda: "things.onnx is damaged.")
    findings = machine()
    (library,) = wrong(findings, "Libraries")
    assert library.fact == "echogen-no-such-thing, echogen-nor-this are not installed." and "repair" in library.step
    (cut_outs,) = wrong(findings, "Cut-outs")
    assert cut_outs.fact == "things.onnx is damaged." and "names do not help" in cut_outs.step
    assert "There is no model on this computer." in findings
    monkeypatch.setattr("engine.preflight.shipped_problem", lambda: "cutout.onnx is missing.")
    (cut_outs,) = wrong(machine(), "Cut-outs")
    assert cut_outs.fact == "cutout.onnx is missing." and "colours and edges" in cut_outs.step


def test_lines_of_the_drivers_tool_that_are_none_are_passed_over():
    answers = {"nvidia-smi --query": "Unable to determine the device\nNVIDIA X, 550.1, [N/A]\nNVIDIA Y, 550.1, 8192\n"}
    (card,) = find_cards(lambda command: next((v for k, v in answers.items() if " ".join(command).startswith(k)), ""))
    assert card.name == "NVIDIA Y" and card.cuda == ""


def test_the_command_prints_one_line_a_finding(machine, capsys: pytest.CaptureFixture[str]):
    machine([CARD])
    assert main(["doctor"]) == ExitCode.DONE
    printed = capsys.readouterr().out
    assert "! Graphics card:" in printed
    assert not [line for line in printed.splitlines() if line.startswith("✓") and "cut-outs (" in line], (
        "what is absent has a dash"
    )
    assert "need attention" in printed or "needs attention" in printed
    assert main(["doctor", "--json"]) == ExitCode.DONE
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"topic", "fact", "step", "good", "absent"} == entries[0].keys()
    assert {"Computer", "Disk", "Torch", "Device", "Libraries"} <= {entry["topic"] for entry in entries}
