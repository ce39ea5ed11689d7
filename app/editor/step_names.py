"""Names of the steps of a mask's document."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

LABELS = (
    QT_TRANSLATE_NOOP("MaskSteps", "Paint"),
    QT_TRANSLATE_NOOP("MaskSteps", "Erase"),
    QT_TRANSLATE_NOOP("MaskSteps", "Lasso"),
    QT_TRANSLATE_NOOP("MaskSteps", "Click"),
    QT_TRANSLATE_NOOP("MaskSteps", "Move a click"),
    QT_TRANSLATE_NOOP("MaskSteps", "Remove a click"),
    QT_TRANSLATE_NOOP("MaskSteps", "Clear the clicks"),
    QT_TRANSLATE_NOOP("MaskSteps", "Box"),
    QT_TRANSLATE_NOOP("MaskSteps", "Edge"),
    QT_TRANSLATE_NOOP("MaskSteps", "Cut out"),
    QT_TRANSLATE_NOOP("MaskSteps", "Reset"),
    QT_TRANSLATE_NOOP("MaskSteps", "Find the subject"),
    QT_TRANSLATE_NOOP("MaskSteps", "Another candidate"),
    QT_TRANSLATE_NOOP("MaskSteps", "Invert"),
    QT_TRANSLATE_NOOP("MaskSteps", "Fill the holes"),
    QT_TRANSLATE_NOOP("MaskSteps", "Keep the largest part"),
    QT_TRANSLATE_NOOP("MaskSteps", "Edit cut-out"),
    QT_TRANSLATE_NOOP("MaskSteps", "Open a mask"),
    QT_TRANSLATE_NOOP("MaskSteps", "Go on with what was marked"),
)
"""As the document has them; also for the translators."""


def step_name(label: str) -> str:
    """A step's name in the user's language."""
    return QCoreApplication.translate("MaskSteps", label) if label else ""
