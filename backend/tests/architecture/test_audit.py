"""Whoever changes something leaves a row in the audit: every service that writes does, or is on the list with a reason.

Read from the source: a function writes when it calls a method of the ORM that does, itself or through ours,
and it audits when it calls `record_audit` or `record_change` in the same way.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import Final

from tests.architecture.source import APPS, Function, list_modules, parse
from tests.architecture.test_services import is_service

WRITES: Final = frozenset(
    {
        *("create", "save", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"),
        # apps.common.statements
        *("insert_rows", "insert_if_absent", "update_row"),
    }
)
AUDITS: Final = frozenset({"record_audit", "record_change"})


def name_calls(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            if isinstance(inner.func, ast.Attribute):
                yield inner.func.attr
            elif isinstance(inner.func, ast.Name):
                yield inner.func.id


@cache
def list_calls() -> dict[str, frozenset[str]]:
    """What each function of ours calls. Private ones are known by their module too, public ones by name."""
    calls: dict[str, frozenset[str]] = {}
    for path in list_modules():
        if path.relative_to(APPS).parts[0] in {"api", "workers"}:
            continue
        functions = [node for node in parse(path).body if isinstance(node, Function)]
        private = {node.name for node in functions if node.name.startswith("_")}
        for node in functions:
            called = {f"{path}:{name}" if name in private else name for name in name_calls(node)}
            key = f"{path}:{node.name}" if node.name in private else node.name
            calls[key] = calls.get(key, frozenset()) | called
    return calls


@cache
def reach(name: str) -> frozenset[str]:
    """Everything that is called on the way, through functions of ours."""
    calls = list_calls()
    seen: set[str] = set()
    open_names = [name]
    while open_names:
        for called in calls.get(open_names.pop(), frozenset()) - seen:
            seen.add(called)
            # An ORM method may share its name with a function of ours, which is not what is meant by `.update(...)`.
            if called in calls and called not in WRITES:
                open_names.append(called)
    return frozenset(seen)


def list_writers() -> dict[str, frozenset[str]]:
    """Every public service that writes, as `app.name`, with what it reaches."""
    return {
        f"{path.relative_to(APPS).parts[0]}.{node.name}": reach(node.name)
        for path in list_modules()
        if is_service(path) and not any(part.startswith("selectors") for part in path.relative_to(APPS).parts)
        for node in parse(path).body
        if isinstance(node, Function) and not node.name.startswith("_") and reach(node.name) & WRITES
    }


# Why nobody needs a row in the audit for these. What is called by an audited service stands there under its name.
EXEMPT: Final[dict[str, tuple[str, ...]]] = {
    "The ledger, its holds and its usage are append-only books of their own, proved every night": (
        "billing.append_entries",
        "billing.close_hold",
        "billing.expire_hold",
        "billing.flush_calls",
        "billing.grant_promo_credit",
        "billing.open_account",
        "billing.place_hold",
        "billing.post_batch",
        "billing.post_entry",
        "billing.prove_ledger",
        "billing.read_books",
        "billing.store_proof",
        "orchestration.prove_money",
        "billing.record_batch",
        "billing.record_use",
        "billing.release_hold",
        "billing.renew_hold",
        "billing.settle_hold",
        "billing.store_account",
    ),
    "A payment, refund or dispute is a row that keeps its own history, and its money is in the ledger": (
        "billing.add_attempt",
        "billing.cancel_topup",
        "billing.confirm_topup",
        "billing.fulfil_payment",
        "billing.look_at_attempt",
        "billing.look_at_due",
        "billing.look_at_due_refunds",
        "billing.look_at_refund",
        "billing.move_attempt",
        "billing.note_payment",
        "billing.note_session",
        "billing.reconcile",
        "billing.settle_clawbacks",
        "billing.settle_locked",
        "billing.start_topup",
        "billing.take_back",
        "billing.take_dispute",
        "billing.take_payment",
        "billing.take_refund",
    ),
    "The machine of automatic top-ups acts by the owner's settings, which are audited, and each charge is a payment": (
        "billing.begin",
        "billing.check_account",
        "billing.close_superseded_page",
        "billing.lift_for_new_card",
        "billing.note_outcome",
    ),
    "What Stripe says of customer, card and subscription, which people change on Stripe's own pages": (
        "billing.ensure_customer",
        "billing.forget_card",
        "billing.introduce_customer",
        "billing.keep_card",
        "billing.purge_events",
        "billing.receive_event",
        "billing.start_portal",
        "billing.start_subscription",
        "billing.take_detached_card",
        "billing.take_saved_card",
        "billing.work_events",
    ),
    "Documents are append-only, and numbered without a gap": (
        "billing.issue_credit_note",
        "billing.issue_invoice",
        "billing.issue_receipt",
        "billing.take_paid_invoice",
    ),
    "A draft of a rate card binds nobody; publishing it is audited": ("billing.clone_version", "billing.create_draft"),
    "Each call to a model is a row that keeps its own history": (
        "llm.mark_lost",
        "llm.mark_sent",
        "llm.plan_call",
        "llm.store_answer",
        "llm.store_failure",
    ),
    "Jobs, their steps and what they make keep an event for each move": (
        "orchestration.abandon_call",
        "orchestration.add_attempt",
        "orchestration.advance_job",
        "orchestration.begin_file",
        "orchestration.cancel_run",
        "orchestration.claim_call",
        "orchestration.claim_run",
        "orchestration.close_expired_runs",
        "orchestration.close_failed_call",
        "orchestration.close_overdue_hold",
        "orchestration.close_overdue_holds",
        "orchestration.complete_run",
        "orchestration.create_job",
        "orchestration.dispatch_due_runs",
        "orchestration.end_job",
        "orchestration.fail_run",
        "orchestration.give_up_run",
        "orchestration.lock_wanted",
        "orchestration.move_job",
        "orchestration.meter_storage",
        "orchestration.move_run",
        "orchestration.note_file",
        "orchestration.renew_lease",
        "orchestration.reserve_call",
        "orchestration.run_once_per_period",
        "orchestration.settle_call",
        "orchestration.stop_open_runs",
        "orchestration.store_cost",
        "orchestration.sweep",
        "reporting.cancel_report",
        "reporting.create_report",
        "reporting.fail_report",
        "reporting.finish_report",
        "reporting.rename_report",
        "reporting.reopen_report",
    ),
    "Each save of an entry is kept as a version with its editor; names come with it": (
        "worklog.create_entry",
        "worklog.edit_entry",
        "worklog.ensure_name",
        "worklog.ensure_names",
    ),
    "A part of signing up, creating a person or leaving, which are audited where they are composed": (
        "accounts.create_user",
        "accounts.rename_user",
        "orchestration.follow_person",
        "tenants.add_member",
        "tenants.create_tenant",
    ),
    "Signing in and proving it again change nothing but the session itself, which the person sees in their list": (
        "accounts.issue_token",
        "accounts.mark_authenticated",
        "accounts.mark_second_factor",
        "accounts.note_sign_in",
        "accounts.reauthenticate",
        "accounts.revoke_token",
        "accounts.touch_token",
        "mfa.close_challenge",
        "mfa.open_challenge",
        "mfa.start_challenge",
        "mfa.take_attempt",
        "tenants.sign_in",
    ),
    "Nothing is on or off before it is confirmed, and that is audited": (
        "accounts.queue_verification",
        "accounts.request_reset",
        "accounts.resend_verification",
        "mfa.begin_key",
        "mfa.begin_totp",
    ),
    "A part of changing factors or scheduling a deletion, which are audited": (
        "accounts.revoke_personal_tokens",
        "mfa.forget_leftovers",
        "mfa.replace_codes",
    ),
    "Mails are rows with their own history": (
        "accounts.tell",
        "billing.tell_notice",
        "billing.tell_owners",
        "mail.forget_user",
        "mail.queue_mail",
        "mfa.tell",
        "tenants.tell_departure",
        "tenants.tell_role",
    ),
    "Sweeping out what has expired, by a rule that the runbook states": (
        "accounts.drop_stale_changes",
        "accounts.purge_identities",
        "accounts.purge_tokens",
        "mail.erase_old",
        "orchestration.purge_files",
        "orchestration.purge_rows",
        "orchestration.sweep_orphans",
    ),
    "Files belong to what is kept of them in rows": ("artifacts.remove_file", "artifacts.store_file"),
    "Encrypting the same secrets anew under another key of the house": ("mfa.reseal_devices",),
    "The log itself": ("observability.record_audit", "observability.record_event"),
}


def list_exempt() -> set[str]:
    return {name for names in EXEMPT.values() for name in names}


def test_there_are_services_that_write() -> None:
    assert len(list_writers()) > 40


def test_each_service_that_writes_is_audited_or_has_a_reason_not_to_be() -> None:
    silent = {name for name, reached in list_writers().items() if not reached & AUDITS}
    assert sorted(silent - list_exempt()) == []


def test_the_list_names_nothing_that_is_gone_or_audited_by_now() -> None:
    silent = {name for name, reached in list_writers().items() if not reached & AUDITS}
    assert sorted(list_exempt() - silent) == []
