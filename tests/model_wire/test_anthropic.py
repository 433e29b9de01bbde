"""The `anthropic` package as judge of Messages: what it parses without complaint is the wire format."""

import anthropic
import pytest

TOOLS = [{"name": "lookup", "description": "Looks an order up.", "input_schema": {
    "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}}]

REFUND = """
replies:
  - when: {turn: 0, tool: lookup, system: "refund"}
    text: "Let me see. 🙂"
    tool_calls:
      - {id: toolu_a, name: lookup, arguments: {order: 7}}
      - {name: lookup, arguments: {}}
    usage: {input: 30, output: 12, cached: 10}
  - when: {turn: 1}
    text: "Two orders: {{last}}."
  - text: plain
"""


def client(url: str, **options) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key=options.pop("api_key", "none"), max_retries=0, **options)


def ask(**more):
    return {"model": "demo", "max_tokens": 100, "system": "You refund.", "tools": TOOLS,
            "messages": [{"role": "user", "content": "7?"}], **more}


def check_first(message):
    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    assert message.content[0].text == "Let me see. 🙂"
    assert message.content[1].id == "toolu_a"
    assert message.content[1].input == {"order": 7}
    assert message.content[2].input == {}
    assert (message.usage.input_tokens, message.usage.output_tokens, message.usage.cache_read_input_tokens) == (20, 12, 10)


def test_a_whole_answer_and_the_turn_after_it(scripted):
    ai = client(scripted(REFUND))
    first = ai.messages.create(**ask())
    check_first(first)
    assert first._request_id.startswith("req_")
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": f"{i};", "is_error": i == 1}
               for i, block in enumerate(first.content) if block.type == "tool_use"]
    second = ai.messages.create(**ask(messages=[
        {"role": "user", "content": "7?"}, {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]))
    assert second.content[0].text == "Two orders: 1;2;."
    assert second.stop_reason == "end_turn"


def test_the_stream_helper_assembles_the_same(scripted):
    ai = client(scripted(REFUND + "delay: 1ms\nwrite_bytes: 3\n"))
    with ai.messages.stream(**ask()) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_message()
    assert {"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
            "message_stop", "text", "input_json"} <= kinds
    check_first(final)


@pytest.mark.parametrize("fault, error", [
    ("{status: 429, retry_after: '7'}", anthropic.RateLimitError),
    ("{status: 500}", anthropic.InternalServerError),
    ("{status: 529}", anthropic.APIStatusError),
    ("{status: 401}", anthropic.AuthenticationError),
    ("{status: 403}", anthropic.PermissionDeniedError),
    ("{status: 400}", anthropic.BadRequestError),
    ("{hang_after: 0}", anthropic.APITimeoutError),
])
def test_failures_have_the_clients_types(scripted, fault, error):
    ai = client(scripted(f"replies:\n  - text: x\n    faults: [{fault}]\n"), timeout=1)
    with pytest.raises(error) as raised:
        ai.messages.create(**ask())
    if error is anthropic.RateLimitError:
        assert raised.value.response.headers["retry-after"] == "7"
        assert raised.value.body["error"]["type"] == "rate_limit_error"
    if "529" in fault:
        assert raised.value.body["error"]["type"] == "overloaded_error"


def test_a_stream_fails_in_the_middle(scripted):
    ai = client(scripted("replies:\n  - text: one two three four\n    faults: [{error_after: 3, message: broken}]\n"))
    with pytest.raises(anthropic.APIStatusError, match="broken"), ai.messages.stream(**ask()) as stream:
        list(stream)


def test_refusal_and_keys(scripted):
    url = scripted("api_key: right\nreplies:\n  - text: half\n    stop: content_filter\n")
    with pytest.raises(anthropic.AuthenticationError):
        client(url).messages.create(**ask())
    assert client(url, api_key="right").messages.create(**ask()).stop_reason == "refusal"


def test_what_the_provider_would_refuse_is_refused(scripted):
    ai = client(scripted(REFUND))
    with pytest.raises(anthropic.BadRequestError, match="tool_result"):
        ai.messages.create(**ask(messages=[{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "x", "content": "y"}]}]))
    call = {"type": "tool_use", "id": "t", "name": "lookup", "input": {}}
    with pytest.raises(anthropic.BadRequestError, match="without `tool_result`"):
        ai.messages.create(**ask(messages=[{"role": "user", "content": "7?"}, {"role": "assistant", "content": [call]},
                                           {"role": "user", "content": "well?"}]))
