"""What schemathesis is told: whose token goes with which operation, and which findings are by design."""

import os
from typing import Any, Final

import httpx
import schemathesis

# Each of these ends the token that it came with, or may: a person of their own calls them, signed in anew each time.
ENDING: Final = frozenset(
    {"auth_logout_create", "auth_logout_all_create", "auth_sessions_list", "auth_sessions_destroy"}
)
# These may end the person or their role: another one calls them, whom nothing else needs.
RISKY: Final = frozenset(
    {
        *("auth_password_change_create", "me_delete", "me_delete_undo", "tenant_transfer"),
        *("tenant_members_list", "tenant_members_edit", "tenant_members_delete", "tenant_members_retrieve"),
    }
)


def _setting(name: str) -> str:
    return os.environ[f"FUZZ_{name}"]


def _sign_in(name: str) -> str:
    body = {"username": name, "password": _setting("PASSWORD")}
    answer = httpx.post(f"{_setting('URL')}/api/auth/token/", json=body, timeout=30, trust_env=False)
    return str(answer.raise_for_status().json()["token"])


def choose_token(operation_id: str) -> str:
    if operation_id.startswith(("admin_", "billing_admin_")):
        return _setting("STAFF_TOKEN")
    if operation_id in ENDING:
        return _sign_in(_setting("LEAVER"))
    return _setting("RISKY_TOKEN" if operation_id in RISKY else "TOKEN")


@schemathesis.auth(refresh_interval=None)
class Token:
    def get(self, case: Any, context: Any) -> str:
        return choose_token(context.operation.definition.raw["operationId"])

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Token {data}"}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Staff may close anybody's account; those who do the asking must stay."""
    parameters = case.path_parameters or {}
    if case.method != "GET" and str(parameters.get("user_id", "")).lower() in _setting("KEEP").split(","):
        parameters["user_id"] = _setting("TARGET")


# Codes that name a rule of their own: the call is well formed, but a password, a link or a key was guessed wrong.
GUESSED: Final = frozenset(
    {
        *("bad_credentials", "bad_code", "challenge_expired", "reset_link_invalid", "verification_invalid"),
        *("passkey_invalid", "passkey_expired", "passkey_used", "passkey_revoked", "passkey_wrong_email"),
    }
)
# Rules that JSON Schema cannot state, by what the answer says; each is specified in the tests of its endpoint.
RULES: Final = (
    "This cursor does not belong to this list.",  # cursors are signed
    "Null characters are not allowed.",
    "Surrogate characters are not allowed",
    "This holds control characters that cannot be kept.",
    "This field may not be blank.",  # nothing but blanks
    "Say in a few words what you did.",  # nothing but blanks and what cannot be kept
    "Use at most 200 printable characters.",  # of an idempotency key
    "Enter a valid e-mail address.",
    "Enter a valid email address.",
    "This password is ",
    "The password is too similar to the ",
    "Send either `code` or `credential`.",
    "Give either amount_micros or amount_cents.",
    "Type your own user name, exactly as it is written above.",
    "Choose another person of this tenant.",
)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep a finding, unless it is one of the rules above."""
    return not (type(failure).__name__ == "RejectedPositiveData" and _is_by_rule(response))


def _is_by_rule(response: Any) -> bool:
    try:
        answer = response.json()
    except ValueError:
        return False
    if response.status_code != 400 or answer.get("code") in GUESSED:
        return response.status_code == 400
    texts = [text for texts in answer["fields"].values() for text in texts] or [answer["error"]]
    return all(text.startswith(RULES) for text in texts)
