"""What users run was linked so that a memory error ends the process instead of becoming somebody's code (SECURITY.md): read
from the files themselves, because a flag that a target forgets is seen nowhere else."""

import argparse
import pathlib
import re
import subprocess
import sys


def readelf(option: str, file: pathlib.Path) -> str:
    return subprocess.run(["readelf", "-W", option, str(file)], capture_output=True, text=True, check=True).stdout


def segments(file: pathlib.Path) -> list[tuple[str, str]]:
    """(type, flags) of each, such as ("LOAD", "RE")."""
    found = []
    for line in readelf("-l", file).splitlines():
        if match := re.match(r"\s+([A-Z_]+)\s+(?:0x[0-9a-f]+\s+){5}([RWE ]+?)\s+0x[0-9a-f]+$", line):
            found.append((match[1], match[2].replace(" ", "")))
    return found


def undefined_functions(file: pathlib.Path) -> set[str]:
    return {match[1] for match in re.finditer(r" UND (\w+)", readelf("--dyn-syms", file))}


def faults(file: pathlib.Path, fortified: bool) -> list[str]:
    wrong = []
    dynamic = readelf("-d", file)
    parts = segments(file)
    functions = undefined_functions(file)
    kinds = [kind for kind, _ in parts]
    if "Type:                              DYN" not in readelf("-h", file):
        wrong.append("its addresses are fixed: neither PIE nor shared library")
    if "INTERP" in kinds and not re.search(r"\(FLAGS_1\).*\bPIE\b", dynamic):
        wrong.append("a program that is not PIE")
    if "GNU_RELRO" not in kinds:
        wrong.append("no RELRO segment")
    if not re.search(r"\(BIND_NOW\)|\(FLAGS\).*\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b", dynamic):
        wrong.append("symbols are bound late, so that their table stays writable")
    if "TEXTREL" in dynamic:
        wrong.append("relocations in code")
    if [flags for kind, flags in parts if kind == "GNU_STACK"] != ["RW"]:
        wrong.append("its stack is executable, or not said not to be")
    wrong += [f"a segment that is written and executed: {kind} {flags}" for kind, flags in parts if "W" in flags and "E" in flags]
    # A program that is linked statically names nobody's functions.
    if functions and "__stack_chk_fail" not in functions:
        wrong.append("no function has a stack protector")
    # The library calls too little that can be checked.
    if fortified and "INTERP" in kinds and not {"__memcpy_chk", "__snprintf_chk", "__vsnprintf_chk", "__memset_chk", "__read_chk"} & functions:
        wrong.append("no call is fortified")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fortified", action="store_true", help="the build is optimised, as _FORTIFY_SOURCE needs it: the program calls checked functions")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    failed = False
    for file in arguments.files:
        for what in faults(file, arguments.fortified):
            print(f"{file.name}: {what}")
            failed = True
        print(f"{file.name}: {len(segments(file))} segments read")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
