"""The project's salt: its own random text, without which no id, hash or bucket of it can be guessed."""

from __future__ import annotations

import secrets

from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.ports import Store

SALT_FACT = "salt"
"""Under this name the store keeps it."""


def project_salt(store: Store, *, keep: bool) -> str:
    """The project's own random text; made once, and kept if asked to.

    Args:
        store: where it lies.
        keep: whether to write a new one, in a transaction of its own; the one that another process kept first counts.
    """
    salt = read_fact(store, SALT_FACT)
    if salt is not None:
        return salt
    made = secrets.token_hex(16)
    if not keep:
        return made
    with store.transaction():
        # Another process may have made one since; what was hashed with it must stay comparable.
        salt = read_fact(store, SALT_FACT)
        if salt is None:
            write_fact(store, SALT_FACT, made)
    return made if salt is None else salt
