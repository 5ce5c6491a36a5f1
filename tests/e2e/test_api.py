"""The API against its own description: every route as every role, what is sent, what is answered, lost updates."""
import base64
import json
import os
import re
import socket

import conforms
from finding import Ca
from gateway import wait_for
from mail import message, quick
from mail import send as mail
from test_signin import PASSWORD, csrf_of, password, session_of, sign_in
from test_signin import ask as plain
from test_web import ROLES, ask, check_problem, start

# what a path's segment stands for here
SEGMENT = {"domain": "lab.example", "sha256": "0123456789abcdef", "id": "0KX3M9QZ41", "name": "nobody"}
LEAST = {"pkcs12": 3, "imports": 2, "domains": 3, "keys": 3, "settings": 3, "lookup": 1, "users": 3, "tokens": 3, "sessions": 3, "queue": 1, "audit": 1, "messages": 1, "explain": 1}
WORTHLESS = {"string": "-", "array": ["-"], "object": {}, "integer": 1, "boolean": True}
documents = {}  # of each gateway by its port
CHANGES = ("post", "put", "patch", "delete")


def send(port, method, path, token, sent=None, headers=None):
    """The answer; it is what the document says of it."""
    got = send_plain(port, method, path, token, sent, headers)
    if token and "json" in got[1].get("Content-Type", "") and got[2]:
        if port not in documents:
            documents[port] = json.loads(ask(port, "/api/v1/openapi.json", token)[2])
        conforms.check(documents[port], method, path, got[0], json.loads(got[2]))
    return got


