"""Partners' certificates found in the network: real nsd, slapd and web servers on loopback, one gateway and many domains; a message to each, and which certificate it is sealed
for, or what RCPT was told.

A place is written as SERVER:CERTIFICATE. Servers: dns (CERT), url (CERT with a URL), one and two (directories). Certificates: address or domain, whom it is for, by which name it
is found; behind it what is odd about it: see World.cert.
"""

import socket

from finding import Ca, Directory, Web, cert_record, der, ipkix_record, smimea_name, smimea_record, srv_record
from gateway import free_ports
from mail import message, send, solo
from nexthop import Nsd
from smime import Identity, openssl

PRIVATE = 'sources {\n  allow-private = {"127.0.0.0/8"}\n}\n'
US = "anna@hospital.example"


class World:
    """Authorities, servers, and the certificates of many domains."""
    def __init__(self, top):
        self.top, self.web, self.nsd = top, Web(), Nsd(top)
        self.ca, self.revoking, self.stranger = (Ca(top, n) for n in ("authority", "revoking", "stranger"))
        self.middle = Ca(top, "middle", issuer=self.ca)
        self.entries = {"one": [], "two": []}
        self.ports = dict(zip(("one", "two", "down", "deaf"), free_ports(4)))
        self.directories, self.gateways = [], []
        self.web.files["/middle.der"] = der(self.middle.cert)
        self.web.files["/middle.p7c"] = openssl("crl2pkcs7", "-nocrl", "-certfile", self.middle.cert, "-outform", "DER")
        self.made, self.silent = {}, []
        self.deaf = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]  # takes questions, answers none
        for s in self.deaf:
            s.bind(("127.0.0.1", self.ports["deaf"]))
        self.deaf[0].listen(64)

    def cert(self, label, address, domain):
        """label: address or domain, then -WORD for each oddity."""
        key = (label, domain)
        if key in self.made:
            return self.made[key]
        whom, *odd = label.split("-")
        san, kw, ca = f"email:{address}" if whom.startswith("address") else f"DNS:{domain}", {"kind": "ec"}, self.ca
        for o in odd:
            if o == "expired":
                kw["days"] = -1
            elif o == "revoked":
                ca, kw["crl"] = self.revoking, self.web.url + "/crl"
            elif o in ("aia", "p7c", "lost"):
                ca, kw["aia"] = self.middle, self.web.url + {"aia": "/middle.der", "p7c": "/middle.p7c", "lost": "/lost"}[o]
            elif o == "stranger":
                ca = self.stranger
            elif o == "signing":
                kw["usage"] = "critical,digitalSignature"
            elif o == "weak":
                kw["kind"] = "rsa1024"
            elif o == "rsa":
                kw["kind"] = "rsa"
            elif o == "upper":
                san = san.replace(":" + san.split(":")[1], ":" + san.split(":")[1].upper())
            elif o == "self":
                ca = None
            elif o == "other":
                san = "email:carol@" + domain if whom.startswith("address") else "DNS:other." + domain
            elif o == "wild":
                san = "DNS:*." + domain.split(".", 1)[1]
            elif o == "subject":
                san, kw["cn"] = "", f"{domain}/emailAddress={address}"
            else:
                raise AssertionError(label)
        name = f"{label}.{domain}"
        made = self.made[key] = ca.issue(name, san, **kw) if ca else Identity(self.top, name, san, **kw)
        if "revoked" in odd:
            self.revoking.revoke(made)
        return made

    def place(self, where, domain):
        """Puts what `where` says into the servers; the zone of the domain. Words without a certificate: signed, forged (what CERT records say was altered after signing), silent (the
        zone's server gives no answer)."""
        words = where.split()
        state, where = {"signed", "forged", "silent"} & set(words), " ".join(w for w in words if ":" in w)
        address, records = "bob@" + domain, []
        for word in where.split():
            server, what, *more = word.split(":")
            if server == "srv":
                host = {"nowhere": "gone." + domain}.get(what, "ns." + domain)
                records.append(srv_record("_ldap._tcp", self.ports.get(what, 389), host, *more))
            elif server == "store":
                records.append(srv_record("_certificates._tcp", self.ports["down"] if what == "down" else self.web.port, "ns." + domain))
                if what != "down":
                    who = self.cert(what, address, domain)
                    self.web.files["/certificates/search.cgi?" + ("email=bob%40" if what.startswith("address") else "uri=") + domain] = ("application/pkix-cert", der(who.cert))
            elif server == "smimea":
                pem = self.made_authority(what) or self.cert(what, address, domain).cert
                records.append(smimea_record(address, pem, *map(int, more)))
            elif server == "alias":
                pem = self.cert(what, address, domain).cert
                records += [smimea_name(address) + " CNAME shared", smimea_record(address, pem).replace(smimea_name(address), "shared")]
            elif server == "garbage":
                records.append("@ CERT 1 0 0 AAECAwQFBgcICQ==")
            else:
                who, name = self.cert(what, address, domain), "bob" if what.startswith("address") else "@"
                if server == "dns":
                    records.append(cert_record(who.cert, name))
                elif server in ("url", "wrong", "gone"):
                    path = f"/{domain}/{what}"
                    self.web.files[path] = der(who.cert)
                    octets = der(self.ca.cert) if server == "wrong" else der(who.cert)
                    records.append(ipkix_record((self.web.url if server != "gone" else f"http://127.0.0.1:{self.ports['down']}") + path, octets, name))
                else:
                    mail = address if name == "bob" else domain
                    entry = next((e for e in self.entries[server] if e[0] == mail), None)
                    if entry:
                        entry[1].append(who.cert)
                    else:
                        self.entries[server].append((mail, [who.cert]))
        forge = []
        if "forged" in state:
            begin = next(r.split()[-1] for r in records if " CERT " in r)[:40]
            forge = [(begin, begin[:-1] + ("A" if begin[-1] != "A" else "B"))]
        self.nsd.zone(domain, records, bool(state & {"signed", "forged"}), forge)
        if "silent" in state:
            self.silent.append(domain)

    def made_authority(self, name):
        return {"authority": self.ca, "stranger": self.stranger}[name].cert if name in ("authority", "stranger") else None

    def start(self):
        self.web.files["/crl"] = self.revoking.crl()
        self.nsd.start()
        self.directories = [Directory(self.top, n, e, port=self.ports[n]).start() for n, e in self.entries.items() if e]

    def gateway(self, find, more="", **kw):
        dns = self.nsd.settings()
        for domain in self.silent:
            dns = dns.replace(f'"{domain}=127.0.0.1@{self.nsd.port}"', f'"{domain}=127.0.0.1@{self.ports["deaf"]}"')
        gw, _, outside = solo(self.top, sections=dns + PRIVATE + "find {\n" + find + "\n}\n" + more, **kw)
        for ca in (self.ca, self.revoking):
            gw.postern("anchor", "add", ca.cert, "--yes")
        return gw, outside

    def stop(self):
        for s in (*self.directories, self.nsd, self.web):
            s.stop()
        for s in self.deaf:
            s.close()


