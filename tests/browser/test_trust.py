"""Trust in the browser where it takes more than one form: certificates of many partners at once, changes that take two people (decisions, and all), a PKCS#12 file with a key of ours, what a
mail would meet before and after an edit; with and without JavaScript, and how these pages look. SHOTS=folder: screenshots are left there (make screenshots: one of
each)."""
import base64
import os
import subprocess
from urllib.request import urlopen

from finding import der
from gateway import BUILD, wait_for
from mail import quick
from smime import Identity, openssl
from statements import spki
from test_flows import PASSWORD, flow, start

SECRET = "not told to anybody"
FRESH = 1500


def pem(ders):
    return b"".join(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(d) + b"-----END CERTIFICATE-----\n" for d in ders)


def put(top, name, octets):
    path = os.path.join(top, name)
    with open(path, "wb") as f:
        f.write(octets)
    return path


def many(scene, mark):
    """A file of all kinds of certificates: its path, what is counted, what the rows say (in the tab of that name)."""
    top, ca = scene.top, scene.ca
    key = os.path.join(top, mark + ".key")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    made = subprocess.run([os.path.join(BUILD, "tools", "certs"), ca.cert, ca.key, key], input="".join(f"{mark}{i}.example\n" for i in range(FRESH)), text=True, check=True, stdout=subprocess.PIPE).stdout
    fresh = [base64.b64decode(line) for line in made.split()]
    nobody, ours = ca.issue(mark + "-nobody", "", kind="ec"), ca.issue(mark + "-ours", "DNS:hospital.example", kind="ec")
    server = Identity(top, mark + "-server", "DNS:web.example", issuer=ca, eku="serverAuth", kind="ec")
    weak = Identity(top, mark + "-weak", f"DNS:{mark}-weak.example", issuer=ca, kind="rsa1024")
    broken = b"\x30\x06\x02\x01\x00\x02\x01\x00"
    head = [der(nobody.cert), der(ours.cert), der(server.cert), broken, der(weak.cert), der(scene.soon.cert)]
    rows = {"Refused": [(1, "names no domain and no address"), (2, "hospital.example", "of a domain of ours"), (3, "web.example", "not for mail"), (4, "cannot be read")],
            "Warned of": [(5, f"{mark}-weak.example", "too weak")], "Known": [(6, "soon.example"), (len(head) + FRESH + 1, f"{mark}0.example", "twice in the file")]}
    path = put(top, mark + ".pem", pem(head + fresh + fresh[:1]))
    return path, {"all": len(head) + FRESH + 1, "new": FRESH, "warned": 1, "known": 2, "refused": 4}, rows


def begin(top, level):
    scene, port = start(top, f"trust {{\n  two-person = {level}\n}}\n")
    shots = {"schemes": ["light", "dark"], "widths": [320, 768, 1280], "shots": os.environ.get("SHOTS", ""), "small": os.environ.get("BROWSER", "") == "pictures"}
    return scene, {"base": f"http://127.0.0.1:{port}", "password": PASSWORD}, shots


def answers(base):
    try:
        return urlopen(base + "/readyz", timeout=10).status == 200
    except OSError:
        return False


@quick
def test_trust(top):
    scene, there, looks = begin(top, "decisions")
    scene.gw.postern("cert", "import", scene.lab.cert, "--for", "lab.example", "--yes")
    partner = put(top, "partner.p12", open(scene.lab.pkcs12(os.path.join(top, "lab.p12"), "x"), "rb").read())
    for script in (True, False):
        mark = "fresh" if script else "other"
        approve, drop = ("newcomer.example", "stranger.example") if script else ("second.example", "third.example")
        key = scene.ca.issue(mark + "-key", "DNS:hospital.example,email:info@hospital.example")
        path, counts, rows = many(scene, mark)
        fingerprint = openssl("x509", "-in", key.cert, "-noout", "-fingerprint", "-sha256").decode().split("=")[1].strip().replace(":", "").lower()
        flow({**there, "script": script, "counts": counts, "rows": rows, **(looks if script else {}),
              "files": {"many": path, "cut": put(top, mark + "-cut.pem", open(path, "rb").read()[:3000]), "partner_p12": partner, "ours_p12": key.pkcs12(os.path.join(top, mark + ".p12"), SECRET)},
              "names": {"approve": approve, "drop": drop, "fingerprints": {d: spki(scene.peers[d].key).hex() for d in (approve, drop)}, "first": f"{mark}0.example",
                        "p12_password": SECRET, "p12_fingerprint": fingerprint, "p12_name": mark + "-key"}}, "trust.js")
    scene.stop()


@quick
def test_all_by_two(top):
    """With two-person = all also rules that are there, and certificates of many."""
    scene, there, looks = begin(top, "decisions")
    conf = open(scene.gw.conf).read()
    scene.gw.stop()
    with open(scene.gw.conf, "w") as f:
        f.write(conf.replace("two-person = decisions", "two-person = all"))
    scene.gw.start()
    wait_for("the HTTP interface", 30, lambda: answers(there["base"]), every=0.1)
    path, counts, _ = many(scene, "fresh")
    flow({**there, "script": True, "counts": counts, **looks, "files": {"many": path}, "names": {"all": True}}, "trust.js")
    scene.stop()
