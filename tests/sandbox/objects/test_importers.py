"""Imports of accounts: the counts of their rows, and the accounts that the rows become."""

from __future__ import annotations

import pytest

from persona_block.sandbox.objects.fields import plain
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
