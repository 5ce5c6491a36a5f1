"""The main kinds of message by SMTP through running gateways with their default format, one with RSA keys and one with EC keys: what leaves is read by the peer, what the peer
wrote goes in, and the inside server gets the content with a good verdict."""
import email
import itertools
import os
import re

from mail import message, send, solo
from matrix import CONTENT, der_of, mime
from peers import Refused
from smime import with_header

US, THEM, SIGN_ONLY = "a@hospital.example", "b@partner.example", "b@signed.example"
BODY = CONTENT.split(b"\r\n\r\n", 1)[1]
KEYS = {"RSA": "rsa", "EC P-256": "p256"}
numbers = itertools.count(1)


def multipart(content, signature, micalg="sha-256"):
    head = f'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg={micalg}; boundary="b-o-u-n-d"\r\n\r\n'.encode()
    return head + b"--b-o-u-n-d\r\n" + content + b"\r\n--b-o-u-n-d\r\n" + mime(signature, "signed-data").replace(b"pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"", b"pkcs7-signature; name=\"smime.p7s\"") + b"--b-o-u-n-d--\r\n"


def halves(mail):
    """The signed octets and the signature of a multipart/signed."""
    boundary = re.search(r'boundary="?([^";]+)', mail.field("Content-Type")).group(1).encode()
    parts = (b"\r\n" + mail.body).split(b"\r\n--" + boundary)
    return parts[1][2:], der_of(parts[2][2:])


def want(there, what, octets):
    if not there:
        raise Refused(f"{what}: {octets[:300]!r}")


class Both:
    def __init__(self, top, who, ca):
        self.top, self.who, self.ca, self.at = top, who, ca, {}

    def __enter__(self):
        for key in KEYS.values():
            top = os.path.join(self.top, "gateway-" + key)
            os.makedirs(top)
            p12 = self.who["us-" + key].pkcs12(os.path.join(top, "us.p12"))
            gw, inside, outside = self.at[key] = solo(top, start=False)
            gw.start()
            gw.postern("domain", "add", gw.domain, "--pkcs12", p12)
            for domain, treatment in (("partner.example", "seal"), ("signed.example", "sign")):
                gw.postern("anchor", "add", self.ca.cert, "--scope", domain, "--yes")
                gw.postern("partner", "add", domain, "--treatment", treatment, "--strength", "require")
            gw.postern("cert", "import", self.who["them-" + key].cert, "--for", "partner.example", "--yes")
        return self

    def __exit__(self, *_):
        for gw, inside, outside in self.at.values():
            gw.stop()
            inside.close()
            outside.close()

    def leaves(self, key, to):
        """What the world gets of a mail from inside."""
        gw, _, outside = self.at[key]
        subject = f"interop {next(numbers)} out"
        code, text = send(gw.inside, US, to, message(US, to, subject, BODY))
        want(code == 250, "not taken", text.encode())
        return outside.by_subject(subject)

    def arrives(self, key, smime):
        """Sends what the peer wrote; the inside server must get its content as that of a good signature."""
        gw, inside, _ = self.at[key]
        subject = f"interop {next(numbers)} in"
        code, text = send(gw.outside, THEM, US, with_header(b"MIME-Version: 1.0\r\n" + smime, THEM, US, subject))
        want(code == 250, "not taken", text.encode())
        mail = inside.by_subject(subject)
        want("smime=pass" in mail.field("Authentication-Results"), "no smime=pass", mail.header)
        want(mail.body == BODY, "another body", mail.body)
        return mail.field("X-Postern-Verdict")

    # ---- the cells ----

    def sealed_send(self, peer, key):
        mail = self.leaves(key, THEM)
        want(mail.field("Content-Type").startswith("application/pkcs7-mime"), "not sealed", mail.header)
        opened = peer.decrypt("them-" + key, der_of(mail.header + b"\r\n\r\n" + mail.body))
        want(b"signed-data" in opened, "not signed inside", opened)
        inner = peer.verify(der_of(opened))
        want(inner.endswith(b"\r\n\r\n" + BODY) or inner == b"\r\n" + BODY, "another body", inner)

    def sealed_receive(self, peer, key):
        smime = mime(peer.encrypt("us-" + key, mime(peer.sign("them-" + key, CONTENT), "signed-data"), keys="v15" if key == "rsa" else "ecdh"), "enveloped-data")
        verdict = self.arrives(key, smime)
        want(verdict == "sealed", "another verdict", verdict.encode())

    def signed_send(self, peer, key):
        mail = self.leaves(key, SIGN_ONLY)
        want(mail.field("Content-Type").startswith("multipart/signed"), "not multipart/signed", mail.header)
        content, signature = halves(mail)
        peer.verify(signature, content)
        got = email.message_from_bytes(content).get_payload(decode=True)
        want(got.replace(b"\r\n", b"\n") == BODY.replace(b"\r\n", b"\n"), "another body", content)

    def signed_receive(self, peer, key):
        verdict = self.arrives(key, multipart(CONTENT, peer.sign("them-" + key, CONTENT, detached=True)))
        want(verdict == "signed", "another verdict", verdict.encode())

    def opaque_receive(self, peer, key):
        verdict = self.arrives(key, mime(peer.sign("them-" + key, CONTENT), "signed-data"))
        want(verdict == "signed", "another verdict", verdict.encode())

    def play(self, peer, direction, cell):
        kind, words = CELLS[cell]
        try:
            getattr(self, f"{kind}_{direction}")(peer, words)
        except (Refused, AssertionError) as e:
            return str(e)
        except (ValueError, OSError, IndexError) as e:
            return f"{type(e).__name__}: {e}"
        return None


CELLS = {f"{words}, {name}": (kind, key) for name, key in KEYS.items() for words, kind in (("sealed", "sealed"), ("multipart/signed", "signed"), ("opaque signed", "opaque"))}
