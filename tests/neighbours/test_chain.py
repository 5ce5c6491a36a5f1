"""Each kind of mail server on every side of two gateways: a user's server, a relay between the gateways, the other user's server; TLS on every hop where the server can.

  user -> SERVER -> gateway of hospital.example -> SERVER (sealed) -> gateway of lab.example -> SERVER -> sink
"""
import base64
import os
import re

from gateway import Gateway, wait_for
from mail import message, send
from neighbours import Exim, OpenSmtpd
from postfix import Postfix
from sink import Sink

US, THEM = "a@hospital.example", "b@lab.example"
PART = b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(bytes(range(256)) * 400).replace(b"\n", b"\r\n") + b"--b--\r\n"
CONTENTS = {
    "plain": ("", b"hello\r\n.\r\n..two\r\nFrom the first column\r\n trailing \r\n\r\n"),
    "utf-8": ("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", "Grüße aus Köln — €\r\n".encode() * 50),
    "attachment": ('MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n', b"--b\r\n\r\nsee the file\r\n" + PART),
}


def chain(top, server, tls="encrypt", hops_with_tls=4):
    """What must hold for a kind of server. server(name, next_hop) -> one that runs, with .address and .stop()."""
    sink = Sink()
    hospital = Gateway(top, "hospital", "hospital.example", "127.0.0.1:1", "127.0.0.1:1", settings=f"relay-tls = {tls}\n")
    lab = Gateway(top, "lab", "lab.example", "127.0.0.1:1", "127.0.0.1:1", domain_settings=f"inside-tls = {tls}")
    running = []
    try:
        for name, hop in (("users", f"127.0.0.1:{hospital.inside}"), ("between", f"127.0.0.1:{lab.outside}"), ("others", sink.address)):
            running.append(server(name, hop))
        users, between, others = running
        hospital.next_hop, lab.inside_server = between.address, others.address
        for g in (hospital, lab):
            g.write_conf()
            g.start(wait=False)
        for g in (hospital, lab):
            g.wait_ready()
            g.make_identity()
        hospital.trust(lab, "--treatment", "seal", "--strength", "require")
        lab.trust(hospital, "--treatment", "seal", "--strength", "require")
        for subject, (extra, body) in CONTENTS.items():
            sent = message(US, THEM, subject, body, extra)
            code, words = send(users.port, US, THEM, sent)
            assert code == 250, (code, words)
            mail = sink.by_subject(subject, 60)
            assert mail.fields("X-Postern-Verdict") == ["sealed"], mail.header
            assert mail.body == body, (subject, mail.body[:300])
            hops = mail.fields("Received")
            # what the receiving end of each hop says itself; the fifth is that of the test's own client
            assert len(hops) == 5 and sum(bool(re.search(r"with E?SMTPS\b|with UTF8SMTPS\b|with esmtps\b|TLS", r)) for r in hops) == hops_with_tls, hops
        wait_for("both queues to be empty", 30, lambda: all(g.cli("status")["relay"]["queue"][k] == 0 for g in (hospital, lab) for k in ("queued", "active", "held")))
    finally:
        for s in running:
            s.stop()
        sink.close()


def test_exim(top):
    chain(top, lambda name, hop: Exim(top, name, hop))


def test_opensmtpd(top):
    chain(top, lambda name, hop: OpenSmtpd(top, name, hop), tls="none", hops_with_tls=2)


def test_postfix(top):
    def server(name, hop):
        from neighbours import certificate
        folder = os.path.join(top, "tls-" + name)
        os.makedirs(folder)
        cert, key = certificate(folder, name)
        return Postfix(top, name, "[127.0.0.1]:" + hop.rsplit(":", 1)[1],
                       extra={"smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key, "smtpd_tls_security_level": "may", "smtp_tls_security_level": "may", "smtpd_tls_received_header": "yes"}).start()
    chain(top, server)
