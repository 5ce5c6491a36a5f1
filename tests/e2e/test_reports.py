"""Delivery reports (DSNs) from outside, matched to what was sent: real ones of Postfix, in the clear and sealed, and forged ones, which change nothing."""
import base64
import email
import quopri
import re
import smtplib

from gateway import Gateway, free_ports, wait_for
from postfix import Postfix
from sink import Sink

CLEAR = "default-treatment = clear\ndefault-strength = prefer\nrelay-tls = none\n"
# what it does not know it bounces later, as a backup MX does
LATER = {"smtpd_reject_unlisted_recipient": "no", "delay_warning_time": "1s", "virtual_mailbox_maps": "inline:{good@lab.example=good/}"}


def message(to, subject, body="the words of the message"):
    return f"From: doctor@hospital.example\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@hospital.example>\r\n\r\n{body}\r\n"


def send(port, to, subject, mail_options=(), rcpt_options=()):
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as s:
        s.sendmail("doctor@hospital.example", [to], message(to, subject), mail_options, rcpt_options)


def bounce(port, rcpt, subject, body, to="doctor@hospital.example", mta="elsewhere.example"):
    """A report as anybody may write it, to one or several; the answer to the last dot."""
    tos = [to] if isinstance(to, str) else to
    to = tos[0]
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as s:
        s.ehlo("elsewhere.example")
        s.docmd("MAIL FROM:<>")
        for rcpt_to in tos:
            assert s.docmd(f"RCPT TO:<{rcpt_to}>")[0] == 250
        return s.data(f"From: MAILER-DAEMON@elsewhere.example\r\nTo: {to}\r\nSubject: {subject}\r\nX-Postern-DSN: matched id=forged\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
                      f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {mta}\r\n\r\nFinal-Recipient: rfc822; {rcpt}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                      f"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{body}\r\n--b--\r\n")


def record(g, message_id):
    """The outbound message of that Message-ID, as `queue show` tells it."""
    ids = [m["id"] for m in g.queue(match=message_id) if m["kind"] == "outbound"]
    return g.cli("queue", "show", ids[0]) if ids else None


def reported(g, message_id, action):
    """The record and the report, once it is there."""
    def there():
        m = record(g, message_id)
        return [(m, r, p) for r in (m or {"recipients": []})["recipients"] for p in r.get("reports", []) if p["action"] == action]
    return wait_for(f"a report that {message_id} {action}", 60, there)[0]


