"""Models in states that would take a network and an hour to come into."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import CannotWrite, NetworkError
from engine.sentence import Sentence
from engine.weights.state import ModelState, PartState
from engine.weights.store import ModelStore

LARGE, HELPER = "echogen-2b", "cut-out"


class ShownStore(ModelStore):
    """The models of this computer, some of them as ``show`` says."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, ModelState] = {}

    def show(self, *states: ModelState) -> None:
        self._shown = {state.name: state for state in states}

    def models(self) -> tuple[ModelState, ...]:
        return tuple(self._shown.get(state.name, state) for state in super().models())

    def state(self, name: str) -> ModelState:
        return self._shown.get(name) or super().state(name)


def _arrived(state: ModelState, share: float) -> tuple[PartState, ...]:
    """So much of all the bytes, part after part."""
    left, parts = share * state.total, []
    for part in state.parts:
        done = min(part.total, round(left))
        left -= done
        parts.append(replace(part, done=done))
    return tuple(parts)


def states(store: ModelStore) -> dict[str, tuple[ModelState, ...]]:
    """Names of dialogs to look at, with the models that are not as they are on a new computer."""
    large, helper = store.state(LARGE), store.state(HELPER)
    begun = replace(large, done=round(0.43 * large.total), parts=_arrived(large, 0.43))
    working = replace(begun, phase="fetching", rate=38e6, left=0.57 * large.total / 38e6)
    here = replace(large, phase="ready", installed=True, done=0)
    network = NetworkError(
        Sentence(
            "{job}: {reason}. {safe}",
            job="FLAN-T5 XL",
            reason="the connection broke five times",
            safe=Sentence("Nothing was lost."),
        ),
        Sentence("Check the connection. The download goes on where it stopped."),
    )
    disk = CannotWrite(
        Sentence.row(Sentence("The disk that holds {folder} is full.", folder=store.folder), "What has arrived stays."),
        Sentence("Make room, then resume; it goes on where it stopped."),
        title=Sentence("The disk is full"),
    )
    return {
        "models-fetching": (working, replace(helper, phase="asking")),
        "models-paused": (replace(begun, phase="paused"),),
        "models-failed": (replace(begun, phase="failed", error=network),),
        "models-full": (replace(begun, phase="failed", error=disk),),
        "models-converting": (replace(begun, phase="converting", done=large.total, fraction=0.37),),
        "models-here": (
            replace(here, originals=large.total),
            replace(helper, phase="checking", installed=True, fraction=0.6),
        ),
    }
