"""Changing prices: a draft is cloned, edited, and published for an instant to come."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from apps.billing.models import RateCard, RateCardVersion, RateLineItem
from apps.billing.services.audit import record_change
from apps.billing.types import (
    REQUIRED_CLASSES,
    VERSION_STATES,
    Meter,
    PlanTier,
    TokenClass,
    VersionIncomplete,
    VersionNotDraft,
    VersionState,
)


@transaction.atomic
def create_draft(*, plan: PlanTier, lines: Sequence[RateLineItem], note: str, now: datetime) -> RateCardVersion:
    """A new draft of the plan's card (which is made when missing) with the given unsaved lines."""
    RateCard.objects.bulk_create([RateCard(plan=plan, name=plan.label)], ignore_conflicts=True)
    card = RateCard.objects.select_for_update().get(plan=plan)
    version = RateCardVersion.objects.create(card=card, number=_next_number(card), note=note, created_at=now)
    for line in lines:
        line.version = version
    RateLineItem.objects.bulk_create(lines)
    return version


@transaction.atomic
def clone_version(*, version_id: UUID, now: datetime) -> RateCardVersion:
    """A draft with the same lines, to be changed and published later."""
    source = RateCardVersion.objects.select_related("card").get(pk=version_id)
    copies = [
        RateLineItem(
            meter=line.meter,
            model_pattern=line.model_pattern,
            token_class=line.token_class,
            unit_size=line.unit_size,
            price_micros=line.price_micros,
            provider_cost_micros=line.provider_cost_micros,
            is_free=line.is_free,
            is_essential=line.is_essential,
        )
        for line in source.lines.order_by("id")
    ]
    return create_draft(plan=PlanTier(source.card.plan), lines=copies, note=f"Copy of {source}", now=now)


@transaction.atomic
def publish_version(
    *, actor: UUID | None, version_id: UUID, now: datetime, valid_from: datetime | None = None
) -> RateCardVersion:
    """Puts a draft into force from `valid_from` (default: now) and ends its predecessor there.

    Prices are never changed backwards: a call already made keeps the version of its time. Raises VersionNotDraft,
    VersionIncomplete.
    """
    card_id = RateCardVersion.objects.values_list("card_id", flat=True).get(pk=version_id)
    # Publishing waits its turn a card, so that two versions cannot both follow the same predecessor.
    RateCard.objects.select_for_update().get(pk=card_id)
    version = RateCardVersion.objects.select_related("card").get(pk=version_id)
    start = valid_from or now
    check_can_publish(version, start=start, now=now)
    RateCardVersion.objects.filter(card_id=card_id, state=VersionState.PUBLISHED, valid_to__isnull=True).update(
        valid_to=start
    )
    version.state, version.valid_from = VersionState.PUBLISHED, start
    version.published_at, version.published_by_id = now, actor
    version.save(update_fields=["state", "valid_from", "published_at", "published_by"])
    record_change(
        tenant=None,
        actor=actor,
        action="rate_card.published",
        target_kind="rate_card_version",
        target_id=version.id,
        after={"version": str(version), "valid_from": start.isoformat()},
        now=now,
    )
    return version


def check_can_publish(version: RateCardVersion, *, start: datetime, now: datetime) -> None:
    """Raises with the reason when the version cannot come into force at `start`."""
    if not VERSION_STATES.allows(VersionState(version.state), VersionState.PUBLISHED):
        raise VersionNotDraft
    if start < now:
        raise VersionIncomplete("Prices cannot be changed for a time that has passed.")
    newest = RateCardVersion.objects.filter(card_id=version.card_id, state=VersionState.PUBLISHED).aggregate(
        start=Max("valid_from")
    )["start"]
    if newest is not None and newest >= start:
        raise VersionIncomplete(f"Another version is already published from {newest:%Y-%m-%d %H:%M} UTC.")
    check_lines_complete(version)


def check_lines_complete(version: RateCardVersion) -> None:
    """Raises VersionIncomplete unless each model pattern has a price for input and for output, and nothing else odd.

    A meter that counts no tokens knows no models either: its one line stands under `*`, without a class.
    """
    classes: dict[tuple[Meter, str], set[TokenClass]] = defaultdict(set)
    for meter, pattern, token_class in version.lines.values_list("meter", "model_pattern", "token_class"):
        classes[Meter(meter), pattern].add(TokenClass(token_class))
    if not classes:
        raise VersionIncomplete("A version needs at least one line.")
    for (meter, pattern), present in sorted(classes.items()):
        if meter is Meter.LLM_TOKENS and TokenClass.QUANTITY in present:
            raise VersionIncomplete(f"{pattern} counts tokens: each of its lines needs a class.")
        if meter is not Meter.LLM_TOKENS and (pattern != "*" or present != {TokenClass.QUANTITY}):
            raise VersionIncomplete(f"{meter.label} are counted whole: one line for the model *, without a class.")
        if not REQUIRED_CLASSES[meter] <= present:
            raise VersionIncomplete(f"{pattern} needs a line for input and one for output.")


def _next_number(card: RateCard) -> int:
    highest = RateCardVersion.objects.filter(card=card).aggregate(number=Max("number"))["number"]
    return (highest or 0) + 1
