"""Blocks that decide between values, go over lists, repeat, and are completed from outside; and runs of flows that are
taken up: on the real server, with a real receiver of requests, kills included."""

import gzip
import http.server
import json
import pathlib
import sqlite3
import threading

import pytest
from test_flow_runs import (apply, events, post, receiver, serve, server, server_on_postgres, start,  # noqa: F401
                            statuses, whole_log)

KIND = """
- {id: begin, type: start}
- id: kind
  type: switch
  needs: [begin]
  with:
    value: "{{ input.kind }}"
    cases: [{name: refund, is: refund}, {name: question, is: [question, complaint, 7]}]
- {id: pay, type: respond, needs: [kind.refund], with: {value: pays}}
- {id: answer, type: respond, needs: [kind.question], with: {value: answers}}
- {id: none, type: respond, needs: [kind.otherwise], with: {value: "{{ blocks.kind.outlet }}"}}
"""


def test_a_switch_takes_the_case_that_the_value_is(server):
    apply(server, "sort", KIND)
    expected = {"refund": "pays", "complaint": "answers", 7: "answers", "7": "otherwise", "else": "otherwise"}
    runs = {kind: start(server, "sort", {"kind": kind}) for kind in expected}
    assert {kind: server.wait(run)["output"] for kind, run in runs.items()} == expected


def test_what_a_flow_answers_is_as_its_last_block_made_it(server):
    apply(server, "made", """
- {id: begin, type: start}
- {id: made, type: code, needs: [begin], with: {code: "return {zeta: 1, alpha: {y: input.n, x: 2}}"}}
- {id: reply, type: respond, needs: [made], with: {value: "{{ blocks.made }}"}}
""")
    run = start(server, "made", {"n": 12345678901234567})
    assert json.dumps(server.wait(run)["output"]) == '{"zeta": 1, "alpha": {"y": 12345678901234567, "x": 2}}'


def test_a_map_is_exact_and_in_order(server):
    apply(server, "price", """
- {id: begin, type: start}
- {id: rate, type: transform, needs: [begin], with: {value: {factor: "{{ input.factor }}"}}}
- id: each
  type: map
  needs: [rate]
  with: {over: "{{ input.items }}", parallel: 3}
  blocks:
    - {id: big, type: branch, with: {rules: [{name: large, when: "item.n > 100"}]}}
    - {id: times, type: code, needs: [big.otherwise], with: {code: "return {index, got: item.n * blocks.rate.factor}"}}
    - {id: kept, type: transform, needs: [big.large], with: {value: "{{ item }}"}}
- id: again
  type: map
  needs: [each]
  with: {over: "{{ blocks.each }}"}
  blocks: [{id: copy, type: transform, with: {value: "{{ item }}"}}]
- {id: reply, type: respond, needs: [again], with: {value: {all: "{{ blocks.again }}", of: "{{ blocks.each.length }}"}}}
""")
    items = [{"n": 7}, {"n": 123456789012345678}, {"n": 2, "text": "],\\\"["}, {"n": 18446744073709551615}]
    run = start(server, "price", {"factor": 3, "items": items})
    ended = server.wait(run, seconds=40)
    assert ended["output"] == {"all": [{"index": 0, "got": 21}, items[1], {"index": 2, "got": 6}, items[3]], "of": 4}, ended
    told = [data for type, data in whole_log(server, run) if type == "step.progress"]
    assert {data["name"] for data in told} == {"each", "again"}
    assert sum(data["items"] for data in told) == 8
    assert statuses(ended) == {name: "completed" for name in ("begin", "rate", "each", "again", "reply")}
    empty = server.wait(start(server, "price", {"factor": 3, "items": []}))
    assert empty["output"] == {"all": [], "of": 0}


