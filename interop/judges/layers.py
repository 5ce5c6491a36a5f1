"""What the judges over command line tools have in common: the line protocol of interop/kit/second.h, MIME (RFC 2045, RFC 8551) and as much BER as it
takes to see who is named in a CMS object. Python's standard library alone; all of it is total: whatever the octets are, an answer, Broken or Cannot
comes. The cryptography is the tool's."""
import base64
import hashlib
import json
import os
import re
import sys
import zlib

MESSAGE_MAX = 72 << 20
LAYERS_MAX = 8
DEEPEST = 64
OIDS = {
    "1.2.840.113549.1.7.1": "data", "1.2.840.113549.1.7.2": "signed", "1.2.840.113549.1.7.3": "enveloped", "1.2.840.113549.1.9.16.1.23": "auth-enveloped",
    "1.2.840.113549.1.9.16.1.9": "compressed",
    "2.16.840.1.101.3.4.1.2": "aes128-cbc", "2.16.840.1.101.3.4.1.22": "aes192-cbc", "2.16.840.1.101.3.4.1.42": "aes256-cbc",
    "1.2.840.113549.3.7": "des3", "1.2.840.113549.3.2": "rc2",
    "2.16.840.1.101.3.4.1.6": "aes128-gcm", "2.16.840.1.101.3.4.1.26": "aes192-gcm", "2.16.840.1.101.3.4.1.46": "aes256-gcm",
    "1.2.840.113549.1.1.1": "pkcs1", "1.2.840.113549.1.1.7": "oaep", "1.3.133.16.840.63.0.2": "ecdh",
    "1.2.840.113549.2.5": "md5", "1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.4": "sha224", "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


class Broken(Exception):
    """The message is broken."""


class Cannot(Exception):
    """This judge cannot judge it."""


# --- BER ----------------------------------------------------------------------------------------------------

class Node:
    """One element: its octets are all[at:end], its content all[start:stop]."""
    def __init__(self, all_, at, limit, depth=0):
        if depth > DEEPEST:
            raise Broken("BER nested too deep")
        if limit - at < 2:
            raise Broken("BER ends too early")
        self.all, self.at, self.tag, self.depth = all_, at, all_[at], depth
        if self.tag & 31 == 31:
            raise Broken("a BER tag of more than one octet")
        n, self.start = all_[at + 1], at + 2
        if n == 0x80:
            self._indefinite(limit)
            return
        if n > 0x80:
            more = n - 0x80
            if more > 8 or limit - self.start < more:
                raise Broken("a wrong BER length")
            n, self.start = int.from_bytes(all_[self.start:self.start + more], "big"), self.start + more
        if n > limit - self.start:
            raise Broken("a BER length beyond the end")
        self.stop = self.end = self.start + n

    def _indefinite(self, limit):
        if not self.tag & 32:
            raise Broken("an indefinite length of a primitive")
        at = self.start
        while bytes(self.all[at:at + 2]) != b"\0\0":
            at = Node(self.all, at, limit, self.depth + 1).end
        self.stop, self.end = at, at + 2

    def children(self):
        if not self.tag & 32:
            raise Broken("a primitive where a sequence was due")
        out, at = [], self.start
        while at < self.stop:
            out.append(Node(self.all, at, self.stop, self.depth + 1))
            at = out[-1].end
            if len(out) > 20000:
                raise Broken("too many elements")
        return out

    def raw(self):
        return bytes(self.all[self.at:self.end])

    def value(self):
        return bytes(self.all[self.start:self.stop])

    def octets(self):
        """Of an OCTET STRING, in pieces or not; also below an implicit tag."""
        if not self.tag & 32:
            return self.value()
        return b"".join(c.octets() for c in self.children())

    def oid(self):
        if self.tag != 6:
            raise Broken("no OBJECT IDENTIFIER where one was due")
        out, n = [], 0
        for b in self.value():
            n = n << 7 | b & 127
            if not b & 128:
                out.append(n)
                n = 0
        if not out or n or len(out) > 64:
            raise Broken("a wrong OBJECT IDENTIFIER")
        first = min(out[0] // 40, 2)
        return ".".join(map(str, [first, out[0] - 40 * first, *out[1:]]))

    def name(self):
        oid = self.oid()
        if oid.startswith("1.3.132.1.11."):
            return "ecdh"
        return OIDS.get(oid, oid)


def algorithm(node):
    """(name, parameters or None) of an AlgorithmIdentifier."""
    parts = node.children()
    if not parts:
        raise Broken("an empty AlgorithmIdentifier")
    return parts[0].name(), parts[1] if len(parts) > 1 else None


def content_info(der):
    """(kind, its SEQUENCE)."""
    node = Node(der, 0, len(der))
    parts = node.children()
    if der[node.end:] not in (b"", b"\r\n"):
        raise Broken(f"{len(der) - node.end} octets behind the CMS object")
    if node.tag != 0x30 or len(parts) != 2 or parts[1].tag != 0xa0:
        raise Broken("no CMS object")
    inner = parts[1].children()
    if len(inner) != 1:
        raise Broken("no CMS object")
    return parts[0].name(), inner[0]


class Certificate:
    """What a CMS object names a certificate by (RFC 5280 4.1)."""
    def __init__(self, der):
        self.der = der
        self.sha256 = hashlib.sha256(der).hexdigest()
        parts = [c for c in Node(der, 0, len(der)).children()[0].children() if c.tag != 0xa0]
        self.serial, self.issuer, self.ski = parts[0].raw(), parts[2].raw(), None
        self.key_type = algorithm(parts[5].children()[0])[0]
        for ext in [e for p in parts if p.tag == 0xa3 for e in p.children()[0].children()]:
            fields = ext.children()
            if fields[0].oid() == "2.5.29.14":
                inner = fields[-1].octets()
                self.ski = Node(inner, 0, len(inner)).octets()

    def is_named(self, who):
        if "serial" in who:
            return who["serial"] == self.serial and who["issuer"] == self.issuer
        return self.ski is not None and who["ski"] == self.ski


def certificate(der):
    try:
        return Certificate(der)
    except (IndexError, Broken):
        return None


def who(node):
    """IssuerAndSerialNumber, or a key identifier below some implicit tag."""
    if node.tag == 0x30:
        parts = node.children()
        if len(parts) != 2:
            raise Broken("a wrong IssuerAndSerialNumber")
        return {"issuer": parts[0].raw(), "serial": parts[1].raw(), "issuer-serial-sha256": hashlib.sha256(node.raw()).hexdigest()}
    octets = node.children()[0].octets() if node.tag & 32 and node.children() and node.children()[0].tag == 4 else node.octets()
    return {"ski": octets}


def shown(named, keys):
    return {**({"ski": named["ski"].hex()} if "ski" in named else {"issuer-serial-sha256": named["issuer-serial-sha256"]}), "keys": keys}


# --- MIME ----------------------------------------------------------------------------------------------------

def pieces(value):
    """The value of a field cut at semicolons outside quotes and comments (RFC 2045 5.1)."""
    out, piece, quoted, comments, i = [], [], False, 0, 0
    while i < len(value):
        c = value[i]
        if c == "\\" and (quoted or comments) and i + 1 < len(value):
            i += 1
            if not comments:
                piece.append(value[i])
        elif not comments and c == '"':
            quoted = not quoted
        elif not quoted and c == "(":
            comments += 1
        elif not quoted and c == ")" and comments:
            comments -= 1
        elif not quoted and not comments and c == ";":
            out.append("".join(piece).strip())
            piece = []
        elif not comments:
            piece.append(c)
        i += 1
    return out + ["".join(piece).strip()]


class Mime:
    def __init__(self, octets):
        self.octets, self.fields = octets, []
        end = re.search(rb"(?:\A|\n)\r?\n", octets[:1 << 20])
        self.body = end.end() if end else len(octets)
        if not end and len(octets) > 1 << 20:
            self.body = 0
            return
        for line in re.split(r"\r?\n(?![ \t])", octets[:self.body].decode("latin-1").rstrip("\r\n")):
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[!-9;-~]+[ \t]*", name):
                self.fields, self.body = [], 0  # no header at all
                break
            self.fields.append((name.strip().lower(), re.sub(r"\r?\n", "", value)))
        first, *rest = pieces((self.values("content-type") or [""])[0])
        self.type, self.parameters = first.lower(), {}
        for p in rest:
            name, _, value = p.partition("=")
            self.parameters.setdefault(name.strip().lower(), value.strip())

    type = ""
    parameters = {}

    def values(self, name):
        return [v for n, v in self.fields if n == name]

    def is_cms(self):
        if self.type in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
            return True
        names = [self.parameters.get("name", "")] + [p.partition("=")[2] for v in self.values("content-disposition") for p in pieces(v)]
        return self.type == "application/octet-stream" and any(n.strip().lower().endswith(".p7m") for n in names)

    def is_signed(self):
        return self.type == "multipart/signed" and re.fullmatch(r"application/(x-)?pkcs7-signature", self.parameters.get("protocol", "").lower()) is not None

    def content(self):
        encoding = " ".join(pieces((self.values("content-transfer-encoding") or ["7bit"])[0])).lower()
        body = self.octets[self.body:]
        if encoding == "base64":
            try:
                return base64.b64decode(re.sub(rb"[ \t\r\n]", b"", body), validate=True)
            except ValueError as e:
                raise Broken(f"the base64 is damaged: {e}") from e
        if encoding == "quoted-printable":
            body = re.sub(rb"=[ \t]*\r?\n", b"", body)
            return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m.group(1), 16)]), body)
        if encoding in ("7bit", "8bit", "binary"):
            return body
        raise Broken(f"the transfer encoding {encoding[:40]} is not one of MIME")

    def signed_parts(self):
        """What is signed, and the part with the signature (RFC 1847 2.1)."""
        boundary = self.parameters.get("boundary", "").encode("latin-1")
        if not 0 < len(boundary) <= 200:
            raise Broken("multipart/signed without a boundary")
        parts, start = [], None
        for m in re.finditer(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)", self.octets[self.body:]):
            if start is not None:
                parts.append(self.octets[self.body + start:self.body + m.start()])
            start = m.end()
            if m.group(1):
                break
        else:
            raise Broken("multipart/signed whose last boundary is missing")
        if len(parts) != 2:
            raise Broken(f"multipart/signed with {len(parts)} parts instead of 2")
        return [re.sub(rb"\A\r?\n", b"", p) for p in parts]


