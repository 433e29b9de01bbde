"""The console's flows, in a browser against the real server: a flow that is read as a graph, compared and started with its form; a run
whose blocks are seen live, chosen, and read a payload at a time."""

import json

import browser
import pytest
from test_console import FIRST_SCREEN_KIB, axe, chromium, click, enter, page, text_of, violations  # noqa: F401  (fixtures among them)
from test_flow_runs import apply, post, receiver, serve, start  # noqa: F401

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

INPUT = """
  input:
    type: object
    required: [order, amount]
    properties:
      order: {type: integer, title: The order}
      amount: {type: number, minimum: 1}
      note: {type: string, maxLength: 40}
"""


@pytest.fixture
def server(binary, tmp_path):
    one = serve(binary, tmp_path)
    yield one
    one.close()


def refund(server, receiver, reply="paid", name="refund"):
    return apply(server, name, f"""
- {{id: begin, type: start}}
- {{id: size, type: branch, needs: [begin], with: {{rules: [{{name: large, when: "input.amount > 100"}}]}}}}
- {{id: review, type: transform, needs: [size.large], name: "A <b>look</b>", with: {{value: looked}}}}
- {{id: pay, type: http, needs: [review, size.otherwise], join: any, retry: {{attempts: 3, initial: 50ms}}, with: {post(receiver.url + "/pay", arguments='{order: "{{ input.order }}"}')}}}
- {{id: sorry, type: transform, needs: [pay.error], with: {{value: sorry}}}}
- {{id: reply, type: respond, needs: [pay], with: {{value: {reply}}}}}
""", INPUT)["version"]


def block(name, more=""):
    return f"document.querySelector('.flow-picture [data-block={name}]'){more}"


def status(name):
    return block(name, "?.dataset.status")


def press(page, key):
    page.evaluate(f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: {key!r}, bubbles: true, cancelable: true}}))")


