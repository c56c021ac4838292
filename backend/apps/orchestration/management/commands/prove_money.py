"""`manage.py prove_money`: proves the eight rules of the money, and exits with 1 when one does not hold."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.billing.services.proof import SWEEP_GRACE, Invariant
from apps.common import clock
from apps.observability.commands import AuditedCommand
from apps.orchestration.services.proving import STRIPE_GRACE, prove_money


class Command(AuditedCommand):
    help = "Prove that every rule of the money holds; the result is kept and shown in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--grace-seconds",
            type=int,
            help="how long a hold may outlast its lease, and a payment be on its way from Stripe (default: hours)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        grace = options["grace_seconds"]
        findings = prove_money(
            now=clock.now(),
            sweep_grace=SWEEP_GRACE if grace is None else timedelta(seconds=grace),
            stripe_grace=STRIPE_GRACE if grace is None else timedelta(seconds=grace),
        )
        for what in findings.skipped:
            self.stderr.write(f"NOT PROVED. {what}.")
        problems = findings.problems
        for invariant in Invariant:
            first = next((problem.text for problem in problems if problem.invariant == invariant), None)
            verdict = "holds" if first is None else f"BROKEN, first in {first}"
            self.stdout.write(f"{invariant.value}. {invariant.label}: {verdict}")
        if problems:
            raise CommandError(f"The money is broken in {len(problems)} places. First: {problems[0]}")
        books = f"{findings.accounts} accounts, {findings.entries} entries, {findings.events} usage events"
        self.stdout.write(f"The money holds: {books}, {findings.payments} payments, {findings.calls} model calls.")