# --- layers ----------------------------------------------------------------------------------------------------

class Owner:
    """A certificate of the question, and the file of its key if it may open messages."""
    def __init__(self, cert, key=None):
        self.path, self.key_path = cert, key
        self.cert = Certificate(pem(cert))


def pem(path):
    with open(path, "rb") as f:
        m = re.search(rb"-----BEGIN [^-]+-----(.*?)-----END ", f.read(), re.S)
    if not m:
        raise Cannot(f"{path} is not PEM")
    return base64.b64decode(m.group(1))


def signed(tool, der, node, detached, owners, seen):
    """SignedData (RFC 5652 5)."""
    signers = []
    seen.update({"kind": "signed" if detached is None else "multipart-signed", "signers": signers})
    parts = node.children()
    if len(parts) < 4 or parts[1].tag != 0x31 or parts[-1].tag != 0x31:
        raise Broken("a wrong SignedData")
    inside = parts[2].children()[1:]
    if (detached is None) != bool(inside):
        raise Broken("SignedData without its content" if detached is None else "the SignedData of a multipart/signed has a content of its own")
    content = detached if detached is not None else inside[0].children()[0].octets()
    there = [c for p in parts[3:-1] if p.tag == 0xa0 for c in (certificate(x.raw()) for x in p.children()) if c]
    known, infos = [o.cert for o in owners], []
    for info in parts[-1].children():
        f = info.children()
        if len(f) < 5:
            raise Broken("a wrong SignerInfo")
        sid = who(f[1])
        attributes = [a.children()[0].oid() for a in f[3].children()] if f[3].tag == 0xa0 else []
        how = f[4] if f[3].tag == 0xa0 else f[3]
        certs = [c for c in there + known if c.is_named(sid)]
        infos.append(certs[0] if certs else None)
        signers.append({"cert-sha256": certs[0].sha256 if certs else None, "digest": algorithm(f[2])[0], "valid": False, "attributes": attributes,
                        "algorithm": how.children()[0].oid(), "certificate-inside": any(c.is_named(sid) for c in there)})
    if signers and not all(infos):
        raise Cannot("a signer whose certificate is not known")
    for s, valid in zip(signers, tool.verify(der, detached, infos, there) if signers else []):
        s["valid"] = valid
    return content


