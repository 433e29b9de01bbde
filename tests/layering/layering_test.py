"""A forbidden include does not compile.

Takes the compile command of one source of a module, replaces the source by one include, and runs it. The allowed
includes prove that the method works; the forbidden ones prove the layering of src/CMakeLists.txt.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

# module, header, allowed. A row whose module or header does not exist fails the test, so that none goes stale.
ROWS = [
    ("os", "holdfast/seams.h", True),
    ("os", "api/connection.h", False),
    ("api", "holdfast/status.h", True),
    ("api", "engine/engine.h", False),
    ("history", "api/messages.h", True),
    ("history", "store/kv_store.h", False),
    ("engine", "history/mutable_state.h", True),
    ("engine", "worker/workflow_run.h", False),
    ("engine", "os/clock.h", False),
    ("worker", "api/connection.h", True),
    ("worker", "engine/engine.h", False),
    ("agent", "platform/store.h", True),
    ("agent", "engine/engine.h", False),
    ("agent", "history/mutable_state.h", False),
    ("http", "engine/engine.h", False),
    ("rpc", "engine/engine.h", False),
    ("platform", "store/kv_store.h", False),
]


def compile_includes(entry: dict, header: str) -> bool:
    words = shlex.split(entry["command"])
    words = words[next(i for i, w in enumerate(words) if "clang" in w and "ccache" not in w):]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "probe.cc"
        source.write_text(f'#include "{header}"\n')
        kept, skip = [], False
        for word in words:
            if skip:
                skip = False
            elif word in ("-o", "-c"):
                skip = True
            else:
                kept.append(word)
        # The precompiled header must not lend its includes: drop it.
        text = " ".join(shlex.quote(w) for w in kept)
        kept = shlex.split(text)
        kept = [w for i, w in enumerate(kept) if not pch_word(kept, i)]
        done = subprocess.run([*kept, "-fsyntax-only", str(source)], cwd=entry["directory"],
                              capture_output=True, text=True, check=False)
        if done.returncode and "file not found" not in done.stderr:
            raise SystemExit(f"unexpected compiler error for {header}:\n{done.stderr}")
        return done.returncode == 0


def pch_word(words: list[str], i: int) -> bool:
    """True for -Xclang -include-pch -Xclang file and -Xclang -include -Xclang file, which CMake adds."""
    for start in range(max(0, i - 3), i + 1):
        group = words[start:start + 4]
        if len(group) == 4 and group[0] == group[2] == "-Xclang" and group[1] in ("-include-pch", "-include"):
            return True
    return words[i] in ("-Winvalid-pch",)


def main() -> int:
    commands = json.loads(pathlib.Path(sys.argv[1]).read_text())
    includes = pathlib.Path(sys.argv[1]).resolve().parent / "include"
    failed = 0
    for module, header, allowed in ROWS:
        link = includes / module / module
        folder = str(link.resolve()) + os.sep
        entry = next((c for c in commands if c["file"].startswith(folder) and not c["file"].endswith("_test.cc")), None)
        if entry is None or not any((root / header).exists() for root in includes.iterdir()):
            print(f"FAIL {module}: no source to probe with, or no {header}")
            failed += 1
            continue
        if compile_includes(entry, header) != allowed:
            print(f"FAIL {module} including {header}: {'refused' if allowed else 'compiled'}")
            failed += 1
    print(f"{len(ROWS) - failed} of {len(ROWS)} rows as declared")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
