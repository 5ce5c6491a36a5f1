"""Held mail that goes on by itself: when the signer comes to be trusted, when the inside server takes it after all; and what does not."""
import os
import signal
import sqlite3
import time

from gateway import wait_for
from mail import message, quick, send, solo
from smime import Identity, entity, seal, with_header

US, THEM = "a@hospital.example", "b@partner.example"
HOLD = "untrusted = hold\n  broken = hold"
SLOW = "queue {\n  held-retry = %s\n  held-retries = %d\n  retry-min = 1s\n  retry-max = 1s\n}\nsmtp-client {\n  backoff-min = 1s\n  backoff-max = 1s\n}\n"


def sealed(gw, who, subject, sender=THEM):
    return with_header(seal(gw.files[1], who.sign(entity("for your eyes\r\n"))), sender, US, subject)


def signed(who, subject, sender=THEM):
    return with_header(who.sign(entity("signed words\r\n"), detached=True), sender, US, subject)


def held(gw, n):
    def look():
        v = gw.queue(state="held")
        return v if len(v) == n else None
    return wait_for(f"{n} held", 20, look)


def rcpt(m):
    return m["recipients"][0]


@quick
def test_trust_arrives(top):
    """Sealed and signed mail of unknown signers is held; an imported certificate and an anchor release what they concern, and nothing else."""
    gw, inside, _ = solo(top, domain_settings=HOLD)
    ca = Identity(top, "ca", ca=True)
    partner = Identity(top, "partner", "email:" + THEM)
    other = Identity(top, "other", "email:c@other.example", issuer=ca)
    assert send(gw.outside, THEM, [US], sealed(gw, partner, "sealed early"))[0] == 250
    assert send(gw.outside, THEM, [US], signed(partner, "signed early"))[0] == 250
    assert send(gw.outside, "c@other.example", [US], sealed(gw, other, "of another", "c@other.example"))[0] == 250
    broken = signed(partner, "broken").replace(b"signed words", b"forged words")
    assert send(gw.outside, THEM, [US], broken)[0] == 250
    waits = {m["message_id"] or m["id"]: rcpt(m) for m in held(gw, 4)}
    kinds = sorted((r["waits"], r["waits_for"]) for r in waits.values())
    assert kinds == [("admin", ""), ("trust", "other.example"), ("trust", "partner.example"), ("trust", "partner.example")], kinds
    assert all((r["next_at"] > 0) == (r["waits"] == "trust") for r in waits.values()), waits
    text = gw.postern("queue", "show", next(m["id"] for m in gw.queue(state="held") if rcpt(m)["waits_for"] == "other.example"))[1]
    assert "trust" in text and "other.example" in text and "Next try" in text and "Held since" in text, text
    text = gw.postern("queue", "list", "--state", "held")[1]
    assert text.count("trust") == 3 and text.count("admin") == 1 and text.count("part") >= 2, text
    assert not inside.mails

    judged = [rcpt(m)["judged"] for m in gw.queue(state="held") if rcpt(m)["waits_for"] == "other.example"]
    gw.postern("cert", "import", partner.cert, "--for", THEM, "--pin", "--yes")
    for subject, verdict in (("sealed early", "sealed"), ("signed early", "signed")):
        m = inside.by_subject(subject)
        assert verdict in m.field("X-Postern-Verdict"), m.header
    assert sorted(rcpt(m)["waits"] for m in held(gw, 2)) == ["admin", "trust"]
    assert [rcpt(m)["judged"] for m in gw.queue(state="held") if rcpt(m)["waits_for"] == "other.example"] == judged, "another partner's was judged again"

    gw.postern("anchor", "add", ca.cert, "--scope", "other.example", "--yes")
    assert "sealed" in inside.by_subject("of another").field("X-Postern-Verdict")
    assert [rcpt(m)["waits"] for m in held(gw, 1)] == ["admin"]
    assert len(inside.mails) == 3


@quick
def test_change_while_the_relay_is_away(top):
    """The relay dies with mail held; trust comes meanwhile; the next relay finds it by itself, and each message arrives once."""
    gw, inside, _ = solo(top)
    partner = Identity(top, "partner", "email:" + THEM)
    for i in range(12):
        assert send(gw.outside, THEM, [US], sealed(gw, partner, f"held {i}"))[0] == 250
    held(gw, 12)
    mark = os.path.getsize(gw.log_path)
    os.kill(gw.roles()["relay"][0], 9)
    gw.postern("cert", "import", partner.cert, "--for", THEM, "--pin", "--yes")
    gw.wait_log(r"ready role=relay|ready all=", since=mark)
    inside.wait(12, 30, lambda m: True)
    wait_for("the queue to be empty", 20, lambda: not [m for m in gw.queue() if m["state"] != "done"])
    assert sorted(m.field("Subject") for m in inside.mails) == sorted(f"held {i}" for i in range(12))


