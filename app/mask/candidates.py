"""The things in a photo that may be meant, as panel and editor offer them. Free of Qt widgets."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from app.language.say import say

if TYPE_CHECKING:
    from engine.photo import Box, SubjectProposal

MOST = 4
_WORTH = 0.1
"""Candidates less sure than this are not offered."""


def candidates(proposal: SubjectProposal | None) -> tuple[Box, ...]:
    """The boxes worth a choice, best first; none where there is no choice."""
    boxes = proposal.boxes[:MOST] if proposal is not None else ()
    worth = tuple(takewhile(lambda box: box.score >= _WORTH, boxes))
    return worth if len(worth) > 1 else ()


def candidate_name(proposal: SubjectProposal, index: int) -> str:
    """The name of a candidate: what the search calls it, else its number.

    No share stands beside it: how sure the search is of a box says little about whether it is the one that is meant."""
    return proposal.boxes[index].label or (proposal.name if index == 0 else "") or say("Thing {0}").format(index + 1)
