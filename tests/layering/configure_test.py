"""What cannot be right in the house's plan is a configure error that names it.

Configures a tiny house (rooms without sources, no language, so it takes no time) with the real cmake/module.cmake: as
it is it must configure; with one word changed it must not, and the message must hold the word.
"""

import pathlib
import subprocess
import sys
import tempfile

WINGS = """holdfast_wing(base ROOMS base api)
holdfast_wing(engine ROOMS history USES base)
holdfast_wing(sdk ROOMS client USES base)
holdfast_wing(app USES base engine sdk)
"""
ROOMS = {
    "base/base": "holdfast_module(base PUBLIC_HEADERS status.h)",
    "base/api": "holdfast_module(api DEPS base)",
    "engine/history": "holdfast_module(history DEPS base api TEST_DEPS client)",
    "sdk/client": "holdfast_module(client DEPS api)",
    "app": "holdfast_module(app DEPS history client)",
}
TOP = """cmake_minimum_required(VERSION 3.25)
project(tiny LANGUAGES NONE)
include({module})
add_subdirectory(src)
"""

# What is wrong, where ("": the list of wings), the text, what stands there instead, what the message must hold.
MISTAKES = [
    ("a misspelt room", "", "ROOMS history", "ROOMS histroy", "wing engine names engine/histroy"),
    ("a misspelt wing", "", "holdfast_wing(app", "holdfast_wing(apps", "wing apps names apps"),
    ("a room that no wing names", "", "base api)", "base)", "src/base/api is a room of no wing"),
    ("a misspelt word", "", "USES base)\nholdfast_wing(sdk", "USE base)\nholdfast_wing(sdk", "wing engine names engine/USE"),
    ("a wing used before it is declared", "", "history USES base", "history USES base sdk", "wing engine uses sdk"),
    ("a misspelt dependency", "sdk/client", "DEPS api", "DEPS apy", "module client depends on apy"),
    ("a dependency that stands above", "base/base", "base PUB", "base DEPS api PUB", "module base depends on api"),
    ("a dependency in a wing that is not used", "sdk/client", "DEPS api", "DEPS api history",
     "module client of wing sdk depends on history of wing engine"),
    ("a misspelt word of a module", "sdk/client", "DEPS api", "DEPENDS api", "module client: 'DEPENDS;api'"),
    ("a misspelt dependency of tests", "engine/history", "TEST_DEPS client", "TEST_DEPS cilent",
     "tests of history depend on cilent"),
    ("a public header that is not there", "base/base", "status.h", "statsu.h", "holdfast/statsu.h"),
]


def configure(folder: pathlib.Path, module: str, wings: str, rooms: dict[str, str]) -> tuple[bool, str]:
    (folder / "src").mkdir(parents=True)
    (folder / "include/holdfast").mkdir(parents=True)
    (folder / "include/holdfast/status.h").write_text("#pragma once\n")
    (folder / "CMakeLists.txt").write_text(TOP.format(module=module))
    (folder / "src/CMakeLists.txt").write_text(wings)
    for room, text in rooms.items():
        (folder / "src" / room).mkdir(parents=True)
        (folder / "src" / room / "CMakeLists.txt").write_text(text + "\n")
    done = subprocess.run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja"], capture_output=True, text=True, check=False)
    return done.returncode == 0, " ".join(done.stderr.split())


def main() -> int:
    module = sys.argv[1]
    failed = 0
    with tempfile.TemporaryDirectory() as base:
        good, message = configure(pathlib.Path(base) / "good", module, WINGS, ROOMS)
        if not good:
            print(f"FAIL the house without a mistake does not configure: {message}")
            failed += 1
        for number, (what, where, text, instead, expected) in enumerate(MISTAKES):
            wings, rooms = WINGS, dict(ROOMS)
            if text not in (rooms[where] if where else wings):
                raise SystemExit(f"{what}: {text!r} is not in the house")
            if where:
                rooms[where] = rooms[where].replace(text, instead)
            else:
                wings = wings.replace(text, instead)
            good, message = configure(pathlib.Path(base) / str(number), module, wings, rooms)
            if good or expected not in message:
                print(f"FAIL {what}: {'configures' if good else message}")
                failed += 1
    print(f"{len(MISTAKES) + 1 - failed} of {len(MISTAKES) + 1} houses as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
