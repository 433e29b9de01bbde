"""judge_decisions.py BUILD DIRECTORY [KILLS] [SEED]: a person decides, and the server is killed before what was decided is done.

Ends with `N passed, N failed`, a decision each; exit code 1 where one did not hold, or its effect was not there once.
"""

import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "api_e2e"))
import killed_decisions  # noqa: E402


def main() -> int:
    build, directory = (pathlib.Path(one).resolve() for one in sys.argv[1:3])
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    loop = killed_decisions.Loop(build / "holdfast", build / "tests" / "crash" / "kill_at_sync.so", directory, seed, lambda words: print(words, flush=True))
    try:
        loop.rehearse()
        loop.rounds(kills)
    finally:
        loop.close()
    for point, count in sorted(loop.kills.items()):
        print(f"{count:5} killed {point}")
    print(f"{loop.reached} kills between a decision and the end of its run")
    print(f"{loop.passed} passed, {loop.failed} failed")
    return 1 if loop.failed or loop.reached < kills else 0


sys.exit(main())
