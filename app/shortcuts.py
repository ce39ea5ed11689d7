"""The one table of everything a key does.

Menus, tooltips, the settings, F1 and the documentation are made from it. A key acts in its context only: single letters
belong to the cut-out editor, the canvas or the history and never act while text is typed, because a text field takes its
letters first and no other context contains one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

log = logging.getLogger(__name__)

WINDOW = "window"
EDITOR = "editor"
CANVAS = "canvas"
FRAME = "frame"
STRIP = "strip"
HISTORY = "history"
PROMPT = "prompt"
SCREEN = "screen"
QUEUE = "queue"
SHELF = "shelf"
CONTEXTS = (WINDOW, EDITOR, CANVAS, FRAME, STRIP, HISTORY, PROMPT, SCREEN, QUEUE, SHELF)


def _t(text: str) -> str:
    """Marks a text of a table for translation, as QT_TR_NOOP does, which has no type."""
    return text


class Shortcut(Struct, frozen=True):
    """One line of the table.

    Attributes:
        id: stable name, also in the settings file.
        text: what it does, in English; ``label`` translates it.
        keys: the keys it has from the start, in Qt's portable form; the first is shown.
        context: where it acts: one of ``CONTEXTS``. "window" is everywhere.
        group: heading in F1, the settings and the menus.
        gesture: for what the mouse does ("Ctrl+wheel"), in English: shown, not editable.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    context: str = WINDOW
    group: str = "File"
    gesture: str = ""

    @property
    def label(self) -> str:
        return QCoreApplication.translate("", self.text)


