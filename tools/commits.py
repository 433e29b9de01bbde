"""commits.py [RANGE]: house rules for commits (STYLE.md). A subject says `area: what changes` in 60 characters at most; a
commit that changes much has a body, which says why.

Without RANGE it looks at what has not landed, origin/main..HEAD, and where there is no such thing at the last few
commits. Merges are left out. Prints one line a finding, and exits with 1 when there is any.
"""

import re
import subprocess
import sys
from typing import NamedTuple

SUBJECT_MAX = 60
# Lines added and removed; moves are none, and neither are prose, recordings and pinned versions.
BODY_FROM = 100
NOT_COUNTED = (".md", ".json", "requirements.txt", "requirements.lock")
LAST = 10
SUBJECT = re.compile(r"[a-z0-9][\w./, -]*: \S")


class Commit(NamedTuple):
    id: str
    subject: str
    body: str
    files: list[tuple[str, int]]  # path, lines added and removed


def check(commit: Commit) -> list[str]:
    found = []
    if len(commit.subject) > SUBJECT_MAX:
        found.append(f"the subject has {len(commit.subject)} characters, {SUBJECT_MAX} at most: is it one idea?")
    if not SUBJECT.match(commit.subject):
        found.append("the subject is not `area: what changes`")
    changed = sum(lines for path, lines in commit.files if not path.endswith(NOT_COUNTED))
    if changed >= BODY_FROM and not commit.body.strip():
        found.append(f"{changed} lines change and no body says why")
    return [f"{commit.id[:9]} {commit.subject}: {what}" for what in found]


def git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


def read(commits: list[str]) -> list[Commit]:
    """`commits`: what git log takes, a range or a number."""
    read_commits = []
    # One record: id, subject, body, then what --numstat adds. NUL and SOH stand in no message.
    for record in git("log", "--no-merges", "-M", "--numstat", "--format=%x01%H%x00%s%x00%b%x00", *commits).split("\x01")[1:]:
        name, subject, body, stat = record.split("\x00")
        files = []
        for line in stat.strip().splitlines():
            added, removed, path = line.split("\t")
            files.append((path.rstrip("}"), 0 if added == "-" else int(added) + int(removed)))
        read_commits.append(Commit(name, subject, body, files))
    return read_commits


def unlanded() -> list[str]:
    try:
        if git("rev-list", "--count", "origin/main..HEAD").strip() != "0":
            return ["origin/main..HEAD"]
    except subprocess.CalledProcessError:
        pass  # no such branch
    return [f"-{LAST}"]


def main() -> int:
    commits = read(sys.argv[1:] or unlanded())
    found = [line for commit in commits for line in check(commit)]
    print("\n".join(found) if found else f"{len(commits)} commits, nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
