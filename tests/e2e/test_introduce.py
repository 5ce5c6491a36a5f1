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
