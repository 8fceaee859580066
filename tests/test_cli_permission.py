"""``relate consent``: every command, its document, and files with their rejects."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from relationship_core import Relationships

Relate = Callable[..., Result]
PROOF = ("--method", "form", "--source", "web", "--wording", "v1")
AT = ("--at", "2024-01-01T10:00:00Z")


@pytest.fixture
def shop(relate: Relate, tmp_path: Path) -> Relate:
    """A project with ``ada`` and ``bob``, in which commands must succeed."""

    def run(*arguments: object) -> Result:
        done = relate(*arguments)
        assert done.exit_code == 0, done.output
        return done

    run("init", "--name", "Shop")
    people = tmp_path / "people.csv"
    people.write_text("customer,contact.email\nada,ada@example.com\nbob,bob@example.com\n")
    run("import", "customers", people)
    return run


def document(done: Result) -> Any:
    return json.loads(done.stdout)


def state(shop: Relate, customer: str) -> str:
    (only,) = document(shop("consent", "show", customer, "--json"))["consents"]
    return str(only["state"])


def test_acts_one_after_the_other(shop: Relate) -> None:
    assert state(shop, "ada") == "none"
    done = document(shop("consent", "grant", "ada", "--medium", "email", *PROOF, *AT, "--json"))
    assert (done["new"], done["repeated"]) == (1, 0)
    again = shop("consent", "grant", "ada", "--medium", "email", *PROOF, *AT)
    assert again.stdout == "That was recorded before; nothing was done.\n"
    assert state(shop, "ada") == "granted"
    shop("consent", "withdraw", "ada", "--at", "2024-01-02T10:00:00Z")
    assert state(shop, "ada") == "withdrawn"
    shop("consent", "confirm", "ada", "--medium", "email", *PROOF, "--at", "2024-01-03T10:00:00Z")
    shop("consent", "object", "ada", "--at", "2024-01-04T10:00:00Z")
    assert state(shop, "ada") == "objected"
    shown = shop("consent", "show", "ada").stdout
    assert "objected" in shown
    assert "ada@example.com" in shown


def test_the_proof_holds_every_field_oldest_first(shop: Relate) -> None:
    shop("consent", "withdraw", "ada", "--at", "2024-01-02T10:00:00Z", "--actor", "eve")
    more = ("--topic", "news", "--version", "3", "--jurisdiction", "DE", "--evidence", "form 17", "--actor", "eve")
    ends = ("--expires-at", "2030-01-01T00:00:00Z", "--address", "ada@example.com", "--id", "f-17")
    shop("consent", "grant", "ada", "--medium", "email", *PROOF, *AT, *more, *ends)
    first, second = document(shop("consent", "proof", "ada", "--json"))["acts"]
    assert (first["act"], second["act"]) == ("grant", "withdraw")
    expected = {
        "customer": "ada",
        "id": "f-17",
        "act": "grant",
        "at": "2024-01-01T10:00:00+00:00",
        "medium": "email",
        "topic": "news",
        "basis": "consent",
        "jurisdiction": "DE",
        "wording": "v1",
        "version": "3",
        "method": "form",
        "source": "web",
        "actor": "eve",
        "evidence": "form 17",
        "expires_at": "2030-01-01T00:00:00+00:00",
    }
    assert {name: first[name] for name in expected} == expected
    assert set(first) - set(expected) == {"address_hash", "recorded_at"}
    assert len(first["address_hash"]) == 64
    told = shop("consent", "proof", "ada").stdout
    assert "ada@example.com" not in told, "only the hash is kept"
    for name, value in expected.items():
        assert f"   {name}: {value}\n" in told


def test_wishes_and_suppressions(shop: Relate) -> None:
    shop("consent", "prefer", "ada", "transactional", *AT, "--ask-again-at", "2031-01-01T00:00:00Z")
    shop("consent", "suppress", "email", "ADA@example.com", "--scope", "marketing", "--reason", "complaint")
    view = document(shop("consent", "show", "ada", "--json"))
    assert (view["preference"], view["wish"]) == ("transactional", "transactional")
    assert view["ask_at"] == "2031-01-01T00:00:00+00:00"
    (held,) = view["suppressions"]
    assert (held["scope"], held["reason"], held["lifted_at"]) == ("marketing", "complaint", None)
    lifted = document(
        shop("consent", "suppress", "email", "ada@example.com", "--scope", "marketing", "--lift", "--json")
    )
    assert lifted == {"lifted": 1}


FILES = {
    "consents": (
        (
            "customer,act,at,medium,method,source,wording\n"
            "ada,grant,2024-01-01T10:00:00Z,email,form,web,v1\n"
            "bob,grant,2024-01-01T10:00:00Z,email,form,web,\n"
            # A refusal of somebody unknown is kept since refusals make customers known; permission is not.
            "cleo,grant,2024-01-01T10:00:00Z,email,form,web,v1\n"
            "bob,object,2024-01-01T10:00:00Z,,,,\n"
        ),
        ["there is no proof", "there is no such customer"],
    ),
    "preferences": (
        (
            "customer,wish,at\nada,close,2024-01-01T10:00:00Z\nbob,closer,2024-01-01T10:00:00Z\n"
            "cleo,close,2024-01-01T10:00:00Z\nbob,none,2024-01-01T10:00:00Z\n"
        ),
        ["the wish is not one of", "there is no such customer"],
    ),
    "suppressions": (
        (
            "medium,address,reason,at\nemail,ada@example.com,stop,2024-01-01T10:00:00Z\n"
            "email,x@example.com,boredom,2024-01-01T10:00:00Z\nemial,x@example.com,stop,2024-01-01T10:00:00Z\n"
            "email,x@example.com,stop,2024-01-01T10:00:00Z\n"
        ),
        ["the reason is not one of", "did you mean 'email'"],
    ),
}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("what", FILES)
def test_a_file_is_recorded_once_and_its_rejects_are_told(relate: Relate, tmp_path: Path, what: str) -> None:
    text, reasons = FILES[what]
    file = tmp_path / "said.csv"
    file.write_text(text)
    done = relate("consent", "import", file, "--what", what, "--json")
    assert done.exit_code == 1
    told = document(done)
    assert (told["new"], told["repeated"], told["rejected"]) == (2, 0, 2)
    rejects = (tmp_path / "said.csv.rejects.csv").read_text().splitlines()[1:]
    for line, reason in zip(rejects, reasons, strict=True):
        assert reason in line
    assert document(relate("consent", "import", file, "--what", what, "--json"))["already"]
    renamed = tmp_path / "again.jsonl"
    header, *rows = (line.split(",") for line in text.splitlines())
    renamed.write_text("".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows))
    told = document(relate("consent", "import", renamed, "--what", what, "--json"))
    assert (told["new"], told["repeated"], told["rejected"]) == (0, 2, 2)


def test_a_program_imports_parquet(shop: Relate, tmp_path: Path) -> None:
    import polars as pl

    shop("consent", "show", "ada")
    file = tmp_path / "said.parquet"
    row = {"who": "ada", "act": "withdraw", "at": "2024-01-01 10:00:00", "topic": "news"}
    pl.DataFrame([row]).write_parquet(file)
    with Relationships.open(tmp_path / "shop") as project:
        told = project.permissions.import_file(
            "consents", file, columns={"customer": "who"}, source="crm", zone="Europe/Berlin"
        )
        (act,) = project.permissions.show("ada").acts
    assert (told.new, act.source, act.at.isoformat()) == (1, "crm", "2024-01-01T09:00:00+00:00")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("grant", "ada", "--medium", "email", *PROOF[:4]), "needs its proof"),
        (("grant", "nobody", "--medium", "email", *PROOF), "there is no customer 'nobody'"),
        (("withdraw", "Adda"), "there is no customer 'Adda' in this project; did you mean 'ada'?"),
        (("object", "adda", "--medium", "email"), "did you mean 'ada'?"),
        (("prefer", "boob", "none"), "did you mean 'bob'?"),
        (("suppress", "email", "a@example.com, b@example.com"), "not one address"),
        (("withdraw", "ada", "--medium", "emial"), "did you mean 'email'"),
        (("show", "nobody"), "there is no customer 'nobody'"),
        (("suppress", "email", "new@example.com", "--lift"), "nothing suppresses"),
        (("suppress", "email", "new@example.com", "--scope", "news"), "all, marketing, or topic:"),
    ],
)
def test_what_cannot_be_is_told(shop: Relate, relate: Relate, arguments: tuple[str, ...], told: str) -> None:
    shop("doctor")
    done = relate("consent", *arguments)
    assert done.exit_code == 1
    assert told in done.stderr
    assert "new@example.com" not in done.stderr


@pytest.mark.parametrize("act", ["grant", "confirm"])
def test_permission_cannot_be_recorded_without_what_its_help_requires(shop: Relate, relate: Relate, act: str) -> None:
    shop("doctor")
    needed = ["--medium", "email", *PROOF]
    for place in (0, 2, 4):
        done = relate("consent", act, "ada", *needed[:place], *needed[place + 2 :])
        assert (done.exit_code, needed[place] in done.stderr) == (2, True)
    assert relate("consent", act, "--help").stdout.count("[required]") == 3


def test_what_is_shown_is_what_would_be_allowed_and_why_not(shop: Relate) -> None:
    shop("consent", "grant", "ada", "--medium", "email", *PROOF, *AT)
    assert "yes" in shop("consent", "show", "ada").stdout
    shop("consent", "suppress", "email", "Ada <ada@example.com>")
    assert "no: suppressed" in shop("consent", "show", "ada").stdout
    shop("consent", "prefer", "ada", "none")
    assert "no: preference" in shop("consent", "show", "ada").stdout
    (only,) = document(shop("consent", "show", "ada", "--json"))["consents"]
    assert (only["state"], only["permitted"], only["reason"]) == ("granted", False, "preference")


@pytest.mark.parametrize(
    ("said", "scope"),
    [((), "all"), (("--reason", "complaint"), "marketing"), (("--reason", "unsubscribe", "--scope", "all"), "all")],
)
def test_the_scope_is_that_of_the_reason_where_none_is_said(shop: Relate, said: tuple[str, ...], scope: str) -> None:
    assert f"({scope})" in shop("consent", "suppress", "email", "ada@example.com", *said).stdout
    shop("consent", "suppress", "email", "ada@example.com", "--scope", "topic:news")
    held = document(shop("consent", "show", "ada", "--json"))["suppressions"]
    assert [each["scope"] for each in held] == [scope, "topic:news"]
    assert document(shop("consent", "suppress", "email", "ada@example.com", "--lift", "--json")) == {"lifted": 2}


def test_an_act_for_somebody_unknown_makes_nobody_up(shop: Relate, relate: Relate) -> None:
    for act in ("withdraw", "object"):
        assert relate("consent", act, "adda").exit_code == 1
    assert "there is no customer" in relate("customer", "adda").stderr
    assert shop("customer", "ada").exit_code == 0
