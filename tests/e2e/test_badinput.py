"""What comes in broken, forged or at the wrong time: exact words, nothing lost, nothing in the clear that should not be."""
import base64
import os
import re
import signal
import subprocess
import time

from gateway import BUILD, wait_for
from mail import Talk, message, quick, send, solo
from smime import Identity, crlf, entity, openssl, seal, with_header

US, THEM = "a@hospital.example", "b@partner.example"


def write(folder, name, octets):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(octets)
    return path


# ---- configuration ----

CONF = '''hostname = "gw.hospital.example"
listener "inside" {
  address = "127.0.0.1:1025"
  side = inside
  networks = {"127.0.0.0/8"}
}
listener "outside" {
  address = "127.0.0.1:1026"
  side = outside
}
domain "hospital.example" {
  inside-server = "127.0.0.1:1027"
}
'''
TOP = ('hostname = "gw.hospital.example"', 'hostname = "gw.hospital.example"\n')
# what is replaced, by what, the line that must be named (0: none), words that must stand in the sentence
MISTAKES = [
    ('hostname =', 'hostnam =', 1, ['setting "hostnam" is not known at the top level', 'allowed is hostname, authserv-id']),
    ('hostname = "gw.hospital.example"\n', '', 13, ['setting "hostname" is missing at the top level']),
    ('"gw.hospital.example"', '"gw hospital"', 1, ['setting "hostname" is "gw hospital"', 'allowed is a full host name such as gw.hospital.example']),
    ('hostname = "gw', 'hostname "gw', 1, ['missing equal sign', 'allowed is name = value']),
    ('"gw.hospital.example"', '"gw.hospital.example', 1, ['a quote is not closed']),
    ('side = outside', 'side = outsid', 9, ['setting "side" is "outsid"', 'allowed is inside or outside']),
    ('  side = inside\n', '', 5, ['setting "side" is missing in section "listener"', 'allowed is inside or outside']),
    ('side = inside\n', 'side = inside\n  side = outside\n', 5, ['setting "side" is given twice', 'allowed is once']),
    ('"127.0.0.1:1025"', '"localhost:1025"', 3, ['setting "address" is "localhost:1025"', 'allowed is a numeric address and port']),
    ('{"127.0.0.0/8"}', '{"127.0.0.0/33"}', 5, ['setting "networks" is "127.0.0.0/33"', 'allowed is an address or network such as 192.0.2.0/24']),
    ('  networks = {"127.0.0.0/8"}\n', '', 0, ['listener "inside": side = inside needs networks']),
    ('side = outside', 'side = outside\n  client-certificates = require', 0, ['listener "outside": client-certificates = require is for side = inside']),
    ('side = inside\n', 'side = inside\n  client-certificates = require\n', 0, ['listener "inside": client-certificates = require needs client-ca-file']),
    ('side = inside\n', 'side = inside\n  proxy-from = {"lb.example"}\n', 5, ['setting "proxy-from" is "lb.example"', 'allowed is an address or network']),
    ('"127.0.0.1:1027"', '"127.0.0.1:99999"', 12, ['setting "inside-server" is "127.0.0.1:99999"', 'a port from 1 to 65535']),
    ('  inside-server', '  sealed-unsigned = drop\n  inside-server', 12, ['setting "sealed-unsigned" is "drop"', 'allowed is deliver, mark or hold']),
    ('domain "hospital.example"', 'domain', 11, ["missing title for section 'domain'"]),
    ('domain "hospital.example"', 'domain "Hospital.example"', 0, ['domain "Hospital.example"', 'in lower case']),
    ('1027"\n}\n', '1027"\n', 11, ['a brace that opens here is not closed']),
    ('domain "hos', 'listener "inside" {\n address = "127.0.0.1:9"\n side = outside\n}\ndomain "hos', 11, ['the section "inside" is given twice']),
    ('domain "hospital.example" {\n  inside-server = "127.0.0.1:1027"\n}\n', '', 0, ['there is no domain section']),
    (TOP[0], TOP[1] + 'sealers = 65', 2, ['setting "sealers" is "65"', 'allowed is a number from 0 to 64']),
    (TOP[0], TOP[1] + 'sealers = many', 2, ['setting "sealers" is "many"', 'allowed is a number from 0 to 64']),
    (TOP[0], TOP[1] + 'header-max = 128q', 2, ['setting "header-max" is "128q"', 'allowed is a size in octets, or with k, M or G from 4k to 4M']),
    (TOP[0], TOP[1] + 'default-treatment = encrypt', 2, ['setting "default-treatment" is "encrypt"', 'allowed is clear, tls, sign or seal']),
    (TOP[0], TOP[1] + 'subject-mark = maybe', 2, ['setting "subject-mark" is "maybe"', 'allowed is yes or no']),
    (TOP[0], TOP[1] + 'users = "nobody"', 2, ['setting "users" is "nobody"', 'allowed is roles, same, or uid:N']),
    (TOP[0], TOP[1] + 'authserv-id = "a b;c"', 2, ['setting "authserv-id" is "a b;c"', 'allowed is']),
    (TOP[0], TOP[1] + 'postmaster = "nobody"', 2, ['setting "postmaster" is "nobody"', 'allowed is']),
    (TOP[0], TOP[1] + 'data-directory = relative/dir', 2, ['setting "data-directory" is "relative/dir"', 'allowed is']),
    (TOP[0], TOP[1] + 'include("/etc/passwd")', 2, ['setting "include" is not known']),
    (TOP[0], TOP[1] + 'queue {\n  retry-min = 5\n}', 3, ['setting "retry-min" is "5"', 'allowed is a time with its unit ms, s, m, h or d from 1s to 1d']),
    (TOP[0], TOP[1] + 'queue {\n}\nqueue {\n}', 5, ['section "queue" is given twice']),
    (TOP[0], TOP[1] + 'format {\n  hide = {"Subject", "Message-ID"}\n}', 3, ['setting "hide" is "Message-ID"', 'allowed is names of fields that tell of the content']),
    (TOP[0], TOP[1] + 'smtp-server { message-max = 1T }', 2, ['setting "message-max" is "1T"', 'from 64k to 4G']),
]


