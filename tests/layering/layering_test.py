"""The house stands as its laws say.

Five looks, from the plan to the compiler:
  plan      the wings in src/CMakeLists.txt, in their order, each with the wings it may use, are those of LAWS;
  roots     no source of a room is compiled with the include root of a room that its wing may not use, nor with one of
            those that FORBIDDEN_ROOMS takes away from a single room;
  includes  a forbidden include does not compile: the preprocessor is asked, under the compile command of one source of
            a room, whether it finds the header. The allowed includes prove that the method works;
  keys      a header of KEYS is an error in every room that sees it but its own;
  libraries the C interface of a library of LIBRARIES is included by the room that wraps it, and nowhere else.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

# Bottom-up. `engine` and `sdk` never meet; nobody uses the laboratory; `app` alone sees all the rest.
LAWS = {
    "base": [],
    "sandbox": ["base"],
    "engine": ["base"],
    "sdk": ["base"],
    "platform": ["base", "sdk"],
    "agents": ["base", "sandbox", "sdk", "platform"],
    "flows": ["base", "sandbox", "sdk", "platform", "agents"],
    "serve": ["base", "sdk", "platform", "agents"],
    "demo": ["base", "sdk", "platform", "agents"],
    "lab": ["base", "engine"],
    "app": ["base", "sandbox", "engine", "sdk", "platform", "agents", "flows", "serve", "demo"],
}

# Rooms that see less than their wing may.
FORBIDDEN_ROOMS = {
    "history": ["os", "store", "matching", "visibility"],  # pure: no clock, no thread, no file
    "matching": ["os", "store", "history", "visibility"],
    "engine": ["os"],
    "spec": ["os", "net", "runtime", "client", "worker", "protocol", "platform", "runs", "model"],  # knows no agent
    "price": ["os", "net", "runtime", "client", "worker", "protocol", "platform", "runs", "spec", "definition", "model"],  # a table
    "definition": ["os", "net", "client", "worker", "platform", "platform_postgres", "platform_sqlite", "runs", "model"],
    # The agent's workflow is deterministic code: the SDK's runtime, the protocol and the definition are all it sees.
    "agent": ["os", "net", "api", "client", "worker", "platform", "platform_postgres", "platform_sqlite", "runs", "model", "grant", "tool", "activities"],
    # So is the flow's: what a block does is nothing to it.
    "run": ["os", "net", "api", "client", "worker", "platform", "platform_postgres", "platform_sqlite", "runs", "model", "grant", "tool", "activities", "wire", "broker", "script", "plan", "language", "block"],
    # And what flows say is bound without a machine below.
    "block": ["client", "worker", "platform_postgres", "platform_sqlite", "runs", "activities", "broker", "script", "run"],
}

# room, header, allowed. A row whose room or header does not exist fails the test, so that none goes stale; each wing
# has rows of both kinds (`app`, which may see nearly everything, shows what that leaves).
ROWS = [
    ("os", "holdfast/seams.h", True),
    ("os", "api/connection.h", False),
    ("metrics", "base/memory_budget.h", True),
    ("metrics", "os/clock.h", False),
    ("api", "holdfast/status.h", True),
    ("api", "engine/engine.h", False),
    ("net", "os/address.h", True),
    ("net", "rpc/server.h", False),
    ("history", "base/ids.h", True),
    ("history", "store/kv_store.h", False),
    ("history", "os/clock.h", False),
    ("engine", "store/kv_store.h", True),
    ("engine", "worker/workflow_run.h", False),
    ("engine", "os/clock.h", False),
    ("worker", "api/connection.h", True),
    ("worker", "engine/engine.h", False),
    ("client", "base/ids.h", True),
    ("connect", "os/address.h", True),
    ("connect", "rpc/server.h", False),
    ("connect", "engine/engine.h", False),
    ("client", "rpc/server.h", False),
    ("platform", "holdfast/status.h", True),
    ("platform", "store/kv_store.h", False),
    ("platform", "http/api.h", False),
    ("interop", "runs/runs.h", True),
    ("interop", "http/api.h", False),
    ("interop", "mcp/client.h", False),
    ("spec", "holdfast/status.h", True),
    ("spec", "definition/definition.h", False),
    ("spec", "protocol/call.h", False),
    ("price", "base/money.h", True),
    ("price", "platform/budget.h", False),
    ("definition", "spec/yaml_reader.h", True),
    ("definition", "tool/activity_tool.h", False),
    ("definition", "model/client.h", False),
    ("identity", "platform/store.h", True),
    ("identity", "runs/runs.h", False),
    ("identity", "net/server.h", False),
    ("identity", "os/clock.h", False),
    ("crypto", "os/clock.h", False),
    ("secrets", "crypto/sealed.h", True),
    ("secrets", "grant/grants.h", False),
    ("secrets", "os/clock.h", False),
    ("language", "spec/yaml_reader.h", True),
    ("language", "model/client.h", False),
    ("plan", "language/flow.h", False),
    ("explain", "plan/plan.h", True),
    ("run", "protocol/flow_run.h", True),
    ("run", "platform/store.h", False),
    ("run", "block/program.h", False),
    ("block", "wire/message.h", True),
    ("block", "activities/activities.h", False),
    ("perform", "block/program.h", True),
    ("perform", "broker/broker.h", False),  # whoever wires it brings the sandbox
    ("activities", "wire/message.h", True),
    ("activities", "broker/broker.h", False),  # as above
    ("agent", "wire/message.h", False),  # the workflow evaluates nothing
    ("explain", "http/api.h", False),
    ("oidc", "net/http_client.h", True),
    ("oidc", "http/api.h", False),
    ("oidc", "secrets/vault.h", False),
    ("tls", "net/server.h", False),
    ("agent", "protocol/activities.h", True),
    ("agent", "definition/definition.h", True),
    ("agent", "activities/activities.h", False),
    ("agent", "platform/store.h", False),
    ("agent", "runs/runs.h", False),
    ("agent", "model/client.h", False),
    ("agent", "net/http_client.h", False),
    ("agent", "tool/activity_tool.h", False),
    ("agent", "os/clock.h", False),
    ("agent", "grant/grants.h", False),
    ("grant", "net/reach.h", True),
    ("grant", "tool/activity_tool.h", False),
    ("activities", "platform/records.h", True),
    ("activities", "engine/engine.h", False),
    ("activities", "history/mutable_state.h", False),
    ("rpc", "api/connection.h", True),
    ("rpc", "engine/engine.h", False),
    ("http", "holdfast/seams.h", True),
    ("http", "engine/engine.h", False),
    ("http", "refund/demo.h", False),
    ("otlp", "runs/run_trace.h", True),
    ("otlp", "http/api.h", False),
    ("otlp", "engine/engine.h", False),
    ("refund", "scripted/server.h", True),
    ("scripted", "holdfast/seams.h", True),
    ("refund", "net/server.h", True),
    ("refund", "http/api.h", False),
    ("refund", "engine/engine.h", False),
    ("sim", "store/kv_store.h", True),
    ("sim", "worker/workflow_run.h", False),
    ("script", "wire/message.h", True),
    ("script", "broker/broker.h", False),
    ("broker", "wire/message.h", True),
    ("broker", "script/evaluate.h", False),  # the server runs no JavaScript
    ("broker", "jail/shut_in.h", False),
    ("app", "script/evaluate.h", False),
    ("app", "broker/broker.h", True),
    ("language", "script/evaluate.h", False),
    ("app", "os/clock.h", True),
    ("app", "faults/unsynced_loss_fs.h", False),
    ("app", "sim/simulation.h", False),
    ("platform", "platform_sqlite/sqlite_store.h", False),
    ("platform_sqlite", "platform/store.h", True),
    ("activities", "platform_sqlite/sqlite_store.h", False),
    ("http", "platform_sqlite/sqlite_store.h", False),
    ("app", "platform_sqlite/sqlite_store.h", True),
    ("platform", "platform_postgres/postgres_store.h", False),
    ("platform", "postgres/connection.h", False),
    ("platform_postgres", "platform/store.h", True),
    ("activities", "platform_postgres/postgres_store.h", False),
    ("app", "platform_postgres/postgres_store.h", True),
]

# Headers that are keys: whoever may see the room sees them, and they compile in the room itself alone.
KEYS = {"history/writable.h": "history"}

# One wrapper of each; `faults` stands below SQLite, as a file system.
LIBRARIES = {
    "sqlite3.h": ["sqlite", "faults"],
    "libpq-fe.h": ["postgres"],
    "openssl/sha.h": ["base"],
    "argon2.h": ["crypto"],
    "curl/curl.h": ["net"],
    "quickjs.h": ["script"],
    "seccomp.h": ["jail"],
}

WING = re.compile(r"^holdfast_wing\(([^)]*)\)", re.M)


def read_plan(text: str) -> dict[str, dict[str, list[str]]]:
    """The wings in order: {"base": {"ROOMS": [...], "USES": [...]}, ...}."""
    plan = {}
    for words in (m.split() for m in WING.findall(text)):
        wing = plan[words[0]] = {"ROOMS": [], "USES": []}
        kind = None
        for word in words[1:]:
            if word in wing:
                kind = word
            else:
                wing[kind].append(word)
    return plan


def check_plan(plan: dict) -> list[str]:
    found = []
    if list(plan) != list(LAWS):
        found.append(f"src/CMakeLists.txt has the wings {' '.join(plan)}, the laws have {' '.join(LAWS)}")
    for wing in plan:
        if set(plan[wing]["USES"]) != set(LAWS.get(wing, [])):
            found.append(f"wing {wing} uses {plan[wing]['USES']}, by the laws {LAWS.get(wing)}")
    return found


class House:
    """Rooms by name, with their wing and the compile commands of their sources."""

    def __init__(self, build: pathlib.Path, source: pathlib.Path):
        self.includes = build / "include"
        self.folders = {p.name: (p / p.name).resolve() for p in self.includes.iterdir() if (p / p.name).exists()}
        self.wings = {name: folder.relative_to(source / "src").parts[0] for name, folder in self.folders.items()}
        self.commands: dict[str, list[dict]] = {name: [] for name in self.folders}
        rooms = {folder: name for name, folder in self.folders.items()}
        for entry in json.loads((build / "compile_commands.json").read_text()):
            room = rooms.get(pathlib.Path(entry["file"]).resolve().parent)
            if room and not entry["file"].endswith(("_test.cc", ".hxx.cxx")):
                self.commands[room].append(entry)

    def may_see(self, room: str, other: str) -> bool:
        wing = self.wings[room]
        return self.wings[other] in [wing, *LAWS.get(wing, [])] and other not in FORBIDDEN_ROOMS.get(room, [])

    def roots(self, entry: dict) -> list[str]:
        """The rooms whose include roots a command names; in tests' code TEST_DEPS add more, so tests do not count."""
        prefix = f"-I{self.includes}/"
        return [w.removeprefix(prefix) for w in shlex.split(entry["command"]) if w.startswith(prefix)]


