"""Every kind of message, both ways, between the gateway's own CMS (the tool tests/tools/cms.c) and each other program.

send: ours wrote it, the peer reads it; receive: the peer wrote it, ours reads it. What arrives must be the octets that were sent, and the signature good.
"""
import base64
import os
import re

from gateway import BUILD
from peers import Refused, run

CMS = os.path.join(BUILD, "tools", "cms")
CONTENT = b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nPotassium 5.9 mmol/l, please call back.\r\n.a dot\r\nFrom here on routine.\r\n\r\n" + b"A line among many.\r\n" * 60


def cms(verb, data, check=True, **words):
    """The tool; values that are lists are given several times. (output, facts on standard error)"""
    args = [f"{k.replace('_', '-')}={v}" for k, vs in words.items() for v in (vs if isinstance(vs, list) else [vs])]
    out, err = run([CMS, verb, *args], data)
    return out, err.decode("utf-8", "replace")


def mime(der, kind):
    """An application/pkcs7-mime entity, as it lies inside another layer."""
    text = base64.encodebytes(der).replace(b"\n", b"\r\n")
    return f'Content-Type: application/pkcs7-mime; smime-type={kind}; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode() + text


def der_of(entity):
    return base64.b64decode(entity.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1])


class Ours:
    """The gateway's CMS with the same functions as a peer."""
    def __init__(self, folder, who, ca):
        self.folder, self.who, self.ca = folder, who, ca
        os.makedirs(folder)

    def file(self, octets):
        path = os.path.join(self.folder, "content")
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def sign(self, me, content, digest="sha256", detached=False, pss=False, ber=False):
        who = self.who[me]
        return cms("sign", content, cert=who.cert, key=who.key, digest=digest.upper(), detached="yes" if detached else "no", pss="yes" if pss else "no")[0]

    def verify(self, signed, content=None):
        got, _ = cms("trust", signed, anchor=self.ca.cert, **({"content": self.file(content)} if content is not None else {}))
        return got if content is None else content

    def encrypt(self, to, content, cipher="aes-256-cbc", keys="v15", ski=False, ber=False, kdf="", label=""):
        # the hash of X9.63 is the gateway's choice, by the curve
        return cms("encrypt", content, rcpt=self.who[to].cert, cipher=cipher, keys=keys, ski="yes" if ski else "no")[0]

    def decrypt(self, me, octets):
        return cms("decrypt", octets, cert=self.who[me].cert, key=self.who[me].key)[0]

    def compress(self, content):
        raise Refused("the gateway writes no compressed mail")

    def uncompress(self, octets):
        return cms("uncompress", octets)[0]


def same(got, want=CONTENT):
    if got != want:
        raise Refused(f"other octets arrived: {got[:60]!r} instead of {want[:60]!r}")


def indefinite(octets, want):
    if (octets[1] == 0x80) != want:
        raise Refused(f"the outermost length is {'not ' if want else ''}indefinite")


def as_asked(octets, detached=None, digest=None, pss=False, key="rsa", cipher=None, keys=None, ski=False, kdf=""):
    """Is the message of the kind that was asked for? As openssl shows it, which is neither the writer nor ours; a program without such an option would pass for nothing."""
    text = re.sub(r"\s+", " ", run(["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER"], octets)[0].decode("utf-8", "replace"))
    want = []
    if digest:
        want += [f"digestAlgorithm: algorithm: {digest} ", "eContent: <ABSENT>" if detached else "eContent: 0000"]
        want += ["signatureAlgorithm: algorithm: rsassaPss"] if pss else ["signatureAlgorithm: algorithm: (rsaE|sha...WithRSAE)ncryption" if key == "rsa" else "signatureAlgorithm: algorithm: ecdsa-with-"]
    if cipher:
        want += [f"contentEncryptionAlgorithm: algorithm: {cipher} ", "CMS_AuthEnvelopedData|authEnvelopedData" if cipher.endswith("gcm") else "d.envelopedData", "rKeyId|subjectKeyIdentifier" if ski else "issuerAndSerialNumber"]
        hash_of = {"oaep-sha1": r"rsaesOaep \(1.2.840.113549.1.1.7\) parameter: SEQUENCE: 0:d=0 hl=2 l= 0", "oaep-sha256": "rsaesOaep .*sha256"}
        want += {"v15": ["d.ktri", "keyEncryptionAlgorithm: algorithm: rsaEncryption"], "ecdh": ["d.kari", "dhSinglePass-stdDH-" + (kdf or "sha")], None: []}.get(keys) or [hash_of[k] for k in [keys] if k]
    for w in want:
        if not re.search(w, text):
            raise Refused(f"it wrote another kind: {w!r} is not in what openssl shows of it")
    return octets


# ---- the cells: what one side does with w (who writes) and r (who reads); `me` is the writer's name, `you` the reader's ----

def signed(key="rsa", digest="sha256", pss=False):
    def cell(w, r, me, you):
        same(r.verify(as_asked(w.sign(f"{me}-{key}", CONTENT, digest=digest, pss=pss), False, digest, pss, key)))
    return cell


def detached(key="rsa", digest="sha256", pss=False):
    def cell(w, r, me, you):
        r.verify(as_asked(w.sign(f"{me}-{key}", CONTENT, detached=True, digest=digest, pss=pss), True, digest, pss, key), CONTENT)
    return cell


