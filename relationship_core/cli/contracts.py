"""The contract of an installed plugin: where its tests are, and what comes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname
from xml.etree import ElementTree as ET

from attrs import frozen

from relationship_core import PROJECT, ConfigurationError, InstalledPlugin, load_plugins

_NEEDED = ("pytest", "hypothesis")
_FOLDER = "tests"


@frozen(kw_only=True)
class Outcome:
    """What came of the tests.

    Attributes:
        ok: whether there are any, and none failed.
        counts: how many ``passed``, ``failed`` and were ``skipped``.
    """

    ok: bool
    counts: Mapping[str, int]


def find(name: str) -> InstalledPlugin:
    """An installed plugin, by its name or that of its distribution; hyphens and underscores are one.

    ``relate plugin new carrier-pigeon`` makes a plugin that Python calls ``carrier_pigeon``.

    Raises:
        ConfigurationError: there is none, or it is broken.
    """
    found = load_plugins()
    for each in found.broken:
        if _plain(name) in {_plain(each.name), _plain(each.distribution)}:
            message = f"the plugin {each.name} ({each.distribution} {each.version}) is broken: {each.reason}"
            raise ConfigurationError(message)
    others = [each for each in found.installed if not each.name.startswith("builtin.")]
    named = {known: each for each in others for known in (each.distribution, each.name)}
    written = next((known for known in named if _plain(known) == _plain(name)), name)
    return found.find(named, written, "relate plugins check")


def _plain(name: str) -> str:
    return name.replace("_", "-")


def tests_of(plugin: InstalledPlugin) -> Path:
    """The folder of a plugin's tests: beside its source, or in its package.

    Raises:
        ConfigurationError: it brings none.
    """
    distribution = metadata.distribution(plugin.distribution)
    places = [place for place in (_source(distribution), _package(distribution, plugin.name)) if place]
    for place in places:
        if (place / _FOLDER).is_dir():
            return place / _FOLDER
    message = (
        f"{plugin.distribution} {plugin.version} brings no tests; where its source has some, run pip install -e with "
        "that folder, and check it again"
    )
    raise ConfigurationError(message)


def _source(distribution: metadata.Distribution) -> Path | None:
    """The folder that a distribution was installed from, where it was one."""
    told = json.loads(distribution.read_text("direct_url.json") or "{}")
    parts = urlsplit(told.get("url", ""))
    return Path(url2pathname(unquote(parts.path))) if parts.scheme == "file" and "dir_info" in told else None


def _package(distribution: metadata.Distribution, name: str) -> Path | None:
    """The folder of the package that a plugin is in, as it was installed: another may lie where we stand."""
    for point in distribution.entry_points.select(name=name):
        if point.group.startswith(PROJECT):
            return Path(str(distribution.locate_file(point.module.partition(".")[0])))
    return None


def run(tests: Path, *, shown: bool) -> Outcome:
    """Run the tests of a folder with pytest, in a process of their own.

    Args:
        tests: the folder.
        shown: whether people see what pytest prints.

    Raises:
        ConfigurationError: pytest, or what the contracts need beside it, is not installed.
    """
    missing = [each for each in _NEEDED if find_spec(each) is None]
    if missing:
        message = (
            f"the contract needs {missing[0]}, which is not installed; run pip install 'relationship-core[testing]'"
        )
        raise ConfigurationError(message)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", f"--junitxml={report}")
        done = subprocess.run(  # noqa: S603  this Python, and the tests of a plugin that is installed in it
            [sys.executable, "-P", "-m", "pytest", *options, str(tests)], check=False, capture_output=not shown
        )
        counts = _counted(report) if report.exists() else {"passed": 0, "failed": 0, "skipped": 0}
    return Outcome(ok=done.returncode == 0 and counts["passed"] > 0, counts=counts)


def _counted(report: Path) -> Mapping[str, int]:
    suite = next(ET.parse(report).iter("testsuite"))  # noqa: S314  pytest wrote it just now
    tests, failures, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    return {"passed": tests - failures - errors - skipped, "failed": failures + errors, "skipped": skipped}
