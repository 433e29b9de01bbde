"""A server that answers its only tool with a gigabyte: `endless_mcp_server.py` over its standard streams."""

import json
import sys

for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "tools/call":
        print('{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"' % message["id"], end="", flush=True)
        for _ in range(1024):
            sys.stdout.write("x" * (1 << 20))
        print('"}]}}', flush=True)
    elif "id" in message:
        if message["method"] == "initialize":
            result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "e", "version": "1"}}
        elif message["method"] == "tools/list":
            result = {"tools": [{"name": "flood", "inputSchema": {"type": "object"}}]}
        else:
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "unknown"}}), flush=True)
            continue
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
