"""What the guide tells people to type is what the program takes.

Of each command line in README.md, docs/guide and examples, in a block of a shell or within a text: the command is there, and so is
each of its options, as its own help says. Nothing is run but that.
"""

import functools
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md")), *sorted((ROOT / "examples").glob("**/README.md"))]
SHELL = ("```", "```sh")
INLINE = re.compile(r"`(holdfast [^`]+)`")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# Behind a prompt, a variable, or another command of the line; up to the next one, or a remark.
COMMAND = re.compile(r"(?:^|[;&|(]|\$) *(?:[A-Z_]+=\S+ )*holdfast ([^;&|#>)]+)")
OPTION = re.compile(r"(?<!\S)--?[a-z][a-z-]*")


def commands(page: pathlib.Path) -> list[str]:
    found, block = [], None
    for line in page.read_text().replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            block = None if block is not None else line
        elif block in SHELL:
            found += COMMAND.findall(QUOTED.sub("TEXT", line))
        elif block is None:
            found += [words for said in INLINE.findall(line) for words in COMMAND.findall(QUOTED.sub("TEXT", said))]
    return [words.strip() for words in found]


@functools.cache
def help_of(binary: str, *words: str) -> str:
    return subprocess.run([binary, *words, "--help"], capture_output=True, text=True, timeout=40).stdout


def subcommands(binary: str, *words: str) -> list[str]:
    listed = help_of(binary, *words).partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  ([a-z][a-z-]*) ", listed, re.M)


def wrong(binary: str, line: str) -> str:
    line = line.split(" -- ")[0]  # behind it are a program's own words
    words = line.split()
    depth = 0
    while depth < len(words) and words[depth] in subcommands(binary, *words[:depth]):
        depth += 1
    if depth == 0 and not words[0].isupper():  # COMMAND stands for any
        return "there is no such command"
    missing = [option for option in OPTION.findall(line) if not re.search(rf"(?<![\w-]){option}(?![\w-])", help_of(binary, *words[:depth]))]
    return f"it has no {missing[0]}" if missing else ""


@pytest.mark.timeout(300)  # a process for each command
def test_commands_of_the_guide(binary):
    found = [f"{page.relative_to(ROOT)}: holdfast {line}: {what}" for page in PAGES for line in commands(page) if (what := wrong(binary, line))]
    assert not found, "\n".join(found)
    assert sum(len(commands(page)) for page in PAGES) > 250


@pytest.mark.timeout(300)
def test_the_page_of_commands_names_each(binary):
    named = set(re.findall(r"[a-z][a-z-]*", " ".join(re.findall(r"`([^`]+)`", (ROOT / "docs" / "guide" / "cli.md").read_text()))))
    top = subcommands(binary)
    assert len(top) > 40
    below = [f"{one} {other}" for one in top for other in subcommands(binary, one)]
    assert [words for words in [*top, *below] if words.split()[-1] not in named] == []
