#!/usr/bin/env python3
"""make bench: figures of this machine and ratios against real peers in the same run, interleaved.

  seal_ratio               messages a second, 20 KiB, TLS kept, 10 sessions: Postern sealing / Postfix with a pipe filter to openssl cms (sign, then encrypt)
                           that gives the result back to Postfix with sendmail, as its FILTER_README has it
  seal_ratio_smtp          the same over a filter that gives it back over SMTP, with a small program of its own
  seal_ratio_p256, seal_over_plain_postfix_p256  both with keys on P-256 to sign with
  seal_over_plain_postfix  Postern sealing / Postfix relaying without crypto, same load
  relay_ratio              Postern relaying plainly with its durable queue / Postfix relaying plainly
  queue_1m_start_s, queue_1m_rate_ratio   a queue of a million messages, half of them for dead destinations (bench_queue.c)
  gateway_1m_first_s, gateway_1m_rate_ratio   the same of a whole gateway: from its start to the first delivery; deliveries a second over those of a queue of 1,000 (million.py)
  open_ratio, open_ratio_smtp  the same load of sealed mail coming in: Postern opening and verifying / Postfix with such filters to openssl cms (decrypt, then verify)
  seal_cpu_over_raw_*, open_cpu_over_raw_*, open_way_over_raw_*, open_100m_*_s   CPU over the bare cryptography in one process (bench_cms.c)
  accept_p50_ms            one session: time from the final dot to the 250, median
  accept_over_fdatasync    the same over the median time of one fdatasync of 4 KiB on the same disk
  idle_tls_kib             private memory of the relay for each of 10,000 idle TLS sessions
  new_session_ms_at_10k    with them open: a new session from connect to the answer to EHLO over TLS
  rss_100m_mib             what the worst role's memory grows by, shared memory and all (memory cgroup), while a 100 MiB message is sealed, and while one is opened
  lookups_per_s_cold, lookups_per_s_warm, rcpt_warm_p50_ms   recipients at partners that nobody configured, whose certificates are in the DNS: found for the first time; known;
                           the answer to one RCPT when known (lookups.py)
  message_find_p95_ms      a question to a history of a million messages (bench_history.c)
  ui_p95_ms                the slowest path of the HTTP interface, 20,000 partners and a history of a million messages, while mail flows (ui.py)
  xsmg_unchanged_ms, xsmg_changed_ms   what the question after our statement adds to the envelope of a mail, when the partner has the newest and when not
  statements_per_s         statements given out (xsmg.py)

Each figure: name value unit (n, min..max). A copy in build/bench.json. ONLY=name,... for some. Peers and load are real processes on loopback; needs root (Postfix).
"""
import json
import os
import smtplib
import socket
import ssl
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from gateway import BUILD, ROOT, Gateway, free_ports, wait_for  # noqa: E402
from postfix import Postfix  # noqa: E402
import lookups  # noqa: E402
import million as million_gateway  # noqa: E402
import ui  # noqa: E402
import xsmg  # noqa: E402

SIZE = 20 * 1024
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SESSIONS = 10
IDLE = 10000
MILLION = int(os.environ.get("MILLION", "1000000"))
figures = {}


def figure(name, values, unit):
    v = sorted(values)
    figures[name] = {"value": statistics.median(v), "unit": unit, "n": len(v), "min": v[0], "max": v[-1]}
    print(f"{name} {statistics.median(v):.3g} {unit} (n={len(v)}, {v[0]:.3g}..{v[-1]:.3g})", flush=True)


def openssl(*args, **kw):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw)


