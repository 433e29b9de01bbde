"""Talking with an agent in a real browser: turns on one conversation, text that is said once whatever dies, approvals, stopping, steering."""

import urllib.parse

import pytest

import browser
from test_console import SENTENCE, axe, chromium, click, enter, page, text_of, violations  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")


def open_chat(page, server, conversation=""):
    path = "/chat" + (f"/{conversation}" if conversation else "")
    page.open(server.ready["http"] + path)
    page.wait_for(f"location.pathname == '{path}' && document.querySelectorAll('.talk-actions option').length > 0")
    page.wait_for("document.getElementById('link').dataset.state == 'live'")


def say(page, text, button="Send"):
    enter(page, "#say", text)
    click(page, ".talk-actions button", button)


def answered(page, turns, text):
    """The last of so many turns has this as its answer."""
    page.wait_for(f"document.querySelectorAll('.turn').length == {turns} && [...document.querySelectorAll('.turn')].at(-1)"
                  f".querySelector('.say.model[aria-busy=false] .prose')?.textContent.trim() == {text!r}")
    page.wait_for("[...document.querySelectorAll('.talk-actions button')].at(-1)?.textContent == 'Send'")


def reload(page):
    page.evaluate("window.old = true")
    page.reload()
    page.wait_for("!window.old && !!document.getElementById('say')")


def conversation_of(page):
    return urllib.parse.unquote(page.evaluate("location.pathname").removeprefix("/chat/"))


def test_turns_on_one_conversation_from_its_first_word(own_server, page):
    server = own_server
    open_chat(page, server)
    assert "No conversations yet." in text_of(page, ".talks")
    say(page, "hello")
    page.wait_for("location.pathname.startsWith('/chat/')")
    answered(page, 1, "Hello from the script.")
    talk = conversation_of(page)
    say(page, "and now?")
    answered(page, 2, "That is settled.")
    assert text_of(page, ".turn .say.user .prose") == "hello|and now?"
    assert page.evaluate("document.querySelectorAll('.turn .end').length") == 0  # it is what was said last
    about = server.get(f"/api/v1/conversations/{talk}").json
    assert about["messages"] == 4 and len(about["runs"]) == 2
    page.wait_for(f"document.querySelector('[data-talk=\"{talk}\"] .talk-line')?.textContent == 'and now?'")
    reload(page)
    answered(page, 2, "That is settled.")
    assert text_of(page, ".turn .say.user .prose") == "hello|and now?"
    open_chat(page, server)
    page.evaluate(f"document.querySelector('[data-talk=\"{talk}\"]').click()")
    answered(page, 2, "That is settled.")


def test_a_killed_server_and_a_reload_cost_no_text(own_server, page):
    server = own_server
    open_chat(page, server, "talk")
    say(page, "slowly please")
    page.wait_for("document.querySelector('.turn .say.model .prose')?.textContent.includes('five')")
    server.kill()
    page.wait_for("document.getElementById('link').dataset.state == 'down'")
    server.start()
    page.wait_for("document.getElementById('link').dataset.state == 'live'")
    page.wait_for("document.querySelector('.turn .say.model .prose')?.textContent.includes('eight')")
    reload(page)
    answered(page, 1, SENTENCE)
    assert text_of(page, ".turn .say.user .prose") == "slowly please"


def test_what_is_sent_to_a_dead_server_is_told_and_sent_once(own_server, page):
    server = own_server
    open_chat(page, server, "talk")
    server.kill()
    say(page, "hello")
    page.wait_for("document.querySelector('.talk-composer [role=alert]')?.textContent.includes('Not known to be sent')")
    first = page.evaluate("JSON.parse(sessionStorage.getItem('holdfast.draft.talk')).sent.id")
    server.start()
    page.wait_for("document.getElementById('link').dataset.state == 'live'")
    reload(page)
    page.wait_for("document.getElementById('say')?.value == 'hello'")
    click(page, ".talk-actions button", "Send")
    answered(page, 1, "Hello from the script.")
    assert [row["run"] for row in server.get("/api/v1/conversations/talk").json["runs"]] == [first]
    assert page.evaluate("document.getElementById('say').value") == ""


def test_an_approval_is_decided_where_it_is_asked_and_calls_are_folded(own_server, page, payments):
    open_chat(page, own_server, "talk")
    say(page, "pay, please")
    click(page, ".turn .approval button", "Approve")
    page.wait_for("!!document.querySelector('.turn .approval.approved')")
    answered_last = "[...document.querySelectorAll('.turn .say.model[aria-busy=false] .prose')].at(-1)?.textContent.trim() == 'That is settled.'"
    page.wait_for(answered_last)
    assert payments() == [250]
    assert not page.evaluate("document.querySelector('.turn .tool').checkVisibility()")
    assert "approved" in text_of(page, ".turn .fold summary") and "by console" in text_of(page, ".turn .fold summary")
    page.evaluate("[...document.querySelectorAll('.turn .fold > summary')].at(-1).click()")
    page.wait_for("document.querySelector('.turn .tool').checkVisibility()")


