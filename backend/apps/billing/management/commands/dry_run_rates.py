"""`manage.py dry_run_rates <version> [--from] [--to]`: a past period at the prices of a version. Changes nothing."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from apps.billing.services.dry_run import Change, dry_run_rates, last_month
from apps.common import clock
from apps.common.errors import DomainError
from apps.common.money import format_dollars
from apps.common.tenancy import SystemScope, system_scope
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Rate the use of a plan's customers again by a version of its prices. Without days: the last month."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", type=UUID, help="The id of the version, from its page in the admin.")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="First day (UTC).")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="Last day (UTC), inclusive.")

    @system_scope(SystemScope.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        since, before = last_month(now=clock.now())
        if options["first"]:
            since = _midnight(options["first"])
        if options["last"]:
            before = _midnight(options["last"] + timedelta(days=1))
        try:
            run = dry_run_rates(version_id=options["version"], since=since, before=before)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{run.version}, {run.since:%Y-%m-%d} until {run.before:%Y-%m-%d}")
        for part in (run.total, *run.models, *run.tenants):
            self.stdout.write(_show(part))
        for part in run.unpriced:
            self.stdout.write(f"WITHOUT A PRICE {part.label}: {part.unpriced} uses")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _show(part: Change) -> str:
    now, then, difference, margin = (
        format_dollars(amount)
        for amount in (part.now_micros, part.then_micros, part.difference_micros, part.margin_then_micros)
    )
    return f"{part.label}: {part.events} uses, now ${now}, then ${then}, difference {difference}, margin then {margin}"
