"""The error of a set-up: one sentence and one next step."""

from __future__ import annotations


class SetupFailed(Exception):
    """The set-up cannot go on by itself.

    Args:
        message: one sentence that says what happened.
        advice: one sentence that says what to do now.
        kind: "disk" where another folder helps, "network" where another try or another network setting helps, else "".
    """

    def __init__(self, message: str, advice: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.message, self.advice, self.kind = message, advice, kind

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class Stopped(Exception):
    """The user stopped the set-up. All that has arrived is kept."""
