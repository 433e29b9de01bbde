"""A session: one conversation, many runs, several devices. What is said goes to the run that works or begins the next one; everybody
sees all runs as one stream, and goes on exactly where he was, also behind a kill.
"""

import threading

from holdfast import streamed_text

TALK = "/api/v1/conversations/desk"


def say(server, text, path=TALK, **more):
    return server.post(f"{path}/messages", {"input": text, **more})


def read(server, until, last=None, path=TALK):
    frames = []
    for frame in server.events(f"{path}/events", last):
        frames.append(frame)
        if until(frame):
            break
    return frames


def ended(run):
    return lambda frame: frame[1] == "run.closed" and frame[2]["run"] == run


def marks(frames):
    return [(data["run"], data["seq"]) for _, kind, data in frames if kind != "delta"]


def test_two_devices_talk_stop_and_see_the_same(own_server):
    server = own_server
    nobody = say(server, "hello")
    assert (nobody.status, nobody.json["code"]) == (404, "conversation_not_found") and "agent" in nobody.json["hint"]
    assert server.get(f"{TALK}/events", Accept="text/event-stream").status == 404
    first = say(server, "at length", agent="payer", id="m1")
    assert (first.status, first.json["state"]) == (202, "started"), first.text
    run = first.json["run"]
    assert say(server, "at length", agent="payer", id="m1").json["run"] == run  # a repeat
    server.wait(run, lambda one: one["partial_output"])
    phone = []
    seen = threading.Event()

    def listen():
        for frame in server.events(f"{TALK}/events", seconds=30):
            phone.append(frame)
            if frame[1] == "message.received":
                seen.set()
            if frame[1] == "run.closed" and frame[2]["run"] != run:
                return

    listening = threading.Thread(target=listen)
    listening.start()
    told = say(server, "hello", id="m2", by="desk")
    assert (told.json["run"], told.json["state"]) == (run, "queued"), told.text
    assert say(server, "hello", id="m2", by="desk").json["run"] == run
    assert seen.wait(20)
    other = say(server, "hello", agent="other")
    assert (other.status, other.json["code"]) == (409, "another_agent_works")
    assert server.post(f"{TALK}/cancel", {"reason": "enough"}).json["canceled"] == [run]
    server.wait(run)
    late = say(server, "hello", id="m2", by="desk")  # it was taken then
    assert (late.status, late.json["run"], late.json["state"]) == (202, run, "taken"), late.text
    second = say(server, "hello", id="m3")
    assert second.json["state"] == "started" and second.json["run"] != run
    assert server.wait(second.json["run"])["status"] == "completed"
    listening.join(30)
    assert not listening.is_alive()
    assert [data["text"] for _, kind, data in phone if kind == "message.received" for data in [data["data"]]] == ["hello"]
    assert server.post(f"{TALK}/cancel", {}).json["canceled"] == []

    # Whoever comes back goes on behind what he had, from any place, behind a kill, too.
    whole = read(server, ended(second.json["run"]))
    assert marks(whole) == marks(phone)
    server.kill()
    server.start()
    for at in range(0, len(whole) - 1, max(1, len(whole) // 7)):
        if whole[at][1] != "delta":
            assert marks(read(server, ended(second.json["run"]), whole[at][0])) == marks(whole[at + 1 :])
    assert streamed_text([data for _, _, data in whole if data["run"] == second.json["run"]]) == "Hello from the script."


def test_a_run_of_its_own_becomes_a_session_and_foreign_places_reset(server):
    run = server.start_run("payer", "hello", id="owner")
    server.wait(run)
    path = "/api/v1/conversations/owner"
    more = say(server, "hello again", path)
    assert more.json["state"] == "started", more.text
    server.wait(more.json["run"])
    whole = read(server, ended(more.json["run"]), path=path)
    assert [data["run"] for _, kind, data in whole if kind == "run.started"] == ["owner", more.json["run"]]
    for foreign in ("what-is-this", "WyJ4IiwieSJd"):
        frames = read(server, ended(more.json["run"]), foreign, path)
        assert (frames[0][1], frames[0][2]) == ("reset", {"conversation": "owner"})
        assert marks(frames[1:]) == marks(whole)
    for body in ({}, {"input": ""}, {"input": "x", "color": 1}, {"input": "x", "id": "y" * 300}):
        assert server.post(f"{path}/messages", body).status == 400
    assert server.post("/api/v1/conversations/nobody-here/cancel", {}).status == 404
