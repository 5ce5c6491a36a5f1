"""A 250 means durable (promise P2): the order of system calls around it, the end by SIGTERM, the reload by SIGHUP, a second instance."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from gateway import BUILD, Gateway, free_ports, wait_for
from mail import Talk, message, quick, send
from sink import Sink

A, B = "a@lab.example", "b@lab.example"  # mail of the domain to itself: through the sealer and the queue, to the inside server
QUICKLY = "queue {\n  retry-min = 1s\n  retry-max = 1s\n}\nsmtp-client {\n  backoff-min = 1s\n  backoff-max = 1s\n}\n"
LARGE = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n" * 8000  # past the queue's memory-max
CALLS = "write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync,sync_file_range,linkat,renameat,rename"


def house(top, inside, name="lab", **kw):
    return Gateway(top, name, "lab.example", inside, sections=QUICKLY, **kw)


def nobody_listens():
    return f"127.0.0.1:{free_ports(1)[0]}"


# ---- the order of system calls ----

class Trace:
    """strace of a running process with all its threads. calls: (entered, left, name, arguments, result); numbers are lines, in the order seen."""
    def __init__(self, top, pid):
        self.path = os.path.join(top, "trace")
        self.err = os.path.join(top, "trace.err")
        with open(self.err, "wb") as err:
            self.proc = subprocess.Popen(["strace", "-f", "-y", "-s", "64", "-o", self.path, "-e", "trace=" + CALLS, "-p", str(pid)], stderr=err)
        threads = len(os.listdir(f"/proc/{pid}/task"))
        wait_for("strace to be attached", 20, lambda: self.attached() >= threads)

    def attached(self):
        with open(self.err) as f:
            text = f.read()
        assert self.proc.poll() is None, f"strace: {text}"
        return sum(int(n or 1) for n in re.findall(r"Process \d+ attached(?: with (\d+) threads)?", text))

    def stop(self):
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(20)
        calls, open_calls = [], {}
        with open(self.path, errors="replace") as f:
            for n, line in enumerate(f):
                thread, rest = line.rstrip("\n").split(None, 1)
                begun = re.match(r"(\w+)\((.*) <unfinished \.\.\.>$", rest)
                ended = re.match(r"<\.\.\. (\w+) resumed>(.*?)\)?\s+= (.*)$", rest)
                whole = re.match(r"(\w+)\((.*)\)\s+= (.*)$", rest)
                if begun:
                    open_calls[thread] = (n, begun.group(1), begun.group(2))
                elif ended:
                    at, name, args = open_calls.pop(thread)
                    calls.append((at, n, name, args + ended.group(2), ended.group(3)))
                elif whole:
                    calls.append((n, n, *whole.groups()))
        return sorted(calls)


def find(calls, names, pattern, after=-1, before=None):
    """Calls of these names, with arguments that match, entered after one line and ended (with success) before another."""
    return [c for c in calls if c[2] in names and re.search(pattern, c[3]) and c[0] > after and (before is None or c[1] < before) and not c[4].startswith("-1")]


def order_of(top, gw, data):
    """Traces the relay while it takes one message; (calls, line in which the 250 was begun to be sent)."""
    trace = Trace(top, gw.roles()["relay"][0])
    code, text = send(gw.inside, A, B, data)
    calls = trace.stop()
    assert code == 250, text
    replies = find(calls, ("write", "writev", "sendto", "sendmsg"), r"250 2\.0\.0 queued")
    assert len(replies) == 1, f"the reply is not in the trace: {[c for c in calls if 'queued' in c[3]]}"
    return calls, replies[0][0]


def check_log_synced(calls, reply, after=-1):
    """The database's log is written, then synced, and only then comes the reply. What became of the message is a commit of its own, which may have begun by then: it cannot have
    before that of the message has ended."""
    writes = find(calls, ("pwrite64", "pwritev", "write"), r"queue\.db-wal>", after, reply)
    pages = [w for w in writes if re.search(r", 8192, \d+$", w[3])]  # the log's own header, written when it begins anew, has a sync of its own
    assert pages, "no page was written to the queue's log before the reply"
    syncs = find(calls, ("fdatasync", "fsync"), r"queue\.db-wal>", pages[0][1], reply)
    assert syncs and syncs[0][4] == "0", f"no sync between the first page in the log and the reply: {calls}"
    return writes


def test_sync_then_250(top):
    gw = house(top, nobody_listens()).start()
    assert send(gw.inside, A, B, message(A, B, "first"))[0] == 250  # starts the writer thread
    wait_for("the first try to be over", 20, lambda: gw.queue(state="queued"))
    gw.postern("queue", "hold", gw.queue()[0]["id"])  # no retries of it in the trace
    calls, reply = order_of(top, gw, message(A, B, "small"))
    assert not find(calls, ("linkat",), "")
    check_log_synced(calls, reply)


def test_file_then_directory_then_log_then_250(top):
    """A large message: the file's data, its name, the directory, the row that points to it, in this order."""
    gw = house(top, nobody_listens()).start()
    calls, reply = order_of(top, gw, message(A, B, "large", LARGE))
    spool = re.escape(gw.data + "/queue/spool")
    link = find(calls, ("linkat",), spool)
    assert len(link) == 1 and link[0][1] < reply, link
    name = re.search(spool + r'>, "([^"]+)"', link[0][3]).group(1)
    data = find(calls, ("fdatasync", "fsync"), spool + "/#", before=link[0][0])
    assert data and data[-1][4] == "0", "the file got its name before its data was synced"
    late = find(calls, ("write", "pwrite64", "writev", "pwritev"), spool + "/", data[-1][0], reply)
    assert not late, f"written to the file after its sync: {late}"
    folder = find(calls, ("fsync", "fdatasync"), spool + ">", link[0][1], reply)
    assert folder, "the directory was not synced after the name was made"
    rows = check_log_synced(calls, reply)
    assert folder[0][1] < rows[0][0], "the row was written before the name was durable"
    assert os.path.getsize(os.path.join(gw.data, "queue", "spool", name)) > len(LARGE)


