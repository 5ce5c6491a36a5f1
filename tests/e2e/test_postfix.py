"""Real Postfix as the inside server of both domains, swaks and smtp-source as clients."""
import re
import subprocess

from gateway import Gateway, wait_for
from postfix import Postfix


def houses(top):
    """Two domains, each a Postfix behind a gateway: mail enters at the Postfix of one and ends in the maildir of the other."""
    h = Gateway(top, "hospital", "hospital.example", "127.0.0.1:1")
    lab = Gateway(top, "lab", "lab.example", "127.0.0.1:1")
    ph = Postfix(top, "hospital", f"[127.0.0.1]:{h.inside}", "hospital.example", maildir=True)
    pl = Postfix(top, "lab", f"[127.0.0.1]:{lab.inside}", "lab.example", maildir=True)
    for g, p, other in ((h, ph, lab), (lab, pl, h)):
        g.inside_server, g.next_hop = p.address, f"127.0.0.1:{other.outside}"
        g.write_conf()
        p.start()
        g.start(wait=False)
    for g in (h, lab):
        g.wait_ready()
        g.make_identity()
    for g, other in ((h, lab), (lab, h)):
        g.trust(other, "--strength", "require")
    return h, lab, ph, pl


def test_swaks_through_both_houses(top):
    h, lab, ph, pl = houses(top)
    try:
        for frm, to, start, end in (("a@hospital.example", "b@lab.example", ph, pl), ("b@lab.example", "a@hospital.example", pl, ph)):
            r = subprocess.run(["swaks", "--server", start.address, "--from", frm, "--to", to, "--header", "Subject: swaks " + to, "--body", "line one\n.two\n", "--helo", "client.test"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert r.returncode == 0, r.stdout
            mail = wait_for(f"mail for {to}", 30, lambda: [m for m in end.stored() if b"Subject: swaks " + to.encode() in m])[0]
            assert b"smime=pass" in mail and b"X-Postern-Verdict: sealed" in mail and b"line one\n.two\n" in mail
    finally:
        ph.stop()
        pl.stop()


def test_smtp_source_burst(top):
    """300 messages in 10 sessions from smtp-source: each one arrives exactly once, opened and verified."""
    h, lab, ph, pl = houses(top)
    try:
        n = 300
        subprocess.run(["smtp-source", "-s", "10", "-m", str(n), "-l", "4000", "-f", "a@hospital.example", "-t", "b@lab.example", "-S", "burst", "-M", "client.test", ph.address],
                       check=True, timeout=120)
        mails = wait_for(f"{n} mails", 90, lambda: (lambda s: s if len(s) >= n else None)(pl.stored()))
        assert len(mails) == n
        ids = {re.search(rb"^Message-I[dD]: (.*)$", m, re.M).group(1) for m in mails}
        assert len(ids) == n
        assert all(b"smime=pass" in m and b"X-Postern-Verdict: sealed" in m for m in mails)
    finally:
        ph.stop()
        pl.stop()


def test_refusal_reaches_the_sender(top):
    """No certificate for a partner that must have sealed mail: Postfix gets 550 at RCPT and tells its user with our sentence."""
    h, lab, ph, pl = houses(top)
    try:
        h.postern("partner", "add", "insurer.example", "--strength", "require")
        subprocess.run(["swaks", "--server", ph.address, "--from", "a@hospital.example", "--to", "x@insurer.example", "--body", "secret"], check=True, stdout=subprocess.DEVNULL)
        bounce = wait_for("the bounce", 30, lambda: [m for m in ph.stored() if b"insurer.example" in m and b"there is no certificate for insurer.example" in m.replace(b"\n", b" ").replace(b"    ", b" ")])[0]
        assert b"postern cert import" in b" ".join(bounce.split())
    finally:
        ph.stop()
        pl.stop()
