"""The web UI over TLS, for browsers on other machines: its key in the keeper, its cookie, its successor, what it refuses and how it says that there is no key."""
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.parse

from gateway import BUILD, free_ports, wait_for
from mail import quick, solo
from test_signin import PASSWORD, password

HOST = "postern.hospital.example"


def start(top, address="127.0.0.1", more="tls = yes\n  client-rate = 0\n  timeout = 60s"):
    port = free_ports(1)[0]
    gw, _, _ = solo(top, sections=f'web {{\n  address = "{address}:{port}"\n  hostname = "{HOST}"\n  {more}\n}}\n')
    return gw, port


def key(top, gw, *more):
    """Made now; a context that trusts it alone."""
    pem = os.path.join(top, "web.pem")
    with open(pem, "w") as f:
        f.write(gw.cli("domain", "tls", HOST, "--self-signed", *more)["keys"][0]["pem"])
    return ssl.create_default_context(cafile=pem)


def connect(port, trusted):
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trusted)
    c.sock = trusted.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname=HOST)
    return c


def ask(port, trusted, path, method="GET", headers=None, body=None, c=None):
    mine = c is None
    c = c or connect(port, trusted)
    c.request(method, path, body, headers or {})
    r = c.getresponse()
    got = r.status, r, r.read()
    if mine:
        c.close()
    return got


def ready(port, trusted):
    def there():
        try:
            return ask(port, trusted, "/readyz")[0] == 200
        except (OSError, ssl.SSLError):
            return False
    wait_for("the web UI over TLS with the new key", 40, there, every=0.2)


def sign_in(gw, port, trusted):
    """The value of the cookie."""
    gw.cli("user", "add", "anna", "--role", "admin")
    password(gw, "anna", PASSWORD)
    code, r, _ = ask(port, trusted, "/login", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, urllib.parse.urlencode({"user": "anna", "password": PASSWORD}))
    cookie = r.getheader("Set-Cookie")
    assert code == 303 and r.getheader("Strict-Transport-Security") == "max-age=31536000", (code, cookie)
    parts = cookie.split("; ")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(parts) and not any(p.startswith("Domain") for p in parts), cookie
    return re.match("__Host-postern=([A-Za-z0-9_-]{43})$", parts[0]).group(1)


@quick
def test_pages(top):
    gw, port = start(top)
    wait_for("what is missing", 20, lambda: f"there is no TLS key of {HOST}: make one with postern domain tls {HOST}" in gw.log(), every=0.1)
    try:  # nothing is answered without a key, and nothing in the clear
        ask(port, ssl._create_unverified_context(), "/healthz")
        raise AssertionError("answered without a key")
    except (ssl.SSLError, ConnectionError):
        pass
    trusted = key(top, gw)
    ready(port, trusted)
    value = sign_in(gw, port, trusted)
    mine = {"Cookie": "__Host-postern=" + value}
    for path in ("/", "/partners", "/messages", "/static/app.css", "/api/v1/audit"):
        code, r, body = ask(port, trusted, path, headers=mine)
        assert code == 200 and body and r.getheader("Strict-Transport-Security"), (path, code)
    assert ask(port, trusted, "/api/v1/audit", headers={"Cookie": "postern-session=" + value})[0] == 401, "the cookie without its protection"
    # what is put aside goes on: large bodies, one connection for many, many connections at once
    token = gw.cli("user", "token", "anna", "--label", "t", "--role", "admin")["token"]
    bearer = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    large = json.dumps({"content": "x" * 3_000_000})
    code, _, body = ask(port, trusted, "/api/v1/certificates/preview", "POST", bearer, large)
    assert code == 409 and b"neither a certificate" in body, (code, body[:300])
    many = [connect(port, trusted) for _ in range(20)]
    for _ in range(3):
        for c in many:
            c.request("GET", "/api/v1/partners", headers=bearer)
        for c in many:
            r = c.getresponse()
            assert r.status == 200 and json.loads(r.read()) is not None
    # a successor is used without a restart, and who is connected stays so
    older = ssl.get_server_certificate(("127.0.0.1", port))
    trusted = key(top, gw, "--algo", "rsa-2048")
    ready(port, trusted)
    assert ssl.get_server_certificate(("127.0.0.1", port)) != older
    assert ask(port, None, "/api/v1/partners", headers=bearer, c=many[0])[0] == 200
    for c in many:
        c.close()
    assert "from 127.0.0.1" in json.dumps(gw.cli("audit", "list"))


@quick
def test_refused(top):
    gw, port = start(top, "0.0.0.0", "connections-max = 40\n  timeout = 60s")  # no word of TLS: elsewhere than on loopback it is always spoken
    trusted = key(top, gw)
    ready(port, trusted)
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        plain.request("GET", "/healthz")
        raise AssertionError(f"in the clear: {plain.getresponse().status}")
    except (http.client.HTTPException, ConnectionError):
        pass
    for version in ("-tls1_1", "-tls1"):
        r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-cipher", "ALL:@SECLEVEL=0"], input="", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert "New, (NONE)" in r.stdout, r.stdout
    # clients that begin and say nothing: as many as one address may have, and then the first ones give way
    idle = []
    for _ in range(60):
        try:
            idle.append(socket.create_connection(("127.0.0.1", port), timeout=5))
        except OSError:
            pass
        time.sleep(0.06)
    r = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-t", "-c", gw.conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert r.returncode == 0, r.stdout
    for s in idle[:5]:
        s.close()

    def served():
        try:
            return ask(port, trusted, "/healthz")[0] == 200
        except OSError:
            return False
    wait_for("an answer when others let go", 20, served, every=0.3)
    for s in idle:
        s.close()