def check_conf(top, text):
    path = write(top, "postern.conf", text.encode())
    p = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-t", "-c", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    return path, p.returncode, p.stdout


@quick
def test_configuration(top):
    """Every mistake: not zero, one sentence with file, line and what is allowed; the good file and the shipped example are good."""
    path, code, out = check_conf(top, CONF)
    assert (code, out) == (0, f"{path} is good\n"), out
    wrong = []
    for old, new, line, words in MISTAKES:
        assert old in CONF
        path, code, out = check_conf(top, CONF.replace(old, new, 1))
        at = f"posternd: {path}:{line}: " if line else f"posternd: {path}: "
        if code != 78 or not out.startswith(at) or out.count("\n") != 1 or not all(w in out for w in words):
            wrong.append((new, code, out))
    assert not wrong, "\n".join(map(str, wrong))
    p = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-t", "-c", "/nonexistent.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert p.returncode == 78 and p.stdout == "posternd: /nonexistent.conf: cannot open: No such file or directory\n", p.stdout


# ---- certificates and keys ----

def refused(gw, wrong, words, *command):
    code, out, err = gw.postern(*command, check=False)
    if code == 0 or not err.startswith("postern: ") or err.count("\n") != 1 or not all(w in err for w in words):
        wrong.append((command, code, err))


def test_certificates(top):
    """Which, why, what to do: one sentence on standard error; and nothing of it is stored."""
    gw, _, _ = solo(top)
    theirs, ours = "DNS:partner.example", "DNS:hospital.example"
    good = Identity(top, "good", theirs)
    pem, der = open(good.cert, "rb").read(), openssl("x509", "-in", good.cert, "-outform", "DER")
    files = [
        ("/nonexistent.pem", ["/nonexistent.pem: cannot open: No such file or directory"]),
        (top, [top + ": cannot read: Is a directory"]),
        (write(top, "empty.pem", b""), ["empty.pem is empty"]),
        (write(top, "garbage.der", os.urandom(300)), ["garbage.der", "not a certificate that can be read"]),
        (write(top, "cut.pem", pem[:400]), ["cut.pem", "damaged or cut off"]),
        (write(top, "trailing.der", der + b"xx"), ["trailing.der", "octets follow behind its end"]),
        (good.key, ["good.key", "there is a private key in this file", "give a file with the certificate alone"]),
        (Identity(top, "expired", theirs, days=-1).cert, ["certificate CN=expired, serial ", "ran out on 20", "ask the partner for its present one"]),
        (Identity(top, "tls", theirs, eku="serverAuth").cert, ["certificate CN=tls, serial ", "is not for mail: its extended key usage lacks emailProtection", "ask the partner for its S/MIME certificate"]),
        (Identity(top, "crl", theirs, usage="cRLSign").cert, ["certificate CN=crl, serial ", "its key usage allows neither signing nor encrypting"]),
        (Identity(top, "weak", theirs, kind="rsa1024").cert, ["certificate CN=weak, serial ", "its RSA key has 1024 bits, less than 2048", "ask the partner for a stronger one"]),
        (Identity(top, "sha1", theirs, md="sha1").cert, ["certificate CN=sha1, serial ", "it is signed with SHA1", "ask the partner for a stronger one"]),
        (Identity(top, "curve", theirs, kind="secp256k1").cert, ["certificate CN=curve, serial ", "is of a kind not used here"]),
        (Identity(top, "ca", ca=True).cert, ["certificate CN=ca, serial ", "belongs to a certification authority", 'use "postern anchor add"']),
        (Identity(top, "other", "DNS:elsewhere.example").cert, ["certificate CN=other, serial ", "does not name partner.example", "dns:elsewhere.example", "is it the right partner's?"]),
    ]
    wrong = []
    for path, words in files:
        refused(gw, wrong, words, "cert", "import", path, "--for", "partner.example", "--pin", "--yes")
    refused(gw, wrong, ["hospital.example"], "cert", "import", good.cert, "--for", "hospital.example", "--yes", "--pin", "--force")
    assert gw.cli("cert", "list")["certificates"] == []
    before = gw.cli("domain", "list")
    mine = Identity(top, "mine", ours)
    openssl("pkcs12", "-export", "-nokeys", "-in", mine.cert, "-out", top + "/nokey.p12", "-passout", "pass:")
    openssl("pkcs12", "-export", "-nocerts", "-inkey", mine.key, "-out", top + "/nocert.p12", "-passout", "pass:")
    pairs = [
        ("/nonexistent.p12", ["/nonexistent.p12: cannot open"], []),
        (write(top, "garbage.p12", os.urandom(300)), ["garbage.p12: it is not a PKCS#12 file"], []),
        (mine.pkcs12(top + "/password.p12", "right"), ["password.p12: the password is wrong, or the file was changed"], ["--password-file", write(top, "password", b"wrong\n")]),
        (top + "/nokey.p12", ["nokey.p12: it holds no private key: export certificate and private key together"], []),
        (top + "/nocert.p12", ["nocert.p12: it holds no certificate that belongs to its key"], []),
        (Identity(top, "old", ours, days=-1).pkcs12(top + "/old.p12"), ["certificate CN=old, serial ", "it ran out on 20", "have it renewed"], []),
        (Identity(top, "web", ours, eku="serverAuth").pkcs12(top + "/web.p12"), ["CN=web", "neither for signing nor for encrypting mail"], []),
        (Identity(top, "small", ours, kind="rsa1024").pkcs12(top + "/small.p12"), ["certificate CN=small, serial ", "its RSA key has 1024 bits, less than 2048"], []),
        (top + "/small.p12", ["1024 bits", "the keeper takes RSA with 2048, 3072 or 4096 bits and EC on P-256, P-384 or P-521"], ["--force"]),
        (Identity(top, "else", theirs).pkcs12(top + "/else.p12"), ["certificate CN=else, serial ", "it does not name the domain nor an address in it"], []),
        (Identity(top, "signer", ours, usage="digitalSignature").pkcs12(top + "/signer.p12"), ["certificate CN=signer, serial ", "cannot be used for encrypting mail to us", "have one issued for this purpose"], ["--use", "decrypt"]),
    ]
    for path, words, more in pairs:
        refused(gw, wrong, words, "domain", "add", "hospital.example", "--pkcs12", path, *more)
    refused(gw, wrong, ["elsewhere.example is not one of our domains", "into postern.conf and reload first"], "domain", "add", "elsewhere.example", "--self-signed")
    assert not wrong, "\n".join(map(str, wrong))
    assert gw.cli("domain", "list") == before
    # and the good ones are taken
    gw.postern("cert", "import", good.cert, "--for", "partner.example", "--pin", "--yes")
    gw.postern("domain", "add", "hospital.example", "--pkcs12", top + "/password.p12", "--password-file", write(top, "password", b"right\n"))


