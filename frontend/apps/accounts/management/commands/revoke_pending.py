"""`manage.py revoke_pending`: send the token revocations that wait for the backend."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts import services
from apps.accounts.models import PendingRevocation


class Command(BaseCommand):
    help = "Send the token revocations that wait for the backend. Safe to run at any time, from cron for example."

    def handle(self, *args: Any, **options: Any) -> None:
        done = services.revoke_pending()
        self.stdout.write(f"{done} revoked, {PendingRevocation.objects.count()} still waiting")
