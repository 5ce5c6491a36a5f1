"""What the openssl command line and gpgsm write and read, in every kind of message; PKITS; the shapes of RFC 4134. All programs: make check-interop."""
import os
import subprocess
import sys

from gateway import ROOT


def play(top, *args):
    p = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "peers", "run.py"), *args], cwd=ROOT, env=dict(os.environ, TMPDIR=top), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=240)
    assert p.returncode == 0, p.stdout
    return p.stdout


def test_openssl_and_gpgsm(top):
    out = play(top, "--quick")
    assert "openssl 3." in out and "gpgsm 2." in out and " yes;" in out, out


def test_pkits(top):
    assert "PKITS, 224 signed mails" in play(top, "pkits")


def test_shapes(top):
    assert "4.6 two signers" in play(top, "shapes")
