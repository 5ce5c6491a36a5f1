#!/usr/bin/env python3
"""Mail to N partners that nobody configured, each with a certificate of its own in signed zones of a real nsd: what is asked, how long it takes, what the judge keeps in memory; then a
second message to each, for which nobody is asked.

find_many.py [N]   default 10000. Every message is looked at where it arrives: none may be readable, and some are opened with the certificate they should be sealed for, and not with the
neighbour's. Needs no other program in the same run: unlike bench.py it compares nothing, it proves bounds. Exit 0 when all hold; else 1, and the logs stay.
"""
import base64
import os
import shutil
import smtplib
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
from gateway import Gateway, wait_for  # noqa: E402
from lookups import certificates  # noqa: E402
from mail import message  # noqa: E402
from nexthop import Nsd  # noqa: E402
from sink import Sink  # noqa: E402
from smime import openssl  # noqa: E402

US = "anna@hospital.example"
SESSIONS, A_ZONE, OPENED = 20, 1000, 40
KEPT = 64  # MiB, kept-octets
FIND = "find {{\n  tiers = {{store, smimea, cert, ldap}}\n  kept-max = {0}\n  kept-octets = {1}M\n  found-least = 6h\n  none-least = 1h\n}}\n"


def zone(i):
    return f"z{i // A_ZONE}.example"


def domain(i):
    return f"d{i}.{zone(i)}"


def memory(gw, role):
    """MiB: the most so far."""
    with open(f"/proc/{gw.roles()[role][0]}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def mail_all(gw, n, who):
    """One message to each; seconds. What is not accepted at once is told."""
    refused, began = [], time.monotonic()

    def session(first):
        with smtplib.SMTP("127.0.0.1", gw.inside, timeout=300) as s:
            for i in range(first, n, SESSIONS):
                rcpt = f"{who}@{domain(i)}"
                try:
                    s.sendmail(US, [rcpt], message(US, rcpt, f"to {rcpt}", "hello in the clear\r\n"))
                except smtplib.SMTPException as e:
                    refused.append(f"{rcpt}: {e}")
    threads = [threading.Thread(target=session, args=(k,)) for k in range(SESSIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not refused, f"{len(refused)} were not accepted, such as {refused[:3]}"
    return time.monotonic() - began


def look_at(top, sink, n, who, records):
    """All there, none readable; some opened."""
    mails = {m.rcpts[0]: m for m in sink.wait(n, 600)}
    assert len(mails) == n, f"{len(mails)} recipients of {n}"
    clear = [r for r, m in mails.items() if b"hello" in m.data or "enveloped-data" not in (m.field("Content-Type") or "")]
    assert not clear, f"{len(clear)} went out in the clear, such as {clear[:3]}"
    pem = os.path.join(top, "one.pem")

    def opens(i, mail):
        openssl("x509", "-inform", "DER", "-out", pem, data=base64.b64decode(records[i].split()[-1]))
        return openssl("cms", "-decrypt", "-recip", pem, "-inkey", os.path.join(top, "find.key"), data=mail.data, check=False)
    for i in range(0, n, max(1, n // OPENED)):
        mail = mails[f"{who}@{domain(i)}"]
        assert opens(i, mail) and not opens((i + 1) % n, mail), f"{mail.rcpts} is not sealed for its own certificate alone"
    sink.mails.clear()


def run(top, n):
    began, sink, nsd = time.monotonic(), Sink(), Nsd(top)
    ca, records = certificates(top, n, zone)
    for first in range(0, n, A_ZONE):
        nsd.zone(zone(first), records[first:first + A_ZONE], sign=True)
    nsd.start()
    print(f"find-many: {n} domains in {len(nsd.zones)} signed zones made in {time.monotonic() - began:.0f} s", flush=True)
    gw = Gateway(top, "hospital", "hospital.example", sink.address, sink.address, settings="relay-tls = none\nsessions-per-client = 1000\n", domain_settings="inside-tls = none", log_level="warn",
                 sections=nsd.settings() + FIND.format(max(100, 5 * n), KEPT))
    try:
        gw.start(wait=False)
        wait_for("posternd", 60, lambda: os.path.exists(gw.sock) and gw.postern("status", check=False)[0] == 0)
        wait_for("keys", 60, lambda: gw.cli("status")["parent"]["keeper"] == "ready")
        gw.make_identity("--self-signed")
        gw.postern("anchor", "add", ca, "--scope", "*", "--yes")
        before, asked = memory(gw, "judge"), 0
        for who, words in ("bob", "first"), ("carol", "second"):
            took = mail_all(gw, n, who)
            look_at(top, sink, n, who, records)
            now, most = gw.cli("status")["judge"]["lookups"], memory(gw, "judge")
            print(f"find-many: {words} message: accepted in {took:.1f} s ({n / took:.0f} a second), {now['asked'] - asked} questions, none in the clear; the judge's memory at most "
                  f"{most:.0f} MiB ({most - before:.0f} more than at first), the scout's {memory(gw, 'scout'):.0f} MiB", flush=True)
            assert most - before < 2 * KEPT, f"the judge grew by {most - before:.0f} MiB, with {KEPT} MiB for answers"
            if asked:
                assert now["asked"] == asked, f"{now['asked'] - asked} questions for what was known"
            else:
                assert n <= now["asked"] <= 4 * n, f"{now['asked']} questions for {n} domains"
            asked = now["asked"]
    finally:
        gw.stop()
        nsd.stop()


def main():
    n, top, good = int(sys.argv[1]) if len(sys.argv) > 1 else 10000, tempfile.mkdtemp(prefix="postern-many-"), False
    os.chmod(top, 0o755)
    try:
        run(top, n)
        good = True
    except AssertionError as e:
        print(f"find-many: FAILED: {e}; logs in {top}")
    if good:
        shutil.rmtree(top, ignore_errors=True)
    return 0 if good else 1


sys.exit(main())
