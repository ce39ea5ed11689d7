"""Memory plans: what lies on the device when, chosen before anything is loaded. Free of torch.

| plan | what gives way | same bits as resident |
|---|---|---|
| resident | nothing | |
| balanced | the text encoder leaves after use, the content layers after their keys are kept | yes |
| low | and the branches of guidance go one after another, their keys and the content layers come block by block | yes |
| int8 | and the layers' matrices are rounded to eight bits, while the branches go together | no |
| streamed | instead the image layers come block by block too, at every scale: for cards with 8 GB | yes |

On the processor there is one memory, so that only the number format and the branches can give way. No plan but that change
of format and "int8" touches the numbers of the network. "int8" is never taken by itself while another plan fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from engine.bundle.manifest import BundleManifest
from engine.bundle.sizes import text_numbers, transformer_numbers
from engine.device.devices import GIB, MIB, Device, gigabytes
from engine.errors import BundleError, InputError, NotEnoughMemory
from engine.model.config import ScaleSchedule
from engine.planning.footprint import Footprint, PlanPlacement, footprint
from engine.sentence import Sentence

if TYPE_CHECKING:  # plans are made where torch is not
    from engine.sampling.guidance import BranchOrder

PlanKey = Literal["resident", "balanced", "low", "int8", "streamed"]
PLANS: tuple[PlanKey, ...] = ("resident", "balanced", "low", "int8", "streamed")
TITLES: dict[PlanKey, Sentence] = {
    "resident": Sentence("Fast"),
    "balanced": Sentence("Balanced"),
    "low": Sentence("Low memory"),
    "int8": Sentence("Compact"),
    "streamed": Sentence("Smallest"),
}
MEANINGS: dict[PlanKey, Sentence] = {
    "resident": Sentence("The whole model stays in memory. The fastest way."),
    "balanced": Sentence("Parts of the model leave the memory when they have done their work."),
    "low": Sentence("The work is done in smaller steps, which is slower and takes less memory."),
    "int8": Sentence("The model is stored in a smaller form, and pictures differ a little."),
    "streamed": Sentence("The model is brought from the computer's memory piece by piece. The slowest way."),
}
NumberFormat = Literal["float32", "bfloat16", "float16"]
_BYTES: dict[NumberFormat, int] = {"float32": 4, "bfloat16": 2, "float16": 2}

# Networks up to this size are drawn in float32 everywhere: small enough, and the same bits on every device.
SMALL_NETWORK = 400_000_000
# What other programs, the driver and the gaps between blocks of memory take.
_RESERVE = {"cuda": 600 * MIB, "mps": 1024 * MIB, "cpu": 512 * MIB}
_WORTH_IT = 0.95  # a plan that saves less is slower for nothing
_WORTH_ROUNDING = 0.85  # and other pictures are worth a little more
_MORE_CACHED = 2  # subjects or prompts besides the one at hand that are kept where there is room


@dataclass(frozen=True)
class MemoryPlan:
    """One way to fit a bundle into a device, and what it needs.

    Attributes:
        key: "resident", "balanced", "low", "int8" or "streamed".
        title: the word the user sees.
        words: “Balanced: needs 13.1 GB, you have 16 GB.”
        needed: bytes on the device at the worst moment, with equal strengths.
        available: bytes the device has; free: bytes not in use.
        beside: bytes this plan takes of the computer's own memory for what it keeps off the device.
        beside_free: bytes of the computer's memory not in use; None where it is not known, or the same memory.
        rounded: the picture may differ a little from that of the resident plan, because numbers are held more coarsely.
        unequal: further bytes when prompt and subject strength differ.
        dtype: number format of the network's blocks and of the visual decoder; all else is float32.
        text_dtype: number format the text encoder's weights rest in; it computes in float32 in any case.
        branches: how the branches of guidance go through the network.
        offload_text: take the text encoder off the device after use.
        offload_content: take the content layers off the device after use.
        offload_states: keep keys, values and caches in the computer's memory, but for the block at work.
        stream_content: bring the content layers from the computer's memory one by one (in place of offload_content).
        stream_image: bring the image layers so too, at every scale.
        eight_bits: hold the matrices of the blocks in eight bits and restore them layer by layer.
        strip_bytes: size of the visual decoder's strips; None for what suits the device.
        cache_bytes: what the sampler may keep between pictures.
        notes: sentences worth saying.
    """

    key: PlanKey
    title: str
    words: str
    needed: int
    available: int
    free: int
    unequal: int = 0
    beside: int = 0
    beside_free: int | None = None
    rounded: bool = False
    dtype: NumberFormat = "float32"
    text_dtype: NumberFormat = "float32"
    branches: BranchOrder = "together"
    offload_text: bool = False
    offload_content: bool = False
    offload_states: bool = False
    stream_content: bool = False
    stream_image: bool = False
    eight_bits: bool = False
    strip_bytes: int | None = None
    cache_bytes: int = GIB
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """True if the device, and beside it the computer, have enough free memory for it."""
        return not self.missing and not self.missing_beside

    @property
    def fits_unequal(self) -> bool:
        return self.fits and self.needed + self.unequal <= self.free

    @property
    def missing(self) -> int:
        """Bytes the device lacks."""
        return max(0, self.needed - self.free)

    @property
    def missing_beside(self) -> int:
        """Bytes the computer's memory lacks beside the device."""
        return 0 if self.beside_free is None else max(0, self.beside - self.beside_free)


