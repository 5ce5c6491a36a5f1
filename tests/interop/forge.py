"""What a faulty gateway does to S/MIME messages, by the openssl command line: takes layers off with keys that the test owns, puts others on."""
import base64
import os
import re
import subprocess

MIME = (b"content-", b"mime-version")


def openssl(*args, data=None):
    """Output, or None when it fails."""
    p = subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    return p.stdout if p.returncode == 0 else None


def crlf(octets):
    return re.sub(rb"\r?\n", b"\r\n", octets)


def split(data):
    """(list of header fields with their folded lines, body)."""
    head, _, body = data.partition(b"\r\n\r\n")
    return re.split(rb"\r\n(?![ \t])", head), body


def join(fields, body):
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def field(data, name):
    """Value of the first field of this name, unfolded; b"" if there is none."""
    for f in split(data)[0]:
        if f.lower().startswith(name.lower().encode() + b":"):
            return re.sub(rb"\r\n[ \t]", b" ", f.split(b":", 1)[1]).strip()
    return b""


def around(data, entity):
    """The message with another entity: its own fields but for MIME's, then those of the entity."""
    fields, _ = split(data)
    inner, body = split(crlf(entity))
    return join([f for f in fields if not f.lower().startswith(MIME)] + [b"MIME-Version: 1.0"] + [f for f in inner if f.lower().startswith(b"content-")], body)


class Keys:
    """One certificate and its key in files."""
    def __init__(self, cert, key=None):
        self.cert, self.key = cert, key or cert[:-4] + ".key"


def opened(data, keys):
    """The entity inside one layer of encryption, or None. keys: those that are tried."""
    for k in keys:
        got = openssl("cms", "-decrypt", "-inform", "SMIME", "-recip", k.cert, "-inkey", k.key, data=data)
        if got is not None:
            return crlf(got)
    return None


def unsigned(data):
    """The entity that is signed, whoever signed it; None: no signature that holds."""
    got = openssl("cms", "-verify", "-noverify", "-inform", "SMIME", data=data)
    return crlf(got) if got else None


def signed(entity, keys, *options):
    """An opaque signature around an entity, as an entity."""
    return crlf(openssl("cms", "-sign", "-nodetach", "-binary", "-signer", keys.cert, "-inkey", keys.key, "-outform", "SMIME", *options, data=entity))


def der(data):
    """The CMS octets of a message or part."""
    try:
        return base64.b64decode(split(data)[1])
    except ValueError:
        return b""


CIPHERS = {bytes.fromhex("0960864801650304010" + n): "-" + c for n, c in (("2", "aes-128-cbc"), ("6", "aes-128-gcm"))}
CIPHERS |= {bytes.fromhex("096086480165030401" + n): "-" + c for n, c in (("16", "aes-192-cbc"), ("2a", "aes-256-cbc"), ("2e", "aes-256-gcm"))}
OAEP = bytes.fromhex("06092a864886f70d010107")


def algorithms(data):
    """(cipher, is it OAEP with SHA-256?) of a sealed message, as they are to be put into another: a fault changes nothing but what it is about."""
    octets = der(data)
    return next((c for oid, c in CIPHERS.items() if oid in octets), "-aes-256-cbc"), OAEP in octets


def sealed(entity, certs, cipher="-aes-256-cbc", oaep=False):
    to = []
    for c in certs:
        to += ["-recip", c] + (["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"] if oaep else [])
    return crlf(openssl("cms", "-encrypt", "-binary", cipher, "-outform", "SMIME", *to, data=entity))


def tag_restored(data, keys):
    """A message whose GCM tag had one bit changed, with the right tag: the one bit of the last 16 octets that lets it open."""
    octets = der(data)
    for bit in range(128):
        tried = bytearray(octets)
        tried[-1 - bit // 8] ^= 1 << bit % 8
        if openssl("cms", "-decrypt", "-inform", "DER", "-recip", keys.cert, "-inkey", keys.key, data=bytes(tried)) is not None:
            return join(split(data)[0], crlf(base64.encodebytes(bytes(tried))))
    return data


def foreign(folder):
    """A certificate of somebody whom nobody named."""
    cert = os.path.join(folder, "stranger.pem")
    if not os.path.exists(cert):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", cert[:-4] + ".key", "-out", cert, "-days", "300", "-subj", "/CN=stranger.example")
    return cert


def peeled(data, keys):
    """(entity inside the encryption, entity inside the signature in it): what a sealed message holds."""
    inside = opened(data, keys)
    return inside, (unsigned(inside) if inside else None) or inside


def credentials(kit_dir, case):
    """All certificates with keys that the kit has for a case, by name."""
    out = {}
    for top, _, names in os.walk(os.path.join(kit_dir, "world")):
        if os.path.basename(top) == case:
            for n in names:
                if n.endswith(".key"):
                    out[n[:-4]] = Keys(os.path.join(top, n[:-4] + ".pem"), os.path.join(top, n))
    return out