def test_postfix_outside(top):
    """Unknown users (RET=FULL with ENVID, RET=HDRS), a host that is away, a success that was asked for; then forgeries."""
    inside = Sink()
    dead = free_ports(1)[0]
    h = Gateway(top, "hospital", "hospital.example", inside.address, settings=CLEAR + "subject-mark = yes\n", domain_settings="unsigned = hold\nrecipients = any\n")
    p = Postfix(top, "outside", f"[127.0.0.1]:{h.outside}", "lab.example", maildir=True, extra=dict(LATER, transport_maps=f"inline:{{slow.example=smtp:[127.0.0.1]:{dead}}}"))
    h.next_hop = p.address
    h.write_conf()
    p.start()
    h.start()
    try:
        send(h.inside, "unknown1@lab.example", "full", ["RET=FULL", "ENVID=env+2Bfull"], ["ORCPT=rfc822;Unknown+2B1@lab.example"])
        send(h.inside, "unknown2@lab.example", "hdrs", ["RET=HDRS"])
        send(h.inside, "wait@slow.example", "slow", ["ENVID=slow1"], ["NOTIFY=DELAY,FAILURE"])
        send(h.inside, "good@lab.example", "good", [], ["NOTIFY=SUCCESS"])
        for subject, rcpt, action, status in (("full", "unknown1@lab.example", "failed", "5.1.1"), ("hdrs", "unknown2@lab.example", "failed", "5.1.1"),
                                              ("slow", "wait@slow.example", "delayed", "4."), ("good", "good@lab.example", "delivered", "2.")):
            m, r, rep = reported(h, f"<{subject}@hospital.example>", action)
            assert r["address"] == rcpt and r["outcome"] == "delivered" and r["remote"], m
            assert rep["mta"] == "outside.postfix.test" and rep["status"].startswith(status), rep
            assert action != "failed" or rep["diagnostic"], rep
            mail = inside.wait(1, 30, lambda x: f"matched id={m['id']}" in (x.field("X-Postern-DSN") or ""))[0]
            # unsigned mail is held here; this goes through as far as it is no content, and marked
            assert mail.field("X-Postern-Verdict") == "clear" and mail.field("Subject").startswith("[not verified] "), mail.header
            assert mail.sender == "" and b"the words of the message" not in mail.data and f"<{subject}@hospital.example>".encode() in mail.body, mail.data
            about = h.cli("queue", "show", rep["message"])
            assert about["about"] == [m["id"]] and about["kind"] == "inbound" and m["notices"] == [rep["message"]]
        text = h.postern("queue", "show", m["id"])[1]
        assert "Reported:" in text and "delivered by outside.postfix.test" in " ".join(text.split()) and "Notices:" in text, text
        assert not h.queue(state="held")

        # forged: about a message that still waits here
        p.stop()
        send(h.inside, "later@lab.example", "later", ["ENVID=later1"])
        wait_for("the message to wait", 30, lambda: (record(h, "<later@hospital.example>") or {"state": ""})["state"] == "queued")
        assert bounce(h.outside, "later@lab.example", "forged1", message("later@lab.example", "later"))[0] == 250
        m, r, rep = reported(h, "<later@hospital.example>", "failed")
        assert r["state"] == "queued" and r["outcome"] == "" and rep["mta"] == "elsewhere.example", m
        # with a wrong recipient; for another sender; about nothing; for the sender and others: held here, as unsigned mail is, and never on record
        before = record(h, "<later@hospital.example>")
        for n, (rcpt, subject, to) in enumerate((("else@lab.example", "later", "doctor@hospital.example"), ("later@lab.example", "later", "nurse@hospital.example"),
                                                 ("later@lab.example", "nothing", "doctor@hospital.example"),
                                                 ("later@lab.example", "later", ["doctor@hospital.example", "nurse@hospital.example"]))):
            assert bounce(h.outside, rcpt, f"forged-b{n}", message(rcpt, subject), to)[0] == 250
        assert len(h.queue(state="held")) == 4
        after = record(h, "<later@hospital.example>")
        assert [x.get("reports") for x in after["recipients"]] == [x.get("reports") for x in before["recipients"]] and after["notices"] == before["notices"]
        h.postern("queue", "release", *[x["id"] for x in h.queue(state="held")])
        for n, why in enumerate(("was not sent to whom it names", "its recipient is not known", "its recipient is not known", "it is for several")):
            field = inside.by_subject(f"forged-b{n}").fields("X-Postern-DSN")
            assert len(field) == 1 and field[0].startswith("unmatched; ") and why in field[0], field
        # what a report says is no word of ours in the log
        said = 'x" y why="queued'
        for subject in ("later", "nothing"):
            assert bounce(h.outside, "later@lab.example", "forged-c", message("later@lab.example", subject), mta=said)[0] == 250
        assert len(re.findall(r""" dsn (?:about=\S+ to=<later@lab.example> action=failed status=5.1.1|unmatched) mta="x' y why='queued" """, h.log())) == 2, h.log()
        h.postern("queue", "release", *[x["id"] for x in h.queue(state="held")])
        # the outside is back: what was "reported failed" is delivered
        p.start()
        h.postern("queue", "retry", after["id"])
        wait_for("its delivery", 30, lambda: record(h, "<later@hospital.example>")["recipients"][0]["outcome"] == "delivered")
        wait_for("the real report", 60, lambda: len(record(h, "<later@hospital.example>")["recipients"][0]["reports"]) == 3)
    finally:
        h.stop()
        p.stop()
        inside.close()


def test_sealed(top):
    """Two gateways, everything sealed: the other house's server bounces, its gateway seals the report, ours opens and matches it. And reports about nothing are refused."""
    inside = Sink()
    h = Gateway(top, "hospital", "hospital.example", inside.address, settings="dsn-unmatched = refuse\n")
    lab = Gateway(top, "lab", "lab.example", "127.0.0.1:1")
    p = Postfix(top, "lab", f"[127.0.0.1]:{lab.inside}", "lab.example", maildir=True, extra=dict(LATER, myorigin="lab.example"))
    lab.inside_server, lab.next_hop, h.next_hop = p.address, f"127.0.0.1:{h.outside}", f"127.0.0.1:{lab.outside}"
    for g in (h, lab):
        g.write_conf()
    p.start()
    for g in (h, lab):
        g.start(wait=False)
    try:
        for g in (h, lab):
            g.wait_ready()
            g.make_identity()
        h.trust(lab, "--strength", "require")
        lab.trust(h, "--strength", "require")
        send(h.inside, "unknown@lab.example", "sealed", ["ENVID=sealed1"])
        m, r, rep = reported(h, "<sealed@hospital.example>", "failed")
        assert r["treatment"] == "seal" and r["address"] == "unknown@lab.example" and rep["status"] == "5.1.1", m
        mail = inside.wait(1, 30, lambda x: f"matched id={m['id']}" in (x.field("X-Postern-DSN") or ""))[0]
        assert mail.field("X-Postern-Verdict") == "sealed", mail.header
        code, text = bounce(h.outside, "unknown@lab.example", "about nothing", message("unknown@lab.example", "other"))
        assert code == 550 and b"5.7.1" in text and b"delivery report" in text, (code, text)
    finally:
        for g in (h, lab):
            g.stop()
        p.stop()
        inside.close()


