#!/usr/bin/env python3
"""Two gateways exchange sealed mail before your eyes: hospital.example and lab.example, as real processes on loopback.

Sets up keys and trust by the command `postern` as an admin would, sends three real messages, shows what went over the wire and what arrived, searches the
plaintext where it must not be, and shows a refusal. Exit 0 only when everything was as it must be.
"""
import argparse
import base64
import os
import quopri
import re
import shutil
import smtplib
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
from gateway import Gateway, free_ports, wait_for  # noqa: E402
from sink import Sink, Tap  # noqa: E402

SECRET = {
    "plain": "Patient 4711: creatinine 1.3 mg/dl, potassium 5.9 mmol/l, please call back",
    "html": "Befund für Frau Müller-Lüdenscheidt: Größe 1,73 m, Gewicht 68,4 kg, Übelkeit",
    "calendar": "Tumour board: case of patient 0815, room 2.14",
}
ATTACHMENT = 5 * 1024 * 1024
failed = []


def say(text=""):
    print(text, flush=True)


def check(what, good):
    say(f"  [{'ok' if good else 'FAILED'}] {what}")
    if not good:
        failed.append(what)
    return good


def crlf(text):
    return text.replace("\n", "\r\n").encode("utf-8")


def message_plain():
    return crlf(f"""From: Dr. Anna Weber <weber@hospital.example>
To: results@lab.example
Subject: Lab order 4711
Date: Sun, 22 Nov 2026 08:00:00 +0100
Message-ID: <order-4711@hospital.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

{SECRET['plain']}.
.a line that begins with a dot
From here on it is routine.
""")


def message_html():
    blob = os.urandom(ATTACHMENT)
    body = base64.encodebytes(blob).decode().replace("\n", "\r\n")
    head = crlf(f"""From: =?utf-8?Q?J=C3=BCrgen?= Braun <braun@hospital.example>
To: Labor <results@lab.example>
Subject: =?utf-8?B?QmVmdW5kIGbDvHIgRnJhdSBNw7xsbGVy?=
Date: Sun, 22 Nov 2026 08:05:00 +0100
Message-ID: <befund-1@hospital.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="grenze-1"

--grenze-1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html><body><p>{SECRET['html']}</p></body></html>
--grenze-1
Content-Type: application/octet-stream; name="roentgen.bin"
Content-Disposition: attachment; filename="roentgen.bin"
Content-Transfer-Encoding: base64

""")
    return head + body.encode() + b"\r\n--grenze-1--\r\n"


def message_calendar():
    return crlf(f"""From: board@hospital.example
To: results@lab.example
Subject: Invitation: tumour board
Date: Sun, 22 Nov 2026 08:10:00 +0100
Message-ID: <board-1@hospital.example>
MIME-Version: 1.0
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:board-1@hospital.example
DTSTART:20261124T140000Z
DTEND:20261124T150000Z
SUMMARY:{SECRET['calendar']}
ORGANIZER:mailto:board@hospital.example
ATTENDEE:mailto:results@lab.example
END:VEVENT
END:VCALENDAR
""")


def send(gw, sender, rcpt, data):
    with smtplib.SMTP("127.0.0.1", gw.inside, timeout=60) as s:
        s.ehlo("mail.hospital.example")
        code, text = s.mail(sender, ["BODY=8BITMIME"])
        code, text = s.rcpt(rcpt)
        if code != 250:
            return code, text.decode()
        code, text = s.data(data)
        return code, text.decode()