def test_an_item_that_fails_ends_the_map_or_is_collected(server, receiver):
    blocks = """
- {id: begin, type: start}
- id: each
  type: map
  needs: [begin]
  with: {over: "{{ input }}", parallel: 2, errors: ERRORS}
  blocks:
    - {id: checked, type: code, with: {code: "if (item === 3) throw new Error('not three'); return item"}}
    - {id: made, type: transform, needs: [checked], with: {value: {ok: "{{ blocks.checked }}"}}}
- {id: reply, type: respond, needs: [each], with: {value: "{{ blocks.each }}"}}
"""
    apply(server, "strict", blocks.replace("ERRORS", "fail"))
    failed = server.wait(start(server, "strict", [1, 2, 3, 4]))
    assert failed["status"] == "failed"
    assert "block `each`: item 2: block `checked`: line 1" in failed["error"]["message"], failed["error"]
    apply(server, "patient", blocks.replace("ERRORS", "collect"))
    ended = server.wait(start(server, "patient", [1, 2, 3, 4]))
    assert ended["output"][:2] == [{"ok": 1}, {"ok": 2}] and ended["output"][3] == {"ok": 4}
    assert "not three" in ended["output"][2]["error"]["message"]
    no_list = server.wait(start(server, "patient", {"a": 1}))
    assert no_list["error"]["type"] == "ValueError" and "neither a list nor a number" in no_list["error"]["message"]
    # What has an error outlet of its own is no error of the item.
    apply(server, "handled", f"""
- {{id: begin, type: start}}
- id: each
  type: map
  needs: [begin]
  with: {{over: 2}}
  blocks:
    - {{id: bad, type: code, with: {{code: "return nothing"}}}}
    - {{id: instead, type: transform, needs: [bad.error], with: {{value: "{{{{ index }}}}"}}}}
- {{id: reply, type: respond, needs: [each], with: {{value: "{{{{ blocks.each }}}}"}}}}
""")
    assert server.wait(start(server, "handled"))["output"] == [0, 1]


def kill_in_a_map(server, receiver, tmp_path):
    """Each item is one call under one key; a kill repeats those that were under way, under their keys, and no other."""
    apply(server, "calls", f"""
- {{id: begin, type: start}}
- id: each
  type: map
  needs: [begin]
  with: {{over: 40, parallel: 2}}
  blocks:
    - {{id: random, type: transform, with: {{value: {{n: "{{{{ index }}}}"}}}}}}
    - {{id: call, type: http, takes: 400ms, needs: [random], with: {post(receiver.url + "/call", arguments='{n: "{{ blocks.random.n }}"}')}}}
- {{id: reply, type: respond, needs: [each], with: {{value: "{{{{ blocks.each.length }}}}"}}}}
""")
    receiver.hold("/call", 8)
    run = start(server, "calls")
    server.wait_until(lambda: receiver.waiting() == 2, seconds=40)
    server.kill()
    receiver.release("/call")
    receiver.hold("/call", 20)
    server.start()
    server.wait_until(lambda: receiver.waiting() == 2, seconds=40)
    server.kill()
    receiver.release("/call")
    server.start()
    ended = server.wait(run, seconds=60)
    assert (ended["status"], ended["output"]) == ("completed", 40), ended
    by_item = {}
    for _, key, arguments in receiver.calls:
        by_item.setdefault(arguments["n"], []).append(key)
    assert sorted(by_item) == list(range(40))
    assert all(len(set(keys)) == 1 for keys in by_item.values()), "one key an item"
    assert len({keys[0] for keys in by_item.values()}) == 40
    assert len(receiver.calls) <= 44, "two were under way at each kill"


def test_killed_in_a_map_it_repeats_no_item_that_has_ended(server, receiver, tmp_path):
    kill_in_a_map(server, receiver, tmp_path)


@pytest.mark.timeout(120)
def test_killed_in_a_map_on_postgresql_it_repeats_none_either(server_on_postgres, receiver, tmp_path):
    kill_in_a_map(server_on_postgres, receiver, tmp_path)


def resident_kb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


