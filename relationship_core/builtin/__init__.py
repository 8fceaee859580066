"""The default plugins. They come in through the same hooks as anybody's, and use only public names."""

from __future__ import annotations

MODULES = (
    "stores",
    "channels",
    "liquid",
    "kinds",
    "presets",
    "parameters",
    "measures",
    "scores",
    "ladders",
    "contacts",
    "policies",
    "calibrations",
    "executors",
)
"""The modules of this package that are plugins, in the order in which they are loaded."""
