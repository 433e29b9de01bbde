"""A llama.cpp server, asked at the path of each provider whose format it speaks: frames, usage, limits, refusals."""

import openai
import pytest
import tiny_model

FORMATS = ["openai", "openai_responses", "anthropic"]


def model(llama, **more):
    return {"provider": "openai", "name": "tiny", "base_url": llama, "temperature": 0, "retry": "{attempts: 1}", **more}


@pytest.mark.parametrize("provider", FORMATS)
def test_an_answer_is_whole_and_counted(holdfast, llama, provider):
    client = openai.OpenAI(base_url=llama, api_key="none", max_retries=0)
    messages = [{"role": "system", "content": "You answer."}, {"role": "user", "content": "Hi"}]
    theirs = client.chat.completions.create(model="tiny", messages=messages, temperature=0, max_tokens=1024)
    assert theirs.choices[0].message.content.strip() == tiny_model.SENTENCE

    record = holdfast("Hi", **model(llama, provider=provider))
    assert record["status"] == "completed", record["error"]
    assert record["output"].strip() == tiny_model.SENTENCE
    assert record["usage"]["output_tokens"] in (theirs.usage.completion_tokens, theirs.usage.completion_tokens - 1), record
    assert record["usage"]["input_tokens"] > 0, record


@pytest.mark.parametrize("provider", FORMATS)
def test_an_answer_that_is_cut_off_is_none(holdfast, llama, provider):
    record = holdfast("Hi", **model(llama, provider=provider, max_tokens=3))
    assert record["status"] == "failed", record["output"]
    assert "max_tokens" in record["error"]["message"], record


TOOLS = """
    - name: pause
      type: wait
      description: Waits.
      wait: {max: 1s}
"""


@pytest.mark.parametrize("provider", FORMATS)
def test_a_definition_with_tools_is_taken(holdfast, llama, provider):
    record = holdfast("Hi", tools=TOOLS, **model(llama, provider=provider))
    assert record["status"] == "completed", record["error"]


@pytest.mark.parametrize("provider", FORMATS)
def test_a_context_that_does_not_fit_is_final(holdfast, llama, provider):
    record = holdfast("word " * 5000, **model(llama, provider=provider, retry="{attempts: 5, initial: 60s}"))
    assert record["status"] == "failed", record["output"]
    assert "context" in record["error"]["message"], record
