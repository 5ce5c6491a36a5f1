"""Gateways that know nothing of each other but what stands in the DNS: real ones, each with a domain, an address, a host for SMTP and a public HTTPS listener of its own, on loopback.

Ways to be believed (kind): dnssec (signed zone), webpki, first (nothing speaks for the key). What a gateway publishes is what `postern dns-records` prints of _smg and TLSA; its MX
and addresses are the only other records, and nothing of the others is configured at any gateway.
"""
import os
import random

from gateway import Gateway, free_ports, wait_for
from mail import message, send
from nexthop import Authority, Nsd, run
from sink import Sink


class Stranger(Gateway):
    """One gateway. SMTP outside at address:port, HTTPS at address:443."""
    def __init__(self, world, name, kind, address, first="ask", statement="", **kw):
        self.world, self.kind, self.address, self.sink = world, kind, address, Sink()
        self.host = ("smg." if kind in ("dnssec", "webpki") else "www.") + name + ".example"
        self.first, self.statement = first, statement
        super().__init__(world.top, name, name + ".example", self.sink.address, settings=f'tls-ca-file = "{world.authority.cert}"\nmx-port = {world.port}\n', **kw)

    def write_conf(self):
        self.sections = (self.world.nsd.settings() + 'sources {\n  allow-private = {"127.0.0.0/8"}\n}\nfind {\n  tiers = {store, smg}\n  timeout = 8s\n}\n'
                         f'partner-statements {{\n  first-contact = {self.first}\n}}\npublic {{\n  address = "{self.address}:443"\n  hostname = "{self.host}"\n  connections-per-client = 200\n}}\n'
                         f"statement {{\n  {self.statement}\n}}\n")
        super().write_conf()
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(text.replace(f"127.0.0.1:{self.outside}", f"{self.address}:{self.world.port}"))

    def introduce(self):
        """Keys, TLS certificates of the public authority, the statement; the zone with what it publishes."""
        self.postern("domain", "add", self.domain, "--self-signed")
        for name in (self.hostname, self.host):
            self.world.tls(self, name)
        wait_for(f"a statement of {self.domain}", 30, lambda: self.shown()["statement"], every=0.2)

    def publish(self):
        lines = self.postern("dns-records", self.domain)[1].splitlines()
        published = [line for line in lines if line.startswith("_smg.") or " TLSA " in line]
        assert any(line.startswith("_smg.") for line in published), lines
        host, www = (h[:-len(self.domain) - 1] for h in (self.hostname, self.host))
        self.world.nsd.zone(self.domain, [f"@ MX 10 {host}", f"{host} A {self.address}", f"{www} A {self.address}", *published], self.kind == "dnssec")

    def shown(self):
        return self.cli("domain", "show", self.domain)

    def partner(self, other):
        return self.cli("partner", "show", other.domain)["statement"]

    def mail(self, other, subject):
        """One message of a user here to one there; (code, text) of what the user was told."""
        sender, rcpt = "anna@" + self.domain, "bob@" + other.domain
        return send(self.inside, sender, rcpt, message(sender, rcpt, subject))


class World:
    def __init__(self, top):
        self.top, self.nsd, self.authority = top, Nsd(top), Authority(top)
        self.port, self.gateways = free_ports(1)[0], []
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

    def start(self):
        """All of them, four at a time; then the DNS has what they publish."""
        made = [Stranger(self, name, kind, f"{self.net}.{i + 2}", **kw) for i, (name, kind, kw) in enumerate(self.gateways)]
        self.gateways = made
        for i in range(0, len(made), 4):
            for g in made[i:i + 4]:
                g.start(wait=False)
            for g in made[i:i + 4]:
                g.wait_ready()
                g.introduce()
        for g in made:
            g.publish()
        self.nsd.start()
        return made

    def stop(self):
        for g in self.gateways:
            g.stop()
        self.nsd.stop()
