#!/usr/bin/env python3
"""A corpus of messages in the shapes that real mail has: what programs write, what relays do to it, what breaks others.

corpus.py DIR writes each message into DIR/NAME.eml, octet for octet (seeds for the fuzz targets, files to look at). Tests import cases(). All of it is made here, deterministically;
nobody in it exists.
"""
import base64
import os
import quopri
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WARD, DESK, LAB = "ward7@hospital.example", "desk@hospital.example", "results@lab.example"
MIME = "MIME-Version: 1.0"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082")


class Case:
    """name; data: the octets; sender: of the envelope; options: parameters of MAIL, None when SMTP cannot carry it to its end."""
    def __init__(self, name, data, sender=WARD, options=("BODY=8BITMIME",)):
        self.name, self.data, self.sender, self.options = name, data, sender, options


def crlf(text):
    octets = text.encode() if isinstance(text, str) else text
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def head(name, *fields, frm=WARD, to=LAB, subject=None):
    """The usual fields, then these."""
    lines = [f"From: {frm}", f"To: {to}", f"Subject: {subject or name}", "Date: Sun, 22 Nov 2026 08:00:00 +0100", f"Message-ID: <{name}@hospital.example>", *fields]
    return b"".join((x if isinstance(x, bytes) else x.encode()) + b"\r\n" for x in lines)


def text_of(lines=6):
    """Lines as people write them; all ASCII."""
    story = ("Please find the report of the second specimen below.", "The first one was haemolysed; a new tube is on its way.", "", "  Sodium     139 mmol/l",
             "  Potassium  4.1 mmol/l", "Kind regards, ward 7")
    return "".join(story[i % len(story)] + "\r\n" for i in range(lines)).encode()


def b64(octets, width=76):
    t = base64.b64encode(octets)
    return b"".join(t[i:i + width] + b"\r\n" for i in range(0, len(t), width))


def qp(octets):
    return crlf(quopri.encodestring(octets.replace(b"\r\n", b"\n")))


