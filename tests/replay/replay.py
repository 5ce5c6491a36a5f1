"""Scenarios (*.rpl) of a scripted mail host and a clock that can be put forward: what the gateway's client says, what it is answered, and what becomes of each recipient.

A file has scenarios, a line a step; "#" begins a comment line.
  scenario WORDS            begins one; its recipients have a domain of their own, with the MX hosts first and second
  settings TEXT             configuration of the gateway, e.g. relay-tls = encrypt; scenarios with the same settings and clocks share a gateway
  partner                   the domain is a listed partner of the gateway: its statement is asked for
  to a b                    the recipients (default: a); one message goes to all of them
  then b                    the recipients of one more message, which is sent when a host is at `next`; one `next` for each `then`
  connection [second]       what the host does in its next connection:
    > TEXT                  sends a line             >> TEXT   sends octets, with \\r \\n \\0 \\xNN
    < TEXT                  reads a line that begins so
    hello [KEYWORD ...]     greeting, EHLO, a reply with these keywords
    upto MAIL|RCPT|DATA|END hello and a transaction, good so far, with one RCPT for each of `to`; the command is read, its answer is the next step
    .                       reads the content up to the lone dot          bdat      reads chunks and their BDAT up to the last
    bdat half               reads one BDAT and the first octet of its chunk
    tls                     handshake as a server    tlsfails   one that the client must break off    broken     octets that are no TLS
    close  reset            ends the connection      wait       until the client ends it              later      until the clock was put forward
  clock 10m                 puts the clock of the gateway forward (s, m, h, d); without a `want` before it as soon as the host is at `wait` or `later`
  want a delivered|waits|failed [STATUS] "words"      state, enhanced status code, words of the reason; failed: and the sender has a report that says so
  want a ... report delayed                           and a report of delay was sent
"""
import os
import re
import shlex
import socket
import ssl
import struct
import subprocess
import threading
import time

from clock import Clock
from gateway import Gateway, free_ports, wait_for
from nexthop import Authority, Nsd
from nexthop_cases import CLEAR
from sink import Sink

HERE = os.path.dirname(os.path.abspath(__file__))
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
STATES = {"delivered": ("done", "delivered"), "waits": ("queued", None), "failed": ("done", None)}


class Scenario:
    def __init__(self, number, name, place):
        self.number, self.name, self.place = number, name, place
        self.partner = False
        self.settings, self.to, self.scripts, self.after, self.errors = "", ["a"], {"first": [], "second": []}, [], []
        self.domain = f"s{number}.replay.example"
        self.sender = f"doctor{number}@hospital.example"
        self.used = {"first": 0, "second": 0}
        self.more, self.next = [], threading.Semaphore(0)  # recipients of each `then`; how often a host was at `next`
        self.idle, self.forwarded = threading.Event(), threading.Event()  # a host only waits; the clock was put forward

    def clocks(self):
        """How far the clock is put forward, each time."""
        return tuple(what for kind, what, _ in self.after if kind == "clock")

    def phases(self):
        """What is wanted before the first clock, between, and after the last."""
        out = [[]]
        for kind, what, place in self.after:
            if kind == "clock":
                out.append([])
            else:
                out[-1].append((what, place))
        return out

    def ip(self, which):
        return f"127.{1 if which == 'first' else 2}.0.{self.number}"

    def fail(self, words):
        self.errors.append(words)


def read(path, first):
    out, script = [], None
    with open(path) as f:
        for n, line in enumerate(f, 1):
            line, place = line.strip(), f"{os.path.basename(path)}:{n}"
            word, _, rest = line.partition(" ")
            if not line or line.startswith("#"):
                continue
            if word == "scenario":
                out.append(Scenario(first + len(out), rest, place))
            elif word == "settings":
                out[-1].settings += rest + "\n"
            elif word == "partner":
                out[-1].partner = True
            elif word == "to":
                out[-1].to = rest.split()
            elif word == "then":
                out[-1].more.append(rest.split())
            elif word == "connection":
                script = []
                out[-1].scripts[rest or "first"].append(script)
            elif word == "clock":
                out[-1].after.append(("clock", int(rest[:-1]) * UNITS[rest[-1]], place))
            elif word == "want":
                words = shlex.split(rest)
                out[-1].after.append(("want", words, place))
            else:
                assert word in (">", ">>", "<", ".", "bdat", "hello", "upto", "tls", "tlsfails", "broken", "close", "reset", "wait", "later", "next"), f"{place}: what is {word!r}?"
                script.append((word, rest, place))
    return out


