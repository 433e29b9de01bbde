"""Event streams: a cursor is durable, nothing is lost or doubled by a reconnect, a retry or a kill."""

import threading

from holdfast import durable, streamed_text

SENTENCE = ("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen twenty.")


def read_run(server, run, cursor=None, stop=lambda frames: frames[-1][1] == "run.closed"):
    frames = []
    for frame in server.events(f"/api/v1/runs/{run}/events", cursor):
        frames.append(frame)
        if stop(frames):
            break
    return frames


def test_the_whole_log_of_a_run(server):
    run = server.start_run("payer", "hello")
    seen = read_run(server, run)
    assert streamed_text([data for _, _, data in seen]) == "Hello from the script."
    frames = durable(seen)
    types = [kind for _, kind, _ in frames]
    assert types[0] == "run.started" and types[-1] == "run.closed"
    assert "run.completed" in types
    assert [data["seq"] for _, _, data in frames] == list(range(1, len(frames) + 1))
    # The same as pages of JSON, which go on where the page before ended.
    pages, cursor = [], ""
    while True:
        page = server.get(f"/api/v1/runs/{run}/events?limit=2&cursor={cursor}").json
        if not page["events"]:
            break
        pages += page["events"]
        cursor = page["cursor"]
    assert [event["seq"] for event in pages] == [data["seq"] for _, _, data in frames]


def test_every_cursor_resumes_exactly_behind_it(server):
    run = server.start_run("payer", "hello")
    server.wait(run)
    frames = read_run(server, run)
    for i, (cursor, _, _) in enumerate(frames[:-1]):
        rest = read_run(server, run, cursor)
        assert [data["seq"] for _, _, data in rest] == [data["seq"] for _, _, data in frames[i + 1 :]]


def test_the_stream_of_a_run_ends_behind_its_last_event(server):
    run = server.start_run("payer", "hello")
    frames = durable(server.events(f"/api/v1/runs/{run}/events"))
    assert frames[-1][1] == "run.closed"
    again = server.get(f"/api/v1/runs/{run}/events", **{"Accept": "text/event-stream", "Last-Event-ID": frames[-1][0]})
    assert (again.status, again.text, again.headers["Content-Length"]) == (204, "", None)
    assert list(server.events(f"/api/v1/runs/{run}/events", frames[-2][0])) == [frames[-1]]


def test_an_unknown_cursor_resets(server):
    run = server.start_run("payer", "hello")
    whole = durable(read_run(server, run))
    frames = read_run(server, run, "what-is-this")
    assert frames[0][1] == "reset"
    assert [data["seq"] for _, _, data in frames[1:]] == [data["seq"] for _, _, data in whole]


def test_a_cursor_of_another_run_resets(server):
    run, other = server.start_run("payer", "hello"), server.start_run("payer", "hello")
    whole = durable(read_run(server, run))
    frames = read_run(server, run, durable(read_run(server, other))[2][0])
    assert frames[0][1] == "reset"
    assert [data["seq"] for _, _, data in frames[1:]] == [data["seq"] for _, _, data in whole]


def test_a_cursor_that_is_no_text_resets(server):
    run = server.start_run("payer", "hello")
    whole = durable(read_run(server, run))
    for frames in (server.events(f"/api/v1/runs/{run}/events?cursor=%ff"), server.events(f"/api/v1/events?run={run}&cursor=%ff"),
                   server.events(f"/api/v1/events?run={run}", "\xff")):
        seen = []
        for _, kind, data in frames:
            if kind == "reset" or data.get("run") != run:
                continue
            seen.append(data["seq"])
            if kind == "run.closed":
                break
        assert seen == [data["seq"] for _, _, data in whole]


def test_a_retried_model_call_is_a_new_attempt(server):
    run = server.start_run("payer", "again please")
    frames = read_run(server, run)
    events = [data for _, _, data in frames]
    attempts = {event["data"]["attempt"] for event in events if event["type"] == "delta"}
    assert attempts == {1, 2}
    assert streamed_text(events) == "Alpha beta gamma delta epsilon zeta eta theta."
    assert "step.retrying" in [event["type"] for event in events]
    assert server.run(run)["output"] == "Alpha beta gamma delta epsilon zeta eta theta."


