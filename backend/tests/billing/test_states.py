"""The state machines of money, each move of each."""

import pytest

from apps.billing.types import HOLD_STATES, VERSION_STATES, HoldState, VersionState

HOLD_MOVES = {
    (HoldState.OPEN, HoldState.SETTLED),
    (HoldState.OPEN, HoldState.RELEASED),
    (HoldState.OPEN, HoldState.EXPIRED),
}


@pytest.mark.parametrize("after", HoldState)
@pytest.mark.parametrize("before", HoldState)
def test_a_hold_moves_only_from_open_to_an_end(before: HoldState, after: HoldState) -> None:
    assert HOLD_STATES.allows(before, after) == ((before, after) in HOLD_MOVES)


@pytest.mark.parametrize("after", VersionState)
@pytest.mark.parametrize("before", VersionState)
def test_a_version_is_only_ever_published(before: VersionState, after: VersionState) -> None:
    allowed = (before, after) == (VersionState.DRAFT, VersionState.PUBLISHED)
    assert VERSION_STATES.allows(before, after) == allowed
