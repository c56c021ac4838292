"""Making reports: the questions to the writer, its answers, and the report's life."""

from apps.reporting.services.answers import parse_answer
from apps.reporting.services.prompts import plan_prompts
from apps.reporting.services.reports import (
    cancel_report,
    check_can_delete_report,
    create_report,
    delete_report,
    fail_report,
    finish_report,
    rename_report,
    reopen_report,
)

__all__ = [
    "cancel_report",
    "check_can_delete_report",
    "create_report",
    "delete_report",
    "fail_report",
    "finish_report",
    "parse_answer",
    "plan_prompts",
    "rename_report",
    "reopen_report",
]
