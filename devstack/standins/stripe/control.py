"""What a test can ask beside the API, under `/_...`: faults, journals, and the doings of banks and customers.

GET POST DELETE /_knobs                 faults (see `knobs`)
GET /_journal                           money that really moved, with its sum
GET DELETE /_requests                   requests of the API that were served
GET /_deliveries                        webhook deliveries and how they went
POST /_deliveries/release {order}       send what was held: "recorded", "reversed" or a list of event ids
POST /_events/ID/deliver {as_new_event} once more
POST /_webhooks {url, secret}           where webhooks go from now on
DELETE /_idempotency                    forget all keys, as Stripe does after a day
POST /_checkout/ID/pay {card, email, authenticates}  what a person does on the hosted page; a bank that asks is told
                                        yes, false means no, null leaves the question open
POST /_checkout/ID/settle {succeeds}    the bank's word on a payment that was processing
POST /_payment_intents/ID/settle {succeeds}
POST /_refunds/ID/settle {succeeds}     a refund that fails after all
POST /_disputes {payment_intent, amount, reason};  POST /_disputes/ID/withdraw | reinstate | win | lose
POST /_payment_methods/ID/behave {behaviour, decline_code}  a saved card that is "declined", "authentication" or "ok"
POST /_subscriptions/ID/renew           the end of a period
"""

from collections.abc import Callable

from devstack.standins.stripe import checkout, clawbacks, customers, overview, payments, subscriptions, webhooks
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.knobs import KnobError, parse_knob
from devstack.standins.stripe.world import World, public
from devstack.standins.web import Request, Response, json_response

Action = Callable[[World, str, Json], Json]


def serve_control(world: World, request: Request) -> Response:
    """Answer one request under `/_...`."""
    try:
        body = request.json_object() if request.body else {}
        with world.store.transaction():
            try:
                return json_response(public(_dispatch(world, request.method, request.path[2:].strip("/"), body)))
            except StripeError as error:
                if error.status != 402:
                    raise
                # A decline is an outcome: what it has recorded stays.
                return json_response(error.as_json(), status=402)
    except StripeError as error:
        return json_response(error.as_json(), status=error.status)
    except (KnobError, ValueError, KeyError) as error:
        return json_response({"error": {"message": str(error)}}, status=400)


def _dispatch(world: World, method: str, path: str, body: Json) -> Json:
    match method, *path.split("/"):
        case "GET", "health":
            return {"status": "ok"}
        case _, "knobs":
            return _turn_knobs(world, method, body)
        case "GET", ("journal" | "requests" | "deliveries") as name:
            return _read(world, name)
        case "DELETE", ("requests" | "idempotency") as table:
            return {"deleted": world.store.execute(f"DELETE FROM {table}")}  # noqa: S608 - one of these two
        case "POST", *parts:
            return _act(world, parts, body)
    raise StripeError(f"Unknown: {method} /_{path}", status=404)


def _act(world: World, parts: list[str], body: Json) -> Json:
    match parts:
        case ["webhooks"]:
            world.webhook_url, world.webhook_secret = str(body["url"]), str(body.get("secret", world.webhook_secret))
            return {"url": world.webhook_url}
        case ["deliveries", "release"]:
            return {"released": webhooks.release_held(world, _order(world, body.get("order", "recorded")))}
        case ["disputes"]:
            return clawbacks.open_dispute(world, body)
        case ["disputes", object_id, phase]:
            return clawbacks.advance_dispute(world, object_id, phase)
        case [kind, object_id, verb] if (kind, verb) in ACTIONS:
            return ACTIONS[kind, verb](world, object_id, body)
    raise StripeError(f"Unknown: POST /_{'/'.join(parts)}", status=404)


def _pay(world: World, object_id: str, body: Json) -> Json:
    card = str(body.get("card") or customers.DEFAULT_CARD)
    session = checkout.pay_session(world, object_id, card_name=card, email=str(body.get("email", "")))
    answer = body.get("authenticates", True)
    if session["status"] == "open" and answer is not None:
        return checkout.answer_authentication(world, object_id, succeeds=bool(answer))
    return session


def _deliver(world: World, object_id: str, body: Json) -> Json:
    world.deliver_again(object_id, as_new_event=bool(body.get("as_new_event")))
    return {"event": object_id}


ACTIONS: dict[tuple[str, str], Action] = {
    ("checkout", "pay"): _pay,
    ("checkout", "settle"): lambda world, object_id, body: checkout.settle_session(
        world, object_id, succeeds=bool(body.get("succeeds", True))
    ),
    ("payment_intents", "settle"): lambda world, object_id, body: payments.settle_payment_intent(
        world, object_id, succeeds=bool(body.get("succeeds", True))
    ),
    ("refunds", "settle"): lambda world, object_id, body: clawbacks.settle_refund(
        world, object_id, succeeds=bool(body.get("succeeds", True))
    ),
    ("subscriptions", "renew"): lambda world, object_id, _body: subscriptions.renew_subscription(world, object_id),
    ("payment_methods", "behave"): lambda world, object_id, body: overview.set_behaviour(
        world, object_id, str(body["behaviour"]), str(body.get("decline_code", "generic_decline"))
    ),
    ("events", "deliver"): _deliver,
}


def _turn_knobs(world: World, method: str, body: Json) -> Json:
    if method == "DELETE":
        world.knobs.clear()
    if method == "POST":
        world.knobs.add(parse_knob(body))
    return {"knobs": world.knobs.as_json()}


def _read(world: World, name: str) -> Json:
    table = {"journal": "money"}.get(name, name)
    rows = [dict(row) for row in world.store.all(f"SELECT * FROM {table} ORDER BY seq")]  # noqa: S608 - ours
    if name == "journal":
        return {"entries": rows, "total": sum(row["amount"] for row in rows)}
    return {name: rows}


def _order(world: World, wanted: object) -> list[str]:
    if isinstance(wanted, list):
        return [str(event_id) for event_id in wanted]
    rows = world.store.all("SELECT event_id FROM deliveries WHERE state = 'held' ORDER BY seq")
    recorded = [str(row["event_id"]) for row in rows]
    return recorded[::-1] if wanted == "reversed" else recorded
