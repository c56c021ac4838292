"""`manage.py prove_ledger`: proves every balance, chain, hold and price, and exits with 1 when one does not hold."""

from typing import Any

from django.core.management.base import CommandError

from apps.billing.services.proof import prove_ledger
from apps.common import clock
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Prove the whole ledger; the result is kept and shown in the admin."

    def handle(self, *args: Any, **options: Any) -> None:
        proof = prove_ledger(now=clock.now())
        if not proof.is_ok:
            raise CommandError(f"The ledger is broken in {proof.problems} places. First: {proof.first_broken}")
        read = f"{proof.accounts} accounts, {proof.entries} entries, {proof.events} usage events"
        self.stdout.write(f"The ledger holds: {read}, {proof.duration_ms} ms.")
