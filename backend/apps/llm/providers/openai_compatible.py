"""Any endpoint that speaks OpenAI's chat completions: one deadline, few tries, and the truth about what was served.

Asynchronous inside, because only there does one clock bound everything: connect, headers that drip, a body that never
ends, and the pauses between tries.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, cast

import httpx2
import stamina
import structlog
from django.conf import settings
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    AsyncStream,
    DefaultAsyncHttpxClient,
    Timeout,
)

from apps.llm.providers.base import ModelRequest, Provider
from apps.llm.providers.openai_wire import Answer, NotAnAnswer, Question, normalise_usage
from apps.llm.types import Completion, ModelRefused, ModelUnavailable

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 3
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
CONNECT_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 8.0
JITTER_SECONDS: Final = 0.5

# Answers of a gateway that gave up waiting: what stands behind it may have worked.
UNCLEAR_STATUSES: Final = frozenset({408, 502, 504, 520, 522, 524})
# The endpoint does not know a field of the question.
MISUNDERSTOOD_STATUSES: Final = frozenset({400, 422})
RETRYABLE_STATUSES: Final = frozenset({408, 429})

# These come before the first byte of the question has left.
_UNSENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class _AnswerTooLarge(Exception):
    """The endpoint sends more than any answer to us can be."""


@dataclass
class _AttemptFailed(Exception):
    """One try that brought no answer. `pause` is what the endpoint asked for, in seconds, when it did."""

    reason: str
    was_served: bool | None
    is_retryable: bool = False
    is_refusal: bool = False
    pause: float | None = None


@dataclass
class _Progress:
    """What is known of all tries of one call, also when the deadline ends it in the middle of one."""

    ends_at: float
    attempts: int = 0
    is_under_way: bool = False
    has_unclear_attempt: bool = False
    answer: Answer = field(default_factory=Answer)
    request_id: str = ""

    def begin(self) -> None:
        self.attempts += 1
        self.is_under_way = True
        self.answer = Answer()

    def end(self, *, was_served: bool | None) -> None:
        self.is_under_way = False
        self.has_unclear_attempt = self.has_unclear_attempt or was_served is None

    def was_served(self) -> bool | None:
        return None if self.is_under_way or self.has_unclear_attempt else False


class OpenAICompatibleProvider:
    """An endpoint with a key. An empty key is for endpoints that want none."""

    def __init__(self, *, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._api_key = api_key

    def complete(self, request: ModelRequest) -> Completion:
        if not self._base_url:
            raise ModelUnavailable("not_configured", was_served=False)
        return asyncio.run(self._complete(request))

    async def _complete(self, request: ModelRequest) -> Completion:
        started = time.monotonic()
        progress = _Progress(ends_at=started + request.deadline_seconds)
        try:
            async with asyncio.timeout(request.deadline_seconds):
                await self._ask(Question(request), progress)
        except TimeoutError as error:
            # Everything but the usage may have come before the endpoint fell silent.
            if not progress.answer.is_finished:
                raise ModelUnavailable("timeout", was_served=progress.was_served()) from error
        except _AttemptFailed as failure:
            raise _as_domain_error(failure, progress) from failure
        return _as_completion(request, progress, duration_ms=round((time.monotonic() - started) * 1000))

    async def _ask(self, question: Question, progress: _Progress) -> None:
        """Tries until there is an answer in `progress`; raises the last try's _AttemptFailed."""

        def pause_after(error: Exception) -> bool | float:
            return _pause_after(error, progress)

        async with self._open_client(question.request.deadline_seconds) as client:
            async for attempt in stamina.retry_context(
                on=pause_after,
                attempts=MAX_ATTEMPTS,
                timeout=None,
                wait_initial=FIRST_PAUSE_SECONDS,
                wait_max=LONGEST_PAUSE_SECONDS,
                wait_jitter=JITTER_SECONDS,
            ):
                with attempt:
                    await _try_once(client, question, progress)

    def _open_client(self, deadline_seconds: float) -> AsyncOpenAI:
        connect = min(CONNECT_SECONDS, deadline_seconds / MAX_ATTEMPTS)
        http_client = DefaultAsyncHttpxClient(
            trust_env=False,
            follow_redirects=False,
            timeout=Timeout(deadline_seconds, connect=connect),
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [_limit_body]},
        )
        # Given explicitly, or the SDK would take them from the environment.
        return AsyncOpenAI(
            base_url=self._base_url,
            api_key=self._api_key or "none",
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            http_client=http_client,
        )


def make_provider() -> Provider:
    return OpenAICompatibleProvider(base_url=settings.LLM_BASE_URL, api_key=settings.LLM_API_KEY)


async def _try_once(client: AsyncOpenAI, question: Question, progress: _Progress) -> None:
    progress.begin()
    try:
        await _send(client, question, progress)
    except Exception as error:
        if progress.answer.is_finished and not isinstance(error, _AnswerTooLarge):
            return  # The connection broke after the last word.
        failure = _explain(error, question)
        progress.end(was_served=failure.was_served)
        raise failure from error


