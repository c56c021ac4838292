"""Where Stripe's messages come in. Not a view of REST framework: the signature is over the raw bytes of the body."""

from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from apps.api.errors import Problem
from apps.billing import stripe_gateway
from apps.billing.services.payments.inbox import receive_event
from apps.common import clock

_log = structlog.get_logger(__name__)

# Many times what Stripe's largest messages have, and little enough to be read by any stranger's wish.
MAX_BODY_BYTES: Final = 512 * 1024


@csrf_exempt
def take_message(request: HttpRequest) -> HttpResponse:
    """Keeps a message that is signed with one of our secrets, and answers at once: work is done on it elsewhere."""
    if request.method != "POST":
        return _refuse(405, "method_not_allowed", "This address does not answer to that method.")
    if not 0 < _length_of(request) <= MAX_BODY_BYTES:
        return _refuse(413, "too_large", "This message is empty, too large, or does not say how long it is.")
    try:
        event = stripe_gateway.read_event(request.body, request.headers.get("Stripe-Signature", ""))
    except (stripe_gateway.BadSignature, UnreadablePostError):
        return _refuse(400, stripe_gateway.BadSignature.code, stripe_gateway.BadSignature.message)
    is_new = receive_event(event=event, now=clock.now())
    return JsonResponse({"received": True, "is_new": is_new})


def _length_of(request: HttpRequest) -> int:
    """What the sender announces: no byte more than that is ever read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _refuse(status: int, code: str, text: str) -> HttpResponse:
    # Nothing of what was sent: whoever sent it is a stranger.
    _log.warning("stripe.message_refused", status=status, code=code)
    return JsonResponse(Problem(status, code, text).body(), status=status)
