"""Taking somebody's factors away, for a person who has lost them."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services.tokens import revoke_all_tokens
from apps.accounts.services.users import lock_user
from apps.mfa.models import SecurityKey, TotpDevice
from apps.mfa.selectors import get_factors
from apps.mfa.services import notices
from apps.mfa.services.removal import forget_leftovers


@transaction.atomic
def reset_factors(*, actor: UUID | None, user_id: UUID, reason: str, now: datetime) -> bool:
    """Takes every factor away and ends every session and token of the person, staff or not. Raises NotFound.

    `actor` None is the operator at the command line. False when there was nothing to take away.
    """
    user = lock_user(user_id=user_id)
    factors = get_factors(user_id=user_id)
    TotpDevice.objects.filter(user_id=user_id).delete()
    SecurityKey.objects.filter(user_id=user_id).delete()
    forget_leftovers(user_id=user_id)
    if not factors.is_on:
        return False
    revoke_all_tokens(user_id=user_id, actor=actor, reason=reason, now=now)
    before = {
        "totp": factors.is_totp_on,
        "security_keys": len(factors.security_keys),
        "recovery_codes_left": factors.recovery_codes_left,
    }
    notices.audit(actor=actor, user_id=user_id, action="reset", now=now, before=before, after={}, reason=reason)
    what = "every second factor of your account"
    notices.tell(user=user, kind=notices.REMOVED, context={"what": what, "is_reset": True}, now=now)
    return True
