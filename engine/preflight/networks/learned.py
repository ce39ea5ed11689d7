"""The learned parts that are installed: placed on a device, loaded when first used, given back on request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.device.devices import GIB, Device, choose_device, processor
from engine.device.out_of_memory import is_out_of_memory
from engine.errors import BundleError, InputError
from engine.preflight.networks.roles import ROLE_WORDS, ROLES
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.preflight.networks.grounding import Grounder
    from engine.preflight.networks.naming import Namer
    from engine.preflight.networks.sam import Sam

log = logging.getLogger(__name__)


class Parts(Protocol):
    """The learned parts as the segmenter sees them, wherever they run."""

    @property
    def roles(self) -> tuple[str, ...]: ...

    def use(self, role: str, work: Callable[[Any], Any], notes: list[str]) -> Any: ...

    def unload(self, *roles: str) -> None: ...

    def close(self) -> None: ...


class LearnedParts:
    """Naming, grounding and segmentation, each from a local folder or not there.

    A part that cannot be opened or runs out of memory is left out from then on, with one sentence in ``notes``: the
    pre-flight goes on with what is always there.

    Args:
        folders: role → folder in the hub's layout; missing roles are not installed.
        device: "cpu", "cuda:0" or "mps"; or what chooses one for a role and its folder when the part is loaded.
        box_threshold, text_threshold: of the grounding, 0 … 1.
    """

    def __init__(
        self,
        folders: Mapping[str, Path] | None = None,
        device: str | Callable[[str, Path], str] = "cpu",
        box_threshold: float | None = None,
        text_threshold: float | None = None,
    ) -> None:
        self._folders = {role: Path(folder) for role, folder in (folders or {}).items() if role in ROLES}
        self._device = device
        self._thresholds = {
            key: value
            for key, value in (("box_threshold", box_threshold), ("text_threshold", text_threshold))
            if value is not None
        }
        self._loaded: dict[str, Any] = {}
        self._gate = _Gate()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are installed and work."""
        return tuple(role for role in ROLES if role in self._folders)

    def use(self, role: str, work: Callable[[Any], Any], notes: list[str]) -> Any:
        """The result of ``work`` on a part, or None when the part is not installed or failed; then ``notes`` says why."""
        try:
            part = self._part(role)
            if part is None:
                return None
            with self._gate.shared():
                return work(part)
        except InputError as error:  # this photo is not for this part; the next one may be
            notes.append(error.sentence)
            return None
        except BundleError as error:
            notes.append(Sentence("{fact} The photo was read without it.", fact=error.fact))
        except (RuntimeError, ValueError, MemoryError) as error:  # torch's out-of-memory is a RuntimeError
            log.warning("the part for %s failed", role, exc_info=True)
            why = Sentence("it failed")
            if is_out_of_memory(error):
                why = Sentence("there was not enough memory for it")
            notes.append(Sentence("The learned part for {role} was not used: {why}.", role=ROLE_WORDS[role], why=why))
        self._folders.pop(role, None)
        self.unload(role)
        return None

    def unload(self, *roles: str) -> None:
        """Give back the memory of these parts, or of all; they are loaded again when they are needed."""
        dropped = [self._loaded.pop(role, None) for role in roles or ROLES]
        if any(part is not None for part in dropped):
            dropped.clear()
            from engine.device.devices import release_memory

            release_memory()

    def close(self) -> None:
        """Nothing is used any more."""
        self._folders.clear()
        self.unload()

    def _part(self, role: str) -> Namer | Grounder | Sam | None:
        folder = self._folders.get(role)
        if folder is None:
            return None
        part = self._loaded.get(role)
        if part is None:
            with self._gate.alone():
                part = self._loaded.get(role) or self._load(role, folder)
                self._loaded[role] = part
        return part

    def _load(self, role: str, folder: Path) -> Namer | Grounder | Sam:
        device = self._device if isinstance(self._device, str) else self._device(role, folder)
        if role == "naming":
            from engine.preflight.networks.naming import Namer

            return Namer.from_folder(folder, device)
        if role == "grounding":
            from engine.preflight.networks.grounding import Grounder

            return Grounder.from_folder(folder, device, **self._thresholds)
        from engine.preflight.networks.sam import Sam

        return Sam.from_folder(folder, device)


class _Gate:
    """Several parts may compute at once, but who loads one is alone: while it builds a model, the library changes defaults
    of the whole process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = 0
        self._closed = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            self._changed.wait_for(lambda: self._busy == 0)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()


# On which device a learned part of the pre-flight computes: the best one that has room for it now.


_TO_SPARE = GIB
"""Bytes that stay free beside the weights: for pictures on their way through the part, and the system's own needs."""

_WIDENED = {"naming": 2.0}
"""Parts that are published in half precision take twice their files on the processor, which computes in full."""


def place(role: str, folder: Path, wanted: str = "auto") -> str:
    """The device for the part in ``folder``, as torch calls it.

    A graphics card is taken when the part fits beside what lies on it already: the model that draws comes first.

    Args:
        wanted: the user's choice of a device; one that is not there counts as "auto".

    Raises:
        MemoryError: not even the computer's memory holds it.
    """
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    try:
        device = choose_device(wanted)
    except InputError:
        device = choose_device("auto")
    if device.kind != "cpu" and _fits(weights, device):
        return device.torch_name
    if not _fits(round(weights * _WIDENED.get(role, 1.0)), processor()):
        raise MemoryError(f"the part for {role} needs {weights} bytes and more")
    return "cpu"


def _fits(weights: int, device: Device) -> bool:
    return weights + _TO_SPARE <= device.free
