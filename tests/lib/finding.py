"""What stands around a partner whose certificate has to be found: authorities with CRL and OCSP, DNS records with certificates, directories, web servers. All real, on loopback."""
import base64
import hashlib
import http.server
import os
import re
import socket
import subprocess
import threading
import time

from gateway import free_ports
from slapd import Process
from smime import Identity, openssl

SLAPD = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {dir}/slapd.pid
{more}
database mdb
suffix "{suffix}"
rootdn "cn=root,{suffix}"
directory {dir}/db
{database}
"""


def der(pem):
    """The DER octets of a certificate in a file."""
    return openssl("x509", "-in", pem, "-outform", "DER")


def cert_record(pem, name="@"):
    """CERT PKIX (RFC 4398)."""
    return f"{name} CERT 1 0 0 {base64.b64encode(der(pem)).decode()}"


def ipkix_record(url, octets, name="@"):
    """CERT IPKIX: the hash's length, the SHA-1 hash, the URL (RFC 4398 2.1; 3.1 of RFC 4398 leaves other hashes out)."""
    return f"{name} CERT 4 0 0 {base64.b64encode(bytes([20]) + hashlib.sha1(octets).digest() + url.encode()).decode()}"


def smimea_name(address):
    """The first labels of the owner name (RFC 8162 3)."""
    return hashlib.sha256(address.split("@")[0].encode()).hexdigest()[:56] + "._smimecert"


def smimea_record(address, pem, usage=3, selector=0, matching=0):
    octets = der(pem)
    if selector == 1:
        octets = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=openssl("x509", "-in", pem, "-noout", "-pubkey"), stdout=subprocess.PIPE, check=True).stdout
    data = octets if matching == 0 else hashlib.sha256(octets).digest() if matching == 1 else hashlib.sha512(octets).digest()
    return f"{smimea_name(address)} SMIMEA {usage} {selector} {matching} {data.hex()}"


def srv_record(service, port, host, priority=0, weight=0):
    return f"{service} SRV {priority} {weight} {port} {host}."


class Directory(Process):
    """A slapd that anybody may read: entries with mail and certificates. entries: [(mail, [pem, ...])]; ldif: text of more entries; bare: of all of them."""
    def __init__(self, top, name, entries, suffix="dc=clinic,dc=example", port=None, more="", database="access to * by * read", attribute="userCertificate;binary", ldif="", bare=False):
        self.dir = os.path.join(top, "directory-" + name)
        os.makedirs(os.path.join(self.dir, "db"))
        self.log_path, self.conf = os.path.join(self.dir, "stats"), os.path.join(self.dir, "slapd.conf")
        self.port = port or free_ports(1)[0]
        self.suffix = suffix
        with open(self.conf, "w") as f:
            f.write(SLAPD.format(dir=self.dir, suffix=suffix, more=more, database=database))
        text = "" if bare else f"dn: {suffix}\nobjectClass: domain\ndc: {suffix.split(',')[0].split('=')[1]}\n\n"
        for i, (mail, pems) in enumerate(entries):
            text += f"dn: uid=u{i},{suffix}\nobjectClass: inetOrgPerson\nuid: u{i}\ncn: u{i}\nsn: u{i}\nmail: {mail}\n"
            text += "".join(f"{attribute}:: {base64.b64encode(der(p)).decode()}\n" for p in pems) + "\n"
        subprocess.run(["slapadd", "-q", "-f", self.conf], input=text + ldif, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        return self.run((f"ldap://127.0.0.1:{self.port}",), (self.port,))


class Web:
    """An HTTP server: files[path] = octets, (type, octets), or function(handler) for anything else. hits: the paths asked for, in order."""
    def __init__(self):
        self.files, self.hits, web = {}, [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.hits.append(self.path)
                found = web.files.get(self.path, web.files.get(self.path.split("?")[0]))
                if callable(found):
                    return found(self)
                kind, octets = found if isinstance(found, tuple) else ("application/octet-stream", found)
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(octets or b"")))
                self.end_headers()
                self.wfile.write(octets or b"")

            do_POST = do_GET

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_ports(1)[0]), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Trap:
    """A port where nobody should come: how many did."""
    def __init__(self, address, port):
        self.came = 0
        self.s = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.s.accept()[0].close()
            except OSError:
                return
            self.came += 1

    def stop(self):
        self.s.close()


class Certificate:
    """One without a key of its own."""
    def __init__(self, cert):
        self.cert = cert


