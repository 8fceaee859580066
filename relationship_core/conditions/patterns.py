"""The patterns of LIKE."""

from __future__ import annotations

import re


def like_regex(pattern: str, escape: str) -> str:
    """A LIKE pattern for Rust's regex: ``%`` is any text, ``_`` any one character, all else itself.

    Args:
        pattern: the pattern; it matches the whole text and heeds case.
        escape: the character that takes the meaning from the sign after it; empty for none.

    Raises:
        ValueError: the escape character stands before something that needs no escape.
    """
    parts = []
    signs = iter(pattern)
    for sign in signs:
        if sign == escape:
            escaped = next(signs, "")
            if escaped not in {"%", "_", escape}:
                message = f"in the pattern {pattern!r}, {escape} escapes neither % nor _ nor itself"
                raise ValueError(message)
            parts.append(re.escape(escaped))
        else:
            parts.append({"%": ".*", "_": "."}.get(sign) or re.escape(sign))
    return f"^(?s:{''.join(parts)})$"
