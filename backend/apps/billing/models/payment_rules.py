"""Rules of payments that PostgreSQL itself holds, as trigger functions; see apps.billing.models.rules."""

from typing import Final

import pgtrigger

from apps.billing.payment_types import PAYMENT_STATES, PaymentState

_CHANGEABLE: Final = (
    "state,stripe_session_id,stripe_payment_intent_id,checkout_url,failure_code,failure_message,"
    "card_brand,card_last4,card_fingerprint,looks,look_at,updated_at,closed_at"
)
_MOVES: Final = ", ".join(
    f"('{before.value}','{after.value}')"
    for before in PaymentState
    for after in PaymentState
    if PAYMENT_STATES.allows(before, after)
)

_CHECK_ATTEMPT_CHANGE: Final = f"""
    IF to_jsonb(NEW) - '{{{_CHANGEABLE}}}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{{{_CHANGEABLE}}}'::text[] THEN
        RAISE EXCEPTION 'payment: what was asked for does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({_MOVES}) THEN
        RAISE EXCEPTION 'payment: % does not become %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF (OLD.stripe_session_id IS NOT NULL AND NEW.stripe_session_id IS DISTINCT FROM OLD.stripe_session_id)
        OR (OLD.stripe_payment_intent_id IS NOT NULL
            AND NEW.stripe_payment_intent_id IS DISTINCT FROM OLD.stripe_payment_intent_id) THEN
        RAISE EXCEPTION 'payment: it keeps the Stripe object that it has' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

# A month is a calendar month in UTC. What was declined or given up took nothing and does not count.
_CHECK_AUTOMATIC: Final = """
    SELECT * INTO auto FROM billing_autotopup WHERE account_id = NEW.account_id;
    IF NOT FOUND OR NOT auto.is_on OR auto.state IN ('suspended', 'needs_customer') THEN
        RAISE EXCEPTION 'payment: no automatic top-up may be tried' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(amount_micros), 0) INTO spent FROM billing_paymentattempt
    WHERE account_id = NEW.account_id AND kind = 'automatic' AND state NOT IN ('failed', 'canceled')
        AND created_at >= date_trunc('month', NEW.created_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    IF spent + NEW.amount_micros > auto.monthly_cap_micros THEN
        RAISE EXCEPTION 'payment: beyond the monthly cap' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

# Every succeeded payment is exactly one entry of equal amount, and the reverse.
_CHECK_PAID: Final = """
    SELECT count(*) INTO entries FROM billing_reserveledgerentry
    WHERE payment_intent_id = NEW.stripe_payment_intent_id AND account_id = NEW.account_id
        AND amount_micros = NEW.amount_micros
        AND kind = CASE NEW.kind WHEN 'automatic' THEN 'auto_topup' ELSE 'topup' END;
    IF entries <> 1 THEN
        RAISE EXCEPTION 'payment: % is paid and has % entries', NEW.id, entries USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

_CHECK_PAYMENT_ENTRY: Final = """
    IF NEW.kind IN ('topup', 'auto_topup') THEN
        IF NOT EXISTS (
            SELECT 1 FROM billing_paymentattempt
            WHERE stripe_payment_intent_id = NEW.payment_intent_id AND account_id = NEW.account_id
                AND amount_micros = NEW.amount_micros AND state = 'succeeded'
                AND NEW.kind = CASE kind WHEN 'automatic' THEN 'auto_topup' ELSE 'topup' END
        ) THEN
            RAISE EXCEPTION 'ledger: entry % is not a payment of ours', NEW.id USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.kind IN ('refund', 'refund_reversed') THEN
        IF NOT EXISTS (
            SELECT 1 FROM billing_paymentrefund refund
            JOIN billing_paymentattempt attempt ON attempt.id = refund.attempt_id
            WHERE refund.stripe_refund_id = NEW.refund_id AND attempt.account_id = NEW.account_id
                AND refund.clawed_back_micros = abs(NEW.amount_micros)
                AND (NEW.kind = 'refund' OR refund.state = 'failed')
        ) THEN
            RAISE EXCEPTION 'ledger: entry % is not a refund of ours', NEW.id USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NOT EXISTS (
        SELECT 1 FROM billing_paymentdispute dispute
        JOIN billing_paymentattempt attempt ON attempt.id = dispute.attempt_id
        WHERE dispute.stripe_dispute_id = NEW.dispute_id AND attempt.account_id = NEW.account_id
            AND dispute.clawed_back_micros = abs(NEW.amount_micros)
            AND (NEW.kind = 'dispute_withdrawn' OR dispute.state = 'reinstated')
    ) THEN
        RAISE EXCEPTION 'ledger: entry % is not a dispute of ours', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

# What refunds and disputes took from a payment and did not give back is in the ledger, and never more than the payment.
_CHECK_CLAWBACKS: Final = """
    SELECT amount_micros INTO paid FROM billing_paymentattempt WHERE id = NEW.%s AND state = 'succeeded';
    SELECT coalesce(sum(clawed_back_micros) FILTER (WHERE state <> 'failed'), 0) INTO claimed
    FROM billing_paymentrefund WHERE attempt_id = NEW.%s;
    SELECT claimed + coalesce(sum(clawed_back_micros) FILTER (WHERE state <> 'reinstated'), 0) INTO claimed
    FROM billing_paymentdispute WHERE attempt_id = NEW.%s;
    IF claimed > coalesce(paid, 0) THEN
        RAISE EXCEPTION 'payment: % was taken back of %', claimed, coalesce(paid, 0) USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(-sum(amount_micros), 0) INTO booked FROM billing_reserveledgerentry entry
    WHERE entry.refund_id IN (SELECT stripe_refund_id FROM billing_paymentrefund WHERE attempt_id = NEW.%s)
        OR entry.dispute_id IN (SELECT stripe_dispute_id FROM billing_paymentdispute WHERE attempt_id = NEW.%s);
    IF booked <> claimed THEN
        RAISE EXCEPTION 'payment: % was taken back, the ledger says %', claimed, booked
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

# A customer's rows are all that a customer's transaction sees, so the count is kept in a row of its own.
_CHECK_DOCUMENT_NUMBER: Final = """
    IF NEW.number IS DISTINCT FROM (SELECT last_number FROM billing_documentseries WHERE prefix = NEW.series) THEN
        RAISE EXCEPTION 'document: % is not the next number of %', NEW.number, NEW.series
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

_CHECK_SERIES: Final = """
    IF (TG_OP = 'INSERT' AND NEW.last_number <> 0)
        OR (TG_OP = 'UPDATE' AND (NEW.prefix <> OLD.prefix OR NEW.last_number <> OLD.last_number + 1)) THEN
        RAISE EXCEPTION 'document: a series counts one by one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""

_CHECK_NUMBER_USED: Final = """
    IF NOT EXISTS (
        SELECT 1 FROM billing_billingdocument WHERE series = NEW.prefix AND number = NEW.last_number
    ) THEN
        RAISE EXCEPTION 'document: number % of % is on no document', NEW.last_number, NEW.prefix
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


def check_attempt_change() -> pgtrigger.Trigger:
    """What was asked for stays; the state moves as its table says; Stripe's ids are set once."""
    return pgtrigger.Trigger(
        name="check_change", when=pgtrigger.Before, operation=pgtrigger.Update, func=_CHECK_ATTEMPT_CHANGE
    )


def check_automatic_attempt() -> pgtrigger.Trigger:
    """An automatic charge needs the owner's wish, a machine that is not stopped, and room below the monthly cap."""
    return pgtrigger.Trigger(
        name="check_automatic",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__kind="automatic"),
        declare=[("auto", "billing_autotopup%ROWTYPE"), ("spent", "numeric")],
        func=_CHECK_AUTOMATIC,
    )


