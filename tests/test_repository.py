"""What holds for the repository as a whole."""

import os
import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import relationship_core

CHECKOUT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    *("relationship_core", "plugins", "docs", "tests", "pyproject.toml", "tox.ini", "README.md"),
    *("LICENSE", "CHANGELOG.md", "changelog.d"),
}
LONGEST_MODULE = 400
EXCEPTION = re.compile(r"#\s*(noqa\b(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?|type:\s*ignore(\[[^]]*\])?)(?P<reason>.*)")


def text_of(path: str) -> str:
    return (CHECKOUT / path).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(text_of("pyproject.toml"))


def repository_files() -> list[str]:
    """List what is committed and what could be; a file that git ignores belongs to nobody."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return [path for path in listing.split("\0") if path and (CHECKOUT / path).exists()]


def readme_commands() -> list[str]:
    return [line for line in text_of("README.md").splitlines() if line.startswith("python3 -m venv ")]


def is_of_a_plugin(path: str) -> bool:
    return re.fullmatch(r"plugins/[^/]+/pyproject\.toml", path) is not None


def without_comment(source: str, entries: list[str]) -> list[str]:
    """List the entries that no line of the source holds with a comment behind them."""
    lines = source.splitlines()
    return [
        entry
        for entry in entries
        if not any(re.match(rf'\s*(".*" = \[)?"{re.escape(entry)}",\s+# \w', line) for line in lines)
    ]


def lines_over(longest: int, files: list[Path]) -> dict[str, int]:
    lengths = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    return {name: length for name, length in lengths.items() if length > longest}


def unexplained_exceptions(source: str) -> list[str]:
    """List the lines that silence ruff or mypy without saying why behind it."""
    found = ((line, EXCEPTION.search(line)) for line in source.splitlines())
    return [line for line, exception in found if exception and not re.search(r"\w\w", exception["reason"])]


def test_the_top_level_is_the_agreed_one() -> None:
    found = {path.split("/")[0] for path in repository_files()}
    assert {name for name in found if not name.startswith(".")} == TOP_LEVEL


def test_the_readme_has_two_commands_of_one_line() -> None:
    demo, test = readme_commands()
    assert demo.endswith("relate demo")
    assert test.endswith("tox")


def test_what_runs_before_a_change_lands_is_the_test_command_of_the_readme() -> None:
    test = readme_commands()[-1]
    assert test in text_of(".ci/run").splitlines()


def test_every_dependency_says_why() -> None:
    silent = {}
    for path in ("pyproject.toml", *(path for path in repository_files() if is_of_a_plugin(path))):
        project = tomllib.loads(text_of(path))["project"]
        needs = [*project["dependencies"], *chain(*project.get("optional-dependencies", {}).values())]
        silent[path] = without_comment(text_of(path), needs)
    assert not any(silent.values()), silent


def test_every_rule_that_is_ignored_says_why() -> None:
    lint = pyproject()["tool"]["ruff"]["lint"]
    rules = [*lint["ignore"], *chain(*lint["per-file-ignores"].values())]
    assert without_comment(text_of("pyproject.toml"), rules) == []


def test_an_entry_without_its_reason_is_found() -> None:
    source = '    "attrs>=1",  # the nouns\n    "click>=8",\n'
    assert without_comment(source, ["attrs>=1", "click>=8"]) == ["click>=8"]


def test_every_exception_in_the_code_says_why() -> None:
    silent = {
        path: lines
        for path in repository_files()
        if path.endswith(".py") and (lines := unexplained_exceptions(text_of(path)))
    }
    assert silent == {}


@pytest.mark.parametrize(
    ("comment", "is_explained"),
    [
        ("no" + "qa: S608", False),
        ("no" + "qa: S608, E501", False),
        ("no" + "qa: S608  the table name is a constant", True),
        ("type: " + "ignore[misc]", False),
        ("type: " + "ignore[misc]  # the library has no types", True),
    ],
)
def test_an_exception_without_its_reason_is_found(comment: str, is_explained: bool) -> None:
    assert bool(unexplained_exceptions(f"x = 1  # {comment}")) is not is_explained


def test_no_module_has_two_subjects() -> None:
    paths = [path for path in repository_files() if path.startswith(("relationship_core/", "plugins/"))]
    assert lines_over(LONGEST_MODULE, [CHECKOUT / path for path in paths if path.endswith(".py")]) == {}


def test_a_long_module_is_found(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text("x = 1\n" * (LONGEST_MODULE + 1), encoding="utf-8")
    assert lines_over(LONGEST_MODULE, [file]) == {str(file): LONGEST_MODULE + 1}


def section(name: str) -> str:
    return text_of("tox.ini").partition(f"\n[{name}]\n")[2].partition("\n[")[0]


def distributions() -> list[dict[str, Any]]:
    """What pyproject.toml says: of the package, of each plugin, and of each template of a plugin."""
    files = ["pyproject.toml", *(path for path in repository_files() if re.search(r"/[^/]+/pyproject\.toml$", path))]
    return [tomllib.loads(text_of(path)) for path in files]


def test_the_oldest_dependencies_are_those_that_are_promised() -> None:
    """Packages of types alone are left out: nothing runs with them."""
    promised = set(re.findall(r"^    (\S+>=\S+)$", section("examples"), flags=re.MULTILINE))
    for said in map(tomllib.loads, map(text_of, ["pyproject.toml", *filter(is_of_a_plugin, repository_files())])):
        project = said["project"]
        testing = project.get("optional-dependencies", {}).get("testing", [])
        promised |= {*said["build-system"]["requires"], *project["dependencies"], *testing}
    foreign = {need.partition(";")[0] for need in promised if not need.startswith(("relationship-", "types-"))}
    tried = re.findall(r"^    (\S+==\S+)$", section("testenv:oldest"), flags=re.MULTILINE)
    assert sorted(tried) == sorted(need.replace(">=", "==") for need in foreign)


def test_the_oldest_python_is_the_same_everywhere() -> None:
    said = pyproject()
    least = said["project"]["requires-python"].removeprefix(">=")
    assert {each["project"]["requires-python"] for each in distributions()} == {f">={least}"}
    assert said["tool"]["mypy"]["python_version"] == least
    assert said["tool"]["ruff"]["target-version"] == f"py{least.replace('.', '')}"
    for page in ("README.md", "docs/tutorial/the-demo.md"):
        assert f"Python {least} or newer" in text_of(page)
    workflow = text_of("relationship_core/templates/shared/.github/workflows/test.yml")
    assert f'python: ["{least}", ' in workflow
    # A classifier of one version would be one more place that says it.
    classifiers = chain.from_iterable(each["project"].get("classifiers", []) for each in distributions())
    assert {each for each in classifiers if "Python ::" in each} == {"Programming Language :: Python :: 3"}


def test_every_environment_that_is_based_on_another_installs_the_wheel_as_well() -> None:
    """What tox reads of a base is what stands there, and not what that is based on."""
    bases = re.findall(r"^base = (.+)$", text_of("tox.ini"), flags=re.MULTILINE)
    assert bases
    assert [each for each in bases if not each.endswith(", testenv")] == []


# Outside tox a developer may well have the checkout installed, to try a change at once.
@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="only tox promises to test the built wheel")
def test_the_wheel_is_tested_and_not_the_checkout() -> None:
    assert not Path(relationship_core.__file__).is_relative_to(CHECKOUT / "relationship_core")