@quick
def test_inside_refuses_and_is_repaired(top):
    """After acceptance the inside server says 5xx: held, tried again on the slow schedule, and delivered when it takes it."""
    gw, inside, _ = solo(top, sections=SLOW % ("1m", 20), domain_settings="recipients = any")
    inside.refuse[US] = "550 5.7.1 not today"
    assert send(gw.outside, THEM, [US], message(THEM, US, "refused"))[0] == 250
    m = held(gw, 1)[0]
    assert rcpt(m)["waits"] == "inside" and rcpt(m)["next_at"] > 0 and "not today" in rcpt(m)["reason"], m
    gw.postern("queue", "retry", m["id"])
    wait_for("another try", 20, lambda: [x for x in gw.queue(state="held") if rcpt(x)["judged"] == 1])
    assert rcpt(held(gw, 1)[0])["held_since"] == rcpt(m)["held_since"]
    del inside.refuse[US]
    gw.postern("queue", "retry", m["id"])
    assert inside.by_subject("refused").rcpts == [US]
    wait_for("the end", 20, lambda: not gw.queue(state="held"))


@quick
def test_admins_hold_stays(top):
    """What the admin holds waits for the admin, also when it waited for trust before."""
    gw, inside, _ = solo(top)
    partner = Identity(top, "partner", "email:" + THEM)
    assert send(gw.outside, THEM, [US], sealed(gw, partner, "kept"))[0] == 250
    assert send(gw.outside, THEM, [US], sealed(gw, partner, "goes"))[0] == 250
    kept = next(m for m in held(gw, 2) if "kept" in m["message_id"])
    gw.postern("queue", "hold", kept["id"])
    gw.postern("cert", "import", partner.cert, "--for", THEM, "--pin", "--yes")
    inside.by_subject("goes")
    left = held(gw, 1)
    assert left[0]["id"] == kept["id"] and rcpt(left[0])["waits"] == "admin" and "trusted" in rcpt(left[0])["reason"], left
    gw.postern("queue", "release", kept["id"])
    assert "sealed" in inside.by_subject("kept").field("X-Postern-Verdict")