def decodings(octets):
    """The octets themselves, every run of base64 in them decoded, and quoted-printable decoded."""
    yield octets
    yield quopri.decodestring(octets)
    for run in re.finditer(rb"(?:[A-Za-z0-9+/]{40,}={0,2}\r?\n?)+", octets):
        flat = re.sub(rb"[\r\n]", b"", run.group(0))
        try:
            yield base64.b64decode(flat[: len(flat) // 4 * 4])
        except ValueError:
            pass


def contains(octets, words):
    return [w for d in decodings(octets) for w in words if w in d]


def search_files(top, words):
    found, files, size = [], 0, 0
    for folder, _, names in os.walk(top):
        for n in names:
            path = os.path.join(folder, n)
            try:
                with open(path, "rb") as f:
                    data = f.read()
            except OSError:
                continue
            files += 1
            size += len(data)
            found += [f"{path}: {w[:40]!r}" for w in contains(data, words)]
    return found, files, size


def body_of(data):
    return data.split(b"\r\n\r\n", 1)[1]


def setup(top):
    lab_sink, hospital_sink, wire = Sink(), Sink(), Tap()
    # TLS between the two is switched off here only so that you can look at the wire
    ui_port = free_ports(1)[0]
    hospital = Gateway(top, "hospital", "hospital.example", hospital_sink.address, wire.address, settings="relay-tls = none", sections=f'web {{\n  address = "127.0.0.1:{ui_port}"\n}}\n')
    hospital.ui = f"http://127.0.0.1:{ui_port}/"
    lab = Gateway(top, "lab", "lab.example", lab_sink.address, f"127.0.0.1:{hospital.outside}", settings="relay-tls = none")
    wire.to = f"127.0.0.1:{lab.outside}"
    say("1. Starting the gateways of hospital.example and lab.example (parent, keeper, judge, scout, sealers, relay, admin each)")
    for g in (hospital, lab):
        g.start(wait=False)
    for g in (hospital, lab):
        g.wait_ready()
    say("2. Keys and trust, by the command `postern`: each domain makes its keys, each admin imports the partner's two certificates")
    for g in (hospital, lab):
        g.make_identity()
    hospital.trust(lab, "--treatment", "seal", "--strength", "require")
    lab.trust(hospital, "--treatment", "seal", "--strength", "require")
    hospital.postern("partner", "add", "insurer.example", "--treatment", "seal", "--strength", "require")
    say(hospital.postern("cert", "list", "lab.example", check=False)[1].rstrip())
    return hospital, lab, hospital_sink, lab_sink, wire


def show_wire(wire, words):
    octets = bytes(wire.octets)
    say("4. What an eavesdropper saw between the two gateways")
    for line in octets.split(b"\r\n"):
        if line.lower().startswith((b"subject:", b"content-type: application/pkcs7", b"mail from", b"rcpt to")):
            say("     " + line.decode("utf-8", "replace")[:100])
    n = octets.count(b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data")
    check(f"{n} messages as application/pkcs7-mime; smime-type=enveloped-data on the wire ({len(octets)} octets recorded)", n == 3)
    check("none of the plaintext on the wire, also after decoding base64 and quoted-printable", not contains(octets, words))


def show_arrived(sink, sent):
    say("5. What the mail server of lab.example got")
    for (name, data), subject in zip(sent, ("order", "Befund", "tumour")):
        mail = next(m for m in sink.mails if f"<{re.search(rb'Message-ID: <([^>]+)>', data).group(1).decode()}>" == m.field("Message-ID"))
        say(f"     {name}: {mail.field('Authentication-Results')[:150]} ...")
        check(f"{name}: content identical, octet by octet ({len(body_of(data))} octets)", body_of(mail.data) == body_of(data))
        same = all(mail.field(f) == v.strip() for f, v in re.findall(r"^([A-Za-z-]+): (.*?)\r$", data.split(b"\r\n\r\n")[0].decode(), re.M))
        check(f"{name}: every header field as sent", same)
        check(f"{name}: smime=pass, verdict {mail.field('X-Postern-Verdict')}",
              "smime=pass" in (mail.field("Authentication-Results") or "") and mail.field("X-Postern-Verdict") == "sealed")


def refusal(hospital):
    say("6. A partner who must get sealed mail, but whose certificate nobody has")
    code, text = send(hospital, "weber@hospital.example", "claims@insurer.example", message_plain())
    say(f"     {code} {text}")
    check("refused with 550 at RCPT, nothing left the house", code == 550 and text.startswith("5.7.1") and "insurer.example" in text)
    say(hospital.postern("explain", "weber@hospital.example", "claims@insurer.example", check=False)[1].rstrip())


def keep_running(top, hospital, lab):
    say(f"""
Both gateways go on running. Talk to them:
  swaks --server 127.0.0.1:{hospital.inside} --from you@hospital.example --to somebody@lab.example
  build/bin/postern --socket {hospital.sock} status
  build/bin/postern --socket {lab.sock} queue list
  tail -f {lab.log_path}          mail that arrived: {top}/arrived/
The web UI of hospital.example: {hospital.ui}
  its first user is made on the command line, and is asked for a password:
  build/bin/postern --socket {hospital.sock} user add you --role admin
  build/bin/postern --socket {hospital.sock} user password you
End with Ctrl-C.""")
    try:
        while all(g.proc.poll() is None for g in (hospital, lab)):
            time.sleep(1)
    except KeyboardInterrupt:
        pass


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--keep", action="store_true")
    args = ap.parse_args()
    began = time.monotonic()
    top = tempfile.mkdtemp(prefix="postern-demo-")
    os.chmod(top, 0o755)
    gateways = []
    try:
        hospital, lab, _, lab_sink, wire = setup(top)
        gateways = [hospital, lab]
        lab_sink.directory = os.path.join(top, "arrived")
        sent = [("plain text", message_plain()), ("HTML, 8-bit UTF-8, 5 MiB attachment", message_html()), ("calendar invitation", message_calendar())]
        say("3. Three messages leave the mail server of hospital.example")
        for name, data in sent:
            t = time.monotonic()
            code, text = send(hospital, "weber@hospital.example", "results@lab.example", data)
            say(f"     {name} ({len(data)} octets): {code} {text} ({(time.monotonic() - t) * 1000:.0f} ms)")
            check(f"{name}: accepted", code == 250)
        lab_sink.wait(3, 60)
        words = [s.encode() for s in SECRET.values()]
        wait_for("both queues to be empty", 30, lambda: all(g.cli("status")["relay"]["queue"]["queued"] + g.cli("status")["relay"]["queue"]["active"] == 0 for g in gateways))
        show_wire(wire, words)
        show_arrived(lab_sink, sent)
        refusal(hospital)
        say("7. Searching the plaintext in every file of both gateways")
        found, files, size = [], 0, 0
        for g in gateways:
            f, n, k = search_files(g.data, words)
            found, files, size = found + f, files + n, size + k
        for f in found:
            say("     " + f)
        check(f"not found in {files} files, {size} octets of keys/, store/, queue/", not found and files > 4)
        say()
        if failed:
            say(f"DEMO FAILED: {len(failed)} of the checks above: {'; '.join(failed)}. Logs: {top}")
            return 1
        say(f"DEMO GOOD: 3 messages sealed, opened, verified and identical; 1 refused with its reason; {time.monotonic() - began:.0f} s")
        if args.keep:
            keep_running(top, hospital, lab)
        return 0
    finally:
        for g in gateways:
            g.stop()
        if not failed:
            shutil.rmtree(top, ignore_errors=True)


sys.exit(main())