class Conn:
    def __init__(self, scenario, sock, tls):
        self.s, self.scenario, self.tls = sock, scenario, tls
        self.f = sock.makefile("rb")

    def say(self, octets):
        self.s.sendall(octets)

    def line(self, want):
        got = self.f.readline(65536)
        if not got.upper().startswith(want.upper().encode()):
            raise AssertionError(f"wanted {want!r}, got {got!r}")

    def hello(self, words):
        self.say(b"220 mx.test ESMTP\r\n")
        self.line("EHLO")
        lines = ["mx.test", *words]
        self.say("".join(f"250{' ' if i + 1 == len(lines) else '-'}{w}\r\n" for i, w in enumerate(lines)).encode())

    def upto(self, stage):
        self.hello([])
        self.line("MAIL FROM:")
        if stage == "MAIL":
            return
        self.say(b"250 2.1.0 ok\r\n")
        for n in range(len(self.scenario.to)):
            self.line("RCPT TO:")
            if stage == "RCPT":
                return
            self.say(b"250 2.1.5 ok\r\n")
        self.line("DATA")
        if stage == "DATA":
            return
        self.say(b"354 go on\r\n")
        self.content()

    def content(self):
        while True:
            got = self.f.readline(65536)
            if not got:
                raise AssertionError("the content was cut off")
            if got == b".\r\n":
                return

    def chunks(self, half):
        words = [b""]
        while words[-1].upper() != b"LAST":
            words = self.f.readline(65536).split()
            if len(words) < 2 or words[0].upper() != b"BDAT":
                raise AssertionError(f"wanted BDAT, got {words!r}")
            want = 1 if half else int(words[1])
            if len(self.f.read(want)) != want:
                raise AssertionError("a chunk was cut off")
            if half:
                return

    def play(self, script):
        for word, rest, place in script:
            if word == ">":
                self.say(rest.encode() + b"\r\n")
            elif word == ">>":
                self.say(rest.encode("latin-1").decode("unicode_escape").encode("latin-1"))
            elif word == "<":
                self.line(rest)
            elif word == ".":
                self.content()
            elif word == "bdat":
                self.chunks(rest == "half")
            elif word == "hello":
                self.hello(rest.split())
            elif word == "upto":
                self.upto(rest)
            elif word == "broken":
                self.say(b"no TLS here " * 50)
            elif word == "tls":
                self.s = self.tls.wrap_socket(self.s, server_side=True)
                self.f = self.s.makefile("rb")
            elif word == "reset":
                self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            elif word == "close":
                return
            elif word == "tlsfails":
                try:
                    self.tls.wrap_socket(self.s, server_side=True).recv(1)
                except (ssl.SSLError, OSError):
                    return
                raise AssertionError("the handshake was accepted")
            elif word == "next":
                self.scenario.next.release()
            elif word == "later":
                self.scenario.idle.set()
                if not self.scenario.forwarded.wait(30):
                    raise AssertionError("the clock was not put forward")
            elif word == "wait":
                self.scenario.idle.set()
                while self.f.read(4096):
                    pass


