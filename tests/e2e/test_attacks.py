"""Attacks that the other files do not have: a second message smuggled inside an encryption or through chunks, everything over-long, replies that would write headers and logs."""
import email
import re

from gateway import wait_for
from mail import Talk, message, quick, send, solo
from sink import Tap
from smime import Identity, entity, seal, with_header

US, THEM = "a@hospital.example", "b@partner.example"
HIDDEN = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<a@hospital.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n"
ENDS = {"lf dot lf": b"\n.\n", "lf dot crlf": b"\n.\r\n", "crlf dot lf": b"\r\n.\n", "cr dot cr": b"\r.\r", "cr dot crlf": b"\r.\r\n", "crlf dot cr": b"\r\n.\r", "crcrlf": b"\r\r\n.\r\r\n",
        "dot crcrlf": b"\r\n.\r\r\n", "lf lf": b"\n\n.\r\n", "nul": b"\r\n.\0\r\n", "nul before": b"\r\n\0.\r\n", "the end itself": b"\r\n.\r\n", "dots": b"\r\n..\r\n"}
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


@quick
def test_smuggling_inside_an_encryption(top):
    """What the gateway opens it also sends on: an end of data that stands inside an encryption, where no server on the way could see it, ends nothing at the inside server."""
    gw, inside, _ = solo(top, start=False)
    tap = Tap(inside.address)
    gw.inside_server = tap.address
    gw.write_conf()
    gw.start()
    gw.make_identity()
    them = Identity(top, "partner", "DNS:partner.example")
    gw.postern("partner", "add", "partner.example")
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    for name, end in ENDS.items():
        inner = entity(b"before" + end + HIDDEN)
        for how, detached in (("opaque", False), ("detached", True)):
            signed = them.sign(inner, detached=detached, extra=("-binary",))
            code, text = send(gw.outside, THEM, US, with_header(seal(gw.files[1], signed), THEM, US, f"carrier {name}, {how}"))
            assert code == 250, (name, text)
    wait_for("all to be delivered or held", 60, lambda: not [m for m in gw.queue() if m["state"] in ("queued", "active")])
    got, held = [m.field("Subject") for m in inside.mails], [m for m in gw.queue(state="held")]
    assert all(s.startswith("carrier ") for s in got), got
    assert "carrier the end itself, opaque" in got and "carrier dots, opaque" in got, got
    assert len(got) + len(held) == 2 * len(ENDS), (got, held)
    with tap.lock:
        wire = bytes(tap.octets)
    assert wire.count(b"DATA\r\n") >= len(got) and not BARE.search(wire), BARE.search(wire)
    # two of an end of data each: ours, and never one more from inside
    for read in (wire, wire.replace(b"\0", b"")):  # nor where NUL is taken out
        ends = read.count(b"\r\n.\r\n")
        assert ends == len(got), (ends, len(got))


@quick
def test_smuggling_through_chunks(top):
    """BDAT carries any octets; what cannot be sent on by DATA as it is is refused or put in order, never passed on as an end of data."""
    gw, inside, outside = solo(top)
    gw.postern("partner", "add", "partner.example", "--treatment", "clear", "--strength", "never")
    tap = Tap(outside.address)
    gw.stop()
    gw.next_hop = tap.address
    gw.write_conf()
    gw.start()
    for name, end in ENDS.items():
        data = f"From: {US}\r\nTo: {THEM}\r\nSubject: carrier {name}\r\n\r\nbefore".encode() + end + HIDDEN
        t = Talk(gw.inside)
        for line in ("EHLO client.test", f"MAIL FROM:<{US}>", f"RCPT TO:<{THEM}>"):
            assert t.ask(line).startswith("250")
        half = len(data) // 2
        first = t.ask(b"BDAT %d\r\n%s" % (half, data[:half]))
        last = t.ask(b"BDAT %d LAST\r\n%s" % (len(data) - half, data[half:]))
        if name == "nul before":
            assert "550 5.6.0 The message has a line of NUL octets" in first + last, (first, last)
        elif BARE.search(data):
            assert last.startswith("550 5.5.2") or first.startswith("550 5.5.2"), (name, first, last)
        else:
            assert last.startswith("250 2.0.0"), (name, last)
        assert t.ask("QUIT").startswith("221")
        t.close()
    wait_for("the queue to be empty", 30, lambda: not [m for m in gw.queue() if m["state"] != "done"])
    assert {m.field("Subject") for m in outside.mails} == {"carrier nul", "carrier the end itself", "carrier dots"}, [m.header for m in outside.mails]
    with tap.lock:
        wire = bytes(tap.octets)
    assert not BARE.search(wire) and wire.count(b"\r\n.\r\n") == 3, wire[-2000:]
    for m in outside.mails:
        assert m.body.startswith(b"before") and m.body.endswith(b"evil\r\n")