TABLE: tuple[Shortcut, ...] = (
    # File
    Shortcut("open", _t("Open photo…"), ("Ctrl+O",)),
    Shortcut("add_photo", _t("Add another photo of this…"), ()),
    Shortcut("paste", _t("Paste photo or picture"), ("Ctrl+V",)),
    Shortcut("save", _t("Save as…"), ("Ctrl+S",)),
    Shortcut("save_plain", _t("Save without metadata…"), ("Ctrl+Shift+S",)),
    Shortcut("save_2x", _t("Save larger, ×2…")),
    Shortcut("save_4x", _t("Save larger, ×4…")),
    Shortcut("copy", _t("Copy picture"), ("Ctrl+C",)),
    Shortcut("quit", _t("Quit"), ("Ctrl+Q",)),
    # Picture
    Shortcut("generate", _t("Generate"), ("Ctrl+Return", "Ctrl+Enter"), group="Picture"),
    Shortcut("cancel", _t("Stop at once"), ("Shift+X", "Esc"), group="Picture"),
    Shortcut("stop_after", _t("Stop after this picture"), ("Ctrl+Shift+X",), group="Picture"),
    Shortcut("vary", _t("Vary: the same with a new seed"), ("Ctrl+R",), group="Picture"),
    Shortcut("redraw", _t("Redraw from here"), ("Ctrl+Shift+R",), group="Picture"),
    Shortcut("redraw_region", _t("Redraw a region"), ("Ctrl+Shift+D",), group="Picture"),
    Shortcut("into_photo", _t("Put the subject into a photo…"), ("Ctrl+Shift+P",), group="Picture"),
    Shortcut("cut_out", _t("Cut out of the picture…"), ("Ctrl+K",), group="Picture"),
    Shortcut("ideas", _t("Four ideas"), ("Ctrl+I",), group="Picture"),
    Shortcut("list", _t("A list of prompts…"), ("Ctrl+Shift+L",), group="Picture"),
    Shortcut("new_seed", _t("New seed"), ("Ctrl+D",), group="Picture"),
    Shortcut("lock_seed", _t("Keep this seed"), ("Ctrl+L",), group="Picture"),
    Shortcut("star", _t("Star"), (".",), HISTORY, "Picture"),
    Shortcut("star_canvas", _t("Star"), (".",), CANVAS, "Picture"),
    Shortcut("compare", _t("Compare with the cut-out"), ("Ctrl+B",), group="Picture"),
    Shortcut("side_by_side", _t("Pictures side by side"), ("Ctrl+G",), group="Picture"),
    Shortcut("place", _t("Place the subject"), ("Ctrl+P",), group="Picture"),
    Shortcut("hold_previous", _t("Show the previous picture while held"), ("C",), CANVAS, "Picture"),
    Shortcut("drag_out", _t("Drag the picture to another program"), (), CANVAS, "Picture", gesture=_t("Drag out")),
    Shortcut("copy_prompt", _t("Copy its prompt"), (), CANVAS, "Picture", gesture=_t("Menu of the picture")),
    Shortcut("reveal_canvas", _t("Show in the folder"), ("Ctrl+Shift+F",), CANVAS, "Picture"),
    Shortcut("delete_canvas", _t("Move to the trash"), ("Delete", "Backspace"), CANVAS, "Picture"),
    # The picture alone on the screen
    Shortcut("view_canvas", _t("The picture full screen"), ("F",), CANVAS, "Picture full screen"),
    Shortcut("view_history", _t("The picture full screen"), ("F",), HISTORY, "Picture full screen"),
    Shortcut(
        "view_double",
        _t("The picture full screen, and back"),
        (),
        CANVAS,
        "Picture full screen",
        gesture=_t("Double click"),
    ),
    Shortcut("screen_newer", _t("Newer picture"), ("Left", "PgUp"), SCREEN, "Picture full screen"),
    Shortcut("screen_older", _t("Older picture"), ("Right", "PgDown"), SCREEN, "Picture full screen"),
    Shortcut("screen_newest", _t("Newest picture"), ("Home",), SCREEN, "Picture full screen"),
    Shortcut("screen_oldest", _t("Oldest picture"), ("End",), SCREEN, "Picture full screen"),
    Shortcut("screen_star", _t("Star"), (".",), SCREEN, "Picture full screen"),
    Shortcut("screen_delete", _t("Move to the trash"), ("Delete", "Backspace"), SCREEN, "Picture full screen"),
    Shortcut("screen_undo", _t("Undo"), ("Ctrl+Z",), SCREEN, "Picture full screen"),
    Shortcut("screen_copy", _t("Copy picture"), ("Ctrl+C",), SCREEN, "Picture full screen"),
    Shortcut("screen_actual", _t("100 %"), ("Ctrl+1", "1"), SCREEN, "Picture full screen"),
    Shortcut("screen_fit", _t("Fit"), ("Ctrl+0", "0"), SCREEN, "Picture full screen"),
    Shortcut("screen_in", _t("Zoom in"), ("Ctrl++", "Ctrl+=", "+", "="), SCREEN, "Picture full screen"),
    Shortcut("screen_out", _t("Zoom out"), ("Ctrl+-", "-"), SCREEN, "Picture full screen"),
    Shortcut("screen_leave", _t("Back to the window"), ("Esc", "F", "F11"), SCREEN, "Picture full screen"),
    # Shelf
    Shortcut("shelf_left", _t("Move it to the left"), ("Alt+Left",), SHELF, "Shelf"),
    Shortcut("shelf_right", _t("Move it to the right"), ("Alt+Right",), SHELF, "Shelf"),
    Shortcut("shelf_drag", _t("Change the order"), (), SHELF, "Shelf", gesture=_t("Drag")),
    Shortcut("shelf_rename", _t("Give it another name"), ("F2",), SHELF, "Shelf"),
    Shortcut("shelf_remove", _t("Take it off the shelf"), ("Delete", "Backspace"), SHELF, "Shelf"),
    # Queue
    Shortcut("queue", _t("Show or hide the queue"), ("Ctrl+J",), group="Queue"),
    Shortcut("queue_pause", _t("Pause the queue, or go on"), ("Ctrl+Shift+J",), group="Queue"),
    Shortcut("queue_up", _t("Draw it earlier"), ("Alt+Up",), QUEUE, "Queue"),
    Shortcut("queue_down", _t("Draw it later"), ("Alt+Down",), QUEUE, "Queue"),
    Shortcut("queue_first", _t("Draw it next"), ("Alt+Home",), QUEUE, "Queue"),
    Shortcut("queue_draw", _t("Draw it after all"), ("Return", "Enter"), QUEUE, "Queue"),
    Shortcut("queue_take_out", _t("Take it out of the queue"), ("Delete", "Backspace"), QUEUE, "Queue"),
    Shortcut("queue_drag", _t("Change the order"), (), QUEUE, "Queue", gesture=_t("Drag")),
    # Place
    Shortcut("place_drag", _t("Move, size or turn the subject"), (), FRAME, "Place", gesture=_t("Drag")),
    Shortcut("place_free", _t("The same without snapping"), (), FRAME, "Place", gesture=_t("Ctrl+drag")),
    Shortcut("place_step", _t("Move it a little"), (), FRAME, "Place", gesture=_t("Arrow keys")),
    Shortcut("place_far", _t("Move it further"), (), FRAME, "Place", gesture=_t("Shift+arrow keys")),
    Shortcut("place_wheel", _t("Larger or smaller"), (), FRAME, "Place", gesture=_t("Wheel")),
    Shortcut("place_larger", _t("Larger"), ("+", "="), FRAME, "Place"),
    Shortcut("place_smaller", _t("Smaller"), ("-",), FRAME, "Place"),
    Shortcut("place_turn_left", _t("Turn it left"), ("[",), FRAME, "Place"),
    Shortcut("place_turn_right", _t("Turn it right"), ("]",), FRAME, "Place"),
    Shortcut("place_upright", _t("Set it upright"), ("U",), FRAME, "Place"),
    Shortcut("place_ground", _t("Stand it on the ground"), ("G",), FRAME, "Place"),
    Shortcut("place_mirror", _t("Mirror it"), ("M",), FRAME, "Place"),
    Shortcut("place_automatic", _t("Automatic place"), ("A",), FRAME, "Place"),
    # Prompt
    Shortcut("prompt_older", _t("Earlier prompt"), ("Alt+Up",), PROMPT, "Prompt"),
    Shortcut("prompt_newer", _t("Later prompt"), ("Alt+Down",), PROMPT, "Prompt"),
    Shortcut("focus_prompt", _t("Go to the prompt"), ("Ctrl+E",), group="Prompt"),
    # Presets
    Shortcut("keep_preset", _t("Save these settings as a preset…"), ("Ctrl+Shift+K",), group="Presets"),
    Shortcut("open_preset", _t("Open a preset…"), (), group="Presets"),
    Shortcut("preset_1", _t("Use the first preset"), ("Alt+1",), group="Presets"),
    Shortcut("preset_2", _t("Use the second preset"), ("Alt+2",), group="Presets"),
    Shortcut("preset_3", _t("Use the third preset"), ("Alt+3",), group="Presets"),
    Shortcut("preset_4", _t("Use the fourth preset"), ("Alt+4",), group="Presets"),
    Shortcut("preset_5", _t("Use the fifth preset"), ("Alt+5",), group="Presets"),
    Shortcut("preset_6", _t("Use the sixth preset"), ("Alt+6",), group="Presets"),
    Shortcut("preset_7", _t("Use the seventh preset"), ("Alt+7",), group="Presets"),
    Shortcut("preset_8", _t("Use the eighth preset"), ("Alt+8",), group="Presets"),
    Shortcut("preset_9", _t("Use the ninth preset"), ("Alt+9",), group="Presets"),
    # View
    Shortcut("next_panel", _t("Next panel"), ("F6",), group="View"),
    Shortcut("previous_panel", _t("Previous panel"), ("Shift+F6",), group="View"),
    Shortcut("fit", _t("Fit"), ("Ctrl+0",), group="View"),
    Shortcut("actual_size", _t("100 %"), ("Ctrl+1",), group="View"),
    Shortcut("zoom_in", _t("Zoom in"), ("Ctrl++", "Ctrl+="), group="View"),
    Shortcut("zoom_out", _t("Zoom out"), ("Ctrl+-",), group="View"),
    Shortcut("zoom_wheel", _t("Zoom at the pointer"), (), group="View", gesture=_t("Ctrl+wheel")),
    Shortcut("pan", _t("Move the picture"), (), group="View", gesture=_t("Space+drag")),
    Shortcut("toggle_history", _t("Show or hide the history"), ("Ctrl+H",), group="View"),
    Shortcut("gallery", _t("Gallery of all pictures"), ("Ctrl+Shift+H",), group="View"),
    Shortcut("toggle_subject", _t("Show or hide the subject"), ("Ctrl+T",), group="View"),
    Shortcut("menu", _t("Menu"), ("F10",), group="View"),
    Shortcut("full_screen", _t("Full screen"), ("F11",), group="View"),
    # Cut-out
    Shortcut("edit_cutout", _t("Edit cut-out"), ("Ctrl+M",), group="Cut-out"),
    Shortcut("export_cutout", _t("Save the cut-out on transparency…"), (), group="Cut-out"),
    Shortcut("export_mask", _t("Save the cut-out's mask…"), ("Ctrl+Shift+E",), group="Cut-out"),
    Shortcut("import_mask", _t("Open a mask…"), ("Ctrl+Shift+O",), group="Cut-out"),
    Shortcut("use_cutout", _t("Use this cut-out"), ("Return", "Enter"), EDITOR, "Cut-out"),
    Shortcut("leave_editor", _t("Back without changes"), ("Esc",), EDITOR, "Cut-out"),
    Shortcut("undo", _t("Undo"), ("Ctrl+Z",), group="Cut-out"),
    Shortcut("redo", _t("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"), group="Cut-out"),
    Shortcut("select", _t("Select the object"), ("S",), EDITOR, "Cut-out"),
    Shortcut("brush", _t("Brush"), ("B",), EDITOR, "Cut-out"),
    Shortcut("eraser", _t("Eraser"), ("E",), EDITOR, "Cut-out"),
    Shortcut("lasso", _t("Lasso"), ("L",), EDITOR, "Cut-out"),
    Shortcut("box", _t("Draw a box"), ("R",), EDITOR, "Cut-out"),
    Shortcut("hand", _t("Move the photo"), ("H",), EDITOR, "Cut-out"),
    Shortcut("swap", _t("Swap brush and eraser"), ("X",), EDITOR, "Cut-out"),
    Shortcut("smaller", _t("Smaller brush"), ("[",), EDITOR, "Cut-out"),
    Shortcut("larger", _t("Larger brush"), ("]",), EDITOR, "Cut-out"),
    Shortcut("softer", _t("Softer brush"), ("Shift+[", "{"), EDITOR, "Cut-out"),
    Shortcut("harder", _t("Harder brush"), ("Shift+]", "}"), EDITOR, "Cut-out"),
    Shortcut("invert", _t("Invert"), ("I",), EDITOR, "Cut-out"),
    Shortcut("overlay", _t("Tint, outline, what the model sees"), ("O",), EDITOR, "Cut-out"),
    Shortcut("other_tool", _t("Brush and eraser change places while held"), (), EDITOR, "Cut-out", gesture=_t("Ctrl")),
    Shortcut("brush_wheel", _t("Brush size"), (), EDITOR, "Cut-out", gesture=_t("Alt+wheel")),
    Shortcut("include", _t("This belongs"), (), EDITOR, "Cut-out", gesture=_t("Click")),
    Shortcut("exclude", _t("This does not belong"), (), EDITOR, "Cut-out", gesture=_t("Shift+click")),
    Shortcut("straight", _t("Straight line from the last stroke"), (), EDITOR, "Cut-out", gesture=_t("Shift+click")),
    Shortcut("cross_hair", _t("Move a cross-hair"), (), EDITOR, "Cut-out", gesture=_t("Arrow keys")),
    Shortcut("cross_hair_act", _t("Click or paint with the cross-hair"), (), EDITOR, "Cut-out", gesture=_t("Enter")),
    Shortcut("cross_hair_not", _t("This does not belong"), (), EDITOR, "Cut-out", gesture=_t("Shift+Enter")),
    # Scales
    Shortcut("scale_left", _t("Keep one scale less"), ("Left",), STRIP, "Scales"),
    Shortcut("scale_right", _t("Keep one scale more"), ("Right",), STRIP, "Scales"),
    Shortcut("scale_first", _t("Keep the first scale"), ("Home",), STRIP, "Scales"),
    Shortcut("scale_last", _t("Keep all scales"), ("End",), STRIP, "Scales"),
    # History
    Shortcut("recall_all", _t("Use everything of this picture"), ("A",), HISTORY, "History"),
    Shortcut("recall_prompt", _t("Use its prompt"), ("P",), HISTORY, "History"),
    Shortcut("recall_seed", _t("Use its seed"), ("S",), HISTORY, "History"),
    Shortcut("history_compare", _t("Compare two pictures"), ("C",), HISTORY, "History"),
    Shortcut("reveal", _t("Show in the folder"), ("Ctrl+Shift+F",), HISTORY, "History"),
    Shortcut("delete", _t("Move to the trash"), ("Delete", "Backspace"), HISTORY, "History"),
    Shortcut("search", _t("Search the history"), ("Ctrl+F",), group="History"),
    # Help
    Shortcut("help", _t("Keys and help"), ("F1",), group="Help"),
    Shortcut("models", _t("Models"), ("Ctrl+Shift+M",), group="Help"),
    Shortcut("settings", _t("Settings"), ("Ctrl+,",), group="Help"),
    Shortcut("log_folder", _t("Open the log folder"), (), group="Help"),
    Shortcut("diagnostics", _t("Copy diagnostics"), (), group="Help"),
    Shortcut("about", _t("About EchoGen"), (), group="Help"),
)

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(shortcut.group for shortcut in TABLE))
_BY_ID = {shortcut.id: shortcut for shortcut in TABLE}

