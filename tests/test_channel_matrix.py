"""The page about channels says of each what its plugin declares."""

import re
from pathlib import Path
from typing import get_args

from relationship_core import CAPABILITIES, Provider, load_plugins
from relationship_core.model.message import EventType, ReceiptState

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "channels.md"


def matrix(word: str, providers: dict[str, Provider[object]]) -> str:
    """A row for each capability that one of them has, a column for each."""
    names = sorted(providers)
    head = [f"| {word} | {' | '.join(f'`{each}`' for each in names)} |", f"| --- |{' --- |' * len(names)}"]
    used = [name for name in CAPABILITIES if any(name in providers[each].capabilities for each in names)]
    marks = {name: [("yes" if name in providers[each].capabilities else "") for each in names] for name in used}
    batch = [str(providers[each].batch) for each in names]
    rows = [f"| `{name}` | {' | '.join(cells)} |" for name, cells in marks.items()]
    return "\n".join([*head, *rows, *([f"| messages at once | {' | '.join(batch)} |"] if word == "channel" else [])])


def test_the_page_tells_what_each_channel_and_receiver_can_do() -> None:
    plugins, page = load_plugins(), PAGE.read_text(encoding="utf-8")
    assert not plugins.broken
    assert matrix("channel", dict(plugins.channels)) in page
    assert matrix("receiver", dict(plugins.receivers)) in page


def test_the_page_tells_what_each_capability_means() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, meaning in CAPABILITIES.items():
        assert f"| `{name}` | {meaning} |" in page


def test_the_page_tells_every_answer_and_every_event() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = {word for cell in re.findall(r"^\| ([a-z, ]+) \|", page, flags=re.MULTILINE) for word in cell.split(", ")}
    assert {*get_args(ReceiptState), *get_args(EventType)} <= told
