"""The v1 API over HTTP: authentication, idempotency keys, faults, routes."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from devstack.standins.stripe import checkout, clawbacks, customers, events, forms, invoices, payments, subscriptions
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.knobs import API_KINDS, Knob
from devstack.standins.stripe.lists import expand
from devstack.standins.stripe.world import World, public
from devstack.standins.web import Request, Response, json_response

Handler = Callable[..., Json]

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v1/balance", payments.get_balance),
    ("POST", "/v1/customers", customers.create_customer),
    ("GET", "/v1/customers", customers.list_customers),
    ("GET", "/v1/customers/{id}", customers.get_customer),
    ("POST", "/v1/customers/{id}", customers.update_customer),
    ("DELETE", "/v1/customers/{id}", customers.delete_customer),
    ("GET", "/v1/customers/{id}/payment_methods", customers.list_customer_cards),
    ("POST", "/v1/payment_methods", customers.create_payment_method),
    ("GET", "/v1/payment_methods", customers.list_payment_methods),
    ("GET", "/v1/payment_methods/{id}", customers.get_payment_method),
    ("POST", "/v1/payment_methods/{id}/attach", customers.attach),
    ("POST", "/v1/payment_methods/{id}/detach", customers.detach),
    ("POST", "/v1/payment_intents", payments.create_payment_intent),
    ("GET", "/v1/payment_intents", payments.list_payment_intents),
    ("GET", "/v1/payment_intents/search", payments.search_payment_intents),
    ("GET", "/v1/payment_intents/{id}", payments.get_payment_intent),
    ("POST", "/v1/payment_intents/{id}", payments.update_payment_intent),
    ("POST", "/v1/payment_intents/{id}/confirm", payments.confirm_payment_intent),
    ("POST", "/v1/payment_intents/{id}/cancel", payments.cancel_payment_intent),
    ("GET", "/v1/charges", payments.list_charges),
    ("GET", "/v1/charges/{id}", payments.get_charge),
    ("GET", "/v1/setup_intents/{id}", checkout.get_setup_intent),
    ("POST", "/v1/checkout/sessions", checkout.create_session),
    ("GET", "/v1/checkout/sessions", checkout.list_sessions),
    ("GET", "/v1/checkout/sessions/{id}", checkout.get_session),
    ("GET", "/v1/checkout/sessions/{id}/line_items", checkout.list_line_items),
    ("POST", "/v1/checkout/sessions/{id}/expire", checkout.expire_session),
    ("POST", "/v1/refunds", clawbacks.create_refund),
    ("GET", "/v1/refunds", clawbacks.list_refunds),
    ("GET", "/v1/refunds/{id}", clawbacks.get_refund),
    ("POST", "/v1/refunds/{id}", clawbacks.update_refund),
    ("GET", "/v1/disputes", clawbacks.list_disputes),
    ("GET", "/v1/disputes/{id}", clawbacks.get_dispute),
    ("POST", "/v1/products", subscriptions.create_product),
    ("GET", "/v1/products/{id}", subscriptions.get_product),
    ("POST", "/v1/prices", subscriptions.create_price),
    ("GET", "/v1/prices", subscriptions.list_prices),
    ("GET", "/v1/prices/{id}", subscriptions.get_price),
    ("GET", "/v1/subscriptions", subscriptions.list_subscriptions),
    ("GET", "/v1/subscriptions/{id}", subscriptions.get_subscription),
    ("POST", "/v1/subscriptions/{id}", subscriptions.update_subscription),
    ("DELETE", "/v1/subscriptions/{id}", subscriptions.cancel_subscription),
    ("GET", "/v1/invoices", invoices.list_invoices),
    ("GET", "/v1/invoices/{id}", invoices.get_invoice),
    ("GET", "/v1/invoice_payments", invoices.list_invoice_payments),
    ("POST", "/v1/billing_portal/sessions", subscriptions.create_portal_session),
    ("GET", "/v1/events", events.list_events),
    ("GET", "/v1/events/{id}", events.get_event),
)
PATTERNS = [
    (method, re.compile(re.escape(path).replace(r"\{id\}", "([^/]+)")), handler) for method, path, handler in ROUTES
]
# How errors of these statuses are marked; 409 is what the second of two requests with one key gets meanwhile.
FAILURES = {429: ("rate_limit_error", "rate_limit"), 409: ("invalid_request_error", "idempotency_key_in_use")}
# Answers that say that nothing was begun: the same key may try again.
NEVER_KEPT = (400, 401, 404, 409, 429)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A status and a body, before they become an answer."""

    status: int
    body: str
    is_replayed: bool = False


