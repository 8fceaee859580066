"""The Liquid renderer: strict, bounded, escaping, and out of reach of clock and files."""

import tracemalloc
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from relationship_core import ConfigurationError, RejectedError
from relationship_core.builtin.liquid import CACHED_TEMPLATES, LONGEST_TEMPLATE, LiquidRenderer, LiquidSettings
from relationship_core.builtin.liquid_environment import make_environment

ATTACK = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def renderer() -> LiquidRenderer:
    return LiquidRenderer(LiquidSettings())


def test_a_template_is_filled_in(renderer: LiquidRenderer) -> None:
    template = "Dear {{ customer.name }},{% if facts.orders > 1 %} again{% endif %} {{ facts.last | date: '%d %B' }}"
    context = {"customer": {"name": "Zoë"}, "facts": {"orders": 2, "last": date(2017, 3, 1)}}
    assert renderer.render(template, context, html=False) == "Dear Zoë, again 01 March"


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{{ nam }}", "nam"),
        ("a\n{{ customer.nam }}", "customer.nam"),
        ("{% if customer.nam %}x{% endif %}", "customer.nam"),
        ("{% for x in nam %}x{% endfor %}", "nam"),
        ("{{ customer.nam | default: 'friend' }}", "customer.nam"),
        ("{{ nam | date: '%Y' }}", "nam"),
        ("{{ nam | upcase }}", "nam"),
        ("{{ 'x' | append: nam }}", "nam"),
        ("{% assign y = nam %}{{ y }}", "nam"),
    ],
)
def test_a_missing_variable_is_rejected_by_name(renderer: LiquidRenderer, template: str, named: str) -> None:
    with pytest.raises(RejectedError, match=rf"line {template.count(chr(10)) + 1}: .*{named}"):
        renderer.render(template, {"customer": {"name": "Zoë"}}, html=False)


def outcome(renderer: LiquidRenderer, template: str, context: Mapping[str, object], *, html: bool) -> tuple[str, str]:
    """What comes of a template: the text, or the message of its refusal."""
    try:
        return renderer.render(template, context, html=html), ""
    except RejectedError as error:
        return "", str(error)


@pytest.mark.parametrize("name", sorted(make_environment(autoescape=False).filters))
def test_no_refusal_repeats_a_value(renderer: LiquidRenderer, name: str) -> None:
    templates = (
        f"{{{{ v | {name}: v }}}}",
        f"{{{{ v | {name}: 0 }}}}",
        f"{{{{ 1 | {name}: v }}}}",
        "{{ v | date: v }}",
    )
    refusals = [outcome(renderer, template, {"v": "Zoë Secret"}, html=False)[1] for template in templates]
    assert any(refusals)
    assert not any("Secret" in refusal for refusal in refusals)


def test_html_is_escaped_and_text_is_not(renderer: LiquidRenderer) -> None:
    template = "<b>{{ v }}</b> {{ 'a < b' }}"
    assert renderer.render(template, {"v": '<i> & "'}, html=True) == "<b>&lt;i&gt; &amp; &#34;</b> a < b"
    assert renderer.render(template, {"v": '<i> & "'}, html=False) == '<b><i> & "</b> a < b'


@pytest.mark.parametrize("name", sorted(make_environment(autoescape=True).filters))
def test_no_filter_lets_a_value_become_markup(renderer: LiquidRenderer, name: str) -> None:
    templates = (
        *(f"{{{{ v | {name} }}}}", f"{{{{ 'x' | {name}: v }}}}", f"{{{{ v | {name}: '1' }}}}"),
        *(f"{{{{ 'x' | {name}: 'x', v }}}}", f"{{{{ l | {name}: v }}}}", f"{{{{ l | {name} }}}}"),
    )
    context = {"v": ATTACK, "l": [ATTACK, "x"]}
    assert not any("<script" in outcome(renderer, template, context, html=True)[0] for template in templates)


@pytest.mark.parametrize("markup", ["{{ v | safe }}", "{% include v %}", "{% render 'x' %}"])
def test_what_would_trust_or_reach_out_is_unknown(renderer: LiquidRenderer, markup: str) -> None:
    with pytest.raises(ConfigurationError, match="line 1: "):
        renderer.check(markup)


@pytest.mark.parametrize("word", ["now", "today", "10 pm", "20"])
def test_the_wall_clock_is_out_of_reach(renderer: LiquidRenderer, word: str) -> None:
    with pytest.raises(RejectedError):
        renderer.render("{{ v | date: '%Y' }}", {"v": word}, html=False)


@pytest.mark.parametrize(
    "value", [date(2017, 3, 1), datetime(2017, 3, 1, 9, tzinfo=UTC), "2017-03-01", "2017-03-01T09:00:00Z"]
)
def test_dates_are_formatted(renderer: LiquidRenderer, value: object) -> None:
    assert renderer.render("{{ v | date: '%Y-%m' }}", {"v": value}, html=True) == "2017-03"


