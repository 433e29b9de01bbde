"""Models that say odd things, in every wire format, on the real server. Each row is a conversation of two runs: what an answer comes to, and
to the byte what is said to the model again: what only it understands unchanged and in its place, every call with one answer, nothing twice."""

import dataclasses
import json

import pytest
from holdfast import Server
from odd_model import DONE, FORMATS, Answer, OddModel, frames, text

A, G, R, C = (FORMATS[name] for name in ("anthropic", "gemini", "openai_responses", "openai"))

SEEN = ("seen 1", "seen 2", "seen 3")
CUT = "Error: the answer was cut off at max_tokens (1024), so no call of it was made; say less at once"
NONE = "Error: there is no tool `nobody`; the tools are: look"
LIST = "Error: wrong arguments: the arguments must be an object, not a list"
SIGNED = "EsYBCkYIBxgCKkC/sig+na/ture=="


@dataclasses.dataclass
class Row:
    what: str
    format: object
    answers: list  # then the model is done
    said: object = None  # what the first run's answers are when they are said again; none: nothing of them is
    results: tuple = ()  # id, name, text of each call that was answered
    output: str | None = DONE  # of the first run; none: it failed with `error`
    error: str = ""
    asked: int = 1  # times in the first run
    called: tuple = ()  # what the tool was called with
    usage: tuple | None = None


def result(id, seen=SEEN[0], name="look"):
    return id, name, seen


def thinking(words="I see", signature=SIGNED):
    return {"type": "thinking", "thinking": words, "signature": signature}


ARGUMENTS = '{"z":9007199254740993,"a":{"y":"\\u0000 \U0001f642","b":[]},"m":18446744073709551615}'
EXACT = json.loads(ARGUMENTS)
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1",
         "content": [{"type": "web_search_result", "url": "u", "encrypted_content": "Eo8D"}]}