def mail_to(gw, address):
    return send(gw.inside, US, address, message(US, address, "to " + address))


def arrived(outside, address):
    return outside.wait(1, 30, lambda m: m.rcpts == [address])[0]


def check(world, gw, outside, domain, want, address=None):
    """want: the certificate whose holder can open it and nobody else's; "clear"; or the reply's code and words of it."""
    address = address or "bob@" + domain
    code, text = mail_to(gw, address)
    if isinstance(want, tuple):
        assert code == want[0], f"wanted {want}: {code} {text}"
        for word in want[1:]:
            assert word.replace("DOMAIN", domain) in text, f"{word!r} is not in: {code} {text}"
        return text
    assert code == 250, f"wanted {want}: {code} {text}"
    mail = arrived(outside, address)
    if want == "clear":
        assert b"hello" in mail.body, mail.data[:2000]
        return text
    assert b"hello" not in mail.body, mail.data[:2000]
    openers = [label for (label, d), who in world.made.items() if d == domain and who.open(mail.data)]
    assert openers == [want], f"sealed for {openers}, not for {want}"
    return text


def check_all(world, gw, outside, table):
    """table: (title, domain, want). All are tried; what is not as wanted is told together."""
    bad = []
    for title, domain, want in table:
        try:
            check(world, gw, outside, domain, want)
        except AssertionError as e:
            bad.append(f"{title} ({domain}): {e}")
    assert not bad, "\n".join(bad)


