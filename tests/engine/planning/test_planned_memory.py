"""What the plan says against what the process takes: the published 125M network on the processor."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.bundle import published
from engine.bundle.manifest import read_manifest
from engine.device.devices import processor
from engine.planning import plans
from engine.planning.plans import plan_for

# Everything that lies in memory counts, the pages of mapped weights too: each of them is read for every picture.
MEASURE = textwrap.dedent(
    """
    import json, sys, threading, time
    import numpy as np
    from engine import CutOut, Engine, GenerationRequest
    import engine.engine  # the libraries' own memory is not the model's

    def resident():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    before = resident()
    peak = [before]

    def watch():
        while True:
            peak[0] = max(peak[0], resident())
            time.sleep(0.002)

    threading.Thread(target=watch, daemon=True).start()
    pixels = np.full((256, 256, 4), 255, np.uint8)
    pixels[40:200, 60:180] = (200, 30, 60, 255)
    request = GenerationRequest("a ball in the snow", CutOut(pixels), prompt_strength=3.0, subject_strength=3.0)
    with Engine.open(sys.argv[1], "cpu", sys.argv[2]) as opened:
        for seed in (1, 2):
            for event in opened.generate(request.with_seed(seed)):
                pass
    print(json.dumps(peak[0] - before))
    """
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from engine.bench import random_bundle

    # The published text encoder is seven times as large as the rest and would hide it; how much it holds is known exactly.
    text = {**published.TEXT, "num_layers": 1, "d_ff": 64, "vocab_size": 400}
    sizes = replace(random_bundle.CONFIGS["echogen-125m"](), text=text)
    folder = tmp_path_factory.mktemp("bundles") / "125m"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(random_bundle.CONFIGS, "125m", lambda: sizes)
        random_bundle.make_random_bundle(folder, "125m")
    yield folder
    shutil.rmtree(folder)  # two gigabytes


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the process's memory is read from /proc")
@pytest.mark.parametrize("key", ["resident", "int8"])
def test_planned_memory_is_within_a_tenth_of_what_is_taken(bundle: Path, key: str):
    command = [sys.executable, "-c", MEASURE, str(bundle), key]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    measured = json.loads(done.stdout.splitlines()[-1])
    plan = plan_for(read_manifest(bundle), processor(), key)
    assert plan.key == key
    planned = plan.needed - plans._RESERVE["cpu"]
    figures = f"{key}: planned {planned / 1e6:.0f} MB, {measured / 1e6:.0f} MB measured"
    logging.getLogger(__name__).info(figures)
    assert planned == pytest.approx(measured, rel=0.1), figures
