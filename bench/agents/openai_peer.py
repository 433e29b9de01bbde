"""The official Python client (`openai`) reads the same streams. Prints one line of JSON: tokens, and CPU seconds of this process.

    openai_peer.py --port PORT --streams 40
"""

import argparse
import asyncio
import json
import time

from openai import AsyncOpenAI


async def read(client: AsyncOpenAI) -> int:
    tokens = 0
    stream = await client.chat.completions.create(model="load", messages=[{"role": "user", "content": "Speak."}], stream=True,
                                                  stream_options={"include_usage": True})
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            tokens += 1
    return tokens


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--streams", type=int, required=True)
    args = parser.parse_args()
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{args.port}/v1", api_key="none", max_retries=0, timeout=600)
    await read(client)  # what it loads, it loads now
    begun = time.process_time()
    tokens = sum(await asyncio.gather(*(read(client) for _ in range(args.streams))))
    print(json.dumps({"tokens": tokens, "cpu_s": time.process_time() - begun}))


asyncio.run(main())
