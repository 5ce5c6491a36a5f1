"""Our own statements: made, signed, remade on change and after a restart; keys that change by themselves. Judged by the openssl command line, not by ourselves."""
import base64
import hashlib
import json
import os
import subprocess

from gateway import wait_for
from mail import message, send, solo
from smime import openssl

OID = "2.25.6345284688943069982369138258631214205"
QUICK = """statement {
  rollover-lead = 5s
  rollover-early = 3s
  rollover-overlap = 3s
  rollover-before = 0s
}"""


def show(gw):
    return gw.cli("domain", "show", gw.domain)


def stated(gw, top):
    """The statement of the gateway's domain: (what it says, SignedData as openssl prints it, id), its signature verified by the certificate it names."""
    path = os.path.join(top, "statement.der")
    said = wait_for("a statement", 20, lambda: show(gw)["statement"])
    with open(path, "wb") as f:  # of the same answer: another one may be made at any moment
        f.write(base64.b64decode(said["der"]))
    text = openssl("cms", "-cmsout", "-print", "-inform", "DER", "-in", path).decode()
    content = openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", path)
    got = json.loads(content)
    assert base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode() == said["id"]
    assert got["serial"] == said["serial"] and got["domain"] == gw.domain and got["v"] == 1
    assert f"eContentType: undefined ({OID})" in text, text[:600]
    return got, text, said["id"]


def uses(got):
    return sorted(c["use"] for c in got["certificates"])


def newer(gw, top, before):
    """The next statement that says other things."""
    return wait_for("another statement", 30, lambda: (lambda s: s if s[2] != before else None)(stated(gw, top)), every=0.3)


def test_made_and_remade(top):
    gw, _, _ = solo(top, settings="xsmg = yes\n", sections="statement {\n  signs = all\n  promise = 10d\n  asserts = {malware-scanned}\n  urls = {\"https://smg.%d/s\"}\n}")
    got, text, first = stated(gw, top)
    assert uses(got) == ["encrypt", "sign", "statement"], got
    assert text.count("signatureAlgorithm:") >= 1 and "signingTime" in text and "id-smime-aa-signingCertificateV2" in text
    own = [c for c in got["certificates"] if c["use"] == "statement"][0]
    assert base64.urlsafe_b64encode(hashlib.sha256(base64.b64decode(own["der"])).digest()).rstrip(b"=").decode() == got["signer"]
    # bound to the domain, for mail alone, and it is the key that verified above
    with open(os.path.join(top, "own.der"), "wb") as f:
        f.write(base64.b64decode(own["der"]))
    printed = openssl("x509", "-inform", "DER", "-in", os.path.join(top, "own.der"), "-noout", "-text").decode()
    assert f"DNS:{gw.domain}" in printed and "E-mail Protection" in printed and "Digital Signature" in printed
    assert got["write"]["signs"] == "all" and got["asserts"] == ["malware-scanned"] and got["urls"] == [f"https://smg.{gw.domain}/s"]
    assert "rsa-pkcs1" in got["read"]["keys"] and "aes-256-gcm" in got["read"]["content"] and got["read"]["octets"] > 0
    # after a restart it is the same one, octet for octet
    before = open(os.path.join(top, "statement.der"), "rb").read()
    gw.stop()
    gw.start()
    gw.postern("domain", "show", gw.domain, "--statement", os.path.join(top, "again.der"))
    assert stated(gw, top)[2] == first and open(os.path.join(top, "again.der"), "rb").read() == before
    # more keys: another statement, with a higher serial
    gw.postern("domain", "add", gw.domain, "--self-signed", "--algo", "ec-p256")
    again = newer(gw, top, first)[0]
    assert len(again["certificates"]) == 5 and again["serial"] > got["serial"] and "ecdh-p256-x963sha256-aes256wrap" in again["read"]["keys"]
    # other settings: another one as well
    gw.sections = gw.sections.replace("signs = all", "signs = some")
    second = stated(gw, top)[2]
    gw.stop()
    gw.write_conf()
    gw.start()
    assert newer(gw, top, second)[0]["write"]["signs"] == "some"
    rows = str(gw.cli("audit", "list"))
    assert "statement.make" in rows and "identity.add statement" in rows
    gw.stop()


def test_switched_off(top):
    gw, _, _ = solo(top, settings="xsmg = no\n")
    code, _, err = gw.postern("domain", "show", gw.domain, check=False)
    assert code == 1 and "xsmg = yes" in err, (code, err)
    assert "statement" not in [i["use"] for i in gw.cli("domain", "list")["identities"]]
    gw.stop()


def rollover(gw, keys):
    return [r for r in show(gw)["rollovers"] if r["keys"] == keys][0]


