"""The score keeps the contract, and is what its formula says."""

from datetime import timedelta

import pytest
from relationship_core import Interaction, Relationships, load_plugins
from relationship_core.testing.scores import NOW, ScoreContract

import relationship_acorn


class TestAcornScore(ScoreContract):
    plugin = relationship_acorn
    kinds = ("order", "return")


@pytest.mark.parametrize(("orders", "returns", "share"), [(0, 0, 0.1), (10, 0, 0.05), (10, 5, 0.3), (0, 1, 2 / 11)])
def test_the_share_is_that_of_the_formula(orders: int, returns: int, share: float) -> None:
    kinds = ["order"] * orders + ["return"] * returns + ["visit"]
    with Relationships(plugins=load_plugins(), clock=lambda: NOW) as shop:
        at = NOW - timedelta(days=1)
        shop.record(
            [
                Interaction(source="test", id=str(number), customer="ada", kind=kind, at=at)
                for number, kind in enumerate(kinds)
            ]
        )
        (score,) = (each for each in shop.customer("ada").scores if each.name == "acorn")
    assert score.value == pytest.approx(share)
    assert score.confidence == pytest.approx(max(orders, returns) / (max(orders, returns) + 10))
