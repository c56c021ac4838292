"""The mails of this app: each tells one thing about money in plain words, and leads to one page."""

from collections.abc import Mapping
from typing import Any, Final

from apps.mail.links import frontend_link
from apps.mail.registry import register

RESERVE_LOW: Final = "reserve_low"
RESERVE_EMPTY: Final = "reserve_empty"
RESERVE_STOPPED: Final = "reserve_stopped"
AUTO_TOPUP_MADE: Final = "auto_topup_made"
AUTO_TOPUP_DECLINED: Final = "auto_topup_declined"
AUTO_TOPUP_SUSPENDED: Final = "auto_topup_suspended"
AUTO_TOPUP_NEEDS_CUSTOMER: Final = "auto_topup_needs_customer"
REFUND_MADE: Final = "refund_made"
DISPUTE_OPENED: Final = "dispute_opened"


def register_mails() -> None:
    """Makes the kinds of this app known. Called once, when the app is ready."""
    person = {"username": "ada", "tenant": "Acme"}
    reserve = {**person, "available": "$0.87", "balance": "$1.20", "threshold": "$5.00", "is_automatic": False}
    charge = {**person, "amount": "$20.00", "card": "Visa ending in 4242", "balance": "$21.20"}
    decline = {**charge, "why": "The bank said: insufficient funds."}
    register(
        kind=RESERVE_LOW,
        subject="Your AfterResume reserve is running low: {{ available }}",
        enrich=_to_topup,
        sample=reserve,
    )
    register(
        kind=RESERVE_EMPTY,
        subject="Your AfterResume reserve is used up",
        enrich=_to_topup,
        sample={**reserve, "available": "$0.00", "may_owe": True, "floor": "-$5.00"},
    )
    register(
        kind=RESERVE_STOPPED,
        subject="Work at AfterResume has stopped: your reserve stands at {{ balance }}",
        enrich=_to_topup,
        sample={**reserve, "balance": "-$5.00", "available": "-$5.00", "is_clawback": False},
    )
    register(
        kind=AUTO_TOPUP_MADE, subject="Your reserve was topped up by {{ amount }}", enrich=_to_payments, sample=charge
    )
    register(
        kind=AUTO_TOPUP_DECLINED,
        subject="Your card was declined for an automatic top-up",
        enrich=_to_settings,
        sample={**decline, "again_at": "23 November 2026, 10:00 UTC"},
    )
    register(
        kind=AUTO_TOPUP_SUSPENDED,
        subject="Automatic top-ups have stopped",
        enrich=_to_settings,
        sample={**decline, "declines": 3},
    )
    register(
        kind=AUTO_TOPUP_NEEDS_CUSTOMER,
        subject="Your bank asks you to confirm a top-up",
        enrich=_to_settings,
        sample=charge,
    )
    register(
        kind=REFUND_MADE,
        subject="A refund of {{ amount }} is on its way",
        enrich=_to_payments,
        sample={**charge, "reason": "Paid twice by mistake"},
    )
    register(
        kind=DISPUTE_OPENED,
        subject="A payment of yours is disputed",
        enrich=_to_payments,
        sample={**charge, "paid_on": "3 November 2026"},
    )


def _to_topup(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"link": frontend_link("billing", "topup")}


def _to_settings(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"link": frontend_link("billing", "settings")}


def _to_payments(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"link": frontend_link("billing", "payments")}
