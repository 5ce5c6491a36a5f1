"""What became of a message: `postern message find` and `postern message show`, between two gateways and for what was refused, held, deferred, bounced."""
import glob
import json
import os
import sqlite3
import time

from gateway import wait_for
from mail import message, pair, quick, send, solo
from smime import Identity, entity, seal, with_header

US, THEM = "a@hospital.example", "b@lab.example"
FAST = "queue {\n  retry-min = 1s\n  retry-max = 1s\n}\nsmtp-client {\n  backoff-min = 1s\n  backoff-max = 1s\n}\n"


def find(gw, *args):
    return gw.cli("message", "find", *args)["messages"]


def one(gw, outcome, *args):
    """The one message that is found, once its recipient has this outcome."""
    def look():
        v = find(gw, *args)
        assert len(v) <= 1, v
        return v[0] if v and v[0]["recipients"][0]["outcome"] == outcome else None
    return wait_for(f"{outcome} in the history of {gw.name}", 20, look)


def show(gw, m):
    return gw.cli("message", "show", m["id"])


def events(m):
    return [e["event"] for e in m["events"]]


def before(list_, *words):
    """The words stand in the list in this order."""
    at = -1
    for w in words:
        assert w in list_[at + 1:], (w, list_)
        at = list_.index(w, at + 1)


@quick
def test_sealed_out_and_in(top):
    """One mail through two gateways: sealed, delivered, accepted, opened, delivered, each with its certificate, TLS and reply."""
    hospital, lab, _, lab_sink = pair(top)
    assert send(hospital.inside, US, [THEM], message(US, THEM, "the secret subject"))[0] == 250
    lab_sink.by_subject("the secret subject")
    out = show(hospital, one(hospital, "delivered", "--to", THEM))
    assert out["direction"] == "out" and out["from"] == US and out["message_id"] == "<the.secret.subject@test>" and out["size"] > 0, out
    assert out["client"] == "127.0.0.1" and out["helo"] == "client.test", out
    before(events(out), "received", "sealed", "delivered")
    r = out["recipients"][0]
    assert r["treatment"] == "seal" and "sha256 " in r["certificates"] and "serial " in r["certificates"] and "lab.example" in r["certificates"], r
    assert r["remote"] and r["tls"].startswith("TLSv1.3") and r["rule"] and r["partner"] == "lab.example" and r["signed_by"], r
    delivered = next(e for e in out["events"] if e["event"] == "delivered")
    assert delivered["to"] == THEM and "queued as" in delivered["text"] and delivered["tls"], delivered
    got = show(lab, one(lab, "delivered", "--from", "hospital.example"))
    assert got["direction"] == "in" and got["tls"].startswith("TLSv1.3") and "verdict=" in got["judged"], got
    before(events(got), "received", "accepted", "opened", "delivered")
    r = got["recipients"]
    assert len(r) == 1 and r[0]["treatment"] == "open" and "hospital.example" in r[0]["signed_by"] and r[0]["message"] != got["id"], r
    assert find(lab, "--id", r[0]["message"])[0]["id"] == got["id"], "the opened form leads to what came"
    text = hospital.postern("message", "show", out["id"])[1]
    for word in ("delivered to b@lab.example", "sealed", "What happened", "Certificate"):
        assert word in text, (word, text)
    for gw in (hospital, lab):
        everything = json.dumps(find(gw)) + json.dumps([show(gw, m) for m in find(gw)]) + gw.postern("message", "find")[1]
        assert "secret subject" not in everything and "hello" not in everything
        with open(glob.glob(os.path.join(gw.data, "queue", "history.db*"))[0], "rb") as f:
            assert b"the secret subject" not in f.read()
    assert find(hospital, "--outcome", "sealed") and not find(hospital, "--outcome", "clear")
    assert find(hospital, "--message-id", "the.secret.subject@test") and find(hospital, "--to", "@lab.example", "--from", US, "--since", "1h")
    assert not find(hospital, "--until", "1h") and not find(hospital, "--to", "elsewhere.example")
    hour = [h for h in counts(hospital)["hours"] if h.get("out")]
    assert len(hour) >= 1 and sum(h["sealed"] for h in hour) == 1 and sum(h.get("delivered", 0) for h in hour) == 1, hour
    rows = hospital.cli("audit", "list", "--max", "100")["rows"]
    assert [x for x in rows if x["what"] == "message.find" and THEM in x["detail"]], rows
    assert [x for x in rows if x["what"] == "message.show" and out["id"] in x["detail"]], rows


def counts(gw):
    return gw.cli("message", "counts")


@quick
def test_refused_at_rcpt(top):
    """Where no message came to be, the refusal is found with its sentence; a client that tries without end is counted, not remembered."""
    gw, _, _ = solo(top, sections="history {\n  refusals-per-minute = 5\n}\n")
    code, text = send(gw.outside, "x@elsewhere.example", ["c@foreign.example"], b"")
    assert code == 550, (code, text)
    m = show(gw, one(gw, "refused", "--to", "c@foreign.example"))
    r = m["recipients"][0]
    assert "relaying denied" in r["reason"] and r["reason"].startswith("550 5.7.1"), r
    before(events(m), "received", "refused")
    assert m["direction"] == "in" and find(gw, "--outcome", "refused", "--from", "elsewhere.example"), m
    gw.postern("partner", "add", "unknown.example", "--treatment", "seal", "--strength", "require")
    code, text = send(gw.inside, US, ["d@unknown.example"], message(US, "d@unknown.example", "no key"))
    assert code // 100 == 5, (code, text)
    m = show(gw, one(gw, "refused", "--to", "unknown.example"))
    assert m["trace"] in text and "unknown.example" in gw.postern("trace", m["trace"])[1], (text, m)
    assert m["direction"] == "out" and text.split(" ", 1)[1][:30] in m["recipients"][0]["reason"].replace("\n", " "), (text, m)
    for i in range(20):
        send(gw.outside, "x@elsewhere.example", [f"c{i}@foreign.example"], b"")
    wait_for("the refusals to be counted", 20, lambda: sum(h.get("refused", 0) for h in counts(gw)["hours"]) == 22)
    # a minute may have begun meanwhile
    assert counts(gw)["left_out"] >= 10 and counts(gw)["left_out"] + len(find(gw, "--outcome", "refused", "--limit", "100")) == 22


