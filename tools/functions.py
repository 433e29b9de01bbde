"""Where the functions of a source file begin and how long they are, in C++ and Python.

C++ is read by its layout, which clang-format fixes: a block that a line opens ends at the next line that closes it in
the same column. It is a function when what stands before its brace has a parameter list and is no declaration of a
type or a variable. A lambda belongs to the function around it.
"""

import ast
import re
from typing import NamedTuple


class Function(NamedTuple):
    name: str
    line: int  # its first, from 1
    lines: int


# What may hold braces that open nothing.
_NOISE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<raw>[^\s()\\]{0,16})\(.*?\)(?P=raw)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'           # but no digit separator
      | ^[ \t]*\#(?:\\\n|[^\n])*                      # preprocessor, continued lines too
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ATTRIBUTE = re.compile(r"\[\[.*?\]\]|__attribute__\s*\(\(.*?\)\)|\bHOLDFAST_PUBLIC\b")
_TYPE = re.compile(r"(?:typedef |inline )*(?:namespace|class|struct|union|enum|extern)\b")
_NAME = re.compile(r"(operator\s*[^\s\w]+|[~\w:]+)\s*\(")


def _head(lines: list[str], opening: int) -> tuple[int, str]:
    """The first line and the text of the declaration whose brace closes line `opening`."""
    first = opening
    while first > 0 and lines[first - 1].strip() and lines[first - 1].rstrip()[-1] not in ";{}:":
        first -= 1
    text = _ATTRIBUTE.sub("", " ".join(line.strip() for line in lines[first:opening + 1])).strip()
    while text.startswith("template"):
        depth = parentheses = 0
        for at, letter in enumerate(text):
            parentheses += (letter == "(") - (letter == ")")
            depth += ((letter == "<") - (letter == ">")) * (parentheses == 0)
            if letter == ">" and depth == 0:
                break
        text = text[at + 1:].lstrip()
    return first, text


def _is_function(head: str) -> bool:
    before = head.partition("(")[0]
    return "(" in head and not _TYPE.match(head) and ("=" not in before or "operator" in before)


def cpp_functions(text: str) -> list[Function]:
    lines = _NOISE.sub(lambda match: "\n" * match.group().count("\n"), text).split("\n")
    found = []
    at = 0
    while at < len(lines):
        if lines[at].rstrip().endswith("{"):
            first, head = _head(lines, at)
            if _is_function(head):
                indent = lines[first][:len(lines[first]) - len(lines[first].lstrip())]
                end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith(indent + "}")), None)
                if end is not None:
                    found.append(Function(_NAME.search(head)[1], first + 1, end - first + 1))
                    at = end
        at += 1
    return found


def python_functions(text: str) -> list[Function]:
    return [Function(node.name, node.lineno, node.end_lineno - node.lineno + 1)
            for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def of_file(path: str, lines: list[str]) -> list[Function]:
    if path.endswith((".h", ".cc")):
        return cpp_functions("\n".join(lines))
    return python_functions("\n".join(lines)) if path.endswith(".py") else []
