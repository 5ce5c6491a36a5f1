"""The examples of RFC 4134 and RFC 9216, and the shapes of RFC 4134 made again with algorithms of today.

The texts of the RFCs are not part of this project: tests/scripts/get-rfc fetches rfc4134.txt and rfc9216.txt (or RFC_TEXTS names the folder where they lie as the RFC Editor
publishes them). Every example in them is judged; a text that is missing fails. The shapes are made by openssl.
"""
import base64
import os
import re

from matrix import CONTENT, cms
from peers import Refused, run
from smime import Identity, crlf, openssl

SHA1 = "sha1, which is not accepted"
NOT_MAIL = "S/MIME does not use"
# name: how it is read, the words of the refusal, what it is
RFC4134 = {
    "3.1.bin": ("outline", NOT_MAIL, "ContentInfo of type data, BER"), "3.2.bin": ("outline", NOT_MAIL, "ContentInfo of type data, DER"),
    "4.1.bin": ("verify", SHA1, "signed with DSA and SHA-1"), "4.2.bin": ("verify", SHA1, "signed with RSA and SHA-1, no attributes"),
    "4.3.bin": ("detached", SHA1, "detached, DSA and SHA-1"), "4.4.bin": ("verify", SHA1, "attributes, countersignature, CRL; DSA and SHA-1"),
    "4.5.bin": ("verify", SHA1, "all RSA, SHA-1"), "4.6.bin": ("verify", SHA1, "two signers, DSA and SHA-1"), "4.7.bin": ("verify", SHA1, "signer by SKI, DSA and SHA-1"),
    "4.8.eml": ("verify", SHA1, "multipart/signed, DSA and SHA-1"), "4.9.eml": ("verify", SHA1, "application/pkcs7-mime signed, DSA and SHA-1"),
    "4.10.bin": ("verify", SHA1, "every attribute of S/MIME, DSA and SHA-1"), "4.11.bin": ("outline", "signed by nobody", "certificates only"),
    "5.1.bin": ("decrypt", "with 3DES", "3DES, RSA v1.5"), "5.2.bin": ("decrypt", "with RC2", "RC2, RSA v1.5"), "5.3.eml": ("decrypt", "with 3DES", "application/pkcs7-mime enveloped, 3DES"),
    "6.0.bin": ("outline", NOT_MAIL, "digestedData"), "7.1.bin": ("outline", NOT_MAIL, "encryptedData"), "7.2.bin": ("outline", NOT_MAIL, "encryptedData with unprotected attributes"),
}


def text_of(name, report):
    """The RFC's text; None when it is missing, which is a failure."""
    path = os.path.join(os.environ.get("RFC_TEXTS") or "build/peers/rfc", name + ".txt")
    if os.path.exists(path):
        return open(path, encoding="utf-8", errors="replace").read()
    report.bad.append(f"{name}: NOT RUN, {path} is missing: make interop-deps, or put {name}.txt of the RFC Editor into a folder and give RFC_TEXTS=folder")
    return None


def judge(report, part, name, want, call):
    """want "": it must be good; else the words that the refusal has. The outcome for the table."""
    try:
        call()
        got = ""
    except Refused as e:
        got = str(e)
    if want == "" and got == "":
        return "good"
    if want and want in got:
        return f'refused: "{want}"'
    report.bad.append(f"{part} {name}: {got or 'good'}; wanted: {want or 'good'}")
    return "WRONG"


def extract(text):
    """Files that the appendix of RFC 4134 carries (its A.1: lines that begin with a bar)."""
    out, name = {}, None
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("|>"):
            name = line[2:].strip()
            out[name] = ""
        elif line.startswith("|<"):
            out[name], name = base64.b64decode(out[name]), None
        elif line.startswith("|") and not line.startswith("|*") and name:
            out[name] += line[1:]
    return out


def der_in(mail):
    """(signed octets or None, DER) of an example mail."""
    mail = crlf(mail)
    found = re.search(rb'boundary="?([^"\r\n;]+)', mail)
    content = None
    if found:
        parts = (b"\r\n" + mail).split(b"\r\n--" + found.group(1))
        content, mail = parts[1][2:], parts[2]
    return content, base64.b64decode(mail.split(b"\r\n\r\n", 1)[1])


