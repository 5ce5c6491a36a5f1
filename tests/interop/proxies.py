"""SMTP proxies around a gateway under test, on the four ways that mail takes; plain pipes while no mutant is switched on. With one, TLS is not offered through them, nor
CHUNKING: what is changed must be seen.

out: gateway -> the kit's outside sink; in: gateway -> the kit's inside sink; to-out: kit -> the gateway's outside listener; to-in: kit -> its inside listener.
"""
import socket
import socketserver
import threading

HIDDEN = (b"STARTTLS", b"CHUNKING", b"BINARYMIME", b"XSMG", b"PIPELINING", b"REQUIRETLS")


class Mutant:
    """A gateway without a fault; each mutant overrides what it does wrong."""
    def connect(self, way):
        """A session begins; its own notes may be put there."""

    def rcpt(self, way, line, reply):
        """The reply to RCPT that the client sees; way.forward(line) has been done already and gave reply."""
        return reply

    def data(self, way, data):
        """What goes on in the place of the message, None: nothing (then answer() makes the reply of b"")."""
        return data

    def answer(self, way, data, reply):
        """The reply to the message. data: as the client sent it."""
        return reply

    def line(self, way, line):
        """A command before it goes on; what is returned is a reply of the proxy's own, None: it goes on."""
        return None


class Closed(Exception):
    pass


class Lines:
    """A socket as lines."""
    def __init__(self, sock):
        self.sock, self.file = sock, sock.makefile("rb")

    def line(self):
        line = self.file.readline(1 << 20)
        if not line.endswith(b"\n"):
            raise Closed
        return line

    def reply(self):
        out = b""
        while True:
            line = self.line()
            out += line
            if line[3:4] != b"-":
                return out

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except OSError:
            raise Closed from None

    def close(self):
        self.file.close()
        self.sock.close()


def stuffed(data):
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    return b"".join(b"." + part if part.startswith(b".") else part for part in data.splitlines(keepends=True)) + b".\r\n" if b"\r\n." in b"\r\n" + data else data + b".\r\n"


def pipe(a, b):
    """Octets from one to the other until that ends."""
    try:
        while True:
            octets = a.recv(65536)
            if not octets:
                break
            b.sendall(octets)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Way:
    """One session through a proxy."""
    def __init__(self, proxy, client, server):
        self.proxy, self.place, self.client, self.server = proxy, proxy.place, client, server
        self.mutant, self.sender, self.rcpts, self.notes = proxy.gang.mutant, b"", [], {}

    def forward(self, line):
        self.server.send(line)
        return self.server.reply()

    def greet(self):
        self.client.send(self.server.reply())
        self.mutant.connect(self)

    def ehlo(self, line):
        lines = self.forward(line).splitlines(keepends=True)
        kept = [x for x in lines if not x[4:].upper().startswith(HIDDEN)]
        kept[-1] = kept[-1][:3] + b" " + kept[-1][4:]
        self.client.send(b"".join(kept))

    def content(self):
        out = []
        while True:
            line = self.client.line()
            if line == b".\r\n":
                return b"".join(out)
            out.append(line[1:] if line.startswith(b".") else line)

    def data(self, line):
        reply = self.forward(line) if self.notes.get("upstream", True) else b"354 go on\r\n"
        if not reply.startswith(b"354"):
            self.client.send(reply)
            return
        self.client.send(reply)
        data = self.content()
        went = self.mutant.data(self, data)
        if went is None:
            reply = b""
            if self.notes.get("upstream", True):
                raise Closed  # a message that was begun and must not arrive
        else:
            self.server.send(stuffed(went))
            reply = self.server.reply()
        self.client.send(self.mutant.answer(self, data, reply) or b"250 2.0.0 taken\r\n")

    def command(self, line):
        verb = line[:4].upper()
        own = self.mutant.line(self, line)
        if own is not None:
            self.client.send(own)
        elif verb == b"EHLO":
            self.ehlo(line)
        elif verb == b"DATA":
            self.data(line)
        else:
            reply = self.forward(line)
            if verb == b"MAIL":
                self.sender, self.rcpts = line.split(b":", 1)[1].split(b">")[0].strip(b" <"), []
            elif verb == b"RCPT":
                address = line.split(b":", 1)[1].split(b">")[0].strip(b" <")
                reply = self.mutant.rcpt(self, line, reply)
                if reply.startswith(b"2"):
                    self.rcpts.append(address)
            self.client.send(reply)
            if verb == b"QUIT":
                raise Closed

    def run(self):
        self.greet()
        while True:
            self.command(self.client.line())


class Proxy:
    def __init__(self, gang, place, port, target):
        self.gang, self.place, self.target = gang, place, target
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    to = socket.create_connection(("127.0.0.1", proxy.target), 30)
                except OSError:
                    return
                to.settimeout(None)
                if gang.mutant is None:
                    back = threading.Thread(target=pipe, args=(to, self.request), daemon=True)
                    back.start()
                    pipe(self.request, to)
                    back.join()
                    return to.close()
                client, server = Lines(self.request), Lines(to)
                try:
                    Way(proxy, client, server).run()
                except (Closed, OSError):
                    pass
                finally:
                    client.close()
                    server.close()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, request_queue_size = True, True, 128
        self.server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Gang:
    """All proxies of one gateway, and the mutant that they play."""
    def __init__(self):
        self.mutant, self.proxies = None, []

    def add(self, place, port, target):
        self.proxies.append(Proxy(self, place, port, target))

    def stop(self):
        for p in self.proxies:
            p.stop()
