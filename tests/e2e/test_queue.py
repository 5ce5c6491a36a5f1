"""The queue in trouble: what senders are told of late and undeliverable mail, and a disk that is full or read-only."""
import datetime
import errno
import os
import re
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
from contextlib import closing

from gateway import BUILD, Gateway, wait_for
from mail import message, quick, send, solo
from sink import Sink

US, THEM = "a@hospital.example", "c@third.example"
QUICKLY = "queue {\n  retry-min = 1s\n  retry-max = 1s\n  %s\n}\nsmtp-client {\n  backoff-min = 1s\n  backoff-max = 1s\n}\n"


def clear_house(top, more=""):
    gw, inside, outside = solo(top, sections=QUICKLY % more)
    gw.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    return gw, inside, outside


def reports(sink, to):
    return [m for m in sink.mails if m.sender == "" and m.rcpts == [to]]


@quick
def test_delay_is_told_once(top):
    gw, inside, outside = clear_house(top, "delay-warning = 2s")
    outside.refuse[THEM] = "451 4.2.1 later, please"
    assert send(gw.inside, US, [THEM], message(US, THEM, "late", "SECRET BODY\r\n"))[0] == 250
    report = inside.wait(1, 30, lambda m: m.rcpts == [US])[0]
    assert report.sender == "" and "delayed" in report.field("Subject"), report.data
    for part in (b"Action: delayed\r\n", b"Status: 4.2.1\r\n", b"Will-Retry-Until: ", b"later, please", b"Subject: late\r\n"):
        assert part in report.data, (part, report.data)
    assert b"SECRET BODY" not in report.data
    notice = gw.cli("queue", "show", gw.queue(match="third.example")[0]["id"])["notices"][0]
    assert report.field("Message-ID") == f"<notice.{notice}@gw.hospital.example>", report.data  # no other has it, not about the same message either
    tries = gw.queue(match="third.example")[0]["recipients"][0]["attempts"]
    wait_for("three more tries", 30, lambda: gw.queue(match="third.example")[0]["recipients"][0]["attempts"] >= tries + 3)
    assert len(reports(inside, US)) == 1
    del outside.refuse[THEM]
    assert outside.by_subject("late").rcpts == [THEM]


@quick
def test_notice_that_cannot_be_delivered(top):
    """It goes to the postmaster once; when he cannot be reached either, an alarm is the end, and no mail goes outside."""
    gw, inside, outside = clear_house(top)
    outside.refuse[THEM] = "550 5.1.1 nobody here"
    inside.refuse[US] = "550 5.2.1 mailbox gone"
    assert send(gw.inside, US, [THEM], message(US, THEM, "bounce one"))[0] == 250
    double = inside.wait(1, 30, lambda m: m.rcpts == ["postmaster@hospital.example"])[0]
    assert double.sender == "" and b"mailbox gone" in double.data and US.encode() in double.data
    inside.refuse["postmaster@hospital.example"] = "550 5.2.1 gone too"
    assert send(gw.inside, US, [THEM], message(US, THEM, "bounce two"))[0] == 250
    gw.wait_log(r"alarm=double-bounce to=<postmaster@hospital.example>")
    wait_for("the end of everything", 20, lambda: not [m for m in gw.queue() if m["state"] != "done"])
    assert not outside.mails and len(inside.mails) == 1


def test_report_about_a_long_header(top):
    """A header that is longer than a report takes is in it as far as that goes, by whole lines, and nothing of the content."""
    gw, inside, outside = clear_house(top)
    outside.refuse[THEM] = "550 5.1.1 nobody here"
    more = "".join(f"X-Line-{n}: {'x' * 70}\r\n" for n in range(400))
    assert send(gw.inside, US, [THEM], message(US, THEM, "much", "SECRET BODY\r\n", extra=more))[0] == 250
    report = inside.wait(1, 30)[0].data
    for part in (b"Content-Type: text/rfc822-headers\r\n", b"Subject: much\r\n", b"Message-ID: <much@test>\r\n", b"\r\nX-Line-100: " + b"x" * 70 + b"\r\n"):
        assert part in report, report[:3000]
    assert all(len(line) == 70 for line in re.findall(rb"\r\nX-Line-[0-9]+: (x*)", report)) and b"SECRET" not in report


