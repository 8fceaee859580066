"""Wrong use and bad luck: one sentence on standard error, the right exit status, nothing on standard output."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from relationship_core import MESSAGES, RelationshipError, Relationships

Relate = Callable[..., Result]


@pytest.fixture
def shop(tmp_path: Path, relate: Relate) -> Path:
    assert relate("init").exit_code == 0
    file = tmp_path / "customers.csv"
    file.write_text("customer,name\nada,Ada Example\n")
    assert relate("import", "customers", file).exit_code == 0
    return tmp_path / "shop"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("custmer", "ada"), "there is no command 'custmer'; did you mean 'customer'?"),
        (("xyzzy",), "there is no command 'xyzzy'"),
        (("run", "--as-of", "yesterday"), "'yesterday' is not an ISO instant such as 2017-03-01T09:00:00Z"),
        (("run", "--as-of", "2024-01-01T00:00:00"), "has no zone"),
        (("customer",), "Missing argument 'ID'"),
        (("customer", "ada", "--entries", "-1"), "-1"),
        (("import", "orders", "x.csv"), "'orders'"),
        (("import", "customers", "no-such-file.csv"), "does not exist"),
        (("import", "customers", __file__, "--column", "name"), "'name' must be OURS=THEIRS"),
        (("import", "customers", __file__, "--column", "name=a", "--column", "name=b"), "named twice"),
        (("run", "--as_of", "x"), "No such option"),
    ],
)
def test_wrong_use_is_told_with_status_2(relate: Relate, arguments: tuple[str, ...], sentence: str) -> None:
    told = relate(*arguments)
    assert told.exit_code == 2
    assert sentence in told.stderr
    assert told.stdout == ""


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("customer", "eve"), "there is no customer 'eve'"),
        (("explain", "ada", "thank-yu"), "did you mean 'thank-you'?"),
        (("preview", "thank-yu"), "did you mean 'thank-you'?"),
        (("import", "customers", "{file}", "--column", "nme=name"), "did you mean 'name'?"),
        (("import", "interactions", "{file}", "--kind", "ordr"), "did you mean 'order'?"),
        (("import", "interactions", "{file}", "--zone", "Europe/Berln"), "Berlin"),
        (("init",), "exists"),
        (("report", "--html", "/proc/none/report.html"), "cannot write"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_fails_is_told_in_one_sentence_with_status_1(
    tmp_path: Path, relate: Relate, *, arguments: tuple[str, ...], sentence: str, as_json: bool
) -> None:
    file = str(tmp_path / "customers.csv")
    told = relate(*(part.replace("{file}", file) for part in arguments), *(["--json"] if as_json else []))
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: ")
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1
    assert told.stdout == ""


@pytest.mark.parametrize(("name", "value"), [("currency", "Euro"), ("zone", "Europe/Berln")])
def test_init_refuses_settings_that_would_be_wrong(tmp_path: Path, relate: Relate, name: str, value: str) -> None:
    told = relate("init", f"--{name}", value)
    assert told.exit_code == 1
    assert value in told.stderr
    assert not (tmp_path / "shop").exists()


def test_a_folder_without_a_project_says_how_to_make_one(relate: Relate) -> None:
    for command in ("run", "report", "ladder", "doctor"):
        told = relate(command)
        assert told.exit_code == 1
        assert "relate init" in told.output


def test_every_mistake_of_a_configuration_is_told(shop: Path, relate: Relate) -> None:
    (shop / "relationship.toml").write_text('[project]\ncurency = "EUR"\nzone = 3\n')
    told = relate("run")
    assert told.exit_code == 1
    assert "did you mean 'currency'?" in told.stderr
    assert "zone" in told.stderr


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("facts.order_day", "did you mean 'order_days'?"),
        ("foo", "there is no 'foo'"),
        ("customer.phone", "customer has no 'phone'"),
    ],
)
def test_a_variable_that_nobody_has_is_told_before_anything_is_queued(
    shop: Path, relate: Relate, wrong: str, sentence: str
) -> None:
    campaign = shop / "campaigns" / "thank-you.toml"
    campaign.write_text(campaign.read_text().replace("customer.name", wrong))
    for command in ("doctor", "run", "preview"):
        told = relate(command, *(["thank-you"] if command == "preview" else []))
        assert told.exit_code == 1, command
        assert command == "preview" or sentence in told.output
    with Relationships.open(shop) as project:
        assert project.store.read(MESSAGES).is_empty()


class Breaks:
    """Stands for a step of the face that raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, *_: object, **__: object) -> None:
        raise self.error


