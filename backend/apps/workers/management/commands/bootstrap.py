"""`manage.py bootstrap`: prepares a fresh database. Running it again changes nothing and says so."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from apps.billing.services.seed import publish_example_rate_cards
from apps.common import clock
from apps.common.errors import Invalid
from apps.common.tenancy import SystemScope, system_scope
from apps.observability.commands import AuditedCommand
from apps.orchestration.bootstrap import AdminResult, ensure_admin
from apps.workers.beat_rows import install_schedule


class Command(AuditedCommand):
    help = "Makes the first member of staff, the example rate cards and the schedule of periodic tasks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--admin-username", default="admin")
        parser.add_argument("--admin-email", default="admin@example.org")
        parser.add_argument(
            "--admin-password-file",
            type=Path,
            required=True,
            help="Holds the password; made with a random one, readable by you alone, when it does not exist.",
        )

    @system_scope(SystemScope.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        now, path = clock.now(), options["admin_password_file"]
        try:
            with transaction.atomic():
                admin = ensure_admin(
                    username=options["admin_username"], email=options["admin_email"], password_file=path, now=now
                )
                cards = publish_example_rate_cards(now=now)
                duties = install_schedule(now=now)
        except Invalid as error:
            raise CommandError(f"{error} {error.fields}") from error
        self._report(admin, options["admin_username"], path, cards, duties)

    def _report(self, admin: AdminResult, username: str, path: Path, cards: int, duties: int) -> None:
        if admin.is_created:
            origin = "a generated password, in" if admin.is_password_generated else "the password in"
            self.stdout.write(f"Made {username} with {origin} {path}")
        if cards:
            self.stdout.write(f"Published {cards} example rate cards")
        if duties:
            self.stdout.write(f"Scheduled {duties} periodic tasks")
        if not (admin.is_created or cards or duties):
            self.stdout.write("Everything was there already: nothing changed")
