import threading
from contextvars import ContextVar

import pytest

from apps.backend.together import together

_word: ContextVar[str] = ContextVar("word", default="")


def test_calls_run_at_the_same_time_and_answer_in_order() -> None:
    barrier = threading.Barrier(2, timeout=5)

    def meet(name: str) -> str:
        barrier.wait()
        return name

    assert together(lambda: meet("a"), lambda: meet("b")) == ("a", "b")


def test_calls_see_the_context_of_their_caller() -> None:
    token = _word.set("request-0001")
    assert together(_word.get, _word.get) == ("request-0001", "request-0001")
    _word.reset(token)


def test_the_failure_of_one_is_the_failure_of_all() -> None:
    def fail() -> str:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        together(lambda: "a", fail)