def rfc4134(folder, table, report):
    text = text_of("rfc4134", report)
    if text is None:
        return
    os.makedirs(folder)
    files, rows = extract(text), []
    for name in ("BobRSASignByCarl.cer", "ExContent.bin"):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(files[name])
    key = os.path.join(folder, "bob.key")
    with open(key, "wb") as f:
        f.write(openssl("pkcs8", "-inform", "DER", "-nocrypt", data=files["BobPrivRSAEncrypt.pri"]))
    missing = set(RFC4134) - set(files)
    if missing:
        report.bad.append(f"rfc4134: {sorted(missing)} cannot be found in the text")
    for name in [n for n in RFC4134 if n in files]:
        how, want, what = RFC4134[name]
        content, der = der_in(files[name]) if name.endswith(".eml") else (None, files[name])
        words = {"cert": os.path.join(folder, "BobRSASignByCarl.cer"), "key": key} if how == "decrypt" else {}
        if how == "detached":
            how, content = "verify", files["ExContent.bin"]
        if content is not None:
            words["content"] = os.path.join(folder, "content")
            with open(words["content"], "wb") as f:
                f.write(content)
        rows.append((name, [what, judge(report, "rfc4134", name, want, lambda: cms(how, der, **words))]))
    table("RFC 4134, its messages", ["what it is", "verdict"], rows)


def cms_cli(*words, data=CONTENT):
    return run(["openssl", "cms", "-binary", "-outform", "DER", *words], data)[0]


