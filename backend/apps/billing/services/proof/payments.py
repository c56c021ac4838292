"""Payments, refunds, disputes and automatic top-ups against the ledger: each rule is one statement, one snapshot."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection

from apps.billing.models import PaymentAttempt
from apps.billing.services.proof.findings import Findings, Invariant, Problem

_FIRST: Final = 20

_PAID_WITHOUT_ENTRY: Final = """
    SELECT a.id, a.amount_micros, count(e.id), coalesce(sum(e.amount_micros), 0)
    FROM billing_paymentattempt a
    LEFT JOIN billing_reserveledgerentry e ON e.payment_intent_id = a.stripe_payment_intent_id
        AND e.account_id = a.account_id
        AND e.kind = CASE a.kind WHEN 'automatic' THEN 'auto_topup' ELSE 'topup' END
    WHERE a.state = 'succeeded'
    GROUP BY a.id HAVING count(e.id) <> 1 OR sum(e.amount_micros) <> a.amount_micros
    ORDER BY a.id LIMIT %s
"""

_ENTRY_WITHOUT_PAID: Final = """
    SELECT e.id, e.seq, e.account_id FROM billing_reserveledgerentry e
    LEFT JOIN billing_paymentattempt a ON a.stripe_payment_intent_id = e.payment_intent_id
        AND a.account_id = e.account_id AND a.state = 'succeeded' AND a.amount_micros = e.amount_micros
        AND e.kind = CASE a.kind WHEN 'automatic' THEN 'auto_topup' ELSE 'topup' END
    WHERE e.kind IN ('topup', 'auto_topup') AND a.id IS NULL
    ORDER BY e.id LIMIT %s
"""

# `due` is what should be out of the reserve for the payment, `claimed` what its rows say that they took, `booked` what
# the ledger says.
_CLAWBACKS: Final = """
    SELECT * FROM (
        SELECT a.id, CASE a.state WHEN 'succeeded' THEN a.amount_micros ELSE 0 END AS paid,
            (SELECT coalesce(sum(r.amount_micros), 0) FROM billing_paymentrefund r
                WHERE r.attempt_id = a.id AND r.state IN ('pending', 'succeeded') AND r.stripe_refund_id IS NOT NULL)
            + (SELECT coalesce(sum(d.amount_micros), 0) FROM billing_paymentdispute d
                WHERE d.attempt_id = a.id AND d.state IN ('withdrawn', 'lost')) AS wanted,
            (SELECT coalesce(sum(r.clawed_back_micros), 0) FROM billing_paymentrefund r
                WHERE r.attempt_id = a.id AND r.state <> 'failed')
            + (SELECT coalesce(sum(d.clawed_back_micros), 0) FROM billing_paymentdispute d
                WHERE d.attempt_id = a.id AND d.state <> 'reinstated') AS claimed,
            (SELECT coalesce(-sum(e.amount_micros), 0) FROM billing_reserveledgerentry e
                WHERE e.refund_id IN (SELECT stripe_refund_id FROM billing_paymentrefund WHERE attempt_id = a.id)
                OR e.dispute_id IN (SELECT stripe_dispute_id FROM billing_paymentdispute WHERE attempt_id = a.id)
            ) AS booked
        FROM billing_paymentattempt a
        WHERE EXISTS (SELECT 1 FROM billing_paymentrefund r WHERE r.attempt_id = a.id)
            OR EXISTS (SELECT 1 FROM billing_paymentdispute d WHERE d.attempt_id = a.id)
    ) payment
    WHERE booked <> least(paid, wanted) OR claimed <> booked OR booked > paid OR booked < 0
    ORDER BY id LIMIT %s
