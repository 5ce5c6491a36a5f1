"""What stands around next hops: a certificate authority, an nsd with signed zones, mail hosts with TLS, an HTTPS server for MTA-STS policies. On loopback, or in namespaces: netns.py."""
import hashlib
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading

from gateway import free_ports, wait_for
from sink import Sink, _Session


def run(*args, **kw):
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    if r.returncode != 0:
        raise AssertionError(f"{' '.join(args)}: {r.stdout.decode('utf-8', 'replace')}")
    return r.stdout


class Authority:
    """A CA and what it has issued, as PEM files below one directory."""
    def __init__(self, top):
        self.dir, self.turn = os.path.join(top, "ca"), threading.Lock()
        os.makedirs(self.dir)
        self.cert, self.key = self.path("ca.pem"), self.path("ca.key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "300", "-subj", "/CN=Authority", "-keyout", self.key, "-out", self.cert)
        os.chmod(self.cert, 0o644)

    def path(self, name):
        return os.path.join(self.dir, name)

    def issue(self, name, san=True):
        """(certificate with chain, key) for a host name. san: in subjectAltName, else as the common name of the subject alone."""
        with self.turn:  # serial numbers are counted in one file
            return self.made(name, san)

    def made(self, name, san):
        cert, key, csr, ext = (self.path(name + ("" if san else "-cn") + e) for e in (".pem", ".key", ".csr", ".ext"))
        if os.path.exists(cert):
            return cert, key
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + ("host" if san else name), "-keyout", key, "-out", csr)
        with open(ext, "w") as f:
            f.write(f"subjectAltName=DNS:{name}\n" if san else "extendedKeyUsage=serverAuth\n")
        run("openssl", "x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "200", "-extfile", ext, "-out", cert)
        with open(cert, "a") as f, open(self.cert) as ca:
            f.write(ca.read())
        return cert, key


def spki256(cert):
    """The data of TLSA x 1 1."""
    pem = run("openssl", "x509", "-in", cert, "-noout", "-pubkey")
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, stdout=subprocess.PIPE, check=True).stdout
    return hashlib.sha256(der).hexdigest()


def cert256(cert):
    """The data of TLSA x 0 1."""
    return hashlib.sha256(run("openssl", "x509", "-in", cert, "-outform", "DER")).hexdigest()


