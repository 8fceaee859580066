"""What ``relate preview`` says of an SMS before it is sent: how many segments, and what they cost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SETTINGS = """
[channels.sms]
use = "twilio"
account_sid = "AC0123456789abcdef0123456789abcdef"
auth_token = { env = "TWILIO_AUTH_TOKEN" }
sender = "+15557654321"
segment_prices = { US = 0.79, DE = 9 }
"""
CAMPAIGN = """
name = "ready"
summary = "Tells that it is ready"
owner = "Customer care"
purpose = "service"
nature = "neutral"
audience = "true"

[[actions]]
name = "tell"

[actions.occasion]
name = "ready"
key = "once"

[[actions.variants]]
channel = "sms"
text = "Hello {{ customer.name }}, what you ordered is ready."
"""
CUSTOMERS = """customer,name,contact.sms
ada,Ada,+12125550100
lukasz,Łukasz,+493012345678
"""


@pytest.fixture
def relate(tmp_path: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "relationship_core", "--project", str(tmp_path / "shop"), *arguments]
        environment = {**os.environ, "TWILIO_AUTH_TOKEN": "not used", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("init", "--name", "Corner Bakery")
    with (tmp_path / "shop" / "relationship.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    (tmp_path / "shop" / "campaigns" / "ready.toml").write_text(CAMPAIGN, encoding="utf-8")
    (tmp_path / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    run("import", "customers", str(tmp_path / "customers.csv"))
    return run


def test_a_preview_shows_segments_and_what_they_cost(relate: Callable[..., str]) -> None:
    assert "price     1 segment, 0.0079 EUR" in relate("preview", "ready", "ada")
    assert "price     1 segment, 0.09 EUR" in relate("preview", "ready", "lukasz")
    (message,) = json.loads(relate("preview", "ready", "ada", "--json"))["messages"]
    assert message["price"] == {"parts": 1, "part": "segment", "minor": 0.79}
