"""An import by a preset that is cut short goes on where it stopped, part by part."""

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from relationship_core import CONTACT_POINTS, CUSTOMERS, INTERACTIONS, KeyedMeasure, Measure
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.presets import relationship_import_presets
from relationship_core.flow.progress import Progress
from relationship_core.flow.record.presets import How, import_from
from relationship_core.flow.record.recorder import Recorded, Recorder

MakeRecorder = Callable[..., Recorder]
Measures = Sequence[Measure | KeyedMeasure]
SAMPLES = Path(__file__).resolve().parent / "samples"
PRESETS = {preset.name: preset for preset in relationship_import_presets()}


class CutShortError(Exception):
    """Somebody pulled the plug."""


def kept(recorder: Recorder) -> list[Any]:
    store = recorder.store
    return [sorted(map(str, store.read(table).rows())) for table in (CUSTOMERS, CONTACT_POINTS, INTERACTIONS)]


@pytest.mark.parametrize("name", ["shopify-orders", "woocommerce-orders", "stripe-payments"])
@pytest.mark.parametrize("batches", range(1, 6))
def test_an_import_that_is_cut_short_goes_on(
    make_recorder: MakeRecorder, every_measure: Measures, tmp_path: Path, name: str, batches: int
) -> None:
    def fresh() -> Recorder:
        made = make_recorder(
            MemoryStore(), every_measure, kinds=("order", "return"), clock=lambda: datetime(2024, 4, 1, tzinfo=UTC)
        )
        return evolve(made, batch=1, chunk=2)

    def run(recorder: Recorder, folder: Path, stop: int | None) -> Recorded:
        folder.mkdir(exist_ok=True)
        path = Path(shutil.copy(SAMPLES / f"{name}.csv", folder))
        numbers = count(1)

        def listen(_: Progress) -> None:
            if next(numbers) == stop:
                raise CutShortError

        return import_from(recorder, path, How(preset=PRESETS[name], zone="UTC"), listen)

    whole, cut = fresh(), fresh()
    expected = run(whole, tmp_path / "whole", None)
    with pytest.raises(CutShortError):
        run(cut, tmp_path / "cut", batches)
    got = run(cut, tmp_path / "cut", None)
    assert kept(cut) == kept(whole)
    assert got.left_out == expected.left_out
    for part, did in expected.parts.items():
        assert (got.parts[part].new, got.parts[part].rejected) == (did.new, did.rejected)
        if did.rejects is not None:
            assert (tmp_path / "cut" / did.rejects.name).read_bytes() == did.rejects.read_bytes()
