"""The `google-genai` package as judge of Gemini's generateContent: what it parses without complaint is the wire format."""

import pytest
from google import genai
from google.genai import errors, types

LOOKUP = types.Tool(function_declarations=[types.FunctionDeclaration(
    name="lookup", description="Looks an order up.", parameters_json_schema={
        "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]})])

REFUND = """
replies:
  - when: {turn: 0, tool: lookup, system: "refund"}
    reasoning: I have to look it up.
    text: "Let me see. 🙂"
    tool_calls:
      - {name: lookup, arguments: {order: 7}}
      - {name: lookup, arguments: {order: 8}}
    usage: {input: 30, output: 12, cached: 10, reasoning: 4}
  - when: {turn: 1}
    text: "Two orders: {{last}}."
  - text: plain
"""

CONFIG = types.GenerateContentConfig(system_instruction="You refund.", tools=[LOOKUP], automatic_function_calling=(
    types.AutomaticFunctionCallingConfig(disable=True)))


def client(url: str, key: str = "none", timeout_ms: int = 20_000) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(
        base_url=url.removesuffix("/v1"), timeout=timeout_ms, retry_options=types.HttpRetryOptions(attempts=1)))


def user(text: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part.from_text(text=text)])


def check_first(parts, usage):
    said = [part for part in parts if not part.thought]
    assert "".join(part.text or "" for part in said) == "Let me see. 🙂"
    assert "".join(part.text for part in parts if part.thought) == "I have to look it up."
    calls = [part.function_call for part in said if part.function_call]
    assert [(call.name, call.args["order"]) for call in calls] == [("lookup", 7), ("lookup", 8)]
    assert any(part.thought_signature for part in said)
    assert (usage.prompt_token_count, usage.cached_content_token_count, usage.thoughts_token_count) == (30, 10, 4)


def test_a_whole_answer_and_the_turn_after_it(scripted):
    ai = client(scripted(REFUND))
    first = ai.models.generate_content(model="demo", contents=[user("7 and 8?")], config=CONFIG)
    content = first.candidates[0].content
    check_first(content.parts, first.usage_metadata)
    assert first.candidates[0].finish_reason == types.FinishReason.STOP
    answers = types.Content(role="user", parts=[
        types.Part(function_response=types.FunctionResponse(
            id=part.function_call.id, name=part.function_call.name, response={"output": f"order {i}"}))
        for i, part in enumerate(part for part in content.parts if part.function_call)])
    second = ai.models.generate_content(model="demo", contents=[user("7 and 8?"), content, answers], config=CONFIG)
    assert second.text.startswith("Two orders: ") and "order 1" in second.text


def test_a_stream_is_the_same_in_pieces(scripted):
    ai = client(scripted(REFUND + "delay: 1ms\nwrite_bytes: 3\n"))
    parts, usage, finish = [], None, None
    for chunk in ai.models.generate_content_stream(model="demo", contents=[user("7 and 8?")], config=CONFIG):
        parts += chunk.candidates[0].content.parts or []
        usage, finish = chunk.usage_metadata or usage, chunk.candidates[0].finish_reason or finish
    check_first(parts, usage)
    assert finish == types.FinishReason.STOP


@pytest.mark.parametrize("fault, error, code", [
    ("{status: 429, retry_after: '7'}", errors.ClientError, 429),
    ("{status: 500}", errors.ServerError, 500),
    ("{status: 503}", errors.ServerError, 503),
    ("{status: 403}", errors.ClientError, 403),
    ("{status: 400}", errors.ClientError, 400),
])
def test_failures_have_the_clients_types(scripted, fault, error, code):
    ai = client(scripted(f"replies:\n  - text: x\n    faults: [{fault}]\n"))
    with pytest.raises(error) as raised:
        ai.models.generate_content(model="demo", contents=[user("hi")])
    assert raised.value.code == code
    if code == 429:
        assert raised.value.status == "RESOURCE_EXHAUSTED"


def test_a_filter_and_keys(scripted):
    url = scripted("api_key: right\nreplies:\n  - text: half\n    stop: content_filter\n")
    wrong, right = client(url), client(url, "right")  # a client that nobody holds is closed
    with pytest.raises(errors.ClientError):
        wrong.models.generate_content(model="demo", contents=[user("hi")])
    answer = right.models.generate_content(model="demo", contents=[user("hi")])
    assert answer.candidates[0].finish_reason == types.FinishReason.SAFETY


def test_what_the_provider_would_refuse_is_refused(scripted):
    ai = client(scripted(REFUND))
    forged = types.Content(role="model", parts=[types.Part(
        function_call=types.FunctionCall(name="lookup", args={"order": 7}), thought_signature=b"forged")])
    answer = types.Content(role="user", parts=[types.Part.from_function_response(name="lookup", response={"result": "x"})])
    with pytest.raises(errors.ClientError):
        ai.models.generate_content(model="demo", contents=[user("7?"), forged, answer], config=CONFIG)
    with pytest.raises(errors.ClientError):
        ai.models.generate_content(model="demo", contents=[user("7?"), forged, user("well?")], config=CONFIG)
