"""Composes the pages of a message in each format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core import RejectedError
from relationship_post.addresses import Label, sender_lines
from relationship_post.breaking import lines as broken
from relationship_post.drawing import MOST_BYTES
from relationship_post.faces import BOLD, PLAIN, Faces, clean
from relationship_post.markup import Paragraph, paragraphs
from relationship_post.page import GREY, PALE, Box, Code, Page, Picture, Sheet, Text, address_texts, block
from relationship_post.settings import PostSettings
from relationship_post.typesetting import Column, placed, rows
from relationship_post.windows import MM, Frame, frame_of, paper_of

if TYPE_CHECKING:
    from relationship_core import Message

_SIZE = 11.0
_CARD_SIZE = 9.5
_SMALL = 7.5
_TINY = 6.5
_CODE = 22 * MM
_CARD_CODE = 18 * MM
_MARGIN = 25 * MM
_BOTTOM = 25 * MM
A6 = (148 * MM, 105 * MM)
_FOLDED = (210 * MM, 148 * MM)


@frozen(kw_only=True)
class Studio:
    """What composing needs beside the message.

    Attributes:
        settings: the channel's settings.
        faces: the fonts.
        sender: the lines of the sender's address.
        letterhead: the sender as it stands at the top of letters.
    """

    settings: PostSettings
    faces: Faces
    sender: tuple[str, ...]
    letterhead: tuple[Text, ...]

    @property
    def paper(self) -> tuple[float, float]:
        """Width and height of the sheet of letters and labels."""
        return paper_of(self.settings.paper, self.settings.country)

    @property
    def frame(self) -> Frame:
        """The window of letters."""
        return frame_of(self.settings.window, self.settings.country)


def studio_of(settings: PostSettings, faces: Faces) -> Studio:
    """The studio of a channel."""
    sender = sender_lines(settings.sender_address)
    frame, (width, _) = frame_of(settings.window, settings.country), paper_of(settings.paper, settings.country)
    head = tuple(_letterhead(sender, frame, width, faces))
    return Studio(settings=settings, faces=faces, sender=sender, letterhead=head)


def sheet_of(studio: Studio) -> Sheet:
    """The sheets of the channel's format."""
    settings = studio.settings
    if settings.format in {"letter", "labels"}:
        width, height = studio.paper
        return Sheet(width=width, height=height)
    width, height = A6 if settings.format == "postcard" else _FOLDED
    folds = (width / 2,) if settings.format == "card" else ()
    bleed = settings.bleed_mm * MM
    return Sheet(width=width, height=height, bleed=bleed, crop_marks=settings.crop_marks, folds=folds)


def composed(message: Message, label: Label, studio: Studio) -> tuple[Page, ...]:
    """The pages of one message as a letter, a card or a postcard.

    Raises:
        RejectedError: it cannot be printed: a letter that no font has, too much text, nothing to say.
    """
    content = paragraphs(message.text, message.html)
    subject = clean(message.subject)
    code = code_of(message, studio)
    if code:
        check_code(code[0])
    _check(content, (subject, *label.lines, *((code[1],) if code else ())), studio.faces)
    compose = {"letter": _letter, "card": _card, "postcard": _postcard}[studio.settings.format]
    return compose(subject, content, label, code, studio)


def check_label(label: Label, faces: Faces) -> None:
    """Refuse an address that cannot be printed.

    Raises:
        RejectedError: it holds a letter that no font has.
    """
    for line in label.lines:
        if complaint := faces.complaint(line):
            message = f"the address cannot be printed: {complaint}"
            raise RejectedError(message)


def check_code(content: str) -> None:
    """Refuse what no QR code can hold.

    Raises:
        RejectedError: it is too long, or no text.
    """
    try:
        size = len(content.encode())
    except UnicodeError as error:
        message = "the address for the QR code holds half a character"
        raise RejectedError(message) from error
    if size > MOST_BYTES:
        message = f"the address for the QR code is longer than the {MOST_BYTES:,} bytes that one holds"
        raise RejectedError(message)


