import pytest
from django.urls import Resolver404, resolve

from apps.shell.navigation import GROUPS, navigation_for, profile_tabs_for


def current(path: str) -> list[str]:
    groups = navigation_for(path=path, is_staff=True)
    return [item.label for group in groups for item in group.destinations if item.is_current]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/", "Dashboard"),
        ("/worklog/", "Worklog"),
        ("/reporting/generate/", "Reports"),
        ("/billing/ledger/", "Ledger"),
        ("/billing/topup/return/", "Reserve"),
    ],
)
def test_the_page_s_own_place_is_marked(path: str, label: str) -> None:
    assert current(path) == [label]


def test_a_page_outside_the_sidebar_marks_nothing() -> None:
    assert current("/accounts/logout/") == []


def test_the_staff_section_is_for_staff() -> None:
    labels = [group.label for group in navigation_for(path="/", is_staff=False)]
    assert "Staff" not in labels


@pytest.mark.parametrize("path", [item.path for group in GROUPS for item in group.destinations])
def test_every_place_of_the_sidebar_exists(path: str) -> None:
    try:
        resolve(path)
    except Resolver404:
        pytest.fail(f"{path} leads nowhere")


@pytest.mark.parametrize(
    ("path", "label"),
    [("/profile/", "Profile"), ("/profile/security/", "Security"), ("/profile/security/keys/add/", "Security")],
)
def test_a_tab_is_marked_on_its_page_and_below(path: str, label: str) -> None:
    assert [tab.label for tab in profile_tabs_for(path=path) if tab.is_current] == [label]
