#!/usr/bin/env python3
"""A chat agent as it is written first: a request that calls the model, calls what the model asks for, and answers.

    python3 before.py "Can order 1042 come back?"
"""

import json
import os
import sys
import urllib.request

from openai import OpenAI

SERVICES = os.environ.get("SERVICES_URL", "http://127.0.0.1:9090")
NUMBER = {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": NUMBER}} for name in ("find_order", "file_return")]


def call(name, order):
    path, body = (f"/orders/{order}", None) if name == "find_order" else ("/returns", json.dumps({"order": order}).encode())
    request = urllib.request.Request(SERVICES + path, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.dumps(json.load(answer), separators=(",", ":"))


def answer(client, question):
    messages = [{"role": "system", "content": "You take back orders of a shop. Look the order up, then file its return."},
                {"role": "user", "content": question}]
    while True:
        message = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS).choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return message.content
        for one in message.tool_calls:
            result = call(one.function.name, json.loads(one.function.arguments)["order"])
            messages.append({"role": "tool", "tool_call_id": one.id, "content": result})


print(answer(OpenAI(base_url=os.environ.get("MODEL_URL", "http://127.0.0.1:8900/v1"), api_key=os.environ.get("OPENAI_API_KEY", "none")), sys.argv[1]))
