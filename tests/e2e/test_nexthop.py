"""Outbound by MX over a real nsd with DNSSEC: DANE (RFC 7672) and MTA-STS (RFC 8461), each way they can go wrong, and nothing ever in the clear that should not be."""
import smtplib

from gateway import Gateway, free_ports, wait_for
from nexthop import Authority, MailHost, Nsd, PolicyServer, cert256, spki256
from postfix import Postfix
from sink import Sink

WRONG = "00" * 32
CLEAR = "default-treatment = clear\ndefault-strength = prefer\n"


def gateway(top, nsd, port, ca, settings="", sts="enabled = no", name="hospital", more="", log_level="info"):
    inside = Sink()
    g = Gateway(top, name, "hospital.example", inside.address,
                settings=f'{CLEAR}mx-port = {port}\ntls-ca-file = "{ca.cert}"\n{settings}\n', sections=nsd.settings() + f"mta-sts {{\n  {sts}\n}}\n" + more, log_level=log_level)
    g.start()
    g.make_identity()
    return g


def send(g, to, subject, body="text", options=()):
    with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
        s.sendmail("doctor@hospital.example", [to], f"From: doctor@hospital.example\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{body}\r\n", mail_options=list(options))


def waits(g, to):
    """The reason why mail to that recipient waits in the queue."""
    def reason():
        for m in g.queue():
            for r in m["recipients"]:
                if r["address"] == to and r["state"] == "queued" and r.get("reason"):
                    return r["reason"]
        return None
    return wait_for(f"a reason why mail to {to} waits", 30, reason)


def hosts(top, port, table, ca):
    """name -> MailHost on 127.0.0.N for (N, name of the certificate or None)."""
    return {name: MailHost(f"127.0.0.{n}", port, ca.issue(cert) if cert else None) for name, (n, cert) in table.items()}


def test_dane(top):
    """Records that fit (usages 3 and 2), that do not, that are bogus, of no use, missing; sets of hosts; dane-only."""
    ca, nsd, port = Authority(top), Nsd(top), free_ports(1)[0]
    h = hosts(top, port, {"right": (2, "any.invalid"), "wrong": (3, "wrong.signed.test"), "ta": (4, "ta.signed.test"), "nothing": (5, None), "useless": (6, "any2.invalid"),
                          "bogus": (7, "mx.bogus.test"), "stripped": (8, None)}, ca)
    tlsa = f"_{port}._tcp."
    nsd.zone("signed.test", [
        "right MX 10 mx-right", "mx-right A 127.0.0.2", f"{tlsa}mx-right TLSA 3 1 1 {spki256(h['right'].cert[0])}",
        "wrong MX 10 wrong", "wrong A 127.0.0.3", f"{tlsa}wrong TLSA 3 1 1 {WRONG}",
        "mixed MX 10 wrong", "mixed MX 20 nothing",
        "ta MX 10 mx-ta", "mx-ta A 127.0.0.4", f"{tlsa}mx-ta TLSA 2 0 1 {cert256(ca.cert)}",
        "nothing MX 10 nothing", "nothing A 127.0.0.5",
        "useless MX 10 useless", "useless A 127.0.0.6", f"{tlsa}useless TLSA 1 0 1 {WRONG}",
        "stripped MX 10 stripped", "stripped A 127.0.0.8", f"{tlsa}stripped TLSA 3 1 1 {WRONG}",
        "half MX 10 mx.bogus.test.", "half MX 20 nothing",
    ], sign=True)
    nsd.zone("bogus.test", ["@ MX 10 mx", "mx A 127.0.0.7", f"{tlsa}mx TLSA 3 1 1 {spki256(h['bogus'].cert[0])}"], sign=True,
             forge=[(spki256(h["bogus"].cert[0]), WRONG)])
    nsd.zone("plain.test", ["right MX 10 mx", "mx A 127.0.0.2", f"{tlsa}mx TLSA 3 1 1 {WRONG}"])
    nsd.start()
    g = gateway(top, nsd, port, ca)
    try:
        # the name in the certificate does not count under usage 3
        send(g, "a@right.signed.test", "right")
        assert h["right"].by_subject("right").tls
        # under usage 2 it does: the certificate bears the domain's name, which is one that may stand there
        send(g, "a@ta.signed.test", "anchor")
        assert h["ta"].by_subject("anchor").tls
        # no records: as ever
        send(g, "a@nothing.signed.test", "nothing")
        assert not h["nothing"].by_subject("nothing").tls
        # records of no use: TLS is a must, the certificate does not matter
        send(g, "a@useless.signed.test", "useless")
        assert h["useless"].by_subject("useless").tls
        # records that nobody vouches for are none
        send(g, "a@right.plain.test", "plain")
        assert h["right"].by_subject("plain").tls

        for to in ("a@wrong.signed.test", "a@mixed.signed.test", "a@stripped.signed.test", "a@bogus.test", "a@half.signed.test"):
            send(g, to, "must not arrive")
        for to in ("a@wrong.signed.test", "a@mixed.signed.test"):
            why = waits(g, to)
            assert "DANE" in why and "nothing was sent in the clear" in why, why
        why = waits(g, "a@stripped.signed.test")
        assert "does not offer STARTTLS" in why and "DANE" in why, why
        for to in ("a@bogus.test", "a@half.signed.test"):
            why = waits(g, to)
            assert "TLSA records of mx.bogus.test cannot be had or do not validate" in why, why
        for name, host in h.items():
            assert not [m for m in host.mails if "must not" in (m.field("Subject") or "")], f"mail arrived at {name}"
        assert h["bogus"].sessions == 0
    finally:
        nsd.stop()