@pytest.mark.timeout(300)
def test_a_map_over_a_hundred_thousand_items_of_a_kilobyte_stays_small(server):
    """100 MB of results are made, and gone over item by item, in a server of less than 300 MB."""
    apply(server, "many", f"""
- {{id: begin, type: start}}
- id: make
  type: map
  needs: [begin]
  with: {{over: 100000}}
  blocks: [{{id: row, type: transform, with: {{value: {{n: "{{{{ index }}}}", pad: {"x" * 1000}}}}}}}]
- id: check
  type: map
  needs: [make]
  with: {{over: "{{{{ blocks.make }}}}"}}
  blocks:
    - {{id: right, type: branch, with: {{rules: [{{name: wrong, when: "item.n != index || size(item.pad) != 1000"}}]}}}}
    - {{id: bad, type: transform, needs: [right.wrong], with: {{value: 1}}}}
    - {{id: good, type: transform, needs: [right.otherwise], with: {{value: 0}}}}
- {{id: sum, type: code, needs: [check], with: {{code: "return {{count: blocks.check.length, wrong: blocks.check.filter(one => one).length}}"}}}}
- {{id: reply, type: respond, needs: [sum], with: {{value: "{{{{ blocks.sum }}}}"}}}}
""")
    ended = server.wait(start(server, "many"), seconds=240)
    assert ended["output"] == {"count": 100000, "wrong": 0}, ended
    assert resident_kb(server) < 300 * 1024
    # Whoever wants them all at once is told why not.
    apply(server, "whole", f"""
- {{id: begin, type: start}}
- id: make
  type: map
  needs: [begin]
  with: {{over: 40000}}
  blocks: [{{id: row, type: transform, with: {{value: {"x" * 1000}}}}}]
- {{id: reply, type: respond, needs: [make], with: {{value: "{{{{ blocks.make.length }}}}"}}}}
""")
    refused = server.wait(start(server, "whole"), seconds=60)
    told = refused["error"]["message"]
    assert refused["error"]["type"] == "output_limit" and "in a map over {{ blocks.make }}" in told
    assert "block `reply`: the results of `make` have 40" in told and "one value 33554432 at most" in told, "block and limit"


@pytest.mark.timeout(300)
def test_large_results_are_dropped_when_no_block_needs_them_any_more(server):
    """25 blocks of one activity that give 10 MB each, in a server of less than 250 MB; one that gives too much is named, with the limit."""
    base = '- {id: begin, type: start}\n- {id: base, type: code, needs: [begin], with: {code: "return \'x\'.repeat(1000000)"}}\n'
    times = lambda n: "[" + ", ".join(['"{{ blocks.base }}"'] * n) + "]"  # noqa: E731
    wrapped = "".join(f'- {{id: b{i}, type: transform, needs: [b{i - 1}], with: {{value: ["{{{{ blocks.b{i - 1} }}}}"]}}}}\n' for i in range(1, 25))
    apply(server, "large", base + f"- {{id: b0, type: transform, needs: [base], with: {{value: {times(10)}}}}}\n" + wrapped
          + "- {id: reply, type: respond, needs: [b24], with: {value: done}}\n")
    run = start(server, "large")
    ended = server.wait(run, seconds=200)
    assert ended["output"] == "done", ended["error"]
    log = whole_log(server, run)
    (last,) = [data for type, data in log if type == "step.completed" and data["name"] == "b24"]
    assert last["output"]["bytes"] == 10 * 1000002 + 9 + 2 * 25
    assert dict(log)["run.started"]["activities"] == 2, "begin, and one for all others"
    assert resident_kb(server) < 250 * 1024
    apply(server, "larger", base + f"- {{id: big, type: transform, needs: [base], with: {{value: {times(40)}}}}}\n")
    refused = server.wait(start(server, "larger"), seconds=60)["error"]
    assert refused["type"] == "output_limit" and "block `big`: its value has more than 33554432 bytes" in refused["message"], refused


def test_a_map_is_cancelled(server, receiver):
    apply(server, "stop", f"""
- {{id: begin, type: start}}
- id: each
  type: map
  needs: [begin]
  with: {{over: 1000, parallel: 2}}
  blocks: [{{id: call, type: http, takes: 1s, with: {post(receiver.url + "/call", arguments='{n: "{{ index }}"}')}}}]
""")
    receiver.hold("/call")
    run = start(server, "stop")
    server.wait_until(lambda: receiver.waiting() == 2)
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status == 202
    assert server.wait(run, seconds=30)["status"] == "canceled"
    whole_log(server, run)
    assert statuses(server.run(run))["each"] == "stopped"
    assert receiver.count("/call") == 2


