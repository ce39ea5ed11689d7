"""Choosing a device, and its words."""

import os
import subprocess
from types import SimpleNamespace

import pytest
import torch

from engine.device import devices
from engine.device.devices import GIB, Device, choose_device, find_devices, free_memory, gigabytes
from engine.errors import InputError

CARD = Device("cuda", "NVIDIA GeForce RTX 4090", int(23.6 * GIB), 22 * GIB, 8, 0, True)
SECOND = Device("cuda", "NVIDIA GeForce GTX 1660", int(5.8 * GIB), 5 * GIB, 8, 1)
APPLE = Device("mps", "Apple M3 GPU", 16 * GIB, 11 * GIB, 8, half=True)
CPU = Device("cpu", "CPU", 16 * GIB, 12 * GIB, 2)


@pytest.fixture
def found(monkeypatch):
    """Lets torch find these devices. Returns the cards that were looked at."""

    def place(*there):
        cards = [device for device in there if device.kind == "cuda"]
        looked = []

        def look(_, index):
            looked.append(index)
            return next(card for card in cards if card.index == index)

        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(cards))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(cards))
        totals = {card.index: SimpleNamespace(total_memory=card.total) for card in cards}
        monkeypatch.setattr(torch.cuda, "get_device_properties", totals.__getitem__)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: APPLE in there)
        monkeypatch.setattr(devices, "_cuda", look)
        monkeypatch.setattr(devices, "_mps", lambda _: APPLE)
        monkeypatch.setattr(devices, "processor", lambda: CPU)
        return looked

    return place


def test_words():
    assert CARD.words == "NVIDIA GeForce RTX 4090, 24 GB"
    assert CPU.words == "CPU, 2 cores"
    assert Device("cpu", "CPU", 1, 1, 1).words == "CPU, 1 core"
    assert (CARD.torch_name, SECOND.torch_name, CPU.torch_name, APPLE.torch_name) == ("cuda:0", "cuda:1", "cpu", "mps")
    assert gigabytes(int(13.14 * GIB)) == "13.1 GB"


def test_auto_prefers_the_largest_card_then_apple_then_the_processor(found):
    found(SECOND, CARD, CPU)
    assert find_devices() == (CARD, SECOND, CPU)
    assert choose_device() is CARD
    found(APPLE, CPU)
    assert choose_device("auto") is APPLE
    found(CPU)
    assert choose_device() is CPU


def test_what_is_asked_for_is_taken(found):
    found(CARD, SECOND, CPU)
    assert choose_device("cuda") is CARD
    assert choose_device("CUDA:1") is SECOND


def test_only_the_card_that_is_used_is_looked_at(found):
    """Each look took half a gigabyte of a card that another program may need."""
    looked = found(SECOND, CARD, CPU)
    choose_device()
    assert looked == [CARD.index]
    choose_device("cuda:1")
    assert looked == [CARD.index, SECOND.index]


def test_a_card_that_does_not_answer_is_left_out(found, monkeypatch):
    found(CARD, SECOND, CPU)

    def look(_, index):
        if index == CARD.index:
            raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")
        return SECOND

    monkeypatch.setattr(devices, "_cuda", look)
    assert choose_device() is SECOND and find_devices() == (SECOND, CPU)


def test_who_asks_for_the_processor_touches_no_card(monkeypatch):
    """A look at a card takes half a gigabyte of its memory for as long as the process lives."""
    monkeypatch.setattr(devices, "find_devices", lambda: pytest.fail("the cards were looked at"))
    monkeypatch.setattr(devices, "processor", lambda: CPU)
    assert choose_device("cpu") is CPU


@pytest.mark.parametrize("wanted", ["mps", "cuda:2"])
def test_what_is_not_there_is_said(found, wanted):
    found(CARD, CPU)
    with pytest.raises(InputError, match="RTX 4090, 24 GB and CPU, 2 cores"):
        choose_device(wanted)


@pytest.mark.parametrize("wanted", ["gpu", "cuda:x", ""])
def test_nonsense_is_refused(found, wanted):
    found(CPU)
    with pytest.raises(InputError, match="is no device"):
        choose_device(wanted)


def test_this_computer_has_a_processor():
    device = choose_device("cpu")
    assert device.kind == "cpu"
    assert 1 <= device.cores <= (os.cpu_count() or 1)
    assert 0 < device.free <= device.total
    assert 0 < free_memory(device) <= device.total


def test_a_glance_needs_no_torch(monkeypatch):
    listed = "0, NVIDIA GeForce GTX 1660, 6144, 5500, 7.5\n1, NVIDIA GeForce RTX 4090, 24564, 23000, 8.9\n"
    monkeypatch.setattr(devices, "run_tool", lambda command: listed)
    card = devices.glance()
    assert (card.words, card.torch_name, card.half) == ("NVIDIA GeForce RTX 4090, 24 GB", "cuda:1", True)
    assert card.free == 23000 * 2**20
    monkeypatch.setattr(devices, "run_tool", lambda command: "NVIDIA-SMI has failed\n")
    monkeypatch.setattr(devices.sys, "platform", "linux")
    assert devices.glance().kind == "cpu"


def test_tools_that_are_missing_or_fail_say_nothing():
    assert devices.run_tool(["no-such-tool-anywhere"]) == ""
    assert devices.run_tool([devices.sys.executable, "-c", "raise SystemExit(3)"]) == ""
    assert devices.run_tool([devices.sys.executable, "-c", "print(5)"]).strip() == "5"


def test_what_a_tool_says_in_another_encoding_is_read_all_the_same():
    """A card's name in the code page of a Chinese Windows ended the glance, and the window's start with it."""
    said = "import sys; sys.stdout.buffer.write('显卡'.encode('gbk') + b', 8188')"
    assert devices.run_tool([devices.sys.executable, "-c", said]).endswith(", 8188")


def test_a_tool_opens_no_window_of_its_own(monkeypatch):
    def run(command, *, creationflags, **_):
        return subprocess.CompletedProcess(command, 0, str(creationflags).encode())

    monkeypatch.setattr(devices, "_NO_CONSOLE", 0x08000000)
    monkeypatch.setattr(devices.subprocess, "run", run)
    assert devices.run_tool(["nvidia-smi"]) == str(0x08000000)


def test_an_apple_gpu_is_waited_for_and_gives_its_memory_back(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: asked.append("wait"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: asked.append("release"))
    for there in (False, True):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=there: there)
        devices.release_memory()
    devices.wait_for(torch.device("mps"))
    assert asked == ["release", "wait"]
