"""`manage.py create_passkey`: an invite passkey from the command line."""

from argparse import ArgumentParser
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.core.management.base import CommandError

from apps.common import clock
from apps.common.errors import Invalid
from apps.common.money import MICROS_PER_DOLLAR, format_dollars
from apps.common.tenancy import SystemScope, system_scope
from apps.invitations.services import PasskeyMadeAlready, create_passkey
from apps.observability.commands import AuditedCommand

# A century: nothing sensible lies beyond it, and the calendar ends there for a timedelta sooner or later.
_MAX_DAYS: Final = 36_500
_MAX_KEY_LENGTH: Final = 120


def read_dollars(text: str) -> int:
    """Micro-dollars from a plain decimal number such as `5.00`; raises CommandError on anything else."""
    try:
        micros = Decimal(text) * MICROS_PER_DOLLAR
    except InvalidOperation:
        raise CommandError(f"{text!r} is no amount of dollars such as 5.00.") from None
    if not micros.is_finite() or micros != micros.to_integral_value():
        raise CommandError(f"{text!r} is no amount of dollars such as 5.00.")
    return int(micros)


class Command(AuditedCommand):
    help = "Makes an invite passkey and prints it. It is shown this once: only its digest is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--note", default="", help="What it is for; staff see it.")
        parser.add_argument("--promo-credit", default="0", help="Dollars for the newcomer's reserve, such as 5.00.")
        parser.add_argument("--expires-days", type=int, default=None, help="How many days it stays good.")
        parser.add_argument("--bound-email", default="", help="The only address that may use it.")
        parser.add_argument("--key", default="", help="A name for this act: run twice with it, it makes one passkey.")
        parser.add_argument("--raw", action="store_true", help="Print the key alone.")

    @system_scope(SystemScope.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        now, days = clock.now(), options["expires_days"]
        if days is not None and not 1 <= days <= _MAX_DAYS:
            raise CommandError(f"--expires-days takes a number from 1 to {_MAX_DAYS}.")
        if len(options["key"]) > _MAX_KEY_LENGTH:
            raise CommandError(f"--key takes at most {_MAX_KEY_LENGTH} characters.")
        try:
            view, raw = create_passkey(
                actor=None,
                note=options["note"],
                expires_at=None if days is None else now + timedelta(days=days),
                bound_email=options["bound_email"],
                promo_credit_micros=read_dollars(options["promo_credit"]),
                operation_key=options["key"],
                now=now,
            )
        except PasskeyMadeAlready as error:
            # Not a failure: what was asked for is there.
            self.stderr.write(error.text)
            return
        except Invalid as error:
            raise CommandError(" ".join(text for texts in error.fields.values() for text in texts)) from error
        if options["raw"]:
            self.stdout.write(raw)
            return
        until = f"{view.expires_at:%Y-%m-%d %H:%M} UTC" if view.expires_at else "used or revoked"
        self.stdout.write(f"Invite passkey: {raw}")
        self.stdout.write(f"Credit: ${format_dollars(view.promo_credit_micros)}; good until {until}")
