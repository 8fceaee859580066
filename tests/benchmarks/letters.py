"""Letters for the benchmarks; as a program, prints the peak of a fresh process after some and after more of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from peak import peak_mb
from relationship_core import Engagement, Message
from relationship_post.channel import PostChannel
from relationship_post.plugin import LARGEST_BATCH
from relationship_post.settings import PostSettings

_TEXT = """Dear {name},

a year has many shopping lists, and you have let us be part of {number} of yours. Thank you for standing by us.

Come in for a cup of coffee; it is on the house, and nobody will sell you anything. We would like to hear how you liked
the rye bread, and whether there is something that we could do better for you.

Corner Bakery"""


def letter_channel(folder: Path) -> PostChannel:
    """A channel that writes letters into a folder."""
    sender = "Corner Bakery, Marktplatz 3, 80331 München"
    return PostChannel(PostSettings(path=folder, country="DE", sender_address=sender))


def letters(count: int) -> Iterator[Sequence[Message]]:
    """So many letters, a page each, in batches."""
    for first in range(0, count, LARGEST_BATCH):
        yield [_letter(number) for number in range(first, min(count, first + LARGEST_BATCH))]


def _letter(number: int) -> Message:
    name = f"Zoë Łukasiewicz {number}"
    return Message(
        id=f"{number:032x}",
        engagement=Engagement(campaign="thanks", action="write", customer=f"c{number:08}", occasion="2025-03"),
        channel="letters",
        address=f"Musterstraße {number}\n80331 München",
        recipient=name,
        country="DE",
        subject="Thank you",
        text=_TEXT.format(name=name, number=number),
        at=datetime(2025, 3, 1, tzinfo=UTC),
    )


def main(folder: Path, counts: Sequence[int]) -> None:
    """Write so many letters, then so many; print the peak in MB after each."""
    channel = letter_channel(folder)
    peaks = []
    for count in counts:
        for batch in letters(count):
            channel.send(batch)
        peaks.append(peak_mb())
    print(json.dumps(peaks))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]])