# ---- messages broken outside ----

def plain(subject, body, kind="text/plain"):
    return with_header(f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n".encode() + body, THEM, US, subject)


def test_broken_outside(top):
    """The exact SMTP reply for each; nothing is delivered and the next message in the same session is fine."""
    gw, inside, outside = solo(top, sections="smtp-server {\n  message-max = 256k\n}")
    us = os.path.join(gw.dir, "decrypt.pem")
    them = Identity(top, "them", "DNS:partner.example")
    signed = them.sign(entity("signed\r\n"))
    detached = them.sign(entity("detached\r\n"), detached=True)
    head, body = seal(us, signed).split(b"\r\n\r\n", 1)
    head += b"\r\n\r\n"
    deep = signed
    for _ in range(5):
        deep = them.sign(deep)
    der = base64.b64decode(body)
    b64 = lambda o: base64.encodebytes(o).replace(b"\n", b"\r\n")
    cases = {
        "no field": (b"From: b@partner.example\r\nthis is no field\r\n\r\nx\r\n", 554, "5.6.0 The header of the message or of a part is malformed: a line is neither a field nor the continuation of one."),
        "blank before colon": (b"Authentication-Results : gw.hospital.example; smime=pass\r\n" + plain("blank", b"x\r\n"), 554,
                               "5.6.0 The header of the message or of a part is malformed: a field name has a blank or another forbidden character in it."),
        "long line": (plain("long", b"x" * 70000 + b"\r\n"), 554, "5.6.0 A line of the message is longer than the 65536 octets accepted here."),
        "long header": (b"".join(b"X-%d: %s\r\n" % (i, b"x" * 900) for i in range(160)) + b"\r\nx\r\n", 554, "5.6.0 The header of the message or of a part is longer than 131072 octets."),
        "too large": (plain("big", (b"y" * 70 + b"\r\n") * 5000), 552, "5.3.4 The message is larger than the 262144 octets accepted here."),
        "cut base64": (with_header(head + body[:601], THEM, US, "cut"), 554, "5.6.0 The base64 body ends inside a group of four characters: the message was cut off."),
        "garbage base64": (with_header(head + b"!no base64\r\n", THEM, US, "garbage"), 554, "5.6.0 The base64 body contains the octet 0x21, which is not part of base64: the message is damaged."),
        "empty": (with_header(head, THEM, US, "empty"), 554, "5.6.0 The CMS structure is malformed: octet 0: nothing there."),
        "cut structure": (with_header(head + b64(der[:len(der) // 2]), THEM, US, "half"), 554, "5.6.0 The CMS structure is malformed: octet "),
        "no structure": (with_header(head + b64(b"\x30\x80" + b"\xff" * 90), THEM, US, "random"), 554, "5.6.0 The CMS structure is malformed: octet "),
        "more behind": (with_header(head + b64(der + b"\x05\x00"), THEM, US, "behind"), 554, "5.6.0 The CMS structure is malformed: octet "),
        "3DES": (with_header(seal(us, signed, "-des3"), THEM, US, "3des"), 554, "5.7.7 The message is encrypted with 3DES, which is not accepted: the sender must use AES."),
        "Camellia": (with_header(seal(us, signed, "-camellia128"), THEM, US, "camellia"), 554, "5.7.7 The message is encrypted with camellia-128-cbc, which is not accepted: the sender must use AES."),
        "not for us": (with_header(seal(them.cert, signed), THEM, US, "foreign"), 550,
                       "5.7.5 the message is encrypted, but for none of the certificates of hospital.example: fetch our present certificate and send again"),
        "six layers": (with_header(deep, THEM, US, "deep"), 554, "5.6.0 more than 5 S/MIME layers around each other"),
    }
    wrong = []
    for name, (data, code, text) in cases.items():
        got = send(gw.outside, THEM, US, data)
        if got[0] != code or not (got[1] == text or text.endswith("octet ") and got[1].startswith(text)):
            wrong.append((name, got))
    assert not wrong, wrong
    assert gw.queue() == [] and inside.mails == [] and outside.mails == []
    # what can be read without its signature is delivered, and said to have lost it
    for name, data, why in (("three", re.sub(rb"\r\n(------[0-9A-F]+)\r\n(?=Content-Type: application/)", rb"\r\n\1\r\n\r\nmore\r\n\1\r\n", detached), "a multipart/signed must have exactly two parts"),
                            ("open", detached.rsplit(b"\r\n------", 1)[0] + b"\r\n", "a multipart is not closed by its boundary")):
        assert send(gw.outside, THEM, US, with_header(data, THEM, US, name))[0] == 250
        mail = inside.by_subject(name)
        assert mail.field("X-Postern-Verdict") == "broken" and why in mail.field("X-Postern-Reason"), mail.data[:3000]
    # announced too large: refused at MAIL
    t = Talk(gw.outside)
    assert "250-SIZE 262144" in t.ask("EHLO client.test")
    assert t.ask(f"MAIL FROM:<{THEM}> SIZE=262145") == "552 5.3.4 The message is larger than the 262144 octets accepted here."
    # refused, and the same session goes on
    t.ask(f"MAIL FROM:<{THEM}>")
    t.ask(f"RCPT TO:<{US}>")
    t.ask("DATA")
    assert t.ask(with_header(head, THEM, US, "empty") + b".\r\n").startswith("554 5.6.0")
    t.ask(f"MAIL FROM:<{THEM}>")
    t.ask(f"RCPT TO:<{US}>")
    t.ask("DATA")
    assert t.ask(plain("afterwards", b"fine\r\n") + b".\r\n").startswith("250 2.0.0")
    t.close()
    assert inside.by_subject("afterwards").body == b"fine\r\n"


def smuggle(port, octets, sender, rcpt):
    """All at once, as a smuggler does; every reply until the server has answered QUIT."""
    t = Talk(port)
    replies = [t.ask("EHLO client.test"), t.ask(f"MAIL FROM:<{sender}>"), t.ask(f"RCPT TO:<{rcpt}>"), t.ask("DATA")]
    assert replies[-1].startswith("354"), replies
    t.say(octets + b"\r\n.\r\nQUIT\r\n")
    out = []
    while True:
        r = t.reply()
        if r is None:
            break
        out.append(r)
    t.close()
    return out


@quick
def test_smuggling(top):
    """A second message hidden behind an end of data that only others see: refused in whole, both listeners, no part of it delivered or interpreted."""
    gw, inside, outside = solo(top)
    hidden = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<a@hospital.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil"
    head = b"From: b@partner.example\r\nSubject: carrier\r\n\r\ntext"
    text = "550 5.5.2 The message has a CR or LF that is not part of a CRLF; every line must end with CRLF (RFC 5321 2.3.8)."
    for port, sender, rcpt in ((gw.outside, THEM, US), (gw.inside, US, THEM)):
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\n\n.\r\n", b"\r\n\n.\r\n"):
            got = smuggle(port, head + end + hidden, sender, rcpt)
            if end in (b"\r\n\n.\r\n", b"\n\n.\r\n", b"\n.\r\n", b"\r.\r\n"):  # whatever stood before it: the server may see one message only
                assert got[0] == text, (end, got)
            assert got == [text, got[-1]] and got[-1].startswith("221"), (end, got)
        for bad in (b"\r\n\0.\r\n", b"\r\n\0\0.\0\r\n"):  # ends the mail where NUL is taken out
            got = smuggle(port, head + bad + hidden, sender, rcpt)
            assert got == ["550 5.6.0 The message has a line of NUL octets and a dot, which another server may take for its end; send that part encoded (base64).", got[-1]] and got[-1].startswith("221"), (bad, got)
        for bad in (b"\0.\r\n", b"\r\n.\0\r\n", b"\r\n\0\r\n", b"\r\n.\x0b\r\n", b"\r\n. \r\n", b"\r\n.\x85\r\n"):  # no bare CR or LF: text, whole and one
            got = smuggle(port, head + bad + hidden, sender, rcpt)
            assert len(got) == 2 and got[1].startswith("221"), (bad, got)
    # commands: nothing but CRLF ends one
    t = Talk(gw.outside)
    for got in (t.ask(b"EHLO client.test\nMAIL FROM:<x@y.example>\r\n"), t.reply()):  # neither half is taken for a command
        assert got.startswith("500 5.5.2 an LF without CR"), got
    assert t.ask(b"NOOP\rMAIL FROM:<x@y.example>\r\n").startswith("500 5.5.2 a CR without LF")
    assert t.ask(b"NOOP\r\r\n").startswith("500 5.5.2 a CR without LF")
    assert t.ask(b"NOO\0P\r\n").startswith("500 5.5.2 a NUL")
    assert t.ask("RCPT TO:<a@hospital.example>").startswith("503")
    t.close()
    for sink in (inside, outside):
        assert all(m.field("Subject") == "carrier" and m.sender in (US, THEM) for m in sink.mails), [m.data for m in sink.mails]


def test_open_relay(top):
    """From outside only to our domains, whatever the address is dressed up as; what is accepted goes to the inside server alone."""
    gw, inside, outside = solo(top)
    routes = ["<x%other.example@hospital.example>", "<other.example!x@hospital.example>", '<"x@other.example"@hospital.example>', '<"x@other.example\\ "@hospital.example>']
    never = ["<x@other.example>", "<x@sub.hospital.example>", "<x@hospital.example.other.example>", "<x@nothospital.example>", "<x@[127.0.0.1]>", "<x@127.0.0.1>",
             "<@hospital.example:x@other.example>", "<@hospital.example,@other.example:x@other.example>", "<x@other.example@hospital.example>", "<x@hospital.example@other.example>",
             "<x@hospital.example,y@other.example>", "<x@hospital.example>,<y@other.example>", "<x@hospital.example> <y@other.example>", "<x>", "<>", "x@hospital.example",
             "<x@other.example> ORCPT=rfc822;x@hospital.example", "<x@hospital.example\t>", "<x@hospital.example", "<x@hospital.example>>", *routes]
    ours = ["<x@HOSPITAL.Example>", '<"x y"@hospital.example>', "<postmaster>"]
    t = Talk(gw.outside)
    for sender in ("<>", "<x@hospital.example>", "<x@other.example>"):
        t.ask("EHLO client.test")
        assert t.ask("MAIL FROM:" + sender).startswith("250")
        for i, r in enumerate(never):
            if i % 5 == 4:  # errors count: a fresh session before 421
                t.close()
                t = Talk(gw.outside)
                t.ask("EHLO gw.hospital.example")
                t.ask("MAIL FROM:" + sender)
            got = t.ask("RCPT TO:" + r)
            assert re.match(r"5\d\d 5\.", got), (sender, r, got)
        t.close()
        t = Talk(gw.outside)
        t.ask("EHLO client.test")
        t.ask("MAIL FROM:" + sender)
        assert t.ask("RCPT TO:<x@other.example>") == "550 5.7.1 relaying denied: <x@other.example> is not of a domain served here"
        assert t.ask("DATA") == "554 5.5.1 No recipient was accepted."
        t.ask("RSET")
    t.ask("MAIL FROM:<x@other.example>")
    for r in ours:
        got = t.ask("RCPT TO:" + r)
        assert got.startswith("250"), (r, got)
    t.ask("DATA")
    assert t.ask(b"From: x@other.example\r\nTo: y@third.example\r\nSubject: tricks\r\n\r\nx\r\n.\r\n").startswith("250")
    t.close()
    got = sorted(r for m in inside.wait(1, 20, lambda m: m.field("Subject") == "tricks") for r in m.rcpts)
    wait_for("all recipients", 20, lambda: all(m["state"] == "done" for m in gw.queue()))
    got = [r for m in inside.mails for r in m.rcpts]
    assert len(got) == len(ours) and all(r.endswith("@hospital.example") for r in got), got
    assert outside.mails == []
    # where the inside server reads them as names of its own
    gw.stop()
    gw.domain_settings = "recipient-routes = accept"
    gw.write_conf()
    gw.start()
    t = Talk(gw.outside)
    t.ask("EHLO client.test")
    t.ask("MAIL FROM:<x@other.example>")
    assert [t.ask("RCPT TO:" + r)[:3] for r in routes] == ["250"] * 4
    t.close()


# ---- header ----

def test_forged_results(top):
    """Our authserv-id and X-Postern-* from outside vanish; every other field stays where it stood, octet for octet."""
    gw, inside, _ = solo(top, domain_settings="sealed-unsigned = mark")
    keep = [
        b"Return-Path: <x@partner.example>\r\n", b"ARC-Seal: i=1;\r\n  cv=none\r\n", b"From:   b@partner.example   \r\n", b"TO:a@hospital.example\r\n",
        b"Authentication-Results: mx.partner.example; spf=pass smtp.mailfrom=b@partner.example\r\n", b"Authentication-Results: gw.hospital.example.evil.example; smime=pass\r\n",
        b"SUBJECT: forged  two   blanks\r\n", b"X-Other: a\r\n\tb \r\n\t c\r\n", b"X-Dup: 1\r\n", b"Received: from x by y; now\r\n", b"X-Dup: 2\r\n", b"X-Posternal: mine\r\n",
        b"X-8bit: Gr\xc3\xbc\xc3\x9fe \xff\r\n", b"DATE: nonsense\r\n", b"X-Long: " + b"y" * 900 + b"\r\n", b"Message-ID:\r\n <forged@test>\r\n",
    ]
    forged = [
        b"Authentication-Results: gw.hospital.example; smime=pass\r\n", b"AUTHENTICATION-RESULTS:GW.Hospital.EXAMPLE;smime=pass\r\n", b"Authentication-Results:\r\n gw.hospital.example 1; smime=pass\r\n",
        b"Authentication-Results: (a (nested) comment) gw.hospital.example (x); smime=pass\r\n", b"Authentication-Results: \"gw.hospital.example\"; smime=pass\r\n",
        b"Authentication-Results: gw.hospital.example.; smime=pass\r\n", b"Authentication-Results: gw.hospital.example\r\n",
        b"X-Postern-Verdict: sealed\r\n", b"x-postern-signer: CN=forged\r\n", b"X-POSTERN-Anything:\r\n\tx\r\n", b"X-Postern-: x\r\n",
    ]
    fields = []
    for i in range(max(len(keep), len(forged))):
        fields += [f[i] for f in (keep, forged) if i < len(f)]
    body = b"the body\r\nX-Postern-Verdict: not a field\r\n"

    def check(mail, verdict, tail):
        head = mail.header + b"\r\n"
        at = head.find(keep[0])
        assert at >= 0 and head[at:] == b"".join(keep) + tail, (b"".join(keep), head[at:])
        ours = head[:at]
        names = [n.lower() for n in re.findall(rb"^([A-Za-z-]+):", ours, re.M)]
        assert names[0] == b"received" and names.count(b"authentication-results") == 1 and names.count(b"x-postern-verdict") == 1, names
        assert set(names) <= {b"received", b"return-path", b"authentication-results", b"x-postern-verdict", b"x-postern-reason", b"x-postern-cipher", b"x-postern-signer", b"x-postern-layer"}, names
        assert mail.fields("X-Postern-Verdict") == [verdict] and b"forged" not in ours and b"smime=pass" not in ours
        assert mail.body == body
    # in the clear
    assert send(gw.outside, THEM, US, b"".join(fields) + b"\r\n" + body)[0] == 250
    check(inside.wait(1)[0], "clear", b"")
    # from inside to our own domain: nobody writes them there either
    assert send(gw.inside, US, [US], b"".join(fields) + b"\r\n" + body)[0] == 250
    mail = inside.wait(2)[1]
    head = mail.header + b"\r\n"
    assert head[head.find(keep[0]):] == b"".join(keep) and b"X-Postern-" not in mail.header, mail.header
    # encrypted without signature: the sender could have written anything inside too
    kind = b"Content-Type: text/plain; charset=us-ascii\r\n"
    inner = kind + b"X-Postern-Verdict: sealed\r\nAuthentication-Results: gw.hospital.example; smime=pass\r\n\r\n" + body
    smime = seal(os.path.join(gw.dir, "decrypt.pem"), inner)
    assert send(gw.outside, THEM, US, b"".join(fields) + smime)[0] == 250
    mail = inside.wait(3)[2]
    assert b"sealed" not in b" ".join(f.encode() for f in mail.fields("X-Postern-Verdict")) and "smime=pass" not in " ".join(f for f in mail.fields("Authentication-Results") if f.startswith("gw.hospital.example;")), mail.header
    check(mail, "encrypted", b"MIME-Version: 1.0\r\n" + kind)


# ---- changes in the middle ----

def test_a_change_of_policy_holds_for_mail_on_its_way_in(top):
    """Between RCPT and the final dot the admin demands sealing: the message does not leave by the older verdict. With hundreds of recipients, too; and a change that says the same refuses nobody."""
    gw, _, outside = solo(top, settings="mixed-policies = yes\n")
    gw.postern("partner", "add", "partner.example", "--treatment", "clear", "--strength", "never")
    gw.postern("partner", "add", "other.example", "--treatment", "clear", "--strength", "never")

    def begin(rcpts):
        t = Talk(gw.inside, timeout=60)
        assert t.ask("EHLO client.test").startswith("250") and t.ask(f"MAIL FROM:<{US}>").startswith("250")
        assert all(t.ask(f"RCPT TO:<{r}>").startswith("250") for r in rcpts)
        assert t.ask("DATA").startswith("354")
        return t
    many = [f"r{n}@partner.example" for n in range(500)]
    strict, same = [begin([THEM]), begin(many), begin(["x@other.example", US, THEM])], begin(["x@other.example"])
    gw.postern("partner", "add", "partner.example", "--treatment", "seal", "--strength", "require")
    gw.wait_log(r"audit head id=\d+", 10)
    for t in strict:
        answer = t.ask("Subject: changed\r\n\r\nsecret\r\n.")
        assert answer.startswith("550 5.7.1") and "must be encrypted" in answer, answer
        t.close()
    assert same.ask("Subject: same\r\n\r\nhello\r\n.").startswith("250")
    same.close()
    outside.by_subject("same")
    assert len(outside.mails) == 1


# ---- unsigned, untrusted, broken ----

def test_three_actions(top):
    """deliver, mark and hold for each kind, per domain; held mail is shown with its reason, released it comes marked, deleted it is gone."""
    domains = {"deliver": "hospital.example", "mark": "mark.example", "hold": "hold.example"}
    gw, inside, _ = solo(top, start=False)
    lines = "  unsigned = {0}\n  untrusted = {0}\n  broken = {0}\n  sealed-unsigned = {0}\n"
    gw.settings, gw.domain_settings = "subject-mark = yes\nforeign-encrypted = deliver", lines.format("deliver")
    gw.sections = "".join(f'domain "{domains[a]}" {{\n  inside-server = "{inside.address}"\n{lines.format(a)}}}\n' for a in ("mark", "hold"))
    gw.write_conf()
    gw.start()
    gw.make_identity()
    us = os.path.join(gw.dir, "decrypt.pem")
    them = Identity(top, "them", "DNS:partner.example")
    text = entity("content\r\n")
    kinds = {
        "plain unsigned": (b"MIME-Version: 1.0\r\n" + text, "clear", "neither signed nor encrypted"),
        "plain untrusted": (them.sign(text), "untrusted", "self-signed and neither pinned nor an anchor"),
        "plain broken": (them.sign(text, detached=True).replace(b"content\r\n", b"Content\r\n"), "broken", "the content was changed after it was signed"),
        "sealed unsigned": (seal(us, text), "encrypted", "encrypted, but not signed"),
        "sealed untrusted": (seal(us, them.sign(text)), "untrusted", "self-signed and neither pinned nor an anchor"),
        "sealed broken": (seal(us, them.sign(text, detached=True).replace(b"content\r\n", b"Content\r\n")), "broken", "the content was changed after it was signed"),
    }
    foreign = seal(them.cert, text)
    assert send(gw.outside, THEM, US, with_header(foreign, THEM, US, "not for us"))[0] == 250
    for action, domain in domains.items():
        for kind, (smime, _, _) in kinds.items():
            got = send(gw.outside, THEM, "a@" + domain, with_header(smime, THEM, "a@" + domain, f"{kind} {action}"))
            assert got[0] == 250, (action, kind, got)

    def look(mail, kind, subject):
        _, verdict, why = kinds[kind]
        assert mail.field("Subject") == subject, mail.header
        assert mail.field("X-Postern-Verdict") == verdict and why in mail.field("X-Postern-Reason"), mail.header
        assert mail.body.lower().find(b"content\r\n") >= 0
    for kind in kinds:
        look(inside.by_subject(kind + " deliver"), kind, kind + " deliver")
        look(inside.by_subject(kind + " mark"), kind, f"[not verified] {kind} mark")
    mail = inside.by_subject("not for us")  # as it came, and never as if it had been opened
    assert mail.body == foreign.split(b"\r\n\r\n", 1)[1] and mail.field("Subject") == "[not verified] not for us", mail.header
    assert mail.field("X-Postern-Verdict") == "broken" and "smime=permerror" in mail.field("Authentication-Results") and "somebody else's certificate" in mail.field("X-Postern-Reason"), mail.header
    held = wait_for("six held messages", 20, lambda: (lambda h: h if len(h) == len(kinds) else None)(gw.queue(state="held")))
    by_kind = {m["message_id"].strip("<>").split("@")[0].replace(".", " ")[:-len(" hold")]: m for m in held}
    assert set(by_kind) == set(kinds), by_kind
    for kind, m in by_kind.items():
        show = gw.cli("queue", "show", m["id"])
        assert show["state"] == "held" and kinds[kind][2] in show["recipients"][0]["reason"], show
        text_show = " ".join(gw.postern("queue", "show", m["id"])[1].split())
        assert "State: held" in text_show and kinds[kind][2] in text_show, text_show
    assert not [m for m in inside.mails if "hold" in m.field("Subject")]
    for kind in ("plain unsigned", "plain untrusted", "plain broken", "sealed unsigned", "sealed untrusted"):
        gw.postern("queue", "release", by_kind[kind]["id"])
        look(inside.by_subject(kind + " hold"), kind, f"[not verified] {kind} hold")
    gw.postern("queue", "delete", by_kind["sealed broken"]["id"])
    code, _, err = gw.postern("queue", "release", by_kind["sealed broken"]["id"], check=False)
    assert code != 0 and "nothing was changed" in err, err
    wait_for("nothing held", 10, lambda: gw.queue(state="held") == [])
    states = {m["message_id"]: r["outcome"] for m in gw.queue() for r in m["recipients"] if "hold" in m["message_id"]}
    assert states["<sealed.broken.hold@test>"] == "deleted", states
    assert not [m for m in inside.mails if m.field("Subject").endswith("sealed broken hold")]


# ---- what was sealed stays sealed ----

def pinned(top, gw, domain="partner.example", strength="prefer"):
    them = Identity(top, domain, "DNS:" + domain)
    gw.postern("partner", "add", domain, "--strength", strength)
    gw.postern("cert", "import", them.cert, "--for", domain, "--pin", "--yes")
    return them


def fingerprint(identity):
    return openssl("x509", "-in", identity.cert, "-noout", "-fingerprint", "-sha256").decode().strip().split("=")[1].replace(":", "").lower()


def test_reply_to_sealed(top):
    """A reply to what was sealed, sent or received, goes sealed or not at all, to anybody, also under `prefer`."""
    gw, inside, outside = solo(top)
    them = pinned(top, gw)
    assert send(gw.inside, US, THEM, message(US, THEM, "went sealed"))[0] == 250
    outside.by_subject("went sealed")
    smime = seal(os.path.join(gw.dir, "decrypt.pem"), them.sign(entity("secret\r\n")))
    assert send(gw.outside, THEM, US, with_header(smime, THEM, US, "came sealed"))[0] == 250
    assert inside.by_subject("came sealed").field("X-Postern-Verdict") == "sealed"
    assert send(gw.outside, "c@third.example", US, message("c@third.example", US, "came clear"))[0] == 250
    inside.by_subject("came clear")
    other = "c@third.example"
    for i, extra in enumerate(("In-Reply-To: <went.sealed@test>\r\n", "In-Reply-To: <came.sealed@test>\r\n", "References: <x@y>\r\n <came.sealed@test>\r\n", "in-reply-to: (c) <came.sealed@test>\r\n")):
        code, text = send(gw.inside, US, other, message(US, other, f"reply {i}", extra=extra))
        assert code == 550 and text.startswith("5.7.1 third.example: this is a reply to sealed mail and must be encrypted"), (extra, code, text)
    for subject, extra in (("fresh", ""), ("reply to clear", "In-Reply-To: <came.clear@test>\r\n")):
        assert send(gw.inside, US, other, message(US, other, subject, extra=extra))[0] == 250
        assert outside.by_subject(subject).field("Content-Type") is None
    # with a certificate the same reply goes, sealed
    third = pinned(top, gw, "third.example")
    assert send(gw.inside, US, other, message(US, other, "reply now", extra="In-Reply-To: <came.sealed@test>\r\n"))[0] == 250
    assert third.open(outside.by_subject("reply now").data) is not None
    assert not [m for m in outside.mails if m.field("Subject") in ("reply 0", "reply 1", "reply 2", "reply 3")]


def test_seen_protected(top):
    """P9: a partner that got sealed mail once does not get clear mail when its certificate is gone; also after a restart; `partner release` ends that."""
    gw, _, outside = solo(top)
    them = pinned(top, gw)

    def attempt(subject):
        return send(gw.inside, US, THEM, message(US, THEM, subject, "the secret\r\n"))
    assert attempt("sealed")[0] == 250
    outside.by_subject("sealed")
    gw.postern("cert", "remove", "partner.example", fingerprint(them))
    code, text = attempt("without certificate")
    assert code == 550 and text.startswith("5.7.1 partner.example: ") and "protected before" in text and 'postern partner release partner.example' in text, text
    gw.postern("partner", "remove", "partner.example")
    code, text = attempt("no entry left")
    assert code == 550 and "protected before" in text, (code, text)
    gw.postern("partner", "add", "partner.example", "--treatment", "clear")
    assert attempt("clear by entry")[0] == 550
    gw.postern("partner", "add", "partner.example", "--treatment", "seal", "--strength", "prefer")
    assert "protected before" in " ".join(gw.postern("explain", US, THEM)[1].split())
    gw.postern("partner", "release", "partner.example")
    assert attempt("released")[0] == 250
    assert outside.by_subject("released").body == b"the secret\r\n"
    # sealed again: protected again, and it stays so over a restart
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    assert attempt("sealed again")[0] == 250
    outside.by_subject("sealed again")
    gw.postern("cert", "remove", "partner.example", fingerprint(them))
    assert attempt("protected again")[0] == 550
    gw.stop()
    gw.start()
    assert attempt("after restart")[0] == 550
    assert [m.field("Subject") for m in outside.mails] == ["sealed", "released", "sealed again"]


# ---- the queue in the admin's hands, and bounces ----

def test_hold_and_bounce(top):
    """`queue hold` on mail that waits; retry leaves it, release sends it. 550 from the next hop: a DSN with the header alone to the inside sender, nothing outside."""
    gw, inside, outside = solo(top, domain_settings="recipients = any")  # the inside server refuses later
    them = pinned(top, gw)
    outside.refuse[THEM] = "451 4.2.0 come back later"
    assert send(gw.inside, US, THEM, message(US, THEM, "waits"))[0] == 250
    m = wait_for("the first attempt", 20, lambda: [m for m in gw.queue(state="queued") if m["recipients"][0]["attempts"] >= 1])[0]
    assert "come back later" in m["recipients"][0]["reason"], m
    gw.postern("queue", "hold", m["id"], "--reason", "asked by the sender")
    assert [x["id"] for x in gw.queue(state="held")] == [m["id"]]
    assert "asked by the sender" in gw.postern("queue", "show", m["id"])[1]
    del outside.refuse[THEM]
    code, _, err = gw.postern("queue", "retry", m["id"], check=False)
    assert code != 0 and "nothing was changed" in err, err
    assert outside.mails == []
    gw.postern("queue", "release", m["id"])
    assert them.open(outside.by_subject("waits").data) is not None
    outside.refuse[THEM] = "550 5.1.1 no such user here"
    for to, subject in ((THEM, "sealed bounce"), ("c@third.example", "clear bounce")):
        outside.refuse[to] = "550 5.1.1 no such user here"
        assert send(gw.inside, US, to, message(US, to, subject, "the secret content\r\n"))[0] == 250
        dsn = inside.wait(1, 30, lambda m: subject.encode() in m.data)[0]
        assert dsn.sender == "" and dsn.rcpts == [US] and dsn.field("Content-Type").startswith("multipart/report"), dsn.data
        for words in (b"Action: failed", b"Status: 5.1.1", to.encode(), b"no such user here", b"Subject: " + subject.encode()):
            assert words in dsn.data, (words, dsn.data)
        for words in (b"the secret content", base64.b64encode(b"the secret content")[:20], b"BEGIN PKCS7", b"MIA"):
            assert words not in dsn.data, (words, dsn.data)
        assert b"text/rfc822-headers" in dsn.data, dsn.data
    # a bounce of mail that came with the empty sender goes nowhere
    assert send(gw.inside, "", "c@third.example", message(US, "c@third.example", "no bounce"))[0] == 250
    wait_for("its end", 20, lambda: [m for m in gw.queue(match="third.example") if m["message_id"] == "<no.bounce@test>" and m["state"] == "done"])
    # the inside server refuses mail from outside: held, nobody outside is told
    inside.refuse[US] = "550 5.1.1 no such user inside"
    assert send(gw.outside, "x@world.example", US, message("x@world.example", US, "refused inside"))[0] == 250
    held = wait_for("held mail", 20, lambda: gw.queue(state="held"))
    assert "no such user inside" in held[0]["recipients"][0]["reason"], held
    assert [m.field("Subject") for m in outside.mails] == ["waits"] and len(inside.mails) == 2


# ---- parts of the house away ----

def test_judge_killed(top):
    """No judge: 451 for what it was asked, nothing lost, and it works again by itself."""
    gw, _, outside = solo(top)
    them = pinned(top, gw, strength="require")
    for how in ("waiting", "gone"):
        judge = gw.roles()["judge"][0]
        if how == "waiting":  # a question under way when it dies
            os.kill(judge, signal.SIGSTOP)
            t = Talk(gw.inside)
            t.ask("EHLO client.test")
            t.ask(f"MAIL FROM:<{US}>")
            t.say(f"RCPT TO:<new{how}@partner.example>\r\n")
            time.sleep(0.3)
            os.kill(judge, signal.SIGKILL)
            got = t.reply()
            assert got.startswith("451 4.3.0 "), got
            t.close()
        else:
            os.kill(judge, signal.SIGKILL)
            code, text = send(gw.inside, US, THEM, message(US, THEM, "in the gap"))
            assert code in (250, 451), (code, text)
        wait_for("a new judge", 20, lambda: gw.roles().get("judge", [judge])[0] not in (judge, 0, None))
        wait_for("mail again", 20, lambda: send(gw.inside, US, THEM, message(US, THEM, "after " + how))[0] == 250)
        assert them.open(outside.by_subject("after " + how).data) is not None
    assert all(m.field("Content-Type").startswith("application/pkcs7-mime") for m in outside.mails)


@quick
def test_sealed_keeper(top):
    """No passphrase at boot: 421 on both listeners, status names the file that is waited for; the file comes, and mail goes. A readable file is not taken."""
    gw, inside, _ = solo(top, start=False)
    secret = open(gw.passphrase).read()
    os.unlink(gw.passphrase)
    gw.start(wait=False)
    gw.wait_log("ready all=")
    for port in (gw.inside, gw.outside):
        t = Talk(port)
        assert t.greeting == "421 gw.hospital.example waits for its keys, try again later", t.greeting
        assert t.f.readline() == b"", "the connection must be closed"
        t.close()
    status = gw.cli("status")
    assert status["parent"]["keeper"] == "sealed" and any(gw.passphrase in x and "421" in x for x in status["trouble"]), status
    said = gw.postern("status")[1]
    assert "sealed" in said and gw.passphrase.replace("\n", "") in re.sub(r"\n\s+", "", said), said
    code, _, err = gw.postern("domain", "add", "hospital.example", "--self-signed", check=False)
    assert code == 3 and "passphrase" in err, (code, err)
    with open(gw.passphrase, "w") as f:
        f.write(secret)
    os.chmod(gw.passphrase, 0o644)
    gw.wait_log("can be read by others: chmod 600 it")
    assert gw.cli("status")["parent"]["keeper"] == "sealed"
    os.chmod(gw.passphrase, 0o600)
    gw.wait_log("keys-ready")
    gw.make_identity()
    assert send(gw.outside, THEM, US, message(THEM, US, "after the keys"))[0] == 250
    inside.by_subject("after the keys")
    assert gw.cli("status")["trouble"] == []
    # the wrong passphrase: sealed again, and said so
    gw.stop()
    with open(gw.passphrase, "w") as f:
        f.write("not it\n")
    gw.start(wait=False)
    gw.wait_log("alarm=unseal")
    assert Talk(gw.outside).greeting.startswith("421 gw.hospital.example waits")
