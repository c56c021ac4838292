"""What things cost: a card a plan, dated versions of it, and their lines."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Mod

from apps.billing.models import rules
from apps.billing.types import MAX_UNIT_PRICE_MICROS, Meter, PlanTier, TokenClass, VersionState
from apps.common.ids import uuid7

# A price per unit is an exact number of micros per million tokens or less, so every sum is exact in 1/1,000,000.
UNIT_SCALE = 1_000_000


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class RateCard(models.Model):
    """The prices of one plan."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.CharField(max_length=16, choices=PlanTier.choices, unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(plan__in=PlanTier.values), name="billing_card_plan")]

    def __str__(self) -> str:
        return self.name


class RateCardVersion(models.Model):
    """The prices of a card from one instant to another (half-open; no end means in force until a successor).

    A draft may change; a published version is frozen but for being given an end, once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="versions")
    card_id: UUID
    number = models.PositiveIntegerField(editable=False)
    state = models.CharField(max_length=16, choices=VersionState.choices, default=VersionState.DRAFT, editable=False)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_to = models.DateTimeField(null=True, blank=True, editable=False)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["card", "number"], name="billing_version_number"),
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="billing_version_state"),
            models.CheckConstraint(
                condition=Q(state=VersionState.DRAFT, published_at__isnull=True, valid_to__isnull=True)
                | Q(state=VersionState.PUBLISHED, published_at__isnull=False, valid_from__isnull=False),
                name="billing_version_published",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="billing_version_period"
            ),
            ExclusionConstraint(
                name="billing_version_no_overlap",
                expressions=[
                    ("card", RangeOperators.EQUAL),
                    (TsTzRange("valid_from", "valid_to", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(state=VersionState.PUBLISHED),
            ),
        ]
        triggers = [rules.check_version_change()]

    def __str__(self) -> str:
        return f"{self.card.name} v{self.number}"

    def is_in_force(self, at: datetime) -> bool:
        """Whether a call that starts at `at` is priced by this version."""
        return (
            self.state == VersionState.PUBLISHED
            and self.valid_from is not None
            and self.valid_from <= at
            and (self.valid_to is None or at < self.valid_to)
        )


class RateLineItem(models.Model):
    """The price of one class of one meter, for a model or for all whose names begin alike (`gpt-4o*`).

    `price_micros` is what the customer pays for `unit_size` units, `provider_cost_micros` what the provider asks.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(RateCardVersion, on_delete=models.CASCADE, related_name="lines")
    version_id: UUID
    meter = models.CharField(max_length=40, choices=Meter.choices, default=Meter.LLM_TOKENS)
    model_pattern = models.CharField(max_length=120)
    token_class = models.CharField(max_length=16, choices=TokenClass.choices, blank=True)
    unit_size = models.BigIntegerField(default=UNIT_SCALE, validators=[MinValueValidator(1)])
    price_micros = models.BigIntegerField()
    provider_cost_micros = models.BigIntegerField()
    is_free = models.BooleanField(default=False)
    is_essential = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "meter", "model_pattern", "token_class"], name="billing_line_unique"
            ),
            models.CheckConstraint(condition=Q(meter__in=Meter.values), name="billing_line_meter"),
            models.CheckConstraint(condition=Q(token_class__in=TokenClass.values), name="billing_line_class"),
            models.CheckConstraint(
                condition=Q(model_pattern__regex=r"^([^*]+\*?|\*)$"),
                name="billing_line_pattern",
                violation_error_message="Name a model, or the beginning of one with a star at its end.",
            ),
            models.CheckConstraint(condition=Q(unit_size__gt=0), name="billing_line_unit_size"),
            models.CheckConstraint(
                condition=models.expressions.ExpressionWrapper(
                    models.lookups.Exact(Mod(Value(UNIT_SCALE), F("unit_size")), Value(0)),
                    output_field=models.BooleanField(),
                ),
                name="billing_line_unit_divides",
                violation_error_message="The unit must divide one million, so that prices stay exact.",
            ),
            models.CheckConstraint(
                condition=Q(is_free=True, price_micros=0) | Q(is_free=False, price_micros__gt=0),
                name="billing_line_free_says_so",
                violation_error_message="A line without a price must say that it is free, one with a price must not.",
            ),
            models.CheckConstraint(
                condition=Q(price_micros__gte=0, price_micros__lte=F("unit_size") * MAX_UNIT_PRICE_MICROS),
                name="billing_line_price",
                violation_error_message="The price must lie between zero and ten cents for each single unit.",
            ),
            models.CheckConstraint(
                condition=Q(
                    provider_cost_micros__gte=0, provider_cost_micros__lte=F("unit_size") * MAX_UNIT_PRICE_MICROS
                ),
                name="billing_line_provider",
                violation_error_message="The provider's cost must lie between zero and ten cents for each single unit.",
            ),
        ]
        triggers = [rules.check_line_change()]

    def __str__(self) -> str:
        return f"{self.model_pattern} {self.token_class}".strip()
