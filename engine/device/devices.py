"""The computer's devices, in words and numbers, and the number format that suits each.

``Device`` is a plain value that crosses process borders; only the functions that look at the machine import torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import psutil

from engine.errors import InputError
from engine.sentence import Sentence

if TYPE_CHECKING:
    import torch

Kind = Literal["cuda", "mps", "cpu"]
KINDS: tuple[Kind, ...] = ("cuda", "mps", "cpu")
_NO_CONSOLE: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows opens a black window for every command of a program that has none of its own."""
GIB = 2**30
MIB = 2**20


@dataclass(frozen=True)
class Device:
    """One thing to compute with.

    Attributes:
        kind: "cuda" (NVIDIA, and AMD with its build of torch), "mps" (Apple) or "cpu".
        name: the maker's name, "CPU" for the processor.
        total: bytes of its memory. For MPS and the CPU that is the computer's memory.
        free: bytes not in use when it was looked at.
        cores: cores of the processor this program may use.
        index: which card, where there are several.
        half: whether it computes in bfloat16 natively, at full speed.
        host_free: for a card with memory of its own, bytes of the computer's memory not in use; None otherwise.
        notes: sentences about it worth knowing.
    """

    kind: Kind
    name: str
    total: int
    free: int
    cores: int = 1
    index: int = 0
    half: bool = False
    host_free: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """“CPU, 2 cores” or “NVIDIA GeForce RTX 4090, 24 GB”."""
        if self.kind == "cpu":
            return Sentence("CPU, 1 core") if self.cores == 1 else Sentence("CPU, {count} cores", count=self.cores)
        return f"{self.name}, {round(self.total / GIB)} GB"

    @property
    def torch_name(self) -> str:
        """The name for ``torch.device``."""
        return f"cuda:{self.index}" if self.kind == "cuda" else self.kind


def choose_device(wanted: str = "auto") -> Device:
    """The device to use: the best there is, or the one asked for.

    Args:
        wanted: "auto", "cpu", "cuda", "cuda:1", "mps".

    Raises:
        InputError: there is no such device, or torch cannot use it.
    """
    kind, _, number = wanted.lower().partition(":")
    if kind not in ("auto", *KINDS) or (number and not number.isdecimal()):
        raise InputError(
            Sentence("“{wanted}” is no device.", wanted=wanted), Sentence("Choose auto, cpu, cuda or mps.")
        )
    if kind == "cpu":
        return processor()  # looking at a card takes some of its memory, and this may be the way around a broken one
    index = number if kind == "cuda" else ""
    for device in _best_first(index):
        if kind in ("auto", device.kind):
            return device
    raise InputError(
        Sentence(
            "This computer has no device “{wanted}” that torch can use; it has {found}.",
            wanted=wanted,
            found=" and ".join(device.words for device in find_devices()),
        ),
        Sentence("Leave the device at auto, or run “python -m engine doctor” to see why."),
    )


def find_devices() -> tuple[Device, ...]:
    """Every device torch can use, the largest card first, the processor last. A card that does not answer is left out."""
    return tuple(_best_first())


def _best_first(index: str = "") -> Iterator[Device]:
    """The devices torch can use; of the cards only the one with this index, or all.

    A card is looked at when its turn comes: that takes half a gigabyte of its memory for as long as the process lives.
    """
    import torch

    if torch.cuda.is_available():
        for card in sorted(range(torch.cuda.device_count()), key=lambda card: -_size(torch, card)):
            if index in ("", str(card)):
                with contextlib.suppress(RuntimeError):  # the driver is too old, or the card is in use exclusively
                    yield _cuda(torch, card)
    if torch.backends.mps.is_available():
        yield _mps(torch)
    yield processor()


def _size(torch: Any, card: int) -> int:
    """Bytes of a card's memory, which the driver knows without a look at it; 0 where the card does not answer."""
    try:
        return int(torch.cuda.get_device_properties(card).total_memory)
    except RuntimeError:
        return 0