@quick
def test_held_and_released(top):
    """Mail of an unknown signer is held, with the reason; the admin releases it, and the history has who did."""
    gw, inside, _ = solo(top, domain_settings="untrusted = hold\n  broken = hold")
    partner = Identity(top, "partner", "email:b@partner.example")
    mail = with_header(seal(gw.files[1], partner.sign(entity("for your eyes\r\n"))), "b@partner.example", US, "held")
    assert send(gw.outside, "b@partner.example", [US], mail)[0] == 250
    m = one(gw, "held", "--from", "partner.example")
    assert find(gw, "--outcome", "held")[0]["id"] == m["id"]
    assert "trust" in show(gw, m)["recipients"][0]["reason"], show(gw, m)
    gw.postern("queue", "release", m["id"], "--reason", "asked by telephone")
    inside.by_subject("held")
    m = show(gw, one(gw, "delivered", "--from", "partner.example"))
    before(events(m), "received", "accepted", "held", "released", "opened", "delivered")
    released = next(e for e in m["events"] if e["event"] == "released")
    assert "asked by telephone" in released["text"] and "by " in released["text"], released
    assert not find(gw, "--outcome", "held")


@quick
def test_deferred_then_delivered(top):
    """A server that takes mail later: the tries stand in the timeline with its words."""
    gw, _, outside = solo(top, sections=FAST)
    gw.postern("partner", "add", "clear.example", "--treatment", "clear", "--strength", "never")
    outside.refuse["b@clear.example"] = "451 4.2.1 come again later"
    assert send(gw.inside, US, ["b@clear.example"], message(US, "b@clear.example", "patience"))[0] == 250
    m = one(gw, "deferred", "--to", "clear.example")
    assert "come again later" in show(gw, m)["recipients"][0]["reason"]
    del outside.refuse["b@clear.example"]
    gw.postern("queue", "retry", m["id"])
    outside.by_subject("patience")
    m = show(gw, one(gw, "delivered", "--to", "clear.example"))
    before(events(m), "received", "accepted", "deferred", "delivered")
    assert [e for e in m["events"] if e["event"] == "deferred" and "come again later" in e["text"] and e["to"] == "b@clear.example"], m
    assert m["recipients"][0]["treatment"] == "clear"


@quick
def test_bounced(top):
    """A server refuses for good: bounced, with its words, and the notice to the sender is a message of its own."""
    gw, inside, outside = solo(top)
    gw.postern("partner", "add", "clear.example", "--treatment", "clear", "--strength", "never")
    outside.refuse["b@clear.example"] = "550 5.1.1 nobody here of that name"
    assert send(gw.inside, US, ["b@clear.example"], message(US, "b@clear.example", "return"))[0] == 250
    m = show(gw, one(gw, "bounced", "--to", "clear.example"))
    assert "nobody here of that name" in m["recipients"][0]["reason"], m
    before(events(m), "received", "accepted", "bounced", "notified")
    wait_for("the notice", 20, lambda: inside.mails)
    notice = show(gw, one(gw, "delivered", "--direction", "notice"))
    assert notice["recipients"][0]["address"] == US and m["id"] in json.dumps(notice["events"]), notice
    assert notice["id"] in json.dumps(m["events"])


def test_over_restarts_and_damage(top):
    """The history outlives the process; a damaged file is set aside with an alarm, and mail goes on."""
    gw, inside, _ = solo(top, domain_settings="recipients = any")
    assert send(gw.outside, THEM, [US], message(THEM, US, "before"))[0] == 250
    inside.by_subject("before")
    m = one(gw, "delivered", "--from", "lab.example")
    gw.stop()
    gw.start()
    assert one(gw, "delivered", "--to", US)["id"] == m["id"] and one(gw, "delivered", "--message-id", "before@test")
    gw.stop()
    path = os.path.join(gw.data, "queue", "history.db")
    with open(path, "r+b") as f:
        f.write(b"damaged" * 1000)
    gw.start()
    gw.wait_log("alarm=history-damaged")
    assert send(gw.outside, THEM, [US], message(THEM, US, "after"))[0] == 250
    inside.by_subject("after")
    assert one(gw, "delivered", "--from", "lab.example")["message_id"] == "<after@test>"
    assert os.path.exists(path + ".damaged")


def test_history_that_cannot_be_written(top):
    """Another process has the history locked: mail goes on at once, an alarm says what is lost, and later mail is remembered again."""
    gw, inside, _ = solo(top, domain_settings="recipients = any")
    one_before = message(THEM, US, "first")
    assert send(gw.outside, THEM, [US], one_before)[0] == 250
    one(gw, "delivered", "--message-id", "first@test")
    db = sqlite3.connect(os.path.join(gw.data, "queue", "history.db"), isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert send(gw.outside, THEM, [US], message(THEM, US, "meanwhile"))[0] == 250
    inside.by_subject("meanwhile")
    assert time.monotonic() - began < 5
    gw.wait_log("alarm=history ")
    db.execute("ROLLBACK")
    db.close()
    assert send(gw.outside, THEM, [US], message(THEM, US, "last"))[0] == 250
    one(gw, "delivered", "--message-id", "last@test")
