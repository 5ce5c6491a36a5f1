"""The SMTP server as its clients meet it: extensions, TLS names and certificates, balancers, and those who take more than their share."""
import hashlib
import os
import quopri
import re
import resource
import smtplib
import socket
import ssl
import struct
import time

from gateway import wait_for
from mail import Talk, message, pair, quick, send, solo
from smime import Identity

US, THEM = "a@hospital.example", "b@partner.example"
PROXY = b"\r\n\r\n\0\r\nQUIT\n"


def replies(port, octets, source=None):
    """All replies to what is said at once behind the greeting; the server ends the session."""
    s = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0) if source else None)
    f = s.makefile("rb")
    first = f.readline()
    if first.startswith(b"220"):
        s.sendall(octets)
    out = [first] + f.readlines()
    s.close()
    return [line.decode().rstrip("\r\n") for line in out if line[3:4] == b" "]


def transaction(sender, rcpts, params="", rcpt_params=""):
    return f"EHLO client.test\r\nMAIL FROM:<{sender}>{params}\r\n" + "".join(f"RCPT TO:<{r}>{rcpt_params}\r\n" for r in rcpts)


# ---- extensions ----

@quick
def test_the_same_recipient_twice(top):
    """One delivery, whoever sends; every notice that was asked for. Outside there is no DSN, neither announced nor taken."""
    gw, inside, outside = solo(top)
    t = Talk(gw.inside)
    assert "250-DSN" in t.ask("EHLO client.test").split("\n")
    assert [t.ask(line)[:9] for line in (f"MAIL FROM:<{US}>", f"RCPT TO:<{THEM}> NOTIFY=NEVER", "RCPT TO:<c@partner.example>", f"RCPT TO:<{THEM}> NOTIFY=SUCCESS",
                                         "RCPT TO:<c@partner.example>", "RCPT TO:<B@partner.example>")] == ["250 2.1.0"] + ["250 2.1.5"] * 5
    assert t.ask("DATA")[:3] == "354" and t.ask(message(US, THEM, "twice") + b".\r\n")[:3] == "250"
    m = outside.by_subject("twice")
    assert sorted(m.rcpts) == ["B@partner.example", THEM, "c@partner.example"], m.rcpts
    report = inside.wait(1, 30, lambda m: b"multipart/report" in m.data)[0]
    assert b"Final-Recipient: rfc822; " + THEM.encode() in report.data and b"c@partner.example" not in report.data.split(b"message/delivery-status")[1].split(b"--")[0]
    t.close()
    t = Talk(gw.outside)
    assert "DSN" not in t.ask("EHLO client.test").replace("-", " ").split()
    for params in ("RET=FULL", "ENVID=x"):
        assert t.ask(f"MAIL FROM:<{THEM}> {params}").startswith(f"555 5.5.4 The parameter {params[:params.index('=')]} is not known here.")
    assert t.ask(f"MAIL FROM:<{THEM}>")[:3] == "250"
    for params in ("NOTIFY=NEVER", f"ORCPT=rfc822;{US}"):
        assert t.ask(f"RCPT TO:<{US}> {params}").startswith("555 5.5.4")
    assert [t.ask(f"RCPT TO:<{a}>")[:9] for a in (US, US, "a@HOSPITAL.example")] == ["250 2.1.5"] * 3
    assert t.ask("DATA")[:3] == "354" and t.ask(message(THEM, US, "in twice") + b".\r\n")[:3] == "250"
    assert inside.by_subject("in twice").rcpts == [US]
    t.close()


