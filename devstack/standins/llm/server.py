"""The HTTP side of the model stand-in: the OpenAI protocol, the knobs and the journal."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from devstack.standins.llm.journal import Journal
from devstack.standins.llm.knobs import Fault, KnobError, Knobs, parse_fault
from devstack.standins.llm.writer import TOKEN, compose, count_tokens, message_text
from devstack.standins.web import Request, Response, json_response

MODELS = ("standin-small", "standin-large")
REFUSAL = "I can't help with that."
DRIP_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer of the model, before it is put into the protocol's form."""

    id: str
    created: int
    model: str
    content: str | None
    refusal: str | None
    finish_reason: str
    usage: object


@dataclass
class ModelServer:
    """The application: give it to `web.make_server`. With an `api_key`, calls need it as their bearer token."""

    api_key: str = ""
    knobs: Knobs = field(default_factory=Knobs)
    journal: Journal = field(default_factory=Journal)

    def __call__(self, request: Request) -> Response | None:
        """Answer one request."""
        path = request.path.removeprefix("/v1").rstrip("/")
        match request.method, path:
            case "GET", "/_health":
                return json_response({"status": "ok"})
            case _, "/_knobs":
                return self._turn_knobs(request)
            case "GET", "/_journal":
                return json_response(self.journal.as_json())
            case "DELETE", "/_journal":
                self.journal.clear()
                return json_response({})
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return _error(401, "Incorrect API key provided.", code="invalid_api_key")
        match request.method, path:
            case "GET", "/models":
                models = [{"id": name, "object": "model", "created": 0, "owned_by": "standin"} for name in MODELS]
                return json_response({"object": "list", "data": models})
            case "POST", "/chat/completions":
                return self._complete(request)
        return _error(404, f"Unknown request URL: {request.method} {request.path}")

    def _turn_knobs(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.knobs.clear()
        if request.method == "POST":
            try:
                self.knobs.add(parse_fault(request.json_object()))
            except (KnobError, ValueError) as error:
                return _error(400, str(error))
        return json_response({"faults": self.knobs.as_json()})

    def _complete(self, request: Request) -> Response | None:
        try:
            body = request.json_object()
        except ValueError:
            return _error(400, "We could not parse the JSON body of your request.")
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not body.get("model"):
            return _error(400, "You must provide a model and messages.")
        fault = self.knobs.take()
        kind = fault.kind if fault else None
        number = self.journal.open(body=body, fault=kind, request_id=request.headers.get("x-request-id", ""))
        if fault is not None and fault.kind in {"status", "hang"}:
            self.journal.close(number, status=fault.status, is_served=False, prompt_tokens=0, completion_tokens=0)
            return _broken(fault)
        prompt_tokens = sum(count_tokens(message_text(message)) for message in messages if isinstance(message, dict))
        answer, completion_tokens = _answer(body, fault, prompt_tokens)
        self.journal.close(
            number, status=200, is_served=True, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens
        )
        return _streamed(answer, body, fault) if body.get("stream") else _whole(answer, fault)


def _broken(fault: Fault) -> Response | None:
    if fault.kind == "hang":
        time.sleep(fault.seconds)
        return None
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    code = "rate_limit_exceeded" if fault.status == 429 else "server_error"
    return _error(fault.status, "The stand-in was told to fail.", code=code, headers=headers)


def _answer(body: Mapping[str, object], fault: Fault | None, prompt_tokens: int) -> tuple[Answer, int]:
    content: str | None = _content(body, fault)
    refusal = REFUSAL if fault is not None and fault.kind == "refusal" else None
    content, finish_reason = _limited(content or "", body)
    completion_tokens = count_tokens(refusal or content)
    answer = Answer(
        id=f"chatcmpl-{uuid.uuid4().hex}",
        created=int(time.time()),
        model=str(body["model"]),
        content=None if refusal else content,
        refusal=refusal,
        finish_reason=finish_reason,
        usage=_usage(fault, prompt_tokens, completion_tokens),
    )
    return answer, completion_tokens


def _content(body: Mapping[str, object], fault: Fault | None) -> str:
    if fault is not None and fault.kind == "content":
        return fault.content
    content = compose(body)
    if fault is not None and fault.kind == "malformed":
        return content[: len(content) // 2] + "]]}"
    return content


def _limited(content: str, body: Mapping[str, object]) -> tuple[str, str]:
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    tokens = list(TOKEN.finditer(content))
    if isinstance(limit, int) and len(tokens) > limit > 0:
        return content[: tokens[limit - 1].end()], "length"
    return content, "stop"


def _usage(fault: Fault | None, prompt_tokens: int, completion_tokens: int) -> object:
    if fault is not None and fault.kind == "no_usage":
        return None
    if fault is not None and fault.kind == "usage":
        return fault.usage
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _whole(answer: Answer, fault: Fault | None) -> Response:
    message = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    value: dict[str, object] = {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}],
    }
    if answer.usage is not None:
        value["usage"] = answer.usage
    body = json.dumps(value).encode()
    if fault is not None and fault.kind == "slow_drip":
        pieces = [body[at : at + DRIP_BYTES] for at in range(0, len(body), DRIP_BYTES)]
        return Response(chunks=_dripping(iter(pieces), fault.seconds))
    return Response(body=body, cut_after=len(body) // 2 if fault is not None and fault.kind == "cut" else None)


def _streamed(answer: Answer, body: Mapping[str, object], fault: Fault | None) -> Response:
    options = body.get("stream_options")
    includes_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    events = list(_events(answer, includes_usage=includes_usage))
    if fault is not None and fault.kind == "cut":
        events = events[: len(events) // 2]
    pause_s = fault.seconds if fault is not None and fault.kind == "slow_drip" else 0.0
    return Response(content_type="text/event-stream", chunks=_dripping(iter(events), pause_s))


def _events(answer: Answer, *, includes_usage: bool) -> Iterator[bytes]:
    yield _event(answer, {"role": "assistant", "content": ""})
    if answer.refusal is not None:
        yield _event(answer, {"refusal": answer.refusal})
    for piece in _pieces(answer.content or ""):
        yield _event(answer, {"content": piece})
    yield _event(answer, {}, finish_reason=answer.finish_reason)
    if includes_usage and answer.usage is not None:
        yield _event(answer, None, usage=answer.usage)
    yield b"data: [DONE]\n\n"


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for match in TOKEN.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield text[start:]


def _event(
    answer: Answer, delta: Mapping[str, object] | None, *, finish_reason: str | None = None, usage: object = None
) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    value: dict[str, object] = {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": answer.created,
        "model": answer.model,
        "choices": choices,
    }
    if usage is not None:
        value["usage"] = usage
    return f"data: {json.dumps(value)}\n\n".encode()


def _dripping(pieces: Iterator[bytes], pause_s: float) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        if pause_s:
            time.sleep(pause_s)


def _error(status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    kind = "invalid_request_error" if status < 500 and status != 429 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json_response({"error": error}, status=status, headers=headers)
