"""Where partners' certificates come from, asked by the real scout in its sandbox: a directory of ours that wants a password, and what strangers may not make it connect to. Odd answers: unit tests."""
import hashlib
import os
import struct
import subprocess

from finding import Ca, Directory, Web, der
from gateway import BUILD, wait_for
from mail import message, quick, send, solo
from names import Names, flat
from slapd import PASSWORD, READER, Slapd

US = "ann@hospital.example"


def secret(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def section(path, uri, d):
    return (f'certificate-directory "national" {{\n servers = {{"{uri}"}}\n ca-file = "{d.cert}"\n bind-dn = "{READER}"\n password-file = "{path}"\n timeout = 3s\n dead-time = 1s\n}}\n'
            'find {\n tiers = {store, ldap}\n directories = {"national"}\n}\n')


def look(gw, address, source="ldap"):
    return gw.cli("lookup", address, "--source", source)


@quick
def test_directory_with_a_password(top):
    """STARTTLS and ldaps with bind, below every namingContexts; the message is sealed for what was found there. A wrong password, a server away: not now, with the reason."""
    names, ca = Names(), Ca(top, "authority")
    lab = ca.issue("lab", "DNS:lab.example", kind="ec")
    d = Slapd(top, "national", {"lab": ("lab.example", [])}, certs={"lab": der(lab.cert)}).start()
    path = secret(os.path.join(top, "directory-password"), PASSWORD + "\n")
    gw, _, outside = solo(top, sections=names.settings("example") + section(path, d.uri, d), log_level="debug")
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")
        got = look(gw, "bob@lab.example")
        assert got["state"] == "usable", got
        assert send(gw.inside, US, "bob@lab.example", message(US, "bob@lab.example", "found"))[0] == 250
        assert lab.open(outside.wait(1, 30)[0].data), "sealed for the certificate of the directory"
        assert "STARTTLS" in d.log() and f'BIND dn="{READER}" method=128' in d.log()
        gw.stop()
        for uri, password, words in ((d.tls_uri, PASSWORD, None), (d.tls_uri, "wrong", "bind: Invalid credentials"), ("ldap://127.0.0.1:1", PASSWORD, "connect: Connection refused")):
            secret(path, password + "\n")
            gw.sections = names.settings("example") + section(path, uri, d)
            gw.write_conf()
            gw.start()
            got = look(gw, "bob@lab.example")
            if words is None:
                assert got["state"] == "usable", got
            else:
                assert got["state"] != "usable" and words in str(got), got
            gw.stop()
        for mode, text, words in ((0o644, "x\n", "can be read by others: chmod 600"), (0o600, "\n", "is empty")):
            secret(path, text, mode)
            r = subprocess.run([os.path.join(BUILD, "bin", "posternd"), "-t", "-c", gw.conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            assert r.returncode != 0 and 'password-file of certificate-directory "national"' in r.stdout and words in r.stdout, r.stdout
        assert PASSWORD not in gw.log(0), "also not at debug"
    finally:
        d.stop()
        names.stop()


@quick
def test_what_strangers_name(top):
    """Their records lead to our own hosts: no connection is made, and the reason is said. With allow-private it is."""
    names, ca, web = Names(), Ca(top, "authority"), Web()
    lab = ca.issue("lab", "DNS:lab.example", kind="ec")
    d = Directory(top, "theirs", [("lab.example", [lab.cert])]).start()
    names.records[("ns.lab.example", "A")] = [bytes((127, 0, 0, 1))]
    names.records[("_ldap._tcp.lab.example", "SRV")] = [struct.pack(">HHH", 0, 0, d.port) + flat("ns.lab.example")]
    names.records[("lab.example", "CERT")] = [struct.pack(">HHB", 4, 0, 0) + bytes([20]) + hashlib.sha1(der(lab.cert)).digest() + (web.url + "/lab.der").encode()]
    web.files["/lab.der"] = der(lab.cert)
    gw, _, outside = solo(top, sections=names.settings("example"))
    try:
        gw.postern("anchor", "add", ca.cert, "--yes")
        for source in ("ldap", "dns"):
            got = look(gw, "bob@lab.example", source)
            assert got["state"] != "usable" and "private or reserved addresses alone" in str(got), got
        assert d.searches() == 0 and web.hits == [], (d.searches(), web.hits)
        gw.stop()
        gw.sections += 'sources {\n allow-private = {"127.0.0.1"}\n}\n'
        gw.write_conf()
        gw.start()
        for source in ("ldap", "dns"):
            got = look(gw, "bob@lab.example", source)
            assert got["state"] == "usable", got
        assert d.searches() > 0 and web.hits == ["/lab.der"], (d.searches(), web.hits)
    finally:
        d.stop()
        names.stop()
        web.stop()