class Ca(Identity):
    """An authority that revokes: lists (CRL) and answers (OCSP) by openssl."""
    def __init__(self, folder, name, issuer=None, days=365, **kw):
        super().__init__(folder, name, ca=True, issuer=issuer, days=days, cn=name, **kw)
        self.folder, self.name, self.index = folder, name, os.path.join(folder, name + ".index")
        self.revoked, self.issued, self.nonces = [], [], []  # nonces: that its responders were asked with

    def issue(self, name, san, crl=None, ocsp=None, aia=None, more=(), **kw):
        more = [*more, *(["crlDistributionPoints=URI:" + crl] if crl else [])]
        access = (["OCSP;URI:" + ocsp] if ocsp else []) + (["caIssuers;URI:" + aia] if aia else [])
        more += ["authorityInfoAccess=" + ",".join(access)] if access else []
        made = Identity(self.folder, name, san, issuer=self, more=more, **kw)
        self.issued.append(made)
        return made

    def certify(self, other, name, crl=None):
        """A certificate of this authority for another one's name and key (RFC 4158: a cross certificate); it can be revoked like those of issue()."""
        made, ext = Certificate(os.path.join(self.folder, name + ".pem")), os.path.join(self.folder, name + ".ext")
        with open(ext, "w") as f:
            f.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n" + (f"crlDistributionPoints=URI:{crl}\n" if crl else ""))
        openssl("x509", "-req", "-in", other.cert[:-4] + ".csr", "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", 365, "-extfile", ext, "-out", made.cert)
        self.issued.append(made)
        return made

    def revoke(self, identity):
        self.revoked.append(identity)

    def _write_index(self):
        with open(self.index, "w") as f:
            for i in self.issued:
                text = openssl("x509", "-in", i.cert, "-noout", "-serial", "-enddate", "-subject", "-nameopt", "compat").decode()
                serial, end, subject = (line.split("=", 1)[1].strip() for line in text.strip().split("\n"))
                until = time.strftime("%y%m%d%H%M%SZ", time.strptime(end, "%b %d %H:%M:%S %Y %Z"))
                gone = time.strftime("%y%m%d%H%M%SZ,keyCompromise", time.gmtime(time.time() - 3600)) if i in self.revoked else ""
                f.write(f"{'R' if gone else 'V'}\t{until}\t{gone}\t{serial}\tunknown\t{subject}\n")
        with open(self.index + ".attr", "w") as f:
            f.write("unique_subject = no\n")

    def crl(self, hours=24, by=None, old=False):
        """DER of a list of what was revoked so far. by: another authority signs it. old: it was good until yesterday."""
        self._write_index()
        conf, out = os.path.join(self.folder, self.name + ".crl.cnf"), os.path.join(self.folder, self.name + ".crl")
        with open(conf, "w") as f:
            f.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.index}\ndefault_md=sha256\n")
        signer = by or self

        def day(ago):
            return time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() - 86400 * ago))
        openssl("ca", "-config", conf, "-gencrl", "-keyfile", signer.key, "-cert", signer.cert, *(("-crl_lastupdate", day(2), "-crl_nextupdate", day(1)) if old else ("-crlhours", hours)), "-out", out)
        return openssl("crl", "-in", out, "-outform", "DER")

    def responder(self, signer=None, more=(), nonce="echo"):
        """For Web.files: answers POST by `openssl ocsp`. signer: a delegated one. nonce: echo what was asked with, none, or another one."""
        def answer(handler):
            request, response = (os.path.join(self.folder, f"{self.name}.{threading.get_ident()}.{x}") for x in ("req", "resp"))
            with open(request, "wb") as f:
                f.write(handler.rfile.read(int(handler.headers.get("Content-Length") or 0)))
            text = openssl("ocsp", "-reqin", request, "-req_text", "-noverify").decode()
            self.nonces += re.findall(r"OCSP Nonce:\s+([0-9A-F]+)", text)
            if nonce != "echo":  # openssl's responder echoes: it is asked in another way
                serial = re.search(r"Serial Number: ([0-9A-F]+)", text).group(1)
                openssl("ocsp", "-issuer", self.cert, "-serial", "0x" + serial, "-no_nonce" if nonce == "none" else "-nonce", "-reqout", request)
            self._write_index()
            who = signer or self
            openssl("ocsp", "-index", self.index, "-CA", self.cert, "-rsigner", who.cert, "-rkey", who.key, "-reqin", request, "-respout", response, "-nmin", 10, *more)
            with open(response, "rb") as f:
                octets = f.read()
            handler.send_response(200)
            handler.send_header("Content-Type", "application/ocsp-response")
            handler.send_header("Content-Length", str(len(octets)))
            handler.end_headers()
            handler.wfile.write(octets)
        return answer
