"""How long a provider asks to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, strategies as st

from relationship_core import retry_after

ANSWERED = datetime(2025, 3, 18, 9, tzinfo=UTC)


def http(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("999999999", 86_400.0),
        (http(ANSWERED + timedelta(minutes=2)), 120.0),
        (http(ANSWERED - timedelta(hours=1)), 0.0),
        (http(ANSWERED + timedelta(days=9)), 86_400.0),
    ],
)
def test_seconds_and_dates_are_understood(said: str, seconds: float) -> None:
    assert retry_after(said, http(ANSWERED)) == seconds


@pytest.mark.parametrize(
    "said", ["", "soon", "-3", "1e3", "nan", "inf", "\u0667", "9" * 40, "Tue, 99 Mar 2025 09:00:00 GMT"]
)
def test_what_is_not_understood_is_no_wait(said: str) -> None:
    assert retry_after(said, http(ANSWERED)) is None


def test_a_date_counts_from_the_answer_and_from_no_clock() -> None:
    assert retry_after(http(ANSWERED)) is None


@given(said=st.text(max_size=40), date=st.text(max_size=40))
def test_no_header_makes_it_fail(said: str, date: str) -> None:
    assert retry_after(said, date) is None or 0 <= float(retry_after(said, date) or 0) <= 86_400