def test_text_is_shown_before_it_is_durable_and_once(server):
    run = server.start_run("payer", "slowly please")
    frames = read_run(server, run)
    deltas = [(cursor, data) for cursor, kind, data in frames if kind == "delta"]
    early = [data for _, data in deltas if "seq" not in data]
    assert early
    # Whoever appends what comes has it once, and the cursor is that of what is durable.
    assert "".join(data["data"]["text"] for _, data in deltas) == SENTENCE
    last = None
    for cursor, _, data in frames:
        assert "seq" in data or cursor == last
        last = cursor
    assert [data["seq"] for _, _, data in durable(frames)] == list(range(1, len(durable(frames)) + 1))
    # Afterwards the log is what it was, with all of the text.
    assert streamed_text([data for _, _, data in read_run(server, run)]) == SENTENCE
    assert all("seq" in data for _, _, data in read_run(server, run))


def test_partial_output_grows_while_the_model_speaks(server):
    run = server.start_run("payer", "slowly please")
    partial = server.wait(run, lambda r: r["partial_output"])["partial_output"]
    assert SENTENCE.startswith(partial) and partial != SENTENCE
    assert server.wait(run)["output"] == SENTENCE


def test_one_stream_for_the_feed_and_several_runs(server):
    first = server.start_run("payer", "slowly please")
    second = server.start_run("payer", "hello")
    stream = server.events(f"/api/v1/events?run={first}&run={second}")
    closed, cursor, seqs = set(), None, {first: [], second: []}
    for cursor, kind, data in stream:
        if kind != "runs" and "seq" in data:
            seqs[data["run"]].append(data["seq"])
        if kind == "run.closed":
            closed.add(data["run"])
            break
    # Back with the cursor: the other run goes on without a gap.
    for cursor, kind, data in server.events(f"/api/v1/events?run={first}&run={second}", cursor):
        if kind != "runs" and "seq" in data:
            seqs[data["run"]].append(data["seq"])
        if kind == "run.closed":
            closed.add(data["run"])
        if closed == {first, second}:
            break
    for numbers in seqs.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_an_unreadable_cursor_resets_every_log_and_a_run_named_twice_comes_once(server):
    run = server.start_run("payer", "hello")
    whole = durable(read_run(server, run))
    resets, seqs = [], []
    for _, kind, data in server.events(f"/api/v1/events?run={run}&run={run}", "what-is-this"):
        if kind == "reset":
            resets.append(data["run"])
        elif kind != "runs":
            seqs.append(data["seq"])
        if kind == "run.closed":
            break
    assert sorted(resets) == sorted(["$runs", run])
    assert seqs == [data["seq"] for _, _, data in whole]


def test_nothing_comes_after_the_end_of_a_terminated_run(server):
    run = server.start_run("payer", "slowly please")
    server.wait(run, lambda r: r["partial_output"])
    server.post(f"/api/v1/runs/{run}/terminate")
    server.wait(run)
    # Meanwhile the rest of the first answer would have come.
    server.wait(server.start_run("payer", "slowly please"))
    events = [event["type"] for event in server.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"]]
    assert events.count("run.closed") == 1 and events[-1] == "run.closed"


def test_the_feed_tells_of_new_runs(server):
    stream = server.events("/api/v1/events")
    started = threading.Timer(0.2, lambda: server.start_run("payer", "hello", id="in-the-feed"))
    started.start()
    news = []
    for _, kind, data in stream:
        assert kind == "runs"
        if data["data"]["run"] == "in-the-feed":
            news.append(data["type"])
        if news[-1:] == ["run.closed"]:
            break
    started.join()
    assert news == ["run.created", "run.closed"]


def test_a_killed_server_loses_and_doubles_nothing(own_server):
    run = own_server.start_run("payer", "slowly please")
    frames = read_run(own_server, run, stop=lambda f: sum(kind == "delta" for _, kind, _ in f) >= 5)
    own_server.kill()
    own_server.start()
    frames += read_run(own_server, run, frames[-1][0])
    assert streamed_text([data for _, _, data in frames]) == SENTENCE
    assert [data["seq"] for _, _, data in durable(frames)] == list(range(1, len(durable(frames)) + 1))
    assert own_server.run(run)["output"] == SENTENCE


def test_streams_end_when_the_server_stops(own_server):
    run = own_server.start_run("payer", "pay, please")
    own_server.wait_for_approval(run)
    frames = own_server.events(f"/api/v1/runs/{run}/events")
    next(frames)
    assert own_server.stop() == 0
    list(frames)  # ends instead of hanging
