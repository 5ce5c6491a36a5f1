"""Sending and pairs of gateways, shared by the end-to-end tests."""
import smtplib
import socket

from gateway import Gateway
from sink import Sink


def quick(test):
    """Marks a test that also runs under sanitizers."""
    test.quick = True
    return test


def message(sender, rcpt, subject, body="hello\r\n", extra=""):
    """A message with CRLF lines as bytes."""
    text = f"From: {sender}\r\nTo: {rcpt}\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\nMessage-ID: <{subject.replace(' ', '.')}@test>\r\n{extra}\r\n"
    return text.encode() + (body if isinstance(body, bytes) else body.encode())


def send(port, sender, rcpts, data, helo="client.test", options=(), raw=False):
    """One transaction; (code, text) of the step that ended it. data bytes with CRLF lines (dots are doubled here)."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname=helo, timeout=90) as s:
        s.ehlo()
        code, text = s.mail(sender, list(options))
        if code != 250:
            return code, text.decode()
        for r in [rcpts] if isinstance(rcpts, str) else rcpts:
            code, text = s.rcpt(r)
            if code != 250:
                return code, text.decode()
        code, text = s.data(data)
        return code, text.decode()


class Talk:
    """A raw SMTP session for what smtplib would not send. port: of 127.0.0.1, or (address, port)."""
    def __init__(self, port, timeout=30, source=None):
        self.s = socket.create_connection(port if isinstance(port, tuple) else ("127.0.0.1", port), timeout=timeout, source_address=(source, 0) if source else None)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.f = self.s.makefile("rb")
        self.greeting = self.reply()

    def reply(self):
        lines = []
        while True:
            line = self.f.readline()
            if not line:
                return None
            lines.append(line.decode("latin-1").rstrip("\r\n"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    def say(self, octets):
        self.s.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))

    def ask(self, line):
        self.say(line + "\r\n" if isinstance(line, str) else line)
        return self.reply()

    def close(self):
        self.f.close()
        self.s.close()


def pair(top, trust=True, strength="require", settings="", domain_settings="", sections="", log_level="info"):
    """hospital.example and lab.example with keys, trusting each other, a sink behind each. (hospital, lab, hospital_sink, lab_sink)"""
    hs, ls = Sink(), Sink()
    hospital = Gateway(top, "hospital", "hospital.example", hs.address, "127.0.0.1:1", settings=settings, domain_settings=domain_settings, sections=sections, log_level=log_level)
    lab = Gateway(top, "lab", "lab.example", ls.address, f"127.0.0.1:{hospital.outside}", settings=settings, domain_settings=domain_settings, sections=sections, log_level=log_level)
    hospital.next_hop = f"127.0.0.1:{lab.outside}"
    hospital.write_conf()
    for g in (hospital, lab):
        g.start(wait=False)
    for g in (hospital, lab):
        g.wait_ready()
        g.make_identity()
    if trust:
        hospital.trust(lab, "--treatment", "seal", "--strength", strength)
        lab.trust(hospital, "--treatment", "seal", "--strength", strength)
    return hospital, lab, hs, ls


def solo(top, settings="", domain_settings="", sections="", identity=("--self-signed",), start=True, **more):
    """hospital.example alone, with keys, between a sink inside and a sink that is the world outside. (gateway, inside sink, outside sink)"""
    inside, outside = Sink(), Sink()
    gw = Gateway(top, "hospital", "hospital.example", inside.address, outside.address, settings=settings, domain_settings=domain_settings, sections=sections, **more)
    if start:
        gw.start()
        gw.make_identity(*identity)
    return gw, inside, outside