def test_a_loop_goes_on_until_it_holds(server):
    apply(server, "halve", """
- {id: begin, type: start}
- id: halve
  type: loop
  needs: [begin]
  with: {times: 100, until: "{{ last.n <= 1n }}", first: {n: "{{ input }}", rounds: []}}
  blocks: [{id: half, type: code, with: {code: "return {n: BigInt(last.n) / 2n, rounds: [...last.rounds, index]}"}}]
- {id: reply, type: respond, needs: [halve], with: {value: "{{ blocks.halve }}"}}
""")
    ended = server.wait(start(server, "halve", 9007199254740993), seconds=40)
    assert ended["status"] == "completed", ended
    assert ended["output"] == {"n": 1, "rounds": list(range(53))}
    apply(server, "short", """
- {id: begin, type: start}
- id: count
  type: loop
  needs: [begin]
  with: {times: 3, until: "last > 7", first: 0}
  blocks: [{id: next, type: transform, with: {value: "{{ last + 1 }}"}}]
- {id: caught, type: respond, needs: [count.error], with: {value: "{{ blocks.count.error.message }}"}}
- {id: plain, type: loop, needs: [begin], with: {times: 3}, blocks: [{id: more, type: transform, with: {value: "{{ index }}"}}]}
""")
    ended = server.wait(start(server, "short"))
    assert ended["output"] == "round 3: `until` does not hold after 3 rounds"


@pytest.mark.timeout(300)
def test_a_long_loop_goes_on_with_a_new_history_across_kills(server, receiver):
    """1,200 rounds are several histories, and beside them is a wait that the first takes along."""
    apply(server, "long", f"""
- {{id: begin, type: start}}
- {{id: pause, type: wait, needs: [begin], with: {{duration: 3s}}}}
- id: count
  type: loop
  needs: [begin]
  with: {{times: 1200, first: 0, pause: 1ms}}
  blocks: [{{id: next, type: branch, with: {{rules: [{{name: x, when: "false"}}]}}}}]
- {{id: after, type: http, needs: [count, pause], with: {post(receiver.url + "/after", arguments='{n: "{{ blocks.count.outlet }}"}')}}}
""")
    run = start(server, "long")

    def parts():
        return sum(type == "step.progress" for type, _ in events(server, run))
    server.wait_until(lambda: parts() >= 275, seconds=120)
    server.kill()
    server.start()
    ended = server.wait(run, seconds=240)
    assert ended["status"] == "completed", ended
    assert statuses(ended) == {name: "completed" for name in ("begin", "pause", "count", "after")}
    assert receiver.count("/after") == 1


def failing_flow(receiver, bad, planner="V4"):
    return f"""
- {{id: begin, type: start}}
- {{id: one, type: http, needs: [begin], with: {post(receiver.url + "/one", arguments='{n: "{{ input }}"}')}}}
- {{id: pause, type: wait, needs: [one], with: {{duration: 10ms}}}}
- {{id: large, type: code, needs: [pause], with: {{code: "return 'y'.repeat(200000)"}}}}
- id: each
  type: map
  needs: [large]
  with: {{over: 6, parallel: 1}}
  blocks:
    - {{id: item, type: http, takes: 5s, with: {post(receiver.url + "/item", arguments='{n: "{{ index }}"}')}}}
    - {{id: check, type: code, needs: [item], with: {{code: "{bad}"}}}}
- {{id: reply, type: respond, needs: [each], with: {{value: "{{{{ blocks.large.length + blocks.each.length }}}}"}}}}
"""


