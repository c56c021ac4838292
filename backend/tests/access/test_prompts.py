"""What is sent to a language model is one tenant's and nobody else's."""

import json

import pytest

from tests.factories.orchestration import FIRST_DAY, begin_report, make_writer, model_server, work
from tests.factories.worklog import make_entry


@pytest.mark.failure("T19")
@pytest.mark.django_db(transaction=True)
def test_no_prompt_for_one_tenant_holds_a_word_of_another() -> None:
    ada, bea = make_writer(entries=1), make_writer(entries=1)
    for actor, word in ((ada, "adasmarker"), (bea, "beasmarker")):
        make_entry(actor, f"Did {word}", body=f"All about {word}", employer=f"At {word}", occurred_on=FIRST_DAY)
    with model_server(model="gpt-4o-mini") as server:
        work(begin_report(ada))
        first = json.dumps(server.journal.as_json())
        server.journal.clear()
        work(begin_report(bea))
        second = json.dumps(server.journal.as_json())
    assert ("adasmarker" in first, "beasmarker" in first) == (True, False)
    assert ("adasmarker" in second, "beasmarker" in second) == (False, True)
