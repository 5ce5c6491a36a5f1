"""Outbound by MX over a real nsd with DNSSEC, on loopback: the cases of DANE and MTA-STS (tests/lib/nexthop_cases.py), policy hosts in private networks, a real Postfix."""
import re
import smtplib

from gateway import wait_for
from nexthop import Authority, Nsd, PolicyServer, spki256
from nexthop_cases import WRONG, Loopback, at, dane, dane_only, gateway, hosts, mta_sts, policy, send, waits
from postfix import Postfix


def test_dane(top):
    at(Loopback(top), dane)


def test_dane_only(top):
    at(Loopback(top), dane_only)


def test_mta_sts(top):
    at(Loopback(top), mta_sts)


def test_treatment_tls(top):
    """Clear content that may go over verified TLS only: DANE and an enforced MTA-STS policy are that; a host of the same domain without either gets nothing, a domain without is refused."""
    place = Loopback(top)
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"right": (2, "any.invalid"), "nothing": (5, None), "sts": (6, "sts.plain.example"), "gone": (7, "gone.signed.example")})
    tlsa = f"_{port}._tcp."
    nsd.zone("signed.example", ["right MX 10 mx-right", "mx-right A 127.0.0.2", f"{tlsa}mx-right TLSA 3 1 1 {spki256(h['right'].cert[0])}",
                             "mixed MX 10 nothing", "mixed MX 20 mx-right", "nothing MX 10 nothing", "nothing A 127.0.0.5",
                             "late MX 10 late", "late A 127.0.0.7", f"{tlsa}late TLSA 3 1 1 {WRONG}"], sign=True)
    nsd.zone("plain.example", ["sts MX 10 sts", "sts A 127.0.0.6", "mta-sts.sts A 127.0.0.9", '_mta-sts.sts TXT "v=STSv1; id=a1;"',
                            "testing MX 10 sts", "mta-sts.testing A 127.0.0.9", '_mta-sts.testing TXT "v=STSv1; id=a1;"'])
    nsd.start()
    web = PolicyServer("127.0.0.9", ca)
    web.policy("sts.plain.example", policy("enforce", "sts.plain.example"))
    web.policy("testing.plain.example", policy("testing", "sts.plain.example"))
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}\n  local-addresses = yes")
    try:
        for name in ("right.signed.example", "mixed.signed.example", "nothing.signed.example", "late.signed.example", "sts.plain.example", "testing.plain.example"):
            g.postern("partner", "add", name, "--treatment", "tls", "--strength", "require")
        for to, host in (("right.signed.example", "right"), ("mixed.signed.example", "right"), ("sts.plain.example", "sts")):
            send(g, "a@" + to, "tls " + to)
            m = h[host].by_subject("tls " + to)
            assert m.tls and b"text" in m.body
        for to in ("nothing.signed.example", "testing.plain.example"):
            try:
                send(g, "a@" + to, "must not arrive")
                assert False, to
            except smtplib.SMTPRecipientsRefused as e:
                code, text = e.recipients["a@" + to]
                assert code == 550 and b"neither DANE nor an enforced MTA-STS policy vouches for its mail hosts" in text, text
        code, out, _ = g.postern("explain", "doctor@hospital.example", "a@right.signed.example", check=False)
        assert "DANE (TLSA records under DNSSEC) or an enforced MTA-STS policy of the partner count as well" in " ".join(out.split()), out
        send(g, "a@late.signed.example", "must not arrive either")  # promised in DNS; the host shows another certificate
        assert "DANE" in waits(g, "a@late.signed.example")
        nsd.stop()
        g.postern("partner", "add", "dark.signed.example", "--treatment", "tls", "--strength", "prefer")
        try:
            send(g, "a@dark.signed.example", "must not arrive")
            assert False, "what cannot be told now is no leave to send in the clear"
        except smtplib.SMTPRecipientsRefused as e:
            code, text = e.recipients["a@dark.signed.example"]
            assert code == 451 and b"whether that can be had cannot be told now" in text, text
        assert not h["nothing"].mails and not h["gone"].mails
    finally:
        nsd.stop()
        web.stop()


