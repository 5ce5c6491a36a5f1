"""What a partner's trusted statement does: promises that act on what comes in its name, what it takes and reads, and how both end. Judged by what is delivered and refused."""
import re
import time

from gateway import wait_for
from mail import Talk, message, send, solo
from nexthop import Nsd
from partners import US
from sink import Sink
from smime import entity, seal, with_header
from statements import READ, stamp
from test_statement import World
from test_xsmg_smtp import gateway, own_statement
from test_xsmg_smtp import send as to_lab

LATER = stamp(time.time() + 30 * 86400)


class Mail:
    """Mail from outside in a partner's name, in every form."""
    def __init__(self, w):
        self.w, self.n = w, 0
        self.cert = next(f for f in w.gw.files if f.endswith("decrypt.pem"))

    def write(self, peer, form):
        self.n += 1
        sender, subject = "bob@" + peer.domain, f"mail {self.n}"
        if form == "clear":
            return subject, send(self.w.gw.outside, sender, US, message(sender, US, subject))
        inner = entity("hello from the laboratory\r\n")
        inner = {"signed": lambda: peer.mail.sign(inner), "sealed": lambda: seal(self.cert, peer.mail.sign(inner)), "encrypted": lambda: seal(self.cert, inner)}[form]()
        return subject, send(self.w.gw.outside, sender, US, with_header(inner, sender, US, subject))

    def verdict(self, peer, form):
        subject, (code, text) = self.write(peer, form)
        assert code == 250, f"{form} of {peer.domain}: {code} {text}"
        mail = wait_for(f"{subject} ({form} of {peer.domain})", 20, lambda: next((m for m in self.w.inside.mails if f"Subject: {subject}\r\n".encode() in m.data), None))
        return mail.field("X-Postern-Verdict")


def promise(**kw):
    return {"until": LATER, **kw}


def test_promises(top):
    w = World(top)
    both = w.peer("both.example", key=False, write=promise(signs="all", encrypts="all"))
    signs = w.peer("signs.example", key=False, write=promise(signs="all", encrypts="some"))
    some = w.peer("some.example", key=False, write=promise(signs="some"))
    tests = w.peer("tests.example", key=False, write=promise(signs="all", encrypts="all", test=True))
    past = w.peer("past.example", key=False, write={"until": stamp(time.time() - 60), "signs": "all"})
    gone = w.peer("gone.example", key=False, write=promise(signs="all"), demand=["encrypted"])
    stolen = w.peer("stolen.example", key=False, write=promise(signs="all"), demand=["encrypted"])
    gw = w.start()
    m = Mail(w)
    assert m.verdict(both, "clear").startswith("clear"), "nothing is promised by whom we do not know"
    for p in (both, signs, some, tests, past, gone, stolen):
        w.mail(p.domain, p.mail)
    for p, form, want in ((both, "sealed", "sealed"), (both, "clear", "broken-promise"), (both, "signed", "broken-promise"), (signs, "signed", "signed"), (signs, "clear", "broken-promise"),
                          (some, "clear", "clear"), (tests, "clear", "clear"), (past, "clear", "clear"), (gone, "clear", "broken-promise"), (stolen, "clear", "broken-promise")):
        got = m.verdict(p, form)
        assert got.startswith(want), f"{form} of {p.domain}: {got}"
    # the second one in clear: what is remembered of the domain says the same
    assert m.verdict(both, "clear").startswith("broken-promise")
    gw.wait_log(r"broken-promise partner=tests\.example .*test=1")
    gw.wait_log(r"alarm=broken-promise of=both\.example")
    log = gw.log()
    assert log.count("alarm=broken-promise of=both.example") == 1 and "alarm=broken-promise of=tests.example" not in log
    noticed = {r["domain"]: r for r in gw.cli("status")["judge"]["partners_noticed"]}
    assert noticed["both.example"]["what"] == "broken-promise" and noticed["both.example"]["count"] == 3 and "tests.example" not in noticed, noticed
    assert "both.example" in gw.postern("status")[1]
    assert any(r["what"] == "statement.broken-promise" and r["subject"] == "both.example" for r in gw.cli("audit", "list", "--max", "100")["rows"])
    # no one author: whoever is named counts, wherever a reader may see it, and the envelope's sender
    for froms, sender, want in (((f"x@other.example, bob@{both.domain}",), "x@other.example", "broken-promise"), (("x@other.example", f"bob@{both.domain}"), "x@other.example", "broken-promise"),
                                ((f"\"bob@{both.domain}\" <>",), "x@other.example", "broken-promise"), ((), f"bob@{both.domain}", "broken-promise"), ((), "", "clear"),
                                ((f"bob@{tests.domain}, bob@{some.domain}",), "x@other.example", "clear"), (("a@b, " + ", ".join(f"x@d{i}.example" for i in range(17)),), "x@other.example", "broken-promise")):
        m.n += 1
        data = b"".join(f"From: {f}\r\n".encode() for f in froms) + message("x", US, f"mail {m.n}").split(b"\r\n", 1)[1]
        code, text = send(gw.outside, sender, US, data)
        assert code == 250, (froms, code, text)
        got = wait_for(f"mail {m.n}", 20, lambda: next((x for x in w.inside.mails if f"Subject: mail {m.n}\r\n".encode() in x.data), None)).field("X-Postern-Verdict")
        assert got.startswith(want), (froms, sender, got)
    # encrypted and not signed: it came after the 250, so it is held as such mail is, and named
    subject, (code, _) = m.write(signs, "encrypted")
    assert code == 250
    held = wait_for("it to be held", 20, lambda: gw.queue(state="held"))
    assert "promises that all its mail is signed" in str(held), held
    # promise and demand end with the belief in them
    w.web.put(gone.domain, gone.statement(status="withdrawn"))
    w.fetched(gone.domain, "withdrawn")
    assert m.verdict(gone, "clear").startswith("clear")
    w.mail(gone.domain, "clear")
    gw.postern("partner", "compromised", stolen.domain, "--channel", "phone", "--reason", "stolen")
    assert m.verdict(stolen, "clear").startswith("clear")
    w.mail(stolen.domain, (451, "cannot be told now"))  # never in clear: it was protected, and waits
    # the admin's choice
    for choice in ("refuse", "hold"):
        gw.stop()
        gw.settings = gw.settings.replace("broken-promise = refuse\n", "") + f"broken-promise = {choice}\n"
        gw.write_conf()
        gw.start()
        before = len(gw.queue(state="held"))
        _, (code, text) = m.write(both, "clear")
        if choice == "refuse":
            assert code == 550 and "both.example promises in its statement (XSMG) that all its mail is signed and encrypted" in text, (code, text)
        else:
            assert code == 250, (code, text)
            wait_for("it to be held", 20, lambda: len(gw.queue(state="held")) == before + 1)
        assert m.verdict(both, "sealed").startswith("sealed")
    w.stop()


