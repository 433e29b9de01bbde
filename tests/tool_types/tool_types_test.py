"""A tool type that is not whole, or that nobody registers, does not compile.

Compiles a type of its own in the place of the file that lists them, for either side: as it is it must compile; with one
mistake it must not, and the compiler must name what is wrong.
"""

import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

# The list, its header, the class of a type, the function that runs a call.
SIDES = {
    "activity": ("tool/activity_tools.cc", "tool/activity_tool.h", "ActivityTool",
                 "ToolEnding run(const ToolSpec&, const Json&, const ToolContext&) { return {}; }"),
    "workflow": ("agent/workflow_tools.cc", "agent/workflow_tool.h", "WorkflowTool",
                 "Task<protocol::ToolAnswer> run(WorkflowCall) { co_return protocol::ToolAnswer(); }"),
}
SOURCE = """#include "{header}"
namespace holdfast::agent {{
namespace {{
[[maybe_unused]] void read(ToolReader&) {{}}
[[maybe_unused]] Json canonical(const ToolSpec&) {{ return {{}}; }}
[[maybe_unused]] Needs needs(const ToolSpec&) {{ return {{}}; }}
[[maybe_unused]] {run}
}}
extern const {type} kTestTool;
constinit const {type} kTestTool({{.name = "test", .schema = "{{}}", .read = read, .canonical = canonical,
                                 .needs = needs}}, run);
}}
"""
# What is wrong, the text, what stands there instead, what the compiler must say: of either side, and of what both share.
MISTAKES = [
    ("a type that no list names", "extern const", "// extern const", "unused variable 'kTestTool'"),
    ("a type that runs nothing", ", run);", ", nullptr);", "needs a function that runs its calls"),
]
SHARED_MISTAKES = [
    ("a type without a name", '.name = "test"', '.name = ""', "a tool type needs a name"),
    ("a type without a schema", '.schema = "{}", ', '.schema = "", ', "a tool type needs a schema"),
    ("a type that reads nothing", ".read = read", ".read = nullptr", "needs a function that reads its section"),
    ("a type without a canonical form", ".canonical = canonical", ".canonical = nullptr", "needs a canonical form"),
    ("a type that hides what it uses", ".needs = needs", ".needs = nullptr", "says what it uses of the machine"),
]


def command_of(build: pathlib.Path, file: str) -> tuple[list[str], str]:
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"].endswith(f"/agents/{file}"):
            words = shlex.split(entry["command"])
            words = words[next(i for i, w in enumerate(words) if "clang" in w and "ccache" not in w):]
            out = words.index("-o")
            return words[:out] + ["-fsyntax-only"], entry["directory"]
    raise SystemExit(f"there is no {file} in compile_commands.json")


def compiles(command: list[str], folder: str, source: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "test_tool.cc"
        file.write_text(source)
        done = subprocess.run([*command, str(file)], cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stderr


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    tried = failed = 0
    for side, (file, header, kind, run) in SIDES.items():
        command, folder = command_of(build, file)
        whole = SOURCE.format(header=header, type=kind, run=run)
        good, message = compiles(command, folder, whole)
        if not good:
            print(f"FAIL {side}: a whole type does not compile: {message}")
            failed += 1
        mistakes = MISTAKES if tried else MISTAKES + SHARED_MISTAKES
        tried += 1 + len(mistakes)
        for what, text, instead, expected in mistakes:
            if text not in whole:
                raise SystemExit(f"{what}: {text!r} is not in the source")
            good, message = compiles(command, folder, whole.replace(text, instead))
            if good or expected not in message:
                print(f"FAIL {side}, {what}: {'compiles' if good else message}")
                failed += 1
    print(f"{tried - failed} of {tried} types as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
