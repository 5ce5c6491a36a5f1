"""How mail for a partner is written: learned from its signed mail and from nothing else, or set by the admin; what is set is read by the openssl command line."""
import time

from gateway import Gateway, wait_for
from mail import message, quick, send, solo
from sink import Sink
from smime import Identity, entity, openssl, verify, with_header

A, B = "a@hospital.example", "b@lab.example"
DEFAULT, LEARNED, OLD = "cipher=aes-256-cbc key=pkcs1 ", "cipher=aes-256-gcm key=oaep-sha256 ", "cipher=aes-256-cbc key=pkcs1 "


def two(top):
    """hospital.example and lab.example; the lab's key is also in our hands, so that old and odd mail of it can be made. (hospital, lab, lab's sink, Identity)"""
    hs, ls = Sink(), Sink()
    hospital = Gateway(top, "hospital", "hospital.example", hs.address, "127.0.0.1:1")
    lab = Gateway(top, "lab", "lab.example", ls.address, f"127.0.0.1:{hospital.outside}")
    hospital.next_hop = f"127.0.0.1:{lab.outside}"
    hospital.write_conf()
    for g in (hospital, lab):
        g.start(wait=False)
    key = Identity(top, "lab", "DNS:lab.example")
    for g in (hospital, lab):
        g.wait_ready()
    hospital.make_identity()
    lab.make_identity("--pkcs12", key.pkcs12(top + "/lab.p12"), "--password-file", "/dev/null")
    hospital.trust(lab)
    lab.trust(hospital)
    return hospital, lab, hs, ls, key


def written(gw, to=B):
    return gw.cli("explain", A, to)["format"]


def arrives(gw, sink, frm, to, subject):
    assert send(gw.inside, frm, to, message(frm, to, subject))[0] == 250
    return sink.by_subject(subject)


def come_in(gw, sink, mail, subject, verdict):
    """A whole message from outside; what became of it."""
    code, text = send(gw.outside, B, A, mail)
    assert code == 250, text
    got = sink.by_subject(subject)
    assert got.field("X-Postern-Verdict") == verdict, got.header
    return got


def next_second():
    """Signing times have whole seconds: what comes now is signed later than all before. time(2) may be a tick of the kernel (10 ms) behind the clock that Python reads."""
    then = int(time.time()) + 1.1
    wait_for("the next second", 5, lambda: time.time() > then)


@quick
def test_learned_from_signed_mail(top):
    hospital, lab, hs, ls, key = two(top)
    old = with_header(key.sign(entity("said long ago\r\n")), B, A, "old word")  # says CBC, and nothing of OAEP
    arrives(hospital, ls, A, B, "before")
    assert written(hospital).startswith(DEFAULT)
    lab.wait_log("cipher=aes-256-cbc")
    next_second()
    arrives(lab, hs, B, A, "we read GCM")
    wait_for("what was learned to be used", 10, lambda: written(hospital).startswith(LEARNED))
    arrives(hospital, ls, A, B, "after")
    lab.wait_log("cipher=aes-256-gcm")
    assert "reads cipher=aes-256-gcm key=oaep-sha256, said on " in str(hospital.cli("audit", "list", "--max", 5))
    shown = hospital.cli("partner", "show", "lab.example")
    assert shown["format"]["cipher"] == "capabilities" and "CN=lab" in shown["capabilities"][0]["signer"]

    def unchanged(what):
        assert written(hospital).startswith(LEARNED), what
        assert len([r for r in hospital.cli("audit", "list", "--max", 100)["rows"] if r["what"] == "capabilities.change"]) == 1, what
    come_in(hospital, hs, old, "old word", "signed")
    unchanged("mail that is older, sent again")
    stranger = Identity(top, "stranger", "DNS:lab.example", cn="lab")
    code, _ = send(hospital.outside, B, A, with_header(stranger.sign(entity("x\r\n")), B, A, "strange"))
    if code == 250:
        hs.by_subject("strange")
    unchanged("mail signed by somebody who is not believed")
    broken = with_header(key.sign(entity("right\r\n"), detached=True), B, A, "broken").replace(b"right\r\n", b"wrong\r\n")
    send(hospital.outside, B, A, broken)
    hs.by_subject("broken")
    unchanged("mail that was changed")
    come_in(hospital, hs, message(B, A, "unsigned"), "unsigned", "clear")
    unchanged("unsigned mail")
    send(hospital.outside, "c@else.example", A, with_header(key.sign(entity("x\r\n")), "c@else.example", A, "for another"))
    hs.by_subject("for another")
    unchanged("mail whose author the signer does not speak for")

    next_second()
    come_in(hospital, hs, with_header(key.sign(entity("said now\r\n")), B, A, "new word"), "new word", "signed")
    wait_for("the newer word to be used", 10, lambda: written(hospital).startswith(OLD))
    arrives(hospital, ls, A, B, "after all")

    hospital.postern("partner", "set", "lab.example", "--format", "cipher=aes-128-gcm digest=sha384")
    assert written(hospital).startswith("cipher=aes-128-gcm key=pkcs1 ") and "digest=sha384" in written(hospital)
    mark = len(lab.log())
    arrives(hospital, ls, A, B, "as the admin wants")
    lab.wait_log("cipher=aes-128-gcm", since=mark)
    next_second()
    arrives(lab, hs, B, A, "GCM once more")
    assert written(hospital).startswith("cipher=aes-128-gcm "), "the admin's word stands"
    hospital.postern("partner", "set", "lab.example", "--format", "")
    wait_for("its own word again", 10, lambda: written(hospital).startswith(LEARNED))


