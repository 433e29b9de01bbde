"""A server that speaks the wire formats of models and says what a test wants it to: each folder of its paths is one conversation."""

import http.server
import json
import threading

DONE = "done"


def text(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def frames(*events, named=False) -> bytes:
    """As server-sent events; an event that is bytes goes as it is."""
    out = b""
    for event in events:
        if isinstance(event, bytes):
            out += event
        else:
            out += (f"event: {event['type']}\n" if named else "").encode() + f"data: {text(event)}\n\n".encode()
    return out


def halves(value: str) -> tuple:
    return value[: len(value) // 2], value[len(value) // 2:]


class Anthropic:
    name, base, list_name = "anthropic", "/v1", "messages"

    def whole(self, *blocks, stop="end_turn", usage=None, ends=True) -> bytes:
        events = [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "odd", "content": [],
                                                        "usage": {"input_tokens": 5, "output_tokens": 1}}}]
        for index, block in enumerate(blocks):
            events += self.block(index, block, ends)
        return frames(*events, *self.end(stop, usage), named=True)

    def block(self, index, block, ends=True) -> list:
        begun, deltas = dict(block), []
        for name, kind in (("text", "text_delta"), ("thinking", "thinking_delta"), ("signature", "signature_delta")):
            if isinstance(block.get(name), str):
                begun[name] = ""
                pieces = [block[name]] if name == "signature" else halves(block[name])
                deltas += [{"type": kind, name: piece} for piece in pieces]
        if block["type"].endswith("tool_use"):
            begun["input"] = {}
            written = block["input"] if isinstance(block["input"], str) else text(block["input"])
            deltas += [{"type": "input_json_delta", "partial_json": piece} for piece in halves(written)]
        deltas += [{"type": "citations_delta", "citation": one} for one in begun.pop("citations", [])]
        return [{"type": "content_block_start", "index": index, "content_block": begun},
                *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
                *([{"type": "content_block_stop", "index": index}] if ends else [])]

    def end(self, stop="end_turn", usage=None) -> list:
        return [{"type": "ping"}, {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage or {"output_tokens": 7}},
                {"type": "message_stop"}]

    def done(self) -> bytes:
        return self.whole(self.text(DONE))

    def text(self, words):
        return {"type": "text", "text": words}

    def call(self, id, arguments, name="look"):
        return {"type": "tool_use", "id": id, "name": name, "input": arguments}

    def user(self, words):
        return [{"role": "user", "content": [self.text(words)]}]

    def said(self, items):
        return [{"role": "assistant", "content": items}] if items else []

    def results(self, results):
        blocks = [{"type": "tool_result", "tool_use_id": id, "content": words} | ({"is_error": True} if words.startswith("Error") else {})
                  for id, _, words in results]
        return [{"role": "user", "content": blocks}] if blocks else []

    def joined(self, turns):
        """What follows each other from one side is one turn."""
        out = []
        for turn in turns:
            if out and out[-1]["role"] == turn["role"]:
                out[-1] = {**out[-1], self.inner: out[-1][self.inner] + turn[self.inner]}
            else:
                out.append(turn)
        return out

    inner = "content"


class Gemini(Anthropic):
    name, base, list_name, inner = "gemini", "/v1beta", "contents", "parts"

    def whole(self, *parts, stop="STOP", usage=None) -> bytes:
        documents = [self.document([part]) for part in parts]
        return frames(*documents, self.document([], stop, usage))

    def document(self, parts, stop=None, usage=None):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0} if parts else {"index": 0}
        counts = usage or {"promptTokenCount": 5, **({"candidatesTokenCount": 7} if stop else {})}
        return {"candidates": [{**candidate, **({"finishReason": stop} if stop else {})}], "usageMetadata": counts, "modelVersion": "odd"}

    def text(self, words):
        return {"text": words}

    def call(self, id, arguments, name="look"):
        return {"functionCall": {"name": name, "args": arguments, **({"id": id} if id else {})}}

    def user(self, words):
        return [{"role": "user", "parts": [{"text": words}]}]

    def said(self, items):
        return [{"role": "model", "parts": items}] if items else []

    def results(self, results):
        parts = [{"functionResponse": {**({"id": id} if id else {}), "name": name,
                                       "response": {"error" if words.startswith("Error") else "output": words}}} for id, name, words in results]
        return [{"role": "user", "parts": parts}] if parts else []


