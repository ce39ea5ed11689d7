"""Getting whole models, from the hub or a folder, and keeping them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import json
import re
import shutil
import subprocess
import sys
import threading
import types
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.bench.published_set import NARROW, NARROW_2B, transformer_weights
from engine.bundle.loader import check_files
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.errors import (
    AccessRefused,
    BundleError,
    CannotWrite,
    InputError,
    LicenceNotAccepted,
    NetworkError,
    SizeNotAgreed,
)
from engine.files import aside_of, put_back_all
from engine.weights import inventory as inventory_module
from engine.weights import store as store_module
from engine.weights.catalogue import MODELS, PARTS
from engine.weights.importing import begun_copy, copy_folder
from engine.weights.inventory import installed_helper, installed_helpers, parts_folder, space_for
from engine.weights.settings import TokenStore
from engine.weights.store import ModelStore
from engine.weights.transfer import download
from engine.weights.transfer.hub import LicenceChanged
from tests.engine.weights import hub_server as faults
from tests.engine.weights.hub_server import Repository
from tests.engine.weights.published_set import OPEN_VAE, expect_small_vae, repositories

NAME = "echogen-2b"


@pytest.fixture
def models(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("ECHOGEN_MODELS", str(folder))
    return folder


@pytest.fixture
def make_store(models, policy):
    def make(**changes):
        return ModelStore(**{"policy": policy, "stall_seconds": 2.0, **changes})

    return make


@pytest.fixture
def store(make_store):
    return make_store()


@pytest.fixture
def helpers(hub):
    """The cut-out helpers, as the hub has them."""
    for repository, model_type in (
        ("IDEA-Research/grounding-dino-tiny", "grounding-dino"),
        ("facebook/sam2.1-hiera-small", "sam2_video"),
    ):
        config = json.dumps({"model_type": model_type}).encode()
        hub.repositories[repository] = Repository(
            {"config.json": config, "preprocessor_config.json": b"{}", "model.safetensors": model_type.encode() * 9000},
            git_only=("config.json", "preprocessor_config.json"),
        )
    return hub


@pytest.fixture
def published(hub, monkeypatch):
    expect_small_vae(monkeypatch)
    hub.repositories.update(repositories())
    return hub


@pytest.fixture
def no_conversion(monkeypatch):
    """Conversion replaced by its record: these tests are about what is around it."""
    asked = []

    async def convert(originals, out, on_progress=None, name="", report=None):
        asked.append((originals, out, name))
        out.mkdir(parents=True)
        (out / "bundle.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(store_module, "convert", convert)
    return asked


def get(store, name):
    store.accept_licences(name)
    return asyncio.run(store.get(name))


# The whole way


def test_the_large_model_arrives_converted_exact_and_complete(published, store, models):
    """Server to bundle, with faults on the way, then restart, verify, remove."""
    published.fail("echogen_2b.pth", faults.cut(0.25), faults.status(503), faults.cut(0.75))
    published.fail("model.safetensors", faults.wrong_bytes(100))
    published.fail("config.json", faults.hang_up)
    phases, fractions = [], []

    def listen(name):
        state = store.state(name)
        assert 0 <= state.done <= state.total or state.installed
        if not phases or phases[-1] != state.phase:
            phases.append(state.phase)
        fractions.append(state.fraction)

    store.subscribe(listen)
    state = get(store, NAME)
    assert state.phase == "ready" and state.installed and state.error is None
    assert [phase for phase in phases if phase != "absent"] == ["asking", "fetching", "converting", "ready"]
    manifest: BundleManifest = read_manifest(models / NAME)
    check_files(models / NAME, manifest, hashes=True)
    assert manifest.transformer == NARROW_2B
    assert manifest.origins["content"].source == OPEN_VAE

    # Every tensor of the transformer is the published one.
    converted = {}
    for file in manifest.weight_files("transformer"):
        converted |= load_file(models / NAME / file)
    source = transformer_weights(NARROW_2B)
    assert torch.equal(converted["head.weight"], source["head.weight"])
    name = "block_chunks.3.module.2.ffn.fc1.weight"
    assert torch.equal(converted["blocks.14.image.feed_forward.fc1.weight"], source[name].bfloat16())

    # Only the encoder half of the text model was fetched, by ranges.
    encoder = {}
    for file in (parts_folder() / "flan-t5-xl").glob("model-*.safetensors"):
        encoder |= load_file(file)
    assert all(tensor.startswith(("shared.", "encoder.")) for tensor in encoder)
    assert sum(tensor.startswith("encoder.block.") for tensor in encoder) > 8 * NARROW["text"]["num_layers"]
    sizes = {n: len(c) for n, c in published.repositories["google/flan-t5-xl"].files.items() if n.startswith("model-")}
    headers = sum(min(size, 256 * 1024) for size in sizes.values())
    assert len(sizes) > 2 and sum(published.sent(n) for n in sizes) < sum(sizes.values()) + headers

    # After a restart nothing is asked again.
    asked = len(published.requests)
    again = ModelStore()
    assert asyncio.run(again.get(NAME)).installed
    assert len(published.requests) == asked
    assert asyncio.run(again.verify(NAME)) == ()
    freed = asyncio.run(again.remove_originals(NAME))
    assert freed == state.total
    assert (models / "licences" / "echogen-2b-transformer" / "LICENSE").is_file()
    assert again.state(NAME).installed
    shard = next((models / NAME / "transformer").glob("*.safetensors"))
    damaged = bytearray(shard.read_bytes())
    damaged[-1] ^= 1
    shard.write_bytes(damaged)
    assert asyncio.run(again.verify(NAME)) == (f"transformer/{shard.name}",)
    asyncio.run(again.remove(NAME))
    assert not (models / NAME).exists()
    assert again.state(NAME).phase == "absent"


def test_helpers_arrive_and_are_found(helpers, store, models):
    assert installed_helper("grounding") is None
    assert store.state("cut-out").phase == "absent"
    state = get(store, "cut-out")
    assert state.phase == "ready" and state.installed and not state.bundle
    assert installed_helpers().keys() == {"grounding", "segmentation"}
    folder = installed_helper("segmentation")
    assert folder == models / "parts" / "sam2.1-hiera-small"
    assert (folder / "preprocessor_config.json").read_bytes() == b"{}"
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert installed_helper("segmentation") is None
    assert asyncio.run(store.verify("cut-out")) == ("sam2.1-hiera-small/model.safetensors",)
    assert get(store, "cut-out").installed


# Licences, choices, the token


def test_nothing_is_fetched_before_the_licences_are_accepted(helpers, store, make_store):
    with pytest.raises(LicenceNotAccepted, match=r"Apache-2\.0"):
        asyncio.run(store.get("cut-out"))
    assert helpers.requests == []
    first = store.licences("cut-out")[0]
    assert first.licence == "Apache-2.0" and first.summary and first.url.startswith("https://") and not first.accepted
    store.accept_licences("cut-out")
    assert all(licence.accepted for licence in make_store().licences("cut-out"))  # once is enough
    assert not any(licence.accepted for licence in store.licences("naming"))


def test_another_licence_than_shown_stops_everything(helpers, store):
    helpers.repositories["facebook/sam2.1-hiera-small"].licence = "cc-by-nc-4.0"
    with pytest.raises(Exception, match=r"now says its licence is “cc-by-nc-4\.0”"):
        get(store, "cut-out")
    assert not helpers.asked("model.safetensors")


def test_a_licence_file_that_reads_otherwise_stops_before_the_weights(helpers, store):
    files = helpers.repositories["facebook/sam2.1-hiera-small"].files
    files["LICENSE"] = b"Creative Commons\nAttribution-NonCommercial"
    with pytest.raises(LicenceChanged, match=r"LICENSE of facebook/sam2\.1-hiera-small does not read like Apache-2\.0"):
        get(store, "cut-out")
    assert not any("sam2.1" in request.path for request in helpers.asked("model.safetensors"))
    files["LICENSE"] = b"\n    Apache\n License\n Version 2.0"
    asyncio.run(store.remove("cut-out"))
    assert get(store, "cut-out").installed


def shown(monkeypatch, key, size):
    """The catalogue expects so many bytes of a part."""
    monkeypatch.setitem(PARTS, key, replace(PARTS[key], expected_bytes=size))
    monkeypatch.setattr(download, "_BYTES_UNASKED", 1000)


def test_more_bytes_than_were_shown_are_a_question_before_anything_is_fetched(helpers, store, make_store, monkeypatch):
    shown(monkeypatch, "sam2.1-hiera-small", 1000)
    with pytest.raises(SizeNotAgreed, match=r"has 90 KB for SAM 2\.1 small, and 1 KB was shown to you") as caught:
        get(store, "cut-out")
    assert caught.value.title == "More than was shown" and "Agree to the size" in caught.value.step
    assert not any("/resolve/" in request.path for request in helpers.requests)
    # The true size is shown from then on, and agreed to once.
    assert next(part.total for part in store.state("cut-out").parts if "sam" in part.key) > 80_000
    store.accept_sizes("cut-out")
    assert asyncio.run(make_store().get("cut-out")).installed


def test_fewer_bytes_than_were_shown_are_no_question(helpers, store, monkeypatch):
    shown(monkeypatch, "sam2.1-hiera-small", 10**9)
    assert get(store, "cut-out").installed


def test_room_is_looked_at_with_the_size_the_server_says(helpers, store, monkeypatch):
    """A dump of 40 GB on a disk with 30 GB free."""
    usage = types.SimpleNamespace(free=inventory_module._SPARE_BYTES + 100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    shown(monkeypatch, "sam2.1-hiera-small", 1000)
    shown(monkeypatch, "grounding-dino-tiny", 1000)
    with pytest.raises(CannotWrite, match="more is needed") as caught:
        get(store, "cut-out")
    assert caught.value.exit_code == 6
    assert not any("/resolve/" in request.path for request in helpers.requests)


@pytest.fixture
def gated_by_surprise(helpers):
    """The catalogue believes this repository is open, and its hub says otherwise."""
    helpers.repositories["facebook/sam2.1-hiera-small"].gated = True
    return helpers


def test_the_hubs_own_word_counts_when_a_part_has_become_gated(gated_by_surprise, make_store):
    hub, tokens = gated_by_surprise, TokenStore()
    store = make_store(tokens=tokens)
    part = PARTS["sam2.1-hiera-small"]
    assert not part.gated and not store.needs_account(part)
    with pytest.raises(AccessRefused, match=r"SAM 2\.1 small is given only to accounts") as caught:
        get(store, "cut-out")
    assert caught.value.step == (
        "Ask for it at https://huggingface.co/facebook/sam2.1-hiera-small, then enter an access token of your account."
    )
    assert not any("/resolve/" in request.path for request in hub.requests), "nothing was fetched for nothing"
    assert store.needs_account(part)
    tokens.set(hub.token)
    assert get(store, "cut-out").installed
    assert make_store().needs_account(part), "remembered with the files"
    for request in hub.requests:
        assert ("authorization" in request.headers) <= ("sam2.1" in request.path), "no other repository sees the token"


def test_a_refusal_that_nobody_announced_sends_the_token_at_the_second_try(helpers, make_store):
    """The hub says a repository is open, and gives its files to accounts only."""
    tokens = TokenStore()
    tokens.set(helpers.token)
    helpers.repositories["facebook/sam2.1-hiera-small"].gated = True
    helpers.says_open = True
    store = make_store(tokens=tokens)
    assert get(store, "cut-out").installed
    assert any("authorization" in request.headers for request in helpers.asked("model.safetensors"))


def test_a_token_that_does_not_do_is_said_with_the_page(gated_by_surprise, make_store):
    tokens = TokenStore()
    tokens.set("hf_of-somebody-else")
    with pytest.raises(AccessRefused) as caught:
        get(make_store(tokens=tokens), "cut-out")
    assert "https://huggingface.co/facebook/sam2.1-hiera-small" in caught.value.step
    assert "check the access token" in caught.value.step


def test_the_default_autoencoder_is_open_and_has_to_be_the_known_file(
    published, make_store, no_conversion, monkeypatch
):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    store = make_store(tokens=TokenStore())
    assert get(store, NAME).done == store.state(NAME).total
    assert not any("authorization" in request.headers for request in published.requests)
    assert no_conversion[0][0].content == parts_folder() / "flux-vae"


def test_another_autoencoder_than_the_known_one_is_refused(published, store):
    files = published.repositories[OPEN_VAE].files
    files["vae/diffusion_pytorch_model.safetensors"] += b"x"
    with pytest.raises(NetworkError, match="is another file than the one this program knows"):
        get(store, NAME)
    assert not any("/resolve/" in request.path and OPEN_VAE in request.path for request in published.requests)


def test_the_licence_of_a_part_in_a_folder_lies_at_the_root_and_is_read(published, make_store, no_conversion):
    tokens = TokenStore()
    tokens.set(published.token)
    store = make_store(tokens=tokens)
    store.choose(NAME, "flux-dev-vae")
    published.repositories["black-forest-labs/FLUX.1-dev"].files["LICENSE.md"] = b"Apache License"
    with pytest.raises(LicenceChanged, match=r"LICENSE\.md of black-forest-labs/FLUX\.1-dev"):
        get(store, NAME)
    assert not published.asked("diffusion_pytorch_model.safetensors")


def test_a_gated_part_needs_a_token_and_only_its_repository_sees_it(published, make_store, no_conversion):
    tokens = TokenStore()
    store = make_store(tokens=tokens)
    store.choose(NAME, "flux-dev-vae")
    assert "Non-Commercial" in store.state(NAME).licence
    with pytest.raises(NetworkError) as caught:
        get(store, NAME)
    assert caught.value.title == "The server refuses"
    tokens.set(published.token)
    state = get(store, NAME)
    assert state.done == state.total
    assert no_conversion[0][0].content == parts_folder() / "flux-dev-vae"
    for request in published.requests:
        if "authorization" in request.headers:
            assert "FLUX.1-dev" in request.path
    with pytest.raises(InputError, match="no choice for EchoGen 2B"):
        store.choose(NAME, "qwen2.5-vl-3b")
    assert make_store().settings.choices == {NAME: ("flux-dev-vae",)}


def test_the_token_is_in_no_file(published, make_store, no_conversion, private_folders, models):
    tokens = TokenStore()
    tokens.set("hf_a-very-secret-token")
    store = make_store(tokens=tokens)
    store.choose(NAME, "flux-dev-vae")
    with pytest.raises(NetworkError):
        get(store, NAME)
    for folder in (private_folders, models):
        for path in folder.rglob("*"):
            if path.is_file():
                assert b"hf_a-very-secret-token" not in path.read_bytes()
    assert "secret" not in repr(tokens)


# Stopping and going on


def test_pause_and_resume(helpers, store, models):
    helpers.slow = 0.02
    big = helpers.repositories["facebook/sam2.1-hiera-small"].files["model.safetensors"]
    store.accept_licences("cut-out")

    async def go():
        task = asyncio.create_task(store.get("cut-out"))
        while store.state("cut-out").done < 20_000:
            await asyncio.sleep(0.005)
        state = store.state("cut-out")
        assert state.phase == "fetching" and state.working
        store.pause("cut-out")
        return await task

    state = asyncio.run(go())
    assert state.phase == "paused" and state.paused and state.partial and not state.working
    assert 20_000 <= state.done < state.total
    helpers.slow = 0.0
    later = ModelStore()  # after a restart
    assert later.state("cut-out").phase == "paused"
    assert later.state("cut-out").done == state.done
    assert asyncio.run(later.resume("cut-out")).installed
    sent = sum(request.sent for request in helpers.requests if "/resolve/" in request.path and "sam2" in request.path)
    assert sent < 1.5 * len(big) + 100


def test_a_failure_is_kept_with_its_sentence_until_the_next_try(helpers, store):
    helpers.fail("model.safetensors", *[faults.status(500)] * 20)
    with pytest.raises(NetworkError):
        get(store, "cut-out")
    state = store.state("cut-out")
    assert state.phase == "failed"
    assert "fault of its own (500)" in state.error.fact
    helpers.faults.clear()
    assert get(store, "cut-out").error is None


def test_getting_twice_at_once_is_getting_once(helpers, store):
    store.accept_licences("cut-out")

    async def go():
        return await asyncio.gather(store.get("cut-out"), store.get("cut-out"))

    first, second = asyncio.run(go())
    assert first.installed and second.installed
    assert len(helpers.asked("preprocessor_config.json")) == 2  # two repositories, once each


def test_a_check_during_a_download_is_a_check_of_its_own(helpers, store):
    store.accept_licences("cut-out")
    phases: list[str] = []
    store.subscribe(lambda name: phases.append(store.state(name).phase))

    async def go():
        return await asyncio.gather(store.get("cut-out"), store.verify("cut-out"))

    state, wrong = asyncio.run(go())
    assert state.installed and wrong == ()
    assert "checking" in phases[phases.index("fetching") :]


def test_metadata_is_asked_patiently(helpers, store, pauses):
    helpers.metadata_faults.extend([faults.status(502), faults.hang_up, faults.status(429, retry_after="7")])
    assert get(store, "cut-out").installed
    assert 7 in pauses


@pytest.mark.parametrize("damage", ["{", "number"])
def test_a_damaged_record_is_made_anew_and_files_stay(helpers, store, models, damage):
    get(store, "cut-out")
    record = models / "parts" / "sam2.1-hiera-small" / "fetch.json"
    record.with_name(".fetching").write_bytes(b"\xff\xfe no text")
    if damage == "number":
        damage = re.sub(r'"remote_size": \d+', '"remote_size": 1e999', record.read_text(encoding="utf-8"))
        assert "1e999" in damage
    record.write_text(damage, encoding="utf-8")
    before = len(helpers.asked("model.safetensors"))
    assert get(store, "cut-out").installed
    assert len(helpers.asked("model.safetensors")) == before  # hashed, not fetched


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "/etc/x.safetensors", "a\\b.safetensors", "c:x.safetensors"]
)
def test_names_that_lead_out_of_the_folder_are_refused(helpers, store, models, name):
    repository = helpers.repositories["facebook/sam2.1-hiera-small"]
    repository.files[name] = b"evil"
    # Names with a slash belong to no part and are passed over; others are refused in words.
    with contextlib.nullcontext() if "/" in name else pytest.raises(NetworkError, match="not allowed"):
        get(store, "cut-out")
    assert not any("evil" in str(path) or path.name == "outside.safetensors" for path in models.parent.rglob("*"))


def test_a_repository_without_the_file_is_said(published, store):
    published.repositories["UmiSonoda16/EchoGen"] = Repository({"README.md": b""}, "mit")
    with pytest.raises(NetworkError, match=r"UmiSonoda16/EchoGen has no file “echogen_2b\.pth”"):
        get(store, NAME)


def test_two_programs_do_not_fetch_the_same_at_once(helpers, store, models):
    folder = models / "parts" / "grounding-dino-tiny"
    code = (
        "import sys, pathlib; from engine.weights.transfer.disk import only_one\n"
        "with only_one(pathlib.Path(sys.argv[1])):\n"
        "    print('locked', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(CannotWrite, match="Another EchoGen is fetching"):
            get(store, "cut-out")
        other.kill()
    assert get(store, "cut-out").installed, "a dead program locks nothing"


# Room


def test_room_is_looked_at_before_anything_is_fetched(published, store, models, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 5_000_000))
    with pytest.raises(CannotWrite, match=r"more is needed, 5 MB is free") as caught:
        get(store, NAME)
    assert caught.value.title == "The disk is nearly full"
    assert not any("/resolve/" in r.path and "range" not in r.headers for r in published.requests)
    assert store.free_bytes() == 5_000_000


def test_the_room_for_what_is_made_shrinks_as_it_is_made(tmp_path):
    download = types.SimpleNamespace(total=1000, arrived=400)
    model = replace(MODELS[NAME], bundle_bytes=600)
    assert space_for(model, [download], tmp_path) == 600 + 600
    assert space_for(replace(model, bundle=False), [download], tmp_path) == 600
    begun = tmp_path / f".{NAME}.abc.part" / "transformer"
    begun.mkdir(parents=True)
    (begun / "weights-00001.safetensors").write_bytes(b"w" * 150)
    assert space_for(model, [types.SimpleNamespace(total=1000, arrived=1000)], tmp_path) == 450
    (begun / "weights-00002.safetensors").write_bytes(b"w" * 500)
    assert space_for(model, [download], tmp_path) == 600


def test_what_is_being_fetched_already_counts(published, helpers, make_store, monkeypatch):
    """Two at once: each would fit alone, both do not."""
    store = make_store(stall_seconds=30)
    helpers.fail("model.safetensors", faults.stall(0.5), faults.stall(0.5))
    for name in (NAME, "cut-out"):
        store.accept_licences(name)

    async def go():
        first = asyncio.ensure_future(store.get("cut-out"))
        while store.state("cut-out").phase != "fetching":
            await asyncio.sleep(0.005)
        monkeypatch.setattr(inventory_module, "_SPARE_BYTES", 0)
        monkeypatch.setattr(
            inventory_module, "space_for", lambda model, *_: 1_000_000 if model.name == NAME else 20_000
        )
        monkeypatch.setattr(store_module.ModelStore, "free_bytes", lambda self: 1_010_000)
        with pytest.raises(CannotWrite, match=r"more is needed besides 20 KB for what is being fetched already"):
            await store.get(NAME)
        store.pause("cut-out")
        return await first

    assert asyncio.run(go()).paused


@pytest.mark.parametrize("slow", ["cut-out", "evaluation", "enlarging"])
def test_who_asked_first_gets_the_room_whichever_hub_answers_first(store, monkeypatch, slow):
    """There is room for the first and the last of three: the second one is refused, and takes nothing of the last one's."""
    names = ("cut-out", "evaluation", "enlarging")
    sizes = dict(zip(names, (700, 500, 200), strict=True))
    monkeypatch.setattr(inventory_module, "_SPARE_BYTES", 0)
    monkeypatch.setattr(inventory_module, "space_for", lambda model, *_: sizes[model.name])
    monkeypatch.setattr(store_module.ModelStore, "free_bytes", lambda self: 1000)
    last = {key for key in PARTS if key in MODELS[slow].parts}
    answered = asyncio.Event()

    async def prepare(self, *_):
        if self.part.key in last:
            await answered.wait()

    async def run(self, *_):
        await answered.wait()

    monkeypatch.setattr(download.PartDownload, "prepare", prepare)
    monkeypatch.setattr(download.PartDownload, "run", run)
    for name in names:
        store.accept_licences(name)

    async def go():
        tasks = [asyncio.ensure_future(store.get(name)) for name in names]
        for _ in range(20):
            await asyncio.sleep(0.005)
        answered.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    ended = asyncio.run(go())
    assert [isinstance(one, CannotWrite) for one in ended] == [False, True, False], ended