def code_of(message: Message, studio: Studio) -> tuple[str, str] | None:
    """What the QR code of a message holds, and what is said beside it; None for no code."""
    settings = studio.settings
    if settings.qr == "link":
        return settings.link, clean(settings.qr_text or settings.link)
    if settings.qr == "unsubscribe" and message.unsubscribe:
        return message.unsubscribe, clean(settings.qr_text or "No more of these? Scan to tell us.")
    return None


def _check(content: Sequence[Paragraph], others: Sequence[str], faces: Faces) -> None:
    if not content:
        message = "there is no text to print"
        raise RejectedError(message)
    texts = [*(text for paragraph in content for _, text in paragraph.runs), *others]
    everything = "".join(texts)
    if complaint := faces.complaint(everything):
        message = f"the message cannot be printed: {complaint}"
        raise RejectedError(message)


Told = tuple[str, str] | None


def _letter(subject: str, content: Sequence[Paragraph], label: Label, code: Told, studio: Studio) -> tuple[Page, ...]:
    faces, frame = studio.faces, studio.frame
    width, height = studio.paper
    text_width = width - 2 * _MARGIN
    titled = (Paragraph(((BOLD, subject),)), *content) if subject else tuple(content)
    columns = [
        Column(left=_MARGIN, top=frame.body, width=text_width, bottom=height - _BOTTOM),
        Column(left=_MARGIN, top=_MARGIN, width=text_width, bottom=height - _BOTTOM),
    ]
    sides = placed(rows(titled, faces, size=_SIZE, width=text_width), columns, repeat=True)
    codes: list[Code] = []
    if code:
        y = sides[-1][-1].y + 8 * MM
        if y + _CODE > height - _BOTTOM + 10 * MM:
            sides.append([])
            y = _MARGIN
        codes, told = _code(code, studio, x=_MARGIN, y=y, side=_CODE, width=60 * MM)
        sides[-1].extend(told)
    sides[0].extend(_in_window(label, frame, studio))
    sides[0].extend(studio.letterhead)
    if len(sides) > 1:
        for number, texts in enumerate(sides, 1):
            texts.append(Text(width - _MARGIN - 20, height - 12 * MM, 8, [(PLAIN, f"{number} / {len(sides)}")], GREY))
    marks = [Box(0, y, 4 * MM, 0.4, GREY) for y in frame.folds] if studio.settings.fold_marks else []
    last = len(sides) - 1
    return tuple(
        Page(texts=texts, boxes=marks if number == 0 else (), codes=codes if number == last else ())
        for number, texts in enumerate(sides)
    )


def _in_window(label: Label, frame: Frame, studio: Studio) -> list[Text]:
    inset = 5 * MM
    edge = 1.5 * MM if frame.lines_from_below else 0
    texts = address_texts(
        label.lines,
        studio.faces,
        left=frame.left + inset,
        top=frame.address_top + edge,
        width=frame.width - 2 * inset,
        height=frame.top + frame.height - frame.address_top - 2 * edge,
        from_below=frame.lines_from_below,
    )
    if frame.sender and studio.sender:
        line = " · ".join(studio.sender)
        wide = studio.faces.width(line, PLAIN) / 1000
        size = min(_TINY, (frame.width - 2 * inset) / wide) if wide else _TINY
        texts.append(Text(frame.left + inset, frame.top + 4 * MM, size, [(PLAIN, line)], GREY))
    return texts


def _letterhead(sender: Sequence[str], frame: Frame, width: float, faces: Faces) -> list[Text]:
    """The sender at the right of the top; beside the window where it shows the sender, above it elsewhere."""
    room = 60 * MM
    top = 20 * MM if frame.sender else 12 * MM
    return [
        text
        for number, line in enumerate(sender)
        for text in block(line, faces, left=width - _MARGIN - room, top=top + number * 11, width=room, size=8.5)
    ]


