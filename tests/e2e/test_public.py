"""The public HTTPS listener: statements and certificates for anybody, with a TLS key that stays in the keeper; bounded; shut in."""
import base64
import hashlib
import http.client
import os
import socket
import ssl

from gateway import free_ports, wait_for
from mail import quick, solo
from smime import openssl


def start(top, more="", **kw):
    port = free_ports(1)[0]
    gw, _, _ = solo(top, settings="xsmg = yes\n", sections=f'public {{\n  address = "127.0.0.1:{port}"\n  hostname = "smg.hospital.example"\n  {more}\n}}\n', **kw)
    return gw, port


def context(top, gw, *algo):
    """Trusts the TLS key of the listener, made now."""
    pem = os.path.join(top, "smg.pem")
    with open(pem, "w") as f:
        f.write(gw.cli("domain", "tls", "smg.hospital.example", "--self-signed", *algo)["keys"][0]["pem"])
    return ssl.create_default_context(cafile=pem)


def get(port, trusted, path, method="GET", headers=None, body=None):
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trusted)
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    c.sock = trusted.wrap_socket(s, server_hostname="smg.hospital.example")
    c.request(method, path, headers=headers or {}, body=body)
    r = c.getresponse()
    got = r.status, dict(r.getheaders()), r.read()
    c.close()
    return got


def ready(port, trusted):
    def there():
        try:
            return get(port, trusted, "/.well-known/smg/hospital.example")[0] == 200
        except (OSError, ssl.SSLError):
            return False
    wait_for("the statement over HTTPS", 20, there, every=0.2)


@quick
def test_served(top):
    gw, port = start(top, "client-rate = 0")
    for algo in ((), ("--algo", "rsa-2048")):
        trusted = context(top, gw, *algo)
        ready(port, trusted)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            trusted.minimum_version = trusted.maximum_version = version
            code, head, body = get(port, trusted, "/.well-known/smg/hospital.example")
            assert code == 200 and head["Content-Type"] == "application/cms", (algo, version, code, head)
    said = gw.cli("domain", "show", "hospital.example")["statement"]
    assert body == base64.b64decode(said["der"])
    assert head["ETag"] == f'"{said["id"]}"' and head["Cache-Control"] == "public, max-age=3600"
    content = openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", data=body)
    assert f"https://smg.hospital.example:{port}/.well-known/smg/hospital.example".encode() in content
    code, head, body = get(port, trusted, "/.well-known/smg/HOSPITAL.example", headers={"If-None-Match": head["ETag"]})
    assert (code, body) == (304, b"")
    code, head, body = get(port, trusted, "/.well-known/smg/hospital.example", method="HEAD")
    assert code == 200 and body == b"" and int(head["Content-Length"]) > 1000
    # certificates: both by address and domain, the one to encrypt to first; one by its hash
    pems = {i["use"]: i["pem"] for i in gw.cli("domain", "list", "hospital.example")["identities"]}
    der = {use: base64.b64decode("".join(pem.splitlines()[1:-1])) for use, pem in pems.items()}
    for query in ("email=anybody%40hospital.example", "uri=hospital.example"):
        code, head, body = get(port, trusted, "/certificates/search.cgi?" + query)
        assert code == 200 and head["Content-Type"].startswith("multipart/mixed; boundary="), (query, code, head)
        assert 0 < body.index(der["decrypt"]) < body.index(der["sign"]), query
    sha1 = base64.b64encode(hashlib.sha1(der["decrypt"]).digest()).decode().replace("+", "%2B").replace("=", "%3D").replace("/", "%2F")
    code, head, body = get(port, trusted, "/certificates/search.cgi?certHash=" + sha1)
    assert (code, head["Content-Type"], body) == (200, "application/pkix-cert", der["decrypt"])
    # what is not there, and what is not done
    for path, want in (("/", 404), ("/.well-known/smg/lab.example", 404), ("/.well-known/smg/", 404), ("/.well-known/smg/../../etc/passwd", 404), ("/certificates/search.cgi", 400), ("/search.cgi", 400),
                       ("/certificates/search.cgi?email=hospital.example", 404), ("/certificates/search.cgi?uri=" + "a" * 500, 404)):
        assert get(port, trusted, path)[0] == want, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert get(port, trusted, "/.well-known/smg/hospital.example", method=method, body=b"x" if method in ("POST", "PUT") else None)[0] == 405, method
    # other settings, another statement: it is served without a restart of anything
    gw.postern("domain", "add", "hospital.example", "--self-signed", "--algo", "ec-p256")
    wait_for("the new statement", 20, lambda: get(port, trusted, "/.well-known/smg/hospital.example")[1]["ETag"] != f'"{said["id"]}"', every=0.3)
    lines = gw.postern("dns-records", "hospital.example")[1]
    assert f"_certificates._tcp.hospital.example. 3600 IN SRV 0 0 {port} smg.hospital.example." in lines and f"_{port}._tcp.smg.hospital.example." in lines, lines
    assert "alarm=" not in gw.log(gw.mark), gw.log(gw.mark)
    gw.stop()


