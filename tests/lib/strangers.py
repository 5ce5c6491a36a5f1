"""Gateways that know nothing of each other but what stands in the DNS: real ones, each with a domain, an address, a host for SMTP and a public HTTPS listener of its own, on loopback.

Ways to be believed (kind): dnssec (signed zone), webpki, anchored (certificates of an authority), first and pinned (nothing speaks for the key). What a gateway publishes is what `postern dns-records` prints of _smg and TLSA; its MX
and addresses are the only other records, and nothing of the others is configured at any gateway.
"""
import base64
import hashlib
import json
import os
import random
import shlex
import subprocess

from attackers import Signed
from gateway import Gateway, free_ports, wait_for
from mail import message, send
from nexthop import Authority, Nsd, run
from sink import Sink
from smime import Identity, openssl
from statements import b64url


class Introduced:
    """What a gateway has to say of itself. kind: see above; anchored: its certificates are of the authority world.ca."""
    days = 400  # of its certificates

    def hook(self, ca):
        """The command that asks the authority."""
        return f"openssl x509 -req -CA {ca.cert} -CAkey {ca.key} -set_serial 0x{random.getrandbits(120):x} -days {self.days} -copy_extensions copyall"

    def install(self, ca, request):
        answer = os.path.join(self.dir, "answer.pem")
        with open(answer, "wb") as f:
            f.write(subprocess.run(shlex.split(self.hook(ca)), input=request.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout)
        self.postern("domain", "install", self.domain, answer)

    def begin(self, world, www):
        """Keys, TLS certificates of the public authority, the statement."""
        if self.kind == "anchored":
            for k in self.cli("domain", "add", self.domain, "--csr")["keys"]:
                self.install(world.ca, k["csr"])
        else:
            self.postern("domain", "add", self.domain, "--self-signed")
        for name in (self.hostname, www):
            world.tls(self, name)
        wait_for(f"a statement of {self.domain}", 60, lambda: self.shown()["statement"], every=0.2)
        if self.kind == "anchored":  # the first statement key is self-signed; nobody knows it yet, so it changes at once
            before = self.key()
            self.postern("domain", "rollover", self.domain, "--statement-key", "--hook", self.hook(world.ca))
            wait_for(f"the authority's statement certificate of {self.domain}", 60, lambda: all(r["step"] in ("overlap", "done") for r in self.shown()["rollovers"]), every=0.2)
            wait_for(f"a statement of {self.domain} by that key", 60, lambda: self.key() != before, every=0.2)

    def key(self):
        """The fingerprint of its statement key, as it would be read out over the telephone."""
        der = base64.b64decode(self.shown()["statement"]["der"])
        said = json.loads(Signed(der).content)
        cert = next(c for c in (base64.b64decode(c["der"]) for c in said["certificates"]) if b64url(hashlib.sha256(c).digest()) == said["signer"])
        pem = openssl("x509", "-inform", "DER", "-noout", "-pubkey", data=cert)
        return hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", data=pem)).hexdigest()

    def shown(self):
        return self.cli("domain", "show", self.domain)


class Stranger(Introduced, Gateway):
    """One gateway. SMTP outside at address:port, HTTPS at address:443."""
    def __init__(self, world, name, kind, address, first="ask", statement="", more="", days=400, **kw):
        self.world, self.kind, self.address, self.sink = world, kind, address, Sink()
        self.days, self.host = days, ("smg." if kind in ("dnssec", "webpki") else "www.") + name + ".example"
        self.first, self.statement, self.more, self.published = first, statement, more, []
        super().__init__(world.top, name, name + ".example", self.sink.address, settings=f'tls-ca-file = "{world.authority.cert}"\nmx-port = {world.port}\n', **kw)

    def write_conf(self):
        self.sections = (self.world.nsd.settings() + 'sources {\n  allow-private = {"127.0.0.0/8"}\n}\nfind {\n  tiers = {store, smg}\n  timeout = 8s\n}\n'
                         f'partner-statements {{\n  first-contact = {self.first}\n}}\npublic {{\n  address = "{self.address}:443"\n  hostname = "{self.host}"\n  connections-per-client = 200\n  client-rate = 0\n}}\n'
                         f"statement {{\n  {self.statement}\n}}\n{self.more}")
        super().write_conf()
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(text.replace(f"127.0.0.1:{self.outside}", f"{self.address}:{self.world.port}"))

    def launch(self, command, **kw):
        if self.world.clock:
            kw["env"] = self.world.clock.environment(kw["env"])
        return super().launch(command, **kw)

    def introduce(self):
        self.begin(self.world, self.host)

    def publish(self, mx=None):
        """mx: the address that its MX leads to, when that is not its own."""
        lines = self.postern("dns-records", self.domain)[1].splitlines()
        published = self.published = [line for line in lines if line.startswith("_smg.") or " TLSA " in line]
        assert any(line.startswith("_smg.") for line in published), lines
        host, www = (h[:-len(self.domain) - 1] for h in (self.hostname, self.host))
        self.world.nsd.zone(self.domain, [f"@ MX 10 {host}", f"{host} A {mx or self.address}", f"{www} A {self.address}", *published], self.kind == "dnssec")

    def partner(self, other):
        return self.cli("partner", "show", other.domain)["statement"]

    def mail(self, other, subject):
        """One message of a user here to one there; (code, text) of what the user was told."""
        sender, rcpt = "anna@" + self.domain, "bob@" + other.domain
        return send(self.inside, sender, rcpt, message(sender, rcpt, subject))


class World:
    """clock: one that is put forward, for all of its gateways."""
    def __init__(self, top, clock=None):
        self.clock, self.top, self.nsd, self.authority = clock, top, Nsd(top), Authority(top)
        self.port, self.gateways, self.ca = free_ports(1)[0], [], Identity(top, "health", ca=True)
        self.net = f"127.{random.randrange(64, 250)}.{random.randrange(1, 250)}"

    def add(self, name, kind, **kw):
        self.nsd.zone(name + ".example", [], kind == "dnssec")  # its key is what the others start from
        self.gateways.append((name, kind, kw))

    def tls(self, g, host):
        cert, key = self.authority.issue(host)
        p12, secret = os.path.join(g.dir, host + ".p12"), os.path.join(g.dir, "p12-password")
        with open(secret, "w") as f:
            f.write("secret\n")
        run("openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", p12, "-passout", "pass:secret")
        g.postern("domain", "tls", host, "--pkcs12", p12, "--password-file", secret)

    def start(self, mx=None):
        """All of them, four at a time; then the DNS has what they publish. mx: name -> address that its MX leads to."""
        made = [Stranger(self, name, kind, f"{self.net}.{i + 2}", **kw) for i, (name, kind, kw) in enumerate(self.gateways)]
        self.gateways = made
        try:
            for i in range(0, len(made), 4):
                for g in made[i:i + 4]:
                    g.start(wait=False)
                for g in made[i:i + 4]:
                    g.wait_ready()
                    g.introduce()
            for g in made:
                g.publish((mx or {}).get(g.name))
            self.nsd.start()
        except BaseException:
            self.stop()
            raise
        return made

    def stop(self):
        for g in self.gateways:
            g.stop()
        self.nsd.stop()


def sealed(g, subject):
    """A user of g has read it, and it came encrypted and signed by somebody who is believed."""
    mail = g.sink.by_subject(subject, 40)
    assert b"hello" in mail.body and mail.field("X-Postern-Verdict").startswith("sealed"), mail.data[:1500]


def sent(g, other, subject):
    code, text = g.mail(other, subject)
    assert code == 250, f"{subject}: {code} {text}"
    sealed(other, subject)


def trusted(g, other, serial=None):
    """What g has of the other once it is trusted, and is the statement with this serial."""
    return wait_for(f"{g.name} to trust {other.name}", 30, lambda: (lambda s: s if s and s["state"] == "trusted" and serial in (None, s["trusted"]["serial"]) else None)(g.partner(other)), every=0.2)
