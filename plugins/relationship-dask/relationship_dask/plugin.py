"""What the plugin adds: the executor ``dask``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_dask.settings import DaskSettings

if TYPE_CHECKING:
    from relationship_core import Executor


def _executor(settings: DaskSettings) -> Executor:
    from relationship_dask.executor import DaskExecutor

    return DaskExecutor(settings)


EXECUTOR: Provider[Executor] = Provider(
    name="dask",
    factory=_executor,
    settings=DaskSettings,
    summary="The workers of a Dask cluster review and plan pages at the same time.",
)


@hookimpl
def relationship_executors() -> tuple[Provider[Executor], ...]:
    """The executor ``dask``."""
    return (EXECUTOR,)
