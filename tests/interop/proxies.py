"""SMTP proxies around a gateway under test, on the four ways that mail takes; plain pipes while gang.mutants is None. Else TLS is not offered to the gateway through them, nor is CHUNKING to
anybody: what is changed must be seen. TLS that the kit asks the gateway for is a pipe from STARTTLS on.

out: gateway -> the kit's outside sink; in: gateway -> the kit's inside sink; to-out: kit -> the gateway's outside listener; to-in: kit -> its inside listener.

Many mutants stand in the same proxies at the same time, one a case: each touches only the mail of its case, which names the case's partner domain.
"""
import re
import socket
import socketserver
import threading

HIDDEN = (b"CHUNKING", b"BINARYMIME", b"PIPELINING", b"REQUIRETLS")
CASE = re.compile(rb"(?<![a-z0-9])((?:smg1|smg2|smime4|find|trust|hostile)-[a-z0-9-]+)\.")
LARGEST = 1 << 25


class Mutant:
    """A gateway without a fault; each mutant overrides what it does wrong."""
    def ehlo(self, way, lines):
        """The lines of the reply to EHLO in clear. For all sessions: nobody knows a case yet."""
        return lines

    def line(self, way, line):
        """A command of the case before it goes on; what is returned is a reply of the proxy's own, None: it goes on."""
        return None

    def rcpt(self, way, line, reply):
        """The reply to RCPT that the client sees; reply is the server's."""
        return reply

    def data(self, way, data):
        """What goes on in the place of the message (Raw: as it stands), None: nothing (then answer() makes the reply of b"")."""
        return data

    def answer(self, way, data, reply):
        """The reply to the message. data: as the client sent it."""
        return reply

    def starttls(self, way):
        """Does this one end TLS itself? What came in clear behind the command stands in way.client.rest."""
        return False

    def zone_port(self, name):
        """Port of a name server of its own for the question after this name."""
        return None

    def dns(self, name, answer):
        """An answer of the kit's name server to a question about the case, as it goes to the gateway."""
        return answer

    def stop(self):
        """Ends what it started."""


class Raw(bytes):
    """Octets behind DATA with their dots and their end, as they go over the wire."""


class Closed(Exception):
    pass


class Lines:
    """A socket as lines."""
    def __init__(self, sock):
        self.sock, self.rest = sock, b""

    def line(self):
        while b"\n" not in self.rest:
            octets = self.sock.recv(1 << 16)
            if not octets or len(self.rest) > LARGEST:
                raise Closed
            self.rest += octets
        line, _, self.rest = self.rest.partition(b"\n")
        return line + b"\n"

    def content(self):
        """What follows DATA, to CRLF.CRLF and nothing less."""
        at, end = 0, b".\r\n"
        while True:
            if self.rest.startswith(end):
                end_at = 3
                break
            found = self.rest.find(b"\r\n" + end, at)
            if found >= 0:
                end_at = found + 5
                break
            at = max(0, len(self.rest) - 5)
            octets = self.sock.recv(1 << 16)
            if not octets or len(self.rest) > LARGEST:
                raise Closed
            self.rest += octets
        raw, self.rest = self.rest[:end_at], self.rest[end_at:]
        return Raw(raw)

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
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def unstuffed(raw):
    return re.sub(rb"(\A|\r\n)\.", rb"\1", raw[:-3])


def stuffed(data):
    return Raw(re.sub(rb"(\A|\r\n)\.", rb"\1..", data if data.endswith(b"\r\n") else data + b"\r\n") + b".\r\n")


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


def pipes(a, b):
    back = threading.Thread(target=pipe, args=(b, a), daemon=True)
    back.start()
    pipe(a, b)
    back.join()


