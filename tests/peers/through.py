"""The main kinds of message by SMTP through running gateways with their default format, one with RSA keys and one with EC keys: what leaves is read by the peer, what the peer
wrote goes in, and the inside server gets the content with a good verdict."""
import email
import itertools
import os
import re

from mail import message, send, solo
from matrix import CONTENT, as_asked, der_of, mime
from peers import Refused
from smime import with_header

US = "a@hospital.example"
BODY = CONTENT.split(b"\r\n\r\n", 1)[1]
KEYS = {"RSA": "rsa", "EC P-256": "p256"}
numbers = itertools.count(1)


def multipart(content, signature, micalg="sha-256"):
    head = f'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg={micalg}; boundary="b-o-u-n-d"\r\n\r\n'.encode()
    return head + b"--b-o-u-n-d\r\n" + content + b"\r\n--b-o-u-n-d\r\n" + mime(signature, "signed-data").replace(b"pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"", b"pkcs7-signature; name=\"smime.p7s\"") + b"--b-o-u-n-d--\r\n"


def split(octets):
    """The signed octets and the signature of a multipart/signed."""
    head, body = octets.split(b"\r\n\r\n", 1)
    boundary = re.search(rb'boundary="?([^";\r\n]+)', head).group(1)
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    return parts[1][2:], der_of(parts[2][2:])


def want(there, what, octets):
    if not there:
        raise Refused(f"{what}: {octets[:300]!r}")


class Both:
    """Each peer is a partner of its own (b@NAME.example), so that what is learned of one reader says nothing of another."""
    def __init__(self, top, who, peers):
        self.top, self.who, self.peers, self.at = top, who, peers, {}

    def __enter__(self):
        for key in KEYS.values():
            top = os.path.join(self.top, "gateway-" + key)
            os.makedirs(top)
            gw, inside, outside = self.at[key] = solo(top, start=False)
            gw.start()
            gw.postern("domain", "add", gw.domain, "--pkcs12", self.who["us-" + key].pkcs12(os.path.join(top, "us.p12")))
            for peer in self.peers:
                for domain, treatment in ((f"{peer.name}.example", "seal"), (f"signed.{peer.name}.example", "sign")):
                    gw.postern("partner", "add", domain, "--treatment", treatment, "--strength", "require")
                    gw.postern("cert", "import", self.who["them-" + key].cert, "--for", domain, "--pin", "--yes")
        return self

    def __exit__(self, *_):
        for gw, inside, outside in self.at.values():
            gw.stop()
            inside.close()
            outside.close()

    def leaves(self, key, domain, how):
        """What the world gets of a mail from inside."""
        gw, _, outside = self.at[key]
        gw.postern("partner", "set", domain, "--format", how)
        subject = f"interop {next(numbers)} out"
        code, text = send(gw.inside, US, "b@" + domain, message(US, "b@" + domain, subject, BODY))
        want(code == 250, "not taken", text.encode())
        return outside.by_subject(subject)

    def arrives(self, key, domain, smime, verdict):
        """Sends what the peer wrote; the inside server must get its content as that of a good signature."""
        gw, inside, _ = self.at[key]
        subject, them = f"interop {next(numbers)} in", "b@" + domain
        code, text = send(gw.outside, them, US, with_header(b"MIME-Version: 1.0\r\n" + smime, them, US, subject))
        want(code == 250, "not taken", text.encode())
        try:
            mail = inside.by_subject(subject)
        except AssertionError as e:
            raise Refused(f"{e}: {re.findall('why=.*', gw.log())[-1:]}") from None
        want("smime=pass" in mail.field("Authentication-Results"), "no smime=pass", mail.header)
        want(mail.body == BODY, "another body", mail.body)
        want(mail.field("X-Postern-Verdict") == verdict, "another verdict", mail.header)

    # ---- the kinds ----

    def sealed_send(self, peer, key="rsa", how="", outside=None, signature=None, layers=("enveloped", "signed")):
        mail = self.leaves(key, peer.name + ".example", how)
        octets = mail.header + b"\r\n\r\n" + mail.body
        for layer in layers:
            if layer == "enveloped":
                octets = peer.decrypt("them-" + key, as_asked(der_of(octets), **(outside or {"cipher": "aes-...-cbc", "keys": "v15" if key == "rsa" else "ecdh"})))
            elif re.search(rb"(?im)^content-type: multipart/signed", octets.split(b"\r\n\r\n", 1)[0]):
                content, detached = split(octets)
                octets = peer.verify(as_asked(detached, **dict(signature or {}, detached=True)), content) and content
            else:
                octets = peer.verify(as_asked(der_of(octets), **(signature or {})))
        want(octets.endswith(b"\r\n\r\n" + BODY) or octets == b"\r\n" + BODY, "another body", octets)

    def sealed_receive(self, peer, key="rsa", sign=None, seal=None, layers=("enveloped", "signed")):
        octets = CONTENT
        for layer in reversed(layers):
            if layer == "signed":
                octets = mime(peer.sign("them-" + key, octets, **(sign or {})), "signed-data")
            elif layer == "multipart":
                octets = multipart(octets, peer.sign("them-" + key, octets, detached=True))
            elif layer == "compressed":
                octets = mime(peer.compress(octets), "compressed-data")
            else:
                octets = mime(peer.encrypt("us-" + key, octets, **(seal or {"keys": "v15" if key == "rsa" else "ecdh"})), "enveloped-data")
        self.arrives(key, peer.name + ".example", octets, "sealed" if "enveloped" in layers else "signed")

    def signed_send(self, peer, key="rsa"):
        mail = self.leaves(key, f"signed.{peer.name}.example", "")
        want(mail.field("Content-Type").startswith("multipart/signed"), "not multipart/signed", mail.header)
        content, signature = split(mail.data)
        peer.verify(signature, content)
        got = email.message_from_bytes(content).get_payload(decode=True)
        want(got.replace(b"\r\n", b"\n") == BODY.replace(b"\r\n", b"\n"), "another body", content)

    def opaque_send(self, peer, key="rsa"):
        mail = self.leaves(key, f"signed.{peer.name}.example", "alone=opaque")
        inner = peer.verify(der_of(mail.header + b"\r\n\r\n" + mail.body))
        got = email.message_from_bytes(inner).get_payload(decode=True)
        want(got.replace(b"\r\n", b"\n") == BODY.replace(b"\r\n", b"\n"), "another body", inner)

    def play(self, peer, direction, cell):
        kind, words = CELLS[cell][direction]
        try:
            getattr(self, f"{kind}_{direction}")(peer, **words)
        except (Refused, AssertionError) as e:
            return str(e)
        except (ValueError, OSError, IndexError, AttributeError) as e:
            return f"{type(e).__name__}: {e}"
        return None


