"""Imports of accounts: the counts of their rows, and the accounts that the rows become."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_block.sandbox.objects.fields import plain
from persona_block.sandbox.objects.importers import ROWS_AT_ONCE
from tests.support.contract_client import ContractClient


@pytest.mark.parametrize(
    ("csv", "status", "counts"),
    [
        (b"reference_id,name_first\na,Jane\nb,Joe\n", "ready", (2, 0, 0)),
        (b"\xef\xbb\xbfReference_ID, name_first\r\na,Jane\r\n\r\n,,\r\nb,Joe", "ready", (2, 0, 0)),
        (b"reference_id\na\na\nknown\n", "ready", (1, 2, 0)),
        (b"name_first\nJane\nJane\n", "ready", (2, 0, 0)),
        (b"name_first,birthdate\nJane,1990-02-30\nJoe,01/02/1990\nJim,1990-01-02\n", "ready", (1, 0, 2)),
        (b"name_first,social_security_number\nA,123-45-6789\nB,123456789\nC,12345\n", "ready", (2, 0, 1)),
        (b"name_first,name_last\nJane,ImportError\nJoe,Doe\n", "ready", (1, 0, 1)),
        (b"name_first\nJane,too,many\n", "ready", (0, 0, 1)),
        (b"name_first,unknown\n,only unknown\n", "ready", (0, 0, 1)),
        (b'name_first,name_last\n"Jane ""J"" Q","Doe, Jr."\n', "ready", (1, 0, 0)),
        (b"reference_id\n", "ready", (0, 0, 0)),
        (b"", "errored", (0, 0, 0)),
        (b"who,what\n1,2\n", "errored", (0, 0, 0)),
        (b"name_first\n\xff\xfe\n", "errored", (0, 0, 0)),
        (b'name_first\n"never closed\n', "errored", (0, 0, 0)),
    ],
)
def test_import_counts(client: ContractClient, csv: bytes, status: str, counts: tuple[int, int, int]) -> None:
    client.account(reference_id="known")
    created = client.upload(csv)
    names = ("successful-count", "duplicate-count", "error-count")
    assert (created.attributes["status"], created.attributes["completed-at"]) == ("pending", None)
    client.sandbox.clock.advance(1.4)
    assert client.get(f"/importers/{created.id}").attributes["status"] == "pending"
    assert len(client.get("/accounts").ids) == 1
    client.sandbox.clock.advance(1)
    done = client.get(f"/importers/{created.id}").attributes
    assert (done["status"], tuple(done[name] for name in names)) == (status, counts)
    assert done["completed-at"] is not None
    assert len(client.get("/accounts").ids) == 1 + counts[0]


def test_the_account_of_a_row(client: ContractClient) -> None:
    client.upload(
        b"reference_id,name_first,name_middle,name_last,birthdate,social_security_number,tags\n"
        b'r,Jane,Q,Doe,1990-01-02,123456789,"vip, new;late|x"\n'
    )
    client.sandbox.clock.advance(2)
    (id,) = client.get("/accounts?filter[reference-id]=r").ids
    account = client.get(f"/accounts/{id}").attributes
    assert account["tags"] == ["vip", "new", "late", "x"]
    assert plain(account["fields"])["name"] == {"first": "Jane", "middle": "Q", "last": "Doe"}
    assert plain(account["fields"])["birthdate"] == "1990-01-02"


def test_rows_are_divided_between_the_parts_of_a_file(client: ContractClient) -> None:
    """Line breaks within cells, blank rows and odd line ends do not change where a row ends."""
    rows = []
    for number in range(3 * ROWS_AT_ONCE + 7):
        end = ("\n", "\r\n", "\r")[number % 3]
        rows.append(f'{number},"J\nan{end}e ""{number}"""{end}' + "\r\n" * (number % 5 == 0))
    client.upload(b"reference_id,name_first\n" + "".join(rows).encode())
    client.sandbox.clock.advance(2)
    client.sandbox.settle()
    for number in (0, 1, 248, 249, 250, 251, 499, 500, 501, 3 * ROWS_AT_ONCE + 6):
        (id,) = client.get(f"/accounts?filter[reference-id]={number}").ids
        name = client.get(f"/accounts/{id}").attributes["fields"]["name"]["value"]["first"]["value"]
        end = ("\n", "\r\n", "\r")[number % 3]
        assert name == f'J\nan{end}e "{number}"'
    assert len([effect for effect in client.sandbox.effects if effect.name == "account.created"]) == len(rows)


@pytest.mark.parametrize("position", [1, 249, 250, 600])
def test_one_bad_quote_makes_a_whole_file_unreadable(client: ContractClient, position: int) -> None:
    rows = ["Jane\n"] * 700
    rows[position] = '"Jane"x\n'
    importer = client.upload(b"name_first\n" + "".join(rows).encode()).id
    client.sandbox.clock.advance(2)
    client.sandbox.settle()
    assert client.get(f"/importers/{importer}").attributes["status"] == "errored"
    assert client.get("/accounts").ids == []


def test_what_an_import_forgets_is_not_left_in_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with ContractClient(state=state) as client:
        client.upload(b"name_first,social_security_number\nJane,987-65-4321\n" * 300)
        assert b"987-65-4321" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
        client.sandbox.clock.advance(2)
        client.sandbox.settle()
        assert len(client.get("/accounts").ids) == 10
        assert b"987-65-4321" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