def test_dane_only(top):
    ca, nsd, port = Authority(top), Nsd(top), free_ports(1)[0]
    h = hosts(top, port, {"right": (2, "any.invalid"), "nothing": (5, "nothing.signed.test")}, ca)
    nsd.zone("signed.test", ["right MX 10 mx-right", "mx-right A 127.0.0.2", f"_{port}._tcp.mx-right TLSA 3 1 1 {spki256(h['right'].cert[0])}", "nothing MX 10 nothing", "nothing A 127.0.0.5"], sign=True)
    nsd.start()
    g = gateway(top, nsd, port, ca, "relay-tls = dane-only")
    try:
        send(g, "a@right.signed.test", "right")
        assert h["right"].by_subject("right").tls
        send(g, "a@nothing.signed.test", "nothing")
        assert "has no TLSA records that DNSSEC vouches for" in waits(g, "a@nothing.signed.test")
        assert h["nothing"].sessions == 0
    finally:
        nsd.stop()


def test_treatment_tls(top):
    """Clear content that may go over verified TLS only: DANE and an enforced MTA-STS policy are that; a host of the same domain without either gets nothing, a domain without is refused."""
    ca, nsd, port = Authority(top), Nsd(top), free_ports(1)[0]
    h = hosts(top, port, {"right": (2, "any.invalid"), "nothing": (5, None), "sts": (6, "sts.plain.test"), "gone": (7, "gone.signed.test")}, ca)
    tlsa = f"_{port}._tcp."
    nsd.zone("signed.test", ["right MX 10 mx-right", "mx-right A 127.0.0.2", f"{tlsa}mx-right TLSA 3 1 1 {spki256(h['right'].cert[0])}",
                             "mixed MX 10 nothing", "mixed MX 20 mx-right", "nothing MX 10 nothing", "nothing A 127.0.0.5",
                             "late MX 10 late", "late A 127.0.0.7", f"{tlsa}late TLSA 3 1 1 {WRONG}"], sign=True)
    nsd.zone("plain.test", ["sts MX 10 sts", "sts A 127.0.0.6", "mta-sts.sts A 127.0.0.9", '_mta-sts.sts TXT "v=STSv1; id=a1;"',
                            "testing MX 10 sts", "mta-sts.testing A 127.0.0.9", '_mta-sts.testing TXT "v=STSv1; id=a1;"'])
    nsd.start()
    web = PolicyServer("127.0.0.9", ca)
    web.policy("sts.plain.test", policy("enforce", "sts.plain.test"))
    web.policy("testing.plain.test", policy("testing", "sts.plain.test"))
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}\n  local-addresses = yes")
    try:
        for name in ("right.signed.test", "mixed.signed.test", "nothing.signed.test", "late.signed.test", "sts.plain.test", "testing.plain.test"):
            g.postern("partner", "add", name, "--treatment", "tls", "--strength", "require")
        for to, host in (("right.signed.test", "right"), ("mixed.signed.test", "right"), ("sts.plain.test", "sts")):
            send(g, "a@" + to, "tls " + to)
            m = h[host].by_subject("tls " + to)
            assert m.tls and b"text" in m.body
        for to in ("nothing.signed.test", "testing.plain.test"):
            try:
                send(g, "a@" + to, "must not arrive")
                assert False, to
            except smtplib.SMTPRecipientsRefused as e:
                code, text = e.recipients["a@" + to]
                assert code == 550 and b"neither DANE nor an enforced MTA-STS policy vouches for its mail hosts" in text, text
        code, out, _ = g.postern("explain", "doctor@hospital.example", "a@right.signed.test", check=False)
        assert "DANE (TLSA records under DNSSEC) or an enforced MTA-STS policy of the partner count as well" in " ".join(out.split()), out
        send(g, "a@late.signed.test", "must not arrive either")  # promised in DNS; the host shows another certificate
        assert "DANE" in waits(g, "a@late.signed.test")
        nsd.stop()
        g.postern("partner", "add", "dark.signed.test", "--treatment", "tls", "--strength", "prefer")
        try:
            send(g, "a@dark.signed.test", "must not arrive")
            assert False, "what cannot be told now is no leave to send in the clear"
        except smtplib.SMTPRecipientsRefused as e:
            code, text = e.recipients["a@dark.signed.test"]
            assert code == 451 and b"whether that can be had cannot be told now" in text, text
        assert not h["nothing"].mails and not h["gone"].mails
    finally:
        nsd.stop()
        web.stop()


