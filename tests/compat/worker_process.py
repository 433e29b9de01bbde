"""A worker in a process of its own, for the tests that kill one: worker_process.py ADDRESS QUEUE."""

import asyncio
import sys

from conftest import connect, new_worker


async def main() -> None:
    address, queue = sys.argv[1:]
    async with new_worker(await connect(address), queue):
        print("polling", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
