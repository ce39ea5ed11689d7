"""The engine on a whole tiny bundle: events, caches, determinism, kept scales, cancelling, faults."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import CutOut, Engine, Finished, GenerationRequest, ScaleBits, ScalePreview, Started, load_photo
from engine.bundle.records import Language
from engine.encoders.features import Features
from engine.errors import Cancelled, DeviceLost, NotEnoughMemory, PromptError, RequestError
from engine.photo.hints import Click
from engine.planning.plans import MemoryPlan
from engine.process import client
from engine.process.messages import Ended, Failed, Generate, JobEvent, Message, Open, Opened, Prepare
from engine.sampling.sampler import Sampler

GRIDS = ((1, 1), (2, 2), (3, 3), (5, 5), (8, 8))


def cut_out(colour: tuple[int, int, int] = (200, 30, 60)) -> CutOut:
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[..., 3] = 0
    pixels[10:46, 16:40] = (*colour, 255)
    return CutOut(pixels)


REQUEST = GenerationRequest("a ball in the snow", cut_out(), seed=7)


@pytest.fixture(scope="module")
def opened(tiny_bundle) -> Engine:
    return Engine.open(tiny_bundle, "cpu")


@pytest.fixture
def engine(opened) -> Engine:
    """The engine with nothing kept."""
    opened._forget()
    return opened


def draw(engine: Engine, request: GenerationRequest = REQUEST, **options) -> Finished:
    finished = list(engine.generate(request, **options))[-1]
    assert isinstance(finished, Finished)
    return finished


def test_a_seed_s_layout_is_read_with_the_prompt(engine, monkeypatch):
    taught = replace(
        engine.bundle.manifest, language=Language(frozenset({"a", "ball", "in", "the", "snow"}), layouts=2)
    )
    monkeypatch.setattr(engine.bundle, "manifest", taught)
    read = []
    encode = engine._features.text.encode
    monkeypatch.setattr(engine._features.text, "encode", lambda text: read.append(text) or encode(text))
    for seed in (4, 5, 6):
        draw(engine, replace(REQUEST, seed=seed, negative_prompt="rain"))
    # Two layouts, each encoded once; what is to be avoided is said as it is.
    assert read == ["layout1 a ball in the snow", "rain", "layout2 a ball in the snow"]


def test_a_prompt_is_prepared_for_every_layout(engine, monkeypatch):
    taught = replace(
        engine.bundle.manifest, language=Language(frozenset({"a", "ball", "in", "the", "snow"}), layouts=3)
    )
    monkeypatch.setattr(engine.bundle, "manifest", taught)
    engine.prepare(REQUEST.subject, REQUEST.prompt)
    assert all(engine._features.has_prompt(taught.read_as(REQUEST.prompt, seed)) for seed in range(3))


def test_the_stream_of_events(engine):
    events = list(engine.generate(REQUEST))
    started, *previews, finished = events
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert started.grids == GRIDS and started.first_scale == 0 and started.notes == ()
    assert len(started.costs) == 5 and abs(sum(started.costs) - 1) < 1e-9 and min(started.costs) > 0
    assert [preview.scale for preview in previews] == [0, 1, 2, 3, 4]
    for preview, grid in zip(previews, GRIDS, strict=True):
        assert isinstance(preview, ScalePreview) and preview.scale_count == 5 and preview.grid == grid
        assert preview.image.shape == (64, 64, 3) and preview.image.dtype == np.uint8
    seconds = [preview.seconds for preview in previews]
    assert seconds == sorted(seconds)
    assert finished.image.shape == (64, 64, 3) and finished.image.dtype == np.uint8
    assert [bits.shape for bits in finished.bits.scales] == [(*grid, 8) for grid in GRIDS]
    assert np.array_equal(previews[-1].image, finished.image), "the last preview is the picture"
    assert finished.request == started.request == replace(REQUEST, size=(64, 64), bundle=engine.info.bundle)


def test_the_same_request_gives_the_same_picture(engine, tiny_bundle):
    first = draw(engine)
    assert draw(engine).bits == first.bits, "with everything kept"
    engine._forget()
    assert draw(engine).bits == first.bits, "with nothing kept"
    assert np.array_equal(draw(engine, previews=False).image, first.image), "without previews"
    assert draw(engine, REQUEST.with_seed(8)).bits != first.bits
    with Engine.open(tiny_bundle, "cpu", "low") as other:
        assert draw(other).bits == first.bits, "branches one after another"
    assert not [e for e in engine.generate(REQUEST, previews=False) if isinstance(e, ScalePreview)]


def test_the_picture_follows_from_its_own_request(engine):
    first = draw(engine)
    again = draw(engine, GenerationRequest.loads(first.request.dumps()))
    assert again.bits == first.bits and again.request == first.request


def counted(monkeypatch) -> dict[str, int]:
    """How often each encoder and the content stream run."""
    counts = {"text": 0, "subject": 0, "streams": 0}

    def spy(owner, name, key):
        original = getattr(owner, name)

        def wrapper(*args, **kwargs):
            counts[key] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapper)

    spy(engine_text(), "encode", "text")
    spy(engine_semantic(), "encode", "subject")
    import engine.sampling.sampler as module

    spy(module, "branch_state", "streams")
    return counts


def engine_text():
    from engine.encoders.text_encoder import TextEncoder

    return TextEncoder


def engine_semantic():
    from engine.encoders.semantic import SemanticEncoder

    return SemanticEncoder


def test_what_did_not_change_is_not_computed_again(engine, monkeypatch):
    counts = counted(monkeypatch)

    def step(request: GenerationRequest) -> tuple[dict[str, int], tuple[str, ...]]:
        before = dict(counts)
        cached = draw(engine, request).timing.cached
        return {key: counts[key] - before[key] for key in counts}, cached

    assert step(REQUEST) == ({"text": 1, "subject": 1, "streams": 2}, ())
    everything = ("text", "subject", "content", "start")
    assert step(REQUEST.with_seed(1)) == ({"text": 0, "subject": 0, "streams": 0}, everything)
    # Another prompt of the same length: the subject's features and the null branch stay.
    assert step(replace(REQUEST, prompt="a ball on the beach")) == (
        {"text": 1, "subject": 0, "streams": 1},
        ("subject",),
    )
    # A corrected mask: the prompt's features and the null branch stay.
    assert step(replace(REQUEST, subject=cut_out((0, 90, 200)))) == ({"text": 0, "subject": 1, "streams": 1}, ("text",))
    # Unequal strengths need one branch more, and a negative prompt another null branch.
    assert step(replace(REQUEST, subject_strength=2.0)) == (
        {"text": 0, "subject": 0, "streams": 1},
        ("text", "subject"),
    )
    assert step(replace(REQUEST, negative_prompt="snow"))[0] == {"text": 1, "subject": 0, "streams": 1}
    assert step(replace(REQUEST, negative_prompt="snow", seed=2))[1] == ("text", "negative", *everything[1:])


def test_preparing_does_the_work_of_further_photos_too(engine, monkeypatch):
    counts = counted(monkeypatch)
    view = replace(REQUEST.subject, pixels=255 - REQUEST.subject.pixels)
    assert engine.prepare(REQUEST.subject, "", views=(view,)) == ()
    assert counts == {"text": 0, "subject": 2, "streams": 0}
    engine.prepare(REQUEST.subject, REQUEST.prompt, views=(view,))
    before = dict(counts)
    *_, done = engine.generate(replace(REQUEST, views=(view,)), previews=False)
    assert isinstance(done, Finished) and counts == before


def test_preparing_does_the_work_ahead(engine, monkeypatch):
    counts = counted(monkeypatch)
    assert engine.prepare(REQUEST.subject, "") == ()
    assert counts == {"text": 0, "subject": 1, "streams": 0}, "an empty prompt prepares the subject alone"
    assert engine.prepare(None, "") == () and engine.prepare(None, "  ") == ()
    assert "zebra" in engine.prepare(REQUEST.subject, "a zebra in the snow")[0]
    engine.prepare(REQUEST.subject, REQUEST.prompt)
    before = dict(counts)
    assert draw(engine).timing.cached == ("text", "subject", "content", "start")
    assert counts == before


def test_expected_seconds_are_known_after_the_first_picture(tiny_bundle):
    with Engine.open(tiny_bundle, "cpu") as fresh:
        first = next(iter(fresh.generate(REQUEST)))
        assert first.expected_seconds is None
        total = draw(fresh).timing.total
        known = next(iter(fresh.generate(REQUEST))).expected_seconds
        assert 0 < known < 2 * total
        longer = next(iter(fresh.generate(replace(REQUEST, prompt="a red ball in the snow")))).expected_seconds
        assert longer > known, "a new prompt has its content streams to run"


def test_a_picture_says_which_scales_were_remembered_and_the_next_is_expected_as_if_they_were_not(
    tiny_bundle, monkeypatch
):
    with Engine.open(tiny_bundle, "cpu") as fresh:
        monkeypatch.setattr(fresh._drawing._time, "learn", lambda *args: learnt.append(args))
        learnt: list[tuple] = []
        assert draw(fresh).timing.remembered == 0
        events = list(fresh.generate(REQUEST))
        told = [event.remembered for event in events if isinstance(event, ScalePreview)]
        remembered = events[-1].timing.remembered
        assert 1 < remembered < 5 and told == [0, *range(2, remembered), *[remembered] * (6 - remembered)]
        assert [args[4] for args in learnt] == [0, remembered]


def test_timing_adds_up(engine):
    timing = draw(engine).timing
    parts = timing.text + timing.semantic + timing.content + timing.content_stream + sum(timing.scales)
    parts += timing.previews + timing.decode
    assert min(timing.text, timing.semantic, timing.content, timing.content_stream, timing.decode) > 0
    assert len(timing.scales) == 5 and parts <= timing.total < parts + 0.5
    assert draw(engine).timing.text == 0.0


# Kept scales


def test_keeping_scales(engine):
    first = draw(engine)
    kept = draw(engine, replace(REQUEST, seed=99, kept=first.bits.first(3)))
    assert kept.bits.first(3) == first.bits.first(3) and kept.bits != first.bits
    same = draw(engine, replace(REQUEST, kept=first.bits.first(4)))
    assert same.bits == first.bits, "scales that equal the run's own change nothing"
    assert same.timing.scales[:4] == (0.0,) * 4 and same.timing.scales[4] > 0


def test_keeping_scales_begins_with_what_is_kept(engine):
    first = draw(engine)
    events = list(engine.generate(replace(REQUEST, kept=first.bits.first(3))))
    assert events[0].first_scale == 3
    assert [event.scale for event in events[1:-1]] == [2, 3, 4], "the kept picture, then what is new"


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ([(1, 1, 8), (2, 2, 8), (3, 3, 8), (5, 5, 8), (8, 8, 8)], "All 5 scales are kept"),
        ([(1, 1, 8), (2, 3, 8)], "The kept scale 2 has 3 × 2 tokens of 8 bits, and this picture has 2 × 2 tokens"),
        ([(1, 1, 16)], "The kept scale 1 has 1 × 1 tokens of 16 bits"),
    ],
)
def test_kept_bits_of_another_shape(engine, kept, words):
    bits = ScaleBits(tuple(np.zeros(shape, np.uint8) for shape in kept))
    with pytest.raises(RequestError, match=words):
        engine.generate(replace(REQUEST, kept=bits))


def test_the_scales_of_an_earlier_picture_are_painted_from_its_bits(engine, monkeypatch):
    events = list(engine.generate(REQUEST))
    images, bits = [event.image for event in events[1:-1]], events[-1].bits
    counts = counted(monkeypatch)
    painted = engine.previews(bits, REQUEST)
    assert len(painted) == 5 and all(image.shape == (64, 64, 3) for image in painted)
    for scale in range(4):
        assert np.array_equal(painted[scale], images[scale]), "as they were seen while it formed"
    # The last one was the picture itself; from the bits alone it is a preview of it.
    assert not np.array_equal(painted[4], painted[3])
    assert not any(counts.values()), "no network was asked"
    some = engine.previews(bits.first(2), REQUEST)
    assert len(some) == 2 and np.array_equal(some[1], images[1])


@pytest.mark.parametrize(
    ("shapes", "size"),
    [
        ([(1, 1, 8), (2, 3, 8)], (64, 64)),
        ([(1, 1, 16)], (64, 64)),
        ([(1, 1, 8)] * 6, (64, 64)),
        ([(1, 1, 8)], (48, 96)),
    ],
    ids=["other grids", "other bits", "more scales", "a size it does not draw"],
)
def test_bits_of_another_model_are_no_error_and_no_picture(engine, shapes, size):
    bits = ScaleBits(tuple(np.zeros(shape, np.uint8) for shape in shapes))
    assert engine.previews(bits, replace(REQUEST, size=size)) == ()


def test_painting_scales_can_be_stopped_between_two(engine, monkeypatch):
    bits = draw(engine).bits
    cancel, painted = threading.Event(), []
    paint = type(engine._painter._preview).__call__

    def stop_after_two(self, *args, **given):
        painted.append(args[1])
        if len(painted) == 2:
            cancel.set()
        return paint(self, *args, **given)

    monkeypatch.setattr(type(engine._painter._preview), "__call__", stop_after_two)
    with pytest.raises(Cancelled):
        engine.previews(bits, REQUEST, cancel=cancel)
    assert painted == [0, 1]


def test_no_memory_for_scales_is_no_error(engine, monkeypatch):
    bits = draw(engine).bits

    def full(*_):
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr("engine.tokenizer.preview.add_scale", full)
    assert engine.previews(bits, REQUEST) == ()


def test_stopping_after_some_scales(engine):
    whole = draw(engine)
    events = list(engine.generate(REQUEST, until_scale=3))
    assert events[0].grids == GRIDS[:3] and abs(sum(events[0].costs) - 1) < 1e-9
    assert [event.scale_count for event in events[1:-1]] == [3, 3, 3]
    assert events[-1].bits == whole.bits.first(3) and events[-1].image.shape == (64, 64, 3)
    # The idea can be finished: the same picture comes out.
    assert draw(engine, replace(REQUEST, kept=events[-1].bits)).bits == whole.bits
    for wrong in (0, 6, -1):
        with pytest.raises(RequestError, match="Drawing can stop after 1 to 5 scales"):
            engine.generate(REQUEST, until_scale=wrong)


# Words


def test_words_that_are_cut_off_or_unknown_are_said(engine):
    long = " ".join(["a ball in the snow"] * 8)
    events = list(engine.generate(replace(REQUEST, prompt=long + " on the beach")))
    assert events[0].notes == events[-1].notes
    assert "longer than this model reads" in events[0].notes[0] and "on the beach" not in events[0].notes[0]
    notes = next(iter(engine.generate(replace(REQUEST, prompt="a Zebra and a gnu in the snow")))).notes
    assert notes == ("This model does not know “Zebra”, “gnu”; they will not show.",)
    named = replace(REQUEST, prompt="a zebra in the snow", subject_name="Zebra")
    assert next(iter(engine.generate(named))).notes == (), "the photo says what the subject is"
    notes = next(iter(engine.generate(replace(REQUEST, negative_prompt="gnu")))).notes
    assert notes == ("This model does not know “gnu”; it will not show.",)


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_an_empty_prompt(engine, prompt):
    with pytest.raises(PromptError, match="The prompt is empty"):
        engine.generate(replace(REQUEST, prompt=prompt))


def test_a_size_that_is_not_offered(engine):
    with pytest.raises(RequestError, match=r"does not draw 128 × 64") as caught:
        engine.generate(replace(REQUEST, size=(128, 64)))
    assert caught.value.step == "It draws 64 × 64."


def test_a_request_of_another_bundle(engine):
    with pytest.raises(RequestError, match=r"made with mini@0123, and random-tiny@"):
        engine.generate(replace(REQUEST, bundle="mini@0123"))


def test_dials_of_the_wrong_number(engine):
    with pytest.raises(RequestError, match="3 numbers for 5 scales"):
        engine.generate(replace(REQUEST, prompt_strength=(1.0, 2.0, 3.0)))
    schedule = draw(engine, replace(REQUEST, prompt_strength=(3.0,) * 5))
    assert schedule.bits == draw(engine).bits


def test_without_a_subject(engine):
    plain = draw(engine, replace(REQUEST, subject=None))
    assert plain.bits != draw(engine).bits and "subject" not in plain.timing.cached


# Cancelling


class After:
    """Set once it has been looked at so many times."""

    def __init__(self, checks: int) -> None:
        self.checks = checks

    def is_set(self) -> bool:
        self.checks -= 1
        return self.checks < 0


@pytest.mark.parametrize("checks", [0, 1, 2, 3, 5, 8, 11, 13, 15])
def test_cancelling_at_any_time_leaves_everything_right(engine, checks):
    with pytest.raises(Cancelled):
        list(engine.generate(REQUEST, cancel=After(checks)))
    cancelled = draw(engine)
    engine._forget()
    assert cancelled.bits == draw(engine).bits


def test_a_set_event_stops_at_once(engine):
    stop = threading.Event()
    events = engine.generate(REQUEST, cancel=stop)
    assert isinstance(next(events), Started)
    stop.set()
    with pytest.raises(Cancelled):
        next(events)
    with pytest.raises(Cancelled):
        engine.prepare(REQUEST.subject, REQUEST.prompt, cancel=stop)


def test_leaving_a_generation_early_leaves_everything_right(engine):
    events = engine.generate(REQUEST)
    for _ in range(3):
        next(events)
    events.close()
    abandoned = draw(engine)
    engine._forget()
    assert abandoned.bits == draw(engine).bits


# Faults


def test_out_of_memory_is_tried_again_with_a_smaller_plan(tiny_bundle, monkeypatch):
    with Engine.open(tiny_bundle, "cpu") as engine:
        expected = draw(engine)
        smaller = replace(engine._plan, key="low", branches="in-turn", notes=("A smaller plan is used now.",))
        monkeypatch.setattr("engine.engine.step_down", lambda *_: smaller)
        fail_once(monkeypatch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
        events = list(engine.generate(REQUEST))
        starts = [event for event in events if isinstance(event, Started)]
        assert [start.notes for start in starts] == [(), ("A smaller plan is used now.",)]
        assert events[-1].bits == expected.bits
        assert engine._sampler.branches == "in-turn"


def fail_once(monkeypatch, error: Exception, times: int = 1) -> None:
    original = Sampler.draw
    left = [times]

    def failing(self, *args, **kwargs):
        if left[0]:
            left[0] -= 1
            raise error
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Sampler, "draw", failing)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: 99 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.0 GB)"),
    ],
)
def test_not_enough_memory_is_said_in_numbers(engine, monkeypatch, error):
    monkeypatch.setattr("engine.engine.step_down", lambda *_: None)
    draw(engine)
    assert engine._sampler._first_scales.nbytes > 0
    fail_once(monkeypatch, error)
    with pytest.raises(NotEnoughMemory, match=r"This picture needs about [\d.]+ GB and [\d.]+ GB of CPU, .* is free"):
        draw(engine)
    assert engine._features.cache.nbytes == 0 and engine._sampler.cache.nbytes == 0, "memory is given back"
    assert engine._sampler._first_scales.nbytes == 0, "that of the first scales, too"
    draw(engine)


def test_memory_that_runs_out_twice(tiny_bundle, monkeypatch):
    with Engine.open(tiny_bundle, "cpu") as engine:
        smaller: MemoryPlan = replace(engine._plan, key="low", notes=("A smaller plan is used now.",))
        monkeypatch.setattr("engine.engine.step_down", lambda *_: smaller)
        fail_once(monkeypatch, MemoryError(), times=2)
        with pytest.raises(NotEnoughMemory):
            draw(engine)


@pytest.mark.parametrize("failing", ["load_bundle", "Painter"])
def test_a_smaller_plan_that_cannot_be_loaded_is_said_and_tried_again_at_the_next_picture(
    tiny_bundle, monkeypatch, failing
):
    with Engine.open(tiny_bundle, "cpu") as engine:
        expected = draw(engine)
        smaller = replace(engine._plan, key="low", notes=("A smaller plan is used now.",))
        monkeypatch.setattr("engine.engine.step_down", lambda *_: smaller)
        fail_once(monkeypatch, MemoryError())
        with monkeypatch.context() as patched:

            def full(*_, **__):
                raise MemoryError

            patched.setattr(f"engine.engine.{failing}", full)
            for _ in range(2):
                with pytest.raises(NotEnoughMemory):
                    draw(engine)
            assert engine.prepare(REQUEST.subject, REQUEST.prompt) == ()
            assert engine.previews(expected.bits, REQUEST) == ()
        assert draw(engine).bits == expected.bits
        assert engine.info.plan == smaller.words


@pytest.mark.parametrize(
    "words", ["CUDA error: unspecified launch failure", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"]
)
def test_a_lost_device_is_said(engine, monkeypatch, words):
    fail_once(monkeypatch, RuntimeError(words))
    with pytest.raises(DeviceLost, match="stopped answering"):
        draw(engine)


def test_our_own_faults_are_not_dressed_up(engine, monkeypatch):
    fail_once(monkeypatch, RuntimeError("size mismatch"))
    with pytest.raises(RuntimeError, match="size mismatch"):
        draw(engine)


def test_preparing_gives_up_quietly_when_memory_runs_out(engine, monkeypatch):
    def failing(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Features, "subject", failing)
    assert engine.prepare(REQUEST.subject, REQUEST.prompt) == ()
    with pytest.raises(NotEnoughMemory):
        monkeypatch.setattr("engine.engine.step_down", lambda *_: None)
        draw(engine)


# Around


def test_two_threads_that_ask_first_get_one_segmenter(tiny_bundle, monkeypatch):
    made = []

    def make(*_):
        made.append(object())
        time.sleep(0.05)
        return made[-1]

    monkeypatch.setattr("engine.engine.Segmenter.with_models", make)
    with Engine.open(tiny_bundle, "cpu") as engine, ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: engine._preflight(), range(2))
    assert first is second and len(made) == 1


@pytest.mark.timeout(560)
def test_in_a_process_of_its_own(tiny_bundle):
    """As the window runs it: everything crosses the pipe, and the picture is the same."""
    process = client.EngineProcess(threads=1)
    process.start()
    try:
        process.send(Open(str(tiny_bundle), "cpu"))
        process.send(Prepare(REQUEST.prompt, subject=REQUEST.subject))
        process.send(Generate(1, REQUEST))
        messages: list[Message] = []
        end = time.monotonic() + 480  # the child imports everything anew: seconds, minutes on a busy machine
        while time.monotonic() < end:
            message = process.receive(0.5)
            messages += [message] if message is not None else []
            if isinstance(message, (Failed, Ended)) or (
                isinstance(message, JobEvent) and isinstance(message.event, Finished)
            ):
                break
    finally:
        process.close()
    last = messages[-1]
    assert isinstance(last, JobEvent), last
    assert any(isinstance(message, Opened) for message in messages)
    with Engine.open(tiny_bundle, "cpu") as engine:
        here = draw(engine)
    assert last.event.bits == here.bits and np.array_equal(last.event.image, here.image)


def test_what_was_opened_is_told(opened, tiny_bundle):
    info = opened.info
    assert info.bundle == opened.bundle.manifest.identity and info.folder == str(tiny_bundle)
    assert info.device.startswith("CPU, ") and "needs" in info.plan


def test_without_a_graphics_card_it_is_said_what_draws(tiny_bundle, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with Engine.open(tiny_bundle) as engine:
        assert "the processor draws, a few seconds a picture." in engine.info.notes[-1]
    with Engine.open(tiny_bundle, "cpu") as engine:
        assert engine.info.notes == (), "it was asked for"


def test_opening_tells_how_far_it_is(tiny_bundle):
    told: list[tuple[float, str]] = []
    Engine.open(tiny_bundle, "cpu", on_progress=lambda fraction, text: told.append((fraction, text))).close()
    assert told[0] == (0.0, "Reading the text encoder") and told[-1][0] == 1.0


def test_the_preflight_is_there_too(opened, tiny_bundle):
    photo = load_photo(tiny_bundle / "examples" / "ball.png")
    proposal = opened.find_subject(photo)
    assert proposal.method == "alpha" and proposal.mask.shape == (128, 128)
    mask = opened.refine_mask(photo, clicks=(Click(64, 64),))
    assert mask.shape == (128, 128) and mask[64, 64] > 127


def test_closing_twice_is_harmless(tiny_bundle):
    engine = Engine.open(tiny_bundle, "cpu")
    engine.close()
    engine.close()
