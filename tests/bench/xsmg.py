"""What XSMG costs: a question in front of the envelope of a mail, over one TLS session, pipelined as the client does it, against the same envelope without; and how many statements are given out."""
import base64
import hashlib
import os
import smtplib
import ssl
import statistics
import subprocess
import threading
import time

from gateway import Gateway, wait_for
from sink import Sink

ROUND = 300
ENVELOPE = b"MAIL FROM:<a@partner.example>\r\nRCPT TO:<b@hospital.example>\r\nRSET\r\n"


class Session:
    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.s = smtplib.SMTP("127.0.0.1", port, timeout=60)
        self.s.starttls(context=context)
        self.s.ehlo()
        self.f = self.s.sock.makefile("rb")

    def go(self, octets, replies):
        """Sends, reads so many replies; the first of them."""
        self.s.sock.sendall(octets)
        first = []
        for n in range(replies):
            while True:
                line = self.f.readline()
                if n == 0:
                    first.append(line)
                if line[3:4] == b" ":
                    break
        assert line[:1] == b"2", line
        return first

    def median_ms(self, octets, replies):
        times = []
        for _ in range(ROUND):
            began = time.perf_counter()
            self.go(octets, replies)
            times.append(time.perf_counter() - began)
        return statistics.median(times) * 1e3


def newest(top, g):
    """The id of the gateway's statement, once it is made."""
    def got():
        lines = Session(g.outside)
        lines.s.sock.sendall(b"XSMG GET hospital.example\r\n")
        out = []
        while not out or out[-1][3:4] != b" ":
            out.append(lines.f.readline())
        return out if out[0].startswith(b"250-2.0.0 statement ") else None
    lines = wait_for("a statement", 60, got, every=0.3)
    path = os.path.join(top, "statement.der")
    with open(path, "wb") as f:
        f.write(base64.b64decode(b"".join(line[10:] for line in lines[1:-1])))
    content = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    ident = lines[0].split()[2].decode()
    assert base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=") == ident
    return ident


def given_per_s(g, sessions=4, each=400):
    all_ = [Session(g.outside) for _ in range(sessions)]
    began = time.perf_counter()
    threads = [threading.Thread(target=lambda s=s: [s.go(b"XSMG GET hospital.example\r\n", 1) for _ in range(each)]) for s in all_]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sessions * each / (time.perf_counter() - began)


def measure(top, rounds):
    """(ms added when unchanged, ms added when changed, statements a second), a list of each."""
    g = Gateway(top, "xsmg", "hospital.example", Sink().address, domain_settings="recipients = any\n").start()
    try:
        g.make_identity()
        ident = newest(top, g)
        unchanged, changed, per_s = [], [], []
        for _ in range(rounds):
            s = Session(g.outside)
            plain = s.median_ms(ENVELOPE, 3)
            unchanged.append(s.median_ms(f"XSMG GET hospital.example {ident}\r\n".encode() + ENVELOPE, 4) - plain)
            s = Session(g.outside)
            plain = s.median_ms(ENVELOPE, 3)
            changed.append(s.median_ms(f"XSMG GET hospital.example {'A' * 43}\r\n".encode() + ENVELOPE, 4) - plain)
            per_s.append(given_per_s(g))
        return unchanged, changed, per_s
    finally:
        g.stop()
