#!/usr/bin/env python3
"""The second judges see in messages of `openssl cms` what was put in, and what was damaged. test_second.py [JUDGE...] (bouncycastle, nss, gpgsm;
default: all). A judge may say "cannot" for what it is known not to read, and for nothing else. Ends with 1 when one expectation is not met."""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
JUDGES = os.path.join(HERE, "..", "judges")
TEXT = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nDear colleague, the findings.\r\n-- \r\nBob\r\n"
WEAK = {"bouncycastle": set(), "nss": {"gcm", "oaep", "ecdh"}, "gpgsm": {"gcm", "oaep", "ecdh", "pss", "ski", "rc2"}}
failures = []
count = 0


def openssl(*args, data=None):
    r = subprocess.run(["openssl", *args], input=data, capture_output=True)
    if r.returncode:
        raise RuntimeError(f"openssl {args}: {r.stderr.decode()}")
    return r.stdout


class Who:
    def __init__(self, top, name, *key, days="30", extra=()):
        self.cert, self.key = os.path.join(top, name + ".pem"), os.path.join(top, name + ".key")
        openssl("genpkey", *key, "-out", self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.cert, "-days", days, "-subj", f"/CN={name}.test", "-addext", f"subjectAltName=email:{name}@x.test",
                "-addext", "keyUsage=digitalSignature,keyEncipherment,keyAgreement", *extra)
        self.der = openssl("x509", "-in", self.cert, "-outform", "DER")
        self.sha = hashlib.sha256(self.der).hexdigest()
        self.issuer_serial = hashlib.sha256(issuer_and_serial(self.der)).hexdigest()
        m = re.search(r"Identifier:\s*\n?\s*([0-9A-F:]+)", openssl("x509", "-in", self.cert, "-noout", "-ext", "subjectKeyIdentifier").decode())
        self.ski = m.group(1).replace(":", "").lower()


def tlv(der, at):
    """(start of content, end) of the element at at."""
    n, at = der[at + 1], at + 2
    if n >= 128:
        n, at = int.from_bytes(der[at:at + n - 128], "big"), at + n - 128
    return at, at + n


def issuer_and_serial(der):
    at = tlv(der, tlv(der, 0)[0])[0]
    at = tlv(der, at)[1] if der[at] == 0xa0 else at
    serial_end = tlv(der, at)[1]
    issuer = tlv(der, serial_end)[1]
    body = der[issuer:tlv(der, issuer)[1]] + der[at:serial_end]
    head = bytes([0x30, len(body)]) if len(body) < 128 else bytes([0x30, 0x81, len(body)]) if len(body) < 256 else b"\x30\x82" + len(body).to_bytes(2, "big")
    return head + body


def entity(der, kind="enveloped-data", base="application/pkcs7-mime", width=76):
    b64 = base64.b64encode(der)
    lines = b"\r\n".join(b64[i:i + width] for i in range(0, len(b64), width))
    return f'Content-Type: {base}; smime-type={kind};\r\n\tname="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode() + lines + b"\r\n"


def mail(inner):
    return b"From: bob@p.test\r\nTo: user@own.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n" + inner


