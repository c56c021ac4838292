"""The calls that we make to Stripe, by the official SDK."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

import stripe
from django.conf import settings

from apps.billing.payment_types import PaymentsNotSetUp
from apps.billing.stripe_gateway import parameters, reading
from apps.billing.stripe_gateway.errors import Missing, translated
from apps.billing.stripe_gateway.objects import Card, Dispute, Invoice, Payment, Refund, Session, Subscription
from apps.common.db import forbid_transaction
from apps.common.tenancy import TenantId

Json = Mapping[str, Any]
Found = TypeVar("Found")

_PAGE: Final = 100
_EXPAND: Final = {"expand": ["payment_method"]}
_EXPAND_EACH: Final = ["data.payment_method"]


def get_gateway() -> "Gateway":
    """The gateway of the configured account. Raises PaymentsNotSetUp without a key."""
    if not is_set_up():
        raise PaymentsNotSetUp
    return _gateway_to(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS)


def is_set_up() -> bool:
    """Whether there is an account at Stripe at all."""
    return bool(settings.STRIPE_SECRET_KEY)


def is_live_account() -> bool:
    """Whether money is real here: Stripe's objects say of themselves which of the two they are."""
    return "_live_" in settings.STRIPE_SECRET_KEY


class Gateway:
    """One account of Stripe. Each call raises Refused, Ambiguous or Missing."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._v1: Any = client.v1

    # --- Customers ---------------------------------------------------------------------------------------------------
    def create_customer(self, *, tenant: TenantId, name: str, email: str, key: str) -> str:
        # Stripe takes an empty text for the wish to unset what was never set, and refuses it.
        known = {field: text for field, text in (("name", name), ("email", email)) if text}
        params = {**known, "metadata": {"tenant": str(tenant)}}
        return str(_call(self._v1.customers.create, params, _key(key))["id"])

    def update_customer(self, *, customer_id: str, name: str, email: str) -> None:
        _call(self._v1.customers.update, customer_id, {"name": name, "email": email})

    def get_saved_card(self, customer_id: str) -> Card | None:
        """The customer's default card, else the one that was saved last; None when there is none."""
        default = self.get_default_card(customer_id)
        if default is not None:
            return default
        listed = _call(self._v1.payment_methods.list, {"customer": customer_id, "type": "card", "limit": 1})
        return reading.read_card(listed["data"][0]) if listed["data"] else None

    def get_default_card(self, customer_id: str) -> Card | None:
        """The card that the customer has chosen to be charged, if any."""
        expand = {"expand": ["invoice_settings.default_payment_method"]}
        customer = _call(self._v1.customers.retrieve, customer_id, expand)
        return reading.read_card((customer.get("invoice_settings") or {}).get("default_payment_method"))

    def is_attached(self, payment_method_id: str) -> bool:
        """Whether a card still belongs to a customer, so that it can be charged."""
        try:
            return bool(_call(self._v1.payment_methods.retrieve, payment_method_id).get("customer"))
        except Missing:
            return False

    def create_portal_session(self, *, customer_id: str, return_url: str) -> str:
        """The address of the page where the customer changes card and subscription."""
        made = _call(self._v1.billing_portal.sessions.create, {"customer": customer_id, "return_url": return_url})
        return str(made["url"])

    # --- Checkout ----------------------------------------------------------------------------------------------------
    def create_topup_session(
        self,
        *,
        attempt_id: UUID,
        customer_id: str,
        amount_cents: int,
        saves_card: bool,
        success_url: str,
        cancel_url: str,
    ) -> Session:
        params = parameters.build_topup_session(
            attempt_id=attempt_id,
            customer_id=customer_id,
            amount_cents=amount_cents,
            saves_card=saves_card,
            success_url=success_url,
            cancel_url=cancel_url,
        )
        return _read(reading.read_session, self._v1.checkout.sessions.create, params, _key(f"attempt:{attempt_id}"))

    def create_subscription_session(
        self, *, customer_id: str, lookup_key: str, success_url: str, cancel_url: str, key: str
    ) -> Session:
        """Raises Missing when the account has no price of this lookup key."""
        prices = _call(self._v1.prices.list, {"lookup_keys": [lookup_key], "active": True, "limit": 1})["data"]
        if not prices:
            raise Missing(f"There is no price with the lookup key {lookup_key}.")
        params = parameters.build_subscription_session(
            customer_id=customer_id, price_id=prices[0]["id"], success_url=success_url, cancel_url=cancel_url
        )
        return _read(reading.read_session, self._v1.checkout.sessions.create, params, _key(key))

    def get_session(self, session_id: str) -> Session:
        return _read(reading.read_session, self._v1.checkout.sessions.retrieve, session_id)

    def expire_session(self, session_id: str) -> Session:
        """Closes the page. Refused when it has been paid or has expired by itself."""
        return _read(reading.read_session, self._v1.checkout.sessions.expire, session_id)

    def find_session(self, *, attempt_id: UUID, customer_id: str) -> Session | None:
        listed = _pages(reading.read_session, self._v1.checkout.sessions.list, {"customer": customer_id})
        return next((session for session in listed if session.attempt_id == attempt_id), None)

    # --- Payments ----------------------------------------------------------------------------------------------------
    def charge_card(self, *, attempt_id: UUID, customer_id: str, payment_method_id: str, amount_cents: int) -> Payment:
        """Charges a saved card while its owner is away. A decline is Refused with the payment's id."""
        params = parameters.build_charge(
            attempt_id=attempt_id,
            customer_id=customer_id,
            payment_method_id=payment_method_id,
            amount_cents=amount_cents,
        )
        return _read(reading.read_payment, self._v1.payment_intents.create, params, _key(f"attempt:{attempt_id}"))

    def get_payment(self, payment_intent_id: str) -> Payment:
        return _read(reading.read_payment, self._v1.payment_intents.retrieve, payment_intent_id, _EXPAND)

    def cancel_payment(self, payment_intent_id: str) -> Payment:
        """Gives a payment up that has taken no money. Refused when it has, or when it was given up before."""
        return _read(reading.read_payment, self._v1.payment_intents.cancel, payment_intent_id, _EXPAND)

    def find_payment(self, *, attempt_id: UUID, since: datetime, customer_id: str = "") -> Payment | None:
        """The payment with this attempt in its metadata, from the list: Stripe's search lags behind."""
        params = {"customer": customer_id} if customer_id else {}
        listed = self._iter_payments({**params, **_since(since)})
        return next((payment for payment in listed if payment.attempt_id == attempt_id), None)

    def get_charged_payment_id(self, charge_id: str) -> str:
        """The payment that a charge belongs to; empty when it belongs to none."""
        return str(_call(self._v1.charges.retrieve, charge_id).get("payment_intent") or "")

    def pays_invoice(self, payment_intent_id: str) -> bool:
        """Whether the payment is for an invoice (of a subscription), and so none of the reserve."""
        payment = {"type": "payment_intent", "payment_intent": payment_intent_id}
        return bool(_call(self._v1.invoice_payments.list, {"payment": payment, "limit": 1})["data"])

    def iter_payments(self, *, since: datetime) -> Iterator[Payment]:
        return self._iter_payments(_since(since))

    def _iter_payments(self, params: Mapping[str, Any]) -> Iterator[Payment]:
        return _pages(reading.read_payment, self._v1.payment_intents.list, params, expand=_EXPAND_EACH)

    # --- Money back --------------------------------------------------------------------------------------------------
    def create_refund(self, *, refund_id: UUID, payment_intent_id: str, amount_cents: int) -> Refund:
        metadata = {"refund": str(refund_id)}
        params = {"payment_intent": payment_intent_id, "amount": amount_cents, "metadata": metadata}
        return _read(reading.read_refund, self._v1.refunds.create, params, _key(f"refund:{refund_id}"))

    def get_refund(self, stripe_refund_id: str) -> Refund:
        return _read(reading.read_refund, self._v1.refunds.retrieve, stripe_refund_id)

    def list_refunds(self, payment_intent_id: str) -> list[Refund]:
        return [*_pages(reading.read_refund, self._v1.refunds.list, {"payment_intent": payment_intent_id})]

    def find_refund(self, *, refund_row_id: UUID, payment_intent_id: str) -> Refund | None:
        """The refund with this row of ours in its metadata."""
        refunds = self.list_refunds(payment_intent_id)
        return next((refund for refund in refunds if refund.refund_row_id == refund_row_id), None)

    def iter_refunds(self, *, since: datetime) -> Iterator[Refund]:
        return _pages(reading.read_refund, self._v1.refunds.list, _since(since))

    def get_dispute(self, dispute_id: str) -> Dispute:
        return _read(reading.read_dispute, self._v1.disputes.retrieve, dispute_id)

    def list_disputes(self, payment_intent_id: str) -> list[Dispute]:
        return [*_pages(reading.read_dispute, self._v1.disputes.list, {"payment_intent": payment_intent_id})]

    def iter_disputes(self, *, since: datetime) -> Iterator[Dispute]:
        return _pages(reading.read_dispute, self._v1.disputes.list, _since(since))

    # --- Subscriptions -----------------------------------------------------------------------------------------------
    def get_subscription(self, subscription_id: str) -> Subscription:
        return _read(reading.read_subscription, self._v1.subscriptions.retrieve, subscription_id)

    def iter_subscriptions(self, *, since: datetime | None = None, customer_id: str = "") -> Iterator[Subscription]:
        """Also those that have ended."""
        params: dict[str, Any] = {"status": "all", **({} if since is None else _since(since))}
        if customer_id:
            params["customer"] = customer_id
        return _pages(reading.read_subscription, self._v1.subscriptions.list, params)

    def get_invoice(self, invoice_id: str) -> Invoice:
        return _read(reading.read_invoice, self._v1.invoices.retrieve, invoice_id)

    def iter_invoices(self, *, since: datetime) -> Iterator[Invoice]:
        return _pages(reading.read_invoice, self._v1.invoices.list, _since(since))


@lru_cache(maxsize=8)
def _gateway_to(key: str, base: str, timeout_seconds: int) -> Gateway:
    client = stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=timeout_seconds),
    )
    return Gateway(client)


def _call(method: Any, *args: Any) -> dict[str, Any]:
    forbid_transaction()
    with translated():
        answer: dict[str, Any] = method(*args).to_dict()
        return answer


def _read(reader: Callable[[Json], Found], method: Any, *args: Any) -> Found:
    answer = _call(method, *args)
    with translated():
        return reader(answer)


def _pages(
    reader: Callable[[Json], Found], list_page: Any, params: Json, *, expand: list[str] | None = None
) -> Iterator[Found]:
    """Everything of a list, page after page, newest first as Stripe gives it."""
    extra = {"expand": expand} if expand else {}
    cursor: dict[str, str] = {}
    while True:
        page = _call(list_page, {**params, **extra, **cursor, "limit": _PAGE})
        with translated():
            found = [reader(raw) for raw in page["data"]]
            cursor = {"starting_after": page["data"][-1]["id"]} if page["data"] else {}
        yield from found
        if not page.get("has_more") or not found:
            return


def _key(key: str) -> dict[str, str]:
    return {"idempotency_key": key}


def _since(since: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}}
