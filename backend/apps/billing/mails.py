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


_PERSON: Final = {"username": "ada", "tenant": "Acme"}
_RESERVE: Final = {**_PERSON, "available": "$0.87", "balance": "$1.20", "threshold": "$5.00", "is_automatic": False}
_CHARGE: Final = {**_PERSON, "amount": "$20.00", "card": "Visa ending in 4242", "balance": "$21.20"}
_DECLINE: Final = {**_CHARGE, "why": "The bank said: insufficient funds."}


def register_mails() -> None:
    """Makes the kinds of this app known. Called once, when the app is ready."""
    _register_reserve()
    _register_top_ups()
    _register_money_back()


def _register_reserve() -> None:
    used_up = {**_RESERVE, "available": "$0.00", "balance": "$0.00"}
    stopped = {**_RESERVE, "available": "-$5.00", "balance": "-$5.00"}
    register(
        kind=RESERVE_LOW,
        subject="Your AfterResume reserve is running low: {{ available }}",
        enrich=_to_topup,
        sample=_RESERVE,
    )
    register(
        kind=RESERVE_EMPTY,
        subject="Your AfterResume reserve is used up",
        enrich=_to_topup,
        sample={**used_up, "may_owe": True, "floor": "-$5.00"},
    )
    register(
        kind=RESERVE_STOPPED,
        subject="Work at AfterResume has stopped: your reserve stands at {{ balance }}",
        enrich=_to_topup,
        sample={**stopped, "is_clawback": False},
    )


def _register_top_ups() -> None:
    register(
        kind=AUTO_TOPUP_MADE, subject="Your reserve was topped up by {{ amount }}", enrich=_to_payments, sample=_CHARGE
    )
    register(
        kind=AUTO_TOPUP_DECLINED,
        subject="Your card was declined for an automatic top-up",
        enrich=_to_settings,
        sample={**_DECLINE, "again_at": "23 November 2026, 10:00 UTC"},
    )
    register(
        kind=AUTO_TOPUP_SUSPENDED,
        subject="Automatic top-ups have stopped",
        enrich=_to_settings,
        sample={**_DECLINE, "declines": 3},
    )
    register(
        kind=AUTO_TOPUP_NEEDS_CUSTOMER,
        subject="Your bank asks you to confirm a top-up",
        enrich=_to_settings,
        sample=_CHARGE,
    )


def _register_money_back() -> None:
    register(
        kind=REFUND_MADE,
        subject="A refund of {{ amount }} is on its way",
        enrich=_to_payments,
        sample=_CHARGE,
    )
    register(
        kind=DISPUTE_OPENED,
        subject="A payment of yours is disputed",
        enrich=_to_payments,
        sample={**_CHARGE, "paid_on": "3 November 2026"},
    )


def _to_topup(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"link": frontend_link("billing", "topup")}


def _to_settings(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"link": frontend_link("billing", "settings")}


def _to_payments(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"link": frontend_link("billing", "payments")}
