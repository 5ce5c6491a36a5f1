"""The web UI as people use it, in a browser, against the real HTTP process: signing in, every action of the pages of trust and of users, with and without JavaScript; what a role may not do is refused."""
import http.client
import json
import os
import re
import subprocess
from urllib.parse import urlencode

from drawn import tables
from gateway import BUILD, ROOT, free_ports, wait_for
from mail import quick
from statements import spki
from world import HOSTILE, ROLES, Scene

PASSWORD = "a sentence is easy to keep in mind"


def start(top, more=""):
    port = free_ports(1)[0]
    scene = Scene(top, f'web {{\n  address = "127.0.0.1:{port}"\n}}\n' + more)
    path = os.path.join(top, "password")
    with open(path, "w") as f:
        f.write(PASSWORD + "\n")
    for r in ROLES:
        scene.gw.postern("user", "password", "u-" + r, "--password-file", path)
    wait_for("the HTTP interface", 30, lambda: ask(port, "GET", "/readyz")[0] == 200, every=0.1)
    return scene, port


def ask(port, method, path, cookie=None, form=None, headers=()):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {**({"Cookie": cookie} if cookie else {}), **({"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}), **dict(headers)}
    c.request(method, path, urlencode(form) if form is not None else None, head)
    r = c.getresponse()
    got = r.status, dict(r.getheaders()), r.read().decode()
    c.close()
    return got


def sign_in(port, user):
    status, head, body = ask(port, "POST", "/login", form={"user": user, "password": PASSWORD})
    assert status == 303, (status, body)
    cookie = head["Set-Cookie"].split(";")[0]
    page = ask(port, "GET", "/", cookie)[2]
    return cookie, re.search(r'name="csrf" value="([0-9a-f]{64})"', page).group(1)


def flow(asked, script="flows.js"):
    p = subprocess.run(["node", os.path.join(ROOT, "tests", "browser", script)], input=json.dumps(asked), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
                       env={**os.environ, "NODE_PATH": os.path.join(BUILD, "browser", "node_modules")})
    assert p.returncode == 0, p.stdout


@quick
def test_flows(top):
    scene, port = start(top)
    cookie, _ = sign_in(port, "u-admin")
    files = {**scene.hostile, "lab": scene.lab.cert, "ca": scene.ca.cert}
    for script in (True, False):
        approve, refuse = ("newcomer.example", "stranger.example") if script else ("second.example", "third.example")
        flow({"base": f"http://127.0.0.1:{port}", "password": PASSWORD, "script": script, "files": files,
              "names": {"user": "u-admin", "approve": approve, "refuse": refuse, "fingerprint": spki(scene.peers[approve].key).hex(), "cookie": cookie.split("=")[0]}})
    scene.stop()


@quick
def test_roles(top):
    """Every page and every action, as each role and as nobody: what the table says is what happens; a form of nobody's session changes nothing."""
    scene, port = start(top)
    table, names = tables(), {"domain": "lab.example"}
    who = {i + 1: sign_in(port, "u-" + r) for i, r in enumerate(ROLES)}

    def path_of(pattern):
        return re.sub(r"\{2?\}", "lab.example", pattern)
    assert names and HOSTILE
    audit = scene.gw.cli("audit", "list", "--max", "1")["rows"][0]["id"]
    for p in table["pages"]:
        for role in (0, 1, 2, 3, 4):
            status, head, body = ask(port, "GET", path_of(p["path"]), who[role][0] if role else None)
            if role >= p["least"]:
                assert status not in (401, 403) and not head.get("Location", "").startswith("/login"), (p, role, status, body[:2000])
            elif role == 0:
                assert status == 303 and head["Location"].split("?")[0] == "/login", (p, role, status)
            else:
                assert status == 403, (p, role, status)
    for a in table["actions"]:
        for role in (0, 1, 2, 3, 4):
            cookie, csrf = who[role] if role else (None, "")
            if role < a["least"]:
                status, head, body = ask(port, "POST", path_of(a["path"]), cookie, form={"csrf": csrf, "confirm": "1"})
                assert (status == 303 and head["Location"].split("?")[0] == "/login") if role == 0 else status == 403, (a, role, status, body[:500])
            else:  # not of this session: another one's, none, an empty one
                for other in (who[role % 4 + 1][1], "", "0" * 64):
                    assert ask(port, "POST", path_of(a["path"]), cookie, form={"csrf": other, "confirm": "1"})[0] == 403, (a, role)
                assert ask(port, "POST", path_of(a["path"]), cookie, form={"confirm": "1"})[0] == 403, (a, role)
                status, _, _ = ask(port, "POST", path_of(a["path"]), cookie, form={"csrf": csrf, "confirm": "1"}, headers={"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"})
                assert status == 403, (a, role, status)
    # looking is written down, too; but nothing of these forms was done
    later = [r for r in scene.gw.cli("audit", "list", "--max", "1000")["rows"] if r["id"] > audit and not r["what"].startswith(("message.", "session", "sign"))]
    assert not later, later
    scene.stop()
