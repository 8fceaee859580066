"""The policy keeps the contract: it stops whom it should, for as long as it says."""

from datetime import timedelta

from relationship_core.testing.policies import PolicyContract

import relationship_acorn


class TestAcornPolicy(PolicyContract):
    plugin = relationship_acorn
    policy = "acorn"
    stopped = (("order", timedelta(days=60)), ("order", timedelta(days=2, hours=23)))
    free = (("order", timedelta(days=3, hours=1)),)