def test_verbs_while_the_database_is_locked(top):
    """Another process has the queue database's write lock: the admin is told so in a few seconds, nothing is changed, and the relay answers its clients meanwhile."""
    gw, inside, _ = solo(top, domain_settings="recipients = any")
    inside.refuse[US] = "451 4.2.1 later"
    assert send(gw.outside, THEM, [US], message(THEM, US, "waits"))[0] == 250
    wait_for("a try", 20, lambda: rcpt(gw.queue()[0])["attempts"] == 1)
    m = gw.queue()[0]
    db = sqlite3.connect(os.path.join(gw.data, "queue", "queue.db"), isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    code, _, err = gw.postern("queue", "hold", m["id"], check=False)
    assert code != 0 and "nothing was changed" in err and "locked" in err, (code, err)
    assert send(gw.outside, THEM, ["nobody@elsewhere.example"], b"")[0] // 100 == 5  # the loop goes on
    code, text = send(gw.outside, THEM, [US], message(THEM, US, "refused"))
    assert code == 451 and "cannot be stored now" in text, (code, text)  # what is wrong is not for strangers
    assert "locked" in gw.cli("status")["relay"]["queue"]["trouble"]
    gw.wait_log("alarm=queue-locked")
    db.execute("ROLLBACK")
    db.close()
    assert gw.queue()[0]["state"] != "held"
    wait_for("the admin's hand", 20, lambda: gw.postern("queue", "hold", m["id"], check=False)[0] == 0)
    assert gw.queue()[0]["state"] == "held"
    gw.wait_log("queue-writable after=queue-locked")
    del inside.refuse[US]
    gw.postern("queue", "release", m["id"])
    inside.by_subject("waits")


def test_keeper_that_hangs(top):
    """The key process stops answering: the parent ends it, starts another, says so, and mail goes on."""
    gw, inside, _ = solo(top, settings="keeper-timeout = 2s", domain_settings="recipients = any")
    before, partner = gw.roles()["keeper"][0], Identity(top, "partner", "email:" + THEM)
    assert send(gw.outside, THEM, [US], sealed(gw, partner, "held before"))[0] == 250
    held(gw, 1)
    assert send(gw.outside, THEM, [US], message(THEM, US, "before"))[0] == 250
    mark = os.path.getsize(gw.log_path)
    os.kill(before, signal.SIGSTOP)
    gw.postern("cert", "import", partner.cert, "--for", THEM, "--pin", "--yes")
    gw.wait_log(rf"alarm=keeper-hangs pid={before} why=\"the key process has answered nothing for \d+ s: it is ended")
    wait_for("another keeper", 20, lambda: gw.roles().get("keeper", [0])[0] not in (0, before))
    gw.wait_log("keys-ready", since=mark)
    assert send(gw.outside, THEM, [US], message(THEM, US, "after"))[0] == 250
    inside.by_subject("before")
    inside.by_subject("after")
    inside.by_subject("held before")
    mark = os.path.getsize(gw.log_path)
    time.sleep(5)  # two time-outs in which a good one must not be taken for one that hangs
    assert "keeper-hangs" not in gw.log(mark)


def test_one_that_cannot_be_read(top):
    """A message whose file cannot be opened goes by the schedule, counted, and holds up nobody else at its next hop; mended, it arrives."""
    gw, inside, _ = solo(top, sections=SLOW % ("1m", 20), domain_settings="recipients = any")
    inside.refuse[US] = "451 4.2.1 later"
    body = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n" * 8000
    assert send(gw.outside, THEM, [US], message(THEM, US, "unread", body))[0] == 250
    spool = os.path.join(gw.data, "queue", "spool")
    path = os.path.join(spool, wait_for("its file", 20, lambda: os.listdir(spool))[0])
    os.chmod(path, 0)
    gw.wait_log(r"unread recipients=1")
    del inside.refuse[US]
    attempts = rcpt(gw.queue()[0])["attempts"]
    assert send(gw.outside, THEM, [US], message(THEM, US, "another"))[0] == 250
    inside.by_subject("another")
    wait_for("another try", 30, lambda: rcpt(next(m for m in gw.queue() if "unread" in m["message_id"]))["attempts"] > attempts)
    assert "put-back" not in gw.log()
    os.chmod(path, 0o600)
    assert inside.by_subject("unread").rcpts == [US]


@quick
def test_shares_tell_nothing(top):
    """One domain has its share of held-max: its signed mail gets 452 whatever its signature is worth, its unsigned mail and everybody else's is taken."""
    gw, inside, _ = solo(top, domain_settings=HOLD + "\n  recipients = any", sections="queue {\n  held-max = 10\n  held-share = 20\n}\n")
    partner, known = Identity(top, "partner", "email:" + THEM), Identity(top, "known", "email:k@partner.example")
    gw.postern("cert", "import", known.cert, "--for", "k@partner.example", "--pin", "--yes")
    assert send(gw.outside, "k@partner.example", [US], signed(known, "good one", "k@partner.example"))[0] == 250
    inside.by_subject("good one")
    for i in range(2):
        assert send(gw.outside, THEM, [US], signed(partner, f"unknown {i}"))[0] == 250
    held(gw, 2)
    answers = {send(gw.outside, sender, [US], data) for sender, data in (
        (THEM, signed(partner, "unknown 2")),
        ("k@partner.example", signed(known, "good two", "k@partner.example")),
        (THEM, signed(partner, "broken").replace(b"signed words", b"forged words")),
        (THEM, sealed(gw, partner, "sealed unknown")),
        ("k@partner.example", sealed(gw, known, "sealed known", "k@partner.example")))}
    assert answers == {(452, "4.3.1 too much mail is held here already, try again later")}, answers
    gw.wait_log(r"alarm=held-share client=127\.0\.0\.1 from=<\w@partner\.example>")
    assert send(gw.outside, THEM, [US], message(THEM, US, "not signed"))[0] == 250
    inside.by_subject("not signed")
    stranger = Identity(top, "stranger", "email:s@other.example")
    assert send(gw.outside, "s@other.example", [US], signed(stranger, "of another", "s@other.example"))[0] == 250
    for m in held(gw, 3):
        gw.postern("queue", "delete", m["id"])
    assert send(gw.outside, "k@partner.example", [US], signed(known, "good three", "k@partner.example"))[0] == 250
    inside.by_subject("good three")


def test_killed_while_it_is_released(top):
    """Every role dies while held mail goes on by itself: each message arrives, each recipient ends in one outcome, and only a relay's death may bring one twice."""
    n = 60
    gw, inside, _ = solo(top)
    partner = Identity(top, "partner", "email:" + THEM)
    for i in range(n):
        assert send(gw.outside, THEM, [US], sealed(gw, partner, f"held {i}"))[0] == 250
    held(gw, n)
    gw.postern("cert", "import", partner.cert, "--for", THEM, "--pin", "--yes")
    for role in ("relay", "sealer", "judge", "relay", "keeper"):
        seen = len(inside.mails)
        wait_for("progress", 60, lambda: len(inside.mails) > min(seen, n - 1))
        pids = gw.roles().get(role, [])
        for pid in pids[:1]:
            os.kill(pid, signal.SIGKILL)
        wait_for(f"another {role}", 60, lambda: role in gw.roles() and len(gw.roles()[role]) >= len(pids) and pids[0] not in gw.roles()[role] and 0 not in gw.roles()[role])
    subjects = wait_for("all of them", 60, lambda: (lambda s: s if len(set(s)) == n else None)([m.field("Subject") for m in inside.mails]))
    wait_for("the end", 30, lambda: not [m for m in gw.queue(max="1000") if m["state"] != "done"])
    outcomes = sorted(rcpt(m)["outcome"] for m in gw.queue(max="1000"))
    assert outcomes == ["delivered"] * n + ["opened"] * n, outcomes
    assert len(subjects) - n <= 2 * 8, f"{len(subjects) - n} came twice"
    print(f"  {n} released, 5 kills, {len(subjects) - n} duplicates")
