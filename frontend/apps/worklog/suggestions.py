"""The names that a person has used before, offered while they type."""

from dataclasses import dataclass

from apps.backend.client import BackendClient
from apps.backend.errors import BackendUnavailable
from apps.backend.pages import Page
from apps.backend.together import together
from apps.backend.worklogs import Defaults, Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    employers: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


NOTHING_KNOWN = Defaults(employer="", project="", tags=())


def find_suggestions(client: BackendClient) -> Suggestions:
    """Without a backend there are none, and the form works all the same."""
    try:
        return suggestions_from(*together(client.worklogs.employers, client.worklogs.projects, client.worklogs.tags))
    except BackendUnavailable:
        return Suggestions()


def find_defaults(client: BackendClient) -> tuple[Defaults, Suggestions]:
    """What a new entry begins with, and what is offered for it."""
    try:
        defaults, *lists = together(
            client.worklogs.defaults, client.worklogs.employers, client.worklogs.projects, client.worklogs.tags
        )
    except BackendUnavailable:
        return NOTHING_KNOWN, Suggestions()
    return defaults, suggestions_from(*lists)


def suggestions_from(employers: Page[Named], projects: Page[Named], tags: Page[Named]) -> Suggestions:
    return Suggestions(employers=_names(employers), projects=_names(projects), tags=_names(tags))


def _names(page: Page[Named]) -> tuple[str, ...]:
    return tuple(item.name for item in page)
