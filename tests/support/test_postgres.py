"""The Postgres of the tests ends with them, even where they are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.postgres import programs

PROGRAM = """
import os, signal
from tests.support.postgres import Cluster

with Cluster() as cluster:
    print(cluster.url("postgres").rpartition("host=")[2], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.process
def test_a_killed_test_run_leaves_no_server(pytestconfig: pytest.Config) -> None:
    if programs() is None:
        pytest.skip("Postgres is not installed: apt-get install postgresql")
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=60, cwd=pytestconfig.rootpath)
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("pg-")
    for _ in range(1000):
        if not folder.exists():
            return
        time.sleep(0.01)
    raise AssertionError("the server is still there")