class Maker:
    def __init__(self, top):
        self.top = top
        rsa = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        self.alice, self.bob, self.carl = (Who(top, n, *rsa) for n in ("alice", "bob", "carl"))
        ec = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:named_curve")
        self.eve = Who(top, "eve", *ec)

    def sign(self, content, *by, digest="sha256", detached=False, extra=()):
        args = [a for w in by for a in ("-signer", w.cert, "-inkey", w.key)]
        der = openssl("cms", "-sign", "-binary", "-outform", "DER", "-md", digest, *args, *([] if detached else ["-nodetach"]), *extra, data=content)
        return der if detached else entity(der, "signed-data")

    def multipart(self, content, *by, digest="sha256", extra=()):
        der = self.sign(content, *by, digest=digest, detached=True, extra=extra)
        sig = b"\r\n".join(base64.b64encode(der)[i:i + 76] for i in range(0, len(base64.b64encode(der)), 76))
        return (b'Content-Type: multipart/signed; micalg=sha-256;\r\n protocol="application/pkcs7-signature"; (a comment; boundary=no) boundary="=_b 1"\r\n\r\npreamble\r\n'
                b"--=_b 1\r\n" + content + b"\r\n--=_b 1\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n" + sig
                + b"\r\n--=_b 1--\r\nepilogue\r\n")

    def seal(self, content, *to, cipher="aes-256-cbc", extra=(), opts=()):
        args = [a for w in to for a in ("-recip", w.cert, *[o for p in opts for o in ("-keyopt", p)])]
        return entity(openssl("cms", "-encrypt", "-binary", "-outform", "DER", "-" + cipher, *extra, *args, data=content), "authEnveloped-data" if "gcm" in cipher else "enveloped-data")

    def der(self, ent):
        return base64.b64decode(ent.split(b"\r\n\r\n", 1)[1])


