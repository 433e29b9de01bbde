"""headers_test.py COMPILER INCLUDE: every public header compiles alone, and so does every form of the API (usage.cc).

Only the public headers are in reach, so one that includes anything else of ours fails; the one that does is named.
"""

import concurrent.futures
import pathlib
import subprocess
import sys


def complaint(compiler: str, include: str, file: pathlib.Path) -> str:
    what = [str(file)] if file.suffix == ".cc" else ["-x", "c++", "-include", str(file), "/dev/null"]
    done = subprocess.run([compiler, "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", include, *what],
                          capture_output=True, text=True, check=False)
    return f"FAIL {file.name} does not compile alone with {compiler}\n{done.stderr}" if done.returncode else ""


def main() -> int:
    compiler, include = sys.argv[1:]
    files = sorted(pathlib.Path(include, "holdfast").glob("*.h")) + [pathlib.Path(__file__).with_name("usage.cc")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [text for text in pool.map(lambda file: complaint(compiler, include, file), files) if text]
    print("".join(found) + f"{len(files)} files, {len(found)} do not compile")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