# ---- the order of Direct ----

DIRECT = [
    ("the address before the domain", "dns:address dns:domain", "address"),
    ("the domain's where the address has none", "dns:domain", "domain"),
    ("an expired one of the address ends the search", "dns:address-expired dns:domain", (550, "ran out on 20")),
    ("a valid one beside an expired one of the address", "dns:address-expired dns:address", "address"),
    ("a valid one beside an expired one of the domain", "dns:domain-expired dns:domain", "domain"),
    ("an expired one of the domain in DNS ends the search", "dns:domain-expired one:address srv:one", (550, "ran out on 20")),
    ("DNS before directories", "dns:domain one:address srv:one", "domain"),
    ("the address in a directory", "one:address srv:one", "address"),
    ("the domain in a directory", "one:domain srv:one", "domain"),
    ("the address before the domain in a directory", "one:address one:domain srv:one", "address"),
    ("an expired one of the address in a directory ends the search", "one:address-expired one:domain srv:one", (550, "ran out on 20")),
    ("a valid one beside an expired one in a directory", "one:address-expired one:address srv:one", "address"),
    ("an expired one of the domain in a directory", "one:domain-expired srv:one", (550, "ran out on 20")),
    ("the directory of the lowest priority", "one:address two:address2 srv:two:10:0 srv:one:0:0", "address"),
    ("the next directory when the first is down", "two:address srv:down:0:0 srv:two:10:0", "address"),
    ("the next directory when the first has no address", "two:address srv:nowhere:0:0 srv:two:10:0", "address"),
    ("the highest weight first", "one:address two:address2 srv:one:5:10 srv:two:5:90", "address2"),
    ("weight means nothing across priorities", "one:address two:address2 srv:one:1:0 srv:two:5:90", "address"),
    ("all directories down", "srv:down:0:0 srv:nowhere:1:0", (451, "cannot be told now", "ldap")),
    ("a directory that knows nothing is an answer", "two:address srv:one:0:0 srv:two:10:0", (550, "there is no certificate")),
    ("nothing anywhere", "", (550, "there is no certificate for DOMAIN")),
    ("a URL in DNS", "url:address", "address"),
    ("a URL in DNS at the domain", "url:domain", "domain"),
    ("an answer too large for UDP", "dns:address-rsa-expired dns:address1-rsa-expired dns:address2-rsa-expired dns:address3-rsa-expired dns:address4-rsa-expired dns:address5-rsa", "address5-rsa"),
    ("revoked", "dns:address-revoked", (550, "revoked")),
    ("a revoked one ends the search", "dns:address-revoked dns:domain", (550, "revoked")),
    ("beside a revoked one a valid one", "dns:address-revoked dns:address", "address"),
    ("the issuer by AIA", "dns:address-aia", "address-aia"),
    ("the issuer by AIA in PKCS#7", "one:domain-p7c srv:one", "domain-p7c"),
    ("an issuer that is not where AIA says", "dns:address-lost", (550, "no anchor leads to it", "CN=middle")),
    ("an authority that nobody believes", "dns:address-stranger", (550, "no anchor leads to it", "CN=stranger")),
    ("a certificate for signing alone", "dns:address-signing", (550, "only for signing")),
    ("a weak key", "dns:address-weak", (550, "1024")),
    ("a certificate of another address", "dns:address-other", (550, "carol@DOMAIN")),
    ("a certificate of a host in the domain", "dns:domain-other", (550, "other.DOMAIN")),
    ("a wildcard", "dns:domain-wild", (550, "*.example")),
    ("an address in the subject alone", "dns:address-subject", (550, "")),
    ("names in capitals", "dns:address-upper", "address-upper"),
    ("a domain in capitals", "dns:domain-upper", "domain-upper"),
    ("octets that are no certificate", "garbage:x", (550, "not a certificate that can be read")),
]


