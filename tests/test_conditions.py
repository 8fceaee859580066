"""Conditions: what they accept, what they refuse and how they say it; SQLite judges their truth."""

import logging
import math
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core.conditions import Condition, columns_named, parse_condition
from relationship_core.errors import ConfigurationError
from relationship_core.table import INSTANT

STAGES = ("prospect", "customer", "client", "supporter")
WHERE = "campaign 'lapse', audience"
NOW = datetime(2017, 3, 1, 12, tzinfo=UTC)

COLUMNS: dict[str, pl.DataType] = {
    "stage": pl.Enum(STAGES),
    "before": pl.Enum(STAGES),
    "size": pl.Enum(["small", "large"]),
    "silence_days": pl.Float64(),
    "trust": pl.Float64(),
    "x": pl.Float64(),
    "orders": pl.Int64(),
    "visits": pl.UInt8(),
    "country": pl.String(),
    "member": pl.Boolean(),
    "last_order_at": INSTANT,
    "birthday": pl.Date(),
    "lines": pl.List(pl.Int64),
    "local": pl.Datetime("us"),
}

FRAME = pl.DataFrame(
    {
        "stage": ["client", "customer", None],
        "before": ["customer", "client", "client"],
        "size": ["small", "large", None],
        "silence_days": [61.0, 60.0, None],
        "trust": [0.9, math.nan, None],
        "x": [0.0, -2.0, math.inf],
        "orders": [5, 0, None],
        "visits": [2, 3, None],
        "country": ["DE", "de_AT", None],
        "member": [True, False, None],
        "last_order_at": [NOW - timedelta(days=61), NOW - timedelta(days=60), None],
        "birthday": [date(1980, 2, 29), date(1990, 1, 1), None],
        "now": [NOW, NOW, NOW],
    },
    schema={
        **{name: dtype for name, dtype in COLUMNS.items() if name not in {"lines", "local"}},
        "now": INSTANT,
    },
)


def parse(text: str) -> Condition:
    return parse_condition(text, COLUMNS, where=WHERE)


def truth(text: str) -> list[bool | None]:
    return FRAME.select(parse(text).expr.alias("truth"))["truth"].to_list()


YES, NO, UNKNOWN = True, False, None

