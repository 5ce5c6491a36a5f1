"""Partners whose certificates are found in the network: zones, directories and web servers of many domains, and messages to them.

A place is written as SERVER:CERTIFICATE. Servers: dns (CERT), url (CERT with a URL; wrong: with another hash; gone: at a server that is down), smimea and alias (SMIMEA), store and
store2 (RFC 4387; empty: it has nothing for that domain; none: the target "."), one and two (directories), srv (SRV of a directory). Behind srv and the stores: priority and weight.
Certificates: address or domain, whom it is for, by which name it is found; behind it what is odd about it: see World.cert.
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
        self.top, self.web, self.web2, self.nsd = top, Web(), Web(), Nsd(top)
        self.ca, self.revoking, self.stranger = (Ca(top, n) for n in ("authority", "revoking", "stranger"))
        self.middle = Ca(top, "middle", issuer=self.ca)
        self.entries = {"one": [], "two": []}
        self.ports = dict(zip(("one", "two", "down", "deaf"), free_ports(4)))
        self.directories, self.gateways = [], []
        self.web.files["/middle.der"] = der(self.middle.cert)
        self.web.files["/middle.p7c"] = openssl("crl2pkcs7", "-nocrl", "-certfile", self.middle.cert, "-outform", "DER")
        self.made, self.silent = {}, []
        self.odd = {}  # word: (authority, arguments of its issue())
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
            elif o == "dead":
                ca, kw["aia"] = self.middle, f"http://127.0.0.1:{self.ports['down']}/middle.der"
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
            elif o in self.odd:
                ca, kw = self.odd[o][0], kw | self.odd[o][1]
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
            elif server in ("store", "store2"):
                web = self.web if server == "store" else self.web2
                records.append("_certificates._tcp SRV 0 0 0 ." if what == "none" else
                               srv_record("_certificates._tcp", self.ports["down"] if what == "down" else web.port, "ns." + domain, *more))
                if what not in ("down", "empty", "none"):
                    who = self.cert(what, address, domain)
                    web.files["/certificates/search.cgi?" + ("email=bob%40" if what.startswith("address") else "uri=") + domain] = ("application/pkix-cert", der(who.cert))
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

    def gateway(self, find, more="", private=PRIVATE, **kw):
        dns = self.nsd.settings()
        for domain in self.silent:
            dns = dns.replace(f'"{domain}=127.0.0.1@{self.nsd.port}"', f'"{domain}=127.0.0.1@{self.ports["deaf"]}"')
        gw, self.inside, outside = solo(self.top, sections=dns + private + "find {\n" + find + "\n}\n" + more, **kw)
        for ca in (self.ca, self.revoking):
            gw.postern("anchor", "add", ca.cert, "--yes")
        return gw, outside

    def stop(self):
        for s in (*self.directories, self.nsd, self.web, self.web2):
            s.stop()
        for s in self.deaf:
            s.close()


def mail_to(gw, address, sender=US):
    return send(gw.inside, sender, address, message(sender, address, "to " + address))


def arrived(outside, address):
    return outside.wait(1, 30, lambda m: m.rcpts == [address])[0]


def check(world, gw, outside, domain, want, sender=US):
    """want: the certificate whose holder can open it and nobody else's; "clear"; or the reply's code and words of it."""
    address = "bob@" + domain
    code, text = mail_to(gw, address, sender)
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
