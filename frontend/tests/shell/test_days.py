import pytest

from apps.shell.days import DaySpanForm


@pytest.mark.parametrize(
    ("data", "understood", "wrong"),
    [
        ({"from": "2026-11-01", "to": "2026-11-01"}, {"from", "to"}, []),
        ({"from": "2026-11-02", "to": "2026-11-01"}, {"from"}, ["to"]),
        ({"from": "soon", "to": "2026-11-01"}, {"to"}, ["from"]),
        ({"from": "01.11.2026"}, {"to"}, ["from"]),
    ],
)
def test_a_day_that_makes_no_sense_is_left_out_and_said(
    data: dict[str, str], understood: set[str], wrong: list[str]
) -> None:
    form = DaySpanForm(data)
    assert (set(form.understood), list(form.errors)) == (understood, wrong)


@pytest.mark.parametrize(("data", "is_narrowing"), [({}, False), ({"from": "", "to": ""}, False), ({"to": "x"}, True)])
def test_it_knows_whether_it_narrows(data: dict[str, str], is_narrowing: bool) -> None:
    assert DaySpanForm(data).is_narrowing is is_narrowing
