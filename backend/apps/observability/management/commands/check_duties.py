"""`manage.py check_duties`: whether every periodic duty was done in its time. For monitoring: exit code 1 when not."""

from typing import Any

from django.core.management.base import CommandError

from apps.common import clock
from apps.observability.commands import AuditedCommand
from apps.observability.heartbeats import list_late_duties


class Command(AuditedCommand):
    help = "Says which periodic duties are overdue."

    def handle(self, *args: Any, **options: Any) -> None:
        if late := list_late_duties(now=clock.now()):
            raise CommandError(f"Overdue: {', '.join(late)}")
        self.stdout.write("Every duty was done in its time.")
