"""What the items of a map, or the rounds of a loop, did is taken back when the run fails, is cancelled or is asked for it:
each call once, the last item first, in one activity or as runs of their own, kills included."""

import pytest
from test_flow_items import BEGIN, REPLY, each
from test_flow_runs import apply, events, post, receiver, serve, server, server_on_postgres, start, statuses  # noqa: F401
from test_undo import undo

REST = "- {id: rest, type: wait, needs: [each], with: {duration: 1h}}\n"
WAIT = "{id: pause, type: wait, needs: [pay], with: {duration: 1ms}}"


def pay(receiver, id="pay", needs="", n="{{ index }}", more=""):
    retry = "{initial: 100ms, backoff: 1, attempts: 100}"
    return (f'{{id: {id}, type: http{needs}, with: {post(receiver.url + f"/{id}", arguments=chr(123) + f"n: {chr(34)}{n}{chr(34)}" + chr(125))}, '
            f'compensate: {{http: {{method: POST, url: "{receiver.url}/un{id}"}}, effect: idempotent, retry: {retry}{more}, arguments: {{n: "{{arguments.n}}", of: "{{result.path}}"}}}}}}')


def look(receiver):
    return f'{{id: look, type: http, needs: [pay], with: {{http: {{url: "{receiver.url}/look"}}}}}}'


def numbers(receiver, path):
    """Which items came there, each call once."""
    return [body["n"] for _, body in {key: (at, body) for at, key, body in receiver.calls if at == path}.values()]


def would(server, run):
    return [(one["would"], one["tool"], one.get("item")) for one in undo(server, run, dry_run=True).json["effects"]]


@pytest.mark.parametrize("runs", [False, True])
def test_a_map_whose_third_item_fails_takes_back_the_first_two(server, receiver, runs):
    body = [pay(receiver), pay(receiver, "ship", ", needs: [pay]"), f'{{id: check, type: http, needs: [ship], with: {post(receiver.url + "/check")}}}']
    apply(server, "pays", BEGIN + each(body + ([WAIT] if runs else []), parallel=1) + REPLY)
    receiver.refusing = {"/check": 2}
    run = start(server, "pays", ["a", "b", "c", "d"])
    failed = server.wait(run, seconds=60)
    assert failed["status"] == "failed" and "item 2: block `check`" in failed["error"]["message"], failed["error"]
    assert numbers(receiver, "/pay") == numbers(receiver, "/ship") == [0, 1, 2]
    undone = [(path, body["n"]) for path, _, body in receiver.calls if path in ("/unpay", "/unship")]
    assert undone == [("/unship", 2), ("/unpay", 2), ("/unship", 1), ("/unpay", 1), ("/unship", 0), ("/unpay", 0)]
    assert {body["of"] for path, _, body in receiver.calls if path == "/unship"} == {"/ship"}
    told = [(data["tool"], data["by"], data["item"]) for type, data in events(server, run) if type == "effect.undone" and "item" in data]
    assert told == [(tool, f"{tool}-undo", item) for item in ((1, 0) if runs else (2, 1, 0)) for tool in ("ship", "pay")]
    refused = server.post(f"/api/v1/runs/{run}/retry")
    assert refused.status == 409 and "taken back" in refused.text


def cancel_a_loop_across_kills(server, receiver):
    apply(server, "rounds", BEGIN + f"- id: each\n  type: loop\n  needs: [begin]\n  with: {{times: 50}}\n  blocks:\n    - {pay(receiver)}\n    - {look(receiver)}\n")
    receiver.hold("/pay", first=2)
    receiver.hold("/look", first=5)
    receiver.hold("/unpay", first=1)
    run = start(server, "rounds")
    server.wait_until(lambda: receiver.waiting() == 1)
    server.kill()
    receiver.release("/pay")
    server.start()
    server.wait_until(lambda: receiver.count("/look") == 6)
    made = numbers(receiver, "/pay")
    server.post(f"/api/v1/runs/{run}/cancel")
    server.wait_until(lambda: receiver.count("/unpay") == 2)
    server.kill()
    receiver.release("/look")
    receiver.release("/unpay")
    server.start()
    assert server.wait(run, seconds=60)["status"] == "canceled"
    assert len(made) > 2 and numbers(receiver, "/unpay") == made[::-1], "each under one key, the last round first"
    assert receiver.count("/pay") == receiver.count("/unpay") == len(made) + 1, "those that were killed once more under it"


