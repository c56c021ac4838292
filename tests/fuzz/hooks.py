"""What schemathesis is told: whose token goes with which operation, and which findings are by design."""

import os
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import httpx
import schemathesis
from jsonschema import Draft202012Validator

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
def map_body(context: Any, body: Any) -> Any:
    """For sequences of calls: without the characters for which a text is refused, so that things come into being."""
    return _make_plain(body) if _setting("PLAIN") else body


def _make_plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _make_plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_make_plain(item) for item in value]
    return re.sub(r"[^\x21-\x7e\xa1-\uabff]", "x", value) if isinstance(value, str) else value


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
_TEXTS: Final = (
    "This cursor does not belong to this list",  # cursors are signed
    "Null characters are not allowed",
    "Surrogate characters are not allowed",
    "This holds control characters that cannot be kept",
    "This field may not be blank",  # nothing but blanks
    "A name needs at least one visible character",
    "Say in a few words what you did",  # nothing but blanks and what cannot be kept
    "Use at most 200 printable characters",  # of an idempotency key
    "Enter a valid e-?mail address",
    "Use 3 to 150 letters, digits or",  # of a user name
    "This password is |The password is too similar to the |This is a word that is tried first",
    "Choose a time zone such as",
    "Send either `code` or `credential`",
    "Give either amount_micros or amount_cents",
    "This amount is outside what a reserve can take",  # zero
    r"Choose an amount (in whole cents )?from \$|Choose an amount of at least",  # what one may pay at once is a setting
    "The cap of a month must have room for one top-up",
    "Say why",  # nothing but blanks
    "Type your own user name, exactly as it is written above",
    "Choose another person of this tenant",
    r"\d+ of the chosen entries cannot be found in this period",
    "Use a day between 1900-01-01 and 2199-12-31|The last day lies before the first",
    "There is no entry in this period",
    "A token that may write must be able to read",
    "Choose a time in the future",
    "There is no such tenant",
    "A tenant to join needs a role",
    "A valid integer is required",  # of money, for which 5.0 is no whole number
    "Ensure this value is (less|greater) than or equal to ",  # of decimals, which are texts
    # Schemathesis takes an empty text for a moment or an id where null is allowed as well.
    "Datetime has wrong format|Must be a valid UUID",
)
_WITHOUT_PAYMENTS: Final = ('"payments_not_set_up"', '"payment_unavailable"')
RULES: Final = re.compile("|".join(_TEXTS))


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep a finding, unless it is by design."""
    kind = type(failure).__name__
    if kind == "ServerError":
        return not _is_without_payments(response)
    if kind == "RejectedPositiveData":
        return not _is_by_rule(response)
    if kind == "AcceptedNegativeData":
        return not (_has_empty_filter(case, failure) or _is_number_for_text(case))
    return True


def _is_without_payments(response: Any) -> bool:
    """Where no payment service is set up, or it does not answer, that is what is to be said."""
    return response.status_code == 503 and any(code in response.text for code in _WITHOUT_PAYMENTS)


def _is_by_rule(response: Any) -> bool:
    try:
        answer = response.json()
    except ValueError:
        return False
    if response.status_code != 400 or answer.get("code") in GUESSED:
        return bool(response.status_code == 400)
    texts = [text for texts in answer["fields"].values() for text in texts] or [answer["error"]]
    return all(RULES.match(text) for text in texts)


def _has_empty_filter(case: Any, failure: Any) -> bool:
    """An empty filter is no filter: that is what an empty field of a form sends. Of several the last one counts."""
    return any(_ends_empty(value) and f"`{name}`" in failure.message for name, value in (case.query or {}).items())


def _ends_empty(value: Any) -> bool:
    values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return not values or values[-1] in ("", [], {})


def _is_number_for_text(case: Any) -> bool:
    """REST framework takes a number where a text is asked for, and a text that reads as a number for one."""
    raw = case.operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
    if not isinstance(case.body, dict) or "schema" not in raw:
        return False
    schema = {**raw["schema"], "components": case.operation.schema.raw_schema["components"]}
    validator = Draft202012Validator(schema)
    errors = list(validator.iter_errors(case.body))
    return bool(errors) and all(_is_lenient(error) for error in errors)


def _is_lenient(error: Any) -> bool:
    if error.validator == "pattern" and error.schema.get("format") == "decimal":
        return _reads_as_number(error.instance)
    if error.validator != "type":
        return False
    wanted = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    if "string" in wanted:
        return isinstance(error.instance, int | float) and not isinstance(error.instance, bool)
    if {"integer", "number"} & set(wanted):
        return isinstance(error.instance, str) and _reads_as_number(error.instance)
    # yes, on, 1 and the like.
    return "boolean" in wanted and isinstance(error.instance, str | int | float)


def _reads_as_number(text: str) -> bool:
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False
