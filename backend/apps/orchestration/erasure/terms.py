"""What an erasure removes and what it keeps, in words for people: in the preview, the mail and the certificate."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings

from apps.orchestration.personal_types import DeletionScope, Erased, Kept

# The names of counts on a certificate, by the key under which the steps keep them.
COUNT_LABELS: Final = {
    "entries": "Worklog entries with all their versions",
    "reports": "Reports with the entries frozen in them",
    "files": "Files of exports",
    "calls": "Questions to the language model with their answers",
    "jobs": "Titles, parameters and results of jobs",
    "events": "Events",
    "answers": "Stored answers of the API",
    "notes": "Notes and addresses on passkeys",
    "grants": "Reasons of support grants",
    "audit": "Words and network addresses in audit rows",
    "tokens": "Sessions and personal tokens",
    "devices": "Devices",
    "factors": "Second factors",
    "people": "People whose name, address, password and settings were forgotten",
}

_OWN: Final = (
    Erased("Worklog", "All your entries, every version of them, and the names that only they carry."),
    Erased("Reports", "All your reports with the entries frozen in them, and the files of your exports."),
    Erased("Jobs", "Titles, parameters and results; each question to the language model and its answer."),
    Erased("Account", "Name, address, password, second factors, sessions, tokens, devices, settings and mails."),
    Erased("Traces", "Events, stored answers of the API, and words and network addresses in audit rows."),
)
_TENANT: Final = Erased("Tenant", "Its name, the billing address, notes on passkeys and everything else in it.")


def list_erased(*, scope: DeletionScope) -> tuple[Erased, ...]:
    """What goes."""
    return (*_OWN, _TENANT) if scope is DeletionScope.TENANT else _OWN


def list_kept(*, scope: DeletionScope, erased_at: datetime) -> tuple[Kept, ...]:
    """What stays, and until the end of which day."""
    until = end_of_retention(erased_at=erased_at)
    copy = Kept(
        "The copy of name and address behind the pages",
        "The pages keep one of everybody who signed in; it is deleted 30 days after the last sign-in.",
        erased_at + timedelta(days=30),
    )
    backups = Kept("Backups", "They hold what was erased until they are overwritten, and are not read otherwise.", None)
    if scope is DeletionScope.MEMBER:
        return (
            Kept("Audit rows", "Which id did what and when must stay answerable. No name or address is left.", until),
            Kept("The tenant's books", "They belong to the tenant and name nobody but ids.", None),
            Kept(
                "Copies that colleagues made",
                "Entries that you shared and that a colleague used in a report are part of that report.",
                None,
            ),
            copy,
            backups,
        )
    return (
        Kept("Ledger, metered use and invoices", "Books must be kept by law. They name nobody but ids.", until),
        Kept(
            "The customer id at the payment provider",
            "Without it no refund, dispute or question of the tax authority about a payment could be answered.",
            until,
        ),
        Kept(
            "Audit rows, and empty rows of jobs and calls",
            "The books refer to them. Ids, times, states and amounts are left; no words and no addresses.",
            until,
        ),
        copy,
        backups,
    )


def end_of_retention(*, erased_at: datetime) -> datetime:
    """The end of the calendar year in which BILLING_RETENTION_YEARS are over, in UTC."""
    return datetime(erased_at.year + settings.BILLING_RETENTION_YEARS, 12, 31, 23, 59, 59, tzinfo=UTC)
