"""The program's look in tests: dressed once, without motion, in either theme."""

from __future__ import annotations

import pytest

from app.look import stylesheet
from app.look.theme import notifier


@pytest.fixture(scope="session")
def dressed(qapp):
    """The application in the program's style."""
    stylesheet.install(qapp)
    return qapp


@pytest.fixture(params=["light", "dark"])
def look(dressed, request):
    """One of the themes; movements take no time."""
    notifier.set_motion("reduced")
    notifier.set_choice(request.param)
    yield request.param
    notifier.set_choice("light")
    notifier.set_motion("system")


@pytest.fixture
def plain_look(dressed):
    """The light theme; movements take no time."""
    notifier.set_motion("reduced")
    notifier.set_choice("light")
    yield
    notifier.set_motion("system")
