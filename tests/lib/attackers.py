"""Those who stand between two gateways, or hold something that they should not: a mail host that answers XSMG as it likes, and SignedData taken apart and put together by someone without a key."""
import base64
import hashlib
import select
import smtplib
import socket
import ssl
import threading

from nexthop import MailHost
from statements import b64url


def der_length(n):
    if n < 128:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([128 + len(octets)]) + octets


class Der:
    """One element: its tag, and what is in it (octets, or elements where it is constructed)."""
    def __init__(self, tag, inside):
        self.tag, self.inside = tag, inside

    def octets(self):
        body = self.inside if isinstance(self.inside, bytes) else b"".join(e.octets() for e in self.inside)
        return bytes([self.tag]) + der_length(len(body)) + body

    def __getitem__(self, i):
        return self.inside[i]


def read_all(octets):
    out = []
    while octets:
        n, at = octets[1], 2
        if n > 127:
            at += n - 128
            n = int.from_bytes(octets[2:at], "big")
        body = octets[at:at + n]
        out.append(Der(octets[0], read_all(body) if octets[0] & 0x20 else body))
        octets = octets[at + n:]
    return out


class Signed:
    """A statement taken apart."""
    def __init__(self, octets):
        self.top = read_all(octets)[0]
        self.data = self.top[1][0]
        self.content_der, self.certificates, self.signers = self.data[2][1][0], self.data[3], self.data[4]

    @property
    def content(self):
        return self.content_der.inside

    def octets(self):
        return self.top.octets()


def with_content(octets, old, new):
    """Something in the content is another thing now; nobody signed that."""
    s = Signed(octets)
    assert old in s.content
    s.content_der.inside = s.content.replace(old, new)
    return s.octets()


def appended(octets, others):
    """The signer of others (of the same content) and its certificates stand there too."""
    s, o = Signed(octets), Signed(others)
    assert s.content == o.content
    s.signers.inside = sorted(s.signers.inside + o.signers.inside, key=Der.octets)
    have = {c.octets() for c in s.certificates.inside}
    s.certificates.inside = sorted(s.certificates.inside + [c for c in o.certificates.inside if c.octets() not in have], key=Der.octets)
    return s.octets()


def stripped(octets, alone):
    """Without the signer that alone (signed by one key) has."""
    s, who = Signed(octets), Signed(alone).signers[0][1].octets()
    left = [i for i in s.signers.inside if i[1].octets() != who]
    assert len(left) == len(s.signers.inside) - 1
    s.signers.inside = left
    return s.octets()


def get_reply(octets, ident=None):
    """The lines of the reply to GET that hand out this statement."""
    text, ident = base64.b64encode(octets).decode(), ident or b64url(hashlib.sha256(Signed(octets).content).digest())
    return [f"250-2.0.0 statement {ident} {len(octets)}", *("250-2.0.0 " + text[i:i + 76] for i in range(0, len(text), 76)), "250 2.0.0 end"]


class Mx(MailHost):
    """The mail host of many domains. says[domain]: octets of a statement for GET, or the reply's lines."""
    def __init__(self, address, port, cert):
        self.says, self.asked, self.put = {}, [], []
        super().__init__(address, port, cert, offers=("PIPELINING", "8BITMIME", "XSMG 1"))

    def other(self, session, line):
        words = line.split()
        if words[:2] == ["XSMG", "GET"]:
            self.asked.append(words[2])
            for reply in self.answer(words[2], words[3] if len(words) > 3 else ""):
                session.say(reply)
        elif words[:2] == ["XSMG", "PUT"]:
            session.say("354 send statement")
            while session.rfile.readline() not in (b".\r\n", b""):
                pass
            self.put.append(words[2])
            session.say("250 2.0.0 received")
        else:
            super().other(session, line)

    def answer(self, domain, held):
        said = self.says.get(domain)
        if said is None:
            return [f"250 2.0.0 current {held}"] if held else ["550 5.1.2 not here"]
        if isinstance(said, list):
            return said
        return get_reply(said)