def check_roots(house: House) -> list[str]:
    found = []
    for room, entries in house.commands.items():
        own = [e for e in entries if f"/hf_{room}.dir/" in e["command"]]
        if entries and not own:
            found.append(f"{room}: no source of hf_{room} among its commands")
        for other in sorted({r for e in own for r in house.roots(e)}):
            if other not in house.wings:
                found.append(f"{room} is compiled with {other}, which is no room")
            elif not house.may_see(room, other):
                found.append(f"{room} ({house.wings[room]}) is compiled with the include root of {other}"
                             f" ({house.wings[other]}), which it may not see")
    return found


def preprocess(entry: dict, text: str) -> subprocess.CompletedProcess:
    """What the preprocessor makes of the text under the entry's command."""
    words = shlex.split(entry["command"])
    words = words[next(i for i, w in enumerate(words) if "clang" in w and "ccache" not in w):]
    # The precompiled header must not lend its includes: drop it.
    words = [w for i, w in enumerate(words) if not pch_word(words, i)]
    kept = [w for i, w in enumerate(words) if w not in ("-o", "-c") and (i == 0 or words[i - 1] not in ("-o", "-c"))]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "probe.cc"
        source.write_text(text)
        return subprocess.run([*kept, "-E", "-P", str(source)], cwd=entry["directory"],
                              capture_output=True, text=True, check=False)