class Nsd:
    """Zones on a loopback port; signed ones have their DS in the file anchors."""
    def __init__(self, top, address="127.0.0.1", port=None):
        self.dir, self.address = os.path.join(top, "nsd"), address
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        self.port = port or free_ports(1, address)[0]
        self.anchors = os.path.join(self.dir, "anchors")
        open(self.anchors, "w").close()
        self.zones, self.ds, self.keys, self.proc = {}, {}, {}, None

    def zone(self, name, records, sign=False, forge=()):
        """forge: (old, new) put into the signed file after signing: what the signatures do not cover. Written again it keeps its key."""
        path = os.path.join(self.dir, name + ".zone")
        with open(path, "w") as f:
            f.write(f"$ORIGIN {name}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A {self.address}\n" + "\n".join(records) + "\n")
        if sign:
            key = self.keys[name] = self.keys.get(name) or run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", name, cwd=self.dir).decode().split()[-1]
            run("ldns-signzone", "-n", "-f", name + ".signed", name + ".zone", key, cwd=self.dir)
            self.ds[name] = run("ldns-key2ds", "-n", "-2", key + ".key", cwd=self.dir).decode()
            with open(self.anchors, "w") as f:
                f.writelines(self.ds.values())
            path = os.path.join(self.dir, name + ".signed")
            with open(path) as f:
                text = f.read()
            for old, new in forge:
                assert old in text, f"{old} is not in {path}"
                text = text.replace(old, new)
            with open(path, "w") as f:
                f.write(text)
        self.zones[name] = path

    def start(self):
        self.launch((self.address,), lambda *args: list(args), lambda function: function())
        return self

    def launch(self, addresses, command, inside):
        """command(...): how a program is run where it shall answer; inside(function): how a function is."""
        conf = os.path.join(self.dir, "nsd.conf")
        with open(conf, "w") as f:
            f.write("server:\n" + "".join(f" ip-address: {a}@{self.port}\n" for a in addresses) + ' username: ""\n chroot: ""\n database: ""\n server-count: 1\n rrl-ratelimit: 0\n'
                    f' pidfile: "{self.dir}/pid"\n xfrdfile: "{self.dir}/xfrd"\n zonelistfile: "{self.dir}/zones"\n zonesdir: "{self.dir}"\n logfile: "{self.dir}/log"\n'
                    "remote-control:\n control-enable: no\n")
            f.writelines(f'zone:\n name: "{n}"\n zonefile: "{p}"\n' for n, p in self.zones.items())
        args = command(shutil.which("nsd", path=os.environ["PATH"] + ":/usr/sbin"), "-d", "-c", conf)
        self.proc = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first = next(iter(self.zones))
        labels = "".join(chr(len(x)) + x for x in first.split(".") if x) + "\0"
        question = bytes([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + labels.encode() + bytes([0, 6, 0, 1])

        def answers():
            if self.proc.poll() is not None:  # somebody's query left from this very port at that moment
                self.proc = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.2)
                s.connect((self.address, self.port))
                try:
                    s.send(question)
                    return len(s.recv(512)) > 12
                except OSError:
                    return False
        wait_for("nsd to answer", 20, lambda: inside(answers))

    def settings(self, more=""):
        """The section dns of a gateway that asks this server."""
        stubs = ", ".join(f'"{z}=127.0.0.1@{self.port}"' for z in self.zones)
        anchors = self.anchors if os.path.getsize(self.anchors) else "none"
        return f'dns {{\n  stubs = {{{stubs}}}\n  trust-anchor-file = "{anchors}"\n  loopback-hosts = yes\n  timeout = 3s\n  {more}\n}}\n'

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait()
            self.proc = None


class _TlsSession(_Session):
    """EHLO with what the host offers, STARTTLS, BDAT; the rest is the sink's."""
    def handle(self):
        host = self.server.sink
        host.sessions += 1
        sender, rcpts, tls, chunks, params = None, [], False, b"", {}
        self.say("220 mx ESMTP")
        while True:
            line = self.rfile.readline(65536)
            if not line:
                return
            verb, upper = line[:4].upper(), line.strip().upper()
            host.commands.append(line.strip().decode("utf-8", "replace"))
            if verb in (b"EHLO", b"HELO"):
                offered = ["mx", *host.offers, *(["STARTTLS"] if host.cert and not tls else [])]
                for i, word in enumerate(offered):
                    self.say("250" + (" " if i + 1 == len(offered) else "-") + word)
            elif upper == b"STARTTLS" and host.cert:
                self.say("220 2.0.0 go on")
                ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                ctx.load_cert_chain(*host.cert)
                try:
                    self.connection = ctx.wrap_socket(self.connection, server_side=True)
                except (ssl.SSLError, OSError):
                    return
                self.rfile, self.wfile, tls = self.connection.makefile("rb"), _Writer(self.connection), True
                host.tls_sessions += 1
            elif verb == b"MAIL":
                sender, rcpts, chunks = line.split(b"<", 1)[1].split(b">", 1)[0].decode(), [], b""
                self.say("250 2.1.0 ok")
            elif verb == b"RCPT":
                rcpts.append(line.split(b"<", 1)[1].split(b">", 1)[0].decode())
                self.say("250 2.1.5 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                body = self.data()
                if body is None:
                    return
                host.keep_over(sender, rcpts, body, tls)
                self.say("250 2.0.0 kept")
            elif verb == b"BDAT":
                words = upper.split()
                chunks += self.rfile.read(int(words[1]))
                if len(words) > 2:
                    host.keep_over(sender, rcpts, chunks, tls)
                self.say("250 2.0.0 chunk")
            elif verb == b"QUIT":
                self.say("221 2.0.0 bye")
                return
            elif verb in (b"RSET", b"NOOP"):
                self.say("250 2.0.0 ok")
            else:
                host.other(self, line.strip().decode("utf-8", "replace"))


class _Writer:
    def __init__(self, connection):
        self.connection = connection

    def write(self, octets):
        self.connection.sendall(octets)

    def flush(self):
        pass

    def close(self):
        pass

    closed = False


class MailHost(Sink):
    """A mail host on an address of its own: cert = (certificate, key) offers STARTTLS; offers = EHLO keywords."""
    def __init__(self, address, port, cert=None, offers=("PIPELINING", "8BITMIME")):
        import sink as module
        self.cert, self.offers, self.commands, self.sessions, self.tls_sessions = cert, list(offers), [], 0, 0
        self.mails, self.refuse, self.directory = [], {}, None
        self.lock = threading.Condition()
        self.server = module._Server((address, port), _TlsSession)
        self.server.sink = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def other(self, session, line):
        session.say("500 5.5.2 what?")

    def keep_over(self, sender, rcpts, body, tls):
        with self.lock:
            self.keep(sender, rcpts, body)
            self.mails[-1].tls = tls


class PolicyServer:
    """HTTPS at one address: policies by host name; other answers as (status, type, body, header fields)."""
    def __init__(self, address, authority, port=0):
        self.answers, self.asked, self.contexts = {}, [], {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers["Host"].split(":")[0]
                owner.asked.append((host, self.path))
                status, kind, body, fields = owner.answers.get(host, (404, "text/plain", b"", {}))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                for k, v in fields.items():
                    self.send_header(k, v)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass
        self.authority = authority
        self.server = Server((address, port), Handler)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(*authority.issue("default.invalid"))
        ctx.sni_callback = self._choose
        self.server.socket = ctx.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _choose(self, sock, name, ctx):
        if name in self.contexts:
            sock.context = self.contexts[name]

    def policy(self, domain, text, status=200, kind="text/plain", fields=None, cert_for=None, san=True):
        host = "mta-sts." + domain
        self.answers[host] = (status, kind, text.encode(), fields or {})
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(*self.authority.issue(cert_for or host, san))
        self.contexts[host] = ctx

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