def test_reads(top):
    w = World(top)
    small = w.peer("small.example", key=False, read={**READ, "octets": 12000})
    bare = w.peer("bare.example", key=False, read={**READ, "formats": ["enveloped"]})
    deaf = w.peer("deaf.example", key=False, read={**READ, "formats": ["signed"]})
    new = w.peer("new.example", key=False, read={**READ, "formats": ["double-enveloped"]})
    mute = w.peer("mute.example", key=False, read={**READ, "formats": ["enveloped"]})
    gw = w.start()
    for p in (small, bare, new):
        w.mail(p.domain, p.mail)
    address = "bob@" + small.domain
    code, text = send(gw.inside, US, address, message(US, address, "large", body="x" * 70 + "\r\n" + ("hello " * 12 + "\r\n") * 300))
    assert code == 552 and "takes messages of at most 12000 octets" in text and "this one has " in text, (code, text)
    # weighed by its SIZE, for that recipient alone
    other = "bob@" + bare.domain
    large = message(US, address, "large", body="x" * 70 + "\r\n" + ("hello " * 12 + "\r\n") * 150)
    assert 9000 < len(large) < 12000
    t = Talk(gw.inside)
    assert "SIZE" in t.ask("EHLO client.test") and t.ask(f"MAIL FROM:<{US}> SIZE={len(large)}").startswith("250")
    said = t.ask(f"RCPT TO:<{address}>")
    assert said.startswith("552") and "5.3.4 the gateway of small.example takes messages of at most 12000 octets" in said and f"this one has {len(large)} by its SIZE, and a third more" in said, said
    # without SIZE it is known behind the content: the other gets it, and the sender is told
    assert t.ask("RSET").startswith("250") and t.ask(f"MAIL FROM:<{US}> RET=HDRS").startswith("250")
    assert t.ask(f"RCPT TO:<{address}>").startswith("250") and t.ask(f"RCPT TO:<{other}>").startswith("250") and t.ask("DATA").startswith("354")
    t.say(large if isinstance(large, bytes) else large.encode())
    said = t.ask(".")
    assert said.startswith("250"), said
    t.close()
    got = w.outside.wait(1, 10, lambda m: m.rcpts == [other] and len(m.data) > 12000)[0]
    assert b"hello" in bare.mail.open(got.data)
    notice = w.inside.wait(1, 20, lambda m: b"multipart/report" in m.data)[0]
    assert notice.rcpts == [US] and b"small.example takes messages of at most 12000 octets" in notice.data and b"Final-Recipient: rfc822; " + address.encode() in notice.data, notice.data
    assert b"Status: 5.3.4" in notice.data and other.encode() not in notice.data and b"hello hello" not in notice.data, notice.data
    queued = re.search(r"queued as (\w+)", said)[1]
    assert not any(m.rcpts == [address] and b"large" in m.data for m in w.outside.mails)
    way = wait_for("every recipient to have its one outcome", 20, lambda: next((r for r in [gw.cli("queue", "show", queued)] if all(x["state"] == "done" for x in r["recipients"])), None))
    assert sorted((x["address"], x["outcome"]) for x in way["recipients"]) == [(other, "delivered"), (address, "bounced")], way
    events = [e["event"] for e in wait_for("the history", 20, lambda: next((r["events"] for r in [gw.cli("message", "show", queued)] if len(r["events"]) >= 5), None))]
    assert {"bounced", "notified", "delivered"} <= set(events), events
    gw.wait_log(r"failed to=<bob@small\.example> treatment=seal dsn=5\.3\.4")
    # what it reads alone: encrypted, not signed
    mail = w.outside.wait(1, 10, lambda m: m.rcpts == ["bob@" + bare.domain])[0]
    opened = bare.mail.open(mail.data)
    assert b"signed-data" not in opened and b"hello" in opened, opened
    assert b"signed-data" in small.mail.open(w.outside.wait(1, 10, lambda m: m.rcpts == [address])[0].data)
    gw.wait_log("not signed, because its statement says that it reads nothing that is signed and encrypted")
    # what reads nothing encrypted gets nothing by what is demanded
    gw.postern("partner", "add", deaf.domain, "--treatment", "seal", "--strength", "require")
    w.mail(deaf.domain, (550, "reads nothing that is encrypted"))
    # what is to be signed: sealed for whom that is the only form of it, refused for whom there is none
    gw.postern("partner", "add", small.domain, "--treatment", "sign", "--strength", "require")
    w.mail(small.domain, small.mail)
    gw.wait_log("sealed because its statement says that it reads no signature in another form")
    gw.postern("partner", "add", bare.domain, "--treatment", "sign", "--strength", "require")
    w.mail(bare.domain, (550, "protected before"))
    gw.postern("partner", "add", mute.domain, "--treatment", "sign", "--strength", "require")
    w.fetched(mute.domain, "trusted")
    w.mail(mute.domain, (550, "its gateway reads nothing that is signed"))
    w.stop()