CITED = {"type": "text", "text": "It is so.", "citations": [{"type": "web_search_result_location", "url": "u", "encrypted_index": "Eo"}]}
ODD_BLOCK = {"type": "dream_2027", "about": {"sheep": 2**53 + 1}, "of": ["a", None, 1.5]}
REDACTED = {"type": "redacted_thinking", "data": "gAAA=="}
HALF_CALL = [{"type": "content_block_start", "index": 0, "content_block": A.call("c1", {})},
             {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"q":1}'}}]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def begun(*events):
    return frames({"type": "message_start", "message": {"model": "odd", "usage": {"input_tokens": 5}}}, *events, named=True)


ANTHROPIC = [
    Row("everything in its place", A, [A.whole(thinking(), REDACTED, A.text("Two looks."), A.call("c1", {"q": 1}), ODD_BLOCK, A.call("c2", {}), stop="tool_use")],
        [thinking(), REDACTED, A.text("Two looks."), A.call("c1", {"q": 1}), ODD_BLOCK, A.call("c2", {})],
        (result("c1"), result("c2", SEEN[1])), asked=2),
    Row("arguments as they were written", A, [A.whole(A.call("c1", ARGUMENTS), stop="tool_use")], [A.call("c1", EXACT)], (result("c1"),), asked=2, called=(EXACT,)),
    Row("the provider's own search", A, [A.whole(SEARCH, FOUND, CITED)], [SEARCH, FOUND, CITED], output="It is so."),
    Row("a pause", A, [A.whole(thinking(), SEARCH, stop="pause_turn"), A.whole(FOUND, A.text("found"))], [thinking(), SEARCH, FOUND, A.text("found")],
        output="found", asked=2),
    Row("nothing but a thought", A, [A.whole(thinking())], [], output=""),
    Row("a thought at the end", A, [A.whole(A.text("hm"), thinking())], [A.text("hm")], output="hm"),
    Row("blank texts", A, [A.whole(A.text("\n\n"), thinking(), A.text(""), A.text("hm"))], [thinking(), A.text("hm")], output="\n\nhm"),
    Row("cut within a thought", A, [A.whole(thinking(signature=""), stop="max_tokens")], [], output=None, error="MaxTokens"),
    Row("cut within a call", A, [A.whole(A.call("c1", '{"q":"lo'), stop="max_tokens")],
        [A.call("c1", {"invalid_arguments": '{"q":"lo'})], (result("c1", CUT),), asked=2),
    Row("cut within the provider's search", A, [A.whole(A.text("hm"), {**SEARCH, "input": '{"que'}, stop="max_tokens")], [A.text("hm")], output=None, error="MaxTokens"),
    Row("arguments that are a list", A, [A.whole(A.call("c1", "[1]"), stop="tool_use")], [A.call("c1", {"invalid_arguments": "[1]"})], (result("c1", LIST),), asked=2),
    Row("a very long name", A, [A.whole(A.call("c1", {}, name="n" * 200), stop="tool_use")], [A.call("c1", {}, name="n" * 64)],
        (result("c1", NONE.replace("nobody", "n" * 200)),), asked=2),
    Row("one id twice, and one of odd letters", A, [A.whole(A.call("c1", {}), A.call("c1", {"q": 2}), A.call("look:0", {}), stop="tool_use")],
        [A.call("c1", {}), A.call("c1_2", {"q": 2}), A.call("look:0", {})], (result("c1"), result("c1_2", SEEN[1]), result("look:0", SEEN[2])), asked=2),
    Row("nobody ends a block", A, [A.whole(A.call("c1", {"q": 1}), stop="tool_use", ends=False)], [A.call("c1", {"q": 1})], (result("c1"),), asked=2, called=({"q": 1},)),
    Row("nobody ends half a call", A, [begun(HALF_CALL[0], *A.end("tool_use"))], None, asked=2),
    Row("a call that looks whole, and no end", A, [Answer(begun(*HALF_CALL))], None, asked=2),
    Row("a call that looks whole, and a broken line", A, [Answer(begun(*HALF_CALL), cut=True)], None, asked=2),
    Row("overloaded in the middle", A, [begun(*HALF_CALL, OVERLOADED)], None, asked=2),
    Row("overloaded with 200", A, [Answer(OVERLOADED, kind="application/json")], None, asked=2),
    Row("overloaded with 529", A, [Answer(OVERLOADED, 529, "application/json", retry_after_ms="3")], None, asked=2),
    Row("a refusal", A, [A.whole(A.text("no"), stop="refusal")], None, output=None, error="ContentFilterError"),
    Row("a reason of tomorrow", A, [A.whole(A.text("hm"), stop="dreamt")], None, output=None, error="UnknownStopReasonError"),
    Row("counts that are said again", A, [A.whole(A.text("hm"), usage={"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": None})],
        [A.text("hm")], output="hm", usage=(5, 7)),
    Row("counts that cannot be", A, [A.whole(A.text("hm"), usage={"output_tokens": -7})], [A.text("hm")], output="hm"),
    Row("a signature that holds no more", A, [A.whole(thinking(), A.call("c1", {}), stop="tool_use"), Answer(
        {"type": "error", "error": {"type": "invalid_request_error", "message": "messages.1.content.0: Invalid `signature` in `thinking` block"}}, 400, "application/json")],
        [thinking(), A.call("c1", {})], (result("c1"),), asked=3),
]

CALL = {"functionCall": {"name": "look", "args": {"q": 1}}, "thoughtSignature": SIGNED}
THOUGHT = {"text": "I see", "thought": True}
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
RAN = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
ODD_PART = {"dream2027": {"sheep": 2**53 + 1}}
GEMINI = [
    Row("everything in its place", G, [G.whole(THOUGHT, {"text": "Two looks."}, CALL, ODD_PART, CODE, RAN, G.call("", {}), {"text": "", "thoughtSignature": SIGNED})],
        [THOUGHT, {"text": "Two looks."}, CALL, ODD_PART, CODE, RAN, G.call("", {}), {"text": "", "thoughtSignature": SIGNED}],
        (result(""), result("", SEEN[1])), asked=2),
    Row("ids, one twice", G, [G.whole(G.call("x.1", {}), G.call("x.1", {"q": 2}))], [G.call("x.1", {}), G.call("x.1", {"q": 2})],
        (result("x.1"), result("x.1", SEEN[1])), asked=2),
    Row("arguments as they were written", G, [G.whole(G.call("c1", EXACT))], [G.call("c1", EXACT)], (result("c1"),), asked=2, called=(EXACT,)),
    Row("a list of documents", G, [Answer([G.document([CALL]), G.document([], "STOP")], kind="application/json")], [CALL], (result(""),), asked=2),
    Row("a mark on a text", G, [G.whole({"text": "a"}, {"text": "b", "thoughtSignature": SIGNED})], [{"text": "a"}, {"text": "b", "thoughtSignature": SIGNED}], output="ab"),
    Row("a tool that nobody has", G, [G.whole(G.call("c1", {}, name="nobody"))], [G.call("c1", {}, name="nobody")], (result("c1", NONE, "nobody"),), asked=2),
    Row("cut behind a call", G, [G.whole(CALL, stop="MAX_TOKENS")], [CALL], (result("", CUT),), asked=2),
    *(Row(reason, G, [G.whole(CALL, stop=reason)], None, asked=2) for reason in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL")),
    *(Row(reason, G, [G.whole({"text": "a"}, stop=reason)], None, output=None, error="ContentFilterError") for reason in ("SAFETY", "RECITATION", "SPII")),
    Row("a reason of tomorrow", G, [G.whole(CALL, stop="DREAMT")], None, output=None, error="UnknownStopReasonError"),
    Row("a prompt that is blocked", G, [frames({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})], None, output=None, error="ContentFilterError"),
    Row("arguments that are text", G, [G.whole(G.call("c1", '{"q":1}'))], None, asked=2),
    Row("no reason to stop", G, [frames(G.document([CALL]))], None, asked=2),
    Row("a broken line behind the reason", G, [Answer(G.whole(CALL), cut=True)], None, asked=2),
    Row("an error in the middle", G, [frames(G.document([CALL]), {"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}})], None, asked=2),
    Row("counts of thoughts and tools", G, [G.whole({"text": "a"}, usage={"promptTokenCount": 5, "toolUsePromptTokenCount": 2, "candidatesTokenCount": 3,
                                                                          "thoughtsTokenCount": 4, "cachedContentTokenCount": 1})], [{"text": "a"}], output="a", usage=(7, 7)),
    Row("a signature that holds no more", G, [G.whole(CALL), Answer([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Corrupted thought signature."}}],
                                                                    400, "application/json")], [CALL], (result(""),), asked=3),
]

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": SIGNED}
SEARCHED = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
ODD_ITEM = {"type": "dream_2027", "id": "d_1", "of": [2**53 + 1]}
PHASED = R.text("Two looks.", phase="commentary")
RESPONSES = [
    Row("everything in its place", R, [R.whole(REASONING, SEARCHED, PHASED, R.call("c1", {"q": 1}), ODD_ITEM, R.call("c2", "{}"))],
        [REASONING, SEARCHED, PHASED, R.call("c1", {"q": 1}), ODD_ITEM, R.call("c2", "{}")], (result("c1"), result("c2", SEEN[1])), asked=2),
    Row("arguments as they were written", R, [R.whole(R.call("c1", ARGUMENTS))], [R.call("c1", ARGUMENTS)], (result("c1"),), asked=2, called=(EXACT,)),
    Row("the end says nothing again", R, [R.whole(REASONING, R.call("c1", "{}"), said_again=False)], [REASONING, R.call("c1", "{}")], (result("c1"),), asked=2),
    Row("items that do not begin", R, [frames({"type": "response.output_item.done", "output_index": 0, "item": R.call("c1", "{}")}, R.end([]), named=True)],
        [R.call("c1", "{}")], (result("c1"),), asked=2),
    Row("one document", R, [Answer(R.end([REASONING, R.call("c1", "{}")])["response"], kind="application/json")], [REASONING, R.call("c1", "{}")], (result("c1"),), asked=2),
    Row("nothing but a thought", R, [R.whole(REASONING)], [], output=""),
    Row("names that begin again", R, [R.whole(R.text("a", "msg_done"), R.call("c1", "{}"))], [R.text("a", "msg_done"), R.call("c1", "{}")], (result("c1"),), asked=2),
    Row("arguments that are a list", R, [R.whole(R.call("c1", "[1]"))], [R.call("c1", '{"invalid_arguments":"[1]"}')], (result("c1", LIST),), asked=2),
    Row("cut within a call", R, [frames(*R.item(0, {**R.call("c1", '{"q'), "status": "in_progress"}),
                                        R.end([], "incomplete", incomplete_details={"reason": "max_output_tokens"}), named=True)],
        [{**R.call("c1", '{"invalid_arguments":"{\\"q"}'), "status": "in_progress"}], (result("c1", CUT),), asked=2),
    Row("a call that was not offered", R, [R.whole({"type": "custom_tool_call", "call_id": "c1", "name": "look", "input": "x", "id": "ctc_1"})], None,
        output=None, error="UnknownStopReasonError"),
    Row("a refusal", R, [R.whole({**R.text("no"), "content": [{"type": "refusal", "refusal": "no"}]})], None, output=None, error="ContentFilterError"),
    Row("a filter", R, [R.whole(R.text("a"), stop="incomplete", incomplete_details={"reason": "content_filter"})], None, output=None, error="ContentFilterError"),
    Row("failed", R, [frames(*R.item(0, R.call("c1", "{}")), {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "x"}}})], None, asked=2),
    Row("an error in the middle", R, [frames(*R.item(0, R.call("c1", "{}")), {"type": "error", "code": "rate_limit_exceeded", "message": "slow"}, named=True)], None, asked=2),
    Row("a call that is whole, and no end", R, [frames(*R.item(0, R.call("c1", "{}")), named=True)], None, asked=2),
    Row("a cipher that holds no more", R, [R.whole(REASONING, R.call("c1", "{}")), Answer(
        {"error": {"code": "invalid_encrypted_content", "type": "invalid_request_error", "message": "The encrypted content gAAA could not be verified."}}, 400, "application/json")],
        [REASONING, R.call("c1", "{}")], (result("c1"),), asked=3),
]

KIMI = {"content": "Two looks.", "tool_calls": [C.call("functions.look:0", {"q": 1}), C.call("functions.look:1", "{}")], "reasoning_content": "I see"}
LITELLM = {"content": None, "tool_calls": [C.call("call_1__thought__" + SIGNED * 9, "{}", extra_content={"google": {"thought_signature": SIGNED}})]}
CHAT = [
    Row("everything in its place", C, [C.whole(KIMI, "tool_calls")], KIMI, (result("functions.look:0"), result("functions.look:1", SEEN[1])), asked=2),
    Row("what a gateway put into an id", C, [C.whole(LITELLM, "tool_calls")], LITELLM, (result(LITELLM["tool_calls"][0]["id"]),), asked=2),
    Row("arguments as they were written", C, [C.whole({"content": None, "tool_calls": [C.call("c1", ARGUMENTS)]}, "tool_calls")],
        {"content": None, "tool_calls": [C.call("c1", ARGUMENTS)]}, (result("c1"),), asked=2, called=(EXACT,)),
    Row("a reason of tomorrow", C, [C.whole(KIMI, "dreamt")], None, output=None, error="UnknownStopReasonError"),
    Row("a character in two frames", C, [b'data: {"choices":[{"index":0,"delta":{"content":"a\xe2\x82"}}]}\n\n'
                                         b'data: {"choices":[{"index":0,"delta":{"content":"\xacb"},"finish_reason":"stop"}],"usage":null}\n\n'],
        {"content": "a\u20acb"}, output="a\u20acb"),
    Row("the thoughts are wanted back", C, [C.whole({"content": "a"}), Answer(
        {"error": {"message": "The `reasoning_content` in the thinking mode must be passed back to the API.", "type": "invalid_request_error"}}, 400, "application/json")],
        {"content": "a", "reasoning_content": " "}, output="a"),
]

ROWS = {f"{row.format.name}: {row.what}": row for row in ANTHROPIC + GEMINI + RESPONSES + CHAT}


@pytest.fixture(scope="module")
def played(binary, tmp_path_factory):
    """All rows at once; what became of each run, and what the model and its tool were asked."""
    model = OddModel()
    server = Server(binary, tmp_path_factory.mktemp("odd") / "data", "--grant", "host:127.0.0.1").start()
    try:
        runs, asked = {}, {}
        for number, (name, row) in enumerate(ROWS.items()):
            place = f"odd-{number}"
            model.answers[place] = list(row.answers)
            base = f"{model.url}/{place}"
            answer = server.request("PUT", f"/api/v1/agents/{place}", f"""
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {place}}}
spec:
  model: {{provider: {row.format.name}, name: odd, base_url: "{base}/{row.format.name}{row.format.base}", retry: {{initial: 1ms, attempts: 3}}}}
  prompt: You look.
  limits: {{max_parallel_tools: 1}}
  tools:
    - name: look
      type: http
      effect: idempotent
      parameters: {{properties: {{q: {{}}, z: {{}}, a: {{}}, m: {{}}}}}}
      http: {{method: POST, url: "{base}/x/tool"}}
""")
            assert answer.status == 201, answer.text
            runs[name] = [server.start_run(place, "a", id=place)]
        for number, name in enumerate(ROWS):
            server.wait(runs[name][0])
            asked[name] = len(model.asked[f"odd-{number}"])
            runs[name].append(server.start_run(f"odd-{number}", "more", conversation=f"odd-{number}"))
        yield {name: ([server.wait(run) for run in ids], model.asked[f"odd-{number}"], asked[name], model.called.get(f"odd-{number}", []))
               for number, (name, ids) in enumerate(runs.items())}
    finally:
        server.close()
        model.close()


def conversation(row):
    form = row.format
    turns = form.user("a") + (form.said(row.said) if row.said else []) + form.results(row.results)
    if row.output == DONE:
        turns += form.said(json.loads(form_done(form)))
    return form.joined(turns + form.user("more"))


def form_done(form):
    return text({"content": DONE} if form is C else [form.text(DONE, "msg_done")] if form is R else [form.text(DONE)])


@pytest.mark.parametrize("name", ROWS)
def test_an_odd_answer(played, name):
    row = ROWS[name]
    (first, second), asked, times, called = played[name]
    assert first["status"] == ("failed" if row.output is None else "completed"), first
    if row.output is None:
        assert row.error in text(first["error"]), first["error"]
    else:
        assert first["output"] == row.output
    if row.usage:
        assert (first["usage"]["input_tokens"], first["usage"]["output_tokens"]) == row.usage, first["usage"]
    assert second["output"] == DONE, second
    if row.called:
        assert [json.loads(one) for one in called] == list(row.called)
    assert times == row.asked
    if row.said is None and times == 2:
        assert asked[0] == asked[1], "the same request, to the byte"
    if "holds no more" in row.what:
        assert SIGNED in asked[1] and SIGNED not in asked[2]
    said = [turn for turn in json.loads(asked[-1])[row.format.list_name] if turn.get("role") != "system"]
    assert text(said) == text(conversation(row))
