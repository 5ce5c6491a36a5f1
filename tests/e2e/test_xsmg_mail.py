"""Gateways behind a mail server that knows no XSMG: each learns the other's statement from what signed mail names. Judged by what each shows of the other, and by what its users get."""
import re
import smtplib

import strangers
from gateway import free_ports, wait_for
from mail import message, send
from postfix import Postfix
from test_xsmg_smtp import gateway, own_statement


class Behind(strangers.Stranger):
    """Sends everything to one mail server, asks the DNS for no statement, publishes neither MX nor _smg: what is left is the field in mail."""
    def write_conf(self):
        super().write_conf()
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(text.replace("tiers = {store, smg}", "tiers = {store}").replace("first-contact =", "mail-delay = 0s\n  first-contact ="))

    def introduce(self):
        self.make_identity()
        self.world.tls(self, self.host)
        wait_for(f"a statement of {self.domain}", 30, lambda: self.shown()["statement"], every=0.2)

    def publish(self, mx=None):
        self.world.nsd.zone(self.domain, [f"{self.host[:-len(self.domain) - 1]} A {self.address}"], False)


def world(top, wrap=""):
    strangers.Stranger, plain = Behind, strangers.Stranger
    try:
        w = strangers.World(top)
        port = free_ports(1)[0]
        routes = ", ".join(f"{{ {name}.example = smtp:[{w.net}.{i + 2}]:{w.port} }}" for i, name in enumerate(("hospital", "lab")))
        w.postfix = Postfix(top, "between", extra={"transport_maps": f"inline:{{ {routes} }}", "relay_domains": "hospital.example, lab.example"})
        w.postfix.start()
        for name in ("hospital", "lab"):
            w.add(name, "webpki", next_hop=w.postfix.address)
        try:
            hospital, lab = w.start()
            hospital.trust(lab, *wrap)
            lab.trust(hospital, *wrap)
        except BaseException:
            w.stop()
            w.postfix.stop()
            raise
    finally:
        strangers.Stranger = plain
    return w, hospital, lab


def trusted(g, other):
    return wait_for(f"{g.name} to trust {other.name}", 20, lambda: (lambda s: s if s and s["state"] == "trusted" else None)(g.partner(other)), every=0.2)


def test_learned(top):
    w, hospital, lab = world(top)
    try:
        assert not hospital.partner(lab) and not lab.partner(hospital)
        assert hospital.mail(lab, "first")[0] == 250
        mail = lab.sink.by_subject("first")
        assert mail.field("X-Postern-Verdict").startswith("sealed"), mail.data[:2000]
        got = trusted(lab, hospital)
        assert got["established"] == "webpki" and got["trusted"]["id"] == hospital.shown()["statement"]["id"], got
        assert "named in mail" in got["trusted"]["how"], got
        assert not hospital.partner(lab), "nobody told it"
        # the answer is written as the statement says, and brings the other's
        assert lab.mail(hospital, "answer")[0] == 250
        hospital.sink.by_subject("answer")
        assert trusted(hospital, lab)["trusted"]["id"] == lab.shown()["statement"]["id"]
        # with header protection now; what is held already is fetched no more
        fetched = hospital.log().count("statement-named of=lab.example")
        assert lab.mail(hospital, "again")[0] == 250
        assert hospital.sink.by_subject("again").field("X-Postern-Verdict").startswith("sealed")
        assert hospital.log().count("statement-named of=lab.example") == fetched == 1
        # nobody was asked on the way
        for g in (hospital, lab):
            assert "xsmg-get" not in g.log() and "xsmg-put" not in g.log() and "xsmg-asked" not in g.log(), g.log()[-3000:]
    finally:
        w.stop()
        w.postfix.stop()


def test_not_a_users(top):
    """A user's own field goes nowhere: neither out beside the gateway's nor in clear mail. Fields that a stranger writes are ignored: outside of what is signed, twice, malformed."""
    w, hospital, lab = world(top)
    evil = f"XSMG-Statement: id={'A' * 43}; url=https://smg.evil.example/x\r\n"
    try:
        a, b = "anna@" + hospital.domain, "bob@" + lab.domain
        assert send(hospital.inside, a, b, message(a, b, "smuggled", extra=evil))[0] == 250
        mail = lab.sink.by_subject("smuggled")
        assert b"evil.example" not in mail.data, mail.data[:3000]
        trusted(lab, hospital)
        # the inside of a message that a user sends as a whole is a user's words as well
        whole = message(a, b, "whole", extra=evil)
        outer = f"From: {a}\r\nTo: {b}\r\nSubject: whole\r\nMessage-ID: <whole@test>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822; forwarded=no\r\n\r\n".encode()
        assert send(hospital.inside, a, b, outer + whole)[0] == 250
        lab.sink.by_subject("whole")
        # not signed at all
        c = "carl@clinic.example"
        assert send(hospital.inside, a, c, message(a, c, "clear", extra=evil))[0] in (250, 451)
        from_clinic = message(c, b, "from clinic", extra=evil)
        w.gateways[1].sink.by_subject("whole")
        with smtplib.SMTP(lab.address, w.port, timeout=60) as s:
            s.sendmail(c, [b], from_clinic)
        lab.sink.by_subject("from clinic")
        assert "evil.example" not in lab.log(), re.findall(".*evil.*", lab.log())
        assert not lab.cli("pending")["statements"]
    finally:
        w.stop()
        w.postfix.stop()


def test_relay_host(top):
    """A relay-host that itself speaks XSMG is never asked, and handed nothing: what it would say of a partner is not the partner's word. The statement is named in the mail instead."""
    lab = gateway(top, "lab", outside="")
    hospital = gateway(top, "hospital", next_hop=f"127.0.0.1:{lab.outside}", sections='statement {\n  urls = {"https://smg.hospital.example/s"}\n}\n')
    for g in (lab, hospital):
        own_statement(g)
    asked = lab.log().count("xsmg-asked")
    hospital.trust(lab)
    lab.trust(hospital)
    for n in range(2):
        sender, rcpt = "anna@" + hospital.domain, "bob@" + lab.domain
        assert send(hospital.inside, sender, rcpt, message(sender, rcpt, f"mail {n}"))[0] == 250
        hospital.wait_log(rf"delivered to=<{rcpt}>", since=0)
    lab.wait_log(r'statement-named of=hospital\.example .*url="https://smg\.hospital\.example/s"')
    assert lab.log().count("xsmg-asked") == asked and "xsmg-put" not in lab.log()
    assert "xsmg-get" not in hospital.log() and "xsmg-put" not in hospital.log() and "xsmg-missing" not in hospital.log()