@pytest.mark.usefixtures("shop")
def test_a_defect_is_told_without_its_words_and_with_them_for_debugging(
    relate: Relate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Relationships, "run", Breaks(ZeroDivisionError("ada@example.com")))
    told = relate("run")
    assert told.exit_code == 1
    assert told.stderr == "Error: `relate run` failed with ZeroDivisionError; run it again with --debug to see where\n"
    for debugging in (relate("run", "--debug"), relate("--debug", "run")):
        assert debugging.exit_code == 1
        assert "Traceback" in debugging.stderr
        assert debugging.stderr.endswith("Error: `relate run` failed with ZeroDivisionError\n")


@pytest.mark.usefixtures("shop")
def test_an_error_on_purpose_has_a_traceback_only_for_debugging(
    relate: Relate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Relationships, "report", Breaks(RelationshipError("the disk is full; make room")))
    assert relate("report").stderr == "Error: the disk is full; make room\n"
    assert "Traceback" in relate("report", "--debug").stderr


@pytest.mark.usefixtures("shop")
def test_ctrl_c_says_that_nothing_is_lost_and_how_to_go_on(relate: Relate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relationships, "run", Breaks(KeyboardInterrupt()))
    told = relate("run")
    assert told.exit_code == 130
    assert told.stderr == "Error: interrupted; what was done is kept, and `relate run` goes on from there\n"
    assert told.stdout == ""


@pytest.mark.usefixtures("shop")
def test_warnings_of_the_package_are_lines_without_traceback(relate: Relate, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(_: Relationships, **_more: object) -> None:
        logger = logging.getLogger("relationship_core.flow")
        logger.info("not worth a line")
        try:
            raise ValueError("ada@example.com")  # noqa: TRY301  a record with a traceback is what is wanted
        except ValueError:
            logger.warning("a channel failed", exc_info=True)
        raise RelationshipError("that is all")

    monkeypatch.setattr(Relationships, "ladder", warn)
    assert relate("ladder").stderr == "WARNING: a channel failed\nError: that is all\n"
    assert logging.getLogger("relationship_core").handlers == []


def test_a_reader_that_goes_away_is_no_error(shop: Path) -> None:
    command = [sys.executable, "-m", "relationship_core", "--project", str(shop), "customer", "ada", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_console_that_knows_only_ascii_is_spoken_to_in_ascii(shop: Path) -> None:
    (shop / "more.csv").write_text("customer,name\neve,Zoë Example\n", encoding="utf-8")
    command = [sys.executable, "-m", "relationship_core", "--project", str(shop)]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PATH": ""}
    for arguments in (
        ("import", "customers", str(shop / "more.csv")),
        ("customer", "eve"),
        ("explain", "eve"),
        ("report",),
    ):
        told = subprocess.run([*command, *arguments], capture_output=True, env=environment, check=True)
        assert told.stdout.isascii()
    told = subprocess.run([*command, "customer", "eve", "--json"], capture_output=True, env=environment, check=True)
    assert b"Zo\\u00eb" in told.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
@pytest.mark.parametrize("arguments", [("report",), ("customer", "ada", "--json"), ("--help",), ("run", "--help")])
def test_output_that_cannot_be_written_is_told(shop: Path, arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "relationship_core", "--project", str(shop), *arguments]
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert told.returncode == 1
    assert told.stderr == b"Error: the output could not be written: no space left\n"


def test_an_argument_that_is_not_utf_8_is_told(shop: Path) -> None:
    words = (sys.executable, "-m", "relationship_core", "--project", str(shop), "customer")
    command = [*(word.encode() for word in words), b"\xff"]
    told = subprocess.run(command, capture_output=True, check=False)
    assert told.returncode == 2
    assert told.stderr.endswith(b"Error: an argument is not UTF-8; write it in UTF-8\n")
    assert told.stdout == b""