def test_a_bundle_of_ones_own_that_is_checked_meanwhile_takes_no_room(helpers, store, models, monkeypatch):
    """It is in no catalogue: the download beside it ended with a ``KeyError``."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def verify(*_):
        begun.set()
        await go_on.wait()
        return []

    monkeypatch.setattr(store_module.ModelStore, "_verify_bundle", verify)
    store.accept_licences("cut-out")

    async def go():
        checking = asyncio.ensure_future(store.verify("mini"))
        await begun.wait()
        state = await store.get("cut-out")
        go_on.set()
        await checking
        return state

    assert asyncio.run(go()).installed


def test_importing_looks_for_room_first(helpers, store, tmp_path, monkeypatch):
    for file, data in helpers.repositories["facebook/sam2.1-hiera-small"].files.items():
        path = tmp_path / "stick" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(CannotWrite, match=r"is to be copied, 1 KB is free"):
        asyncio.run(store.import_folder(tmp_path / "stick"))
    assert not list(store.folder.rglob("*.safetensors"))


# From folders


def test_published_files_are_imported_from_where_they_lie(published, store, models, tmp_path, no_conversion):
    stick = tmp_path / "stick"
    for repository, content in published.repositories.items():
        if "dev" in repository:
            continue
        for file, data in content.files.items():
            path = stick / repository.replace("/", "--") / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    assert asyncio.run(store.import_folder(stick)) == (NAME,)
    originals, out, name = no_conversion[0]
    assert (out, name) == (models / NAME, NAME)
    assert originals.transformer.name == "echogen_2b.pth" and originals.content.name == "vae"
    assert {role: licence for role, _, licence in originals.origins}["content"] == "Apache-2.0"
    (stick / "FoundationVision--Infinity" / "infinity_vae_d32reg.pth").unlink()
    with pytest.raises(InputError, match=r"the visual tokenizer \(infinity_vae_d32reg\.pth\) is not"):
        asyncio.run(store.import_folder(stick))


def test_helpers_are_imported_and_verified_from_then_on(helpers, store, tmp_path):
    for name in ("grounding-dino-tiny", "sam2.1-hiera-small"):
        repository = next(r for n, r in helpers.repositories.items() if n.endswith(name))
        for file, data in repository.files.items():
            path = tmp_path / "stick" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    assert asyncio.run(store.import_folder(tmp_path / "stick")) == ("cut-out",)
    assert store.state("cut-out").installed
    assert helpers.requests == []
    (installed_helper("grounding") / "model.safetensors").write_bytes(b"")
    assert not store.state("cut-out").installed
    assert get(store, "cut-out").installed  # and what is damaged can be fetched


def test_an_import_that_is_stopped_leaves_nothing_and_takes_nothing_more(helpers, store, tmp_path, monkeypatch, caplog):
    for name in ("grounding-dino-tiny", "sam2.1-hiera-small"):
        for file, data in next(r for n, r in helpers.repositories.items() if n.endswith(name)).files.items():
            path = tmp_path / "stick" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    begun, go_on, copied = threading.Event(), threading.Event(), []

    def copy(source, target, progress):
        copied.append(target)
        begun.set()
        assert go_on.wait(20)
        copy_folder(source, target, progress)

    monkeypatch.setattr(store_module, "copy_folder", copy)

    async def go():
        importing = asyncio.create_task(store.import_folder(tmp_path / "stick"))
        await asyncio.to_thread(begun.wait, 20)
        assert store.state("cut-out").phase == "importing"
        store.pause("cut-out")
        await asyncio.sleep(0)
        go_on.set()
        return await importing

    assert asyncio.run(go()) == ()
    assert len(copied) == 1 and not list(store.folder.rglob("*.safetensors"))
    assert store.state("cut-out").phase == "absent"
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"], "a stop is no error"


def test_of_two_sizes_the_one_that_was_imported_last_is_used(store, tmp_path):
    small, large = ("qwen2.5-vl-3b", 2048), ("qwen2.5-vl-7b", 3584)
    for key, width in (small, large, small):
        folder = tmp_path / key
        folder.mkdir(exist_ok=True)
        config = {"model_type": "qwen2_5_vl", "hidden_size": width}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "model.safetensors").write_bytes(key.encode())
        assert asyncio.run(store.import_folder(folder)) == ("naming",)
        assert store.state("naming").installed
        used = installed_helper("naming")
        assert used is not None and (used / "model.safetensors").read_bytes() == key.encode()


def test_a_bundle_is_imported_whole_verified_and_removed(store, models, tiny_bundle, tmp_path):
    stick = tmp_path / "stick" / "tiny"
    shutil.copytree(tiny_bundle, stick)
    phases = []
    end = store.subscribe(lambda name: phases.append(store.state(name).phase))
    (name,) = asyncio.run(store.import_folder(stick.parent))
    end()
    assert phases[0] == "importing" and phases[-1] == "ready", "it is shown while it is copied"
    assert store.state(name).installed and store.state(name).folder == models / name
    assert asyncio.run(store.verify(name)) == ()
    assert asyncio.run(store.import_folder(models)) == (name,)  # from where it lies: nothing to do
    weights = models / name / "text" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    (models / name / "text" / "tokenizer.json").unlink()
    assert sorted(asyncio.run(store.verify(name))) == ["text/tokenizer.json", "text/weights.safetensors"]
    shutil.copytree(models / name, stick, dirs_exist_ok=True)
    with pytest.raises(BundleError, match=r"text/weights\.safetensors in .* is damaged"):
        asyncio.run(store.import_folder(stick.parent))
    for left in (begun_copy(models / name), aside_of(models / name)):
        left.mkdir()  # as killed imports leave them
    asyncio.run(store.remove(name))
    assert not begun_copy(models / name).exists() and not aside_of(models / name).exists()
    assert not (models / name).exists() and name not in [state.name for state in store.models()]


def test_only_what_was_made_into_a_bundle_loses_its_originals(helpers, store):
    assert get(store, "cut-out").installed
    assert asyncio.run(store.remove_originals("cut-out")) == 0
    assert store.state("cut-out").installed, "these files are the model"


def test_what_came_with_the_program_stays(store):
    with pytest.raises(InputError, match="came with the program"):
        asyncio.run(store.remove("mini"))


def test_closing_stops_what_goes_on_and_removing_too(helpers, make_store, models):
    helpers.slow = 0.02
    store = make_store()
    store.accept_licences("cut-out")

    async def go(end):
        task = asyncio.create_task(store.get("cut-out"))
        while store.state("cut-out").phase != "fetching" or store.state("cut-out").done < 20_000:
            await asyncio.sleep(0.005)
        await end()
        return await task

    assert asyncio.run(go(store.close)).paused
    asyncio.run(go(lambda: store.remove("cut-out")))
    assert store.state("cut-out").phase == "absent" and not list(models.rglob("*.safetensors*"))


def test_files_that_cannot_be_removed_or_kept_are_said(helpers, store, models, monkeypatch):
    assert get(store, "cut-out").installed
    (file,) = models.glob("parts/sam2*/model.safetensors")
    file.write_bytes(b"damaged")

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refused)
        with pytest.raises(CannotWrite, match="Permission denied"):
            asyncio.run(store.verify("cut-out"))
    (file.parent / "LICENSE").write_text("words", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", refused)
        with pytest.raises(CannotWrite, match="Permission denied"):
            inventory_module.keep_licences(file.parent, models / "licences" / "x")
    inventory_module.keep_licences(file.parent, models / "licences" / "x")
    assert (models / "licences" / "x" / "LICENSE").read_text(encoding="utf-8") == "words"


def test_a_removal_that_was_refused_half_way_is_finished_by_the_next_one(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    for one in (folder, aside_of(folder)):  # an earlier one of it, which a process that was ended had not removed yet
        one.mkdir()
        (one / "weights").write_bytes(b"1")
    remove = shutil.rmtree

    def refused(path, ignore_errors=False):
        if path == aside_of(folder):
            remove(path)
        elif not ignore_errors:
            raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", refused)
        with pytest.raises(CannotWrite, match="Permission denied"):
            inventory_module.remove_folder(folder)
    put_back_all(tmp_path)
    assert not folder.exists(), "what is to go does not come back"
    inventory_module.remove_folder(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_stepped_aside_for_one_that_never_came_is_there_at_the_next_start(helpers, store, models):
    assert get(store, "cut-out").installed
    part = next((models / "parts").glob("sam2*"))
    part.rename(aside_of(part))
    assert not store.state("cut-out").installed
    assert ModelStore(models).state("cut-out").installed


def test_patience_with_metadata_ends_in_a_sentence(helpers, store, pauses):
    helpers.metadata_faults.extend([faults.status(502)] * 40)
    with pytest.raises(NetworkError, match="Nothing was lost"):
        get(store, "cut-out")
    assert len(pauses) >= 3


def test_a_folder_without_models_is_said(store, tmp_path):
    with pytest.raises(InputError, match="no model files"):
        asyncio.run(store.import_folder(tmp_path))
    with pytest.raises(InputError, match="no folder"):
        asyncio.run(store.import_folder(tmp_path / "missing"))


def test_unknown_models_are_said(store):
    with pytest.raises(InputError, match=r"no model “nothing”\. There are: echogen-2b"):
        store.state("nothing")
    with pytest.raises(InputError, match="cannot be downloaded"):
        asyncio.run(store.get("echogen-125m"))


def test_the_dialogs_side_needs_no_torch():
    code = (
        "import sys, engine; store = engine.ModelStore(); store.models(); store.licences('echogen-2b');"
        "from engine.device.devices import glance; from engine.planning.plans import all_plans; glance();"
        "print([m for m in ('torch', 'transformers', 'diffusers', 'huggingface_hub', 'httpx') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "[]", result.stderr
