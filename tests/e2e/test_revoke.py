"""Certificates that were taken back: lists (CRL) and answers (OCSP) over HTTP, when they cannot be had, when somebody else made them, when they are out of date; outgoing and incoming."""
import os

from gateway import free_ports, wait_for
from mail import quick, send, solo
from partners import PRIVATE, US, World, arrived, check
from smime import Identity, entity, seal, with_header

CARL = "carl@ward.example"  # of a domain that insists

# word of the certificate, what the domain that is content gets, what the one that insists gets
CASES = [
    ("list", "used", "used"),
    ("list", "revoked", "revoked"),
    ("away", "used", (451, "/away")),
    ("missing", "used", (451, "/missing")),
    ("foreign", "used", (451, "/foreign")),
    ("old", "used", (451, "/old")),
    ("junk", "used", (451, "/junk")),
    ("asked", "used", "used"),
    ("asked", "revoked", "revoked"),
    ("delegate", "used", "used"),
    ("delegate", "revoked", "revoked"),
    ("plain", "used", "used"),  # an answer without our nonce (RFC 8954 leaves that to the responder)
    ("plain", "revoked", "revoked"),
    ("stale", "used", (451, "/stale: it answers another question (its nonce is not ours)")),
    ("liar", "used", (451, "/liar")),
    ("dumb", "used", (451, "/dumb")),
    ("both", "used", "used"),
    ("neither", "used", (451, "cannot be told now", "http://127.0.0.1")),
]


def world_of(top):
    world = World(top)
    ca, web, down = world.revoking, world.web, free_ports(1)[0]
    at = {word: f"{web.url}/{word}" for word in ("list", "foreign", "old", "junk", "asked", "delegate", "plain", "stale", "liar", "dumb", "missing")}
    at["away"] = f"http://127.0.0.1:{down}/away"
    for word in ("list", "away", "missing", "foreign", "old", "junk"):
        world.odd[word] = ca, {"crl": at[word]}
    for word in ("asked", "delegate", "plain", "stale", "liar", "dumb"):
        world.odd[word] = ca, {"ocsp": at[word]}
    world.odd["both"] = ca, {"ocsp": f"http://127.0.0.1:{down}/ocsp", "crl": at["list"]}
    world.odd["neither"] = ca, {"ocsp": f"http://127.0.0.1:{down}/ocsp", "crl": at["away"]}
    return world


def serve(world):
    ca, files = world.revoking, world.web.files
    ca.crl()
    delegate = Identity(world.top, "delegate", "", issuer=ca, usage="critical,digitalSignature", eku="OCSPSigning", more=["noCheck=ignored"])
    files.update({"/list": ca.crl(), "/foreign": ca.crl(by=world.stranger), "/old": ca.crl(old=True), "/junk": b"\x30\x82\x01\x00 no list at all",
                  "/asked": ca.responder(), "/delegate": ca.responder(signer=delegate), "/plain": ca.responder(nonce="none"), "/stale": ca.responder(nonce="another"), "/liar": ca.responder(signer=world.stranger), "/dumb": b"what?"})


