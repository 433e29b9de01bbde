"""A model that answers at once, over the wire format of Chat Completions: it calls `find_order` until the conversation holds
TURNS results, then it is done. Reads nothing but the number of results, so it costs every client the same.

    instant_model.py --turns 10      prints its port
"""

import argparse
import asyncio
import json
import socket

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def frame(delta: dict, finish: str | None = None, usage: dict | None = None) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "instant",
             "choices": [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]}
    if usage:
        chunk["usage"] = usage
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def answer(request: dict, turns: int) -> bytes:
    done = sum(message.get("role") == "tool" for message in request["messages"])
    if done >= turns:
        frames = [frame({"role": "assistant", "content": "All orders "}), frame({"content": "were looked at."}), frame({}, "stop")]
    else:
        call = {"index": 0, "id": f"call_{done}", "type": "function",
                "function": {"name": "find_order", "arguments": json.dumps({"order_id": 1 + done % 10})}}
        frames = [frame({"role": "assistant", "content": "I look at the next one."}), frame({"tool_calls": [call]}),
                  frame({}, "tool_calls")]
    frames.append(frame({}, usage={"prompt_tokens": 100 + 20 * done, "completion_tokens": 12, "total_tokens": 112 + 20 * done}))
    return b"".join(frames) + b"data: [DONE]\n\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turns: int) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
            body = answer(json.loads(await reader.readexactly(length)), turns)
            writer.write(HEAD + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10)
    turns = parser.parse_args().turns

    async def connected(reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await serve(reader, writer, turns)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
