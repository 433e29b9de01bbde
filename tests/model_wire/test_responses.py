"""The `openai` package as judge of Responses: what it parses without complaint is the wire format."""

import openai
import pytest

TOOLS = [{"type": "function", "name": "lookup", "description": "Looks an order up.", "strict": False, "parameters": {
    "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}}]

REFUND = """
replies:
  - when: {turn: 0, tool: lookup}
    reasoning: I have to look it up.
    text: "Let me see. 🙂"
    tool_calls: [{id: call_a, name: lookup, arguments: {order: 7}}]
    usage: {input: 30, output: 12, cached: 10, reasoning: 4}
  - when: {turn: 1}
    text: "Two orders: {{last}}."
"""


def ask(**more):
    return {"model": "demo", "tools": TOOLS, "store": False, "include": ["reasoning.encrypted_content"],
            "input": [{"role": "user", "content": "7?"}], **more}


def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def check_first(response):
    assert response.status == "completed"
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.output_text == "Let me see. 🙂"
    assert (response.output[2].call_id, response.output[2].arguments) == ("call_a", '{"order":7}')
    assert (response.usage.input_tokens, response.usage.output_tokens) == (30, 12)
    assert response.usage.input_tokens_details.cached_tokens == 10
    assert response.usage.output_tokens_details.reasoning_tokens == 4


def test_a_whole_answer_and_the_turn_after_it(scripted):
    ai = client(scripted(REFUND))
    first = ai.responses.create(**ask())
    check_first(first)
    second = ai.responses.create(**ask(input=[
        {"role": "user", "content": "7?"}, *(item.model_dump(exclude_none=True) for item in first.output),
        {"type": "function_call_output", "call_id": "call_a", "output": "1 and 2"}]))
    assert second.output_text == "Two orders: 1 and 2."


def test_the_stream_helper_assembles_the_same(scripted):
    ai = client(scripted(REFUND + "delay: 1ms\nwrite_bytes: 3\n"))
    with ai.responses.stream(**ask()) as stream:
        kinds = {event.type for event in stream}
        check_first(stream.get_final_response())
    assert {"response.created", "response.output_item.added", "response.output_text.delta", "response.completed",
            "response.function_call_arguments.done", "response.reasoning_summary_text.delta"} <= kinds


def test_a_thought_without_its_cipher_is_refused(scripted):
    ai = client(scripted(REFUND))
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "forged"}
    with pytest.raises(openai.BadRequestError):
        ai.responses.create(**ask(input=[thought, {"role": "user", "content": "7?"}]))
