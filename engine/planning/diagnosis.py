"""This computer's devices, the one that will be used, and why: the facts behind ``doctor``. Works where parts are missing.

Nothing here needs torch to be installed, or to load: a broken installation is one of the things to be said.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.bundle.conversion_report import find_reports
from engine.bundle.library import find_bundles, models_folder
from engine.bundle.manifest import BundleManifest
from engine.bundle.published import published_manifest
from engine.device.devices import GIB, Device, choose_device, find_devices, gigabytes, processor, run_tool
from engine.errors import BundleError, EchoGenError, NotEnoughMemory
from engine.files import is_there
from engine.planning.plans import plan_for
from engine.version import __version__

LARGE_MODEL = "echogen-2b"
_DESKTOP = GIB  # what the desktop and a browser commonly hold on a card
LIBRARIES = (
    "torch",
    "transformers",
    "diffusers",
    "safetensors",
    "tokenizers",
    "PySide6-Essentials",
    "httpx",
    "huggingface-hub",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        topic: what it is about: "Computer", "Graphics card", "Torch", …
        fact: one sentence.
        step: what to do about it, "" when nothing.
        good: whether all is well.
        absent: something that could be here is not, and nothing is wrong with that.
    """

    topic: str
    fact: str
    step: str = ""
    good: bool = True
    absent: bool = False


@dataclass(frozen=True)
class GraphicsCard:
    """A graphics card as its driver's own tool describes it.

    Attributes:
        maker: "NVIDIA" or "AMD". driver: version of the driver, "" when not known.
        memory: bytes, 0 when not known. cuda: the newest CUDA the driver takes, "12.4", or "".
    """

    maker: str
    name: str
    driver: str = ""
    memory: int = 0
    cuda: str = ""


@dataclass(frozen=True)
class TorchBuild:
    """The installed torch: its version, what it was built for ("cpu", "cuda 13.0", "rocm 6.4", "mps"), and why it fails."""

    version: str
    built_for: str
    problem: str = ""


def diagnose() -> tuple[Finding, ...]:
    """Look at everything. Takes seconds, because torch is imported."""
    findings = [_computer(), _disk()]
    cards = find_cards()
    build = torch_build()
    findings += [_card(card) for card in cards]
    findings.append(_torch(build))
    findings += _card_and_torch(cards, build)
    device = processor()
    if not build.problem:
        try:
            device = choose_device()
            devices = find_devices()
            if not cards and len(devices) == 1:
                findings.append(_no_card())
            findings += [_device(found, found.torch_name == device.torch_name, len(devices)) for found in devices]
        except Exception as error:  # a driver that breaks while it is asked is a finding, not a fault
            findings.append(Finding("Device", f"Looking for devices failed: {error}.", "Draw on the processor.", False))
    findings += _bundles(device)
    findings += _could_have(device, cards)
    findings.append(_cut_outs())
    findings.append(_libraries())
    return tuple(findings)


def find_cards(run: Callable[[list[str]], str] | None = None) -> tuple[GraphicsCard, ...]:
    """Graphics cards by the tools of their drivers, whatever torch thinks of them.

    Args:
        run: runs a command and returns what it printed, "" when it cannot; tests give their own.
    """
    run = run or run_tool
    cards = []
    listed = run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"])
    cuda = re.search(r"CUDA Version:\s*([\d.]+)", run(["nvidia-smi"])) if listed else None
    for line in listed.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3 and fields[2].isdecimal():
            cards.append(
                GraphicsCard("NVIDIA", fields[0], fields[1], int(fields[2]) * 2**20, cuda.group(1) if cuda else "")
            )
    if not cards:
        for line in run(["lspci"]).splitlines():
            found = re.search(r"(?:VGA compatible|3D) controller: (.*)", line)
            if found and ("NVIDIA" in found.group(1) or "AMD" in found.group(1) or "ATI" in found.group(1)):
                cards.append(GraphicsCard("NVIDIA" if "NVIDIA" in found.group(1) else "AMD", found.group(1)))
    return tuple(cards)


