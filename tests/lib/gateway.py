"""Real posternd processes for demo, end-to-end tests and benchmarks: write a configuration, start, talk through the command `postern`, stop.

Everything listens on loopback, on ports that were free a moment ago, below one directory; processes are ended by their id.
"""
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))


PORTS = (0, 1)  # which share of the ports is this process's, of how many: tests run side by side
GIVEN = set()    # not given again: whoever it was given to may not listen yet


def free_ports(n, address="127.0.0.1"):
    """n ports that nobody listens on now. Below those that the kernel gives to connections that go out: one of these might take a port before its server does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        end = min(int(f.read().split()[0]), 32768)
    first, (share, shares) = max(1025, end - 20000), PORTS
    size = (end - first) // shares
    socks, tries = {}, 0
    while len(socks) < n:
        port, tries = first + share * size + random.randrange(size), tries + 1
        assert tries < 1000, "no free port on this machine"
        if port in socks or (address, port) in GIVEN:
            continue
        pair = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
        try:
            for s in pair:
                s.bind((address, port))
            socks[port] = pair
        except OSError:
            for s in pair:
                s.close()
    for pair in socks.values():  # all held open until the last one is known
        for s in pair:
            s.close()
    GIVEN.update((address, port) for port in socks)
    return list(socks)


def wait_for(what, seconds, test, every=0.05):
    """The first true value of test(), or a failure that names what was waited for."""
    end = time.monotonic() + seconds
    while True:
        got = test()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(every)


class Gateway:
    def __init__(self, top, name, domain, inside_server, next_hop=None, settings="", domain_settings="", sections="", log_level="info", inside_settings="", outside_settings="",
                 inside_networks='"127.0.0.0/8"'):
        """top: directory; next_hop: host:port for outbound mail (None: MX); settings, domain_settings, sections, inside_settings, outside_settings (of the
        listeners): more configuration text."""
        self.inside_settings, self.outside_settings, self.inside_networks = inside_settings, outside_settings, inside_networks
        self.dir = os.path.join(top, name)
        self.name, self.domain, self.hostname = name, domain, "gw." + domain
        self.inside, self.outside = free_ports(2)
        self.inside_server, self.next_hop = inside_server, next_hop
        self.settings, self.domain_settings, self.sections, self.log_level = settings, domain_settings, sections, log_level
        self.sock = os.path.join(self.dir, "postern.sock")
        self.conf = os.path.join(self.dir, "postern.conf")
        self.log_path = os.path.join(self.dir, "log")
        self.data = os.path.join(self.dir, "data")
        self.proc = None
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        self.passphrase = os.path.join(self.dir, "passphrase")
        with open(self.passphrase, "w") as f:
            f.write(os.urandom(24).hex() + "\n")
        os.chmod(self.passphrase, 0o600)
        self.write_conf()

    def write_conf(self):
        users = "uid:59900" if os.geteuid() == 0 else "same"
        # a test of something else asks nobody for certificates; one of looking for them says so in sections
        find = "" if re.search(r"^find \{", self.sections, re.M) else "find {\n  tiers = {store}\n}"
        hop = f'relay-host = "{self.next_hop}"\n' if self.next_hop else ""
        with open(self.conf, "w") as f:
            f.write(f'''hostname = "{self.hostname}"
data-directory = "{self.data}"
control-socket = "{self.sock}"
passphrase-file = "{self.passphrase}"
users = "{users}"
log-level = {self.log_level}
{hop}{self.settings}
listener "inside" {{
  address = "127.0.0.1:{self.inside}"
  side = inside
  networks = {{{self.inside_networks}}}
  {self.inside_settings}
}}
listener "outside" {{
  address = "127.0.0.1:{self.outside}"
  side = outside
  {self.outside_settings}
}}
domain "{self.domain}" {{
  inside-server = "{self.inside_server}"
  {self.domain_settings}
}}
{self.sections}
{find}
''')

    def start(self, wait=True):
        log = open(self.log_path, "ab")
        self.mark = log.tell()
        env = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        env.pop("JOURNAL_STREAM", None)
        self.proc = self.launch([os.path.join(BUILD, "bin", "posternd"), "-c", self.conf], stderr=log, stdout=log, env=env)
        log.close()
        if wait:
            self.wait_ready()
        return self

    def launch(self, command, **kw):
        return subprocess.Popen(command, **kw)

    def log(self, since=0):
        with open(self.log_path, "rb") as f:
            f.seek(since)
            return f.read().decode("utf-8", "replace")

    def wait_log(self, pattern, seconds=20, since=None):
        since = self.mark if since is None else since
        return wait_for(f"{pattern!r} in the log of {self.name}", seconds, lambda: re.search(pattern, self.log(since)))

    def wait_ready(self, seconds=60):
        def ready():
            if self.proc.poll() is not None:
                raise AssertionError(f"{self.name}: posternd ended with {self.proc.returncode}:\n{self.log(self.mark)[-2000:]}")
            t = self.log(self.mark)
            return "ready all=" in t and "keys-ready" in t
        wait_for(f"{self.name} to be ready", seconds, ready)

    def roles(self):
        """role -> list of process ids, as the parent says."""
        out = {}
        for r in self.cli("status")["parent"]["roles"]:
            out.setdefault(r["role"], []).append(r["pid"])
        return out

    def stop(self, seconds=40):
        if self.proc is None or self.proc.poll() is not None:
            return self.proc.returncode if self.proc else None
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(seconds)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise AssertionError(f"{self.name}: posternd did not end within {seconds} s of SIGTERM")
        return self.proc.returncode

    def postern(self, *args, stdin=None, check=True):
        """Runs `postern ARGS`; (status, stdout, stderr)."""
        p = subprocess.run([os.path.join(BUILD, "bin", "postern"), "--socket", self.sock, *map(str, args)], input=stdin, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180)
        if check and p.returncode != 0:
            raise AssertionError(f"{self.name}: postern {' '.join(map(str, args))}: {p.returncode}: {p.stderr}{p.stdout}")
        return p.returncode, p.stdout, p.stderr

    def cli(self, *args):
        """postern --json ARGS, parsed."""
        return json.loads(self.postern("--json", *args)[1])

    def queue(self, **kw):
        return self.cli("queue", "list", *[x for k, v in kw.items() for x in ("--" + k, v)])["messages"]

    def make_identity(self, *args):
        """Our own keys and certificates (self-signed unless told otherwise); files sign.pem, decrypt.pem for the partner. Also a TLS key."""
        got = self.cli("domain", "add", self.domain, *(args or ("--self-signed",)))
        files = []
        for k in got["keys"]:
            path = os.path.join(self.dir, k["use"] + ".pem")
            with open(path, "w") as f:
                f.write(k["pem"])
            files.append(path)
        self.tls_pem = self.cli("domain", "tls", self.hostname, "--self-signed")["keys"][0]["pem"]
        self.files = files
        return files

    def trust(self, other, *partner_args):
        """What an admin does with the two certificate files that the partner sent by a trusted way."""
        self.postern("partner", "add", other.domain, *partner_args)
        for f in other.files:
            self.postern("cert", "import", f, "--for", other.domain, "--pin", "--yes")

    def wipe(self):
        shutil.rmtree(self.dir, ignore_errors=True)