def end(connection):
    """Ends a connection under TLS, for whoever reads from it."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        pass


def there(connection):
    """What has come under TLS: None is nothing for the reader (tickets, part of a record), b"" the end."""
    connection.settimeout(0)
    try:
        return connection.recv(65536)
    except ssl.SSLWantReadError:
        return None
    finally:
        connection.settimeout(60)


class Between:
    """A man in the middle of SMTP sessions: ends TLS on both sides and passes everything on but what line(line) makes of the server's lines inside TLS (None: nothing)."""
    def __init__(self, address, port, cert, to):
        self.cert, self.to, self.line, self.lines, self.open = cert, to, lambda line: line, [], []
        self.sock = socket.create_server((address, port), backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.session, args=(client,), daemon=True).start()

    def session(self, client):
        try:
            server = socket.create_connection(self.to)
        except OSError:
            client.close()
            return
        try:
            from_client, from_server = client.makefile("rb"), server.makefile("rb")

            def reply():
                got = from_server.readline()
                client.sendall(got)
                while got[3:4] == b"-":
                    got = from_server.readline()
                    client.sendall(got)
            reply()
            line = b""
            while line.strip().upper() != b"STARTTLS":
                line = from_client.readline()
                if not line:
                    return
                server.sendall(line)
                reply()
            inside, outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
            inside.load_cert_chain(*self.cert)
            outside.check_hostname, outside.verify_mode = False, ssl.CERT_NONE
            server, client = outside.wrap_socket(server), inside.wrap_socket(client, server_side=True)
            self.open.append(server)
            self.pass_on(client, server)
        except OSError:
            pass
        end(client)
        end(server)

    def pass_on(self, client, server):
        """Both ways in one thread: a TLS connection is not made for two."""
        rest = b""
        while True:
            for side in [s for s in (client, server) if s.pending()] or select.select((client, server), (), ())[0]:
                octets = there(side)
                if octets == b"":
                    return
                if octets and side is client:
                    server.sendall(octets)
                elif octets:
                    *lines, rest = (rest + octets).split(b"\n")
                    self.lines += [line.decode("latin-1").strip() for line in lines]
                    client.sendall(b"".join(self.line(line + b"\n") or b"" for line in lines))

    def cut(self):
        """Ends the sessions there are: the next mail begins one with EHLO."""
        while self.open:
            end(self.open.pop())

    def close(self):
        self.sock.close()


class Meddler(Between):
    """A man in the middle who has other words for XSMG. get: None, or get(domain) -> the lines of the reply (an empty one ends the session there); put: None, or octets handed over instead."""
    def __init__(self, *args):
        self.get, self.put, self.met = None, None, []
        super().__init__(*args)

    def pass_on(self, client, server):
        up, down, asked, taking, answering = b"", b"", [], False, False
        while True:
            for side in [s for s in (client, server) if s.pending()] or select.select((client, server), (), ())[0]:
                octets = there(side)
                if octets == b"":
                    return
                if octets is None:
                    continue
                if side is client:
                    *lines, up = (up + octets).split(b"\n")
                    for line in lines:
                        taking = self.from_client(line + b"\n", taking, asked, server)
                    if up and not b"XSMG".startswith(up[:4]) and not taking:
                        server.sendall(up)
                        up = b""
                    continue
                *lines, down = (down + octets).split(b"\n")
                for line in lines:
                    self.lines.append(line.decode("latin-1").strip())
                    begins = line.startswith((b"250-2.0.0 statement ", b"250 2.0.0 current ")) and asked
                    if begins:
                        instead = self.get and self.get(asked.pop(0))
                        answering = instead is not None and line[3:4] == b"-"
                        if instead is not None:
                            self.met.append("GET")
                            for said in instead:
                                if not said:
                                    return
                                client.sendall(said.encode() + b"\r\n")
                            continue
                    if answering:
                        answering = not line.startswith(b"250 2.0.0 end")
                    else:
                        client.sendall(self.line(line + b"\n") or b"")

    def from_client(self, line, taking, asked, server):
        """One line of the client; true while what it hands over is not passed on."""
        words = line.split()
        if taking:
            if line.strip() == b".":
                text = base64.b64encode(self.put)
                server.sendall(b"".join(text[i:i + 76] + b"\r\n" for i in range(0, len(text), 76)) + b".\r\n")
                return False
            return True
        if words[:2] == [b"XSMG", b"GET"]:
            asked.append(words[2].decode())
        if words[:2] == [b"XSMG", b"PUT"] and self.put:
            self.met.append("PUT")
            server.sendall(b"XSMG PUT %s %d\r\n" % (words[2], len(self.put)))
            return True
        server.sendall(line)
        return False


class SmartHost(MailHost):
    """Takes mail, knows nothing of XSMG, and hands it to the next hop."""
    def __init__(self, address, port, cert, to):
        self.to, self.passed = to, 0
        super().__init__(address, port, cert)

    def keep_over(self, sender, rcpts, body, tls):
        super().keep_over(sender, rcpts, body, tls)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP(*self.to, local_hostname="smart.host.test", timeout=60) as s:
            s.starttls(context=context)
            s.sendmail(sender, rcpts, body)
        self.passed += 1
