"""Loading on first use: of the names that a package's ``__init__`` offers as its face, and of large libraries."""

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


class _Late:
    """Stands for a module until a name of it is asked for."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> object:
        value = getattr(import_module(self._module), name)
        setattr(self, name, value)  # found without this method from now on
        return value


def late(module: str) -> _Late:
    """A module that is imported when a name of it is first used: what only names its types need not wait for it.

    Type checkers need the module imported under ``TYPE_CHECKING``.
    """
    return _Late(module)
