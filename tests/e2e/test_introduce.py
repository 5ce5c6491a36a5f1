"""Two gateways that nobody told of each other: MX and _smg are all there is. Judged by what arrives, and by what each shows of the other."""
from gateway import wait_for
from strangers import World


def trusted(g, other):
    return wait_for(f"{g.name} to trust {other.name}", 20, lambda: (lambda s: s if s and s["state"] == "trusted" else None)(g.partner(other)), every=0.2)


def test_two(top):
    """The first message goes out sealed. Its reader has not met the signer: it looks for the statement of the sender's domain by itself, and delivers."""
    w = World(top)
    w.add("hospital", "webpki")
    w.add("lab", "dnssec")
    hospital, lab = w.start()
    code, text = hospital.mail(lab, "first")
    assert code == 250, text
    assert trusted(hospital, lab)["established"] == "dnssec"
    hospital.wait_log(r"accepted .*treatment=seal")
    assert trusted(lab, hospital)["established"] == "webpki"
    lab.sink.by_subject("first")
    code, text = lab.mail(hospital, "answer")
    assert code == 250, text
    for g, subject in ((hospital, "answer"), (lab, "first")):
        mail = g.sink.by_subject(subject)
        assert b"hello" in mail.body and mail.field("X-Postern-Verdict").startswith("sealed"), mail.data[:2000]
    # over SMTP: each has asked the other and handed its own over, and both know by which id
    for g, other in ((hospital, lab), (lab, hospital)):
        other_id, own_id = other.shown()["statement"]["id"], g.shown()["statement"]["id"]
        g.wait_log(rf"xsmg-get partner={other.domain} .*answer=current id={other_id}")
        g.wait_log(rf"xsmg-put ours={g.domain} partner={other.domain} .*id={own_id} taken=1")
        assert not g.cli("pending")["statements"]
    w.stop()


def first(g, other, subject, want="sealed"):
    """The first mail there is: it goes out sealed and its user reads it, or it waits with the sentence."""
    code, text = g.mail(other, subject)
    if want != "sealed":
        assert code == 451 and want in text, (code, text)
        return
    assert code == 250, (subject, code, text)
    mail = other.sink.by_subject(subject, 40)
    assert b"hello" in mail.body and mail.field("X-Postern-Verdict").startswith("sealed"), mail.data[:2000]


def test_modes(top):
    """An anchor, a pin, first contact: what an admin does is counted, and after that the first mail is sealed."""
    w = World(top)
    w.add("hospital", "webpki")
    w.add("clinic", "anchored")
    w.add("pharmacy", "pinned")
    w.add("lab", "first")
    w.add("office", "webpki", first="accept")
    hospital, clinic, pharmacy, lab, office = w.start()
    did = {}

    def admin(other, *args):
        did[other.kind] = did.get(other.kind, 0) + 1
        hospital.postern(*args)
    # an anchor for this partner: nothing is said of the partner itself
    admin(clinic, "anchor", "add", w.ca.cert, "--scope", clinic.domain, "--yes")
    first(hospital, clinic, "to the clinic")
    assert trusted(hospital, clinic)["established"] == "anchored"
    first(clinic, hospital, "from the clinic")
    # a pin, compared by telephone, before the first mail
    admin(pharmacy, "partner", "add", pharmacy.domain)
    admin(pharmacy, "partner", "statement", pharmacy.domain, "--pin", pharmacy.key())
    first(hospital, pharmacy, "to the pharmacy")
    assert trusted(hospital, pharmacy)["established"] == "pinned"
    first(pharmacy, hospital, "from the pharmacy")
    # first contact with ask: the mail waits for one decision
    first(hospital, lab, "to the laboratory", "waits for your decision")
    assert [s["domain"] for s in hospital.cli("pending")["statements"]] == [lab.domain]
    admin(lab, "approve", lab.domain, "--channel", "phone", "--reason", "compared", "--fingerprint", lab.key())
    first(hospital, lab, "to the laboratory again")
    assert trusted(hospital, lab)["established"] == "first-contact"
    first(lab, hospital, "from the laboratory")
    # first contact with accept: no decision
    first(office, lab, "from the office")
    assert trusted(office, lab)["established"] == "first-contact"
    first(lab, office, "to the office")
    assert did == {"anchored": 1, "pinned": 2, "first": 1}, did
    assert not any(g.cli("pending")["statements"] for g in w.gateways)
    w.stop()
