"""The outside as it is in the world: each mail server in a network namespace of its own with port 25 and its own /etc/hosts and /etc/resolv.conf, root servers and signed zones by a real
nsd, validating resolvers, an HTTPS server at port 443. Where namespaces are not permitted these tests fail and say so."""
import os
import re
import subprocess

from gateway import wait_for
from neighbours import Exim, OpenSmtpd
from netns import ROOT_SERVERS, Dns, Net, NetGateway
from nexthop import Authority, MailHost, PolicyServer, spki256
from nexthop_cases import CLEAR, WRONG, at, dane, dane_only, mta_sts, send, waits
from postfix import Postfix
from sink import Sink


class Namespaces:
    """A place for nexthop_cases: mail hosts at 20.0.0.N, all at port 25; the gateway with the settings of the world but for the root's key and the CA."""
    port = 25

    def __init__(self, top):
        self.top, self.ca, self.net = top, Authority(top), Net(top)
        self.nsd = Dns(top, self.net.host("dns", "20.0.0.53", *ROOT_SERVERS))
        self.gw_host = self.net.host("gw", "20.0.0.100")
        self.others = None
        self.running = []

    def ip(self, n):
        return f"20.0.0.{n}"

    def host_of_scripts(self):
        if self.others is None:
            self.others = self.net.host("others", *(self.ip(n) for n in range(2, 10)))
        return self.others

    def mail_host(self, n, cert):
        return self.host_of_scripts().inside(lambda: MailHost(self.ip(n), 25, cert))

    def policy_server(self):
        return self.host_of_scripts().inside(lambda: PolicyServer(self.ip(9), self.ca, 443))

    def sts(self, web):
        return "timeout = 10s"

    def gateway(self, settings="", sts="enabled = no", sections="", outside_settings=""):
        self.inside = self.gw_host.inside(Sink)
        g = NetGateway(self.gw_host, self.top, "hospital", "hospital.example", self.inside.address, settings=f'{CLEAR}tls-ca-file = "{self.ca.cert}"\n{settings}\n',
                       sections=self.nsd.settings() + f"mta-sts {{\n  {sts}\n}}\n" + sections, outside_settings=outside_settings)
        g.start()
        g.make_identity()
        return g

    def send(self, g, to, subject):
        self.gw_host.inside(lambda: send(g, to, subject))

    def server(self, make, name, n, *args, **kw):
        """A mail server in a namespace of its own at address N."""
        self.running.append(make(self.top, name, *args, host=self.net.host(name, self.ip(n)), **kw))
        return self.running[-1]

    def stop(self):
        for s in self.running:
            s.stop()
        self.nsd.stop()
        self.net.stop()


def test_dane(top):
    at(Namespaces(top), dane)


def test_dane_only(top):
    at(Namespaces(top), dane_only)


def test_mta_sts(top):
    at(Namespaces(top), mta_sts)


# ---- other mail servers as hosts of signed domains ----

def receiver(place, make, name, n, **kw):
    """That server as the mail host of right.NAME.example (its TLSA record fits), wrong.NAME.example (not), bogus-NAME.example (a record that does not validate) and none.NAME.example (no record)."""
    cert, key = place.ca.issue(f"mx.{name}.example")
    server = place.server(make, name, n, tls=(cert, key), **kw)
    a, fits = f"A {place.ip(n)}", f"TLSA 3 1 1 {spki256(cert)}"
    place.nsd.zone(f"{name}.example", ["right MX 10 mx-right", f"mx-right {a}", f"_25._tcp.mx-right {fits}", "wrong MX 10 mx-wrong", f"mx-wrong {a}", f"_25._tcp.mx-wrong TLSA 3 1 1 {WRONG}",
                                    "none MX 10 mx-none", f"mx-none {a}"], sign=True)
    place.nsd.zone(f"bogus-{name}.example", ["@ MX 10 mx", f"mx {a}", f"_25._tcp.mx {fits}"], sign=True, forge=[(spki256(cert), WRONG)])
    return server


