"""embed_console.py --dist DIR --pages pages.json --openapi openapi.json --out page_files.cc

Writes a source file that brings the console's files and the API's description into the binary (.incbin) and defines
holdfast::http::page_files(). Text is there twice, as it is and packed: packing happens once, here.
"""

import argparse
import gzip
import hashlib
import json
import pathlib

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png",
         ".json": "application/json", ".woff2": "font/woff2", ".wasm": "application/wasm"}
PACKED = {".html", ".css", ".js", ".svg", ".json"}


def main():
    parser = argparse.ArgumentParser()
    for name in ("--dist", "--pages", "--openapi", "--out"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    given = parser.parse_args()
    packed_folder = given.out.parent / "packed"
    packed_folder.mkdir(exist_ok=True)
    blobs: dict[pathlib.Path, str] = {}  # file: name of its symbol

    def symbol(file: pathlib.Path) -> str:
        return blobs.setdefault(file.resolve(), f"holdfast_page_{len(blobs)}")

    rows = []

    def add(path: str, file: pathlib.Path, kind: str):
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()[:16]
        name, size = symbol(file), len(data)
        packed = "{}"
        if file.suffix in PACKED:
            smaller = gzip.compress(data, 9, mtime=0)
            if len(smaller) < size:
                target = packed_folder / f"{digest}.gz"
                target.write_bytes(smaller)
                packed = f"{{{symbol(target)}, {len(smaller)}}}"
        rows.append(f'    {{"{path}", "{TYPES[file.suffix]}", "\\"{digest}\\"", {{{name}, {size}}}, {packed}, PageFile::Kind::{kind}}},\n')

    for page in json.loads(given.pages.read_text()):
        add(page, given.dist / "index.html", "kPage")
    for file in sorted(given.dist.rglob("*")):
        if file.is_file() and file.name != "index.html":
            # Vite puts the hash of what is in it into the name of all that is in assets/.
            path = file.relative_to(given.dist).as_posix()
            add(f"/{path}", file, "kForever" if path.startswith("assets/") else "kFile")
    add("/api/v1/openapi.json", given.openapi, "kFile")

    bytes_of = "".join(f'asm(".section .rodata\\n.hidden {name}\\n.globl {name}\\n{name}:\\n.incbin \\"{file}\\"\\n.previous\\n");\n'
                       f'extern "C" __attribute__((visibility("hidden"))) const char {name}[];\n' for file, name in blobs.items())
    text = (f"// Written by tools/embed_console.py.\n#include \"http/page_files.h\"\n\n{bytes_of}\nnamespace holdfast::http {{\n"
            f"namespace {{\nconst PageFile kFiles[] = {{\n{''.join(rows)}}};\n}}  // namespace\n"
            "std::span<const PageFile> page_files() { return kFiles; }\n}  // namespace holdfast::http\n")
    given.out.write_text(text)


if __name__ == "__main__":
    main()
