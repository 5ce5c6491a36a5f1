"""The openssl command line reads what we write, and we read what it writes: RSA and EC keys, signed, sealed, both."""
import os
from email.header import decode_header, make_header

from mail import message, quick, send, solo
from smime import Identity, crlf, entity, openssl, seal, verify, with_header

US, THEM = "a@hospital.example", "b@partner.example"
BODY = "Befund: Kalium 5,9\r\n.a dot\r\nFrom here on it is routine.  \r\n\r\nend\r\n"


def partner(top, gw, kind, treatment="seal"):
    """An Identity whose certificate the gateway pinned for partner.example."""
    them = Identity(top, "partner-" + kind, "DNS:partner.example", kind)
    gw.postern("partner", "add", "partner.example", "--treatment", treatment, "--strength", "require")
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    return them


def own(gw, use):
    return os.path.join(gw.dir, use + ".pem")


def body_of(octets):
    """Body of a MIME entity (which may have no fields), with CRLF lines."""
    octets = crlf(octets)
    return octets[2:] if octets.startswith(b"\r\n") else octets.split(b"\r\n\r\n", 1)[1]


def other_certificate(gw):
    """A certificate that is not ours, for the proof that verifying with the wrong one fails."""
    return Identity(gw.dir, "other", "DNS:hospital.example").cert


def openssl_reads(top, gw, outside, kind):
    """Sealed: application/pkcs7-mime all over, decrypted with the partner's key, then the signature against our certificate."""
    them = partner(top, gw, kind)
    for subject, extra, body in (("plain", "", BODY.encode()), ("eight", "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", "Grüße\r\n".encode())):
        subject += " for " + kind
        code, text = send(gw.inside, US, THEM, message(US, THEM, subject, body, extra), options=["BODY=8BITMIME"])
        assert code == 250, text
        mail = outside.by_subject(subject)
        assert mail.field("Content-Type").startswith("application/pkcs7-mime") and "enveloped-data" in mail.field("Content-Type"), mail.field("Content-Type")
        assert body not in mail.data
        inner = them.open(mail.data)
        assert inner is not None and b"signed-data" in inner.split(b"\n\n")[0].replace(b"\r", b""), inner
        content = verify(inner, own(gw, "sign"))
        assert content is not None, "the signature does not verify against our certificate"
        assert body_of(content) == body, content
        assert verify(inner, other_certificate(gw)) is None
    return them


