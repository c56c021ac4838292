"""`manage.py reseal_second_factors`: after a new key was put in front of MFA_SEALING_KEYS."""

from typing import Any

from django.core.management.base import CommandError

from apps.mfa.services.rotation import reseal_devices
from apps.mfa.services.sealing import SealBroken
from apps.observability.commands import AuditedCommand


class Command(AuditedCommand):
    help = "Seals the secrets of all authenticator apps with the first key; after it, the keys behind can be dropped."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = reseal_devices()
        except SealBroken as error:
            raise CommandError("A secret was sealed with a key that is no longer in MFA_SEALING_KEYS.") from error
        self.stdout.write(f"Sealed the secrets of {count} authenticator apps with the first key.")
