"""Partners that nobody configured, whose certificates are in the DNS: how fast they are found, and how fast they are known again. nsd, certificates of one authority, recipients by RCPT
alone: no mail is sent."""
import os
import socket
import statistics
import subprocess
import threading
import time

from gateway import BUILD, Gateway, wait_for
from nexthop import Nsd

SESSIONS = 50
DOMAINS = 200  # a round


def certificates(top, n, zone=lambda i: "bench.example"):
    """PEM of an authority, and a CERT record with a certificate of it for each of d0.bench.example ...; zone(i): another zone than that."""
    def run(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=top)
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("req", "-x509", *new, "-keyout", "find-ca.key", "-out", "find-ca.pem", "-days", "30", "-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "find.key")
    names = "".join(f"d{i}.{zone(i)}\n" for i in range(n))
    made = subprocess.run([os.path.join(BUILD, "tools", "certs"), "find-ca.pem", "find-ca.key", "find.key"], input=names, text=True, check=True, stdout=subprocess.PIPE, cwd=top).stdout
    return os.path.join(top, "find-ca.pem"), [f"d{i} CERT 1 0 0 {line}" for i, line in enumerate(made.split())]


class Session:
    """Transactions of one RCPT each; many in one write, as pipelining allows."""
    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.f = self.s.makefile("rb")
        self.reply()
        self.say("EHLO bench")
        self.reply()

    def say(self, line):
        self.s.sendall(line.encode() + b"\r\n")

    def reply(self):
        while True:
            line = self.f.readline()
            if line[3:4] != b"-":
                return line

    def rcpts(self, addresses):
        self.s.sendall("".join(f"MAIL FROM:<a@hospital.example>\r\nRCPT TO:<{a}>\r\nRSET\r\n" for a in addresses).encode())
        for a in addresses:
            got = [self.reply() for _ in range(3)][1]
            if not got.startswith(b"250"):
                raise AssertionError(f"{a}: {got.decode()}")

    def close(self):
        self.f.close()
        self.s.close()


def rate(port, addresses):
    """Addresses a second over SESSIONS sessions."""
    sessions = [Session(port) for _ in range(SESSIONS)]
    failed = []

    def one(s, some):
        try:
            s.rcpts(some)
        except Exception as e:  # noqa: BLE001: told by the caller
            failed.append(e)
    threads = [threading.Thread(target=one, args=(s, addresses[i::SESSIONS])) for i, s in enumerate(sessions)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.monotonic() - began
    for s in sessions:
        s.close()
    if failed:
        raise failed[0]
    return len(addresses) / took


def p50_ms(port, addresses):
    s, took = Session(port), []
    for a in addresses:
        s.say("MAIL FROM:<a@hospital.example>")
        s.reply()
        began = time.monotonic()
        s.say(f"RCPT TO:<{a}>")
        got = s.reply()
        took.append((time.monotonic() - began) * 1000)
        if not got.startswith(b"250"):
            raise AssertionError(f"{a}: {got.decode()}")
        s.say("RSET")
        s.reply()
    s.close()
    return statistics.median(took)


def measure(top, sink, rounds):
    """(cold lookups a second, warm ones, milliseconds at RCPT when warm), a list each."""
    ca, records = certificates(top, rounds * DOMAINS)
    nsd = Nsd(top)
    nsd.zone("bench.example", records)
    nsd.start()
    g = Gateway(top, "finder", "hospital.example", sink.address, sink.address, settings="relay-tls = none\nsessions-per-client = 1000\n", domain_settings="inside-tls = none", log_level="warn",
                sections=nsd.settings() + "find {\n  asking-site = 1000\n}\n")
    try:
        g.start(wait=False)
        wait_for("posternd", 60, lambda: os.path.exists(g.sock) and g.postern("status", check=False)[0] == 0)
        wait_for("keys", 60, lambda: g.cli("status")["parent"]["keeper"] == "ready")
        g.make_identity("--self-signed")
        g.postern("anchor", "add", ca, "--scope", "*", "--yes")
        cold, warm, p50 = [], [], []
        for r in range(rounds):
            domains = [f"d{i}.bench.example" for i in range(r * DOMAINS, (r + 1) * DOMAINS)]
            cold.append(rate(g.inside, [f"first@{d}" for d in domains]))
            warm.append(rate(g.inside, [f"p{i}@{d}" for i in range(10) for d in domains]))
            p50.append(p50_ms(g.inside, [f"one@{d}" for d in domains]))
        return cold, warm, p50
    finally:
        g.stop()
        nsd.stop()
