"""What every test shares: settings, and builders of the objects that most tests need.

A builder is a fixture that gives a function, since one test module cannot import another.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import polars as pl
import polars.selectors as cs
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from relationship_core import (
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    ContactPoint,
    Customer,
    Feature,
    Interaction,
    KeyedMeasure,
    Ladder,
    Limits,
    Measure,
    Money,
    Occasion,
    Plugins,
    PreferenceSettings,
    Preset,
    ProjectSettings,
    Relationships,
    Settings,
    Store,
    Variant,
    hookimpl,
    load_plugins,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.cli import cli
from relationship_core.flow.record.recorder import Recorder

# No deadline: the time of one example says nothing on a busy machine. The same examples each time, so that what turns a
# run red is the change that is tested; `tox -e search` looks for examples that nobody has thought of.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("RELATIONSHIP_TEST_PROFILE", "tests"))

PRESENT = datetime(2030, 1, 1, tzinfo=UTC)
"""What the clock of a test's project says; everything that tests record lies before it."""


@pytest.fixture(scope="session")
def every_measure() -> tuple[Measure | KeyedMeasure, ...]:
    """A measure for every way of folding."""
    amount, at = pl.col("amount"), pl.col("at")
    heavy = pl.col("data").str.json_path_match("$.weight").cast(pl.Float64, strict=False)
    feature = [Feature(name="keys", value=pl.len())]
    return (
        Measure(name="everything", combine="count"),
        Measure(name="paid", combine="count", kinds=("order",), value=pl.when(amount > 0).then(1)),
        Measure(name="spent", combine="sum", kinds=("order",), value=amount),
        Measure(name="ones", combine="sum", kinds=("visit", "order")),
        Measure(name="recent", combine="sum", value=amount, half_life_days=30),
        Measure(name="fading", combine="count", kinds=("visit",), half_life_days=365),
        Measure(name="smallest", combine="min", value=amount),
        Measure(name="largest", combine="max", kinds=("order", "never"), value=amount),
        Measure(name="first_at", combine="min", type="instant"),
        Measure(name="last_order_at", combine="max", kinds=("order",), value=at, type="instant"),
        Measure(name="reciprocal", combine="sum", value=1 / amount),
        Measure(name="skipped_night", combine="sum", value=(pl.col("day") == "2017-03-12").cast(pl.Int8)),
        Measure(name="weight", combine="max", value=heavy),
        Measure(name="nothing", combine="sum", kinds=("never",)),
        Measure(name="constant", combine="sum", value=pl.lit(2)),
        KeyedMeasure(name="order_day", key="day", kinds=("order",), features=feature),
        KeyedMeasure(name="category", key="category", combine="sum", value=pl.col("minor"), features=feature),
        KeyedMeasure(name="daily", key="category_day", combine="sum", value=pl.col("minor"), features=feature),
        KeyedMeasure(name="product", key="product", combine="max", value=pl.col("quantity"), features=feature),
        KeyedMeasure(name="case", key="reference", combine="min", value=at.dt.epoch("s"), features=feature),
    )


@contextmanager
def _new_store(kind: str) -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store: Store = MemoryStore() if kind == "memory" else SQLiteStore(Path(folder) / "project.db")
        try:
            yield store
        finally:
            store.close()


