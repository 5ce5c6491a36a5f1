#!/usr/bin/env python3
"""The two gateways of interop/gateways do what their READMEs say: they run between a user, a partner and two sinks. test_gateways.py [NAME...]; needs
root and Postfix. Ends with 1 when one expectation is not met."""
import json
import os
import random
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from test_second import Judge, openssl  # noqa: E402

GATEWAYS = os.path.join(HERE, "..", "gateways")
failures = []
count = 0


def free_ports(n):
    socks = {}
    while len(socks) < n:
        s, port = socket.socket(), random.randrange(20000, 32000)
        try:
            s.bind(("127.0.0.1", port))
            socks[port] = s
        except OSError:
            s.close()
    for s in socks.values():
        s.close()
    return list(socks)


class Sink(threading.Thread):
    """An SMTP server that keeps all it gets: (from, to, octets)."""
    def __init__(self):
        super().__init__(daemon=True)
        self.server, self.mails = socket.create_server(("127.0.0.1", 0)), []
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            threading.Thread(target=self.talk, args=(self.server.accept()[0],), daemon=True).start()

    def talk(self, s):
        f, sender, to = s.makefile("rwb"), None, []

        def say(text):
            f.write(text + b"\r\n")
            f.flush()
        say(b"220 sink")
        for line in f:
            verb = line[:4].upper()
            if verb == b"MAIL":
                sender, to = re.search(rb"<(.*?)>", line).group(1).decode(), []
            elif verb == b"RCPT":
                to.append(re.search(rb"<(.*?)>", line).group(1).decode())
            elif verb == b"DATA":
                say(b"354 go on")
                octets = b""
                for more in f:
                    if more == b".\r\n":
                        break
                    octets += more[1:] if more.startswith(b".") else more
                self.mails.append((sender, to, octets))
            elif verb == b"QUIT":
                say(b"221 bye")
                return s.close()
            say(b"250 sink" if verb == b"EHLO" else b"250 ok")

    def get(self, to, within=15):
        until = time.monotonic() + within
        while time.monotonic() < until:
            for m in self.mails:
                if to in m[1]:
                    self.mails.remove(m)
                    return m[2]
            time.sleep(0.05)
        return None


class Party:
    def __init__(self, top, name, domain, ca=None):
        self.cert, self.key, self.name = (os.path.join(top, name + e) for e in (".pem", ".key", ""))
        self.name, self.domain = name, domain
        args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "30", "-subj", f"/CN={name}"]
        if ca:
            args += ["-CA", ca.cert, "-CAkey", ca.key, "-addext", f"subjectAltName=DNS:{domain}", "-addext", "basicConstraints=critical,CA:FALSE",
                     "-addext", "keyUsage=digitalSignature,keyEncipherment", "-addext", "extendedKeyUsage=emailProtection"]
        else:
            args += ["-addext", "keyUsage=keyCertSign,cRLSign"]
        try:
            openssl(*args)
        except RuntimeError:  # OpenSSL 3.0 has no -CA for req
            self.request(args, top, ca)

    def request(self, args, top, ca):
        ext = os.path.join(top, "ext")
        with open(ext, "w") as f:
            f.write("\n".join(a for a in args if "=" in a and not a.startswith("/")))
        csr = os.path.join(top, "csr")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", csr, "-subj", f"/CN={self.name}")
        openssl("x509", "-req", "-in", csr, "-CA", ca.cert, "-CAkey", ca.key, "-CAcreateserial", "-days", "30", "-extfile", ext, "-out", self.cert)


def check(what, good, shown=b""):
    global count
    count += 1
    if not good:
        failures.append(what)
        print("FAILED", what, "\n", (shown or b"nothing")[:1500].decode("latin-1"))


def value(octets, name):
    return [v.strip().decode() for v in re.findall(rb"(?im)^" + name.encode() + rb":(.*)\r$", (octets or b"").split(b"\r\n\r\n")[0] + b"\r\n")]


def send(address, sender, to, octets):
    host, port = address.split(":")
    with smtplib.SMTP(host, int(port), timeout=30) as s:
        s.sendmail(sender, [to], octets)


def letter(sender, to, text, *more):
    return "\r\n".join([f"From: {sender}", f"To: {to}", "Subject: Befund", "MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", *more, "", text, ""]).encode()


def smime(inner, outer, sign=None, seal=None, extra=()):
    """The octets for DATA: openssl's S/MIME entity under the outer fields."""
    inner = b"Content-Type: text/plain\r\n\r\n" + inner
    if sign:
        inner = openssl("cms", "-sign", "-signer", sign.cert, "-inkey", sign.key, *extra, data=inner)
    if seal:
        inner = openssl("cms", "-encrypt", "-aes256", seal, data=inner)
    return re.sub(rb"\r?\n", b"\r\n", b"".join(f.encode() + b"\n" for f in outer) + inner)


class World:
    def __init__(self, top):
        self.ca, self.evil = Party(top, "ca", "ca"), Party(top, "evilca", "evil")
        self.partner = Party(top, "partner", "a.kit.test", self.ca)
        self.stranger = Party(top, "stranger", "b.kit.test", self.evil)
        self.outside, self.inside = Sink(), Sink()
        self.setup = os.path.join(top, "setup.json")
        with open(self.setup, "w") as f:
            json.dump({"domain": "own.test", "kit-domain": "kit.test", "resolver": "127.0.0.1:53", "zones": ["kit.test"], "anchors": [{"file": "ca.pem", "for": "*"}], "tls-ca": "ca.pem",
                       "partners": [{"domain": "a.kit.test", "treatment": "seal", "strength": "require", "find": "none"}],
                       "certificates": [{"file": "partner.pem", "for": "a.kit.test", "case": "a", "name": "enc"}], "outside": self.outside.address, "inside": self.inside.address}, f)