def flood(port, trusted, address):
    """2,000 connections that say nothing, and among them 10 honest GETs, each served at the first attempt."""
    held = []
    for i in range(2000):
        s = socket.socket()
        s.bind((address(i), 0))
        s.settimeout(20)
        s.connect(("127.0.0.1", port))
        held.append(s)
        if i % 200 == 199:
            assert get(port, trusted, "/.well-known/smg/hospital.example")[0] == 200, i
    return held


def test_flood(top):
    """From one address with the rates of a fresh installation; from 200 addresses, which take all places."""
    gw, port = start(top, "timeout = 60s")
    trusted = context(top, gw)
    ready(port, trusted)
    for s in flood(port, trusted, lambda i: "127.1.1.1"):
        s.close()
    gw.stop()
    gw.sections = gw.sections.replace("timeout = 60s", "timeout = 60s\n  lifetime = 3s\n  connections-max = 100\n  rate = 0\n  client-rate = 0")
    gw.write_conf()
    gw.start()
    ready(port, trusted)
    drip = trusted.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="smg.hospital.example")
    held = flood(port, trusted, lambda i: f"127.1.{i % 200 + 1}.1")

    def ended():
        try:
            drip.sendall(b"G")
            return False
        except (OSError, ssl.SSLError):
            return True
    wait_for("the end of one that drips", 20, ended, every=0.2)
    for s in held:  # each is ended by the other side, long before its silence would end it
        try:
            while s.recv(100):
                pass
        except ConnectionError:
            pass
        s.close()
    ready(port, trusted)
    assert len(gw.roles()["public"]) == 1 and "alarm=died" not in gw.log(gw.mark)
    gw.stop()


def test_bounds(top):
    """Silent, greedy and malformed clients: they lose their connections, others are served."""
    gw, port = start(top, "timeout = 2s\n  connections-max = 12\n  connections-per-client = 8")
    trusted = context(top, gw)
    ready(port, trusted)
    silent = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(30)]
    for s in silent:  # each is ended by the other side, within the socket's own time
        try:
            while s.recv(100):
                pass
        except ConnectionError:
            pass
    ready(port, trusted)
    for octets in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(2000), b"\x16\x03\x01\xff\xff" + b"a" * 3000):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(octets)
            try:
                while s.recv(4096):
                    pass
            except ConnectionError:
                pass
    code = None
    try:
        code = get(port, trusted, "/" + "a" * 40000)[0]
    except (OSError, http.client.HTTPException):
        pass
    assert code in (None, 414, 431, 413), code
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        get(port, old, "/")
        assert False, "TLS 1.1 was spoken"
    except (ssl.SSLError, OSError):
        pass
    # the keeper dies: a new one signs; the judge dies: what it said is still served
    for role in ("keeper", "judge"):
        pid = gw.roles()[role][0]
        os.kill(pid, 9)
        wait_for("another " + role, 20, lambda: gw.roles().get(role, [0])[0] not in (0, pid))
        ready(port, trusted)
    assert len(gw.roles()["public"]) == 1 and "role=public" not in "".join(line for line in gw.log(gw.mark).splitlines() if "alarm=died" in line)
    gw.stop()
