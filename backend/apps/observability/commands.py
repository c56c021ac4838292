"""The base of our management commands: what they do is on record as done by a command, under one id for each run."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.common.ids import uuid7
from apps.observability.context import bind_origin, bind_request, clear_request
from apps.observability.types import Origin


class AuditedCommand(BaseCommand):
    """A command whose rows and log lines carry its origin and the id of the run."""

    def execute(self, *args: Any, **options: Any) -> Any:
        """As Django does, within the context of this run."""
        bind_request(request_id=str(uuid7()), address=None)
        try:
            with bind_origin(Origin.COMMAND):
                return super().execute(*args, **options)
        finally:
            clear_request()
