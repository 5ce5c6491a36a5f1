"""The test vectors of XSMG with the openssl command alone: the commands are those of docs/xsmg/vectors/README.md, word for word. What the gateway's own reader says of them is
tests/unit/test_xsmg_vectors.c."""
import base64
import json
import os
import re
import shutil
import subprocess

from gateway import ROOT

VECTORS = os.path.join(ROOT, "docs", "xsmg", "vectors")
TYPE = "2.25.6345284688943069982369138258631214205"
STRANGER = {"good-appended"}  # a SignerInfo in it leads to no CA
WRONG = {"bad-signature", "bad-digest"}
NOT_FOR_MAIL = {"bad-web"}


def commands():
    """Each block of the README by its name."""
    text = open(os.path.join(VECTORS, "README.md"), encoding="utf-8").read()
    return dict(re.findall(r"^```sh (\w+)\n(.*?)^```", text, re.M | re.S))


def run(folder, command, vector=""):
    return subprocess.run(["sh", "-c", command], cwd=folder, env={**os.environ, "V": vector}, capture_output=True, text=True, timeout=60)


def copy_of_vectors(top):
    """Nothing is written into the sources."""
    return shutil.copytree(VECTORS, os.path.join(top, "vectors"))


def content(folder):
    return open(os.path.join(folder, "content.json"), encoding="utf-8").read()


def check_good(folder, cmd, v):
    name = v["name"]
    done = run(folder, cmd["verify"], name)
    assert done.returncode == 0, (name, done.stderr)
    assert run(folder, cmd["id"]).stdout.strip() == v["id"], name
    assert json.loads(content(folder))["domain"] == v["domain"], name
    assert (run(folder, cmd["path"], name).returncode == 0) == (name not in STRANGER), name


def test_vectors_with_openssl(top):
    cmd = commands()
    vectors = json.load(open(os.path.join(VECTORS, "vectors.json"), encoding="utf-8"))
    folder = copy_of_vectors(top)
    good = [v for v in vectors if v["name"].startswith("good-")]
    assert len(good) >= 10
    for v in good:
        check_good(folder, cmd, v)
    for name in WRONG:
        assert run(folder, cmd["verify"], name).returncode != 0, name
        assert run(folder, cmd["path"], name).returncode != 0, name
    for name in NOT_FOR_MAIL:
        assert run(folder, cmd["verify"], name).returncode == 0, name
        assert run(folder, cmd["path"], name).returncode != 0, name


def test_signer_and_making(top):
    cmd = commands()
    folder = copy_of_vectors(top)
    assert run(folder, cmd["verify"], "good-p256").returncode == 0
    assert json.loads(content(folder))["signer"] == run(folder, cmd["signer"]).stdout.strip()
    assert run(folder, cmd["type"], "good-p256").stdout.strip() == TYPE
    before = content(folder)
    done = run(folder, cmd["make"])
    assert done.returncode == 0, done.stderr
    assert run(folder, cmd["path"], "made").returncode == 0
    assert content(folder) == before
    assert run(folder, cmd["type"], "made").stdout.strip() == TYPE


def test_every_file_is_listed_and_says_what_it_is(_):
    vectors = json.load(open(os.path.join(VECTORS, "vectors.json"), encoding="utf-8"))
    assert sorted(v["name"] + ".der" for v in vectors) == sorted(f for f in os.listdir(VECTORS) if f.endswith(".der"))
    for f in os.listdir(VECTORS):
        if f.endswith(".key.pem"):
            assert open(os.path.join(VECTORS, f), encoding="utf-8").read().startswith("# A TEST KEY"), f


def test_examples_of_the_specification(top):
    """What docs/XSMG.md shows is the vector good-p256, and its base64 in the reply to GET the beginning of it."""
    cmd, folder = commands(), copy_of_vectors(top)
    text = open(os.path.join(ROOT, "docs", "XSMG.md"), encoding="utf-8").read()
    assert run(folder, cmd["verify"], "good-p256").returncode == 0
    shown, real = json.loads(re.search(r"```json\n(.*?)```", text, re.S).group(1)), json.loads(content(folder))
    for cert in real["certificates"]:
        cert["der"] = cert["der"][:4] + "..."
    assert shown == real
    der = open(os.path.join(folder, "good-p256.der"), "rb").read()
    begin = "250-2.0.0 statement %s %d\nS: 250-2.0.0 %s\n" % (run(folder, cmd["id"]).stdout.strip(), len(der), base64.b64encode(der)[:76].decode())
    assert begin in text
    key = run(folder, "openssl x509 -in statement-p256.cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '='").stdout
    assert "key=sha256/" + key.strip() in text
