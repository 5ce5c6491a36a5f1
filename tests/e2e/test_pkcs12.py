"""PKCS#12 files in the browser: opened by a process that is there for this one file; shown, then used for a domain of ours or forgotten; nobody else's, never twice, and no secret comes back."""
import base64
import json
import os
import re
import subprocess

from finding import Ca
from gateway import wait_for
from mail import message, quick, send
from partners import US
from smime import openssl
from test_import import Browser, start
from test_signin import PASSWORD, password, session_of, sign_in


def admin(top):
    gw, outside, _ = start(top)
    for name in ("anna", "bert"):
        gw.cli("user", "add", name, "--role", "admin")
        password(gw, name, PASSWORD)
    port = int(re.search(r'web \{\s*address = "127.0.0.1:(\d+)"', open(gw.conf).read()).group(1))
    return gw, outside, *(Browser(port, session_of(sign_in(port, n))) for n in ("anna", "bert"))


def openers(gw):
    """Those that were started, and those that are there."""
    return len(re.findall(r"parent ready role=opener", gw.log())), len(gw.roles().get("opener", ()))


def offered(html):
    return re.search(r'name="opened" value="([0-9a-f]{32})"', html).group(1)


@quick
def test_used(top):
    gw, outside, anna, bert = admin(top)
    ca = Ca(top, "authority")
    gw.postern("anchor", "add", ca.cert, "--yes")
    mine = ca.issue("hospital", "DNS:hospital.example,email:info@hospital.example")
    octets = open(mine.pkcs12(os.path.join(top, "mine.p12"), "not told to anybody"), "rb").read()
    before = len(gw.cli("domain", "list", "hospital.example")["identities"])
    code, _, html = anna.upload("/domains/hospital.example/pkcs12", octets, password="not told to anybody")
    assert code == 200 and "Use this key for hospital.example" in html and "hospital.example" in html, (code, html[:800])
    assert "not told to anybody" not in html and "PRIVATE" not in html
    assert openers(gw)[0] == 1
    wait_for("its end", 10, lambda: openers(gw)[1] == 0)
    assert "died role=opener" not in gw.log()
    assert len(gw.cli("domain", "list", "hospital.example")["identities"]) == before, "nothing is stored before it is said"
    number = offered(html)
    # it is hers alone, and it is good once
    code, _, html = bert.form("/domains/hospital.example/import", opened=number)
    assert code == 404 or "no longer there" in html, (code, html[:300])
    code, _, html = anna.form("/domains/hospital.example/import", opened=number)
    assert code == 200 and "The key of the PKCS#12 file is used for hospital.example from now on" in html, (code, html[:1500])
    code, _, html = anna.form("/domains/hospital.example/import", opened=number)
    assert "no longer there" in html
    fingerprint = openssl("x509", "-in", mine.cert, "-noout", "-fingerprint", "-sha256").decode().split("=")[1].strip().replace(":", "").lower()
    got = gw.cli("domain", "list", "hospital.example")["identities"]
    assert any(fingerprint in json.dumps(i) for i in got), got
    # it signs: what goes out now is by that key
    gw.postern("partner", "add", "signed.example", "--treatment", "sign", "--strength", "require")
    assert send(gw.inside, US, "bob@signed.example", message(US, "bob@signed.example", "signed"))[0] == 250
    mail = outside.wait(1, 30)[0]
    signed = subprocess.run(["openssl", "cms", "-verify", "-CAfile", ca.cert], input=mail.data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert signed.returncode == 0, signed.stderr
    log, store = gw.log(), b"".join(open(os.path.join(gw.data, "store", f), "rb").read() for f in os.listdir(os.path.join(gw.data, "store")))
    key = openssl("pkey", "-in", mine.key, "-outform", "DER")
    assert "not told to anybody" not in log and b"not told to anybody" not in store and key not in store and base64.b64encode(key[30:90])[4:60] not in store


@quick
def test_refused(top):
    gw, _, anna, _ = admin(top)
    ca = Ca(top, "authority")
    mine = ca.issue("hospital", "DNS:hospital.example", kind="ec")
    other = ca.issue("lab", "DNS:lab.example", kind="ec")
    good = open(mine.pkcs12(os.path.join(top, "mine.p12"), "right"), "rb").read()
    openssl("pkcs12", "-export", "-nokeys", "-in", mine.cert, "-out", top + "/nokey.p12", "-passout", "pass:")
    nokey = open(top + "/nokey.p12", "rb").read()
    for octets, secret, words in ((good, "wrong", "the password is wrong, or the file was changed"), (b"nonsense", "", "it is not a PKCS#12 file"), (nokey, "", "it holds no private key")):
        code, _, html = anna.upload("/domains/hospital.example/pkcs12", octets, password=secret)
        assert code == 400 and words in html and secret not in re.sub(r"the password is wrong", "", html) or not secret, (code, words, html[:1500])
        assert words in html
    theirs = open(other.pkcs12(os.path.join(top, "lab.p12"), "x"), "rb").read()
    html = anna.upload("/domains/hospital.example/pkcs12", theirs, password="x")[2]
    code, _, html = anna.form("/domains/hospital.example/import", opened=offered(html))
    assert code == 400, html[:1500]
    # an endless key derivation ends with its process; the gateway goes on
    heavy = os.path.join(top, "heavy.p12")
    openssl("pkcs12", "-export", "-in", mine.cert, "-inkey", mine.key, "-out", heavy, "-passout", "pass:x", "-iter", "70000")
    slow = bytearray(open(heavy, "rb").read())
    at = slow.rfind(b"\x02\x03\x01\x11\x70")
    assert at > 0
    slow[at:at + 5] = b"\x02\x03\x7f\xff\xff"  # 8,388,607 iterations
    code, _, html = anna.upload("/domains/hospital.example/pkcs12", bytes(slow), password="x")
    assert code == 400 and ("ended over it" in html or "could not be opened in time" in html or "password is wrong" in html), (code, html[:800])
    assert send(gw.inside, US, US, message(US, US, "meanwhile"))[0] in (250, 550)
    # and the way is free again
    code, _, html = anna.upload("/domains/hospital.example/pkcs12", good, password="right")
    assert code == 200 and offered(html), (code, html[:500])