def test_outgoing(top):
    world, table = world_of(top), []
    for i, (word, content, strict) in enumerate(CASES):
        domain, label = f"r{i}.example", "domain-" + word
        world.place("dns:" + label, domain)
        if "revoked" in (content, strict):
            world.revoking.revoke(world.cert(label, "", domain))
        table.append((word, domain, label, content, strict))
    world.place("", "pinned.example")
    pinned = world.cert("domain-list", "", "pinned.example")
    world.revoking.revoke(pinned)
    serve(world)
    world.start()
    gw, outside = world.gateway("tiers = {store, cert}", 'domain "ward.example" {\n  inside-server = "127.0.0.1:1"\n  revocation = hard\n}\n', settings="default-strength = require\n")
    gw.postern("domain", "add", "ward.example", "--self-signed")
    bad = []

    def try_one(word, domain, label, want, sender):
        want = label if want == "used" else (550, "revoked on 20", "keyCompromise", "/" + word) if want == "revoked" else want
        outside.mails.clear()
        try:
            check(world, gw, outside, domain, want, sender=sender)
        except AssertionError as e:
            bad.append(f"{word} ({domain}, {sender}): {e}")
    for word, domain, label, content, strict in table:
        try_one(word, domain, label, content, US)
        try_one(word, domain, label, strict, CARL)
    assert not bad, "\n".join(bad)
    # each question had a nonce, and another one for another certificate
    assert len(set(world.revoking.nonces)) >= sum(word in ("asked", "delegate", "plain", "stale") for word, *_ in CASES), world.revoking.nonces
    # the admin's pin does not outweigh it
    gw.postern("partner", "add", "pinned.example", "--treatment", "seal", "--strength", "require")
    gw.postern("cert", "import", pinned.cert, "--for", "pinned.example", "--pin", "--yes", check=False)
    check(world, gw, outside, "pinned.example", (550, "revoked on 20"))
    # what was once known to be revoked stays so, over a restart, with nobody left to ask
    revoked = [(word, domain) for word, domain, _, content, _ in table if content == "revoked"]
    gw.stop()
    world.web.stop()
    gw.start()
    for word, domain in [*revoked, ("list", "pinned.example")]:
        check(world, gw, outside, domain, (550, "revoked on 20"))
    # status names the partner and what to do, the audit log whose certificate it was
    told = {r["owner"]: r for r in gw.cli("status")["judge"]["revoked"]}
    assert "keyCompromise" in told["pinned.example"]["why"] and "postern cert import FILE --for pinned.example" in told["pinned.example"]["next"], told
    text = " ".join(gw.postern("status")[1].split())
    assert "Revoked: pinned.example: certificate " in text and "-> it is never used, pinned or not: ask pinned.example for another" in text, text
    subjects = {r["subject"] for r in gw.cli("audit", "list", "--max", "1000")["rows"] if r["what"] == "cert.revoked"}
    assert "pinned.example" in subjects and {d for _, d in revoked} <= subjects, subjects
    gw.stop()
    world.stop()


@quick
def test_incoming(top):
    """The verdict on a signer whose certificate was taken back, and on one of whom that cannot be told."""
    world = world_of(top)
    them = {word: world.cert("address-" + word, "bob@lab.example", "lab.example") for word in ("list", "away")}
    gone = world.revoking.issue("gone", "email:bob@lab.example", crl=world.web.url + "/list", kind="ec")
    world.revoking.revoke(gone)
    serve(world)
    gw, inside, _ = solo(top, sections=PRIVATE + 'domain "ward.example" {\n  inside-server = "127.0.0.1:1"\n  revocation = hard\n}\n')
    gw.sections = gw.sections.replace("127.0.0.1:1", inside.address)
    gw.stop()
    gw.write_conf()
    gw.start()
    gw.postern("anchor", "add", world.revoking.cert, "--yes")
    text = entity("content\r\n")
    for who, rcpt, verdict, words in ((them["list"], US, "signed", ""), (gone, US, "revoked", "revoked on 20"), (them["away"], US, "signed", "/away"),
                                      (them["list"], CARL, "signed", ""), (gone, CARL, "revoked", "revoked on 20")):
        inside.mails.clear()
        subject = f"{who.cert.split('/')[-1]} to {rcpt}"
        assert send(gw.outside, "bob@lab.example", rcpt, with_header(who.sign(text), "bob@lab.example", rcpt, subject))[0] == 250
        mail = arrived(inside, rcpt)
        got = mail.field("X-Postern-Verdict"), mail.field("X-Postern-Reason") or ""
        assert got[0] == verdict and words in got[1], (subject, got)
    # who insists waits: in the clear the client is told so
    code, why = send(gw.outside, "bob@lab.example", CARL, with_header(them["away"].sign(text), "bob@lab.example", CARL, "later"))
    assert code == 451, (code, why)
    # what came encrypted is taken: nothing of what is inside it may show outside
    made = gw.cli("domain", "add", "ward.example", "--self-signed")
    ours = os.path.join(top, "ward.pem")
    with open(ours, "w") as f:
        f.write(next(k["pem"] for k in made["keys"] if k["use"] == "decrypt"))
    inside.mails.clear()
    code, why = send(gw.outside, "bob@lab.example", CARL, with_header(seal(ours, them["away"].sign(text)), "bob@lab.example", CARL, "sealed later"))
    assert code == 250, (code, why)
    wait_for("the sealed message to wait with its reason", 20, lambda: [m for m in gw.queue() if "sealed" in m["message_id"] and "/away" in str(gw.cli("queue", "show", m["id"]))])
    assert not inside.mails
    gw.stop()
    world.web.stop()
    for s in world.deaf:
        s.close()
