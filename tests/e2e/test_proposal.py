"""Two people for one change (two-person): proposed by one, tried, written down, made when another one confirms it; judged by whom mail is sealed for and by what the store says."""
import http.client
import json
import os
import re
from urllib.parse import urlencode

from gateway import free_ports, wait_for
from mail import quick
from test_signin import PASSWORD, csrf_of, password, session_of, sign_in
from test_statement import World

WAITS = 5  # exit status of a command whose change waits


def api(port, token, method, path, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request(method, "/api/v1/" + path, json.dumps(body) if body is not None else None, {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    r = c.getresponse()
    got = r.status, json.loads(r.read())
    c.close()
    return got


def page(port, session, path, form=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    head = {"Cookie": "postern-session=" + session}
    body = None
    if form is not None:
        body = urlencode({**form, "csrf": csrf_of(session)})
        head["Content-Type"] = "application/x-www-form-urlencoded"
    c.request("POST" if body else "GET", path, body, head)
    r = c.getresponse()
    got = r.status, r.getheader("Location"), r.read().decode()
    c.close()
    return got


def start(top, level, domains=("lab.example",)):
    port = free_ports(1)[0]
    w = World(top)
    for d in domains:
        w.peer(d, path="/elsewhere")
    real = w.nsd.settings
    w.nsd.settings = lambda: real() + f'web {{ address = "127.0.0.1:{port}" }}\ntrust {{ two-person = {level} }}\n'
    gw = w.start()
    tokens = {}
    for name, role in (("anna", "trust-officer"), ("bert", "trust-officer"), ("vera", "viewer")):
        gw.cli("user", "add", name, "--role", role)
        password(gw, name, PASSWORD)
        tokens[name] = gw.cli("user", "token", name, "--label", "t", "--role", role)["token"]
    wait_for("the web UI", 20, lambda: api(port, tokens["vera"], "GET", "proposals")[0] == 200, every=0.1)
    return w, gw, port, tokens


@quick
def test_decisions(top):
    """A statement that waits: trusted when the second one says so, not before, not by the first one however she comes, and only that very statement."""
    w, gw, port, tokens = start(top, "decisions")
    for d in w.peers:
        w.mail(d, (451, "waits for your decision"))
    decided = {"channel": "phone", "reason": "compared"}
    # what could not be done is not proposed
    code, said = api(port, tokens["anna"], "POST", "partners/lab.example/approve", {**decided, "fingerprint": "00" * 32})
    assert code == 409 and "another fingerprint" in said["detail"], said
    assert api(port, tokens["anna"], "GET", "proposals")[1]["proposals"] == []
    code, said = api(port, tokens["anna"], "POST", "partners/lab.example/approve", decided)
    one = said["proposal"]
    assert code == 202 and one["by"] == "anna" and one["what"] == "Trust the statement that waits of lab.example" and one["args"]["reason"] == "compared", said
    w.mail("lab.example", (451, "waits for your decision"))
    # her own token, her own session, somebody who only looks: no
    code, said = api(port, tokens["anna"], "POST", "proposals/confirm", {"id": one["id"]})
    assert code == 409 and "your own" in said["detail"], said
    assert api(port, tokens["vera"], "POST", "proposals/confirm", {"id": one["id"]})[0] == 403
    anna, bert = (session_of(sign_in(port, n)) for n in ("anna", "bert"))
    code, _, html = page(port, anna, "/pending")
    assert "You proposed it" in html and "Confirm: do it" not in html and "compared" in html
    code, _, html = page(port, anna, "/proposals/confirm", {"id": one["id"]})
    assert code == 400 and "your own" in html, (code, html[:300])
    w.mail("lab.example", (451, "waits for your decision"))
    assert f"postern proposal confirm {one['id']}" in gw.postern("status")[1]
    code, _, html = page(port, bert, "/")
    assert "A second person is asked to confirm: Trust the statement that waits of lab.example" in html
    # another statement takes its place meanwhile: what was looked at is not what waits
    w.web.put("lab.example", w.peers["lab.example"].statement(serial=9))
    gw.postern("partner", "fetch", "lab.example")
    code, _, html = page(port, bert, "/proposals/confirm", {"id": one["id"]})
    assert code == 400 and "another statement of lab.example waits now" in html, html
    code, where, _ = page(port, bert, "/proposals/drop", {"id": one["id"], "reason": "a newer one came"})
    assert (code, where) == (303, "/pending?done=proposal-dropped")
    # anew, in the browser
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page(port, anna, "/pending/lab.example")[2]).group(1)
    code, where, _ = page(port, anna, "/pending/lab.example/approve", {**decided, "seen": seen})
    assert (code, where) == (303, "/pending?done=proposed"), (code, where)
    assert "it waits for a second person" in page(port, anna, where)[2]
    two = api(port, tokens["vera"], "GET", "proposals")[1]["proposals"][0]
    code, _, html = page(port, bert, "/pending")
    assert "Confirm: do it" in html
    code, where, _ = page(port, bert, "/proposals/confirm", {"id": two["id"]})
    assert (code, where) == (303, "/pending?done=proposal-confirmed")
    w.mail("lab.example", w.peers["lab.example"].mail)
    assert "bert (session) from 127.0.0.1, proposed by anna" in w.shown("lab.example")["decision"], w.shown("lab.example")["decision"]
    assert api(port, tokens["bert"], "POST", "proposals/confirm", {"id": two["id"]})[0] == 404
    said = [(r["what"], r["who"]) for r in gw.cli("audit", "list")["rows"]]
    for what, who in (("proposal.add", "anna ("), ("proposal.drop", "bert ("), ("proposal.confirm", "bert ("), ("statement.approve", "bert (session) from 127.0.0.1, proposed by anna")):
        assert any(w1 == what and w2.startswith(who) for w1, w2 in said), (what, said)
    gw.postern("audit", "verify")
    # everything else is still one person's
    assert api(port, tokens["anna"], "POST", "partners", {"domain": "clinic.example"})[0] in (200, 201)
    w.stop()


@quick
def test_all(top):
    """With "all", what makes trust takes two, also on the command line; what takes it away does not."""
    w, gw, port, tokens = start(top, "all")
    anchor = os.path.join(top, "anchor.pem")
    with open(anchor, "w") as f:
        f.write(open(w.authority.cert).read())
    made = {}
    for args in (("partner", "add", "lab.example", "--strength", "require"), ("anchor", "add", anchor, "--yes"), ("rule", "add", "all", "--treatment", "seal"), ("cert", "import", anchor, "--for", "lab.example", "--pin", "--yes", "--force")):
        r = gw.postern("--json", *args, check=False)
        assert r[0] == WAITS, (args, r)
        one = json.loads(r[1])["proposal"]
        assert one["by"].startswith("uid "), one
        made[one["verb"]] = one["id"]
        r = gw.postern(*args, check=False)
        assert r[0] == WAITS and "a second person" in r[1], r
    assert len(gw.cli("proposal", "list")["proposals"]) == 8
    assert not gw.cli("anchor", "list")["anchors"] and not gw.cli("rule", "list")["rules"] and not gw.cli("partner", "list")["partners"]
    r = gw.postern("proposal", "confirm", str(made["anchor.add"]), check=False)
    assert r[0] == 1 and "your own" in r[2], r
    for verb in ("partner.add", "anchor.add", "rule.add"):
        code, said = api(port, tokens["bert"], "POST", "proposals/confirm", {"id": made[verb]})
        assert code == 200 and said["confirmed"]["verb"] == verb, said
    assert len(gw.cli("anchor", "list")["anchors"]) == 1 and [x["name"] for x in gw.cli("rule", "list")["rules"]] == ["all"] and gw.cli("partner", "show", "lab.example")
    # nor is a rule that is there made weaker by one
    rule = gw.cli("rule", "list")["rules"][0]
    r = gw.postern("--json", "rule", "set", "all", "--treatment", "clear", check=False)
    assert r[0] == WAITS and gw.cli("rule", "list")["rules"] == [rule], r
    one = json.loads(r[1])["proposal"]
    assert one["verb"] == "rule.set" and one["what"] == "Change the rule all", one
    # who confirms sees the old beside the new
    assert one["now"]["treatment"] == "seal" and one["args"]["treatment"] == "clear", one
    assert re.search(r"treatment: +clear \(now: seal\)", gw.postern("proposal", "list")[1], re.I), gw.postern("proposal", "list")
    bert = session_of(sign_in(port, "bert"))
    assert re.search(r"<dd>clear <span[^>]*>\(now: seal\)</span>", page(port, bert, "/pending")[2]), page(port, bert, "/pending")
    assert api(port, tokens["bert"], "POST", "proposals/confirm", {"id": one["id"]})[0] == 200
    assert gw.cli("rule", "list")["rules"][0]["treatment"] == "clear"
    # and what is taken away
    r = gw.postern("--json", "partner", "remove", "LAB.example", check=False)
    assert r[0] == WAITS, r
    one = json.loads(r[1])["proposal"]
    assert one["verb"] == "partner.remove" and one["now"]["strength"] == "require", one
    assert re.search(r"strength: +require", gw.postern("proposal", "list")[1], re.I) and re.search(r"<dt>Strength</dt>\s*<dd>require</dd>", page(port, bert, "/pending")[2]), page(port, bert, "/pending")
    gw.postern("proposal", "drop", one["id"])
    # content is not shown, but can be compared
    rows = {p["id"]: p for p in gw.cli("proposal", "list")["proposals"]}
    assert "SHA-256" in rows[made["cert.import"]]["args"]["content"], rows
    # what is in the file, and was chosen, is
    inside = rows[made["cert.import"]]["certificates"]
    assert [x["sha256"] for x in inside] == rows[made["cert.import"]]["args"]["sha256"] and inside[0]["subject"] and inside[0]["serial"] in gw.postern("proposal", "list")[1], rows
    gw.postern("proposal", "drop", made["cert.import"], "--reason", "no")
    sha256 = gw.cli("anchor", "list")["anchors"][0]["sha256"]
    assert api(port, tokens["anna"], "DELETE", "anchors/" + sha256 + "?scope=*")[0] == 200
    assert not gw.cli("anchor", "list")["anchors"]
    # an admin makes no second self: tokens of others are made on the machine
    gw.cli("user", "add", "eve", "--role", "admin")
    eve = gw.cli("user", "token", "eve", "--label", "t", "--role", "admin")["token"]
    assert api(port, eve, "POST", "users", {"name": "eve2", "role": "trust-officer"})[0] == 200
    for name in ("bert", "eve2"):
        code, said = api(port, eve, "POST", f"users/{name}/tokens", {"label": "x", "role": "trust-officer"})
        assert code == 409 and "two-person" in said["detail"] and f"postern user token {name}" in said["detail"], said
    assert api(port, eve, "POST", "users/eve/tokens", {"label": "x", "role": "trust-officer"})[0] == 200
    # a restart loses none
    gw.stop()
    gw.start()
    assert len(gw.cli("proposal", "list")["proposals"]) == 4
    w.stop()