def keys(top):
    """A sender's and a partner's RSA-2048 pair for the Postfix filter, as an admin would make them."""
    for name in ("sender", "partner"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{top}/{name}.key", "-out", f"{top}/{name}.pem", "-days", "30", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName=email:{name}@x.test", "-addext", "keyUsage=digitalSignature,keyEncipherment", "-addext", "extendedKeyUsage=emailProtection")
        os.chmod(f"{top}/{name}.key", 0o644)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{top}/p.key", "-out", f"{top}/p.pem", "-days", "30", "-subj", "/CN=partner.example",
            "-addext", "subjectAltName=DNS:partner.example", "-addext", "keyUsage=digitalSignature,keyEncipherment", "-addext", "extendedKeyUsage=emailProtection")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{top}/tls.key", "-out", f"{top}/tls.pem", "-days", "30", "-subj", "/CN=bench")


class Counter:
    """The last hop: a sink that costs little and counts. The rate is messages over the time from the first send to the last arrival."""
    def __init__(self):
        self.port = free_ports(1)[0]
        self.file = tempfile.NamedTemporaryFile(prefix="postern-bench-sink-")
        self.p = subprocess.Popen([os.path.join(BUILD, "tools", "sink"), "127.0.0.1", str(self.port), self.file.name])
        self.address = f"127.0.0.1:{self.port}"
        wait_for("the sink", 10, lambda: os.fstat(self.file.fileno()).st_size == 8)

    def count(self):
        return int.from_bytes(os.pread(self.file.fileno(), 8, 0), sys.byteorder)

    def stop(self):
        self.p.terminate()
        self.p.wait()
        self.file.close()


def load(port, n, sender, rcpt, tls, what=str(SIZE), sessions=SESSIONS):
    """n messages in kept sessions, commands pipelined as any mail server does. what: octets of each, or @file."""
    subprocess.run([os.path.join(BUILD, "tools", "load"), "127.0.0.1", str(port), str(n), str(sessions), what, sender, rcpt, "tls" if tls else "plain"],
                   check=True, stdout=subprocess.DEVNULL)


def rate(port, sink, n, sender, rcpt, tls, what=str(SIZE)):
    before = sink.count()
    began = time.monotonic()
    load(port, n, sender, rcpt, tls, what)
    wait_for(f"{n} messages at the sink", 300, lambda: sink.count() - before >= n, every=0.01)
    return n / (time.monotonic() - began)


def postern(top, sink, more="", next_hop=True, sections="", keys=()):
    # the receiving side takes sealed mail as it is: a plain sink, so that only one gateway is measured
    sections += "smtp-server {\n message-max = 200M\n}\n"
    if next_hop:
        sections += "smtp-client {\n connections = 20\n first-connections = 10\n}\n"
    g = Gateway(top, "postern", "hospital.example", sink.address, sink.address if next_hop else None, settings="relay-tls = none\n" + (more or "sessions-per-client = 1000\n"),
                domain_settings="inside-tls = none", log_level="warn", sections=sections)
    g.start(wait=False)
    wait_for("posternd", 60, lambda: os.path.exists(g.sock) and g.postern("status", check=False)[0] == 0)
    wait_for("keys", 60, lambda: g.cli("status")["parent"]["keeper"] == "ready")
    g.make_identity("--self-signed", *keys)
    return g


