"""What the OpenAPI document says in general: how a call may fail, where an answer leads next, what a decimal is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Operation = dict[str, Any]

_SAFE: Final = ("get", "head", "options")
_COUNTED: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
_ASKED: Final = {"WWW-Authenticate": {"description": "The scheme to sign in with.", "schema": {"type": "string"}}}

# Status, name of the component, what it means. The body is the same for all.
_FAILURES: Final[Mapping[str, tuple[str, str]]] = {
    "400": ("Invalid", "The input breaks a rule; `fields` says which value and why."),
    "401": ("NotSignedIn", "There is no valid token."),
    "402": ("PaymentRequired", "The reserve does not cover this."),
    "403": ("Forbidden", "Known, but not for this caller; `code` says what is missing."),
    "404": ("NotFound", "Absent, or another tenant's."),
    "406": ("NotAcceptable", "The caller accepts no form in which this is answered."),
    "409": ("Conflict", "Things stand so that this is not possible; `code` says why."),
    "413": ("TooLarge", "The body is too large."),
    "414": ("TooLong", "The address is too long."),
    "415": ("UnsupportedMediaType", "The body is not JSON."),
    "429": ("RateLimited", "Too often."),
    "503": ("Unavailable", "Something we need is away; the same call may work later."),
}
_ALWAYS: Final = ("400", "406", "414", "429", "503")
# Calls that cost money, and readings of things that are not there yet.
_SPECIAL: Final[Mapping[str, tuple[str, ...]]] = {
    "reports_create": ("402",),
    "jobs_retry": ("402",),
    "reports_export": ("409",),
    "me_exports_download": ("409",),
    "auth_signup_create": ("409",),
    "auth_login_create": ("403",),
    # What the address names without an id, or the body does.
    "auth_second_factor_totp_destroy": ("404",),
    "me_delete_undo": ("404",),
    "tenant_transfer": ("404",),
    "admin_passkeys_create": ("404",),
    "billing_admin_reserve_adjust": ("404",),
    "billing_admin_refunds_create": ("404",),
    "billing_topup_confirm": ("404",),
}
# Where an answer holds the id of another kind of thing than its own address names: parameter -> place in the answer.
_LEADS: Final[Mapping[str, Mapping[str, str]]] = {
    "reports_create": {"report_id": "/report/id", "job_id": "/job/id"},
    "me_export": {"job_id": "/id"},
    "billing_usage_list": {"event_id": "/results/0/id"},
    "billing_topup_session": {"payment_id": "/payment_id"},
    "billing_invoices_list": {"document_id": "/results/0/id"},
    "jobs_list": {"job_id": "/results/0/id", "report_id": "/results/0/report_id"},
    "auth_sessions_list": {"session_id": "/0/id"},
    "auth_tokens_list": {"token_id": "/0/id"},
    "auth_second_factor_retrieve": {"key_id": "/security_keys/0/id"},
}


def describe_answers(result: dict[str, Any], **_others: Any) -> dict[str, Any]:
    """drf-spectacular's hook: adds the failures and the links to the finished document."""
    operations = list(_list_operations(result))
    result["components"]["responses"] = {name: _describe_failure(code) for code, (name, _) in _FAILURES.items()}
    for _path, method, operation in operations:
        for code in _list_failures(method, operation):
            operation["responses"].setdefault(code, {"$ref": f"#/components/responses/{_FAILURES[code][0]}"})
        operation["responses"] = dict(sorted(operation["responses"].items()))
    for path, _method, operation in operations:
        _add_links(path, operation, operations)
    return result


def tighten_decimals(result: dict[str, Any], **_others: Any) -> dict[str, Any]:
    """drf-spectacular's hook: its pattern of a decimal lets an empty text and a bare sign through; we refuse both."""
    for schema in result["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if field.get("format") == "decimal" and "pattern" in field:
                field["pattern"] = re.sub(r"\{0,(\d+)\}", r"{1,\1}", field["pattern"])
    return result


def _list_operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield path, method, operation


def _describe_failure(code: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _FAILURES[code][1],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if headers := {"401": _ASKED, "429": _COUNTED}.get(code):
        answer["headers"] = headers
    return answer


def _list_failures(method: str, operation: Operation) -> Iterator[str]:
    yield from _ALWAYS
    is_unsafe, needs_token = method not in _SAFE, any(operation.get("security", []))
    if needs_token:
        yield from ("401", "403")
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        yield "404"
    if is_unsafe:
        yield from ("413", "415")
    if is_unsafe and needs_token:
        yield "409"
    yield from _SPECIAL.get(operation["operationId"], ())


def _add_links(path: str, operation: Operation, operations: list[tuple[str, str, Operation]]) -> None:
    """From the answer that gives an id to every operation on what it names."""
    code, places = next(code for code in operation["responses"] if code < "300"), _find_ids(path, operation, operations)
    links = {
        target["operationId"]: {
            "operationId": target["operationId"],
            "parameters": {name: f"$response.body#{places[name]}"},
        }
        for below, _, target in operations
        for name in _name_parameters(target)
        if name in places and (operation["operationId"] in _LEADS or below.startswith(path))
    }
    if links:
        operation["responses"][code]["links"] = links


def _find_ids(path: str, operation: Operation, operations: list[tuple[str, str, Operation]]) -> Mapping[str, str]:
    """The parameters that an answer can fill: of the addresses directly below its own, unless it is listed above."""
    known = _LEADS.get(operation["operationId"])
    if known is not None:
        return known
    schema = _find_schema(operation)
    place = "/results/0/id" if "results" in schema.get("properties", {}) else "/id"
    names = {
        name
        for below, _, target in operations
        for name in _name_parameters(target)
        if below.startswith(f"{path}{{{name}}}/") and "{" not in path
    }
    return dict.fromkeys(names, place)


def _find_schema(operation: Operation) -> Mapping[str, Any]:
    answer = next(answer for code, answer in operation["responses"].items() if code < "300")
    content: dict[str, dict[str, Any]] = answer.get("content", {})
    schema: Mapping[str, Any] = next((form.get("schema", {}) for form in content.values()), {})
    # Every page of a list is a component whose name begins so.
    if "/Paginated" in str(schema.get("$ref", "")):
        return {"properties": {"results": {}}}
    return schema


def _name_parameters(operation: Operation) -> list[str]:
    return [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"]
