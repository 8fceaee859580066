"""relationship.toml and campaigns/*.toml: read, checked, and wrong in words that help."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from attrs import evolve, frozen
from hypothesis import given, strategies as st

from relationship_core import (
    Action,
    Campaign,
    Cap,
    Choice,
    ConfigurationError,
    ConsentSettings,
    Cost,
    Limits,
    Occasion,
    PluginSettings,
    ProjectSettings,
    Provider,
    QuietHours,
    Secret,
    Settings,
    Variant,
    load_plugins,
    provider_settings,
    read_campaigns,
    read_settings,
)
from relationship_core.campaign_files import campaign_content, campaign_from_content, campaign_version

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

FULL = """
[project]
name = "Corner Bakery"
currency = "USD"
zone = "America/New_York"
locale = "pt-BR"
sender = "Corner Bakery <hello@example.com>"
postal_address = "1 Mill Lane\\nUSA"

[store]
use = "memory"

[renderer]
use = "liquid"

[channels.letters]
use = "folder"
path = "outbox/letters"
medium = "post"

[channels.news]
use = "null"

[attributes]
age_group = "text"
household_size = "number"
homeowner = "boolean"

[ladder]
use = "b2c"

[minimum_interval_days]
default = 7
client = 3.5

[plugins]
required = ["relationship-demo"]
disabled = ["builtin.policies"]
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write relationship.toml; the answer is the project's folder."""

    def write(content: str) -> Path:
        (tmp_path / "relationship.toml").write_text(content, encoding="utf-8")
        return tmp_path

    return write


def mistakes(read: Callable[[Path], object], folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        read(folder)
    return str(raised.value).splitlines()


# relationship.toml


def test_every_key_is_read(write: Write) -> None:
    settings = read_settings(write(FULL))
    assert settings.project == ProjectSettings(
        name="Corner Bakery",
        currency="USD",
        zone="America/New_York",
        locale="pt-BR",
        sender="Corner Bakery <hello@example.com>",
        postal_address="1 Mill Lane\nUSA",
    )
    assert settings.store == Choice(use="memory")
    assert settings.channels["letters"] == Choice(use="folder", settings={"path": "outbox/letters", "medium": "post"})
    assert settings.channels["news"] == Choice(use="null")
    assert settings.attributes == {"age_group": "text", "household_size": "number", "homeowner": "boolean"}
    assert settings.ladder.use == "b2c"
    assert settings.minimum_interval_days == {"default": 7.0, "client": 3.5}
    assert settings.plugins.required == ("relationship-demo",)
    assert settings.plugins.disabled == ("builtin.policies",)


def test_a_file_without_a_word_is_a_project_in_sqlite(write: Write) -> None:
    folder = write("")
    assert read_settings(folder) == Settings(
        project=ProjectSettings(name=folder.name), store=Choice(use="sqlite", settings={"path": "relationships.db"})
    )


def test_no_file_is_needed_in_python() -> None:
    settings = Settings()
    assert settings.store == Choice(use="memory")
    assert settings.minimum_interval_days == {"default": 14.0}


def test_a_byte_order_mark_is_let_through(tmp_path: Path) -> None:
    (tmp_path / "relationship.toml").write_text('[project]\nname = "Bäckerei"', encoding="utf-8-sig")
    assert read_settings(tmp_path).project.name == "Bäckerei"


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ('[projekt]\nname = "x"', "relationship.toml: unknown key 'projekt'; did you mean 'project'?"),
        ('[project]\ncurrencey = "EUR"', "[project]: unknown key 'currencey'; did you mean 'currency'?"),
        ("[project]\nxyz = 1", "[project]: unknown key 'xyz'; the known ones are name, currency"),
        ("[project]\ncurrency = 3", "[project] currency: must be text, not the number 3"),
        ("project = 3", "[project]: must be a table, not the number 3"),
        ('[project]\ncurrency = "eur"', "[project]: currency must be an ISO 4217 code of three capital letters"),
        ('[project]\nzone = "Europe/Berln"', "'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ('[project]\nzone = "Europe"', "zone must be an IANA time zone"),
        ('[project]\nzone = "../../etc/passwd"', "zone must be an IANA time zone"),
        ('[project]\nlocale = "English!"', "locale must be a language tag"),
        ('[project]\nsender = "a\\r\\nBcc: b@example.com"', "sender must be one line of text"),
        ('[project]\nsender = "nobody"', "[project]: sender must be an e-mail address such as hello@example.com"),
        ('[plugins]\ndisabled = ["builtin.polices"]', "'builtin.polices' is not installed; did you mean 'builtin.poli"),
        ('[plugins]\ndisabled = ["xyzzy"]', "'xyzzy' is not installed; installed are builtin.calibrations, "),
        ('[store]\npath = "x.db"', "[store]: the key 'use' must name what to use"),
        ('store = "sqlite"', "[store]: must be a table, not text"),
        ("channels = 1", "[channels]: must be a table, not the number 1"),
        ("[channels]\nnews = 1", "[channels] news: must be a table, not the number 1"),
        ("[channels.news]\nuse = 1", "[channels.news]: the key 'use' must name what to use"),
        ('[channels.News]\nuse = "null"', "'News' must be lower case letters"),
        (
            '[attributes]\nage = "txet"',
            "[attributes] age: must be one of text, number, boolean, not 'txet'; did you mean",
        ),
        ('[attributes]\nAge = "text"', "'Age' must be lower case letters"),
        ('[ladder]\nuse = "b2c"\nstages = 3', "[ladder]: unknown key 'stages'"),
        ('[minimum_interval_days]\nclient = "x"', "[minimum_interval_days] client: must be a number, not text"),
        ("[minimum_interval_days]\nclient = true", "[minimum_interval_days] client: must be a number, not true"),
        (
            "[minimum_interval_days]\nclient = nan",
            "[minimum_interval_days] client: must be a number, not the number nan",
        ),
        ("[minimum_interval_days]\nclient = -1", "client: must not be negative"),
        ('[plugins]\nrequired = "x"', "[plugins] required: must be a list, not text"),
        ("[plugins]\nrequired = [1]", "[plugins] required[1]: must be text, not the number 1"),
        ("[project", "relationship.toml is not TOML: "),
        ("[channels.a]\nuse = 'null'\n[delivery.a]\nrate = -1.0", "a: rate must be a number above 0, not -1.0"),
    ],
)
def test_a_mistake_says_where_and_what(write: Write, content: str, mistake: str) -> None:
    (line,) = mistakes(read_settings, write(content))
    assert line.startswith("relationship.toml")
    assert mistake in line


