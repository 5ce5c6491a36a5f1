"""Recipients of our own domains are known: call-ahead to a real Postfix, a map file, a real slapd. Unknown ones are refused with 550 5.1.1."""
import os
import threading
import time

from gateway import Gateway, wait_for
from mail import Talk, message, quick, send, solo
from postfix import Postfix
from sink import Sink


def rcpt(port, *addresses, sender="x@world.test"):
    """The replies to RCPT, one a transaction."""
    t = Talk(port)
    t.ask("EHLO client.test")
    out = []
    for a in addresses:
        t.ask(f"MAIL FROM:<{sender}>")
        out.append(t.ask(f"RCPT TO:<{a}>"))
        t.ask("RSET")
    t.ask("QUIT")
    t.close()
    return out


def check(gw, address, *options):
    return gw.cli("recipient", "check", address, *options)


def postfix_inside(top, users, extra=None):
    p = Postfix(top, "inside", "", "hospital.example", maildir=True, extra=extra)
    path = os.path.join(p.dir, "users")
    with open(path, "w") as f:
        f.writelines(f"{u}@hospital.example {u}/\n" for u in users)
    with open(os.path.join(p.conf, "main.cf"), "a") as f:
        f.write(f"virtual_mailbox_maps = texthash:{path}\nrecipient_delimiter = +\n")
    return p.start()


def test_call_ahead_to_postfix(top):
    """The default. Known ones go through, unknown ones are refused; asked once and remembered; a Postfix that is away: known ones still, others 451."""
    p = postfix_inside(top, ["anna"])
    gw = Gateway(top, "hospital", "hospital.example", p.address, "127.0.0.1:1").start()
    try:
        got = rcpt(gw.outside, "anna@hospital.example", "Anna@Hospital.Example", "anna+tag@hospital.example", "joe@hospital.example", "joe@hospital.example",
                   "postmaster@hospital.example", "postmaster", "x@other.example")
        assert [r[:3] for r in got] == ["250", "250", "250", "550", "550", "250", "250", "550"], got
        assert got[3].startswith("550 5.1.1 <joe@hospital.example>") and got[7].startswith("550 5.7.1"), got
        assert len([line for line in p.log().split("\n") if "reject: RCPT" in line]) == 1, "joe was asked for once"
        assert send(gw.outside, "x@world.test", "anna@hospital.example", message("x@world.test", "anna@hospital.example", "to anna"))[0] == 250
        wait_for("the mail", 30, lambda: [m for m in p.stored() if b"Subject: to anna" in m])
    finally:
        p.stop()
    got = rcpt(gw.outside, "anna@hospital.example", "joe@hospital.example", "new@hospital.example", "postmaster@hospital.example")
    assert [r[:9] for r in got] == ["250 2.1.5", "550 5.1.1", "451 4.4.3", "250 2.1.5"], got
    assert "127.0.0.1" not in got[2], "nothing about the inside is told outside"
