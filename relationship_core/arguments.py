"""What a program passes to a project, checked before anything is done with it.

Python lets everything through; here a wrong argument gets a sentence instead of an error from the depths. Each
function gives the argument back, as the steps want it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import polars as pl

from relationship_core.config import (
    Choice,
    LadderSettings,
    ParameterSettings,
    PluginSettings,
    Settings,
)
from relationship_core.config.project import ProjectSettings
from relationship_core.errors import RejectedError, WrongArgumentError, WrongDataError, nearest
from relationship_core.flow.record.rows import Said, What
from relationship_core.model.instants import EARLIEST, LATEST, utc
from relationship_core.model.validation import AWARE, is_whole, kind_of, with_article
from relationship_core.plugins import Plugins

if TYPE_CHECKING:
    from relationship_core.flow.progress import Listener
    from relationship_core.model.campaign import Campaign
    from relationship_core.model.received import RawRequest
    from relationship_core.ports import Clock

T = TypeVar("T")


def instant(given: object, name: str = "as_of") -> datetime | None:
    """An instant, such as that of a step, in UTC; None where the clock is to tell.

    Raises:
        ConfigurationError: it is no aware datetime, or lies outside the years of history.
    """
    if given is None:
        return None
    if not isinstance(given, datetime):
        hint = "; parse_instant reads text" if isinstance(given, str) else ""
        raise _wrong(name, AWARE, given, hint)
    if given.tzinfo is None or given.utcoffset() is None:
        message = f"{name} must be {AWARE}; {given.isoformat()} has no zone"
        raise WrongArgumentError(message)
    moment = utc(given)
    if not EARLIEST <= moment < LATEST:
        message = f"{name} must lie in the years {EARLIEST.year} to {LATEST.year - 1}, not in {moment.year}"
        raise WrongArgumentError(message)
    return moment


def ticking(clock: object) -> Clock:
    """The clock; whatever it tells is checked each time.

    Raises:
        ConfigurationError: it cannot be called; or, when it is called, it tells no aware datetime.
    """
    if not callable(clock):
        raise _wrong("clock", "a function that tells the time", clock, "; lambda: instant makes one that stands still")

    def tell() -> datetime:
        now = clock()
        if not isinstance(now, datetime) or now.tzinfo is None or now.utcoffset() is None:
            told = "a datetime without a zone" if isinstance(now, datetime) else kind_of(now)
            message = f"the clock must tell {AWARE}, not {told}"
            raise WrongArgumentError(message)
        return now

    return tell


def path(given: object, name: str) -> Path:
    """The path of a file or folder, given as a path or as text.

    Raises:
        ConfigurationError: it is neither, or empty.
    """
    if isinstance(given, (str, os.PathLike)) and given != "":
        return Path(given)
    if given == "":
        message = f"{name} must be a path, not empty text"
        raise WrongArgumentError(message)
    raise _wrong(name, "a path", given)


def optional_path(given: object, name: str) -> Path | None:
    """The path of a file or folder, or None."""
    return None if given is None else path(given, name)


def whole(number: object, name: str, *, least: int) -> int:
    """A whole number that is not too small.

    Raises:
        ConfigurationError: it is none, or too small.
    """
    if not is_whole(number):
        raise _wrong(name, f"a whole number of at least {least}", number)
    if cast("int", number) < least:
        message = f"{name} must be a whole number of at least {least}, not {number}"
        raise WrongArgumentError(message)
    return cast("int", number)


def yes_or_no(given: object, name: str) -> bool:
    """True or False.

    Raises:
        ConfigurationError: it is neither; text such as "no" would count as true.
    """
    if not isinstance(given, bool):
        raise _wrong(name, "True or False", given)
    return given


def text(given: object, name: str, wanted: str = "text") -> str:
    """Text; ``wanted`` says which.

    Raises:
        ConfigurationError: it is something else.
    """
    if not isinstance(given, str):
        raise _wrong(name, wanted, given)
    return given


def optional_text(given: object, name: str, wanted: str = "text") -> str | None:
    """Text, or None; ``wanted`` says which."""
    return None if given is None else text(given, name, wanted)


def customer_id(given: object) -> str:
    """The id of a customer.

    Raises:
        ConfigurationError: it is no text.
        RejectedError: it holds half a surrogate pair, as the JSON of a request may.
    """
    customer = text(given, "customer", "a customer's id, as text")
    if not customer.isascii() and any("\ud800" <= each <= "\udfff" for each in customer):
        message = "the customer's id holds half a surrogate pair, which is no character; correct it"
        raise RejectedError(message)
    return customer


def optional_customer_id(given: object) -> str | None:
    """The id of a customer, or None."""
    return None if given is None else customer_id(given)


def campaign_name(given: object) -> str:
    """The name of a campaign."""
    return text(given, "campaign", "a campaign's name, as text")


def optional_campaign_name(given: object) -> str | None:
    """The name of a campaign, or None."""
    return None if given is None else campaign_name(given)


def listener(progress: object) -> Listener:
    """What is told how far a step is.

    Raises:
        ConfigurationError: it cannot be called.
    """
    if not callable(progress):
        raise _wrong("progress", "a function that takes a Progress", progress)
    return cast("Listener", progress)


def request(given: object) -> RawRequest:
    """A request, as a receiver takes it."""
    from relationship_core.model.received import RawRequest

    if not isinstance(given, RawRequest):
        raise _wrong("request", "a RawRequest", given)
    return given


def rows_of(what: object) -> What:
    """What the rows of a file are.

    Raises:
        ConfigurationError: no file has such rows.
    """
    return cast("What", _kind_of_rows(what, get_args(What)))


def _kind_of_rows(what: object, known: tuple[str, ...]) -> object:
    if what not in known:
        shown = repr(what) if isinstance(what, str) else kind_of(what)
        words = f"{', '.join(known[:-1])} or {known[-1]}"
        message = f"a file is imported as {words}, not as {shown}{nearest(str(what), known)}"
        raise WrongArgumentError(message)
    return what


def said(what: object) -> Said:
    """What the rows of a file of permission are.

    Raises:
        ConfigurationError: no file has such rows.
    """
    return cast("Said", _kind_of_rows(what, get_args(Said)))


def columns(given: object) -> Mapping[str, str] | None:
    """A file's column for each of ours that is called otherwise there.

    Raises:
        ConfigurationError: it is no mapping from text to text.
    """
    wanted = "a dict such as {'customer': 'client_no'}, from our columns to those of the file"
    if given is not None and not isinstance(given, Mapping):
        raise _wrong("columns", wanted, given)
    for each in () if given is None else (*given, *given.values()):
        if not isinstance(each, str):
            message = f"columns must be {wanted}; it holds {kind_of(each)}"
            raise WrongArgumentError(message)
    return given


def _named(ladder: object) -> object:
    """The name in it; what is neither text nor a LadderSettings is left to be refused."""
    return ladder.use if isinstance(ladder, LadderSettings) else ladder


def settings(given: object) -> Settings:
    """A project's settings, those of a project in memory when None.

    Raises:
        ConfigurationError: they, or a part of them, are something else.
    """
    if given is None:
        return Settings()
    if not isinstance(given, Settings):
        raise _wrong("settings", "a Settings", given, "; read_settings reads them from a folder")
    parts: Iterable[tuple[str, object, type]] = (
        ("project", given.project, ProjectSettings),
        ("plugins", given.plugins, PluginSettings),
        ("parameters", given.parameters, ParameterSettings),
        ("store", given.store, Choice),
        ("renderer", given.renderer, Choice),
        ("executor", given.executor, Choice),
        *((f"channels[{name!r}]", each, Choice) for name, each in given.channels.items()),
    )
    for name, part, of in parts:
        if not isinstance(part, of):
            raise _wrong(f"Settings.{name}", with_article(of.__name__), part)
    names = {"ladder": _named(given.ladder), "store.use": given.store.use, "renderer.use": given.renderer.use}
    names["executor.use"] = given.executor.use
    for name, part in names.items():
        text(part, f"Settings.{name}", "a name, as text")
    for name, choice in given.channels.items():
        text(choice.use, f"Settings.channels[{name!r}].use", "a name, as text")
    return given


def plugins(given: object) -> Plugins | None:
    """What is installed; None where that is still to be found out.

    Raises:
        ConfigurationError: it is not what ``load_plugins`` gives.
    """
    if given is not None and not isinstance(given, Plugins):
        raise _wrong("plugins", "what load_plugins gives", given, "; hand your own to load_plugins(extra=[...])")
    return given


def campaigns(given: object) -> tuple[Campaign, ...]:
    """A project's campaigns.

    Raises:
        ConfigurationError: something else is among them, or two have one name.
    """
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise _wrong("campaigns", "a list of Campaign objects", given)
    found = tuple(given)
    names: set[str] = set()
    for number, each in enumerate(found, 1):
        if not _is_campaign(each):
            message = f"campaigns must be Campaign objects, and number {number} is {kind_of(each)}"
            raise WrongArgumentError(message)
        if each.name in names:
            message = f"two campaigns are named {each.name!r}; rename one of them"
            raise WrongArgumentError(message)
        names.add(each.name)
    return found


def _is_campaign(given: object) -> bool:
    from relationship_core.model.campaign import Campaign

    return isinstance(given, Campaign)


def records(given: Any, of: type[T], word: str) -> Iterable[T] | pl.DataFrame:
    """Objects to record, or a data frame; ``word`` is what one of them is called.

    What an iterable itself raises comes out as it is.

    Raises:
        ConfigurationError: it is no iterable and no polars data frame.
        RejectedError: one of the objects is something else; where a list was given, before any is recorded.
    """
    if isinstance(given, pl.DataFrame):
        # Without rows a frame made from them has no columns either.
        return given if given.width else ()
    wanted = f"an iterable of {of.__name__} objects, or a polars data frame"
    if isinstance(given, pl.LazyFrame):
        raise _wrong(f"{word}s", wanted, given, "; call its collect() first")
    if isinstance(given, of):
        raise _wrong(f"{word}s", wanted, given, "; put it in a list")
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        raise _wrong(f"{word}s", wanted, given, " of another library; polars.from_pandas converts it")
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise _wrong(f"{word}s", wanted, given)
    if isinstance(given, Sequence):
        for _ in _each(given, of, word):
            pass
        return given
    return _each(given, of, word)


def _each(given: Iterable[T], of: type[T], word: str) -> Iterator[T]:
    for number, one in enumerate(given, 1):
        if not isinstance(one, of):
            message = (
                f"{word} number {number} is {kind_of(one)}, not {with_article(of.__name__)}; "
                "correct it and record all of it again"
            )
            raise WrongDataError(message)
        yield one


def _wrong(name: str, wanted: str, given: object, hint: str = "") -> WrongArgumentError:
    return WrongArgumentError(f"{name} must be {wanted}, not {kind_of(given)}{hint}")
