#!/usr/bin/env python3
"""How long the HTTP interface takes with 20,000 partners and a history of 1,000,000 messages while mail flows: server time, from the request's last octet to the answer's last one.

ui.py [PARTNERS [MESSAGES]]: prints a line for each path. The store is filled while the gateway is stopped, row by row as its own tables are; the history by bench_history.
"""
import hashlib
import http.client
import os
import shutil
import smtplib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
from gateway import BUILD, Gateway, free_ports, wait_for  # noqa: E402
from mail import message  # noqa: E402
from sink import Sink  # noqa: E402

KINDS, SOON = 40, 2  # certificates that are made; of them, so many run out within 60 days
SAMPLES = 100
MAILS_PER_S = 20
PATHS = ("/api/v1/status", "/api/v1/partners?max=50", "/api/v1/partners?max=50&after=d15000.example", "/api/v1/partners/d9000.example", "/api/v1/certificates?max=50",
         "/api/v1/certificates?owner=d9000.example", "/api/v1/statements/pending?max=50", "/api/v1/rules", "/api/v1/anchors", "/api/v1/bundles", "/api/v1/audit?max=50",
         "/api/v1/queue?max=50", "/api/v1/messages/counts", "/metrics")
PAGES = ("/", "/partners", "/partners?match=d90", "/partners?state=expires%20soon", "/partners?sort=until", "/partners/d9000.example", "/pending", "/certificates", "/anchors", "/bundles",
         "/domains", "/policy", "/messages", "/messages?to=b0%40d9.example", "/messages/held", "/audit", "/users")


def certificates(top):
    """(DER, SHA-256, end)"""
    made = []
    for i in range(KINDS):
        path = os.path.join(top, f"ui-{i}")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path + ".key", "-out", path + ".pem",
                        "-days", str(20 + i if i < SOON else 400 + i), "-subj", f"/CN=partner {i}/O=Laboratory", "-addext", "subjectAltName=DNS:partner.example"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        der = subprocess.run(["openssl", "x509", "-in", path + ".pem", "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
        made.append((der, hashlib.sha256(der).hexdigest(), int(time.time()) + 86400 * (20 + i if i < SOON else 400 + i)))
    return made


def fill_store(path, n, certs):
    db = sqlite3.connect(path)
    now = int(time.time())
    with db:
        db.executemany("INSERT INTO partner (domain, treatment, strength, note, added) VALUES (?, 'seal', 'require', 'the laboratory', ?)", ((f"d{i}.example", now) for i in range(n)))
        db.executemany("INSERT INTO seen (domain, at) VALUES (?, ?)", ((f"d{i}.example", now) for i in range(0, n, 2)))
        db.executemany("INSERT INTO cert (owner, der, sha256, source, pinned, added, not_after) VALUES (?, ?, ?, 'import', 1, ?, ?)",
                       ((f"d{i}.example", der, sha, now, end) for i in range(n) for der, sha, end in [certs[i % len(certs)]]))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def fill_history(top, gw, n):
    where, queue = os.path.join(top, "ui-history"), os.path.join(gw.data, "queue")
    subprocess.run([os.path.join(BUILD, "bench", "bench_history"), where, str(n), "10"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    owner = os.stat(os.path.join(queue, "queue.db"))
    for name in os.listdir(queue):
        if name.startswith("history.db"):
            os.unlink(os.path.join(queue, name))
    shutil.move(os.path.join(where, "history.db"), os.path.join(queue, "history.db"))
    os.chown(os.path.join(queue, "history.db"), owner.st_uid, owner.st_gid)


class Mail(threading.Thread):
    """Some of it sealed, all of it delivered."""
    def __init__(self, gw):
        super().__init__(daemon=True)
        self.gw, self.ends, self.n, self.failed = gw, threading.Event(), 0, 0

    def run(self):
        with smtplib.SMTP("127.0.0.1", self.gw.inside, timeout=60) as s:
            while not self.ends.wait(1 / MAILS_PER_S):
                try:
                    s.sendmail("a@hospital.example", [f"b@d{self.n % 100}.example"], message("a@hospital.example", "b@d.example", f"mail {self.n}", "words\r\n" * 200))
                except smtplib.SMTPException:
                    self.failed += 1
                self.n += 1


def sign_in(top, gw, c):
    """The cookie of a session."""
    secret = os.path.join(top, "ui-password")
    with open(secret, "w") as f:
        f.write("correct horse battery\n")
    gw.cli("user", "password", "bench", "--password-file", secret)
    c.request("POST", "/login", "user=bench&password=correct+horse+battery", {"Content-Type": "application/x-www-form-urlencoded"})
    r = c.getresponse()
    r.read()
    assert r.status == 303, r.status
    return r.getheader("Set-Cookie").split(";")[0]


def ask(c, path, token, cookie):
    began = time.monotonic()
    c.request("GET", path, headers={"Cookie": cookie} if path in PAGES else {"Authorization": "Bearer " + token})
    r = c.getresponse()
    body = r.read()
    took = (time.monotonic() - began) * 1000
    assert r.status == 200 and body, (path, r.status, body[:300])
    return took


def measure(top, partners=20000, messages=1000000, samples=SAMPLES):
    """{path: [ms]} and how many mails were accepted meanwhile."""
    port, sink = free_ports(1)[0], Sink()
    sink.mails = type("None_kept", (list,), {"append": lambda self, m: None})()
    gw = Gateway(top, "ui", "hospital.example", sink.address, sink.address, sections=f'web {{\n  address = "127.0.0.1:{port}"\n  timeout = 5m\n  lifetime = 1h\n}}\n')
    try:
        gw.start()
        gw.make_identity()
        gw.cli("user", "add", "bench", "--role", "admin")
        token = gw.cli("user", "token", "bench", "--label", "bench", "--role", "admin")["token"]
        gw.stop()
        fill_store(os.path.join(gw.data, "store", "store.db"), partners, certificates(top))
        fill_history(top, gw, messages)
        gw.start()
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        wait_for("the HTTP interface", 60, lambda: socket.create_connection(("127.0.0.1", port), 5).close() is None)
        mail, took = Mail(gw), {p: [] for p in PATHS + PAGES}
        cookie = sign_in(top, gw, c)
        mail.start()
        for path in PATHS + PAGES:
            ask(c, path, token, cookie)
        for _ in range(samples):
            for path in PATHS + PAGES:
                took[path].append(ask(c, path, token, cookie))
        mail.ends.set()
        mail.join(60)
        assert mail.n > 0, "no mail was sent meanwhile"
        return took, mail.n - mail.failed
    finally:
        gw.stop()
        sink.close()


def p95(values):
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    top = tempfile.mkdtemp(prefix="postern-bench-ui-")
    os.chmod(top, 0o755)
    try:
        took, mails = measure(top, *map(int, sys.argv[1:]))
        for path, v in sorted(took.items(), key=lambda x: -p95(x[1])):
            print(f"{path} p50 {statistics.median(v):.1f} p95 {p95(v):.1f} ms, worst {max(v):.1f}")
        print(f"ui_p95_ms {max(p95(v) for v in took.values()):.1f} ms, {mails} mails accepted meanwhile")
    finally:
        shutil.rmtree(top, ignore_errors=True)
