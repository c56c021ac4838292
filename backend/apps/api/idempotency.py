"""`Idempotency-Key`: however often a client repeats an unsafe call, it takes effect once."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar, overload

from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication import get_actor
from apps.api.models import StoredAnswer
from apps.common import clock
from apps.common.errors import Conflict, Invalid
from apps.common.ids import uuid7
from apps.tenants.types import Actor

HEADER: Final = "Idempotency-Key"
MAX_KEY_LENGTH: Final = 200

Answer = Response | HttpResponse
Method = TypeVar("Method", bound=Callable[..., Answer])


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"
    message = "This idempotency key was already used for another request."


class _Handler(Protocol):
    def __call__(self, view: Any, request: Request, *args: Any, **kwargs: Any) -> Answer: ...


@overload
def idempotent(method: Method) -> Method: ...
@overload
def idempotent(*, is_required: bool = False, secrets: tuple[str, ...] = ()) -> Callable[[Method], Method]: ...
def idempotent(
    method: Method | None = None, *, is_required: bool = False, secrets: tuple[str, ...] = ()
) -> Method | Callable[[Method], Method]:
    """Marks a method of an API view, for signed-in callers, as safe to repeat with the same key.

    Look-up, effect and stored answer share one transaction: a concurrent repeat waits for the first and replays it, and
    an answer of 400 or more undoes the effect and leaves the key free. So the method must not call anything remote.
    `secrets` names top-level members of the answer that are shown once and never stored: a replay has "" for them.
    """

    def decorate(method: Method) -> Method:
        handler: _Handler = method

        @functools.wraps(method)
        def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> Answer:
            key = read_key(request, is_required=is_required)
            if key is None:
                return handler(view, request, *args, **kwargs)
            actor, request_hash = get_actor(request), _hash_request(request)
            with transaction.atomic():
                _wait_for_turn(actor, key)
                stored = StoredAnswer.objects.filter(user_id=actor.user_id, key=key).first()
                if stored is not None:
                    return _replay(stored, request_hash)
                answer = handler(view, request, *args, **kwargs)
                if answer.status_code >= 400:
                    transaction.set_rollback(True)
                else:
                    _store(actor, key, request_hash, answer, secrets)
            return answer

        wrapper.is_idempotent = True  # type: ignore[attr-defined]  # read by the OpenAPI schema
        wrapper.needs_key = is_required  # type: ignore[attr-defined]  # likewise
        return wrapper  # type: ignore[return-value]

    return decorate if method is None else decorate(method)


def keyed(*, is_required: bool = False) -> Callable[[Method], Method]:
    """Marks a method that hands the key on: its service calls something remote and is itself safe to repeat by it.

    No transaction is open in it, and what it answers is not stored: a repeat is answered by how things stand.
    """

    def decorate(method: Method) -> Method:
        handler: _Handler = method

        @functools.wraps(method)
        def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> Answer:
            read_key(request, is_required=is_required)
            return handler(view, request, *args, **kwargs)

        wrapper.is_idempotent = True  # type: ignore[attr-defined]  # read by the OpenAPI schema
        wrapper.needs_key = is_required  # type: ignore[attr-defined]  # likewise
        return wrapper  # type: ignore[return-value]

    return decorate


def make_request_key(request: Request) -> str:
    """The caller's key as a service keeps it: two people of a customer never share one. A new one when none came."""
    return f"{get_actor(request).user_id}:{read_key(request) or uuid7()}"


def read_key(request: Request, *, is_required: bool = False) -> str | None:
    """The caller's key, or None without one. Raises Invalid."""
    key = request.headers.get(HEADER, "").strip()
    if len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise Invalid(fields={HEADER: [f"Use at most {MAX_KEY_LENGTH} printable characters."]})
    if not key and is_required:
        raise Invalid(fields={HEADER: ["This call needs an idempotency key."]})
    return key or None


def _hash_request(request: Request) -> str:
    """SHA-256 over what was asked: method, path and the body's content, whatever the order of its members."""
    body = json.dumps(request.data, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256("\n".join((str(request.method), request.path, body)).encode()).hexdigest()


def _wait_for_turn(actor: Actor, key: str) -> None:
    """Holds back a concurrent repeat until our transaction ends, at most for the database's lock_timeout."""
    digest = hashlib.sha256(f"{actor.user_id}\n{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _replay(stored: StoredAnswer, request_hash: str) -> HttpResponse:
    if stored.request_hash != request_hash:
        raise IdempotencyMismatch
    answer = HttpResponse(stored.body, status=stored.status, content_type="application/json")
    answer["Idempotent-Replayed"] = "true"
    return answer


def _store(actor: Actor, key: str, request_hash: str, answer: Answer, secrets: tuple[str, ...]) -> None:
    content: object = answer.data if isinstance(answer, Response) else None
    if isinstance(content, Mapping) and secrets:
        content = {name: "" if name in secrets else value for name, value in content.items()}
    StoredAnswer.objects.create(
        tenant_id=actor.tenant,
        user_id=actor.user_id,
        key=key,
        request_hash=request_hash,
        status=answer.status_code,
        body="" if content is None else JSONRenderer().render(content).decode(),
        created_at=clock.now(),
    )