def openssl_verifies(gw, outside):
    """Treatment sign: multipart/signed, 7 bit, detached; a changed octet makes openssl refuse it."""
    gw.postern("partner", "add", "partner.example", "--treatment", "sign", "--strength", "require")
    data = message(US, THEM, "signed only", "Grüße\r\n.x\r\nFrom trailing  \r\n", "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
    code, text = send(gw.inside, US, THEM, data, options=["BODY=8BITMIME"])
    assert code == 550 and "partner release" in text, text  # sealed once: merely signed takes the admin's release
    gw.postern("partner", "release", "partner.example")
    code, text = send(gw.inside, US, THEM, data, options=["BODY=8BITMIME"])
    assert code == 250, text
    mail = outside.by_subject("signed only")
    kind = mail.field("Content-Type")
    assert kind.startswith("multipart/signed") and 'application/pkcs7-signature' in kind and "sha-256" in kind, kind
    assert max(mail.data) < 128, "a signed message must be 7 bit"
    content = verify(mail.data, own(gw, "sign"))
    assert content is not None, mail.data
    head, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    decoded = __import__("email").message_from_bytes(content).get_payload(decode=True)
    assert decoded.replace(b"\r\n", b"\n") == "Grüße\n.x\nFrom trailing  \n".encode(), decoded
    spoilt = mail.data.replace(body.replace(b"\n", b"\r\n")[:6], b"Xxxxxx", 1)
    assert spoilt != mail.data and verify(spoilt, own(gw, "sign")) is None


def we_read(gw, inside, them, kind):
    """Everything openssl can make for us; opaque and detached, every cipher, with the right words in the verdict."""
    us = own(gw, "decrypt")
    inner = entity(BODY)
    signed, detached = them.sign(inner), them.sign(inner, detached=True)
    oaep = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"]
    cases = {
        "opaque": (signed, "signed", "pass", None),
        "detached": (detached, "signed", "pass", None),
        "enveloped": (seal(us, inner), "encrypted", "none", "aes-256-cbc"),
        "sealed cbc 256": (seal(us, signed), "sealed", "pass", "aes-256-cbc"),
        "sealed cbc 128": (seal(us, signed, "-aes-128-cbc"), "sealed", "pass", "aes-128-cbc"),
        "sealed gcm": (seal(us, signed, "-aes-256-gcm"), "sealed", "pass", "aes-256-gcm"),
        "sealed detached": (seal(us, detached), "sealed", "pass", "aes-256-cbc"),
        "sealed twice": (seal(us, seal(us, signed)), "sealed", "pass", "aes-256-cbc"),
    }
    if kind == "rsa":
        cases["sealed oaep"] = (seal(us, signed, keyopts=oaep), "sealed", "pass", "aes-256-cbc")
        cases["sealed gcm oaep"] = (seal(us, signed, "-aes-128-gcm", oaep), "sealed", "pass", "aes-128-gcm")
        cases["sealed oaep 512"] = (seal(us, signed, keyopts=["rsa_padding_mode:oaep", "rsa_oaep_md:sha512", "rsa_mgf1_md:sha384", "rsa_oaep_label:00ff"]), "sealed", "pass", "aes-256-cbc")
        pss = them.sign(inner, extra=("-keyid", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-1"))
        cases["pss"] = (pss, "signed", "pass", None)
        cases["sealed pss"] = (seal(us, pss), "sealed", "pass", "aes-256-cbc")
    else:
        cases["sealed kdf 384"] = (seal(us, signed, "-aes-192-gcm", ["ecdh_kdf_md:sha384"]), "sealed", "pass", "aes-192-gcm")
    for name, (smime, _, _, _) in cases.items():
        code, text = send(gw.outside, THEM, US, with_header(smime, THEM, US, f"{kind} {name}"))
        assert code == 250, (name, text)
    for name, (smime, verdict, result, cipher) in cases.items():
        mail = inside.wait(1, 30, lambda m: m.field("Subject") == f"{kind} {name}")[0]  # one name is the beginning of another
        said = (name, mail.header)
        assert mail.sender == THEM and mail.rcpts == [US]
        assert mail.body == BODY.encode(), (name, mail.body)
        assert mail.field("Content-Type") == "text/plain; charset=us-ascii", said
        assert mail.field("X-Postern-Verdict") == verdict, said
        assert f"smime={result}" in mail.field("Authentication-Results"), said
        assert mail.field("X-Postern-Cipher") == cipher, said
        assert ("CN=partner-" in (mail.field("X-Postern-Signer") or "")) == (result == "pass"), said


@quick
def test_rsa(top):
    gw, inside, outside = solo(top, domain_settings="sealed-unsigned = mark")
    them = openssl_reads(top, gw, outside, "rsa")
    openssl_verifies(gw, outside)
    we_read(gw, inside, them, "rsa")


def test_ec(top):
    gw, inside, outside = solo(top, domain_settings="sealed-unsigned = mark", identity=("--self-signed", "--algo", "ec-p256"))
    them = openssl_reads(top, gw, outside, "ec")
    openssl_verifies(gw, outside)
    we_read(gw, inside, them, "ec")
    # the other kind of key on their side
    gw.postern("partner", "remove", "partner.example")
    openssl_reads(top, gw, outside, "rsa")


def test_strong(top):
    """The long curves: our key on P-521, theirs on P-384, signing and agreeing in the keeper."""
    gw, inside, outside = solo(top, domain_settings="sealed-unsigned = mark", identity=("--self-signed", "--algo", "ec-p521"))
    them = openssl_reads(top, gw, outside, "p384")
    we_read(gw, inside, them, "p384")


def judged(gw, inside, smime, subject, sender=THEM):
    """The message as it is delivered inside."""
    code, text = send(gw.outside, sender, US, with_header(smime, sender, US, subject))
    assert code == 250, text
    return inside.wait(1, 30, lambda m: m.field("Subject") == subject)[0]


def test_certificate_not_in_the_message(top):
    """A partner who leaves his certificate out, as we have it: verified with it, for his own mail alone. His name is shown as it is spelt."""
    gw, inside, _ = solo(top)
    name = "Jürgen Müller, Praxis"
    them = Identity(top, "them", "DNS:partner.example", cn=name)
    us, other = own(gw, "decrypt"), "x@other.example"
    bare = {"serial": them.sign(entity(BODY), extra=["-nocerts"]), "key": them.sign(entity(BODY), extra=["-nocerts", "-keyid"]), "detached": them.sign(entity(BODY), detached=True, extra=["-nocerts"])}
    for kind, smime in bare.items():
        mail = judged(gw, inside, smime, f"{kind} of a stranger")
        assert mail.field("X-Postern-Verdict") == "broken" and "smime=fail" in mail.field("Authentication-Results"), mail.header
        assert "not in the message, and none that is known here for partner.example has " in mail.field("X-Postern-Reason"), mail.header
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    for kind, smime in bare.items():
        for how, octets in (("signed", smime), ("sealed", seal(us, smime))):
            mail = judged(gw, inside, octets, f"{kind} {how}")
            assert mail.field("X-Postern-Verdict") == how and mail.body == BODY.encode(), mail.header
            said = str(make_header(decode_header(mail.field("X-Postern-Signer"))))
            assert name.replace(",", "\\,") in said and "the certificate is not in the message, it was known here" in said, said
            assert "CN=J\\\\C3\\\\BCrgen M\\\\C3\\\\BCller" in mail.field("Authentication-Results"), mail.header
            assert max(mail.header) < 128, mail.header
        mail = judged(gw, inside, smime, f"{kind} for another author", other)
        assert mail.field("X-Postern-Verdict") == "broken" and "known here for other.example" in mail.field("X-Postern-Reason"), mail.header


def test_signed_receipts(top):
    """What a partner's program sends back to one who asked for a receipt (RFC 2634): delivered as it came, with the verdict on its signer."""
    gw, inside, _ = solo(top)
    them, us = partner(top, gw, "rsa"), own(gw, "decrypt")
    asked = Identity(top, "asked", "DNS:hospital.example").sign(entity(BODY), extra=["-receipt_request_all", "-receipt_request_to", US])
    path = os.path.join(top, "asked.eml")
    with open(path, "wb") as f:
        f.write(asked)
    receipt = crlf(openssl("cms", "-sign_receipt", "-in", path, "-signer", them.cert, "-inkey", them.key, "-md", "sha256"))
    assert b"signed-receipt" in receipt
    for how, octets in (("signed", receipt), ("sealed", seal(us, receipt))):
        mail = judged(gw, inside, octets, f"receipt {how}")
        assert mail.field("X-Postern-Verdict") == how and "smime=pass" in mail.field("Authentication-Results"), mail.header
        assert "signed-receipt" in mail.field("Content-Type") and mail.body.split() == receipt.split(b"\r\n\r\n", 1)[1].split(), mail.data
        assert "signed-receipt sha256; covers the receipt in it; pass" in " ".join(mail.fields("X-Postern-Layer")), mail.header
        # the one who asked can match it with what was sent
        got = os.path.join(top, "got.eml")
        with open(got, "wb") as f:
            f.write(mail.data)
        assert openssl("cms", "-verify_receipt", got, "-in", path, "-CAfile", them.cert, check=False) is not None
    stranger = Identity(top, "stranger", "DNS:partner.example")
    receipt = crlf(openssl("cms", "-sign_receipt", "-in", path, "-signer", stranger.cert, "-inkey", stranger.key, "-md", "sha256"))
    mail = judged(gw, inside, receipt, "receipt of a stranger")
    assert mail.field("X-Postern-Verdict") == "untrusted" and "signed-receipt" in mail.field("Content-Type"), mail.header


def test_authority(top):
    """Partners whose certificates a CA issued: believed within the anchor's scope, for the names in them, and not otherwise."""
    gw, inside, outside = solo(top)
    ca = Identity(top, "ca", ca=True, cn="Example Clinics CA")
    domain = Identity(top, "domain", "DNS:partner.example", issuer=ca)
    person = Identity(top, "person", "email:c@partner.example", issuer=ca)
    foreign = Identity(top, "foreign", "DNS:elsewhere.example", issuer=ca)
    gw.postern("anchor", "add", ca.cert, "--scope", "partner.example", "--yes")
    gw.postern("partner", "add", "partner.example", "--strength", "require")
    gw.postern("cert", "import", domain.cert, "--for", "partner.example", "--yes")
    # out: the certificate of the CA is used without a pin
    code, text = send(gw.inside, US, THEM, message(US, THEM, "to the domain"))
    assert code == 250, text
    inner = domain.open(outside.by_subject("to the domain").data)
    assert inner is not None and verify(inner, own(gw, "sign")) is not None
    # in: signer known only by the CA that both trust
    us, body = own(gw, "decrypt"), entity(BODY)
    sent = {
        "by domain": (THEM, seal(us, domain.sign(body))),
        "by person": ("c@partner.example", seal(us, person.sign(body))),
        "by another person": (THEM, person.sign(body)),
        "out of scope": ("x@elsewhere.example", foreign.sign(body)),
        "wrong domain": (THEM, foreign.sign(body)),
    }
    for subject, (frm, smime) in sent.items():
        code, text = send(gw.outside, frm, US, with_header(smime, frm, US, subject))
        assert code == 250, (subject, text)
    want = {"by domain": ("sealed", "pass", ""), "by person": ("sealed", "pass", ""), "by another person": ("unbound", "policy", "does not name"),
            "out of scope": ("untrusted", "policy", "no anchor leads to it"), "wrong domain": ("unbound", "policy", "does not name")}
    for subject, (verdict, result, why) in want.items():
        mail = inside.by_subject(subject)
        assert mail.field("X-Postern-Verdict") == verdict and mail.body == BODY.encode(), (subject, mail.data)
        assert f"smime={result}" in mail.field("Authentication-Results") and why in mail.field("X-Postern-Reason"), (subject, mail.header)
    # the anchor gone, nothing of it is believed any more
    fingerprint = openssl("x509", "-in", ca.cert, "-noout", "-fingerprint", "-sha256").decode().strip().split("=")[1].replace(":", "").lower()
    gw.postern("anchor", "remove", "partner.example", fingerprint)
    code, text = send(gw.inside, US, THEM, message(US, THEM, "after the anchor"))
    assert code == 550 and "partner.example" in text, (code, text)
    assert send(gw.outside, THEM, US, with_header(domain.sign(body), THEM, US, "no anchor now"))[0] == 250
    assert inside.by_subject("no anchor now").field("X-Postern-Verdict") == "untrusted"