def torch_build() -> TorchBuild:
    """The installed torch, imported to see whether it works."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return TorchBuild("", "", "it is not installed")
    try:
        import torch
    except Exception as error:  # broken libraries raise whatever they like: OSError, ImportError, …
        return TorchBuild(version, "", f"it does not load: {error}")
    if torch.version.cuda:
        built = f"cuda {torch.version.cuda}"
    elif getattr(torch.version, "hip", None):
        built = f"rocm {torch.version.hip}"
    else:
        built = "mps" if torch.backends.mps.is_built() else "cpu"
    return TorchBuild(version, built)


def _computer() -> Finding:
    memory = psutil.virtual_memory()
    system = f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}"
    cores = processor().cores
    fact = f"EchoGen {__version__} on {system}; {processor().words}, {gigabytes(memory.total)} of memory, "
    fact += f"{gigabytes(memory.available)} of it free."
    if memory.total < 4 * GIB:
        return Finding("Computer", fact, "The small model needs about 2 GB free; close other programs.", False)
    return Finding("Computer", fact, "" if cores > 1 else "With one core, pictures take long.", True)


def _disk() -> Finding:
    folder = models_folder()
    place = folder
    while not is_there(place) and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    fact = f"{free / 10**9:.0f} GB free for models in {folder}."
    if not os.access(place, os.W_OK):
        return Finding("Disk", fact, "Files cannot be written there; set ECHOGEN_MODELS to another folder.", False)
    if free < 41 * 10**9:
        return Finding(
            "Disk", fact, "EchoGen 2B needs about 40 GB while it is downloaded and converted, 14 GB after.", True
        )
    return Finding("Disk", fact)


def _card(card: GraphicsCard) -> Finding:
    details = [f"{round(card.memory / GIB)} GB"] if card.memory else []
    if card.driver:
        details.append(f"driver {card.driver}")
    if card.cuda:
        details.append(f"CUDA up to {card.cuda}")
    name = card.name if card.name.upper().startswith(card.maker.upper()) else f"{card.maker} {card.name}"
    return Finding("Graphics card", f"{', '.join([name, *details])}.")


def _torch(build: TorchBuild) -> Finding:
    if build.problem:
        name = f"torch {build.version}" if build.version else "torch"
        return Finding(
            "Torch", f"{name} cannot be used: {build.problem}.", f"Repair the environment: {repair_command()}", False
        )
    kind, _, number = build.built_for.partition(" ")
    words = {
        "cpu": "for processors only",
        "mps": "for Apple's processors",
        "cuda": f"for NVIDIA cards, CUDA {number}",
        "rocm": f"for AMD cards, ROCm {number}",
    }[kind]
    return Finding("Torch", f"torch {build.version}, built {words}.")


def _card_and_torch(cards: tuple[GraphicsCard, ...], build: TorchBuild) -> list[Finding]:
    """The reasons why a card cannot be used."""
    nvidia = [card for card in cards if card.maker == "NVIDIA"]
    amd = [card for card in cards if card.maker == "AMD"]
    if build.problem or not cards:
        return []
    if nvidia and build.built_for == "cpu":
        return [
            Finding(
                "Graphics card",
                f"This computer has a graphics card ({nvidia[0].name}), but the installed torch was built for processors only.",
                f"The processor draws until you install the build for it: {repair_command()}"
                + ("" if nvidia[0].driver else " – and its driver first, from nvidia.com."),
                False,
            )
        ]
    if amd and not nvidia and not build.built_for.startswith("rocm") and sys.platform.startswith("linux"):
        return [
            Finding(
                "Graphics card",
                f"The AMD card ({amd[0].name}) needs a torch built for ROCm, and this one is built for {build.built_for}.",
                "See pytorch.org/get-started for the ROCm build; until then the processor is used.",
                False,
            )
        ]
    if nvidia and build.built_for.startswith("cuda") and not _cuda_works():
        return [_why_cuda_fails(nvidia[0], build)]
    return []


def _cuda_works() -> bool:
    import torch

    return torch.cuda.is_available()


def _why_cuda_fails(card: GraphicsCard, build: TorchBuild) -> Finding:
    built = build.built_for.removeprefix("cuda ")
    if not card.driver:
        return Finding(
            "Graphics card",
            f"{card.name} is there, but its driver does not answer.",
            "Install or restart the driver (nvidia.com), then try again.",
            False,
        )
    if card.cuda and _version(card.cuda) < _version(built):
        return Finding(
            "Graphics card",
            f"The driver ({card.driver}) takes CUDA up to {card.cuda}, and torch was built for {built}.",
            f"Update the driver, or install an older build: {repair_command()}",
            False,
        )
    return Finding(
        "Graphics card",
        f"torch was built for CUDA {built}, but does not get along with {card.name}.",
        "Restart the computer; if that does not help, update the driver.",
        False,
    )


def _no_card() -> Finding:
    return Finding(
        "Graphics card",
        "No graphics card that could draw was found.",
        "The processor draws instead: seconds a picture with EchoGen mini, minutes with EchoGen 2B.",
        absent=True,
    )


def _device(device: Device, used: bool, count: int) -> Finding:
    words = device.words if device.kind == "cpu" else f"{device.words}, {gigabytes(device.free)} free"
    why = (": will be used, as the fastest one" if count > 1 else ": will be used") if used else ""
    return Finding("Device", f"{words}{why}.", " ".join(device.notes))


def _bundles(device: Device) -> list[Finding]:
    findings = []
    for bundle in find_bundles():
        if bundle.manifest is None:
            findings.append(Finding("Model", f"{bundle.name}: {bundle.problem}", "Verify or remove it.", False))
            continue
        sizes = sorted({max(size) for size in bundle.manifest.sizes})
        head = f"{bundle.manifest.title}, up to {sizes[-1]} px"
        try:
            plan = plan_for(bundle.manifest, device)
            findings.append(
                Finding("Model", f"{head}, on {device.words}. {plan.words}", " ".join(plan.notes), plan.fits)
            )
        except BundleError as error:
            findings.append(Finding("Model", f"{bundle.name}: {error.fact}", error.step, False))
        except EchoGenError as error:
            findings.append(Finding("Model", f"{head}. {error.fact}", _way_out(bundle.manifest, device), False))
    findings += [
        Finding(
            "Model",
            f"{report.model} was fetched, and could not be converted: {report.fact} In the file: "
            f"{', '.join(report.found[:8])}{', …' if len(report.found) > 8 else ''}.",
            report.step,
            False,
        )
        for report in find_reports(models_folder())
    ]
    if not findings:
        findings.append(
            Finding("Model", "There is no model on this computer.", "Get one: python -m engine models list", False)
        )
    return findings


def _cut_outs() -> Finding:
    from engine.preflight import shipped_problem, things_problem

    problem = shipped_problem()
    if not problem:
        unnamed = things_problem()
        if unnamed:
            return Finding("Cut-outs", unnamed, "Install EchoGen again; until then names do not help cut-outs.", False)
        return Finding("Cut-outs", "The network for cut-outs that comes with EchoGen works.")
    return Finding("Cut-outs", problem, "Install EchoGen again; until then colours and edges find the subject.", False)


def _way_out(manifest: BundleManifest, device: Device) -> str:
    """Advice on a model that is far too large for the device."""
    if device.kind != "cpu":
        with contextlib.suppress(NotEnoughMemory):
            plan = plan_for(manifest, processor())
            return f"Draw on the processor instead (in the settings, or --device cpu). {plan.words}"
    return "This computer is too small for it. Use EchoGen mini."


def _could_have(device: Device, cards: tuple[GraphicsCard, ...]) -> list[Finding]:
    """Find out if the model of the paper would run here, where it is not installed yet.

    Args:
        cards: a card that torch cannot use now counts too: its driver says how much memory it has.
    """
    manifest = published_manifest(LARGE_MODEL)
    if manifest is None or any(bundle.name == LARGE_MODEL for bundle in find_bundles()):
        return []
    card = max(cards, key=lambda card: card.memory, default=None)
    with_card = ""
    if device.kind == "cpu" and card is not None and card.memory and card.maker == "NVIDIA":
        device = Device("cuda", card.name, card.memory, card.memory - _DESKTOP, device.cores, half=True)
        with_card = " once the graphics card can be used"
    get = f"Get it: python -m engine models get {LARGE_MODEL} (the licences are shown first)."
    try:
        plan = plan_for(manifest, device)
    except NotEnoughMemory as error:
        return [Finding("Model", f"{manifest.title} is not here, and would not run: {error.fact}", absent=True)]
    words = f"{manifest.title} is not here. {'It would run' if plan.fits else 'It might run'}{with_card}. {plan.words}"
    lacking = max(plan.missing, plan.missing_beside)
    return [
        Finding(
            "Model",
            words,
            get if plan.fits else f"It wants {gigabytes(lacking)} more than is free. {get}",
            absent=True,
        ),
    ]


def _libraries() -> Finding:
    found, missing = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        fact = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed."
        return Finding("Libraries", fact, f"Repair the environment: {repair_command()}", False)
    return Finding("Libraries", f"{', '.join(found)}.")


def repair_command() -> str:
    """Return the command that sets the environment up again, with the torch that suits the machine."""
    bootstrap = Path(__file__).resolve().parents[2] / "installer" / "bootstrap.py"
    return f"python3 {bootstrap} repair" if bootstrap.is_file() else "install the program again"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(piece) for piece in re.findall(r"\d+", text)[:2])