def test_tls_required_no(top):
    """RFC 8689 5: "TLS-Required: No" in the header lowers DANE and MTA-STS only where the admin wants it so; REQUIRETLS, relay-tls and treatment tls never."""
    ca, nsd, port = Authority(top), Nsd(top), free_ports(1)[0]
    h = hosts(top, port, {"wrong": (3, "wrong.signed.test"), "sts": (6, "else.invalid")}, ca)
    nsd.zone("signed.test", ["wrong MX 10 wrong", "wrong A 127.0.0.3", f"_{port}._tcp.wrong TLSA 3 1 1 {WRONG}"], sign=True)
    nsd.zone("plain.test", ["sts MX 10 sts", "sts A 127.0.0.6", "mta-sts.sts A 127.0.0.9", '_mta-sts.sts TXT "v=STSv1; id=a1;"'])
    nsd.start()
    web = PolicyServer("127.0.0.9", ca)
    web.policy("sts.plain.test", policy("enforce", "sts.plain.test"))
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}\n  local-addresses = yes", settings="", more="queue {\n  retry-min = 1s\n  retry-max = 1s\n}\nsmtp-client {\n  backoff-min = 500ms\n  backoff-max = 500ms\n}\n")

    def say(to, subject):
        with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
            s.sendmail("doctor@hospital.example", [to], f"From: doctor@hospital.example\r\nTo: {to}\r\nSubject: {subject}\r\nTLS-Required: No\r\n\r\ntext\r\n")
    try:
        say("a@wrong.signed.test", "never mind")
        say("a@sts.plain.test", "never mind")
        assert "DANE" in waits(g, "a@wrong.signed.test") and "verified certificate is demanded" in waits(g, "a@sts.plain.test")
        g.stop()
        g.settings += "tls-required-no = honour\n"
        g.write_conf()
        g.start()
        for name in ("wrong", "sts"):
            m = h[name].by_subject("never mind")
            assert m.tls and m.field("TLS-Required") == "No"
        g.postern("partner", "add", "wrong.signed.test", "--treatment", "tls", "--strength", "require")
        say("a@wrong.signed.test", "verified only")
        send(g, "a@sts.plain.test", "nothing said")
        assert "DANE" in waits(g, "a@wrong.signed.test") and "verified certificate is demanded" in waits(g, "a@sts.plain.test")
        assert [len(h[n].mails) for n in ("wrong", "sts")] == [1, 1]
    finally:
        nsd.stop()
        web.stop()


def policy(mode, *mx, age=86400):
    return f"version: STSv1\r\nmode: {mode}\r\n" + "".join(f"mx: {m}\r\n" for m in mx) + f"max_age: {age}\r\n"