# ---- the end ----

def begin(gw, subject, upto="DATA"):
    """A session as far as told: EHLO, RCPT or DATA (then with half a message)."""
    t = Talk(gw.inside)
    t.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is said is on its way
    lines = ["EHLO client.test", f"MAIL FROM:<{A}>", f"RCPT TO:<{B}>", "DATA"]
    for line in lines[:{"EHLO": 1, "RCPT": 3, "DATA": 4}[upto]]:
        assert t.ask(line)[:1] in "23", line
    if upto == "DATA":
        t.say(message(A, B, subject, "half of it\r\n"))
    return t


@quick
def test_sigterm_keeps_what_was_answered_and_nothing_else(top):
    port = free_ports(1)[0]
    gw = house(top, f"127.0.0.1:{port}").start()
    assert send(gw.inside, A, B, message(A, B, "answered"))[0] == 250
    idle, envelope, half, late = begin(gw, "", "EHLO"), begin(gw, "", "RCPT"), begin(gw, "half sent"), begin(gw, "handed over")
    sealers = gw.roles()["sealer"]
    for pid in sealers:  # so that the answer to the final dot is still to come when the end begins
        os.kill(pid, signal.SIGSTOP)
    late.say("rest\r\n.\r\n")
    half.say("more, but no final dot\r\n")
    for _ in range(2):  # the loop of the relay has gone round since
        assert idle.ask("NOOP")[:3] == "250"
    gw.proc.send_signal(signal.SIGTERM)
    for t in (idle, envelope, half):
        got = t.reply()
        assert got and got.startswith("421 4.3.2"), got
        assert t.reply() is None, "the connection stays open after 421"
    for pid in sealers:
        os.kill(pid, signal.SIGCONT)
    got = late.reply()
    assert got and got.startswith("250 2.0.0 queued"), f"a message handed over before the end got {got!r}"
    assert late.reply().startswith("421 ") and late.reply() is None
    assert gw.proc.wait(30) == 0, "shutdown is a good end"
    assert "alarm=" not in gw.log(gw.mark), "an orderly end is nothing alarming"
    assert not os.path.exists(gw.sock)
    sink = Sink(port)
    gw.start()
    sink.wait(2, 30)
    wait_for("the queue to be empty", 20, lambda: all(m["state"] == "done" for m in gw.queue()))
    assert sorted(m.field("Subject") for m in sink.mails) == ["answered", "handed over"]
    assert len(gw.queue()) == 2


# ---- reload ----

class Clients:
    """Three clients that send one message after another, each in a session of its own, and note what went wrong."""
    def __init__(self, gw):
        self.gw, self.acked, self.bad, self.later, self.ending = gw, [], [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,), daemon=True) for n in range(3)]
        for t in self.threads:
            t.start()

    def run(self, number):
        n = 0
        while not self.ending.is_set():
            n += 1
            try:
                self.one(f"client {number} message {n}")
            except (OSError, AssertionError) as e:
                self.bad.append(repr(e))

    def one(self, subject):
        t = Talk(self.gw.inside, timeout=60)
        got = t.greeting
        for line in ("EHLO client.test", f"MAIL FROM:<{A}>", f"RCPT TO:<{B}>", "DATA", message(A, B, subject) + b".\r\n"):
            assert got is not None, "closed without a word"
            if got.startswith("421 "):
                self.later += 1
                break
            assert got[0] in "23", got
            got = t.ask(line)
        else:
            if got and got.startswith("421 "):
                self.later += 1
            else:
                assert got and got.startswith("250 "), got
                self.acked.append(subject)
        t.close()

    def more(self, n):
        want = len(self.acked) + n
        wait_for(f"{n} more messages to be taken", 40, lambda: len(self.acked) >= want)

    def end(self):
        self.ending.set()
        for t in self.threads:
            t.join(70)
            assert not t.is_alive()
        assert not self.bad, self.bad