def shapes(folder, table, report):
    """What RFC 4134 shows, with SHA-256, RSA 2048, P-256 and AES."""
    os.makedirs(folder)
    ca = Identity(folder, "ca", ca=True, cn="Shapes CA")
    alice, carl = (Identity(folder, n, f"email:{n}@partner.example", issuer=ca) for n in ("alice", "carl"))
    diane = Identity(folder, "diane", "email:diane@partner.example", "ec", issuer=ca)
    seal_only = Identity(folder, "sealonly", "email:s@partner.example", issuer=ca, usage="critical,keyEncipherment")
    bob = Identity(folder, "bob", "email:bob@hospital.example", issuer=ca)
    secret = ["-secretkey", "000102030405060708090a0b0c0d0e0f"]

    def sign(*who, extra=()):
        return cms_cli("-sign", "-nodetach", *[x for w in who for x in ("-signer", w.cert, "-inkey", w.key)], "-md", "sha256", *extra)

    def trusted(der):
        out, _ = cms("trust", der, anchor=ca.cert)
        if out != CONTENT:
            raise Refused("another content")

    def opened(der, who=bob):
        out, _ = cms("decrypt", der, cert=who.cert, key=who.key)
        if out != CONTENT:
            raise Refused("another content")

    def outlined(der):
        cms("outline", der)

    def seal(*words):
        return cms_cli("-encrypt", *words, bob.cert)

    rows = [
        ("3 ContentInfo of type data", outlined, cms_cli("-data_create"), NOT_MAIL),
        ("4.1 one signer", trusted, sign(alice), ""),
        ("4.2 no signed attributes", trusted, sign(alice, extra=["-noattr"]), ""),
        ("4.4 more certificates than are needed", trusted, sign(alice, extra=["-certfile", ca.cert, "-certfile", carl.cert]), ""),
        ("4.6 two signers, RSA and EC", trusted, sign(alice, diane), ""),
        ("4.6 two signers, one by a certificate that must not sign", trusted, sign(alice, seal_only), "digitalSignature is missing"),
        ("4.7 signer by SKI", trusted, sign(alice, extra=["-keyid"]), ""),
        ("4.10 receipt request among the attributes", trusted, sign(alice, extra=["-receipt_request_all", "-receipt_request_to", "alice@partner.example"]), ""),
        ("4.11 certificates only", outlined, run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", ca.cert, "-outform", "DER"])[0], "signed by nobody"),
        ("4.x SHA-1", trusted, cms_cli("-sign", "-nodetach", "-signer", alice.cert, "-inkey", alice.key, "-md", "sha1"), SHA1),
        ("4.x the signer's certificate left out", trusted, sign(alice, extra=["-nocerts"]), "certificate is not in the message"),
        ("5.1 AES instead of 3DES", opened, seal("-aes-128-cbc"), ""),
        ("5.1 3DES", opened, seal("-des3"), "with 3DES"),
        ("5.2 RC2", opened, seal("-provider", "legacy", "-provider", "default", "-rc2-cbc"), "with RC2"),
        ("5.x recipients by RSA, ECDH and a shared key", opened, cms_cli("-encrypt", "-aes-256-cbc", *secret, "-secretkeyid", "0102", "-recip", diane.cert, "-recip", bob.cert), ""),
        ("5.x the same, for the EC recipient", lambda d: opened(d, diane), cms_cli("-encrypt", "-aes-256-cbc", *secret, "-secretkeyid", "0102", "-recip", bob.cert, "-recip", diane.cert), ""),
        ("5.x a password beside the recipient", opened, cms_cli("-encrypt", "-aes-256-cbc", "-pwri_password", "secret", "-recip", bob.cert), ""),
        ("5.x for somebody else", opened, cms_cli("-encrypt", "-aes-256-cbc", "-recip", alice.cert), "no RecipientInfo names this certificate"),
        ("6 digestedData", outlined, cms_cli("-digest_create", "-md", "sha256"), NOT_MAIL),
        ("7 encryptedData", outlined, cms_cli("-EncryptedData_encrypt", "-aes-128-cbc", *secret), NOT_MAIL),
    ]
    table("The shapes of RFC 4134 with algorithms of today", ["verdict"], [(name, [judge(report, "shapes", name, want, lambda: how(der))]) for name, how, der, want in rows])


# ---- RFC 9216 ----

def pems(text):
    """(kind, PEM) of all certificates and PKCS#8 keys in a text, whatever their indentation."""
    for m in re.finditer(r"-----BEGIN (CERTIFICATE|PRIVATE KEY)-----(.*?)-----END \1-----", text, re.S):
        body = "\n".join(x.strip() for x in m.group(2).split("\n") if x.strip())
        yield m.group(1), f"-----BEGIN {m.group(1)}-----\n{body}\n-----END {m.group(1)}-----\n"


def read_9216(folder, text):
    """(certificates as (path, text of openssl, public key), public key -> path of the private one)"""
    certs, keys = [], {}
    for number, (kind, pem) in enumerate(pems(text)):
        path = os.path.join(folder, f"{number}.pem")
        with open(path, "w") as f:
            f.write(pem)
        if kind == "CERTIFICATE":
            certs.append((path, openssl("x509", "-in", path, "-noout", "-text").decode(), openssl("x509", "-in", path, "-noout", "-pubkey")))
        else:
            keys[openssl("pkey", "-in", path, "-pubout")] = path
    return certs, keys


def judge_9216(report, folder, cert, shown, key, roots, others):
    """What the certificate is for must work, what it is not for must be refused."""
    subject = re.search(r"Subject: .*CN = ([^\n]+)", shown).group(1)
    usage = re.search(r"X509v3 Key Usage: critical\s+([^\n]+)", shown).group(1)
    rsa = "rsaEncryption" in shown
    if rsa and "Digital Signature" in usage:
        what, want = "signs; its path leads to the RSA authority", ""
    elif rsa:
        what, want = "signs although its key usage says key encipherment alone", "digitalSignature is missing"
    elif "Digital Signature" in usage:
        what, want = "signs (Ed25519)", "neither RSA nor EC"
    else:
        what, want = "is encrypted to (X25519)", "neither RSA nor EC"

    def play():
        if not rsa and "Digital Signature" not in usage:
            cms("encrypt", CONTENT, rcpt=cert, cipher="aes-256-cbc", keys="ecdh")
            return
        cms("trust", cms("sign", CONTENT, cert=cert, key=key)[0], anchor=roots, chain=others)

    def seals():
        opened = cms("decrypt", cms("encrypt", CONTENT, rcpt=cert, cipher="aes-256-cbc", keys="v15")[0], cert=cert, key=key)[0]
        if opened != CONTENT:
            raise Refused("another content")
    rows = [(subject, [what, judge(report, "rfc9216", subject, want, play)])]
    if rsa and "Key Encipherment" in usage:
        rows.append((subject, ["is encrypted to, and opens", judge(report, "rfc9216", subject, "", seals)]))
    return rows


def rfc9216(folder, table, report):
    text = text_of("rfc9216", report)
    if text is None:
        return
    os.makedirs(folder)
    certs, keys = read_9216(folder, text)
    roots = [p for p, shown, _ in certs if re.search(r"Issuer: (.*)\n[^S]*(?:.*\n)*?\s+Subject: \1\n", shown)]
    leaves = [(p, shown, keys[pub]) for p, shown, pub in certs if pub in keys and "CA:TRUE" not in shown]
    rows = []
    for path, shown, key in leaves:
        rows += judge_9216(report, folder, path, shown, key, roots, [p for p, s, _ in certs if "CA:TRUE" in s])
    if len(leaves) < 4 or not roots:
        report.bad.append(f"rfc9216: {len(leaves)} certificates with keys and {len(roots)} authorities can be found in the text, that is too few")
    table("RFC 9216, its certificates and keys", ["what is done with it", "verdict"], rows)
