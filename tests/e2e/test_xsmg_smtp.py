"""XSMG in SMTP: every reply code of the verbs, said to a real gateway inside and outside TLS; and two gateways that find each other by MX, ask for and hand over statements beside mail."""
import base64
import hashlib
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess

from gateway import Gateway, wait_for
from mail import Talk, quick
from nexthop import Nsd
from nexthop_cases import CLEAR
from sink import Sink


class Tls(Talk):
    """A session that has said EHLO inside TLS."""
    def __init__(self, port, hello=True):
        super().__init__(port)
        self.ask("EHLO client.test")
        assert self.ask("STARTTLS")[:3] == "220"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.s = context.wrap_socket(self.s)
        self.f = self.s.makefile("rb")
        self.ehlo = self.ask("EHLO client.test") if hello else None

    def closed(self):
        try:
            return self.f.readline() == b""
        except OSError:
            return True


def gateway(top, name="hospital", settings="", outside="unlimited = {}", sections="", **kw):
    g = Gateway(top, name, name + ".example", Sink().address, settings=CLEAR + settings, outside_settings=outside, sections=sections, **kw)
    g.start()
    g.make_identity()
    wait_for("TLS to be offered", 20, lambda: "STARTTLS" in Talk(g.outside).ask("EHLO x"))
    return g


def statement(reply):
    """(id, octets) of the reply to GET."""
    lines = reply.split("\n")
    m = re.fullmatch(r"250-2\.0\.0 statement ([A-Za-z0-9_-]{43}) ([1-9][0-9]*)", lines[0])
    assert m and lines[-1] == "250 2.0.0 end", reply[:200]
    assert all(line.startswith("250-2.0.0 ") and len(line) <= 10 + 76 for line in lines[1:-1])
    der = base64.b64decode("".join(line[10:] for line in lines[1:-1]), validate=True)
    assert len(der) == int(m[2])
    return m[1], der


