"""The certificate of an erasure: readable by whoever has its link, and without a word about whose data it was."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.crypto import salted_hmac

from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.orchestration.erasure.terms import COUNT_LABELS, list_kept
from apps.orchestration.models import AccountDeletion, ErasureCertificate
from apps.orchestration.personal_types import CertificateNotFound, DeletionScope

FORMAT: Final = "afterresume.erasure-certificate/1"
_SALT: Final = "orchestration.erasure-certificate"


def derive_token(*, certificate_id: UUID) -> str:
    """The secret of the certificate's link: 256 bits that only we can compute, the same each time a mail is tried."""
    digest = salted_hmac(_SALT, str(certificate_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def digest_token(*, token: str) -> str:
    """What is stored of a token, and what a certificate is found by."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_certificate(*, deletion: AccountDeletion, now: datetime) -> ErasureCertificate:
    """Writes the certificate of an erasure whose content is gone, from the counts that its steps have kept."""
    certificate_id = uuid7()
    content = describe(deletion=deletion, certificate_id=certificate_id, now=now)
    return ErasureCertificate.objects.create(
        id=certificate_id,
        tenant_id=deletion.tenant_id,
        deletion=deletion,
        token_digest=digest_token(token=derive_token(certificate_id=certificate_id)),
        content=content,
        sha256=hash_content(content=content),
        created_at=now,
    )


def describe(*, deletion: AccountDeletion, certificate_id: UUID, now: datetime) -> dict[str, Any]:
    """The content: what, how many and when, but never whose."""
    scope = DeletionScope(deletion.scope)
    return {
        "format": FORMAT,
        "id": str(certificate_id),
        "scope": scope.value,
        "requested_at": deletion.requested_at.isoformat(),
        "erased_at": now.isoformat(),
        "erased": [
            {"what": label, "count": deletion.counts[key]}
            for key, label in COUNT_LABELS.items()
            if deletion.counts.get(key)
        ],
        "kept": [
            {"what": kept.what, "why": kept.why, "until": kept.until.date().isoformat() if kept.until else None}
            for kept in list_kept(scope=scope, erased_at=now)
        ],
    }


def hash_content(*, content: Mapping[str, Any]) -> str:
    """SHA-256 over the content as JSON with sorted names and no spaces."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def get_certificate(*, token: str) -> ErasureCertificate:
    """The certificate of a link. Over all tenants, since whoever asks belongs to none. Raises CertificateNotFound."""
    row = ErasureCertificate.objects.filter(token_digest=digest_token(token=token)).first()
    if row is None:
        raise CertificateNotFound
    return row


def find_certificate(*, tenant: TenantId, deletion_id: UUID) -> ErasureCertificate | None:
    """The certificate that a deletion has brought, or None."""
    return ErasureCertificate.objects.filter(tenant_id=tenant, deletion_id=deletion_id).first()
