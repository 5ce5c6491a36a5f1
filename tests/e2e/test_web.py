"""The HTTP interface: who may ask what with which token, what is answered, what it withstands."""
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import conforms
from gateway import BUILD, free_ports, wait_for
from mail import quick, solo

ROLES = ("viewer", "operator", "trust-officer", "admin")
FREE = {"/healthz": b"ok\n", "/readyz": b"ready\n"}
VIEWER = ("/metrics", "/api/v1/status", "/api/v1/partners", "/api/v1/partners/lab.example", "/api/v1/certificates", "/api/v1/statements/pending", "/api/v1/rules",
          "/api/v1/anchors", "/api/v1/bundles", "/api/v1/messages/counts")
OPERATOR = ("/api/v1/audit", "/api/v1/queue")


def start(top, more="", **kw):
    port = free_ports(1)[0]
    gw, _, outside = solo(top, sections=f'web {{\n  address = "127.0.0.1:{port}"\n  {more}\n}}\n', **kw)
    wait_for("the HTTP interface", 20, lambda: ask(port, "/readyz")[0] == 200, every=0.1)
    gw.outside_sink = outside
    return gw, port


def ask(port, path, token=None, method="GET", headers=None, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.putrequest(method, path, skip_accept_encoding=True)
    for name, value in {**({"Authorization": "Bearer " + token} if token is not None else {}), **(headers or {})}.items():
        c.putheader(name, value)
    c.endheaders(body)
    r = c.getresponse()
    got = r.status, dict(r.getheaders()), r.read()
    c.close()
    return got


def check_problem(got, status):
    code, head, body = got
    assert code == status, got
    said = json.loads(body)
    assert head["Content-Type"] == "application/problem+json" and set(said) == {"type", "title", "status", "detail"}, got
    assert said["status"] == status and said["detail"] and said["type"] == "about:blank", said
    return said


@quick
def test_roles(top):
    gw, port = start(top)
    gw.cli("partner", "add", "lab.example", "--treatment", "seal")
    token = {}
    for role in ROLES:
        gw.cli("user", "add", "u-" + role, "--role", role)
        token[role] = gw.cli("user", "token", "u-" + role, "--label", role, "--role", role)["token"]
        assert re.fullmatch(r"postern_[A-Za-z0-9_-]{43}", token[role])
    for path in FREE:
        for t in (None, token["viewer"], "nonsense"):
            assert ask(port, path, t)[::2] == (200, FREE[path]), path
    for least, paths in ((0, VIEWER), (1, OPERATOR)):
        for path in paths:
            code, head, _ = ask(port, path)
            assert code == 401 and head["WWW-Authenticate"].startswith("Bearer"), path
            for bad in ("", "x", token["admin"][:-1], token["admin"] + "x", "a" * 5000, "\xff\xfe", "' OR 1=1 --"):
                check_problem(ask(port, path, bad), 401)
            for i, role in enumerate(ROLES):
                code, head, body = ask(port, path, token[role])
                assert code == (200 if i >= least else 403), (path, role, code, body)
                assert head["Cache-Control"] == "no-store" and head["X-Content-Type-Options"] == "nosniff" and head["Referrer-Policy"] == "no-referrer"
                assert head["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
                if code == 200 and path != "/metrics":
                    assert head["Content-Type"] == "application/json" and isinstance(json.loads(body), dict), path
    # nobody changes anything, or asks what is for the command alone
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        code, head, _ = got = ask(port, "/api/v1/partners", token["admin"], method=method)
        check_problem(got, 405)
        assert head["Allow"] == "GET, HEAD, POST"
    for path in ("/api/", "/api/v1/", "/api/v1/keys", "/api/v1/partners/a/b", "/api/v1/../../etc/passwd", "/api/v1/partners/..%2f..%2faudit"):
        check_problem(ask(port, path, token["admin"]), 404)
    for path in ("/api", "/..%2f..%2fetc/passwd", "/index.html"):
        code, head, body = ask(port, path, token["admin"])
        assert code == 404 and head["Content-Type"].startswith("text/html") and b"root:" not in body, path
    assert ask(port, "/", token["admin"])[0] == 303, "pages are for those who sign in, not for tokens"
    # a token of a user with less than it says, and one that ends
    gw.cli("user", "add", "u-admin", "--role", "viewer")
    check_problem(ask(port, "/api/v1/audit", token["admin"]), 403)
    code, said, why = gw.postern("user", "token", "u-viewer", "--label", "more", "--role", "admin", check=False)
    assert code != 0 and "can have no token that may more" in why, (said, why)
    number = next(t["id"] for u in gw.cli("user", "list")["users"] if u["name"] == "u-operator" for t in u["tokens"])
    gw.cli("user", "revoke", str(number))
    gw.cli("user", "remove", "u-viewer")
    for role in ("operator", "viewer"):
        check_problem(ask(port, "/api/v1/partners", token[role]), 401)
    # tokens are kept nowhere, and stand in no log
    audit = json.dumps(gw.cli("audit", "list"))
    assert "user.token" in audit and "user.revoke" in audit
    with open(gw.log_path) as f:
        log = f.read()
    with open(gw.data + "/store/store.db", "rb") as f:
        store = f.read()
    for t in token.values():
        assert t not in audit and t not in log and t.encode() not in store


@quick
def test_answers(top):
    gw, port = start(top)
    gw.cli("user", "add", "anna", "--role", "operator")
    token = gw.cli("user", "token", "anna", "--label", "test", "--role", "operator")["token"]
    names = [f"p{i}.example" for i in range(7)]
    for n in names:
        gw.cli("partner", "add", n, "--treatment", "seal")

    def get(path):
        code, head, body = ask(port, path, token)
        assert code == 200, (path, code, body)
        return json.loads(body)
    assert get("/api/v1/partners")["partners"] == gw.cli("partner", "list")["partners"]
    assert get("/api/v1/partners/p3.example") == gw.cli("partner", "show", "p3.example")
    assert get("/api/v1/rules") == gw.cli("rule", "list")
    assert get("/api/v1/queue?max=5&state=held") == {"messages": []}
    first = get("/api/v1/partners?max=3")["partners"]
    rest = get("/api/v1/partners?max=100&after=" + first[-1]["domain"])["partners"]
    assert [p["domain"] for p in first + rest] == names
    status = get("/api/v1/status")
    assert status["judge"]["counts"]["partners"] == 7 and status["relay"]["queue"]["held"] == 0
    assert len(get("/api/v1/audit?max=2")["rows"]) == 2
    metrics = ask(port, "/metrics", token)
    assert metrics[1]["Content-Type"].startswith("text/plain; version=0.0.4") and b"\npostern_partners 7\n" in metrics[2]
    for line in metrics[2].decode().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) postern_[a-z_]+ .+|postern_[a-z_]+(\{[a-z]+="[a-z]+"(,[a-z]+="[a-z]+")*\})? \d+', line), line
    code, head, body = ask(port, "/api/v1/partners", token, method="HEAD")
    assert code == 200 and body == b"" and int(head["Content-Length"]) > 100
    assert get("/api/v1/partners/none.example")["listed"] is False
    check_problem(ask(port, "/api/v1/queue/NONE", token), 404)
    for query in ("max=0", "max=x", "max=1&max=2", "nothing=1", "after=" + "a" * 500, "max", "max=-1"):
        check_problem(ask(port, "/api/v1/partners?" + query, token), 400)
    check_problem(ask(port, "/api/v1/queue?state=none", token), 400)
    check_problem(ask(port, "/api/v1/partners/%3Cscript%3E", token), 400)
    check_problem(ask(port, "/api/v1/partners/%ff%fe", token), 400)


def served():
    """Every (method, path) of the table that the gateway answers by."""
    with open(os.path.join(os.path.dirname(__file__), "../../gateway/proc/web_route.c")) as f:
        table = f.read().split("routes[] = {", 1)[1].split("\n};", 1)[0]
    found = set()
    for row in re.split(r"\n    (?=POST(?:_GUARDED)?\(|DELETE(?:_GUARDED)?\(|{)", table):
        m = re.match(r'(POST|DELETE)?(?:_GUARDED)?[({]\s*"(/[^"]*)"', row)
        if m:
            other = re.search(r'"(PATCH|DELETE|PUT|POST)"', row)
            found.add(((m[1] or (other and other[1]) or "get").lower(), m[2]))
    assert len(found) == len(re.findall(r'[({]\s*"/', table)) > 50, found
    return found


@quick
def test_description(top):
    """OpenAPI names every path that is served, and the answers are as it says."""
    gw, port = start(top)
    gw.cli("user", "add", "anna", "--role", "operator")
    token = gw.cli("user", "token", "anna", "--label", "test", "--role", "operator")["token"]
    doc = json.loads(ask(port, "/api/v1/openapi.json")[2])
    assert doc["openapi"] == "3.1.0" and doc["info"]["title"] and doc["info"]["version"]
    assert {p.replace("{domain}", "lab.example") for p in doc["paths"]} >= {*FREE, *VIEWER, *OPERATOR, "/api/v1/openapi.json"}
    described = {(method, re.sub(r"{\w+}", "{}", path)) for path, methods in doc["paths"].items() for method in methods}
    assert described == served(), described ^ served()
    for path, methods in doc["paths"].items():
        if path.replace("{domain}", "lab.example") not in (*FREE, *VIEWER, *OPERATOR):  # test_api.py has all of them
            continue
        op = methods["get"]
        said = {p["name"] for p in op["parameters"] if p["in"] == "path"}
        assert said == set(re.findall(r"{(\w+)}", path)), path
        code, head, body = ask(port, path.replace("{domain}", "lab.example").replace("{id}", "0000000000"), token)
        if "{id}" in path:
            check_problem((code, head, body), 404)
            continue
        assert code == 200, (path, body)
        (kind, content), = op["responses"]["200"]["content"].items()
        assert head["Content-Type"] == kind, path
        if kind == "application/json":
            conforms.check(doc, "get", path, code, json.loads(body))
        assert ("security" in op) == (ask(port, path.replace("{domain}", "lab.example"))[0] == 401), path
        for p in op["parameters"]:
            if p["in"] == "query":
                value = {"integer": "1", "boolean": "true", "string": {"state": "held" if path.endswith("queue") else "trusted", "sort": "name"}.get(p["name"], "a.example")}[p["schema"]["type"]]
                assert ask(port, f"{path}?{p['name']}={value}", token)[0] == 200, (path, p)


def slow(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    return s


def test_withstands(top):
    gw, port = start(top, more="connections-max = 50\n  timeout = 5s")
    # header fields beyond every limit, octets that are no HTTP: refused, and nothing else
    for octets in (b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"b" * 60000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00" * 100, b"\r\n" * 5000,
                   b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"):
        s = socket.create_connection(("127.0.0.1", port), timeout=20)
        try:
            s.sendall(octets)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except OSError:
            pass
        s.close()
        assert ask(port, "/healthz")[0] == 200
    # ten thousand that never finish a request, all left open at this end: others are served meanwhile
    kept, most, files = [], 0.0, resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files[0], 12000), max(files[1], 12000)))
    for i in range(10000):
        kept.append(slow(port))
        if i % 500 == 499:
            began = time.monotonic()
            assert ask(port, "/readyz")[0] == 200
            most = max(most, time.monotonic() - began)
    assert most < 10, most
    for s in kept:
        s.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, files)
    # a judge that dies: said, not hung upon; and its successor is asked
    gw.cli("user", "add", "anna", "--role", "viewer")
    token = gw.cli("user", "token", "anna", "--label", "test")["token"]
    assert ask(port, "/api/v1/rules", token)[0] == 200
    os.kill(gw.roles()["judge"][0], signal.SIGKILL)

    def back():
        code = ask(port, "/api/v1/rules", token)[0]
        assert code in (200, 503), code
        return code == 200
    wait_for("the judge's successor", 20, back, every=0.1)
