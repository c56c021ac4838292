"""Passwords that are long enough and still tried first."""

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError

from apps.accounts.validators import FamiliarPasswordValidator


def is_refused(password: str) -> bool:
    try:
        FamiliarPasswordValidator().validate(password)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    "password", ["Sunshine2026!", "!!iloveyou!!", "2026-football", "pass.word.2026", "MoNkEy_12345"]
)
def test_a_common_password_does_not_become_good_by_digits_and_marks(password: str) -> None:
    assert is_refused(password)


@pytest.mark.parametrize("password", ["afterresume", "After-Resume-2026", "my worklog password", "AdminAdmin1!"])
def test_our_own_words_are_no_password(password: str) -> None:
    assert is_refused(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "839201746280lion",
        "4815162342108",
        "!?%&/()=+#*-",
        "resume of a lighthouse keeper",
        "naïve 漢字 éclair",
    ],
)
def test_words_of_ones_own_and_any_characters_are(password: str) -> None:
    assert not is_refused(password)
    validate_password(password)


def test_far_more_than_the_three_thousand_most_common_are_refused_at_our_length() -> None:
    longer = {f"{word}1234" for word in CommonPasswordValidator().passwords if word.isalpha() and len(word) >= 6}
    assert len(longer) > 3000
    assert [password for password in sorted(longer)[::50] if not is_refused(password)] == []


def test_the_rule_is_among_those_that_every_new_password_meets() -> None:
    with pytest.raises(ValidationError, match="tried first"):
        validate_password("Sunshine2026!")
