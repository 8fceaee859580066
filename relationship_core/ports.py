"""What a plugin provides: the objects that do the work, called directly and by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from relationship_core.columns import Page
    from relationship_core.declarations import KeyedMeasure, Measure
    from relationship_core.model.message import Message, Price, Receipt
    from relationship_core.model.received import Heard, RawRequest, Refusal
    from relationship_core.table import Table

T = TypeVar("T")
R = TypeVar("R")

Step: TypeAlias = Literal["review", "plan"]
"""The steps that work on marked customers."""


class Clock(Protocol):
    """Where the time comes from; handed in, so that a replay and a test have their own."""

    def __call__(self) -> datetime:
        """The present instant, aware."""
        ...


class Store(Protocol):
    """Where a project lives. It says what is kept, never how.

    Every method that writes is used inside ``transaction()``: all of it is kept, or nothing.
    Frames have the schemas of ``relationship_core.columns``; rows come back in ascending order of the
    table's key. Customer ids sort bytewise (UTF-8). A page reads its own customers only, whoever came
    between them since. Measures come back as Float64, or as instants.

    Contact points, decisions, messages, consents, preferences and tasks belong to customers that CUSTOMERS has, and
    there is one message for a campaign, action, customer and occasion: other rows are refused with RejectedError, and
    so is a row without its key. Writing outside a transaction, and a transaction inside another, are mistakes of the
    program: RuntimeError.

    Raises, from any method: RetriableError where it may work later (locked, full, unreachable),
    ConfigurationError where it never will (a newer schema, a read-only place).
    """

    def prepare(self, measures: Sequence[Measure | KeyedMeasure]) -> None:
        """Make room for these measures; existing numbers stay.

        Called after opening, when FACTS and CALIBRATIONS may have been read already, and again after a calibration.
        """
        ...

    def close(self) -> None:
        """Let go of every resource; may be called twice."""
        ...

    def transaction(self, *, durable: bool = False, shared: bool = False) -> AbstractContextManager[None]:
        """One atomic change, exclusive among writers.

        Args:
            durable: it survives a power cut once it returns; any other survives the end of the process.
            shared: other shared transactions may go on at the same time, and see nothing of it before it is kept: for
                changes to rows that nobody else changes, such as those that this worker has claimed. ``claim`` takes
                nothing that another has. A store with one writer at a time makes no difference.
        """
        ...

    def put(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert rows, replacing those with the same key. The frame has all the table's columns."""
        ...

    def update(self, table: Table, frame: pl.DataFrame) -> None:
        """Change some columns of rows that exist: the frame has the key and the columns to change."""
        ...

    def revise(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """As ``update``, for a few rows, without a frame: messages may be settled one by one.

        Every row has the key and the same columns to change; instants are aware datetimes.
        """
        ...

    def delete(self, table: Table, keys: pl.DataFrame) -> None:
        """Remove the rows with these keys; the frame has at least the table's key columns."""
        ...

    def read(
        self,
        table: Table,
        *,
        page: Page | None = None,
        where: Mapping[str, str | Collection[str]] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Rows of a table: of the page's customers, with these column values, only these columns.

        ``where`` gives a column's value, or several: then a row has any of them. Where the columns are the first ones
        of the table's key, the cost grows with their number, not with the table.
        """
        ...

    def count(
        self, table: Table, by: Sequence[str], *, where: Mapping[str, str | Collection[str]] | None = None
    ) -> pl.DataFrame:
        """How many rows there are for each combination of these columns; the column ``rows`` holds the number.

        ``where`` is as in ``read``.
        """
        ...

    def fact(self, name: str) -> str | None:
        """The value of one row of FACTS; None where there is none. It costs next to nothing."""
        ...

    def append(self, interactions: pl.DataFrame, *, fresh: bool = False) -> pl.DataFrame:
        """Keep interactions; return those that were new, by (source, id), in their given order.

        Args:
            interactions: rows of INTERACTIONS.
            fresh: nobody has kept any of them, and none is among them twice, as far as the caller knows. While a store
                that had no interactions is given such rows only, it may put off to index their keys until ``index``,
                or until it is given others.
        """
        ...

    def index(self) -> None:
        """Index what ``append`` has put off, in a transaction of its own; it may be called at any time."""
        ...

    def kept(self, keys: pl.DataFrame, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The interactions with these keys: each once, unknown ones left out, only these columns.

        ``keys`` has at least ``source`` and ``id``. The cost grows with their number, not with history.
        """
        ...

    def merge(self, measures: pl.DataFrame, keyed: pl.DataFrame) -> None:
        """Combine contributions into the kept measures, each by its declared ``combine``.

        ``measures`` has ``customer`` and any of the declared measures (null contributes nothing; instants as
        instants); every customer in it has a row afterwards. ``keyed`` is a frame of KEYED_MEASURES.
        """
        ...

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """The kept measures: ``customer`` and the named columns, a row for each customer of the page."""
        ...

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """Rows of KEYED_MEASURES of the page's customers for the named measures."""
        ...

    def clear_measures(self, page: Page | None = None) -> None:
        """Forget every measure of the page's customers, or of everybody, so that history can be folded again."""
        ...

    def scrub(self) -> None:
        """Leave no trace of what was deleted where the rows were; outside a transaction. It may take long.

        Raises:
            RetriableError: the rows are gone, and traces of them are left that another process holds.
        """
        ...

    def pages(self, step: Step | None, *, as_of: datetime, after: str = "", size: int = 50_000) -> Iterator[Page]:
        """Customers in ascending order of id, from the one after ``after``.

        With a step only those who need it: marked for it; for ``review`` also those whose ``due_at`` is not
        after ``as_of``; for ``plan`` also those with a decision whose ``until`` is not after ``as_of``. The
        selection is made when the iteration starts. Without a step, or where everybody is marked, everybody;
        customers who come while the pages are read may be missing.
        """
        ...

    def mark(self, step: Step, customers: pl.Series | None) -> None:
        """Note that these customers, or with None everybody, need this step.

        "Everybody" takes the place of the single marks there are; those that come later stand beside it.
        """
        ...

    def unmark(self, step: Step, page: Page | None) -> None:
        """Take the marks of a page's customers off again; with None, the mark "everybody" and no other."""
        ...

    def marked(self, step: Step) -> int | None:
        """How many customers are marked for a step; None where everybody is."""
        ...

    def claim(
        self,
        *,
        worker: str,
        channel: str,
        as_of: datetime,
        until: datetime,
        limit: int,
        held: Collection[tuple[str, str]] = (),
    ) -> pl.DataFrame:
        """Take queued messages of one channel for this worker; rows of MESSAGES, oldest first.

        Those with ``not_before`` after ``as_of`` stay, and so do those of the content that is ``held``, given as
        campaigns with versions. ``state`` becomes claimed; ``worker`` and ``claimed_until`` are set.
        """
        ...


class Channel(Protocol):
    """A way to reach customers. It never raises for one message: it answers with a receipt."""

    @property
    def medium(self) -> str:
        """The kind of contact point it delivers to, such as ``email``."""
        ...

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Hand over the messages; one receipt each, in the same order.

        Raises:
            UnsupportedError: a message has what the channel cannot deliver, such as an attachment; none was sent. The
                core asks its provider's capabilities before.
            ConfigurationError: the credentials or the settings are wrong, and no message can be sent until somebody
                changes them; none was.
            Any other error: the core takes every message of the call for unknown.
        """
        ...

    def close(self) -> None:
        """Let go of every resource; may be called twice."""
        ...


@runtime_checkable
class Lookup(Protocol):
    """A channel that can tell afterwards what it sent; declare the capability ``lookup``."""

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        """Those of these message ids that were surely handed over."""
        ...


@runtime_checkable
class Priced(Protocol):
    """A channel that knows what a message costs; declare the capability ``price``."""

    def price(self, message: Message) -> Price:
        """What sending it would cost."""
        ...


class Receiver(Protocol):
    """Understands what a provider, a form or a mailbox reports. It verifies before it parses, and never raises."""

    def receive(self, request: RawRequest) -> Heard | Refusal:
        """What a request says, or why nothing is taken from it: a wrong signature, an old one, no such form."""
        ...

    def close(self) -> None:
        """Let go of every resource; may be called twice."""
        ...


@runtime_checkable
class Mailbox(Protocol):
    """A receiver that reads a place where mail lies; declare the capability ``mailbox``."""

    def requests(self, path: Path, *, now: datetime) -> Iterator[RawRequest]:
        """Every e-mail there, as a request whose body is its bytes; the place is not changed.

        Raises:
            RejectedError: this is no such place.
        """
        ...


class Renderer(Protocol):
    """Turns templates into text."""

    def check(self, template: str) -> None:
        """Parse a template.

        Raises:
            ConfigurationError: it does not parse; the message says where.
        """
        ...

    def variables(self, template: str) -> frozenset[str]:
        """The variables that a template takes from its context, as dotted paths such as ``customer.name``.

        Where a part is only known when it is rendered, the path ends before it.

        Raises:
            ConfigurationError: it does not parse.
        """
        ...

    def render(self, template: str, context: Mapping[str, object], *, html: bool) -> str:
        """The template filled in; with ``html``, values are escaped.

        Raises:
            RejectedError: it names a variable that the context lacks, or exceeds a limit.
        """
        ...


class Executor(Protocol):
    """Does the same for many tasks, on several processes or machines. What it does only reads.

    The core hands it functions and tasks that can be pickled, and writes itself what comes back. One executor serves
    one project, and one ``map`` at a time.
    """

    @property
    def workers(self) -> int:
        """How many tasks it does at the same time, 1 or more."""
        ...

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[R, None, None]:
        """What the function gives for each task, in the order of the tasks.

        Tasks are taken as workers come free: never are more than twice as many as there are workers taken and not yet
        answered. Who stops in the middle begins no more of them: by closing the generator what has begun may be waited
        for, by an error it is not.

        Raises:
            RetriableError: a worker died at a task, and again where that was tried once more; or none can be reached.
            Any other error: what the function raised, by the first task that failed.
        """
        ...

    def close(self) -> None:
        """End every worker of its own; may be called twice."""
        ...
