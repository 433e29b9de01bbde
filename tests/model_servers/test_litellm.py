"""A LiteLLM proxy, asked at the path of each provider whose format it speaks."""

import pytest
import tiny_model

PATHS = {"openai": "/v1", "openai_responses": "/v1", "anthropic": "/v1"}
# Where the proxy can stream an answer of its own; by Responses it says 500.
ITS_OWN = ["openai", "anthropic"]


@pytest.mark.parametrize("provider", PATHS)
def test_an_answer_of_a_real_model_behind_the_proxy(holdfast, litellm, provider):
    record = holdfast("Hi", provider=provider, name="tiny", base_url=litellm + PATHS[provider], temperature=0, retry="{attempts: 1}")
    assert record["status"] == "completed", record["error"]
    assert record["output"].strip() == tiny_model.SENTENCE


@pytest.mark.parametrize("provider", ITS_OWN)
def test_an_answer_of_the_proxy_is_whole(holdfast, litellm, provider):
    record = holdfast("Hi", provider=provider, name="answers", base_url=litellm + PATHS[provider], retry="{attempts: 1}")
    assert record["status"] == "completed", record["error"]
    assert record["output"] == "An answer of the proxy's own: 42 €."


@pytest.mark.parametrize("provider", PATHS)
def test_who_is_busy_is_asked_again(holdfast, litellm, provider):
    record = holdfast("Hi", provider=provider, name="busy", base_url=litellm + PATHS[provider], retry="{attempts: 2, initial: 50ms}")
    assert record["status"] == "failed", record["output"]
    steps = holdfast.server.get(f"/api/v1/runs/{record['id']}/events").text
    assert '"attempt":2' in steps.replace(" ", ""), steps[:2000]


@pytest.mark.parametrize("provider", ITS_OWN)
def test_what_is_too_long_is_final(holdfast, litellm, provider):
    record = holdfast("Hi", provider=provider, name="too-long", base_url=litellm + PATHS[provider], retry="{attempts: 5, initial: 60s}")
    assert record["status"] == "failed", record["output"]


@pytest.mark.parametrize("provider", PATHS)
def test_a_model_that_is_not_there_is_final(holdfast, litellm, provider):
    record = holdfast("Hi", provider=provider, name="nobody", base_url=litellm + PATHS[provider], retry="{attempts: 5, initial: 60s}")
    assert record["status"] == "failed", record["output"]
    assert "nobody" in record["error"]["message"], record