class Way:
    """One session through a proxy."""
    def __init__(self, proxy, client, server):
        self.gang, self.place, self.client, self.server = proxy.gang, proxy.place, client, server
        self.reset(b"")

    def reset(self, sender):
        """A transaction begins. notes: the mutant's own; upstream: does the server take part in it?"""
        self.mutant, self.sender, self.rcpts, self.notes, self.upstream = Mutant(), sender, [], {}, True

    def notice(self, octets):
        """Which case is this? The first one named counts for the transaction."""
        if type(self.mutant) is Mutant:
            for m in CASE.finditer(octets):
                if m.group(1).decode() in self.gang.mutants:
                    self.mutant = self.gang.mutants[m.group(1).decode()]
                    return

    def forward(self, line):
        self.server.send(line)
        return self.server.reply()

    def ehlo(self, line):
        hidden = HIDDEN if self.place in ("to-in", "to-out") else HIDDEN + (b"STARTTLS", b"XSMG")
        kept = [x for x in self.forward(line).splitlines(keepends=True) if not x[4:].upper().startswith(hidden)]
        for m in self.gang.mutants.values():
            kept = m.ehlo(self, kept)
        self.client.send(b"".join(x[:3] + b"-" + x[4:] for x in kept[:-1]) + kept[-1][:3] + b" " + kept[-1][4:])

    def data(self, line):
        reply = self.forward(line) if self.upstream else b"354 go on\r\n"
        self.client.send(reply)
        if not reply.startswith(b"354"):
            return
        raw = self.client.content()
        data = unstuffed(raw)
        self.notice(data)
        went = self.mutant.data(self, data)
        if went is None:
            reply = b""
            if self.upstream:
                raise Closed  # a message that was begun and must not arrive
        else:
            self.server.send(raw if went is data else went if isinstance(went, Raw) else stuffed(went))
            reply = self.server.reply()
        self.client.send(self.mutant.answer(self, data, reply) or b"250 2.0.0 taken\r\n")

    def envelope(self, line):
        verb = line[:4].upper()
        address = line.partition(b":")[2].split(b">")[0].strip(b" <\r\n")
        if verb == b"MAIL":
            if not self.upstream:  # the server still waits for the rest of a transaction
                self.forward(b"RSET\r\n")
            self.reset(address)
        self.notice(line)
        reply = self.mutant.line(self, line) or self.forward(line)
        if verb == b"RCPT":
            reply = self.mutant.rcpt(self, line, reply)
            if reply.startswith(b"2"):
                self.rcpts.append(address)
        self.client.send(reply)

    def starttls(self, line):
        self.notice(self.client.rest)
        if self.mutant.starttls(self):
            return
        self.server.send(line + self.client.rest)  # what came behind it in clear goes on as it came
        reply = self.server.reply()
        self.client.send(reply)
        if reply.startswith(b"2"):
            self.client.send(self.server.rest)
            pipes(self.client.sock, self.server.sock)
            raise Closed

    def command(self, line):
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.ehlo(line)
        elif verb == b"DATA":
            self.data(line)
        elif verb in (b"MAIL", b"RCPT"):
            self.envelope(line)
        elif line[:8].upper() == b"STARTTLS":
            self.starttls(line)
        else:
            self.client.send(self.forward(line))
            if verb == b"QUIT":
                raise Closed

    def run(self):
        self.client.send(self.server.reply())
        while True:
            self.command(self.client.line())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128


class Proxy:
    def __init__(self, gang, place, port, target):
        self.gang, self.place, self.target = gang, place, target
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                proxy.session(self.request)
        self.server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def session(self, sock):
        try:
            to = socket.create_connection(("127.0.0.1", self.target), 30)
        except OSError:
            return
        to.settimeout(None)
        for s in (sock, to):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.gang.mutants is None:
            pipes(sock, to)
            to.close()
            return
        client, server = Lines(sock), Lines(to)
        try:
            Way(self, client, server).run()
        except (Closed, OSError):
            pass
        finally:
            client.close()
            server.close()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Gang:
    """All proxies of one gateway. mutants: case -> the mutant that touches its mail; None: pipes."""
    def __init__(self):
        self.mutants, self.proxies = None, []

    def add(self, place, port, target):
        self.proxies.append(Proxy(self, place, port, target))

    def dns_server(self, name):
        """Port of a name server of a mutant's own for a question, or None."""
        return next((p for m in (self.mutants or {}).values() for p in [m.zone_port(name)] if p), None)

    def dns_answer(self, name, answer):
        """The octets of an answer as mutants want them."""
        for case in CASE.findall(name.encode() + b"."):
            m = (self.mutants or {}).get(case.decode())
            answer = m.dns(name, answer) if m else answer
        return answer

    def stop(self):
        for p in self.proxies:
            p.stop()
