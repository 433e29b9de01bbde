"""Goal: work survives the death of workers and of the server. Method: SIGKILL, at a moment the test knows of."""

import asyncio
import contextlib
import pathlib
import sys


from conftest import connect, eventually, events, new_worker
from workflows import Call, Calls, Inbox, Sequence, Timers


@contextlib.asynccontextmanager
async def worker_process(address, queue):
    script = pathlib.Path(__file__).with_name("worker_process.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), address, queue, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await process.stdout.readline() == b"polling\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def exists(path) -> bool:
    return pathlib.Path(path).exists()


async def test_worker_killed_in_mid_activity(server, client, queue, new_id, tmp_path):
    mark = str(tmp_path / "mark")
    async with worker_process(server.address, queue) as process:
        handle = await client.start_workflow(
            Calls.run, Call("mark_attempt", [mark], start_to_close=60, heartbeat=1), id=new_id(), task_queue=queue
        )
        await eventually(lambda: exists(mark + ".1"))
        process.kill()
        await process.wait()
    async with new_worker(client, queue):
        assert await handle.result() == 2
    types = await events(handle)
    assert types.count("ACTIVITY_TASK_COMPLETED") == 1 and types.count("ACTIVITY_TASK_SCHEDULED") == 1


async def test_worker_killed_with_a_cached_workflow(server, client, queue, new_id):
    """The next worker has nothing cached: it gets the whole history, once the dead one's queue is given up."""
    async with worker_process(server.address, queue) as process:
        handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
        assert await handle.execute_update(Inbox.add, "one") == 1
        process.kill()
        await process.wait()
    async with new_worker(client, queue):
        assert await handle.execute_update(Inbox.add, "two") == 2
        await handle.signal(Inbox.finish)
        assert await handle.result() == ["one", "two"]


async def test_workers_without_cache(client, queue, new_id):
    async with new_worker(client, queue, max_cached_workflows=0):
        assert await client.execute_workflow(Sequence.run, 5, id=new_id(), task_queue=queue) == 5


async def test_server_killed_in_mid_run(doomed_server, queue, new_id):
    client = await connect(doomed_server.address)
    async with new_worker(client, queue):
        inbox = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
        assert await inbox.execute_update(Inbox.add, "before") == 1
        timers = await client.start_workflow(Timers.run, id=new_id(), task_queue=queue)
        doomed_server.kill()
        doomed_server.start()
        assert await inbox.execute_update(Inbox.add, "after") == 2
        await inbox.signal(Inbox.finish)
        assert await inbox.result() == ["before", "after"]
        assert await timers.result() == ["a", "b", "c"]


async def test_server_killed_in_mid_activity(doomed_server, queue, new_id, tmp_path):
    """The worker lives on: its completion after the restart counts, and the activity is not run again."""
    client = await connect(doomed_server.address)
    path = tmp_path / "token"
    async with new_worker(client, queue):
        handle = await client.start_workflow(
            Calls.run, Call("complete_elsewhere", [str(path)], start_to_close=60), id=new_id(), task_queue=queue
        )
        await eventually(lambda: exists(path))
        doomed_server.kill()
        doomed_server.start()
        await client.get_async_activity_handle(task_token=path.read_bytes()).complete("survived")
        assert await handle.result() == "survived"