def found_includes(entry: dict, headers: list[str]) -> set[str]:
    """Which of these headers `#include` finds under the entry's command: asked of the preprocessor, which reads none."""
    done = preprocess(entry, "".join(f'#if __has_include("{h}")\nfound {h}\n#endif\n' for h in headers))
    if done.returncode:
        raise SystemExit(f"unexpected compiler error:\n{done.stderr}")
    return {line.removeprefix("found ") for line in done.stdout.splitlines() if line.startswith("found ")}


def pch_word(words: list[str], i: int) -> bool:
    """True for -Xclang -include-pch -Xclang file and -Xclang -include -Xclang file, which CMake adds."""
    for start in range(max(0, i - 3), i + 1):
        group = words[start:start + 4]
        if len(group) == 4 and group[0] == group[2] == "-Xclang" and group[1] in ("-include-pch", "-include"):
            return True
    return words[i] in ("-Winvalid-pch",)


def check_includes(house: House) -> list[str]:
    found = []
    for room in dict.fromkeys(row[0] for row in ROWS):
        rows = [(header, allowed) for other, header, allowed in ROWS if other == room]
        commands = house.commands.get(room, [])
        gone = [h for h, _ in rows if not any((root / h).exists() for root in house.includes.iterdir())]
        if not commands or gone:
            found.append(f"room {room}: no source to probe with, or no {' '.join(gone)}")
            continue
        seen = found_includes(commands[0], [header for header, _ in rows])
        found += [f"{room} including {header}: {'refused' if allowed else 'compiles'}"
                  for header, allowed in rows if (header in seen) != allowed]
    for wing in LAWS:
        kinds = {allowed for room, _, allowed in ROWS if house.wings.get(room) == wing}
        found += [f"wing {wing} has no row for an include that is {word}"
                  for kind, word in ((True, "allowed"), (False, "forbidden")) if kind not in kinds]
    return found