# ---- the disk ----

class Confined(Gateway):
    """Its queue lies on a small tmpfs in a mount namespace of its own."""
    size = "16m"

    def start(self, wait=True):
        queue = os.path.join(self.data, "queue")
        os.makedirs(queue, exist_ok=True)
        os.chmod(self.data, 0o755)
        log = open(self.log_path, "ab")
        self.mark = log.tell()
        script = f"mount --make-rprivate / && mount -t tmpfs -o size={self.size},mode=0700,uid=59900,gid=59900 queue {queue} && exec {BUILD}/bin/posternd -c {self.conf}"
        self.proc = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stderr=log, stdout=log)
        log.close()
        if wait:
            self.wait_ready()
        return self

    def inner(self, *path):
        return os.path.join(f"/proc/{self.proc.pid}/root{self.data}", "queue", *path)


def test_full_disk(top):
    inside, outside = Sink(), Sink()
    gw = Confined(top, "hospital", "hospital.example", inside.address, outside.address, sections=QUICKLY % "")
    gw.start()
    gw.make_identity()
    gw.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    outside.refuse[THEM] = "451 4.2.1 later"
    assert send(gw.inside, US, [THEM], message(US, THEM, "before"))[0] == 250
    with open(gw.inner("ballast"), "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096) == 4096:
                pass
        except OSError as e:
            assert e.errno == errno.ENOSPC
    body = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n" * 1500
    codes = set()
    for i in range(40):  # what is left of the log's last page may take some
        code, text = send(gw.inside, US, [THEM], message(US, THEM, f"full {i}", body))
        codes.add(code)
        if code == 452:
            break
    assert code == 452 and "4.3.1" in text, (code, text)
    gw.wait_log(r"alarm=queue-full why=\"no room on the disk")
    os.remove(gw.inner("ballast"))
    wait_for("mail to be taken again", 20, lambda: send(gw.inside, US, [THEM], message(US, THEM, "after"))[0] == 250, every=0.3)
    del outside.refuse[THEM]
    outside.by_subject("before")
    outside.by_subject("after")
    assert len(gw.roles()["relay"]) == 1 and not re.search("alarm=died", gw.log(gw.mark))


NO_SYNC = r"""
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static int no(int fd)
{
	char link[40], path[512], *at;
	struct stat st;
	ssize_t n;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 20);
	if (n < 0)
		return 0;
	path[n] = 0;
	at = strstr(path, "/data/queue/");
	if (!at)
		return 0;
	strcpy(at, "/data/queue/NO-SYNC");
	return stat(path, &st) == 0;
}
int fsync(int fd) { return no(fd) ? (errno = EIO, -1) : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return no(fd) ? (errno = EIO, -1) : (int)syscall(SYS_fdatasync, fd); }
"""


class Unsynced(Gateway):
    """Its disk fails to sync while queue/NO-SYNC is there."""
    def launch(self, command, **kw):
        built = os.path.join(self.dir, "nosync")
        with open(built + ".c", "w") as f:
            f.write(NO_SYNC)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", built + ".so", built + ".c"], check=True)
        os.chmod(built + ".so", 0o755)
        kw["env"].update(LD_PRELOAD=built + ".so", ASAN_OPTIONS="verify_asan_link_order=0")
        return subprocess.Popen(command, **kw)


def greeting(port):
    with socket.create_connection(("127.0.0.1", port), timeout=8) as s:
        return s.makefile("rb").readline().decode()


def test_failed_sync(top):
    """Who sends is told 451 and what is wrong, nothing is delivered that could not be recorded; a relay that cannot open the queue tells 421 rather than nothing; what was accepted is
    delivered, once, when the disk is whole."""
    inside, outside = Sink(), Sink()
    gw = Unsynced(top, "hospital", "hospital.example", inside.address, outside.address, sections=QUICKLY % "")
    gw.start()
    gw.make_identity()
    gw.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    outside.refuse[THEM] = "451 4.2.1 later"
    assert send(gw.inside, US, [THEM], message(US, THEM, "before"))[0] == 250
    flag = os.path.join(gw.data, "queue", "NO-SYNC")
    with open(flag, "w"):
        pass
    os.chmod(flag, 0o644)
    for n in range(3):
        code, text = send(gw.inside, US, [THEM], message(US, THEM, f"during {n}"))
        assert code == 451 and "failed to sync" in text and "kernel's log" in text, (code, text)
    code, text = send(gw.outside, THEM, [US], message(THEM, US, "from a stranger"))
    assert code == 451 and "the message cannot be stored now, try again later" in text and gw.data not in text, (code, text)  # not what strangers need to know
    gw.wait_log(r"alarm=queue-unsynced why=\"the disk of the queue")
    assert "failed to sync" in gw.cli("status")["relay"]["queue"]["trouble"]
    relay = gw.roles()["relay"]
    wait_for("the next relay", 40, lambda: gw.roles()["relay"] not in ([], relay), every=0.3)
    del outside.refuse[THEM]
    gw.wait_log(r"alarm=queue-closed again=\d+s why=\".*failed to sync", 30)
    for port in (gw.inside, gw.outside):
        assert greeting(port).startswith("421 4.3.0 gw.hospital.example "), greeting(port)
    assert not outside.mails
    os.remove(flag)
    wait_for("mail to be taken again", 60, lambda: greeting(gw.inside).startswith("220"), every=0.5)
    assert send(gw.inside, US, [THEM], message(US, THEM, "after"))[0] == 250
    outside.by_subject("after")
    outside.by_subject("before")
    wait_for("an empty queue", 20, lambda: not [m for m in gw.queue() if m["state"] != "done"])
    got = sorted(m.field("Subject") for m in outside.mails)  # the first one may have reached the log that could not be synced: its client was told 451, and it may come
    assert [s for s in got if s != "during 0"] == ["after", "before"], got


def test_damaged_at_the_start(top):
    gw, inside, outside = clear_house(top)
    outside.refuse[THEM] = "451 4.2.1 later"
    assert send(gw.inside, US, [THEM], message(US, THEM, "before"))[0] == 250
    assert gw.stop() == 0
    path = os.path.join(gw.data, "queue", "queue.db")
    whole = open(path, "rb").read()
    with open(path, "r+b") as f:
        f.seek(4 * 8192)
        f.write(b"Z" * 8192)
    gw.start(wait=False)
    gw.wait_log(r"alarm=queue-closed .*is damaged .*new\.db")
    for port in (gw.inside, gw.outside):
        assert greeting(port).startswith("421 4.3.0 gw.hospital.example "), greeting(port)
    assert gw.stop() == 0
    with open(path, "r+b") as f:
        f.write(whole)
    gw.start()
    del outside.refuse[THEM]
    outside.by_subject("before")


def test_damaged_and_mended(top):
    """The command that the line names, as it stands there, brings back all but what lay on the damaged page."""
    gw, inside, outside = clear_house(top)
    outside.refuse[THEM] = "451 4.2.1 later"
    for i in range(60):
        assert send(gw.inside, US, [THEM], message(US, THEM, f"before {i}", "0123456789abcdef\r\n" * 100))[0] == 250
    assert gw.stop() == 0
    path = os.path.join(gw.data, "queue", "queue.db")
    with closing(sqlite3.connect(path)) as db:
        pages = [n for n, in db.execute("SELECT pageno FROM dbstat WHERE name = 'body' AND pagetype = 'leaf' ORDER BY pageno")]
    assert len(pages) > 5
    with open(path, "r+b") as f:
        f.seek((pages[2] - 1) * 8192)
        f.write(b"Z" * 8192)
    gw.start(wait=False)
    gw.wait_log(r"alarm=queue-closed .*is damaged")
    assert gw.stop() == 0
    command = re.search(r"mend it there with `([^`]*)`", gw.log()).group(1)
    subprocess.run(["sh", "-c", command], cwd=os.path.dirname(path), check=True, timeout=60)
    gw.postern("queue", "check", "--data", gw.data, check=False)
    del outside.refuse[THEM]
    gw.start()
    mails = outside.wait(50, 60)
    wait_for("the end of the others", 30, lambda: not [m for m in gw.queue() if m["state"] not in ("done", "held")])
    lost = [m for m in gw.queue() if m["state"] == "held"]
    assert len(outside.mails) + len(lost) == 60 and 0 < len(lost) < 10, (len(mails), len(lost))
    there = os.listdir(os.path.dirname(path))
    kept, = [d for d in there if d.startswith("damaged.")]
    assert os.path.getsize(os.path.join(os.path.dirname(path), kept, "queue.db")) > 8192 * 10 and "new.db" not in there
    # no table can be read, or no new one be written: the command leaves what there is
    assert gw.stop() == 0
    folder = os.path.dirname(path)
    with open(path, "rb") as f:
        whole = f.read()
    for at, tries in ((0, ""), (100, ""), (4096, ""), (None, "ulimit -f 64; ")):  # the file's head, the schema's head, the schema's rows, a disk that is full
        with open(path, "r+b") as f:
            f.write(whole)
            if at is not None:
                f.seek(at)
                f.write(b"Z" * (8192 - at))
        with open(path, "rb") as f:
            before = f.read()
        if at is None:
            assert len(before) > 64 * 1024
        with open(os.path.join(folder, "new.db"), "wb") as f:  # of an earlier try
            f.write(whole)
        r = subprocess.run(["bash", "-c", tries + command], cwd=folder, timeout=60, capture_output=True)
        assert r.returncode != 0, (at, r)
        with open(path, "rb") as f:
            assert f.read() == before, at


# ---- check and adopt ----

def test_check_and_adopt(top):
    """A node is killed with mail in its queue; another one with the same keys takes the queue over and delivers it, once."""
    inside, outside = Sink(), Sink()
    outside.refuse[THEM] = "451 4.2.1 later"
    dead = Gateway(top, "dead", "hospital.example", inside.address, outside.address, sections=QUICKLY % "")
    dead.start()
    dead.make_identity()
    dead.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    large = message(US, THEM, "adopted large", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n" * 9000)
    for i in range(3):
        assert send(dead.inside, US, [THEM], message(US, THEM, f"adopted {i}"))[0] == 250
    assert send(dead.inside, US, [THEM], large)[0] == 250
    report = dead.cli("queue", "check", "--data", dead.data)
    assert report["good"] and report["messages"] == 4 and report["queued"] == 4, report
    backup = os.path.join(top, "backup")
    dead.postern("backup", backup)
    for pids in dead.roles().values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    dead.proc.kill()
    dead.proc.wait()
    ours = Gateway(top, "ours", "hospital.example", inside.address, outside.address, sections=QUICKLY % "")
    shutil.copy(dead.passphrase, ours.passphrase)
    ours.start()
    assert ours.stop() == 0
    ours.postern("restore", backup, "--data", ours.data, "--force")
    ours.start()
    code, _, err = ours.postern("queue", "adopt", os.path.join(dead.data, "queue"), "--data", ours.data, check=False)
    assert code == 1 and "in use by another process" in err, err
    assert send(ours.inside, US, [THEM], message(US, THEM, "own"))[0] == 250
    assert ours.stop() == 0
    got = ours.cli("queue", "adopt", os.path.join(dead.data, "queue"), "--data", ours.data)
    assert got["messages"] == 4 and got["recipients"] == 4, got
    assert ours.cli("queue", "adopt", os.path.join(dead.data, "queue"), "--data", ours.data)["messages"] == 0
    code, out, err = ours.postern("queue", "check", "--data", ours.data, check=False)
    assert code == 0 and "5 queued" in out and "whole" in out, (out, err)
    del outside.refuse[THEM]
    ours.start()
    outside.wait(5, 30)
    wait_for("an empty queue", 20, lambda: not [m for m in ours.queue() if m["state"] != "done"])
    assert sorted(m.field("Subject") for m in outside.mails) == ["adopted 0", "adopted 1", "adopted 2", "adopted large", "own"]
    assert outside.by_subject("adopted large").body.count(b"0123456789abcdef") == 9000 * 3


def test_confirmation_where_the_next_hop_knows_no_dsn(top):
    """NOTIFY=SUCCESS: the sink outside does not take it, so our own report says "relayed"; what was sealed does not come back, ENVID and ORCPT do. Without the wish: silence."""
    gw, inside, outside = clear_house(top)
    with smtplib.SMTP("127.0.0.1", gw.inside, local_hostname="client.test", timeout=30) as s:
        s.ehlo()
        assert s.has_extn("dsn")
        assert s.mail(US, ["RET=HDRS", "ENVID=order+2B7"])[0] == 250
        assert s.rcpt(THEM, ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;old+2Bname@third.example"])[0] == 250
        assert s.data(message(US, THEM, "with a wish", "the body\r\n"))[0] == 250
        assert s.mail(US)[0] == 250 and s.rcpt(THEM)[0] == 250 and s.data(message(US, THEM, "without one"))[0] == 250
    outside.by_subject("with a wish")
    outside.by_subject("without one")
    report = inside.wait(1)[0]
    text = report.data.decode()
    assert report.sender == "" and report.rcpts == [US]
    assert "Action: relayed" in text and "Original-Envelope-Id: order+7" in text and "Original-Recipient: rfc822; old+name@third.example" in text, text
    assert "with a wish" in text and "the body" not in text
    wait_for("the queue to be empty", 20, lambda: all(gw.cli("status")["relay"]["queue"][k] == 0 for k in ("queued", "active", "held")))
    assert len(inside.mails) == 1


@quick
def test_next_hop_changed_while_mail_waits(top):
    """Mail that waits for an MX goes to a relay-host that was configured since; that one is down, and one message at a time finds out, as for any next hop."""
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    sections = f'queue {{\n  retry-min = 1s\n  retry-max = 1s\n}}\nsmtp-client {{\n  backoff-min = 1500ms\n  backoff-max = 1500ms\n}}\n'
    dns = f'dns {{\n  forwards = {{"127.0.0.1@{silent.getsockname()[1]}"}}\n  trust-anchor-file = "none"\n  timeout = 200ms\n}}\n'
    gw, inside, outside = solo(top, sections=sections + dns, start=False)
    down, gw.next_hop = gw.next_hop, None
    gw.write_conf()
    gw.start()
    gw.make_identity()
    gw.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    for i in range(5):
        assert send(gw.inside, US, [THEM], message(US, THEM, f"waits {i}"))[0] == 250
    gw.wait_log("relay deferred")
    outside.close()
    gw.next_hop = down
    gw.write_conf()
    mark = len(gw.log().encode())
    gw.proc.send_signal(signal.SIGHUP)
    gw.wait_log("ready all=", since=mark)
    mark = len(gw.log().encode())

    def tries():  # seconds since the first one
        at = [datetime.datetime.fromisoformat(t) for t in re.findall(r"(\S+)Z info relay\S+ \S+ relay deferred ", gw.log(mark))]
        return [(t - at[0]).total_seconds() for t in at]
    wait_for("tries for four seconds", 30, lambda: tries() and tries()[-1] > 4)
    late = [t for t in tries() if 0.5 < t <= 4]  # each of the five would have been tried three times
    assert len(late) < 8, tries()
    back = Sink(outside.port)
    back.wait(5, 30, lambda m: m.field("Subject").startswith("waits"))
    silent.close()
