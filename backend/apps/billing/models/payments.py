"""Money from and back to the customer's card, as our side knows it, and what the payment provider has told us."""

from uuid import UUID

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.billing.models import payment_rules, rules
from apps.billing.models.reserve import ReserveAccount
from apps.billing.payment_types import (
    UNFINISHED,
    AutoTopupState,
    DisputeState,
    DocumentKind,
    PaymentKind,
    PaymentState,
    RefundState,
    StripeEventState,
)
from apps.common.db import append_only, micros_range
from apps.common.ids import uuid7
from apps.common.money import CURRENCY
from apps.common.tenancy import TenantOwned


class PaymentAttempt(TenantOwned):
    """One wish to be paid: a Checkout session or a charge of the saved card. Committed before Stripe is asked.

    Its id is the idempotency key and stands in Stripe's metadata, so an unknown outcome is resolved by looking for it.
    `look_at` is when the janitor asks Stripe again; none when there is nothing left to learn.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(ReserveAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id: UUID
    kind = models.CharField(max_length=16, choices=PaymentKind.choices)
    state = models.CharField(max_length=16, choices=PaymentState.choices, default=PaymentState.CREATED)
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3, default=CURRENCY)
    # The client's key of the request that asked for it: the same request finds the same attempt.
    request_key = models.CharField(max_length=255)
    stripe_session_id = models.CharField(max_length=255, unique=True, null=True)  # noqa: DJ001 - absent is not empty
    stripe_payment_intent_id = models.CharField(max_length=255, unique=True, null=True)  # noqa: DJ001
    checkout_url = models.URLField(max_length=2000, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    card_brand = models.CharField(max_length=32, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    card_fingerprint = models.CharField(max_length=255, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_by_id: UUID | None
    looks = models.PositiveIntegerField(default=0)
    look_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "request_key"], name="billing_attempt_request"),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(kind=PaymentKind.AUTOMATIC, state__in=UNFINISHED),
                name="billing_attempt_one_automatic",
            ),
            models.CheckConstraint(condition=Q(kind__in=PaymentKind.values), name="billing_attempt_kind"),
            models.CheckConstraint(condition=Q(state__in=PaymentState.values), name="billing_attempt_state"),
            models.CheckConstraint(condition=Q(currency=CURRENCY), name="billing_attempt_currency"),
            models.CheckConstraint(
                condition=~Q(state=PaymentState.SUCCEEDED) | Q(stripe_payment_intent_id__isnull=False),
                name="billing_attempt_paid_by",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, closed_at__isnull=True)
                | (~Q(state__in=UNFINISHED) & Q(closed_at__isnull=False)),
                name="billing_attempt_closed",
            ),
            micros_range("amount_micros", name="billing_attempt_amount", minimum=1),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="billing_attempt_page"),
            models.Index(fields=["look_at", "id"], condition=Q(look_at__isnull=False), name="billing_attempt_due"),
        ]
        triggers = [
            payment_rules.check_attempt_change(),
            payment_rules.check_automatic_attempt(),
            payment_rules.check_attempt_paid(),
            *rules.never_removed(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state} {self.amount_micros}"


class AutoTopup(TenantOwned):
    """How a reserve fills itself up from the saved card: the owner's settings, and where the machine stands.

    Everything about it is decided under the account's lock. `failed_fingerprint` is the card that was declined: saving
    the same card again does not make it good.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.OneToOneField(ReserveAccount, on_delete=models.PROTECT, related_name="+")
    account_id: UUID
    is_on = models.BooleanField(default=False)
    threshold_micros = models.BigIntegerField(default=5_000_000)
    amount_micros = models.BigIntegerField(default=20_000_000)
    monthly_cap_micros = models.BigIntegerField(default=100_000_000)
    state = models.CharField(max_length=16, choices=AutoTopupState.choices, default=AutoTopupState.IDLE)
    declines = models.PositiveIntegerField(default=0)
    last_decline_code = models.CharField(max_length=64, blank=True)
    failed_fingerprint = models.CharField(max_length=255, blank=True)
    cooling_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="billing_auto_tenant"),
            models.CheckConstraint(condition=Q(state__in=AutoTopupState.values), name="billing_auto_state"),
            models.CheckConstraint(
                condition=Q(monthly_cap_micros__gte=models.F("amount_micros")), name="billing_auto_cap"
            ),
            micros_range("threshold_micros", name="billing_auto_threshold", minimum=0),
            micros_range("amount_micros", name="billing_auto_amount", minimum=1),
            micros_range("monthly_cap_micros", name="billing_auto_cap_range", minimum=1),
        ]
        indexes = [models.Index(fields=["account"], condition=Q(is_on=True), name="billing_auto_on")]
        triggers = rules.never_removed()

    def __str__(self) -> str:
        return f"automatic top-up {self.state} of {self.tenant_id}"