def test_treatment_tls_unknown(top):
    """Treatment tls, and the MTA-STS policy cannot be had (TXT record seen and no policy host; TXT record bogus): 451 with require and with prefer, and where only another author's rule asks for TLS;
    other mail goes. A rule that asks for it between RCPT and the dot: 451."""
    place = Loopback(top)
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"clear": (4, None)})
    nsd.zone("plain.example", ["clear A 127.0.0.4"] + [f"{d} MX 10 clear" for d in ("require", "prefer", "author", "other", "later")]
             + [f'_mta-sts.{d} TXT "v=STSv1; id=1;"' for d in ("require", "prefer", "author", "other")])
    nsd.zone("signed.example", ["bogus MX 10 clear", "clear A 127.0.0.4", '_mta-sts.bogus TXT "v=STSv1; id=right;"'], sign=True, forge=[("id=right;", "id=wrong;")])
    nsd.start()
    g = gateway(top, nsd, port, ca, sts="local-addresses = yes\n  timeout = 10s")

    def refused(to):
        try:
            send(g, to, "must not arrive")
            assert False, to
        except smtplib.SMTPRecipientsRefused as e:
            code, text = e.recipients[to]
            assert code == 451 and b"its MTA-STS policy, or TLSA records of its mail hosts, cannot be had" in text, (to, code, text)
    try:
        for name, strength in (("require.plain.example", "require"), ("prefer.plain.example", "prefer"), ("bogus.signed.example", "prefer")):
            g.postern("partner", "add", name, "--treatment", "tls", "--strength", strength)
        g.postern("rule", "add", "secret", "--sender", "secret@hospital.example", "--recipient", "a@author.plain.example", "--treatment", "tls", "--strength", "prefer")
        for to in ("require.plain.example", "prefer.plain.example", "bogus.signed.example", "author.plain.example"):
            refused("a@" + to)
            refused("a@" + to)  # also while the policy host is not asked again
        send(g, "a@other.plain.example", "demands nothing")
        assert not h["clear"].by_subject("demands nothing").tls
        with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
            s.ehlo()
            s.docmd("MAIL FROM:<doctor@hospital.example>")
            assert s.docmd("RCPT TO:<a@later.plain.example>")[0] == 250
            assert s.docmd("DATA")[0] == 354
            g.postern("partner", "add", "later.plain.example", "--treatment", "tls", "--strength", "prefer")
            s.send(b"From: doctor@hospital.example\r\nSubject: must not arrive\r\n\r\ntext\r\n.\r\n")
            code, text = s.getreply()
            assert code == 451 and b"changed while the message came, and now ask for verified TLS" in text, (code, text)
        send(g, "a@later.plain.example", "surely no policy")
        h["clear"].by_subject("surely no policy")
        assert len(h["clear"].mails) == 2
        code, out, _ = g.postern("explain", "doctor@hospital.example", "a@later.plain.example", check=False)
        assert "while they cannot be had it is put off (451), and where there is surely neither: - so it goes out" in " ".join(out.split()), out
        g.stop()
        g.settings += "relay-tls = verify\n"  # without relay-host it makes no name sure
        g.write_conf()
        g.start()
        code, out, _ = g.postern("explain", "doctor@hospital.example", "a@later.plain.example", check=False)
        assert "there is no verified TLS to later.plain.example" in " ".join(out.split()), out
    finally:
        nsd.stop()


def test_requiretls_unknown(top):
    """REQUIRETLS, and the MTA-STS policy cannot be had now: the mail waits; where there is surely none it is returned with 5.7.30. Neither goes out."""
    place = Loopback(top)
    h = hosts(place, {"clear": (4, None)})
    place.nsd.zone("plain.example", ["clear A 127.0.0.4", "unknown MX 10 clear", "none MX 10 clear", '_mta-sts.unknown TXT "v=STSv1; id=1;"'])
    place.nsd.start()
    g = gateway(top, place.nsd, place.port, place.ca, sts="local-addresses = yes\n  timeout = 10s")

    def say(to):
        with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
            s.starttls()
            s.ehlo()
            s.sendmail("doctor@hospital.example", [to], f"From: doctor@hospital.example\r\nTo: {to}\r\nSubject: demanded\r\n\r\ntext\r\n", mail_options=["REQUIRETLS"])
    try:
        def offered():
            with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
                s.ehlo()
                return s.has_extn("starttls")
        wait_for("TLS inside", 20, offered)
        say("a@unknown.plain.example")
        say("a@none.plain.example")
        why = waits(g, "a@unknown.plain.example")
        assert "REQUIRETLS" in why and "cannot be had now" in why, why
        g.wait_log(r"failed to=<a@none\.plain\.example> .*dsn=5\.7\.30")
        assert not h["clear"].mails and not [line for line in g.log(g.mark).split("\n") if "failed to=<a@unknown" in line]
    finally:
        place.nsd.stop()