def test_a_failed_run_is_taken_up_from_its_failed_block(server, receiver, cli):
    first = apply(server, "taken", failing_flow(receiver, "return blocks.item.path"))
    receiver.failing = {"/item": 0}
    # The fourth item fails for good.
    receiver.refusing = {"/item": 3}
    run = start(server, "taken", 5)
    failed = server.wait(run, seconds=40)
    assert failed["status"] == "failed" and "item 3: block `item`" in failed["error"]["message"], failed["error"]
    assert (receiver.count("/one"), receiver.count("/item")) == (1, 4)
    receiver.refusing = {}
    taken = server.post(f"/api/v1/runs/{run}/retry", {})
    assert taken.status in (201, 202), taken.text
    again = taken.json["id"]
    assert again != run
    ended = server.wait(again, seconds=40)
    assert (ended["status"], ended["output"]) == ("completed", 200006), ended
    # The call of before was not made again, nor were the items that had ended; the one that failed was, and the rest.
    assert (receiver.count("/one"), receiver.count("/item")) == (1, 7)
    assert [arguments["n"] for path, _, arguments in receiver.calls if path == "/item"] == [0, 1, 2, 3, 3, 4, 5]
    assert ended["origin"] == run
    assert statuses(ended) == {name: "completed" for name in ("begin", "one", "pause", "large", "each", "reply")}
    assert dict(events(server, again))["run.started"]["origin"] == run
    assert server.post(f"/api/v1/runs/{run}/retry", {}).json["id"] == again, "the same request is the same run"
    assert server.post(f"/api/v1/runs/{again}/retry", {}).status == 409, "nothing is left to do"
    assert first["version"] == ended["version"]


def test_a_failed_run_is_taken_up_on_a_new_version(server, receiver, cli):
    apply(server, "fixed", failing_flow(receiver, "if (index > 1) throw new Error('bad'); return 1"))
    run = start(server, "fixed", 5)
    failed = server.wait(run, seconds=40)
    assert "item 2: block `check`" in failed["error"]["message"], failed["error"]
    apply(server, "fixed", failing_flow(receiver, "return 2"))
    mended = cli(server, "retry", run, "--id", "mended", "--version", "current")
    assert mended.returncode == 0, mended.stderr
    ended = server.wait("mended", seconds=40)
    assert (ended["status"], ended["output"]) == ("completed", 200006), ended
    # What stands before the changed block is the same, and is not done again; the changed body is.
    assert receiver.count("/one") == 1
    assert receiver.count("/item") == 3 + 6


def test_a_cancelled_run_that_is_taken_up_makes_its_open_call_under_its_key(server, receiver):
    apply(server, "open", f"""
- {{id: begin, type: start}}
- {{id: one, type: http, needs: [begin], with: {post(receiver.url + "/one")}}}
- {{id: two, type: http, needs: [one], timeout: 1m, with: {post(receiver.url + "/two")}}}
- {{id: reply, type: respond, needs: [two], with: {{value: "{{{{ blocks.two.path }}}}"}}}}
""")
    receiver.hold("/two")
    run = start(server, "open")
    server.wait_until(lambda: receiver.count("/two"))
    assert server.post(f"/api/v1/runs/{run}/terminate", {}).status in (200, 202)
    server.wait(run)
    receiver.release("/two")
    again = server.post(f"/api/v1/runs/{run}/retry", {}).json["id"]
    server.kill()
    server.start()
    ended = server.wait(again, seconds=40)
    assert (ended["status"], ended["output"]) == ("completed", "/two"), ended
    assert receiver.count("/one") == 1 and len(receiver.keys("/two")) == 1, "the one that was under way, under its key"


def outside(receiver, deadline="1h", more=""):
    return f"""
- {{id: begin, type: start}}
- id: render
  type: http
  needs: [begin]
  async: {{deadline: {deadline}}}
  with:
    http: {{method: POST, url: "{receiver.url}/render", body: {{n: "{{n}}", callback: "{{completion_url}}"}}}}
    effect: at_most_once
    arguments: {{n: "{{{{ input }}}}"}}
- {{id: reply, type: respond, needs: [render], with: {{value: "{{{{ blocks.render.pages }}}}"}}}}
{more}"""


