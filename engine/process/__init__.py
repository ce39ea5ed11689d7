"""The engine's child processes. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.process.client import ENGINE as ENGINE
    from engine.process.client import EngineProcess as EngineProcess
    from engine.process.cutout_client import HostedParts as HostedParts
    from engine.process.enlarging import Enlarging as Enlarging
    from engine.process.messages import Command as Command
    from engine.process.messages import Ended as Ended
    from engine.process.messages import Enlarged as Enlarged
    from engine.process.messages import EnlargeFile as EnlargeFile
    from engine.process.messages import EnlargingGoesOn as EnlargingGoesOn
    from engine.process.messages import Failed as Failed
    from engine.process.messages import Generate as Generate
    from engine.process.messages import ImportLibraries as ImportLibraries
    from engine.process.messages import JobEvent as JobEvent
    from engine.process.messages import Loading as Loading
    from engine.process.messages import Message as Message
    from engine.process.messages import Open as Open
    from engine.process.messages import Opened as Opened
    from engine.process.messages import PaintScales as PaintScales
    from engine.process.messages import Prepare as Prepare
    from engine.process.messages import Prepared as Prepared
    from engine.process.messages import Replanned as Replanned
    from engine.process.messages import ScalesPainted as ScalesPainted
    from engine.process.messages import Setup as Setup
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.process.client": ("ENGINE", "EngineProcess"),
            "engine.process.cutout_client": ("HostedParts",),
            "engine.process.enlarging": ("Enlarging",),
            "engine.process.messages": (
                "Command",
                "Ended",
                "EnlargeFile",
                "Enlarged",
                "EnlargingGoesOn",
                "Failed",
                "Generate",
                "ImportLibraries",
                "JobEvent",
                "Loading",
                "Message",
                "Open",
                "Opened",
                "PaintScales",
                "Prepare",
                "Prepared",
                "Replanned",
                "ScalesPainted",
                "Setup",
            ),
        },
    )
