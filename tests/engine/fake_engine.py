"""An engine without a model: scriptable through the prompt, for tests of what is around the engine."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np

from engine.errors import BundleError, Cancelled, DeviceLost, NotEnoughMemory
from engine.events import EngineInfo, Finished, ScalePreview, Started, Timing
from engine.request import ScaleBits

GRIDS = tuple((n, n) for n in (1, 2, 3, 5, 9, 16))


class FakeEngine:
    """Draws plain colours. Words in the prompt script it: "slow", "smaller", "memory", "fault", "die", "lost".

    The bundle "slow" takes two seconds to open, "missing" is not there.
    Painting scales takes a second for bits that are all ones, and fails for a picture 666 pixels wide.
    """

    def __init__(self, bundle: str, memory: str = "auto") -> None:
        self.memory = memory
        self.info = EngineInfo(f"{bundle}@000000000000", bundle, "CPU, 2 cores")
        self.prepared: list[str] = []

    @classmethod
    def open(cls, bundle, device="auto", memory="auto", *, on_progress=None):
        if bundle == "missing":
            raise BundleError("The model 'missing' is not here.", "Choose another one.")
        for _ in range(200 if bundle == "slow" else 1):
            time.sleep(0.01 if bundle == "slow" else 0)
            if on_progress:
                on_progress(0.5, "Reading the weights")
        return cls(bundle, memory)

    def prepare(self, subject, prompt, negative_prompt="", *, views=(), cancel=None):
        while "wait" in prompt and not cancel.is_set():
            time.sleep(0.005)
        if cancel is not None and cancel.is_set():
            raise Cancelled()
        return ()

    def generate(self, request, *, cancel=None, until_scale=None):
        start = time.monotonic()
        yield Started(request, GRIDS, tuple(1 / len(GRIDS) for _ in GRIDS), len(request.kept or ()))
        if "smaller" in request.prompt:
            self.info = replace(self.info, plan="Balanced")
        if "memory" in request.prompt and self.memory != "low":
            raise NotEnoughMemory("This picture needs 13.8 GB and 9.1 GB is free.", "Use the low-memory plan.")
        if "fault" in request.prompt:
            raise ZeroDivisionError("by design")
        if "die" in request.prompt:
            os._exit(9)
        if "lost" in request.prompt:
            raise DeviceLost("The card stopped answering.", "Try again.")
        rng = np.random.default_rng(request.seed)
        colour = rng.integers(0, 256, 3, dtype=np.uint8)
        bits = tuple(rng.integers(0, 2, (h, w, 4), dtype=np.uint8) for h, w in GRIDS)
        for index, grid in enumerate(GRIDS[:until_scale]):
            for _ in range(40 if "slow" in request.prompt else 1):
                if cancel is not None and cancel.is_set():
                    raise Cancelled()
                time.sleep(0.005)
            image = np.broadcast_to(colour, (64, 64, 3)).copy()
            image[: 8 * (index + 1)] = 255 - colour
            yield ScalePreview(index, len(GRIDS), grid, image, time.monotonic() - start)
        image = np.broadcast_to(colour, (256, 256, 3)).copy()
        timing = Timing(scales=tuple(0.01 for _ in GRIDS), total=time.monotonic() - start)
        yield Finished(request, image, ScaleBits(bits), timing)

    def previews(self, bits, request, *, cancel=None):
        if request.size is not None and request.size[0] == 666:
            raise ZeroDivisionError("by design")
        slow = all(scale.all() for scale in bits.scales)
        images = []
        for index, scale in enumerate(bits.scales):
            for _ in range(200 // len(bits) if slow else 1):
                if cancel is not None and cancel.is_set():
                    raise Cancelled()
                time.sleep(0.005)
            images.append(np.full((64, 64, 3), 10 * index + int(scale[0, 0, 0]), np.uint8))
        return tuple(images)

    def close(self):
        pass
