"""`manage.py send_mails`: sends what is due now, as the worker does each few seconds."""

from typing import Any

from apps.common import clock
from apps.common.tenancy import SystemScope, system_scope
from apps.mail.delivery import deliver_due
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Send the mails that are due."

    @system_scope(SystemScope.MAIL)
    def handle(self, *args: Any, **options: Any) -> None:
        done = deliver_due(clock=clock.now)
        self.stdout.write(
            f"{done.sent} sent, {done.deferred} to be tried again, {done.failed} failed, {done.dropped} dropped"
        )
