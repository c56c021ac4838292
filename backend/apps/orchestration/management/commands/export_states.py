"""Writes each state machine's diagram, generated from its transition table."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from apps.billing.payment_types import AUTO_TOPUP_STATES, DISPUTE_STATES, PAYMENT_STATES, REFUND_STATES
from apps.billing.types import HOLD_STATES, VERSION_STATES
from apps.common.states import StateMachine
from apps.llm.types import CALL_STATES
from apps.mail.types import MAIL_STATES
from apps.observability.commands import AuditedCommand
from apps.orchestration.personal_types import DELETION_STATES, EXPORT_STATES
from apps.orchestration.types import JOB_STATES, RUN_STATES
from apps.reporting.types import REPORT_STATES

MACHINES: Final[tuple[StateMachine[Any], ...]] = (
    *(JOB_STATES, RUN_STATES, CALL_STATES),
    *(HOLD_STATES, VERSION_STATES, REPORT_STATES, MAIL_STATES),
    *(PAYMENT_STATES, REFUND_STATES, DISPUTE_STATES, AUTO_TOPUP_STATES),
    *(EXPORT_STATES, DELETION_STATES),
)


def render(machine: StateMachine[Any]) -> str:
    """A Markdown page with the diagram."""
    title = machine.name.replace("_", " ").capitalize()
    note = "Generated from the transition table by `./taskw generate`; do not edit."
    return f"# {title}\n\n{note}\n\n```mermaid\n{machine.render_mermaid()}```\n"


class Command(AuditedCommand):
    help = "Write docs/states/*.md from the transition tables."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for machine in MACHINES:
            (folder / f"{machine.name}.md").write_text(render(machine))
        self.stdout.write(f"{len(MACHINES)} diagrams written to {folder}")