def filter_postfix(top, name, sink, commands, smtp=False):
    """What an admin builds by hand: content filter by pipe(8), a script that runs `commands` (from "$t/in" to "$t/out") and gives the result back to Postfix, whose queue keeps it
    until the next hop has it: with sendmail(1), as FILTER_README has it, or with smtp=True with a small program that speaks to a second smtpd."""
    script = os.path.join(top, name + ".sh")
    back = free_ports(1)[0]
    if smtp:
        if not os.path.exists(os.path.join(top, "inject")):
            shutil.copy(os.path.join(BUILD, "tools", "inject"), top)  # where user nobody can run it
        give = f'{top}/inject 127.0.0.1 {back} "$1" "$2" <"$t/out"'
    else:
        give = 'unset MAIL_CONFIG; /usr/sbin/sendmail -G -i -f "$1" -- "$2" <"$t/out"'
    with open(script, "w") as f:
        f.write(f"""#!/bin/sh
t=$(mktemp -d {top}/work-{name}/XXXXXX) || exit 75
trap 'rm -rf "$t"' EXIT
cat >"$t/in" || exit 75
{commands}
{give}
""")
    os.chmod(script, 0o755)
    os.makedirs(os.path.join(top, "work-" + name), exist_ok=True)
    os.chmod(os.path.join(top, "work-" + name), 0o777)
    p = Postfix(top, name, f"[127.0.0.1]:{sink.port}", extra={
        "smtpd_tls_cert_file": f"{top}/tls.pem", "smtpd_tls_key_file": f"{top}/tls.key", "smtpd_tls_security_level": "may", "content_filter": "", "smtp_tls_security_level": "none"},
        sendmail=not smtp)
    conf = os.path.join(p.conf, "master.cf")
    with open(conf) as f:
        text = f.read()
    text = text.replace(f"127.0.0.1:{p.port} inet n - n - - smtpd", f"127.0.0.1:{p.port} inet n - n - - smtpd\n  -o content_filter=seal:dummy")
    text += f"\nseal unix - n n - 10 pipe\n  flags=Rq user=nobody null_sender= argv={script} ${{sender}} ${{recipient}}\n"
    if smtp:
        text += f"127.0.0.1:{back} inet n - n - - smtpd\n  -o content_filter=\n"
    with open(conf, "w") as f:
        f.write(text)
    return p.start()


def sealing_postfix(top, sink, name="filter", sender="sender", smtp=False):
    return filter_postfix(top, name, sink, f"""openssl cms -sign -binary -nodetach -signer {top}/{sender}.pem -inkey {top}/{sender}.key -in "$t/in" -out "$t/signed" -md sha256 || exit 75
openssl cms -encrypt -binary -aes-256-cbc -in "$t/signed" -out "$t/out" -from "$1" -to "$2" -subject bench {top}/partner.pem || exit 75""", smtp)


def sealing_p256(top, sink):
    """The same with keys on P-256 to sign with, ours and that of the filter; encrypted for the same RSA certificate."""
    folder, began = os.path.join(top, "p256"), []
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{top}/sender-ec.key", "-out", f"{top}/sender-ec.pem", "-days", "30", "-subj", "/CN=sender",
            "-addext", "subjectAltName=email:sender@x.test", "-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=emailProtection")
    os.chmod(f"{top}/sender-ec.key", 0o644)
    try:
        g = postern(folder, sink, keys=("--algo", "ec-p256"))
        began.append(g)
        partner(top, g)
        filt = sealing_postfix(top, sink, "filter-ec", "sender-ec")
        began.append(filt)
        plain = tls_postfix(top, "plain-ec", sink)
        began.append(plain)
        seal, fpf, ppf = [], [], []
        for _ in range(ROUNDS):
            seal.append(rate(g.inside, sink, 2400, "a@hospital.example", "b@partner.example", True))
            fpf.append(rate(filt.port, sink, 120, "sender@x.test", "partner@x.test", True))
            ppf.append(rate(plain.port, sink, 800, "a@x.test", "b@y.test", True))
    finally:
        for s in reversed(began):
            s.stop()
    figure("seal_p256_per_s", seal, "1/s")
    figure("seal_ratio_p256", [a / b for a, b in zip(seal, fpf)], "x")
    figure("seal_over_plain_postfix_p256", [a / b for a, b in zip(seal, ppf)], "x")


def opening_postfix(top, sink, name="opener", smtp=False):
    """The header fields of the message go around what was opened, as a filter must do."""
    return filter_postfix(top, name, sink, f"""openssl cms -decrypt -in "$t/in" -out "$t/opened" -recip {top}/partner.pem -inkey {top}/partner.key || exit 75
openssl cms -verify -in "$t/opened" -out "$t/content" -CAfile {top}/sender.pem -purpose any 2>"$t/why" || exit 75
{{ sed -n '/^\r*$/q; /^[Cc]ontent-/d; p' "$t/in"; cat "$t/content"; }} >"$t/out" || exit 75""", smtp)


