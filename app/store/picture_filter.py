"""A filter of the history as a value, and its SQL."""

from __future__ import annotations

from msgspec import Struct

INDEX = "CREATE INDEX IF NOT EXISTS by_filter ON pictures (deleted, created, starred, subject_name, bundle, prompt)"
"""Every column a filter looks at: a search reads this index alone, and none of the pages full of thumbnails."""


class PictureFilter(Struct, frozen=True):
    """Everything that is set has to be true of a picture.

    Attributes:
        search: words that have to occur in the prompt or the subject's name.
        starred: starred ones only.
        subject: name of the subject; None for all, "" for those without a name.
        bundle: identity of the model; None for all.
        day: of the local calendar, "2026-11-29"; "" for all.
    """

    search: str = ""
    starred: bool = False
    subject: str | None = None
    bundle: str | None = None
    day: str = ""

    def filters_rows(self) -> bool:
        """Return True if it asks for more than the time."""
        return bool(self.search.split() or self.starred) or self.subject is not None or self.bundle is not None

    def where(self) -> tuple[str, list[object]]:
        """The condition, without "WHERE", and its values."""
        conditions: list[str] = ["deleted IS NULL"]
        values: list[object] = []
        for word in self.search.split():
            conditions.append("(prompt LIKE ? ESCAPE '\\' OR subject_name LIKE ? ESCAPE '\\')")
            pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            values += [pattern, pattern]
        if self.starred:
            conditions.append("starred=1")
        for column, value in (("subject_name", self.subject), ("bundle", self.bundle)):
            if value is not None:
                conditions.append(f"{column}=?")
                values.append(value)
        if self.day:
            # Bounds, not a function of each row's time: the index is sorted by it.
            for sign, shift in ((">=", "+0 day"), ("<", "+1 day")):
                conditions.append(f"created {sign} CAST(strftime('%s', ?, ?, 'utc') AS REAL)")
                values += [self.day, shift]
        return " AND ".join(conditions), values


class Facets(Struct, frozen=True):
    """The values the pictures can be filtered by, each with how many there are.

    Attributes:
        subjects: by name, most pictures first. bundles: by identity. days: "2026-11-29", newest first.
    """

    subjects: tuple[tuple[str, int], ...] = ()
    bundles: tuple[tuple[str, int], ...] = ()
    days: tuple[tuple[str, int], ...] = ()
