"""HTML and SVG as a tree: what is said in it is escaped because it is no markup to begin with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

from relationship_core.cli.show import clean

Content: TypeAlias = "str | Element | Iterable[str | Element]"


def tag(kind: str, /, *content: Content, **attributes: str) -> Element:
    """An element; an underscore at the end of an attribute's name goes, others become hyphens."""
    made = Element(kind, {_attribute(key): clean(value) for key, value in attributes.items()})
    for part in content:
        for each in (part,) if isinstance(part, (str, Element)) else part:
            _add(made, each)
    return made


def _attribute(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def _add(parent: Element, part: str | Element) -> None:
    if isinstance(part, Element):
        parent.append(part)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + part
    else:
        parent.text = (parent.text or "") + part


def said(text: str) -> Element:
    """Text from outside, in a direction of its own: a name in Hebrew turns nothing around it."""
    return tag("bdi", clean(text))


def whole_page(head: Iterable[Element], body: Iterable[Element]) -> str:
    """A document of these parts."""
    root = tag("html", tag("head", head), tag("body", body), lang="en")
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"