_GROUP_NAMES = (
    _t("File"),
    _t("Picture"),
    _t("Picture full screen"),
    _t("Shelf"),
    _t("Queue"),
    _t("Place"),
    _t("Prompt"),
    _t("Presets"),
    _t("View"),
    _t("Cut-out"),
    _t("Scales"),
    _t("History"),
    _t("Help"),
)


def group_label(group: str) -> str:
    return QCoreApplication.translate("", group)


def shortcut(action: str) -> Shortcut:
    """The line of the table. Raises ``KeyError`` for an unknown name."""
    return _BY_ID[action]


_KEY_NAMES = (
    QT_TRANSLATE_NOOP("QShortcut", "Return"),
    QT_TRANSLATE_NOOP("QShortcut", "Enter"),
    QT_TRANSLATE_NOOP("QShortcut", "Backspace"),
    QT_TRANSLATE_NOOP("QShortcut", "Up"),
    QT_TRANSLATE_NOOP("QShortcut", "Down"),
    QT_TRANSLATE_NOOP("QShortcut", "Left"),
    QT_TRANSLATE_NOOP("QShortcut", "Right"),
)
"""Keys for which Qt's own translations have words that stand on no keyboard; ours come before them, in its menus, too."""


def as_written(keys: QKeySequence) -> str:
    """Keys as the whole program writes them: as this system does, with the word that stands on the key today."""
    return keys.toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")


