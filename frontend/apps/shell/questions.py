"""A question before something that cannot be undone: a dialog for HTMX, a page for browsers without scripts."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.template.response import TemplateResponse

from apps.shell.pages import answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`title` names the thing; `label` is the word on the button that does it, `back_path` where the other leads."""

    title: str
    text: str
    label: str
    back_path: str
    kind: str = "danger"
    keep_label: str = "Keep it"


def ask_first(request: HttpRequest, question: Question) -> TemplateResponse:
    """Ask. The answer "yes" is a plain POST to the same address; open it with `hx_get` and `#modal-slot`, or a link."""
    return answer(
        request, page="shell/question.html", fragment="shell/question_modal.html", context={"question": question}
    )
