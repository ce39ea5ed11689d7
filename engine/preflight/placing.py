"""On which device a learned part of the pre-flight computes: the best one that has room for it now."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError
from engine.runtime.devices import GIB, Device, choose_device, processor

_TO_SPARE = GIB
"""What has to stay free beside the weights: pictures on their way through the part, and the system's own needs."""

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
