"""Shapes of metered use: one by one, in groups, and why it cost what it did."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import Field

from apps.api.billing.serializers import UsageEventSerializer
from apps.api.days import begin_of, end_of
from apps.billing.cost_types import CostGrouping, UsageFilter, UsageGrouping
from apps.billing.models import UsageEvent
from apps.billing.selectors_costs import explain_cost
from apps.billing.types import Meter, TokenClass


class UsageQuerySerializer(serializers.Serializer[Any]):
    """What use is meant; both days are inclusive, in the person's time zone."""

    model = serializers.CharField(max_length=120, required=False)
    meter = serializers.ChoiceField(choices=Meter.choices, required=False)
    job = serializers.UUIDField(required=False)
    group_by = serializers.ChoiceField(
        choices=UsageGrouping.choices, required=False, help_text="Sums in groups, in place of the list."
    )

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        # `from` is a word of Python, so it cannot be an attribute.
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **days}

    def read_filter(self, *, zone: str) -> tuple[UsageFilter, UsageGrouping | None]:
        """The filter as the selectors take it, and what to group by."""
        self.is_valid(raise_exception=True)
        fields = self.validated_data
        job: UUID | None = fields.get("job")
        wanted = UsageFilter(
            since=begin_of(fields.get("from"), zone=zone),
            before=end_of(fields.get("to"), zone=zone),
            model=fields.get("model"),
            meter=Meter(fields["meter"]) if "meter" in fields else None,
            job_id=job,
        )
        return wanted, UsageGrouping(fields["group_by"]) if "group_by" in fields else None


class UsageSumSerializer(serializers.Serializer[Any]):
    """`not_charged_micros` lay above what had been set aside, and was not charged."""

    cost_micros = serializers.IntegerField()
    not_charged_micros = serializers.IntegerField()
    events = serializers.IntegerField()
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()


class UsageGroupSerializer(UsageSumSerializer):
    """`key` is a day, a name or an id; empty for what belongs to none."""

    key = serializers.CharField(allow_blank=True)
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's own word


class UsageGroupsSerializer(serializers.Serializer[Any]):
    """Groups that add up to the total, to the micro."""

    groups = UsageGroupSerializer(many=True)
    total = UsageSumSerializer()


class UsagePageSerializer(serializers.Serializer[Any]):
    """A page of the list."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = UsageEventSerializer(many=True)


class ChargeSerializer(serializers.Serializer[Any]):
    """quantity x price / unit size, exact: a fraction in lowest terms."""

    token_class = serializers.ChoiceField(choices=TokenClass.choices, allow_blank=True)
    quantity = serializers.IntegerField()
    unit_size = serializers.IntegerField()
    price_micros = serializers.IntegerField()
    exact = serializers.CharField()


class CostReasonSerializer(serializers.Serializer[Any]):
    """The cost reckoned again from what is stored. `ledger_seq` is the movement that took it."""

    explanation = serializers.CharField()
    charges = ChargeSerializer(many=True)
    exact = serializers.CharField()
    recomputed_micros = serializers.IntegerField()
    matches = serializers.BooleanField()
    rate_card = serializers.CharField()
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_to = serializers.DateTimeField(allow_null=True)
    ledger_seq = serializers.IntegerField(allow_null=True)


class UsageDetailSerializer(UsageEventSerializer):
    """One use, and why it cost what it did."""

    why = serializers.SerializerMethodField()
    not_charged_micros = serializers.IntegerField(source="excess_micros")

    class Meta(UsageEventSerializer.Meta):
        fields = [*UsageEventSerializer.Meta.fields, "not_charged_micros", "why"]

    @extend_schema_field(CostReasonSerializer)
    def get_why(self, event: UsageEvent) -> dict[str, Any]:
        return dict(CostReasonSerializer(explain_cost(event)).data)


class CostQuerySerializer(serializers.Serializer[Any]):
    """What staff sum prices and costs by; both days are inclusive, in UTC."""

    group_by = serializers.ChoiceField(choices=CostGrouping.choices, default=CostGrouping.TENANT.value)

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **days}

    def read_filters(self) -> dict[str, Any]:
        """The filters as `group_costs` takes them."""
        self.is_valid(raise_exception=True)
        fields = self.validated_data
        return {
            "group_by": CostGrouping(fields["group_by"]),
            "since": begin_of(fields.get("from"), zone="UTC"),
            "before": end_of(fields.get("to"), zone="UTC"),
        }


class CostSumSerializer(serializers.Serializer[Any]):
    """margin = price - provider cost - loss."""

    events = serializers.IntegerField()
    price_micros = serializers.IntegerField()
    provider_cost_micros = serializers.IntegerField()
    loss_micros = serializers.IntegerField()
    not_charged_micros = serializers.IntegerField()
    margin_micros = serializers.IntegerField()


class CostGroupSerializer(CostSumSerializer):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's own word


class CostGroupsSerializer(serializers.Serializer[Any]):
    groups = CostGroupSerializer(many=True)
    total = CostSumSerializer()