def test_a_block_is_completed_from_outside_across_a_kill(server, receiver, cli):
    apply(server, "render", outside(receiver))
    run = start(server, "render", 7)
    server.wait_until(lambda: receiver.count("/render"))
    server.wait_until(lambda: any(type == "step.detached" for type, _ in events(server, run)))
    server.kill()
    server.start()
    callback = receiver.calls[0][2]["callback"]
    token = callback.rsplit("/", 1)[1]
    assert server.post(f"/api/v1/completions/{token}", {"result": {"pages": 9007199254740993}}).status == 200
    ended = server.wait(run, seconds=40)
    assert (ended["status"], ended["output"]) == ("completed", 9007199254740993), ended
    assert receiver.count("/render") == 1
    assert token not in json.dumps(events(server, run)), "the secret is told to nobody"
    assert server.post(f"/api/v1/completions/{token}", {"result": 1}).status == 409


def test_what_nobody_completes_in_time_or_completes_badly_fails(server, receiver):
    apply(server, "late", outside(receiver, "300ms",
                                  "- {id: late, type: respond, needs: [render.error], with: {value: \"{{ blocks.render.error }}\"}}"))
    ended = server.wait(start(server, "late", 1), seconds=30)
    assert ended["output"]["type"] == "CompletionTimeout", ended
    apply(server, "bad", outside(receiver))
    run = start(server, "bad", 2)
    server.wait_until(lambda: receiver.count("/render") == 2)
    token = receiver.calls[1][2]["callback"].rsplit("/", 1)[1]
    assert server.post(f"/api/v1/completions/{token}", {"error": "out of paper"}).status == 200
    failed = server.wait(run, seconds=30)
    assert failed["error"]["type"] == "CompletionFailed" and "out of paper" in failed["error"]["message"]
    run = start(server, "bad", 3)
    server.wait_until(lambda: receiver.count("/render") == 3)
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status == 202
    assert server.wait(run, seconds=30)["status"] == "canceled"
    token = receiver.calls[2][2]["callback"].rsplit("/", 1)[1]
    assert server.post(f"/api/v1/completions/{token}", {"result": 1}).status == 410


# ---- what code writes


def test_what_code_writes_is_kept_searched_and_printed(server, cli):
    apply(server, "writes", """
- {id: begin, type: start}
- {id: made, type: code, needs: [begin], with: {code: "console.log('first', input.n); console.log('a NEEDLE'); return 3"}}
- {id: each, type: map, needs: [made], with: {over: "{{ blocks.made }}", parallel: 1}, blocks: [{id: one, type: code, with: {code: "console.log('item', index); return index"}}]}
- {id: again, type: loop, needs: [each], with: {times: 2, first: 0}, blocks: [{id: more, type: code, with: {code: "console.log('round', index); return index"}}]}
- {id: bad, type: code, needs: [again], with: {code: "console.log('before it fails'); throw new Error('x')"}}
""")
    run = start(server, "writes", {"n": 7})
    assert server.wait(run)["status"] == "failed"
    whole_log(server, run)
    logs = f"/api/v1/runs/{run}/logs"
    lines = server.get(logs).json["lines"]
    assert [(line["name"], line["text"]) for line in lines] == [
        ("made", "first 7"), ("made", "a NEEDLE"), ("each", "item 0"), ("each", "item 1"), ("each", "item 2"),
        ("again", "round 0"), ("again", "round 1"), ("bad", "before it fails")]
    assert (lines[0]["step"], lines[0]["kind"]) == (2, "code")
    assert [line["text"] for line in server.get(logs + "?search=needle").json["lines"]] == ["a NEEDLE"]
    assert [line["text"] for line in server.get(logs + "?step=5").json["lines"]] == ["before it fails"]
    paged, cursor = [], ""
    while cursor is not None:
        page = server.get(f"{logs}?limit=3" + (f"&cursor={cursor}" if cursor else "")).json
        paged, cursor = paged + page["lines"], page["next_cursor"]
    assert paged == lines
    assert server.get(logs + "?limit=0").status == 400 and server.get("/api/v1/runs/nobody/logs").status == 404
    assert [step["name"] for step in server.get(f"/api/v1/runs/{run}/steps?search=needle").json["steps"]] == ["made"]
    assert cli(server, "logs", run, "--search", "item").stdout == "each  item 0\neach  item 1\neach  item 2\n"
    assert cli(server, "logs", run, "2").stdout == "made  first 7\nmade  a NEEDLE\n"
    assert cli(server, "logs", run, "--search", "nowhere").stdout == ""