def test_notice_for_an_old_server(top):
    """A notice about mail that came with SMTPUTF8 reaches an inside server without 8BITMIME and SMTPUTF8, with the message's header, or all of it when that was asked for; one that
    its sender's server refuses goes to the postmaster. Each names its message, and the message its notices."""
    inside, outside = Sink(eightbit=False), Sink()
    g = Gateway(top, "hospital", "hospital.example", inside.address, next_hop=outside.address, settings=CLEAR + 'postmaster = "postmaster@hospital.example"\n',
                domain_settings="recipients = any\n")
    g.start()
    subject = "Grüße vom Jörg"
    try:
        for n, (ret, ctype, cte) in enumerate((("HDRS", "message/global-headers", "quoted-printable"), ("FULL", "message/global", "base64"))):
            with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
                s.sendmail("doctor@hospital.example", ["x@lab.example"], f"From: doctor@hospital.example\r\nTo: x@lab.example\r\nSubject: {subject} {n}\r\nMessage-ID: <u{n}@hospital.example>\r\n\r\n"
                           "schöne Grüße\r\n".encode(), ["SMTPUTF8", "BODY=8BITMIME", f"RET={ret}"])
            mail = inside.wait(n + 1, 30)[n]
            assert mail.rcpts == ["doctor@hospital.example"] and max(mail.data) < 0x80, mail.data
            parts = list(email.message_from_bytes(mail.data).walk())
            # the parser takes a message/* part for a message inside: its header is what the encoding hides
            back = [p for p in parts if p.get_content_type() == ctype]
            assert back and back[0]["Content-Transfer-Encoding"] == cte, mail.data
            body = mail.data.split(f"Content-Type: {ctype}".encode(), 1)[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n--=_report", 1)[0]
            text = (base64.b64decode(body) if cte == "base64" else quopri.decodestring(body)).decode()
            assert f"Subject: {subject} {n}" in text and ("schöne Grüße" in text) == (ret == "FULL"), text
            m = record(g, f"<u{n}@hospital.example>")
            assert len(m["notices"]) == 1 and m["recipients"][0]["outcome"] == "bounced", m
            notice = g.cli("queue", "show", m["notices"][0])
            assert notice["kind"] == "notice" and notice["about"] == [m["id"]], notice
        # 8-bit content without SMTPUTF8: it goes back whole, and in 7 bits
        outside.refuse["z@lab.example"] = "550 5.1.1 no"
        with smtplib.SMTP("127.0.0.1", g.inside, timeout=30) as s:
            s.sendmail("doctor@hospital.example", ["z@lab.example"], message("z@lab.example", "eight", "schöne Grüße").encode(), ["BODY=8BITMIME", "RET=FULL"])
        mail = inside.wait(3, 30)[2]
        assert mail.rcpts == ["doctor@hospital.example"] and max(mail.data) < 0x80 and mail.field("Content-Transfer-Encoding") == "7bit", mail.data
        body = mail.data.split(b"Content-Type: message/global\r\nContent-Transfer-Encoding: base64", 1)[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n--=_report", 1)[0]
        assert base64.b64decode(body).decode().endswith("\r\nschöne Grüße\r\n")
        assert g.cli("queue", "show", record(g, "<eight@hospital.example>")["notices"][0])["recipients"][0]["outcome"] == "delivered"
        # the sender's server refuses the notice: the postmaster gets one about it
        inside.refuse["doctor@hospital.example"] = "550 5.1.1 moved away"
        outside.refuse["y@lab.example"] = "550 5.1.1 no"
        send(g.inside, "y@lab.example", "double")
        mail = inside.wait(1, 30, lambda x: x.rcpts == ["postmaster@hospital.example"])[0]
        first = g.cli("queue", "show", record(g, "<double@hospital.example>")["notices"][0])
        second = g.cli("queue", "show", first["notices"][0])
        assert first["recipients"][0]["outcome"] == "bounced" and second["about"] == [first["id"]] and second["kind"] == "notice", (first, second)
        text = g.postern("queue", "show", first["id"])[1]
        assert "About:" in text and first["about"][0] in text and "Notices:" in text and second["id"] in text, text
    finally:
        g.stop()
        inside.close()
        outside.close()
