"""Days go by at real gateways that know nothing of each other but the DNS: their clock is put forward. Statement keys change, what trust rests on goes away, certificates run out. Judged by the fate of mail."""
import re

from clock import Clock
from gateway import wait_for
from strangers import World, sent, trusted

DAY = 86400


def approved(g, other, subject):
    code, text = g.mail(other, subject)
    assert code == 451 and "waits for your decision" in text, (code, text)
    g.postern("approve", other.domain, "--channel", "phone", "--reason", "compared", "--fingerprint", other.key())
    sent(g, other, subject + " again")


def test_another_statement_key(top):
    """Nothing speaks for the keys of two partners but their admin's word. Both change them while the days go by: the one that announced it for seven days is followed and nobody is asked; the other
    waits for the admin, and mail to it is sealed by the statement it had."""
    clock = Clock(top + "/clock")
    w = World(top, clock)
    times = "rollover-early = 1s\n rollover-overlap = 4d\n rollover-before = 0s\n "
    w.add("hospital", "webpki")
    w.add("lab", "first", statement=times + "rollover-lead = 9d")
    w.add("office", "first", statement=times + "rollover-lead = 3d")
    hospital, lab, office = w.start()
    try:
        for g in (lab, office):
            approved(hospital, g, f"to {g.name}")
            g.before = trusted(hospital, g)["trusted"]["key"]
            g.postern("domain", "rollover", g.domain, "--statement-key")
            wait_for("the new key to be announced", 30, lambda: g.shown()["rollovers"][0]["step"] == "announced", every=0.2)
        for day in range(16):
            for g in (lab, office):
                sent(hospital, g, f"day {day} to {g.name}")
            before = {g: g.shown()["statement"]["serial"] for g in (lab, office)}
            clock.forward(DAY)
            for g in (lab, office):
                wait_for(f"{g.name} to have a statement of the day", 90, lambda: g.shown()["statement"]["serial"] > before[g], every=0.2)

            def followed():
                serial = lab.shown()["statement"]["serial"]  # another one may be made at any moment
                hospital.postern("partner", "fetch", lab.domain)
                hospital.postern("partner", "fetch", office.domain)
                return hospital.partner(lab)["trusted"]["serial"] >= serial
            wait_for("the hospital to follow the laboratory", 30, followed, every=1.1)
        got = hospital.partner(lab)
        assert got["established"] == "first-contact" and got["trusted"]["key"] != lab.before, got
        assert [s["domain"] for s in hospital.cli("pending")["statements"]] == [office.domain]
        assert hospital.partner(office)["trusted"]["key"] == office.before
    finally:
        w.stop()


def test_weighed_each_day(top):
    """What a statement rests on goes: the anchor is taken away, and mail waits; it comes back, and mail flows. The partner's certificates run out, and mail to it waits: never in the clear."""
    clock = Clock(top + "/clock")
    w = World(top, clock)
    w.add("hospital", "webpki")
    w.add("clinic", "anchored", days=20, statement="rollover-before = 0s")
    hospital, clinic = w.start()
    try:
        def anchor():
            hospital.postern("anchor", "add", w.ca.cert, "--scope", clinic.domain, "--yes")
        anchor()
        sent(hospital, clinic, "first")
        sent(clinic, hospital, "answer")
        assert trusted(hospital, clinic)["established"] == "anchored"
        one = next(a for a in hospital.cli("anchor", "list")["anchors"] if a["scope"] == clinic.domain)
        hospital.postern("anchor", "remove", clinic.domain, one["fingerprint"].replace(" ", ""))
        clock.forward(DAY + 60)
        wait_for("its trust to be lost", 90, lambda: [s["domain"] for s in hospital.cli("pending")["statements"]] == [clinic.domain], every=0.5)
        code, text = hospital.mail(clinic, "while nothing speaks for it")
        assert code == 451 and clinic.domain in text, (code, text)
        anchor()
        clock.forward(DAY + 60)
        wait_for("it to be trusted again", 90, lambda: not hospital.cli("pending")["statements"] and hospital.partner(clinic)["state"] == "trusted", every=0.5)
        sent(hospital, clinic, "after it")
        # its gateway is away until nothing of it is in its time any more
        clinic.stop()
        clock.forward(9 * DAY)
        code, text = hospital.mail(clinic, "after its statement ran out")
        assert code == 250, (code, text)
        hospital.wait_log(r"accepted .*treatment=seal message-id=<after\.its\.statement\.ran\.out@")
        clock.forward(10 * DAY)
        code, text = hospital.mail(clinic, "after its certificates ran out")
        assert code in (451, 550) and clinic.domain in text, (code, text)
        assert not re.search(r"accepted .*treatment=(clear|sign|tls)", hospital.log()), hospital.log()[-2000:]
    finally:
        w.stop()
