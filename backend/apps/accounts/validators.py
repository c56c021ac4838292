"""Passwords that are easy to guess although they are long enough."""

import re
from typing import Any, Final

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

# What somebody tries first here: our own name and what stands on our own pages. docs/asvs.md (V6.1.2) shows this list.
CONTEXT_WORDS: Final = (
    *("after", "resume", "work", "log", "worklog", "brag", "report", "skill", "employer", "project", "reserve"),
    *("admin", "administrator", "staff", "owner", "member", "tenant", "operations", "support", "billing", "invoice"),
    *("password", "passkey", "passphrase", "secret", "login", "welcome", "invite", "account", "user", "the", "my"),
)
_EDGES: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_BETWEEN: Final = re.compile(r"[\W_]+")
_CONTEXT: Final = re.compile(f"(?:{'|'.join(CONTEXT_WORDS)})+")
_CODE: Final = "password_too_familiar"
_MESSAGE: Final = "This is a word that is tried first, with something before or behind it. Several words are better."


class FamiliarPasswordValidator:
    """Refuses a common password that was only made longer by digits and marks, and one of nothing but our own words.

    Django's list has 20,000 common passwords, most of them shorter than ours may be: people add "123!" to one of them.
    What was added must not outweigh the word, so a long random rest makes any word good.
    """

    @cached_property
    def _common(self) -> set[str]:
        return CommonPasswordValidator().passwords

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        folded = password.casefold()
        core = _EDGES.sub("", folded)
        if 2 * len(core) < len(folded):
            return
        plain = _BETWEEN.sub("", core)
        if core in self._common or plain in self._common or _CONTEXT.fullmatch(plain):
            raise ValidationError(_MESSAGE, code=_CODE)

    def get_help_text(self) -> str:
        return "Your password must be more than a common word with digits or marks around it."