def content_of(top, der):
    """What is signed in it, as openssl reads it."""
    path = os.path.join(top, "statement.der")
    with open(path, "wb") as f:
        f.write(der)
    return subprocess.run(["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def own_statement(g):
    """Once it is made."""
    def got():
        reply = Tls(g.outside).ask(f"XSMG GET {g.domain}")
        return reply if reply.startswith("250") else None
    return statement(wait_for(f"the statement of {g.domain}", 30, got, every=0.3))


def lines_of(der, width=76):
    text = base64.b64encode(der).decode()
    return "".join(text[i:i + width] + "\r\n" for i in range(0, len(text), width))


@quick
def test_replies(top):
    g = gateway(top, outside="", settings="")
    ident, der = own_statement(g)
    assert ident == base64.urlsafe_b64encode(hashlib.sha256(content_of(top, der)).digest()).decode().rstrip("=")

    # where it is offered
    clear = Talk(g.outside)
    assert "XSMG" not in clear.ask("EHLO x")
    assert clear.ask(f"XSMG GET {g.domain}").startswith("530 5.7.0 ")
    inside = Talk(g.inside)
    assert "XSMG" not in inside.ask("EHLO x") and inside.ask(f"XSMG GET {g.domain}").startswith("500 5.5.2 ")
    t = Tls(g.inside)
    assert "XSMG" not in t.ehlo and t.ask(f"XSMG GET {g.domain}").startswith("500 5.5.2 ")
    t = Tls(g.outside, hello=False)
    assert t.ask(f"XSMG GET {g.domain}").startswith("503 5.5.1 ")
    t = Tls(g.outside)
    assert "250-XSMG 1" in t.ehlo.split("\n")

    # GET
    assert t.ask(f"XSMG GET {g.domain} {ident}") == f"250 2.0.0 current {ident}"
    assert statement(t.ask(f"xsmg get {g.domain.upper()} {'A' * 43}")) == (ident, der)
    assert t.ask("XSMG GET elsewhere.example").startswith("550 5.1.2 ")
    for wrong in ("", " GET", f" GET {g.domain} short", f" GET {g.domain} {'A' * 44}", f" GET {g.domain} {'+' * 43}", " GET [192.0.2.1]", f" POST {g.domain}"):
        assert t.ask("XSMG" + wrong).startswith("501 5.5.4 "), wrong
    t = Tls(g.outside)
    t.say(f"XSMG GET {g.domain} {ident}\r\nMAIL FROM:<a@lab.example>\r\nXSMG GET {g.domain}\r\nRSET\r\nNOOP\r\n")  # in one go
    assert [t.reply()[:9] for _ in range(5)] == ["250 2.0.0", "250 2.1.0", "503 5.5.1", "250 2.0.0", "250 2.0.0"]

    # PUT
    put = f"XSMG PUT lab.example {len(der)}"
    for width in (76, 64, 1):
        assert t.ask(put) == "354 send statement"
        text = lines_of(der, width) + ".\r\n"
        assert t.ask(text.encode()).startswith("250 2.0.0 received" if len(text) < 90000 else "552"), width
    for lines in ("", "AAAA\r\n", lines_of(der + b"x"), lines_of(der)[:-5] + "\r\n", lines_of(der).replace("M", "*", 1), lines_of(der, 77), " " + lines_of(der), lines_of(der).replace("\r\n", "\n") + "\r\n",
                  lines_of(der).replace("\r\n", " \r\n")):
        assert t.ask(put) == "354 send statement"
        assert t.ask((lines + ".\r\n").encode()).startswith("501 5.5.2 "), lines[:50]
        t = Tls(g.outside)
    assert t.ask("XSMG PUT lab.example 65537").startswith("552 5.3.4 ")
    for wrong in ("0", "-1", "x", "1234567", ""):
        assert t.ask("XSMG PUT lab.example " + wrong).startswith("501 5.5.4 "), wrong
    assert t.ask("NOOP").startswith("250 ")
    assert t.ask("XSMG PUT lab.example 65536") == "354 send statement"
    assert t.ask(("A" * 76 + "\r\n").encode() * 1200).startswith("552 5.3.4 ") and t.closed()
    t = Tls(g.outside)
    t.say("XSMG PUT lab.example 65537\r\nMAIL FROM:<evil@lab.example>\r\n")  # it may be a statement: not heard
    assert t.reply().startswith("552 5.3.4 ") and t.reply().startswith("421 4.7.0 ") and t.closed()
    t = Tls(g.outside)
    assert t.ask(f"XSMG PUT {g.domain} {len(der)}") == "354 send statement" and t.ask((lines_of(der) + ".\r\n").encode()) == "250 2.0.0 received"  # of ours: nothing is made of it

    # nobody is asked for what PUT handed over of a domain never met
    assert "lab.example" not in g.postern("pending", check=False)[1]


@quick
def test_not_now(top):
    """The judge does not answer; and time is up for who announces a statement and does not send it."""
    g = gateway(top, outside="", sections="smtp-server {\n  xsmg-deadline = 500ms\n  xsmg-timeout = 1s\n  xsmg-puts = 2\n}\n")
    own_statement(g)
    t, u, v = Tls(g.outside), Tls(g.outside), Tls(g.outside)
    assert t.ask("XSMG PUT lab.example 300") == "354 send statement"
    assert u.ask("XSMG PUT lab.example 300") == "354 send statement"
    assert v.ask("XSMG PUT lab.example 300").startswith("451 4.3.0 ")
    assert t.reply().startswith("421 4.4.2 ") and u.reply().startswith("421 4.4.2 ")
    assert v.ask("XSMG PUT lab.example 300") == "354 send statement"
    g.stop()
    g.start()
    t = Tls(g.outside)
    pid = g.roles()["judge"][0]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert t.ask(f"XSMG GET {g.domain}").startswith("451 4.3.0 ")
        assert t.ask("NOOP").startswith("250 ")
    finally:
        os.kill(pid, signal.SIGCONT)
    own_statement(g)


def test_limits(top):
    g = gateway(top, outside='unlimited = {"127.0.0.1"}')
    ident, _ = own_statement(g)
    g.stop()
    g.outside_settings = "unlimited = {}"
    g.write_conf()
    g.start()
    t = Tls(g.outside)
    got = [t.ask(f"XSMG GET {g.domain}")[:9] for _ in range(6)]
    assert got == ["250-2.0.0"] * 4 + ["450 4.7.1"] * 2, got
    assert t.ask("XSMG PUT lab.example 300")[:3] == "354"
    t.ask(b".\r\n")
    got = [Tls(g.outside).ask(f"XSMG GET x{i}.example")[:9] for i in range(15)]
    assert got == ["550 5.1.2"] * 13 + ["450 4.7.1"] * 2, got
    t.say(f"XSMG PUT lab.example 300\r\nMAIL FROM:<evil@lab.example>\r\n")
    assert t.reply().startswith("450 4.7.1 ") and t.reply().startswith("421 ") and t.closed()
    g.stop()


def test_off(top):
    g = gateway(top, settings="xsmg = no\n")
    t = Tls(g.outside)
    assert "XSMG" not in t.ehlo and t.ask(f"XSMG GET {g.domain}").startswith("500 5.5.2 ")
    assert Talk(g.outside).ask(f"XSMG GET {g.domain}").startswith("500 5.5.2 ")


def send(g, to, subject):
    with smtplib.SMTP("127.0.0.1", g.inside, timeout=60) as s:
        s.sendmail("doctor@" + g.domain, [to], f"From: doctor@{g.domain}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\ntext\r\n")


def delivered(g, to, n):
    wait_for(f"{n} mails to {to} to be delivered", 60, lambda: sum(
        r["address"] == to and r.get("outcome") == "delivered" for m in g.queue() for r in m["recipients"]) == n)


def world(top):
    """The laboratory, and the hospital that finds it by MX."""
    lab = gateway(top, "lab", outside="")
    nsd = Nsd(top)
    nsd.zone("lab.example", ["@ MX 10 mx", "mx A 127.0.0.1"])
    nsd.start()
    hospital = gateway(top, "hospital", outside="", settings=f"mx-port = {lab.outside}\n", sections=nsd.settings() + "mta-sts {\n  enabled = no\n}\n")
    return hospital, lab, nsd


def test_beside_mail(top):
    """The first mail to a listed partner brings its statement and hands over ours; a second one asks nothing; a restart does not ask for what is known; a partner that stops is named."""
    hospital, lab, nsd = world(top)
    theirs, _ = own_statement(lab)
    ours, _ = own_statement(hospital)
    hospital.postern("partner", "add", "lab.example", "--treatment", "clear", "--strength", "never")
    lab.postern("partner", "add", "hospital.example", "--treatment", "clear", "--strength", "never")
    try:
        send(hospital, "a@lab.example", "first")
        delivered(hospital, "a@lab.example", 1)
        hospital.wait_log(rf"xsmg-get partner=lab\.example .*answer=statement id={theirs}")
        hospital.wait_log(rf"xsmg-put ours=hospital\.example partner=lab\.example .*id={ours} taken=1")
        lab.wait_log(r"xsmg-asked client=127\.0\.0\.1 domain=lab\.example answer=\"statement\"")
        lab.wait_log(r"xsmg-put client=127\.0\.0\.1 domain=hospital\.example answer=\"received\"")
        send(hospital, "a@lab.example", "second")
        delivered(hospital, "a@lab.example", 2)
        assert lab.log().count("xsmg-asked client=127.0.0.1 domain=lab.example") == 2, "own_statement and the first mail"
        hospital.stop()
        hospital.start()
        send(hospital, "a@lab.example", "third")
        delivered(hospital, "a@lab.example", 3)
        assert lab.log().count("xsmg-asked client=127.0.0.1 domain=lab.example") == 2
        lab.stop()
        lab.settings += "xsmg = no\n"
        lab.write_conf()
        lab.start()
        wait_for("TLS to be offered", 20, lambda: "STARTTLS" in Talk(lab.outside).ask("EHLO x"))
        send(hospital, "a@lab.example", "fourth")
        delivered(hospital, "a@lab.example", 4)
        hospital.wait_log(r"xsmg-missing partner=lab\.example")
    finally:
        nsd.stop()


def test_met_on_the_way(top):
    """Somebody who is not listed: the keyword is met with one mail and used for the next."""
    hospital, lab, nsd = world(top)
    own_statement(lab)
    try:
        send(hospital, "a@lab.example", "first")
        delivered(hospital, "a@lab.example", 1)
        assert "xsmg-get" not in hospital.log()

        def asked():
            send(hospital, "a@lab.example", "next")
            return "xsmg-get partner=lab.example" in hospital.log()
        wait_for("the partner to be asked", 30, asked, every=0.7)
        hospital.wait_log(r"xsmg-get partner=lab\.example .*answer=statement")
    finally:
        nsd.stop()
