"""Signing in to the web UI, and what a browser, a stranger or another site can do about it."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import struct
import time
import urllib.parse

from gateway import BUILD, free_ports, wait_for
from mail import quick, solo

PASSWORD = "a long sentence for the test"
TOO_MANY = 429


def start(top, users=(("anna", "admin"),), more=""):
    port = free_ports(1)[0]
    gw, _, _ = solo(top, sections=f'web {{\n  address = "127.0.0.1:{port}"\n  {more}\n}}\n')
    wait_for("the web UI", 20, lambda: ask(port, "GET", "/readyz")[0] == 200, every=0.1)
    for name, role in users:
        gw.cli("user", "add", name, "--role", role)
        password(gw, name, PASSWORD)
    return gw, port


def password(gw, name, text):
    path = os.path.join(gw.data, "password-" + name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(text + "\n")
    gw.postern("user", "password", name, "--password-file", path)
    os.unlink(path)


def ask(port, method, path, session=None, form=None, headers=None, body=None):
    """(status, header fields, body)"""
    h = dict(headers or {})
    if session is not None:
        h["Cookie"] = "postern-session=" + session
    if form is not None:
        body = urllib.parse.urlencode(form)
        h["Content-Type"] = "application/x-www-form-urlencoded"
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.request(method, path, body, h)
    r = c.getresponse()
    got = r.status, r, r.read()
    c.close()
    return got


def sign_in(port, user="anna", secret=PASSWORD, session=None, headers=None, **more):
    return ask(port, "POST", "/login", session, {"user": user, "password": secret, **more}, headers)


def session_of(got):
    """The value of the session that an answer begins."""
    assert got[0] == 303, got[2][-2000:]
    cookie = got[1].getheader("Set-Cookie")
    return re.match("postern-session=([A-Za-z0-9_-]{43});", cookie).group(1)


def csrf_of(session):
    return hmac.new(session.encode(), b"csrf", hashlib.sha256).hexdigest()


def inside(port, session):
    """Is the session good for something?"""
    code = ask(port, "GET", "/api/v1/rules", session)[0]
    assert code in (200, 401), code
    return code == 200


@quick
def test_session(top):
    gw, port = start(top, (("anna", "admin"), ("bert", "viewer")))
    # what was in the browser before is not what counts afterwards
    fixed = "A" * 43
    got = sign_in(port, session=fixed)
    one = session_of(got)
    assert one != fixed and not inside(port, fixed) and inside(port, one)
    parts = {p.strip() for p in got[1].getheader("Set-Cookie").split(";")[1:]}
    assert parts == {"Path=/", "HttpOnly", "SameSite=Strict"}, parts
    assert got[1].getheader("Location") == "/"
    two = session_of(sign_in(port, session=one))
    assert two != one and inside(port, two) and not inside(port, one), "the browser's session before this one goes on"
    # where it goes on is of this site
    for where in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/a\r\nX-Evil: 1", "javascript:alert(1)", "/\t/evil.example/", "\t//evil.example/", "/\x01a", "/a\x7f"):
        got = sign_in(port, next=where)
        assert got[1].getheader("Location") == "/" and not got[1].getheader("X-Evil"), (where, got[1].getheaders())
    # by its end only the session that is meant
    got = ask(port, "POST", "/logout", two, {"csrf": csrf_of(two)})
    assert got[0] == 303 and "Max-Age=0" in got[1].getheader("Set-Cookie"), got[1].getheaders()
    assert not inside(port, two)
    three = session_of(sign_in(port))
    # neither password nor session stand anywhere in the clear
    with open(gw.log_path) as f:
        log = f.read()
    with open(gw.data + "/store/store.db", "rb") as f:
        store = f.read()
    audit = json.dumps(gw.cli("audit", "list"))
    for secret in (PASSWORD, three):
        assert secret not in log and secret not in audit and secret.encode() not in store
    # a new password, another role, the end of a user: each ends what was open
    password(gw, "anna", PASSWORD + "!")
    assert not inside(port, three)
    assert sign_in(port)[0] == 403
    three = session_of(sign_in(port, secret=PASSWORD + "!"))
    gw.cli("user", "add", "anna", "--role", "operator")
    assert not inside(port, three), "a session outlived the change of its user's role"
    bert = session_of(sign_in(port, "bert"))
    assert ask(port, "GET", "/api/v1/audit", bert)[0] == 403
    gw.cli("user", "remove", "bert")
    assert not inside(port, bert)


@quick
def test_time(top):
    """Sessions end by idleness and by age."""
    gw, port = start(top)
    for column, ago in (("used", 1900), ("began", 12 * 3600 + 60)):
        session = session_of(sign_in(port))
        assert inside(port, session)
        db = sqlite3.connect(gw.data + "/store/store.db", timeout=20)
        with db:
            assert db.execute(f"UPDATE session SET {column} = {column} - ?", (ago,)).rowcount > 0
        db.close()
        assert not inside(port, session), column


def set_used(gw, ago):
    db = sqlite3.connect(gw.data + "/store/store.db", timeout=20)
    with db:
        db.execute("UPDATE session SET used = used - ?", (ago,))
    db.close()


@quick
def test_background(top):
    """What a page asks by itself does not keep a session alive; what a person asks does."""
    gw, port = start(top)
    session = session_of(sign_in(port))
    for _ in range(3):
        set_used(gw, 800)
        code = ask(port, "GET", "/", session, headers={"X-Postern-Background": "1"})[0]
        if code != 200:
            break
    assert code == 303, "a page that is left open is never signed out"
    session = session_of(sign_in(port))
    for _ in range(3):
        set_used(gw, 800)
        assert ask(port, "GET", "/", session)[0] == 200


@quick
def test_behind_tls(top):
    """A browser that came by TLS, through a web server in front, gives the cookie to TLS alone and to this host alone."""
    _, port = start(top)
    got = sign_in(port, headers={"Host": "gw.hospital.example", "Origin": "https://gw.hospital.example"})
    assert got[0] == 303
    name, value = got[1].getheader("Set-Cookie").split(";")[0].split("=")
    parts = {p.strip() for p in got[1].getheader("Set-Cookie").split(";")[1:]}
    assert name == "__Host-postern" and parts == {"Path=/", "HttpOnly", "SameSite=Strict", "Secure"}, got[1].getheaders()
    assert ask(port, "GET", "/", headers={"Cookie": name + "=" + value})[0] == 200
    got = ask(port, "POST", "/logout", form={"csrf": csrf_of(value)}, headers={"Cookie": name + "=" + value})
    assert got[0] == 303 and got[1].getheader("Set-Cookie").startswith("__Host-postern=;") and "Secure" in got[1].getheader("Set-Cookie"), got[1].getheaders()
    assert not inside(port, value)


@quick
def test_csrf(top):
    _, port = start(top, (("anna", "admin"), ("bert", "viewer")))
    anna, bert = session_of(sign_in(port)), session_of(sign_in(port, "bert"))
    good = {"csrf": csrf_of(anna)}
    for form in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": csrf_of(bert)}, {"csrf": csrf_of(anna)[:-1]}):
        for path in ("/logout", "/partners/add"):
            assert ask(port, "POST", path, anna, form)[0] == 403, (path, form)
            assert inside(port, anna)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert ask(port, "POST", "/logout", anna, good, headers)[0] == 403, headers
        assert ask(port, "POST", "/login", None, {"user": "anna", "password": PASSWORD}, headers)[0] == 403, headers
        assert inside(port, anna)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        code = ask(port, method, "/api/v1/rules", anna, headers={"Content-Type": "application/json"}, body="{}")[0]
        assert code in (403, 405), (method, code)
    # what looks may cost: no other site, nor another port of this machine, has it done with this session
    for path in ("/audit?verify=1", "/api/v1/audit/verification", "/partners/lab.example"):
        for site in ("cross-site", "same-site"):
            for more in ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, {}):
                assert ask(port, "GET", path, anna, headers={"Sec-Fetch-Site": site, **more})[0] == 403, (path, site, more)
        assert ask(port, "GET", path, anna, headers={"Origin": "http://127.0.0.1:1"})[0] == 403
        for more in ({}, {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
                     {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}):
            assert ask(port, "GET", path, anna, headers=more)[0] == 200, (path, more)
    # the API with a session: the token of this session, from this site, and nothing less
    rule, kind = json.dumps({"name": "r", "treatment": "clear"}), {"Content-Type": "application/json"}
    for more in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf_of(bert)}, {"X-CSRF-Token": csrf_of(anna)[:-1]}, {"X-CSRF-Token": csrf_of(anna), "Origin": "http://127.0.0.1:1"},
                 {"X-CSRF-Token": csrf_of(anna), "Sec-Fetch-Site": "same-site"}):
        for method, path in (("POST", "/api/v1/rules"), ("POST", "/api/v1/users"), ("PATCH", "/api/v1/partners/lab.example"), ("DELETE", "/api/v1/users/bert"), ("POST", "/api/v1/queue/0KX3M9QZ41/release")):
            got = ask(port, method, path, anna, headers={**kind, **more}, body=rule)
            assert got[0] == 403 and got[1].getheader("Content-Type") == "application/problem+json", (method, path, more, got)
    assert ask(port, "POST", "/api/v1/rules", anna, headers={**kind, "X-CSRF-Token": csrf_of(anna)}, body=rule)[0] == 200
    assert ask(port, "POST", "/api/v1/rules", bert, headers={**kind, "X-CSRF-Token": csrf_of(bert)}, body=rule)[0] == 403  # a viewer
    assert ask(port, "POST", "/logout", anna, good, {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"})[0] == 303
    assert not inside(port, anna)


def said(got):
    return got[0], re.sub(rb'value="[^"]*"|Made [0-9: -]* UTC', b"", got[2])


@quick
def test_refused(top):
    """Wrong names and wrong passwords look the same, and who fails too often waits."""
    gw, port = start(top)
    gw.cli("user", "add", "cara", "--role", "viewer")  # has no password
    wrong = sign_in(port, secret="wrong")
    assert wrong[0] == 403 and not wrong[1].getheader("Set-Cookie")
    for name in ("nobody", "cara", "x" * 60, "' OR 1=1 --", "<script>"):
        assert said(sign_in(port, name, "wrong")) == said(wrong), name
    codes = [sign_in(port, secret="wrong")[0] for _ in range(5)]
    assert codes[-1] == TOO_MANY and 403 in codes, codes
    got = sign_in(port)  # the right one waits as well
    assert got[0] == TOO_MANY and re.search(rb"try again in \d+ s", got[2]), got[2]
    # nor does it cost an Argon2 each time
    with open(f"/proc/{gw.roles()['web'][0]}/stat") as f:
        before = int(f.read().split()[13])
    for _ in range(20):
        assert sign_in(port, secret="wrong")[0] == TOO_MANY
    with open(f"/proc/{gw.roles()['web'][0]}/stat") as f:
        spent = (int(f.read().split()[13]) - before) / os.sysconf("SC_CLK_TCK")
    assert spent < 0.5, spent


@quick
def test_client_field(top):
    """Behind a web server: one client that fails does not keep the others out, and cannot say that it is another."""
    gw, port = start(top, more='client-field = "X-Forwarded-For"')
    stranger = {"X-Forwarded-For": "192.0.2.7, 203.0.113.9"}
    for _ in range(5):
        assert sign_in(port, secret="wrong", headers=stranger)[0] == 403
    assert sign_in(port, headers=stranger)[0] == TOO_MANY
    for said in ("203.0.113.9", "198.51.100.1,203.0.113.9", "127.0.0.1 , 203.0.113.9 "):
        assert sign_in(port, headers={"X-Forwarded-For": said})[0] == TOO_MANY, said
    for other in ({"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "203.0.113.9, 2001:db8::1"}, {}, {"X-Forwarded-For": "x\" y=1"}, {"X-Forwarded-For": "9" * 300}):
        assert inside(port, session_of(sign_in(port, headers=other))), other
    rows = [r["who"] for r in gw.cli("audit", "list")["rows"] if r["what"] == "user.signin"]
    assert sorted(set(rows)) == ["anna from 127.0.0.1", "anna from 192.0.2.7", "anna from 2001:db8::1"], rows


def totp(secret, step):
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff) % 10**6)


@quick
def test_codes(top):
    gw, port = start(top)
    before = session_of(sign_in(port))
    secret = gw.cli("user", "totp", "anna")["secret"]
    assert not inside(port, before)
    assert sign_in(port)[0] == 403
    code = totp(secret, int(time.time()) // 30)
    assert inside(port, session_of(sign_in(port, code=code)))
    assert sign_in(port, code=code)[0] == 403, "a code counted twice"
    gw.cli("user", "totp", "anna", "--off")
    assert inside(port, session_of(sign_in(port)))


@quick
def test_limits(top):
    gw, port = start(top)
    session = session_of(sign_in(port))
    for path in ("/static/../html/login.html", "/static/..%2fhtml%2flogin.html", "/static/%2e%2e/%2e%2e/etc/passwd", "/static//etc/passwd", "/static/", "/static/app.css/..", "/static/app.css%00", "/static/app.css%00.html"):
        code, _, body = ask(port, "GET", path, session)
        assert code in (400, 404) and b"root:" not in body, (path, code)
    assert ask(port, "GET", "/static/app.css")[0] == 200

    def too_large(path, n, s):
        try:
            return ask(port, "POST", path, s, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=b"a=" + b"b" * n)[0]
        except OSError:  # the connection ends while it is sent
            return 413
        except http.client.HTTPException:
            return 413
    assert too_large("/login", 20000, None) == 413
    assert too_large("/logout", 20000, None) == 413
    assert too_large("/logout", 12 << 20, session) in (400, 413)
    assert inside(port, session)
    # how much somebody may send depends on what he could do with it
    for role, good, bad in (("viewer", 10 << 10, 20 << 10), ("operator", 200 << 10, 600 << 10), ("trust-officer", 7 << 20, 9 << 20)):
        gw.cli("user", "add", "u-" + role, "--role", role)
        password(gw, "u-" + role, PASSWORD)
        its = session_of(sign_in(port, "u-" + role))
        assert too_large("/partners/add", good, its) == 403, role  # read, and then its token is missed
        assert too_large("/partners/add", bad, its) == 413, role
        assert inside(port, its)
    # a token as before, and no cookie takes its place
    token = gw.cli("user", "token", "anna", "--label", "t", "--role", "admin")["token"]
    assert ask(port, "GET", "/api/v1/audit", headers={"Authorization": "Bearer " + token})[0] == 200
    assert ask(port, "GET", "/api/v1/audit", token)[0] == 401
    # names and tags that are no UTF-8 end nothing
    for path, body in (("/partners?%ff%fe=1", None), ("/partners?q=%ff", None), ("/api/v1/partners?%c3%28=%ff&%c3%28=2", None), ("/login?%ff", b"%ff=%fe&%ff=1")):
        ask(port, "POST" if body else "GET", path, session, headers={"Content-Type": "application/x-www-form-urlencoded"} if body else {}, body=body)
    assert ask(port, "PATCH", "/api/v1/partners/nobody.example", headers={"Authorization": "Bearer " + token, "Content-Type": "application/json", "If-Match": '"\xff\xfe"'}, body=b"{}")[0] in (400, 404, 412)
    assert inside(port, session) and "web" not in [line.split("died role=")[-1].split()[0] for line in gw.log().split("\n") if "died role=" in line]
    # no path lets a client write rows of its own into the audit log
    for path in ("/api/v1/message.audit", "/api/v1/messages/audit", "/message.audit"):
        assert ask(port, "GET", path, session)[0] == 404


@quick
def test_sessions(top):
    """Who is signed in: since when, from where; one of them is ended, and the others go on."""
    gw, port = start(top, (("anna", "admin"), ("olga", "operator")))
    first, second, third = (session_of(sign_in(port)), session_of(sign_in(port)), session_of(sign_in(port, "olga")))
    rows = gw.cli("user", "sessions")["sessions"]
    assert [r["user"] for r in rows] == ["anna", "anna", "olga"] and all(r["address"] == "127.0.0.1" and r["began"] and r["used"] and r["ends"] for r in rows), rows
    assert len({r["id"] for r in rows}) == 3
    assert [r["user"] for r in gw.cli("user", "sessions", "olga")["sessions"]] == ["olga"]
    assert "127.0.0.1" in gw.postern("user", "sessions", "anna")[1]
    code, _, err = gw.postern("user", "sessions", "nobody", check=False)
    assert code != 0 and "there is no user nobody" in err, err
    html = ask(port, "GET", "/users/olga", first)[2].decode()
    assert "from <b>127.0.0.1</b>" in html and rows[2]["id"] in html, html
    got = ask(port, "POST", "/users/olga/session-end", first, {"id": rows[2]["id"], "csrf": csrf_of(first)})
    assert got[0] == 303 and got[1].getheader("Location") == "/users/olga?done=session-ended", got
    assert not inside(port, third) and inside(port, first) and inside(port, second)
    got = ask(port, "POST", "/users/olga/session-end", first, {"id": rows[2]["id"], "csrf": csrf_of(first)})
    assert got[0] == 404 and b"there is no session" in got[2], got
    mine = hashlib.sha256(second.encode()).hexdigest()[:16]
    assert mine in {r["id"] for r in rows}, (mine, rows)
    gw.postern("user", "session-end", mine)
    assert inside(port, first) and not inside(port, second)
    row = next(r for r in gw.cli("audit", "list")["rows"] if r["what"] == "user.session-end")
    assert row["subject"] == "anna" and mine in row["detail"], row


def rude(port, octets, wait=0.0):
    """Sends it and is gone, by RST."""
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        s.sendall(octets)
        if wait:
            time.sleep(wait)
    except OSError:
        pass
    s.close()


def post(path, session, kind, body, length=None):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nCookie: postern-session={session}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


@quick
def test_gone(top):
    """Clients that leave at every point of a request; a thousand at once; bodies in pieces, and such as are none."""
    gw, port = start(top, (("otto", "operator"), ("tina", "trust-officer")))
    otto, tina = session_of(sign_in(port, "otto")), session_of(sign_in(port, "tina"))
    web = gw.roles()["web"]
    form = "application/x-www-form-urlencoded"
    many = urllib.parse.urlencode([("csrf", csrf_of(otto)), ("confirm", "1")] + [("id", "0KX3M9Q%03d" % i) for i in range(1000)]).encode()
    multi = b"--bb\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + csrf_of(tina).encode() + b"\r\n--bb\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a\"\r\n\r\n" + b"x" * 300000 + b"\r\n--bb--\r\n"
    for i in range(20):
        rude(port, f"GET /partners HTTP/1.1\r\nHost: x\r\nCookie: postern-session={otto}\r\n\r\n".encode(), 0.002 * i)
        rude(port, post("/login", "", form, b"user=otto&password=" + PASSWORD.encode()), 0.01 * i)
        rude(port, post("/messages/held/release", otto, form, many[:500 * i], len(many)))
        rude(port, post("/certificates/import", tina, "multipart/form-data; boundary=bb", multi[:20000 * i], len(multi)), 0.003 * i)
    for wait in (0.0, 0.02, 0.1):
        rude(port, post("/messages/held/release", otto, form, many), wait)
        rude(port, post("/certificates/import", tina, "multipart/form-data; boundary=bb", multi), wait)
    got = ask(port, "POST", "/messages/held/release", otto, headers={"Content-Type": form}, body=many)
    assert got[0] in (200, 400) and got[2].count(b"there is no message 0KX3M9Q") == 1000, (got[0], got[2][-2000:])
    got = ask(port, "POST", "/messages/held/release", otto, headers={"Content-Type": form}, body=many + b"&id=0KX3M9QZ41")
    assert got[0] == 400 and b"At most 1000" in got[2], got[2][-2000:]
    got = ask(port, "POST", "/certificates/import", tina, headers={"Content-Type": "multipart/form-data; boundary=bb"}, body=multi)
    assert got[0] == 400 and b"certificate" in got[2], got[2][-2000:]
    # what cannot be read as a form is said, and does not hang
    for kind, body in (("text/plain", b"csrf=x"), ("multipart/form-data", b"x"), ("multipart/form-data; boundary=bb", b"--bb\r\nContent"), ("", b"a=b"), ("application/json", b"{}"), ("application/json", b"{")):
        code = ask(port, "POST", "/partners/add", tina, headers={"Content-Type": kind}, body=body)[0]
        assert code in (400, 403, 415), (kind, code)
    # in pieces, and several requests in one
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(many[i:i + 999]), many[i:i + 999]) for i in range(0, len(many), 999)) + b"0\r\n\r\n"
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    s.sendall(f"POST /messages/held/nothing HTTP/1.1\r\nHost: x\r\nCookie: postern-session={otto}\r\nContent-Type: {form}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks)
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 10 + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    read = b""
    while part := s.recv(65536):
        read += part
    assert read.startswith(b"HTTP/1.1 404") and read.count(b"HTTP/1.1 200") == 11, read[-500:]
    s.close()
    # an end of the gateway's parts, and of the gateway, while a thousand are asked for
    for role in ("relay", "judge"):
        s = socket.create_connection(("127.0.0.1", port), timeout=60)
        s.sendall(post("/messages/held/release", otto, form, many))
        os.kill(gw.roles()[role][0], signal.SIGKILL)
        assert b"HTTP/1.1 " in s.recv(100), role
        s.close()
        wait_for("both", 20, lambda: ask(port, "GET", "/readyz")[0] == 200, every=0.1)
    assert gw.roles()["web"] == web, "the web process ended"
    rude(port, post("/login", "", form, b"user=otto&password=" + PASSWORD.encode()))
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    s.sendall(post("/messages/held/release", otto, form, many))
    gw.stop()
    s.close()


def memory(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) >> 10


@quick
def test_large_bodies(top):
    """A trust officer with a hundred hands: what they send at a time has a limit, and others are served meanwhile."""
    gw, port = start(top, (("bert", "trust-officer"),))
    bert = session_of(sign_in(port, "bert"))
    pid, n, kept, codes = gw.roles()["web"][0], 8 << 20, [], []
    octets = post("/partners/add", bert, "application/x-www-form-urlencoded", b"a=" + b"x" * (n - 3), n)
    for _ in range(30):
        s = socket.create_connection(("127.0.0.1", port), timeout=20)
        s.setblocking(True)
        try:
            s.sendall(octets)
        except OSError:  # it was answered before all was sent
            pass
        kept.append(s)
    most = memory(pid)
    assert ask(port, "GET", "/partners", bert)[0] == 200
    assert ask(port, "POST", "/partners/add", bert, {"csrf": csrf_of(bert)})[0] == 400
    for s in kept:
        s.settimeout(0.2)
        try:
            codes.append(int(s.recv(100).split()[1]))
        except (OSError, IndexError):
            codes.append(0)
        s.close()
    assert most < (400 if "san" in BUILD else 150), f"{most} MiB"  # what is freed is kept for a while under sanitizers
    assert 503 in codes, codes
    # nobody holds a place who is gone
    wait_for("room", 20, lambda: ask(port, "POST", "/partners/add", bert, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=b"csrf=" + csrf_of(bert).encode() + b"&a=" + b"x" * 8000000)[0] == 400, every=0.5)
