"""A cache with a byte budget: what was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def byte_size(value: Any) -> int:
    """Bytes of all tensors and arrays inside nested tuples, lists, dicts and dataclasses."""
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(byte_size(item) for item in value.values())
    if isinstance(value, (tuple, list)):
        return sum(byte_size(item) for item in value)
    if is_dataclass(value):
        return sum(byte_size(getattr(value, field.name)) for field in fields(value))
    return 0


class ByteBudgetCache:
    """Least recently used first out, counted in bytes.

    An entry larger than the whole budget is handed out but not kept. A value is stored when it is complete, so that
    cancelled work leaves nothing half made behind.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    @property
    def nbytes(self) -> int:
        return sum(size for _, size in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def find(self, key: Hashable) -> Any | None:
        """The value for this key, or None."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def keep(self, key: Hashable, value: Any) -> None:
        """Store a value, never None."""
        size = byte_size(value)
        if size <= self.budget:
            self._entries[key] = (value, size)
            while self.nbytes > self.budget:
                self._entries.popitem(last=False)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value for this key, made now if it is not there."""
        found: T | None = self.find(key)
        if found is None:
            found = make()
            self.keep(key, found)
        return found

    def clear(self) -> None:
        self._entries.clear()
