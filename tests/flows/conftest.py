"""Databases for flows: an SQLite file, and a Postgres of the tests' own where Debian's package is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_block.flows import connect
from tests.support.postgres import Cluster, programs


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running Postgres; without one, the test is skipped and the reason printed."""
    if programs() is None:
        pytest.skip("Postgres is not installed: apt-get install postgresql")
    with Cluster() as running:
        url = running.database()
        connect(url).close()
        running.template(url)
        yield running


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables of flows and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("flows") / "empty.sqlite"
    connect(str(path)).close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.process)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database of each kind."""
    return new_database(request, request.param, tmp_path)


@pytest.fixture
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new SQLite file."""
    return new_database(request, "sqlite", tmp_path)


def new_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    """Return the URL of a new database of a kind, an SQLite file in a folder."""
    if kind == "postgres":
        running: Cluster = request.getfixturevalue("cluster")
        return running.database()
    path = folder / "flows.sqlite"
    shutil.copyfile(request.getfixturevalue("sqlite_file"), path)
    return f"sqlite:///{path}"