def sequence(key: str) -> QKeySequence:
    """A key of the table for Qt. Without the format Qt would read it by its translated names, and two keys may have one name:
    in Chinese both Enter keys became the same one, which then blocked itself."""
    return QKeySequence(key, QKeySequence.SequenceFormat.PortableText)


def sequences(keys: Sequence[str]) -> list[QKeySequence]:
    """Keys for an action of Qt's, whose menus write the first one: Esc, see ``Keymap.shown``, and of the two
    Enter keys, which always act alike, that with the word of today."""
    both = [twin for key in sorted(keys, key="Esc".__ne__) for twin in (key.replace("Return", "Enter"), key)]
    return [sequence(key) for key in dict.fromkeys(both)]


class Keymap(QObject):
    """The keys in force: the table with the user's changes. One for the program (``keymap``)."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, tuple[str, ...]] = {}

    def keys(self, action: str) -> tuple[str, ...]:
        """The keys of an action in Qt's portable form, the shown one first."""
        return self._own.get(action, _BY_ID[action].keys)

    def shown(self, action: str) -> str:
        """The first key as this system writes it ("Ctrl+O"), or the gesture, or "". Esc goes before all others: it is the one
        that everybody tries."""
        keys = sorted(self.keys(action), key="Esc".__ne__)
        if keys:
            return as_written(sequence(keys[0]))
        gesture = _BY_ID[action].gesture
        return QCoreApplication.translate("", gesture) if gesture else ""

    def set_keys(self, action: str, keys: tuple[str, ...]) -> None:
        """Other keys for an action; an empty tuple switches them off."""
        if keys == _BY_ID[action].keys:
            self._own.pop(action, None)
        else:
            self._own[action] = tuple(keys)
        self.changed.emit()

    def take(self, action: str, keys: tuple[str, ...]) -> None:
        """Give keys to an action, and take them from every action that would block it."""
        wanted = {_normal(key) for key in keys} - {"Esc"}
        for other in self.conflicts(action, keys):
            self.set_keys(other.id, tuple(key for key in self.keys(other.id) if _normal(key) not in wanted))
        self.set_keys(action, keys)

    def reset(self) -> None:
        self._own.clear()
        self.changed.emit()

    def own(self) -> dict[str, list[str]]:
        """The user's changes, for the settings file."""
        return {action: list(keys) for action, keys in self._own.items()}

    def load(self, own: Mapping[str, object]) -> None:
        """Take the user's changes from the settings file; what no longer exists is dropped."""
        self._own = {
            action: tuple(str(key) for key in keys)
            for action, keys in own.items()
            if action in _BY_ID and isinstance(keys, (list, tuple))
        }
        self.changed.emit()

    def conflicts(self, action: str, keys: tuple[str, ...] | None = None) -> list[Shortcut]:
        """Other actions that would be triggered by the same keys: in the same context, or one of them everywhere.

        "Esc" is shared on purpose: the cut-out editor takes it before the window does.
        """
        mine = _BY_ID[action]
        wanted = {_normal(key) for key in (self.keys(action) if keys is None else keys)}
        found = []
        for other in TABLE:
            if other.id == action or not _meet(mine.context, other.context):
                continue
            if wanted & {_normal(key) for key in self.keys(other.id)} - {"Esc"}:
                found.append(other)
        return found


