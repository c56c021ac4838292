"""HTTP as a careful client does it: every answer falls into one of four classes."""

from typing import Any, Final

import httpx

from tests.chaos.money.journal import Operation, Outcome

# Answers after which the client knows that nothing was done.
_REFUSALS: Final = frozenset(
    {
        "insufficient_reserve",
        "job_running",
        "nothing_to_refund",
        "topup_out_of_bounds",
        "no_saved_card",
        "no_entries",
        "rate_limited",
        "wrong_state",
    }
)
_TIMEOUT_S: Final = 20.0


def open_client(base_url: str) -> httpx.Client:
    """A client that keeps nothing between requests but its connections."""
    return httpx.Client(base_url=base_url, timeout=_TIMEOUT_S, trust_env=False)


def send(http: httpx.Client, operation: Operation, path: str) -> dict[str, Any] | None:
    """Sends the operation under its key once; the answer's body if it was confirmed."""
    try:
        answer = http.post(path, json=operation.body, headers={"Idempotency-Key": operation.key})
    except httpx.HTTPError as error:
        operation.outcome = Outcome.AMBIGUOUS
        operation.answers.append(type(error).__name__)
        return None
    code = _read_code(answer)
    operation.answers.append(f"{answer.status_code} {code}".strip())
    operation.outcome = classify(answer.status_code, code)
    if operation.outcome is not Outcome.CONFIRMED:
        if operation.outcome is Outcome.UNCLASSIFIED:
            operation.answers.append(answer.text[:300])
        return None
    operation.result = answer.json()
    return operation.result


def classify(status: int, code: str) -> Outcome:
    """What a client may conclude from an answer."""
    if 200 <= status < 300:
        return Outcome.CONFIRMED
    # Another request under this key is under way, or a part of the product is away: ask again, with the same key.
    if status in {502, 503, 504} or (status == 409 and code == "request_in_progress"):
        return Outcome.AMBIGUOUS
    if code in _REFUSALS:
        return Outcome.REFUSED
    return Outcome.UNCLASSIFIED


def _read_code(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""