@pytest.fixture(scope="session")
def new_store() -> Callable[[str], AbstractContextManager[Store]]:
    """Opens an empty store, ``memory`` or ``sqlite``, while a ``with`` lasts: a property needs one for each example."""
    return _new_store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind."""
    with _new_store(request.param) as fresh:
        yield fresh


class _MortalStore:
    """A store whose process dies at a transaction: before its commit, or just after it."""

    def __init__(self, store: Store, at: int, *, committed: bool) -> None:
        self._store = store
        self._left = at
        self._committed = committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, *, durable: bool = False, shared: bool = False) -> Iterator[None]:
        self._left -= 1
        with self._store.transaction(durable=durable, shared=shared):
            yield
            if self._left == 0 and not self._committed:
                raise KeyboardInterrupt
        if self._left == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def make_mortal() -> Callable[..., Store]:
    """A store that dies of KeyboardInterrupt at its transaction number ``at``: before its commit, or just after it."""

    def make(store: Store, at: int, *, committed: bool) -> Store:
        return cast("Store", _MortalStore(store, at, committed=committed))

    return make


@pytest.fixture(scope="session")
def make_recorder() -> Callable[..., Recorder]:
    """A recorder into a store; kinds order, visit and complaint_opened, currency EUR, zone America/New_York."""

    def make(store: Store, measures: Sequence[Measure | KeyedMeasure], **more: Any) -> Recorder:
        store.prepare(measures)
        known = {
            "kinds": ("order", "visit", "complaint_opened"),
            "currency": "EUR",
            "zone": "America/New_York",
            "clock": lambda: PRESENT,
            **more,
        }
        return Recorder(store=store, measures=measures, **known)

    return make


@pytest.fixture(scope="session")
def kept_numbers() -> Callable[[Recorder], dict[tuple[str, ...], float]]:
    """Every number that a store keeps, by customer, measure and key; instants in microseconds, null left out."""

    def read(recorder: Recorder) -> dict[tuple[str, ...], float]:
        plain = [measure.name for measure in recorder.measures if isinstance(measure, Measure)]
        keyed = [measure.name for measure in recorder.measures if isinstance(measure, KeyedMeasure)]
        numbers: dict[tuple[str, ...], float] = {}
        for page in recorder.store.pages(None, as_of=PRESENT):
            rows = recorder.store.read_measures(page, plain).with_columns(cs.datetime().to_physical())
            for row in rows.iter_rows(named=True):
                customer = row.pop("customer")
                numbers |= {(customer, name): value for name, value in row.items() if value is not None}
            for customer, name, key, value in recorder.store.read_keyed(page, keyed).iter_rows():
                numbers[customer, name, key] = value
        return numbers

    return read


class _LadderPlugin:
    """A plugin with one ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder

    @hookimpl
    def relationship_ladders(self) -> tuple[Ladder, ...]:
        return (self._ladder,)


@pytest.fixture(scope="session")
def make_interaction() -> Callable[..., Interaction]:
    """An interaction, told apart by customer, kind and time; ``minor`` is money in minor units of EUR."""

    def make(customer: str, kind: str, at: datetime, *, minor: int | None = None, **more: Any) -> Interaction:
        amount = None if minor is None else Money(minor=minor, currency="EUR")
        known = {"source": "test", "id": f"{customer} {kind} {at.isoformat()}", **more}
        return Interaction(customer=customer, kind=kind, at=at, amount=amount, **known)

    return make


@pytest.fixture(scope="session")
def make_customer() -> Callable[..., Customer]:
    """A customer with an e-mail address at example.com, unless ``contact_points`` says otherwise."""

    def make(id: str, **more: Any) -> Customer:
        reachable = {"contact_points": [ContactPoint(medium="email", address=f"{id}@example.com", synthetic=True)]}
        return Customer(id=id, **{"name": id.title(), **reachable, **more})

    return make