"""

_CLAWBACK_OF_NOTHING: Final = """
    SELECT e.id, e.kind, e.account_id, e.seq FROM billing_reserveledgerentry e
    WHERE (e.kind IN ('refund', 'refund_reversed') AND NOT EXISTS (
            SELECT 1 FROM billing_paymentrefund r JOIN billing_paymentattempt a ON a.id = r.attempt_id
            WHERE r.stripe_refund_id = e.refund_id AND a.account_id = e.account_id))
        OR (e.kind IN ('dispute_withdrawn', 'dispute_reinstated') AND NOT EXISTS (
            SELECT 1 FROM billing_paymentdispute d JOIN billing_paymentattempt a ON a.id = d.attempt_id
            WHERE d.stripe_dispute_id = e.dispute_id AND a.account_id = e.account_id))
    ORDER BY e.id LIMIT %s
"""

_TWO_OPEN: Final = """
    SELECT account_id, count(*) FROM billing_paymentattempt
    WHERE kind = 'automatic' AND state IN ('created', 'open', 'ambiguous', 'needs_customer')
    GROUP BY account_id HAVING count(*) > 1 ORDER BY account_id LIMIT %s
"""

# The cap may be lowered during a month: then the greatest one that was in force counts, which the audit remembers.
_ABOVE_CAP: Final = """
    SELECT t.account_id, m.spent, m.month FROM billing_autotopup t
    JOIN (
        SELECT account_id, date_trunc('month', created_at AT TIME ZONE 'UTC') AS month, sum(amount_micros) AS spent
        FROM billing_paymentattempt WHERE kind = 'automatic' AND state NOT IN ('failed', 'canceled')
        GROUP BY 1, 2
    ) m ON m.account_id = t.account_id
    WHERE m.spent > greatest(t.monthly_cap_micros, (
        SELECT max(greatest((l.before ->> 'monthly_cap_micros')::numeric, (l.after ->> 'monthly_cap_micros')::numeric))
        FROM billing_billingauditlog l WHERE l.tenant_id = t.tenant_id AND l.at AT TIME ZONE 'UTC' >= m.month
            AND (l.before ? 'monthly_cap_micros' OR l.after ? 'monthly_cap_micros')))
    ORDER BY t.account_id LIMIT %s
"""

_AFTER_BREAKER: Final = """
    SELECT a.id, t.account_id FROM billing_autotopup t
    JOIN billing_paymentattempt a ON a.account_id = t.account_id AND a.kind = 'automatic'
    WHERE t.state = 'suspended' AND (a.created_at > t.updated_at
        OR a.state IN ('created', 'open', 'ambiguous', 'needs_customer'))
    ORDER BY a.id LIMIT %s
"""

_RULES: Final = (
    (Invariant.PAYMENTS, _PAID_WITHOUT_ENTRY, "payment {}: {} was paid, {} entries credit {}"),
    (Invariant.PAYMENTS, _ENTRY_WITHOUT_PAID, "entry {}: number {} of account {} credits no payment of its amount"),
    (
        Invariant.CLAWBACKS,
        _CLAWBACKS,
        "payment {}: of {} paid {} were wanted back, its rows say that {} were taken, the ledger says {}",
    ),
    (Invariant.CLAWBACKS, _CLAWBACK_OF_NOTHING, "entry {}: a {} of account {}, number {}, without its row"),
    (Invariant.AUTOMATIC, _TWO_OPEN, "account {}: {} automatic payments are open at once"),
    (Invariant.AUTOMATIC, _ABOVE_CAP, "account {}: {} were charged automatically in the month of {}, above the cap"),
    (Invariant.AUTOMATIC, _AFTER_BREAKER, "payment {}: began or stayed open after account {} was suspended"),
)


def check_payments(findings: Findings) -> Iterator[Problem]:
    """Rules 3, 4 and 8, in our own rows."""
    findings.payments = PaymentAttempt.objects.count()
    for invariant, statement, text in _RULES:
        for row in _list_rows(statement):
            yield Problem(invariant, text.format(*row))


def _list_rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [_FIRST])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return [tuple(f"{cell:%Y-%m}" if isinstance(cell, datetime) else cell for cell in row) for row in rows]
