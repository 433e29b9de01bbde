"""Goal: a worker of the Python SDK has nothing to complain about. Method: one in a process of its own, idle for a while on
each server; its runtime logs warnings to standard error, and there is none.
"""

import subprocess
import sys
import uuid

import pytest

WORKER = """
import asyncio, sys
from datetime import timedelta
from temporalio import activity
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Worker

@activity.defn
async def nothing() -> None: ...

async def main():
    runtime = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(TelemetryFilter(core_level="WARN", other_level="WARN"))))
    client = await Client.connect(sys.argv[1], runtime=runtime)
    async with Worker(client, task_queue=sys.argv[2], activities=[nothing]):
        await asyncio.sleep(3)
    print("done")

asyncio.run(main())
"""


@pytest.mark.parametrize("server", ["ours", "theirs"])
def test_idle_worker(request, server):
    address = request.getfixturevalue(server)
    ran = subprocess.run(
        [sys.executable, "-c", WORKER, address, f"idle-{uuid.uuid4()}"], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == "done\n", ran.stderr
    assert "WARN" not in ran.stderr + ran.stdout, ran.stderr
