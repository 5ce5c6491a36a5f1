"""DANE (RFC 7672) and MTA-STS (RFC 8461) of outbound mail by MX over a real nsd with DNSSEC, each way they can go wrong, and nothing ever in the clear that should not be: the same
cases on loopback (tests/e2e/test_nexthop.py) and in network namespaces with the ports and settings of the world (tests/neighbours/test_namespaces.py). A place says where."""
import smtplib

from gateway import Gateway, free_ports, wait_for
from nexthop import Authority, MailHost, Nsd, PolicyServer, cert256, run, spki256
from sink import Sink

WRONG = "00" * 32
CLEAR = "default-treatment = clear\ndefault-strength = prefer\n"


class Loopback:
    """All on 127.0.0.N, one free port for every mail host."""
    def __init__(self, top):
        self.top, self.ca, self.nsd, self.port = top, Authority(top), Nsd(top), free_ports(1)[0]

    def ip(self, n):
        return f"127.0.0.{n}"

    def mail_host(self, n, cert):
        return MailHost(self.ip(n), self.port, cert)

    def policy_server(self):
        return PolicyServer(self.ip(9), self.ca)

    def sts(self, web):
        return f"port = {web.port}\n  local-addresses = yes\n  timeout = 10s"

    def gateway(self, settings="", sts="enabled = no"):
        return gateway(self.top, self.nsd, self.port, self.ca, settings, sts)

    def send(self, g, to, subject):
        send(g, to, subject)

    def stop(self):
        self.nsd.stop()


def at(place, case):
    try:
        case(place)
    finally:
        place.stop()


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


def hosts(place, table):
    """name -> MailHost at address N for (N, name of the certificate or None)."""
    return {name: place.mail_host(n, place.ca.issue(cert) if cert else None) for name, (n, cert) in table.items()}


def dane(place):
    """Records that fit (usages 3 and 2), that do not, that are bogus, of no use, missing; sets of hosts; dane-only."""
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"right": (2, "any.invalid"), "wrong": (3, "wrong.signed.example"), "ta": (4, "ta.signed.example"), "nothing": (5, None), "useless": (6, "any2.invalid"),
                          "bogus": (7, "mx.bogus.example"), "stripped": (8, None)})
    tlsa = f"_{port}._tcp."
    nsd.zone("signed.example", [
        "right MX 10 mx-right", f"mx-right A {place.ip(2)}", f"{tlsa}mx-right TLSA 3 1 1 {spki256(h['right'].cert[0])}",
        "wrong MX 10 wrong", f"wrong A {place.ip(3)}", f"{tlsa}wrong TLSA 3 1 1 {WRONG}",
        "mixed MX 10 wrong", "mixed MX 20 nothing",
        "ta MX 10 mx-ta", f"mx-ta A {place.ip(4)}", f"{tlsa}mx-ta TLSA 2 0 1 {cert256(ca.cert)}",
        "nothing MX 10 nothing", f"nothing A {place.ip(5)}",
        "useless MX 10 useless", f"useless A {place.ip(6)}", f"{tlsa}useless TLSA 1 0 1 {WRONG}",
        "stripped MX 10 stripped", f"stripped A {place.ip(8)}", f"{tlsa}stripped TLSA 3 1 1 {WRONG}",
        "half MX 10 mx.bogus.example.", "half MX 20 nothing",
    ], sign=True)
    nsd.zone("bogus.example", ["@ MX 10 mx", f"mx A {place.ip(7)}", f"{tlsa}mx TLSA 3 1 1 {spki256(h['bogus'].cert[0])}"], sign=True,
             forge=[(spki256(h["bogus"].cert[0]), WRONG)])
    nsd.zone("plain.example", ["right MX 10 mx", f"mx A {place.ip(2)}", f"{tlsa}mx TLSA 3 1 1 {WRONG}"])
    nsd.start()
    g = place.gateway()
    try:
        # the name in the certificate does not count under usage 3
        place.send(g, "a@right.signed.example", "right")
        assert h["right"].by_subject("right").tls
        # under usage 2 it does: the certificate bears the domain's name, which is one that may stand there
        place.send(g, "a@ta.signed.example", "anchor")
        assert h["ta"].by_subject("anchor").tls
        # no records: as ever
        place.send(g, "a@nothing.signed.example", "nothing")
        assert not h["nothing"].by_subject("nothing").tls
        # records of no use: TLS is a must, the certificate does not matter
        place.send(g, "a@useless.signed.example", "useless")
        assert h["useless"].by_subject("useless").tls
        # records that nobody vouches for are none
        place.send(g, "a@right.plain.example", "plain")
        assert h["right"].by_subject("plain").tls

        for to in ("a@wrong.signed.example", "a@mixed.signed.example", "a@stripped.signed.example", "a@bogus.example", "a@half.signed.example"):
            place.send(g, to, "must not arrive")
        for to in ("a@wrong.signed.example", "a@mixed.signed.example"):
            why = waits(g, to)
            assert "DANE" in why and "nothing was sent in the clear" in why, why
        why = waits(g, "a@stripped.signed.example")
        assert "does not offer STARTTLS" in why and "DANE" in why, why
        for to in ("a@bogus.example", "a@half.signed.example"):
            why = waits(g, to)
            assert "TLSA records of mx.bogus.example cannot be had or do not validate" in why, why
        for name, host in h.items():
            assert not [m for m in host.mails if "must not" in (m.field("Subject") or "")], f"mail arrived at {name}"
        assert h["bogus"].sessions == 0
    finally:
        nsd.stop()


