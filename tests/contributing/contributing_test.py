"""The lists of CONTRIBUTING.md are true.

Every path in it exists. Where a section tells how to add one more of a kind, each of that kind that is registered
today was added in just that way: the files that the list names are there for it, and hold what the list says, with
the name in the place of NAME. So a list that forgets where something moved fails for everything that is there.
"""

import json
import pathlib
import re
import sys
from typing import Callable, Iterator, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]


def registered(file: str, pattern: str) -> list[str]:
    path = ROOT / file
    return re.findall(pattern, path.read_text()) if path.exists() else []


def routes() -> list[str]:
    """Without the document itself, which is served like a file of the page."""
    paths = json.loads((ROOT / "src/serve/http/openapi.json").read_text())["paths"]
    return [path for path in paths if not path.endswith("/openapi.json")]


class Kind(NamedTuple):
    """What a section adds one more of: the word for its name in the section, and those that there are."""

    word: str
    names: Callable[[], list[str]]


KINDS = {
    "a tool type whose calls touch the world":
        Kind("NAME", lambda: registered("src/agents/tool/activity_tool.h", r"line\(k(\w+)Tool\)")),
    "a tool type whose calls the workflow makes":
        Kind("NAME", lambda: registered("src/agents/agent/workflow_tool.h", r"line\(k(\w+)Tool\)")),
    "a model provider":
        Kind("NAME", lambda: registered("src/agents/model/provider.h", r"line\(k(\w+)\)")),
    "a database behind the platform store":
        Kind("NAME", lambda: [p.parent.name for p in sorted(ROOT.glob("src/platform/*/contract_test.cc"))]),
    "a route": Kind("PATH", routes),
    "a screen": Kind("PAGE", lambda: json.loads((ROOT / "console/pages.json").read_text())),
    "an RPC": Kind("METHOD", lambda: registered("src/base/api/method.h", r"\bX\((\w+)\)")),
    "a block": Kind("NAME", lambda: registered("src/flows/language/block_types.cc", r'\.name = "(\w+)"')),
    "a block that runs":
        Kind("NAME", lambda: registered("src/flows/block/block.h", r"line\(k(\w+)Block\)")),
    "a public header": Kind("NAME", lambda: [p.stem for p in sorted((ROOT / "include/holdfast").glob("*.h"))]),
}
# What holdfast.h leaves to those who want it: itself, and what its neighbours include anyway.
NOT_IN_ALL = {"holdfast", "public", "seams", "status"}

SECTION = re.compile(r"^## Add (.+)$", re.M)
ITEM = re.compile(r"^- (.+(?:\n  .+)*)", re.M)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+/[\w.*/-]*")


def sections(text: str) -> dict[str, str]:
    parts = SECTION.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def spellings(name: str) -> list[str]:
    """A constant's name as files have it: OpenAi is open_ai or openai."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return list(dict.fromkeys([name, snake, name.lower()]))


def with_name(text: str, kind: Kind, name: str) -> list[str]:
    return [text.replace(kind.word, spelling) for spelling in spellings(name)]


def check_item(item: str, kind: Kind, name: str) -> Iterator[str]:
    """`path`: text with `what the file holds`."""
    path, *rest = CODE.findall(item)
    files = [file for each in with_name(path, kind, name) for file in ROOT.glob(each) if file.is_file()]
    if kind.word in path and not files:
        yield f"there is no {path} for {name}"
    if not files or (path.endswith("/holdfast.h") and name in NOT_IN_ALL):
        return
    text = "".join(file.read_text() for file in files).lower()
    for snippet in rest:
        if kind.word in snippet and not any(each.lower() in text for each in with_name(snippet, kind, name)):
            yield f"{path} does not hold {snippet} for {name}"


def check_paths(text: str) -> Iterator[str]:
    words = [kind.word for kind in KINDS.values()] + ["WING"]
    for code in CODE.findall(text):
        if PATH.fullmatch(code) and not any(word in code for word in words) and not any(ROOT.glob(code)):
            yield f"there is no {code}"


def check(text: str) -> list[str]:
    found = list(check_paths(text))
    there = sections(text)
    for title, kind in KINDS.items():
        items = ITEM.findall(there.get(title, ""))
        names = kind.names()
        if not items or not names:
            found.append(f"'Add {title}' has {len(items)} items, and there are {len(names)} of the kind")
        found += [f"Add {title}: {what}" for item in items for name in names for what in check_item(item, kind, name)]
    return found


# What stands there instead, what is said of it: the test would notice.
MISTAKES = [
    ("src/agents/tool/activity_tool.h`", "src/agents/tool/tool.h`", "there is no src/agents/tool/tool.h"),
    ("line(kNAMETool)", "row(kNAMETool)", "activity_tool.h does not hold row(kNAMETool) for Http"),
    ("`src/agents/model/NAME.cc`", "`src/agents/model/NAME_model.cc`", "there is no src/agents/model/NAME_model.cc for OpenAi"),
    ("M::kMETHOD", "M::METHOD", "core.cc does not hold M::METHOD for GetSystemInfo"),
    ("## Add an RPC", "## Add a method", "'Add an RPC' has 0 items"),
    ('`.name = "NAME"`', '`NAME_block`', "block_types.cc does not hold NAME_block for start"),
]


def main() -> int:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = check(text)
    for right, wrong, said in MISTAKES:
        if right not in text or not any(said in line for line in check(text.replace(right, wrong))):
            found.append(f"nobody notices '{wrong}' in the place of '{right}'")
    for line in found:
        print(f"FAIL {line}")
    print(f"{len(sections(text))} lists, {sum(len(kind.names()) for kind in KINDS.values())} things that were added by them: "
          f"{len(found)} mistakes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
