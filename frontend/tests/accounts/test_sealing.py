import pytest
from pytest_django import Settings

from apps.accounts.sealing import BrokenSeal, seal, unseal

TOKEN = "ar_0123456789" * 9


def test_what_is_sealed_can_be_unsealed() -> None:
    assert unseal(seal(TOKEN)) == TOKEN


def test_the_same_text_never_looks_the_same() -> None:
    assert seal(TOKEN) != seal(TOKEN)


def test_nothing_of_the_text_shows() -> None:
    assert "ar_0" not in seal(TOKEN)


def test_another_secret_opens_nothing(settings: Settings) -> None:
    sealed = seal(TOKEN)
    settings.SECRET_KEY = "another secret of sufficient length, really"
    with pytest.raises(BrokenSeal):
        unseal(sealed)


@pytest.mark.parametrize("place", [0, 20, 100, -3])
def test_a_changed_character_is_noticed(place: int) -> None:
    sealed = list(seal(TOKEN))
    sealed[place] = "A" if sealed[place] != "A" else "B"
    with pytest.raises(BrokenSeal):
        unseal("".join(sealed))


@pytest.mark.parametrize("text", ["", "AAAA", "not base64 é"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(BrokenSeal):
        unseal(text)
