"""A form that asks for a file: sent over HTTP or from a link's page, taken by what it is; disguised, foreign, too large ones are not."""

import json
import re
import struct
import urllib.parse
import zlib

import pytest
from holdfast import Server, scripted_model
from test_people import answer, code, link, path_of

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls: [{name: ask, arguments: {question: "The receipt, please"}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: clerk}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You book.
  tools:
    - name: ask
      type: human
      human:
        form:
          properties:
            receipt: {{type: object, format: file, accept: [{accept}], maxBytes: 20000, title: The receipt}}
            note: {{type: string, maxLength: 80}}
          required: [receipt]
"""

DATED = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: dated}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You book.
  tools:
    - name: ask
      type: human
      human: {{form: {{properties: {{when: {{type: string, format: date}}, mail: {{type: string, format: email}}}}, required: [when]}}}}
"""


def png(pixels=b"\x10\x20\x30") -> bytes:
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" + pixels)) + chunk(b"IEND", b"")


PROGRAM = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + b"\0" * 200
ARCHIVE = b"PK\x03\x04\x14\0\0\0\x08\0" + b"\0" * 100


@pytest.fixture(scope="module")
def clerk(binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clerk")
    with scripted_model(binary, folder, SCRIPT) as url:
        one = Server(binary, folder / "data", "--grant", f"host:{urllib.parse.urlsplit(url).hostname}").start()
        put = one.request("PUT", "/api/v1/agents/clerk", AGENT.format(model=url, accept="image/png, application/pdf"))
        assert put.status == 201, put.text
        one.model_url = url
        yield one
        one.close()


def asked(server) -> tuple[str, dict]:
    run = server.start_run("clerk", "book it")
    return run, server.wait_for_approval(run)


def upload(server, question, body, field="receipt", name="receipt.png", kind="image/png"):
    query = urllib.parse.urlencode({"field": field, "name": name})
    return server.request("POST", f"/api/v1/approvals/{question['id']}/files?{query}", body, {"Content-Type": kind})


def answered(server, run) -> dict:
    return json.loads(server.wait(run)["output"].removeprefix("Then: "))["answer"]


def test_a_file_is_sent_and_named_in_the_answer(clerk):
    run, question = asked(clerk)
    for body, why in ((PROGRAM, "x-dosexec"), (ARCHIVE, "application/zip"), (b"<html><script>alert(1)</script></html>", "text/html"), (b"", "empty")):
        refused = upload(clerk, question, body)
        assert code(refused) == (422, "invalid_file") and why in refused.json["detail"], refused.text
    assert code(upload(clerk, question, png() + b"\0" * 20_000)) == (413, "file_too_large")
    assert code(upload(clerk, question, png(), field="note")) == (400, "invalid_parameter")
    sent = upload(clerk, question, png(), name="../../My receipt.png")
    assert (sent.status, sent.json["bytes"], sent.json["media_type"]) == (201, len(png()), "image/png"), sent.text
    assert upload(clerk, question, png()).json["blob"] == sent.json["blob"]
    for said, why in (({}, "`receipt`"), ({"receipt": "x"}, "`receipt`"), ({"receipt": {}}, "was sent"), ({"receipt": {"blob": "0" * 64}}, "no such file")):
        wrong = answer(clerk, question, said)
        assert wrong.status == 422 and why in wrong.json["detail"], wrong.text
    # Whatever the answer says of it, what the server knows is told.
    taken = answer(clerk, question, {"receipt": {"blob": sent.json["blob"], "bytes": 1, "media_type": "text/html", "name": "evil.exe"}, "note": "ok"})
    assert taken.status == 200, taken.text
    assert answered(clerk, run) == {"receipt": {"blob": sent.json["blob"], "bytes": len(png()), "media_type": "image/png", "name": "../../My receipt.png"}, "note": "ok"}
    given = clerk.get(f"/api/v1/runs/{run}/blobs/{sent.json['blob']}")
    assert given.body == png() and given.headers["Content-Type"] == "image/png" and "attachment" in given.headers["Content-Disposition"]
    assert code(upload(clerk, question, png())) == (409, "not_asked")
    other, second = asked(clerk)  # another run's file is none of this one
    foreign = answer(clerk, second, {"receipt": {"blob": sent.json["blob"]}})
    assert code(foreign) == (422, "invalid_file"), foreign.text
    clerk.post(f"/api/v1/runs/{other}/cancel", {})


def test_a_format_of_a_text_is_checked(clerk, agent_text):
    text = DATED.format(model=clerk.model_url)
    assert clerk.request("PUT", "/api/v1/agents/dated", text).status == 201
    run = clerk.start_run("dated", "book it")
    question = clerk.wait_for_approval(run)
    for said, why in (({"when": "2026-02-30"}, "`when` must be a text of the format date"), ({"when": "2026-02-28", "mail": "ann"}, "format email")):
        wrong = answer(clerk, question, said)
        assert code(wrong) == (422, "invalid_answer") and why in wrong.json["detail"], wrong.text
    assert answer(clerk, question, {"when": "2026-02-28", "mail": "ann@example.com"}).status == 200
    assert answered(clerk, run)["when"] == "2026-02-28"


def form(token, decision="answer", file=(b"", ""), **fields):
    """As a browser sends it: a file that was not chosen has no name."""
    parts = [("token", None, token.encode()), ("decision", None, decision.encode()), ("f.receipt", file[1], file[0])]
    parts += [(f"f.{name}", None, value.encode()) for name, value in fields.items()]
    out = b""
    for name, filename, body in parts:
        more = f'; filename="{filename}"\r\nContent-Type: image/png' if filename is not None else ""
        out += f'--xyz\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + body + b"\r\n"
    return out + b"--xyz--\r\n"


def test_the_page_of_a_link_takes_a_file(clerk):
    run, question = asked(clerk)
    made = link(clerk, question)
    shown = clerk.get(path_of(made))
    assert 'enctype="multipart/form-data"' in shown.text and 'type="file"' in shown.text and 'accept="image/png,application/pdf"' in shown.text
    token = re.search(r'name="token" value="([0-9a-f]{64})"', shown.text)[1]

    def send(body):
        return clerk.request("POST", path_of(made), body, {"Content-Type": "multipart/form-data; boundary=xyz"})

    assert send(form("0" * 64, file=(png(), "r.png"))).status == 403
    for file, why in (((PROGRAM, "r.png"), "x-dosexec"), ((b"", ""), "receipt"), ((png() + b"\0" * 20_000, "r.png"), "20000")):
        refused = send(form(token, file=file))
        assert refused.status == 422 and why in refused.text, refused.text
    assert send(b"--xyz\r\n\r\n").status == 400
    done = send(form(token, file=(png(b"\1\2\3"), "C:\\\\r.png"), note="ok"))
    assert done.status == 200 and "Answered" in done.text, done.text
    said = answered(clerk, run)
    assert (said["receipt"]["media_type"], said["receipt"]["name"], said["note"]) == ("image/png", "r.png", "ok")


def test_a_form_says_what_it_takes(clerk):
    for accept, why in (("", "accept"), ("png", "accept"), ("'image/<b>'", "accept")):
        refused = clerk.request("PUT", "/api/v1/agents/clerk", AGENT.format(model=clerk.model_url, accept=accept))
        assert refused.status == 400 and why in refused.text, refused.text
