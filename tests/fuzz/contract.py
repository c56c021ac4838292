"""The operations of the contract, and a valid body for each that takes one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.api_journey import PASSWORD
from tests.fuzz.runs import CONTRACT

PERIOD: Final = {"kind": "brag_document", "period_from": "2026-11-01", "period_to": "2026-11-30"}
NAME: Final = {"name": "Something new"}
# What nobody can know is wrong in the same way whatever stands beside it.
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "admin_passkeys_create": {"note": "For a customer"},
    "admin_users_edit": {"reason": "Asked for"},
    "admin_users_password_reset": {"reason": "Asked for"},
    "admin_users_revoke_tokens": {"reason": "Asked for"},
    "admin_users_second_factor_reset": {"reason": "Asked for"},
    "auth_email_change_create": {"email": "moved@example.org"},
    "auth_email_verify_create": {"key": "unknown"},
    "auth_login_create": {"username": "risky", "password": PASSWORD},
    "auth_password_change_create": {"current_password": "wrong", "new_password": PASSWORD},
    "auth_password_reset_create": {"email": "anna@example.org"},
    "auth_password_reset_confirm_create": {"uid": "x", "token": "y", "password": PASSWORD},
    "auth_reauthenticate_create": {"password": PASSWORD},
    "auth_second_factor_keys_create": {"challenge": "unknown", "name": "Key", "credential": {"id": "x"}},
    "auth_second_factor_keys_partial_update": NAME,
    "auth_second_factor_totp_confirm_create": {"code": "000000"},
    "auth_signup_create": {"username": "newcomer", "email": "n@example.org", "password": PASSWORD, "passkey": "x"},
    "auth_token_create": {"username": "risky", "password": PASSWORD},
    "auth_token_second_factor_create": {"challenge": "unknown", "code": "000000"},
    "auth_tokens_create": {"name": "curl", "scopes": ["read"]},
    "billing_admin_reserve_adjust": {"amount_cents": 100, "reason": "Goodwill"},
    "billing_admin_refunds_create": {"payment": "019ab0ef-0000-7000-8000-000000000000", "reason": "Paid twice"},
    "billing_admin_reserve_policy": {"policy": "warn", "reason": "Asked for"},
    "billing_profile_edit": {"billing_email": "bills@example.org"},
    "billing_subscription_session": {"plan": "starter"},
    "billing_topup_confirm": {"session_id": "cs_unknown"},
    "billing_topup_session": {"amount_cents": 2500},
    "employers_create": NAME,
    "jobs_estimate": {"kind": "report", "params": PERIOD},
    "me_delete": {"confirm": "nobody"},
    "me_partial_update": {"display_name": "Somebody"},
    "projects_create": NAME,
    "reports_create": PERIOD,
    "reports_rename": {"title": "Renamed"},
    "tags_create": NAME,
    "tenant_edit": {"name": "Renamed"},
    "tenant_members_edit": {"role": "member"},
    "tenant_passkeys_create": {"note": "For a colleague"},
    "tenant_support_grants_create": {"reason": "Please look", "scopes": ["worklog"], "minutes": 30},
    "tenant_transfer": {},
    "worklogs_create": {"title": "Wrote a test"},
    "worklogs_parse": {"line": "Wrote a test"},
    "worklogs_update": {"title": "Wrote a better test"},
}


@dataclass(frozen=True)
class Operation:
    """One operation, by its name in the contract."""

    id: str
    method: str
    path: str
    parameters: tuple[str, ...]
    fields: frozenset[str]
    takes_body: bool

    @property
    def is_for_staff(self) -> bool:
        return self.id.startswith(("admin_", "billing_admin_"))

    def address(self, ids: Mapping[str, str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], self.path)


def _list_operations() -> Iterator[Operation]:
    document = yaml.safe_load(CONTRACT.read_text())
    for path, item in document["paths"].items():
        for method, described in item.items():
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"].get(name, {})
            yield Operation(
                id=described["operationId"],
                method=method.upper(),
                path=path,
                parameters=tuple(re.findall(r"\{(\w+)\}", path)),
                fields=frozenset(schema.get("properties", {})),
                takes_body=bool(content),
            )


OPERATIONS: Final = tuple(_list_operations())