def test_rollover_waits(top):
    """What of our own keys waits, for whom, and what to do is in the status."""
    gw, _, _ = solo(top)
    wait_for("a statement", 30, lambda: gw.cli("domain", "show", gw.domain)["statement"], every=0.2)
    assert gw.cli("status")["judge"]["rollovers"] == []
    gw.postern("domain", "rollover", gw.domain)
    wait_for("it to be announced", 20, lambda: [r["waits_for"] for r in gw.cli("status")["judge"]["rollovers"]] == ["partners"], every=0.2)
    row = gw.cli("status")["judge"]["rollovers"][0]
    assert row["keys"] == "mail" and "nothing to do: the new keys are used from 20" in row["next"] and "0 of 0 partners" in row["next"], row
    gw.postern("domain", "rollover", gw.domain, "--statement-key", "--csr")
    rows = {r["keys"]: r for r in gw.cli("status")["judge"]["rollovers"]}
    assert rows["statement"]["waits_for"] == "certificates" and f"postern domain install {gw.domain} FILE" in rows["statement"]["next"], rows
    text = " ".join(gw.postern("status")[1].split())
    assert "new statement keys" in text and "wait for their certificates" in text and "--statement-key --csr" in text, text
    gw.stop()


def test_backup_mx(top):
    """A backup host that lacks XSMG is no downgrade while the first one is known to have it; the first one without it is, on the same day and after other alarms."""
    lab = gateway(top, "lab", outside="")
    nsd = Nsd(top)
    nsd.zone("lab.example", ["@ MX 10 mx1", "@ MX 20 mx2", "mx1 A 127.0.0.1", "mx2 A 127.0.0.2"])
    nsd.start()
    backup = Sink(lab.outside, ip="127.0.0.2")
    hospital = gateway(top, "hospital", outside="", settings=f"mx-port = {lab.outside}\n", sections=nsd.settings() + "mta-sts {\n  enabled = no\n}\nsmtp-client {\n  idle-time = 0s\n  backoff-min = 200ms\n  backoff-max = 500ms\n}\n")
    own_statement(lab)
    hospital.postern("partner", "add", "lab.example", "--treatment", "clear", "--strength", "never")
    n = 0

    def mail(subject):
        nonlocal n
        n += 1
        to_lab(hospital, "a@lab.example", f"{subject} {n}")
    try:
        mail("first")
        hospital.wait_log(r"xsmg-get partner=lab\.example remote=mx1\.lab\.example.*answer=statement")
        wait_for("it to be known to offer", 20, lambda: mail("known") or hospital.cli("partner", "show", "lab.example")["statement"]["offered"], every=0.7)
        lab.stop()
        mail("to the backup")
        wait_for("the backup to have it", 60, lambda: any(b"to the backup" in m.data for m in backup.mails))
        hospital.wait_log(r"xsmg-missing partner=lab\.example remote=mx2")
        hospital.wait_log(r"xsmg-not-there of=lab\.example host=mx2")
        assert "alarm=downgrade" not in hospital.log()
        assert not hospital.cli("status")["judge"]["partners_noticed"]
        # which of them had it is known across a restart
        hospital.stop()
        hospital.start()
        lab.settings += "xsmg = no\n"
        lab.write_conf()
        lab.start()
        wait_for("TLS to be offered", 20, lambda: "STARTTLS" in Talk(lab.outside).ask("EHLO x"))
        wait_for("the first host to be used again", 60, lambda: mail("again") or "xsmg-missing partner=lab.example remote=mx1" in hospital.log(), every=0.7)
        hospital.wait_log(r"alarm=downgrade of=lab\.example host=mx1")
        noticed = hospital.cli("status")["judge"]["partners_noticed"]
        assert [(r["domain"], r["what"]) for r in noticed] == [("lab.example", "downgrade")], noticed
        assert any(r["what"] == "statement.downgrade" for r in hospital.cli("audit", "list", "--max", "100")["rows"])
    finally:
        nsd.stop()
        backup.close()


