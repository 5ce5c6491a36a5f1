"""Other mail servers as neighbours of a gateway: Exim and OpenSMTPD, beside Postfix (postfix.py). Debian's packages exclude each other, so theirs are unpacked into a folder
(`make neighbours`) and laid over /usr in a mount namespace of the server's own. Needs root. Each takes everything and hands it to the next hop."""
import os
import signal
import socket
import subprocess

from gateway import ROOT, free_ports, wait_for

UNPACKED = os.path.join(ROOT, "build", "neighbours")
USERS = {"Debian-exim": 59801, "opensmtpd": 59802, "opensmtpq": 59803}


def certificate(folder, name):
    """(certificate file, key file) of a self-signed P-256 certificate."""
    cert, key = os.path.join(folder, "tls.pem"), os.path.join(folder, "tls.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", f"/CN={name}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


class Neighbour:
    def __init__(self, top, name, next_hop, host=None, tls=None):
        """next_hop: host:port, or None for the MX hosts of each recipient's domain. host: one of netns.py, where it listens at port 25. tls: (certificate, key)."""
        if not os.path.isdir(UNPACKED):
            raise AssertionError(f"{UNPACKED} is missing: make neighbours unpacks the other mail servers")
        self.dir = os.path.join(top, name)
        self.host, (self.next_host, self.next_port) = host, (next_hop or ":25").rsplit(":", 1)
        self.ip, self.port = (host.address, 25) if host else ("127.0.0.1", free_ports(1)[0])
        self.address = f"{self.ip}:{self.port}"
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        for what, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n")):
            with open(f"/etc/{what}") as f:
                text = f.read()
            with open(self.path(what), "w") as f:
                f.write(text + "".join(line.format(u, n) for u, n in USERS.items() if f"\n{u}:" not in text))
        self.tls = tls or certificate(self.dir, name)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def start(self, prepare, command):
        script = self.write("start.sh", f"""set -e
mount -t overlay overlay -o lowerdir={UNPACKED}/usr:/usr /usr
mount --bind {self.path("passwd")} /etc/passwd
mount --bind {self.path("group")} /etc/group
{prepare}
exec {command}
""")
        self.log = open(self.path("log"), "ab")
        args = self.host.command("sh", script) if self.host else ["unshare", "-m", "--propagation", "private", "sh", script]
        self.proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        wait_for(f"{self.dir} to listen", 20, self.listens)
        return self

    def listens(self):
        if self.proc.poll() is not None:
            raise AssertionError(f"{self.dir} ended with {self.proc.returncode}: {self.words()}")
        def connects():
            with socket.socket() as s:
                return s.connect_ex((self.ip, self.port)) == 0
        return self.host.inside(connects) if self.host else connects()

    def words(self):
        with open(self.path("log"), errors="replace") as f:
            return f.read()[-3000:]

    def stop(self):
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
        self.log.close()


class Exim(Neighbour):
    def __init__(self, top, name, next_hop, host=None, tls=None):
        super().__init__(top, name, next_hop, host, tls)
        os.makedirs(self.path("spool"))
        os.chown(self.path("spool"), USERS["Debian-exim"], USERS["Debian-exim"])
        os.makedirs(self.path("logs"))
        os.chown(self.path("logs"), USERS["Debian-exim"], USERS["Debian-exim"])
        os.chmod(self.tls[1], 0o644)
        router = f"""next:
  driver = manualroute
  route_list = * {self.next_host}
  self = send
  transport = next
""" if next_hop else """mx:
  driver = dnslookup
  dnssec_request_domains = *
  transport = next
"""
        dane = "" if next_hop else "  hosts_try_dane = *\n  dnssec_request_domains = *\n"
        conf = self.write("exim.conf", f"""primary_hostname = {name}.exim.test
spool_directory = {self.path("spool")}
log_file_path = {self.path("logs")}/%slog
pid_file_path = {self.path("spool")}/pid
local_interfaces = {self.ip}
dns_dnssec_ok = 1
log_selector = +tls_cipher +tls_certificate_verified
daemon_smtp_ports = {self.port}
host_lookup =
keep_environment =
acl_smtp_rcpt = all
acl_smtp_data = all
smtp_accept_max = 0
queue_run_max = 5
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {self.tls[0]}
tls_privatekey = {self.tls[1]}
begin acl
all:
  accept
begin routers
{router}begin transports
next:
  driver = smtp
  port = {self.next_port}
{dane}begin retry
* * F,1h,2s
""")
        self.start("", f"/usr/sbin/exim4 -C {conf} -bdf -q2s")

    def words(self):
        out = super().words()
        for n in sorted(os.listdir(self.path("logs"))):
            with open(os.path.join(self.path("logs"), n), errors="replace") as f:
                out += f"--- {n}\n" + f.read()[-3000:]
        return out


class OpenSmtpd(Neighbour):
    """As a client it uses TLS. As a server it offers none: Debian 12's 6.8.0p2 breaks every handshake with OpenSSL 3 ("EVP lib"), with openssl s_client too."""
    def __init__(self, top, name, next_hop, host=None, tls=None):
        """tls: it offers STARTTLS all the same."""
        super().__init__(top, name, next_hop, host, tls)
        offer = ""
        if tls:
            os.chmod(self.tls[1], 0o600)
            offer = f'pki "here" cert "{self.tls[0]}"\npki "here" key "{self.tls[1]}"\n'
        conf = self.write("smtpd.conf", f"""{offer}listen on {self.ip} port {self.port} {'tls pki "here" ' if tls else ""}hostname {name}.opensmtpd.test
action "next" relay host smtp://{self.next_host}:{self.next_port}
match from any for any action "next"
""")
        self.start("mount -t tmpfs -o mode=755 tmpfs /var/spool\nmkdir -m 711 /var/spool/smtpd\nmount -t tmpfs -o mode=755 tmpfs /var/lib\nmkdir -p /var/lib/opensmtpd/empty\n"
                   "mount -t tmpfs -o mode=755 tmpfs /run", f"/usr/sbin/smtpd -d -f {conf}")
