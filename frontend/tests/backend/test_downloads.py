import time

import pytest

from apps.backend import transport as transport_module
from apps.backend.errors import BackendUnavailable, Conflict
from apps.backend.transport import Call, Caller, Download, Transport
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

PATH = "/api/reports/1/export/"


def fetch(transport: Transport, *, deadline: float | None = None) -> Download:
    return Caller(transport=transport).download(Call(method="GET", path=PATH, deadline=deadline))


def test_a_file_comes_with_its_name_type_and_length(fake: FakeBackend, transport: Transport) -> None:
    headers = {"Content-Type": "application/pdf", "Content-Disposition": 'attachment; filename="brag.pdf"'}
    fake.answer_with("GET", PATH, Reply(body=b"%PDF", headers=headers))
    file = fetch(transport)
    assert (file.filename, file.content_type, file.length) == ("brag.pdf", "application/pdf", 4)
    assert b"".join(file.chunks) == b"%PDF"


@pytest.mark.parametrize("disposition", ["", "attachment", 'attachment; filename="../../etc/passwd"'])
def test_a_name_that_is_none_is_replaced(disposition: str, fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body=b"x", headers={"Content-Disposition": disposition}))
    file = fetch(transport)
    file.chunks.close()
    assert file.filename == "download"


def test_a_refusal_is_an_error_and_no_file(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(status=409, body=shapes.error("wrong_state", "Not ready.")))
    with pytest.raises(Conflict, match="Not ready"):
        fetch(transport)


def test_a_file_that_never_ends_is_given_up_at_the_deadline(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body=b"x" * 80, drip=0.1))
    began = time.monotonic()
    file = fetch(transport, deadline=0.3)
    with pytest.raises(BackendUnavailable) as caught:
        b"".join(file.chunks)
    assert (caught.value.code, time.monotonic() - began < 4) == ("cut_off", True)


def test_a_file_larger_than_allowed_is_cut(
    fake: FakeBackend, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "MAX_DOWNLOAD_BYTES", 10)
    fake.answer_with("GET", PATH, Reply(body=b"x" * 60))
    with pytest.raises(BackendUnavailable, match="larger"):
        b"".join(fetch(transport).chunks)


def test_closing_unread_frees_the_connection(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body=b"x" * 100_000))
    fetch(transport).chunks.close()
    pool = transport._client._transport._pool  # type: ignore[attr-defined]
    assert all(connection.is_closed() or connection.is_idle() for connection in pool.connections)
