"""How a worker takes queued messages, while others do the same."""

from __future__ import annotations

from relationship_core import MESSAGES
from relationship_postgres.frames import listed

CLAIM = (
    "UPDATE messages SET state = 'claimed', worker = %b, claimed_until = %b WHERE id = ANY(ARRAY("
    "SELECT id FROM messages WHERE channel = %b AND state = 'queued' "
    "AND (not_before IS NULL OR not_before <= %b) AND NOT EXISTS ("
    "SELECT FROM unnest(%b::text[], %b::text[]) AS held (campaign, version) "
    "WHERE held.campaign = messages.campaign AND held.version = messages.version) "
    "ORDER BY queued_at, id LIMIT %b FOR UPDATE SKIP LOCKED)) "
    f"RETURNING {listed(MESSAGES.schema)}"
)
"""Worker and until when, channel, now, held campaigns, their versions, and limit; rows of MESSAGES.

What another worker is taking is passed over instead of waited for. By an array the rows are found by their key, however
many the planner takes the limit for; a join with them may read the whole table.
"""
