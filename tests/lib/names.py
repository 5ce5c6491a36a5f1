"""A name server of a test's own: it counts what it is asked, and answers when the test wants it, or never. For plain answers there is nsd (nexthop.py)."""
import socket
import struct
import threading

from gateway import free_ports

TYPES = {1: "A", 2: "NS", 6: "SOA", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 37: "CERT", 43: "DS", 48: "DNSKEY", 53: "SMIMEA"}
NUMBERS = {v: k for k, v in TYPES.items()}


def flat(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


class Names:
    """records[(name, "CERT")] = [rdata, ...], or a function that makes the list for each question anew; else there is nothing. silent: domains whose questions get no answer; shut(): no
    answers until open(). tcp[domain]: by UDP it is told to ask by TCP, and there gets the answer (whole), one octet of it a second (drip), messages without end (endless), or nothing (close).
    ttl: of all answers."""
    def __init__(self, ttl=60):
        self.records, self.silent, self.tcp, self.asked, self.by_tcp, self.ttl = {}, set(), {}, [], [], ttl
        self.gate, self.lock = threading.Event(), threading.Condition()
        self.gate.set()
        self.port = free_ports(1)[0]
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.s.bind(("127.0.0.1", self.port))
        self.held = []
        threading.Thread(target=self._serve, daemon=True).start()
        self.listener, self.stopped = socket.create_server(("127.0.0.1", self.port), backlog=256), threading.Event()
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    def shut(self):
        self.gate.clear()

    def open(self):
        """Questions that came meanwhile are answered now."""
        with self.lock:
            self.gate.set()
            for packet, peer in self.held:
                self._answer(packet, peer)
            self.held.clear()

    def stop(self):
        self.stopped.set()
        self.s.close()
        self.listener.close()

    def settings(self, *zones, more="", others=()):
        """others: (zone, Names) that another one serves."""
        stubs = ", ".join(f'"{z}=127.0.0.1@{n.port}"' for z, n in [*((z, self) for z in zones), *others])
        return f'dns {{\n  stubs = {{{stubs}}}\n  trust-anchor-file = "none"\n  loopback-hosts = yes\n  timeout = 3s\n  {more}\n}}\n'

    def _serve(self):
        while True:
            try:
                packet, peer = self.s.recvfrom(4096)
            except OSError:
                return
            with self.lock:
                name, kind, _ = self._question(packet)
                self.asked.append((name, kind))
                if any(name == d or name.endswith("." + d) for d in self.silent):
                    continue
                if self.gate.is_set():
                    self._answer(packet, peer)
                else:
                    self.held.append((packet, peer))

    @staticmethod
    def _question(packet):
        at, labels = 12, []
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1").lower())
            at += 1 + packet[at]
        kind = struct.unpack(">H", packet[at + 1:at + 3])[0]
        return ".".join(labels), TYPES.get(kind, str(kind)), at + 5

    def _fault(self, name):
        return next((f for d, f in self.tcp.items() if name == d or name.endswith("." + d)), None)

    def _answer(self, packet, peer):
        name, _, end = self._question(packet)
        octets = self._message(packet)
        if self._fault(name):
            octets = packet[:2] + struct.pack(">HHHHH", 0x8600 | (packet[2] & 1) << 8, 1, 0, 0, 0) + packet[12:end]
        try:
            self.s.sendto(octets, peer)
        except OSError:
            pass

    def _message(self, packet):
        name, kind, end = self._question(packet)
        found = self.records.get((name, kind), [])
        found = found() if callable(found) else found
        soa = flat("ns.test") + flat("h.test") + struct.pack(">IIIII", 1, 3600, 600, 86400, 60)
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", NUMBERS[kind], 1, self.ttl, len(r)) + r for r in found)
        if not found:  # of the zone above, as far as anybody can tell
            zone = ".".join(name.split(".")[-2:])
            body = flat(zone) + struct.pack(">HHIH", 6, 1, 60, len(soa)) + soa
        head = packet[:2] + struct.pack(">HHHHH", 0x8400 | (packet[2] & 1) << 8, 1, len(found), 0 if found else 1, 0)
        return head + packet[12:end] + body

    def _serve_tcp(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one_tcp, args=(c,), daemon=True).start()

    def _one_tcp(self, c):
        try:
            with c, c.makefile("rb") as f:
                while True:
                    length = f.read(2)
                    if len(length) < 2:
                        return
                    packet = f.read(struct.unpack(">H", length)[0])
                    name, kind, end = self._question(packet)
                    self.by_tcp.append((name, kind))
                    fault, octets = self._fault(name), self._message(packet)
                    if fault == "close":
                        return
                    if fault == "drip":
                        for o in struct.pack(">H", len(octets)) + octets:
                            c.sendall(bytes([o]))
                            if self.stopped.wait(1):
                                return
                        continue
                    c.sendall(struct.pack(">H", len(octets)) + octets if fault != "endless" else b"")
                    junk = struct.pack(">H", 65535) + (packet[:2] + b"\x84\x00\x00\x01\xff\xff\x00\x00\x00\x00" + packet[12:end]).ljust(65535, b"\xc0")
                    while fault == "endless" and not self.stopped.is_set():
                        c.sendall(junk)
        except OSError:
            pass