def test_a_sql_block_gives_all_rows_or_fails(server, tmp_path):
    """A part of the rows, or a word that stands for a value, would be computed with as if it were all."""
    with sqlite3.connect(tmp_path / "t.db") as db:
        db.execute("CREATE TABLE numbers(n)")
        db.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in range(500)])
    for number, (statement, more, word) in enumerate([
        ("SELECT n FROM numbers", "", "more than 100 rows"),
        ("SELECT printf('%.*c', 70000, 'x') AS s", "", "more than 65536 bytes"),
        ("SELECT x'00ff80' AS b", "", "hex(b)"),
        ("SELECT CAST(x'61ff' AS TEXT) AS b", "", "hex(b)"),
        ("DELETE FROM numbers RETURNING n", ", read_only: false", "nothing was changed"),
    ]):
        apply(server, f"rows-{number}", f"""
- {{id: begin, type: start}}
- {{id: q, type: sql, needs: [begin], with: {{sql: {{database: {tmp_path}/t.db, statement: "{statement}"{more}}}}}}}
""")
        ended = server.wait(start(server, f"rows-{number}"))
        assert (ended["status"], ended["error"]["type"]) == ("failed", "ToolError"), (statement, ended)
        assert word in ended["error"]["message"], ended["error"]
    apply(server, "all", f"""
- {{id: begin, type: start}}
- {{id: q, type: sql, needs: [begin], with: {{sql: {{database: {tmp_path}/t.db, max_rows: 500, statement: "SELECT n, 1e999 AS e FROM numbers"}}}}}}
- {{id: reply, type: respond, needs: [q], with: {{value: {{rows: "{{{{ blocks.q.rows.length }}}}", e: "{{{{ blocks.q.rows[0].e }}}}"}}}}}}
""")
    assert server.wait(start(server, "all"))["output"] == {"rows": 500, "e": "Infinity"}
    for value in ("?", "?1"):
        refused = server.request("PUT", "/api/v1/flows/bound", f"""
apiVersion: holdfast.dev/v1
kind: Flow
metadata: {{name: bound}}
spec:
  blocks:
    - {{id: begin, type: start}}
    - {{id: q, type: sql, needs: [begin], with: {{sql: {{database: {tmp_path}/t.db, statement: "SELECT {value} AS v"}}}}}}
""")
        assert refused.status == 400 and ":argument" in refused.text, refused.text


ANSWERS = {
    "/png": ("image/png", {}, b"\x89PNG"),
    "/latin": ("text/plain", {}, b"h\xe9llo"),
    "/cut": ("application/json", {}, b'{"a":1'),
    "/infinite": ("application/json", {}, b'{"a":1e400}'),
    "/half": ("text/plain", {"Content-Encoding": "gzip"}, gzip.compress(b"".join(b"line %d\n" % n for n in range(3000)))[:-900]),
    "/packed": ("application/json", {"Content-Encoding": "gzip"}, gzip.compress(b'{"a":9007199254740993}')),
}


@pytest.fixture
def answers():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            kind, headers, body = ANSWERS[self.path]
            self.send_response(200)
            for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{one.server_port}"
    one.shutdown()
    one.server_close()


def test_an_http_block_gives_what_was_sent_or_fails(server, answers):
    apply(server, "get", f"""
- {{id: begin, type: start}}
- id: g
  type: http
  needs: [begin]
  retry: {{initial: 10ms, attempts: 2}}
  with: {{http: {{url: "{answers}/{{which}}"}}, arguments: {{which: "{{{{ input }}}}"}}}}
""")
    for which, word in (("png", "image/png, 4 bytes"), ("latin", "not readable as utf-8"), ("cut", "and is none"),
                        ("infinite", "and is none"), ("half", "packed with gzip, and is cut off")):
        ended = server.wait(start(server, "get", which))
        assert (ended["status"], ended["error"]["type"]) == ("failed", "ToolError"), (which, ended)
        assert word in ended["error"]["message"], ended["error"]
    assert server.wait(start(server, "get", "packed"))["output"] == {"a": 9007199254740993}
