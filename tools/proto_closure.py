"""Copies a set of .proto files and everything they import, and prints their names.

protoc 3.21 writes C++ that does not compile for the packages temporal.api.namespace.v1 and
temporal.api.export.v1, whose last parts are C++ keywords. They become namespace_ and export_ here: neither holds a
service or is packed into an Any, so nothing on the wire changes.
"""

import argparse
import pathlib
import re

IMPORT = re.compile(r'^import\s+(?:public\s+|weak\s+)?"([^"]+)";', re.M)
KEYWORD_PACKAGE = re.compile(r"\btemporal\.api\.(namespace|export)\.v1\b")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", type=pathlib.Path, required=True)
    parser.add_argument("--to", dest="target", type=pathlib.Path, required=True)
    parser.add_argument("roots", nargs="+")
    args = parser.parse_args()

    wanted, seen = list(args.roots), set()
    while wanted:
        name = wanted.pop()
        if name in seen or name.startswith("google/protobuf/"):
            continue
        seen.add(name)
        source = args.source / name
        if not source.exists():
            source = args.source.parent / name
        text = KEYWORD_PACKAGE.sub(r"temporal.api.\1_.v1", source.read_text())
        target = args.target / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
        wanted.extend(IMPORT.findall(text))
    print(" ".join(sorted(seen)))


if __name__ == "__main__":
    main()