def _postcard(subject: str, content: Sequence[Paragraph], label: Label, code: Told, studio: Studio) -> tuple[Page, ...]:
    width, height = A6
    faces, margin, middle = studio.faces, 8 * MM, 86 * MM
    column = Column(
        left=margin,
        top=margin,
        width=middle - margin - 5 * MM,
        bottom=height - margin - (_CARD_CODE + 3 * MM if code else 0),
    )
    (texts,) = placed(rows(content, faces, size=_CARD_SIZE, width=column.width), [column], repeat=False)
    codes: list[Code] = []
    if code:
        y = height - margin - _CARD_CODE
        codes, told = _code(code, studio, x=margin, y=y, side=_CARD_CODE, width=column.width - _CARD_CODE - 3 * MM)
        texts.extend(told)
    right = width - middle - margin
    texts.extend(
        address_texts(label.lines, faces, left=middle + 4 * MM, top=52 * MM, width=right - 4 * MM, height=42 * MM)
    )
    # The right 26 mm stay free for the stamp.
    for number, line in enumerate(studio.sender):
        texts.extend(
            block(line, faces, left=middle + 4 * MM, top=margin + number * 8, width=right - 30 * MM, size=_TINY - 0.5)
        )
    divider = Box(middle, margin, 0.3, height - 2 * margin, GREY)
    front = _front(subject, studio, left=0, width=width, height=height)
    return front, Page(texts=texts, boxes=[divider], codes=codes)


def _card(subject: str, content: Sequence[Paragraph], label: Label, code: Told, studio: Studio) -> tuple[Page, ...]:
    del label  # it stands on the sheet of labels, for the envelope
    width, height = _FOLDED
    half, margin = width / 2, 12 * MM
    column_width = half - 2 * margin
    inside = [
        Column(left=left, top=margin + 6 * MM, width=column_width, bottom=height - margin)
        for left in (margin, half + margin)
    ]
    lines = rows(content, studio.faces, size=_CARD_SIZE + 1, width=column_width)
    try:
        sides = placed(lines, inside[1:], repeat=False)
    except RejectedError:  # the right side alone is not enough
        sides = placed(lines, inside, repeat=False)
    texts: list[Text] = []
    for number, line in enumerate(reversed(studio.sender)):
        texts.extend(
            block(
                line, studio.faces, left=margin, top=height - margin - 9 - number * 10, width=column_width, size=_SMALL
            )
        )
    codes: list[Code] = []
    if code:
        codes, told = _code(code, studio, x=margin, y=margin, side=_CARD_CODE, width=column_width - _CARD_CODE - 3 * MM)
        texts.extend(told)
    front = _front(subject, studio, left=half, width=half, height=height)
    outside = Page(texts=[*texts, *front.texts], boxes=front.boxes, codes=codes, pictures=front.pictures)
    return outside, Page(texts=[text for side in sides for text in side])


def _front(subject: str, studio: Studio, *, left: float, width: float, height: float) -> Page:
    """The front: a picture, or the subject on a pale ground; both go beyond the trim."""
    bleed = studio.settings.bleed_mm * MM
    x = left - bleed if left == 0 else left  # at the fold nothing goes beyond
    wide = width + bleed + (bleed if left == 0 else 0)
    if studio.settings.picture is not None:
        return Page(pictures=[Picture(x, -bleed, wide, height + 2 * bleed)])
    margin = 14 * MM
    lines = broken([(BOLD, subject)], studio.faces, size=22, width=width - 2 * margin) if subject else []
    leading = 22 * 1.25
    first = height / 2 - (len(lines) - 1) * leading / 2 + 22 * 0.3
    if first - 22 < margin:
        message = "the subject is too long for the front of the card: shorten it"
        raise RejectedError(message)
    texts = []
    for number, line in enumerate(lines):
        wide_line = sum(studio.faces.width(text, style) for style, text in line) * 22 / 1000
        texts.append(Text(left + (width - wide_line) / 2, first + number * leading, 22, line))
    return Page(texts=texts, boxes=[Box(x, -bleed, wide, height + 2 * bleed, PALE)])


def _code(
    code: tuple[str, str], studio: Studio, *, x: float, y: float, side: float, width: float
) -> tuple[list[Code], list[Text]]:
    content, told = code
    texts = block(told, studio.faces, left=x + side + 3 * MM, top=y + side / 2 - _SMALL * 1.5, width=width, size=_SMALL)
    return [Code(x, y, side, content)], texts
