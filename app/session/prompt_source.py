"""Reads the prompts of a list: typed, or a file of prompts, or a file of whole requests. Free of Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.language.say import say
from engine import (
    BrokenLine,
    GenerationRequest,
    InputError,
    ListedRequest,
    Sentence,
    check_count,
    make_requests,
    parse_prompts,
    read_prompt_file,
    read_requests,
)

if TYPE_CHECKING:
    from engine import ListedPrompt
    from engine.bundle import BundleManifest

REQUESTS = (".jsonl", ".ndjson")
MAX_TEXT = 100_000
"""Characters of a list that the next start brings back."""


@dataclass(frozen=True)
class PromptSource:
    """A list before it is drawn.

    Attributes:
        text: what was typed; only used without a file.
        file: name of the file that was opened, or "".
        prompts: of a file of prompts. requests: of a file of requests, which are drawn as they are.
        notes: sentences for the user.
    """

    text: str = ""
    file: str = ""
    prompts: tuple[ListedPrompt, ...] = ()
    requests: tuple[GenerationRequest, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The prompts, one a line."""
        if self.requests:
            return "\n".join(" ".join(request.prompt.split()) for request in self.requests)
        return "\n".join(listed.prompt for listed in self.prompts) if self.file else self.text


def open_source(path: Path, name: str) -> PromptSource:
    """Read a file: JSON lines of requests, a CSV, or one prompt a line.

    Args:
        name: of the subject.

    Raises:
        InputError: it cannot be used; the sentence names the line.
    """
    if path.suffix.lower() not in REQUESTS:
        found = read_prompt_file(path, name)
        if not found.prompts:
            raise InputError(Sentence("There is no prompt in {path}.", path=path.name), Sentence("Write one a line."))
        return PromptSource(file=path.name, prompts=found.prompts, notes=found.notes)
    requests: list[GenerationRequest] = []
    broken: list[BrokenLine] = []
    for entry in read_requests(path):
        if isinstance(entry, BrokenLine):
            broken.append(entry)
        else:
            requests.append(entry)
        check_count(len(requests))
    if not requests:
        raise InputError(
            Sentence("There is no request in {path} that can be read.", path=path.name),
            Sentence("Choose a file of JSON lines."),
        )
    notes: list[str] = [broken[0].sentence] if broken else []
    notes += [say("{0} more lines are skipped.", len(broken) - 1)] if len(broken) > 1 else []
    return PromptSource(file=path.name, requests=tuple(requests), notes=tuple(notes))


def listed_of(
    source: PromptSource, base: GenerationRequest, count: int, name: str, manifest: BundleManifest | None
) -> tuple[ListedRequest, ...]:
    """The pictures of a list.

    Args:
        base: what a line does not say itself.
        count: pictures of each prompt.
        manifest: of the open model.

    Raises:
        InputError: the list is empty, too long, or has a line that cannot be drawn.
    """
    if source.requests:
        listed = _as_they_are(source.requests)
    else:
        prompts = source.prompts if source.file else parse_prompts(source.text, name).prompts
        listed = make_requests(prompts, base, count)
    for size in {one.request.size for one in listed}:
        if manifest is not None and size is not None and size not in manifest.sizes:
            raise InputError(
                Sentence("This model does not draw {width}x{height}.", width=size[0], height=size[1]),
                Sentence("Take that size out of the list."),
            )
    return listed


def _as_they_are(requests: Sequence[GenerationRequest]) -> tuple[ListedRequest, ...]:
    prompts = [request.prompt for request in requests]
    again = len(set(prompts)) < len(prompts)
    return tuple(
        ListedRequest(request, request.prompt, f"seed {request.seed}" if again else "") for request in requests
    )
