"""The post channel: a batch of messages becomes one file to print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core import ConfigurationError, Receipt, RejectedError, UnsupportedError, refusal
from relationship_post.addresses import Label, label
from relationship_post.batches import Batch, Entry, printed, write
from relationship_post.composing import check_code, check_label, composed, sheet_of, studio_of
from relationship_post.countries import rules_of
from relationship_post.drawing import Drawing, check_picture
from relationship_post.faces import Faces
from relationship_post.labels import label_pages, label_texts, labels_on, per_sheet
from relationship_post.page import Page, Sheet
from relationship_post.settings import PostSettings

if TYPE_CHECKING:
    from relationship_core import Message


@frozen(kw_only=True)
class _Piece:
    """What is printed for one message."""

    message: str
    label: Label
    pages: tuple[Page, ...]


class PostChannel:
    """Writes letters, cards, postcards or labels, a file for each batch."""

    medium = "post"

    def __init__(self, settings: PostSettings) -> None:
        """Read the fonts; nothing is written yet.

        Raises:
            ConfigurationError: the path is a file, there is no such country, a font or the picture cannot be used, the
                sender's address holds letters that no font has, or the link is too long for a QR code.
        """
        if settings.path.is_file():
            message = f"the path of a post channel is a file: {settings.path}; name a folder"
            raise ConfigurationError(message)
        self._settings = settings
        self._faces = Faces(settings.fonts)
        self._studio = studio_of(settings, self._faces)
        self._form = labels_on(self._studio.paper)
        self._check()

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Print the messages into one file; a folder that cannot be written to defers them.

        Raises:
            UnsupportedError: a message has an attachment.
        """
        if any(each.attachments for each in messages):
            message = "a post channel prints no attachments: send them by e-mail, or put what they say into the text"
            raise UnsupportedError(message)
        pieces: dict[str, _Piece] = {}
        problems: dict[str, str] = {}
        for each in messages:
            try:
                pieces[each.id] = self._piece(each)
            except RejectedError as error:
                problems[each.id] = str(error)
        written = self._written(list(pieces.values())) if pieces else ""
        return [self._receipt(each.id, problems.get(each.id, ""), written) for each in messages]

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        """Those of these messages that a manifest in the folder names."""
        wanted = frozenset(messages)
        return wanted.intersection(printed(self._settings.path)) if wanted else wanted

    def close(self) -> None:
        """Nothing is held open."""

    def _piece(self, message: Message) -> _Piece:
        if problem := refusal(message, self.medium):
            raise RejectedError(problem)
        settings = self._settings
        address = label(message, home=settings.country, check=settings.check_addresses)
        check_label(address, self._faces)
        if settings.format in {"card", "labels"}:
            label_texts(address, self._faces, self._form, 0)
        pages = () if settings.format == "labels" else composed(message, address, self._studio)
        return _Piece(message=message.id, label=address, pages=pages)

    def _written(self, pieces: Sequence[_Piece]) -> str | OSError:
        """The name of the file, or why there is none."""
        try:
            return write(self._settings.path, self._batch(pieces))
        except OSError as error:
            return error

    def _batch(self, pieces: Sequence[_Piece]) -> Batch:
        kind = self._settings.format
        if kind == "labels":
            size = per_sheet(self._form)
            entries = [
                Entry(message=each.message, page=1 + place // size, pages=1) for place, each in enumerate(pieces)
            ]
            return Batch(kind=kind, entries=entries, content=self._labels(pieces))
        drawing = Drawing(sheet_of(self._studio), self._faces, title=kind.title(), picture=self._settings.picture)
        entries = []
        for each in pieces:
            entries.append(Entry(message=each.message, page=drawing.pages + 1, pages=len(each.pages)))
            drawing.add(each.pages)
        labels = self._labels(pieces) if kind == "card" else b""
        return Batch(kind=kind, entries=entries, content=drawing.finished(), labels=labels)

    def _labels(self, pieces: Sequence[_Piece]) -> bytes:
        width, height = self._studio.paper
        drawing = Drawing(Sheet(width=width, height=height), self._faces, title="Labels")
        drawing.add(label_pages([each.label for each in pieces], self._faces, self._form))
        return drawing.finished()

    @staticmethod
    def _receipt(message: str, problem: str, written: str | OSError) -> Receipt:
        if problem:
            return Receipt(message=message, state="rejected", detail=problem)
        if isinstance(written, OSError):
            cause = (written.strerror or type(written).__name__).lower()
            return Receipt(message=message, state="deferred", detail=f"the folder cannot be written to: {cause}")
        return Receipt(message=message, state="accepted", reference=written)

    def _check(self) -> None:
        if complaint := self._faces.complaint("".join((*self._studio.sender, self._settings.qr_text))):
            message = f"the sender's address or qr_text cannot be printed: {complaint}"
            raise ConfigurationError(message)
        country = self._settings.country
        if country and rules_of(country) is None:
            message = f"country must be the ISO 3166-1 code of a country with post, not {country!r}"
            raise ConfigurationError(message)
        if self._settings.qr == "link":
            try:
                check_code(self._settings.link)
            except RejectedError as error:
                message = "link is too long for a QR code: shorten it"
                raise ConfigurationError(message) from error
        if self._settings.picture is not None:
            check_picture(self._settings.picture)
