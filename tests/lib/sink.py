"""A mail server that only receives: keeps each message with its envelope in memory and, when told so, in files. Also a recording TCP relay for the wire."""
import os
import socket
import socketserver
import sys
import threading
import time


class _Session(socketserver.StreamRequestHandler):
    timeout = 120

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def data(self):
        lines = []
        while True:
            line = self.rfile.readline()
            if not line:
                return None
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def handle(self):
        sink = self.server.sink
        sender, rcpts = None, []
        self.say("220 sink ESMTP")
        while True:
            line = self.rfile.readline(65536)
            if not line:
                return
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                words = ["sink", *sink.offers]
                for i, word in enumerate(words):
                    self.say("250" + (" " if i + 1 == len(words) else "-") + word)
            elif verb == b"MAIL":
                sender, rcpts = line.split(b"<", 1)[1].split(b">", 1)[0].decode(), []
                self.say("250 2.1.0 ok")
            elif verb == b"RCPT":
                rcpt = line.split(b"<", 1)[1].split(b">", 1)[0].decode()
                code = sink.refuse.get(rcpt)
                if code is None:
                    rcpts.append(rcpt)
                self.say(code or "250 2.1.5 ok")
            elif verb == b"DATA":
                if not rcpts:
                    self.say("503 5.5.1 no recipients")
                    continue
                self.say("354 go on")
                body = self.data()
                if body is None:
                    return
                sink.keep(sender, rcpts, body)
                self.say("250 2.0.0 kept")
                rcpts = []
            elif verb == b"QUIT":
                self.say("221 2.0.0 bye")
                return
            elif verb in (b"RSET", b"NOOP"):
                self.say("250 2.0.0 ok")
            else:
                self.say("500 5.5.2 what?")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that goes away is no fault of the sink
            super().handle_error(request, client_address)


class Mail:
    def __init__(self, sender, rcpts, data):
        self.sender, self.rcpts, self.data, self.at = sender, rcpts, data, time.time()
        self.header, _, self.body = data.partition(b"\r\n\r\n")

    def fields(self, name):
        """Values of all fields of that name, unfolded."""
        out, low = [], name.lower().encode() + b":"
        for raw in self.header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
            if raw.lower().startswith(low):
                out.append(raw[len(low):].strip().decode("utf-8", "replace"))
        return out

    def field(self, name):
        f = self.fields(name)
        return f[0] if f else None


class Sink:
    offers = ("PIPELINING", "SIZE 0", "8BITMIME")

    def __init__(self, port=0, directory=None, eightbit=True, ip="127.0.0.1"):
        if not eightbit:
            self.offers = ("PIPELINING", "SIZE 0")
        self.mails, self.refuse, self.directory = [], {}, directory
        self.lock = threading.Condition()
        self.server = _Server((ip, port), _Session)
        self.server.sink = self
        self.port = self.server.server_address[1]
        self.address = f"{ip}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def keep(self, sender, rcpts, body):
        with self.lock:
            self.mails.append(Mail(sender, rcpts, body))
            if self.directory:
                os.makedirs(self.directory, exist_ok=True)
                with open(os.path.join(self.directory, f"{len(self.mails)}.eml"), "wb") as f:
                    f.write(body)
            self.lock.notify_all()

    def wait(self, count=1, seconds=30, match=None):
        """The first `count` mails for which match(mail) is true."""
        end = time.monotonic() + seconds
        with self.lock:
            while True:
                got = [m for m in self.mails if match is None or match(m)]
                if len(got) >= count:
                    return got
                left = end - time.monotonic()
                if left <= 0 or not self.lock.wait(left):
                    raise AssertionError(f"only {len(got)} of {count} mails arrived within {seconds} s")

    def by_subject(self, text, seconds=30):
        return self.wait(1, seconds, lambda m: text in (m.field("Subject") or ""))[0]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Tap:
    """A TCP relay that records every octet both ways: what an eavesdropper between the gateways would see."""
    def __init__(self, to=None, directory=None):
        self.to, self.octets, self.directory = to, bytearray(), directory
        self.lock = threading.Lock()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            host, port = self.to.rsplit(":", 1)
            try:
                s = socket.create_connection((host, int(port)))
            except OSError:
                c.close()
                continue
            for a, b in ((c, s), (s, c)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, a, b):
        try:
            while True:
                d = a.recv(65536)
                if not d:
                    break
                with self.lock:
                    self.octets += d
                b.sendall(d)
        except OSError:
            pass
        try:
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.sock.close()
