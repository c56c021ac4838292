"""The sidebar: what there is to go to. A page that does not exist yet has no line here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`key` is the second key of the `g` shortcut, empty when there is none."""

    label: str
    path: str
    icon: str
    key: str = ""
    # Where else one is at this place, beside below its path.
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    label: str
    destinations: tuple[Destination, ...]
    is_for_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDestination:
    label: str
    path: str
    icon: str
    key: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGroup:
    label: str
    destinations: tuple[ShownDestination, ...]


GROUPS: Final = (
    Group(
        label="",
        destinations=(
            Destination(label="Dashboard", path="/", icon="layout-dashboard", key="d"),
            Destination(label="Worklog", path="/worklog/", icon="notebook", key="w"),
            Destination(label="Reports", path="/reporting/", icon="file-text", key="r"),
            Destination(label="Jobs", path="/jobs/", icon="progress-check", key="j"),
        ),
    ),
    Group(
        label="Billing",
        destinations=(
            Destination(
                label="Reserve",
                path="/billing/settings/",
                icon="wallet",
                key="b",
                others=("/billing/topup/", "/billing/plan/", "/billing/auto-topup/", "/billing/details/"),
            ),
            Destination(label="Usage", path="/billing/usage/", icon="coin", key="u"),
            Destination(label="Ledger", path="/billing/ledger/", icon="receipt-2", key="l"),
            Destination(label="Payments", path="/billing/payments/", icon="file-text", key="m"),
        ),
    ),
    Group(label="You", destinations=(Destination(label="Profile", path="/profile/", icon="user-circle", key="p"),)),
    Group(
        label="Staff",
        is_for_staff=True,
        destinations=(
            Destination(label="Users", path="/admin-panel/users/", icon="users"),
            Destination(label="Tenants", path="/admin-panel/tenants/", icon="database"),
            Destination(label="Money", path="/admin-panel/billing/", icon="coin"),
            Destination(label="Audit", path="/admin-panel/audit/", icon="history"),
            Destination(label="Invite passkeys", path="/admin-panel/passkeys/", icon="ticket"),
            Destination(label="Support grants", path="/admin-panel/support/", icon="lifebuoy"),
            Destination(label="Django admin", path="/django-admin/", icon="shield-cog"),
            Destination(label="Components", path="/ui/", icon="palette"),
        ),
    ),
)

# The tabs of everything that a person does about their own account.
PROFILE_TABS: Final = (
    Destination(label="Profile", path="/profile/", icon="user-circle"),
    Destination(label="Security", path="/profile/security/", icon="shield-lock"),
    Destination(label="Tokens", path="/profile/tokens/", icon="key"),
    Destination(label="Members", path="/profile/members/", icon="users"),
    Destination(label="Activity", path="/profile/audit/", icon="history"),
    Destination(label="Support access", path="/profile/support/", icon="lifebuoy"),
    Destination(label="My data", path="/profile/data/", icon="database"),
)


# The tabs of the whole house's money, for staff.
STAFF_MONEY_TABS: Final = (
    Destination(label="Overview", path="/admin-panel/billing/", icon="layout-dashboard"),
    Destination(label="Payments", path="/admin-panel/billing/payments/", icon="receipt-2"),
    Destination(label="Costs", path="/admin-panel/billing/costs/", icon="coin"),
    Destination(label="Disputes", path="/admin-panel/billing/disputes/", icon="alert-triangle"),
    Destination(label="Stripe events", path="/admin-panel/billing/stripe-events/", icon="bolt"),
)


def navigation_for(*, path: str, is_staff: bool) -> tuple[ShownGroup, ...]:
    """The groups that this person may see, with the page at `path` marked."""
    current = _current_path(path, [item for group in GROUPS for item in group.destinations])
    return tuple(
        ShownGroup(label=group.label, destinations=_shown(group.destinations, current=current))
        for group in GROUPS
        if is_staff or not group.is_for_staff
    )


def profile_tabs_for(*, path: str) -> tuple[ShownDestination, ...]:
    """The tabs of the profile, with the page at `path` marked; pages below a tab (a new security key) are its own."""
    return _shown(PROFILE_TABS, current=_current_path(path, PROFILE_TABS))


def staff_money_tabs_for(*, path: str) -> tuple[ShownDestination, ...]:
    """The tabs of staff's money pages, with the page at `path` marked."""
    return _shown(STAFF_MONEY_TABS, current=_current_path(path, STAFF_MONEY_TABS))


def _shown(destinations: Iterable[Destination], *, current: str) -> tuple[ShownDestination, ...]:
    return tuple(
        ShownDestination(
            label=item.label, path=item.path, icon=item.icon, key=item.key, is_current=item.path == current
        )
        for item in destinations
    )


def _current_path(path: str, destinations: Iterable[Destination]) -> str:
    """The longest destination that `path` lies under; the dashboard only when it is the dashboard itself."""
    under = [
        (len(place), item.path)
        for item in destinations
        for place in (item.path, *item.others)
        if path == place or (place != "/" and path.startswith(place))
    ]
    return max(under, default=(0, ""))[1]