def check_keys(house: House) -> list[str]:
    found = []
    for header, owner in KEYS.items():
        for room, entries in house.commands.items():
            if not entries or owner not in house.roots(entries[0]):
                continue
            compiles = preprocess(entries[0], f'#include "{header}"\n').returncode == 0
            if compiles != (room == owner):
                found.append(f"{room} including {header}: {'compiles' if compiles else 'refused'}")
    return found


def check_libraries(house: House) -> list[str]:
    found = []
    for room, folder in house.folders.items():
        for file in [*folder.glob("*.h"), *folder.glob("*.cc")]:
            if file.name.endswith("_test.cc"):
                continue
            for header in re.findall(r"#include <([^>]+)>", file.read_text()):
                if header in LIBRARIES and room not in LIBRARIES[header]:
                    found.append(f"{room}/{file.name} includes {header}, which is for {' and '.join(LIBRARIES[header])}")
    unused = [header for header, rooms in LIBRARIES.items() if not any(
        f"#include <{header}>" in file.read_text() for room in rooms for file in house.folders[room].iterdir()
        if file.suffix in (".h", ".cc"))]
    return found + [f"nobody includes {header} any more" for header in unused]


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    source = pathlib.Path(__file__).resolve().parents[2]
    plan = read_plan((source / "src/CMakeLists.txt").read_text())
    house = House(build, source)
    found = check_plan(plan) + check_roots(house) + check_includes(house) + check_keys(house) + check_libraries(house)
    for line in found:
        print(f"FAIL {line}")
    print(f"{len(plan)} wings, {len(house.wings)} rooms, {len(ROWS)} includes: {len(found)} are not as the laws say")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
