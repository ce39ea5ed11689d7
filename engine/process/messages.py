"""Messages that cross the border to a child process: commands to the engine and its answers, questions about cut-outs and
their answers, how far a conversion is. Frozen dataclasses, free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EchoGenError
from engine.events import EngineInfo, Event
from engine.preflight.networks.roles import ROLES
from engine.request import CutOut, GenerationRequest, ScaleBits

# Commands: window -> child


@dataclass(frozen=True)
class Open:
    """Open a bundle (a name or a folder); the engine opened before is closed first. Given up when another one is to be opened.

    Attributes:
        number: comes back with the answer.
    """

    bundle: str
    device: str = "auto"
    memory: str = "auto"
    number: int = 0


@dataclass(frozen=True)
class Prepare:
    """Encode subject and prompt ahead of time, so that Generate starts at once. Given up when another command comes.

    Attributes:
        views: further photos of the subject, as in ``GenerationRequest``.
    """

    prompt: str
    negative_prompt: str = ""
    subject: CutOut | None = None
    views: tuple[CutOut, ...] = ()


@dataclass(frozen=True)
class Generate:
    """Draw one picture.

    Attributes:
        until_scale: stop after that many scales (for quick ideas); None draws all.
        contest: number of the press it belongs to, where only the most alike picture of it is wanted, or None. Of another
            number than before, a new contest begins.
    """

    job: int
    request: GenerationRequest
    until_scale: int | None = None
    contest: int | None = None


@dataclass(frozen=True)
class PaintScales:
    """Paint what an earlier picture looked like after each scale.

    Done between the other commands: it delays none of them and gives way to all of them, and then is begun again. Of
    several, only the last one is answered.

    Attributes:
        number: comes back with the answer.
        bits: bit labels of its scales.
        request: what it was drawn from.
    """

    number: int
    bits: ScaleBits
    request: GenerationRequest


@dataclass(frozen=True)
class ImportLibraries:
    """Import the model libraries ahead of ``Open``, so that this goes on while the window is still being built. A courtesy:
    where it fails, ``Open`` says why."""


@dataclass(frozen=True)
class Shutdown:
    """End the child."""


Command = ImportLibraries | Open | Prepare | Generate | PaintScales | Shutdown


# Messages: child -> window


@dataclass(frozen=True)
class Loading:
    """Opening goes on: ``fraction`` 0 … 1 and what is being loaded, in words."""

    fraction: float
    text: str


@dataclass(frozen=True)
class Opened:
    """The bundle of the ``Open`` with this number is open."""

    info: EngineInfo
    number: int = 0


@dataclass(frozen=True)
class Replanned:
    """Memory ran out, and the engine goes on with a smaller plan."""

    info: EngineInfo


@dataclass(frozen=True)
class Prepared:
    """Subject and prompt are encoded. ``notes``: for example what a prompt limit cut off."""

    command: Prepare
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class JobEvent:
    """One event of a running generation."""

    job: int
    event: Event


@dataclass(frozen=True, eq=False)
class ScalesPainted:
    """The answer to ``PaintScales``: RGB uint8 (H, W, 3) for every scale; none when another bundle drew the picture."""

    number: int
    images: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Failed:
    """A command or a conversion failed.

    Attributes:
        job: of a generation; None for everything else.
        details: the traceback for the log.
    """

    job: int | None
    error: EchoGenError
    details: str = ""


@dataclass(frozen=True)
class Ended:
    """The child is gone; ``exit_code`` is None when it ended as asked."""

    exit_code: int | None = None


Message = Loading | Opened | Replanned | Prepared | JobEvent | ScalesPainted | Failed | Ended


@dataclass(frozen=True)
class Setup:
    """The settings the child works with; others need another child.

    Attributes:
        folders: (role, folder in the hub's layout) of every part that is installed.
        device: the user's choice of a device.
        box_threshold, text_threshold: of the grounding, 0 … 1.
    """

    folders: tuple[tuple[str, Path], ...] = ()
    device: str = "auto"
    box_threshold: float = 0.25
    text_threshold: float = 0.25

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(role for role in ROLES if any(role == installed for installed, _ in self.folders))


@dataclass(frozen=True)
class Show:
    """A photo for the questions that follow; its pixels come right behind, as bytes."""

    digest: str
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Question:
    """A method of a network, to be called with ``arguments`` on the photo of a digest; the reply has the same number."""

    number: int
    role: str
    method: str
    digest: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Reply:
    """The answer of a part.

    Attributes:
        value: as the part's own method returns it; None when the part failed, too.
        notes: why it failed, in sentences for the user.
        usable: whether the part may be asked again.
    """

    number: int
    value: Any
    notes: tuple[str, ...] = ()
    usable: bool = True


@dataclass(frozen=True)
class Originals:
    """Published files of one model, for a conversion.

    Attributes:
        transformer, tokenizer: files. text, semantic, content: folders.
        origins: by part: where it is from, and its licence.
    """

    transformer: Path
    tokenizer: Path
    text: Path
    semantic: Path
    content: Path
    origins: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Converting:
    """A conversion goes on: ``fraction`` 0 … 1 and what is being done, in words."""

    fraction: float
    text: str


@dataclass(frozen=True)
class Converted:
    """The bundle is complete."""


@dataclass(frozen=True)
class EnlargeFile:
    """Save a picture larger by a network.

    Attributes:
        source, target, factor: as ``save_larger`` takes them.
        folder: of the network, in the hub's layout. device: the user's choice of a device.
    """

    source: Path
    target: Path
    factor: int
    folder: Path
    device: str = "auto"


@dataclass(frozen=True)
class EnlargingGoesOn:
    """``fraction`` 0 … 1 of the tiles are done."""

    fraction: float


@dataclass(frozen=True)
class Enlarged:
    """The file is written: pixels of the picture in it, and how the network is called."""

    width: int
    height: int
    method: str