@pytest.mark.parametrize(
    ("more", "mistake"),
    [
        ({"consent": ConsentSettings(without=("emial",))}, "[consent] without: the medium 'emial' is unknown; did you"),
        (
            {"consent": ConsentSettings(double_opt_in=("smss",))},
            "[consent] double_opt_in: the medium 'smss' is unknown",
        ),
        ({"caps": {"week": Cap(count=1, days=7, media=("pots",))}}, "[caps.week] media: the medium 'pots' is unknown"),
        ({"quiet_hours": {"smss": QuietHours()}}, "[quiet_hours]: the medium 'smss' is unknown; did you mean 'sms'?"),
    ],
)
def test_a_medium_that_nobody_knows_is_refused_when_the_project_opens(
    make_project: Callable[..., object], more: dict[str, Any], mistake: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(mistake)}"):
        make_project(**more)


def test_the_medium_of_a_channel_may_be_named(make_project: Callable[..., object]) -> None:
    more: dict[str, Any] = {
        "consent": ConsentSettings(without=("push",)),
        "caps": {"week": Cap(count=1, days=7, media=("push",))},
        "quiet_hours": {"push": QuietHours()},
    }
    make_project(channels={"app": Choice(use="null", settings={"medium": "push"})}, **more)
    with pytest.raises(ConfigurationError, match="the medium 'push' is unknown"):
        make_project(**more)


def test_every_mistake_has_its_line(write: Write) -> None:
    lines = mistakes(read_settings, write('[project]\ncurrency = 3\nnam = "x"\n[chanels.x]\nuse = "null"'))
    assert len(lines) == 3


def test_a_folder_without_a_project_says_what_to_do(tmp_path: Path) -> None:
    (line,) = mistakes(read_settings, tmp_path)
    assert "relate init" in line