def placed(world, cases):
    table = [(title, f"d{i}.example", want) for i, (title, _, want) in enumerate(cases)]
    for (_, where, _), (_, domain, _) in zip(cases, table):
        world.place(where, domain)
    world.start()
    return table


def test_direct(top):
    world = World(top)
    table = placed(world, DIRECT)
    gw, outside = world.gateway("order = direct\n by-address = always", settings="default-strength = require\n")
    check_all(world, gw, outside, table)
    gw.stop()
    world.stop()


# ---- the order of strength, for domains that nobody configured, under "prefer" ----

OWN = [
    ("SMIMEA 3 names a certificate that no authority issued", "signed smimea:address-self:3:0:0", "address-self"),
    ("SMIMEA 3 by the hash of a key", "signed smimea:address-self:3:1:1 dns:address-self", "address-self"),
    ("SMIMEA 3 by another certificate's hash", "signed smimea:address2-self:3:0:1 dns:address-self", (550, "")),
    ("SMIMEA 3 behind an alias", "signed alias:address-self", "address-self"),
    ("SMIMEA 3 in a zone that is not signed", "smimea:address-self:3:0:0", "clear"),
    ("SMIMEA 2 names the authority", "signed smimea:stranger:2:0:0 dns:address-stranger", "address-stranger"),
    ("SMIMEA 2 names another authority", "signed smimea:authority:2:0:1 dns:address-stranger", (550, "")),
    ("SMIMEA 1", "signed smimea:address:1:0:0", "address"),
    ("SMIMEA 1 needs an anchor", "signed smimea:address-stranger:1:0:0", (550, "")),
    ("SMIMEA 0", "signed smimea:authority:0:0:1 dns:address", "address"),
    ("SMIMEA 0 with another authority", "signed smimea:stranger:0:0:1 dns:address", (550, "")),
    ("an expired certificate by SMIMEA 3", "signed smimea:address-self-expired:3:0:0", (550, "ran out on 20")),
    ("CERT with an anchor", "dns:address", "address"),
    ("CERT without one", "dns:address-stranger", (550, "no anchor leads to it")),
    ("a URL", "url:domain", "domain"),
    ("a URL with another hash", "wrong:domain", (451, "another hash", "/DOMAIN/domain")),
    ("a URL whose server is down", "gone:domain", (451, "/DOMAIN/domain")),
    ("a directory by SRV", "one:domain srv:one", "domain"),
    ("a certificate store by SRV", "store:address", "address"),
    ("a certificate store by SRV, the domain's", "store:domain", "domain"),
    ("SMIMEA is stronger than CERT", "signed smimea:address-self:3:0:0 dns:address", "address-self"),
    ("CERT is stronger than a directory", "dns:address one:address2 srv:one", "address"),
    ("one that ran out is passed over", "dns:address-expired one:domain srv:one", "domain"),
    ("a revoked one is passed over", "dns:address-revoked one:domain srv:one", "domain"),
    ("a weaker place is not used while a stronger one is uncertain", "gone:address one:domain srv:one", (451, "/DOMAIN/address")),
    ("nor while a directory is away", "srv:down store:domain", (451, "ldap")),
    ("a stronger place is enough when weaker ones are away", "dns:domain srv:down store:down", "domain"),
    ("a server that DNS names and that is away", "srv:down", (451, "ldap://ns.DOMAIN")),
    ("a bogus answer", "forged dns:domain", (451, "validation failure")),
    ("a signed zone that is silent", "signed silent dns:domain", (451, "cannot be told now: dns")),
    ("a zone that is silent", "silent dns:domain", "clear"),
    ("nothing anywhere", "", "clear"),
    ("nothing in a signed zone", "signed", "clear"),
    ("there is one, and none that may be used", "dns:domain-expired", (550, "ran out on 20")),
]


def test_own(top):
    world = World(top)
    table = placed(world, OWN)
    gw, outside = world.gateway("by-address = always\n tiers = {store, smimea, cert, ldap, http}")
    check_all(world, gw, outside, table)
    gw.stop()
    world.stop()