def changed(w, r, me, you):
    octets = w.sign(f"{me}-rsa", CONTENT, detached=True)
    try:
        r.verify(octets, CONTENT.replace(b"5.9", b"3.9"))
    except Refused:
        return
    raise Refused("a changed content was verified")


def streamed_signed(w, r, me, you):
    octets = w.sign(f"{me}-rsa", CONTENT, ber=True)
    indefinite(octets, True)
    same(r.verify(octets))


def sealed(key="rsa", cipher="aes-256-cbc", keys="v15", ski=False, any_cipher=False, kdf="sha256", label=""):
    def cell(w, r, me, you):
        same(r.decrypt(f"{you}-{key}", as_asked(w.encrypt(f"{you}-{key}", CONTENT, cipher=cipher, keys=keys, ski=ski, kdf=kdf, label=label),
                                                 cipher="aes-...-cbc" if any_cipher else cipher, keys=keys, ski=ski, kdf=kdf)))
    return cell


def streamed_sealed(w, r, me, you):
    octets = w.encrypt(f"{you}-rsa", CONTENT, ber=True)
    indefinite(octets, True)
    same(r.decrypt(f"{you}-rsa", octets))


def sign_then_encrypt(w, r, me, you):
    inner = mime(w.sign(f"{me}-rsa", CONTENT), "signed-data")
    opened = r.decrypt(f"{you}-rsa", w.encrypt(f"{you}-rsa", inner))
    same(opened, inner)
    same(r.verify(der_of(opened)))


def triple(w, r, me, you):
    inner = mime(w.sign(f"{me}-rsa", CONTENT), "signed-data")
    middle = mime(w.encrypt(f"{you}-rsa", inner), "enveloped-data")
    got = r.verify(w.sign(f"{me}-rsa", middle))
    same(got, middle)
    opened = r.decrypt(f"{you}-rsa", der_of(got))
    same(opened, inner)
    same(r.verify(der_of(opened)))


def compressed(w, r, me, you):
    same(r.uncompress(w.compress(CONTENT)))


def compressed_sealed(w, r, me, you):
    inner = mime(w.compress(CONTENT), "compressed-data")
    opened = r.decrypt(f"{you}-rsa", w.encrypt(f"{you}-rsa", inner))
    same(opened, inner)
    same(r.uncompress(der_of(opened)))


CELLS = {
    "RSA SHA-256, opaque": signed(),
    "RSA SHA-384, opaque": signed(digest="sha384"),
    "RSA SHA-512, opaque": signed(digest="sha512"),
    "RSA SHA-256, opaque, BER-streamed": streamed_signed,
    "RSA SHA-256, multipart/signed": detached(),
    "RSA SHA-384, multipart/signed": detached(digest="sha384"),
    "RSA SHA-512, multipart/signed": detached(digest="sha512"),
    "changed after signing: refused": changed,
    "RSA-PSS SHA-256, opaque": signed(pss=True),
    "RSA-PSS SHA-512, multipart/signed": detached(pss=True, digest="sha512"),
    "ECDSA P-256, opaque": signed("p256"),
    "ECDSA P-256, multipart/signed": detached("p256"),
    "ECDSA P-384, opaque": signed("p384", digest="sha384"),
    "ECDSA P-521, opaque": signed("p521", digest="sha512"),
    "AES-128-CBC, RSA v1.5": sealed(cipher="aes-128-cbc"),
    "AES-192-CBC, RSA v1.5": sealed(cipher="aes-192-cbc"),
    "AES-256-CBC, RSA v1.5": sealed(),
    "enveloped, BER-streamed": streamed_sealed,
    "enveloped, recipient by SKI": sealed(ski=True, any_cipher=True),
    "AES-128-GCM, AuthEnveloped": sealed(cipher="aes-128-gcm"),
    "AES-256-GCM, AuthEnveloped": sealed(cipher="aes-256-gcm"),
    "AES-256-CBC, OAEP SHA-1": sealed(keys="oaep-sha1"),
    "AES-256-CBC, OAEP SHA-256": sealed(keys="oaep-sha256"),
    "AES-256-GCM, OAEP SHA-256": sealed(keys="oaep-sha256", cipher="aes-256-gcm"),
    "AES-256-CBC, OAEP SHA-256 with a label": sealed(keys="oaep-sha256", label="a label"),
    "AES-128-CBC, ECDH P-256, KDF SHA-256": sealed("p256", keys="ecdh", cipher="aes-128-cbc"),
    "AES-256-CBC, ECDH P-384, KDF SHA-384": sealed("p384", keys="ecdh", kdf="sha384"),
    "AES-256-CBC, ECDH P-256, KDF SHA-1": sealed("p256", keys="ecdh", kdf="sha1"),
    "AES-256-GCM, ECDH P-256, KDF SHA-256": sealed("p256", keys="ecdh", cipher="aes-256-gcm"),
    "signed, then encrypted": sign_then_encrypt,
    "triple wrapped": triple,
    "compressed": compressed,
    "compressed, then encrypted": compressed_sealed,
}


def play(peer, ours, direction, cell):
    """None when all is well, else the reason."""
    try:
        if direction == "send":
            CELLS[cell](ours, peer, "us", "them")
        else:
            CELLS[cell](peer, ours, "them", "us")
    except Refused as e:
        return str(e)
    except (ValueError, OSError, IndexError) as e:
        return f"{type(e).__name__}: {e}"
    return None
