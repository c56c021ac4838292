"""README.txt of the ZIP: what is what, for a person who opens it in ten years."""

from datetime import datetime
from typing import Final

_COMMON: Final = """\
Your data from AfterResume
Written {written_at}. All times are in UTC, all money in micro-dollars (1,000,000 is one US dollar).

profile.json    who you are here: name, address, tenant, role, settings{billing}
worklog.json    your entries, deleted ones too; how each read after every save (versions); the employers, projects
                and tags that they name
reports/        index.json lists every report that you asked for. Each finished one is there as .json, .md and .pdf,
                exactly as the product gives it, with the entries that it rests on
jobs.json       what ran for you, step by step, and each question to the language model with its answer
{ledger}audit.json      what you did to the account and what was done to it, by whom, and why
tokens.json     your sessions and personal tokens without the tokens themselves, and the devices that you signed in from
manifest.json   the length and the SHA-256 of each of these files

Every .json file is one JSON object in UTF-8; "format" says how to read it.
"""

_LEDGER: Final = """\
ledger.json     every movement of the reserve; each metered use with its charges; the rate cards that priced them
ledger.csv      the same movements for a spreadsheet
payments.json   every payment, also those that came to nothing; refunds and disputes; what stands on each document
documents/      receipts, credit notes and invoices as .pdf, by their numbers

A charge can be recomputed by hand: the sum over its "charges" of quantity x price_micros / unit_size, rounded half up
once, is cost_micros + not_charged_micros. Each rate_line_id is found in "rate_cards", with the same price. The amounts
of all entries add up to balance_micros.

"""

_NO_LEDGER: Final = """\

The money of your tenant is not in here: you are a member, and the ledger belongs to its owners, who can export it.
Neither is what colleagues have written, even where they share it with you.

"""


def write_readme(is_owner: bool, written_at: datetime) -> str:  # noqa: FBT001 - the one thing that the text varies by
    """The text for an owner, or for a member, who is not given the tenant's ledger."""
    return _COMMON.format(
        written_at=written_at.strftime("%Y-%m-%d %H:%M:%S"),
        billing=", plan and billing details" if is_owner else "",
        ledger=_LEDGER if is_owner else _NO_LEDGER,
    )
