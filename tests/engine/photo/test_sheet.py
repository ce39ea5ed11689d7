"""Sheets of many pictures: where each stands, and that it is there."""

from __future__ import annotations

import numpy as np

from engine.photo.sheet import _wrapped, arrange, draw_rows, draw_sheet


def test_a_full_grid_is_a_table_and_anything_else_has_captions():
    grid = [("red", "snow"), ("red", "rain"), ("blue", "snow"), ("blue", "rain")]
    table = arrange(grid)
    assert (table.rows, table.columns, table.captions) == (("red", "blue"), ("snow", "rain"), ())
    assert table.places == ((0, 0), (0, 1), (1, 0), (1, 1)) and table.shape == (2, 2)
    ragged = arrange(grid[:3])
    assert ragged.captions == ("snow · red", "rain · red", "snow · blue") and ragged.shape == (2, 2)
    assert arrange([("a", ""), ("a", ""), ("b", "")]).captions == ("a", "a", "b"), "the same line twice"
    assert arrange([(str(n), "") for n in range(100)]).shape == (13, 8)


def test_a_word_that_is_wider_than_its_line_ends_in_an_ellipsis():
    word = "a" * 300
    assert _wrapped(word, 120, 14).endswith("a…") and len(_wrapped(word, 120, 14)) < 40
    lines = _wrapped("one two three four five " * 9, 120, 14).split("\n")
    assert len(lines) == 3 and lines[2].endswith("…") and not lines[0].endswith("…")
    assert _wrapped("one two", 400, 14) == "one two"


def test_every_picture_is_on_the_sheet_at_its_shape():
    pictures = [np.full((64, 64, 3), 40 * n, np.uint8) for n in range(1, 5)]
    labels = [(row, column) for row in ("red", "blue") for column in ("snow", "a very long scene " * 9)]
    sheet = draw_sheet(pictures, labels, side=64, title="duck")
    counts = [int((sheet == 40 * n).all(axis=2).sum()) for n in range(1, 5)]
    assert all(count >= 64 * 64 for count in counts)
    wide = np.full((32, 64, 3), (200, 10, 10), np.uint8)
    sheet = draw_sheet([pictures[0], wide, None], [("a", ""), ("b", ""), ("c", "")], side=64)
    assert (sheet == (200, 10, 10)).all(axis=2).sum() == 32 * 64
    assert (sheet == (232, 232, 236)).all(axis=2).sum() == 64 * 64, "what is not drawn leaves its place empty"


def test_rows_with_words_beside_and_above_and_without_any():
    rows = [[np.full((40, 40, 3), 10 * (1 + 2 * row + column), np.uint8) for column in range(2)] for row in range(2)]
    plain = draw_rows(rows, side=64)
    named = draw_rows(rows, ["cat", "dog"], ["one", "a longer prompt that wraps"], 64, "T")
    for sheet in (plain, named):
        places = [np.argwhere((sheet == 10 * (1 + at)).all(-1)) for at in range(4)]
        assert all(len(place) >= 64 * 64 for place in places)
        corners = [tuple(np.median(place, axis=0)) for place in places]
        assert corners[0][0] == corners[1][0] < corners[2][0] == corners[3][0]
        assert corners[0][1] == corners[2][1] < corners[1][1] == corners[3][1]
    assert named.shape[0] > plain.shape[0] and named.shape[1] > plain.shape[1], "words take room of their own"
    short = draw_rows([rows[0], [rows[1][0], None]], side=64)
    assert (short == (232, 232, 236)).all(-1).sum() == 64 * 64
