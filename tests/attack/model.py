"""A model whose one answer is 30 MB of text, over the wire format of Chat Completions."""

import http.server
import json
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        piece = self.frame({"delta": {"content": "B" * 200_000}})
        for _ in range(150):
            self.wfile.write(piece)
        self.wfile.write(self.frame({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n")

    @staticmethod
    def frame(choice) -> bytes:
        return b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"


def serve() -> str:
    """Its base URL; it lives as long as the process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
