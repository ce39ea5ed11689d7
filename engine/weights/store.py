"""The models of this computer, and getting more: what the Models dialog and ``models …`` are built on. Free of torch.

All work is asynchronous and runs in the event loop it is called from (Qt's, through qasync, or asyncio's own). States are
frozen snapshots; listeners are told a model's name whenever its state changed, at most ten times a second.

>>> store = ModelStore()
>>> store.accept_licences("echogen-2b")
>>> asyncio.run(store.get("echogen-2b"))
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.bundle.conversion_report import report_file
from engine.bundle.library import models_folder
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.errors import (
    AccessRefused,
    BundleError,
    Cancelled,
    InputError,
    LicenceNotAccepted,
)
from engine.files import hash_file, put_back_all
from engine.process.conversion import convert
from engine.process.messages import Originals
from engine.sentence import Sentence
from engine.weights.catalogue import MODELS, PARTS, Model, Part, chosen_parts, find_model, model_of
from engine.weights.importing import begun_copy, copy_folder, scan_folder
from engine.weights.inventory import (
    Inventory,
    conversions,
    existing_folder,
    keep_licences,
    originals_of,
    parts_folder,
    remove_folder,
)
from engine.weights.settings import DownloadSettings, TokenStore, checked_base_url, load_settings, save_settings
from engine.weights.state import ModelState, PartLicence
from engine.weights.tasks import Listener, ModelTasks
from engine.weights.transfer.disk import only_one
from engine.weights.transfer.download import AskToken, PartDownload
from engine.weights.transfer.file_transfer import RetryPolicy
from engine.weights.transfer.requests import make_client

log = logging.getLogger(__name__)

FILES_AT_ONCE = 3
STALL_SECONDS = 30.0


class ModelStore:
    """Every model there is and could be.

    Args:
        folder: where models are kept; by default the user's folder.
        policy: how patient downloads are. stall_seconds: how long a server may stay silent.
        tokens: where the access token is.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        policy: RetryPolicy | None = None,
        stall_seconds: float = STALL_SECONDS,
        tokens: TokenStore | None = None,
    ) -> None:
        self.folder = folder or models_folder()
        self.tokens = tokens or TokenStore()
        self._policy = policy or RetryPolicy()
        self._stall_seconds = stall_seconds
        put_back_all(parts_folder(self.folder))
        self._inventory = Inventory(self.folder, load_settings())
        self._tasks = ModelTasks()
        self._refused: set[str] = set()

    # What there is

    def models(self, *, everything: bool = False) -> tuple[ModelState, ...]:
        """Every model: those that came with the program, the catalogue, then others the user has. Reads no weights.

        Args:
            everything: with those of the catalogue that only the command line offers.
        """
        names = self._inventory.names()
        return tuple(self.state(name) for name in names if everything or name not in MODELS or MODELS[name].in_window)

    def state(self, name: str) -> ModelState:
        """One model as it is now. Raises ``InputError`` when there is none of this name."""
        return self._inventory.state(name, self._tasks.of(name))

    def free_bytes(self) -> int:
        """Room on the disk that holds the models."""
        return shutil.disk_usage(existing_folder(self.folder)).free

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told a model's name when its state changed. Returns what ends it."""
        return self._tasks.subscribe(listener)

    # Settings

    @property
    def settings(self) -> DownloadSettings:
        return self._inventory.settings

    def set_base_url(self, url: str) -> None:
        """Download from a mirror. Raises ``InputError`` for an unsafe address, ``CannotWrite``."""
        self._change(replace(self._inventory.settings, base_url=checked_base_url(url)))

    def choose(self, name: str, *choices: str) -> None:
        """Take these parts where a model has a choice. Raises ``InputError``."""
        model = find_model(name)
        chosen_parts(model, choices)
        self._change(replace(self._inventory.settings, choices={**self._inventory.settings.choices, name: choices}))
        self._tasks.forget(name)

    def licences(self, name: str) -> tuple[PartLicence, ...]:
        """The licences of a model's parts, with whether they were accepted."""
        return tuple(
            PartLicence(
                part.key,
                part.title,
                part.repository,
                part.licence.name,
                part.licence.summary,
                part.licence.url,
                self._inventory.settings.has_accepted(part.key, part.licence.name),
            )
            for part in self._parts(name)
        )

    def accept_licences(self, name: str) -> None:
        """The user was shown the licences of this model and accepts them. Recorded once."""
        settings = self._inventory.settings
        for part in self._parts(name):
            settings = settings.accept(part.key, part.licence.name)
        self._change(settings)

    def _parts(self, name: str) -> tuple[Part, ...]:
        model = find_model(name)
        return chosen_parts(model, self._inventory.choices(model))

    def _change(self, settings: DownloadSettings) -> None:
        if settings != self._inventory.settings:
            save_settings(settings)
            self._inventory.settings = settings

    # Getting

    async def get(self, name: str) -> ModelState:
        """Fetch what is missing of a model, check it, and make it ready. Goes on where it stopped before.

        Returns:
            The state at the end: "ready", or "paused" when ``pause`` was called.

        Raises:
            LicenceNotAccepted: ``accept_licences`` first. SizeNotAgreed: ``accept_sizes`` first.
            NetworkError, CannotWrite, BundleError: what is here stays; call it again to go on.
        """
        model = find_model(name)
        if not model.fetched:
            raise InputError(
                Sentence("{model} cannot be downloaded.", model=model.title),
                Sentence("Import it from a folder that holds the published files."),
            )
        if self.state(name).installed:
            return self.state(name)
        missing = [licence for licence in self.licences(name) if not licence.accepted]
        if missing:
            raise LicenceNotAccepted(
                Sentence(
                    "The licence of {title} ({licence}) was not accepted yet.",
                    title=missing[0].title,
                    licence=missing[0].licence,
                ),
                Sentence("Read it and accept it first."),
            )
        return await self._run(name, self._get(model))

    resume = get

    def pause(self, name: str) -> None:
        """Stop what is going on with a model; everything that arrived stays."""
        self._tasks.pause(name)

    async def _run(self, name: str, steps: Coroutine[Any, Any, None]) -> ModelState:
        await self._tasks.run(name, steps)
        return self.state(name)

    async def _get(self, model: Model) -> None:
        name, work = model.name, self._tasks.of(model.name)
        if self.state(name).installed:
            return  # what this waited for has brought it
        work.downloads = self._inventory.downloads(model)
        for download in work.downloads:
            download.on_change = lambda: self._moved(name)
        self._tasks.enter(name, "asking")
        ask_token = self._asking_once()
        base_url = self._inventory.settings.base_url
        async with contextlib.AsyncExitStack() as stack:
            for download in work.downloads:
                stack.enter_context(only_one(download.folder))
            client = await stack.enter_async_context(make_client(self._stall_seconds))
            await _together(
                self._noting(d, d.prepare(client, base_url, ask_token, self._policy)) for d in work.downloads
            )
            self._inventory.check_space(model, work.downloads, self._tasks.others(name), self.free_bytes())
            self._inventory.check_sizes(work.downloads)
            self._tasks.enter(name, "fetching")
            self._moved(name)
            slots = asyncio.Semaphore(FILES_AT_ONCE)
            await _together(
                self._noting(d, d.run(client, base_url, ask_token, self._policy, slots)) for d in work.downloads
            )
        if model.bundle:
            await self._convert(name, originals_of(work.downloads))

    def _asking_once(self) -> AskToken:
        """Make the function that gives parts the token they need: it asks the keyring at most once, and only then."""
        asked: asyncio.Task[str | None] | None = None

        async def ask() -> str | None:
            nonlocal asked
            if asked is None:
                asked = asyncio.ensure_future(asyncio.to_thread(self.tokens.get))
            return await asyncio.shield(asked)

        return ask

    async def _noting(self, download: PartDownload, steps: Coroutine[Any, Any, None]) -> None:
        """Run steps of a download, and remember where an account was wanted."""
        try:
            await steps
        except AccessRefused:
            self._refused.add(download.part.key)
            raise

    def needs_account(self, part: Part) -> bool:
        """Return True if a part is given to accounts only: by the catalogue, or by what its server said before."""
        if part.gated or part.key in self._refused:
            return True
        return PartDownload(part, parts_folder(self.folder) / part.key).needs_account

    def accept_sizes(self, name: str) -> None:
        """The user agrees to fetch as much as the server has of this model."""
        sizes = {d.part.key: d.total for d in self._inventory.downloads(find_model(name)) if d.plan is not None}
        settings = self._inventory.settings
        self._change(replace(settings, sizes={**settings.sizes, **sizes}))

    def _moved(self, name: str) -> None:
        work = self._tasks.of(name)
        work.meter.mark(sum(download.arrived for download in work.downloads))
        self._tasks.tell(name, now=False)

    async def _convert(self, name: str, originals: Originals) -> None:
        def progress(fraction: float, text: str) -> None:
            self._tasks.move(name, fraction)

        self._tasks.enter(name, "converting")
        await convert(originals, self.folder / name, progress, name, report_file(self.folder, name))

    # Keeping

    async def verify(self, name: str) -> tuple[str, ...]:
        """Hash every file of a model again.

        Returns:
            Names of files that are missing or damaged; empty when all is right. Damaged files of a download are removed, so
            that getting the model again fetches them.
        """
        wrong: list[str] = []

        async def steps() -> None:
            state = self.state(name)
            self._tasks.enter(name, "checking")
            if state.bundle and state.folder is not None and state.installed:
                wrong.extend(await self._verify_bundle(name, read_manifest(state.folder), state.folder))
            for download in self._inventory.downloads(MODELS[name]) if name in MODELS else []:
                wrong.extend(f"{download.part.key}/{file}" for file in await download.verify())

        await self._run(name, steps())
        return tuple(wrong)

    async def _verify_bundle(self, name: str, manifest: BundleManifest, folder: Path) -> list[str]:
        wrong, done = [], 0
        for file, entry in manifest.files.items():
            path = folder / file
            try:
                right = path.stat().st_size == entry.size
                right = right and (await asyncio.to_thread(hash_file, path)).sha256 == entry.sha256
            except OSError:
                right = False
            if not right:
                wrong.append(file)
            done += entry.size
            self._tasks.move(name, done / max(1, manifest.nbytes))
        return wrong

    async def remove(self, name: str) -> None:
        """Take a model off this computer, with what was downloaded for it and no other model needs.

        Raises:
            InputError: it came with the program. CannotWrite: files cannot be removed.
        """
        state = self.state(name)
        if state.shipped:
            raise InputError(
                Sentence("{state} came with the program.", state=state.title),
                Sentence("It needs little room; it cannot be removed."),
            )
        await self._tasks.stop(name)
        # A conversion that was stopped has left its files beside the bundle's place.
        folders = [self.folder / name, *conversions(self.folder, name)]
        if name in MODELS:
            folders += [download.folder for download in self._inventory.downloads(MODELS[name])]
        for folder in [*folders, *map(begun_copy, folders)]:
            await asyncio.to_thread(remove_folder, folder)
        with contextlib.suppress(OSError):
            report_file(self.folder, name).unlink(missing_ok=True)
        self._tasks.forget(name)
        self._tasks.tell(name)

    async def remove_originals(self, name: str) -> int:
        """Remove the downloaded files of a model that was converted; their licences stay. Returns the bytes that are free again."""
        state = self.state(name)
        if not state.originals:
            return 0
        for download in self._inventory.downloads(MODELS[name]):
            await asyncio.to_thread(keep_licences, download.folder, self.folder / "licences" / download.part.key)
            await asyncio.to_thread(remove_folder, download.folder)
        self._tasks.forget(name)
        return state.originals

    async def import_folder(self, folder: Path) -> tuple[str, ...]:
        """Take models from a folder: bundles and helpers are copied, published files converted where they lie.

        Returns:
            Names of the models that are ready now; those that were taken before ``pause`` ended it.

        Raises:
            InputError: there is nothing in it, or something is missing. BundleError, CannotWrite.
        """
        found = await asyncio.to_thread(scan_folder, Path(folder).expanduser())
        if found.empty:
            raise InputError(
                Sentence("There are no model files in {folder}.", folder=folder),
                Sentence("It should hold a bundle (bundle.json), the published files, or folders as the hub has them."),
            )
        ready: list[str] = []
        with contextlib.suppress(Cancelled):
            for source in found.bundles:
                name = await self._import_bundle(source)
                ready.append(name)
            for name, originals in found.originals():
                await self._import(name, self._convert(name, originals))
                ready.append(name)
            for key, source in found.helpers:
                await self._import_helper(PARTS[key], source)
                ready.append(model_of(key).name)
        return tuple(dict.fromkeys(ready))

    async def _import(self, name: str, steps: Coroutine[Any, Any, None]) -> None:
        """Run a step of an import. Raises ``Cancelled`` when it was paused: what follows it is not done either."""
        if not await self._tasks.run(name, steps):
            raise Cancelled

    async def _import_bundle(self, source: Path) -> str:
        manifest = read_manifest(source)
        name = manifest.name

        async def steps() -> None:
            self._tasks.enter(name, "importing")
            wrong = await self._verify_bundle(name, manifest, source)
            if wrong:
                raise BundleError(
                    Sentence("{wrong} in {source} is damaged.", wrong=wrong[0], source=source),
                    Sentence("Copy the model anew from where it came from."),
                )
            await self._copy(name, source, self.folder / name)

        if (self.folder / name).resolve() != source.resolve():
            await self._import(name, steps())
        return name

    async def _import_helper(self, part: Part, source: Path) -> None:
        name = model_of(part.key).name
        target = parts_folder(self.folder) / part.key

        async def steps() -> None:
            self._tasks.enter(name, "importing")
            await self._copy(name, source, target)
            await asyncio.to_thread(PartDownload(part, target).adopt)

        await self._import(name, steps())
        if part not in self._parts(name):
            self.choose(name, part.key)

    async def _copy(self, name: str, source: Path, target: Path) -> None:
        loop, stopped = asyncio.get_running_loop(), threading.Event()

        def progress(done: int, total: int) -> None:
            if stopped.is_set():
                raise Cancelled
            loop.call_soon_threadsafe(self._tasks.move, name, done / max(1, total))

        with only_one(target.parent):
            copying = asyncio.ensure_future(asyncio.to_thread(copy_folder, source, target, progress))
            try:
                await asyncio.shield(copying)
            except asyncio.CancelledError:
                # The thread knows nothing of that, and would put the model in its place when it is done.
                stopped.set()
                await asyncio.wait([copying])
                if not copying.cancelled():
                    copying.exception()  # it was stopped: asyncio is not to report that as an error nobody looked at
                raise

    async def close(self) -> None:
        """Pause everything, and wait until it has stopped."""
        await self._tasks.stop_all()


async def _together(steps: Any) -> None:
    """Run all; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