def test_a_file_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    (tmp_path / "relationship.toml").write_bytes('[project]\nname = "Bäckerei"'.encode("latin-1"))
    assert mistakes(read_settings, tmp_path) == ["relationship.toml is not UTF-8 text; save it as UTF-8"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ProjectSettings(currency="euro"),
        lambda: ProjectSettings(zone="Mars"),
        lambda: ProjectSettings(locale=""),
        lambda: ProjectSettings(sender="nobody"),
        lambda: PluginSettings(disabled=["builtin.polices"]),
        lambda: Settings(attributes={"age": "int"}),
        lambda: Settings(minimum_interval_days={"client": -1}),
        lambda: Settings(channels={"Big News": Choice(use="null")}),
    ],
)
def test_settings_made_in_python_are_checked_alike(wrong: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        wrong()


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "hello@example.com",
        "<hello@example.com>",
        "Corner Bakery <hello@example.com>",
        '"Bakery, Corner" <hello@example.com>',
        "Bäckerei Müller & Co. <first.last+tag@mail.xn--bcher-kva.example.com>",
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(sender: str) -> None:
    assert ProjectSettings(sender=sender).sender == sender


@pytest.mark.parametrize(
    "sender",
    [
        "nobody",
        "nobody@",
        "@example.com",
        "a b@example.com",
        "Corner Bakery",
        "Corner Bakery <hello>",
        "Bakery, Corner <hello@example.com>",
        "a@example.com, b@example.com",
        "a@example..com",
        "a@-example.com",
        "ä@example.com",
        "a@bäckerei.example.com",
        "Corner Bakery <hello@example.com",
        "Corner Bakery <hello@example.com> and more",
    ],
)
def test_a_sender_that_no_mail_can_come_from_is_refused(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="quotation marks") as raised:
        ProjectSettings(sender=sender)
    assert str(raised.value).endswith(f"not {sender!r}")


def test_a_distribution_may_be_disabled_as_well_as_a_plugin() -> None:
    names = ("relationship-core", "builtin.policies")
    assert PluginSettings(disabled=names).disabled == names


# Settings of providers


@frozen(kw_only=True)
class ToySettings:
    """Settings of a toy.

    Attributes:
        url: where it is.
    """

    url: str
    retries: int = 3
    timeout: float = 10.0
    secure: bool = True
    path: Path = Path("toys")
    key: Secret | None = None
    topics: tuple[str, ...] = ()
    level: Literal["low", "high"] = "low"
    sender: str = attrs.field(default="toy@example.com", metadata={"project": "sender"})
    note: str | None = None


def settings_of(table: dict[str, object], folder: Path = Path("/project"), **project: str) -> ToySettings:
    provider = Provider(name="toy", factory=repr, settings=ToySettings, summary="A test.")
    made = provider_settings(
        provider,
        Choice(use="toy", settings=table),
        folder,
        "[channels.x]",
        project=ProjectSettings(**project),
    )
    assert isinstance(made, ToySettings)
    return made


def test_settings_are_made_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "hunter2")
    made = settings_of(
        {
            "url": "toy://x",
            "retries": 5,
            "timeout": 2,
            "secure": False,
            "path": "../out",
            "key": {"env": "TOY_KEY"},
            "topics": ["a", "b"],
            "level": "high",
            "note": "n",
        }
    )
    assert (made.url, made.retries, made.timeout, made.secure) == ("toy://x", 5, 2.0, False)
    assert isinstance(made.timeout, float)
    assert made.path == Path(os.path.abspath("/out"))  # noqa: PTH100  as it is made
    assert made.key is not None
    assert made.key.reveal() == "hunter2"
    assert (made.topics, made.level, made.note) == (("a", "b"), "high", "n")


def test_a_path_is_made_absolute_and_so_is_its_default() -> None:
    assert settings_of({"url": "x", "path": "here"}, Path("project")).path == Path.cwd() / "project" / "here"
    assert settings_of({"url": "x", "path": "/there"}).path == Path(os.path.abspath("/there"))  # noqa: PTH100  as made
    assert settings_of({"url": "x"}, Path("project")).path == Path.cwd() / "project" / "toys"


def test_the_project_gives_what_is_not_given() -> None:
    assert settings_of({"url": "x"}).sender == "toy@example.com"
    assert settings_of({"url": "x"}, sender="shop@example.com").sender == "shop@example.com"
    assert settings_of({"url": "x", "sender": "me@example.com"}, sender="shop@example.com").sender == "me@example.com"


