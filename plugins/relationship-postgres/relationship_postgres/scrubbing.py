"""Leaving no trace of deleted rows where they were.

A deleted row stays in its page until a VACUUM, and its bytes even after that, until other rows come to lie there. So
every table is written anew, with its indexes, and its statistics are made again: they hold copies of frequent values.
What is left is not the store's: the log that is shipped (WAL), standbys until they have followed, backups, the server's
own log, and the disk's blocks of the files that were removed.
"""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING, Any

from relationship_core import TABLES, RetriableError
from relationship_postgres.frames import quoted

if TYPE_CHECKING:
    import psycopg
    from psycopg.errors import Diagnostic

    from relationship_postgres.database import Database

OWN_TABLES = (*(table.name for table in TABLES), "measures", "marks")
PAUSE = 0.2
"""Seconds between two looks whether older transactions have ended."""


def scrub(database: Database, patience: float) -> None:
    """Write every table anew; the other sessions wait for each.

    Rows that an older transaction may still see are left by VACUUM, so that those tables are written again: one of them
    until nothing is left in it, and then the others, for what holds up one holds up all.

    Args:
        database: the project's.
        patience: how long to wait for older transactions, in seconds.

    Raises:
        RetriableError: the rows are gone, and an older transaction keeps what they were.
    """
    left = database.alone(lambda connection: _rewritten(connection, patience))
    database.forget_session()  # the temporary tables of this session
    if left:
        message = (
            "what was deleted is gone, but an older transaction on the PostgreSQL server keeps traces of it; "
            "run it again when that has finished"
        )
        raise RetriableError(message)


def _rewritten(connection: psycopg.Connection[Any], patience: float) -> list[str]:
    """Write every table anew; those that keep traces in the end."""
    began = monotonic()
    left = [table for table in OWN_TABLES if _rewrite(connection, table)]
    while left and monotonic() < began + patience:
        connection.execute("SELECT pg_sleep(%s)", (PAUSE,))
        if not _rewrite(connection, left[0]):
            left = [table for table in left[1:] if _rewrite(connection, table)]
    for table in OWN_TABLES:
        connection.execute(f"ANALYZE {quoted(table)}")
    return left


def _rewrite(connection: psycopg.Connection[Any], table: str) -> int:
    """Write a table anew; how many deleted rows had to be kept."""
    kept: list[int] = []

    def hear(notice: Diagnostic) -> None:
        """VACUUM tells it as the first number of its detail, in whatever language."""
        found = re.match(r"\D*(\d+)", notice.message_detail or "")
        if found:
            kept.append(int(found[1]))

    connection.add_notice_handler(hear)
    connection.execute(f"VACUUM (FULL, VERBOSE) {quoted(table)}")
    connection.remove_notice_handler(hear)
    return sum(kept)
