"""Deletes very many closed runs beside a live load and says what that costs: the load's p99, memory, disk. Fails when the p99
more than doubles, memory has grown beyond 300 MB, or the disk does not get its room back within a minute.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from bench import free_port, wait_for


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("runs", nargs="?", type=int, default=100_000, help="closed runs of ten steps (100000)")
    parser.add_argument("--seconds", type=int, default=900, help="at most, for making them and for deleting them (900)")
    parser.add_argument("--memory", default="512MiB", help="the server's budget (512MiB)")
    args = parser.parse_args()
    build = args.build.resolve()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="retention-", dir=build))
    port = free_port()
    command = [build / "holdfast", "server", "--data", directory / "data", "--grpc", f"127.0.0.1:{port}", "--http",
               f"127.0.0.1:{free_port()}", "--shortest-retention", "1"]
    if "--memory" in subprocess.run([build / "holdfast", "server", "--help"], stdout=subprocess.PIPE, text=True).stdout:
        command += ["--memory", args.memory]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        return subprocess.run([build / "bench" / "holdfast_bench", "--address", f"127.0.0.1:{port}", "--retention",
                               str(args.runs), "--data", directory / "data", "--server-pid", str(server.pid), "--seconds",
                               str(args.seconds)]).returncode
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
