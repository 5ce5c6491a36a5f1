"""How every page looks and what it offers, as each role: in a browser, drawn from a real gateway's answers. SHOTS=folder: screenshots are left there. BROWSER=quick: some pages, two
widths. BROWSER=pictures: some pages, as docs/screenshots has them (make screenshots). PAGES="/audit /imports": those alone that begin so."""
import base64
import json
import os
import re
import subprocess

from drawn import Drawn, ask, tables
from gateway import BUILD, ROOT, wait_for
from mail import quick
from world import HOSTILE, Scene

MODULES = os.path.join(BUILD, "browser", "node_modules")
PAGES = ("/", "/login", "/pending", "/pending/newcomer.example", "/certificates", "/certificates/import", "/imports", "/imports/{ready}", "/imports/{ready}?only=refused", "/imports/{done}", "/imports/{broken}", "/anchors", "/anchors/add", "/bundles", "/bundles/add", "/bundles/show?url={bundle}",
         "/domains", "/domains/hospital.example", "/policy", "/policy?sender=anna%40hospital.example&recipient=bob%40clinic.example", "/policy/add", "/policy/edit?name=laboratory", "/settings", "/audit", "/audit?verify=1", "/users",
         "/users/add", "/users/u-viewer", "/partners", "/partners/add", "/partners/clinic.example", "/partners/hostile.example", "/partners/lab.example/edit", "/partners/lab.example/remove", "/partners/lab.example/remove?try_to=bob%40lab.example", "/partners/lab.example/history",
         "/partners/clinic.example/release", "/partners/lab.example/try", "/messages", "/messages?search=1&to=clinic.example", "/messages/held", "/messages/{message}", "/messages/{message}/release",
         "/messages/{message}/retry", "/messages/{message}/hold", "/messages/{message}/delete")
FEW = ("/", "/pending", "/pending/newcomer.example", "/certificates", "/domains/hospital.example", "/users/u-viewer", "/partners/hostile.example")

SHOWN = ("/", "/pending/newcomer.example", "/certificates", "/domains/hospital.example", "/partners")


def pattern(path):
    return re.compile("^" + re.sub(r"\\{2?\\}", "[^/]+", re.escape(path)) + "$")


def check_all(pages, table):
    """Each page of the gateway's table is tried."""
    left = [p["path"] for p in table["pages"] if not any(pattern(p["path"]).match(path.split("?")[0]) for path in pages)]
    assert not left, f"no test looks at these pages: {left}"


def may(path, role, table):
    """The first row that fits decides, as in the gateway."""
    least = next(p["least"] for p in table["pages"] if pattern(p["path"]).match(path.split("?")[0]))
    return least <= role


def look(asked):
    p = subprocess.run(["node", os.path.join(ROOT, "tests", "browser", "looks.js")], input=json.dumps(asked), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500,
                       env={**os.environ, "NODE_PATH": MODULES})
    assert p.returncode == 0, p.stdout


def imports(scene):
    """One of each state, by what their pages are called."""
    sock, made = scene.gw.sock, {}

    def state(of):
        return ask(sock, "import.show", {"id": made[of]})["data"]["import"]["state"]

    def begin(name, want, octets):
        made[name] = ask(sock, "import.begin", {"content": base64.b64encode(octets).decode(), "pinned": True})["data"]["import"]["id"]
        wait_for("the import to be " + want, 20, lambda: state(name) == want, every=0.1)
    ours = scene.ca.issue("ours", "DNS:hospital.example", kind="ec")
    files = [open(path, "rb").read() for path in (scene.lab.cert, ours.cert, scene.soon.cert, *(scene.hostile[k] for k in HOSTILE if k != "huge"), scene.ca.cert)]
    begin("done", "ready", open(scene.ca.issue("stored", "DNS:stored.example", kind="ec").cert, "rb").read())
    ask(sock, "import.confirm", {"id": made["done"]})
    wait_for("the import to be done", 20, lambda: state("done") == "done", every=0.1)
    begin("broken", "failed", files[0] + files[1][:-100])
    begin("ready", "ready", b"".join(files))
    return made


@quick
def test_looks(top):
    scene = Scene(top, "trust {\n  two-person = decisions\n}\n")
    gw, table, mode = scene.gw, tables(), os.environ.get("BROWSER", "")
    gw.postern("bundle", "add", "https://127.0.0.1:1/bundle.p7b", "--scope", "lab.example")
    gw.postern("approve", "second.example", "--channel", "phone", "--reason", "compared with Ms Weber", check=False)
    assert len(gw.cli("proposal", "list")["proposals"]) == 1
    made = imports(scene)
    message = ask(gw.sock, "message.find", {"to": "clinic.example", "limit": 1})["data"]["messages"][0]["id"]
    certs = [c for c in gw.cli("cert", "list")["certificates"] if c["owner"] == "hostile.example"]
    assert len(certs) == len(HOSTILE) - 1, [c["subject"][:40] for c in certs]
    pages = [p.format(bundle="https%3A%2F%2F127.0.0.1%3A1%2Fbundle.p7b", message=message, **made) for p in PAGES] + ["/certificates/" + c["sha256"] for c in certs]
    check_all(pages, table)
    server, only = Drawn(gw), os.environ.get("PAGES", "").split()
    chosen = [p for p in pages if p in (SHOWN if mode == "pictures" else FEW)] if mode in ("quick", "pictures") else pages
    chosen = [p for p in pages if p.startswith(tuple(only))] if only else chosen
    try:
        look({"base": server.base, "role": 4, "actions": table["actions"], "pages": chosen, "schemes": ["light", "dark"], "shots": os.environ.get("SHOTS", ""),
              "widths": [320, 1280] if mode == "quick" else [320, 768, 1280], "headers": {"X-Role": "4"}, "small": mode == "pictures",
              "roles": [{"role": r, "headers": {"X-Role": str(r)}, "pages": [p for p in chosen if may(p, r, table)]} for r in ((1,) if chosen != pages else (1, 2, 3))]})
    finally:
        server.stop()
        scene.stop()