def choose(page, name):
    page.wait_for(f"!!{block(name)}")
    page.evaluate(block(name, ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"))
    page.wait_for(f"document.querySelector('.block-panel')?.dataset.panel == '{name}'")


def test_a_flow_is_read_as_a_graph_with_the_keyboard(server, receiver, page):
    refund(server, receiver)
    page.open(f"{server.ready['http']}/flows")
    click(page, "a.agent-name", "refund")
    page.wait_for("document.querySelectorAll('.flow-block').length == 6")
    assert text_of(page, ".flow-outlet") == "large|otherwise|error"
    assert page.evaluate(block("pay", ".getAttribute('aria-label')")) == "pay http; waits for any of review, size.otherwise"
    # Each below what it needs.
    tops = page.evaluate("JSON.stringify(Object.fromEntries([...document.querySelectorAll('.flow-block')].map(b => [b.dataset.block, b.getBoundingClientRect().top])))")
    top = json.loads(tops)
    assert top["begin"] < top["size"] < top["review"] < top["pay"] < top["reply"] == top["sorry"]
    # One stop of the tab key; arrows lead along the lines.
    assert page.evaluate("[...document.querySelectorAll('.flow-block')].filter(b => b.tabIndex == 0).map(b => b.dataset.block).join()") == "begin"
    page.evaluate(block("begin", ".focus()"))
    for key, there in (("ArrowDown", "size"), ("ArrowDown", None), ("End", None), ("Home", "begin"), ("ArrowDown", "size")):
        press(page, key)
        if there:
            page.wait_for(f"document.activeElement.dataset.block == '{there}'")
    press(page, "Enter")
    page.wait_for("location.search == '?block=size' && document.querySelector('.block-panel pre')?.textContent.includes('input.amount > 100')")
    page.reload()
    page.wait_for("document.querySelector('.flow-block.chosen')?.dataset.block == 'size'")
    choose(page, "review")
    assert "A <b>look</b>" in text_of(page, ".block-panel pre") and page.evaluate("document.querySelectorAll('.screen b').length") == 0
    click(page, ".tabs a", "Definition")
    page.wait_for("document.querySelector('.lines')?.textContent.includes('kind: Flow')")


def test_two_versions_of_a_flow_are_compared(server, receiver, page):
    first = refund(server, receiver)
    second = refund(server, receiver, "all_paid")
    page.open(f"{server.ready['http']}/flows/refund?view=changes")
    page.wait_for("!!document.querySelector('.change')")
    assert "all_paid" in text_of(page, ".diff .plus") and "paid" in text_of(page, ".diff .minus")
    page.wait_for(f"document.querySelectorAll('.versions li').length == 2 && document.querySelector('.versions li.chosen code').textContent == '{second[:12]}'")
    click(page, ".versions a", first[:12])
    page.wait_for(f"location.pathname == '/flows/refund' && location.search.includes('version={first}')")
    page.open(f"{server.ready['http']}/flows/none")
    page.wait_for("document.querySelector('.agent-screen [role=alert]')?.textContent.includes('none')")


def test_a_flow_is_started_with_the_form_of_its_input(server, receiver, page):
    version = refund(server, receiver)
    page.open(f"{server.ready['http']}/flows/refund?view=start")
    page.wait_for("document.querySelectorAll('.form-field').length == 3")
    assert "The order" in text_of(page, ".form-field label")
    enter(page, "#answer-flow-order", "seven")
    enter(page, "#answer-flow-amount", "20")
    click(page, ".start button", "Start run")
    page.wait_for("document.querySelector('[data-field=order] [role=alert]')?.textContent.includes('order') && document.activeElement.id == 'answer-flow-order'")
    enter(page, "#answer-flow-order", "7")
    click(page, ".start button", "Start run")
    page.wait_for(f"location.pathname.startsWith('/runs/') && {status('reply')} == 'completed'")
    run = server.run(page.evaluate("location.pathname").removeprefix("/runs/"))
    assert (run["agent"], run["version"], run["input"]) == ("flow:refund", version, {"order": 7, "amount": 20})
    page.evaluate("[...document.querySelectorAll('.facts a')].at(-1).click()")
    page.wait_for(f"location.pathname == '/flows/refund' && location.search == '?version={version}' && !!document.querySelector('.flow-picture')")


def test_what_a_flow_asks_nothing_of_is_started_with_nothing(server, page):
    apply(server, "plain", "- {id: begin, type: start}")
    page.open(f"{server.ready['http']}/flows/plain?view=start")
    click(page, ".start button", "Start run")
    page.wait_for(f"location.pathname.startsWith('/runs/') && {status('begin')} == 'completed'")


def test_the_blocks_of_a_run_are_seen_live(server, receiver, page):
    refund(server, receiver)
    receiver.hold("/pay")
    receiver.failing = {"/pay": 1}
    run = start(server, "refund", {"order": 7, "amount": 20})
    page.open(f"{server.ready['http']}/runs/{run}")
    page.wait_for(f"{status('pay')} == 'running'")
    assert page.evaluate(f"[{status('begin')}, {status('size')}, {status('review')}, {status('reply')}].join()") == "completed,completed,skipped,waiting"
    assert "otherwise" in page.evaluate(block("size", ".querySelector('.flow-note').textContent"))
    # It has no conversation, and nobody writes to it or forks it.
    assert "Pause" not in text_of(page, ".run-actions button") and not page.evaluate("!!document.querySelector('.composer, .facts a[href*=chat]')")
    choose(page, "pay")
    page.wait_for("location.search == '?step=4' && document.querySelector('.timeline [aria-current=step]')?.textContent.includes('pay')")
    click(page, ".payload-choice button", "Arguments")
    page.wait_for("document.querySelector('.block-panel .fields')?.textContent == 'order7'")
    receiver.release("/pay")
    page.wait_for(f"{status('pay')} == 'completed' && {status('reply')} == 'completed' && {status('sorry')} == 'skipped'")
    assert "2 attempts" in text_of(page, ".block-facts") and "outlet done" in text_of(page, ".block-facts")
    click(page, ".payload-choice button", "Result")
    page.wait_for("document.querySelector('.block-panel')?.textContent.includes('/pay')")
    assert page.evaluate("document.querySelectorAll('.flow-line.taken').length") == 3
    # The same step is chosen in the transcript, and back.
    click(page, ".run-tabs a", "Transcript")
    page.wait_for("location.search.includes('view=transcript') && document.querySelector('.item.chosen')?.id == 'step-4'")
    assert page.evaluate("document.querySelectorAll('.here').length") == 0
    page.evaluate("document.querySelector('.timeline button').click()")
    page.wait_for("document.querySelector('.item.chosen')?.id == 'step-1'")
    click(page, ".run-tabs a", "Graph")
    page.wait_for("document.querySelector('.flow-block.chosen')?.dataset.block == 'begin'")
    press(page, "]")
    page.wait_for("document.querySelector('.flow-block.chosen')?.dataset.block == 'size'")
    press(page, "f")
    page.wait_for("!location.search.includes('step') && document.querySelector('.end.completed')?.textContent.includes('paid')")


def test_a_block_that_failed_says_why(server, receiver, page):
    apply(server, "fails", """
- {id: begin, type: start}
- {id: bad, type: code, needs: [begin], with: {code: "return input.x.y"}}
- {id: never, type: transform, needs: [bad], with: {value: 1}}
""")
    run = start(server, "fails", {})
    page.open(f"{server.ready['http']}/runs/{run}")
    page.wait_for(f"{status('bad')} == 'failed' && {status('never')} == 'skipped' && !!document.querySelector('.end.failed')")
    choose(page, "bad")
    page.wait_for("document.querySelector('.block-panel .problem')?.textContent.includes('line 1')")
    assert "outlet error" in text_of(page, ".block-facts")


def test_a_killed_server_leaves_the_graph_as_it_was(server, receiver, page):
    refund(server, receiver)
    receiver.hold("/pay")
    run = start(server, "refund", {"order": 7, "amount": 250})
    page.open(f"{server.ready['http']}/runs/{run}?step=4")
    page.wait_for(f"{status('pay')} == 'running' && {status('review')} == 'completed'")
    server.kill()
    page.wait_for("document.getElementById('link').dataset.state == 'down'")
    receiver.release("/pay")
    server.start()
    page.wait_for(f"{status('reply')} == 'completed'", seconds=40)
    assert page.evaluate("document.querySelector('.flow-block.chosen').dataset.block") == "pay"


SCREENS = (("/flows", ".agent"), ("/flows/refund", ".flow-block"), ("/flows/refund?block=pay", ".block-panel"), ("/flows/refund?view=start", ".form-field"), ("/flows/refund?view=changes", ".empty"),
           ("/runs/{run}", ".end.completed"), ("/runs/{run}?step=4", ".block-panel"), ("/runs/{run}?view=transcript", ".end.completed"))


def ended(server, receiver):
    refund(server, receiver)
    run = start(server, "refund", {"order": 7, "amount": 250})
    assert server.wait(run)["status"] == "completed"
    return run


def opened(server, page, run):
    for path, ready in SCREENS:
        path = path.format(run=run)
        page.open(server.ready["http"] + path)
        page.wait_for(f"location.pathname + location.search == '{path}' && !!document.querySelector('{ready}')")
        yield path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server, receiver, page, axe, scheme):
    run = ended(server, receiver)
    page.prefer(scheme)
    for path in opened(server, page, run):
        assert violations(page, axe) == [], path


def test_a_phone_has_no_sideways_scroll(server, receiver, page):
    run = ended(server, receiver)
    page.resize(390, 844)
    for path in opened(server, page, run):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_the_graph_is_loaded_where_it_is_shown_and_the_first_screen_is_small(server, receiver, page):
    def drawn():
        return any("/assets/flows-" in name and name.endswith(".css") for name in sizes())

    def sizes():
        loaded = page.evaluate("JSON.stringify(performance.getEntriesByType('resource').filter(e => e.name.includes('/assets/')).map(e => [e.name, e.encodedBodySize]))")
        return dict(json.loads(loaded))

    run = ended(server, receiver)
    page.open(f"{server.ready['http']}/runs")
    page.wait_for("!!document.querySelector('.runs .run')")
    assert not drawn()
    for path, ready in ((f"/runs/{run}", ".flow-block"), ("/flows/refund", ".flow-block")):
        page.open(server.ready["http"] + path)
        page.wait_for(f"!!document.querySelector('{ready}')")
        assert drawn()
        assert sum(sizes().values()) <= FIRST_SCREEN_KIB * 1024, sizes()


def test_what_a_block_wrote_is_shown_with_it(server, page):
    apply(server, "writes", """
- {id: begin, type: start}
- {id: made, type: code, needs: [begin], with: {code: "console.log('seen by people'); return 1"}}
""")
    run = start(server, "writes", None)
    server.wait(run)
    page.open(f"{server.ready['http']}/runs/{run}")
    page.wait_for(f"{status('made')} == 'completed'")
    choose(page, "made")
    page.wait_for("document.querySelector('.block-panel')?.dataset.panel == 'made'")
    click(page, ".payload-choice button", "Log")
    page.wait_for("document.querySelector('.block-panel pre')?.textContent.includes('seen by people')")
    choose(page, "begin")
    page.wait_for("document.querySelector('.block-panel')?.dataset.panel == 'begin'")
    assert "Log" not in text_of(page, ".payload-choice button")


def test_the_items_of_a_map_that_are_runs_are_reached_and_lead_back(server, page, axe):
    apply(server, "tickets", """
- {id: begin, type: start}
- id: each
  type: map
  needs: [begin]
  with: {over: "{{ input }}", parallel: 2}
  blocks:
    - {id: ask, type: human, with: {human: {}, arguments: {question: "{{ item }}?"}}}
    - {id: said, type: transform, needs: [ask], with: {value: "{{ blocks.ask.answer.answer }}"}}
""")
    run = start(server, "tickets", ["a", "b", "c"])
    asked = server.wait_until(lambda: len(found := server.get("/api/v1/approvals?status=pending").json["approvals"]) == 2 and found)
    page.open(f"{server.ready['http']}/runs/{run}")
    choose(page, "each")
    item = "document.querySelector('.item-runs [data-item=\"%d\"]')"
    page.wait_for(f"{item % 0}?.textContent.includes('running') && {item % 1}?.textContent.includes('running') && !{item % 2}")
    assert "2 of 3 items, each a run of its own" in text_of(page, ".item-runs .note")
    assert violations(page, axe) == []
    page.evaluate(f"{item % 1}.querySelector('a').click()")
    page.wait_for(f"location.pathname == '/runs/{run}.each.1' && {status('ask')} == 'running' && {status('said')} == 'waiting'")
    assert page.evaluate("[...document.querySelectorAll('.flow-picture [data-block]')].map(b => b.dataset.block).join()") == "ask,said"
    assert f"item 1 of each, in {run}" in text_of(page, ".facts span")
    server.kill()
    server.start()
    second = next(one for one in asked if one["run"] == f"{run}.each.1")
    answer = {"decision": "answer", "answer": {"answer": "yes"}, "arguments_sha256": second["arguments_sha256"]}
    assert server.post(f"/api/v1/approvals/{second['id']}/decision", answer).status == 200
    page.wait_for(f"{status('said')} == 'completed'", seconds=40)
    click(page, ".facts a", run)
    page.wait_for(f"location.pathname == '/runs/{run}' && location.search == '?step=2' && {item % 1}?.textContent.includes('completed') && !!{item % 2}")
    page.resize(390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    click(page, ".run-tabs a", "Transcript")
    page.wait_for(f"{item % 2}?.querySelector('a')?.getAttribute('href') == '/runs/{run}.each.2'")
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status == 202
    page.wait_for(f"{item % 0}?.textContent.includes('stopped')", seconds=40)


def test_any_item_of_many_is_opened_by_its_index(server, page):
    apply(server, "waits", """
- {id: begin, type: start}
- {id: each, type: map, needs: [begin], with: {over: 120, parallel: 16}, blocks: [{id: pause, type: wait, with: {duration: 1ms}}]}
""")
    run = start(server, "waits", None)
    assert server.wait(run, seconds=60)["status"] == "completed"
    page.open(f"{server.ready['http']}/runs/{run}?step=2")
    page.wait_for("document.querySelectorAll('.item-runs li').length == 50")
    click(page, ".item-runs button", "More of them")
    page.wait_for("document.querySelectorAll('.item-runs li').length == 100")
    enter(page, ".item-open input", "117")
    click(page, ".item-open button", "Open")
    page.wait_for(f"location.pathname == '/runs/{run}.each.117' && {status('pause')} == 'completed'")
