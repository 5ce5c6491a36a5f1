"""Postfix, Exim and OpenSMTPD beside a gateway that speaks XSMG: they exchange mail with it in both directions, and nothing of XSMG reaches them or looks like a fault here or there.

  user -> gateway of hospital.example -> SERVER -> sink        SERVER -> gateway of hospital.example -> sink of its users

The server's domain is one the gateway knows (a listed partner, from which mail came before): so it would ask it for a statement if it could.
"""
import os
import re

from gateway import Gateway, wait_for
from mail import message, send
from neighbours import Exim, OpenSmtpd, certificate
from nexthop_cases import CLEAR
from postfix import Postfix
from sink import Sink

US, THEM = "a@hospital.example", "b@world.example"


def postfix(top):
    def server(name, hop):
        folder = os.path.join(top, "tls-" + name)
        os.makedirs(folder)
        cert, key = certificate(folder, name)
        p = Postfix(top, name, "[127.0.0.1]:" + hop.rsplit(":", 1)[1], extra={"smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key, "smtpd_tls_security_level": "may",
                                                                              "smtp_tls_security_level": "encrypt" if name == "sends" else "may", "smtp_tls_loglevel": "1"}).start()
        p.words = p.log
        return p
    return server


def unnoticed(top, server, tls="encrypt"):
    inside, outside = Sink(), Sink()
    g = Gateway(top, "hospital", "hospital.example", inside.address, "127.0.0.1:1", settings=CLEAR + f"relay-tls = {tls}\n")
    running = []
    try:
        receives = server("receives", outside.address)
        running.append(receives)
        g.next_hop = receives.address
        g.write_conf()
        g.start()
        g.make_identity()
        wait_for("a statement to hand over", 30, lambda: g.cli("domain", "show", g.domain)["statement"], every=0.2)
        g.postern("partner", "add", "world.example", "--treatment", "clear", "--strength", "never")
        sends = server("sends", f"127.0.0.1:{g.outside}")
        running.append(sends)
        for n in range(3):
            code, words = send(sends.port, THEM, US, message(THEM, US, f"in {n}"))
            assert code == 250, (code, words)
            mail = inside.by_subject(f"in {n}", 60)
            assert mail.body == b"hello\r\n", mail.data
            # the server was offered XSMG: inside TLS
            assert any("hospital.example" in r and re.search(r"ESMTPS", r) for r in mail.fields("Received")), mail.fields("Received")
            code, words = send(g.inside, US, THEM, message(US, THEM, f"out {n}"))
            assert code == 250, (code, words)
            assert outside.by_subject(f"out {n}", 60).body == b"hello\r\n"
        wait_for("the queue to be empty", 30, lambda: all(g.cli("status")["relay"]["queue"][k] == 0 for k in ("queued", "active", "held")))
        for s in running:
            words = s.words()
            assert "XSMG" not in words.upper() and not re.search(r"unrecognized command|syntax error|protocol error|synchronization|too many (errors|bad commands)|improper command", words, re.I), words
        log = g.log()
        assert not re.search(r" (warn|error) .*(xsmg|statement)|alarm=(downgrade|statement)|xsmg-(get|put|missing|asked)", log, re.I), [x for x in log.split("\n") if "xsmg" in x.lower()]
        assert not re.search(r"delivery-failed| deferred to=", log), log[-3000:]
        assert not g.cli("pending")["statements"] and not g.cli("partner", "show", "world.example").get("statement")
    finally:
        for s in running:
            s.stop()
        inside.close()
        outside.close()


def test_xsmg_exim(top):
    unnoticed(top, lambda name, hop: Exim(top, name, hop))


def test_xsmg_opensmtpd(top):
    """It offers no TLS: so nothing of XSMG can be asked. As a client it uses TLS and is offered it."""
    unnoticed(top, lambda name, hop: OpenSmtpd(top, name, hop), tls="none")


def test_xsmg_postfix(top):
    unnoticed(top, postfix(top))
