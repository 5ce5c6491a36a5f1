"""kill -9 of every role, and of the parent, while mail flows: nothing acknowledged is lost, the others go on. The same for longer: make soak."""
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"))
from campaign import ROLES, Campaign, all_run, places  # noqa: E402
from gateway import wait_for  # noqa: E402
from mail import message, send, solo  # noqa: E402

US, THEM = "a@hospital.example", "b@partner.example"
LIMIT = 5  # starts within a minute; the next one waits (gateway/proc/parent_child.c)


def test_every_role_is_killed_under_load(top):
    c = Campaign(top, seed=4711)
    c.progress(10)
    others = [(g, r) for g in c.gateways for r in ROLES + ("sealer", "keeper") if r != "relay"]
    c.random.shuffle(others)
    for gw, role in others:
        c.kill(gw, role)
    c.pause()
    c.drain(90)
    c.check()
    assert c.duplicates() == 0, "only a relay that dies may deliver twice"
    c.resume()
    for gw in c.gateways * 2:
        c.kill(gw, "relay")
    c.kill(c.hospital, "keeper", "relay")
    c.kill(c.lab, "sealer", "judge")
    for gw in c.gateways:
        c.kill_parent(gw)
    c.progress(20)
    print("  " + c.finish())


def test_restarts_are_rate_limited(top):
    """A role that dies again and again is started at once only so often; meanwhile the others serve, and in the end it is back."""
    c = Campaign(top, seed=1, clients=2)
    gw, place = c.hospital, ("sealer", 0)
    first = wait_for("all to run", 30, lambda: all_run(gw))
    for n in range(1, LIMIT + 1):
        now = wait_for(f"start {n} of the sealer", 20, lambda n=n: (lambda p: p if p and p[place]["starts"] == n and p[place]["state"] == "running" else None)(places(gw)))
        assert "waiting role=sealer" not in gw.log(gw.mark), f"waited before start {n}"
        os.kill(now[place]["pid"], signal.SIGKILL)
    gw.wait_log(r"waiting role=sealer ms=\d+ why=\"it died too often", 10)
    assert places(gw)[place]["state"] == "dead"
    c.progress(10, 10)  # the other sealer does the work
    assert places(gw)[place]["state"] == "dead", "started again without the pause"
    last = wait_for("the sealer to be back after the pause", 30, lambda: all_run(gw))
    assert last[place]["starts"] == LIMIT + 1
    assert all(r["pid"] == first[k]["pid"] and r["starts"] == 1 for k, r in last.items() if k != place)
    c.kills = LIMIT
    print("  " + c.finish())


def test_a_message_that_kills_sealers_is_refused_in_the_end(top):
    """Each sealer that gets it dies (here: is killed while it has it). Told to try later three times, then refused; another message of the same client passes."""
    g, _, out = solo(top)
    g.postern("partner", "add", "partner.example", "--treatment", "clear", "--strength", "never")
    poison, answers = message(US, THEM, "poison", "boom\r\n" * 50), []
    for n in range(3):
        wait_for("all sealers", 60, lambda: all_run(g))
        pids = g.roles()["sealer"]
        for p in pids:
            os.kill(p, signal.SIGSTOP)
        t = threading.Thread(target=lambda: answers.append(send(g.inside, US, THEM, poison)))
        t.start()
        wait_for("the message to be with a sealer", 20, lambda: g.cli("status")["relay"]["jobs"]["running"] == 1)
        for p in pids:
            os.kill(p, signal.SIGKILL)
        t.join(60)
        assert answers[n][0] == 451 and "died" in answers[n][1], answers
    wait_for("all sealers", 60, lambda: all_run(g))
    code, words = send(g.inside, US, THEM, poison)
    assert code == 554 and "5.6.0" in words and "died over this message 3 times" in words, (code, words)
    assert send(g.inside, US, THEM, message(US, THEM, "harmless"))[0] == 250
    out.by_subject("harmless")
    assert g.log(g.mark).count("alarm=crash") == 3


def between(pid, other):
    """The descriptor of pid that is a socket to the process other, as ss says."""
    out, socks = subprocess.run(["ss", "-H", "-x", "-p", "-n", "-a"], stdout=subprocess.PIPE, text=True, check=True).stdout, {}
    for line in out.splitlines():
        f = line.split()
        socks[f[5]] = (f[7], [tuple(map(int, m)) for m in re.findall(r"pid=(\d+),fd=(\d+)", line)])
    for peer, owners in socks.values():
        for p, fd in owners:
            if p == pid and any(q == other for q, _ in socks.get(peer, ("", []))[1]):
                return fd
    raise AssertionError(f"no socket between {pid} and {other}:\n{out}")


def hang_up(pid, other):
    """Ends the channel between two living processes."""
    process = os.pidfd_open(pid)
    fd = ctypes.CDLL(None, use_errno=True).syscall(438, process, between(pid, other), 0)  # pidfd_getfd
    os.close(process)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    with socket.socket(fileno=fd) as s:
        s.shutdown(socket.SHUT_RDWR)


def test_a_sealer_that_the_relay_let_go_is_replaced(top):
    """The relay closes the channel of a sealer whose answer it cannot use; the relay goes on, and the sealer's place does not stay empty."""
    c = Campaign(top, seed=2, clients=2)
    gw = c.hospital
    first = wait_for("all to run", 30, lambda: all_run(gw))
    hang_up(first["sealer", 0]["pid"], first["relay", 0]["pid"])
    gw.wait_log(r"sealer-away number=\d+", 10)
    c.progress(10, 10)  # the other sealer does the work
    last = wait_for("a new sealer", 30, lambda: (lambda p: p if p and p["sealer", 0]["starts"] == 2 else None)(all_run(gw)))
    assert all(r["pid"] == first[k]["pid"] for k, r in last.items() if k != ("sealer", 0))
    c.progress(10, 10)
    c.kills = 1
    print("  " + c.finish())