def reload(gw, **changes):
    for k, v in changes.items():
        setattr(gw, k, v)
    gw.write_conf()
    mark = len(gw.log().encode())
    gw.proc.send_signal(signal.SIGHUP)
    return mark


def test_sighup_takes_a_good_configuration(top):
    old, new = Sink(), Sink()
    gw = house(top, old.address).start()
    before = gw.roles()
    clients = Clients(gw)
    clients.more(20)
    mark = reload(gw, inside_server=new.address)
    gw.wait_log("ready all=", 40, mark)
    gw.wait_log("keys-ready", 40, mark)
    clients.more(20)
    mark = reload(gw, inside_server=new.address, settings="sealers = 1")  # and once more, and again before that one is done
    gw.proc.send_signal(signal.SIGHUP)
    gw.wait_log("ready all=6", 40, mark)
    clients.more(20)
    clients.end()
    wait_for("the queue to be empty", 40, lambda: gw.cli("status")["relay"]["queue"]["queued"] + gw.cli("status")["relay"]["queue"]["active"] == 0)
    arrived = [m.field("Subject") for m in old.mails + new.mails]
    assert sorted(arrived) == sorted(clients.acked), "what was answered 250 arrived, each once: nobody was killed"
    assert len(new.mails) >= 40 - len(clients.threads), "the new inside server gets the mail"
    after = gw.roles()
    assert set(after) == set(before) and len(after["sealer"]) == 1 and not set(sum(before.values(), [])) & set(sum(after.values(), []))
    assert "alarm=" not in gw.log(gw.mark)
    print(f"  {len(clients.acked)} messages in 3 reloads, {clients.later} sessions told 421")


def test_waiting_mail_follows_the_new_inside_server(top):
    sink = Sink()
    gw = house(top, nobody_listens()).start()
    assert send(gw.inside, A, B, message(A, B, "waits"))[0] == 250
    gw.wait_log(r"relay deferred to=<b@lab\.example>")
    reload(gw, inside_server=sink.address)
    sink.wait(1, 40)
    assert sink.mails[0].field("Subject") == "waits"


@quick
def test_sighup_refuses_a_broken_configuration(top):
    sink, taken = Sink(), Sink()
    gw = house(top, sink.address).start()
    pids = gw.roles()
    with open(gw.conf) as f:
        good = f.read()
    bad = [
        ("inside-servr = \"127.0.0.1:25\"\n", r"postern\.conf:1: .*inside-servr", "an unknown setting"),
        ("# one\n# two\nsealers = 900\n", r"postern\.conf:3: .*sealers.* 64", "a value out of range"),
        ("listener \"more\" {\n address = \"" + taken.address + "\"\n side = outside\n}\n", rf"cannot listen at {re.escape(taken.address)}.*another server", "a port that is taken"),
    ]
    for text, words, what in bad:
        with open(gw.conf, "w") as f:
            f.write(text + good)
        mark = len(gw.log().encode())
        gw.proc.send_signal(signal.SIGHUP)
        gw.wait_log(rf'alarm=reload why=".*{words}.*the old configuration goes on"', 20, mark)
        assert gw.roles() == pids, f"{what}: processes were replaced"
        assert send(gw.inside, A, B, message(A, B, what))[0] == 250
        assert sink.by_subject(what)
    os.truncate(gw.conf, 0)
    mark = len(gw.log().encode())
    gw.proc.send_signal(signal.SIGHUP)
    gw.wait_log(r'alarm=reload why=".*hostname.*the old configuration goes on"', 20, mark)
    with open(gw.conf, "w") as f:
        f.write(good.replace(gw.data, gw.data + "-elsewhere"))
    mark = len(gw.log().encode())
    gw.proc.send_signal(signal.SIGHUP)
    gw.wait_log(r'alarm=reload why=".*data-directory was changed', 20, mark)
    assert gw.roles() == pids


# ---- a second instance ----

def run_second(conf):
    p = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-c", conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return p.returncode, p.stdout


@quick
def test_second_instance_fails_with_a_sentence(top):
    sink = Sink()
    gw = house(top, sink.address).start()
    pids = gw.roles()
    second = house(top, sink.address, "second")
    with open(second.conf) as f:
        text = f.read()
    for mine, theirs, words in (
            (f":{second.inside}", f":{gw.inside}", rf"cannot listen at 127\.0\.0\.1:{gw.inside}: .*another server"),
            (second.sock, gw.sock, r"control-socket .*a running gateway answers there"),
            (second.data, gw.data, rf"data-directory {re.escape(gw.data)} is in use by another")):
        with open(second.conf, "w") as f:
            f.write(text.replace(mine, theirs))
        status, said = run_second(second.conf)
        assert status == 78 and re.search(words, said), (status, said)
    status, said = run_second(gw.conf)
    assert status == 78, (status, said)
    assert gw.roles() == pids, "the first one lives on"
    assert send(gw.inside, A, B, message(A, B, "still here"))[0] == 250
    assert sink.by_subject("still here")
    shutil.rmtree(second.dir)
