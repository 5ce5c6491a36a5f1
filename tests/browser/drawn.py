"""Pages of the web UI as they are drawn, behind a small HTTP server: the answers come from a real gateway by its control socket, the HTML from the gateway's own templates
(build/tools/page). Nobody signs in: the header X-Role says the role, 1 to 4. Only GET."""
import json
import os
import socket
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from gateway import BUILD

TOOL = os.path.join(BUILD, "tools", "page")
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
REQUEST, REPLY_MAX = 300, 1 << 24  # certstore/admin_proto.h


def ask(path, verb, args):
    """One verb over the control socket: the whole reply."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(60)
        s.connect(path)
        text = json.dumps({"verb": verb, "args": args}).encode()
        body = struct.pack(">IBI", 0, 0, len(text)) + text
        s.send(struct.pack(">HHII", 1, REQUEST, 1, len(body)) + body)
        data, more, _, _ = s.recvmsg(1 << 20, socket.CMSG_LEN(64))
    body = data[12:]
    if body[0] == 0:
        return json.loads(body[5:5 + struct.unpack(">I", body[1:5])[0]])
    fd = struct.unpack("i", more[0][2][:4])[0]
    try:
        return json.loads(os.pread(fd, REPLY_MAX, 0))
    finally:
        os.close(fd)


def tool(*args, given=None):
    return subprocess.run([TOOL, *args], input=given, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def tables():
    """{"pages": [{"path", "least"}], "actions": ...}"""
    return json.loads(tool("tables"))


class Drawn:
    def __init__(self, gw):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                try:
                    kind, body = outer.get(self.path, self.headers.get("X-Role", "4"))
                    status = 200
                except Exception as e:
                    status, kind, body = 500, "text/plain", repr(e).encode()
                self.send_response(status)
                for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Content-Security-Policy", POLICY)):
                    self.send_header(name, value)
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:  # the browser is already on its way to the next page
                    pass
        self.gw = gw
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path, role):
        if path.startswith("/static/"):
            name = path[8:]
            return TYPES[name.rsplit(".", 1)[-1]], tool("static", name)
        path, answers = unquote(path), {}
        for q in json.loads(tool("asks", path, role)):
            got = ask(self.gw.sock, q["verb"], q["args"])
            if not got["ok"] and not q["may"]:
                raise AssertionError(f"{path}: {q['verb']}: {got['error']}")
            if q["verb"] == "status":  # over the control socket everybody's together
                got["data"] = got["data"].get("relay" if q["relay"] else "judge", {})
            answers[q["key"]] = got["data"] if got["ok"] else {"failed": got["error"]["text"]}
        return "text/html; charset=utf-8", tool(path, role, given=json.dumps(answers).encode())

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