@quick
def test_chunks(top):
    """A message in chunks arrives octet by octet as with DATA; what ends DATA elsewhere is content here, and nothing in it is a command."""
    gw, inside, _ = solo(top)
    text = message(THEM, US, "chunks", b"one\r\n.\r\n..two\r\nQUIT\r\nthree\r\n")
    for cuts in ((10, 11, 300), (1,), ()):
        parts = [text[a:b] for a, b in zip((0, *cuts), (*cuts, len(text)))]
        said = transaction(THEM, [US]).encode()
        said += b"".join(b"BDAT %d%s\r\n%s" % (len(p), b" LAST" if i + 1 == len(parts) else b"", p) for i, p in enumerate(parts)) + b"QUIT\r\n"
        got = replies(gw.outside, said)
        assert [r[:3] for r in got] == ["220", "250", "250", "250"] + ["250"] * len(parts) + ["221"], got
        assert got[-2].startswith("250 2.0.0 queued as"), got
    for m in inside.wait(3, 30, lambda m: m.field("Subject") == "chunks"):
        assert m.body == text.split(b"\r\n\r\n", 1)[1] and (m.sender, m.rcpts) == (THEM, [US])
    # smuggling by chunk: a bare CR or LF anywhere, or a chunk behind a failure that looks like commands
    hidden = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<a@hospital.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n"
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\r\n", b"\r"):
        part = b"From: b@partner.example\r\nSubject: carrier\r\n\r\ntext" + end
        got = replies(gw.outside, transaction(THEM, [US]).encode() + b"BDAT %d LAST\r\n%s" % (len(part + hidden), part + hidden) + b"QUIT\r\n")
        assert got[4].startswith("550 5.5.2") and got[5].startswith("221") and len(got) == 6, (end, got)
        got = replies(gw.outside, transaction(THEM, [US]).encode() + b"BDAT %d\r\n%sBDAT %d LAST\r\n%s" % (len(part), part, len(hidden), hidden) + b"QUIT\r\n")
        assert any(r.startswith("550 5.5.2") for r in got) and got[-1].startswith("221") and len(got) == 7, (end, got)
    part = b"From: b@partner.example\r\nSubject: carrier\r\n\r\ntext\r\n.\r\n" + hidden
    got = replies(gw.outside, transaction(THEM, [US]).encode() + b"BDAT %d LAST\r\n%s" % (len(part), part) + b"QUIT\r\n")
    assert len(got) == 6 and got[4].startswith("250 2.0.0"), got
    assert inside.by_subject("carrier").data.endswith(part.split(b"\r\n\r\n", 1)[1])
    assert all(m.sender == THEM for m in inside.mails)


@quick
def test_international_addresses(top):
    """A domain in its own script is the domain of its A-labels; local parts in UTF-8 go to hosts that know SMTPUTF8, and each recipient has one outcome."""
    gw, inside, outside = solo(top, domain_settings="recipients = any", sections="smtp-client {\n  idle-time = 0s\n}\n")
    t = Talk(gw.outside)
    assert "SMTPUTF8" in t.ask("EHLO client.test") and "REQUIRETLS" not in t.ask("EHLO client.test")
    assert t.ask("MAIL FROM:<é@partner.example>".encode() + b"\r\n").startswith("553 5.6.7")
    assert t.ask("MAIL FROM:<b@bücher.example> SMTPUTF8".encode() + b"\r\n").startswith("250")
    assert t.ask("RCPT TO:<x@bücher.example>".encode() + b"\r\n") == "550 5.7.1 relaying denied: <x@xn--bcher-kva.example> is not of a domain served here"
    assert t.ask("RCPT TO:<jörg@partner.example>".encode() + b"\r\n").encode("latin-1").decode() == "550 5.7.1 relaying denied: <jörg@partner.example> is not of a domain served here"
    assert t.ask(f"RCPT TO:<{US}>").startswith("250")
    assert t.ask("DATA").startswith("354")
    assert t.ask(message("b@xn--bcher-kva.example", US, "labels") + b".\r\n").startswith("250")
    t.close()
    got = inside.by_subject("labels")
    assert got.sender == "b@xn--bcher-kva.example" and "with UTF8SMTP id" in got.field("Received")
    # from outside to ours: one outcome for each recipient, whatever the inside server can take
    for sender, rcpt in (("é@partner.example", US), (THEM, "ü@hospital.example")):
        t = Talk(gw.outside)
        t.ask("EHLO client.test")
        assert t.ask(f"MAIL FROM:<{sender}> SMTPUTF8\r\n".encode()).startswith("250") and t.ask(f"RCPT TO:<{rcpt}>\r\n".encode()).startswith("250")
        assert t.ask("DATA").startswith("354")
        assert t.ask(message(sender, rcpt, "characters") + b".\r\n").startswith("250")
        t.close()
    wait_for("an outcome for all", 20, lambda: len(gw.queue()) == 3 and all(m["state"] in ("done", "held") for m in gw.queue()))
    # to the outside: a host that does not know SMTPUTF8 does not get it, and the sender is told; another does
    inside.offers += ("SMTPUTF8",)
    gw.postern("partner", "add", "partner.example", "--treatment", "clear", "--strength", "never")

    def speak(sender, rcpt, subject):
        t = Talk(gw.inside)
        t.ask("EHLO client.test")
        said = [t.ask(line) for line in (f"MAIL FROM:<{sender}> SMTPUTF8\r\n".encode(), f"RCPT TO:<{rcpt}>\r\n".encode(), b"DATA\r\n", message(sender, rcpt, subject) + b".\r\n")]
        t.close()
        assert [a[:3] for a in said] == ["250", "250", "354", "250"], said
    speak(US, "é@partner.example", "not there")
    report = inside.wait(1, 30, lambda m: m.sender == "" and m.rcpts == [US])[0]
    assert b"Status: 5.6.7" in report.data and "é@partner.example".encode() in quopri.decodestring(report.data), report.data
    outside.offers += ("SMTPUTF8",)
    speak("ü@hospital.example", "é@partner.example", "there")
    got = outside.by_subject("there")
    assert (got.sender, got.rcpts) == ("ü@hospital.example", ["é@partner.example"]) and "From: ü@hospital.example".encode() in got.header
    assert len(outside.mails) == 1