@lru_cache(maxsize=512)  # asked thousands of times for the conflicts of a whole table
def _normal(key: str) -> str:
    # The two Enter keys are one, see ``sequences``.
    return sequence(key).toString(QKeySequence.SequenceFormat.PortableText).replace("Return", "Enter")


def _meet(a: str, b: str) -> bool:
    # The frame lies on the canvas, whose keys act in it too. The full screen is a window of its own.
    return a == b or (WINDOW in (a, b) and SCREEN not in (a, b)) or {a, b} == {CANVAS, FRAME}


keymap = Keymap()


class BoundAction(QAction):
    """A ``QAction`` that follows the table: text, keys and tooltip, in the user's language and with the user's keys."""

    def __init__(self, action: str, parent: QWidget, run: Callable[..., object] | None = None) -> None:
        super().__init__(parent)
        self.entry = shortcut(action)
        self.setObjectName(f"action_{action}")
        inner = self.entry.context != WINDOW
        self.setShortcutContext(
            Qt.ShortcutContext.WidgetWithChildrenShortcut if inner else Qt.ShortcutContext.WindowShortcut
        )
        self.refresh()
        keymap.changed.connect(self.refresh)
        self._run = run
        self.triggered.connect(self._triggered)

    @Slot()
    def _triggered(self) -> None:
        # Qt's "checked" must not become an argument of what is run.
        if self._run is not None:
            self._run()

    def refresh(self) -> None:
        self.setText(self.entry.label)
        self.setShortcuts(sequences(keymap.keys(self.entry.id)))


