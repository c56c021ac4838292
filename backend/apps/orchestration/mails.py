"""The mails of "my data". Links are made when a mail is sent; none of them opens anything by itself."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from apps.mail.links import frontend_link
from apps.mail.registry import register
from apps.orchestration.erasure.certificates import derive_token

EXPORT_READY: Final = "export_ready"
DELETION_SCHEDULED: Final = "deletion_scheduled"
DELETION_UNDONE: Final = "deletion_undone"
ERASURE_CERTIFICATE: Final = "erasure_certificate"


def link_to_my_data(context: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - the registry's signature
    return {"link": frontend_link("profile", "data")}


def link_to_certificate(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The address of the certificate: its token is derived, so that no row ever holds it."""
    token = derive_token(certificate_id=UUID(context["certificate_id"]))
    return {"link": frontend_link("erasure-certificates", token)}


register(
    kind=EXPORT_READY,
    subject="Your data is ready",
    enrich=link_to_my_data,
    sample={"expires_on": "2026-03-21"},
)
register(
    kind=DELETION_SCHEDULED,
    subject="Your account will be deleted on {{ due_on }}",
    enrich=link_to_my_data,
    sample={"username": "ada", "due_on": "2026-03-28", "grace_days": 14},
)
register(
    kind=DELETION_UNDONE,
    subject="Your account stays",
    enrich=link_to_my_data,
    sample={"username": "ada"},
)
register(
    kind=ERASURE_CERTIFICATE,
    subject="Your data has been erased",
    enrich=link_to_certificate,
    sample={
        "certificate_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "erased_on": "2026-03-28",
        "erased": [{"what": "Worklog entries", "count": 12}],
        "kept": [{"what": "Ledger", "why": "Books must be kept by law.", "until": "2036-12-31"}],
        "sha256": "0" * 64,
    },
)