def test_a_turn_is_stopped_and_the_next_one_goes_on(own_server, page):
    open_chat(page, own_server, "talk")
    say(page, "at length, please")
    page.wait_for("document.querySelector('.turn .say.model .prose')?.textContent.includes('two')")
    click(page, ".talk-actions button", "Stop")
    page.wait_for("!!document.querySelector('.turn .end.canceled')")
    page.wait_for("document.querySelectorAll('.say.running').length == 0")
    assert "two" in text_of(page, ".turn .say.model .prose")  # what was said stays
    page.wait_for("[...document.querySelectorAll('.talk-actions button')].at(-1)?.textContent == 'Send'")
    say(page, "hello")
    answered(page, 2, "Hello from the script.")


def test_a_message_steers_the_turn_that_is_under_way(own_server, page):
    server = own_server
    open_chat(page, server, "talk")
    say(page, "slowly please")
    page.wait_for("document.querySelector('.turn .say.model .prose')?.textContent.includes('two')")
    say(page, "and hello", "Steer")
    page.wait_for("document.querySelector('.turn .say.message .prose')?.textContent == 'and hello'")
    page.wait_for("[...document.querySelectorAll('.turn .say.model[aria-busy=false] .prose')].at(-1)?.textContent.trim() == 'That is settled.'")
    assert page.evaluate("document.querySelectorAll('.turn').length") == 1
    assert text_of(page, ".turn .say.message .note") == "console"  # it was read
    assert len(server.get("/api/v1/conversations/talk").json["runs"]) == 1


def test_what_others_say_is_there_by_itself(own_server, page):
    """Another device, another client: also on a conversation that a run of the API began."""
    server = own_server
    server.wait(server.start_run("payer", "hello", id="begun"))
    page.open(f"{server.ready['http']}/runs/begun")
    click(page, ".facts a", "conversation")
    answered(page, 1, "Hello from the script.")
    server.start_run("payer", "slowly, please", conversation="begun")
    page.wait_for("[...document.querySelectorAll('.turn .say.model .prose')].at(-1)?.textContent.includes('seven')")
    page.wait_for("[...document.querySelectorAll('.talk-actions button')].at(-1)?.textContent == 'Steer'")
    answered(page, 2, SENTENCE)
    assert text_of(page, ".turn .say.user .prose") == "hello|slowly, please"


def test_a_long_conversation_comes_in_parts(own_server, page):
    server = own_server
    for i in range(23):
        last = server.start_run("payer", f"hello {i}", conversation="long")
    server.wait(last)
    open_chat(page, server, "long")
    page.wait_for("document.querySelectorAll('.turn .say.user').length == 20")
    assert text_of(page, ".turn .say.user .prose").split("|")[-1] == "hello 22"
    click(page, ".turns > button", "Turns before these")
    page.wait_for("document.querySelectorAll('.turn .say.user').length == 23")
    assert text_of(page, ".turn .say.user .prose").split("|") == [f"hello {i}" for i in range(23)]


def test_what_is_said_is_text(own_server, page):
    hostile = "<img src=x onerror=document.title='bad'> <script>document.title='bad'</script>"
    open_chat(page, own_server, "talk")
    say(page, "hello " + hostile)
    answered(page, 1, "Hello from the script.")
    assert hostile in text_of(page, ".turn .say.user .prose")
    assert page.evaluate("document.querySelectorAll('main img, main script').length") == 0


def test_a_phone_talks(own_server, page, payments):
    page.resize(390, 844)
    open_chat(page, own_server)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    say(page, "pay, please")
    page.wait_for("!!document.querySelector('.turn .approval.pending')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.evaluate("[...document.querySelectorAll('.talk button, .talk .button, .talk select')].filter(b => b.checkVisibility()).map(b => b.getBoundingClientRect().height)")
    assert len(heights) > 5 and min(heights) >= 44, heights
    click(page, ".turn .approval button", "Approve")
    page.wait_for("!!document.querySelector('.turn .approval.approved') && !!document.querySelector('.fold summary')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # The last word stands above the composer, not behind it.
    page.wait_for("document.querySelector('.turn:last-child').getBoundingClientRect().bottom <= document.querySelector('.talk-composer').getBoundingClientRect().top + 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_chat(own_server, page, axe, scheme):  # noqa: F811
    server = own_server
    server.wait(server.start_run("payer", "hello", conversation="talk"))
    page.prefer(scheme)
    open_chat(page, server)
    page.wait_for("!!document.querySelector('.talks a')")
    assert violations(page, axe) == []
    open_chat(page, server, "talk")
    answered(page, 1, "Hello from the script.")
    say(page, "at length, please")
    page.wait_for("document.querySelector('.turn:last-child .say.model .prose')?.textContent.includes('two')")
    assert violations(page, axe) == []
    open_chat(page, server, "elsewhere")
    say(page, "pay, please")
    page.wait_for("!!document.querySelector('.turn .approval.pending')")
    assert violations(page, axe) == []
    click(page, ".approval button", "Approve")
    page.wait_for("!!document.querySelector('.fold summary')")
    assert violations(page, axe) == []


def test_the_first_screen_of_a_chat_is_small(own_server, page):
    server = own_server
    server.wait(server.start_run("payer", "hello", conversation="talk"))
    open_chat(page, server, "talk")
    page.wait_for("!!document.querySelector('.turn .say.model .prose p')")
    sizes = page.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('/assets/')).map(e => e.encodedBodySize)")
    assert len(sizes) > 3 and sum(sizes) <= 350 * 1024, sizes
