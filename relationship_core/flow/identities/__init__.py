"""Identities: who is one customer under several ids, and who may be."""

from __future__ import annotations

from relationship_core.flow.identities.candidates import Candidate, Candidates, Uncompared, candidates
from relationship_core.flow.identities.merging import Identity, Merge, identity, link, merge, unmerge

__all__ = [
    "Candidate",
    "Candidates",
    "Identity",
    "Merge",
    "Uncompared",
    "candidates",
    "identity",
    "link",
    "merge",
    "unmerge",
]
