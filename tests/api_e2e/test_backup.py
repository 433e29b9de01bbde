"""Backup and restore, on a server that works: both stores at one moment, whole or nothing, and runs that go on."""

import concurrent.futures
import json
import os
import random
import shutil
import stat
import subprocess
import threading
import time

import pytest

from holdfast import Server


def command(binary, *arguments, **more):
    return subprocess.run([binary, *map(str, arguments), "--json"], capture_output=True, text=True, timeout=120, **more)


def back_up(server, folder) -> dict:
    done = command(server.binary, "backup", folder, "--data", server.data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def restore(binary, folder, data) -> dict:
    done = command(binary, "restore", folder, "--data", data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def error_of(done) -> dict:
    assert done.returncode not in (0, -6, -11), done
    return json.loads(done.stderr.splitlines()[-1])


class Load:
    """Runs that start, and end, for as long as it lasts."""

    def __init__(self, server):
        self.server, self.stopping, self.started = server, threading.Event(), []
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.jobs = [self.pool.submit(self.work, worker) for worker in range(2)]

    def work(self, worker):
        n = 0
        while not self.stopping.is_set():
            self.started.append(self.server.start_run("payer", "hello", id=f"load-{worker}-{n}"))
            n += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for job in self.jobs:
            job.result(30)
        self.pool.shutdown()


def approve(server, approval):
    decision = {"decision": "approve", "decided_by": "mara", "arguments_sha256": approval["arguments_sha256"]}
    answer = server.post(f"/api/v1/approvals/{approval['id']}/decision", decision)
    assert answer.status == 200, answer.text


def test_a_copy_of_a_working_server_finishes_what_was_open(own_server, binary, tmp_path, payments):
    done = own_server.start_run("payer", "hello", id="done")
    own_server.wait(done)
    waiting = [own_server.start_run("payer", "pay, please", id=f"open-{n}") for n in range(3)]
    for run in waiting:
        own_server.wait_for_approval(run)
    with Load(own_server) as load:
        report = back_up(own_server, tmp_path / "backup")
        before = list(load.started)
    assert report["engine"] and report["files"] > 3
    # The original goes on, undisturbed, and what it does now the copy does not know.
    later = own_server.start_run("payer", "hello", id="later")
    own_server.wait(later)
    for run in before[-2:]:
        own_server.wait(run)
    own_server.kill()

    restore(binary, tmp_path / "backup", tmp_path / "copy")
    copy = Server(binary, tmp_path / "copy", *own_server.options).start()
    try:
        assert copy.run(done)["output"] == "Hello from the script."
        assert copy.get(f"/api/v1/runs/{later}").status == 404
        for run in waiting:
            approve(copy, copy.wait_for_approval(run))
            copy.kill()
            copy.start()
        assert {copy.wait(run)["output"] for run in waiting} == {"That is settled."}
        assert payments() == [250, 250, 250]
        # Runs that were on their way at the moment come to their end: none is known to one store alone.
        listed, cursor = [], ""
        while True:
            page = copy.get("/api/v1/runs?limit=200" + (f"&cursor={cursor}" if cursor else "")).json
            listed += [run["id"] for run in page["runs"]]
            cursor = page["next_cursor"] or ""
            if not cursor:
                break
        assert set(waiting) | {done} <= set(listed)
        for run in listed:
            assert copy.wait(run)["status"] == "completed", run
        # And it is a server as any other.
        copy.wait(copy.start_run("payer", "hello", id="new"))
    finally:
        copy.close()


def test_a_stopped_server_is_backed_up_too(own_server, binary, tmp_path):
    run = own_server.start_run("payer", "hello")
    own_server.wait(run)
    assert own_server.stop() == 0
    back_up(own_server, tmp_path / "backup")
    restore(binary, tmp_path / "backup", tmp_path / "copy")
    copy = Server(binary, tmp_path / "copy", *own_server.options).start()
    try:
        assert copy.run(run)["status"] == "completed"
    finally:
        copy.close()


def test_what_is_made_is_its_users_alone(binary, agent_text, tmp_path):
    old = os.umask(0)
    try:
        server = Server(binary, tmp_path / "data", *agent_text.grants).start()
        assert server.request("PUT", "/api/v1/agents/payer", agent_text()).status == 201
        server.wait(server.start_run("payer", "hello"))
        back_up(server, tmp_path / "backup")
        restore(binary, tmp_path / "backup", tmp_path / "copy")
        for root in ("data", "backup", "copy"):
            for folder, folders, files in os.walk(tmp_path / root):
                for path in [folder, *(os.path.join(folder, name) for name in folders + files)]:
                    mode = stat.S_IMODE(os.lstat(path).st_mode)
                    assert mode & 0o077 == 0, f"{path} {mode:o}"
        server.close()
    finally:
        os.umask(old)


def test_a_flipped_bit_is_refused_with_the_files_name(own_server, binary, tmp_path):
    own_server.wait(own_server.start_run("payer", "hello"))
    back_up(own_server, tmp_path / "backup")
    for path in sorted(p for p in (tmp_path / "backup").rglob("*") if p.is_file() and p.stat().st_size):
        good = path.read_bytes()
        place = random.Random(str(path.name)).randrange(len(good))
        path.write_bytes(good[:place] + bytes([good[place] ^ 8]) + good[place + 1:])
        error = error_of(command(binary, "restore", tmp_path / "backup", "--data", tmp_path / "copy"))
        assert str(path) in error["detail"], error
        assert not (tmp_path / "copy").exists()
        path.write_bytes(good)
    restore(binary, tmp_path / "backup", tmp_path / "copy")


def test_refusals(own_server, binary, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("years of work")
    assert "not empty" in error_of(command(binary, "backup", tmp_path / "full", "--data", own_server.data))["detail"]
    nowhere = command(binary, "backup", tmp_path / "backup", "--data", tmp_path / "nowhere")
    assert nowhere.returncode == 3 and not (tmp_path / "nowhere").exists()
    assert "is no backup" in error_of(command(binary, "restore", tmp_path / "full", "--data", tmp_path / "copy"))["detail"]
    back_up(own_server, tmp_path / "backup")
    assert "not empty" in error_of(command(binary, "restore", tmp_path / "backup", "--data", own_server.data))["detail"]
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.doc"]
    for words in (("backup", own_server.data / "in", "--data", own_server.data), ("restore", tmp_path / "backup", "--data", tmp_path / "backup" / "in")):
        refused = command(binary, *words)
        assert refused.returncode == 2 and "is inside the" in error_of(refused)["detail"]


def kill_at(arguments, seconds) -> bool:
    """True: it was killed before its end."""
    process = subprocess.Popen([*map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


@pytest.mark.parametrize("who", ["command", "server"])
def test_a_killed_backup_is_whole_or_none(own_server, binary, tmp_path, who):
    for n in range(20):
        own_server.start_run("payer", "pay, please", id=f"open-{n}")
    own_server.wait_for_approval("open-19")
    chance = random.Random(7)
    for attempt in range(6 if who == "command" else 3):
        folder = tmp_path / f"backup-{attempt}"
        if who == "command":
            kill_at([binary, "backup", folder, "--data", own_server.data], chance.uniform(0, 0.12))
        else:
            asking = subprocess.Popen([binary, "backup", str(folder), "--data", str(own_server.data)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.12))
            own_server.kill()
            asking.wait(30)
            own_server.start()
        done = command(binary, "restore", folder, "--data", tmp_path / f"copy-{attempt}")
        if done.returncode == 0:
            copy = Server(binary, tmp_path / f"copy-{attempt}", *own_server.options).start()
            copy.wait_for_approval("open-19")
            copy.close()
        else:
            assert "is no backup" in error_of(done)["detail"]
    # The server is well, leaves no links behind, and takes a whole one.
    back_up(own_server, tmp_path / "whole")
    restore(binary, tmp_path / "whole", tmp_path / "whole-copy")
    assert not (own_server.data / "checkpoint").exists()


def test_a_killed_restore_is_no_data_directory(own_server, binary, tmp_path):
    own_server.wait(own_server.start_run("payer", "hello", id="done"))
    back_up(own_server, tmp_path / "backup")
    chance = random.Random(11)
    killed = 0
    for attempt in range(8):
        data = tmp_path / f"copy-{attempt}"
        killed += kill_at([binary, "restore", tmp_path / "backup", "--data", data], chance.uniform(0, 0.15))
        for folder in [data, *tmp_path.glob(".holdfast-restore-*")]:
            if not folder.exists() or not any(folder.iterdir()):
                continue  # killed before it had begun
            if (folder / "VERSION").exists():  # it came to its end
                server = Server(binary, folder, *own_server.options).start()
                assert server.run("done")["status"] == "completed"
                server.close()
            else:
                refused = command(binary, "server", "--data", folder, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
                assert "did not come to its end" in error_of(refused)["detail"]
            shutil.rmtree(folder)
    assert killed > 0
