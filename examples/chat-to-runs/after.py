#!/usr/bin/env python3
"""The same agent, asked as a run: whatever dies in between, the order is looked up once and its return filed once.

    python3 after.py KEY "Can order 1042 come back?" ["And the next question" ...]

KEY names the request: asked again with it, this is the same run. So it can be started again whenever it has died.
"""

import os
import sys
import time

import openai

client = openai.OpenAI(base_url=os.environ.get("HOLDFAST_URL", "http://127.0.0.1:8233") + "/v1",
                       api_key=os.environ.get("HOLDFAST_API_KEY", "none"))


def patiently(call, *arguments, **more):
    """While the server is away, it is asked again: with a key, and by an id, that changes nothing."""
    while True:
        try:
            return call(*arguments, **more)
        except (openai.APIConnectionError, openai.InternalServerError):
            time.sleep(0.2)


def answer(key, question, previous=None):
    response = patiently(client.responses.create, model="returns", input=question, background=True,
                         previous_response_id=previous, extra_headers={"Idempotency-Key": key})
    while response.status in ("queued", "in_progress"):
        time.sleep(0.1)
        response = patiently(client.responses.retrieve, response.id)
    return response


key, *questions = sys.argv[1:]
last = None
for number, question in enumerate(questions):
    response = answer(f"{key}-{number}", question, last)
    last = response.id
    print(f"{response.id} {response.status}: {response.output[-1].content[0].text}", flush=True)
