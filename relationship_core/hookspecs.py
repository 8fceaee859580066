"""Every hook, on one page. A plugin implements some of them and marks each with ``@hookimpl``.

Hooks declare; they never work. A declaring hook returns records; the core looks an object up by name
and calls it directly, so that a failing plugin has a name, a place and a limit.
A declaring hook returns a tuple or a list. An implementation takes the arguments shown, or fewer of them, by
these names and without defaults; wrappers and orders of calling are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click
    import polars as pl

    from relationship_core.declarations import CaseMeasure, KeyedMeasure, Measure, Policy, ScoringRule
    from relationship_core.model.interaction import Interaction, InteractionKind
    from relationship_core.model.message import Receipt
    from relationship_core.model.relationship import Ladder, Transition
    from relationship_core.parameters import Calibration, Parameter, TableCalibration
    from relationship_core.ports import Channel, Executor, Receiver, Renderer, Store
    from relationship_core.presets import Preset
    from relationship_core.providers import Provider

PROJECT = "relationship_core"
"""The pluggy project, and the entry point group that plugins register in."""

HOOK_VERSION = 1
"""The version of hooks, ports and records that this release has.

A plugin for version 1 registers in the group ``relationship_core``, one for a later version N in
``relationship_core.vN``; a distribution may do both, and each release takes what is for it.
"""

DEPRECATED: Mapping[str, str] = {}
"""Hooks that will go with the next version, each with what to use instead, as a sentence goes on: ``use ...``."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks an implementation of a hook: a decorator."""


@hookspec
def relationship_stores() -> Sequence[Provider[Store]]:
    """Storage backends, for ``[store] use = "name"``."""


@hookspec
def relationship_channels() -> Sequence[Provider[Channel]]:
    """Delivery channels, for ``[channels.<instance>] use = "name"``."""


@hookspec
def relationship_receivers() -> Sequence[Provider[Receiver]]:
    """What understands the reports of providers, forms and mailboxes, for ``[receivers.<instance>] use = "name"``."""


@hookspec
def relationship_renderers() -> Sequence[Provider[Renderer]]:
    """Template languages, for ``[renderer] use = "name"``."""


@hookspec
def relationship_executors() -> Sequence[Provider[Executor]]:
    """What reviews and plans pages of customers on several processes or machines, for ``[executor] use = "name"``."""


@hookspec
def relationship_interaction_kinds() -> Sequence[InteractionKind]:
    """Kinds of interaction beside the standard ones."""


@hookspec
def relationship_import_presets() -> Sequence[Preset]:
    """How exports of other systems are read, for ``relate import --preset NAME``."""


@hookspec
def relationship_parameters() -> Sequence[Parameter]:
    """Numbers that measures, scores, ladders and calibrations are declared with, for ``[parameters]``."""


@hookspec
def relationship_measures(
    parameters: Mapping[str, float], tables: Mapping[str, pl.DataFrame]
) -> Sequence[Measure | KeyedMeasure | CaseMeasure]:
    """Numbers kept up to date by interactions; each is a column in conditions and scoring rules.

    ``parameters`` holds the value in force of every declared parameter, by name; it is read-only. ``tables`` holds
    every table that was fitted, by the name of its calibration; one that never was is not there.
    """


@hookspec
def relationship_scores(parameters: Mapping[str, float]) -> Sequence[ScoringRule]:
    """Scoring rules over measures and earlier scores; ``parameters`` as for measures."""


@hookspec
def relationship_ladders(parameters: Mapping[str, float]) -> Sequence[Ladder]:
    """Ladders of stages, for ``[ladder] use = "name"``; ``parameters`` as for measures."""


@hookspec
def relationship_calibrations(parameters: Mapping[str, float]) -> Sequence[Calibration | TableCalibration]:
    """Ways to fit parameters and tables to the customers there are, for ``relate calibrate``.

    ``parameters`` as for measures.
    """


@hookspec
def relationship_policies() -> Sequence[Policy]:
    """Reasons not to engage, or not yet; every policy of every installed plugin holds, and it can only narrow."""


@hookspec
def relationship_recorded(interactions: Sequence[Interaction]) -> None:
    """Announces interactions that were new, batch by batch, after they were committed.

    Each names its customer by the id that was reported, as history keeps it. Where that id was merged,
    ``Relationships.identities.show`` tells whose it is now.
    """


@hookspec
def relationship_stage_changed(transitions: Sequence[Transition]) -> None:
    """Announces moves on the ladder, page by page, after they were committed."""


@hookspec
def relationship_delivered(receipts: Sequence[Receipt]) -> None:
    """Announces what channels answered, batch by batch, after it was committed."""


@hookspec
def relationship_commands(cli: click.Group) -> None:
    """Add commands to ``relate``: call ``cli.add_command`` with commands whose imports are late."""
