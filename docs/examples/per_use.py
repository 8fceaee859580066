"""A project for programs with many threads or processes: each opens it where it is used, and closes it again."""

from __future__ import annotations

import os

from metrics import Metrics
from relationship_core import Relationships, load_plugins

metrics = Metrics()
PLUGINS = load_plugins(extra=[metrics])
"""Loaded once: that is most of the time that opening takes."""


def open_project() -> Relationships:
    """Open the project in the folder that the environment names; use it in a ``with`` statement."""
    return Relationships.open(os.environ["RELATIONSHIP_PROJECT"], plugins=PLUGINS)