@pytest.mark.parametrize("use", ["folder", "toy"])
def test_a_channel_has_a_sender_that_mail_can_come_from(use: str, tmp_path: Path) -> None:
    toy = Provider(name="toy", factory=repr, settings=ToySettings, summary="A test.")
    provider = toy if use == "toy" else load_plugins().channels[use]
    settings = {"sender": "nobody", **({"url": "x"} if use == "toy" else {"path": "out"})}
    with pytest.raises(ConfigurationError) as raised:
        provider_settings(provider, Choice(use=use, settings=settings), tmp_path, "[channels.x]")
    assert str(raised.value).startswith("[channels.x] sender: must be an e-mail address such as hello@example.com")
    silent = Choice(use=use, settings={**settings, "sender": ""})
    with pytest.raises(ConfigurationError, match="must be an e-mail address"):
        provider_settings(provider, silent, tmp_path, "[channels.x]")


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ({}, "[channels.x]: the key 'url' is missing"),
        ({"url": "x", "topcis": []}, "[channels.x]: unknown key 'topcis'; did you mean 'topics'?"),
        ({"url": 1}, "[channels.x] url: must be text, not the number 1"),
        ({"url": "x", "retries": True}, "[channels.x] retries: must be a whole number, not true"),
        ({"url": "x", "retries": 1.5}, "[channels.x] retries: must be a whole number, not the number 1.5"),
        ({"url": "x", "timeout": "1"}, "[channels.x] timeout: must be a number, not text"),
        ({"url": "x", "timeout": float("inf")}, "[channels.x] timeout: must be a number, not the number inf"),
        ({"url": "x", "secure": 1}, "[channels.x] secure: must be true or false, not the number 1"),
        ({"url": "x", "path": 1}, "[channels.x] path: must be a path, as text, not the number 1"),
        ({"url": "x", "topics": "a"}, "[channels.x] topics: must be a list, not text"),
        ({"url": "x", "topics": ["a", {}]}, "[channels.x] topics[2]: must be text, not a table"),
        (
            {"url": "x", "level": "hihg"},
            "[channels.x] level: must be one of low, high, not 'hihg'; did you mean 'high'?",
        ),
        ({"url": "x", "key": {"env": "TOY_NONE"}}, "the environment variable TOY_NONE is not set"),
        ({"url": "x", "key": {"enw": "TOY_NONE"}}, "[channels.x] key: a secret is never written here"),
    ],
)
def test_a_wrong_setting_says_where_and_what(table: dict[str, object], mistake: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(mistake)):
        settings_of(table)


def test_a_secret_in_the_file_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings_of({"url": "x", "key": "hunter2"})
    assert '{ env = "NAME" }' in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "hunter2")
    made = settings_of({"url": "x", "key": {"env": "TOY_KEY"}})
    assert "hunter2" not in f"{made!r} {made!s}"
    choice = Choice(use="toy", settings={"key": Secret("hunter2"), "plain": "hunter2"})
    assert "hunter2" not in repr(Settings(channels={"x": choice}))
    assert settings_of({"url": "x", "key": Secret("hunter2")}).key is not None


@frozen(kw_only=True)
class UnreadableSettings:
    """Settings that no file can hold."""

    when: dict[str, int]


def test_a_class_that_no_file_can_hold_is_the_plugins_mistake() -> None:
    provider: Provider[Any] = Provider(name="toy", factory=repr, settings=UnreadableSettings, summary="A test.")
    with pytest.raises(ConfigurationError, match=r"UnreadableSettings\.when has a type that no configuration can hold"):
        provider_settings(provider, Choice(use="toy"), Path(), "[channels.x]")


def test_every_built_in_provider_has_settings_that_a_file_can_hold(tmp_path: Path) -> None:
    plugins = load_plugins()
    own = [each.provides for each in plugins.installed if each.name.startswith("builtin.")]
    for word, among in (("store", plugins.stores), ("channel", plugins.channels), ("renderer", plugins.renderers)):
        for provider in (among[name] for provided in own for name in provided.get(word, ())):
            needed = {
                each.name: str(tmp_path) for each in attrs.fields(provider.settings) if each.default is attrs.NOTHING
            }
            made = provider_settings(provider, Choice(use=provider.name, settings=needed), tmp_path, "[x]")
            assert isinstance(made, provider.settings)


