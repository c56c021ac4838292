"""The ledger: what moved, in which order, and that nobody changed it since."""

from typing import Any
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.billing.models import payment_rules, rules
from apps.billing.models.reserve import ReserveAccount, ReserveHold
from apps.billing.types import (
    CLAWBACKS,
    CREDITS,
    DEBITS,
    REFERENCE_COLUMNS,
    REFERENCES_OF_KIND,
    TOPUPS,
    DisputePhase,
    EntryKind,
)
from apps.common.db import append_only, micros_range
from apps.common.ids import uuid7
from apps.common.money import CURRENCY
from apps.common.tenancy import TenantOwned


def _kind_has_its_reference() -> Q:
    """Each kind fills exactly the reference columns that REFERENCES_OF_KIND names."""
    condition = Q()
    for kind, columns in REFERENCES_OF_KIND.items():
        filled: dict[str, Any] = {f"{column}__isnull": column not in columns for column in REFERENCE_COLUMNS}
        condition |= Q(kind=kind.value, **filled)
    return condition


class ReserveLedgerEntry(TenantOwned):
    """One movement of a reserve, in micro-dollars. Append-only: a mistake is corrected by a counter-entry.

    `hash` covers every other column and the previous entry's hash. Exactly the reference columns that fit the kind are
    filled, and each thing referred to moves money once. Its foreign keys have no index of their own where a unique key
    or a list's index begins alike: this is the table that is written most.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(ReserveAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id: UUID
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=24, choices=EntryKind.choices)
    amount_micros = models.BigIntegerField()
    balance_after_micros = models.BigIntegerField()
    # The account's floor at that moment, so that the rule can be proved long after it was changed.
    floor_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3, default=CURRENCY)
    idempotency_key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    payment_intent_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent is not an empty id
    refund_id = models.CharField(max_length=255, null=True)  # noqa: DJ001
    dispute_id = models.CharField(max_length=255, null=True)  # noqa: DJ001
    dispute_phase = models.CharField(max_length=16, choices=DisputePhase.choices, null=True)  # noqa: DJ001
    hold = models.ForeignKey(ReserveHold, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    hold_id: UUID | None
    promo_source = models.UUIDField(null=True)
    adjustment = models.ForeignKey(
        "billing.BillingAuditLog", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    adjustment_id: UUID | None
    expired_entry = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    expired_entry_id: UUID | None
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_id: UUID | None
    description = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "reserve ledger entries"
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="billing_entry_seq"),
            models.UniqueConstraint(fields=["account", "idempotency_key"], name="billing_entry_key"),
            models.UniqueConstraint(
                fields=["payment_intent_id"], condition=Q(kind__in=TOPUPS), name="billing_entry_payment"
            ),
            models.UniqueConstraint(
                fields=["refund_id", "kind"], condition=Q(refund_id__isnull=False), name="billing_entry_refund"
            ),
            models.UniqueConstraint(
                fields=["dispute_id", "dispute_phase"],
                condition=Q(dispute_id__isnull=False),
                name="billing_entry_dispute",
            ),
            models.UniqueConstraint(fields=["hold"], condition=Q(kind=EntryKind.USAGE), name="billing_entry_hold"),
            models.UniqueConstraint(
                fields=["promo_source"], condition=Q(promo_source__isnull=False), name="billing_entry_promo"
            ),
            models.UniqueConstraint(
                fields=["adjustment"], condition=Q(adjustment__isnull=False), name="billing_entry_adjustment"
            ),
            models.UniqueConstraint(
                fields=["expired_entry"], condition=Q(expired_entry__isnull=False), name="billing_entry_expiry"
            ),
            models.CheckConstraint(condition=Q(seq__gte=1), name="billing_entry_seq_from_one"),
            models.CheckConstraint(condition=Q(currency=CURRENCY), name="billing_entry_currency"),
            models.CheckConstraint(condition=~Q(amount_micros=0), name="billing_entry_moves"),
            models.CheckConstraint(
                condition=Q(kind__in=CREDITS, amount_micros__gt=0)
                | Q(kind__in=DEBITS, amount_micros__lt=0)
                | Q(kind=EntryKind.ADJUSTMENT),
                name="billing_entry_sign",
            ),
            models.CheckConstraint(condition=_kind_has_its_reference(), name="billing_entry_reference"),
            models.CheckConstraint(
                condition=(~Q(kind=EntryKind.DISPUTE_WITHDRAWN) | Q(dispute_phase=DisputePhase.WITHDRAWN))
                & (~Q(kind=EntryKind.DISPUTE_REINSTATED) | Q(dispute_phase=DisputePhase.REINSTATED)),
                name="billing_entry_phase",
            ),
            models.CheckConstraint(
                condition=Q(balance_after_micros__gte=models.F("floor_micros"))
                | Q(amount_micros__gt=0)
                | Q(kind__in=CLAWBACKS),
                name="billing_entry_above_floor",
            ),
            micros_range("amount_micros", name="billing_entry_amount"),
            micros_range("balance_after_micros", name="billing_entry_balance"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-seq"], name="billing_entry_page"),
            # Whether a clawback or spending took a reserve below its threshold is asked before a card is charged.
            models.Index(fields=["account", "-seq"], condition=Q(kind__in=CLAWBACKS), name="billing_entry_clawback"),
        ]
        triggers = [
            rules.check_chain(),
            rules.check_account(column="account_id", operation=pgtrigger.Insert),
            rules.check_usage_entry(),
            payment_rules.check_payment_entry(),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.seq} of {self.account_id}"


class LedgerProof(models.Model):
    """The result of one proof of the whole ledger: what was read, and the first row that did not hold."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    is_ok = models.BooleanField()
    accounts = models.BigIntegerField()
    entries = models.BigIntegerField()
    events = models.BigIntegerField()
    problems = models.BigIntegerField()
    first_broken = models.CharField(max_length=500, blank=True)
    duration_ms = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["-at"], name="billing_proof_at")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{'proved' if self.is_ok else 'broken'} {self.at:%Y-%m-%d %H:%M}"


class LedgerAnchor(TenantOwned):
    """The hash that an account's entry had when it was last proved: a later proof finds the same or says so."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(ReserveAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id: UUID
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "seq"], name="billing_anchor_seq")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"anchor {self.seq} of {self.account_id}"
