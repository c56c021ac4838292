"""Moving sealed secrets to a new key, so that an old one can be thrown away."""

from uuid import UUID

from django.db import transaction

from apps.mfa.models import TotpDevice
from apps.mfa.services.sealing import reseal


def reseal_devices() -> int:
    """Seals the secrets of all authenticator apps with the first key. Returns how many; raises SealBroken."""
    ids: list[UUID] = list(TotpDevice.objects.order_by("id").values_list("id", flat=True))
    return sum(_reseal(device_id) for device_id in ids)


@transaction.atomic
def _reseal(device_id: UUID) -> bool:
    device = TotpDevice.objects.select_for_update().filter(id=device_id).first()
    if device is None:
        return False
    device.secret = reseal(device.secret) if device.secret else ""
    device.pending_secret = reseal(device.pending_secret) if device.pending_secret else ""
    device.save(update_fields=["secret", "pending_secret"])
    return True
