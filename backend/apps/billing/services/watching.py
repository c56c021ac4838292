"""The watch over reserves that run low: fills them up where that is wished, then tells whoever must know."""

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from apps.billing import stripe_gateway as gateway
from apps.billing.payment_types import PaymentState, PaymentUnavailable
from apps.billing.services import notices
from apps.billing.services.payments import charging
from apps.common.clock import Clock
from apps.common.errors import DomainError
from apps.common.tenancy import SystemScope, system_scope

_log = structlog.get_logger(__name__)

LIMIT: Final = 200
# After so many calls without an answer the rest waits for the next round: one bad customer must not hold up the others,
# nor a Stripe that is away all of the workers.
_PATIENCE: Final = 3
_SILENCE: Final = "silence"


@system_scope(SystemScope.SWEEPER)
def check_reserves(*, clock: Clock, limit: int = LIMIT) -> int:
    """One round; returns how many cards it charged and notices it sent. Not in a transaction.

    Finding out costs three small queries when nobody is low. What goes wrong with one customer is logged and tried
    again with the next round, and does not keep the others waiting.
    """
    done = _charge(clock=clock, limit=limit) if gateway.is_set_up() else 0
    for tenant in notices.list_to_tell(limit=limit):
        done += _safely("notice", partial(notices.tell_notice, tenant=tenant, now=clock())) is not None
    return done


def _charge(*, clock: Clock, limit: int) -> int:
    """Cards, then pages that a charge has made pointless. Ends when Stripe does not answer: each silence takes long."""
    done, silences = 0, 0
    for tenant in charging.list_to_charge(now=clock(), limit=limit):
        outcome = _safely("charge", partial(charging.check_account, tenant=tenant, clock=clock))
        done += isinstance(outcome, PaymentState)
        silences += outcome in (_SILENCE, PaymentState.AMBIGUOUS)
        if silences >= _PATIENCE:
            return done
    for attempt in charging.list_superseded_pages(limit=_PATIENCE):
        _safely("page", partial(charging.close_superseded_page, attempt=attempt, clock=clock))
    return done


def _safely(what: str, act: Callable[[], object]) -> object:
    """What the act returns; None when it could not be done now."""
    try:
        return act()
    except PaymentUnavailable:
        _log.warning("reserve.stripe_is_silent", what=what)
        return _SILENCE
    except DomainError as error:
        _log.warning("reserve.check_put_off", what=what, code=error.code)
    except Exception:  # noqa: BLE001 - whatever is wrong with one reserve, the next is another customer's
        _log.exception("reserve.check_failed", what=what)
    return None