def test_sealed_for_international_addresses(top):
    """Domain certificates serve every local part: signed, sealed, opened and believed; outside only the addresses show."""
    hospital, lab, hs, ls = pair(top)
    ls.offers += ("SMTPUTF8",)
    sender, rcpt = "jürgen@hospital.example", "zoë@lab.example"
    t = Talk(hospital.inside)
    t.ask("EHLO client.test")
    for line in (f"MAIL FROM:<{sender}> SMTPUTF8\r\n".encode(), f"RCPT TO:<{rcpt}>\r\n".encode()):
        got = t.ask(line)
        assert got.startswith("250"), got
    assert t.ask("DATA").startswith("354")
    assert t.ask(message(sender, rcpt, "international", "the secret words\r\n") + b".\r\n").startswith("250")
    t.close()
    m = ls.by_subject("international")
    assert (m.sender, m.rcpts) == (sender, [rcpt]) and b"the secret words" in m.body and m.field("X-Postern-Verdict").startswith("sealed"), m.header
    hospital.wait_log(r"delivered to=<zo.*@lab\.example> .*treatment=seal")


@quick
def test_loop_and_postmaster(top):
    gw, inside, _ = solo(top)
    hop = "Received: from x\r\n\tby {} with ESMTP id 1;\r\n\tSun, 22 Nov 2026 08:00:00 +0100\r\n"
    for extra, want in ((hop.format("other.example") * 50, "250 2.0.0"), (hop.format("other.example") * 51, "554 5.4.6 The message has more than 50 Received"),
                        (hop.format(gw.hostname) * 3, "250 2.0.0"), (hop.format(gw.hostname) * 4, f"554 5.4.6 The message has passed {gw.hostname} more than 3")):
        for port, sender, rcpt in ((gw.outside, THEM, US), (gw.inside, US, "other@hospital.example")):
            code, text = send(port, sender, rcpt, message(sender, rcpt, "round", extra=extra))
            assert f"{code} {text}".startswith(want), (extra[:40], code, text)
    for rcpt in ("postmaster", "Postmaster@hospital.example", f"postmaster@{gw.hostname}"):
        t = Talk(gw.outside)
        t.ask("EHLO client.test")
        t.ask("MAIL FROM:<>")
        assert t.ask(f"RCPT TO:<{rcpt}>").startswith("250 2.1.5"), rcpt
        t.ask("DATA")
        assert t.ask(message("x@y.example", "postmaster@hospital.example", "to the postmaster") + b".\r\n").startswith("250")
        t.close()
    for m in inside.wait(3, 30, lambda m: m.field("Subject") == "to the postmaster"):
        assert m.rcpts[0].lower() == "postmaster@hospital.example"


