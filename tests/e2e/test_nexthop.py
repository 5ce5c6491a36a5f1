"""Outbound by MX over a real nsd with DNSSEC, on loopback: the cases of DANE and MTA-STS (tests/lib/nexthop_cases.py), policy hosts in private networks, a real Postfix."""
from gateway import wait_for
from nexthop import Authority, Nsd, PolicyServer, spki256
from nexthop_cases import Loopback, dane, dane_only, gateway, hosts, mta_sts, policy, send
from postfix import Postfix


def at(top, case):
    place = Loopback(top)
    try:
        case(place)
    finally:
        place.stop()


def test_dane(top):
    at(top, dane)


def test_dane_only(top):
    at(top, dane_only)


def test_mta_sts(top):
    at(top, mta_sts)


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
        assert "DANE" not in log
        handshakes = log.count("smtpc tls remote=mx.signed.example")
        assert 4 <= handshakes < 15 and "resumed=1" in log, f"{handshakes} handshakes"
        assert 'line="BDAT ' in log
    finally:
        p.stop()
        nsd.stop()