@quick
def test_everything_over_long(top):
    """Each one is refused with its reason, or ends the session with 421; nothing of it is delivered, and the next client is served."""
    gw, inside, _ = solo(top, settings="header-max = 64k\n")
    x = "x" * 3000
    commands = {f"EHLO {x}": "500 5.5.2", "EHLO " + "x" * 300: "501 ", x: "500 5.5.2", f"NOOP {x}": "500 5.5.2", f"MAIL FROM:<{x}@y.example>": "500 5.5.2",
                f"MAIL FROM:<{'x' * 300}@y.example>": "5", f"MAIL FROM:<x@{'y.' * 140}example>": "5", f"MAIL FROM:<x@{'y' * 80}.example>": "5",
                "MAIL FROM:<x@y.example> SIZE=" + "9" * 30: "5", "MAIL FROM:<x@y.example> SIZE=18446744073709551617": "5", "MAIL FROM:<x@y.example> ENVID=" + "x" * 200: "5",
                "MAIL FROM:<x@y.example>" + " SIZE=1" * 20: "5", "VRFY " + "x" * 3000: "500 5.5.2"}
    for line, want in commands.items():
        t = Talk(gw.outside)
        if not line.startswith("EHLO"):
            t.ask("EHLO client.test")
        got = t.ask(line)
        assert got.startswith(want) and got[:3] not in ("250", "252"), (line[:60], got)
        assert t.ask("NOOP").startswith("250"), line[:60]
        t.close()
    for line in (f"RCPT TO:<{'a' * 65}@hospital.example>", f"RCPT TO:<{'a' * 300}@hospital.example>", f"RCPT TO:<{US}> ORCPT=rfc822;{'x' * 2000}", f"RCPT TO:<{x}>",
                 "BDAT 99999999999999999999999 LAST", "BDAT 18446744073709551617 LAST", "BDAT -1 LAST", "BDAT " + "1" * 600):
        t = Talk(gw.outside)
        for good in ("EHLO client.test", f"MAIL FROM:<{THEM}>", f"RCPT TO:<{US}>"):
            assert t.ask(good).startswith("250")
        got = t.ask(line)
        assert got[:1] == "5", (line[:60], got)
        t.close()
    t = Talk(gw.outside)  # a line without an end
    t.say(b"x" * 100000)
    assert t.reply().startswith(("500 5.5.2", "421 4.7.0"))
    t.close()
    head = f"From: {THEM}\r\nTo: {US}\r\nSubject: long\r\n"
    many = "".join(f"X-Field-{i}: y\r\n" for i in range(9000))
    for name, data in {"a field of 100 KiB": head + "X-Long: " + "x" * 100000 + "\r\n\r\nbody\r\n", "9,000 fields": head + many + "\r\nbody\r\n",
                       "a folded field of 100 KiB": head + "X-Long:" + " x\r\n" * 25000 + "\r\nbody\r\n",
                       "a boundary of 5,000": head + f"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{'b' * 5000}\"\r\n\r\n--{'b' * 5000}\r\n\r\nx\r\n--{'b' * 5000}--\r\n",
                       "101 trace fields": "".join(f"Received: from a by b; Sun, 22 Nov 2026 08:{i % 60:02}:00 +0000\r\n" for i in range(101)) + head + "\r\nbody\r\n"}.items():
        code, words = send(gw.outside, THEM, US, data.encode())
        assert code in (550, 552, 554) or "boundary" in name, (name, code, words)
    # a line of a body may be longer than SMTP allows: it is taken, as most servers do, or refused; nothing is cut off
    body = b"y" * 200000 + b"\r\n"
    code, words = send(gw.outside, THEM, US, message(THEM, US, "one line", body))
    assert code in (250, 550, 554), words
    assert send(gw.outside, THEM, US, message(THEM, US, "afterwards"))[0] == 250
    inside.by_subject("afterwards")
    wait_for("nothing to wait", 20, lambda: not [m for m in gw.queue() if m["state"] in ("queued", "active")])
    assert {m.field("Subject") for m in inside.mails} <= {"afterwards", "one line", "long"} and [m.field("Subject") for m in inside.mails].count("long") <= 1, [m.field("Subject") for m in inside.mails]
    assert code != 250 or b"".join(inside.by_subject("one line").body.split()) == body.strip()
    assert all(len(p) for p in gw.roles().values()) and "alarm=died" not in gw.log(gw.mark)