# Campaigns

THANKS = """
name = "thank-you"
owner = "shop"
purpose = "marketing"
nature = "give"
audience = "orders >= 1"
priority = 3
value = 250
summary = "Thanks."

[limits]
expires_days = 7
per_customer = 2

[[actions]]
name = "thanks"

[actions.occasion]
name = "order"
when = "silence_days <= 3"
key = "last_order_on"
since = "last_order_at"

[[actions.variants]]
channel = "news"
locale = "en"
subject = "Thank you"
text = { file = "thank-you.txt" }
html = "<p>Thank you</p>"

[[actions.variants]]
channel = "letters"
text = "Thank you"
"""

CAMPAIGN = Campaign(
    name="thank-you",
    owner="shop",
    purpose="marketing",
    nature="give",
    audience="orders >= 1",
    priority=3,
    value=250,
    summary="Thanks.",
    limits=Limits(expires_days=7, per_customer=2),
    actions=(
        Action(
            name="thanks",
            occasion=Occasion(name="order", when="silence_days <= 3", key="last_order_on", since="last_order_at"),
            variants=(
                Variant(channel="news", locale="en", subject="Thank you", text="Dear Zoë,\n", html="<p>Thank you</p>"),
                Variant(channel="letters", text="Thank you"),
            ),
        ),
    ),
)

WriteCampaigns = Callable[..., Path]


@pytest.fixture
def write_campaigns(tmp_path: Path) -> WriteCampaigns:
    """Write files into campaigns/, by name without suffix; the answer is the project's folder."""

    def write(**files: str) -> Path:
        folder = tmp_path / "campaigns"
        folder.mkdir(exist_ok=True)
        (folder / "thank-you.txt").write_text("Dear Zoë,\n\n", encoding="utf-8")
        for name, content in files.items():
            (folder / f"{name}.toml").write_text(content, encoding="utf-8")
        return tmp_path

    return write


def test_a_campaign_file_is_the_campaign_of_python(write_campaigns: WriteCampaigns) -> None:
    assert read_campaigns(write_campaigns(a=THANKS)) == (CAMPAIGN,)


def test_a_project_without_campaigns_has_none(tmp_path: Path) -> None:
    assert read_campaigns(tmp_path) == ()


def test_campaigns_come_in_order_of_their_files(write_campaigns: WriteCampaigns) -> None:
    folder = write_campaigns(b=THANKS, a=THANKS.replace('"thank-you"', '"welcome"'))
    assert [campaign.name for campaign in read_campaigns(folder)] == ["welcome", "thank-you"]


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('audience =', 'audiance =', "campaigns/a.toml: unknown key 'audiance'; did you mean 'audience'?"),
        ('owner = "shop"', "", "campaigns/a.toml: the key 'owner' is missing"),
        ('"marketing"', '"marketin"', "campaigns/a.toml, purpose: must be one of service, marketing, not 'marketin'"),
        ("priority = 3", "priority = 3.5", "campaigns/a.toml, priority: must be a whole number, not the number 3.5"),
        ("expires_days = 7", "expires_days = 0", "[limits]: expires_days must be a number above 0, not 0"),
        ("per_customer = 2", "per_costumer = 2", "[limits]: unknown key 'per_costumer'; did you mean 'per_customer'?"),
        ('[actions.occasion]\nname = "order"', "[actions.occasion]", "actions[1].occasion: the key 'name' is missing"),
        ('channel = "letters"', 'chanel = "letters"', "actions[1].variants[2]: unknown key 'chanel'; did you mean"),
        ('name = "thank-you"', 'name = "Thank you!"', "a.toml: name must be lower-case letters, digits"),
        ('"thank-you.txt" }', '"none.txt" }', "variants[1].text: the file 'none.txt' cannot be read: No such"),
        ('"thank-you.txt" }', '"../secret.txt" }', "the file '../secret.txt' must lie in the folder of the"),
        ('"thank-you.txt" }', '"/etc/passwd" }', "the file '/etc/passwd' must lie in the folder"),
        ('"thank-you.txt" }', '"link.txt" }', "the file 'link.txt' must lie in the folder"),
        ('{ file = "thank-you.txt" }', '{ fiel = "x" }', 'variants[1].text: must be text, or { file = "name" }'),
        ('text = "Thank you"', "text = 3", "actions[1].variants[2].text: must be text, not the number 3"),
        ('[limits]', '[limits', "campaigns/a.toml is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_campaign_says_where_and_what(
    write_campaigns: WriteCampaigns, old: str, new: str, mistake: str
) -> None:
    assert old in THANKS
    folder = write_campaigns(a=THANKS.replace(old, new, 1), b=THANKS.replace('"thank-you"', '"welcome"'))
    (folder / "secret.txt").write_text("hunter2", encoding="utf-8")
    (folder / "campaigns" / "link.txt").symlink_to(folder / "secret.txt")
    assert mistake in "\n".join(mistakes(read_campaigns, folder))


