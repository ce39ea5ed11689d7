"""Keeps prompt and subject together: the name fills the prompt's noun, an example's prompt goes with the example.

A prompt that somebody wrote is never changed behind their back but for the name they gave themselves; where the two disagree,
``disagreement`` says so and ``replace`` mends it. The prompt panel keeps every prompt that is replaced in its history.
"""

from __future__ import annotations

import re

from msgspec import Struct
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.session.state import SessionState

SETTLES_AFTER_MS = 400
"""A name is taken over once the typing pauses: letter by letter it would match other words of the prompt."""


class Disagreement(Struct, frozen=True):
    """The prompt speaks of one thing, the subject is another.

    Attributes:
        spoken: the name in the prompt.
        name: the subject's name; "" while it has none.
    """

    spoken: str
    name: str


class Wording(QObject):
    """See the module. Lives as long as the state.

    Signals:
        changed: ``disagreement`` may be another one.
        named: the subject's name is typed to its end.
    """

    changed = Signal()
    named = Signal()

    def __init__(self, state: SessionState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._key: int | None = None
        self._name = ""
        self._earlier: dict[str, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLES_AFTER_MS)
        self._timer.timeout.connect(self.settle)
        for signal in (state.photoChanged, state.maskChanged):
            signal.connect(self._follow)
        for signal in (state.promptChanged, state.engineChanged):
            signal.connect(self.changed)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        """The subject is another one, or has another name."""
        subject = self._state.subject
        key = subject.card if subject is not None else None
        if key != self._key:
            self._timer.stop()
            self._remember(self._name)
            self._key, self._name = key, subject.name.strip() if subject is not None else ""
            if subject is not None and subject.finding and not subject.example:
                self._drop_example_prompt()  # a photo has just come
            self.changed.emit()
        elif subject is not None and subject.name.strip() != self._name:
            self._timer.start()

    def _drop_example_prompt(self) -> None:
        prompt = self._state.values.prompt.strip()
        if prompt and not contains(prompt, self._name) and prompt in self._example_prompts():
            self._state.update_values(prompt="")

    def _example_prompts(self) -> set[str]:
        manifest = self._state.engine.manifest
        return {example.prompt.strip() for example in manifest.examples} if manifest is not None else set()

    @Slot()
    def settle(self) -> None:
        """Take over the name that is being typed now. Generate and whoever leaves the field call it."""
        self._timer.stop()
        subject = self._state.subject
        name = subject.name.strip() if subject is not None else ""
        if not name or name == self._name:
            self.changed.emit()
            return
        prompt = self._state.values.prompt
        before, self._name = self._name, name
        spoken = before if contains(prompt, before) else "" if contains(prompt, name) else self._spoken(prompt)
        if spoken:
            self._state.update_values(prompt=exchanged(prompt, spoken, name))
        self._remember(before)
        self.named.emit()
        self.changed.emit()

    def disagreement(self) -> Disagreement | None:
        """The thing that the prompt names and the subject is not, or None."""
        subject, prompt = self._state.subject, self._state.values.prompt
        if subject is None or self._timer.isActive():
            return None
        name = subject.name.strip()
        spoken = "" if contains(prompt, name) else self._spoken(prompt)
        return Disagreement(spoken, name) if spoken else None

    @Slot()
    def replace(self) -> None:
        """Put the subject's name where the prompt has another one."""
        found = self.disagreement()
        if found is not None and found.name:
            self._state.update_values(prompt=exchanged(self._state.values.prompt, found.spoken, found.name))

    def _spoken(self, prompt: str) -> str:
        """The longest known name in the prompt, or ""."""
        manifest = self._state.engine.manifest
        names = {subject.name.strip() for subject in self._state.subjects} | set(self._earlier)
        names |= {example.subject_name.strip() for example in manifest.examples} if manifest is not None else set()
        found = [name for name in names if contains(prompt, name)]
        return max(found, key=len, default="")

    def _remember(self, name: str) -> None:
        if name:
            self._earlier.pop(name, None)
            self._earlier[name] = None
            while len(self._earlier) > 50:
                self._earlier.pop(next(iter(self._earlier)))


def contains(prompt: str, name: str) -> bool:
    """Return True if a prompt has a name as whole words."""
    return bool(name) and _find(name).search(prompt) is not None


def exchanged(prompt: str, spoken: str, name: str) -> str:
    """The prompt with another name; "a" becomes "an" before a vowel, and back."""

    def put(found: re.Match[str]) -> str:
        article = found.group("article") or ""
        if article.strip().lower() in ("a", "an"):
            word = "an" if name[:1].lower() in "aeiou" else "a"
            article = (word.capitalize() if article[0].isupper() else word) + article[len(article.rstrip()) :]
        return article + name

    return _find(spoken).sub(put, prompt)


def _find(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<article>\b(?:an?|the)\s+)?(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
