"""Books what Stripe lists and we have missed."""

from typing import Any

from django.core.management.base import CommandError

from apps.billing.payment_types import PaymentsNotSetUp, PaymentUnavailable
from apps.billing.services.payments.reconciling import reconcile
from apps.common import clock
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Take in every payment, refund, dispute and invoice that Stripe lists. Fails when something does not fit."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = reconcile(clock=clock.now)
        except (PaymentsNotSetUp, PaymentUnavailable) as error:
            raise CommandError(error.text) from error
        for kind, count in result.seen.items():
            self.stdout.write(f"{kind}: {count}")
        if not result.is_ok:
            raise CommandError("\n".join(result.problems))
