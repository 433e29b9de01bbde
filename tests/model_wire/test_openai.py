"""The `openai` package as judge of Chat Completions: what it parses without complaint is the wire format."""

import json

import openai
import pytest

TOOLS = [{"type": "function", "function": {"name": "lookup", "description": "Looks an order up.", "parameters": {
    "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}}}]

REFUND = """
models: [demo, other]
replies:
  - when: {turn: 0, tool: lookup, system: "refund"}
    text: "Let me see. 🙂"
    tool_calls:
      - {id: call_a, name: lookup, arguments: {order: 7}}
      - {name: lookup, arguments: {order: 8}}
    usage: {input: 30, output: 12, cached: 10}
  - when: {turn: 1}
    text: "Two orders: {{last}}."
  - text: plain
"""


def client(url: str, **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key=options.pop("api_key", "none"), max_retries=0, **options)


def messages():
    return [{"role": "system", "content": "You refund."}, {"role": "user", "content": "7 and 8?"}]


def test_lists_models(scripted):
    assert [model.id for model in client(scripted(REFUND)).models.list()] == ["demo", "other"]


def test_a_whole_answer_and_the_turn_after_it(scripted):
    ai = client(scripted(REFUND))
    first = ai.chat.completions.create(model="demo", messages=messages(), tools=TOOLS)
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me see. 🙂"
    assert [json.loads(call.function.arguments)["order"] for call in choice.message.tool_calls] == [7, 8]
    assert choice.message.tool_calls[0].id == "call_a"
    assert (first.usage.prompt_tokens, first.usage.completion_tokens) == (30, 12)
    assert first.usage.prompt_tokens_details.cached_tokens == 10
    assert first._request_id.startswith("req_")

    after = messages() + [choice.message] + [
        {"role": "tool", "tool_call_id": call.id, "content": f"order {i}"} for i, call in enumerate(choice.message.tool_calls)]
    second = ai.chat.completions.create(model="demo", messages=after, tools=TOOLS)
    assert second.choices[0].message.content == "Two orders: order 1."
    assert second.choices[0].finish_reason == "stop"


def test_the_stream_helper_assembles_the_same(scripted):
    ai = client(scripted(REFUND + "delay: 1ms\nwrite_bytes: 3\n"))
    with ai.chat.completions.stream(model="demo", messages=messages(), tools=TOOLS,
                                    stream_options={"include_usage": True}) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done", "tool_calls.function.arguments.delta",
            "tool_calls.function.arguments.done"} <= kinds
    message = final.choices[0].message
    assert message.content == "Let me see. 🙂"
    assert [json.loads(call.function.arguments)["order"] for call in message.tool_calls] == [7, 8]
    assert final.usage.prompt_tokens == 30


def test_usage_comes_only_when_asked_for(scripted):
    ai = client(scripted(REFUND))
    without = list(ai.chat.completions.create(model="demo", messages=messages(), stream=True))
    assert all(chunk.usage is None for chunk in without)
    asked = list(ai.chat.completions.create(model="demo", messages=messages(), stream=True,
                                            stream_options={"include_usage": True}))
    assert asked[-1].usage and asked[-1].choices == []


@pytest.mark.parametrize("fault, error", [
    ("{status: 429, retry_after: '7'}", openai.RateLimitError),
    ("{status: 500}", openai.InternalServerError),
    ("{status: 401}", openai.AuthenticationError),
    ("{status: 403}", openai.PermissionDeniedError),
    ("{status: 404}", openai.NotFoundError),
    ("{status: 400, code: content_filter}", openai.BadRequestError),
    ("{hang_after: 0}", openai.APITimeoutError),
])
def test_failures_have_the_clients_types(scripted, fault, error):
    ai = client(scripted(f"replies:\n  - text: x\n    faults: [{fault}]\n"), timeout=1)
    with pytest.raises(error) as raised:
        ai.chat.completions.create(model="demo", messages=messages(), stream=True)
    if error is openai.RateLimitError:
        assert raised.value.response.headers["retry-after"] == "7"
        assert raised.value.code == "rate_limit_exceeded"


def test_the_client_retries_by_the_servers_word(scripted):
    url = scripted("replies:\n  - text: fine\n    faults: [{status: 429, first: 2, retry_after_ms: '5'}]\n")
    ai = openai.OpenAI(base_url=url, api_key="none", max_retries=2)
    assert ai.chat.completions.create(model="demo", messages=messages()).choices[0].message.content == "fine"


def test_a_stream_fails_in_the_middle(scripted):
    script = "replies:\n  - text: one two three four\n    faults: [{%s}]\n"
    ai = client(scripted(script % "error_after: 3, message: broken"))
    with pytest.raises(openai.APIError, match="broken"):
        list(ai.chat.completions.create(model="demo", messages=messages(), stream=True))
    ai = client(scripted(script % "cut_after: 3"))
    seen = []
    with pytest.raises(Exception):
        for chunk in ai.chat.completions.create(model="demo", messages=messages(), stream=True):
            seen.append(chunk)
    assert len(seen) == 3


def test_content_filter_and_keys(scripted):
    url = scripted("api_key: right\nreplies:\n  - text: half\n    stop: content_filter\n")
    with pytest.raises(openai.AuthenticationError):
        client(url).chat.completions.create(model="demo", messages=messages())
    answer = client(url, api_key="right").chat.completions.create(model="demo", messages=messages())
    assert answer.choices[0].finish_reason == "content_filter"


def test_what_the_provider_would_refuse_is_refused(scripted):
    ai = client(scripted(REFUND))
    with pytest.raises(openai.BadRequestError, match="preceding message"):
        ai.chat.completions.create(model="demo", messages=messages() + [{"role": "tool", "tool_call_id": "x", "content": "y"}])
    with pytest.raises(openai.BadRequestError, match="no reply"):
        client(scripted("replies:\n  - when: {turn: 9}\n    text: x\n")).chat.completions.create(model="m", messages=messages())
