"""A gateway with something of everything on its pages: partners, decisions that wait, certificates (one of them hostile), anchors, rules, keys, mail."""
import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

ROLES = ("viewer", "operator", "trust-officer", "admin")
HOSTILE = {"script": "\"><script>window.owned=1</script>", "crlf": "x\r\nSet-Cookie: owned=1\r\n\r\n<h1>owned</h1>", "direction": "a\u202egnp.exe\u2066b", "long": "W" * 12000,
           "huge": "W" * 65536, "template": "{{csrf}}{{>head.html}}<img src=x onerror=window.owned=1>"}
FIELDS = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.LOCALITY_NAME, NameOID.STATE_OR_PROVINCE_NAME, NameOID.SURNAME, NameOID.GIVEN_NAME, NameOID.TITLE)


def hostile(top, kind):
    """A self-signed certificate all of whose names say this; its path."""
    value = HOSTILE[kind]
    fields = FIELDS[:1] if len(value) > 1000 else FIELDS
    name = x509.Name([x509.NameAttribute(f, value, _validate=False) for f in fields])
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
    cert = cert.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(300))
    names = [x509.DNSName("hostile.example")]
    if all(ord(c) < 128 for c in value):
        names += [x509.RFC822Name._init_without_validation(value), x509.UniformResourceIdentifier._init_without_validation(value), x509.DNSName._init_without_validation(value)]
    cert = cert.add_extension(x509.SubjectAlternativeName(names[:1] if len(value) > 1000 else names), False)
    path = os.path.join(top, f"hostile-{kind}.pem")
    with open(path, "wb") as f:
        f.write(cert.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


class Scene:
    """Names and files that the browser needs."""
    def __init__(self, top, web=""):
        from finding import Ca
        from mail import message, send, solo
        from nexthop import Authority, Nsd
        from smime import Identity
        from statements import Peer, StatementServer
        self.top, self.nsd, self.authority = top, Nsd(top), Authority(top)
        self.server = StatementServer(self.authority)
        self.peers = {d: Peer(top, d) for d in ("clinic.example", "newcomer.example", "stranger.example", "second.example", "third.example")}
        for d, p in self.peers.items():
            self.nsd.zone(d, p.records(self.server.address, None if d == "clinic.example" else "/elsewhere", d != "clinic.example"), False)
            self.server.put(d, p.statement())
        self.nsd.start()
        self.gw, self.inside, self.outside = solo(
            top, settings=f'tls-ca-file = "{self.authority.cert}"\n',
            sections=self.nsd.settings() + 'sources {\n  allow-private = {"127.0.0.0/8"}\n}\nfind {\n tiers = {store, smg}\n timeout = 8s\n}\npartner-statements {\n}\n' + web)
        gw, us = self.gw, "anna@hospital.example"
        for d in self.peers:
            send(gw.inside, us, "bob@" + d, message(us, "bob@" + d, "hello"))
        self.ca = Ca(top, "health-authority")
        self.lab = Identity(top, "lab", "DNS:lab.example", issuer=self.ca)
        self.soon = Identity(top, "soon", "DNS:soon.example", days=20)
        for name, more in (("lab.example", ("--note", "Ms Weber, +49 30 1234567")), ("soon.example", ()), ("hostile.example", ()), ("insurer.example", ("--strength", "prefer"))):
            gw.postern("partner", "add", name, "--treatment", "seal", *more)
        for i in range(120):
            gw.postern("partner", "add", f"partner-{i:03}.example", "--treatment", "seal") if i < 3 else None
        gw.postern("cert", "import", self.soon.cert, "--for", "soon.example", "--pin", "--yes")
        gw.postern("anchor", "add", self.ca.cert, "--scope", "lab.example", "--yes")
        self.hostile = {k: hostile(top, k) for k in HOSTILE}
        for k in HOSTILE:
            if k != "huge":
                gw.postern("cert", "import", self.hostile[k], "--for", "hostile.example", "--pin", "--yes", "--force", check=False)
        gw.postern("rule", "add", "laboratory", "--recipient", "*@lab.example", "--treatment", "seal")
        for r in ROLES:
            gw.postern("user", "add", "u-" + r, "--role", r)

    def stop(self):
        self.gw.stop()
        self.nsd.stop()
        self.server.stop()