def sealed(tool, kind, der, node, owners, seen):
    """EnvelopedData (RFC 5652 6); what none of these tools reads is said before it is asked."""
    recipients, named = [], []
    parts = [p for p in node.children() if p.tag != 0xa0]
    if len(parts) < 3 or parts[1].tag != 0x31:
        raise Broken("a wrong EnvelopedData")
    cipher = algorithm(parts[2].children()[1])[0]
    seen.update({"kind": kind, "cipher": cipher, "recipients": recipients, "opened": False})
    for r in parts[1].children():
        if r.tag != 0x30:
            raise Cannot("a RecipientInfo that is not for an RSA key")
        f = r.children()
        keys = algorithm(f[2])[0]
        named.append(who(f[1]))
        recipients.append(shown(named[-1], keys))
        if keys != "pkcs1":
            raise Cannot(f"key management {keys}")
    if kind != "enveloped" or cipher.endswith("gcm"):
        raise Cannot(f"{kind} with {cipher}")
    if parts[2].children()[0].name() != "data":
        raise Cannot("an encrypted content that is no data")
    mine = [o for o in owners if o.key_path and any(o.cert.is_named(w) for w in named)]
    if not mine:
        return None
    if not tool.reads_key_identifiers and any("ski" in w for w in named):
        raise Cannot("a recipient named by key identifier")
    content = tool.decrypt(der, mine, cipher)
    seen["opened"] = True
    return content


