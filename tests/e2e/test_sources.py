"""Where partners' certificates come from, asked by the real scout in its sandbox: a directory of ours that wants a password, and what strangers may not make it connect to. Odd answers: unit tests."""
import hashlib
import os
import struct
import subprocess
import time

from finding import Ca, Directory, Trap, Web, der
from gateway import BUILD, free_ports, wait_for
from mail import message, quick, send, solo
from names import Names, flat
from slapd import PASSWORD, READER, Slapd

US = "ann@hospital.example"


def secret(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def section(path, uri, d):
    return (f'certificate-directory "national" {{\n servers = {{"{uri}"}}\n ca-file = "{d.cert}"\n bind-dn = "{READER}"\n password-file = "{path}"\n timeout = 3s\n dead-time = 1s\n}}\n'
            'find {\n tiers = {store, ldap}\n directories = {"national"}\n}\n')


def look(gw, address, source="ldap"):
    return gw.cli("lookup", address, "--source", source)


@quick
def test_directory_with_a_password(top):
    """STARTTLS and ldaps with bind, below every namingContexts; the message is sealed for what was found there. A wrong password, a server away: not now, with the reason."""
    names, ca = Names(), Ca(top, "authority")
    lab = ca.issue("lab", "DNS:lab.example", kind="ec")
    d = Slapd(top, "national", {"lab": ("lab.example", [])}, certs={"lab": der(lab.cert)}).start()
    path = secret(os.path.join(top, "directory-password"), PASSWORD + "\n")
    gw, _, outside = solo(top, sections=names.settings("example") + section(path, d.uri, d), log_level="debug")
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")
        got = look(gw, "bob@lab.example")
        assert got["state"] == "usable", got
        assert send(gw.inside, US, "bob@lab.example", message(US, "bob@lab.example", "found"))[0] == 250
        assert lab.open(outside.wait(1, 30)[0].data), "sealed for the certificate of the directory"
        assert "STARTTLS" in d.log() and f'BIND dn="{READER}" method=128' in d.log()
        gw.stop()
        for uri, password, words in ((d.tls_uri, PASSWORD, None), (d.tls_uri, "wrong", "bind: Invalid credentials"), ("ldap://127.0.0.1:1", PASSWORD, "connect: Connection refused")):
            secret(path, password + "\n")
            gw.sections = names.settings("example") + section(path, uri, d)
            gw.write_conf()
            gw.start()
            got = look(gw, "bob@lab.example")
            if words is None:
                assert got["state"] == "usable", got
            else:
                assert got["state"] != "usable" and words in str(got), got
            gw.stop()
        for mode, text, words in ((0o644, "x\n", "can be read by others: chmod 600"), (0o600, "\n", "is empty")):
            secret(path, text, mode)
            r = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-t", "-c", gw.conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            assert r.returncode != 0 and 'password-file of certificate-directory "national"' in r.stdout and words in r.stdout, r.stdout
        assert PASSWORD not in gw.log(0), "also not at debug"
    finally:
        d.stop()
        names.stop()


@quick
def test_what_strangers_name(top):
    """Their records lead to our own hosts: no connection is made, and the reason is said. With allow-private it is."""
    names, ca, web = Names(), Ca(top, "authority"), Web()
    lab = ca.issue("lab", "DNS:lab.example", kind="ec")
    d = Directory(top, "theirs", [("lab.example", [lab.cert])]).start()
    names.records[("ns.lab.example", "A")] = [bytes((127, 0, 0, 1))]
    names.records[("_ldap._tcp.lab.example", "SRV")] = [struct.pack(">HHH", 0, 0, d.port) + flat("ns.lab.example")]
    names.records[("lab.example", "CERT")] = [struct.pack(">HHB", 4, 0, 0) + bytes([20]) + hashlib.sha1(der(lab.cert)).digest() + (web.url + "/lab.der").encode()]
    web.files["/lab.der"] = der(lab.cert)
    gw, _, outside = solo(top, sections=names.settings("example"))
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")
        for source in ("ldap", "dns"):
            got = look(gw, "bob@lab.example", source)
            assert got["state"] != "usable" and "private or reserved addresses alone" in str(got), got
        assert d.searches() == 0 and web.hits == [], (d.searches(), web.hits)
        gw.stop()
        gw.sections += 'sources {\n allow-private = {"127.0.0.1"}\n}\n'
        gw.write_conf()
        gw.start()
        for source in ("ldap", "dns"):
            got = look(gw, "bob@lab.example", source)
            assert got["state"] == "usable", got
        assert d.searches() > 0 and web.hits == ["/lab.der"], (d.searches(), web.hits)
    finally:
        d.stop()
        names.stop()
        web.stop()


class Turning:
    """The addresses of a host: always the first ones, until later is set; then those in turn, another with each question."""
    def __init__(self, *first):
        self.first, self.later, self.given, self.turn = first, [], 0, 0

    def __call__(self):
        self.given += 1
        answer = self.first
        if self.later:
            answer, self.turn = self.later[self.turn % len(self.later)], self.turn + 1
        return [bytes(map(int, a.split("."))) for a in answer]


OUT, IN = "127.0.0.1", "127.0.0.2"  # the world, as allow-private says; and a host inside


@quick
def test_rebinding(top):
    """Hosts of strangers whose addresses (TTL 0) first are in the world and then inside, by turns, or both at once: nobody ever comes to the one inside. When it is allowed, they do."""
    names, web, ca = Names(ttl=0), Web(), Ca(top, "authority")
    lab = {d: ca.issue(d, "DNS:" + d, kind="ec") for d in ("dir.example", "store.example")}
    d = Directory(top, "theirs", [("dir.example", [lab["dir.example"].cert])]).start()
    away = free_ports(1)[0]  # nobody listens there in the world
    traps = [Trap(IN, p) for p in (d.port, web.port, away)] + [Trap("::1", away)]
    web.files["/certificates/search.cgi?uri=store.example"] = ("application/pkix-cert", der(lab["store.example"].cert))

    def host(domain, turning, service=None, port=0, six=None):
        names.records[("ns." + domain, "A")] = turning
        if six:
            names.records[("ns." + domain, "AAAA")] = [six]
        if service:
            names.records[(service + "." + domain, "SRV")] = [struct.pack(">HHH", 0, 0, port) + flat("ns." + domain)]
        return turning

    def redirect(handler):  # when the first address is no longer remembered
        turning["hop.example"].later = [[IN]]
        time.sleep(1.2)
        handler.wfile.write(f"HTTP/1.1 302 Found\r\nLocation: http://ns.hop.example:{web.port}/second\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        handler.close_connection = True
    web.files["/first"] = redirect
    turning = {
        "dir.example": host("dir.example", Turning(OUT), "_ldap._tcp", d.port),
        "store.example": host("store.example", Turning(OUT), "_certificates._tcp", web.port),
        "hop.example": host("hop.example", Turning(OUT)),
        "both-dir.example": host("both-dir.example", Turning(OUT, IN), "_ldap._tcp", away),
        "both-store.example": host("both-store.example", Turning(IN, OUT), "_certificates._tcp", away),
        "six-dir.example": host("six-dir.example", Turning(OUT), "_ldap._tcp", away, bytes(15) + b"\1"),
        "six-store.example": host("six-store.example", Turning(OUT), "_certificates._tcp", away, bytes(15) + b"\1"),
    }
    names.records[("hop.example", "CERT")] = [struct.pack(">HHB", 4, 0, 0) + bytes([20]) + bytes(20) + f"http://ns.hop.example:{web.port}/first".encode()]
    private = 'sources {{\n allow-private = {{{0}}}\n http-dead-time = 0s\n ldap-dead-time = 0s\n ldap-idle = 0s\n}}\n'
    find = "find {\n tiers = {store, cert, ldap, http}\n by-address = always\n found-least = 2s\n none-least = 2s\n found-most = 2s\n none-most = 2s\n unsure-for = 1s\n}\n"
    gw, _, outside = solo(top, settings="default-strength = require\n", sections=names.settings("example") + private.format(f'"{OUT}"') + find)

    people = iter(range(10000))

    def until(domain, code, words):
        """Messages to new people there until one has that fate ("": any)."""
        said = []

        def one():
            rcpt = f"bob{next(people)}@{domain}"
            said.append(send(gw.inside, US, rcpt, message(US, rcpt, "to " + rcpt)))
            return code in (said[-1][0], "") and words in said[-1][1]
        try:
            wait_for(f"{code} {words}", 15, one, every=0.4)
        except AssertionError as e:
            raise AssertionError(f"{domain}: {e}; {said[-1]}") from None
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")
        for domain in lab:  # at first it is in the world, and used
            until(domain, 250, "")
            assert lab[domain].open(outside.wait(1, 30, lambda m: m.rcpts[0].endswith("@" + domain))[0].data)
        for domain in lab:
            turning[domain].later = [[IN], [OUT]]
            wait_for(f"eight questions for {domain}", 30, lambda: until(domain, "", "") or turning[domain].turn >= 8, every=0.4)
            turning[domain].later = [[IN]]
            until(domain, 451, "private or reserved addresses alone")
        until("hop.example", 451, "private or reserved addresses alone")
        assert "/first" in web.hits and not any("second" in h for h in web.hits), web.hits
        for domain in turning:
            if "-" in domain:
                until(domain, 451, str(away))
        assert all(t.given >= 2 for k, t in turning.items() if "-" not in k) and all(t.given for t in turning.values()), {k: t.given for k, t in turning.items()}
        assert [t.came for t in traps] == [0] * len(traps), [t.came for t in traps]
        # the traps are where they would have gone
        gw.stop()
        gw.sections = names.settings("example") + private.format('"127.0.0.0/8", "::1"') + find
        gw.write_conf()
        gw.start()
        for domain in turning:
            send(gw.inside, US, "eve@" + domain, message(US, "eve@" + domain, "allowed"))
        assert all(t.came for t in traps), [t.came for t in traps]
    finally:
        gw.stop()
        for s in (d, names, web, *traps):
            s.stop()
