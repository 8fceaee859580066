"""Budgets of campaigns: how many more engagements each of them pays for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping

import polars as pl

from relationship_core.columns import DECISIONS, MESSAGES
from relationship_core.errors import RetriableError
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.message_states import GONE_STATES, WAITING_STATES
from relationship_core.flow.plan.arbitration import BUDGET
from relationship_core.flow.rules import Rules
from relationship_core.flow.united import ties_of
from relationship_core.ports import Store

BUDGETS_FACT = "budgets"
"""Under this name the store keeps which budgets did not pay for everybody in the last plan, and which plan spends."""


def budgets_of(rules: Rules) -> Mapping[str, tuple[int, int]]:
    """Budget and cost of one, for each campaign that has both; what costs nothing needs no budget."""
    campaigns = {trigger.campaign.name: trigger.campaign for trigger in rules.triggers}
    return {
        name: (each.limits.budget, each.cost.money)
        for name, each in campaigns.items()
        if each.limits.budget is not None and each.cost.money
    }


def spent(store: Store, campaigns: Collection[str]) -> Mapping[str, int]:
    """The money of each campaign's messages that wait, went, or may have; the others cost nothing."""
    if not campaigns:
        return {}
    # Of all of them at once: each count goes through the whole outbox.
    where = {"campaign": sorted(campaigns), "state": [*WAITING_STATES, *GONE_STATES]}
    counted = store.count(MESSAGES, ["campaign", "cost"], where=where)
    money = pl.col("cost").fill_null(0) * pl.col("rows").cast(pl.Int64)
    return dict(counted.group_by("campaign").agg(money.sum()).iter_rows())


def rooms_of(store: Store, budgets: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """How many more engagements the budget of each campaign pays for."""
    money = spent(store, budgets.keys())
    return {name: max(0, budget - money.get(name, 0)) // cost for name, (budget, cost) in budgets.items()}


def waiting(store: Store) -> frozenset[str]:
    """The campaigns whose budget did not pay for everybody in the plans until now."""
    return _kept(store)[1]


def freed(store: Store, rooms: Mapping[str, int]) -> frozenset[str]:
    """Those of them whose budget pays for somebody again."""
    return frozenset(name for name in waiting(store) if rooms.get(name))


def mark_those_who_waited(store: Store, rooms: Mapping[str, int]) -> None:
    """Where money has come back, of messages that failed: whom a budget did not pay for is looked at again."""
    for name in freed(store, rooms):
        customers = store.read(DECISIONS, where={"campaign": name, "reason": BUDGET}, columns=["customer"])
        with store.transaction():
            store.mark("plan", ties_of(store).resolved(customers["customer"]).unique().sort())


class Spending:
    """One plan's right to spend: a plan that begins to spend later takes it away."""

    def __init__(self, store: Store) -> None:
        """Take the right; inside the transaction that reads what was spent."""
        self._store = store
        self._sign = secrets.token_hex(8)
        _keep(store, self._sign, waiting(store))

    def refuse_another(self) -> None:
        """Inside the transaction that spends: whether nobody else has begun to.

        Raises:
            RetriableError: another plan has.
        """
        if _kept(self._store)[0] != self._sign:
            message = "another plan has begun to spend the campaigns' budgets; wait for it, then plan again"
            raise RetriableError(message)

    def close(self, full: Collection[str]) -> None:
        """Note which budgets did not pay for everybody; inside a transaction."""
        self.refuse_another()
        _keep(self._store, "", full)


def _kept(store: Store) -> tuple[str, frozenset[str]]:
    text = read_fact(store, BUDGETS_FACT)
    kept = json.loads(text) if text else {"plan": "", "full": []}
    return str(kept["plan"]), frozenset(kept["full"])


def _keep(store: Store, plan: str, full: Collection[str]) -> None:
    write_fact(store, BUDGETS_FACT, json.dumps({"plan": plan, "full": sorted(full)}))
