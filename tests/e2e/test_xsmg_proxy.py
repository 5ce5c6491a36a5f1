"""Real gateways that know nothing but MX and _smg, and somebody between two of them who ends TLS and has other words for XSMG. Judged by what becomes of mail, and by whom each believes afterwards."""
import base64

from attackers import Meddler, get_reply, with_content
from clock import Clock
from gateway import wait_for
from strangers import World, sent, trusted


def octets(g):
    return base64.b64decode(g.shown()["statement"]["der"])


def remade(g, statement):
    """It says something else from now on."""
    before = g.shown()["statement"]["serial"]
    g.stop()
    g.statement = statement
    g.write_conf()
    g.start()
    return wait_for(f"another statement of {g.domain}", 30, lambda: (lambda s: s["serial"] if s and s["serial"] > before else None)(g.shown()["statement"]), every=0.2)


def test_between_two(top):
    """What GET brings is another one's, older, cut, altered, weakened, nothing; what PUT hands over is another one's. Mail goes on sealed, and the copy that is trusted stays."""
    clock, ask = Clock(top + "/clock"), "ask\n  ask-after = 1m"
    w = World(top, clock)
    w.add("hospital", "webpki", first=ask)
    w.add("lab", "webpki", first=ask)
    w.add("clinic", "webpki", first=ask)
    proxy = w.net + ".100"
    hospital, lab, clinic = w.start({"lab": proxy})
    between = Meddler(proxy, w.port, w.authority.issue("attacker.example"), (lab.address, w.port))
    try:
        # what the hospital hands over is the clinic's by the time it arrives
        between.put = octets(clinic)
        sent(hospital, lab, "first")
        wait_for("another statement to be handed over", 20, lambda: "PUT" in between.met)
        sent(lab, hospital, "answer")
        assert trusted(lab, hospital)["trusted"]["id"] == hospital.shown()["statement"]["id"]
        between.put = None
        old = octets(lab)
        serial = remade(lab, "signs = some")
        hospital.postern("partner", "fetch", lab.domain)
        held = trusted(hospital, lab, serial)["trusted"]
        now, n = octets(lab), 0
        weaker = with_content(now, b'"aes-256-gcm"', b'"aes-128-cbc"') if b'"aes-256-gcm"' in now else None
        assert weaker
        got = r"xsmg-get partner=lab\.example .*"
        for name, reply, log in (("older", get_reply(old), r"statement of=lab\.example from=\S+ result=old"),
                                 ("of-another", get_reply(octets(clinic)), r'result=refused .*why="domain:'),
                                 ("altered", get_reply(now[:-8] + bytes(b ^ 1 for b in now[-8:])), r'result=refused .*why="signature:'),
                                 ("weaker", get_reply(weaker), r'result=refused .*why="signature:'),
                                 ("short", get_reply(now[:-40], held["id"]), r'result=refused .*why="(der|type):'),
                                 ("current", ["250 2.0.0 current " + "A" * 43], got + "answer=none"),
                                 ("denies", ["550 5.1.2 not a domain of this gateway"], got + "answer=none"),
                                 ("not-now", ["451 4.3.0 not now"], got),
                                 ("ends", [*get_reply(now)[:5], ""], None)):
            between.cut()
            clock.forward(3700)  # who was told nothing does not ask again for a while
            between.get, before = (lambda domain, reply=reply: reply), len(between.met)
            mark = len(hospital.log().encode())

            def once():
                nonlocal n
                n += 1
                sent(hospital, lab, f"{name} {n}")
                return len(between.met) > before
            wait_for(f"the answer to be {name}", 30, once)
            if log:
                hospital.wait_log(log, 20, mark)
            between.get = None
            shown = hospital.partner(lab)
            assert shown["state"] == "trusted" and shown["trusted"]["id"] == held["id"], (name, shown)
            sent(hospital, lab, f"after {name}")
        assert not any(g.cli("pending")["statements"] for g in w.gateways)
        assert "alarm=statement" not in hospital.log()
        # and the owner's next one is believed, over the same way
        serial = remade(lab, "signs = all")
        between.cut()
        clock.forward(3700)

        def follows():
            nonlocal n
            n += 1
            sent(hospital, lab, f"next {n}")
            return hospital.partner(lab)["trusted"]["serial"] >= serial
        wait_for("the hospital to follow", 30, follows, every=0.5)
        sent(lab, hospital, "and back")
    finally:
        w.stop()
        between.close()
