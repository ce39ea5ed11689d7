"""Commands on the pictures of the history: show, recall, star, compare, delete, find again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.language import sentences
from engine import PhotoError, Sentence, shown_name

if TYPE_CHECKING:
    from app.store.history_store import HistoryStore, Picture
    from app.store.picture_files import OpenedPicture


class PictureSequence(Protocol):
    """The pictures of a view, in its order."""

    def pictures(self) -> Sequence[Picture]: ...

    def set_missing(self, missing: Iterable[int]) -> None: ...

    def is_missing(self, picture: Picture) -> bool: ...

    def previous_of(self, picture: Picture) -> Picture | None: ...

    def row_of(self, picture: int) -> int: ...

    def picture_at(self, row: int) -> Picture | None: ...

    def rowCount(self) -> int: ...

    def beside(self, picture: int, step: int) -> Picture | None:
        """The picture so many places further on; None beyond the ends, and when ``picture`` is not among them."""
        ...

    def end(self, place: int) -> Picture | None:
        """The first (0) or the last (-1) picture."""
        ...

    def place_of(self, picture: int) -> tuple[int, int]:
        """Its number, from 1 on, and how many there are; (0, 0) when it is not among them."""
        ...


class PicturesView(Protocol):
    """The pictures the user chose."""

    def chosen(self) -> list[Picture]: ...

    def chosen_ids(self) -> list[int]: ...

    def choose(self, picture: int) -> None: ...

    def window(self) -> QWidget: ...


class PictureCommands(QObject):
    """Acts on the pictures that are chosen in the view. Everything slow happens in the background.

    Signals:
        changed: the store changed, the row has to be read again.
        opened(object): ``OpenedPicture`` that was clicked: show it.
        recallRequested(object, str): ``OpenedPicture`` and "all", "seed" or "prompt": fill the panel from its request.
        compareRequested(object, object): two ``OpenedPicture``: newer, older.
        starred(int, bool): a picture was starred here.
        deleted(tuple): ids that were deleted; offer Undo (``undo_delete``). restored(tuple): ids that came back.
        rebuilt(int): so many pictures of the folder were found anew.
        failed(object): an ``EchoGenError``.
        saveRequested(object, bool), copyRequested(object): a ``Picture`` from the context menu; True: with metadata.
        saveAllRequested(object, bool): the same for a list of pictures.
        viewRequested(object): show this ``Picture`` alone on the screen.
        sideBySideRequested: show the chosen pictures beside each other.
        promptCopied: the chosen picture's prompt is on the clipboard.
    """

    changed = Signal()
    opened = Signal(object)
    recallRequested = Signal(object, str)
    compareRequested = Signal(object, object)
    starred = Signal(int, bool)
    deleted = Signal(tuple)
    restored = Signal(tuple)
    rebuilt = Signal(int)
    failed = Signal(object)
    saveRequested = Signal(object, bool)
    saveAllRequested = Signal(object, bool)
    copyRequested = Signal(object)
    viewRequested = Signal(object)
    promptCopied = Signal()
    sideBySideRequested = Signal()

    def __init__(
        self, store: HistoryStore, model: PictureSequence, view: PicturesView, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._model, self._view = store, model, view
        self._deleted: list[tuple[int, ...]] = []
        self._ticket = self._check = 0

    def act_on(self, model: PictureSequence, view: PicturesView) -> None:
        """Act on the pictures of another view from now on: the gallery's while it is open, else those of the row."""
        self._model, self._view = model, view

    @property
    def model(self) -> PictureSequence:
        """The pictures that are acted on."""
        return self._model

    # The whole history

    def start(self) -> None:
        """Once, when the window is visible: finish what the last session deleted, and adopt pictures the index lacks."""
        from app.system import background

        background.run(partial(_settle, self._store), done=self._settled, failed=self._failed)

    def rescan(self) -> None:
        """ "Rescan folder"."""
        from app.system import background

        background.run(self._store.rebuild, done=self._rebuilt, failed=self._failed)

    def check_files(self) -> None:
        """Look in the background whether the files are still there (call it when the window becomes active)."""
        pictures = tuple(self._model.pictures())
        if pictures:
            from app.system import background

            self._check += 1
            background.run(partial(_missing, self._check, pictures), done=self._checked)

    @Slot(object)
    def _checked(self, found: tuple[int, frozenset[int]]) -> None:
        check, missing = found
        if check == self._check:  # an earlier look that took longer knows less
            self._model.set_missing(missing)

    def can_undo_delete(self) -> bool:
        """Return True if something was deleted that can be brought back."""
        return bool(self._deleted)

    def undo_delete(self) -> tuple[int, ...]:
        """Bring back what was deleted last; again for what was deleted before it, back to the start of the program.

        Returns:
            the ids of the pictures that came back; empty when there is nothing to bring back.
        """
        if not self._deleted:
            return ()
        ids = self._deleted.pop()
        self._store.restore(ids)
        self.changed.emit()
        self._view.choose(ids[0])
        self.restored.emit(ids)
        return ids

    @Slot()
    def purge(self) -> None:
        """Move deleted pictures to the trash now: the program ends. What cannot be moved is in the history at the next start."""
        from app.system import background

        self._deleted.clear()
        background.run(self._store.purge, done=self._purged, failed=self._failed)

    # What is done with the chosen pictures

    @Slot(object)
    def open(self, picture: Picture) -> None:
        """Read a picture and show it, unless another one is clicked before it is there."""
        from app.system import background

        self._ticket += 1
        work = partial(_open_with_ticket, self._store, self._ticket, picture, self._model.previous_of(picture))
        background.run(work, done=self._opened, failed=self._failed)

    @Slot()
    def toggle_star(self) -> None:
        self.star(self._view.chosen())

    def star(self, pictures: Sequence[Picture]) -> None:
        """Star pictures; when all of them are, take their stars away."""
        if pictures:
            wanted = not all(picture.starred for picture in pictures)
            self._store.star((picture.id for picture in pictures), wanted)
            for picture in pictures:
                self.starred.emit(picture.id, wanted)
            self.changed.emit()

    def save_chosen(self, metadata: bool = True) -> None:
        """Save the chosen picture under another name, or several to a folder."""
        there = [picture for picture in self._view.chosen() if not self._model.is_missing(picture)]
        if len(there) == 1:
            self.saveRequested.emit(there[0], metadata)
        elif there:
            self.saveAllRequested.emit(there, metadata)

    @Slot()
    def recall_all(self) -> None:
        self._recall("all")

    @Slot()
    def recall_prompt(self) -> None:
        self._recall("prompt")

    @Slot()
    def recall_seed(self) -> None:
        self._recall("seed")

    def chosen(self) -> list[Picture]:
        """The chosen pictures, in the order of the row."""
        return self._view.chosen()

    def choose(self, picture: Picture) -> None:
        """Choose one picture."""
        self._view.choose(picture.id)

    def is_missing(self, picture: Picture) -> bool:
        """Return True if the picture's file is gone."""
        return self._model.is_missing(picture)

    def can_compare(self) -> bool:
        """Return True if two pictures are chosen, or one that has another before it."""
        return len(self._to_compare()) == 2

    def _to_compare(self) -> list[Picture]:
        """The two chosen pictures, or the chosen one and the one before it in its group; fewer when there are not two."""
        chosen = [picture for picture in self._view.chosen() if not self._model.is_missing(picture)]
        previous = self._model.previous_of(chosen[0]) if len(chosen) == 1 else None
        return [*chosen, previous] if previous is not None else chosen

    @Slot()
    def compare(self) -> None:
        """Compare the two chosen pictures, or the chosen one with the one before it."""
        from app.system import background

        chosen = self._to_compare()
        if len(chosen) == 2:
            background.run(partial(_open_two, *chosen), done=self._two_opened, failed=self._failed)

    @Slot()
    def reveal(self) -> None:
        """Show the chosen picture in the system's file manager."""
        from app.system.sharing import reveal

        chosen = self._view.chosen()
        if chosen:
            reveal(chosen[0].file)

    @Slot()
    def open_folder(self) -> None:
        from app.system.sharing import file_url

        folder = self._store.folder
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(file_url(folder))

    @Slot()
    def delete(self) -> None:
        """Hide the chosen pictures; they go to the trash when the program ends."""
        self.delete_pictures(self._view.chosen_ids())

    def delete_pictures(self, pictures: Iterable[int]) -> None:
        """Hide pictures by their ids, chosen or not; the one that follows them in the row is chosen then."""
        ids = tuple(pictures)
        if not ids:
            return
        following = max(map(self._model.row_of, ids)) - len(ids) + 1
        self._store.delete(ids)
        self._deleted.append(ids)
        self.changed.emit()
        beside = self._model.picture_at(max(0, min(following, self._model.rowCount() - 1)))
        if beside is not None:
            self._view.choose(beside.id)
        self.deleted.emit(ids)

    @Slot()
    def locate(self) -> None:
        """Ask where the file of the chosen picture is now."""
        from PySide6.QtWidgets import QFileDialog

        chosen = self._view.chosen()
        if chosen:
            name, _ = QFileDialog.getOpenFileName(
                self._view.window(),
                self.tr("Where is {0}?").format(shown_name(chosen[0].file)),
                str(self._store.folder),
                "PNG (*.png)",
            )
            if name:
                self._store.relocate(chosen[0].id, Path(name))
                self.changed.emit()

    @Slot()
    def forget(self) -> None:
        """Take chosen pictures whose files are gone out of the history."""
        for picture in self._view.chosen():
            if self._model.is_missing(picture):
                self._store.forget(picture.id)
        self.changed.emit()

    # Inside, and answers from the background

    def _recall(self, what: str) -> None:
        chosen = self._view.chosen()
        if chosen:
            self.recall(chosen[0], what)

    def recall(self, picture: Picture, what: str) -> None:
        """Fill the panel from a picture. ``what``: "all", "prompt" or "seed"."""
        from app.system import background

        background.run(partial(_open_for, self._store, what, picture), done=self._opened_for, failed=self._failed)

    @Slot()
    def copy_prompt(self) -> None:
        """The prompt of the chosen picture to the clipboard."""
        chosen = self._view.chosen()
        if chosen:
            QGuiApplication.clipboard().setText(chosen[0].prompt)
            self.promptCopied.emit()

    @Slot()
    def view_large(self) -> None:
        """The chosen picture alone on the screen."""
        chosen = self._view.chosen()
        if chosen:
            self.viewRequested.emit(chosen[0])

    @Slot(object)
    def _opened(self, answer: tuple[int, OpenedPicture]) -> None:
        # Who goes through the row quickly wants the last one only.
        if answer[0] == self._ticket:
            self.opened.emit(answer[1])

    @Slot(object)
    def _opened_for(self, answer: tuple[str, OpenedPicture]) -> None:
        what, opened = answer
        if opened.request is None:
            self.failed.emit(_no_request(opened.picture))
        else:
            self.recallRequested.emit(opened, what)

    @Slot(object)
    def _two_opened(self, answer: tuple[OpenedPicture, OpenedPicture]) -> None:
        self.compareRequested.emit(*answer)

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        self.check_files()
        self.failed.emit(error)

    @Slot(object)
    def _purged(self, left: list[Path]) -> None:
        if left:
            self.changed.emit()
            names = sentences.listed(shown_name(file) for file in left[:3])
            self.failed.emit(_not_trashed(names))

    @Slot(object)
    def _settled(self, answer: tuple[list[Path], int]) -> None:
        left, added = answer
        if added or left:
            self._rebuilt(added)
        self._purged(left)

    @Slot(object)
    def _rebuilt(self, added: int) -> None:
        self.changed.emit()
        self.rebuilt.emit(added)


