"""Mail flows between two gateways while their processes are killed: nothing acknowledged may be lost (promise P2), every recipient ends in one outcome (P6).

Each message has an id of its own and is sent once: what was answered 250 must be at the sink; what was not may be there or not. A message that is at
the sink twice was delivered twice by a gateway (a relay that died between the sink's 250 and its own record of it), which is allowed and counted.
"""
import datetime
import hashlib
import json
import os
import random
import re
import signal
import smtplib
import sqlite3
import subprocess
import threading
import time

from gateway import wait_for
from mail import pair

ROLES = ("keeper", "judge", "scout", "sealer", "relay", "admin")
SECTIONS = """queue {
  retry-min = 1s
  retry-max = 2s
}
smtp-client {
  backoff-min = 1s
  backoff-max = 2s
}
"""
OUTSTANDING = 150  # acknowledged and not yet at the sink: above it the clients wait, so that the end does not take long
LARGE = 300 * 1024  # past the queue's memory-max: lies in spool/
OUTCOME_DELIVERED, OUTCOME_OPENED, STATE_DONE = 1, 5, 3  # gateway/queue/queue.h


def alive(pid):
    """A process that runs: one that ended and waits for its parent's parent is none."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def status(gw):
    """`postern status`, or None while the admin process is away."""
    try:
        return gw.cli("status")
    except (AssertionError, json.JSONDecodeError, subprocess.TimeoutExpired):
        return None


def places(gw):
    """(role, number) -> {pid, state, starts}, or None."""
    s = status(gw)
    return {(r["role"], r["number"]): r for r in s["parent"]["roles"]} if s and s["parent"] else None


def all_run(gw):
    p = places(gw)
    return p if p and all(r["state"] == "running" for r in p.values()) else None


def living(gw, role):
    """Process ids of a role as /proc shows them: also while the admin process is away."""
    out = []
    try:
        with open(f"/proc/{gw.proc.pid}/task/{gw.proc.pid}/children") as f:
            pids = f.read().split()
    except OSError:
        return out
    for pid in pids:
        try:
            with open(f"/proc/{pid}/comm") as f:
                name = f.read().strip()
        except OSError:
            continue
        if name == "postern-" + role and alive(int(pid)):
            out.append(int(pid))
    return out


def log_time(line):
    return datetime.datetime.fromisoformat(line[:23] + "+00:00").timestamp()


class Campaign:
    def __init__(self, top, seed, clients=4, settings="", outstanding=OUTSTANDING):
        self.outstanding = outstanding
        self.random = random.Random(seed)
        self.hospital, self.lab, hs, ls = pair(top, settings=settings, sections=SECTIONS)
        self.gateways = (self.hospital, self.lab)
        for sink in (hs, ls):
            sink.keep = self.note
            sink.server.handle_error = lambda *_: None  # a connection that a killed relay left behind
        self.lock = threading.Condition()
        self.digests, self.acked, self.seen, self.open, self.wrong = {}, {}, {}, set(), []  # open: acknowledged, not yet at the sink
        self.later, self.cut, self.kills = 0, 0, 0
        self.struck = []  # (when, gateway, role, pid) of each strike
        self.ending, self.flow, self.busy = threading.Event(), threading.Event(), 0
        self.flow.set()
        routes = [(self.hospital, "a@hospital.example", "b@lab.example")] * (clients - 1) + [(self.lab, "b@lab.example", "a@hospital.example")]
        self.threads = [threading.Thread(target=self.client, args=(n, *r), daemon=True) for n, r in enumerate(routes)]
        for t in self.threads:
            t.start()

    # ---- clients and sinks ----

    def note(self, sender, rcpts, data):
        """In the place of Sink.keep: what arrived, compared at once, and forgotten."""
        header, _, body = data.partition(b"\r\n\r\n")
        ident = next((line[9:].decode("latin-1") for line in header.split(b"\r\n") if line.startswith(b"Subject: ")), "?")
        with self.lock:
            good = self.digests.get(ident, b"") == hashlib.sha256(body).digest() and b"X-Postern-Verdict: sealed" in header
            if not good:
                self.wrong.append(f"at the sink, from <{sender}>: {ident}: not what was sent: {header[:600]!r}")
            self.seen[ident] = self.seen.get(ident, 0) + 1
            self.open.discard(ident)
            self.lock.notify_all()

    def compose(self, ident, frm, to, dice):
        line = f"{ident} " + "0123456789abcdef" * 3 + "\r\n"
        size = LARGE + dice.randrange(LARGE) if dice.random() < 0.06 else dice.randrange(200, 6000)
        body = (line * (size // len(line) + 1)).encode()
        with self.lock:
            self.digests[ident] = hashlib.sha256(body).digest()
        return f"From: {frm}\r\nTo: {to}\r\nSubject: {ident}\r\nMessage-ID: <{ident}@campaign.test>\r\n\r\n".encode() + body

    def may_go(self):
        """Whether a client may send its next message; waits a little when not."""
        with self.lock:
            if self.flow.is_set() and len(self.open) <= self.outstanding:
                self.busy += 1
                return True
            self.lock.wait(0.2)
            return False

    def pause(self, seconds=100):
        """No new messages; returns when the answer to the last one has come."""
        self.flow.clear()
        wait_for("the clients to pause", seconds, lambda: self.busy == 0)

    def resume(self):
        self.flow.set()

    def client(self, number, gw, frm, to):
        dice, n, session = random.Random(number), 0, None
        while not self.ending.is_set():
            if not self.may_go():
                continue
            n += 1
            ident = f"letter-{number}-{n}"
            data = self.compose(ident, frm, to, dice)
            try:
                if session is None:
                    session = smtplib.SMTP("127.0.0.1", gw.inside, local_hostname="client.test", timeout=90)
                    session.ehlo()
                code, text = session.mail(frm)
                if code == 250:
                    code, text = session.rcpt(to)
                if code == 250:
                    code, text = session.data(data)
            except smtplib.SMTPResponseException as e:
                code, text = e.smtp_code, e.smtp_error if isinstance(e.smtp_error, bytes) else str(e.smtp_error).encode()
            except (OSError, smtplib.SMTPException):
                code, text = 0, b""
            session = self.answered(session, ident, code, text.decode("latin-1"), gw)
        if session is not None:
            session.close()

    def answered(self, session, ident, code, text, gw):
        """Books the answer; the session to go on with."""
        with self.lock:
            self.busy -= 1
            if code == 250:
                self.acked[ident] = (gw, text.rsplit(" ", 1)[1])
                if ident not in self.seen:
                    self.open.add(ident)
                self.lock.notify_all()
                return session
            if code >= 500:
                self.wrong.append(f"{gw.name} refused {ident} for good: {code} {text}")
            self.later += 400 <= code < 500
            self.cut += code == 0
        if session is not None:
            session.close()
        self.ending.wait(0.05)
        return None

    def progress(self, more, seconds=60):
        """Waits until `more` further messages are acknowledged."""
        with self.lock:
            want = len(self.acked) + more
            end = time.monotonic() + seconds
            while len(self.acked) < want:
                left = end - time.monotonic()
                if left <= 0 or not self.lock.wait(left):
                    raise AssertionError(f"mail does not flow: {want - len(self.acked)} of {more} acknowledgements are missing after {seconds} s")

    # ---- killing ----

    def kill(self, gw, *roles, patience=30):
        """kill -9 of one process of each role, in the middle of the flow; all come back as new ones, the others are the old ones."""
        before = wait_for(f"all roles of {gw.name} to run", patience, lambda: all_run(gw))
        self.progress(self.random.randrange(1, 12))
        time.sleep(self.random.random() / 20)  # somewhere inside a transaction
        victims = [self.random.choice([k for k in before if k[0] == role]) for role in roles]
        for v in victims:
            os.kill(before[v]["pid"], signal.SIGKILL)
            self.kills += 1

        def back():
            now = all_run(gw)
            return now if now and all(now[v]["pid"] != before[v]["pid"] for v in victims) else None
        after = wait_for(f"{' and '.join(roles)} of {gw.name} to be back", patience, back)
        for place, r in after.items():
            starts = before[place]["starts"] + (place in victims)
            assert r["starts"] == starts, f"{gw.name}: {place} was started {r['starts']} times, not {starts}, when {victims} were killed"
            assert place in victims or r["pid"] == before[place]["pid"], f"{gw.name}: {place} did not live on when {victims} were killed"

    def strike(self, gw, role):
        """kill -9 of a process of that role which runs just now, whatever the others do; False when there is none."""
        pids = living(gw, role)
        if not pids:
            return False
        pid = self.random.choice(pids)
        self.struck.append((time.time(), gw.name, role, pid))
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        return True

    def kill_parent(self, gw):
        """kill -9 of the parent: all its children end by themselves; started again, it goes on where it was."""
        pids = [r["pid"] for r in wait_for(f"all roles of {gw.name} to run", 30, lambda: all_run(gw)).values()]
        self.progress(self.random.randrange(1, 12))
        time.sleep(self.random.random() / 20)
        self.struck.append((time.time(), gw.name, "parent", gw.proc.pid))
        gw.proc.kill()
        gw.proc.wait()
        self.kills += 1
        wait_for(f"the children of the killed {gw.name} to end", 10, lambda: not any(alive(p) for p in pids))
        gw.start()

    def kill_parent_now(self, gw):
        """The same in the middle of whatever goes on."""
        pids = [p for role in ROLES for p in living(gw, role)]
        self.struck.append((time.time(), gw.name, "parent", gw.proc.pid))
        gw.proc.kill()
        gw.proc.wait()
        self.kills += 1
        wait_for(f"the children of the killed {gw.name} to end", 20, lambda: not any(alive(p) for p in pids))
        gw.start()

    # ---- the reckoning ----

    def duplicates(self):
        return sum(n - 1 for n in self.seen.values())

    def trail(self):
        """The first message that came twice, and its trail."""
        ident = next((i for i, n in self.seen.items() if n > 1), None)
        return f"{ident}:\n" + "\n".join(f"{t:.3f} {name}: {line}" for t, name, line in self.trails([ident])[ident]) if ident else ""

    def trails(self, idents):
        """ident -> [(when, gateway, words)]: what both logs say of these messages, in the order of time."""
        out = {i: [] for i in idents}
        for g in self.gateways:
            of, lines = {}, [(line, m.group(1)) for line in g.log().split("\n") for m in [re.search(r"\] (\w{10}) ", line)] if m]
            for line, number in lines:
                m = re.search(r"<([^<>@]+)@campaign\.test>", line)
                if m and m.group(1) in out:
                    of[number] = m.group(1)
                m = re.search(r" opened as=(\w+) ", line)
                if m and number in of:
                    of[m.group(1)] = of[number]
            for line, number in lines:
                if number in of:
                    out[of[number]].append((log_time(line), g.name, line[25:330]))
        return {i: sorted(t) for i, t in out.items()}

    def without_cause(self):
        """Those that came twice though no relay died while they were on their way: [(id, trail)]."""
        out, deaths = [], [t for t, _, role, _ in self.struck if role in ("relay", "parent")]
        for ident, trail in self.trails(i for i, n in self.seen.items() if n > 1).items():
            if not trail or not any(trail[0][0] - 0.05 <= t <= trail[-1][0] for t in deaths):
                out.append((ident, "\n".join(f"{t:.3f} {name}: {line}" for t, name, line in trail)))
        return out

    def calm(self, gw):
        s = status(gw)
        if not s or not s["relay"]:
            return False
        q = s["relay"]["queue"]
        assert q["held"] == 0, f"{gw.name} holds mail: {[(m['id'], m['recipients']) for m in gw.queue(state='held')][:5]}"
        return q["queued"] == 0 and q["active"] == 0

    def outcomes(self, gw):
        """Every recipient in the queue's record has one outcome, and a good one; every queue id that a client was told is there."""
        db = sqlite3.connect(f"file:{gw.data}/queue/queue.db?mode=ro", uri=True, timeout=30)
        bad = db.execute("SELECT address, state, outcome, reason FROM rcpt WHERE state <> ? OR outcome NOT IN (?, ?)", (STATE_DONE, OUTCOME_DELIVERED, OUTCOME_OPENED)).fetchall()
        lone = db.execute("SELECT count(*) FROM msg WHERE NOT EXISTS (SELECT 1 FROM rcpt WHERE rcpt.id >> 16 = msg.id)").fetchone()[0]
        count = db.execute("SELECT count(*) FROM rcpt").fetchone()[0]
        db.close()
        assert not bad, f"{gw.name}: recipients without a good outcome: {bad[:5]}"
        assert lone == 0, f"{gw.name}: {lone} messages without any recipient"
        told = [i for g, i in self.acked.values() if g is gw]
        for ident in self.random.sample(told, min(10, len(told))):
            m = gw.cli("queue", "show", ident)
            assert [r["outcome"] for r in m["recipients"]] == ["delivered"], m
        return count

    def finish(self, seconds=90):
        """Ends the flow, waits until all is delivered, and reckons up. The summary line."""
        self.ending.set()
        for t in self.threads:
            t.join(100)
            assert not t.is_alive(), "a client hangs"
        self.drain(seconds)
        return self.check()

    def drain(self, seconds):
        end = time.monotonic() + seconds
        with self.lock:
            while self.open and self.lock.wait(max(0, end - time.monotonic())):
                pass
        for g in self.gateways:
            wait_for(f"the queue of {g.name} to be empty", 60, lambda g=g: self.calm(g), 0.3)

    def check(self):
        lost = sorted(self.open)
        assert not lost, f"{len(lost)} of {len(self.acked)} acknowledged messages are lost: {[(i, self.acked[i][1]) for i in lost[:10]]}"
        assert not self.wrong, "\n".join(self.wrong[:5])
        rcpts = sum(self.outcomes(g) for g in self.gateways)
        return (f"{self.kills} kills: {len(self.acked)} acknowledged, 0 lost, {self.duplicates()} duplicates, {self.later} told to try later, {self.cut} cut off "
                f"({sum(1 for i in self.seen if i not in self.acked)} of them delivered), {rcpts} recipients with one outcome each")
