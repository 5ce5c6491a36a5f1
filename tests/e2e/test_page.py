"""Pages of the web UI from real answers: what judge and relay say of themselves, of partners and of messages stands in them."""
import json
import os
import re
import subprocess

from gateway import BUILD, wait_for
from mail import message, pair, quick, send, solo

US, THEM = "a@hospital.example", "b@lab.example"


def page(path, role=4, **answers):
    p = subprocess.run([os.path.join(BUILD, "tools", "page"), path, str(role)], input=json.dumps(answers), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert p.returncode == 0, p.stderr
    assert p.stdout.count("<h1") == 1 and "{{" not in p.stdout, p.stdout
    return p.stdout


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def has(html, *parts):
    for p in parts:
        assert p in words(html), (p, words(html))


def counted(gw):
    c = gw.cli("message", "counts")
    return c if any(h.get("sealed") for h in c["hours"]) else None


@quick
def test_real_answers(top):
    hospital, lab, _, lab_sink = pair(top)
    assert send(hospital.inside, US, [THEM], message(US, THEM, "one"))[0] == 250
    lab_sink.by_subject("one")
    m = wait_for("it in the history", 20, lambda: next((x for x in hospital.cli("message", "find", "--to", THEM)["messages"] if x["recipients"][0]["outcome"] == "delivered"), None))
    found = hospital.cli("message", "find", "--to", THEM)
    shown = hospital.cli("message", "show", m["id"])
    html = page(f"/messages/{m['id']}", m=shown, queue=hospital.cli("queue", "show", m["id"]))
    has(html, THEM, US, "delivered", "sealed", "It went from inside to outside.", "TLSv1.3", "lab.example", shown["recipients"][0]["certificates"], "<one@test>".replace("<", "&lt;").replace(">", "&gt;"))
    assert html.count("<li class=") >= 3
    html = page("/messages?search=1", found=found)
    has(html, m["id"], THEM)
    assert f'href="/messages/{m["id"]}"' in html
    partner = hospital.cli("partner", "show", "lab.example")
    html = page("/partners/lab.example", p=partner, to=found, **{"from": {"messages": []}})
    k = partner["certificates"][0]
    has(html, "Mail to it is always signed and encrypted", k["subject"], k["fingerprint"], k["not_after"][:10], m["id"], "trusted", partner["find"])
    assert html.count("<rect class=\"good\"") == len(partner["certificates"])
    html = page("/partners", **{"list": hospital.cli("partner", "list")})
    has(html, "lab.example", "seal, require")
    html = page("/partners/lab.example/edit", p=partner)
    assert '<option value="seal" selected>' in html and '<option value="require" selected>' in html
    status = hospital.cli("status")
    html = page("/", judge=status["judge"], relay=status["relay"], counts=wait_for("the counts", 20, lambda: counted(hospital)))
    has(html, "Mail that went out: 1 recipient ", "1 partner, ")


def ui(gw, method, path, role, *fields):
    """(status, where it leads, page)"""
    p = subprocess.run([os.path.join(BUILD, "tools", "ui"), gw.sock, method, path, str(role), *fields], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert p.returncode == 0, p.stderr
    first, _, html = p.stdout.partition("\n")
    status, _, where = first.partition(" ")
    assert "{{" not in html, html
    return int(status), where, html


@quick
def test_actions(top):
    """What forms do, with a real judge: shown first, then done; refused exactly; held mail is released, deleted."""
    gw, _, _ = solo(top)
    for path in ("/", "/partners", "/partners/add", "/messages", "/messages/held"):
        assert ui(gw, "GET", path, 4)[0] == 200, path
    has(ui(gw, "GET", "/partners", 4)[2], "No partner is listed yet.")
    entry = ("domain=lab.example", "treatment=seal", "strength=require", "note=<b>who</b>", "format=", "find=", "group=")
    status, _, html = ui(gw, "POST", "/partners/add", 3, *entry)
    assert status == 200
    has(html, "What will be different", "No usable certificate of it is stored")
    assert not gw.cli("partner", "list")["partners"]
    assert ui(gw, "POST", "/partners/add", 2, *entry, "confirm=1")[0] == 403
    assert ui(gw, "POST", "/partners/add", 3, *entry, "confirm=1", "csrf=wrong")[0] == 403
    assert not gw.cli("partner", "list")["partners"]
    assert ui(gw, "POST", "/partners/add", 3, *entry, "confirm=1")[:2] == (303, "/partners/lab.example?done=partner-added")
    assert gw.cli("partner", "show", "lab.example")["partner"]["note"] == "<b>who</b>"
    has(ui(gw, "GET", "/partners", 1, "match=WHO", "state=no key", "sort=-until")[2], "lab.example", "no key (1)")
    has(ui(gw, "GET", "/partners", 1, "match=nobody")[2], "No partner fits.")
    has(ui(gw, "GET", "/partners", 1, "sort=nonsense")[2], "is one of name, state, until")
    status, _, html = ui(gw, "POST", "/partners/lab.example/edit", 3, "treatment=seal", "strength=prefer", "note=", "format=cipher=none", "find=", "group=", "confirm=1")
    assert status == 400 and 'role="alert"' in html and 'value="cipher=none"' in html, html
    status, _, html = ui(gw, "POST", "/partners/lab.example/edit", 3, "treatment=seal", "strength=prefer", "note=", "format=", "find=", "group=")
    assert status == 200 and "<del>require</del>" in html and "<del>&lt;b&gt;who&lt;/b&gt;</del>" in html, html
    assert ui(gw, "POST", "/partners/lab.example/edit", 3, "treatment=seal", "strength=prefer", "note=", "format=", "find=", "group=", "confirm=1")[0] == 303
    assert gw.cli("partner", "show", "lab.example")["partner"]["strength"] == "prefer"
    html = ui(gw, "GET", "/partners/lab.example/history", 2)[2]
    has(html, "History of lab.example", "partner.change", "partner.add", "strength prefer", "uid 0")
    assert html.count("partner.change") == 1 and words(html).index("partner.change") < words(html).index("partner.add")
    has(ui(gw, "GET", "/partners/lab.example", 2)[2], "Its history", "partner.change")
    assert "Its history" not in ui(gw, "GET", "/partners/lab.example", 1)[2] and ui(gw, "GET", "/partners/lab.example/history", 1)[0] == 403
    has(ui(gw, "GET", "/partners/other.example/history", 2)[2], "The audit log has nothing about it.")
    assert [r["what"] for r in gw.cli("audit", "list", "--of", "lab.example")["rows"]] == ["partner.change", "partner.add"]
    status, _, html = ui(gw, "POST", "/partners/lab.example/try", 2, "source=store")
    assert status == 200
    has(html, "What store says of lab.example", "Step by step")
    has(ui(gw, "GET", "/partners/lab.example/remove", 3)[2], "Remove lab.example from the list?")
    assert ui(gw, "POST", "/partners/lab.example/remove", 3)[1] == "/partners?done=partner-removed"
    assert ui(gw, "POST", "/partners/lab.example/remove", 3)[0] == 404
    assert ui(gw, "GET", "/messages/AAAAAAAAAA", 2)[0] == 404
    has(ui(gw, "GET", "/messages", 2, "search=1", "outcome=nonsense")[2], "there is no outcome")
    has(ui(gw, "GET", "/messages", 2, "search=1", "since=2026-11-22T02:05", "until=2026-11-23")[2], "No message fits.")
    assert ui(gw, "POST", "/messages/AAAAAAAAAA/delete", 2)[0] == 400


@quick
def test_what_if(top):
    """Beside what is about to change: what would become of one mail, before and after; nothing is stored by asking."""
    gw, _, _ = solo(top)
    rule = ("name=lab", "recipient=*@lab.example", "treatment=clear", "strength=never")
    status, _, html = ui(gw, "POST", "/policy/add", 3, *rule)
    assert status == 200 and 'value="postmaster@lab.example"' in html and "As it would be" not in html
    status, _, html = ui(gw, "POST", "/policy/add", 3, *rule, "try_from=a@hospital.example", "try_to=b@lab.example")
    assert status == 200
    has(html, "As it is now:", "As it would be: It would be sent as it is.", "rule &quot;lab&quot;")
    assert "<mark>asked for by default" in html and "<mark>asked for by rule" in html and not gw.cli("rule", "list")["rules"]
    assert ui(gw, "POST", "/policy/add", 3, *rule, "confirm=1")[0] == 303
    gw.postern("rule", "add", "last", "--treatment", "sign")
    html = ui(gw, "GET", "/policy/edit", 3, "name=lab")[2]
    has(html, "Change the rule lab")
    assert '<option value="clear" selected>' in html and 'value="*@lab.example"' in html
    changed = ("name=lab", "sender=", "recipient=*@lab.example", "treatment=tls", "strength=require", "exempt=", "position=")
    html = ui(gw, "POST", "/policy/edit", 3, *changed, "try_to=b@lab.example")[2]
    has(html, "As it is now: It would be sent as it is.", "As it would be: It would be refused.")
    assert "<del>Mail from anybody to *@lab.example is never sent as it is" in html or "<del>Mail from anybody to *@lab.example is sent as it is" in html, html
    assert gw.cli("rule", "list")["rules"][0]["treatment"] == "clear"
    assert ui(gw, "POST", "/policy/edit", 3, *changed, "confirm=1")[:2] == (303, "/policy?done=rule-changed")
    assert [(r["name"], r["treatment"], r["sender"]) for r in gw.cli("rule", "list")["rules"]] == [("lab", "tls", "*"), ("last", "sign", "*")]
    gw.postern("rule", "set", "lab", "--treatment", "clear", "--strength", "never")
    gw.postern("rule", "remove", "last")
    html = ui(gw, "POST", "/policy/remove", 3, "name=lab", "try_to=b@lab.example")[2]
    has(html, "As it is now: It would be sent as it is.", "As it would be:")
    assert ui(gw, "POST", "/policy/remove", 3, "name=lab", "try_to=nonsense")[0] == 200
    assert len(gw.cli("rule", "list")["rules"]) == 1
    assert ui(gw, "POST", "/policy/remove", 3, "name=lab", "confirm=1")[0] == 303
    entry = ("domain=lab.example", "treatment=seal", "strength=require", "note=", "format=", "find=", "group=")
    html = ui(gw, "POST", "/partners/add", 3, *entry, "try_to=b@lab.example")[2]
    has(html, "As it would be: It would be refused.")
    assert not gw.cli("partner", "list")["partners"]
    assert ui(gw, "POST", "/partners/add", 3, *entry, "confirm=1")[0] == 303
    html = ui(gw, "POST", "/partners/lab.example/edit", 3, "treatment=clear", "strength=never", "note=", "format=", "find=", "group=", "try_to=b@lab.example")[2]
    has(html, "As it is now: It would be refused.", "As it would be: It would be sent as it is.")
    html = ui(gw, "GET", "/partners/lab.example/remove", 3, "try_to=b@lab.example")[2]
    has(html, "As it is now: It would be refused.", "the partner is not listed")
    assert gw.cli("partner", "show", "lab.example")["listed"]


@quick
def test_many_held(top):
    """Held messages that were chosen go in one request, and the page says which could not."""
    gw, _, outside = solo(top)
    gw.postern("partner", "add", "third.example", "--treatment", "clear", "--strength", "never")
    outside.refuse["c@third.example"] = "451 4.2.1 later"
    for i in range(3):
        assert send(gw.inside, US, ["c@third.example"], message(US, "c@third.example", f"many {i}"))[0] == 250
    wait_for("three that wait", 20, lambda: len([1 for m in gw.queue() for r in m["recipients"] if r["state"] == "queued" and r["attempts"]]) == 3)
    ids = [m["id"] for m in gw.queue()]
    gw.postern("queue", "hold", *ids)
    html = ui(gw, "GET", "/messages/held", 2)[2]
    assert all(f'name="id" value="{i}"' in html for i in ids)
    chosen = [f"id={i}" for i in ids]
    has(ui(gw, "POST", "/messages/held/delete", 2, *chosen)[2], "3 messages are chosen.")
    assert len([m for m in gw.queue() if m["recipients"][0]["state"] == "held"]) == 3
    gw.postern("queue", "delete", ids[0])
    status, _, html = ui(gw, "POST", "/messages/held/delete", 2, *chosen, "confirm=1", "reason=all of them")
    assert status == 200
    has(html, "2 messages are deleted", "1 could not be deleted:", ids[0], "nothing of it waits or is held any more")
    assert not [m for m in gw.queue() if m["state"] != "done"]


@quick
def test_overview(top):
    """What runs since when, and how often it was started again; what to do names pages and buttons, and no commands, which the command line keeps naming."""
    gw, _, _ = solo(top, identity=("--self-signed", "--days", "5"))
    roles = gw.cli("status")["parent"]["roles"]
    html = wait_for("all that runs", 10, lambda: (lambda h: h if words(h).count(" running ") >= len(roles) else None)(ui(gw, "GET", "/", 1)[2]))
    has(html, "This gateway", "gw.hospital.example", *(str(r["pid"]) for r in roles))
    assert "postern domain add" in json.dumps(gw.cli("status")["judge"]["expiring"])
    has(html, "A certificate of hospital.example runs out", "Next: on the page of the domain, make its successor under Change keys")
    assert 'href="/domains/hospital.example"' in html and "postern domain" not in html and "postern cert" not in html, html
    sealer = next(r for r in roles if r["role"] == "sealer" and r["number"] == 1)
    os.kill(sealer["pid"], 9)
    new = wait_for("another sealer", 20, lambda: next((r["pid"] for r in gw.cli("status")["judge"]["processes"] if r["role"] == "sealer" and r["number"] == 1 and r["starts"] == 2 and r["state"] == "running"), None))
    html = ui(gw, "GET", "/", 1)[2]
    has(html, str(new))
    assert re.search(r'sealer 1</th>.*?Started again" class="num"><b>1</b>', html), html
    judge = next(r["pid"] for r in roles if r["role"] == "judge")
    os.kill(judge, 9)
    wait_for("what the new judge was told", 20, lambda: (lambda p: p and p["starts"] == 2)(next((r for r in (gw.cli("status")["judge"] or {}).get("processes", []) if r["role"] == "judge"), None)))