def receives(place, g, name, arrived, offers_tls=True):
    """arrived(subject) -> the mail as that server gave it on or stored it, or None."""
    for to in ("right", "none", "wrong"):
        place.send(g, f"b@{to}.{name}.example", f"{to} at {name}")
    place.send(g, f"b@bogus-{name}.example", f"bogus at {name}")
    assert "DANE" in waits(g, f"b@wrong.{name}.example")
    assert "cannot be had or do not validate" in waits(g, f"b@bogus-{name}.example")
    for to in ("right", "none"):
        mail = wait_for(f"{to} at {name}", 30, lambda to=to: arrived(f"{to} at {name}"))
        # the gateway's own transaction is the newest trace field that names it
        trace = b" ".join(mail[mail.index(b"Received:"):].split(b"\r\n\r\n" if b"\r\n" in mail else b"\n\n")[0].split())
        assert re.search(rb"^Received: from [^;]*gw\.hospital\.example.{0,200}(TLS|ESMTPS|esmtps)", trace), trace
    for to in ("wrong", "bogus"):
        assert not arrived(f"{to} at {name}"), f"{to} at {name} was taken"
    sent = [line for line in g.log().split("\n") if f"to=<b@right.{name}.example>" in line and " delivered " in line]
    assert len(sent) == 1 and 'tls="TLS' in sent[0], sent


def stored_in(postfix):
    return lambda subject: next((m for m in postfix.stored() if f"Subject: {subject}\n".encode() in m), None)


def passed_to(sink):
    return lambda subject: next((m.data for m in list(sink.mails) if m.field("Subject") == subject), None)


def test_receivers_with_dane(top):
    """Postfix and Exim as mail hosts of signed domains: TLSA records that fit, do not fit, are bogus, are missing."""
    place = Namespaces(top)
    try:
        def postfix(top, name, tls, host):
            return Postfix(top, name, "", domain="right.postfix.example, wrong.postfix.example, none.postfix.example, bogus-postfix.example", maildir=True, host=host,
                           extra={"smtpd_tls_cert_file": tls[0], "smtpd_tls_key_file": tls[1], "smtpd_tls_security_level": "may", "smtpd_tls_received_header": "yes"}).start()
        sink = place.host_of_scripts().inside(lambda: MailHost(place.ip(2), 25))
        p = receiver(place, postfix, "postfix", 21)
        receiver(place, lambda top, name, tls, host: Exim(top, name, f"{place.ip(2)}:25", host, tls), "exim", 22)
        place.nsd.start()
        g = place.gateway()
        receives(place, g, "postfix", stored_in(p))
        receives(place, g, "exim", passed_to(sink))
    finally:
        place.stop()


def test_opensmtpd_with_dane(top):
    """Debian 12's OpenSMTPD fails every handshake as a server. With a TLSA record nothing may reach it; without one it is served as it can be, in the clear."""
    place = Namespaces(top)
    try:
        sink = place.host_of_scripts().inside(lambda: MailHost(place.ip(2), 25))
        receiver(place, lambda top, name, tls, host: OpenSmtpd(top, name, f"{place.ip(2)}:25", host, tls), "opensmtpd", 23)
        place.nsd.start()
        g = place.gateway()
        for to in ("right", "wrong"):
            place.send(g, f"b@{to}.opensmtpd.example", f"{to} at opensmtpd")
            why = waits(g, f"b@{to}.opensmtpd.example")
            assert "DANE" in why and "nothing was sent in the clear" in why, why
        place.send(g, "b@bogus-opensmtpd.example", "bogus at opensmtpd")
        assert "cannot be had or do not validate" in waits(g, "b@bogus-opensmtpd.example")
        assert not passed_to(sink)("bogus at opensmtpd")
        assert not passed_to(sink)("right at opensmtpd") and not passed_to(sink)("wrong at opensmtpd")
        place.send(g, "b@none.opensmtpd.example", "none at opensmtpd")
        wait_for("the mail to a host without TLSA records", 30, lambda: passed_to(sink)("none at opensmtpd"))
    finally:
        place.stop()


# ---- other mail servers that look for our TLSA record ----