def serve_api(world: World, request: Request) -> Response | None:
    """Answer one request of the API; None closes the connection without an answer."""
    if request.headers.get("authorization") != f"Bearer {world.secret_key}":
        error = StripeError("Invalid API Key provided.", status=401)
        return json_response(error.as_json(), status=401)
    # One transaction: of two requests with one key at the same moment, the second finds the first one's answer.
    with world.store.transaction():
        replayed = _find_replay(world, request)
        knob = None if replayed else world.knobs.take(API_KINDS, f"{request.method} {request.path}")
        outcome = replayed or _carry_out(world, request, knob)
        _log(world, request, outcome)
    if knob is not None and knob.kind in {"hang", "lost"}:
        time.sleep(knob.seconds if knob.kind == "hang" else 0)
        return None
    headers = {"Request-Id": world.new_id("req")}
    if outcome.is_replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(status=outcome.status, body=outcome.body.encode(), headers=headers)


def _carry_out(world: World, request: Request, knob: Knob | None) -> Outcome:
    if knob is not None and knob.kind != "lost" and not knob.effect:
        return _keep(world, request, _failure(knob))
    outcome = _execute(world, request)
    if knob is not None and knob.kind == "status":
        outcome = _failure(knob)
    return _keep(world, request, outcome)


def _execute(world: World, request: Request) -> Outcome:
    try:
        # A decline is an outcome, not a mistake: what it has recorded stays. Any other refusal leaves nothing.
        with world.store.transaction():
            try:
                return Outcome(status=200, body=json.dumps(_call(world, request)))
            except StripeError as error:
                if error.status != 402:
                    raise
                return Outcome(status=402, body=json.dumps(error.as_json()))
    except StripeError as error:
        return Outcome(status=error.status, body=json.dumps(error.as_json()))


def _call(world: World, request: Request) -> Json:
    params = {**forms.parse(request.query_string), **forms.parse(request.body.decode())}
    for method, pattern, handler in PATTERNS:
        match = pattern.fullmatch(request.path)
        if method == request.method and match is not None:
            return expand(world, public(handler(world, params, *match.groups())), params)
    raise StripeError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)


def _failure(knob: Knob) -> Outcome:
    kind, code = FAILURES.get(knob.status, ("api_error", ""))
    error = StripeError("The stand-in was told to fail.", kind=kind, code=code)
    return Outcome(status=knob.status, body=json.dumps(error.as_json()))


def _find_replay(world: World, request: Request) -> Outcome | None:
    key = request.headers.get("idempotency-key")
    if not key or request.method != "POST":
        return None
    row = world.store.one("SELECT * FROM idempotency WHERE key = ?", key)
    if row is None:
        return None
    if row["request_hash"] != _request_hash(request):
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        error = StripeError(message, kind="idempotency_error")
        return Outcome(status=400, body=json.dumps(error.as_json()))
    return Outcome(status=row["status"], body=row["body"], is_replayed=True)


def _keep(world: World, request: Request, outcome: Outcome) -> Outcome:
    key = request.headers.get("idempotency-key")
    if key and request.method == "POST" and outcome.status not in NEVER_KEPT:
        world.store.execute(
            "INSERT OR IGNORE INTO idempotency (key, request_hash, status, body) VALUES (?, ?, ?, ?)",
            *(key, _request_hash(request), outcome.status, outcome.body),
        )
    return outcome


def _log(world: World, request: Request, outcome: Outcome) -> None:
    world.store.execute(
        "INSERT INTO requests (at, method, path, idempotency_key, status) VALUES (?, ?, ?, ?, ?)",
        *(world.now(), request.method, request.path, request.headers.get("idempotency-key"), outcome.status),
    )


def _request_hash(request: Request) -> str:
    return sha256(b"\n".join([request.method.encode(), request.path.encode(), request.body])).hexdigest()
