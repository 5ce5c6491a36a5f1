"""S/MIME by the openssl command line: a partner with keys of its own who signs, seals, opens and verifies without any code of ours."""
import os
import subprocess

REQ = """[req]
distinguished_name = dn
[dn]
"""
MAIL_USAGE = {"rsa": "critical,digitalSignature,keyEncipherment", **dict.fromkeys(("ec", "p384", "p521"), "critical,digitalSignature,keyAgreement")}
NEW_KEY = {
    "rsa": ["-newkey", "rsa:2048"], "rsa1024": ["-newkey", "rsa:1024"],
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "secp256k1": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
}


def openssl(*args, data=None, check=True):
    """Output of `openssl ARGS`; None when it fails and check is False."""
    p = subprocess.run(["openssl", *map(str, args)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if p.returncode != 0:
        if check:
            raise AssertionError(f"openssl {' '.join(map(str, args))}: {p.stderr.decode('utf-8', 'replace')}")
        return None
    return p.stdout


def crlf(octets):
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def entity(body, content_type="text/plain; charset=us-ascii", cte="7bit"):
    """A MIME entity with CRLF lines."""
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {cte}\r\n\r\n".encode() + (body if isinstance(body, bytes) else body.encode())


class Identity:
    """A key and a certificate in files. san: subjectAltName; issuer: an Identity made with ca=True, None: self-signed; more: lines of extensions;
    pathlen: of a CA."""
    def __init__(self, folder, name, san="", kind="rsa", issuer=None, ca=False, days=365, usage=None, eku="emailProtection", md="sha256", cn=None, more=(), pathlen=None):
        self.cert, self.key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
        csr, ext, conf = (os.path.join(folder, name + e) for e in (".csr", ".ext", ".cnf"))
        with open(conf, "w") as f:
            f.write(REQ)
        lines = ["subjectKeyIdentifier=hash"]
        if ca:
            lines += ["basicConstraints=critical,CA:TRUE" + (f",pathlen:{pathlen}" if pathlen is not None else ""), "keyUsage=critical,keyCertSign,cRLSign"]
        else:
            lines += ["basicConstraints=CA:FALSE", "keyUsage=" + (usage or MAIL_USAGE.get(kind, MAIL_USAGE["rsa"]))]
            lines += ["extendedKeyUsage=" + eku] if eku else []
        lines += ["subjectAltName=" + san] if san else []
        lines += more
        with open(ext, "w") as f:
            f.write("\n".join(lines) + "\n")
        openssl("req", "-new", "-utf8", "-config", conf, *NEW_KEY[kind], "-nodes", "-keyout", self.key, "-out", csr, "-subj", "/CN=" + (cn or name))
        sign = ["-CA", issuer.cert, "-CAkey", issuer.key, "-CAcreateserial"] if issuer else ["-signkey", self.key]
        openssl("x509", "-req", "-in", csr, "-out", self.cert, "-days", days, "-extfile", ext, "-" + md, *sign)

    def pkcs12(self, path, password=""):
        openssl("pkcs12", "-export", "-in", self.cert, "-inkey", self.key, "-out", path, "-passout", "pass:" + password)
        return path

    def sign(self, content, detached=False, extra=()):
        """An S/MIME entity (opaque, or multipart/signed) around a MIME entity."""
        return crlf(openssl("cms", "-sign", "-signer", self.cert, "-inkey", self.key, "-md", "sha256", *([] if detached else ["-nodetach"]), *extra, data=content))

    def open(self, octets):
        """What `openssl cms -decrypt` makes of a message sealed for us; None when it cannot."""
        return openssl("cms", "-decrypt", "-recip", self.cert, "-inkey", self.key, data=octets, check=False)


def seal(cert, content, cipher="-aes-256-cbc", keyopts=()):
    """An S/MIME entity (application/pkcs7-mime) that the holder of the certificate can open."""
    more = [x for k in keyopts for x in ("-keyopt", k)]
    return crlf(openssl("cms", "-encrypt", "-binary", cipher, "-recip", cert, *more, data=content))


def verify(octets, cert):
    """Content of a signed S/MIME message when its one signer is exactly the holder of `cert`; None when not."""
    return openssl("cms", "-verify", "-nointern", "-certfile", cert, "-CAfile", cert, data=octets, check=False)


def with_header(smime, sender, rcpt, subject, extra=""):
    """A message: header fields in front of what openssl wrote."""
    head = f"From: {sender}\r\nTo: {rcpt}\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\nMessage-ID: <{subject.replace(' ', '.')}@test>\r\n{extra}"
    return head.encode() + smime