def both(kind, out=None, into=None):
    return {"send": (kind, out or {}), "receive": ("sealed", into or {})}


GCM = {"cipher": "aes-256-gcm", "keys": "oaep-sha256"}
PSS = {"digest": "sha512", "pss": True}
SKI = {"cipher": "aes-...-cbc", "keys": "v15", "ski": True}
TRIPLE = ("signed", "enveloped", "signed")
CELLS = {
    "sealed, RSA": both("sealed"),
    "sealed as its signed mail asks": both("sealed", {"outside": {"cipher": "aes-...-cbc", "keys": None}}),
    "sealed, AES-256-GCM, OAEP SHA-256": both("sealed", {"how": "cipher=aes-256-gcm key=oaep-sha256", "outside": GCM}, {"seal": GCM}),
    "sealed, RSA-PSS SHA-512": both("sealed", {"how": "cipher=aes-256-cbc key=pkcs1 signature=pss digest=sha512", "signature": PSS}, {"sign": PSS}),
    "sealed, recipient by SKI": both("sealed", {"how": "cipher=aes-128-cbc key=pkcs1 recipient-id=ski", "outside": SKI}, {"seal": {"ski": True}}),
    "sealed, multipart/signed inside": both("sealed", {"how": "cipher=aes-128-cbc key=pkcs1 inside=multipart"}, {"layers": ("enveloped", "multipart")}),
    "triple wrapped": both("sealed", {"how": "cipher=aes-128-cbc key=pkcs1 triple=yes", "layers": TRIPLE}, {"layers": TRIPLE}),
    "sealed, compressed inside": both("sealed", {}, {"layers": ("enveloped", "signed", "compressed")}),
    "multipart/signed, RSA": both("signed", {}, {"layers": ("multipart",)}),
    "opaque signed, RSA": both("opaque", {}, {"layers": ("signed",)}),
    "sealed, EC P-256": both("sealed", {"key": "p256"}, {"key": "p256"}),
    "multipart/signed, EC P-256": both("signed", {"key": "p256"}, {"key": "p256", "layers": ("multipart",)}),
    "opaque signed, EC P-256": both("opaque", {"key": "p256"}, {"key": "p256", "layers": ("signed",)}),
}
