"""`holdfast sandbox eval`: what flows evaluate, in the same processes, from the command line. What the language does is
tested beside the code (src/sandbox/script), what stands around it by tests/attack/sandbox."""

import json
import subprocess

import pytest


@pytest.fixture
def evaluate(binary):
    def run(*arguments, stdin=""):
        return subprocess.run([binary, "sandbox", "eval", *arguments], capture_output=True, text=True, input=stdin)

    return run


def test_the_three_forms(evaluate):
    rows = json.dumps({"rows": [{"id": 7}, {"id": 9007199254740993}]})
    assert evaluate("-e", "rows.map(r => r.id)", "--input", rows).stdout == "[7,9007199254740993]\n"
    assert evaluate("-t", "{{ rows[1].id }}", "--input", rows).stdout == "9007199254740993\n"
    assert evaluate("-t", "id {{ rows[0].id }}", "--input", rows).stdout == '"id 7"\n'
    done = evaluate("-", "--input", rows, stdin="console.log('rows', rows.length)\nreturn rows.length")
    assert (done.stdout, done.stderr) == ("2\n", "rows 2\n")


def test_a_failure_has_its_place_and_its_kind(evaluate):
    done = evaluate("-", stdin="const a = 1;\nreturn a.b.c;")
    assert done.returncode == 5 and "2:8: TypeError: cannot read property 'c' of undefined" in done.stderr
    failure = json.loads(evaluate("-e", "Date.now()", "--json").stdout)["failure"]
    assert failure["fault"] == "no_clock" and failure["line"] == 1
    assert json.loads(evaluate("-", "--json", stdin="for (;;) {}").stdout)["failure"]["fault"] == "time_limit"


def test_what_cannot_be_asked(evaluate):
    assert evaluate().returncode == 2
    assert evaluate("-e", "1", "-t", "x").returncode == 2
    assert evaluate("-e", "1", "--time-ms", "999999").returncode == 2
    assert evaluate("-e", "1", "--input", "[1]").returncode == 5
    assert evaluate("nowhere.js").returncode == 3


def test_the_doctor_names_the_level(binary, tmp_path):
    done = subprocess.run([binary, "doctor", "--json", "--data", str(tmp_path / "data")], capture_output=True, text=True)
    check = next(row for row in json.loads(done.stdout)["checks"] if row["check"] == "sandbox")
    assert check["level"] in (1, 2) and check["verdict"] == "ok" and f"level {check['level']}: " in check["detail"]
