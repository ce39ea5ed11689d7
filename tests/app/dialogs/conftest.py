"""The look, and a window to lie over."""

from tests.app.host_window import window
from tests.app.look_fixture import dressed, look, plain_look

__all__ = ["dressed", "look", "plain_look", "window"]
