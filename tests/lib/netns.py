"""A small Internet of network namespaces: hosts around one router, each with its own addresses, /etc/hosts and /etc/resolv.conf, and root name servers of its own.

Needs root and leave to make namespaces; where it has none, the test that wanted them FAILS and says so. Nothing of it reaches the machine's network: the only link of a host is a veth
to a router in a namespace without any other (a router and no bridge: the machine's one table of neighbours, 1,024 by default, is too small for fifty that all know each other). Addresses are ones that would be public, so that the programs run with the settings they have in the world.
"""
import ctypes
import os
import shutil
import subprocess
import threading

from gateway import Gateway, wait_for
from neighbours import UNPACKED
from nexthop import Nsd, run

ROOT_SERVERS = ("198.41.0.4", "199.9.14.201", "170.247.170.2", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241", "192.112.36.4", "198.97.190.53", "192.36.148.17",
                "192.58.128.30", "193.0.14.129", "199.7.83.42", "202.12.27.33")  # where resolvers begin
CLONE_NEWNET = 0x40000000
ROUTER = "169.254.0.1"  # on each wire
MOUNTS = 'mount --bind "$0/resolv.conf" /etc/resolv.conf; mount --bind "$0/hosts" /etc/hosts; exec "$@"'


class Host:
    """One namespace with its addresses. command() is how a program is run in it, inside() how a function is."""
    def __init__(self, net, name, addresses):
        self.net, self.name, self.address = net, name, addresses[0]
        self.ns = f"{net.tag}-{name}"
        self.dir = os.path.join(net.dir, name)
        os.makedirs(self.dir)
        with open(os.path.join(self.dir, "hosts"), "w") as f:
            f.write("127.0.0.1 localhost\n")
        with open(os.path.join(self.dir, "resolv.conf"), "w") as f:
            f.write("nameserver 127.0.0.1\noptions edns0 trust-ad\n")
        net.namespace(self.ns)
        wire = f"v{len(net.hosts)}"
        net.ip("link", "add", "name", wire, "netns", net.hub, "type", "veth", "peer", "name", "eth0", "netns", self.ns)
        net.ip("-n", net.hub, "addr", "add", ROUTER + "/32", "dev", wire)
        net.ip("-n", net.hub, "link", "set", "dev", wire, "up")
        net.ip("-n", self.ns, "link", "set", "dev", "lo", "up")
        net.ip("-n", self.ns, "link", "set", "dev", "eth0", "up")
        for a in addresses:
            net.ip("-n", self.ns, "addr", "add", a + "/32", "dev", "eth0")
            net.ip("-n", net.hub, "route", "add", a + "/32", "dev", wire)
        net.ip("-n", self.ns, "route", "add", "default", "via", ROUTER, "dev", "eth0", "onlink", "src", addresses[0])
        self.resolver = None

    def command(self, *args):
        return ["nsenter", f"--net=/run/netns/{self.ns}", "unshare", "-m", "--propagation", "private", "sh", "-c", MOUNTS, self.dir, *args]

    def inside(self, function):
        """function() by a thread that is in this namespace; sockets and threads that it makes stay there."""
        got = []

        def body():
            with open(f"/run/netns/{self.ns}") as f:
                if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
                    got.append((None, OSError(ctypes.get_errno(), "setns")))
                    return
            try:
                got.append((function(), None))
            except BaseException as e:  # goes to the caller's thread
                got.append((None, e))
        t = threading.Thread(target=body)
        t.start()
        t.join()
        if got[0][1] is not None:
            raise got[0][1]
        return got[0][0]

    def resolve(self, anchors):
        """A validating resolver at 127.0.0.1:53 of this host."""
        conf = os.path.join(self.dir, "unbound.conf")
        with open(conf, "w") as f:
            f.write(f'server:\n interface: 127.0.0.1\n username: ""\n chroot: ""\n directory: "{self.dir}"\n pidfile: "{self.dir}/unbound.pid"\n use-syslog: no\n'
                    f' logfile: "{self.dir}/unbound.log"\n trust-anchor-file: "{anchors}"\n module-config: "validator iterator"\n do-ip6: no\nremote-control:\n control-enable: no\n')
        with open(os.path.join(self.dir, "start.sh"), "w") as f:
            f.write(f"set -e\nmount -t overlay overlay -o lowerdir={UNPACKED}/usr:/usr /usr\nexec /usr/sbin/unbound -d -c {conf}\n")
        self.resolver = subprocess.Popen(self.command("sh", os.path.join(self.dir, "start.sh")), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.net.procs.append(self.resolver)
        wait_for(f"the resolver of {self.name}", 20, lambda: self.inside(lambda: self._answers()))
        return self

    def _answers(self):
        import socket
        if self.resolver.poll() is not None:
            raise AssertionError(f"unbound of {self.name} ended with {self.resolver.returncode}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.connect(("127.0.0.1", 53))
            try:
                s.send(bytes([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1]))  # SOA of the root
                answer = s.recv(512)
                return answer[3] & 15 == 0 and answer[7] > 0
            except OSError:
                return False


class Net:
    def __init__(self, top):
        self.tag, self.dir, self.hosts, self.procs, self.made = f"pt{os.getpid()}", os.path.join(top, "net"), {}, [], []
        os.makedirs(self.dir)
        for d in (top, self.dir):
            os.chmod(d, 0o755)
        if os.geteuid() != 0:
            raise AssertionError("NOT RUN: this test makes network namespaces and needs root")
        self.hub = self.tag + "-hub"
        try:
            self.namespace(self.hub)
            run("ip", "netns", "exec", self.hub, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        except AssertionError as e:
            self.stop()
            raise AssertionError(f"NOT RUN: network namespaces are not permitted on this machine: {e}") from None

    def ip(self, *args):
        run("ip", *args)

    def namespace(self, name):
        self.ip("netns", "add", name)
        self.made.append(name)

    def host(self, name, *addresses):
        self.hosts[name] = Host(self, name, addresses)
        return self.hosts[name]

    def stop(self):
        for p in self.procs:
            p.terminate()
            p.wait()
        for n in self.made:
            subprocess.run(["ip", "netns", "del", n], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Dns(Nsd):
    """The whole DNS of such a net: one nsd that is all root servers and serves every zone; the root is signed and vouches for the signed zones."""
    def __init__(self, top, host):
        super().__init__(top, host.address, 53)
        self.host = host

    def root(self):
        """Writes and signs the root zone, with what it says of the others; its own DS is what resolvers start from. A new key each time."""
        ds = "".join(self.ds.values())
        text = "$ORIGIN .\n$TTL 60\n@ SOA a.root-servers.net. hostmaster. 1 3600 600 86400 60\n@ NS a.root-servers.net.\n" + f"a.root-servers.net. A {ROOT_SERVERS[0]}\n"
        text += "".join(f"{z}. NS ns.{z}.\nns.{z}. A {self.address}\n" for z in self.zones if z != ".") + ds
        path = os.path.join(self.dir, "root.zone")
        with open(path, "w") as f:
            f.write(text)
        key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ".", cwd=self.dir).decode().split()[-1]
        run("ldns-signzone", "-o", ".", "-f", "root.signed", "root.zone", key, cwd=self.dir)
        with open(self.anchors, "wb") as f:
            f.write(run("ldns-key2ds", "-n", "-2", key + ".key", cwd=self.dir))
        self.zones["."] = os.path.join(self.dir, "root.signed")

    def start(self):
        self.root()
        self.launch(ROOT_SERVERS + (self.address,), self.host.command, self.host.inside)
        return self

    def settings(self, more=""):
        return f'dns {{\n  trust-anchor-file = "{self.anchors}"\n  timeout = 5s\n  {more}\n}}\n'


class NetGateway(Gateway):
    """A gateway in a host of the net: port 25 to the outside there; the inside at 127.0.0.1 of that host."""
    def __init__(self, host, *args, **kw):
        self.host = host
        super().__init__(*args, **kw)

    def write_conf(self):
        super().write_conf()
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(text.replace(f"127.0.0.1:{self.outside}", f"{self.host.address}:25"))

    def launch(self, command, **kw):
        return super().launch(self.host.command(*command), **kw)


def missing():
    """What this machine lacks for such tests; "" when nothing."""
    return ", ".join(w for w in ("ip", "nsenter", "unshare", "ldns-signzone") if not shutil.which(w, path=os.environ["PATH"] + ":/usr/sbin:/sbin"))
