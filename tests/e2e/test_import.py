"""Certificates of many partners out of one file, in the browser, over HTTP and on the command line: looked at, confirmed, stored in slices beside the mail; left, cancelled, interrupted, refused."""
import base64
import http.client
import json
import os
import re
import subprocess
import threading
import time

from finding import Ca, der
from gateway import BUILD, free_ports, wait_for
from mail import message, quick, send, solo
from partners import US
from smime import Identity, openssl
from test_signin import PASSWORD, csrf_of, password, session_of, sign_in

MANY = 5000


class Shared:
    """Certificates for one key, by the tool that makes thousands."""
    def __init__(self, top):
        self.top, self.ca = top, Ca(top, "authority")
        self.key = os.path.join(top, "shared.key")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)

    def make(self, domains):
        made = subprocess.run([os.path.join(BUILD, "tools", "certs"), self.ca.cert, self.ca.key, self.key], input="".join(d + "\n" for d in domains), text=True, check=True, stdout=subprocess.PIPE).stdout
        return [base64.b64decode(line) for line in made.split()]


def pem(ders):
    return b"".join(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(d) + b"-----END CERTIFICATE-----\n" for d in ders)


def bag(top, ders):
    """PKCS#7 in DER."""
    path = os.path.join(top, "bag.pem")
    with open(path, "wb") as f:
        f.write(pem(ders))
    return openssl("crl2pkcs7", "-nocrl", "-certfile", path, "-outform", "DER")


class Browser:
    def __init__(self, port, session):
        self.port, self.session = port, session

    def ask(self, method, path, body=None, kind=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, path, body, {"Cookie": "postern-session=" + self.session, **({"Content-Type": kind} if kind else {})})
        r = c.getresponse()
        got = r.status, r.getheader("Location"), r.read().decode()
        c.close()
        return got

    def page(self, path):
        code, _, html = self.ask("GET", path)
        assert code == 200, (path, code, html[:500])
        return html

    def form(self, path, **fields):
        body = "&".join(f"{k}={v}" for k, v in {**fields, "csrf": csrf_of(self.session)}.items())
        return self.ask("POST", path, body, "application/x-www-form-urlencoded")

    def upload(self, path, octets, **fields):
        mark = "boundary-of-the-test"
        parts = b"".join(f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in {**fields, "csrf": csrf_of(self.session)}.items())
        parts += f'--{mark}\r\nContent-Disposition: form-data; name="content"; filename="many.p7b"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode() + octets + f"\r\n--{mark}--\r\n".encode()
        return self.ask("POST", path, parts, "multipart/form-data; boundary=" + mark)


def start(top, settings=""):
    port = free_ports(1)[0]
    gw, _, outside = solo(top, sections=f'web {{\n address = "127.0.0.1:{port}"\n body-octets = 11M\n}}\n{settings}')
    gw.cli("user", "add", "anna", "--role", "trust-officer")
    password(gw, "anna", PASSWORD)
    b = None

    def there():
        try:
            return sign_in(port, "anna")
        except OSError:
            return None
    b = Browser(port, session_of(wait_for("the web UI", 20, there, every=0.2)))
    return gw, outside, b


def newest(b):
    return re.search(r'href="/imports/([0-9a-f]{16})"', b.page("/imports")).group(1)


def state(b, number, *states):
    """Waits for it, as a browser without scripts would."""
    def look():
        html = b.page("/imports/" + number)
        runs = "http-equiv=\"refresh\"" in html
        assert runs == ("<progress" in html), html[:2000]
        return html if any(f">{s}<" in html for s in states) else None
    return wait_for(f"{states}", 120, look, every=0.1)