def test_one_bad_file_does_not_hide_the_next(write_campaigns: WriteCampaigns) -> None:
    folder = write_campaigns(a="name = 3", b="owner =", c=THANKS, d=THANKS)
    text = "\n".join(mistakes(read_campaigns, folder))
    assert "campaigns/a.toml, name: must be text" in text
    assert "campaigns/b.toml is not TOML" in text
    assert "campaigns/c.toml and campaigns/d.toml both have the name 'thank-you'; rename one" in text


def test_actions_that_are_no_tables_are_told(write_campaigns: WriteCampaigns) -> None:
    content = THANKS[: THANKS.index("[[actions]]")].replace("summary", "actions = [3]\nsummary")
    (line,) = mistakes(read_campaigns, write_campaigns(a=content))
    assert "actions[1]: must be a table, not the number 3" in line


# Content and version


def test_a_campaign_comes_back_from_its_content() -> None:
    assert campaign_from_content(campaign_content(CAMPAIGN)) == CAMPAIGN


def test_the_version_is_that_of_the_content() -> None:
    assert campaign_version(CAMPAIGN) == campaign_version(campaign_from_content(campaign_content(CAMPAIGN)))
    assert re.fullmatch(r"[0-9a-f]{12}", campaign_version(CAMPAIGN))
    # Messages in a database are pinned to it: it must not change from release to release.
    assert campaign_version(CAMPAIGN) == "412a9c6ffaf2"


def test_what_a_campaign_leaves_unsaid_is_no_part_of_its_content() -> None:
    # So that a release in which campaigns can say more changes the version of none.
    said = campaign_from_content(campaign_content(evolve(CAMPAIGN, cost=Cost(money=5), topic="news")))
    assert (said.cost, said.topic) == (Cost(money=5), "news")
    content = json.loads(campaign_content(CAMPAIGN))
    assert not {"cost", "topic", "weight", "holdout"} & content.keys()


def test_equal_numbers_are_equal_content() -> None:
    whole, broken = (attrs.evolve(CAMPAIGN, limits=Limits(expires_days=days)) for days in (7, 7.0))
    assert campaign_content(whole) == campaign_content(broken)


def test_content_of_a_newer_version_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="a stored campaign: unknown key 'mood'"):
        campaign_from_content(campaign_content(CAMPAIGN)[:-1] + ',"mood":"good"}')


slugs = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
variants = st.builds(Variant, channel=slugs, locale=st.none() | slugs, subject=texts, text=texts, html=texts)
actions = st.builds(
    Action,
    name=slugs,
    occasion=st.builds(Occasion, name=slugs, when=texts, key=texts, since=texts),
    variants=st.lists(variants, min_size=1, max_size=2),
)
campaigns = st.builds(
    Campaign,
    name=slugs,
    owner=slugs,
    purpose=st.sampled_from(["service", "marketing"]),
    nature=st.sampled_from(["give", "ask", "neutral"]),
    audience=texts,
    actions=st.lists(actions, min_size=1, max_size=2, unique_by=lambda action: action.name),
    priority=st.integers(-9, 9),
    value=st.integers(0, 10**6),
    limits=st.builds(Limits, expires_days=st.none() | st.floats(0.1, 999), per_customer=st.none() | st.integers(1, 9)),
    summary=texts,
)


@given(campaigns, campaigns)
def test_any_campaign_comes_back_and_any_change_is_a_version(campaign: Campaign, other: Campaign) -> None:
    assert campaign_from_content(campaign_content(campaign)) == campaign
    assert (campaign == other) == (campaign_version(campaign) == campaign_version(other))
