#!/usr/bin/env python3
"""The agent that everybody writes first: a while loop with the conversation in memory. It works, until its process dies.

    python3 loop.py "Onboard customer 23"
"""

import json
import os
import sys
import urllib.request

MODEL = os.environ.get("MODEL_URL", "http://127.0.0.1:8900/v1")
SERVICES = os.environ.get("SERVICES_URL", "http://127.0.0.1:9090")
PATHS = {"charge": "/charges", "order_card": "/cards", "send_letter": "/letters"}
TOOLS = [{"type": "function",
          "function": {"name": name, "parameters": {"type": "object", "properties": {"customer": {"type": "integer"}}}}}
         for name in PATHS]


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


messages = [
    {"role": "system", "content": "You onboard customers. Charge the fee, order the card, send the letter, one after the other."},
    {"role": "user", "content": sys.argv[1]},
]
while True:
    reply = post(f"{MODEL}/chat/completions", {"model": "gpt-4o-mini", "messages": messages, "tools": TOOLS})
    message = reply["choices"][0]["message"]
    messages.append(message)
    if not message.get("tool_calls"):
        print(message["content"])
        break
    for call in message["tool_calls"]:
        result = post(SERVICES + PATHS[call["function"]["name"]], json.loads(call["function"]["arguments"]))
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result, separators=(",", ":"))})