def _settle(store: HistoryStore) -> tuple[list[Path], int]:
    left = store.purge()
    return left, store.rebuild()


def _missing(check: int, pictures: tuple[Picture, ...]) -> tuple[int, frozenset[int]]:
    return check, frozenset(picture.id for picture in pictures if not picture.file.exists())


def _open_for(store: HistoryStore, what: str, picture: Picture) -> tuple[str, OpenedPicture]:
    from app.store.picture_files import open_picture

    return what, open_picture(picture, None, store)


def _open_with_ticket(
    store: HistoryStore, ticket: int, picture: Picture, previous: Picture | None
) -> tuple[int, OpenedPicture]:
    from app.store.picture_files import open_picture

    return ticket, open_picture(picture, previous, store)


def _open_two(newer: Picture, older: Picture) -> tuple[OpenedPicture, OpenedPicture]:
    from app.store.picture_files import open_picture

    return open_picture(newer), open_picture(older)


def _no_request(picture: Picture) -> PhotoError:
    return PhotoError(
        Sentence("{file} carries no settings any more.", file=picture.file.name),
        Sentence("Another program saved it again; its prompt is still in the history."),
        title=Sentence("No settings in this picture"),
    )


def _not_trashed(names: str) -> PhotoError:
    return PhotoError(
        Sentence("{names} could not be moved to the trash.", names=names),
        Sentence("The picture is back in the history. Delete the file in its folder."),
        title=Sentence("Not moved to the trash"),
    )
