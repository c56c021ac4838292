"""The customer's side: billing profile, reserve account and the holds on it."""

from typing import Final
from uuid import UUID

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.billing.models import rules
from apps.billing.types import HoldState, Meter, PlanTier, Policy, ReserveNotice
from apps.common.db import micros_range
from apps.common.ids import uuid7
from apps.common.money import CURRENCY
from apps.common.tenancy import TenantOwned

_ENDED: Final = pgtrigger.UpdateOf("state")  # type: ignore[no-untyped-call]
_OPENED_OR_ENDED: Final = pgtrigger.Insert | _ENDED


class BillingProfile(TenantOwned):
    """What a customer has subscribed to, and where their bills go. One a tenant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.CharField(max_length=16, choices=PlanTier.choices, default=PlanTier.FREE)
    stripe_customer_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    billing_email = models.EmailField(max_length=254, blank=True)
    # What stands on receipts and invoices, as the customer wants it.
    billing_name = models.CharField(max_length=200, blank=True)
    billing_address = models.CharField(max_length=500, blank=True)
    tax_id = models.CharField(max_length=64, blank=True)
    # The plan's subscription, as Stripe last described it.
    stripe_subscription_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    subscription_status = models.CharField(max_length=32, blank=True)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    cancels_at_period_end = models.BooleanField(default=False)
    # The saved card. The fingerprint tells the same card that was removed and saved again.
    payment_method_id = models.CharField(max_length=255, blank=True)
    card_brand = models.CharField(max_length=32, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    card_exp_month = models.PositiveSmallIntegerField(null=True, blank=True)
    card_exp_year = models.PositiveSmallIntegerField(null=True, blank=True)
    card_fingerprint = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="billing_profile_tenant"),
            models.CheckConstraint(condition=Q(plan__in=PlanTier.values), name="billing_profile_plan"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} of {self.tenant_id}"


class ReserveAccount(TenantOwned):
    """A customer's prepaid money. One a tenant; its row is the lock under which everything about it happens.

    Amounts are micro-dollars. The three head columns repeat the last ledger entry and `held_micros` the sum of the open
    holds; the database compares them at each commit.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    currency = models.CharField(max_length=3, default=CURRENCY)
    balance_micros = models.BigIntegerField(default=0)
    held_micros = models.BigIntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    last_hash = models.CharField(max_length=64)
    low_balance_threshold_micros = models.BigIntegerField()
    policy = models.CharField(max_length=16, choices=Policy.choices)
    floor_micros = models.BigIntegerField()
    # A payment was taken back below zero: nothing may be spent until the balance is back at zero.
    is_stopped = models.BooleanField(default=False)
    # Set by staff: the customer's owner can no longer choose another policy.
    is_policy_fixed = models.BooleanField(default=False)
    # The worst level that the customer was told about since the balance was last sufficient.
    told_level = models.CharField(max_length=16, choices=ReserveNotice.choices, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="billing_account_tenant"),
            models.CheckConstraint(condition=Q(currency=CURRENCY), name="billing_account_currency"),
            models.CheckConstraint(condition=Q(policy__in=Policy.values), name="billing_account_policy"),
            models.CheckConstraint(condition=Q(last_seq__gte=0), name="billing_account_seq"),
            models.CheckConstraint(condition=Q(floor_micros__lte=0), name="billing_account_floor"),
            models.CheckConstraint(
                condition=Q(is_stopped=False) | Q(balance_micros__lt=0), name="billing_account_stopped"
            ),
            micros_range("balance_micros", name="billing_account_balance"),
            micros_range("held_micros", name="billing_account_held", minimum=0),
            micros_range("low_balance_threshold_micros", name="billing_account_threshold", minimum=0),
            micros_range("floor_micros", name="billing_account_floor_range"),
        ]
        indexes = [
            # Those that the watch over low reserves has to read: few, however many customers there are.
            models.Index(
                fields=["id"],
                condition=Q(balance_micros__lt=F("low_balance_threshold_micros"))
                | Q(balance_micros__lte=0)
                | ~Q(told_level=""),
                name="billing_account_watched",
            )
        ]
        triggers = [
            rules.check_account(column="id", operation=pgtrigger.Insert | pgtrigger.Update),
            *rules.never_removed(),
        ]

    def __str__(self) -> str:
        return f"reserve of {self.tenant_id}"


class ReserveHold(TenantOwned):
    """Money set aside for one call until its price is known. Ends once: settled, released or expired."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Neither tenant nor account needs an index of its own: unique keys begin with each.
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(ReserveAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id: UUID
    job_id = models.UUIDField()
    call_id = models.UUIDField()
    operation_key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    meter = models.CharField(max_length=40, choices=Meter.choices)
    model = models.CharField(max_length=120)
    # The prices in force when the call was planned: settlement uses them, whatever is published in between.
    rate_version = models.ForeignKey("billing.RateCardVersion", on_delete=models.PROTECT, related_name="+")
    rate_version_id: UUID
    amount_micros = models.BigIntegerField()
    provider_at_most_micros = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=HoldState.choices, default=HoldState.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "operation_key"], name="billing_hold_operation"),
            models.UniqueConstraint(fields=["tenant", "call_id"], name="billing_hold_call"),
            models.CheckConstraint(condition=Q(state__in=HoldState.values), name="billing_hold_state"),
            models.CheckConstraint(condition=Q(meter__in=Meter.values), name="billing_hold_meter"),
            models.CheckConstraint(
                condition=Q(state=HoldState.OPEN, closed_at__isnull=True)
                | (~Q(state=HoldState.OPEN) & Q(closed_at__isnull=False)),
                name="billing_hold_closed",
            ),
            micros_range("amount_micros", name="billing_hold_amount", minimum=0),
            micros_range("provider_at_most_micros", name="billing_hold_provider", minimum=0),
        ]
        indexes = [
            models.Index(
                fields=["account"], include=["amount_micros"], condition=Q(state="open"), name="billing_hold_open"
            ),
            models.Index(fields=["expires_at", "id"], condition=Q(state="open"), name="billing_hold_overdue"),
            models.Index(F("tenant"), F("job_id"), name="billing_hold_job"),
        ]
        triggers = [
            rules.check_new_hold(),
            rules.check_settled_at_once(),
            rules.check_hold_change(),
            rules.check_account(column="account_id", operation=_ENDED),
            # A hold that begins settled was never part of what the account counts.
            rules.check_account(
                column="account_id",
                operation=pgtrigger.Insert,
                name="check_account_new",
                condition=pgtrigger.Q(new__state="open"),
            ),
            rules.check_hold_outcome(column="id", operation=_OPENED_OR_ENDED),
            *rules.never_removed(),
        ]

    def __str__(self) -> str:
        return f"{self.state} hold {self.operation_key}"