GOOD = [
    ("", [YES, YES, YES]),
    ("  ", [YES, YES, YES]),
    ("true", [YES, YES, YES]),
    ("1 > 2", [NO, NO, NO]),
    ("1 / 0 > 2", [UNKNOWN, UNKNOWN, UNKNOWN]),
    ("coalesce(0, x) = 0", [YES, YES, YES]),
    ("coalesce(1 / 0, 5, x) = 5 OR true", [YES, YES, YES]),
    ("stage >= 'client'", [YES, NO, UNKNOWN]),
    ("stage > 'prospect' AND stage < 'supporter'", [YES, YES, UNKNOWN]),
    ("'client' <= stage", [YES, NO, UNKNOWN]),
    ("stage = before", [NO, NO, UNKNOWN]),
    ("stage > before", [YES, NO, UNKNOWN]),
    ("stage IN ('client', 'supporter')", [YES, NO, UNKNOWN]),
    ("stage NOT IN ('client')", [NO, YES, UNKNOWN]),
    ("stage BETWEEN 'customer' AND 'client'", [YES, YES, UNKNOWN]),
    ("coalesce(stage, 'prospect') > 'prospect'", [YES, YES, NO]),
    ("size = 'large'", [NO, YES, UNKNOWN]),
    ("silence_days > 60", [YES, NO, UNKNOWN]),
    ("silence_days <> 60", [YES, NO, UNKNOWN]),
    ("silence_days != 60", [YES, NO, UNKNOWN]),
    ("silence_days == 60", [NO, YES, UNKNOWN]),
    ("silence_days IS NULL", [NO, NO, YES]),
    ("silence_days IS NOT NULL", [YES, YES, NO]),
    ("NOT silence_days > 60", [NO, YES, UNKNOWN]),
    ("silence_days > 60 OR member", [YES, NO, UNKNOWN]),
    ("silence_days > 60 OR orders IS NULL", [YES, NO, YES]),
    ("silence_days > 60 AND orders IS NOT NULL", [YES, NO, NO]),
    ("trust > 0.5", [YES, UNKNOWN, UNKNOWN]),
    ("trust IS NULL", [NO, YES, YES]),
    ("coalesce(trust, 0.5) = .5", [NO, YES, YES]),
    ("orders / 2 = 2.5", [YES, NO, UNKNOWN]),
    ("orders / x IS NULL", [YES, NO, YES]),
    ("x / x IS NULL", [YES, NO, YES]),
    ("x - x IS NULL", [NO, NO, YES]),
    ("visits - 3 = -1", [YES, NO, UNKNOWN]),
    ("visits * 200 > 255", [YES, YES, UNKNOWN]),
    ("-visits < - -1", [YES, YES, UNKNOWN]),
    ("(orders + 1) * 2 >= 12", [YES, NO, UNKNOWN]),
    ("orders IN (1, 5, -2)", [YES, NO, UNKNOWN]),
    ("member", [YES, NO, UNKNOWN]),
    ("NOT member", [NO, YES, UNKNOWN]),
    ("member = false", [NO, YES, UNKNOWN]),
    ("member <> (orders > 3)", [NO, NO, UNKNOWN]),
    ("coalesce(member, false)", [YES, NO, NO]),
    ("country = 'DE'", [YES, NO, UNKNOWN]),
    ("country < 'a'", [YES, NO, UNKNOWN]),
    ("country LIKE 'D_'", [YES, NO, UNKNOWN]),
    ("country LIKE 'd%'", [NO, YES, UNKNOWN]),
    ("country NOT LIKE 'd%'", [YES, NO, UNKNOWN]),
    ("country LIKE 'de!_%' ESCAPE '!'", [NO, YES, UNKNOWN]),
    ("country LIKE 'D\\E'", [NO, NO, UNKNOWN]),
    ("country LIKE '.*'", [NO, NO, UNKNOWN]),
    ("now - last_order_at > 60", [YES, NO, UNKNOWN]),
    ("last_order_at < now - 60", [YES, NO, UNKNOWN]),
    ("last_order_at + 60.5 > now", [NO, YES, UNKNOWN]),
    ("last_order_at > '2016-12-30T12:00:00Z'", [NO, YES, UNKNOWN]),
    ("last_order_at > '2016-12-30T13:00:00+01:00'", [NO, YES, UNKNOWN]),
    ("now - '2017-02-28T12:00:00Z' = 1", [YES, YES, YES]),
    ("birthday > '1985-01-01'", [NO, YES, UNKNOWN]),
    ("birthday = '1980-02-29'", [YES, NO, UNKNOWN]),
    ("birthday - '1980-02-28' = 1", [YES, NO, UNKNOWN]),
    ("birthday IN ('1990-01-01')", [NO, YES, UNKNOWN]),
    ("silence_days > 60 -- a remark", [YES, NO, UNKNOWN]),
    ('"silence_days" > 60;', [YES, NO, UNKNOWN]),
]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_truth_row_by_row(text: str, expected: list[bool | None]) -> None:
    assert truth(text) == expected


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_holds_takes_unknown_for_false(text: str, expected: list[bool | None]) -> None:
    kept = FRAME.with_row_index().filter(parse(text).holds)["index"].to_list()
    assert kept == [row for row, value in enumerate(expected) if value]


