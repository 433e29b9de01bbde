"""A project outside the tree: built against the installed package, run against a server.

The package is installed into a temporary prefix, examples/hello is copied beside it, and nothing else of the tree is in
reach: what a user would miss is missing here. Then the package's own promises: a component that it does not have is
named, pkg-config's flags link the same program, and the library shows the public API, all of it and nothing else.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOMS = ("api", "client", "connect", "os", "rpc", "wire", "worker")
FREE_FUNCTION = re.compile(r"holdfast::(\w+)(?:\[abi:cxx11\])?\(")


def run(*command, check=True, **options) -> subprocess.CompletedProcess:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)} answered {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Server:
    """`holdfast server` on free ports, with a data directory of its own."""

    def __init__(self, program: pathlib.Path, data: pathlib.Path):
        self.process = subprocess.Popen(
            [program, "server", "--json", "--data", data, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        for line in self.process.stdout:
            if line.startswith("{") and json.loads(line).get("event") == "ready":
                return json.loads(line)["grpc"]
        raise AssertionError("the server ended before it was ready")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)


def check_hello(hello: pathlib.Path, server: pathlib.Path, data: pathlib.Path) -> None:
    with Server(server, data) as address:
        done = run(hello, address, "World")
    assert done.stdout == "thanks, the example\nHello, World!\n", done.stdout
    refused = run(hello, "http://127.0.0.1", "World", check=False)
    assert refused.returncode == 1 and "INVALID_ARGUMENT" in refused.stderr, refused.stderr


def check_components(args: argparse.Namespace, folder: pathlib.Path, prefix: pathlib.Path) -> None:
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(asks LANGUAGES NONE)\n"
        "find_package(Holdfast REQUIRED COMPONENTS worker console)\n")
    done = run(args.cmake, "-S", folder, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", check=False)
    said = " ".join(done.stderr.split())
    assert done.returncode and "no component console; it has client and worker" in said, said


def check_pkg_config(args: argparse.Namespace, prefix: pathlib.Path, build: pathlib.Path) -> None:
    environment = {**os.environ, "PKG_CONFIG_PATH": str(next(prefix.rglob("pkgconfig")))}
    flags = run("pkg-config", "--cflags", "--libs", "holdfast-client", "holdfast-worker",
                env=environment).stdout.split()
    include = next(flag for flag in flags if flag.startswith("-I") and (pathlib.Path(flag[2:]) / "holdfast").is_dir())
    assert (pathlib.Path(include[2:]) / "holdfast/holdfast.h").is_file(), flags
    run(args.compiler, *build.rglob("main.cc.o"), "-o", build / "hello-by-pkg-config", *flags)


def check_symbols(library: pathlib.Path, headers: pathlib.Path) -> None:
    """What the library shows is what the headers declare."""
    shown = run("nm", "-DC", "--defined-only", library).stdout
    declared = "".join(header.read_text() for header in headers.glob("*.h"))
    foreign = re.compile(rf" [TDBRVW] (?:[\w ]+ for )?(?:holdfast::(?:{'|'.join(ROOMS)})|temporal|google)::.*")
    found = [f"shown, but not public:{match}" for match in foreign.findall(shown)]
    for line in run("nm", "-C", "--defined-only", library).stdout.splitlines():
        name = FREE_FUNCTION.match(line.split(" ", 2)[2])
        public = name and re.search(rf"\b{name[1]}\(", declared)
        if name and public and " t " in line:
            found.append(f"declared, but not shown: {line} (its definition wants HOLDFAST_PUBLIC)")
        if name and not public and " T " in line:
            found.append(f"shown, but not declared: {line}")
    assert not found, "\n".join(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--build", "--cmake", "--compiler", "--project", "--server", "--library"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-outside-") as name:
        root = pathlib.Path(name)
        prefix, project, build = root / "prefix", root / "hello", root / "hello/build"
        run(args.cmake, "--install", args.build, "--component", "sdk", "--prefix", prefix)
        shutil.copytree(args.project, project)
        run(args.cmake, "-S", project, "-B", build, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={args.compiler}",
            f"-DCMAKE_PREFIX_PATH={prefix}")
        run(args.cmake, "--build", build)
        check_hello(build / "hello", args.server, root / "data")
        check_components(args, root / "asks", prefix)
        check_pkg_config(args, prefix, build)
        check_symbols(args.library, prefix / "include/holdfast")
    print("built, run and linked against the installed package")
    return 0


if __name__ == "__main__":
    sys.exit(main())
