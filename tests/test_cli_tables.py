"""Tables: no word is broken while there is room for it, however narrow the terminal."""

import re
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given, strategies as st

from relationship_core.cli.show import console, table

Relate = Callable[..., Result]


def shown(width: int, columns: Sequence[str], *rows: Sequence[str]) -> list[str]:
    out = console(file=StringIO(), width=width)
    out.print(table("Title", columns, rows))
    assert isinstance(out.file, StringIO)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_customer_is_shown_without_a_broken_word(
    tmp_path: Path, relate: Relate, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    (tmp_path / "customers.csv").write_text("customer,name,contact.email\nada,Ada Example,ada@example.com\n")
    (tmp_path / "orders.csv").write_text(
        "source,id,customer,kind,at,amount\n"
        + "".join(f"till,{day},ada,order,2024-05-{day:02}T10:00:00Z,1250.50\n" for day in (5, 12, 19, 26))
    )
    assert relate("init").exit_code == 0
    assert relate("import", "customers", tmp_path / "customers.csv").exit_code == 0
    assert relate("import", "interactions", tmp_path / "orders.csv").exit_code == 0
    assert relate("run", "--as-of", "2024-06-01T12:00:00Z").exit_code == 0
    whole = relate("customer", "ada", "--as-of", "2024-06-01T12:00:00Z")
    monkeypatch.setenv("COLUMNS", "400")
    words = set(relate("customer", "ada", "--as-of", "2024-06-01T12:00:00Z").stdout.split())
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = relate("customer", "ada", "--as-of", "2024-06-01T12:00:00Z").stdout
    assert whole.exit_code == 0
    assert max(map(len, narrow.splitlines())) <= width
    drawn = re.compile("[─│▁▂▃▄▅▆▇█·]+")  # rules and plots are as wide as there is room
    assert {word for word in narrow.split() if not drawn.fullmatch(word)} <= words
    assert width < 80 or re.search(r"^2024-05-26 10:00 +order +1,250\.50 EUR +till", narrow, flags=re.MULTILINE)


def test_what_explains_gives_way_before_what_is_explained() -> None:
    columns = ("measure", ">value", "which is")
    lines = shown(48, columns, ("first_interaction_at", "2024-05-05", "The first interaction"), ("orders", "4", "Paid"))
    assert lines[3:] == [
        "first_interaction_at   2024-05-05   The first",
        "                                    interaction",
        "orders                          4   Paid",
    ]


def test_a_word_is_broken_only_where_no_column_has_room() -> None:
    lines = shown(20, ("a", "b"), ("x" * 30, "short words"))
    assert max(map(len, lines)) <= 20
    assert "".join(lines[3:]).count("x") == 30


def test_a_table_without_rows_is_its_head() -> None:
    assert shown(40, ("a", ">b")) == ["Title", "a   b", "─────"]


NAMES = ("one", "two", "three")


@given(
    rows=st.lists(st.tuples(*[st.text("abcdefgh ", max_size=30)] * 3), min_size=1, max_size=4),
    width=st.integers(12, 90),
)
def test_nothing_is_lost_and_words_that_have_room_are_whole(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = shown(width, NAMES, *rows)
    assert max(map(len, lines)) <= width
    words = [word for row in rows for cell in row for word in cell.split()]
    rule = next(place for place, line in enumerate(lines) if line.startswith("─"))
    printed = [word for line in lines[rule + 1 :] for word in line.split()]
    assert sorted("".join(printed)) == sorted("".join(words))
    columns = zip(NAMES, *rows, strict=True)
    if sum(max(len(word) for cell in column for word in (cell.split() or [""])) for column in columns) + 6 <= width:
        assert set(printed) <= set(words)