@quick
def test_hosts_without_8bitmime(top):
    """RFC 6152: what is in the clear and 8-bit goes in 7 bits to a host that takes no more, outside and inside; what is signed is never re-encoded; what was taken once is not sent twice."""
    gw, inside, outside = solo(top)
    gw.postern("partner", "add", "partner.example", "--treatment", "clear", "--strength", "never")
    inside.offers = outside.offers = ("SIZE 0",)
    eight = "Grüße, and a few more words in ASCII.\r\n.\r\n".encode()
    text = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    signed = "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"; micalg=pgp-sha256\r\nContent-Transfer-Encoding: 8bit\r\n"
    parts = b"--b\r\n" + text.encode() + b"\r\n" + eight + b"--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
    for port, sender, to, sink in ((gw.inside, US, THEM, outside), (gw.outside, THEM, US, inside)):
        assert send(port, sender, [to], message(sender, to, "eight", eight, text), options=["BODY=8BITMIME"])[0] == 250
        m = sink.by_subject("eight")
        assert m.data.isascii() and m.field("Content-Transfer-Encoding") == "quoted-printable" and b"Gr=C3=BC=C3=9Fe, and" in m.body and quopri.decodestring(m.body) == eight, m.data
        gw.wait_log(r'converted from=\d+ to=\d+ why="no 8BITMIME"')
        assert send(port, sender, [to], message(sender, to, "signed eight", parts, signed), options=["BODY=8BITMIME"])[0] == 250
    # RFC 6531 3.5: an address outside ASCII has no 7-bit form
    assert send(gw.inside, US, [THEM], message(US, THEM, "utf8", eight, text + "Reply-To: δοκ@partner.example\r\n"), options=["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
    assert b"Status: 5.6.7" in inside.wait(1, 30, lambda m: m.sender == "" and b"SMTPUTF8" in m.data)[0].data
    report = inside.wait(1, 30, lambda m: m.sender == "" and m.rcpts == [US] and b"a part of it is signed" in b" ".join(m.data.split()))[0]
    assert b"Status: 5.6.3" in report.data and b"a part of it is signed and has 8-bit text" in b" ".join(report.data.split()), report.data
    held = wait_for("the signed one to be held", 30, lambda: gw.queue(state="held"))
    assert "a part of it is signed and has 8-bit text" in held[0]["recipients"][0]["reason"], held
    assert len(outside.mails) == 1 and len([m for m in inside.mails if m.sender]) == 1
    outside.offers = ("SIZE 0", "SMTPUTF8")  # which it must not offer without 8BITMIME (RFC 6531 3.1)
    gw.stop()  # and with it the connection that it has
    gw.start()
    assert send(gw.inside, US, [THEM], message(US, THEM, "half a host", eight, text), options=["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
    assert b"Status: 5.6.3" in inside.wait(1, 30, lambda m: m.sender == "" and b"half a host" in m.data)[0].data


# ---- TLS ----

def over_tls(port, name, cert=None):
    """An SMTP session under TLS that asked for name."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    if cert:
        ctx.load_cert_chain(cert.cert, cert.key)
    s = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=30)
    s.ehlo()
    s._host = name
    s.starttls(context=ctx)
    s.ehlo()
    return s


def test_tls_names_and_client_certificates(top):
    ours, theirs = Identity(top, "server-a", eku="clientAuth"), Identity(top, "server-b", eku="clientAuth")
    gw, inside, _ = solo(top, sections='domain "far.example" {\n  inside-server = "192.0.2.1:25"\n  recipients = any\n}')
    gw.cli("domain", "tls", "mx2.hospital.example", "--self-signed")
    names = {}

    def two_names():
        for name in (gw.hostname, "mx2.hospital.example", "other.example"):
            s = over_tls(gw.outside, name)
            names[name] = s.sock.getpeercert(True)
            assert s.has_extn("requiretls") and not s.has_extn("starttls")
            s.quit()
        return names[gw.hostname] != names["mx2.hospital.example"]
    wait_for("the second name to have its certificate", 20, two_names)
    assert names["other.example"] == names[gw.hostname] and b"mx2.hospital.example" in names["mx2.hospital.example"] and gw.hostname.encode() in names[gw.hostname]
    # asked for inside, written down, nobody turned away
    for port, cert, seen in ((gw.inside, ours, True), (gw.inside, None, False), (gw.outside, ours, False)):
        s = over_tls(port, gw.hostname, cert)
        subject = f"tls {port} {bool(cert)}"
        assert s.mail(US if port == gw.inside else THEM, ["REQUIRETLS"] if port == gw.outside else [])[0] == 250
        assert s.rcpt("c@hospital.example")[0] == 250 and s.data(message(THEM, "c@hospital.example", subject))[0] == 250
        s.quit()
        trace = inside.by_subject(subject).field("Received")
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(open(ours.cert).read())).hexdigest()
        assert "using TLSv1.3" in trace and (f"client certificate SHA256:{digest} not verified" in trace) == seen, trace
    # the sender's demand is not taken on where it could not be kept
    s = over_tls(gw.outside, gw.hostname)
    assert s.mail(THEM, ["REQUIRETLS"])[0] == 250
    code, words = s.rcpt("c@far.example")
    assert code == 550 and words.startswith(b"5.7.30 REQUIRETLS cannot be kept"), (code, words)
    s.quit()
    gw.stop()
    # required: one of ours alone
    gw.inside_settings = f'client-certificates = require\nclient-ca-file = "{ours.cert}"\n'
    gw.write_conf()
    gw.start()
    assert Talk(gw.inside).ask("EHLO client.test") and replies(gw.inside, transaction(US, []).encode() + b"QUIT\r\n")[2].startswith("530 5.7.0")
    s = wait_for("TLS inside", 20, lambda: over_tls(gw.inside, gw.hostname, ours))
    assert s.mail(US)[0] == 250
    s.quit()
    for cert in (None, theirs):
        try:
            s = over_tls(gw.inside, gw.hostname, cert)
            s.mail(US)
            raise AssertionError("let in without a certificate of ours")
        except (OSError, smtplib.SMTPException):
            pass


@quick
def test_starttls_injection(top):
    """What somebody put behind STARTTLS in the clear is not heard under TLS, neither as commands nor as a message in chunks; the greeting is forgotten."""
    gw, inside, _ = solo(top)

    def offered():  # the relay hears of the certificate a moment after the command that made it
        t = Talk(gw.outside)
        said = t.ask("EHLO client.test")
        t.close()
        return "STARTTLS" in said
    wait_for("STARTTLS to be offered", 20, offered)
    evil = transaction("evil@evil.example", [US]).encode()
    mail = b"Subject: injected\r\n\r\nevil\r\n"
    for behind in (evil + b"DATA\r\n" + mail + b".\r\n", evil + b"BDAT %d LAST\r\n%s" % (len(mail), mail), b"EHLO evil\r\nMAIL FROM:<evil@evil.example>\r\n", b"NOOP\r\nRCP"):
        t = Talk(gw.outside)
        t.say(b"EHLO client.test\r\nSTARTTLS\r\n" + behind)
        assert t.reply().startswith("250-") and t.reply().startswith("220 2.0.0")
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        tls = ctx.wrap_socket(t.s, server_hostname=gw.hostname)
        tls.sendall(b"MAIL FROM:<b@partner.example>\r\nRCPT TO:<a@hospital.example>\r\nDATA\r\n")
        f = tls.makefile("rb")
        got = [f.readline()[:9] for _ in range(3)]
        assert got == [b"503 5.5.1"] * 3, got
        tls.sendall(b"QUIT\r\n")
        assert f.readline().startswith(b"221") and f.readline() == b""
        tls.close()
    gw.wait_log("starttls-discarded octets=")
    # STARTTLS inside a message is content
    part = b"Subject: content\r\n\r\nSTARTTLS\r\n"
    got = replies(gw.outside, transaction(THEM, [US]).encode() + b"BDAT %d LAST\r\n%sQUIT\r\n" % (len(part), part))
    assert got[-1].startswith("221") and len(got) == 6, got
    assert inside.by_subject("content").body == b"STARTTLS\r\n"
    assert [m.field("Subject") for m in inside.mails] == ["content"]


# ---- balancers ----

def header(client):
    if ":" in client:
        return PROXY + b"\x21\x21\x00\x24" + socket.inet_pton(socket.AF_INET6, client) + bytes(16) + struct.pack(">HH", 40000, 25)
    return PROXY + b"\x21\x11\x00\x0c" + socket.inet_aton(client) + socket.inet_aton("198.51.100.1") + struct.pack(">HH", 40000, 25)


def through(port, octets):
    """Says octets at once, hears one reply."""
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    s.sendall(octets)
    f = s.makefile("rb")
    return s, f, f.readline().decode()


@quick
def test_balancer(top):
    """Behind a listed balancer the client is the one it names; a balancer that names none is refused, and nobody else's word counts."""
    gw, inside, _ = solo(top, sections="smtp-server { proxy-timeout = 500ms }\n", inside_networks='"192.0.2.0/24", "2001:db8::/32"',
                       inside_settings='proxy-from = {"127.0.0.1"}\n')
    s, f, got = through(gw.inside, header("192.0.2.7"))
    assert got.startswith("220 "), got
    s.sendall(transaction(US, ["c@hospital.example"]).encode() + b"DATA\r\n")
    while not f.readline().startswith(b"354"):
        pass
    s.sendall(message(US, "c@hospital.example", "balanced") + b".\r\nQUIT\r\n")
    assert f.readline().startswith(b"250 ")
    assert "([192.0.2.7])" in inside.by_subject("balanced").field("Received")
    s.close()
    for said, want in ((header("2001:db8::7"), "220 "), (header("2001:db9::7"), "554 gw.hospital.example IPv6:2001:db9::7 is not in the networks"),
                       (header("203.0.113.1"), "554 gw.hospital.example 203.0.113.1 is not in the networks"), (b"EHLO client.test\r\n", "554 5.5.1 a PROXY header"),
                       (PROXY + b"\x20\x00\x00\x00", "554 gw.hospital.example 127.0.0.1 is not in the networks"), (b"", "421 4.4.2 No PROXY header in time")):
        s, f, got = through(gw.inside, said)
        assert got.startswith(want), (said, got)
        assert want == "220 " or f.readline() == b""
        s.close()
    got = replies(gw.outside, header("192.0.2.7") + b"\r\nQUIT\r\n")
    assert got[0].startswith("220") and got[1].startswith("500") and all("192.0.2.7" not in r for r in got), got


# ---- more than their share ----

@quick
def test_rates(top):
    gw, _, _ = solo(top, sections="smtp-server {\n client-sessions-rate = 6\n client-recipients-rate = 3\n client-errors-rate = 4\n}\n",
                    outside_settings='unlimited = {"127.0.0.1"}\n')
    many = transaction(THEM, [US] * 5).encode() + b"QUIT\r\n"
    got = replies(gw.outside, many, "127.0.0.2")
    assert [r[:9] for r in got[3:]] == ["250 2.1.5"] * 3 + ["450 4.7.1"] * 2 + ["221 2.0.0"], got
    assert all(r.startswith("250 2.1.5") for r in replies(gw.outside, many, "127.0.0.1")[3:8])
    got = replies(gw.outside, transaction(THEM, ["x@elsewhere.example"] * 9).encode() + b"QUIT\r\n", "127.0.0.3")
    assert [r[:3] for r in got] == ["220", "250", "250"] + ["550"] * 3 + ["450"] * 6 + ["221"], got
    got = replies(gw.outside, b"X\r\n" * 9, "127.0.0.4")
    assert got[-1] == "421 4.7.0 Too many errors from your address within a minute; try again later." and len(got) == 7, got
    got = replies(gw.outside, b"QUIT\r\n", "127.0.0.4")
    assert got == [f"421 {gw.hostname} too many errors from 127.0.0.4 within a minute, try again later"], got
    for i in range(6):
        assert replies(gw.outside, b"QUIT\r\n", "127.0.0.5")[0].startswith("220"), i
    got = replies(gw.outside, b"QUIT\r\n", "127.0.0.5")
    assert got == [f"421 {gw.hostname} too many sessions from 127.0.0.5 within a minute, try again later"], got
    gw.wait_log(r'refused client=127\.0\.0\.5 helo=- code=421 .*too many sessions from 127\.0\.0\.5 within a minute')
    assert replies(gw.inside, b"QUIT\r\n", "127.0.0.5")[0].startswith("220")  # our own servers have no rates


@quick
def test_early_talkers(top):
    gw, _, _ = solo(top, sections="smtp-server { greeting-delay = 300ms }\n")
    s, f, got = through(gw.outside, b"EHLO client.test\r\n")
    assert got.startswith("554 5.5.1 You spoke before you were greeted") and f.readline() == b"", got
    s.close()
    began = time.monotonic()
    assert replies(gw.outside, b"QUIT\r\n")[0].startswith("220") and time.monotonic() - began >= 0.3


def slow_clients(port, n, said, net):
    """n clients from many addresses of 127.0.0.0/8 that say something and then nothing more."""
    out = []
    for i in range(n):
        s = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(f"127.{net}.{1 + i // 40}.1", 0))
        assert s.recv(4096).startswith(b"220 ")
        s.sendall(said)
        out.append(s)
    return out


def test_slow_clients(top):
    """Clients that hold sessions without using them: while there is room nobody is hurried; when there is none they go, and a legitimate one is served."""
    n = int(os.environ.get("SLOW_CLIENTS", "5000"))  # all that is allowed
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert hard >= n + 1000, f"NOT RUN: {n} clients need a limit of open files of at least {n + 1000}, not {hard} (ulimit -Hn; fewer clients with SLOW_CLIENTS=n)"
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * n + 1000), hard))
    gw, inside, _ = solo(top, settings=f"sessions-max = {n}\nsessions-per-client = 50\n", sections="smtp-server { busy-timeout = 2s }\n")
    few = slow_clients(gw.outside, 40, b"EHLO slow\r\n", 1)
    time.sleep(2.5)  # longer than busy-timeout: it must not hold yet
    assert send(gw.outside, THEM, US, message(THEM, US, "calm"))[0] == 250
    got = few[0].recv(4096)
    assert got.startswith(b"250") and b"421" not in got and not re.search("sessions-scarce", gw.log(gw.mark)), got
    slow = slow_clients(gw.outside, n // 2 - 20, b"EHLO slow\r\nMAIL FROM:<x@y.example>\r\nRCPT TO:<a@hospital.example>\r\nDATA\r\nS", 2)
    slow += slow_clients(gw.outside, n // 2 - 20, b"NOO", 3)
    gw.wait_log("sessions-scarce side=outside")
    began = time.monotonic()
    wait_for("a legitimate client to be served", 15, lambda: send(gw.outside, THEM, US, message(THEM, US, "storm"))[0] == 250, 0.2)
    assert time.monotonic() - began < 10
    gw.wait_log("sessions-free side=outside", 15)
    inside.by_subject("storm")
    for s in few[:1]:  # the longest idle of all; the others only until there is room
        s.settimeout(10)
        got = b""
        while not got.endswith(b"later.\r\n"):
            piece = s.recv(4096)
            assert piece, got
            got += piece
        assert b"421 4.3.2 All sessions are in use and this one is idle; try again later." in got
    for s in few + slow:
        s.close()


def test_one_policy_a_transaction(top):
    """Recipients of another policy than the first get 452 4.5.3, and go out when they come by themselves; mixed-policies takes them together."""
    hospital, lab, _, lab_inside = pair(top)
    hospital.postern("partner", "add", "open.example", "--treatment", "clear", "--strength", "never")

    def ask(*rcpts):
        t = Talk(hospital.inside)
        t.ask("EHLO client.test")
        t.ask("MAIL FROM:<doctor@hospital.example>")
        said = [t.ask(f"RCPT TO:<{r}>") for r in rcpts]
        t.close()
        return said
    said = ask("a@lab.example", "b@open.example", "c@lab.example")
    assert [x[:3] for x in said] == ["250", "452", "250"], said
    assert said[1].startswith("452 4.5.3 ") and "one policy a transaction" in said[1] and "by itself" in said[1], said
    assert [x[:3] for x in ask("b@open.example", "a@lab.example")] == ["250", "452"]
    with smtplib.SMTP("127.0.0.1", hospital.inside, timeout=30) as s:
        refused = s.sendmail("doctor@hospital.example", ["a@lab.example", "b@open.example"], message("doctor@hospital.example", "a@lab.example", "first"))
        assert list(refused) == ["b@open.example"] and refused["b@open.example"][0] == 452, refused
    assert lab_inside.by_subject("first").rcpts == ["a@lab.example"]
    hospital.stop()
    hospital.settings += "mixed-policies = yes\n"
    hospital.write_conf()
    hospital.start()
    assert [x[:3] for x in ask("a@lab.example", "b@open.example")] == ["250", "250"]
