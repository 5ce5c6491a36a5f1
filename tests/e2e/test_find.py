"""Partners' certificates found in the network: real nsd, slapd and web servers on loopback, one gateway and many domains; a message to each, and which certificate it is sealed
for, or what RCPT was told. How places are written: tests/lib/partners.py.
"""
import base64
import gzip
import hashlib
import os
import threading
import time

from finding import der, ipkix_record
from mail import quick
from partners import US, World, check, check_all, mail_to
from smime import openssl

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
    ("an issuer whose server is down", "dns:address-dead", (451, "cannot be told now", "issuer", "/middle.der")),
    ("an issuer that is not where AIA says", "dns:address-lost", (550, "no anchor leads to it", "CN=middle", "/lost: the server answers 404")),
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
    return table


def test_direct(top):
    world = World(top)
    table = placed(world, DIRECT)
    world.start()
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
    ("CERT for which nobody vouches", "dns:address-stranger", "clear"),
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
    ("one that was taken back", "dns:domain-revoked", (550, "revoked")),
]


def test_own(top):
    world = World(top)
    table = placed(world, OWN)
    for extra in ("listed.example", "seen.example"):
        world.place("silent dns:domain", extra)
    world.start()
    gw, outside = world.gateway("by-address = always\n tiers = {store, smimea, cert, ldap, http}\n timeout = 4s\n place-timeout = 2s")
    check_all(world, gw, outside, table)
    # P1: a silence is no answer where the partner is listed, or was ever protected
    gw.postern("partner", "add", "listed.example", "--strength", "prefer")
    check(world, gw, outside, "listed.example", (451, "cannot be told now", "dns SMIMEA"))
    kept = world.cert("domain", "", "seen.example")
    gw.postern("cert", "import", kept.cert, "--for", "seen.example", "--pin", "--yes")
    check(world, gw, outside, "seen.example", "domain")
    gw.postern("cert", "remove", "seen.example", hashlib.sha256(der(kept.cert)).hexdigest()[:16])
    check(world, gw, outside, "seen.example", (451, "was protected before", "cannot be told now", "dns"))
    gw.stop()
    world.stop()


# ---- which certificate store is asked (RFC 2782) ----

STORES = [
    ("the store of the lowest priority", "store:domain:0:0 store2:domain2:10:0", "domain"),
    ("the same, the other way round", "store:domain:10:0 store2:domain2:0:0", "domain2"),
    ("the next priority when the first is down", "store:down:0:0 store2:domain:10:0", "domain"),
    ("of one priority the other when one is down", "store:down:5:90 store2:domain:5:10", "domain"),
    ("all of them down", "store:down:0:0 store:down:1:0", (451, "http://ns.DOMAIN")),
    ("a store that knows nothing is an answer", "store:empty:0:0 store2:domain:10:0", "clear"),
    ("the highest weight first", "store:domain:5:10 store2:domain2:5:90", "domain2"),
    ("weight means nothing across priorities", "store:domain:1:0 store2:domain2:5:65535", "domain"),
    ("the service is decidedly not there", "store:none", "clear"),
]
DRAWN, WEIGHT, SUM = 100, 75, 100


