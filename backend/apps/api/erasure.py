"""What the API itself keeps about people, removed when they go."""

from collections.abc import Sequence
from uuid import UUID

from apps.api.models import StoredAnswer
from apps.common.tenancy import TenantId
from apps.orchestration.erasure.ports import plug_eraser


def erase_answers(tenant: TenantId, people: Sequence[UUID], is_whole_tenant: bool) -> int:  # noqa: FBT001 - the port's signature
    """Deletes the stored answers of idempotent calls; how many there were."""
    answers = StoredAnswer.objects.filter(tenant_id=tenant)
    if not is_whole_tenant:
        answers = answers.filter(user_id__in=people)
    deleted: int = answers.delete()[0]
    return deleted


plug_eraser(name="api.stored_answers", counts_as="answers", erase=erase_answers)