def sealed_message(top, name, signer, recipient, sender, rcpt, size):
    """A message of `size` octets, signed and encrypted by openssl, in a file without Message-ID."""
    content = os.path.join(top, "content")
    with open(content, "wb") as f:
        f.write(b"Content-Type: text/plain\r\n\r\n")
        f.write((b"x" * 72 + b"\r\n") * (size // 74))
    openssl("cms", "-sign", "-binary", "-nodetach", "-stream", "-signer", signer + ".pem", "-inkey", signer + ".key", "-md", "sha256", "-in", content, "-out", content + ".s")
    crlf(content + ".s", content + ".c")
    openssl("cms", "-encrypt", "-binary", "-stream", "-aes-256-cbc", "-in", content + ".c", "-out", content + ".e", recipient)
    path = os.path.join(top, name)
    crlf(content + ".e", path, f"From: <{sender}>\r\nTo: <{rcpt}>\r\nSubject: load\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n".encode())
    for suffix in ("", ".s", ".c", ".e"):
        os.unlink(content + suffix)
    return "@" + path


def crlf(source, target, first=b""):
    with open(source, "rb") as i, open(target, "wb") as o:
        o.write(first)
        for line in i:
            o.write(line.rstrip(b"\r\n") + b"\r\n")


def tls_postfix(top, name, sink):
    return Postfix(top, name, f"[127.0.0.1]:{sink.port}", extra={
        "smtpd_tls_cert_file": f"{top}/tls.pem", "smtpd_tls_key_file": f"{top}/tls.key", "smtpd_tls_security_level": "may"}).start()


def accept_p50(g):
    times = []
    body = b"From: a@hospital.example\r\nSubject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * 260
    with smtplib.SMTP("127.0.0.1", g.inside) as s:
        s.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the client waits for its own acknowledgement
        s.ehlo()
        for _ in range(300):
            s.mail("a@hospital.example")
            s.rcpt("b@clear.example")
            s.putcmd("data")
            s.getreply()
            s.send(body)
            t = time.monotonic()
            s.send(b".\r\n")
            s.getreply()
            times.append((time.monotonic() - t) * 1000)
    return times


def fdatasync_ms(folder):
    times = []
    with tempfile.TemporaryFile(dir=folder) as f:
        for _ in range(300):
            f.write(b"x" * 4096)
            f.flush()
            t = time.monotonic()
            os.fdatasync(f.fileno())
            times.append((time.monotonic() - t) * 1000)
    return statistics.median(times)


def memory_kib(pid):
    """Private and shared memory of a process (its part of what is shared), in KiB."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("Pss:", "SwapPss:")))


def new_session_ms(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    t = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as s:
        s.starttls(context=context)
        s.ehlo()
        return (time.monotonic() - t) * 1000


def idle_sessions(top, sink):
    """A gateway of its own, because its limits are raised."""
    g = postern(os.path.join(top, "idle"), sink, "sessions-max = 20000\nsessions-per-client = 20000\n")
    try:
        relay = g.roles()["relay"][0]
        new_session_ms(g.inside)
        before = memory_kib(relay)
        p = subprocess.Popen([os.path.join(BUILD, "tools", "idle"), "127.0.0.1", str(g.inside), str(IDLE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if p.stdout.readline().split() != [b"open", str(IDLE).encode()]:
                raise AssertionError("not all idle sessions could be opened")
            return (memory_kib(relay) - before) / IDLE, [new_session_ms(g.inside) for _ in range(9)]
        finally:
            p.stdin.close()
            p.wait()
    finally:
        g.stop()


class Charged:
    """What the kernel charges a process for from now on: anonymous memory and shared memory, mapped or only held open, in a memory cgroup of its own (version 1 or 2)."""
    def __init__(self, pid, name):
        for root, self.kinds in (("/sys/fs/cgroup/memory", ("rss ", "shmem ")), ("/sys/fs/cgroup", ("anon ", "shmem "))):
            self.dir = os.path.join(root, f"postern-bench-{pid}-{name}")
            try:
                os.mkdir(self.dir)
            except OSError:
                continue
            if os.path.exists(os.path.join(self.dir, "memory.stat")):
                with open(os.path.join(self.dir, "cgroup.procs"), "w") as f:
                    f.write(str(pid))
                return
            os.rmdir(self.dir)
        raise AssertionError("no memory cgroup can be made: mount one of version 1 at /sys/fs/cgroup/memory, or version 2 with the memory controller at /sys/fs/cgroup")

    def mib(self):
        with open(os.path.join(self.dir, "memory.stat")) as f:
            return sum(int(line.split()[1]) for line in f if line.startswith(self.kinds)) / (1 << 20)

    def end(self):
        """After the process."""
        wait_for("the cgroup to be empty", 10, lambda: not open(os.path.join(self.dir, "cgroup.procs")).read())
        os.rmdir(self.dir)


def growth_100m(g, groups, direction, port, sender, rcpt, what):
    """The largest growth of any role over its idle memory, looked at every 20 ms, in MiB."""
    idle = {c: c.mib() for _, c in groups}
    worst, over = {}, threading.Event()

    def watch():
        while not over.is_set():
            for role, c in groups:
                worst[role] = max(worst.get(role, 0), c.mib() - idle[c])
            time.sleep(0.02)
    t = threading.Thread(target=watch)
    t.start()
    try:
        load(port, 1, sender, rcpt, True, what, 1)
        wait_for("the large message to be delivered", 300, lambda: g.cli("status")["relay"]["queue"]["active"] == 0)
    finally:
        over.set()
        t.join()
    role = max(worst, key=worst.get)
    print(f"  100 MiB {direction}: the largest growth is that of {role}; all: " + ", ".join(f"{r} {worst[r]:.1f}" for r in sorted(worst)))
    return worst[role]


def large_messages(top, sink):
    """In a gateway of its own that has done nothing yet, so that what it keeps from other work is not taken for idle."""
    g = postern(os.path.join(top, "large"), sink)
    groups = []
    try:
        partner(top, g)
        path = sealed_message(top, "large-message", f"{top}/p", os.path.join(g.dir, "decrypt.pem"), "b@partner.example", "a@hospital.example", 100 << 20)
        for role, pids in g.roles().items():
            groups += [(role, Charged(p, role)) for p in pids]
        ways = [growth_100m(g, groups, "sealed", g.inside, "a@hospital.example", "b@partner.example", str(100 << 20)),
                growth_100m(g, groups, "opened", g.outside, "b@partner.example", "a@hospital.example", path)]
        os.unlink(path[1:])
        return ways
    finally:
        g.stop()
        for _, c in groups:
            c.end()


def partner(top, g):
    """partner.example gets sealed mail, and is believed when it sends some: its pair is p.key, p.pem."""
    g.postern("partner", "add", "partner.example", "--treatment", "seal", "--strength", "require")
    g.postern("cert", "import", f"{top}/p.pem", "--for", "partner.example", "--pin", "--yes")


def program(name, *args, got=None):
    """A bench program's lines `name value unit`, a figure each; with `got`, collected there for more rounds."""
    out = subprocess.run([os.path.join(BUILD, "bench", name), *args], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    lines = {} if got is None else got
    for line in out.splitlines():
        figure_name, value, unit = line.split()[:3]
        lines.setdefault((figure_name, unit), []).append(float(value))
    if got is None:
        for (figure_name, unit), values in lines.items():
            figure(figure_name, values, unit)


def million(top):
    """A queue of a million, of the queue alone; each round with directories of its own."""
    got = {}
    for i in range(ROUNDS):
        where = os.path.join(os.environ.get("TMPDIR", "/var/tmp"), f"postern-bench-1m-{os.getpid()}-{i}")
        try:
            program("bench_queue", where, "million", got=got)
        finally:
            shutil.rmtree(where, ignore_errors=True)
    for (name, unit), values in got.items():
        figure(name, values, unit)


def history(top):
    """What became of a million messages: how long questions take."""
    where = os.path.join(top, "history")
    try:
        program("bench_history", where, str(MILLION))
    finally:
        shutil.rmtree(where, ignore_errors=True)


def gateway_million(top, sink):
    """The same of whole gateways, with SMTP and DNS."""
    small, large, first = [], [], []
    for i in range(ROUNDS):
        for n, count, rates in ((1000, 1000, small), (MILLION, MILLION // 50, large)):
            where = os.path.join(top, f"million-{i}-{n}")
            os.makedirs(where)
            os.chmod(where, 0o755)
            seconds, rate_of = million_gateway.run(where, sink, lambda t, more, sections: postern(t, sink, more, False, sections), n, count)
            rates.append(rate_of)
            if n == MILLION:
                first.append(seconds)
            subprocess.run(["rm", "-rf", where])
    figure("gateway_1m_first_s", first, "s")
    figure("gateway_1m_per_s", large, "1/s")
    figure("gateway_1k_per_s", small, "1/s")
    figure("gateway_1m_rate_ratio", [a / b for a, b in zip(large, small)], "x")


def main():
    wanted = [w for w in os.environ.get("ONLY", "").split(",") if w]

    def want(*names):
        return not wanted or any(n in wanted for n in names)
    top = tempfile.mkdtemp(prefix="postern-bench-")
    os.chmod(top, 0o755)
    keys(top)
    sink = Counter()
    stop = [sink]
    try:
        g = postern(top, sink)
        stop.append(g)
        g.postern("partner", "add", "clear.example", "--treatment", "clear", "--strength", "never")
        partner(top, g)
        plain = tls_postfix(top, "plain", sink)
        stop.append(plain)
        seal, relay, ppf = [], [], []
        filters = {}  # the figure's suffix: the peer, its rates
        for suffix, smtp in (("", False), ("_smtp", True)):
            if want("seal_ratio" + suffix):
                filters[suffix] = (sealing_postfix(top, sink, "filter" + suffix, smtp=smtp), [])
                stop.append(filters[suffix][0])
        for _ in range(ROUNDS):
            if want("seal_ratio", "seal_ratio_smtp", "seal_over_plain_postfix"):
                seal.append(rate(g.inside, sink, 2400, "a@hospital.example", "b@partner.example", True))
            for filt, rates in filters.values():
                rates.append(rate(filt.port, sink, 120, "sender@x.test", "partner@x.test", True))
            if want("seal_over_plain_postfix"):
                ppf.append(rate(plain.port, sink, 800, "a@x.test", "b@y.test", True))
            if want("relay_ratio"):
                relay.append((rate(g.inside, sink, 3000, "a@hospital.example", "b@clear.example", False), rate(plain.port, sink, 1000, "a@x.test", "b@y.test", False)))
        if seal:
            figure("seal_per_s", seal, "1/s")
        for suffix, (_, rates) in filters.items():
            figure("postfix_openssl_pipe" + suffix + "_per_s", rates, "1/s")
            figure("seal_ratio" + suffix, [a / b for a, b in zip(seal, rates)], "x")
        if ppf:
            figure("postfix_plain_tls_per_s", ppf, "1/s")
            figure("seal_over_plain_postfix", [a / b for a, b in zip(seal, ppf)], "x")
        if relay:
            figure("relay_per_s", [a for a, _ in relay], "1/s")
            figure("postfix_relay_per_s", [b for _, b in relay], "1/s")
            figure("relay_ratio", [a / b for a, b in relay], "x")
        if want("seal_ratio_p256", "seal_over_plain_postfix_p256"):
            sealing_p256(top, sink)
        if want("queue_1m_start_s", "queue_1m_rate_ratio"):
            million(top)
        if want("gateway_1m_rate_ratio", "gateway_1m_first_s"):
            gateway_million(top, sink)
        if want("open_ratio", "open_ratio_smtp"):
            peers = {}
            for suffix, smtp in (("", False), ("_smtp", True)):
                if want("open_ratio" + suffix):
                    peers[suffix] = (opening_postfix(top, sink, "opener" + suffix, smtp), [])
                    stop.append(peers[suffix][0])
            ours = sealed_message(top, "sealed", f"{top}/p", os.path.join(g.dir, "decrypt.pem"), "b@partner.example", "a@hospital.example", SIZE)
            theirs = sealed_message(top, "sealed-peer", f"{top}/sender", f"{top}/partner.pem", "sender@x.test", "partner@x.test", SIZE)
            load(g.outside, 1, "b@partner.example", "a@hospital.example", True, ours)
            wait_for("the first message to be opened", 60, lambda: g.cli("status")["relay"]["queue"]["active"] == 0)
            held = g.cli("queue", "list", "--state", "held")["messages"]
            if held:
                raise AssertionError(f"sealed mail is held instead of opened: {held}")
            opened = []
            for _ in range(ROUNDS):
                opened.append(rate(g.outside, sink, 1500, "b@partner.example", "a@hospital.example", True, ours))
                for peer, rates in peers.values():
                    rates.append(rate(peer.port, sink, 120, "sender@x.test", "partner@x.test", True, theirs))
            figure("open_per_s", opened, "1/s")
            for suffix, (_, rates) in peers.items():
                figure("postfix_openssl_open" + suffix + "_per_s", rates, "1/s")
                figure("open_ratio" + suffix, [a / b for a, b in zip(opened, rates)], "x")
        if want("seal_cpu_over_raw_20k", "seal_cpu_over_raw_1m", "open_cpu_over_raw_20k", "open_cpu_over_raw_25m", "open_way_over_raw_20k", "open_way_over_raw_25m", "open_100m_cms_cpu_s", "open_100m_cpu_s"):
            program("bench_cms", str(max(ROUNDS, 5)))
        if want("accept_p50_ms", "accept_over_fdatasync"):
            pairs = [(statistics.median(accept_p50(g)), fdatasync_ms(top)) for _ in range(ROUNDS)]
            figure("accept_p50_ms", [a for a, _ in pairs], "ms")
            figure("fdatasync_p50_ms", [b for _, b in pairs], "ms")
            figure("accept_over_fdatasync", [a / b for a, b in pairs], "x")
        if want("lookups_per_s_cold", "lookups_per_s_warm", "rcpt_warm_p50_ms"):
            cold, warm, p50 = lookups.measure(top, sink, ROUNDS)
            figure("lookups_per_s_cold", cold, "1/s")
            figure("lookups_per_s_warm", warm, "1/s")
            figure("rcpt_warm_p50_ms", p50, "ms")
        if want("xsmg_unchanged_ms", "xsmg_changed_ms", "statements_per_s"):
            unchanged, changed, per_s = xsmg.measure(top, ROUNDS)
            figure("xsmg_unchanged_ms", unchanged, "ms")
            figure("xsmg_changed_ms", changed, "ms")
            figure("statements_per_s", per_s, "1/s")
        if want("message_find_p95_ms"):
            history(top)
        if want("ui_p95_ms"):
            took, _ = ui.measure(top, 20000, MILLION)
            worst = max(took, key=lambda path: ui.p95(took[path]))
            print(f"slowest: {worst}")
            figure("ui_p95_ms", [ui.p95(took[worst])], "ms")
        if want("rss_100m_mib"):
            ways = large_messages(top, sink)
            figure("rss_100m_mib", [max(ways)], "MiB")
        if want("idle_tls_kib", "new_session_ms_at_10k"):
            kib, ms = idle_sessions(top, sink)
            figure("idle_tls_kib", [kib], "KiB")
            figure("new_session_ms_at_10k", ms, "ms")
    finally:
        for s in reversed(stop):
            s.stop()
        subprocess.run(["rm", "-rf", top])
    with open(os.path.join(ROOT, "build", "bench.json") if os.path.isdir(os.path.join(ROOT, "build")) else "/dev/null", "w") as f:
        json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
