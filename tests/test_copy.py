"""Copying a project to another store: all of it, compared, or nothing."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from click.testing import Result

from relationship_core import (
    CUSTOMERS,
    DECISIONS,
    INTERACTIONS,
    MESSAGES,
    TABLES,
    Campaign,
    Choice,
    ConfigurationError,
    Consent,
    Interaction,
    Measure,
    Preference,
    ProjectSettings,
    RejectedError,
    Relationships,
    RetriableError,
    Store,
    Table,
    copy_project,
    hookimpl,
)

START = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)

Open = Callable[..., Relationships]


@pytest.fixture
def campaign(make_campaign: Callable[..., Campaign]) -> Campaign:
    return make_campaign("hello", when="orders >= 1", limits={"budget": 1_000_000})


@pytest.fixture
def shop(
    make_project: Open,
    make_customer: Callable[..., Any],
    make_interaction: Callable[..., Interaction],
    campaign: Campaign,
    tmp_path: Path,
) -> Iterator[Relationships]:
    """A project in SQLite with something in nearly every table, in the middle of its work."""
    with make_project(campaign, store=_sqlite(tmp_path / "shop.db"), clock=lambda: START + 9 * DAY) as project:
        project.record_customers(make_customer(each) for each in ("ada", "bob", "eve", "firm"))
        project.record_customers(make_customer(each, contact_points=()) for each in ("öl", "𝄞"))
        project.record(
            make_interaction(who, kind, START - number * DAY, minor=1000 + number)
            for number, who in enumerate(("ada", "bob", "eve", "firm", "öl", "𝄞", "ada", "somebody"))
            for kind in ("order", "visit")
        )
        project.permissions.record_consents(
            [
                Consent(
                    customer="ada",
                    id="1",
                    act="grant",
                    at=START,
                    medium="email",
                    source="form",
                    method="form",
                    wording="Yes",
                )
            ]
        )
        project.permissions.record_preferences([Preference(customer="bob", at=START, wish="none", source="form")])
        project.identities.merge("eve", into="ada", actor="tests")
        project.accounts.link("firm", "bob", role="buyer")
        project.run(as_of=START)
        project.record([make_interaction("bob", "order", START + DAY, minor=7)])
        yield project


def _sqlite(path: Path) -> Choice:
    return Choice(use="sqlite", settings={"path": path})


def kept(project: Relationships) -> dict[str, pl.DataFrame]:
    """Every row of every table, and the numbers of everybody."""
    store = project.store
    tables = {table.name: store.read(table) for table in TABLES if table.name != "keyed_measures"}
    plain = [each.name for each in project.catalog.measures if isinstance(each, Measure)]
    keyed = [each.name for each in project.catalog.measures if not isinstance(each, Measure)]
    for number, page in enumerate(store.pages(None, as_of=START)):
        tables[f"measures {number}"] = store.read_measures(page, plain)
        tables[f"keyed {number}"] = store.read_keyed(page, keyed).sort(pl.all())
    for step in ("review", "plan"):
        tables[step] = pl.DataFrame({"marked": [store.marked(step)]}, schema={"marked": pl.Int64})
    return tables


def differing(one: Relationships, other: Relationships) -> list[str]:
    theirs = kept(other)
    return [name for name, rows in kept(one).items() if not rows.equals(theirs[name])]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_copy_has_every_row_and_goes_on_the_same(
    shop: Relationships, make_project: Open, campaign: Campaign, tmp_path: Path, kind: str
) -> None:
    target = Choice(use="memory") if kind == "memory" else _sqlite(tmp_path / "other.db")
    with make_project(campaign, store=target, clock=lambda: START + 9 * DAY) as other:
        copied = copy_project(shop, other)
        assert differing(shop, other) == []
        rows = {table.name: shop.store.read(table).height for table in TABLES if table.name != "keyed_measures"}
        assert {name: number for name, number in copied.rows.items() if name != "keyed_measures"} == rows
        assert min(rows["customers"], rows["messages"], rows["aliases"], rows["consents"], copied.rows["facts"]) > 0
        # The store is opened again by whoever works with it.
        other.store.prepare(other.catalog.measures)
        ran = [project.run(as_of=START + 9 * DAY) for project in (shop, other)]
        assert ran[0] == ran[1]
        assert differing(shop, other) in ([], ["runs"])
        assert shop.store.read(DECISIONS).equals(other.store.read(DECISIONS))


def test_whoever_is_marked_stays_so_and_nobody_else_is(
    shop: Relationships, make_project: Open, campaign: Campaign
) -> None:
    with make_project(campaign, clock=lambda: START + 9 * DAY) as other:
        copy_project(shop, other)
        marked = [project.store.marked("review") for project in (shop, other)]
        assert marked[0] == marked[1] != 0
        assert other.review(as_of=START + DAY) == shop.review(as_of=START + DAY)


def test_an_empty_project_that_was_rebuilt_is_a_target_still(
    shop: Relationships, make_project: Open, campaign: Campaign
) -> None:
    shop.review(as_of=START + DAY)
    with make_project(campaign, clock=lambda: START + 9 * DAY) as other:
        other.rebuild()
        copy_project(shop, other)
        assert differing(shop, other) == []
        assert other.store.marked("review") == 0


def test_rows_of_nobody_are_told_of(shop: Relationships, make_project: Open, campaign: Campaign) -> None:
    with shop.store.transaction():
        shop.store.append(shop.store.read(INTERACTIONS).head(1).with_columns(customer=pl.lit("Aaron"), id=pl.lit("g")))
    with (
        make_project(campaign) as other,
        pytest.raises(RejectedError, match="interactions of somebody who is no customer there; record them"),
    ):
        copy_project(shop, other)


def test_a_store_that_holds_data_is_no_target(shop: Relationships, make_project: Open, campaign: Campaign) -> None:
    before = kept(shop)
    with make_project(campaign) as other:
        with pytest.raises(RejectedError, match=r"holds data already \(in customers, .*empty"):
            copy_project(other, shop)
        with pytest.raises(RejectedError, match="holds data already"):
            copy_project(shop, shop)
    assert all(rows.equals(before[name]) for name, rows in kept(shop).items())


def test_projects_with_other_measures_do_not_mix(shop: Relationships, make_project: Open, campaign: Campaign) -> None:
    class More:
        @hookimpl
        def relationship_measures(self) -> tuple[Measure, ...]:
            return (Measure(name="more", combine="count"),)

    with make_project(campaign, plugins=[More()]) as other, pytest.raises(ConfigurationError, match="same plugins"):
        copy_project(shop, other)


@pytest.mark.parametrize(("key", "value", "was"), [("currency", "SEK", "EUR"), ("zone", "Asia/Tokyo", "UTC")])
def test_projects_on_other_ground_do_not_mix(
    shop: Relationships, make_project: Open, campaign: Campaign, *, key: str, value: str, was: str
) -> None:
    """Whoever opened the copy would be told to make another project, or to fold history again."""
    project = ProjectSettings(**{key: value})
    with (
        make_project(campaign, project=project) as other,
        pytest.raises(ConfigurationError, match=rf"{key} of the target is {value}, and that of the source is {was}"),
    ):
        copy_project(shop, other)


def test_nothing_is_copied_out_of_a_delivery(shop: Relationships, make_project: Open, campaign: Campaign) -> None:
    rows = shop.store.read(MESSAGES).head(1).with_columns(pl.lit("attempting").alias("state"))
    with shop.store.transaction():
        shop.store.put(MESSAGES, rows)
    with make_project(campaign) as other:
        with pytest.raises(RetriableError, match="1 messages are being delivered"):
            copy_project(shop, other)
        assert other.store.read(INTERACTIONS).is_empty()


class _Faulty:
    """A store that keeps the rows of one table otherwise, or dies of them."""

    def __init__(self, store: Store, table: Table, *, dies: bool) -> None:
        self.inner, self.table, self.dies = store, table, dies

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, table: Table, **more: Any) -> pl.DataFrame:
        rows = self.inner.read(table, **more)
        if table == self.table and rows.height and "page" in more:
            if self.dies:
                raise KeyboardInterrupt
            return rows.reverse() if rows.height > 1 else rows.clear()
        return rows


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("table", [table for table in TABLES if table.name in {"customers", "facts", "messages"}])
def test_a_copy_that_is_cut_short_or_differs_leaves_the_target_empty(
    shop: Relationships, make_project: Open, campaign: Campaign, tmp_path: Path, table: Table, *, dies: bool
) -> None:
    with make_project(campaign, store=_sqlite(tmp_path / "other.db"), clock=shop.clock) as other:
        sound, before = other.store, kept(other)
        other.store = cast("Store", _Faulty(sound, table, dies=dies))
        with pytest.raises(KeyboardInterrupt if dies else RetriableError, match=None if dies else table.name):
            copy_project(shop, other)
        other.store = sound
        assert all(rows.equals(before[name]) for name, rows in kept(other).items())
        copy_project(shop, other)
        assert differing(shop, other) == []


class _Taken:
    """A store into which somebody else records just before its transaction begins."""

    def __init__(self, store: Store, record: Callable[[], object]) -> None:
        self.inner, self.record = store, record

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def transaction(self, **more: Any) -> Any:
        self.record()
        return self.inner.transaction(**more)


def test_of_two_copies_into_one_store_the_second_is_refused(
    shop: Relationships,
    make_project: Open,
    make_customer: Callable[..., Any],
    campaign: Campaign,
    tmp_path: Path,
) -> None:
    """Each found it empty, and one waited for the other."""
    target = _sqlite(tmp_path / "other.db")
    with make_project(campaign, store=target) as other, make_project(campaign, store=target) as second:
        sound = other.store
        other.store = cast("Store", _Taken(sound, lambda: second.record_customers([make_customer("gil")])))
        with pytest.raises(RejectedError, match="holds data already"):
            copy_project(shop, other)
        assert sound.read(CUSTOMERS)["customer"].to_list() == ["gil"]


def test_nobody_writes_to_the_source_meanwhile(
    shop: Relationships, make_project: Open, campaign: Campaign, tmp_path: Path
) -> None:
    refused: list[str] = []
    settings = {"path": tmp_path / "shop.db", "busy_timeout": 0.01}
    with (
        make_project(campaign) as other,
        make_project(campaign, store=Choice(use="sqlite", settings=settings)) as third,
    ):

        def write(_: object) -> None:
            with pytest.raises(RetriableError) as error:
                third.review(as_of=START + 9 * DAY)
            refused.append(str(error.value))

        copy_project(shop, other, progress=write)
    assert refused
    assert all("another process is writing" in each for each in refused)


@pytest.fixture
def garage(replayed_year: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(replayed_year[0], tmp_path / "shop"))


def test_the_demo_is_copied_by_the_command(garage: Path, relate: Callable[..., Result], tmp_path: Path) -> None:
    target = Path(shutil.copytree(garage, tmp_path / "other", ignore=shutil.ignore_patterns("*.db*")))
    done = relate("copy", "--to", target, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["rows"]
    with Relationships.open(garage) as old, Relationships.open(target) as new:
        assert differing(old, new) == []
        assert told["interactions"] == old.store.read(INTERACTIONS).height > 1000
        as_of = old.report().as_of
        assert old.report(as_of=as_of) == new.report(as_of=as_of)
    again = relate("copy", "--to", target)
    assert again.exit_code == 1
    assert "holds data already" in again.stderr


def test_ctrl_c_does_not_say_that_half_a_copy_is_kept(
    relate: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("shop", "other"):
        assert relate("--project", str(tmp_path / name), "init", "--name", "Corner Bakery").exit_code == 0
    monkeypatch.setattr("relationship_core.flow.copying.copy", interrupted)
    told = relate("copy", "--to", tmp_path / "other")
    assert told.exit_code == 130
    assert told.stderr == "Error: interrupted; a copy counts as a whole or not at all, so run `relate copy` again\n"


def test_what_the_command_says(shop: Relationships, relate: Callable[..., Result], tmp_path: Path) -> None:
    del shop
    for name in ("shop", "other"):
        assert relate("--project", str(tmp_path / name), "init", "--name", "Corner Bakery").exit_code == 0
    told = relate("copy", "--to", tmp_path / "other")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "0 customers, 0 interactions, 0 messages" in told.stdout
    assert "deliver from the new one alone" in told.stdout
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    for itself in ("shop", "link"):
        told = relate("copy", "--to", tmp_path / itself)
        assert told.exit_code == 2
        assert "is this very project; name the folder of another one" in told.stderr
    settings = tmp_path / "other" / "relationship.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace('use = "sqlite"\npath = "relationships.db"', 'use = "memory"'),
        encoding="utf-8",
    )
    told = relate("copy", "--to", tmp_path / "other")
    assert told.exit_code == 1
    assert 'the store "memory" of' in told.stderr
    assert "would be gone" in told.stderr
    assert relate("copy", "--to", tmp_path / "nowhere").exit_code == 2
    assert relate("copy").exit_code == 2
