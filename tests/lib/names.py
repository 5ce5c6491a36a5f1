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
    """records[(name, "CERT")] = [rdata, ...]; else there is nothing. silent: domains whose questions get no answer; shut(): no answers until open()."""
    def __init__(self):
        self.records, self.silent, self.asked = {}, set(), []
        self.gate, self.lock = threading.Event(), threading.Condition()
        self.gate.set()
        self.port = free_ports(1)[0]
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.s.bind(("127.0.0.1", self.port))
        self.held = []
        threading.Thread(target=self._serve, daemon=True).start()

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
        self.s.close()

    def settings(self, *zones, more=""):
        stubs = ", ".join(f'"{z}=127.0.0.1@{self.port}"' for z in zones)
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

    def _answer(self, packet, peer):
        name, kind, end = self._question(packet)
        found = self.records.get((name, kind), [])
        soa = flat("ns.test") + flat("h.test") + struct.pack(">IIIII", 1, 3600, 600, 86400, 60)
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", NUMBERS[kind], 1, 60, len(r)) + r for r in found)
        if not found:  # of the zone above, as far as anybody can tell
            zone = ".".join(name.split(".")[-2:])
            body = flat(zone) + struct.pack(">HHIH", 6, 1, 60, len(soa)) + soa
        head = packet[:2] + struct.pack(">HHHHH", 0x8400 | (packet[2] & 1) << 8, 1, len(found), 0 if found else 1, 0)
        try:
            self.s.sendto(head + packet[12:end] + body, peer)
        except OSError:
            pass
