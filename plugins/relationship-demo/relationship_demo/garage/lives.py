"""The kinds of lives that are planted: how often somebody comes, what they tell us, and how we treat them.

A life is a set of frequencies, not a script: what happens is drawn, so that an advocate complains now and then,
and a promise is kept now and then to somebody who stays only because the lease says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen


@frozen(kw_only=True)
class Life:
    """How a relationship goes. What is a share lies between 0 and 1; what is a rate is per year.

    Attributes:
        name: the label of the truth.
        visits: visits with an order, a year.
        promises: share of visits at which we promise a time.
        kept: share of promises that we keep.
        inquiries: share of visits that begin with a question.
        answered: share of questions and complaints that are answered in time.
        praise: share of visits that are praised.
        complaints: share of visits that are complained about.
        severe: share of complaints that are severe.
        resolved: share of complaints that are put right in time.
        returns: share of visits of which something comes back.
        errors: share of visits that are billed wrongly, to their harm.
        favours: share of visits after which we ask for an opinion, a review or a recommendation.
        obliging: share of favours that are done.
        nps: the lowest and the highest answer to "would you recommend us", 0 to 10.
        reviews: public recommendations a year that nobody asked for.
        referrals: recommendations to a friend, a year.
        converted: share of these friends who come.
        feedback: hints for us, a year.
        cocreations: days on which they make or test something with us, a year.
        plans: plans that they make with us for both, a year.
        gifts: what we give them, a year.
        helps: how often we help beyond what is owed, a year.
        causes: acts for a cause of theirs and ours, a year.
        goals: goals that they tell us, a year.
        is_bound: whether a contract keeps them.
    """

    name: str
    visits: float = 5.0
    promises: float = 0.6
    kept: float = 0.9
    inquiries: float = 0.3
    answered: float = 0.9
    praise: float = 0.1
    complaints: float = 0.05
    severe: float = 0.1
    resolved: float = 0.8
    returns: float = 0.02
    errors: float = 0.0
    favours: float = 0.3
    obliging: float = 0.4
    nps: tuple[int, int] = (6, 10)
    reviews: float = 0.0
    referrals: float = 0.0
    converted: float = 0.5
    feedback: float = 0.1
    cocreations: float = 0.0
    plans: float = 0.0
    gifts: float = 0.3
    helps: float = 0.3
    causes: float = 0.1
    goals: float = 0.2
    is_bound: bool = False


REGULAR = Life(name="regular")
"""Comes, is content, and says little about it; nothing is claimed of them."""

ADVOCATE = Life(
    name="advocate",
    visits=6.0,
    promises=0.8,
    kept=0.96,
    answered=0.97,
    praise=0.5,
    resolved=0.95,
    favours=0.5,
    obliging=0.8,
    nps=(9, 10),
    reviews=1.0,
    referrals=1.5,
    converted=0.8,
    feedback=0.6,
    gifts=1.0,
    helps=1.0,
    causes=0.8,
    goals=0.6,
)
"""Likes us, comes to us, and has brought others or said so in public: true loyalty."""

PARTNER = evolve(ADVOCATE, name="partner", cocreations=5.0, causes=1.5, helps=2.0)
"""An advocate who makes things together with us."""

LATENT = Life(
    name="latent",
    visits=1.2,
    promises=1.0,
    kept=0.98,
    inquiries=1.0,
    answered=0.98,
    praise=0.9,
    complaints=0.0,
    favours=0.9,
    obliging=0.8,
    nps=(9, 10),
    feedback=1.0,
    gifts=0.5,
    helps=1.0,
    causes=1.0,
    goals=0.6,
)
"""Likes us and hardly ever needs us."""

HABIT = Life(
    name="spurious",
    visits=7.0,
    promises=0.0,
    inquiries=0.05,
    answered=0.5,
    praise=0.0,
    complaints=0.02,
    resolved=0.2,
    favours=0.3,
    obliging=0.15,
    nps=(5, 8),
    feedback=0.0,
    gifts=0.1,
    helps=0.0,
    causes=0.0,
    goals=0.0,
)
"""Comes often because we are round the corner; there is no good evidence of anything else."""

NEGLECTED = Life(
    name="spurious",
    visits=8.0,
    promises=0.4,
    kept=0.5,
    inquiries=0.2,
    answered=0.3,
    praise=0.0,
    complaints=0.35,
    severe=0.2,
    resolved=0.0,
    returns=0.08,
    errors=0.05,
    favours=0.3,
    obliging=0.3,
    nps=(2, 7),
    feedback=0.2,
    gifts=0.3,
    helps=0.1,
    causes=0.0,
    goals=0.0,
    is_bound=True,
)
"""Comes often because a lease says so, and is treated badly; complaints stay unresolved."""

BROKEN = evolve(REGULAR, name="broken", visits=6.0, promises=0.9, kept=0.97, answered=0.95, praise=0.2)
"""Is treated well until we break our word to them; the instant is part of the truth."""

AFTER_THE_BREAK = evolve(
    BROKEN, visits=2.0, promises=0.2, praise=0.0, favours=0.2, obliging=0.1, nps=(1, 5), gifts=0.0, helps=0.0
)
"""How such a life goes on."""

LAPSED = evolve(REGULAR, name="lapsed", visits=5.5)
"""A regular who stays away from some day on."""

NEWCOMER = evolve(REGULAR, name="newcomer", visits=4.0)
"""A regular who comes for the first time in the last months."""

PRIVATE: Mapping[Life, int] = {
    ADVOCATE: 60,
    PARTNER: 15,
    LATENT: 80,
    HABIT: 50,
    NEGLECTED: 40,
    BROKEN: 50,
    LAPSED: 80,
    NEWCOMER: 60,
    REGULAR: 165,
}
"""How many private customers live each life: 600 in all."""

FIRMS: Mapping[Life, int] = {
    evolve(ADVOCATE, visits=16.0, cocreations=0.3, plans=0.7): 12,
    evolve(NEGLECTED, visits=18.0): 10,
    evolve(BROKEN, visits=14.0): 6,
    evolve(REGULAR, visits=12.0): 12,
}
"""How many firms live each life: 40 in all."""

MEANINGS: Mapping[str, str] = {
    "advocate": "likes us, comes, and brings others",
    "partner": "an advocate who makes things with us",
    "latent": "likes us and hardly ever needs us",
    "spurious": "comes by habit or contract; treated badly, or nothing good to tell",
    "broken": "content until we broke our word",
    "lapsed": "stays away from some day on",
    "newcomer": "came in the last months",
    "regular": "content, says little; nothing is claimed",
}
"""The labels of the truth in words."""
