"""The main job: sealed mail between two gateways, with every kind of content going through unharmed."""
from gateway import wait_for
from mail import message, pair, quick, send


@quick
def test_sealed_both_ways(top):
    hospital, lab, hs, ls = pair(top)
    for gw, sink, frm, to in ((hospital, ls, "a@hospital.example", "b@lab.example"), (lab, hs, "b@lab.example", "a@hospital.example")):
        data = message(frm, to, "both ways", "some text\r\n.dot\r\n")
        assert send(gw.inside, frm, to, data)[0] == 250
        mail = sink.by_subject("both ways")
        assert mail.sender == frm and mail.rcpts == [to]
        assert mail.body == data.split(b"\r\n\r\n", 1)[1]
        assert "smime=pass" in mail.field("Authentication-Results") and mail.field("X-Postern-Verdict") == "sealed"
    wait_for("one recorded outcome for each recipient", 10, lambda: all(
        r["state"] == "done" and r["outcome"] in ("delivered", "opened")
        for g in (hospital, lab) for m in g.queue() for r in m["recipients"]))


@quick
def test_contents_come_through(top):
    hospital, _, _, ls = pair(top)
    bodies = {
        "empty body": ("", b""),
        "no final newline": ("", b"the end"),
        "eight bit": ("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", "Grüße aus Köln\r\n".encode()),
        "long line": ("", b"x" * 5000 + b"\r\nshort\r\n"),
        "from line": ("", b"From here\r\n.\r\n..two\r\n"),
        "trailing blanks": ("", b"blanks   \r\ntab\t\r\n\r\n\r\n"),
        "large": ("", b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n" * 40000),
        "mixed": ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n", b"--b1\r\n\r\none\r\n--b1\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b1--\r\n"),
        "invitation": ("MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
    }
    for subject, (extra, body) in bodies.items():
        data = message("a@hospital.example", "b@lab.example", subject, body, extra)
        code, text = send(hospital.inside, "a@hospital.example", "b@lab.example", data, options=["BODY=8BITMIME"])
        assert code == 250, (subject, code, text)
    for subject, (extra, body) in bodies.items():
        mail = ls.by_subject(subject)
        want = body if body.endswith(b"\r\n") or not body else body + b"\r\n"  # SMTP has no message without a final line end
        assert mail.body == want, (subject, mail.body[:100])
        assert mail.field("X-Postern-Verdict") == "sealed", subject
        if extra:
            assert mail.field("Content-Type") == [v.split(": ", 1)[1] for v in extra.split("\r\n") if v.startswith("Content-Type")][0]


def test_bcc_never_leaks(top):
    hospital, _, _, ls = pair(top)
    data = message("a@hospital.example", "b@lab.example", "blind", extra="Bcc: secret@lab.example\r\n")
    assert send(hospital.inside, "a@hospital.example", ["b@lab.example", "secret@lab.example"], data)[0] == 250
    got = ls.wait(1, 30, lambda m: m.field("Subject") == "blind")
    for m in got:
        assert b"Bcc:" not in m.header