def test_mail_rollover(top):
    """The new certificates are announced, take over at their time, and the old ones leave; a restart in the middle changes nothing; old mail is still opened."""
    gw, sink, _ = solo(top, settings="xsmg = yes\n", sections=QUICK)
    got, _, first = stated(gw, top)
    old = {c["use"]: c["der"] for c in got["certificates"]}
    gw.postern("domain", "rollover", gw.domain)
    said = newer(gw, top, first)[0]
    assert uses(said) == ["encrypt", "encrypt", "sign", "sign", "statement"]
    new = {c["use"]: c for c in said["certificates"] if c["der"] not in old.values()}
    assert all(c["from"] > said["issued"] for c in new.values()), (said["issued"], new)
    code, _, err = gw.postern("domain", "rollover", gw.domain, check=False)
    assert code == 1 and "being changed already" in err
    gw.stop()
    gw.start()
    wait_for("the switch", 30, lambda: rollover(gw, "mail")["step"] in ("overlap", "done"), every=0.2)
    said = wait_for("the old encryption certificate to leave", 30, lambda: (lambda s: s if old["encrypt"] not in [c["der"] for c in s["certificates"]] else None)(stated(gw, top)[0]), every=0.3)
    assert new["encrypt"]["der"] in [c["der"] for c in said["certificates"]]
    wait_for("the end", 30, lambda: rollover(gw, "mail")["step"] == "done", every=0.2)
    said = wait_for("the old signing certificate to leave", 30, lambda: (lambda s: s if uses(s) == ["encrypt", "sign", "statement"] else None)(stated(gw, top)[0]), every=0.3)
    assert new["sign"]["der"] in [c["der"] for c in said["certificates"]]
    states = [(i["use"], i["active"]) for i in gw.cli("domain", "list", gw.domain)["identities"] if i["use"] in ("sign", "decrypt")]
    assert sorted(states) == [("decrypt", False), ("decrypt", True), ("sign", False), ("sign", True)], states
    # what was encrypted to the old certificate is opened still
    path = os.path.join(top, "old.der")
    with open(path, "wb") as f:
        f.write(base64.b64decode(old["encrypt"]))
    pem = os.path.join(top, "old.pem")
    openssl("x509", "-inform", "DER", "-in", path, "-out", pem)
    inner = b"Content-Type: text/plain\r\n\r\nfor the old key\r\n"
    sealed = openssl("cms", "-encrypt", "-aes256", "-binary", pem, data=inner)
    head, body = sealed.replace(b"\r\n", b"\n").split(b"\n\n", 1)
    mail = b"From: eve@elsewhere.example\r\nTo: anna@" + gw.domain.encode() + b"\r\nSubject: old\r\nMessage-ID: <old@test>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\n"
    mail += head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body.replace(b"\n", b"\r\n")
    assert send(gw.outside, "eve@elsewhere.example", "anna@" + gw.domain, mail)[0] == 250
    held = wait_for("the mail to be opened and held", 20, lambda: [m for m in gw.queue() if m["state"] == "held" or m.get("held")])
    assert "cannot be opened" not in str(held), held
    gw.stop()


def test_statement_key_rollover(top):
    """Two sign while it changes; the one that retires leaves."""
    gw, _, _ = solo(top, settings="xsmg = yes\n", sections=QUICK.replace("overlap = 3s", "overlap = 6s"))
    got, text, first = stated(gw, top)
    gw.postern("domain", "rollover", gw.domain, "--statement-key")
    # nobody holds a statement of ours: the change need not wait
    both = wait_for("two signers", 30, lambda: (lambda s: s if s[1].count("d.issuerAndSerialNumber:") + s[1].count("d.subjectKeyIdentifier:") == 2 else None)(stated(gw, top)), every=0.3)
    assert both[0]["signer"] != got["signer"] and uses(both[0]).count("statement") == 2
    last = wait_for("one signer", 30, lambda: (lambda s: s if uses(s[0]).count("statement") == 1 else None)(stated(gw, top)), every=0.3)
    assert last[0]["signer"] == both[0]["signer"]
    assert rollover(gw, "statement")["step"] == "done"
    gw.stop()


def test_ca_by_hook(top):
    """New keys wait for the authority's certificates; a command brings them; what it brings wrongly is refused and asked for again."""
    gw, _, _ = solo(top, settings="xsmg = yes\n", sections=QUICK)
    stated(gw, top)
    ca = os.path.join(top, "ca")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca + ".key", "-out", ca + ".pem", "-days", "3650",
                    "-subj", "/CN=CA"], check=True, capture_output=True)
    hook = f"openssl x509 -req -CA {ca}.pem -CAkey {ca}.key -CAcreateserial -days 400 -copy_extensions copyall"
    # --due alone starts nothing
    assert gw.cli("domain", "rollover", gw.domain, "--hook", "false", "--due")["requests"] == []
    code, _, err = gw.postern("domain", "rollover", gw.domain, "--hook", "false", check=False)
    assert code == 1 and "ended with status 1" in err, err
    assert rollover(gw, "mail")["step"] == "waits"
    code, _, err = gw.postern("domain", "rollover", gw.domain, "--hook", f"cat {ca}.pem", "--due", check=False)
    assert code == 1 and "belongs to a key of ours" in err, err
    gw.postern("domain", "rollover", gw.domain, "--hook", hook, "--due")
    wait_for("the new ones to be used", 30, lambda: rollover(gw, "mail")["step"] in ("overlap", "done"), every=0.2)
    signs = [i for i in gw.cli("domain", "list", gw.domain)["identities"] if i["use"] == "sign" and i["active"] and "CN=CA" in i["certificate"]["issuer"]]
    assert len(signs) == 1
    # given up before it is used
    wait_for("the end", 30, lambda: rollover(gw, "mail")["step"] == "done", every=0.2)
    gw.postern("domain", "rollover", gw.domain, "--csr")
    gw.postern("domain", "rollover", gw.domain, "--cancel")
    assert rollover(gw, "mail")["step"] == "done"
    gw.stop()
