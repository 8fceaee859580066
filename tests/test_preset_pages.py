"""The page about importing names every preset as it is declared."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relationship_core import Preset, PresetPart
from relationship_core.builtin.presets import relationship_import_presets

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "importing.md"
PRESETS = {preset.name: preset for preset in relationship_import_presets()}


def names(values: tuple[str | tuple[str, ...], ...]) -> str:
    return ", else ".join(
        f"`{each}`" if isinstance(each, str) else " and ".join(f"`{part}`" for part in each) for each in values
    )


def rows(part: PresetPart) -> Iterator[str]:
    for our, theirs in part.columns.items():
        yield f"| {part.name} | `{our}` | {names(theirs)} |"
    for our, theirs in part.lines.items():
        yield f"| {part.name} | {our} of a line | {names(theirs)} |"
    for our, value in part.given.items():
        yield f"| {part.name} | `{our}` | always {value} |"
    for rule in part.left_out:
        held = ", ".join(f"`{value}`" for value in rule.values)
        yield f"| {part.name} | left out: {rule.reason} | `{rule.column}` is {held} |"


def section(preset: Preset) -> str:
    head = f"### {preset.name}\n\n{preset.summary}\n\n| part | our column | read from |\n|---|---|---|\n"
    return head + "".join(f"{row}\n" for part in preset.parts for row in rows(part))


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_has_every_preset_as_it_is_declared(name: str) -> None:
    assert section(PRESETS[name]) in PAGE.read_text(encoding="utf-8")


def test_the_page_has_no_other_preset() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("\n## Presets\n")[2].partition("\n## ")[0]
    assert [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")] == list(PRESETS)