def bind(widget: QWidget, action: str, run: Callable[..., object] | None = None) -> BoundAction:
    """Make an action of the table act on a widget: the window for the context "window", else the widget of its context.

    Args:
        widget: owns the action; in other contexts than "window" the keys act while it or a child has the focus.
        run: called without arguments when it is triggered; ``sender`` is not set in it.
    """
    result = BoundAction(action, widget, run)
    widget.addAction(result)
    return result


def add_entry(menu: QMenu, action: str, act: Callable[[], object], *, enabled: bool = True, text: str = "") -> None:
    """An entry of the table of keys, with its key."""
    entry = menu.addAction(text or shortcut(action).label, act)
    entry.setShortcuts(sequences(keymap.keys(action)[:1]))
    entry.setShortcutVisibleInContextMenu(True)
    entry.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # shown only: a second one would block the first
    entry.setEnabled(enabled)


def tooltip(action: str, text: str = "") -> str:
    """A tooltip with the key: "Brush (B)". ``text`` replaces the words of the table."""
    words = text or shortcut(action).label.rstrip("…")
    key = keymap.shown(action)
    return f"{words} ({key})" if key else words


def as_markdown() -> str:
    """The table for the documentation, in English and with the original keys."""
    lines = []
    for group in GROUPS:
        lines += [f"### {group}", "", "| keys | what |", "|---|---|"]
        for line in TABLE:
            if line.group == group:
                written = dict.fromkeys(key.replace("Return", "Enter") for key in line.keys)
                keys = " or ".join(written) or line.gesture or "–"
                lines.append(f"| {keys.replace('|', chr(92) + '|')} | {line.text.rstrip('…')} |")
        lines.append("")
    return "\n".join(lines)
