"""A short seeded round of the chaos about money; `./taskw chaos` plays longer ones."""

import psycopg
import pytest

from devstack.stack import Stack
from tests.chaos.money.judge import judge
from tests.chaos.money.rounds import play, running_product

SECONDS = 12.0
VICTIMS = ("worker-child", "postgres", "backend", "worker")


@pytest.mark.failure("M02", "M03", "M11", "M13", "M17", "M22", "M35", "M37", "M43", "N18")
def test_money_survives_a_round_of_kills_and_faults() -> None:
    with running_product() as stack:
        report = play(stack, seed="first", seconds=SECONDS, customers=2, victims=VICTIMS)
        assert report.complaints == [], "\n".join(report.lines())
        assert report.figures["spend: confirmed"] > 0
        assert report.figures["pay: confirmed"] > 0
        lose_a_payment(stack)
        complaints = "\n".join(judge(report.scene, sorted({one.tenant for one in report.scene.journal})))
    assert "is failed, its customer paid" in complaints
    assert "3. Each payment is one top-up" in complaints


def lose_a_payment(stack: Stack) -> None:
    """As somebody who owns the tables and switches their rules off: then the judge must complain."""
    with psycopg.connect(stack.owner_database_url) as owner:
        owner.execute("SELECT set_config('afterresume.scope', 'everything', true)")
        owner.execute("ALTER TABLE billing_paymentattempt DISABLE TRIGGER USER")
        owner.execute("UPDATE billing_paymentattempt SET state = 'failed' WHERE state = 'succeeded'")