def compressed(node, seen):
    seen["kind"] = "compressed"
    inner = node.children()[2].children()[1].children()[0].octets()
    try:
        z = zlib.decompressobj()
        out = z.decompress(inner, MESSAGE_MAX)
    except zlib.error as e:
        raise Broken(f"the compressed content is damaged: {e}") from e
    if z.unconsumed_tail:
        raise Cannot("it expands to too much")
    if not z.eof:
        raise Broken("the compressed content ends too early")
    return out


def layer(tool, der, detached, owners, layers):
    kind, node = content_info(der)
    if detached is not None and kind != "signed":
        raise Broken("the signature of a multipart/signed is no SignedData")
    seen = {"kind": kind}
    layers.append(seen)
    try:
        if kind == "signed":
            return signed(tool, der, node, detached, owners, seen)
        if kind in ("enveloped", "auth-enveloped"):
            return sealed(tool, kind, der, node, owners, seen)
        if kind == "compressed":
            return compressed(node, seen)
    except IndexError as e:
        raise Broken("the CMS object is damaged") from e
    raise Cannot(f"a CMS object of type {kind}")


def peel(tool, octets, owners, layers):
    """The innermost entity, or None when a layer stays closed."""
    alone = octets[:1] == b"\x30" and (octets[1:2] >= b"\x80" or octets[2:3] == b"\x06")
    for depth in range(LAYERS_MAX + 1):
        m = None if alone and depth == 0 else Mime(octets)
        cms = m is None or m.is_cms()
        if not cms and not m.is_signed():
            return octets
        if depth == LAYERS_MAX:
            raise Cannot(f"more than {LAYERS_MAX} layers")
        if m and len(m.values("content-type")) > 1:
            raise Broken("more than one Content-Type field")
        if cms:
            octets = layer(tool, octets if m is None else m.content(), None, owners, layers)
            if octets is None:
                return None
        else:
            octets, second = m.signed_parts()
            signature = Mime(second)
            if not re.fullmatch(r"application/(x-)?pkcs7-signature", signature.type):
                raise Broken("the second part of multipart/signed is no application/pkcs7-signature")
            layer(tool, signature.content(), re.sub(rb"(?<!\r)\n", b"\r\n", octets), owners, layers)
    raise AssertionError


def judge(tool, question):
    layers, answer = [], {"ok": True}
    owners = [Owner(k["cert"], k.get("key")) for k in question.get("keys", [])] + [Owner(a) for a in question.get("anchors", [])]
    if os.path.getsize(question["file"]) > MESSAGE_MAX:
        raise Cannot(f"a message of more than {MESSAGE_MAX >> 20} MiB")
    with open(question["file"], "rb") as f:
        octets = f.read()
    try:
        content = peel(tool, octets, owners, layers)
        if content is not None:
            answer["content-sha256"] = hashlib.sha256(content).hexdigest()
    except Broken as e:
        answer["broken"] = str(e)
    answer["layers"] = layers
    return answer


def serve(tool):
    """Answers on standard output until standard input ends."""
    for line in sys.stdin:
        question = {}
        try:
            question = json.loads(line)
            answer = {"ok": True, "name": tool.name} if "hello" in question else judge(tool, question)
        except Cannot as e:
            answer = {"ok": False, "cannot": str(e)}
        except Exception as e:  # whatever the octets did: it was not judged
            answer = {"ok": False, "cannot": f"{type(e).__name__}: {e}"[:300]}
        print(json.dumps({"id": question.get("id") if isinstance(question, dict) else None, **answer}), flush=True)
