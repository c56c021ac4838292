"""`manage.py reset_second_factor`: for somebody who has lost all factors and cannot ask another member of staff."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.accounts.selectors import find_user
from apps.common import clock
from apps.common.tenancy import SystemScope, system_scope
from apps.mfa.services.resets import reset_factors
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Takes every second factor of a person away and ends their sessions. They set up a new one after signing in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="Why; kept in the audit.")

    @system_scope(SystemScope.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        username, reason = options["username"], options["reason"].strip()
        if not reason:
            raise CommandError("--reason says why, for whoever reads the audit.")
        user = find_user(username=username)
        if user is None:
            raise CommandError(f"Nobody is called {username!r}.")
        if reset_factors(actor=None, user_id=user.id, reason=reason[:500], now=clock.now()):
            self.stdout.write(f"{user.username} has no second factor any more, and all of their sessions have ended.")
        else:
            self.stdout.write(f"{user.username} had no second factor: nothing changed.")
