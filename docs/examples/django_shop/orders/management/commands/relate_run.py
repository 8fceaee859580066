"""``python manage.py relate_run``, once a day."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from orders.models import Order
from orders.recording import interactions
from per_use import open_project
from relationship_core import Interaction, RejectedError, RelationshipError, Relationships


class Command(BaseCommand):
    """Records the orders of the last days, and runs the project."""

    help = "Record recent orders; review, plan and deliver."

    def add_arguments(self, parser: Any) -> None:
        """How far to look back: further than the longest time in which the command did not run."""
        parser.add_argument("--days", type=int, default=30)

    def handle(self, *_: Any, days: int, **__: Any) -> None:
        """Do it; a failure is one sentence and exit status 1, and running it again goes on from there."""
        recent = Order.objects.filter(at__gte=now() - timedelta(days=days)).iterator()
        try:
            with open_project() as project:
                new, ran = self._record(project, interactions(recent)), project.run()
        except RelationshipError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{new} recorded, {ran.delivered.accepted} messages accepted")

    def _record(self, project: Relationships, orders: list[Interaction]) -> int:
        """How many were new; one that is refused, such as of somebody who was forgotten, holds up no other."""
        try:
            return project.record(orders).new
        except RejectedError:
            new = 0
        for order in orders:
            try:
                new += project.record([order]).new
            except RejectedError as error:
                self.stderr.write(f"order {order.id}: {error}")
        return new
