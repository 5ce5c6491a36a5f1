"""Message content is never on disk in the clear (promise P3): while mail comes in, waits at either gateway, and after it was delivered."""
import base64
import os
import quopri
import sqlite3

from gateway import wait_for
from mail import Talk, message, pair, quick, send
from search import found, in_folder, in_open_files
from sink import Sink

FROM, TO = "a@hospital.example", "b@lab.example"
PLAIN, QUOTED, ENCODED, SUBJECT, OUTSIDE, COMING = (
    b"creatinine 1.3 mg/dl for patient 4711", "Größe 1,73 m, Übelkeit seit Dienstag".encode(), b"second opinion: no metastases visible", b"tumour-board-tomorrow",
    b"from outside and never encrypted at all", b"half of a message that is still coming")
WORDS = [PLAIN, QUOTED, ENCODED, SUBJECT, OUTSIDE, COMING]
RETRIES = "queue {\n  retry-min = 1s\n  retry-max = 1s\n}\nsmtp-client {\n  backoff-min = 1s\n  backoff-max = 1s\n}\n"


def mails():
    """subject -> message; two of them past the queue's memory-max, so that they lie in spool/."""
    mime = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
    lines = lambda word, n: (word + b"\r\n") * n  # noqa: E731
    crlf = lambda b: b.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # noqa: E731
    bodies = {
        "small": ("", lines(PLAIN, 3)),
        "large": ("", lines(PLAIN, 20000)),
        "quoted": (mime + "quoted-printable\r\n", crlf(quopri.encodestring(QUOTED + b"\n"))),
        "attached": (mime + "base64\r\n", crlf(base64.encodebytes(lines(ENCODED, 20000)))),
    }
    # the Message-ID, which message() makes from the subject, stands in the log and in the queue's record; the Subject nowhere
    return {name: message(FROM, TO, name, body, extra).replace(b"\r\nSubject: ", b"\r\nSubject: " + SUBJECT + b"-", 1) for name, (extra, body) in bodies.items()}


def check_search(top):
    """The search finds what it must: in the clear, in base64 at any phase and broken into lines, in quoted-printable; and nothing else."""
    for name, data in mails().items():
        assert found(data, WORDS), f"the search is blind for {name}"
    for lead in range(4):
        assert found(b"x" + base64.encodebytes(b"." * lead + PLAIN + b"behind it"), WORDS) == [PLAIN]
    assert not found(os.urandom(1 << 20), WORDS)
    path = os.path.join(top, "control")
    with open(path, "wb") as f:
        f.write(b"\0" * 5000 + mails()["attached"])
    assert {w for _, w in in_folder(top, WORDS)[0]} == {SUBJECT, ENCODED}
    os.remove(path)


def nothing(gateways, when):
    for g in gateways:
        hits, files, size = in_folder(g.dir, WORDS)  # data and log
        assert not hits, f"{when}: in the clear on the disk of {g.name}: {hits[:5]}"
        assert files >= 6 and size > 50000, (files, size)
        for pids in g.roles().values() if g.proc.poll() is None else ():
            for pid in pids:
                hits, _, _ = in_open_files(pid, WORDS)
                assert not hits, f"{when}: in the clear in a file that {g.name} has open: {hits[:5]}"


def spooled(g):
    folder = os.path.join(g.data, "queue", "spool")
    return [os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder)]


def waiting(g, kind):
    return [m for m in g.queue() if m["kind"] == kind and any(r["state"] == "queued" and r["attempts"] > 0 for r in m["recipients"])]


@quick
def test_content_is_never_on_disk_in_the_clear(top):
    hospital, lab, hs, ls = pair(top, sections=RETRIES, domain_settings="recipients = any")  # lab takes mail while its inside server is down
    both = (hospital, lab)
    check_search(top)
    ls.close()
    assert lab.stop() == 0
    for data in mails().values():
        assert send(hospital.inside, FROM, TO, data)[0] == 250
    wait_for("mail to wait at hospital", 30, lambda: len(waiting(hospital, "outbound")) == 4)
    assert sorted(n > 300000 for n in spooled(hospital)) == [True, True]
    nothing(both, "sealed, waiting for the partner")

    lab.start()
    unsealed = message("x@elsewhere.example", TO, "unsealed", (OUTSIDE + b"\r\n") * 10000)
    assert send(lab.outside, "x@elsewhere.example", TO, unsealed)[0] == 250
    wait_for("mail to wait at lab", 60, lambda: len(waiting(lab, "inbound")) >= 5)
    assert len([n for n in spooled(lab) if n > 300000]) >= 3
    nothing(both, "opened, waiting for the inside server")

    t = Talk(hospital.inside)
    for line in ("EHLO client.test", f"MAIL FROM:<{FROM}>", f"RCPT TO:<{TO}>", "DATA"):
        assert t.ask(line)[0] in "23"
    t.say((COMING + b"\r\n") * 30000)
    relay = hospital.roles()["relay"][0]
    wait_for("the file without a name to fill", 20, lambda: in_open_files(relay, [])[2] > 300000)
    nothing(both, "while a message comes in")
    t.close()
    wait_for("the file to be gone", 20, lambda: in_open_files(relay, [])[1] == 0)

    sink = Sink(ls.port)
    for name in mails():
        mail = sink.by_subject(f"{SUBJECT.decode()}-{name}", 60)
        assert mail.body == mails()[name].split(b"\r\n\r\n", 1)[1]
    wait_for("all to be done", 60, lambda: all(m["state"] == "done" for g in both for m in g.queue()))
    for g in both:
        assert spooled(g) == [], f"content of delivered mail stays in spool/ of {g.name}"
        db = sqlite3.connect(f"file:{g.data}/queue/queue.db?mode=ro", uri=True, timeout=30)
        assert db.execute("SELECT count(*) FROM body").fetchone() == (0,), f"content of delivered mail stays in the database of {g.name}"
        db.close()
    nothing(both, "after delivery")
