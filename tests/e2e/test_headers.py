"""Header fields that are protected: hidden on the wire and restored inside, changed outside, by older programs; Bcc nowhere."""
from gateway import Gateway
from mail import quick, send, solo
from sink import Sink
from smime import Identity, seal, verify, with_header

US, THEM = "a@hospital.example", "b@lab.example"
SECRET = "secret@lab.example"
FIELDS = [
    ("From", "Ward 7 <a@hospital.example>"), ("To", "b@lab.example"), ("Bcc", SECRET), ("Subject", "SECRETSUBJECT of\r\n\tpatient"),
    ("Thread-Topic", "SECRETSUBJECT of patient"), ("Date", "Sun, 22 Nov 2026 08:00:00 +0100"), ("Message-ID", "<%s@hospital.example>"),
    ("MIME-Version", "1.0"), ("X-Ward", "7"), ("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "8bit"),
]
BODY = "Befund für SECRETBODY\r\n".encode()


def message(number):
    """The octets, and the fields that must come out: all but Bcc."""
    fields = [f"{n}: {v % number if '%s' in v else v}\r\n" for n, v in FIELDS]
    return ("".join(fields) + "\r\n").encode() + BODY, "".join(f for f in fields if not f.startswith("Bcc")).encode()


def two(top):
    """hospital, whose mail to the world goes into a sink (the wire), and lab, which trust each other; the sink behind lab."""
    hs, ls, wire = Sink(), Sink(), Sink()
    hospital = Gateway(top, "hospital", "hospital.example", hs.address, wire.address)
    lab = Gateway(top, "lab", "lab.example", ls.address, f"127.0.0.1:{hospital.outside}")
    for g in (hospital, lab):
        g.start(wait=False)
    for g in (hospital, lab):
        g.wait_ready()
        g.make_identity()
    hospital.trust(lab, "--treatment", "seal", "--strength", "require")
    lab.trust(hospital, "--treatment", "seal", "--strength", "require")
    return hospital, lab, wire, ls


def on_the_wire(hospital, wire, number, rcpts=(THEM,)):
    """What leaves for them: one message a recipient, or one for all."""
    data, fields = message(number)
    code, text = send(hospital.inside, US, list(rcpts), data, options=["BODY=8BITMIME"])
    assert code == 250, text
    got = wire.wait(1, 30, lambda m: f"<{number}@hospital.example>" in (m.field("Message-ID") or ""))
    while sum(len(m.rcpts) for m in got) < len(rcpts):
        got = wire.wait(len(got) + 1, 30, lambda m: f"<{number}@hospital.example>" in (m.field("Message-ID") or ""))
    return got, fields


def through(lab, ls, mail, octets=None):
    """That message, or what an attacker made of it, as lab's people get it."""
    seen = len(ls.wait(0, 0))
    code, text = send(lab.outside, US, mail.rcpts, octets or mail.data)
    assert code == 250, text
    return ls.wait(seen + 1, 30)[-1]


@quick
def test_subject_is_hidden_and_restored(top):
    hospital, lab, wire, ls = two(top)
    for wrap in ("rfc9788", "message", "rfc9788 legacy-display=yes", "rfc9788 triple=yes"):
        number = wrap.replace(" ", "-").replace("=", "-")
        hospital.postern("partner", "set", "lab.example", "--format", f"wrap={wrap}")
        got, fields = on_the_wire(hospital, wire, number, (THEM, SECRET))
        for m in got:
            assert b"SECRET" not in m.data and b"Bcc:" not in m.data and b"secret@" not in m.data, m.header
            assert m.field("Subject") == "[...]" and m.field("X-Ward") == "7", m.header
            assert m.field("Message-ID") == f"<{number}@hospital.example>" and m.field("Date") == "Sun, 22 Nov 2026 08:00:00 +0100"
            mail = through(lab, ls, m)
            assert "smime=pass" in mail.field("Authentication-Results") and mail.field("X-Postern-Headers") == "protected", mail.header
            assert mail.header.rstrip(b"\r\n").endswith(fields.rstrip(b"\r\n")), (wrap, mail.header)
            assert mail.body == BODY, mail.body
            assert b"secret@" not in mail.data.lower() and b"bcc:" not in mail.header.lower(), mail.header
            assert (mail.field("X-Postern-Recipients") or "").startswith("bound" if mail.rcpts == [THEM] else "not bound"), mail.header
    # a reader of whom nothing is known: nothing is done that it might not understand
    hospital.postern("partner", "set", "lab.example", "--format", "")
    got, fields = on_the_wire(hospital, wire, "none")
    assert "SECRETSUBJECT" in got[0].field("Subject") and b"SECRETBODY" not in got[0].data
    mail = through(lab, ls, got[0])
    assert mail.field("X-Postern-Headers") is None and b"hp=" not in mail.data and "SECRETSUBJECT" in mail.field("Subject")


def test_further_fields_are_hidden(top):
    """What is set in section format is not on the wire, and comes back; what must not be hidden is refused with what may be."""
    hs, ls, wire = Sink(), Sink(), Sink()
    hospital = Gateway(top, "hospital", "hospital.example", hs.address, wire.address, sections='format {\n hide = {"Subject", "X-Ward"}\n}\n')
    lab = Gateway(top, "lab", "lab.example", ls.address, f"127.0.0.1:{hospital.outside}")
    for g in (hospital, lab):
        g.start(wait=False)
    for g in (hospital, lab):
        g.wait_ready()
        g.make_identity()
    hospital.trust(lab, "--treatment", "seal", "--strength", "require")
    lab.trust(hospital, "--treatment", "seal", "--strength", "require")
    for wrap in ("rfc9788", "message"):
        hospital.postern("partner", "set", "lab.example", "--format", f"wrap={wrap}")
        got, fields = on_the_wire(hospital, wire, "hide-" + wrap)
        assert got[0].field("Subject") == "[...]" and b"X-Ward" not in got[0].data and got[0].field("Thread-Topic"), got[0].header
        mail = through(lab, ls, got[0])
        assert mail.field("X-Postern-Headers") == "protected" and mail.header.rstrip(b"\r\n").endswith(fields.rstrip(b"\r\n")), mail.header


@quick
def test_changed_on_the_way(top):
    hospital, lab, wire, ls = two(top)
    hospital.postern("partner", "set", "lab.example", "--format", "wrap=rfc9788")
    got, fields = on_the_wire(hospital, wire, "one")
    changes = {
        b"Subject: [...]": b"Subject: pay eve at once",
        b"To: b@lab.example": b"To: eve@evil.example",
        b"X-Ward: 7": b"X-Ward: 8",
        b"From: Ward 7 <a@hospital.example>": b"From: Ward 7 <eve@evil.example>",
        b"MIME-Version: 1.0": b"Reply-To: eve@evil.example\r\nMIME-Version: 1.0",
    }
    for old, new in changes.items():
        assert got[0].data.count(old) == 1, (old, got[0].header)
        mail = through(lab, ls, got[0], got[0].data.replace(old, new))
        said = mail.field("X-Postern-Headers")
        name = new.split(b":")[0].decode()
        assert said.startswith("protected;") and f"not as they were sent: {name}" in " ".join(said.split()), said
        shown = mail.header[mail.header.index(b"X-Postern-Headers"):]
        assert b"eve" not in shown and b"X-Ward: 8" not in shown, mail.header
        assert shown.rstrip(b"\r\n").endswith(fields.rstrip(b"\r\n")), shown
        assert "smime=pass" in mail.field("Authentication-Results") and mail.field("X-Postern-Recipients").startswith("bound")
    # the same octets to somebody to whom they were not written
    assert send(lab.outside, US, "c@lab.example", got[0].data)[0] == 250
    mail = ls.wait(len(changes) + 1, 30)[-1]
    assert mail.rcpts == ["c@lab.example"] and mail.field("X-Postern-Recipients").startswith("not bound"), mail.header


INNER = "From: a@hospital.example\r\nTo: c@hospital.example\r\nSubject: the real subject\r\nMessage-ID: <7@partner.example>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\n"
OLD = {
    "protected-headers": INNER + 'Content-Type: text/plain; protected-headers="v1"\r\n\r\nthe text\r\n',
    "memory hole": INNER + 'Content-Type: multipart/mixed; boundary="b"; protected-headers="v1"\r\n\r\n--b\r\nContent-Type: text/rfc822-headers; protected-headers="v1"\r\n'
    "Content-Disposition: inline\r\n\r\nSubject: the real subject\r\n\r\n--b\r\n\r\nthe text\r\n--b--\r\n",
    "wrapped": "Content-Type: message/rfc822; forwarded=no\r\n\r\n" + INNER + "\r\nthe text\r\n",
    "rfc 9788": INNER + 'Content-Type: text/plain; charset=us-ascii; hp-legacy-display="1";\r\n hp="cipher"\r\nHP-Outer: Subject: [...]\r\n\r\nSubject: the real subject\r\n\r\nthe text\r\n',
}


def test_by_other_programs(top):
    """Made with openssl alone."""
    gw, inside, outside = solo(top)
    them, sender = Identity(top, "partner", "DNS:partner.example"), "p@partner.example"
    gw.postern("partner", "add", "partner.example", "--treatment", "seal", "--strength", "require")
    gw.postern("cert", "import", them.cert, "--for", "partner.example", "--pin", "--yes")
    for i, (name, text) in enumerate(OLD.items()):
        text = text.replace("From: a@hospital.example", f"From: {sender}").replace("To: c@", "To: a@")
        smime = seal(f"{gw.dir}/decrypt.pem", them.sign(text.encode(), extra=["-binary"]))
        assert b"real subject" not in smime
        assert send(gw.outside, sender, US, with_header(smime, sender, US, "[...]"))[0] == 250
        mail = inside.wait(i + 1, 30)[-1]
        assert mail.field("Subject") == "the real subject" and "smime=pass" in mail.field("Authentication-Results"), (name, mail.header)
        assert mail.field("Message-ID") == "<7@partner.example>" and mail.field("X-Postern-Headers").startswith("protected"), mail.header
        assert b"[...]" not in mail.data and b"hp-" not in mail.data.lower() and b"the text" in mail.body, (name, mail.data)
        if name == "rfc 9788":
            assert mail.body == b"the text\r\n", mail.body
    # what we write, as openssl reads it: everything inside, Bcc nowhere
    gw.postern("partner", "set", "partner.example", "--format", "wrap=rfc9788 legacy-display=yes")
    data, fields = message("two")
    data = data.replace(b"b@lab.example", sender.encode())
    assert send(gw.inside, US, [sender, SECRET.replace("lab", "partner")], data, options=["BODY=8BITMIME"])[0] == 250
    mail = outside.wait(1, 30)[0]
    content = verify(them.open(mail.data), f"{gw.dir}/sign.pem")
    assert b'hp="cipher"' in content and b"HP-Outer: Subject: [...]" in content and b"SECRETSUBJECT" in content, content
    assert b"bcc:" not in content.lower() and b"secret@" not in content and b"SECRET" not in mail.data
    assert b'hp-legacy-display="1"' in content and content.replace(b"\r\n", b"\n").count(b"\nSubject: SECRETSUBJECT") == 2, content