def test_python_is_out_of_reach(renderer: LiquidRenderer) -> None:
    for template in ("{{ v.__class__ }}", "{{ v['__class__'] }}", "{{ v.root }}"):
        with pytest.raises(RejectedError):
            renderer.render(template, {"v": Path("/")}, html=False)


BOMBS = {
    "replace": "{{ s | replace: 'a', s | replace: 'a', s }}",
    "append": "{% assign x = s %}{% for i in (1..60) %}{% assign x = x | append: x %}{% endfor %}",
    "join": "{{ l | join: s }}",
    "lists": "{% assign x = l %}{% for i in (1..40) %}{% assign x = x | concat: x %}{% endfor %}{{ x }}",
    "numbers": "{% assign x = 9 %}{% for i in (1..40) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
    "range": "{{ (1..10000000000) | join }}",
    "reversed": "{% for i in (1..10000000000) reversed %}{% endfor %}",
    "below zero": "{% for i in (-10000000000..0) reversed %}{% endfor %}",
    "range of text": "{% for i in (1..huge) reversed %}{% endfor %}",
    "contains": "{% assign r = (1..10000000000) %}{% if r contains 'x' %}{% endif %}",
    "table": "{% tablerow i in (1..10000000000) %}{% endtablerow %}",
    "loop": "{% for i in (1..9999) %}{% for j in (1..9999) %}{% endfor %}{% endfor %}",
    "output": "{% for i in (1..9999) %}{{ s }}{% endfor %}",
    "capture": "{% capture x %}{% for i in (1..9999) %}{{ s }}{% endfor %}{% endcapture %}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_would_grow_without_bound_fails_fast(renderer: LiquidRenderer, name: str) -> None:
    context = {"s": "a" * 50_000, "l": ["a" * 50_000] * 10, "huge": "10000000000"}
    tracemalloc.start()
    try:
        with pytest.raises(RejectedError, match=r"limit|too large|goes beyond"):
            renderer.render(BOMBS[name], context, html=False)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{ x | bogus }}", "line 1: .*'bogus'"),
        ("a\n\n{{ x | bogus }}", "line 3: .*'bogus'"),
        ("a\n{% bogus %}", "line 2: .*'bogus'"),
        ("a\n{% for %}{% endfor %}", "line 2"),
        ("\n{{ x | | }}", "line 2"),
        ("{% if x %}", "endif"),
        ("{% if x %}" * 5000 + "{% endif %}" * 5000, "does not parse"),
        ("{{ a" + "[a" * 5000 + "]" * 5000 + " }}", "parse"),
        ("x" * (LONGEST_TEMPLATE + 1), "longer than"),
    ],
)
def test_a_template_that_does_not_parse_says_where(renderer: LiquidRenderer, template: str, line: str) -> None:
    with pytest.raises(ConfigurationError, match=line):
        renderer.check(template)


def test_a_good_template_passes_the_check(renderer: LiquidRenderer) -> None:
    renderer.check("{% for i in (1..3) %}{{ i | times: 2 | date: '%Y' | escape }}{% endfor %}{{ unknown.name }}")


@pytest.mark.parametrize(
    ("template", "paths"),
    [
        ("Hello", set()),
        ("{{ customer.name | append: foo }}{{ facts['order_days'] }}", {"customer.name", "foo", "facts.order_days"}),
        ("{% for x in (1..facts.orders) %}{{ x }}{{ forloop.index }}{% endfor %}", {"facts.orders"}),
        ("{% assign a = stage %}{% capture b %}{{ a.c }}{% endcapture %}{{ b }}", {"stage"}),
        ("{% increment n %}{% if true == blank %}{{ nil }}{% endif %}", set()),
        ("{{ customer.tags[0].x }}{{ facts[customer.id].y }}", {"customer.tags", "facts", "customer.id"}),
        ("{{ [customer.id] }}", {"customer.id"}),
        ("{% comment %}{{ foo }}{% endcomment %}facts.foo", set()),
    ],
)
def test_the_variables_of_a_template_are_what_it_takes_from_outside(
    renderer: LiquidRenderer, template: str, paths: set[str]
) -> None:
    assert renderer.variables(template) == paths


def test_variables_of_a_template_that_does_not_parse(renderer: LiquidRenderer) -> None:
    with pytest.raises(ConfigurationError, match="does not parse"):
        renderer.variables("{{ x | }} {% if %}")


def test_values_that_do_not_compare_are_rejected(renderer: LiquidRenderer) -> None:
    with pytest.raises(RejectedError, match="line 1"):
        renderer.render("{% if v > 1 %}x{% endif %}", {"v": "Zoë"}, html=False)


def test_one_rendering_leaves_nothing_to_the_next(renderer: LiquidRenderer) -> None:
    template = "{% increment n %}{% if set %}{% assign x = 1 %}{% endif %}{{ n }}"
    assert renderer.render(template, {"set": True}, html=False) == renderer.render(template, {"set": True}, html=False)


def test_few_parsed_templates_are_kept(renderer: LiquidRenderer) -> None:
    for number in range(CACHED_TEMPLATES + 10):
        renderer.check(f"{number}")
    assert renderer._parsed.cache_info().currsize <= CACHED_TEMPLATES