def test_senders_with_dane(top):
    """Postfix and Exim, each with a validating resolver, send by DANE to the gateway: its own TLSA record fits, is missing, does not fit, is bogus."""
    place = Namespaces(top)
    try:
        domains = "".join(f'domain "{d}" {{\n  inside-server = "@INSIDE@"\n  recipients = any\n}}\n' for d in ("wrong.example", "bogus.example", "none.example"))
        inside = place.gw_host.inside(Sink)
        place.nsd.zone("empty.example", [])
        place.nsd.start()
        g = place.gateway(sections=domains.replace("@INSIDE@", inside.address))
        place.nsd.stop()
        cert = os.path.join(top, "gw-tls.pem")
        with open(cert, "w") as f:
            f.write(g.tls_pem)
        a, fits = "A 20.0.0.100", f"TLSA 3 1 1 {spki256(cert)}"
        place.nsd.zone("hospital.example", ["@ MX 10 gw", f"gw {a}", f"_25._tcp.gw {fits}"], sign=True)
        place.nsd.zone("wrong.example", ["@ MX 10 gw", f"gw {a}", f"_25._tcp.gw TLSA 3 1 1 {WRONG}"], sign=True)
        place.nsd.zone("none.example", ["@ MX 10 gw", f"gw {a}"], sign=True)
        place.nsd.zone("bogus.example", ["@ MX 10 gw", f"gw {a}", f"_25._tcp.gw {fits}"], sign=True, forge=[(spki256(cert), WRONG)])
        place.nsd.start()
        hosts = {n: place.net.host(n, place.ip(i)).resolve(place.nsd.anchors) for n, i in (("postfix", 31), ("exim", 32))}
        postfix = Postfix(top, "sender", "", host=hosts["postfix"], extra={"mynetworks": "20.0.0.0/8", "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns",
                                                                          "smtp_tls_security_level": "dane", "smtp_tls_loglevel": "1"})
        place.running.append(postfix)
        postfix.start()
        exim = Exim(top, "sender-exim", None, hosts["exim"])
        place.running.append(exim)
        for name, server in (("postfix", postfix), ("exim", exim)):
            for domain in ("hospital.example", "none.example", "wrong.example", "bogus.example"):
                r = hosts[name].inside(lambda s=server, d=domain, n=name: subprocess.run(
                    ["swaks", "--server", s.ip, "--from", f"x@{n}.test", "--to", f"a@{d}", "--header", f"Subject: {n} to {d}", "--body", "text", "--helo", "client.test"],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
                assert r.returncode == 0, r.stdout
            place.inside.by_subject(f"{name} to hospital.example")
            inside.by_subject(f"{name} to none.example")
        wait_for("Postfix to say that it verified us", 20, lambda: re.search(r"Verified TLS connection established to gw\.hospital\.example", postfix.log()))
        wait_for("Exim to say so", 20, lambda: re.search(r"=> a@hospital\.example.*CV=dane", exim.words()))
        for what, log, pattern in (
                ("Postfix to refuse the wrong record", postfix.log, r"to=<a@wrong\.example>.*status=deferred \(Server certificate not verified\)"),
                ("Postfix to put the bogus one off", postfix.log, r"to=<a@bogus\.example>.*status=deferred \(TLSA lookup error for gw\.bogus\.example"),
                ("Exim to refuse the wrong record", exim.words, r"== a@wrong\.example .* defer .*gw\.wrong\.example.*certificate verification failed"),
                ("Exim to put the bogus one off", exim.words, r"== a@bogus\.example .* defer .*DANE error: tlsa lookup DEFER")):
            wait_for(what, 30, lambda log=log, pattern=pattern: re.search(pattern, log()))
        assert len(inside.mails) == 2 and len(place.inside.mails) == 2, [m.field("Subject") for m in inside.mails + place.inside.mails]
        taken = [line for line in g.log().split("\n") if " accepted session=" in line]
        assert len(taken) == 4 and all('tls="TLSv1.3' in line for line in taken), taken
    finally:
        place.stop()
