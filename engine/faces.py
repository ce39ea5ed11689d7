"""The faces of the engine's packages: an ``__init__`` that offers names of the modules below it and loads each on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def face(
    package: str, names: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names are loaded on first use.

    Args:
        package: the package's ``__name__``.
        names: module -> names it defines. Type checkers need the same names imported under ``TYPE_CHECKING``.
    """
    homes = {name: module for module, offered in names.items() for name in offered}

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # found without this function from now on
        return value

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, listed, sorted(homes)
