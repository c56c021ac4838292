"""How paid calls were booked, for whoever knows which calls there were."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from apps.billing.models import LossEntry, ReserveHold, UsageEvent
from apps.billing.types import UNMETERED_LOSSES, HoldState
from apps.common.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Booking:
    """How often a call was booked as usage, and as a loss in its place; how its hold stands, if it has one."""

    events: int = 0
    losses: int = 0
    hold: HoldState | None = None


def count_bookings(*, tenant: TenantId, call_ids: Collection[UUID]) -> dict[UUID, Booking]:
    """The bookings of each call that has a hold, an event or a loss."""
    events = UsageEvent.objects.filter(tenant_id=tenant, call_id__in=call_ids).values_list("call_id", flat=True)
    losses = LossEntry.objects.filter(tenant_id=tenant, call_id__in=call_ids, reason__in=UNMETERED_LOSSES)
    lost = list(losses.values_list("call_id", flat=True))
    used = list(events)
    held = dict(ReserveHold.objects.filter(tenant_id=tenant, call_id__in=call_ids).values_list("call_id", "state"))
    return {
        call: Booking(
            events=used.count(call),
            losses=lost.count(call),
            hold=HoldState(held[call]) if call in held else None,
        )
        for call in {*used, *lost, *held}
    }