def test_a_loop_that_is_cancelled_in_a_round_takes_its_rounds_back_once_across_kills(server, receiver):
    cancel_a_loop_across_kills(server, receiver)


@pytest.mark.timeout(120)
def test_a_loop_that_is_cancelled_takes_its_rounds_back_on_postgresql(server_on_postgres, receiver):
    cancel_a_loop_across_kills(server_on_postgres, receiver)


@pytest.mark.parametrize("runs", [False, True])
def test_a_map_that_completed_is_undone_on_request(server, receiver, cli, runs):
    apply(server, "pays", BEGIN + each([pay(receiver)] + ([WAIT] if runs else [])) + REPLY)
    run = start(server, "pays", ["a", "b", "c"])
    assert server.wait(run, seconds=60)["status"] == "completed" and receiver.count("/unpay") == 0
    assert would(server, run) == [("undo", "pay", item) for item in (2, 1, 0)]
    assert "undo     pay (step 2, item 2) of flow:pays" in cli(server, "undo", run, "--dry-run").stdout
    receiver.refusing = {"/unpay": 1}
    assert undo(server, run).status == 202
    ended = server.wait(f"{run}.undo", seconds=60)
    assert ended["reason"] == "not_undone" and "pay (item 1)" in ended["error"]["message"], ended
    assert would(server, run) == [("undone", "pay", 2), ("stands", "pay", 1), ("undone", "pay", 0)]
    assert undo(server, run).json["id"] == f"{run}.undo.2"
    assert server.wait(f"{run}.undo.2", seconds=60)["status"] == "completed"
    assert [body["n"] for path, _, body in receiver.calls if path == "/unpay"] == [2, 1, 0, 1]
    assert len(receiver.keys("/unpay")) == 4 and {one for one, _, _ in would(server, run)} == {"undone"}


@pytest.mark.parametrize("runs", [False, True])
def test_an_item_whose_error_is_collected_keeps_nothing(server, receiver, runs):
    check = f'{{id: check, type: http, needs: [pay], with: {post(receiver.url + "/check")}}}'
    apply(server, "pays", BEGIN + each([pay(receiver), check] + ([WAIT] if runs else []), parallel=1, errors="collect") + REST)
    receiver.refusing = {"/check": 1}
    run = start(server, "pays", ["a", "b", "c"])
    server.wait(run, lambda r: statuses(r).get("rest") == "running", seconds=60)
    assert numbers(receiver, "/pay") == [0, 1, 2] and numbers(receiver, "/unpay") == [1], "as soon as it has failed"
    server.post(f"/api/v1/runs/{run}/cancel")
    assert server.wait(run, seconds=60)["status"] == "canceled"
    assert [body["n"] for path, _, body in receiver.calls if path == "/unpay"] == [1, 2, 0]