def test_tls_required_no(top):
    """RFC 8689 5: "TLS-Required: No" in the header lowers DANE and MTA-STS only where the admin wants it so; REQUIRETLS, relay-tls and treatment tls never."""
    place = Loopback(top)
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"wrong": (3, "wrong.signed.example"), "sts": (6, "else.invalid")})
    nsd.zone("signed.example", ["wrong MX 10 wrong", "wrong A 127.0.0.3", f"_{port}._tcp.wrong TLSA 3 1 1 {WRONG}"], sign=True)
    nsd.zone("plain.example", ["sts MX 10 sts", "sts A 127.0.0.6", "mta-sts.sts A 127.0.0.9", '_mta-sts.sts TXT "v=STSv1; id=a1;"'])
    nsd.start()
    web = PolicyServer("127.0.0.9", ca)
    web.policy("sts.plain.example", policy("enforce", "sts.plain.example"))
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}\n  local-addresses = yes", settings="", more="queue {\n  retry-min = 1s\n  retry-max = 1s\n}\nsmtp-client {\n  backoff-min = 500ms\n  backoff-max = 500ms\n}\n")

    def say(to, subject):
        with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
            s.sendmail("doctor@hospital.example", [to], f"From: doctor@hospital.example\r\nTo: {to}\r\nSubject: {subject}\r\nTLS-Required: No\r\n\r\ntext\r\n")
    try:
        say("a@wrong.signed.example", "never mind")
        say("a@sts.plain.example", "never mind")
        assert "DANE" in waits(g, "a@wrong.signed.example") and "verified certificate is demanded" in waits(g, "a@sts.plain.example")
        g.stop()
        g.settings += "tls-required-no = honour\n"
        g.write_conf()
        g.start()
        for name in ("wrong", "sts"):
            m = h[name].by_subject("never mind")
            assert m.tls and m.field("TLS-Required") == "No"
        g.postern("partner", "add", "wrong.signed.example", "--treatment", "tls", "--strength", "require")
        say("a@wrong.signed.example", "verified only")
        send(g, "a@sts.plain.example", "nothing said")
        assert "DANE" in waits(g, "a@wrong.signed.example") and "verified certificate is demanded" in waits(g, "a@sts.plain.example")
        assert [len(h[n].mails) for n in ("wrong", "sts")] == [1, 1]
    finally:
        nsd.stop()
        web.stop()


def test_no_private_policy_host(top):
    """Without local-addresses a policy host on a loopback address is not even connected to."""
    place = Loopback(top)
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"clear": (4, None)})
    web = PolicyServer("127.0.0.9", ca)
    web.policy("lo.plain.example", policy("enforce", "no.plain.example"))
    nsd.zone("plain.example", ["clear A 127.0.0.4", "lo MX 10 clear", '_mta-sts.lo TXT "v=STSv1; id=1;"', "mta-sts.lo A 127.0.0.9"])
    nsd.start()
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}")
    try:
        send(g, "a@lo.plain.example", "lo")
        h["clear"].by_subject("lo")
        g.wait_log("private or reserved addresses")
        assert web.asked == []
    finally:
        web.stop()
        nsd.stop()


def test_postfix_with_dane(top):
    """A real Postfix as the mail host of a signed domain; connections are reused and their TLS sessions resumed."""
    ca, nsd = Authority(top), Nsd(top)
    cert, key = ca.issue("mx.signed.example")
    p = Postfix(top, "mx", "", "signed.example", maildir=True, extra={"smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key, "smtpd_tls_security_level": "may", "smtpd_tls_received_header": "yes"})
    nsd.zone("signed.example", ["@ MX 10 mx", "mx A 127.0.0.1", f"_{p.port}._tcp.mx TLSA 3 1 1 {spki256(cert)}"], sign=True)
    nsd.start()
    p.start()
    g = gateway(top, nsd, p.port, ca, more="smtp-client {\n  messages-per-connection = 5\n}\n", log_level="debug")
    try:
        send(g, "b@signed.example", "by dane")
        mail = wait_for("the mail", 30, lambda: [m for m in p.stored() if b"Subject: by dane" in m])[0]
        assert b"using TLSv1.3" in mail
        # many over few connections, which resume their TLS sessions, and by BDAT
        for i in range(20):
            send(g, "b@signed.example", f"number {i}")
        wait_for("20 mails", 30, lambda: len(p.stored()) >= 21)
        log = g.log()
        assert not re.search(r"\bDANE\b", log)
        handshakes = log.count("smtpc tls remote=mx.signed.example")
        assert 4 <= handshakes < 15 and "resumed=1" in log, f"{handshakes} handshakes"
        assert 'line="BDAT ' in log
    finally:
        p.stop()
        nsd.stop()
