"""CSV files before they are sent: what is accepted, what is refused and in which words."""

from __future__ import annotations

import io
import os
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import InputError, Runner
from persona_block.files.rules import FileRules
from persona_block.files.tabular import check_csv
from persona_block.spec import catalog

RULES = catalog.load("import_accounts").params["file"].csv
assert RULES is not None


def sent(content: bytes) -> bytes:
    """Return what would be uploaded of a file."""
    assert RULES is not None
    stream = check_csv(io.BytesIO(content), RULES)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    uploaded = stream.read()
    assert len(uploaded) == size
    return uploaded


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"reference_id,name_first\nc1,Ada\n", b"reference_id,name_first\nc1,Ada\n"),
        (b"\xef\xbb\xbfreference_id\nc1", b"reference_id\nc1"),
        (b" Reference ID ,NAME first\r\nc1,Ada\r\n", b"reference_id,name_first\r\nc1,Ada\r\n"),
        (b"reference_id,name_first\nc1,Ada\n\n , \n", b"reference_id,name_first\nc1,Ada\n\n , \n"),
        (b'name_first,tags\n"A, ""B""\nC","x"\n', b'name_first,tags\n"A, ""B""\nC","x"\n'),
        (b"reference_id,birthdate\n,\nc1,\n,1990-01-02\n", b"reference_id,birthdate\n,\nc1,\n,1990-01-02\n"),
        (b"reference_id\rc1\rc2\r", b"reference_id\rc1\rc2\r"),
        (b"\xef\xbb\xbfReference ID\rc1\rc2", b"reference_id\rc1\rc2"),
        (b"\xef\xbb\xbfREFERENCE\xc2\xa0ID\r\nc\xc3\xa9\r\n", b"reference_id\r\nc\xc3\xa9\r\n"),
        (b'"reference_id","name_first"\nc1,"A\r\nB"\n', b'reference_id,name_first\nc1,"A\r\nB"\n'),
    ],
)
def test_accepted(content: bytes, expected: bytes) -> None:
    assert sent(content) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1 must name columns"),
        (b"\n\n", "line 1 must name columns"),
        (b"reference_id\n", "no row after the header"),
        (b"reference_id\n\n \n", "no row after the header"),
        (b"reference_id;name_first\nc1;Ada\n", "column 1 of line 1 is none of reference_id"),
        (b"reference_id,email\nc1,x\n", "column 2 of line 1 is none of"),
        (b"reference_id,Reference ID\nc1,c1\n", "column 2 of line 1 repeats reference_id"),
        (b"reference_id,name_first\nc1\n", "line 2 has 1 cells where the header has 2"),
        (b"reference_id\nc1\nc2,x\n", "line 3 has 2 cells where the header has 1"),
        (b"birthdate\n02.01.1990\n", "line 2: birthdate is not a date"),
        (b"birthdate\n1990-02-30\n", "line 2: birthdate is not a date"),
        (b"reference_id\nc1\nc2\nc1 \n", "line 4: reference_id stands in line 2 already"),
        (b"birthdate\n1990-W02-1\n", "line 2: birthdate is not a date"),
        (b'"reference\nid"\nc1\n', "the names of the columns must stand in one line"),
        (b'name_first,"reference_id\n"\nAda,c1\n', "the names of the columns must stand in one line"),
        (b"reference_id\n" + (b"x" * 500 + b"\n") * 2, "line 3: reference_id stands in line 2 already"),
        (b"name_first\nA\n" + b"," * 1_048_577, "the row that begins in line 3 is over 1048576 characters long"),
        (b'name_first\n"' + b"x" * 131_073 + b'"\n', "line 2 has a cell over 131072 characters long"),
        (b"name_first\n\xff\xfe\n", "not UTF-8"),
        (b'name_first\n"Ada\n', "is not CSV"),
    ],
)
def test_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match="cannot be imported") as caught:
        sent(content)
    assert message in str(caught.value)
    assert "1990" not in str(caught.value)


def test_the_first_twenty_and_a_count() -> None:
    content = b"birthdate\n" + b"soon\n" * 50
    with pytest.raises(ValueError, match="50 found") as caught:
        sent(content)
    assert str(caught.value).count("is not a date") == 20
    assert str(caught.value).endswith("and 30 more")


@given(st.lists(st.integers(1, 40), max_size=12), st.binary(min_size=1, max_size=200))
def test_pieces_of_a_respelled_file_add_up(sizes: list[int], noise: bytes) -> None:
    body = b"c" + noise.hex().encode() + b"\n"
    assert RULES is not None
    stream = check_csv(io.BytesIO(b"REFERENCE ID\n" + body), RULES)
    uploaded = b"".join(stream.read(size) for size in sizes) + stream.read()
    assert uploaded == b"reference_id\n" + body


async def test_csv_content_without_a_name_is_sent_under_the_name_of_the_rules() -> None:
    uploads: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        uploads.append(request.read())
        return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})

    async with Runner(api_key="csv-key", transport=httpx.MockTransport(handler)) as runner:
        for source in (b"reference_id\nc1\n", io.BytesIO(b"reference_id\nc1\n"), {"content": "reference_id\nc1\n"}):
            await runner.call("import_accounts", {"file": source})
    assert RULES is not None
    assert RULES.name == "accounts.csv"
    assert [b'filename="accounts.csv"' in upload for upload in uploads] == [True] * 3


async def test_nothing_is_sent_of_a_file_that_breaks_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "crew.csv"
    path.write_text("email\njane@example.com\n")
    uploads: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        uploads.append(request.read())
        return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})

    transport = httpx.MockTransport(handler)
    async with Runner(api_key="csv-key", transport=transport) as checking:
        with pytest.raises(InputError, match="column 1 of line 1") as caught:
            await checking.call("import_accounts", {"file": path})
        assert "jane" not in caught.value.message
        assert not uploads
        path.write_text("Reference ID\nc1\n")
        await checking.call("import_accounts", {"file": path})
    assert b"reference_id\nc1\n" in uploads[0]
    async with Runner(api_key="csv-key", transport=transport, file_rules=FileRules(check=False)) as unchecking:
        await unchecking.call("import_accounts", {"file": path})
    assert b"Reference ID\nc1\n" in uploads[1]