def all_plans(
    manifest: BundleManifest, device: Device, schedule: ScaleSchedule | None = None
) -> tuple[MemoryPlan, ...]:
    """Every plan that makes sense on this device, the fastest first.

    Args:
        schedule: the largest picture that will be asked for; by default the bundle's largest.

    Raises:
        BundleError: the description of an encoder lacks a number that its size follows from.
    """
    keys: Iterable[PlanKey] = ("resident", "low", "int8") if device.kind != "cuda" else PLANS
    plans: list[MemoryPlan] = []
    for key in keys:
        try:
            plan = _plan(manifest, device, key, schedule)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            # The descriptions of encoders are their libraries': what they lack is known when their numbers are used.
            raise BundleError(
                Sentence("How large this model is cannot be told from its description: {reason}.", reason=error),
                Sentence("Verify or remove it."),
            ) from error
        worth = _WORTH_ROUNDING if plan.eight_bits else _WORTH_IT
        if not plans or plan.needed < worth * plans[-1].needed:
            plans.append(plan)
    return tuple(plans)


def plan_for(
    manifest: BundleManifest, device: Device, wanted: str = "auto", schedule: ScaleSchedule | None = None
) -> MemoryPlan:
    """The plan to use: the fastest that fits, or the one asked for. One in eight bits only when no other does.

    Where none fits, the one that lacks least is given, and its words say what is missing: free memory may grow, and the
    estimate is a careful one. Only a device that is far too small is refused.

    Raises:
        InputError: there is no such plan.
        NotEnoughMemory: the device has less than 70 % of what the smallest plan needs.
    """
    plans = all_plans(manifest, device, schedule)
    if wanted != "auto":
        if wanted not in PLANS:
            raise InputError(
                Sentence("“{wanted}” is no memory plan.", wanted=wanted),
                Sentence("Choose auto, {plans} or {last}.", plans=", ".join(PLANS[:-1]), last=PLANS[-1]),
            )
        # Where a plan would save nothing (without a card, or with a small network) the nearest one is meant. Eight bits
        # have to be asked for by name.
        order = list(PLANS)
        meant = [plan for plan in plans if wanted == "int8" or not plan.eight_bits]
        return [plan for plan in meant if order.index(plan.key) <= order.index(wanted)][-1]
    best = best_plan(plans)
    if best.fits:
        return best
    smallest = min(plans, key=lambda plan: plan.needed)
    if smallest.needed * 0.7 > smallest.available:
        raise NotEnoughMemory(
            Sentence(
                "{manifest} needs at least {needed} of memory, and {device} has {total}.",
                manifest=manifest.title,
                needed=gigabytes(smallest.needed),
                device=device.words,
                total=gigabytes(device.total),
            ),
            Sentence("Choose a smaller model, or draw on the processor.")
            if device.kind != "cpu"
            else Sentence("Choose a smaller model."),
        )
    return best


