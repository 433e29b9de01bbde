"""The program users run holds no switch that turns durability off: no symbol and no word of the laboratory.

The second program, which is the same on a lossy disk, must show every one of the words: else the list below is
stale, and the first half proves nothing.
"""

import pathlib
import re
import subprocess
import sys

# Namespaces, and what a switch would have to be called: the layers' names, the variables that the crash loop sets.
WORDS = ["holdfast::faults::", "holdfast::crash::", "hf-unsynced-loss", "HOLDFAST_TEST_", "unsynced bytes are lost"]


def words_in(program: str) -> set[str]:
    symbols = subprocess.run(["nm", "--demangle", program], capture_output=True, text=True, check=True).stdout
    if "holdfast::app::" not in symbols:
        raise SystemExit(f"{program} shows no symbols: nothing to look at")
    texts = "\n".join(t.decode() for t in re.findall(rb"[\x20-\x7e]{6,}", pathlib.Path(program).read_bytes()))
    return {word for word in WORDS if word in symbols or word in texts}


def main() -> int:
    program, laboratory = sys.argv[1:]
    inside = words_in(program)
    missing = set(WORDS) - words_in(laboratory)
    for word in sorted(inside):
        print(f"FAIL {program} holds {word}")
    for word in sorted(missing):
        print(f"FAIL {laboratory} does not hold {word}: is the list of words stale?")
    print(f"{len(WORDS) - len(inside)} of {len(WORDS)} words of the laboratory are outside")
    return 1 if inside or missing else 0


if __name__ == "__main__":
    sys.exit(main())