def outgoing(w, inside, judge, state, name):
    me = "alice@own.test"
    send(inside, me, "bob@a.kit.test", letter(me, "bob@a.kit.test", "Dear colleague, Zahlenwerk.\r\n.\r\n..dots"))
    got = w.outside.get("bob@a.kit.test")
    check(f"{name}: a partner with a certificate gets it sealed", got and b"Zahlenwerk" not in got and value(got, "Subject") == ["Befund"], got)
    answer = judge.ask(got or b"", {"cert": w.partner.cert, "key": w.partner.key})
    own = openssl("x509", "-in", os.path.join(state, "gateway.pem"), "-outform", "DER")
    import hashlib
    layers = answer.get("layers", [])
    check(f"{name}: encrypted, signed by the gateway", [x["kind"] for x in layers] == ["enveloped", "signed"] and layers[0]["cipher"] == "aes256-cbc" and layers[1]["signers"][0]["valid"]
          and layers[1]["signers"][0]["cert-sha256"] == hashlib.sha256(own).hexdigest(), json.dumps(answer).encode())
    body = b"Dear colleague, Zahlenwerk.\r\n.\r\n..dots\r\n"
    wanted = {hashlib.sha256(h + b"\r\n" + body).hexdigest() for h in (b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n",)}
    check(f"{name}: with the text as it was", answer.get("content-sha256") in wanted, json.dumps(answer).encode())
    send(inside, me, "carl@b.kit.test", letter(me, "carl@b.kit.test", "Zahlenwerk"))
    got = w.outside.get("carl@b.kit.test")
    check(f"{name}: a partner without a certificate gets it in clear (README)", got and b"Zahlenwerk" in got, got)


def incoming(w, outside, state, name):
    me, to, own = "bob@a.kit.test", "user@own.test", os.path.join(state, "gateway.pem")
    outer = [f"From: {me}", f"To: {to}", "Subject: Befund", "X-Filter: trusted"]
    text = b"Dear colleague, Zahlenwerk.\r\n"
    good = smime(text, outer, w.partner, own, ("-nodetach",))
    opaque = smime(text, outer, w.partner, None, ("-nodetach",))
    clear = smime(text, outer, w.partner)
    at = good.rindex(b"\r\n", 0, len(good) - 400)
    broken_key = good[:at - 8] + (b"AAAA" if good[at - 8:at - 4] != b"AAAA" else b"BBBB") + good[at - 4:]
    cases = [
        ("sealed and signed", good, "trusted", True), ("detached", clear, "trusted", True), ("opaque", opaque, "trusted", True),
        ("by a stranger", smime(text, outer, w.stranger, own, ("-nodetach",)), "untrusted", True), ("sealed alone", smime(text, outer, None, own), "unsigned", True),
        ("clear, with a mark of its own", letter(me, to, "Zahlenwerk", "X-Filter: trusted"), "unsigned", True),
        ("a changed text", clear.replace(b"Zahlenwerk", b"Zahlenwurk", 1), "broken", None),
        ("sealed for another", smime(text, outer, w.partner, w.partner.cert, ("-nodetach",)), "broken", False), ("a changed signature", broken_key, "broken", None),
    ]
    for what, octets, mark, readable in cases:
        send(outside, me, to, octets)
        got = w.inside.get(to)
        check(f"{name}: {what} is {mark}", value(got, "X-Filter") == [mark] and (readable is None or (b"Zahlenwerk" in got) == readable), got)
        check(f"{name}: {what} has one From and one Subject", len(value(got, "From")) == 1 and value(got, "Subject") == ["Befund"], got)
    try:
        send(outside, me, "x@elsewhere.test", opaque)
        check(f"{name}: it relays for strangers", False)
    except smtplib.SMTPRecipientsRefused:
        check("", True)


def main():
    names = sys.argv[1:] or ["openssl-filter", "gpgsm-filter"]
    top = tempfile.mkdtemp()
    os.chmod(top, 0o755)
    w, judge = World(top), Judge("bouncycastle", top)
    for name in names:
        state = os.path.join(top, name)
        ports = [f"127.0.0.1:{p}" for p in free_ports(3)]
        program = os.path.join(GATEWAYS, name, "set-up")
        before = len(failures)
        try:
            subprocess.run([program, "start", "--state", state, "--setup", w.setup, "--inside", ports[0], "--outside", ports[1], "--again", ports[2]], check=True, stdout=subprocess.DEVNULL)
            outgoing(w, ports[0], judge, state, name)
            incoming(w, ports[1], state, name)
        finally:
            if len(failures) > before:
                subprocess.run(["tail", "-12", os.path.join(state, "log", "mail.log")])
            subprocess.run([program, "stop", "--state", state], check=True)
        left = subprocess.run(["pgrep", "-f", state], capture_output=True, text=True).stdout.split()
        check(f"{name}: nothing is left running", not left, " ".join(left).encode())
    judge.end()
    shutil.rmtree(top)
    print(f"{count} checks, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