FORMATS = {
    "key=oaep-sha256 cipher=aes-192-cbc": ["rsaesOaep", "aes-192-cbc"],
    "key=oaep-sha1 cipher=aes-128-cbc recipient-id=ski": ["rsaesOaep", "aes-128-cbc", "subjectKeyIdentifier"],
    "cipher=aes-256-gcm": ["id-smime-ct-authEnvelopedData", "aes-256-gcm"],
    "digest=sha512 inside=multipart": ["aes-256-cbc", "issuerAndSerialNumber"],
}


def test_openssl_reads_what_is_set(top):
    gw, _, outside = solo(top)
    them = Identity(top, "partner", "DNS:partner.example")
    to = "b@partner.example"
    gw.postern("partner", "add", "partner.example")
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    ours = gw.dir + "/sign.pem"
    for n, (text, words) in enumerate(FORMATS.items()):
        gw.postern("partner", "set", "partner.example", "--format", text)
        assert send(gw.inside, A, to, message(A, to, f"form {n}", "some text\r\n"))[0] == 250
        mail = outside.by_subject(f"form {n}").data
        structure = openssl("cms", "-cmsout", "-print", "-noout", data=mail).decode()
        for w in words:
            assert w in structure, (text, w)
        inner = them.open(mail)
        assert inner is not None, text
        if "multipart" in text:
            assert b"multipart/signed" in inner and b"micalg=sha-512" in inner, inner
        assert b"some text" in verify(inner, ours), text
    gw.postern("partner", "set", "partner.example", "--format", "triple=yes")
    assert send(gw.inside, A, to, message(A, to, "three times"))[0] == 250
    sealed = verify(outside.by_subject("three times").data, ours)
    assert sealed is not None and b"enveloped-data" in sealed
    assert b"hello" in verify(them.open(sealed), ours)
    for args, word in ((("--format", "cipher=des3"), "cipher cannot be"), (("--format", "triple"), "is none")):
        code, _, err = gw.postern("partner", "set", "partner.example", *args, check=False)
        assert code != 0 and word in err, err
    code, out, _ = gw.postern("partner", "show", "partner.example")
    assert "triple=yes" in out and "Written" in out


def test_persons_apart(top):
    """One mail to two people with certificates of their own and to two behind one domain key, one of each blind: who is named in an output gets that output, and nobody else does."""
    gw, _, outside = solo(top)
    to = ["ann@partner.example", "blind@partner.example", "x@lab.example", "y@lab.example"]
    keys = {}
    for owner, san in (("ann@partner.example", "email:ann@partner.example"), ("blind@partner.example", "email:blind@partner.example"), ("lab.example", "DNS:lab.example")):
        keys[owner] = Identity(top, owner, san)
        gw.postern("partner", "add", owner)
        gw.postern("cert", "import", keys[owner].cert, "--for", owner, "--pin", "--yes")
    gw.postern("partner", "set", "blind@partner.example", "--format", "cipher=aes-128-cbc")
    gw.postern("partner", "add", "partner.example", "--format", "wrap=rfc9788")
    assert "a format set for the domain partner.example does not count for it" in " ".join(gw.postern("explain", A, to[0])[1].split())
    assert "does not count" not in gw.postern("explain", A, "z@partner.example", check=False)[1]
    data = message(A, to[0], "to all of you", extra="Cc: x@lab.example\r\nBcc: blind@partner.example, y@lab.example\r\n")
    code, text = send(gw.inside, A, to, data)
    assert code == 250, text
    got = outside.wait(3, 30, lambda m: m.field("Subject") == "to all of you")
    assert sorted(sorted(m.rcpts) for m in got) == [["ann@partner.example"], ["blind@partner.example"], ["x@lab.example", "y@lab.example"]]
    for m in got:
        structure = openssl("cms", "-cmsout", "-print", "-noout", data=m.data).decode()
        assert structure.count("issuerAndSerialNumber") == 1, structure
        owner = m.rcpts[0] if m.rcpts[0] in keys else "lab.example"
        for name, key in keys.items():
            assert (key.open(m.data) is not None) == (name == owner), (owner, name)
        inner = keys[owner].open(m.data)
        assert b"hello" in verify(inner, gw.dir + "/sign.pem")
        for octets in (m.data, inner):
            assert b"Bcc:" not in octets and b"blind@" not in octets and b"y@lab" not in octets
        assert ("aes-128-cbc" in structure) == (owner == "blind@partner.example")
