"""A real slapd on loopback with back_mdb: people with mail and proxyAddresses, a reader that must bind, TLS with a certificate for 127.0.0.1."""
import base64
import os
import signal
import socket
import subprocess

from gateway import free_ports, wait_for

CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.55555.1.1 NAME 'mailPerson' SUP top AUXILIARY MAY proxyAddresses )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {dir}/slapd.pid
TLSCertificateFile {dir}/cert.pem
TLSCertificateKeyFile {dir}/key.pem
database mdb
suffix "dc=hospital,dc=example"
rootdn "cn=root,dc=hospital,dc=example"
directory {dir}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=hospital,dc=example" read by * none
"""
READER = "cn=reader,dc=hospital,dc=example"
PASSWORD = "the reader's password"


class Process:
    """slapd with a configuration that stands in self.conf, its log in self.log_path."""
    proc = None

    def run(self, uris, ports):
        with open(self.log_path, "ab") as log:
            self.proc = subprocess.Popen(["slapd", "-d", "256", "-f", self.conf, "-h", " ".join(uris)], stdout=log, stderr=log)

        def up():
            try:
                for p in ports:
                    socket.create_connection(("127.0.0.1", p), 2).close()
                return True
            except OSError:
                return False
        wait_for("slapd to listen", 20, up)
        return self

    def stop(self):
        if self.proc:
            self.proc.send_signal(signal.SIGTERM)
            self.proc.wait(20)
            self.proc = None

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def searches(self):
        return self.log().count(" SRCH base=")


class Slapd(Process):
    def __init__(self, top, name, people, ports=None, names="IP:127.0.0.1", certs=None):
        """people: {uid: (mail, [proxyAddresses])}; certs: {uid: DER}"""
        self.dir = os.path.join(top, "slapd-" + name)
        self.log_path = os.path.join(self.dir, "stats")
        os.makedirs(os.path.join(self.dir, "db"))
        self.port, self.tls_port = ports or free_ports(2)
        self.uri, self.tls_uri = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.cert = os.path.join(self.dir, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=directory",
                        "-addext", "subjectAltName=" + names, "-keyout", os.path.join(self.dir, "key.pem"), "-out", self.cert], check=True, stderr=subprocess.DEVNULL)
        self.conf = os.path.join(self.dir, "slapd.conf")
        with open(self.conf, "w") as f:
            f.write(CONF.format(dir=self.dir))
        ldif = f"dn: dc=hospital,dc=example\nobjectClass: domain\ndc: hospital\n\ndn: {READER}\nobjectClass: person\ncn: reader\nsn: r\nuserPassword: {PASSWORD}\n\n"
        for uid, (mail, proxies) in people.items():
            ldif += f"dn: uid={uid},dc=hospital,dc=example\nobjectClass: inetOrgPerson\nobjectClass: mailPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\nmail: {mail}\n"
            ldif += "".join(f"proxyAddresses: {p}\n" for p in proxies)
            ldif += (f"userCertificate;binary:: {base64.b64encode(certs[uid]).decode()}\n" if certs else "") + "\n"
        subprocess.run(["slapadd", "-f", self.conf], input=ldif, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        return self.run((self.uri, self.tls_uri), (self.port, self.tls_port))
