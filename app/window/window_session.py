"""The window's part of the saved session: its place and size, open sections, the list, earlier prompts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from app.models.offer_room import HIGHEST, usual_height
from app.prompt.coming_scenes import scenes_of_last_time
from app.prompt.scene_chips import FIRST
from app.session.values import with_controls
from app.store.settings import OFFER_PUT_AWAY
from app.subject.coming_photo import photo_of_last_time
from engine import MAX_PROMPT_CHARACTERS

if TYPE_CHECKING:
    from app.session.state import SessionState
    from app.store.saved_session import SavedSession
    from app.window.geometry import WindowGeometry
    from app.window.listing import Listing
    from app.window.panels import Panels


class WindowSession:
    """Describes the window for the session file, and makes it again as it was."""

    def __init__(self, panels: Panels, place: WindowGeometry, state: SessionState) -> None:
        self._panels, self._place, self._state = panels, place, state
        self._listing: Listing | None = None
        self._controls: dict[str, Any] = {}

    def take_list(self, listing: Listing) -> None:
        """Describe the list of prompts, too, once there is one, and make it again as it was."""
        self._listing = listing
        text = self._controls.get("list")
        if isinstance(text, str):
            listing.set_text(text)
        listing.run.restore(self._controls.get("listed"))

    def describe(self) -> dict[str, Any]:
        """The window's fields of ``SavedSession``, beside those of the state."""
        shown, prompt = self._state.result, self._panels.prompt
        photo = self._panels.subject.described()
        controls = {
            "shown": shown.picture if shown is not None else None,
            "sections": prompt.sheet.open_sections(),
            "list": self._listing.text if self._listing is not None else self._controls.get("list"),
            "listed": self._listing.run.saved() if self._listing is not None else self._controls.get("listed"),
            "history_shown": self._panels.is_history_shown(),
            "windows": self._place.on_screens(),
            "offer": self._panels.height_over_canvas(),
            "scenes": to_builtins(prompt.sheet.chips.described()),
            "photo": to_builtins(photo) if photo is not None else None,
        }
        return {"controls": controls, "prompt_history": prompt.prompt_history(), "window": self._place.last()}

    def restore(self, session: SavedSession) -> None:
        """Place, size, open sections with their values, and earlier prompts as they were."""
        prompt, controls = self._panels.prompt, session.controls
        self._controls = controls
        windows = controls.get("windows")
        self._place.restore(session.window, windows if isinstance(windows, dict) else {})
        # Before anything shows them, so that nothing moves later: the photos and the rest come after the first paint, from the
        # keeper. What is not known yet keeps its room.
        values = with_controls(self._state.values, controls)
        words = session.prompt[:MAX_PROMPT_CHARACTERS], session.negative_prompt[:MAX_PROMPT_CHARACTERS]
        self._state.set_values(replace(values, prompt=words[0], negative_prompt=words[1]))
        prompt.sheet.expect_scenes(scenes_of_last_time(controls.get("scenes"), FIRST))
        self._panels.subject.expect(photo_of_last_time(session))
        if not self._state.settings.panels.get(OFFER_PUT_AWAY):
            height = controls.get("offer", 0) if controls else usual_height()
            self._panels.keep_room(height if isinstance(height, int) and height <= HIGHEST else 0)
        sections = controls.get("sections")
        if isinstance(sections, dict):
            prompt.set_open_sections(sections)
        prompt.set_prompt_history(session.prompt_history)
        self._panels.show_history(controls.get("history_shown", True) is not False)
