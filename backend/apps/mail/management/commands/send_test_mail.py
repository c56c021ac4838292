"""`manage.py send_test_mail ADDRESS`: does mail leave at all? Goes the way of every mail, and waits for the answer."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import SystemScope, system_scope
from apps.mail.kinds import CHECK
from apps.mail.registry import get_kind
from apps.mail.rendering import render_mail
from apps.mail.transport import NotSent, Transport, make_message_id
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Send one mail at once and say what the mail server answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address")

    @system_scope(SystemScope.COMMAND)
    def handle(self, *args: Any, address: str, **options: Any) -> None:
        mail_id = uuid7()
        try:
            with Transport() as transport:
                transport.send(mail_id=mail_id, to=address, mail=render_mail(get_kind(CHECK), {}))
        except NotSent as error:
            raise CommandError(f"The mail did not go out. {error}") from error
        self.stdout.write(f"{clock.now():%H:%M:%S} UTC: accepted as {make_message_id(mail_id=mail_id)}")
