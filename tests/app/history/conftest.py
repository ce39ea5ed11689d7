"""Fixtures of the look."""

from tests.app.look_fixture import dressed, look, plain_look

__all__ = ["dressed", "look", "plain_look"]