@pytest.fixture(scope="session")
def make_campaign() -> Callable[..., Campaign]:
    """A campaign of one action, ``write``, on the channel ``letters``; it takes what is its occasion's as well."""

    def make(
        name: str,
        *,
        when: str = "",
        key: str = "once",
        since: str = "",
        variants: Iterable[Variant] = (Variant(channel="letters", subject="Hello", text="Hello {{ customer.name }}"),),
        limits: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Campaign:
        occasion = Occasion(name="occasion", when=when, key=key, since=since)
        known = {"owner": "tests", "purpose": "marketing", "nature": "give", **more}
        if "actions" not in known:
            known["actions"] = [Action(name="write", occasion=occasion, variants=tuple(variants))]
        return Campaign(name=name, limits=Limits(**(limits or {})), **known)

    return make


@pytest.fixture(scope="session")
def standard_plugins() -> Plugins:
    """What is installed, loaded once."""
    return load_plugins()


@pytest.fixture(scope="session")
def make_project(standard_plugins: Plugins) -> Callable[..., Relationships]:
    """A project in memory, unless ``store`` says otherwise, with a null channel ``letters``.

    Marketing needs no consent, unless ``consent`` says otherwise: most tests are about something else.
    ``plugins`` are handed in beside the installed ones; ``ladder`` may be a Ladder.
    """

    def make(
        *campaigns: Campaign,
        plugins: Iterable[object] = (),
        ladder: Ladder | str = "b2c",
        zone: str = "UTC",
        folder: Any = None,
        page_size: int = 50_000,
        clock: Callable[[], datetime] = lambda: PRESENT,
        **more: Any,
    ) -> Relationships:
        extra = [*plugins, *([_LadderPlugin(ladder)] if isinstance(ladder, Ladder) else [])]
        chosen = {
            "channels": {"letters": Choice(use="null")},
            "project": ProjectSettings(zone=zone, postal_address="1 Main Street"),
            # Everybody may be written to as often as the interval allows, unless a test says otherwise.
            "consent": ConsentSettings(without=("email", "post", "sms")),
            "preference": PreferenceSettings(unasked="close"),
            **more,
        }
        return Relationships(
            settings=Settings(ladder=ladder.name if isinstance(ladder, Ladder) else ladder, **chosen),
            campaigns=campaigns,
            clock=clock,
            plugins=load_plugins(extra=extra) if extra else standard_plugins,
            folder=folder,
            page_size=page_size,
        )

    return make


class _PresetPlugin:
    """A plugin with presets."""

    def __init__(self, presets: tuple[Preset, ...]) -> None:
        self._presets = presets

    @hookimpl
    def relationship_import_presets(self) -> tuple[Preset, ...]:
        return self._presets


@pytest.fixture(scope="session")
def make_shop(make_project: Callable[..., Relationships]) -> Callable[..., Relationships]:
    """A project in the spring of 2024, when the sample exports were made; it knows these presets, too."""

    def make(*presets: Preset) -> Relationships:
        plugins = [_PresetPlugin(presets)] if presets else []
        return make_project(plugins=plugins, clock=lambda: datetime(2024, 4, 1, 12, tzinfo=UTC))

    return make


@pytest.fixture
def sample(tmp_path: Path) -> Callable[[str], Path]:
    """Copies a sample export, named without its extension, to the test's own folder."""

    def copy(name: str) -> Path:
        return Path(shutil.copy(Path(__file__).resolve().parent / "samples" / f"{name}.csv", tmp_path))

    return copy


@pytest.fixture
def relate(tmp_path: Path) -> Callable[..., Result]:
    """Runs ``relate`` as a terminal would, in the project folder ``shop`` of the test's own folder."""
    runner = CliRunner()
    project = str(tmp_path / "shop")

    def run(*arguments: object) -> Result:
        return runner.invoke(cli, ["--project", project, *map(str, arguments)], prog_name="relate")

    return run


@pytest.fixture
def make_environment(tmp_path: Path) -> Callable[[], Path]:
    """Makes an empty virtual environment beside this one, which sees what this one has; gives its Python.

    Nothing is downloaded: pip takes what it is given, and what it needs to build is in this environment.
    """

    def make() -> Path:
        folder = tmp_path / ".venv"
        venv.create(folder, with_pip=False, symlinks=True)
        here = {"base": str(folder), "platbase": str(folder)}
        site = Path(sysconfig.get_path("purelib", "venv", here))
        places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        lines = (f"import site; site.addsitedir({place!r})\n" for place in sorted(places))
        (site / "beside.pth").write_text("".join(lines), encoding="utf-8")
        return Path(sysconfig.get_path("scripts", "venv", here)) / Path(sys.executable).name

    return make


@pytest.fixture(scope="session")
def replayed_year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of ``relate demo`` and the document that it printed; who wants to change it works on a copy.

    Once, also where several workers share the tests; SQLite's lock lets the others wait.
    """
    top = tmp_path_factory.getbasetemp()
    shared = top.parent if "PYTEST_XDIST_WORKER" in os.environ else top
    folder, kept = shared / "relate-demo", shared / "demo.json"
    with closing(sqlite3.connect(shared / "demo.lock", timeout=600, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        if not kept.exists():
            command = [sys.executable, "-m", "relationship_core", "demo", "--json", "--project", str(folder)]
            done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
            assert done.returncode == 0, done.stderr
            kept.write_text(done.stdout, encoding="utf-8")
    return folder, json.loads(kept.read_text(encoding="utf-8"))