def test_mta_sts(top):
    """Policies that hold, do not list the host, cannot be had, are nonsense; a policy once known holds without its server and over a restart."""
    ca, nsd, port = Authority(top), Nsd(top), free_ports(1)[0]
    h = hosts(top, port, {"good": (2, "good.plain.test"), "other": (3, "somebody.invalid"), "clear": (4, None)}, ca)
    web = PolicyServer("127.0.0.9", ca)
    domains = {"enforce": "good", "star": "good", "unlisted": "good", "badcert": "other", "notls": "clear", "testing": "clear", "none": "clear", "away": "clear",
               "nonsense": "clear", "redirect": "clear", "html": "clear", "weakweb": "clear", "huge": "clear"}
    records = ["good A 127.0.0.2", "other A 127.0.0.3", "clear A 127.0.0.4"]
    for d, mx in domains.items():
        records += [f"{d} MX 10 {mx}", f'_mta-sts.{d} TXT "v=STSv1; id=1;"'] + ([] if d == "away" else [f"mta-sts.{d} A 127.0.0.9"])
    nsd.zone("plain.test", records)
    nsd.start()
    for d, text in {"enforce": policy("enforce", "good.plain.test"), "star": policy("enforce", "*.plain.test"), "unlisted": policy("enforce", "mail.unlisted.plain.test"),
                    "badcert": policy("enforce", "other.plain.test"), "notls": policy("enforce", "clear.plain.test"), "testing": policy("testing", "else.plain.test"),
                    "none": policy("none"), "nonsense": "mode: enforce\r\n", "html": policy("enforce", "no.plain.test"),
                    "weakweb": policy("enforce", "no.plain.test"), "huge": policy("enforce", "no.plain.test") + "x: y\r\n" * 20000}.items():
        web.policy(d + ".plain.test", text, kind="text/html" if d == "html" else "text/plain", cert_for="else.invalid" if d == "weakweb" else None)
    web.policy("redirect.plain.test", policy("enforce", "no.plain.test"), status=302, fields={"Location": f"https://mta-sts.enforce.plain.test:{web.port}/.well-known/mta-sts.txt"})
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}\n  local-addresses = yes\n  timeout = 10s")
    try:
        held = {"unlisted": "does not list its mail host good.plain.test", "badcert": "TLS with a verified certificate is demanded", "notls": "does not offer STARTTLS"}
        for d in domains:
            send(g, f"a@{d}.plain.test", f"for {d}")
        for d in ("enforce", "star"):
            assert h["good"].by_subject(f"for {d}").tls
        for d in ("testing", "none", "away", "nonsense", "redirect", "html", "weakweb", "huge"):
            assert not h["clear"].by_subject(f"for {d}").tls
        for d, text in held.items():
            why = waits(g, f"a@{d}.plain.test")
            assert text in why, why
        assert all(p == "/.well-known/mta-sts.txt" for _, p in web.asked)
        assert [host for host, _ in web.asked].count("mta-sts.enforce.plain.test") == 1, "fetched once, the redirect not followed"
        # server and TXT record go, and the host shows another certificate now: the policy that is known holds, also after a restart
        g.wait_log("mta-sts domain=enforce.plain.test id=1 result=policy", since=0)
        wait_for("the policies in the file", 20, lambda: b"enforce.plain.test" in open(g.data + "/scout/mta-sts", "rb").read())
        web.stop()
        nsd.stop()
        nsd.zone("plain.test", [r for r in records if "enforce" not in r or r.startswith("enforce MX")])
        nsd.start()
        h["good"].cert = ca.issue("somebody.invalid")
        g.stop()
        g.start()
        send(g, "a@enforce.plain.test", "after the restart")
        assert "verified certificate is demanded" in waits(g, "a@enforce.plain.test")
        assert not [m for m in h["good"].mails if m.field("Subject") == "after the restart"]
    finally:
        nsd.stop()


def test_no_private_policy_host(top):
    """Without local-addresses a policy host on a loopback address is not even connected to."""
    ca, nsd, port = Authority(top), Nsd(top), free_ports(1)[0]
    h = hosts(top, port, {"clear": (4, None)}, ca)
    web = PolicyServer("127.0.0.9", ca)
    web.policy("lo.plain.test", policy("enforce", "no.plain.test"))
    nsd.zone("plain.test", ["clear A 127.0.0.4", "lo MX 10 clear", '_mta-sts.lo TXT "v=STSv1; id=1;"', "mta-sts.lo A 127.0.0.9"])
    nsd.start()
    g = gateway(top, nsd, port, ca, sts=f"port = {web.port}")
    try:
        send(g, "a@lo.plain.test", "lo")
        h["clear"].by_subject("lo")
        g.wait_log("private or reserved addresses")
        assert web.asked == []
    finally:
        web.stop()
        nsd.stop()


def test_postfix_with_dane(top):
    """A real Postfix as the mail host of a signed domain; connections are reused and their TLS sessions resumed."""
    ca, nsd = Authority(top), Nsd(top)
    cert, key = ca.issue("mx.signed.test")
    p = Postfix(top, "mx", "", "signed.test", maildir=True, extra={"smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key, "smtpd_tls_security_level": "may", "smtpd_tls_received_header": "yes"})
    nsd.zone("signed.test", ["@ MX 10 mx", "mx A 127.0.0.1", f"_{p.port}._tcp.mx TLSA 3 1 1 {spki256(cert)}"], sign=True)
    nsd.start()
    p.start()
    g = gateway(top, nsd, p.port, ca, more="smtp-client {\n  messages-per-connection = 5\n}\n", log_level="debug")
    try:
        send(g, "b@signed.test", "by dane")
        mail = wait_for("the mail", 30, lambda: [m for m in p.stored() if b"Subject: by dane" in m])[0]
        assert b"using TLSv1.3" in mail
        # many over few connections, which resume their TLS sessions, and by BDAT
        for i in range(20):
            send(g, "b@signed.test", f"number {i}")
        wait_for("20 mails", 30, lambda: len(p.stored()) >= 21)
        log = g.log()
        assert "DANE" not in log
        handshakes = log.count("smtpc tls remote=mx.signed.test")
        assert 4 <= handshakes < 15 and "resumed=1" in log, f"{handshakes} handshakes"
        assert 'line="BDAT ' in log
    finally:
        p.stop()
        nsd.stop()