def best_plan(plans: Sequence[MemoryPlan]) -> MemoryPlan:
    """Of all plans, the fastest first, the one to take: it fits, in eight bits only when no other does; or lacks least."""
    for plan in sorted(plans, key=lambda plan: plan.eight_bits):
        if plan.fits:
            return plan
    # A card that is too full is an error; a computer that is too full is slow.
    return min(plans, key=lambda plan: (plan.missing, plan.missing_beside))


def step_down(
    manifest: BundleManifest, device: Device, plan: MemoryPlan, schedule: ScaleSchedule | None = None
) -> MemoryPlan | None:
    """The next smaller plan after memory ran out, or None when there is none. Its notes say what happened."""
    plans = all_plans(manifest, device, schedule)
    keys = [entry.key for entry in plans]
    position = keys.index(plan.key) + 1 if plan.key in keys else len(plans)
    if position >= len(plans):
        return None
    below = min(plans[position:], key=lambda entry: entry.eight_bits)  # the next one, eight bits last
    note = Sentence("Memory ran out with the plan “{plan}”; “{below}” is used now.", plan=plan.title, below=below.title)
    if below.rounded and not plan.rounded:
        note = Sentence(
            "Memory ran out with the plan “{plan}”; “{below}” is used now, whose pictures differ a little.",
            plan=plan.title,
            below=below.title,
        )
    return replace(below, notes=(*below.notes, note))


def out_of_memory(plan: MemoryPlan, device: Device, free: int) -> NotEnoughMemory:
    """The error for when even the smaller plan did not do: what is needed, what there is."""
    return NotEnoughMemory(
        Sentence(
            "This picture needs about {needed} and {free} of {device} is free.",
            needed=gigabytes(plan.needed),
            free=gigabytes(free),
            device=device.words,
        ),
        Sentence("Close other programs that use the graphics card, or choose a smaller size.")
        if device.kind != "cpu"
        else Sentence("Close other programs, or choose a smaller size."),
    )


def number_format(numbers: int, device: Device) -> NumberFormat:
    """float32 for small networks and where bfloat16 would be slower, else bfloat16 as published."""
    return "float32" if numbers <= SMALL_NETWORK or device.kind == "cpu" else "bfloat16"


def _plan(manifest: BundleManifest, device: Device, key: PlanKey, schedule: ScaleSchedule | None) -> MemoryPlan:
    low, eight_bits = key in ("low", "int8", "streamed"), key == "int8"
    formats = _formats(manifest, device)
    # On the processor the low plan takes half the memory in bfloat16, as a card does everywhere.
    dtype, text_dtype = _formats(manifest, replace(device, kind="cuda")) if device.kind == "cpu" and low else formats
    elsewhere = device.kind == "cuda"
    placement = PlanPlacement(
        number_bytes=_BYTES[dtype],
        text_number_bytes=_BYTES[text_dtype],
        batched=not low or eight_bits,  # restoring a layer once for all branches
        text_stays=not elsewhere or key == "resident",
        content_stays=not elsewhere or key == "resident",
        states_stay=not (elsewhere and low),
        content_streamed=elsewhere and low,
        image_streamed=key == "streamed",
        eight_bits=eight_bits,
        strip_bytes=(64 if low else 256) * MIB if device.kind != "cpu" else 4 * MIB,
    )
    sizes = footprint(manifest, placement, schedule)
    unequal = footprint(manifest, placement, schedule, branches=3).needed - sizes.needed
    reserve = _RESERVE[device.kind]
    needed = sizes.needed + reserve
    plan = MemoryPlan(
        key=key,
        title=TITLES[key],
        words="",
        needed=needed,
        available=device.total,
        free=device.free,
        unequal=unequal,
        beside=sizes.beside,
        beside_free=device.host_free,
        rounded=eight_bits or (dtype, text_dtype) != formats,
        dtype=dtype,
        text_dtype=text_dtype,
        branches=_branch_order(placement, device),
        offload_text=not placement.text_stays,
        offload_content=not placement.content_stays and not placement.content_streamed,
        offload_states=not placement.states_stay,
        stream_content=placement.content_streamed,
        stream_image=placement.image_streamed,
        eight_bits=eight_bits,
        strip_bytes=None if device.kind == "cpu" else placement.strip_bytes,
        cache_bytes=_cache_bytes(sizes, device.free - needed if placement.states_stay else 0),
    )
    return replace(plan, words=_words(plan), notes=_notes(plan, device))