async def _send(client: AsyncOpenAI, question: Question, progress: _Progress) -> None:
    headers = {"X-Client-Request-Id": str(question.request.call_id)}
    stream = await client.post(
        "/chat/completions",
        cast_to=object,
        body=question.to_json(),
        options={"headers": headers},
        stream=True,
        stream_cls=AsyncStream[object],
    )
    async with stream:
        progress.request_id = stream.response.headers.get("x-request-id", "")
        if "event-stream" in stream.response.headers.get("content-type", ""):
            async for piece in stream:
                progress.answer.take(piece)
        else:
            # Some endpoints answer whole whatever they are asked.
            progress.answer.take(json.loads(await stream.response.aread()))
            progress.answer.finish_reason = progress.answer.finish_reason or "stop"
    if not progress.answer.is_finished:
        raise _AttemptFailed("cut", was_served=None)


def _explain(error: Exception, question: Question) -> _AttemptFailed:
    """What a failed try means: whether the model may have worked, and whether another try makes sense."""
    match error:
        case _AttemptFailed():
            return error
        case APIStatusError():
            return _explain_status(error, question)
        case APIConnectionError():
            return _explain_connection(error.__cause__)
        case httpx2.RequestError():
            return _explain_connection(error)
        case APIError():
            return _AttemptFailed("stream_error", was_served=None)
        case _AnswerTooLarge():
            return _AttemptFailed("too_large", was_served=True, is_refusal=True)
        case NotAnAnswer() | ValueError():
            return _AttemptFailed("malformed", was_served=None)
    raise error


def _explain_status(error: APIStatusError, question: Question) -> _AttemptFailed:
    status = error.status_code
    # The endpoint's words may repeat the key or the question, so they are not kept.
    logger.warning("llm.refused", status=status, error_type=error.type, error_code=error.code)
    if status in MISUNDERSTOOD_STATUSES and question.give_way(error.message):
        return _AttemptFailed(f"http_{status}", was_served=False, is_retryable=True, is_refusal=True, pause=0.0)
    is_transient = status >= 500 or status in RETRYABLE_STATUSES
    return _AttemptFailed(
        f"http_{status}",
        was_served=None if status in UNCLEAR_STATUSES else False,
        # A spent quota is a 429 as well, but no pause helps it.
        is_retryable=is_transient and error.code != "insufficient_quota",
        is_refusal=not is_transient,
        pause=_read_pause(error.response.headers),
    )


def _explain_connection(cause: BaseException | None) -> _AttemptFailed:
    if isinstance(cause, _UNSENT):
        return _AttemptFailed("unreachable", was_served=False, is_retryable=True)
    reason = "timeout" if isinstance(cause, httpx2.TimeoutException) else "cut"
    return _AttemptFailed(reason, was_served=None)


def _read_pause(headers: httpx2.Headers) -> float | None:
    """Seconds to wait as the endpoint asks: milliseconds, seconds or a date. None when it asks nothing legible."""
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        return max(float(headers["retry-after"]), 0.0)
    except KeyError:
        return None
    except ValueError:
        return _read_date_pause(headers.get("retry-after", ""))


def _read_date_pause(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(tz=UTC)).total_seconds(), 0.0)


def _pause_after(error: Exception, progress: _Progress) -> bool | float:
    """Whether to try again, and after how long: True leaves the pause to the growing, jittered default."""
    if not isinstance(error, _AttemptFailed) or not error.is_retryable:
        return False
    remaining = progress.ends_at - time.monotonic()
    if error.pause is None:
        return remaining > FIRST_PAUSE_SECONDS
    if not error.pause:
        return 0.0
    pause = error.pause + random.uniform(0, JITTER_SECONDS)  # noqa: S311 - spreads load, guards nothing
    return pause if pause < remaining else False


def _as_domain_error(failure: _AttemptFailed, progress: _Progress) -> ModelUnavailable | ModelRefused:
    was_served = failure.was_served
    if was_served is False:
        was_served = progress.was_served()
    kind = ModelRefused if failure.is_refusal else ModelUnavailable
    return kind(failure.reason, was_served=was_served)


def _as_completion(request: ModelRequest, progress: _Progress, *, duration_ms: int) -> Completion:
    answer = progress.answer
    usage, usage_flag = normalise_usage(
        answer.usage, ceiling=request.ceiling, has_content=bool(answer.content or answer.is_refused)
    )
    return Completion(
        content=answer.content,
        usage=usage,
        provider_request_id=progress.request_id or answer.id,
        finish_reason="refusal" if answer.is_refused else answer.finish_reason,
        duration_ms=duration_ms,
        usage_flag=usage_flag,
        attempts=progress.attempts,
        has_unclear_attempt=progress.has_unclear_attempt,
    )


class _LimitedBody(httpx2.AsyncByteStream):
    """A response body that may not grow without end."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._body:
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise _AnswerTooLarge
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


async def _limit_body(response: httpx2.Response) -> None:
    response.stream = _LimitedBody(cast(httpx2.AsyncByteStream, response.stream))
