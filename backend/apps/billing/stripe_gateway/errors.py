"""What a call to Stripe can end in, beside an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from apps.billing.payment_types import PaymentUnavailable, UnknownPayment
from apps.common.errors import Invalid


class Refused(Exception):
    """A definite no: nothing was done, and asking the same again changes nothing.

    `decline_code` is the bank's word on a card; `payment_intent_id` names the payment that was declined, if any.
    """

    def __init__(self, *, code: str, decline_code: str = "", message: str = "", payment_intent_id: str = "") -> None:
        super().__init__(f"{code} {decline_code}".strip())
        self.code = code
        self.decline_code = decline_code
        self.message = message
        self.payment_intent_id = payment_intent_id


class Ambiguous(PaymentUnavailable):
    """Nobody knows whether it was done: look for it later, or ask again with the same key and never with another."""


class Missing(UnknownPayment):
    """Stripe has no object of this id."""


class BadSignature(Invalid):
    """A message that does not come from Stripe, or comes from it and cannot be read."""

    code = "bad_signature"
    message = "This message is not signed as it should be."


@contextmanager
def translated() -> Iterator[None]:
    """Turns the SDK's errors, and answers that make no sense, into ours."""
    try:
        yield
    except stripe.StripeError as error:
        raise _translate(error) from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        # Whatever was asked for may well have happened: only its answer is of no use.
        raise Ambiguous from error


def _translate(error: stripe.StripeError) -> Refused | Ambiguous | Missing:
    # A key that was used for another request (400), a key in use (409), a wrong API key (401, 403), too many requests
    # (429), Stripe's own failures (5xx, also when replayed for the key) and no answer at all say nothing about what
    # happened under the key that we sent.
    if isinstance(error, stripe.InvalidRequestError) and error.http_status == 404:
        return Missing()
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        return _refusal(error)
    return Ambiguous()


def _refusal(error: stripe.StripeError) -> Refused:
    body: Any = error.json_body
    details = body.get("error", {}) if isinstance(body, dict) else {}
    intent = details.get("payment_intent") or {}
    return Refused(
        code=str(details.get("code") or "invalid_request"),
        decline_code=str(details.get("decline_code") or ""),
        message=str(details.get("message") or "")[:500],
        payment_intent_id=str(intent.get("id") or "") if isinstance(intent, dict) else str(intent),
    )