@quick
def test_reply_text_writes_nothing(top):
    """A host outside whose refusals are made to look like header fields, report parts or log lines: the sender's report and the log have its words, tamed, and nothing else."""
    gw, inside, outside = solo(top)
    gw.postern("partner", "add", "partner.example", "--treatment", "clear", "--strength", "never")
    evil = {"esc": "550 5.1.1 \x1b[2Jno\x07 \x7fsuch\x9b user", "boundary": "550 5.1.1 --=_report Content-Type: text/html", "log": "550 5.1.1 x\" why=\"fine\" dsn=2.0.0 delivered to=<ceo@hospital.example>",
            "field": "550 5.1.1 nobody Bcc: ceo@hospital.example", "encoded": "550 5.1.1 =?utf-8?B?DQpCY2M6IGNlb0Bob3NwaXRhbC5leGFtcGxl?=", "eight": "550 5.1.1 \xe9\xff\u0160", "long": "550 5.1.1 " + "x" * 900}
    for name, reply in evil.items():
        outside.refuse[f"{name}@partner.example"] = reply
        assert send(gw.inside, US, f"{name}@partner.example", message(US, f"{name}@partner.example", name))[0] == 250
    wait_for("all reports", 30, lambda: len([m for m in inside.mails if m.sender == ""]) >= len(evil))
    wait_for("nothing to wait", 20, lambda: not [m for m in gw.queue() if m["state"] in ("queued", "active")])
    for m in inside.mails:
        assert m.rcpts == [US] and m.sender == "" and not m.fields("Bcc") and m.fields("To") == [f"<{US}>"] or m.fields("To") == [US], m.header
        assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", m.data), m.data
        assert m.field("Content-Type").startswith("multipart/report")
        kinds = [part.get_content_type() for part in email.message_from_bytes(m.data).walk()]
        assert kinds[:4] == ["multipart/report", "text/plain", "message/delivery-status", "text/plain"] and "text/html" not in kinds, kinds
        assert not BARE.search(m.data) and max(map(len, m.data.split(b"\r\n"))) <= 998
    log = gw.log(gw.mark)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log)
    bounced = [line for line in log.split("\n") if " relay failed to=<log@partner.example>" in line]
    assert len(bounced) == 1 and bounced[0].count('"') == 4 and bounced[0].endswith("why='fine' dsn=2.0.0 delivered to=<ceo@hospital.example>\""), bounced
    assert not outside.mails