def glance() -> Device:
    """Guess the answer of ``choose_device`` without torch: for the window, before a model is opened.

    Asks the tool of NVIDIA's driver, which takes a tenth of a second. Cards of other makers are only seen by torch.
    """
    cards = []
    fields = "index,name,memory.total,memory.free,compute_cap"
    listed = run_tool(["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"])
    for line in listed.splitlines():
        index, name, total, free, level = [*(field.strip() for field in line.split(",")), "", "", "", "", ""][:5]
        if index.isdecimal() and total.isdecimal() and free.isdecimal():
            half = level.partition(".")[0].isdecimal() and int(level.partition(".")[0]) >= 8
            host = psutil.virtual_memory().available
            card = Device("cuda", name, int(total) * MIB, int(free) * MIB, available_cores(), int(index), half, host)
            cards.append(card)
    if not cards and sys.platform == "darwin" and platform.machine() == "arm64":
        memory = psutil.virtual_memory()
        limit = memory.total * 3 // 4
        cards.append(
            Device("mps", _apple_name(), memory.total, min(memory.available, limit), available_cores(), half=True)
        )
    return max(cards, key=_preference, default=processor())


def run_tool(command: list[str]) -> str:
    """The output of a system command, "" when it is not there, fails or takes longer than 20 seconds."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=True, creationflags=_NO_CONSOLE)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def processor() -> Device:
    """The processor and the computer's memory. Needs no torch."""
    memory = psutil.virtual_memory()
    return Device("cpu", "CPU", memory.total, memory.available, available_cores())


def available_cores() -> int:
    """Physical cores this process may run on; two threads of one core do not multiply faster than one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def free_memory(device: Device) -> int:
    """Bytes free on this device now, memory that torch holds in reserve included."""
    if device.kind != "cuda":
        return psutil.virtual_memory().available
    import torch

    free, _ = torch.cuda.mem_get_info(device.index)
    return free + torch.cuda.memory_reserved(device.index) - torch.cuda.memory_allocated(device.index)


def gigabytes(count: int) -> str:
    """Memory as the makers of cards count it, 2³⁰ bytes a GB: “13.1 GB”, “0.4 GB”."""
    return f"{count / GIB:.1f} GB"


def _cuda(torch: Any, index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    free, total = torch.cuda.mem_get_info(index)
    half = properties.major >= 8 or bool(getattr(torch.version, "hip", None))
    notes = (
        ()
        if half
        else (Sentence("This card is of a generation without bfloat16; pictures take several times as long."),)
    )
    host = psutil.virtual_memory().available
    return Device("cuda", properties.name, total, free, available_cores(), index, half, host, notes)


def _mps(torch: Any) -> Device:
    memory = psutil.virtual_memory()
    # Metal lets one program have about three quarters of the memory the processor shares with it.
    limit = int(torch.mps.recommended_max_memory())
    return Device("mps", _apple_name(), memory.total, min(memory.available, limit), available_cores(), half=True)


def _apple_name() -> str:
    brand = run_tool(["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]) if sys.platform == "darwin" else ""
    return f"{brand.strip() or 'Apple'} GPU"


def _preference(device: Device) -> tuple[int, int]:
    return {"cuda": 2, "mps": 1, "cpu": 0}[device.kind], device.total


# How the C library hands out memory, for work on the processor.


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)

_LARGEST_KEPT = 32 * 2**20  # older versions of glibc refuse more

_LARGEST_FREE = 512 * 2**20


def wait_for(device: torch.device) -> None:
    """Wait until a graphics card has done what was asked of it, so that time and memory can be measured."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def release_memory() -> None:
    """Give back what nobody holds any more, on the graphics card too."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()  # does nothing where no card is in use
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def keep_memory() -> bool:
    """Let the C library keep what was freed for the next picture instead of giving it back to the system.

    A layer's intermediate results are a few megabytes each. By default every one of them is asked of the system anew, which
    clears it page by page: a fifth of a picture's time with the 125M network. Blocks above 32 MiB are still given back at
    once, and never more than 512 MiB lie unused. For the whole process; only glibc has this switch, elsewhere nothing happens.

    Returns:
        whether it is so from now on.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _LARGEST_FREE))
