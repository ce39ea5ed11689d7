"""Words of the Models dialog, in the user's language: sizes, speeds, phases, licences, memory."""

from __future__ import annotations

from app.language.amounts import size
from app.language.say import say
from app.language.sentences import translated
from engine import planning as engine_plans
from engine import time_left_words
from engine.device import GIB, gigabytes
from engine.planning import MemoryPlan
from engine.weights import ModelState, Phase


def _t(text: str) -> str:
    """Marks a text of a table for translation, as QT_TR_NOOP does, which has no type."""
    return text


_PHASES: dict[Phase, str] = {
    "asking": _t("Asking the server"),
    "fetching": _t("Downloading"),
    "checking": _t("Checking the files"),
    "converting": _t("Making it ready to draw"),
    "importing": _t("Copying"),
    "paused": _t("Paused"),
    "failed": _t("Stopped"),
    "absent": _t("Not on this computer"),
    "ready": _t("Ready"),
}
_MINI = _t("Small pictures on any computer. Comes with EchoGen.")
"""The mini's own description speaks English, as that of every bundle does."""


def description(state: ModelState) -> str:
    """A sentence or two on a model."""
    return say(_MINI) if state.name == "mini" else translated(state.description)


def title(state: ModelState) -> str:
    return translated(state.title)


def licence_names(text: str) -> str:
    """ "MIT and Apache-2.0": the catalogue joins the names in English."""
    return say("{0} and {1}").format(*text.rsplit(" and ", 1)) if " and " in text else text


def memory(count: int) -> str:
    """ "14.2 GB" as cards are counted, 2³⁰ bytes a GB."""
    return _joined(gigabytes(count))


def _joined(text: str) -> str:
    return text.replace(" ", "\u00a0")


def speed(state: ModelState) -> str:
    """ "38 MB/s, about 4 min left"; "" while nothing can be said yet."""
    if state.rate < 1000:
        return ""
    rate = f"{size(int(state.rate))}/s"
    return rate if state.left is None else say("{0}, {1}").format(rate, translated(time_left_words(state.left)))


def phase(state: ModelState) -> str:
    """ "Downloading", "Waiting for the server", "Checking the files, 40 %"."""
    if state.phase == "fetching" and state.silent:
        return say("Waiting for the server")
    words = say(_PHASES[state.phase])
    if state.phase in ("checking", "converting", "importing"):
        return say("{0}, {1} %").format(words, round(100 * state.fraction))
    return words


def activity(state: ModelState) -> str:
    """One line for the window about the work on a model: "Downloading Better cut-outs, 34 %", "Better cut-outs · Stopped"."""
    if state.phase == "fetching" and not state.silent:
        share = round(100 * state.done / state.total) if state.total else 0
        return say("Downloading {0}, {1}\u00a0%").format(title(state), share)
    return f"{title(state)} · {phase(state)}"


def plan_title(plan: MemoryPlan) -> str:
    return translated(plan.title)


def plan_meaning(plan: MemoryPlan) -> str:
    return translated(engine_plans.MEANINGS[plan.key])


def plan_needs(plan: MemoryPlan) -> str:
    """ "Balanced: needs 11.6 GB, you have 16 GB."."""
    have = _joined(f"{round(plan.available / GIB)} GB")
    if not plan.missing or plan.needed > plan.available:
        return say("{0}: needs {1}, you have {2}.").format(plan_title(plan), memory(plan.needed), have)
    return say("{0}: needs {1}, you have {2}, of which {3} is free.").format(
        plan_title(plan), memory(plan.needed), have, memory(plan.free)
    )


def plan_notes(plan: MemoryPlan) -> list[str]:
    """Notes on a plan on this computer."""
    notes = []
    if plan.missing:
        notes.append(
            say("Memory may run out: {0} more is wanted. Close other programs, or choose a smaller plan.").format(
                memory(plan.missing)
            )
        )
    elif plan.missing_beside:
        notes.append(
            say(
                "It also takes {0} of the computer's own memory, {1} more than is free. Close other programs, or drawing "
                "becomes very slow."
            ).format(memory(plan.beside), memory(plan.missing_beside))
        )
    elif not plan.fits_unequal:
        notes.append(
            say("Give prompt and subject the same strength: different ones need {0} more memory than is free.").format(
                memory(plan.needed + plan.unequal - plan.free)
            )
        )
    elif plan.unequal > GIB // 2:
        notes.append(
            say("Different strengths for prompt and subject take {0} more memory.").format(memory(plan.unequal))
        )
    if plan.beside > 4 * GIB and not plan.missing_beside:
        notes.append(say("It also takes {0} of the computer's own memory.").format(memory(plan.beside)))
    if plan.rounded and plan.key != "int8":  # whose meaning says so
        notes.append(
            say("The model is stored in a smaller form, so pictures differ a little from those of the larger plans.")
        )
    return notes


def best_plan(plans: tuple[MemoryPlan, ...]) -> MemoryPlan | None:
    """The plan that would be taken; None where there are none."""
    return engine_plans.best_plan(plans) if plans else None


def too_large(plan: MemoryPlan) -> bool:
    """Return True if the device is far too small even for this plan, as the engine sees it."""
    return plan.needed * 0.7 > plan.available
