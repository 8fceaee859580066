"""What the plugin adds: the channel ``post``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_post.settings import PostSettings

if TYPE_CHECKING:
    from relationship_core import Channel

LARGEST_BATCH = 100
"""How many messages one file holds unless ``[delivery.<channel>] attempting`` says otherwise."""


def _channel(settings: PostSettings) -> Channel:
    from relationship_post.channel import PostChannel

    return PostChannel(settings)


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channel ``post``."""
    return (POST,)


# Not "local": the files lie on this machine, but they are made to be printed and posted.
POST: Provider[Channel] = Provider(
    name="post",
    factory=_channel,
    settings=PostSettings,
    summary="Writes letters, cards, postcards or address labels as print-ready PDF, a file for each batch.",
    capabilities={"batch", "html", "lookup", "one_click"},
    batch=LARGEST_BATCH,
)