def test_certificate_stores(top):
    """Who is asked, by priority and weight; drawn by weight as RFC 2782 wants it, the domains share the load among them."""
    world = World(top)
    table = placed(world, STORES)
    shared = [f"w{i}.example" for i in range(DRAWN)]
    for domain in shared:
        world.place(f"store:empty:0:{WEIGHT} store2:empty:0:{SUM - WEIGHT}", domain)
    world.start()
    gw, outside = world.gateway("tiers = {store, http}")
    check_all(world, gw, outside, table)
    gw.stop()
    gw.sections = gw.sections.replace("tiers = {store, http}", "tiers = {store, http}\n srv-order = rfc2782")
    gw.write_conf()
    gw.start()
    check_all(world, gw, outside, [row for row in table if "highest weight" not in row[0] and row[2] != "clear"][1:3])
    for domain in shared:
        assert mail_to(gw, "bob@" + domain)[0] == 250
    first, second = ({h.split("=")[1] for h in w.hits if h.split("=")[1].startswith("w")} for w in (world.web, world.web2))
    # the draw depends on the address alone: these are the same numbers each time; five standard deviations around what the weights say
    assert first | second == set(shared) and not first & second, first & second
    assert abs(len(first) - DRAWN * WEIGHT // SUM) < 5 * (DRAWN * WEIGHT * (SUM - WEIGHT)) ** 0.5 / SUM, len(first)
    gw.stop()
    world.stop()


# ---- what the postmaster sees, and how often servers are asked ----

@quick
def test_explained(top):
    """Each step with its answer, in words and as JSON; one place alone; a second message asks nobody."""
    world = World(top)
    world.place("dns:domain-expired one:domain srv:down:0:0 srv:one:1:0", "lab.example")
    world.start()
    gw, outside = world.gateway("by-address = always")
    check(world, gw, outside, "lab.example", "domain")
    asked = world.directories[0].searches()
    assert asked > 0
    check(world, gw, outside, "lab.example", "domain")
    assert world.directories[0].searches() == asked, "the second message asked the directory again"
    good, old = (hashlib.sha256(der(world.cert(w, "", "lab.example").cert)).hexdigest() for w in ("domain", "domain-expired"))
    told = gw.cli("explain", US, "bob@lab.example")
    steps = told["steps"]
    places = [s["place"] for s in steps]
    assert {"store", "dns CERT", "dns SRV", "ldap", "decision"} <= set(places), places
    by_hash = {s["sha256"]: s["answer"] for s in steps if s.get("sha256")}
    assert "ran out on 20" in by_hash[old] and "trusted by the anchor CN=authority" in by_hash[good], by_hash
    assert any(str(world.ports["down"]) in s["query"] and "no answer that counts" in s["answer"] for s in steps), steps
    text = gw.postern("explain", US, "bob@lab.example")[1]
    assert "dns CERT" in text and "ran out on 20" in text and good[:16] in text, text
    assert world.directories[0].searches() == asked, "explain asked again for what is known"
    for source, state in (("ldap", "usable"), ("dns", "unusable"), ("store", "none")):
        got = gw.cli("lookup", "bob@lab.example", "--source", source)
        assert got["state"] == state, got
    gw.stop()
    world.stop()


@quick
def test_status_says_what_to_do(top):
    """A certificate that waits for the admin, and one that only the network has and that runs out: status names both with the command that helps."""
    world = World(top)
    world.odd["short"] = world.ca, {"days": 20}
    world.place("dns:domain-short", "lab.example")
    world.start()
    gw, outside = world.gateway("tiers = {store, cert}")
    gw.postern("partner", "add", "lab.example", "--treatment", "seal", "--strength", "require")
    code, _, err = gw.postern("partner", "add", "lab.example", "--find", "directory=nope", check=False)
    assert code == 2 and "there is no section certificate-directory" in err, (code, err)
    pinned, found = world.cert("domain-rsa", "", "lab.example"), world.cert("domain-short", "", "lab.example")
    gw.postern("cert", "import", pinned.cert, "--for", "lab.example", "--pin", "--yes")
    check(world, gw, outside, "lab.example", "domain-rsa")
    before = gw.cli("status")["judge"]
    assert not before["waiting"] and not before["expiring"], before
    gw.postern("cert", "remove", "lab.example", hashlib.sha256(der(pinned.cert)).hexdigest()[:16])
    check(world, gw, outside, "lab.example", (451, "waits for the admin", "(trace "))
    (row,) = gw.cli("status")["judge"]["waiting"]
    sha256 = hashlib.sha256(der(found.cert)).hexdigest()
    assert row["sha256"] == sha256 and row["known_by"] == "the admin's pin" and f"postern cert accept lab.example {sha256[:16]}" in row["next"], row
    text = " ".join(gw.postern("status")[1].split())
    assert f"Waiting: lab.example, for mail of hospital.example: {sha256[:16]} (an anchor for all partners) would take the place of" in text and row["next"] in text, text
    gw.postern(*row["next"].split("postern ")[1].split())
    outside.mails.clear()
    check(world, gw, outside, "lab.example", "domain-short")
    told = gw.cli("status")["judge"]
    (row,) = told["expiring"]
    assert not told["waiting"] and row["kind"] == "network" and row["owner"] == "lab.example" and row["days_left"] in (19, 20) and "postern cert show lab.example" in row["next"], told
    assert "lab.example (network) runs out on" in " ".join(gw.postern("status")[1].split())
    gw.stop()
    since = len(gw.log())
    gw.start()
    gw.wait_log(r"expires kind=network owner=lab.example days=(19|20) why=", since=since)
    assert gw.log().count("expires kind=network") == 1
    gw.stop()
    world.stop()


# ---- servers that mean harm ----

def write(handler, head, octets, times=1, pause=0.0):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
    try:
        for _ in range(times):
            handler.wfile.write(octets)
            handler.wfile.flush()
            time.sleep(pause)
    except OSError:
        pass
    handler.close_connection = True


def to(where):
    def answer(handler):
        handler.wfile.write(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
    return answer


def test_malicious(top):
    """Each within its time, with the reason, while others are served."""
    world = World(top)
    web = world.web
    bag = openssl("crl2pkcs7", "-nocrl", *[x for _ in range(300) for x in ("-certfile", world.ca.cert)], "-outform", "DER")
    bomb = gzip.compress(b"\0" * (64 << 20))  # beforehand: it takes longer than the gateway waits
    files = {
        "endless": lambda h: write(h, b"", b"x" * 65536, 4000),
        "drip": lambda h: write(h, b"Content-Length: 1000\r\n", b"x", 40, 0.25),
        "deaf": lambda h: time.sleep(8),
        "loop": to("/loop"),
        "inside": to("http://10.0.0.1/"),
        "metadata": to("http://169.254.169.254/latest"),
        "itself": to("http://[::1]:25/"),
        "file": to("file:///etc/passwd"),
        "ldap": to("ldap://127.0.0.1/"),
        "ssh": to("http://127.0.0.1:22/"),
        "header": lambda h: write(h, b"X: " + b"y" * 200000 + b"\r\n", b"x"),
        "bomb": lambda h: write(h, b"Content-Encoding: gzip\r\n", bomb),
        "html": ("text/html", b"<html>no certificate</html>"),
        "bag": bag,
        "empty": b"",
    }
    for name, what in files.items():
        web.files["/" + name] = what
        octets = what if isinstance(what, bytes) else what[1] if isinstance(what, tuple) else b"x"
        world.nsd.zone(name + ".example", [ipkix_record(web.url + "/" + name, octets)])
    # more records than one answer has room for, all of them no certificates
    world.nsd.zone("junk.example", [f"@ CERT 1 0 0 {base64.b64encode(os.urandom(300)).decode()}" for _ in range(100)])
    world.place("dns:domain", "good.example")
    world.start()
    gw, outside = world.gateway("timeout = 6s\n place-timeout = 3s", settings="default-strength = require\n")
    got = {}

    def one(domain):
        start = time.monotonic()
        got[domain] = (*mail_to(gw, "bob@" + domain), time.monotonic() - start)
    threads = [threading.Thread(target=one, args=(n + ".example",)) for n in (*files, "junk")]
    for t in threads:
        t.start()
    check(world, gw, outside, "good.example", "domain")
    for t in threads:
        t.join(60)
    bad = []
    words = {"endless": "longer than", "drip": "no whole answer within 3000 ms", "deaf": "no whole answer within 3000 ms", "loop": "redirect", "inside": "private or reserved", "metadata": "private or reserved", "itself": "port 25",
             "file": "http", "ldap": "http", "ssh": "port", "header": "header", "bomb": "compressed", "html": "certificate", "bag": "has more than is looked at", "empty": "the answer is empty", "junk": "certificate"}
    for domain, (code, text, took) in sorted(got.items()):
        name = domain.split(".")[0]
        if code not in (451, 550) or took > 20 or words[name] not in text or ("http" in text and name != "junk" and "/" + name not in text):
            bad.append(f"{name}: {took:.1f} s: {code} {text}")
    assert not bad and len(got) == len(files) + 1, "\n".join(bad)
    check(world, gw, outside, "good.example", "domain")
    gw.stop()
    world.stop()
