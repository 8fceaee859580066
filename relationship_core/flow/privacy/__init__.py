"""Privacy: everything that is kept about one customer, to hand it out or to erase it."""

from __future__ import annotations

from relationship_core.flow.privacy.export import Export, export
from relationship_core.flow.privacy.forget import Forgotten, forget

__all__ = ["Export", "Forgotten", "export", "forget"]