def octets(n, seed=7):
    """n octets without a pattern that a coder could make use of; the same on every machine."""
    out, x = bytearray(), seed
    while len(out) < n:
        x = (x * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += x.to_bytes(8, "little")
    return bytes(out[:n])


def part(body, *fields):
    return b"".join((x if isinstance(x, bytes) else x.encode()) + b"\r\n" for x in fields) + b"\r\n" + (body if isinstance(body, bytes) else body.encode())


def multi(boundary, *parts, preamble=b"", epilogue=b"", close=True):
    out = preamble
    for p in parts:
        out += b"--" + boundary.encode() + b"\r\n" + p + b"\r\n"
    return out + (b"--" + boundary.encode() + b"--\r\n" if close else b"") + epilogue


def mail(name, body=None, *fields, **kw):
    frame = {k: kw.pop(k) for k in ("frm", "to", "subject") if k in kw}
    return Case(name, head(name, *fields, **frame) + b"\r\n" + (text_of() if body is None else body.encode() if isinstance(body, str) else body), **kw)


def data_file(name):
    with open(os.path.join(HERE, name), "rb") as f:
        return crlf(f.read())


TEXT = part(text_of(3), "Content-Type: text/plain; charset=us-ascii")
HTML = part("<html><body><p>Please find the report below.</p></body></html>\r\n", "Content-Type: text/html; charset=us-ascii")
PDF = part(b64(b"%PDF-1.4\n" + octets(900)), 'Content-Type: application/pdf; name="report.pdf"', "Content-Transfer-Encoding: base64",
           'Content-Disposition: attachment; filename="report.pdf"')


# ---- text, lines, charsets ----

def bodies():
    yield mail("plain")
    yield mail("plain-no-mime-one-line", b"ok\r\n")
    yield mail("empty-body", b"")
    yield Case("header-only", head("header-only"))
    yield Case("header-only-no-line-end", head("header-only-no-line-end")[:-2])
    yield mail("one-empty-line", b"\r\n")
    yield mail("many-empty-lines", b"\r\n" * 40)
    yield mail("no-final-newline", b"the last line has no end")
    yield mail("no-final-newline-eight-bit", "das Ende fehlt: ü".encode(), MIME, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
    yield mail("trailing-blanks", b"two blanks  \r\na tab\t\r\n   \r\n\t\r\n \t \r\nend \r\n")
    yield mail("leading-blanks", b"  indented\r\n\tby a tab\r\n")
    yield mail("from-lines", b"From the ward:\r\nFrom: not a field\r\n>From here\r\n From there\r\nfrom below\r\n\r\nFrom ward7@hospital.example Sun Nov 22 08:00:00 2026\r\n")
    yield mail("lone-dots", b".\r\n..\r\n...\r\n.a\r\n. \r\nend\r\n.\r\n")
    yield mail("dots-at-the-end", b"text\r\n.\r\n.\r\n.\r\n")
    yield mail("dot-in-long-line", b"." + b"x" * 2000 + b"\r\n.\r\n")
    yield mail("line-998", b"a" * 998 + b"\r\n")
    yield mail("line-999", b"a" * 999 + b"\r\n")
    yield mail("line-1000-blanks", (b"word " * 200) + b"\r\n")
    yield mail("line-5000", b"y" * 5000 + b"\r\nshort\r\n")
    yield mail("line-70000", b"z" * 70000 + b"\r\n")
    yield mail("line-70000-eight-bit", b"\xe4" * 70000 + b"\r\n", MIME, "Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: 8bit")
    yield mail("long-html-line", b"<p>" + b"<b>result</b> " * 600 + b"</p>\r\n", MIME, "Content-Type: text/html; charset=utf-8")
    yield mail("control-octets", b"bell \x07 form feed \x0c vertical \x0b escape \x1b[1m delete \x7f\r\n")
    yield mail("nul-octets", b"zero \x00 in the text\r\n\x00\x00\r\n", MIME, "Content-Type: application/octet-stream", "Content-Transfer-Encoding: 8bit")
    yield mail("signature-separator", b"text\r\n-- \r\nward 7\r\nhospital.example\r\n")
    yield mail("hyphen-lines", b"--\r\n---\r\n--not-a-boundary\r\n--=_postern_x\r\n-----BEGIN SOMETHING-----\r\n")
    yield mail("equals-at-line-end", b"a=\r\nb=20\r\nc =3D d\r\n")
    yield mail("header-look-alikes", b"Content-Type: text/html\r\nSubject: not a field\r\n\r\n<b>text</b>\r\n")
    yield mail("one-octet", b"x")
    yield mail("two-hundred-kib", text_of(4500))
    yield mail("ascii-art", b"  +----+   \r\n  | ab |\t\t\r\n  +----+\\  \r\n")
    yield mail("base64-look-alike", b64(octets(300)))
    yield mail("uuencode-in-text", b"begin 644 report.txt\r\n#0V%T\r\n`\r\nend\r\n")
    yield mail("yenc-octets", b"=ybegin line=128 size=5 name=a.bin\r\n" + bytes(i for i in range(1, 256) if i not in (10, 13)) + b"\r\n=yend size=5\r\n")
    yield mail("all-octets-but-line-ends", b"".join(bytes([i]) for i in range(256) if i not in (10, 13)) + b"\r\n", MIME, "Content-Type: application/octet-stream",
               "Content-Transfer-Encoding: 8bit")


def charsets():
    def eight(name, charset, body, *more):
        ct = f"Content-Type: text/plain; charset={charset}" if charset else "Content-Type: text/plain"
        return mail(name, body, MIME, ct, "Content-Transfer-Encoding: 8bit", *more)
    german = "Grüße von der Station: Röntgen, Blutdruck mäßig, größer als 5 µg\r\n"
    yield eight("utf-8", "utf-8", german.encode())
    yield eight("utf-8-quoted-name", '"UTF-8"', german.encode())
    yield eight("utf-8-bom", "utf-8", b"\xef\xbb\xbf" + german.encode())
    yield eight("utf-8-astral", "utf-8", "\U0001fa7a \U0001f489 ok\r\n".encode())
    yield eight("utf-8-broken", "utf-8", b"cut \xc3\r\n overlong \xc0\xaf surrogate \xed\xa0\x80\r\n")
    yield eight("iso-8859-1", "iso-8859-1", german.replace("µ", "u").encode("latin-1"))
    yield eight("iso-8859-15-euro", "iso-8859-15", "12 € für die Untersuchung\r\n".encode("iso-8859-15"))
    yield eight("windows-1252", "windows-1252", "“quoted” – 5 € … ‚so‘\r\n".encode("cp1252"))
    yield eight("windows-1252-said-to-be-latin-1", "iso-8859-1", "“quoted” – 5 €\r\n".encode("cp1252"))
    yield eight("koi8-r", "koi8-r", "Результаты анализов\r\n".encode("koi8-r"))
    yield eight("windows-1251", "windows-1251", "Результаты анализов\r\n".encode("cp1251"))
    yield eight("big5", "big5", "檢驗報告\r\n".encode("big5"))
    yield eight("gb18030", "gb18030", "检验报告\r\n".encode("gb18030"))
    yield eight("shift-jis", "shift_jis", "検査結果 ソ表\r\n".encode("shift_jis"))
    yield eight("euc-kr", "euc-kr", "검사 결과\r\n".encode("euc-kr"))
    yield mail("iso-2022-jp", "検査結果です。よろしく\r\n".encode("iso-2022-jp"), MIME, "Content-Type: text/plain; charset=ISO-2022-JP", "Content-Transfer-Encoding: 7bit")
    yield mail("iso-2022-jp-open-ended", b"\x1b$B8!::7k2L\r\n", MIME, "Content-Type: text/plain; charset=ISO-2022-JP", "Content-Transfer-Encoding: 7bit")
    yield mail("utf-7", "Grüße von der Station\r\n".encode("utf-7"), MIME, "Content-Type: text/plain; charset=utf-7", "Content-Transfer-Encoding: 7bit")
    yield mail("hz-gb-2312", "检验\r\n".encode("hz"), MIME, "Content-Type: text/plain; charset=hz-gb-2312")
    yield mail("eight-bit-undeclared", german.encode("latin-1"))
    yield mail("eight-bit-said-to-be-seven", german.encode(), MIME, "Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 7bit")
    yield mail("eight-bit-in-mime-without-encoding", german.encode(), MIME, "Content-Type: text/plain; charset=utf-8")
    yield eight("charset-unknown", "x-station-7", german.encode("latin-1"))
    yield eight("charset-empty", '""', german.encode())
    yield eight("charset-language", "utf-8*en", german.encode())
    yield mail("utf-16-base64", b64("Grüße\r\n".encode("utf-16")), MIME, "Content-Type: text/plain; charset=utf-16", "Content-Transfer-Encoding: base64")
    yield mail("no-charset-html-meta", '<html><head><meta charset="utf-8"></head><body>Grüße</body></html>\r\n'.encode(), MIME, "Content-Type: text/html",
               "Content-Transfer-Encoding: 8bit")
    flowed = b"A paragraph that was written in one go and is to be \r\nput together again by who reads it.\r\n\r\n> quoted once \r\n> and flowed\r\n>> twice\r\n-- \r\nward 7\r\n"
    yield mail("format-flowed", flowed, MIME, "Content-Type: text/plain; charset=us-ascii; format=flowed")
    yield mail("format-flowed-delsp", flowed.replace(b"be ", b"be  "), MIME, "Content-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes")
    yield mail("format-flowed-stuffed", b" From here \r\n > not quoted \r\n  .\r\nend\r\n", MIME, "Content-Type: text/plain; charset=us-ascii; format=flowed")
    yield mail("format-flowed-eight-bit", "Für die Station: \r\nGrüße \r\n".encode(), MIME, "Content-Type: text/plain; charset=utf-8; format=flowed",
               "Content-Transfer-Encoding: 8bit")


# ---- content transfer encodings ----

def encodings():
    german = "Grüße = Röntgen.\r\nTrailing blank \r\n".encode()

    def enc(name, cte, body, ct="text/plain; charset=utf-8"):
        return mail(name, body, MIME, "Content-Type: " + ct, "Content-Transfer-Encoding: " + cte)
    yield enc("qp", "quoted-printable", qp(german))
    yield enc("qp-upper-case-name", "QUOTED-PRINTABLE", qp(german))
    yield enc("qp-lower-hex", "quoted-printable", b"Gr=c3=bc=c3=9fe\r\n")
    yield enc("qp-soft-break-at-end", "quoted-printable", b"no end=\r\n")
    yield enc("qp-broken", "quoted-printable", b"a=ZZ b=4 c=\r\nd= \r\n=\r\n")
    yield enc("qp-with-eight-bit", "quoted-printable", b"Gr=C3=BC\xc3\x9fe\r\n")
    yield enc("qp-long-line", "quoted-printable", b"=C3=BC" * 400 + b"\r\n")
    yield enc("qp-trailing-blanks", "quoted-printable", b"blank   \r\ntab\t\r\nkept=20\r\n")
    yield enc("qp-binary-line-ends", "quoted-printable", b"cr=0D lf=0A both=0D=0A nul=00\r\n", "application/octet-stream")
    yield enc("base64", "base64", b64(german))
    yield enc("base64-mixed-case-name", "Base64", b64(german))
    yield enc("base64-60-columns", "base64", b64(octets(400), 60), "application/octet-stream")
    yield enc("base64-one-line", "base64", b64(octets(3000), 10 ** 6), "application/octet-stream")
    yield enc("base64-soft-broken", "base64", b"\r\n".join(b64(octets(200)).replace(b"\r\n", b"")[i:i + 7] for i in range(0, 272, 7)) + b"\r\n", "application/octet-stream")
    yield enc("base64-blanks-inside", "base64", b"aGVs bG8g\r\n\tZnJv bQ==\r\n")
    yield enc("base64-no-padding", "base64", b"aGVsbG8gZnJvbSB3YXJkIDc\r\n")
    yield enc("base64-padding-inside", "base64", b"aGVsbG8=\r\nd2FyZA==\r\n")
    yield enc("base64-text-behind", "base64", b"aGVsbG8=\r\n\r\n--\r\nThis list is for staff of the hospital only.\r\n")
    yield enc("base64-foreign-octets", "base64", b"aGVs*bG8-\r\n!!!!\r\n")
    yield enc("base64-empty", "base64", b"")
    yield enc("base64-eight-bit-inside", "base64", b"aGVs\xe4bG8=\r\n")
    yield enc("uuencode", "x-uuencode", b"begin 644 report.txt\r\n#0V%T\r\n`\r\nend\r\n", "application/octet-stream; name=report.txt")
    yield enc("uuencode-short-name", "uuencode", b"begin 644 report.txt\r\n#0V%T\r\n`\r\nend\r\n", "application/octet-stream; name=report.txt")
    yield enc("binary", "binary", b"seven bits only\r\n", "application/octet-stream")
    yield enc("binary-eight-bit", "binary", octets(2000).replace(b"\r", b"_").replace(b"\n", b"-") + b"\r\n", "application/octet-stream")
    yield enc("cte-unknown", "x-station", b"whatever that is\r\n")
    yield enc("cte-unknown-eight-bit", "x-station", german)
    yield enc("cte-empty", "", b"text\r\n")
    yield enc("cte-with-comment", "7bit (as ever)", b"text\r\n")
    yield enc("cte-with-charset", "utf-8", b"text\r\n")
    yield enc("cte-quoted", '"base64"', b64(german))
    yield enc("cte-eight-bit-but-seven", "8bit", b"all ASCII\r\n")
    yield mail("cte-without-type", b64(german), MIME, "Content-Transfer-Encoding: base64")
    yield mail("cte-on-multipart", multi("b1", TEXT, HTML), MIME, "Content-Type: multipart/alternative; boundary=b1", "Content-Transfer-Encoding: quoted-printable")
    yield mail("cte-twice", b"text\r\n", MIME, "Content-Type: text/plain", "Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: 7bit")
    yield mail("cte-lenient-8-bit", b"text\r\n", MIME, "Content-Type: text/plain", "Content-Transfer-Encoding: 8-bit")


# ---- structure ----

def nested(depth, leaf=TEXT):
    p = leaf
    for i in range(depth, 0, -1):
        p = part(multi(f"level{i:02d}x", p), f"Content-Type: multipart/mixed; boundary=level{i:02d}x")
    return p


def structure():
    def mixed(name, body, ct="multipart/mixed; boundary=b1", *more, **kw):
        return mail(name, body, MIME, "Content-Type: " + ct, *more, **kw)
    yield mixed("alternative", multi("b1", TEXT, HTML), "multipart/alternative; boundary=b1")
    yield mixed("mixed-with-pdf", multi("b1", TEXT, PDF))
    yield mixed("related-with-image", multi("b1", HTML, part(b64(PNG), "Content-Type: image/png", "Content-ID: <logo@hospital.example>", "Content-Transfer-Encoding: base64",
                                                             "Content-Disposition: inline")), 'multipart/related; type="text/html"; boundary=b1')
    yield mixed("alternative-in-related-in-mixed", multi("b1", part(multi("b2", part(multi("b3", TEXT, HTML), "Content-Type: multipart/alternative; boundary=b3"),
                part(b64(PNG), "Content-Type: image/png", "Content-Transfer-Encoding: base64")), "Content-Type: multipart/related; boundary=b2"), PDF))
    yield mixed("preamble-and-epilogue", multi("b1", TEXT, HTML, preamble=b"This is a message in several parts.\r\n", epilogue=b"Sent from the ward.\r\n"))
    yield mixed("preamble-eight-bit", multi("b1", TEXT, HTML, preamble="Diese Nachricht hat mehrere Teile: ü\r\n".encode()))
    yield mixed("preamble-long-line", multi("b1", TEXT, preamble=b"p" * 1500 + b"\r\n"))
    yield mixed("epilogue-eight-bit", multi("b1", TEXT, epilogue="Grüße\r\n".encode()))
    yield mixed("no-line-end-behind-close", multi("b1", TEXT)[:-2])
    yield mixed("boundary-look-alikes", multi("b1", part(b"--b\r\n-- b1\r\n--b2\r\n -b1\r\n--B1\r\n-b1--\r\ntext\r\n"), HTML))
    yield mixed("boundary-goes-on", multi("b1", part(b"text\r\n--b1x\r\nstill text\r\n"), HTML))
    yield mixed("boundary-with-padding", multi("b1", TEXT, HTML).replace(b"--b1\r\n", b"--b1  \t\r\n", 1))
    yield mixed("boundary-prefix-of-inner", multi("b1", part(multi("b1inner", TEXT, HTML), "Content-Type: multipart/alternative; boundary=b1inner"), PDF))
    yield mixed("boundary-70-octets", multi("b" * 70, TEXT, HTML), "multipart/mixed; boundary=" + "b" * 70)
    yield mixed("boundary-71-octets", multi("b" * 71, TEXT, HTML), "multipart/mixed; boundary=" + "b" * 71)
    yield mixed("boundary-quoted-odd", multi("=_(a b)'+,-./:=?", TEXT, HTML), 'multipart/mixed; boundary="=_(a b)\'+,-./:=?"')
    yield mixed("boundary-unquoted-colon", multi("----=_NextPart:1", TEXT), "multipart/mixed; boundary=----=_NextPart:1")
    yield mixed("boundary-folded", multi("----=_NextPart_000_01D0", TEXT, HTML), 'multipart/alternative;\r\n\tboundary="----=_NextPart_000_01D0"')
    yield mixed("boundary-missing", multi("b1", TEXT), "multipart/mixed")
    yield mixed("boundary-empty", multi("", TEXT), 'multipart/mixed; boundary=""')
    yield mixed("boundary-twice-same", multi("b1", TEXT), "multipart/mixed; boundary=b1; boundary=b1")
    yield mixed("boundary-twice-different", multi("b1", TEXT), "multipart/mixed; boundary=b1; boundary=b2")
    yield mixed("boundary-of-outer-in-inner", multi("b1", part(multi("b1", TEXT, HTML), "Content-Type: multipart/alternative; boundary=b1")))
    yield mixed("close-missing", multi("b1", TEXT, HTML, close=False))
    yield mixed("close-missing-eight-bit", multi("b1", part("Grüße\r\n", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"), close=False))
    yield mixed("close-missing-inside", multi("b1", part(multi("b2", TEXT, HTML, close=False), "Content-Type: multipart/alternative; boundary=b2"), PDF))
    yield mixed("no-part", b"--b1--\r\n")
    yield mixed("no-delimiter", b"just text\r\n")
    yield mixed("empty-multipart-body", b"")
    yield mixed("part-without-header", multi("b1", b"\r\ntext\r\n", b"\r\nmore\r\n"))
    yield mixed("part-empty", multi("b1", b"", TEXT))
    yield mixed("part-header-only", multi("b1", b"Content-Type: text/plain\r\n", TEXT))
    yield mixed("part-attachment-empty", multi("b1", TEXT, part(b"", "Content-Type: application/octet-stream; name=empty.dat", "Content-Disposition: attachment; filename=empty.dat")))
    yield mixed("part-attachment-empty-base64", multi("b1", TEXT, part(b"", "Content-Type: application/pdf; name=empty.pdf", "Content-Transfer-Encoding: base64",
                                                                       "Content-Disposition: attachment; filename=empty.pdf")))
    yield mixed("part-header-malformed", multi("b1", b"this is no field\r\n\r\ntext\r\n", TEXT))
    yield mixed("part-header-malformed-eight-bit", multi("b1", "das ist kein Feld: ü\r\nnoch eins\r\n\r\ntext\r\n".encode(), TEXT))
    yield mixed("part-long-lines", multi("b1", part(b"q" * 3000 + b"\r\n", "Content-Type: text/plain"), HTML))
    yield mixed("parts-eight-bit-mixed", multi("b1", part("Grüße\r\n", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"), PDF,
                                               part("Größe\r\n".encode("latin-1"), "Content-Type: text/html; charset=iso-8859-1", "Content-Transfer-Encoding: 8bit")))
    yield mixed("parts-900", multi("b1", *[part(f"part {i}\r\n") for i in range(900)]))
    yield mixed("parts-1100", multi("b1", *[part(f"part {i}\r\n") for i in range(1100)]))
    for depth in (10, 19, 21, 30):
        p = nested(depth)
        fields, _, body = p.partition(b"\r\n\r\n")
        yield mail(f"nested-{depth}", body, MIME, fields.decode())
    eight = nested(12, part("Grüße\r\n", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"))
    yield mail("nested-12-eight-bit", eight.partition(b"\r\n\r\n")[2], MIME, eight.partition(b"\r\n\r\n")[0].decode())
    inner = head("forwarded", frm="editor@journal.example").replace(b"Sun, 22", b"Fri, 20") + b"\r\n" + text_of(2)
    yield mixed("forwarded", multi("b1", TEXT, part(inner, "Content-Type: message/rfc822", "Content-Disposition: inline")))
    yield mixed("forwarded-eight-bit", multi("b1", TEXT, part(head("forwarded", MIME, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit") + "\r\nGrüße\r\n".encode(),
                                                              "Content-Type: message/rfc822", "Content-Transfer-Encoding: 8bit")))
    yield mixed("forwarded-base64", multi("b1", TEXT, part(b64(inner), "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64")))
    yield mail("message-rfc822-alone", inner, MIME, "Content-Type: message/rfc822")
    yield mixed("digest", multi("b1", part(inner), part(inner)), "multipart/digest; boundary=b1")
    yield mixed("parallel-unknown", multi("b1", TEXT, PDF), "multipart/x-station; boundary=b1")
    yield mail("message-partial", text_of(2), MIME, 'Content-Type: message/partial; id="abc@hospital.example"; number=2; total=3')
    yield mail("message-external-body", b"Content-Type: image/png\r\nContent-ID: <pic@hospital.example>\r\n\r\nTHIS IS NOT REALLY THE BODY!\r\n", MIME,
               'Content-Type: message/external-body; access-type=URL; URL="https://files.hospital.example/pic.png"')
    yield mail("message-http", b"GET / HTTP/1.1\r\nHost: hospital.example\r\n\r\n", MIME, "Content-Type: message/http")
    yield mail("message-sip-odd", b"\r\n", MIME, "Content-Type: message/sip")
    yield mixed("form-data", multi("b1", part(b"7\r\n", 'Content-Disposition: form-data; name="ward"')), "multipart/form-data; boundary=b1")
    yield mixed("appledouble", multi("b1", part(b64(octets(120)), "Content-Type: application/applefile", "Content-Transfer-Encoding: base64"),
                                     part(b64(PNG), 'Content-Type: image/png; name="x.png"', "Content-Transfer-Encoding: base64")), "multipart/appledouble; boundary=b1")
    yield mixed("eight-bit-in-boundary-parameter", multi("b1", TEXT), 'multipart/mixed; boundary=b1; name="Übersicht"')


# ---- names of attachments, types ----

def names():
    def att(name, *fields):
        return mail(name, multi("b1", TEXT, part(b64(octets(60)), "Content-Transfer-Encoding: base64", *fields)), MIME, "Content-Type: multipart/mixed; boundary=b1")
    disp = "Content-Disposition: attachment; "
    yield att("name-blanks", 'Content-Type: application/pdf; name="blood count of today.pdf"', disp + 'filename="blood count of today.pdf"')
    yield att("name-quotes", "Content-Type: application/pdf", disp + r'filename="a \"quoted\" name\\.pdf"')
    yield att("name-rfc2231", "Content-Type: application/pdf", disp + "filename*=UTF-8''Bl%C3%BCte%20%E2%82%AC.pdf")
    yield att("name-rfc2231-language", "Content-Type: application/pdf", disp + "filename*=iso-8859-1'de'Gr%F6%DFe.pdf")
    yield att("name-rfc2231-continued", "Content-Type: application/pdf", disp + "filename*0*=UTF-8''Bl%C3%BC;\r\n filename*1*=te%20;\r\n filename*2=plain.pdf")
    yield att("name-rfc2231-out-of-order", "Content-Type: application/pdf", disp + "filename*1=b.pdf; filename*0=a")
    yield att("name-rfc2231-gap", "Content-Type: application/pdf", disp + "filename*0=a; filename*2=c.pdf")
    yield att("name-rfc2231-bad-percent", "Content-Type: application/pdf", disp + "filename*=UTF-8''a%ZZb%4.pdf")
    yield att("name-rfc2047-in-parameter", 'Content-Type: application/pdf; name="=?utf-8?B?QmzDvHRlLnBkZg==?="', disp + 'filename="=?utf-8?B?QmzDvHRlLnBkZg==?="')
    yield att("name-eight-bit", 'Content-Type: application/pdf; name="Blüte.pdf"', disp + 'filename="Blüte.pdf"')
    yield att("name-eight-bit-unquoted", "Content-Type: application/pdf; name=Blüte.pdf", disp + "filename=Blüte.pdf")
    yield att("name-eight-bit-latin-1", 'Content-Type: application/pdf; name="Blüte.pdf"'.encode("latin-1"), (disp + 'filename="Blüte.pdf"').encode("latin-1"))
    yield att("name-unquoted-blanks", "Content-Type: application/pdf; name=blood count.pdf", disp + "filename=blood count.pdf")
    yield att("name-path", "Content-Type: application/pdf", disp + r'filename="..\\..\\C:\\x/../etc/passwd"')
    yield att("name-very-long", "Content-Type: application/pdf", disp + 'filename="' + "x" * 900 + '.pdf"')
    yield att("name-two-that-differ", 'Content-Type: application/pdf; name="a.pdf"', disp + 'filename="b.exe"')
    yield att("name-twice", "Content-Type: application/pdf", disp + "filename=a.pdf; filename=b.pdf")
    yield att("name-empty", 'Content-Type: application/pdf; name=""', disp + 'filename=""')
    yield att("name-bidi", "Content-Type: application/pdf", disp + "filename*=UTF-8''report%E2%80%AEfdp.exe")
    yield att("disposition-unknown", "Content-Type: application/pdf", "Content-Disposition: x-station; filename=a.pdf")
    yield att("disposition-dates", "Content-Type: application/pdf", disp + 'filename=a.pdf; size=60;\r\n\tcreation-date="Sun, 22 Nov 2026 08:00:00 GMT"')
    yield mail("type-without-subtype", None, MIME, "Content-Type: text")
    yield mail("type-garbage", None, MIME, "Content-Type: ///;;;")
    yield mail("type-empty", None, MIME, "Content-Type:")
    yield mail("type-twice", None, MIME, "Content-Type: text/plain", "Content-Type: text/html")
    yield mail("type-trailing-semicolon", None, MIME, "Content-Type: text/plain; charset=us-ascii;")
    yield mail("type-comment", None, MIME, "Content-Type: text/plain (plain (nested) text); charset=us-ascii (7 bit)")
    yield mail("type-spaces-around-equals", None, MIME, "Content-Type: text/plain; charset = us-ascii")
    yield mail("type-40-parameters", None, MIME, "Content-Type: text/plain" + "".join(f"; p{i}=v{i}" for i in range(40)))
    yield mail("type-upper-case", None, MIME, "CONTENT-TYPE: TEXT/PLAIN; CHARSET=US-ASCII")
    yield mail("type-quoted-never-closed", None, MIME, 'Content-Type: text/plain; name="never closed')
    yield mail("content-fields-of-all-kinds", None, MIME, "Content-Type: text/plain", "Content-Language: en, de", "Content-Description: result", "Content-ID: <1@hospital.example>",
               "Content-Location: https://hospital.example/a", "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==", "Content-Features: (color=no)", "Content-Duration: 7",
               "Content-X-Station: 7")


# ---- header fields ----

def headers():
    yield mail("no-mime-version", None, "Content-Type: text/plain; charset=us-ascii")
    yield mail("mime-version-with-comment", None, "MIME-Version: 1.0 (station mail 7)", "Content-Type: text/plain")
    yield mail("mime-version-twice", None, MIME, MIME, "Content-Type: text/plain")
    yield mail("mime-version-last", None, "Content-Type: text/plain", MIME)
    yield mail("mime-version-other", None, "MIME-Version: 7.0", "Content-Type: text/plain")
    yield mail("field-empty", None, "X-Empty:", "X-Blank: ", "Comments:   ")
    yield mail("subject-empty", None, subject=" ")
    yield Case("subject-missing", f"From: {WARD}\r\nTo: {LAB}\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\nMessage-ID: <subject-missing@hospital.example>\r\n\r\ntext\r\n".encode())
    yield Case("message-id-missing", f"From: {WARD}\r\nTo: {LAB}\r\nSubject: a\r\nDate: Sun, 22 Nov 2026 08:00:00 +0100\r\n\r\ntext\r\n".encode())
    yield Case("date-missing", f"From: {WARD}\r\nTo: {LAB}\r\nSubject: a\r\nMessage-ID: <date-missing@hospital.example>\r\n\r\ntext\r\n".encode())
    yield Case("only-from", f"From: {WARD}\r\n\r\ntext\r\n".encode())
    yield Case("to-missing", head("to-missing").replace(b"To: results@lab.example\r\n", b"") + b"\r\ntext\r\n")
    yield mail("to-undisclosed", None, to="undisclosed-recipients:;")
    yield mail("to-group", None, to="Laboratory staff: results@lab.example, desk@lab.example;")
    yield mail("to-2000", None, to=",\r\n ".join([LAB] + [f"person{i:04d}@lab{i % 7}.example" for i in range(2000)]))
    yield mail("cc-and-reply-to", None, f"Cc: {DESK}, \"Desk, Lab\" <desk@lab.example>", f"Reply-To: {DESK}", f"Sender: {DESK}")
    yield mail("bcc", None, "Bcc: secret@lab.example")
    yield mail("bcc-empty", None, "Bcc:")
    yield mail("bcc-folded", None, "Bcc: secret@lab.example,\r\n another@lab.example")
    yield mail("bcc-resent", None, "Resent-Bcc: secret@lab.example", f"Resent-From: {DESK}")
    yield mail("folded-strangely", None, "X-Folded: a\r\n b\r\n\tc\r\n   \td  \r\n e", "Keywords: one,\r\n two,\r\n  three")
    yield mail("folded-blank-line", None, "X-Folded: a\r\n \r\n b")
    yield mail("folded-first", None, "X-Folded:\r\n all of it on the second line")
    yield mail("folded-subject", None, subject="a subject\r\n over two\r\n\tlines")
    yield mail("folded-inside-word", None, subject="=?utf-8?Q?Gr=C3=BC?=\r\n =?utf-8?Q?=C3=9Fe?=")
    yield mail("field-very-long", None, "X-Long: " + "word " * 5000)
    yield mail("field-very-long-folded", None, "X-Long: " + "\r\n ".join(["word " * 12] * 500))
    yield mail("field-very-long-no-blank", None, "X-Long: " + "w" * 1500)
    yield mail("field-over-the-limit", None, "X-Long: " + "word " * 30000)
    yield mail("fields-900", None, *[f"X-Trace-{i}: {i}" for i in range(900)])
    yield mail("fields-1100", None, *[f"X-Trace-{i}: {i}" for i in range(1100)])
    yield mail("field-name-odd", None, "X_Odd!#$%&'*+^`{|}~: yes", "1: one", "X-A.B: c")
    yield mail("field-no-blank-behind-colon", None, "X-Tight:value", "X-Tab:\tvalue")
    yield mail("field-blank-before-colon", None, "X-Blank : value")
    yield mail("field-none", None, "this line is no field")
    yield mail("field-mbox-from", None, "From ward7@hospital.example Sun Nov 22 08:00:00 2026")
    yield Case("begins-with-continuation", b" odd\r\n" + head("begins-with-continuation") + b"\r\ntext\r\n")
    yield mail("field-control-octets", None, "X-Control: a\x07b\x1bc\x7f")
    yield mail("field-nul", None, "X-Nul: a\x00b")
    yield mail("field-duplicates", None, "X-Twice: 1", "X-Twice: 2", "x-twice: 3", "Comments: a", "Comments: b")
    yield mail("subject-twice", None, "Subject: another")
    yield mail("date-twice", None, "Date: Mon, 23 Nov 2026 08:00:00 +0100")
    yield mail("to-twice", None, "To: desk@lab.example")
    yield mail("message-id-twice", None, "Message-ID: <other@hospital.example>")
    yield Case("date-odd", head("date-odd").replace(b"Sun, 22 Nov 2026 08:00:00 +0100", b"22/11/26 8h") + b"\r\ntext\r\n")
    yield Case("message-id-odd", head("message-id-odd").replace(b"<message-id-odd@hospital.example>", b"message-id-odd no brackets") + b"\r\ntext\r\n")
    yield Case("message-id-long", head("message-id-long").replace(b"<message-id-long@", b"<" + b"l" * 1200 + b"@") + b"\r\ntext\r\n")
    yield mail("rfc2047", None, subject="=?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?Gr=FC=DFe?= plain")
    yield mail("rfc2047-split-character", None, subject="=?utf-8?B?w7w=?= =?utf-8?B?ww==?= =?utf-8?B?vA==?=")
    yield mail("rfc2047-odd", None, subject="=?x-none?B?####?= =?utf-8?X?abc?= =?utf-8?Q?no end =?utf-8?Q??= a=?utf-8?Q?b?=c")
    yield mail("rfc2047-over-75", None, subject="=?utf-8?B?" + "R3LDvMOfZQ==" * 20 + "?=")
    yield mail("rfc2047-in-names", None, frm=f'"=?utf-8?B?U3RhdGlvbiA3?=" <{WARD}>', to=f"=?utf-8?Q?Labor_M=C3=BCnchen?= <{LAB}>")
    yield mail("subject-eight-bit", None, subject="Grüße von der Station")
    yield Case("subject-eight-bit-latin-1", head("subject-eight-bit-latin-1").replace(b"Subject: ", b"Subject: Gr\xfc\xdfe ") + b"\r\ntext\r\n")
    yield mail("subject-mark-copied", None, subject="[not verified] [sealed] result")
    yield mail("subject-reply", None, "In-Reply-To: <earlier@lab.example>", "References: <first@lab.example>\r\n <earlier@lab.example>", subject="Re: AW: Re[2]: result")
    utf8 = ("BODY=8BITMIME", "SMTPUTF8")
    yield mail("rfc6532-subject", "Grüße\r\n", MIME, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", subject="検査結果 – Größe", options=utf8)
    yield mail("rfc6532-names", None, frm=f"Station Süd <{WARD}>", to=f"Labor München <{LAB}>", options=utf8)
    yield mail("rfc6532-address", None, to=f"prüfung@lab.example, {LAB}", options=utf8)
    yield mail("rfc6532-field-name-of-part", multi("b1", part(text_of(2), "Content-Type: text/plain; name=größe.txt")), MIME, "Content-Type: multipart/mixed; boundary=b1", options=utf8)
    yield mail("from-display-name", None, frm=f'"Ward 7 (night shift), hospital" <{WARD}>')
    yield mail("from-comment", None, frm=f"{WARD} (ward (7))")
    yield mail("from-quoted-local", None, frm='"ward 7"@hospital.example')
    yield mail("from-display-name-trick", None, frm=f'"director@hospital.example" <{WARD}>')
    yield mail("from-two-addresses", None, f"Sender: {DESK}", frm=f"{WARD}, {DESK}")
    yield mail("from-twice", None, f"From: {DESK}")
    yield mail("from-empty", None, frm="")
    yield mail("from-group", None, frm="Ward:;")
    yield mail("from-other-domain", None, f"Sender: {WARD}", frm="editor@journal.example")
    yield Case("from-missing", head("from-missing").replace(b"From: ward7@hospital.example\r\n", b"") + b"\r\ntext\r\n")
    yield mail("received-many", None, *[f"Received: from h{i}.hospital.example by h{i + 1}.hospital.example;\r\n\tSun, 22 Nov 2026 07:{i:02d}:00 +0100" for i in range(30)])
    yield mail("received-too-many", None, *[f"Received: from h{i}.hospital.example by h{i + 1}.hospital.example; Sun, 22 Nov 2026 07:00:00 +0100" for i in range(60)])
    yield mail("return-path-and-trace", None, f"Return-Path: <{WARD}>", "Delivered-To: ward7@hospital.example", "X-Original-To: ward7@hospital.example")
    yield mail("exchange-fields", None, "Thread-Topic: result", "Thread-Index: AdZx7w==", "X-MS-Has-Attach:", "X-MS-TNEF-Correlator:", "Accept-Language: en-GB, de-DE",
               "x-originating-ip: [192.0.2.7]", "X-MS-Exchange-Organization-SCL: -1", MIME, "Content-Language: en-GB", "Content-Type: text/plain")
    yield mail("priority-and-receipt", None, "Importance: high", "X-Priority: 1 (Highest)", f"Disposition-Notification-To: {WARD}", f"Return-Receipt-To: {WARD}")
    yield mail("forged-verdict", None, "X-Postern-Verdict: sealed", "Authentication-Results: gw.lab.example; smime=pass", "Authentication-Results: mx.other.example; spf=pass")
    yield mail("tls-required-no", None, "TLS-Required: No")
    yield mail("openpgp-autocrypt", None, "Autocrypt: addr=ward7@hospital.example; keydata=\r\n " + "mDMEXEcE6RYJKwYBBAHaRw8BAQdA" * 3)
    yield mail("hp-outer-copied", None, "HP-Outer: Subject: result", MIME, 'Content-Type: text/plain; charset=us-ascii; hp="cipher"')
    yield mail("protected-headers-draft", None, MIME, 'Content-Type: text/plain; charset=us-ascii; protected-headers="v1"')


# ---- line ends that are no CRLF: never accepted, whoever sends them ----

def line_ends():
    yield Case("lf-only", head("lf-only").replace(b"\r\n", b"\n") + b"\ntext\n", options=None)
    yield Case("lf-mixed", head("lf-mixed") + b"\r\none\r\ntwo\nthree\r\n", options=None)
    yield Case("cr-only", head("cr-only") + b"\r\none\rtwo\r\n", options=None)
    yield Case("cr-cr-lf", head("cr-cr-lf") + b"\r\none\r\r\ntwo\r\n", options=None)
    yield Case("lf-in-header", head("lf-in-header").replace(b"Subject: lf", b"Subject:\n lf") + b"\r\ntext\r\n", options=None)
    yield Case("lf-dot-lf", head("lf-dot-lf") + b"\r\ntext\n.\nMAIL FROM:<other@hospital.example>\r\n", options=None)


# ---- calendar, TNEF, reports, replies of programs ----

ICS = crlf("""BEGIN:VCALENDAR
PRODID:-//hospital.example//ward plan//EN
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:20261122-7@hospital.example
DTSTAMP:20261122T070000Z
DTSTART:20261123T090000Z
DTEND:20261123T093000Z
SUMMARY:Review of results
ORGANIZER:mailto:ward7@hospital.example
ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:results@lab.e
 xample
SEQUENCE:0
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
""")
TNEF = bytes.fromhex("789f3e22") + b"\x01\x00" + bytes.fromhex("01069007000600000001000000000002010001000690080004000000000000000000e8") + octets(300)


def calendar_part(method="REQUEST", body=ICS, cte="7bit"):
    return part(b64(body) if cte == "base64" else body.replace(b"METHOD:REQUEST", b"METHOD:" + method.encode()), f"Content-Type: text/calendar; charset=utf-8; method={method}",
                f"Content-Transfer-Encoding: {cte}")


def programs():
    def inv(name, *parts, **kw):
        return mail(name, multi("b1", *parts), MIME, "Content-Type: multipart/alternative; boundary=b1", **kw)
    yield inv("invitation", TEXT, HTML, calendar_part())
    yield inv("invitation-base64", TEXT, calendar_part(cte="base64"))
    yield inv("invitation-cancel", TEXT, calendar_part("CANCEL"))
    yield inv("invitation-reply", TEXT, calendar_part("REPLY"))
    yield inv("invitation-counter", TEXT, calendar_part("COUNTER"))
    yield mail("invitation-alone", ICS, MIME, "Content-Type: text/calendar; method=REQUEST; charset=utf-8", "Content-Transfer-Encoding: 8bit")
    yield mail("invitation-outlook", b64(ICS), "Content-class: urn:content-classes:calendarmessage", MIME, 'Content-Type: text/calendar; method=REQUEST;\r\n\tname="meeting.ics"',
               "Content-Transfer-Encoding: base64", "X-MS-Has-Attach:", "X-MimeOLE: Produced By Microsoft MimeOLE")
    yield mail("invitation-outlook-alternative", multi("_000_7_", part(qp(text_of(2)), 'Content-Type: text/plain; charset="iso-8859-1"', "Content-Transfer-Encoding: quoted-printable"),
               part(qp(b"<html><body>=</body></html>\r\n"), 'Content-Type: text/html; charset="iso-8859-1"', "Content-Transfer-Encoding: quoted-printable"),
               part(b64(ICS), 'Content-Type: text/calendar; charset="utf-8"; method=REQUEST', "Content-Transfer-Encoding: base64")), "Thread-Topic: Review", "Thread-Index: AdZx7w==", MIME,
               "Content-Language: en-GB", 'Content-Type: multipart/alternative;\r\n\tboundary="_000_7_"')
    yield mail("invitation-with-ics-attached", multi("b0", part(multi("b1", TEXT, HTML, calendar_part()), "Content-Type: multipart/alternative; boundary=b1"),
               part(b64(ICS), "Content-Type: application/ics; name=invite.ics", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=invite.ics")),
               MIME, "Content-Type: multipart/mixed; boundary=b0")
    yield mail("invitation-with-report-attached", multi("b0", part(multi("b1", TEXT, calendar_part()), "Content-Type: multipart/alternative; boundary=b1"), PDF), MIME,
               "Content-Type: multipart/mixed; boundary=b0")
    yield inv("invitation-eight-bit", TEXT, part(ICS.replace(b"Review", "Rücksprache".encode()), "Content-Type: text/calendar; charset=utf-8; method=REQUEST", "Content-Transfer-Encoding: 8bit"))
    yield mail("calendar-without-method", multi("b1", TEXT, part(ICS, "Content-Type: text/calendar")), MIME, "Content-Type: multipart/mixed; boundary=b1")
    yield mail("tnef", multi("b1", TEXT, part(b64(TNEF), 'Content-Type: application/ms-tnef; name="winmail.dat"', "Content-Transfer-Encoding: base64",
                                              'Content-Disposition: attachment; filename="winmail.dat"')), MIME, "Content-Type: multipart/mixed; boundary=b1", "X-MS-TNEF-Correlator: <7@hospital.example>")
    yield mail("tnef-alone", b64(TNEF), MIME, 'Content-Type: application/ms-tnef; name="winmail.dat"', "Content-Transfer-Encoding: base64")
    yield mail("tnef-binary", TNEF.replace(b"\r", b"_").replace(b"\n", b"_") + b"\r\n", MIME, 'Content-Type: application/ms-tnef; name="winmail.dat"', "Content-Transfer-Encoding: binary")
    yield mail("tnef-octet-stream", multi("b1", TEXT, part(b64(TNEF), 'Content-Type: application/octet-stream; name="winmail.dat"', "Content-Transfer-Encoding: base64")), MIME,
               "Content-Type: multipart/mixed; boundary=b1")
    status = b"Reporting-MTA: dns; mail.hospital.example\r\nArrival-Date: Sun, 22 Nov 2026 08:00:00 +0100\r\n\r\nFinal-Recipient: rfc822; nobody@hospital.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    came = b"Return-Path: <results@lab.example>\r\nFrom: results@lab.example\r\nTo: nobody@hospital.example\r\nSubject: result\r\nMessage-ID: <earlier@lab.example>\r\n\r\n"

    def report(name, rtype, status_type, status_body, *third, **kw):
        return mail(name, multi("b1", TEXT, part(status_body, "Content-Type: " + status_type), *third), MIME, f"Content-Type: multipart/report; report-type={rtype};\r\n\tboundary=b1",
                    "Auto-Submitted: auto-replied", **kw)
    daemon = {"frm": "Mail Delivery <mailer-daemon@hospital.example>", "sender": ""}
    yield report("dsn", "delivery-status", "message/delivery-status", status, part(came, "Content-Type: text/rfc822-headers"), **daemon)
    yield report("dsn-full", "delivery-status", "message/delivery-status", status, part(came + b"text\r\n", "Content-Type: message/rfc822"), **daemon)
    yield report("dsn-delayed", "delivery-status", "message/delivery-status", status.replace(b"failed", b"delayed").replace(b"5.1.1", b"4.4.1"), **daemon)
    yield report("dsn-utf-8", "global-delivery-status", "message/global-delivery-status", status.replace(b"nobody", "größe".encode()).replace(b"rfc822", b"utf-8"), **daemon)
    mdn = b"Reporting-UA: ward.hospital.example; station mail 7\r\nFinal-Recipient: rfc822;ward7@hospital.example\r\nOriginal-Message-ID: <earlier@lab.example>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n"
    yield report("mdn", "disposition-notification", "message/disposition-notification", mdn, part(came, "Content-Type: text/rfc822-headers"))
    yield report("mdn-null-sender", "disposition-notification", "message/disposition-notification", mdn, sender="")
    yield report("mdn-odd-case", "Disposition-Notification", "Message/Disposition-Notification", mdn.replace(b"displayed", b"displayed/error").replace(b"manual-action", b"automatic-action"))
    yield report("feedback-report", "feedback-report", "message/feedback-report", b"Feedback-Type: abuse\r\nUser-Agent: station/7\r\nVersion: 1\r\n", part(came, "Content-Type: message/rfc822"))
    yield report("tracking-report", "tracking-status", "message/tracking-status", b"Original-Envelope-Id: 7\r\nReporting-MTA: dns; mail.hospital.example\r\n")
    yield mail("auto-reply", b"The desk is closed until Monday.\r\n", "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: bulk", subject="Automatic reply: result")
    yield mail("auto-reply-null-sender", b"The desk is closed until Monday.\r\n", "Auto-Submitted: auto-replied", "In-Reply-To: <earlier@lab.example>", sender="")
    yield mail("auto-generated", None, "Auto-Submitted: auto-generated")
    yield mail("list-mail", None, "List-Id: Laboratory news <news.lists.example>", "List-Unsubscribe: <mailto:news-leave@lists.example>, <https://lists.example/u>", "List-Post: NO",
               "Precedence: list", "Sender: news-bounces@lists.example",
               "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=hospital.example; s=s1;\r\n\th=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=" +
               "dGhpcyBpcyBubyByZWFsIHNpZ25hdHVyZQ" * 4)
    yield mail("arc-fields", None, "ARC-Seal: i=1; a=rsa-sha256; d=lists.example; s=s1; t=1795330800; cv=none; b=AAAA", "ARC-Authentication-Results: i=1; mx.lists.example; dkim=pass",
               "ARC-Message-Signature: i=1; a=rsa-sha256; d=lists.example; s=s1; h=from; bh=AAAA; b=AAAA")
    yield mail("fax-tiff", b64(b"II*\x00" + octets(400)), MIME, "Content-Type: image/tiff; application=faxbw", "Content-Transfer-Encoding: base64", "Content-Duration: 7")
    yield mail("hl7", b"MSH|^~\\&|LAB|HOSPITAL|WARD7|HOSPITAL|202611220800||ORU^R01|7|P|2.3\\r", MIME, "Content-Type: application/hl7-v2; charset=us-ascii")
    yield mail("dicom", b64(b"\x00" * 128 + b"DICM" + octets(200)), MIME, 'Content-Type: application/dicom; name="scan.dcm"', "Content-Transfer-Encoding: base64")


# ---- protected already ----

def protected():
    armor = "-----BEGIN PGP MESSAGE-----\r\n\r\n" + b64(octets(300), 64).decode() + "=abcd\r\n-----END PGP MESSAGE-----\r\n"
    yield mail("pgp-mime-encrypted", multi("b1", part(b"Version: 1\r\n", "Content-Type: application/pgp-encrypted"), part(armor, "Content-Type: application/octet-stream; name=encrypted.asc")), MIME,
               'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b1')
    signature = armor.replace("MESSAGE", "SIGNATURE")
    yield mail("pgp-mime-signed", multi("b1", TEXT, part(signature, "Content-Type: application/pgp-signature; name=signature.asc")), MIME,
               'Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary=b1')
    yield mail("pgp-mime-signed-eight-bit", multi("b1", part("Grüße\r\n", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"),
               part(signature, "Content-Type: application/pgp-signature")), MIME, 'Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary=b1')
    yield mail("pgp-inline", armor)
    yield mail("pgp-inline-clearsigned", "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n- --\r\ntext  \r\n" + signature)
    yield mail("smime-clear-signed", data_file("clear-signed.body"), MIME,
               'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"; boundary="----7A1F"')
    yield mail("smime-opaque-signed", data_file("opaque-signed.body"), MIME, 'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"',
               "Content-Transfer-Encoding: base64", 'Content-Disposition: attachment; filename="smime.p7m"')
    yield mail("smime-sealed-for-a-person", data_file("enveloped.body"), MIME, 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"',
               "Content-Transfer-Encoding: base64", 'Content-Disposition: attachment; filename="smime.p7m"')
    yield mail("smime-sealed-and-forwarded", multi("b1", TEXT, part(data_file("enveloped.body"), 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"',
               "Content-Transfer-Encoding: base64")), MIME, "Content-Type: multipart/mixed; boundary=b1")
    yield mail("smime-signed-and-forwarded", multi("b1", TEXT, part(data_file("clear-signed.body"),
               'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"; boundary="----7A1F"')), MIME, "Content-Type: multipart/mixed; boundary=b1")
    yield mail("smime-certificates-only", data_file("certs-only.body"), MIME, 'Content-Type: application/pkcs7-mime; smime-type=certs-only; name="smime.p7c"', "Content-Transfer-Encoding: base64")
    yield mail("p7m-name-no-smime", multi("b1", TEXT, part(b64(octets(50)), 'Content-Type: application/octet-stream; name="report.p7m"', "Content-Transfer-Encoding: base64")), MIME,
               "Content-Type: multipart/mixed; boundary=b1")
    yield mail("multipart-signed-no-protocol", multi("b1", TEXT, part(b"x\r\n", "Content-Type: application/x-station")), MIME, "Content-Type: multipart/signed; boundary=b1")
    yield mail("multipart-encrypted-odd", multi("b1", TEXT, TEXT), MIME, 'Content-Type: multipart/encrypted; protocol="application/x-station"; boundary=b1')


def signed_inside(case):
    """The message without the signature that its author's own program put around it."""
    fields = case.data.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    kept = [f for f in fields if not f.lower().startswith((b"content-", b"\t"))]
    return Case(case.name, b"\r\n".join(kept) + b"\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nSigned by a person at a desk.\r\n")


def cases():
    """All of them, each name once."""
    out = [c for group in (bodies, charsets, encodings, structure, names, headers, line_ends, programs, protected) for c in group()]
    names_seen = [c.name for c in out]
    assert len(set(names_seen)) == len(names_seen), sorted(n for n in set(names_seen) if names_seen.count(n) > 1)
    return out


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for c in cases():
        with open(os.path.join(sys.argv[1], c.name + ".eml"), "wb") as f:
            f.write(c.data)


if __name__ == "__main__":
    main()