class Responses(Anthropic):
    name, base, list_name = "openai_responses", "/v1", "input"

    def whole(self, *items, stop="completed", usage=None, said_again=True, **more) -> bytes:
        events = [{"type": "response.created", "response": {"id": "r", "model": "odd", "status": "in_progress", "output": []}}]
        for index, item in enumerate(items):
            events += self.item(index, item)
        return frames(*events, self.end(items if said_again else [], stop, usage, **more), named=True)

    def item(self, index, item) -> list:
        begun = {**item, "status": "in_progress"}
        deltas = []
        if item["type"] == "message":
            begun["content"] = []
            for place, part in enumerate(item["content"]):
                if part["type"] == "output_text":
                    deltas += [{"type": "response.output_text.delta", "item_id": item["id"], "output_index": index, "content_index": place,
                                "delta": piece} for piece in halves(part["text"])]
        if item["type"] == "function_call":
            begun["arguments"] = ""
            deltas += [{"type": "response.function_call_arguments.delta", "item_id": item["id"], "output_index": index, "delta": piece}
                       for piece in halves(item["arguments"])]
        return [{"type": "response.output_item.added", "output_index": index, "item": begun}, *deltas,
                {"type": "response.output_item.done", "output_index": index, "item": item}]

    def end(self, items, stop="completed", usage=None, **more):
        response = {"id": "r", "object": "response", "model": "odd", "status": stop, "error": None, "output": list(items),
                    "usage": usage or {"input_tokens": 5, "output_tokens": 7}, **more}
        return {"type": f"response.{stop}", "response": response}

    def done(self) -> bytes:
        return self.whole(self.text(DONE, "msg_done"))

    def text(self, words, id="msg_1", **more):
        return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": words, "annotations": []}], "id": id,
                "status": "completed", **more}

    def call(self, id, arguments, name="look"):
        written = arguments if isinstance(arguments, str) else text(arguments)
        return {"type": "function_call", "call_id": id, "name": name, "arguments": written, "id": f"fc_{id}", "status": "completed"}

    def user(self, words):
        return [{"type": "message", "role": "user", "content": words}]

    def said(self, items):
        return items

    def results(self, results):
        return [{"type": "function_call_output", "call_id": id, "output": words} for id, _, words in results]

    def joined(self, turns):
        """Of items with one id, the first has it."""
        ids = [item.get("id") for item in turns]
        return [{name: value for name, value in item.items() if name != "id" or ids.index(value) == at} for at, item in enumerate(turns)]


class Chat(Responses):
    name, base, list_name = "openai", "/v1", "messages"

    def whole(self, message, stop="stop", usage=None) -> bytes:
        chunks = [{"role": "assistant", "content": None}]
        for name, value in message.items():
            if name == "tool_calls":
                for index, call in enumerate(value):
                    function = {"name": call["function"]["name"], "arguments": ""}
                    chunks.append({"tool_calls": [{"index": index, **call, "function": function}]})
                    chunks += [{"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in halves(call["function"]["arguments"])]
            elif isinstance(value, str) and name != "role":
                chunks += [{name: piece} for piece in halves(value)]
            elif name != "role":
                chunks.append({name: value})
        events = [{"id": "c", "model": "odd", "choices": [{"index": 0, "delta": chunk, "finish_reason": None}]} for chunk in chunks]
        return frames(*events, *self.end(stop, usage))

    def end(self, stop="stop", usage=None):
        return [{"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": stop}]},
                {"id": "c", "choices": [], "usage": usage or {"prompt_tokens": 5, "completion_tokens": 7}}, b"data: [DONE]\n\n"]

    def done(self) -> bytes:
        return self.whole({"content": DONE})

    def call(self, id, arguments, name="look", **more):
        written = arguments if isinstance(arguments, str) else text(arguments)
        return {"id": id, "type": "function", "function": {"name": name, "arguments": written}, **more}

    def user(self, words):
        return [{"role": "user", "content": words}]

    def said(self, items):
        return [{"role": "assistant", **items}] if items else []

    def results(self, results):
        return [{"role": "tool", "content": words, "tool_call_id": id} for id, _, words in results]


FORMATS = {one.name: one for one in (Anthropic(), Gemini(), Responses(), Chat())}


class Answer:
    """Of another status or kind, or one that breaks off: a chunked body without its end."""

    def __init__(self, body: bytes | str | dict | list, status=200, kind="text/event-stream", cut=False, **headers):
        self.body = body if isinstance(body, bytes) else (body if isinstance(body, str) else text(body)).encode()
        self.status, self.kind, self.cut, self.headers = status, kind, cut, headers


class OddModel:
    """Answers in turn what `say` has for the folder, then that it is done; keeps what it was asked, and what its tool was called with."""

    def __init__(self):
        self.answers: dict[str, list] = {}
        self.asked: dict[str, list[str]] = {}
        self.called: dict[str, list[str]] = {}
        odd = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                _, place, form, *rest = self.path.split("/")
                if rest == ["tool"]:
                    odd.called.setdefault(place, []).append(body)
                    return self.give(Answer(f"seen {len(odd.called[place])}", kind="text/plain"))
                asked = odd.asked.setdefault(place, [])
                asked.append(body)
                answers = odd.answers[place]
                answer = answers[len(asked) - 1] if len(asked) <= len(answers) else FORMATS[form].done()
                self.give(answer if isinstance(answer, Answer) else Answer(answer))

            def give(self, answer):
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                for name, value in answer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                # Seven bytes at a time: a character, an escape or a frame is cut anywhere.
                for at in range(0, len(answer.body), 7):
                    piece = answer.body[at:at + 7]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                if answer.cut:
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
