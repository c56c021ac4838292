"""The watch over reserves that run low: fills them up where that is wished, then tells whoever must know."""

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from apps.billing.payment_types import PaymentsNotSetUp
from apps.billing.services import notices
from apps.billing.services.payments import charging
from apps.billing.stripe_gateway import get_gateway
from apps.common.clock import Clock
from apps.common.errors import DomainError
from apps.common.tenancy import SystemScope, system_scope

_log = structlog.get_logger(__name__)

LIMIT: Final = 200


@system_scope(SystemScope.SWEEPER)
def check_reserves(*, clock: Clock, limit: int = LIMIT) -> int:
    """One round; returns how many cards it charged and notices it sent. Not in a transaction.

    Finding out costs three small queries. What goes wrong with one customer is logged and tried again with the next
    round, and does not keep the others waiting.
    """
    done = _charge(clock=clock, limit=limit) if _can_be_paid() else 0
    for tenant in notices.list_to_tell(limit=limit):
        done += _safely("notice", partial(notices.tell_notice, tenant=tenant, now=clock()))
    return done


def _can_be_paid() -> bool:
    try:
        get_gateway()
    except PaymentsNotSetUp:
        return False
    return True


def _charge(*, clock: Clock, limit: int) -> int:
    done = 0
    for tenant in charging.list_to_charge(now=clock(), limit=limit):
        done += _safely("charge", partial(charging.check_account, tenant=tenant, clock=clock))
    for attempt in charging.list_superseded_pages(limit=limit):
        done += _safely("page", partial(charging.close_superseded_page, attempt=attempt, clock=clock))
    return done


def _safely(what: str, act: Callable[[], object]) -> bool:
    try:
        return bool(act())
    except DomainError as error:
        _log.warning("reserve.check_put_off", what=what, code=error.code)
    except Exception:  # noqa: BLE001 - whatever is wrong with one reserve, the next is another customer's
        _log.exception("reserve.check_failed", what=what)
    return False
