"""A partner's gateway that exists only as its statement: keys, the statement made by the openssl command line, the HTTPS server that hands it out, the records that lead to it."""
import base64
import hashlib
import json
import os
import random
import ssl
import subprocess
import time

from finding import der
from nexthop import PolicyServer
from smime import Identity, openssl

OID = "2.25.6345284688943069982369138258631214205"
READ = {"content": ["aes-256-gcm", "aes-256-cbc"], "keys": ["ecdh-p256-x963sha256-aes256wrap", "rsa-oaep-sha256"], "signatures": ["rsa-sha256", "ecdsa-p256-sha256"],
        "formats": ["signed-enveloped"], "headers": ["rfc9788"], "octets": 52428800}


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def spki(identity):
    pem = openssl("x509", "-in", identity.cert, "-noout", "-pubkey")
    return hashlib.sha256(subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, stdout=subprocess.PIPE, check=True).stdout).digest()


class Peer:
    """One domain: statement key, key for mail. ca: who issues both (None: self-signed)."""
    def __init__(self, folder, domain, ca=None):
        self.folder, self.domain, self.ca, self.n = folder, domain, ca, 0
        self.key, self.mail = self.identity("statement"), self.identity("mail", "ec")
        self.serial = int(time.time() * 1000) - 100000

    def identity(self, name, kind="ec", ca=None, san=None, **kw):
        self.n += 1
        ca = ca or self.ca
        return Identity(self.folder, f"{self.domain}.{name}{self.n}", san or "DNS:" + self.domain, kind=kind, issuer=ca, **kw)

    def content(self, issued=None, expires=None, serial=None, key=None, mail=None, announce=(), **more):
        """JSON. announce: further statement keys."""
        now = time.time()
        if serial is None:
            self.serial += 1000
            serial = self.serial
        key, mail, issued = key or self.key, mail or [("both", self.mail)], issued or now - 60
        day = 86400
        certs = [("statement", key), *(("statement", k) for k in announce), *mail]
        said = {"v": 1, "domain": self.domain, "serial": serial, "issued": stamp(issued), "expires": stamp(expires or issued + 7 * day),
                "signer": b64url(hashlib.sha256(der(key.cert)).digest()),
                "certificates": [{"use": use, "der": base64.b64encode(der(i.cert)).decode(), "from": stamp(self.begin(i)), "until": stamp(self.begin(i) + 300 * day)} for use, i in certs],
                "read": READ, **more}
        return json.dumps(said).encode()

    @staticmethod
    def begin(identity):
        text = openssl("x509", "-in", identity.cert, "-noout", "-startdate").decode().split("=", 1)[1].strip()
        return int(time.mktime(time.strptime(text, "%b %d %H:%M:%S %Y %Z"))) - time.timezone

    def sign(self, content, *keys):
        """SignedData by the statement key, or by these."""
        args = [x for k in (keys or (self.key,)) for x in ("-signer", k.cert, "-inkey", k.key)]
        if self.ca:
            args += ["-certfile", self.ca.cert]
        return openssl("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-cades", "-md", "sha256", "-econtent_type", OID, "-outform", "DER", *args, data=content)

    def statement(self, *keys, **kw):
        return self.sign(self.content(**kw), *keys)

    def records(self, address, path=None, key=True):
        """Of the zone: the host smg and the record _smg."""
        path = path or "/.well-known/smg/" + self.domain
        named = f"; key=sha256/{b64url(spki(self.key))}" if key else ""
        return [f"smg A {address}", f'_smg TXT "v=smg1; url=https://smg.{self.domain}{path}{named}"']


class StatementServer(PolicyServer):
    """HTTPS on port 443 of an address of its own, for the hosts smg.DOMAIN."""
    def __init__(self, authority):
        for _ in range(50):
            self.address = f"127.{random.randrange(64, 250)}.{random.randrange(1, 250)}.{random.randrange(2, 250)}"
            try:
                super().__init__(self.address, authority, 443)
                return
            except OSError:
                pass
        raise AssertionError("no address of 127.0.0.0/8 with a free port 443")

    def put(self, domain, octets, status=200):
        host = "smg." + domain
        self.answers[host] = (status, "application/cms", octets, {"Cache-Control": "no-store"})
        if host not in self.contexts:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(*self.authority.issue(host))
            self.contexts[host] = ctx

    def asked_for(self, domain):
        return sum(host == "smg." + domain for host, _ in self.asked)