@pytest.mark.parametrize("runs", [False, True])
def test_a_run_that_takes_up_another_one_answers_for_its_items(server, receiver, runs):
    apply(server, "pays", BEGIN + each([pay(receiver), look(receiver)] + ([WAIT] if runs else []), parallel=1) + REST)
    receiver.hold("/look", first=2)
    run = start(server, "pays", ["a", "b", "c", "d"])
    server.wait_until(lambda: receiver.count("/look") == 3)
    assert server.post(f"/api/v1/runs/{run}/terminate").status in (200, 202)
    assert server.wait(run)["status"] == "terminated"
    if runs:  # cancelled with the run that goes over it, the third item takes back its own, and begins anew
        server.wait(f"{run}.each.2", seconds=60)
    server.kill()
    receiver.release("/look")
    server.start()
    own = [2] if runs else []
    assert numbers(receiver, "/pay") == [0, 1, 2] and numbers(receiver, "/unpay") == own
    again = server.post(f"/api/v1/runs/{run}/retry").json["id"]
    server.wait(again, lambda r: statuses(r).get("rest") == "running", seconds=60)
    assert numbers(receiver, "/pay") == [0, 1, 2] + own + [3] and numbers(receiver, "/unpay") == own
    # Ended there, the map is known to a third one, with all that was done for it.
    assert server.post(f"/api/v1/runs/{again}/terminate").status in (200, 202)
    assert server.wait(again)["status"] == "terminated"
    third = server.post(f"/api/v1/runs/{again}/retry").json["id"]
    server.wait(third, lambda r: statuses(r).get("rest") == "running", seconds=60)
    server.post(f"/api/v1/runs/{third}/cancel")
    assert server.wait(third, seconds=60)["status"] == "canceled"
    assert sorted(numbers(receiver, "/unpay")) == sorted([0, 1, 2, 3] + own)
    assert len(receiver.keys("/unpay")) == receiver.count("/unpay") == len(receiver.keys("/pay"))


def test_what_stands_of_many_items_is_counted_and_what_is_once_only_is_not_repeated(server, receiver):
    apply(server, "once", BEGIN + each([pay(receiver).replace("/unpay\"}, effect: idempotent", "/unpay\"}, effect: at_most_once")]) + REST)
    run = start(server, "once", 3)
    server.wait(run, lambda r: statuses(r).get("rest") == "running", seconds=60)
    receiver.hold("/unpay", first=1)
    server.post(f"/api/v1/runs/{run}/cancel")
    server.wait_until(lambda: receiver.waiting() == 1)
    server.kill()
    receiver.release("/unpay")
    server.start()
    ended = server.wait(run, seconds=60)
    assert ended["status"] == "canceled" and numbers(receiver, "/unpay") == [2, 1, 0] and receiver.count("/unpay") == 3
    end = dict(events(server, run))["run.canceled"]
    assert len(end["not_undone"]) == 1 and "pay (item 1)" in end["not_undone"][0] and "not known" in end["not_undone"][0], end
    assert would(server, run)[1] == ("ask", "pay", 1)


def every_event(server, run):
    out, cursor = [], ""
    while page := server.get(f"/api/v1/runs/{run}/events?limit=1000{cursor}").json["events"]:
        out += [(one["type"], one["data"]) for one in page]
        cursor = f"&cursor={page[-1]['cursor']}"
    return out


@pytest.mark.timeout(300)
def test_many_items_are_taken_back_in_stretches_across_a_kill(server, receiver):
    """2,500 calls: no list of them is in a history, and a caller answers for them, too."""
    apply(server, "many", BEGIN + each([pay(receiver)], over="{{ 2500 }}", parallel=8))
    apply(server, "above", BEGIN + '- {id: each, type: flow, needs: [begin], with: {flow: many, arguments: {}}}\n' + REST)
    run = start(server, "above", {})
    server.wait(run, lambda r: statuses(r).get("rest") == "running", seconds=200)
    assert len(receiver.keys("/pay")) == 2500
    server.post(f"/api/v1/runs/{run}/cancel")
    server.wait_until(lambda: receiver.count("/unpay") > 700, seconds=60)
    server.kill()
    server.start()
    assert server.wait(run, seconds=200)["status"] == "canceled"
    assert numbers(receiver, "/unpay") == list(range(2499, -1, -1)) and receiver.count("/unpay") <= 2501
    told = [data for type, data in every_event(server, run) if type == "effect.undone"]
    assert len(told) == 1000, "so many watchers are told of"