BAD = [
    ("silence_dys > 60", "there is no column 'silence_dys'; did you mean 'silence_days'?"),
    ("Trust > 1", "did you mean 'trust'?"),
    ("zzz > 1", "there is no column 'zzz'; choose among before, birthday,"),
    ("stage >= 'Client'", "there is no stage 'Client'; did you mean 'client'?"),
    ("stage IN ('client', 'custmer')", "there is no stage 'custmer'; did you mean 'customer'?"),
    ("stage > 'zzz'", "there is no stage 'zzz'; choose among prospect, customer, client, supporter"),
    ("coalesce(stage, 'prospct') > 'client'", "did you mean 'prospect'?"),
    ("stage = size", "cannot compare"),
    ("stage > 1", "cannot compare stage, one of prospect, customer, client, supporter, with 1, a number"),
    ("stage + 1 > 2", "cannot be computed"),
    ("stage LIKE 'c%'", "LIKE compares text"),
    ("country > 5", "cannot compare country, text, with 5, a number"),
    ("orders > 'many'", "cannot compare a number with the text 'many'"),
    ("orders > country", "cannot compare orders, a number, with country, text"),
    ("member > false", "which > does not order"),
    ("member = 1", "cannot compare"),
    ("member BETWEEN false AND true", "does not order"),
    ("orders", "orders is a number, not true or false"),
    ("orders + 1", "not true or false"),
    ("'text'", "not true or false"),
    ("member AND orders", "AND needs true or false, and orders is a number"),
    ("NOT orders", "NOT needs true or false"),
    ("1 < orders < 5", "cannot compare"),
    ("last_order_at > 'yesterday'", "'yesterday' is not an ISO instant"),
    ("last_order_at > '2017-01-01'", "has no zone"),
    ("last_order_at > 5", "cannot compare"),
    ("last_order_at > birthday", "cannot compare"),
    ("last_order_at * 2 > now", "cannot be computed"),
    ("birthday > '1980-02-30'", "'1980-02-30' is not an ISO date"),
    ("lines IS NULL", "the column 'lines' holds List(Int64)"),
    ("local > now", "the column 'local' holds Datetime"),
    ("-country = 'x'", "cannot be computed from text"),
    ("coalesce(orders, 'none') > 1", "cannot coalesce a number with the text 'none'"),
    ("orders IN ()", "at least one value"),
    ("orders IN (x)", "IN takes a list of numbers or quoted texts, and x is neither"),
    ("orders IN (1, NULL)", "NULL cannot be used in a condition; write IS NULL"),
    ("orders IN (SELECT 1)", "a subquery cannot be used"),
    ("orders = NULL", "write IS NULL"),
    ("member IS TRUE", "IS takes NULL only"),
    ("orders BETWEEN SYMMETRIC 1 AND 2", "SYMMETRIC cannot be used"),
    ("country LIKE member", "LIKE compares text with a quoted pattern"),
    ("country ILIKE 'd%'", "ILIKE cannot be used"),
    ("country LIKE 'a!b' ESCAPE '!'", "escapes neither % nor _ nor itself"),
    ("country LIKE 'a!' ESCAPE '!'", "escapes neither"),
    ("country LIKE 'a' ESCAPE 'ab'", "takes one quoted character"),
    ("orders > 1e999", "1e999 is not a number"),
    ("count(*) > 1", "the aggregate COUNT cannot be used"),
    ("max(orders) > 1", "the aggregate MAX cannot be used"),
    ("sum(orders) OVER () > 1", "the window function SUM cannot be used"),
    ("row_number() OVER (PARTITION BY stage) = 1", "the window function ROW_NUMBER cannot be used"),
    ("(SELECT 1) = 1", "a subquery cannot be used"),
    ("EXISTS (SELECT 1)", "a subquery cannot be used"),
    ("CASE WHEN member THEN true END", "CASE cannot be used"),
    ("lower(country) = 'de'", "the function LOWER cannot be used"),
    ("wink(country) = 'de'", "the function WINK cannot be used"),
    ("now() > last_order_at", "the function NOW cannot be used"),
    ("current_timestamp > last_order_at", "the function CURRENT_TIMESTAMP cannot be used"),
    ("random() > 0.5", "the function RAND cannot be used"),
    ("orders = ?", "a parameter cannot be used"),
    ("orders = :n", "a parameter cannot be used"),
    ("CAST(orders AS text) = '1'", "a cast cannot be used"),
    ("orders::text = '1'", "a cast cannot be used"),
    ("last_order_at > timestamp '2017-01-01'", "instants and dates as quoted ISO text"),
    ("now - INTERVAL '3' DAY > last_order_at", "write a number of days"),
    (
        "customers.orders > 1",
        "the qualified name customers.orders cannot be used in a condition; write orders",
    ),
    ("*", "* cannot be used"),
    ("customers.* > 1", "cannot be used"),
    ("orders % 2 = 1", "% cannot be used"),
    ("country || 'x' = 'DEx'", "|| cannot be used"),
    ("member; member", "join them with AND"),
    ("member AND", "does not parse near 'AND' (line 1, column 10)"),
    ("member,\nmember", "does not parse near ','"),
    ("SELECT orders", "does not parse near 'SELECT'"),
    ("DROP TABLE customers", "does not parse near 'DROP'"),
    ("orders > 1_000", "does not parse near '_000'"),
    ("country = 'DE", "check its quotation marks"),
    ("-- nothing", "does not parse"),
    ("orders > 1 AS much", "does not parse near 'AS'"),
    ("(" * 41 + "member" + ")" * 41, "nested deeper than 40 levels"),
    ("(" * 4000 + "member", "nested deeper than 40 levels"),
    ("NOT " * 2000 + "member", "nested deeper than 40 levels"),
    ("- " * 3000 + "x > 1", "nested deeper than 40 levels"),
    ("x" + " + x" * 1000 + " > 1", "nested deeper than 40 levels"),
    ("x" + " = x" * 1000, "nested deeper than 40 levels"),
    ("CASE WHEN " * 900, "nested deeper than 40 levels"),
    ("x" * 10_001, "longer than 10000 characters"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[text[:40] for text, _ in BAD])
def test_refused_with_place_and_advice(
    text: str, said: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError) as raised:
        parse(text)
    message = str(raised.value)
    assert message.startswith(f"{WHERE}: ")
    assert said in message
    assert "\n" not in message
    assert "\x1b" not in message
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


def test_a_long_chain_and_a_long_list_are_no_nesting() -> None:
    chain = parse("member" + " AND member" * 900)
    assert FRAME.filter(chain.holds).height == 1
    assert len(chain.atoms) == 901
    assert truth(f"orders IN ({', '.join(map(str, range(1500)))})") == [YES, YES, UNKNOWN]


@pytest.mark.parametrize(
    "text",
    [
        "1 / (" * 19 + "x" + ")" * 19 + " > 1",
        "coalesce(x, " * 39 + "x" + ")" * 39 + " > 1",
        "(" * 19 + "member" + " = member)" * 19,
        "(" * 12 + "member" + " AND member OR member)" * 12,
    ],
)
def test_the_work_grows_with_the_text_and_not_with_its_depth(text: str) -> None:
    assert FRAME.filter(parse(text).holds).height <= 3


def test_a_stage_kept_as_text_compares_in_the_order_of_the_ladder() -> None:
    condition = parse_condition("stage >= 'client'", {"stage": pl.String()}, stages=STAGES, where=WHERE)
    frame = pl.DataFrame({"stage": ["prospect", "client", "supporter", None]})
    assert frame.select(condition.expr)["stage"].to_list() == [False, True, True, None]
    with pytest.raises(ConfigurationError, match="there is no stage 'clients'; did you mean 'client'"):
        parse_condition("stage = 'clients'", {"stage": pl.String()}, stages=STAGES, where=WHERE)


def test_atoms_come_in_the_order_of_the_text() -> None:
    text = "stage >= 'client' AND NOT (silence_days > 60 OR trust + x > 0.5) AND member AND orders IS NOT NULL"
    condition = parse(text)
    assert condition.text == text
    assert condition.columns == {"stage", "silence_days", "trust", "x", "member", "orders"}
    assert [(atom.text, atom.operands) for atom in condition.atoms] == [
        ("stage >= 'client'", ("stage",)),
        ("silence_days > 60", ("silence_days",)),
        ("trust + x > 0.5", ("trust", "x")),
        ("member", ("member",)),
        ("orders IS NULL", ("orders",)),
    ]
    rows = FRAME.select(atom.expr.alias(str(number)) for number, atom in enumerate(condition.atoms)).rows()
    assert rows[0] == (True, True, True, True, False)


@pytest.mark.parametrize(("text", "expected"), [(text, rows) for text, rows in GOOD if text.strip()])
def test_the_text_of_an_atom_means_the_atom(text: str, expected: list[bool | None]) -> None:
    assert len(expected) == FRAME.height
    for atom in parse(text).atoms:
        again = FRAME.select(parse(atom.text).expr.alias("again"))["again"]
        assert again.equals(FRAME.select(atom.expr.alias("atom"))["atom"])


def test_each_row_is_judged_by_itself() -> None:
    conditions = [parse(text) for text, _ in GOOD]
    whole = FRAME.select(each.expr.alias(str(number)) for number, each in enumerate(conditions)).rows()
    for row in range(FRAME.height):
        one = FRAME.slice(row, 1)
        assert one.select(each.expr.alias(str(n)) for n, each in enumerate(conditions)).rows() == [whole[row]]


@pytest.mark.parametrize(("text", "expected"), [*GOOD, ("'2017-01-01T00:00:00Z' < now", [YES, YES, YES])])
def test_columns_of_one_value_give_as_many_rows(text: str, expected: list[bool | None]) -> None:
    condition = parse(text)
    for row, answer in enumerate(expected):
        values = [pl.lit(FRAME[name][row], dtype=dtype).alias(name) for name, dtype in FRAME.schema.items()]
        frame = pl.DataFrame({"id": [1, 2, 3]}).with_columns(values)
        assert frame.select(condition.expr.alias("truth"))["truth"].to_list() == [answer] * 3
        for atom in condition.atoms:
            assert frame.select(atom.expr.alias("truth")).height == 3


def test_the_examples_of_the_documentation_hold() -> None:
    page = (Path(__file__).parent.parent / "docs/reference/conditions.md").read_text(encoding="utf-8")
    examples = [line for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert len(examples) >= 5
    assert all(truth(line)[0] for line in examples)
    said = re.findall(r"```text\ncampaign 'lapse', audience: (.*?)\n```", page)
    assert [message for _, message in BAD if message in said]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", set()),
        ("TRUE", set()),
        ("zzz > 1 AND NOT (x IN (1, 2) OR s LIKE 'trust%')", {"zzz", "x", "s"}),
        ("coalesce(x, 0) < now - last_order_at AND stage >= 'client'", {"x", "last_order_at", "stage"}),
        ("\"between\" = 'it''s x' AND y IS NOT NULL  -- and trust", {"between", "y"}),
    ],
)
def test_the_columns_of_a_condition_are_named_without_knowing_them(text: str, named: set[str]) -> None:
    assert columns_named(text, where=WHERE) == named


