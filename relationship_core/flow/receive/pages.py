"""The pages behind the links of messages: plain, without a script, a cookie or anything from elsewhere.

An embedder with pages of its own shows those, and hands over the POST of its form alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from relationship_core.flow.permission.tokens import TokenPurpose
from relationship_core.model.words import Wish

_ASKED: Mapping[TokenPurpose, tuple[str, str]] = {
    "unsubscribe": ("Do you want no more messages like this one from {name}?", "Unsubscribe"),
    "preference": ("How much contact with {name} would you like?", "Save"),
    "confirm": ("Do you want to get messages from {name}?", "Yes, I do"),
}
_DONE: Mapping[TokenPurpose, str] = {
    "unsubscribe": "Done. You will get no more messages like this one from {name}.",
    "preference": "Thank you. {name} will keep to it.",
    "confirm": "Thank you. {name} may write to you now.",
}
_SORRY = "This link does not work, or works no more. Please use the one in a newer message from {name}."

_WISHES: Mapping[Wish, str] = {
    "close": "Stay in close touch",
    "occasional": "Write to me now and then",
    "transactional": "Only about what I order",
    "none": "No messages, please",
}

_STYLE = (
    "body{margin:0;background:#f4f2ee;color:#23211d;font:1.1rem/1.5 system-ui,sans-serif}"
    "main{max-width:32rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:.5rem}"
    "label{display:block;padding:.4rem 0}"
    "button{margin-top:1rem;padding:.7rem 1.4rem;border:0;border-radius:.3rem;background:#7a3e1d;color:#fff}"
    "button{font:inherit}"
)


def asking_page(purpose: TokenPurpose, name: str) -> str:
    """A page that asks before anything is done; its button sends a POST to the very same address."""
    question, button = _ASKED[purpose]
    fields = "".join(map(_choice, _WISHES)) if purpose == "preference" else ""
    one_click = '<input type="hidden" name="List-Unsubscribe" value="One-Click">' if purpose == "unsubscribe" else ""
    form = f'<form method="post">{one_click}{fields}<button type="submit">{button}</button></form>'
    return _page(question, name, form)


def done_page(purpose: TokenPurpose, name: str) -> str:
    """A page that says that it is done."""
    return _page(_DONE[purpose], name)


def sorry_page(name: str) -> str:
    """A page for a link that is none."""
    return _page(_SORRY, name)


def _choice(wish: Wish) -> str:
    return f'<label><input type="radio" name="wish" value="{wish}" required> {_WISHES[wish]}</label>'


def _page(sentence: str, name: str, form: str = "") -> str:
    sender = escape(name or "us")
    said = sentence.format(name=f"<strong>{sender}</strong>")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        f"<title>{sender}</title><style>{_STYLE}</style></head><body><main><p>{said}</p>{form}</main></body></html>"
    )
