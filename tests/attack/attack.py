"""./dev attack [NAME...]: rude clients against a real server, and a well-behaved one beside them.

For each attack a server of its own is started with a memory budget of 512 MiB. The neighbour (neighbour.py) is measured in
turns: beside busy processes that send nothing, as many as the attack has, and beside the attack. Wanted is: the server lives;
its resident memory stays below 750 MB; the neighbour meets no error, and its 99th percentile is at most twice the one beside
the idle load; half a minute after the attack memory is back at what it was before, plus 100 MB; what the attack's own check
looks for. All on loopback, each attack takes about half a minute, nothing is left behind.
"""

import argparse
import collections
import dataclasses
import json
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "api_e2e")]

import grpc_attacks  # noqa: E402
import h2_attacks  # noqa: E402
import http_attacks  # noqa: E402
import model  # noqa: E402
import protocol_attacks  # noqa: E402
from holdfast import Server  # noqa: E402
from plan import Attack, Target, Window  # noqa: E402

ATTACKS = {attack.name: attack for attack in [*http_attacks.ATTACKS, *protocol_attacks.ATTACKS, *grpc_attacks.ATTACKS, *h2_attacks.ATTACKS]}

BUDGET = "512MiB"
MAX_PEAK_MB = 750
MAX_RATIO = 2.0
MAX_LEFT_MB = 100
TURNS = 2
TURN_SECONDS = 5.0
REST_SECONDS = 30

SPAWN = multiprocessing.get_context("spawn")  # gRPC's threads do not survive a fork


def in_process(function, *arguments):
    with SPAWN.Pool(1) as pool:
        return pool.apply(function, arguments)


def play(name, target, seconds, number, ready, go, answers):
    ready.put(number)
    go.wait()
    answers.put(ATTACKS[name].play(target, Window(seconds), number))


def prepare(name, target):
    return ATTACKS[name].prepare(target)


def check(name, target, counts):
    return ATTACKS[name].check(target, counts)


class Memory:
    """Resident memory of the server, in MB."""

    def __init__(self, pid: int):
        self.folder = pathlib.Path(f"/proc/{pid}")

    def _read(self, field: str) -> float:
        for line in (self.folder / "status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
        return 0.0

    def now(self) -> float:
        return self._read("VmRSS:")

    def peak(self) -> float:
        """Since forget_peak()."""
        return self._read("VmHWM:")

    def forget_peak(self):
        (self.folder / "clear_refs").write_text("5")


class Neighbour:
    def __init__(self, target: Target):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "neighbour.py"), json.dumps({"http": target.http, "grpc": target.grpc})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, seconds: float):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()

    def end(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


@dataclasses.dataclass
class Outcome:
    name: str
    baseline: float = 0.0
    peak: float = 0.0
    after: float = 0.0
    alone: list = dataclasses.field(default_factory=list)  # seconds of calls beside the idle load
    beside: list = dataclasses.field(default_factory=list)  # and beside the attack
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    wrong: list = dataclasses.field(default_factory=list)

    def row(self) -> str:
        done = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return (f"{self.name:20}{self.baseline:8.0f}{self.peak:8.0f}{self.after:8.0f}{1000 * p99(self.alone):9.1f}{1000 * p99(self.beside):9.1f}"
                f"{len(self.beside):8}  {'WRONG' if self.wrong else 'ok':7}{done}")


HEADING = f"{'attack':20}{'before':>8}{'peak':>8}{'after':>8}{'p99 idle':>9}{'p99':>9}{'calls':>8}  {'':7}what it did"
UNITS = f"{'':20}{'MB':>8}{'MB':>8}{'MB':>8}{'ms':>9}{'ms':>9}"


def p99(seconds: list) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] if seconds else 0.0


def idle_turn(attack: Attack, neighbour: Neighbour, outcome: Outcome):
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(attack.processes)]
    try:
        neighbour.begin(TURN_SECONDS)
        measured = neighbour.end()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    outcome.alone += measured["seconds"]
    outcome.wrong += [f"beside an idle load: {error}" for error in measured["errors"][:3]]


