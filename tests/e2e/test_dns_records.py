"""postern dns-records: what it prints is a zone that nsd serves and our own finder believes."""
import base64
import hashlib
import os
import subprocess

from gateway import Gateway, wait_for
from mail import message, send, solo
from nexthop import Nsd
from sink import Sink
from smime import openssl


def test_zone(top):
    """Lines that ldns reads; the certificate in them is the one that another gateway finds in the (signed) zone, by CERT and by SMIMEA, and seals for."""
    gw, _, _ = solo(top, settings="xsmg = yes\n", sections='statement {\n  urls = {"https://smg.%d/.well-known/smg/%d"}\n}')
    lines = wait_for("the statement key", 20, lambda: (lambda t: t if " TXT " in t else None)(gw.postern("dns-records", gw.domain)[1]), every=0.3).splitlines()
    kinds = [line.split()[3] for line in lines if not line.startswith(";")]
    assert kinds == ["TXT", "CERT", "SMIMEA", "TLSA"], lines
    assert all(line.split()[0].endswith(gw.domain + ".") for line in lines if not line.startswith(";"))
    nsd = Nsd(top)
    nsd.zone(gw.domain, lines, sign=True)
    subprocess.run(["ldns-read-zone", os.path.join(nsd.dir, gw.domain + ".zone")], check=True, stdout=subprocess.DEVNULL)
    nsd.start()
    # each with the octets it should have, computed apart from the gateway
    rows = gw.cli("domain", "list")["identities"]
    der = {i["use"]: base64.b64decode("".join(i["pem"].splitlines()[1:-1])) for i in rows}
    spki = {}
    for use, octets in der.items():
        path = os.path.join(top, use + ".der")
        with open(path, "wb") as f:
            f.write(octets)
        pub = openssl("x509", "-inform", "DER", "-in", path, "-noout", "-pubkey")
        spki[use] = hashlib.sha256(subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pub, stdout=subprocess.PIPE, check=True).stdout).digest()

    def asked(name, kind):
        got = subprocess.run(["drill", "-p", str(nsd.port), "@127.0.0.1", name, kind], stdout=subprocess.PIPE, text=True, check=True).stdout
        return [line for line in got.splitlines() if line.startswith(name + ".") and f"\t{kind}\t" in line]
    txt = asked("_smg." + gw.domain, "TXT")
    want = base64.urlsafe_b64encode(spki["statement"]).rstrip(b"=").decode()
    assert len(txt) == 1 and f'"v=smg1; url=https://smg.{gw.domain}/.well-known/smg/{gw.domain}; key=sha256/{want}"' in txt[0], txt
    tlsa = asked("_25._tcp." + gw.hostname, "TLSA")
    assert tlsa[0].lower().replace(" ", "").endswith("311" + spki["tls"].hex()), tlsa
    # another gateway finds it by CERT, and believes it by SMIMEA
    inside, outside = Sink(), Sink()
    lab = Gateway(top, "lab", "lab.example", inside.address, outside.address, settings="xsmg = no\n",
                  sections=nsd.settings() + "find {\n  by-address = always\n  tiers = {store, smimea, cert}\n}\n").start()
    lab.make_identity()
    want = hashlib.sha256(der["decrypt"]).hexdigest()
    got = lab.cli("lookup", "anna@" + gw.domain, "--source", "dns")
    assert [c["sha256"] for c in got["certificates"] if c["place"] == "dns CERT"] == [want], got
    got = lab.cli("lookup", "anna@" + gw.domain, "--source", "smimea")
    assert got["state"] == "usable" and [c["sha256"] for c in got["certificates"]] == [want], got
    assert send(lab.inside, "bob@lab.example", "anna@" + gw.domain, message("bob@lab.example", "anna@" + gw.domain, "found"))[0] == 250
    assert b"enveloped-data" in outside.wait(1, 30)[0].data
    lab.stop()
    gw.stop()
    nsd.stop()
