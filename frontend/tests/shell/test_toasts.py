import json

from django.http import HttpResponse

from apps.shell.toasts import add_toast


def test_a_toast_can_carry_an_undo() -> None:
    response = add_toast(HttpResponse(), "Entry deleted.", undo_url="/worklog/1/restore/")
    detail = json.loads(response["HX-Trigger"])["toast"]
    assert (detail["message"], detail["level"], detail["undo_url"], detail["undo_label"]) == (
        "Entry deleted.",
        "success",
        "/worklog/1/restore/",
        "Undo",
    )
