"""The demo's e-mail, through a real mail server."""

import json
import subprocess
import sys
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any


def relate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relationship_core", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")


def test_the_demo_writes_to_a_mail_server(serve: Callable[..., Any], tmp_path: Path) -> None:
    host, port, inbox = serve()
    folder = tmp_path / "demo"
    done = relate("demo", "--months", "2", "--json", "--smtp", f"{host}:{port}", "--project", str(folder))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(inbox.mails) == document["messages"]["mail"] > 50
    assert not (folder / "outbox" / "mail").exists()
    mails = [message_from_bytes(mail, policy=policy.default) for mail in inbox.mails[::10]]
    assert {str(mail["From"]) for mail in mails} == {"Journey Market <hello@example.com>"}
    assert not any(mail.defects for mail in mails)


def test_a_place_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    done = relate("demo", "--smtp", "localhost", "--project", str(tmp_path / "demo"))
    assert done.returncode == 2
    assert "is not HOST:PORT" in done.stderr
    assert not (tmp_path / "demo").exists()


def test_without_the_package_the_demo_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import importlib.util, sys; found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'relationship_smtp' else found(name, *more)\n"
        "from relationship_core.cli import main; main()"
    )
    command = [sys.executable, "-c", script, "demo", "--smtp", "localhost:1025", "--project", str(tmp_path / "demo")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1
    assert "pip install relationship-demo[smtp]" in done.stderr
