"""Partners' certificates found in the network: real nsd, slapd and web servers on loopback, one gateway and many domains; a message to each, and which certificate it is sealed
for, or what RCPT was told.

A place is written as SERVER:CERTIFICATE. Servers: dns (CERT), url (CERT with a URL), one and two (directories). Certificates: address or domain, whom it is for, by which name it
is found; behind it what is odd about it: see World.cert.
"""

from finding import Ca, Directory, Web, cert_record, der, ipkix_record, srv_record
from gateway import free_ports
from mail import message, send, solo
from nexthop import Nsd
from smime import openssl

PRIVATE = 'sources {\n  allow-private = {"127.0.0.0/8"}\n}\n'
US = "anna@hospital.example"


class World:
    """Authorities, servers, and the certificates of many domains."""
    def __init__(self, top):
        self.top, self.web, self.nsd = top, Web(), Nsd(top)
        self.ca, self.revoking, self.stranger = (Ca(top, n) for n in ("authority", "revoking", "stranger"))
        self.middle = Ca(top, "middle", issuer=self.ca)
        self.entries = {"one": [], "two": []}
        self.ports = dict(zip(("one", "two", "down"), free_ports(3)))
        self.directories, self.gateways = [], []
        self.web.files["/middle.der"] = der(self.middle.cert)
        self.web.files["/middle.p7c"] = openssl("crl2pkcs7", "-nocrl", "-certfile", self.middle.cert, "-outform", "DER")
        self.made = {}

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
            elif o == "other":
                san = "email:carol@" + domain if whom.startswith("address") else "DNS:other." + domain
            elif o == "wild":
                san = "DNS:*." + domain.split(".", 1)[1]
            elif o == "subject":
                san, kw["cn"] = "", f"{domain}/emailAddress={address}"
            else:
                raise AssertionError(label)
        made = self.made[key] = ca.issue(f"{label}.{domain}", san, **kw)
        if "revoked" in odd:
            self.revoking.revoke(made)
        return made

    def place(self, where, domain, signed=False):
        """Puts what `where` says into the servers; the zone of the domain."""
        address, records = "bob@" + domain, []
        for word in where.split():
            server, what, *more = word.split(":")
            if server == "srv":
                host = {"nowhere": "gone." + domain}.get(what, "ns." + domain)
                records.append(srv_record("_ldap._tcp", self.ports.get(what, 389), host, *more))
            elif server == "garbage":
                records.append("@ CERT 1 0 0 AAECAwQFBgcICQ==")
            else:
                who, name = self.cert(what, address, domain), "bob" if what.startswith("address") else "@"
                if server == "dns":
                    records.append(cert_record(who.cert, name))
                elif server == "url":
                    path = f"/{domain}/{what}"
                    self.web.files[path] = der(who.cert)
                    records.append(ipkix_record(self.web.url + path, der(who.cert), name))
                else:
                    mail = address if name == "bob" else domain
                    entry = next((e for e in self.entries[server] if e[0] == mail), None)
                    if entry:
                        entry[1].append(who.cert)
                    else:
                        self.entries[server].append((mail, [who.cert]))
        self.nsd.zone(domain, records, signed)

    def start(self):
        self.web.files["/crl"] = self.revoking.crl()
        self.nsd.start()
        self.directories = [Directory(self.top, n, e, port=self.ports[n]).start() for n, e in self.entries.items() if e]

    def gateway(self, find, more="", **kw):
        gw, _, outside = solo(self.top, sections=self.nsd.settings() + PRIVATE + "find {\n" + find + "\n}\n" + more, **kw)
        for ca in (self.ca, self.revoking):
            gw.postern("anchor", "add", ca.cert, "--yes")
        return gw, outside

    def stop(self):
        for s in (*self.directories, self.nsd, self.web):
            s.stop()


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
    ("an issuer that is not where AIA says", "dns:address-lost", (550, "/lost")),
    ("an authority that nobody believes", "dns:address-stranger", (550, "")),
    ("a certificate for signing alone", "dns:address-signing", (550, "only for signing")),
    ("a weak key", "dns:address-weak", (550, "1024")),
    ("a certificate of another address", "dns:address-other", (550, "carol@DOMAIN")),
    ("a certificate of a host in the domain", "dns:domain-other", (550, "other.DOMAIN")),
    ("a wildcard", "dns:domain-wild", (550, "*.example")),
    ("an address in the subject alone", "dns:address-subject", (550, "")),
    ("names in capitals", "dns:address-upper", "address-upper"),
    ("a domain in capitals", "dns:domain-upper", "domain-upper"),
    ("octets that are no certificate", "garbage:x", (550, "")),
]


def test_direct(top):
    world = World(top)
    table = [(title, f"d{i}.example", want) for i, (title, _, want) in enumerate(DIRECT)]
    for (_, where, _), (_, domain, _) in zip(DIRECT, table):
        world.place(where, domain)
    world.start()
    gw, outside = world.gateway("order = direct\n by-address = always", settings="default-strength = require\n")
    check_all(world, gw, outside, table)
    gw.stop()
    world.stop()