class Flow:
    """Mail all the time; how long each took."""
    def __init__(self, gw):
        self.gw, self.took, self.on = gw, [], True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.on:
            began = time.monotonic()
            assert send(self.gw.inside, US, "bob@clear.example", message(US, "bob@clear.example", "meanwhile"))[0] == 250
            self.took.append(time.monotonic() - began)
            time.sleep(0.02)

    def stop(self):
        self.on = False
        self.thread.join()
        t = sorted(self.took)
        return t[len(t) // 2], t[-1], len(t)


def test_five_thousand(top):
    gw, outside, b = start(top)
    s = Shared(top)
    ders = s.make([f"d{i}.example" for i in range(MANY - 5)])
    odd = [s.ca.issue("nobody", "", kind="ec"), s.ca.issue("ours", "DNS:hospital.example", kind="ec"), s.ca.issue("person", "email:bob@person.example", kind="ec"),
           Identity(top, "server", "DNS:web.example", issuer=s.ca, eku="serverAuth", kind="ec")]
    octets = bag(top, ders[:2000] + [der(i.cert) for i in odd] + ders[2000:] + ders[:1])
    gw.postern("partner", "add", "clear.example", "--treatment", "clear")
    flow = Flow(gw)
    time.sleep(1)
    code, where, html = b.upload("/imports/begin", octets, pinned=1)
    assert (code, where) == (303, "/imports"), (code, html[:500])
    number = newest(b)
    html = state(b, number, "ready")
    assert f"{MANY} certificates: {MANY - 4} new" in html, re.findall(r"lead\">(.*?)<", html)
    for only, words in (("refused", ("names no domain and no address", "of a domain of ours", "not for mail")), ("known", ("twice in the file",)), ("new", ("d0.example", "Next"))):
        html = b.page(f"/imports/{number}?only={only}")
        assert all(w in html for w in words), (only, html)
    assert "d4000.example" in b.page(f"/imports/{number}?only=new&after=4000")
    assert not gw.cli("cert", "list")["certificates"], "nothing is stored before it is confirmed"
    # confirmed, left, and come back to
    code, where, _ = b.form(f"/imports/{number}/confirm")
    assert (code, where) == (303, "/imports/" + number)
    seen = wait_for("its progress", 30, lambda: re.search(rf"([1-9]\d*) of {MANY - 4} are stored", b.page("/imports/" + number)), every=0.02)
    assert int(seen.group(1)) <= MANY - 4
    html = state(b, number, "done")
    assert f"{MANY - 4} stored" in html
    half, longest, n = flow.stop()
    print(f"mail meanwhile: {n}, median {half * 1000:.1f} ms, longest {longest * 1000:.0f} ms")
    assert longest < 5, longest
    # they are used, and each is in the audit log
    for domain in ("d0.example", "d3999.example"):
        assert send(gw.inside, US, "bob@" + domain, message(US, "bob@" + domain, "sealed"))[0] == 250
        got = outside.wait(1, 30, lambda m, d=domain: m.rcpts == ["bob@" + d])[0]
        cert = os.path.join(top, domain + ".pem")
        with open(cert, "wb") as f:
            f.write(pem([ders[int(domain[1:-8])]]))
        assert openssl("cms", "-decrypt", "-recip", cert, "-inkey", s.key, data=got.data, check=False)
    rows, before = [], 0
    while True:
        got = gw.cli("audit", "list", "--max", "1000", *(["--before", str(before)] if before else []))["rows"]
        rows += got
        if not got or got[-1]["id"] == 1:
            break
        before = got[-1]["id"]
    assert sum(r["what"] == "cert.add" and r["who"].startswith("anna (session) from 127.0.0.1") for r in rows) == MANY - 4
    assert [r["what"] for r in rows if r["what"].startswith("import.")] == ["import.end", "import.begin"]
    gw.postern("audit", "verify")
    # the same again: all known
    b.upload("/imports/begin", octets, pinned=1)
    again = newest(b)
    html = state(b, again, "ready")
    assert f"0 new, 0 warned of, {MANY - 3} known already" in html, re.findall(r"lead\">(.*?)<", html)
    code, _, html = b.form(f"/imports/{again}/confirm")
    assert code == 400 and "no certificate of the import" in html


@quick
def test_ends(top):
    """Cancelled, interrupted, forgotten by a restart: what was stored stays, and the same file brings the rest."""
    gw, _, b = start(top)
    s = Shared(top)
    octets = pem(s.make([f"d{i}.example" for i in range(1500)]))
    b.upload("/imports/begin", octets)
    one = newest(b)
    state(b, one, "ready")
    b.form(f"/imports/{one}/confirm")
    wait_for("some to be stored", 30, lambda: re.search(r"([1-9]\d*) of 1500 are stored", b.page("/imports/" + one)), every=0.01)
    code, where, _ = b.form(f"/imports/{one}/cancel")
    assert code == 303
    html = b.page("/imports/" + one)
    stored = int(re.search(r"it was cancelled by anna .*?: (\d+) of 1500 were stored, and stay", html).group(1))
    assert 0 < stored < 1500, stored

    def count():
        return len(gw.cli("cert", "list")["certificates"])
    assert count() == stored
    b.upload("/imports/begin", octets)
    two = newest(b)
    html = state(b, two, "ready")
    assert f"{1500 - stored} new, 0 warned of, {stored} known already" in html
    b.form(f"/imports/{two}/confirm")
    wait_for("more to be stored", 30, lambda: re.search(r"([1-9]\d*) of \d+ are stored", b.page("/imports/" + two)), every=0.01)
    pid = next(int(m.group(1)) for m in re.finditer(r"judge\[(\d+)\]", gw.log()))
    os.kill(pid, 9)
    code, _, html = wait_for("the judge's successor", 20, lambda: (lambda got: got if got[0] == 404 else None)(b.ask("GET", "/imports/" + two)), every=0.2)
    assert "was started again meanwhile, which interrupts it. What it stored until then is stored" in html, html
    path = os.path.join(top, "many.pem")
    with open(path, "wb") as f:
        f.write(octets)
    code, out, _ = gw.postern("import", path, "--yes")
    assert "1500 certificates:" in out and count() == 1500, out


@quick
def test_refused(top):
    gw, _, b = start(top, "trust { import-max = 20 }\n")
    s = Shared(top)
    ders = s.make([f"d{i}.example" for i in range(21)])
    own = s.ca.issue("lab", "DNS:lab.example", kind="ec")
    p12 = open(own.pkcs12(os.path.join(top, "lab.p12"), "x"), "rb").read()
    indefinite = b"\x30\x80" + bag(top, ders[:3])[4:] + b"\0\0"
    for octets, at, words in ((b"nonsense", "begin", "neither a certificate nor PKCS#7"), (b"", "begin", "content"), (p12, "begin", "PKCS#12 file .* never wanted here; the file was not opened, and nothing of it is stored. Ask for the certificate alone"),
                              (indefinite, "begin", "BER of indefinite length"), (bag(top, ders[:3])[:-20], "begin", "neither a certificate nor PKCS#7"),
                              (pem(ders[:2]) + open(own.key, "rb").read(), "look", "there is a private key in this file"), (pem(ders[:2])[:-60], "look", "damaged or cut off"),
                              (pem(ders), "look", "more than 20 certificates in this file \\(trust, import-max\\): split it")):
        code, where, html = b.upload("/imports/begin", octets)
        if at == "begin" or code != 303:
            assert code == 400 and re.search(words, html), (words, code, html[:1500])
            continue
        html = state(b, newest(b), "failed", "ready")
        assert re.search(words, html), (words, html)
    path = os.path.join(top, "two.pem")
    with open(path, "wb") as f:
        f.write(pem(ders[:2]))
    code, out, err = gw.postern("import", path, check=False, stdin="no\n")
    assert code in (1, 4) and not gw.cli("cert", "list")["certificates"], (code, out, err)
    got = gw.cli("import", path, "--yes")
    assert got["import"]["counts"]["stored"] == 2 and got["import"]["state"] == "done", got
    # not for those who only look, nor for strangers
    gw.cli("user", "add", "vera", "--role", "operator")
    token = gw.cli("user", "token", "vera", "--label", "t", "--role", "operator")["token"]
    for head, want in (({"Authorization": "Bearer " + token}, 403), ({}, 401)):
        for method, p, body in (("GET", "imports", None), ("POST", "imports", json.dumps({"content": "AAAA"})), ("POST", "imports/0011223344556677/confirm", "{}"), ("DELETE", "imports/0011223344556677", None)):
            c = http.client.HTTPConnection("127.0.0.1", b.port, timeout=20)
            c.request(method, "/api/v1/" + p, body, {**head, "Content-Type": "application/json"})
            assert c.getresponse().status == want, (method, p, want)
            c.close()