def test_what_does_not_parse_names_no_columns() -> None:
    with pytest.raises(ConfigurationError, match="campaign 'lapse', audience: the condition does not parse"):
        columns_named("x >", where=WHERE)


def test_the_parser_is_not_loaded_before_there_is_something_to_parse() -> None:
    modules = "relationship_core.conditions, relationship_core.crossing"
    code = f"import sys, {modules}; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


LETTERS = st.text(alphabet="aB%_é!\\'. \n", max_size=4)
NUMBERS = st.sampled_from(["0", "1", "2", "7", "0.5", "1.25", "10", "1e2"])


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def numeric(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("-({})".format, inner),
        st.builds("coalesce({}, {})".format, inner, inner),
    )


NUMERIC = st.recursive(st.one_of(st.sampled_from(["x", "y", "n", "k"]), NUMBERS), numeric, max_leaves=4)
TEXTUAL = st.one_of(
    st.sampled_from(["s", "t"]),
    st.builds(quoted, LETTERS),
    st.builds("coalesce(s, t, {})".format, LETTERS.map(quoted)),
)
COMPARISON = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
ATOM = st.one_of(
    st.builds("{} {} {}".format, NUMERIC, COMPARISON, NUMERIC),
    st.builds("{} {} {}".format, TEXTUAL, COMPARISON, TEXTUAL),
    st.builds("{} BETWEEN {} AND {}".format, NUMERIC, NUMERIC, NUMERIC),
    st.builds("{} NOT BETWEEN {} AND {}".format, NUMERIC, NUMERIC, NUMERIC),
    st.builds("{} IN ({}, {}, -{})".format, NUMERIC, NUMBERS, NUMBERS, NUMBERS),
    st.builds("{} NOT IN ({}, {})".format, st.sampled_from("st"), LETTERS.map(quoted), LETTERS.map(quoted)),
    st.builds("{} IS NULL".format, NUMERIC),
    st.builds("{} IS NOT NULL".format, TEXTUAL),
    st.builds("{} LIKE {}".format, st.sampled_from("st"), LETTERS.map(quoted)),
    st.builds("{} NOT LIKE {}".format, st.sampled_from("st"), LETTERS.map(quoted)),
    st.sampled_from(["b", "c", "b = c", "b <> TRUE", "coalesce(b, FALSE)", "s LIKE '%!%a!_%' ESCAPE '!'"]),
)
CONDITION = st.recursive(
    ATOM,
    lambda inner: st.one_of(
        st.builds("{} AND {}".format, inner, inner),
        st.builds("{} OR {}".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT {}".format, inner),
        st.builds("NOT ({})".format, inner),
        st.builds("({}) = ({})".format, inner, inner),
    ),
    max_leaves=5,
)
REAL = st.one_of(
    st.none(),
    st.sampled_from([0.0, -0.0, 1.0, 0.5, -2.0, math.nan]),
    st.floats(-1e6, 1e6, allow_subnormal=False),
)
WHOLE = st.one_of(st.none(), st.integers(-3, 12))
ROWS = st.lists(
    st.tuples(
        REAL,
        REAL,
        WHOLE,
        WHOLE,
        st.none() | LETTERS,
        st.none() | LETTERS,
        st.none() | st.booleans(),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
JUDGED: dict[str, pl.DataType] = {
    "x": pl.Float64(),
    "y": pl.Float64(),
    "n": pl.Int64(),
    "k": pl.Int16(),
    "s": pl.String(),
    "t": pl.String(),
    "b": pl.Boolean(),
    "c": pl.Boolean(),
}


def judge(text: str, rows: list[tuple[object, ...]]) -> list[bool | None]:
    """SQLite's answer. It divides integers without a rest, so that every number is made a real one."""
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA case_sensitive_like = ON")
    database.execute("CREATE TABLE customers (x REAL, y REAL, n REAL, k REAL, s TEXT, t TEXT, b INTEGER, c INTEGER)")
    database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    real = re.sub(r"(?<![\w.])(\d+)(?![\w.])", r"\1.0", text)
    answers = [answer for (answer,) in database.execute(f"SELECT ({real}) FROM customers ORDER BY rowid")]  # noqa: S608  made by this test
    database.close()
    return [None if answer is None else bool(answer) for answer in answers]


@given(text=CONDITION, rows=ROWS)
def test_sqlite_agrees(text: str, rows: list[tuple[object, ...]]) -> None:
    condition = parse_condition(text, JUDGED, where=WHERE)
    frame = pl.DataFrame(rows, schema=JUDGED, orient="row")
    assert frame.select(condition.expr.alias("truth"))["truth"].to_list() == judge(text, rows)


@given(text=st.text(alphabet="xn 1.5'\"()<>=+-*/,;%_ANDORNOTINLIKEBETWEENnull\\\n", max_size=60))
def test_any_text_is_a_condition_or_a_configuration_error(text: str) -> None:
    try:
        condition = parse_condition(text, JUDGED, where=WHERE)
    except ConfigurationError:
        return
    frame = pl.DataFrame([[None] * 8] * 3, schema=JUDGED, orient="row")
    assert frame.select(condition.expr.alias("truth"))["truth"].len() == 3
