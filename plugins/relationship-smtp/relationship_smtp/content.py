"""What a message says, made ready for mail: styles in their places, a text beside the HTML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from attrs import evolve

from relationship_smtp.html_text import text_of

if TYPE_CHECKING:
    from css_inline import CSSInliner

    from relationship_core import Message

_STYLE = re.compile(r"<style[\s>]", re.IGNORECASE)


def ready(message: Message, *, inline_css: bool) -> Message:
    """The message with text where it has HTML alone, and with its styles where mail readers see them.

    Raises:
        ValueError: its style sheet cannot be read.
    """
    if not message.html:
        return message
    styled = inline_css and _STYLE.search(message.html) is not None
    if message.text.strip() and not styled:
        return message
    return evolve(
        message,
        text=message.text if message.text.strip() else text_of(message.html),
        html=_inliner().inline(message.html) if styled else message.html,
    )


@cache
def _inliner() -> CSSInliner:
    from css_inline import CSSInliner

    # Nothing is fetched while a message is made; what depends on the screen stays where it is.
    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
