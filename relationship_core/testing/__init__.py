"""Contracts for the authors of plugins: classes of tests to inherit from. They need pytest and hypothesis."""

import pytest

# So that a failing contract shows its values, as a test of the plugin's own would.
pytest.register_assert_rewrite(
    f"{__name__}.channels",
    f"{__name__}.declarations",
    f"{__name__}.executors",
    f"{__name__}.executor_projects",
    f"{__name__}.pages",
    f"{__name__}.policies",
    f"{__name__}.receivers",
    f"{__name__}.scores",
    f"{__name__}.stores",
    f"{__name__}.store_tables",
    f"{__name__}.store_transactions",
    f"{__name__}.store_history",
    f"{__name__}.store_measures",
    f"{__name__}.store_pages",
)