def test_named_in_mail(top):
    """Of all places where a mail can name a statement one counts: once, whole, on what a believed signature of the domain covers directly. Only then the URL is fetched."""
    w = World(top)
    p = w.peer("lab.example", key=False)
    w.nsd.zone(p.domain, [f"smg A {w.web.address}"])  # nothing leads to it but mail
    gw = w.start()
    person = p.identity("bob", san="email:bob@" + p.domain)
    stranger = p.identity("stranger")
    gw.postern("partner", "add", p.domain)
    for i in (p.mail, person):
        gw.postern("cert", "import", i.cert, "--for", p.domain, "--pin", "--yes")
    sender, url = "bob@" + p.domain, f"https://smg.{p.domain}/.well-known/smg/{p.domain}"
    field = f"XSMG-Statement: id={'A' * 43}; url={url}\r\n".encode()
    text = entity("hello\r\n")
    inner = b"Content-Type: message/rfc822; forwarded=no\r\n\r\n" + field + b"From: " + sender.encode() + b"\r\nSubject: x\r\n\r\nhello\r\n"
    n = 0

    def write(part, extra=b""):
        nonlocal n
        n += 1
        mail = extra + with_header(part, sender, US, f"mail {n}")
        assert send(gw.outside, sender, US, mail)[0] == 250
        return w.inside.wait(n, 30)[-1].field("X-Postern-Verdict")
    assert write(p.mail.sign(text), field).startswith("signed"), "outside alone"
    assert write(p.mail.sign(field + field + text)).startswith("signed")
    gw.wait_log(r"xsmg-named partner=lab\.example ignored why=.*more than once")
    for bad in (b"XSMG-Statement: id=short; url=" + url.encode() + b"\r\n", field.replace(b"https", b"http"), field.replace(b"/smg/", b"/" + b"s" * 300 + b"/")):
        assert write(p.mail.sign(bad + text)).startswith("signed")
    assert len(re.findall("xsmg-named .*ignored", gw.log())) == 4
    write(p.mail.sign(inner))
    write(p.mail.sign(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + field + text + b"\r\n--b--\r\n"))
    assert write(person.sign(field + text)).startswith("signed"), "a person's certificate"
    assert write(stranger.sign(field + text)).startswith("untrusted")
    assert "statement-named" not in gw.log() and w.web.asked_for(p.domain) == 0
    assert write(p.mail.sign(field + text)).startswith("signed")
    got = wait_for("it to be trusted", 20, lambda: (lambda s: s if s and s["state"] == "trusted" else None)(w.shown(p.domain)), every=0.2)
    assert got["established"] == "webpki" and w.web.asked_for(p.domain) == 1, got
    # not again within ten minutes, whatever id is named
    write(p.mail.sign(field.replace(b"A" * 42, b"B" * 42) + text))
    assert gw.log().count("statement-named of=lab.example") == 1 and w.web.asked_for(p.domain) == 1
    w.stop()
