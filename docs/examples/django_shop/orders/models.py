"""What the shop sold."""

from django.db import models
from django.utils.timezone import now


class Order(models.Model):
    """One order of one customer."""

    customer = models.CharField(max_length=100)
    cents = models.PositiveIntegerField()
    at = models.DateTimeField(default=now)