def attack_turn(attack: Attack, target: Target, neighbour: Neighbour, outcome: Outcome):
    ready, answers, go = SPAWN.Queue(), SPAWN.Queue(), SPAWN.Event()
    attackers = [SPAWN.Process(target=play, args=(attack.name, target, TURN_SECONDS, number, ready, go, answers)) for number in range(attack.processes)]
    try:
        for attacker in attackers:
            attacker.start()
        for _ in attackers:
            ready.get(timeout=60)
        go.set()
        neighbour.begin(TURN_SECONDS)
        measured = neighbour.end()
        for _ in attackers:
            outcome.counts += answers.get(timeout=60)
    finally:
        for attacker in attackers:
            attacker.join(10)
            if attacker.is_alive():
                attacker.kill()
                attacker.join()
    outcome.beside += measured["seconds"]
    outcome.wrong += measured["errors"][:3]


def judge(outcome: Outcome):
    if outcome.peak >= MAX_PEAK_MB:
        outcome.wrong.append(f"took {outcome.peak:.0f} MB")
    if outcome.after > outcome.baseline + MAX_LEFT_MB:
        outcome.wrong.append(f"kept {outcome.after - outcome.baseline:.0f} MB")
    ratio = p99(outcome.beside) / max(p99(outcome.alone), 1e-4)
    if ratio > MAX_RATIO:
        outcome.wrong.append(f"the neighbour's p99 is {ratio:.1f} times as long")


def against(server: Server, attack: Attack, model_url: str, outcome: Outcome):
    target = Target(server.http, server.ready["grpc"], model_url, {})
    memory = Memory(server.process.pid)
    neighbour = Neighbour(target)
    try:
        if attack.prepare:
            target.state = in_process(prepare, attack.name, target)
        neighbour.begin(1.0)
        neighbour.end()
        for turn in range(TURNS):
            idle_turn(attack, neighbour, outcome)
            if turn == 0:
                outcome.baseline = memory.now()
                memory.forget_peak()
            attack_turn(attack, target, neighbour, outcome)
        outcome.peak = memory.peak()
        if attack.check:
            outcome.wrong += in_process(check, attack.name, target, outcome.counts)
        end = time.monotonic() + REST_SECONDS
        while (left := memory.now()) > outcome.baseline + MAX_LEFT_MB and time.monotonic() < end:
            time.sleep(0.5)
        outcome.after = left
        judge(outcome)
    finally:
        neighbour.close()


def stopped(server: Server) -> list[str]:
    try:
        code = server.stop()
    except subprocess.TimeoutExpired:
        server.kill()
        return ["asked to stop, the server did not"]
    return [f"asked to stop, the server ended with {code}"] if code else []


def run(binary: str, options: list, attack: Attack, model_url: str) -> Outcome:
    outcome = Outcome(attack.name)
    with tempfile.TemporaryDirectory(prefix="holdfast-attack-") as folder:
        with open(pathlib.Path(folder) / "log", "wb") as log:
            server = Server(binary, pathlib.Path(folder) / "data", *options, log=log).start()
            try:
                against(server, attack, model_url, outcome)
            except Exception as error:  # noqa: BLE001: whatever it was, the next attack has its turn
                outcome.wrong.append(f"{error!r:.200}")
            died = server.process.poll()
            if died is not None:
                outcome.wrong.insert(0, f"the server ended with {died}")
            else:
                outcome.wrong += stopped(server)
        if died is not None:
            outcome.wrong += (pathlib.Path(folder) / "log").read_text(errors="replace").splitlines()[-3:]
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--list", action="store_true", help="print the attacks and end")
    parser.add_argument("attacks", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.list:
        for attack in ATTACKS.values():
            print(f"{attack.name:20}{attack.about}")
        return 0
    unknown = [name for name in arguments.attacks if name not in ATTACKS]
    if unknown:
        parser.error(f"there is no attack {unknown[0]}; ./dev attack --list names them")
    options = ["--memory", BUDGET, "--grant", "host:127.0.0.1"]  # of the model: what attackers deploy comes over the API
    model_url = model.serve()
    print(HEADING, UNITS, sep="\n", flush=True)
    failed = 0
    chosen = arguments.attacks or list(ATTACKS)
    for name in chosen:
        outcome = run(arguments.binary, options, ATTACKS[name], model_url)
        print(outcome.row(), flush=True)
        for what in outcome.wrong:
            print(f"{'':20}{what}", flush=True)
        failed += bool(outcome.wrong)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
