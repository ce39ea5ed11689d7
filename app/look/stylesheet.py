"""The style sheet for everything Qt paints itself: fields, lists, menus, scroll bars, tooltips.

Buttons, sliders and choices paint themselves (``buttons.py``, ``inputs.py``). Fonts are never set here: a font in a style
sheet beats ``QWidget.setFont`` and would break the type scale.
"""

from __future__ import annotations

from string import Template

from PySide6.QtWidgets import QApplication

from app.look import type as type_
from app.look.theme import notifier, palette, radius, size, theme

# A border of 2 px instead of 1 takes one pixel of the padding, so that nothing moves when a field gets the focus.
_SHEET = Template("""
QToolTip {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 6px; padding: 5px 8px;
}
QLabel { background: transparent; }
QLabel:disabled { color: $disabled; }

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox {
    background: $sunken; color: $text; border: 1px solid $outline; border-radius: ${control}px; padding: 0 10px;
    selection-background-color: $soft; selection-color: $soft_text; placeholder-text-color: $placeholder;
}
QLineEdit, QAbstractSpinBox, QComboBox { min-height: ${inner}px; }
QPlainTextEdit, QTextEdit { padding: 7px 8px; }
QLineEdit:hover, QPlainTextEdit:hover, QTextEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: $text; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {
    border: 2px solid $focus;
}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { padding: 0 9px; min-height: ${inner_focus}px; }
QPlainTextEdit:focus, QTextEdit:focus { padding: 6px 7px; }
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {
    background: $hover; color: $disabled; border-color: $border;
}
QLineEdit[readOnly="true"] { background: transparent; }

/* The line edit inside a spin box or an editable combo box is no field of its own. */
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {
    background: transparent; border: none; padding: 0; margin: 0; min-height: 0; border-radius: 0;
}
QAbstractSpinBox, QAbstractSpinBox:focus { padding: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
    subcontrol-origin: border; width: 22px; border: none; background: transparent; margin-right: 2px;
}
QAbstractSpinBox::up-button { subcontrol-position: top right; margin-top: 2px; border-top-right-radius: 6px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin-bottom: 2px; border-bottom-right-radius: 6px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-button:pressed, QAbstractSpinBox::down-button:pressed { background: $pressed; }
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow { image: none; width: 0; height: 0; }

QComboBox { padding-right: 28px; combobox-popup: 0; }
QComboBox:focus { padding-right: 27px; }
QComboBox::drop-down { subcontrol-origin: padding; subcontrol-position: center right; width: 24px; border: none; }
QComboBox::down-arrow { image: none; width: 0; height: 0; }
QComboBox QAbstractItemView {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 8px; padding: 4px; outline: 0;
    selection-background-color: $soft; selection-color: $soft_text;
}
QComboBox QAbstractItemView::item { min-height: 28px; padding: 0 8px; border-radius: 6px; border: none; }
QComboBox QAbstractItemView::item:hover { background: $hover; color: $text; }
QComboBox QAbstractItemView::item:selected { background: $soft; color: $soft_text; }
QComboBox QAbstractItemView::item:disabled { color: $disabled; }

QAbstractItemView {
    background: $sunken; alternate-background-color: $surface; color: $text; border: 1px solid $border;
    border-radius: ${control}px; outline: 0; selection-background-color: $soft; selection-color: $soft_text;
}
QHeaderView::section { background: $surface; color: $muted; border: none; border-bottom: 1px solid $border; padding: 6px 8px; }

QMenu { background: $raised; color: $text; border: 1px solid $border; border-radius: 8px; padding: 4px; menu-scrollable: 1; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 6px; background: transparent; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $disabled; background: transparent; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::indicator { width: 0; height: 0; }
QMenu::item:checked { color: $soft_text; background: $soft; }
QMenuBar { background: $surface; color: $text; }
QMenuBar::item { padding: 4px 10px; background: transparent; border-radius: 6px; }
QMenuBar::item:selected { background: $hover; }

QScrollArea, QScrollArea > QWidget > QWidget[scrolled="true"] { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $track; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $outline; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: none; background: none; }
QScrollBar::add-page, QScrollBar::sub-page { background: none; }
QAbstractScrollArea::corner { background: transparent; border: none; }

QProgressBar { background: $track; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QProgressBar:disabled::chunk { background: $outline; }

QFrame[surface="card"] { background: $raised; border: 1px solid $border; border-radius: ${card}px; }
QFrame[surface="panel"], QWidget[surface="panel"] { background: $surface; border: none; }
QFrame[surface="canvas"], QWidget[surface="canvas"] { background: $canvas; border: none; }
QFrame[surface="danger"] { background: $danger_surface; border: 1px solid $danger_border; border-radius: ${card}px; }
QFrame[surface="code"] { background: $sunken; border: 1px solid $border; border-radius: ${control}px; }
QLabel[tone="muted"] { color: $muted; }
QLabel[tone="danger"] { color: $danger; }
QLabel[tone="accent"] { color: $accent; }
QLabel[tone="warning"] { color: $warning; }
QDialog, QMainWindow { background: $surface; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QFileDialog QListView#sidebar { min-width: 128px; icon-size: 16px; }
QPlainTextEdit[code="true"] { background: $sunken; border: 1px solid $border; color: $muted; }
""")


def stylesheet() -> str:
    """The style sheet of the current theme."""
    current = theme()
    names = {
        "raised": "surface-raised",
        "sunken": "surface-sunken",
        "hover": "surface-hover",
        "pressed": "surface-pressed",
        "disabled": "text-disabled",
        "muted": "text-muted",
        "placeholder": "text-placeholder",
        "soft": "accent-soft",
        "soft_text": "accent-soft-text",
        "danger_surface": "danger-surface",
        "danger_border": "danger-border",
    }
    plain = ("surface", "canvas", "text", "border", "outline", "focus", "track", "accent", "danger", "warning")
    values = {key: current.color(name).name() for key, name in names.items()}
    values |= {name: current.color(name).name() for name in plain}
    field = size("field")
    return _SHEET.substitute(
        values,
        control=radius("control"),
        card=radius("card"),
        inner=field - 2,
        inner_focus=field - 4,
    )


STYLE = "Fusion"
"""The base style. Qt gives back the style that is set, and making a Python object for it loads all names that styles have: the
program asks for it with the arguments of its application."""
_held_back = False


def install(application: QApplication, *, begun: bool = False) -> None:
    """Dress the application: base style, fonts, palette, style sheet; kept up to date when the theme changes.

    Args:
        begun: the application was made with ``STYLE`` for a window that is built now. The style sheet is held back until
            ``put_on``: a window is built in two thirds of the time without one.
    """
    global _held_back
    _held_back = begun
    if not begun:
        application.setStyle(STYLE)
    type_.load_fonts()
    application.setFont(type_.font("body"))
    notifier.changed.connect(_refresh)
    notifier.set_choice(notifier.choice)


def put_on() -> None:
    """The window is built: the style sheet, if it was held back. What was built without it has its fonts already."""
    global _held_back
    if _held_back:
        _held_back = False
        _put_on_sheet()


def _put_on_sheet() -> None:
    application = QApplication.instance()
    if isinstance(application, QApplication):
        application.setPalette(palette())
        if not _held_back:
            application.setStyleSheet(stylesheet())


def _refresh() -> None:
    """Another theme."""
    _put_on_sheet()
    if not _held_back:
        type_.refresh()