def _branch_order(placement: PlanPlacement, device: Device) -> BranchOrder:
    """Eight bits are restored once for all branches; a card has no cores to share out."""
    if not placement.batched:
        return "in-turn"
    return "side-by-side" if device.kind == "cpu" and not placement.eight_bits else "together"


def _formats(manifest: BundleManifest, device: Device) -> tuple[NumberFormat, NumberFormat]:
    """Of the network and of the text encoder, which was published in float16."""
    numbers = transformer_numbers(manifest.transformer).total, text_numbers(manifest.text.config)
    text = number_format(numbers[1], device)
    return number_format(numbers[0], device), "float32" if text == "float32" else "float16"


def _cache_bytes(sizes: Footprint, free: int) -> int:
    """Memory for one subject and prompt (three branches of it), and more where there is room."""
    least = sizes.cache + sizes.cache // 2
    return least + min(max(0, free) // 2, _MORE_CACHED * sizes.cache)


def _words(plan: MemoryPlan) -> Sentence:
    needed, have = gigabytes(plan.needed), Sentence("you have {total} GB", total=round(plan.available / GIB))
    if not plan.missing or plan.needed > plan.available:
        return Sentence("{plan}: needs {needed}, {have}.", plan=plan.title, needed=needed, have=have)
    return Sentence(
        "{plan}: needs {needed}, {have}, of which {free} is free.",
        plan=plan.title,
        needed=needed,
        have=have,
        free=gigabytes(plan.free),
    )


def _notes(plan: MemoryPlan, device: Device) -> tuple[str, ...]:
    notes = list(device.notes)
    if plan.missing:
        notes.append(
            Sentence(
                "Memory may run out: {missing} more is wanted. Close other programs, or choose a smaller plan or size.",
                missing=gigabytes(plan.missing),
            )
        )
    elif plan.missing_beside:
        notes.append(
            Sentence(
                "It also takes {beside} of the computer's own memory, {missing_beside} more than is free. Close "
                "other programs, or drawing becomes very slow.",
                beside=gigabytes(plan.beside),
                missing_beside=gigabytes(plan.missing_beside),
            )
        )
    elif not plan.fits_unequal:
        notes.append(
            Sentence(
                "Give prompt and subject the same strength: different ones need {needed} more memory than is free.",
                needed=gigabytes(plan.needed + plan.unequal - plan.free),
            )
        )
    elif plan.unequal > GIB // 2:
        notes.append(
            Sentence(
                "Different strengths for prompt and subject take {unequal} more memory.",
                unequal=gigabytes(plan.unequal),
            )
        )
    if plan.beside > 4 * GIB and not plan.missing_beside:
        notes.append(Sentence("It also takes {beside} of the computer's own memory.", beside=gigabytes(plan.beside)))
    if plan.rounded:
        notes.append(
            Sentence(
                "The model is stored in a smaller form, so pictures differ a little from those of the larger plans."
            )
        )
    return tuple(notes)