class Host:
    """One MX host of a scenario: plays its scripts, a connection after the other."""
    def __init__(self, scenario, which, port, tls):
        self.scenario, self.which, self.tls = scenario, which, tls
        self.over = threading.Condition()
        self.ended = 0
        self.sock = socket.create_server((scenario.ip(which), port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        scripts = self.scenario.scripts[self.which]
        while True:
            try:
                s, _ = self.sock.accept()
            except OSError:
                return
            n = self.scenario.used[self.which]
            self.scenario.used[self.which] += 1
            if n >= len(scripts):
                self.scenario.fail(f"connection {n + 1} to the {self.which} host was not foreseen")
                s.close()
                continue
            conn = Conn(self.scenario, s, self.tls)
            try:
                conn.play(scripts[n])
            except (AssertionError, OSError) as e:
                self.scenario.fail(f"{self.which} host, connection {n + 1}: {e}")
            conn.f.close()
            conn.s.close()
            with self.over:
                self.ended += 1
                self.over.notify_all()


class ClockedGateway(Gateway):
    def launch(self, command, **kw):
        self.clock = Clock(os.path.join(self.dir, "clock"))
        kw["env"] = self.clock.environment(kw["env"])
        return super().launch(command, **kw)

    @property
    def ahead(self):
        return self.clock.ahead

    def forward(self, seconds):
        self.clock.forward(seconds)


class Stage:
    """What all scenarios of a run share: name server, certificate, inside server."""
    def __init__(self, top, scenarios):
        self.top, self.port, self.inside = top, free_ports(1)[0], Sink()
        self.nsd = Nsd(top)
        records = []
        for s in scenarios:
            n, hosts = s.number, ["first"] + (["second"] if s.scripts["second"] else [])
            records += [f"s{n} MX {10 * (i + 1)} {h}{n}" for i, h in enumerate(hosts)] + [f"{h}{n} A {s.ip(h)}" for h in hosts]
        self.nsd.zone("replay.example", records)
        self.nsd.start()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(*Authority(top).issue("mx.test"))
        self.count = 0

    def gateway(self, settings, kept):
        """kept: connections wait for the next mail as long as the scenarios before it take."""
        self.count += 1
        g = ClockedGateway(self.top, f"gw{self.count}", "hospital.example", self.inside.address, settings=f"{CLEAR}mx-port = {self.port}\n{settings}",
                           sections=self.nsd.settings() + "mta-sts {\n  enabled = no\n}\n" + ("smtp-client {\n  idle-time = 10m\n}\n" if kept else ""))
        g.start()
        g.make_identity()
        g.wait_log(r"judge statement domain=hospital\.example")
        return g

    def stop(self):
        self.nsd.stop()


def send(g, s, locals_of):
    import smtplib
    with smtplib.SMTP("127.0.0.1", g.inside, timeout=60) as c:
        to = [f"{r}@{s.domain}" for r in locals_of]
        refused = c.sendmail(s.sender, to, f"From: {s.sender}\r\nTo: {', '.join(to)}\r\nSubject: {s.number}\r\n\r\ntext\r\n.\r\n")
        assert not refused, refused


def recipient(g, s, local):
    for m in g.queue(match=s.domain):
        for r in m["recipients"]:
            if r["address"] == f"{local}@{s.domain}":
                return r
    return {"state": "?", "outcome": None}


def reports(stage, s, local, action):
    address = f"{local}@{s.domain}".encode()
    return [m for m in list(stage.inside.mails) if m.rcpts == [s.sender] and re.search(rb"Final-Recipient: rfc822; ?" + re.escape(address) + rb"\r\n(?:[^\r\n]+\r\n)*?Action: " + action, m.data)]


def check(stage, g, s, words, place):
    local, state, *rest = words
    wanted_report = rest[-1] if len(rest) > 1 and rest[-2] == "report" else None
    rest = rest[:-2] if wanted_report else rest
    status = rest[0] if rest and re.fullmatch(r"[245]\.\d+\.\d+", rest[0]) else None
    text = rest[-1] if rest and rest[-1] != status else ""

    def there():
        r = recipient(g, s, local)
        if r["state"] == "?" or r["state"] == "active":
            return None
        return r if r["state"] != "queued" or r.get("reason") and (state != "delivered" or not g.ahead) or s.errors else None
    try:
        r = wait_for("an outcome", 30, there)
        wait_for(f"{state}, {text!r}", 20, lambda: s.errors or fits(recipient(g, s, local), state, status, text))
    except AssertionError as e:
        s.fail(f"{place}: {local}: {e}; it is {recipient(g, s, local)}")
        return
    r = recipient(g, s, local)
    if not fits(r, state, status, text):
        s.fail(f"{place}: {local} is {r}")
    try:
        if state == "failed":
            wait_for("the report of failure", 20, lambda: reports(stage, s, local, b"failed"))
        elif reports(stage, s, local, b"failed"):
            s.fail(f"{place}: {local}: a failure was reported though it {state}")
        if wanted_report:
            wait_for(f"the report of {wanted_report}", 20, lambda: reports(stage, s, local, wanted_report.encode()))
    except AssertionError as e:
        s.fail(f"{place}: {local}: {e}")


def fits(r, state, status, text):
    want_state, want_outcome = STATES[state]
    outcome = r.get("outcome")
    if r["state"] != want_state or (want_outcome and outcome != want_outcome) or (state == "failed" and outcome not in ("bounced", "expired")):
        return False
    return (not status or r.get("status") == status) and text in (r.get("reason") or "")


def play(stage, g, scenarios):
    hosts = {s.number: [Host(s, w, stage.port, stage.tls) for w in ("first", "second") if w == "first" or s.scripts["second"]] for s in scenarios}
    for s in scenarios:
        if s.partner:
            g.postern("partner", "add", s.domain, "--treatment", "clear", "--strength", "never")
    for s in scenarios:
        send(g, s, s.to)
    for s in scenarios:
        for to in s.more:
            if s.next.acquire(timeout=30):
                send(g, s, to)
            else:
                s.fail(f"no host was ready for the message to {', '.join(to)} in 30 s")
    for n, seconds in enumerate((0,) + scenarios[0].clocks()):
        if n == 1:
            for s in scenarios:
                if not s.phases()[0] and not s.idle.wait(30):
                    s.fail("the host was not reached in 30 s")
        if n > 0:
            g.forward(seconds)
            for s in scenarios:
                s.forwarded.set()
            g.cli("status")  # wakes the relay
        for s in scenarios:
            for what, place in s.phases()[n]:
                check(stage, g, s, what, place)
    for s in scenarios:
        for h in hosts[s.number]:
            h.sock.close()
            if s.used[h.which] < len(s.scripts[h.which]):
                s.fail(f"connection {s.used[h.which] + 1} to the {h.which} host did not come")
    return [f"{s.place} {s.name}: {e}" for s in scenarios for e in s.errors[:3]]


def run(top, *files):
    scenarios = []
    for name in files:
        scenarios += read(os.path.join(HERE, name), len(scenarios) + 1)
    assert len(scenarios) < 255
    stage, bad = Stage(top, scenarios), []
    try:
        for settings, clocks in sorted({(s.settings, s.clocks()) for s in scenarios}):
            group = [s for s in scenarios if s.settings == settings and s.clocks() == clocks]
            g = stage.gateway(settings, any(s.more for s in group))
            bad += play(stage, g, group)
            g.stop()
    finally:
        stage.stop()
    print(f"  {len(scenarios)} scenarios, {len(bad)} went otherwise")
    assert not bad, "\n".join(bad)
