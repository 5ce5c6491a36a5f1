"""The way `dns`: a proxy between the gateway and the kit's name server, over UDP and TCP. Mutants change answers, or have the question answered by a name server of their own."""
import os
import re
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
import time

from gateway import free_ports


def question(octets):
    """The name asked for, in small letters."""
    labels, at = [], 12
    while at < len(octets) and octets[at]:
        labels.append(octets[at + 1:at + 1 + octets[at]].decode("latin-1").lower())
        at += 1 + octets[at]
    return ".".join(labels)


def name_end(octets, at):
    while octets[at] and octets[at] < 0xC0:
        at += 1 + octets[at]
    return at + (1 if not octets[at] else 2)


def srv_ports_replaced(octets, port):
    """The answer with this port in every SRV record."""
    out = bytearray(octets)
    questions, *counts = struct.unpack(">4H", octets[4:12])
    at = 12
    for _ in range(questions):
        at = name_end(octets, at) + 4
    for _ in range(sum(counts)):
        at = name_end(octets, at)
        kind, _, _, length = struct.unpack(">HHIH", octets[at:at + 10])
        at += 10
        if kind == 33:
            out[at + 4:at + 6] = struct.pack(">H", port)
        at += length
    return bytes(out)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        octets, sock = self.request
        name, gang = question(octets), self.server.gang
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(octets, ("127.0.0.1", gang.dns_server(name) or self.server.target))
            try:
                sock.sendto(gang.dns_answer(name, s.recv(65535)), self.client_address)
            except OSError:
                pass


def exactly(sock, n):
    out = b""
    while len(out) < n:
        octets = sock.recv(n - len(out))
        if not octets:
            raise OSError("it ended")
        out += octets
    return out


def framed(sock):
    return exactly(sock, struct.unpack(">H", exactly(sock, 2))[0])


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        gang = self.server.gang
        try:
            while True:
                octets = framed(self.request)
                name = question(octets)
                with socket.create_connection(("127.0.0.1", gang.dns_server(name) or self.server.target), 5) as s:
                    s.sendall(struct.pack(">H", len(octets)) + octets)
                    answer = gang.dns_answer(name, framed(s))
                self.request.sendall(struct.pack(">H", len(answer)) + answer)
        except OSError:
            pass


class DnsProxy:
    """Member of a Gang like the proxies of SMTP."""
    def __init__(self, gang, port, target):
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.servers = [socketserver.ThreadingUDPServer(("127.0.0.1", port), Datagram), socketserver.ThreadingTCPServer(("127.0.0.1", port), Stream)]
        for s in self.servers:
            s.gang, s.target, s.daemon_threads = gang, target, True
            threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        for s in self.servers:
            s.shutdown()
            s.server_close()


class BogusSignedRightly:
    """nsd with the kit's bogus zone, signed by the key that the gateway was told. without: a label of the domain whose certificates are left out."""
    def __init__(self, kit, zone, without):
        made = os.path.join(kit.dir, "world", "zones")
        self.dir, self.port = tempfile.mkdtemp(prefix="bogus-signed-", dir=kit.dir), free_ports(1)[0]
        with open(os.path.join(made, zone + ".zone")) as f:
            lines = [x for x in f if not re.match(rf"\S*{re.escape(without)}\S*\s+(IN\s+)?(\d+\s+)?(CERT|SMIMEA|TYPE37|TYPE53)\b", x)]
        with open(os.path.join(self.dir, "zone"), "w") as f:
            f.writelines(lines)
        with open(os.path.join(made, zone + ".other")) as f:
            key = os.path.join(made, f.read().split()[-1])
        subprocess.run(["ldns-signzone", "-n", "-o", zone, "-f", "signed", "zone", key], cwd=self.dir, check=True, stdout=subprocess.DEVNULL)
        conf = os.path.join(self.dir, "nsd.conf")
        with open(conf, "w") as f:
            f.write(f'server:\n ip-address: 127.0.0.1@{self.port}\n username: ""\n chroot: ""\n database: ""\n server-count: 1\n rrl-ratelimit: 0\n pidfile: "{self.dir}/pid"\n'
                    f' xfrdfile: "{self.dir}/xfrd"\n zonelistfile: "{self.dir}/list"\n zonesdir: "{self.dir}"\n logfile: "{self.dir}/log"\nremote-control:\n control-enable: no\n'
                    f'zone:\n name: "{zone}"\n zonefile: "signed"\n')
        self.proc = subprocess.Popen(["nsd", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end, "nsd for the zone that is signed rightly does not answer"
                time.sleep(0.05)

    def stop(self):
        self.proc.terminate()
        self.proc.wait()