def dane_only(place):
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"right": (2, "any.invalid"), "nothing": (5, "nothing.signed.example")})
    nsd.zone("signed.example", ["right MX 10 mx-right", f"mx-right A {place.ip(2)}", f"_{port}._tcp.mx-right TLSA 3 1 1 {spki256(h['right'].cert[0])}", "nothing MX 10 nothing", f"nothing A {place.ip(5)}"], sign=True)
    nsd.start()
    g = place.gateway("relay-tls = dane-only")
    try:
        place.send(g, "a@right.signed.example", "right")
        assert h["right"].by_subject("right").tls
        place.send(g, "a@nothing.signed.example", "nothing")
        assert "has no TLSA records that DNSSEC vouches for" in waits(g, "a@nothing.signed.example")
        assert h["nothing"].sessions == 0
    finally:
        nsd.stop()


def policy(mode, *mx, age=86400):
    return f"version: STSv1\r\nmode: {mode}\r\n" + "".join(f"mx: {m}\r\n" for m in mx) + f"max_age: {age}\r\n"


def mta_sts(place):
    """Policies that hold, do not list the host, cannot be had, are nonsense; a policy once known holds without its server and over a restart."""
    ca, nsd, port = place.ca, place.nsd, place.port
    h = hosts(place, {"good": (2, "good.plain.example"), "other": (3, "somebody.invalid"), "clear": (4, None)})
    h["cn"] = place.mail_host(5, ca.issue("cn.plain.example", san=False))
    web = place.policy_server()
    domains = {"enforce": "good", "star": "good", "unlisted": "good", "badcert": "other", "notls": "clear", "cnonly": "cn", "testing": "clear", "none": "clear", "away": "clear",
               "nonsense": "clear", "redirect": "clear", "html": "clear", "weakweb": "clear", "cnweb": "clear", "huge": "clear"}
    records = [f"good A {place.ip(2)}", f"other A {place.ip(3)}", f"clear A {place.ip(4)}", f"cn A {place.ip(5)}"]
    for d, mx in domains.items():
        records += [f"{d} MX 10 {mx}", f'_mta-sts.{d} TXT "v=STSv1; id=1;"'] + ([] if d == "away" else [f"mta-sts.{d} A {place.ip(9)}"])
    nsd.zone("plain.example", records)
    nsd.start()
    for d, text in {"enforce": policy("enforce", "good.plain.example"), "star": policy("enforce", "*.plain.example"), "unlisted": policy("enforce", "mail.unlisted.plain.example"),
                    "badcert": policy("enforce", "other.plain.example"), "notls": policy("enforce", "clear.plain.example"), "cnonly": policy("enforce", "cn.plain.example"), "testing": policy("testing", "else.plain.example"),
                    "none": policy("none"), "nonsense": "mode: enforce\r\n", "html": policy("enforce", "no.plain.example"),
                    "weakweb": policy("enforce", "no.plain.example"), "cnweb": policy("enforce", "no.plain.example"), "huge": policy("enforce", "no.plain.example") + "x: y\r\n" * 20000}.items():
        web.policy(d + ".plain.example", text, kind="text/html" if d == "html" else "text/plain", cert_for="else.invalid" if d == "weakweb" else None, san=d != "cnweb")
    web.policy("redirect.plain.example", policy("enforce", "no.plain.example"), status=302, fields={"Location": f"https://mta-sts.enforce.plain.example:{web.port}/.well-known/mta-sts.txt"})
    for name in ("cn.plain.example", "mta-sts.cnweb.plain.example"):  # good but for the missing subjectAltName
        run("openssl", "verify", "-CAfile", ca.cert, "-purpose", "sslserver", "-verify_hostname", name, ca.issue(name, san=False)[0])
    g = place.gateway(sts=place.sts(web))
    try:
        held = {"unlisted": "does not list its mail host good.plain.example", "badcert": "TLS with a verified certificate is demanded", "notls": "does not offer STARTTLS",
                "cnonly": "hostname mismatch"}
        for d in domains:
            place.send(g, f"a@{d}.plain.example", f"for {d}")
        for d in ("enforce", "star"):
            assert h["good"].by_subject(f"for {d}").tls
        for d in ("testing", "none", "away", "nonsense", "redirect", "html", "weakweb", "cnweb", "huge"):
            assert not h["clear"].by_subject(f"for {d}").tls
        g.wait_log(r'mta-sts domain=cnweb.plain.example id=1 result=no-policy why="[^"]*(certificate|hostname)', since=0)
        for d, text in held.items():
            why = waits(g, f"a@{d}.plain.example")
            assert text in why, why
        assert all(p == "/.well-known/mta-sts.txt" for _, p in web.asked)
        assert [host for host, _ in web.asked].count("mta-sts.enforce.plain.example") == 1, "fetched once, the redirect not followed"
        # server and TXT record go, and the host shows another certificate now: the policy that is known holds, also after a restart
        g.wait_log("mta-sts domain=enforce.plain.example id=1 result=policy", since=0)
        wait_for("the policies in the file", 20, lambda: b"enforce.plain.example" in open(g.data + "/scout/mta-sts", "rb").read())
        web.stop()
        nsd.stop()
        nsd.zone("plain.example", [r for r in records if "enforce" not in r or r.startswith("enforce MX")])
        nsd.start()
        h["good"].cert = ca.issue("somebody.invalid")
        g.stop()
        g.start()
        place.send(g, "a@enforce.plain.example", "after the restart")
        assert "verified certificate is demanded" in waits(g, "a@enforce.plain.example")
        assert not [m for m in h["good"].mails if m.field("Subject") == "after the restart"]
    finally:
        nsd.stop()