class PaymentRefund(TenantOwned):
    """Money given back for a payment. Committed before Stripe is asked; `clawed_back_micros` left the reserve."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="refunds")
    attempt_id: UUID
    stripe_refund_id = models.CharField(max_length=255, unique=True, null=True)  # noqa: DJ001
    state = models.CharField(max_length=16, choices=RefundState.choices, default=RefundState.CREATED)
    amount_micros = models.BigIntegerField()
    clawed_back_micros = models.BigIntegerField(default=0)
    request_key = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_by_id: UUID | None
    looks = models.PositiveIntegerField(default=0)
    look_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["attempt", "request_key"], condition=~Q(request_key=""), name="billing_refund_request"
            ),
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="billing_refund_state"),
            models.CheckConstraint(
                condition=Q(clawed_back_micros__gte=0, clawed_back_micros__lte=models.F("amount_micros")),
                name="billing_refund_clawed",
            ),
            micros_range("amount_micros", name="billing_refund_amount", minimum=1),
        ]
        indexes = [
            models.Index(fields=["look_at", "id"], condition=Q(look_at__isnull=False), name="billing_refund_due")
        ]
        triggers = [
            payment_rules.check_clawbacks(column="attempt_id", operation=pgtrigger.Insert | pgtrigger.Update),
            *rules.never_removed(),
        ]

    def __str__(self) -> str:
        return f"refund {self.state} {self.amount_micros}"


class PaymentDispute(TenantOwned):
    """A payment that the card's holder disputes at their bank: the money goes, and comes back or does not."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="disputes")
    attempt_id: UUID
    stripe_dispute_id = models.CharField(max_length=255, unique=True)
    state = models.CharField(max_length=16, choices=DisputeState.choices, default=DisputeState.OPENED)
    stripe_status = models.CharField(max_length=64)
    reason = models.CharField(max_length=64, blank=True)
    amount_micros = models.BigIntegerField()
    clawed_back_micros = models.BigIntegerField(default=0)
    evidence_due_by = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DisputeState.values), name="billing_dispute_state"),
            models.CheckConstraint(
                condition=Q(clawed_back_micros__gte=0, clawed_back_micros__lte=models.F("amount_micros")),
                name="billing_dispute_clawed",
            ),
            micros_range("amount_micros", name="billing_dispute_amount", minimum=1),
        ]
        triggers = [
            payment_rules.check_clawbacks(column="attempt_id", operation=pgtrigger.Insert | pgtrigger.Update),
            *rules.never_removed(),
        ]

    def __str__(self) -> str:
        return f"dispute {self.state} {self.amount_micros}"


class StripeEvent(models.Model):
    """The inbox of Stripe's messages: stored once by their id, worked once, tried again until they are done.

    Belongs to no customer: whose it is says our own row of the object that it names. The payload is for people who look
    for a mistake; the worker fetches the object anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    livemode = models.BooleanField()
    object_id = models.CharField(max_length=255, blank=True)
    payload = models.JSONField()
    state = models.CharField(max_length=16, choices=StripeEventState.choices, default=StripeEventState.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=StripeEventState.values), name="billing_stripe_state")
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="billing_stripe_due"),
            models.Index(fields=["-received_at"], name="billing_stripe_received"),
            models.Index(fields=["object_id"], name="billing_stripe_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class PaymentWatermark(models.Model):
    """Up to when the reconciliation has read what Stripe lists. One row a kind of object."""

    kind = models.CharField(primary_key=True, max_length=32)
    read_until = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} until {self.read_until:%Y-%m-%d %H:%M}"


class DocumentSeries(models.Model):
    """The last number given out of a series. Its row is the lock under which the next one is taken."""

    prefix = models.CharField(primary_key=True, max_length=8)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "document series"
        triggers = [*payment_rules.check_series(), *rules.never_removed()]

    def __str__(self) -> str:
        return f"{self.prefix}-{self.last_number}"


class BillingDocument(TenantOwned):
    """A receipt, credit note or invoice: numbered without gaps within its series, and frozen as it was issued.

    `subject` is what it is about (the Stripe id of the payment, refund or invoice): one document each. `content` has
    all that its page shows; the PDF is set from it anew each time.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    series = models.CharField(max_length=8)
    number = models.BigIntegerField()
    subject = models.CharField(max_length=255)
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3, default=CURRENCY)
    content = models.JSONField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "number"], name="billing_document_number"),
            models.UniqueConstraint(fields=["kind", "subject"], name="billing_document_subject"),
            models.CheckConstraint(condition=Q(kind__in=DocumentKind.values), name="billing_document_kind"),
            micros_range("amount_micros", name="billing_document_amount", minimum=0),
        ]
        indexes = [models.Index(fields=["tenant", "-id"], name="billing_document_page")]
        triggers = [payment_rules.check_document_number(), *append_only(blankable=("content",))]

    def __str__(self) -> str:
        return f"{self.series}-{self.number:06d}"