class Judge:
    def __init__(self, name, top):
        self.name, self.top, self.id = name, top, 0
        env = dict(os.environ, INTEROP_CACHE=os.path.join(top, "cache-" + name))
        self.p = subprocess.Popen([os.path.join(JUDGES, name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        hello = self.say({"hello": True})
        if hello is None:
            raise RuntimeError(f"{name} did not start")
        self.version = hello["name"]

    def say(self, question):
        self.id += 1
        self.p.stdin.write((json.dumps(dict(question, id=self.id)) + "\n").encode())
        self.p.stdin.flush()
        line = self.p.stdout.readline()
        answer = json.loads(line) if line else None
        assert answer is None or answer["id"] == self.id, answer
        return answer

    def ask(self, octets, *keys):
        path = os.path.join(self.top, "message")
        with open(path, "wb") as f:
            f.write(octets)
        return self.say({"file": path, "keys": [{"cert": k.cert, "key": k.key} if isinstance(k, Who) else k for k in keys], "anchors": []})

    def end(self):
        self.p.stdin.close()
        self.p.wait(10)


def check(judge, name, answer, hard=(), **want):
    """want: kinds, sha (of the content), broken, plus functions on the layers."""
    global count
    count += 1
    why = None
    if not answer["ok"]:
        if not WEAK[judge.name] & set(hard):
            why = "cannot: " + answer["cannot"]
    if why is None and answer["ok"]:
        layers = answer["layers"]
        if want.get("broken", False) != ("broken" in answer):
            why = "broken: " + str(answer.get("broken"))
        elif "kinds" in want and [x["kind"] for x in layers] != want["kinds"].split():
            why = "layers"
        elif "content" in want and answer.get("content-sha256") != (want["content"] and hashlib.sha256(want["content"]).hexdigest()):
            why = "content-sha256"
        elif "fact" in want and not want["fact"](layers):
            why = "the fact"
    if why:
        failures.append(f"{judge.name}: {name}: {why}")
        print(f"FAILED {judge.name}: {name}: {why}\n       {json.dumps(answer)[:900]}")


def signer(who, digest="sha256", valid=True, at=-1):
    return lambda layers: [(s["cert-sha256"], s["digest"], s["valid"]) for s in layers[at]["signers"]] == [(who.sha, digest, valid)]


def seal_facts(cipher, keys, *to):
    return lambda layers: layers[0]["cipher"] == cipher and layers[0]["opened"] and [(r["issuer-serial-sha256"], r["keys"]) for r in layers[0]["recipients"]] == [
        (w.issuer_serial, keys) for w in to]


def sealed(j, m):
    a, b = m.alice, m.bob
    for cipher, name in (("aes-128-cbc", "aes128-cbc"), ("aes-192-cbc", "aes192-cbc"), ("aes-256-cbc", "aes256-cbc"), ("des3", "des3")):
        check(j, name, j.ask(mail(m.seal(TEXT, a, cipher=cipher)), a), kinds="enveloped", content=TEXT, fact=seal_facts(name, "pkcs1", a))
    legacy = ("-provider", "legacy", "-provider", "default")
    check(j, "rc2", j.ask(mail(m.seal(TEXT, a, cipher="rc2-cbc", extra=legacy)), a), {"rc2"}, kinds="enveloped", content=TEXT,
          fact=seal_facts("rc2", "pkcs1", a))
    for cipher, name in (("aes-128-gcm", "aes128-gcm"), ("aes-256-gcm", "aes256-gcm")):
        check(j, name, j.ask(mail(m.seal(TEXT, a, cipher=cipher)), a), {"gcm"}, kinds="auth-enveloped", content=TEXT, fact=seal_facts(name, "pkcs1", a))
    for digest in ("sha1", "sha256"):
        opts = ("rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}")
        check(j, "oaep " + digest, j.ask(mail(m.seal(TEXT, a, opts=opts)), a), {"oaep"}, kinds="enveloped", content=TEXT, fact=seal_facts("aes256-cbc", "oaep-" + digest, a))
    check(j, "oaep gcm", j.ask(mail(m.seal(TEXT, a, cipher="aes-256-gcm", opts=opts)), a), {"oaep"}, kinds="auth-enveloped", content=TEXT, fact=seal_facts("aes256-gcm", "oaep-sha256", a))
    for cipher, name, kind in (("aes-128-cbc", "aes128-cbc", "enveloped"), ("aes-256-cbc", "aes256-cbc", "enveloped"), ("aes-256-gcm", "aes256-gcm", "auth-enveloped")):
        check(j, "ecdh " + name, j.ask(mail(m.seal(TEXT, m.eve, cipher=cipher)), m.eve), {"ecdh"}, kinds=kind, content=TEXT, fact=seal_facts(name, "ecdh", m.eve))
    check(j, "ecdh sha256", j.ask(mail(m.seal(TEXT, m.eve, opts=("ecdh_kdf_md:sha256",))), m.eve), {"ecdh"}, kinds="enveloped", content=TEXT, fact=seal_facts("aes256-cbc", "ecdh", m.eve))
    check(j, "two recipients", j.ask(mail(m.seal(TEXT, a, b)), b), kinds="enveloped", content=TEXT,
          fact=lambda l: sorted(r["issuer-serial-sha256"] for r in l[0]["recipients"]) == sorted([a.issuer_serial, b.issuer_serial]))
    check(j, "mixed recipients", j.ask(mail(m.seal(TEXT, a, m.eve)), a), {"ecdh"}, kinds="enveloped", content=TEXT, fact=lambda l: len(l[0]["recipients"]) == 2 and l[0]["opened"])
    check(j, "key identifier", j.ask(mail(m.seal(TEXT, a, extra=("-keyid",))), a), {"ski"}, kinds="enveloped", content=TEXT, fact=lambda l: l[0]["recipients"] == [{"ski": a.ski, "keys": "pkcs1"}])
    check(j, "indefinite lengths", j.ask(mail(m.seal(TEXT, a, extra=("-stream", "-indef"))), a), kinds="enveloped", content=TEXT)
    check(j, "no key for it", j.ask(mail(m.seal(TEXT, a)), b), kinds="enveloped", content=None, fact=lambda l: l[0]["opened"] is False)
    check(j, "no key at all", j.ask(mail(m.seal(TEXT, a))), kinds="enveloped", content=None)
    check(j, "DER alone", j.ask(m.der(m.seal(TEXT, a)), a), kinds="enveloped", content=TEXT)
    disguised = m.seal(TEXT, a).replace(b"application/pkcs7-mime; smime-type=enveloped-data", b"application/octet-stream")
    check(j, "octet-stream", j.ask(mail(disguised), a), kinds="enveloped", content=TEXT)
    long = TEXT + b"0123456789abcdef" * 20000
    check(j, "one base64 line", j.ask(mail(entity(m.der(m.seal(long, a)), width=10 ** 9)), a), kinds="enveloped", content=long)


def signed(j, m):
    a, b = m.alice, m.bob
    for digest in ("sha256", "sha384", "sha512", "sha1"):
        check(j, "opaque " + digest, j.ask(mail(m.sign(TEXT, a, digest=digest))), kinds="signed", content=TEXT, fact=signer(a, digest))
    check(j, "ecdsa", j.ask(mail(m.sign(TEXT, m.eve))), kinds="signed", content=TEXT, fact=signer(m.eve))
    check(j, "pss", j.ask(mail(m.sign(TEXT, a, extra=("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest")))), {"pss"}, kinds="signed", content=TEXT, fact=signer(a))
    check(j, "no attributes", j.ask(mail(m.sign(TEXT, a, extra=("-noattr",)))), kinds="signed", content=TEXT, fact=lambda l: signer(a)(l) and l[0]["signers"][0]["attributes"] == [])
    check(j, "attributes", j.ask(mail(m.sign(TEXT, a))), fact=lambda l: {"1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"} <= set(l[0]["signers"][0]["attributes"]))
    check(j, "two signers", j.ask(mail(m.sign(TEXT, a, b))), kinds="signed", content=TEXT, fact=lambda l: sorted((s["cert-sha256"], s["valid"]) for s in l[0]["signers"]) == sorted(
        [(a.sha, True), (b.sha, True)]))
    check(j, "without certificates", j.ask(mail(m.sign(TEXT, a, extra=("-nocerts",)))), fact=lambda l: l[0]["signers"][0]["valid"] is False and l[0]["signers"][0]["cert-sha256"] is None,
          hard={"gcm"})
    check(j, "without certificates, known", j.ask(mail(m.sign(TEXT, a, extra=("-nocerts",))), {"cert": a.cert}), fact=signer(a))
    check(j, "signer by key identifier", j.ask(mail(m.sign(TEXT, a, extra=("-keyid",)))), {"ski"}, kinds="signed", content=TEXT, fact=signer(a))
    check(j, "detached", j.ask(mail(m.multipart(TEXT, a))), kinds="multipart-signed", content=TEXT, fact=signer(a))
    check(j, "detached, two", j.ask(mail(m.multipart(TEXT, m.eve))), kinds="multipart-signed", content=TEXT, fact=signer(m.eve))
    check(j, "nothing", j.ask(mail(TEXT)), kinds="", content=mail(TEXT))


def layered(j, m):
    a, b = m.alice, m.bob
    inner = m.sign(TEXT, b)
    check(j, "signed, encrypted", j.ask(mail(m.seal(inner, a)), a), kinds="enveloped signed", content=TEXT, fact=signer(b))
    check(j, "detached, encrypted", j.ask(mail(m.seal(m.multipart(TEXT, b), a)), a), kinds="enveloped multipart-signed", content=TEXT, fact=signer(b))
    check(j, "triple", j.ask(mail(m.multipart(m.seal(inner, a), b)), a), kinds="multipart-signed enveloped signed", content=TEXT, fact=lambda l: signer(b)(l) and signer(b, at=0)(l))
    check(j, "gcm outside", j.ask(mail(m.seal(inner, a, cipher="aes-128-gcm")), a), {"gcm"}, kinds="auth-enveloped signed", content=TEXT, fact=signer(b))
    zipped = compress(TEXT)
    check(j, "compressed", j.ask(mail(zipped)), kinds="compressed", content=TEXT)
    check(j, "compressed, signed", j.ask(mail(m.sign(zipped, b))), kinds="signed compressed", content=TEXT, fact=signer(b, at=0))
    deep = TEXT
    for _ in range(8):
        deep = m.sign(deep, b)
    check(j, "eight layers", j.ask(mail(deep)), kinds=" ".join(["signed"] * 8), content=TEXT, fact=signer(b))
    answer = j.ask(mail(m.sign(deep, b)))
    if answer["ok"]:
        failures.append(f"{j.name}: nine layers were judged")
    wrapped = b"Content-Type: message/rfc822\r\n\r\n" + mail(inner)
    check(j, "message/rfc822 is innermost", j.ask(mail(m.seal(wrapped, a)), a), kinds="enveloped", content=wrapped)


def der_of(tag, body):
    n = len(body)
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")) + body


def compress(text):
    import zlib
    oid = lambda h: der_of(6, bytes.fromhex(h))
    inner = der_of(0x30, oid("2a864886f70d010701") + der_of(0xa0, der_of(4, zlib.compress(text))))
    data = der_of(0x30, b"\x02\x01\x00" + der_of(0x30, oid("2a864886f70d0109100308")) + inner)
    return entity(der_of(0x30, oid("2a864886f70d0109100109") + der_of(0xa0, data)), "compressed-data")


def flip(octets, at):
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


def damaged(j, m):
    a, b = m.alice, m.bob
    der = m.der(m.sign(TEXT, a))
    at = der.index(b"findings")
    check(j, "opaque content", j.ask(mail(entity(flip(der, at)))), kinds="signed", fact=signer(a, valid=False))
    check(j, "signature", j.ask(mail(entity(flip(der, len(der) - 9)))), kinds="signed", content=TEXT, fact=signer(a, valid=False))
    md = hashlib.sha256(TEXT).digest()
    check(j, "messageDigest", j.ask(mail(entity(flip(der, der.index(md) + 5)))), kinds="signed", fact=signer(a, valid=False))
    swapped = der.replace(TEXT, TEXT.replace(b"Dear", b"Deer")).replace(md, hashlib.sha256(TEXT.replace(b"Dear", b"Deer")).digest())
    check(j, "content and messageDigest", j.ask(mail(entity(swapped))), kinds="signed", fact=signer(a, valid=False))
    plain = m.der(m.sign(TEXT, a, extra=("-noattr",)))
    check(j, "content without attributes", j.ask(mail(entity(flip(plain, plain.index(b"findings"))))), kinds="signed", fact=signer(a, valid=False))
    check(j, "detached text", j.ask(mail(m.multipart(TEXT, a).replace(b"findings", b"findingz", 1))), kinds="multipart-signed", fact=signer(a, valid=False))
    check(j, "a third part", j.ask(mail(m.multipart(TEXT, a).replace(b"--=_b 1\r\nContent-Type: app", b"--=_b 1\r\n\r\nx\r\n--=_b 1\r\nContent-Type: app"))), broken=True)
    check(j, "no last boundary", j.ask(mail(m.multipart(TEXT, a).replace(b"--=_b 1--", b"--=_b 2--"))), broken=True)
    check(j, "truncated", j.ask(mail(entity(der[:len(der) // 2]))), broken=True)
    check(j, "an octet behind", j.ask(mail(entity(der + b"\0"))), broken=True)
    check(j, "base64 text", j.ask(mail(entity(der).replace(b"MII", b"M\x01I", 1))), broken=True)
    check(j, "too deep", j.ask(mail(entity(b"\x30\x80" * 200000))), broken=True)
    check(j, "octets of nothing", j.ask(mail(entity(b"no CMS at all"))), broken=True)
    long = TEXT + b"0123456789abcdef" * 64
    box = m.der(m.seal(m.sign(long, b), a))
    answer = j.ask(mail(entity(flip(box, len(box) - 400))), a)
    if answer["ok"] and "broken" not in answer and any(s["valid"] for s in answer["layers"][-1].get("signers", [])):
        failures.append(f"{j.name}: a changed CBC content is valid: {answer}")
    key = box.index(bytes.fromhex("300d06092a864886f70d0101010500")) + 15 + 40
    answer = j.ask(mail(entity(flip(box, key))), a)
    if answer["ok"] and "broken" not in answer:
        failures.append(f"{j.name}: a changed key: {answer}")
    gcm = m.der(m.seal(TEXT, a, cipher="aes-256-gcm"))
    check(j, "gcm content", j.ask(mail(entity(flip(gcm, len(gcm) - 30))), a), {"gcm"}, broken=True, content=None)
    check(j, "gcm tag", j.ask(mail(entity(flip(gcm, len(gcm) - 3))), a), {"gcm"}, broken=True, content=None)
    check(j, "gcm opens before", j.ask(mail(entity(gcm)), a), {"gcm"}, content=TEXT)
    check(j, "two Content-Type fields", j.ask(mail(b"Content-Type: application/pkcs7-mime\r\n" + entity(der))), broken=True)


def short_tag(j, m):
    """AuthEnvelopedData with a tag of 4 octets, as its parameters say."""
    der = m.der(m.seal(TEXT, m.alice, cipher="aes-256-gcm"))
    tag = der[-16:]
    at = der.index(bytes.fromhex("060960864801650304012e"))
    changed = bytearray(der)
    params = der.index(b"\x02\x01\x10", at)
    changed[params + 2] = 4
    changed = bytes(changed[:-18]) + b"\x04\x04" + tag[:4]

    def fix(octets, at, less):
        n = int.from_bytes(octets[at + 2:at + 4], "big") - less
        return octets[:at + 2] + n.to_bytes(2, "big") + octets[at + 4:]
    for where in (0, 4 + 13, 4 + 13 + 4):
        if changed[where + 1] == 0x82:
            changed = fix(changed, where, 12)
    check(j, "short gcm tag", j.ask(mail(entity(changed)), m.alice), {"gcm"}, broken=True, content=None, fact=lambda l: l[0]["kind"] == "auth-enveloped")


def large(j, m):
    text = TEXT + (b"0123456789abcdef" * 4 + b"\r\n") * 520000
    box = mail(m.seal(m.sign(text, m.bob), m.alice))
    began = time.monotonic()
    answer = j.ask(box, m.alice)
    took = time.monotonic() - began
    with open(f"/proc/{j.p.pid}/status") as f:
        peak = re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)
    check(j, f"large ({len(box) >> 20} MiB, {took:.1f} s)", answer, kinds="enveloped signed", content=text, fact=signer(m.bob))
    print(f"{j.name}: {len(box) >> 20} MiB in {took:.1f} s, {int(peak) >> 10} MiB of memory")


def through_kit(m, top, names):
    """second.c: the same answers, a new start after a death, one question at a time, and a limit of 30 s."""
    global count
    ask = os.path.join(top, "second_ask")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "jansson", "libcrypto"], capture_output=True, text=True, check=True).stdout.split()
    kit = os.path.join(HERE, "..", "kit")
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g", "-fsanitize=address,undefined", "-I" + kit, "-o", ask, os.path.join(HERE, "second_ask.c"),
                    *[os.path.join(kit, f) for f in sorted(os.listdir(kit)) if re.match(r"(util|second.*)\.c$", f)], *flags, "-pthread"], check=True)
    path = os.path.join(top, "asked")
    with open(path, "wb") as f:
        f.write(mail(m.seal(m.sign(TEXT, m.bob), m.alice)))

    def run(judge, asks=1):
        r = subprocess.run([ask, top, judge, path, m.alice.cert, m.alice.key, m.bob.cert, "-"], input=b"\n" * (asks - 1), capture_output=True,
                           env=dict(os.environ, POSTERN_INTEROP_JUDGES=JUDGES), timeout=200)
        return r.returncode, r.stdout.decode().splitlines(), r.stderr.decode()

    def fake(name, body):
        p = os.path.join(top, name)
        with open(p, "w") as f:
            f.write("#!/usr/bin/env python3\nimport json, os, sys, time\n" + body)
        os.chmod(p, 0o755)
        return p
    loop = "for line in sys.stdin:\n q = json.loads(line)\n a = {'id': q['id'], 'ok': True, 'name': 'fake 1', 'layers': []}\n"
    tell = " print(json.dumps(a), flush=True)\n"
    once = os.path.join(top, "died")
    cases = {
        "dies once": (fake("once", loop + f" if 'file' in q and not os.path.exists('{once}'):\n  open('{once}', 'w'); os._exit(1)\n" + tell), 2, lambda o: all('"layers":[]' in x for x in o[1:])),
        "dies always": (fake("always", loop + " if 'file' in q: os._exit(1)\n" + tell), 1, lambda o: "ended twice" in o[1]),
        "another answer": (fake("other", loop + " if 'file' in q: a['id'] = 77\n" + tell), 1, lambda o: "another question" in o[1]),
        "no JSON": (fake("none", loop + " if 'file' in q: print('hello', flush=True); continue\n" + tell), 1, lambda o: "no JSON" in o[1]),
        "cannot": (fake("cannot", loop + " if 'file' in q: a = {'id': q['id'], 'ok': False, 'cannot': 'not this'}\n" + tell), 1, lambda o: o[1] == "cannot: fake 1 cannot judge it: not this"),
        "endless": (fake("endless", loop + " if 'file' in q:\n  while True: sys.stdout.write('x' * 65536)\n" + tell), 1, lambda o: "longer than" in o[1]),
        "silent": (fake("silent", loop + " if 'file' in q: time.sleep(300)\n" + tell), 1, lambda o: "in time" in o[1]),
    }
    for name in names:
        cases["through the kit: " + name] = (name, 3, lambda o: all('"content-sha256"' in x for x in o[1:]) and len(o) == 4)
    cases["auto"] = ("auto", 1, lambda o: '"content-sha256":"' + hashlib.sha256(TEXT).hexdigest() in o[1])
    for name, (judge, asks, good) in cases.items():
        began = time.monotonic()
        code, out, err = run(judge, asks)
        count += 1
        took = time.monotonic() - began
        if code != 0 or len(out) != asks + 1 or not good(out) or name == "silent" and not 29 < took < 40:
            failures.append(f"{name}: {code} {out} {err[-600:]}")
            print("FAILED", failures[-1])
    code, out, err = run("nobody")
    if code == 0 or "no second judge nobody" not in err:
        failures.append(f"no such judge: {code} {err}")
    left = [n for n in os.listdir(top) if n.startswith("second-")]
    if left:
        failures.append(f"directories with keys are left: {left}")


def main():
    names = [n for n in sys.argv[1:] if not n.startswith("-")] or list(WEAK)
    with tempfile.TemporaryDirectory() as top:
        m = Maker(top)
        there = []
        for name in names:
            if not os.path.exists(os.path.join(JUDGES, name)):
                continue
            there.append(name)
            j = Judge(name, top)
            print(j.version)
            j.ask(mail(TEXT))
            began = time.monotonic()
            for part in (sealed, signed, layered, damaged, short_tag):
                part(j, m)
            print(f"{name}: {(time.monotonic() - began):.1f} s for {j.id} questions, making them included")
            box = mail(m.seal(m.sign(TEXT, m.bob), m.alice))
            began = time.monotonic()
            for _ in range(5):
                j.ask(box, m.alice)
            print(f"{name}: {(time.monotonic() - began) / 5 * 1000:.0f} ms a question")
            large(j, m)
            j.end()
        if "--no-kit" not in sys.argv:
            through_kit(m, top, there)
    print(f"{count} checks, {len(failures)} failed")
    for f in failures:
        print(" ", f[:400])
    return 1 if failures or not there else 0


if __name__ == "__main__":
    sys.exit(main())
