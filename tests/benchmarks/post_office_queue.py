"""The same mails by django-post-office, in a process of its own: queued from templates, then sent over one connection.

python tests/benchmarks/post_office_queue.py PORT COUNT   reads subject, text and html as JSON, prints seconds as JSON
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

SIGNS = {"customer.name": "name", "project.name": "business", "project.postal_address": "postal_address"}
"""The names that our templates have, and those of the context here."""


def main(port: int, count: int) -> None:
    """Queue and send so many mails."""
    words = json.load(sys.stdin)
    for ours, theirs in SIGNS.items():
        words = {name: text.replace(ours, theirs) for name, text in words.items()}
    with TemporaryDirectory(prefix="post-office-") as folder:
        _configure(Path(folder), port)
        queueing, sending = _measured(words, count)
    print(json.dumps({"queueing": queueing, "sending": sending, "version": version("django-post-office")}))


def _configure(folder: Path, port: int) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "queue.db")}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        POST_OFFICE={"BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"}, "BATCH_SIZE": 500},
        TEMPLATES=[
            {"BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates", "APP_DIRS": True},
            {"BACKEND": "django.template.backends.django.DjangoTemplates"},
        ],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def _measured(words: dict[str, str], count: int) -> tuple[float, float]:
    from post_office import mail
    from post_office.mail import send_queued
    from post_office.models import STATUS, Email, EmailTemplate

    template = EmailTemplate.objects.create(
        name="thanks", subject=words["subject"], content=words["text"], html_content=words["html"]
    )
    known = {"business": "Benchmark", "postal_address": "Sample Street 1, 10000 Anytown"}
    start = perf_counter()
    mail.send_many(
        {
            "recipients": [f"c{number}@example.com"],
            "sender": "Corner Bakery <hello@example.com>",
            "template": template,
            "context": {**known, "name": f"Zoë {number}"},
        }
        for number in range(count)
    )
    queued = perf_counter()
    while send_queued(processes=1)[0]:
        pass
    done = perf_counter()
    sent = Email.objects.filter(status=STATUS.sent).count()
    if sent != count:
        message = f"{sent} of {count} mails were sent"
        raise RuntimeError(message)
    return queued - start, done - queued


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