def check_attempt_paid() -> pgtrigger.Trigger:
    """At commit a succeeded payment has its entry."""
    return pgtrigger.Trigger(
        name="check_paid",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="succeeded"),
        declare=[("entries", "bigint")],
        func=_CHECK_PAID,
    )


def check_payment_entry() -> pgtrigger.Trigger:
    """At commit an entry of a payment, refund or dispute has that row of ours, with its amount."""
    return pgtrigger.Trigger(
        name="check_payment",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(
            new__kind__in=[
                "topup",
                "auto_topup",
                "refund",
                "refund_reversed",
                "dispute_withdrawn",
                "dispute_reinstated",
            ]
        ),
        func=_CHECK_PAYMENT_ENTRY,
    )


def check_clawbacks(*, column: str, operation: pgtrigger.Operation | pgtrigger.Operations) -> pgtrigger.Trigger:
    """At commit what was taken back of the payment in `column` is within it and equals the ledger."""
    return pgtrigger.Trigger(
        name="check_clawbacks",
        when=pgtrigger.After,
        operation=operation,
        timing=pgtrigger.Deferred,
        declare=[("paid", "bigint"), ("claimed", "numeric"), ("booked", "numeric")],
        func=_CHECK_CLAWBACKS.replace("NEW.%s", f"NEW.{column}"),
    )


def check_document_number() -> pgtrigger.Trigger:
    """Numbers of a series follow each other without a gap."""
    return pgtrigger.Trigger(
        name="check_number", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_CHECK_DOCUMENT_NUMBER
    )


def check_series() -> list[pgtrigger.Trigger]:
    """A series begins at zero, counts one by one, and at commit each number taken is on a document."""
    return [
        pgtrigger.Trigger(
            name="check_count",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update,
            func=_CHECK_SERIES,
        ),
        pgtrigger.Trigger(
            name="check_used",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            timing=pgtrigger.Deferred,
            func=_CHECK_NUMBER_USED,
        ),
    ]