def send_plain(port, method, path, token, sent=None, headers=None):
    body = None if sent is None else json.dumps(sent).encode() if not isinstance(sent, bytes) else sent
    more = {} if body is None else {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return ask(port, path, token, method=method.upper(), headers={**more, **(headers or {})}, body=body)


def least_of(path, method):
    kind = path.split("/")[3]
    if path == "/api/v1/messages/counts":
        return 0
    if kind == "domains" and method == "get":
        return 0
    return max(LEAST.get(kind, 0), 2 if method in CHANGES and kind not in ("queue", "lookup", "messages", "explain") else 0)


@quick
def test_routes_and_roles(top):
    gw, port = start(top)
    token = {}
    for role in ROLES:
        gw.cli("user", "add", "u-" + role, "--role", role)
        token[role] = gw.cli("user", "token", "u-" + role, "--label", role, "--role", role)["token"]
    api = json.loads(ask(port, "/api/v1/openapi.json", token["viewer"])[2])
    tried = 0
    for path, ops in sorted(api["paths"].items()):
        if not path.startswith("/api/") or path.endswith("openapi.json"):
            continue
        for method, op in ops.items():
            real = path
            for p in op["parameters"]:
                if p["in"] == "path":
                    # what would ask the network is asked of our own domain, and refused at once
                    real = real.replace("{%s}" % p["name"], "hospital.example" if path.endswith("/fetch") else SEGMENT[p["name"]])
            needed = op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            # of the right kind and worth nothing: whoever may do it is refused for what was sent, nobody else gets so far
            body = {n: WORTHLESS[needed["properties"][n]["type"]] for n in needed.get("required", ())} if method in CHANGES else None
            least = least_of(path, method)
            check_problem(send(port, method, real, None, body), 401)
            for i, role in enumerate(ROLES):
                got = send(port, method, real, token[role], body)
                if i < least:
                    check_problem(got, 403)
                    continue
                assert got[0] not in (401, 403, 405, 415, 500), (method, path, role, got)
                if got[0] == 200:
                    said = json.loads(got[2])
                    want = op["responses"]["200"]["content"]["application/json"]["schema"]
                    assert isinstance(said, dict) and set(want.get("required", ())) <= set(said), (method, path, said)
                else:
                    check_problem(got, got[0])
                tried += 1
    assert tried > 60, tried
    said = json.loads(ask(port, "/api/v1/settings?match=hostname", token["admin"])[2])
    row = next(r for r in said["settings"] if r["name"] == "hostname")
    assert row["value"] == "gw.hospital.example" and row["changed"] and row["default"] is None and not said["more"], said
    assert all(r["changed"] for r in json.loads(ask(port, "/api/v1/settings?changed=true", token["admin"])[2])["settings"])


def raw(port, head, body=b""):
    """What is answered to a request that http.client would not send."""
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.sendall(head.replace("\n", "\r\n").encode() + body)
    got = b""
    try:
        while b"\r\n\r\n" not in got:
            part = s.recv(65536)
            if not part:
                break
            got += part
    except OSError:
        pass
    s.close()
    return int(got.split()[1]) if got else 0


@quick
def test_bodies(top):
    gw, port = start(top)
    gw.cli("user", "add", "anna", "--role", "trust-officer")
    token = gw.cli("user", "token", "anna", "--label", "x", "--role", "trust-officer")["token"]
    good = json.dumps({"domain": "lab.example"}).encode()
    for kind in ("text/plain", "application/xml", "application/jsonp", "application/json5; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"):
        got = ask(port, "/api/v1/partners", token, method="POST", headers={"Content-Type": kind, "Content-Length": str(len(good))}, body=good)
        assert "application/json" in check_problem(got, 415)["detail"], kind
    check_problem(ask(port, "/api/v1/partners", token, method="POST", headers={"Content-Length": str(len(good))}, body=good), 415)
    # also one that is too large to be small, and with another site's nothing is read at all
    check_problem(ask(port, "/api/v1/partners", token, method="POST", headers={"Content-Type": "text/plain", "Content-Length": "40000"}, body=b"x" * 40000), 415)
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/json ;x=y"):
        assert ask(port, "/api/v1/partners", token, method="POST", headers={"Content-Type": kind, "Content-Length": str(len(good))}, body=good)[0] == 200, kind
    # what is too large is said before it is sent
    assert raw(port, f"POST /api/v1/partners HTTP/1.1\nHost: x\nAuthorization: Bearer {token}\nContent-Type: application/json\nContent-Length: 90000000\n\n") == 413
    assert raw(port, f"POST /api/v1/partners HTTP/1.1\nHost: x\nAuthorization: Bearer {token}\nContent-Type: application/json\nContent-Length: 99999999999999999\n\n") == 413
    # a reason is a sentence, not megabytes for each recipient in the queue
    gw.cli("user", "add", "otto", "--role", "operator")
    token = gw.cli("user", "token", "otto", "--label", "x", "--role", "operator")["token"]
    assert "400 octets" in check_problem(send(port, "post", "/api/v1/queue/0KX3M9QZ41/hold", token, {"reason": "x" * 100000}), 400)["detail"]


@quick
def test_changes(top):
    gw, port = start(top)
    gw.cli("user", "add", "anna", "--role", "trust-officer")
    token = gw.cli("user", "token", "anna", "--label", "x", "--role", "trust-officer")["token"]
    code, _, body = send(port, "post", "/api/v1/partners", token, {"domain": "lab.example", "note": "a"})
    assert code == 200 and json.loads(body)["changed"] is False, body
    _, head, body = ask(port, "/api/v1/partners/lab.example", token)
    tag = head["ETag"]
    assert tag == '"%s"' % json.loads(body)["revision"]
    assert send(port, "patch", "/api/v1/partners/lab.example", token, {"note": "b"}, {"If-Match": tag})[0] == 200
    # somebody looked before that change
    check_problem(send(port, "patch", "/api/v1/partners/lab.example", token, {"note": "c"}, {"If-Match": tag}), 412)
    check_problem(send(port, "delete", "/api/v1/partners/lab.example", token, None, {"If-Match": tag}), 412)
    for bad in ("x", '""', '"a", "b"', 'W/"a"'):
        check_problem(send(port, "patch", "/api/v1/partners/lab.example", token, {"note": "c"}, {"If-Match": bad}), 400)
    _, head, body = ask(port, "/api/v1/partners/lab.example", token)
    assert json.loads(body)["partner"]["note"] == "b" and head["ETag"] != tag
    for bad, why in ((b"{", "JSON"), (b"[]", "JSON"), (b'{"note": 1}', "text"), (b'{"what": "x"}', "no field"), (b'{"note": "a", "note": "b"}', "JSON"), (b'{"domain": "x.example"}', "no field")):
        assert why in check_problem(send(port, "patch", "/api/v1/partners/lab.example", token, bad), 400)["detail"], bad
    check_problem(send(port, "put", "/api/v1/partners/lab.example", token, {}), 405)
    row = json.loads(ask(port, "/api/v1/partners?match=LAB&state=no%20key&counts=true", token)[2])
    assert [p["domain"] for p in row["partners"]] == ["lab.example"] and row["counts"]["no key"] == 1, row
    assert send(port, "delete", "/api/v1/partners/lab.example", token, None, {"If-Match": head["ETag"]})[0] == 200
    check_problem(send(port, "delete", "/api/v1/partners/lab.example", token), 404)
    rows = gw.cli("audit", "list")["rows"]
    assert any(r["what"] == "partner.remove" and r["who"].startswith("anna (token ") and r["who"].endswith(" from 127.0.0.1") for r in rows), rows


@quick
def test_what_if(top):
    """What a mail would meet with an edit that is not made: both answers, and nothing is stored."""
    gw, port = start(top)
    gw.cli("user", "add", "olga", "--role", "operator")
    token = gw.cli("user", "token", "olga", "--label", "x", "--role", "operator")["token"]
    gw.postern("rule", "add", "all", "--treatment", "seal")
    asked = {"sender": "a@hospital.example", "recipient": "b@lab.example"}

    def both(**edit):
        code, _, body = send(port, "post", "/api/v1/explain", token, {**asked, **edit})
        assert code == 200, body
        said = json.loads(body)
        return said["now"], said["then"], said["same"]
    rows = gw.cli("audit", "list")["rows"]
    now, then, same = both(with_rule={"name": "lab", "recipient": "*@lab.example", "treatment": "clear", "strength": "never", "position": 1})
    assert now["rule"] == 'rule "all"' and then["rule"] == 'rule "lab"' and then["decision"]["treatment"] == "clear" and not same, (now, then)
    assert now["decision"]["action"] != "pass" and now["lines"] and then["lines"] and "steps" in now and "steps" in then
    now, then, same = both(without_rule="all")
    assert then["rule"] == "default", then
    now, then, same = both(with_partner={"domain": "lab.example", "treatment": "tls"})
    assert then["listed"] and not now["listed"] and then["rule"] == 'rule "all"', then
    assert both(with_partner={"domain": "other.example"})[2]
    check_problem(send(port, "post", "/api/v1/explain", token, {**asked, "without_rule": "none"}), 404)
    check_problem(send(port, "post", "/api/v1/explain", token, {**asked, "with_rule": {"name": "x", "what": 1}}), 400)
    check_problem(send(port, "post", "/api/v1/explain", token, {**asked, "with_rule": "x"}), 400)
    assert json.loads(send(port, "post", "/api/v1/explain", token, asked)[2])["rule"] == 'rule "all"'
    text = gw.postern("explain", "a@hospital.example", "b@lab.example", "--with-rule", "lab", "--recipient", "*@lab.example", "--treatment", "clear", "--strength", "never", "--position", "1")[1]
    assert "As it is now:" in text and "As it would be" in text and 'by rule "lab"' in text and 'by rule "all"' in text, text
    code, _, err = gw.postern("explain", "b@lab.example", "--treatment", "clear", check=False)
    assert code != 0 and "--with-rule" in err, err
    assert gw.cli("audit", "list")["rows"] == rows and not gw.cli("partner", "list")["partners"]


@quick
def test_many_messages(top):
    """Held messages by the list: what can be released is, what cannot is told one by one; at most 1000."""
    gw, port = start(top)
    gw.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    gw.cli("user", "add", "olga", "--role", "operator")
    token = gw.cli("user", "token", "olga", "--label", "x", "--role", "operator")["token"]
    gw.outside_sink.refuse["c@third.example"] = "451 4.2.1 later"
    for i in range(3):
        assert mail(gw.inside, "a@hospital.example", ["c@third.example"], message("a@hospital.example", "c@third.example", f"many {i}"))[0] == 250
    wait_for("three that wait", 20, lambda: len([1 for m in gw.queue() for r in m["recipients"] if r["state"] == "queued" and r["attempts"]]) == 3)
    ids = [m["id"] for m in gw.queue()]

    def many(what, ids, status=200):
        code, _, body = send(port, "post", f"/api/v1/messages/{what}", token, {"ids": ids, "reason": "all of them"})
        assert code == status, body
        return json.loads(body)
    assert many("hold", ids) == {"messages": 3, "changed": 3, "failed": []}
    assert {r["state"] for m in gw.queue() for r in m["recipients"]} == {"held"}
    assert {f["why"] for f in many("retry", ids)["failed"]} == {"nothing of it waits: it is done, or held until somebody releases it"}
    del gw.outside_sink.refuse["c@third.example"]
    said = many("release", ids[:2] + ["0000000000", "nonsense"])
    assert said["messages"] == 2 and said["changed"] == 2 and len(said["failed"]) == 2, said
    why = {f["id"]: f["why"] for f in said["failed"]}
    assert "no message" in why["0000000000"] and "not the id" in why["nonsense"], why
    gw.outside_sink.wait(2, 20, lambda m: m.rcpts == ["c@third.example"])
    said = many("delete", ids)
    assert said["messages"] == 1 and {f["id"] for f in said["failed"]} == set(ids[:2]), said
    way = gw.cli("message", "show", ids[0])["events"]
    assert any("olga" in e["text"] and "all of them" in e["text"] for e in way), way
    assert "nothing is chosen" in many("release", [], 400)["detail"]
    assert "at most 1000" in many("release", ["0000000000"] * 1001, 400)["detail"]
    assert len(many("release", ["0000000000"] * 1000)["failed"]) == 1000
    check_problem(send(port, "post", "/api/v1/messages/release", token, {"ids": "x"}), 400)
    check_problem(send(port, "post", "/api/v1/messages/release", token, {"ids": [1]}), 400)


@quick
def test_described(top):
    """Every answer of a gateway that has something of everything is what the document says: each GET with rows in it, and each change that can be made."""
    gw, port = start(top, settings="default-strength = require\n")
    gw.cli("user", "add", "anna", "--role", "admin")
    token = gw.cli("user", "token", "anna", "--label", "x", "--role", "admin")["token"]
    password(gw, "anna", PASSWORD)
    sign_in(port, "anna")
    ca = Ca(top, "authority")
    lab = ca.issue("lab", "DNS:lab.example", kind="ec")
    content = {n: base64.b64encode(open(f, "rb").read()).decode() for n, f in (("ca", ca.cert), ("lab", lab.cert), ("p12", lab.pkcs12(os.path.join(top, "lab.p12"), "x")))}
    seen = set()

    def do(method, path, body=None, want=(200,)):
        got = send(port, method, "/api/v1/" + path, token, body)
        assert got[0] in want, (method, path, got)
        op = conforms.operation(documents[port], method, "/api/v1/" + path)
        seen.add((method, next(p for p, ops in documents[port]["paths"].items() if op in ops.values())))
        return json.loads(got[2])
    do("post", "partners", {"domain": "lab.example", "strength": "require", "note": "by phone"})
    do("post", "partners", {"domain": "clear.example", "treatment": "clear"})
    do("patch", "partners/lab.example", {"group": "laboratories"})
    fingerprint = do("post", "certificates/preview", {"content": content["lab"]})["certificates"][0]["sha256"]
    do("post", "anchors", {"content": content["ca"], "scope": "*"}, (200, 400, 409))
    anchor = do("post", "certificates/preview", {"content": content["ca"]})["certificates"][0]["sha256"]
    do("post", "anchors", {"content": content["ca"], "scope": "*", "sha256": [anchor]})
    do("post", "certificates", {"owner": "lab.example", "content": content["lab"], "sha256": [fingerprint]})
    do("post", "imports", {"content": content["lab"]})
    do("post", "rules", {"name": "all", "recipient": "*@lab.example", "treatment": "seal", "strength": "require"})
    do("patch", "rules/all", {"strength": "prefer"})
    do("post", "users", {"name": "bert", "role": "viewer"})
    number = do("post", "users/bert/tokens", {"label": "b", "role": "viewer"})["id"]
    opened = do("post", "pkcs12", {"content": content["p12"], "password": "x"})["opened"]
    do("post", "domains/hospital.example", {"opened": opened}, (409,))
    do("post", "domains/hospital.example", {"mode": "csr"})
    do("post", "domains/web.hospital.example/tls", {"mode": "self"})
    for rcpt in ("bob@lab.example", "bob@clear.example"):
        assert mail(gw.inside, "ann@hospital.example", rcpt, message("ann@hospital.example", rcpt, "x"))[0] == 250
    assert mail(gw.inside, "ann@hospital.example", "bob@nowhere.example", message("ann@hospital.example", "bob@nowhere.example", "x"))[0] in (451, 550)
    found = wait_for("the messages", 20, lambda: do("get", "messages?limit=10")["messages"], every=0.2)
    do("get", "messages/" + found[0]["id"])
    for method, path, body in (("get", "explain?sender=ann@hospital.example&recipient=bob@lab.example", None), ("post", "explain", {"sender": "ann@hospital.example", "recipient": "bob@lab.example", "without_rule": "all"}),
                               ("post", "lookup", {"address": "bob@lab.example", "source": "store"})):
        do(method, path, body)
    paths = {"partners": ("partners?counts=true", "partners/lab.example"), "certificates": ("certificates", "certificates?owner=lab.example", "certificates/" + fingerprint),
             "rest": ("status", "statements/pending", "rules", "anchors", "bundles", "audit", "audit?of=lab.example", "audit/verification", "messages/counts", "queue", "domains", "domains/hospital.example/records", "settings", "users",
                      "sessions", "proposals", "imports")}
    for path in (p for part in paths.values() for p in part):
        do("get", path)
    one = do("get", "imports")["imports"][0]["id"]
    wait_for("it to be read", 20, lambda: do("get", "imports/" + one)["import"]["state"] != "reading", every=0.2)
    do("delete", "imports/" + one)
    session = do("get", "sessions")["sessions"][0]["id"]
    do("get", "bundles/one?url=https://none.example/", want=(404, 409))
    do("get", "queue/" + found[0]["id"], want=(200, 404))
    for method, path in (("delete", "sessions/" + session), ("delete", f"tokens?id={number}"), ("post", "users/bert/sign-out"), ("delete", "users/bert"), ("delete", "rules/all"), ("delete", f"certificates/{fingerprint}?owner=lab.example"),
                         ("delete", f"anchors/{anchor}?scope=*"), ("post", "partners/lab.example/release"), ("delete", "partners/lab.example")):
        do(method, path, {} if method == "post" else None)
    doc = documents[port]
    left = {("get", p) for p, ops in doc["paths"].items() if "get" in ops and p.startswith("/api/v1/") and not p.endswith("openapi.json")} - seen
    assert not left, left
    named = set(re.findall(r'"#/components/schemas/([^"]*)"', json.dumps(doc)))
    assert named <= set(doc["components"]["schemas"]), named - set(doc["components"]["schemas"])
    assert all("$ref" in op["responses"]["200"]["content"]["application/json"]["schema"] for p, ops in doc["paths"].items() for m, op in ops.items() if p.startswith("/api/v1/") and not p.endswith("openapi.json")), "every route's answer has its schema"


@quick
def test_nothing_is_lost(top):
    """Two admins who change the same at the same time: the second one is told, over HTTP and in the browser."""
    gw, port = start(top)
    gw.cli("user", "add", "anna", "--role", "admin")
    token = gw.cli("user", "token", "anna", "--label", "x", "--role", "admin")["token"]
    password(gw, "anna", PASSWORD)
    session = session_of(sign_in(port, "anna"))

    def tag(path):
        return send(port, "get", path, token)[1]["ETag"]
    send(port, "post", "/api/v1/rules", token, {"name": "one", "treatment": "seal"})
    send(port, "post", "/api/v1/users", token, {"name": "bert", "role": "viewer"})
    send(port, "post", "/api/v1/partners", token, {"domain": "lab.example"})
    cas = []
    for name in ("first", "second", "third"):
        with open(Ca(top, name).cert, "rb") as f:
            cas.append({"content": base64.b64encode(f.read()).decode(), "scope": "*"})
        cas[-1]["sha256"] = [json.loads(send(port, "post", "/api/v1/certificates/preview", token, {"content": cas[-1]["content"]})[2])["certificates"][0]["sha256"]]
    send(port, "post", "/api/v1/anchors", token, cas[0])
    bundle = {"url": "http://127.0.0.1:1/a.p7b", "scope": "*"}
    for what, look, method, path, body, other in (("the rules were changed", "rules", "patch", "rules/one", {"strength": "prefer"}, ("post", "rules", {"name": "two", "treatment": "clear", "position": 1})),
                                                  ("the rules were changed", "rules", "delete", "rules/one", None, ("patch", "rules/two", {"treatment": "sign"})),
                                                  ("the rules were changed", "rules", "post", "rules", {"name": "three"}, ("delete", "rules/two", None)),
                                                  ("who may what was changed", "users", "post", "users", {"name": "bert", "role": "admin"}, ("post", "users", {"name": "carl", "role": "viewer"})),
                                                  ("who may what was changed", "users", "delete", "users/bert", None, ("post", "users", {"name": "bert", "role": "operator"})),
                                                  ("the anchors were changed", "anchors", "delete", f"anchors/{cas[0]['sha256'][0]}?scope=*", None, ("post", "anchors", cas[1])),
                                                  ("the anchors were changed", "anchors", "post", "anchors", cas[2], ("delete", f"anchors/{cas[1]['sha256'][0]}?scope=*", None)),
                                                  ("the bundles were changed", "bundles", "post", "bundles", {**bundle, "every": 86400}, ("post", "bundles", {**bundle, "url": bundle["url"] + "x"})),
                                                  ("the bundles were changed", "bundles", "delete", "bundles?url=" + bundle["url"], None, ("delete", "bundles?url=" + bundle["url"] + "x", None)),
                                                  ("lab.example was changed", "partners/lab.example", "patch", "partners/lab.example", {"note": "mine"}, ("patch", "partners/lab.example", {"note": "hers"}))):
        old = tag("/api/v1/" + look)
        assert send(port, other[0], "/api/v1/" + other[1], token, other[2])[0] == 200, other
        detail = check_problem(send(port, method, "/api/v1/" + path, token, body, {"If-Match": old}), 412)["detail"]
        assert what in detail and "look again" in detail, detail
        assert send(port, method, "/api/v1/" + path, token, body, {"If-Match": tag("/api/v1/" + look)})[0] == 200, (method, path)

    # our own keys: while one has them changed, another retires one
    ours = "/api/v1/domains/" + gw.domain
    old = tag("/api/v1/domains")
    assert send(port, "post", ours, token, {"mode": "self"})[0] == 200
    keys = [i for i in json.loads(send(port, "get", "/api/v1/domains", token)[2])["identities"] if i["domain"] == gw.domain]
    for path, body in (("/api/v1/keys/retire", {"key": keys[0]["key_id"], "force": True}), (ours + "/rollover", {"keys": "mail"})):
        assert "our keys were changed" in check_problem(send(port, "post", path, token, body, {"If-Match": old}), 412)["detail"]
        now = tag("/api/v1/domains")
        assert send(port, "post", path, token, body, {"If-Match": now})[0] == 200, path
        assert tag("/api/v1/domains") != now, path

    def page(path, form=None):
        return plain(port, "POST" if form else "GET", path, session, {**form, "csrf": csrf_of(session)} if form else None)

    def seen(path):
        return re.search(r'name="if_match" value="([0-9a-f]{32})"', page(path)[2].decode()).group(1)
    send(port, "post", "/api/v1/users", token, {"name": "bert", "role": "viewer"})
    send(port, "post", "/api/v1/rules", token, {"name": "one", "treatment": "seal"})
    for path, form, other in (("/partners/lab.example/edit", {"note": "in the browser", "confirm": "1"}, ("patch", "partners/lab.example", {"note": "meanwhile"})),
                              ("/policy/edit?name=one", {"name": "one", "treatment": "clear", "confirm": "1"}, ("patch", "rules/one", {"strength": "prefer"})),
                              ("/users/bert", {"role": "admin"}, ("post", "users", {"name": "bert", "role": "operator"}))):
        old = seen(path)
        assert send(port, other[0], "/api/v1/" + other[1], token, other[2])[0] == 200
        to = path.split("?")[0] + ("/role" if path.startswith("/users") else "")
        got = page(to, {**form, "if_match": old})
        assert got[0] in (400, 409, 412) and b"look again" in got[2], (path, got[0], got[2][-1500:])
        got = page(to, {**form, "if_match": seen(path)})
        assert got[0] == 303, (path, got[0], got[2][-1500:])
