"""What each role may still do after its start, seen from outside in /proc and by its own proof in the log."""
import os
import re
import shutil
import stat
import subprocess

import gateway
from gateway import Gateway, free_ports
from mail import quick

INET = 0x2  # SANDBOX_CAN_INET; the other bits of gateway/base/sandbox.h stand for open, exec, ptrace, fork, write
CAN = {"keeper": 0, "judge": 0, "scout": INET, "sealer": 0, "relay": INET, "admin": 0, "public": 0, "web": 0}
NUMBER = {"keeper": 1, "judge": 2, "scout": 3, "sealer": 4, "relay": 5, "admin": 6, "public": 7, "web": 8, "opener": 9}  # of the user with users = "uid:N"
FILES = {"judge": "store", "relay": "queue", "scout": "scout"}  # below which a role may have files open; scout its one file of MTA-STS policies, opened before; the others: nowhere
NOBODY = 65534


def public_section():
    public, web = free_ports(2)
    return f'public {{ address = "127.0.0.1:{public}" }}\nweb {{ address = "127.0.0.1:{web}" }}\n'


class Unprivileged(Gateway):
    """Started by an ordinary user, from copies that this user can reach."""
    def __init__(self, top, *args, **kw):
        bins = os.path.join(top, "build", "bin")
        os.makedirs(bins)
        for b in ("posternd", "postern"):
            shutil.copy(os.path.join(gateway.BUILD, "bin", b), bins)
        super().__init__(top, *args, **kw)
        with open(self.conf) as f:
            text = re.sub(r'users = "[^"]*"', 'users = "same"', f.read())
        with open(self.conf, "w") as f:
            f.write(text)
        for path in (self.dir, self.passphrase, self.conf):
            os.chown(path, NOBODY, NOBODY)
        self.program = os.path.join(bins, "posternd")

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.mark = log.tell()
            self.proc = subprocess.Popen([self.program, "-c", self.conf], stderr=log, stdout=log, user=NOBODY, group=NOBODY, extra_groups=[], env={"PATH": "/usr/bin:/bin"})
        if wait:
            self.wait_ready()
        return self


def proc_status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict((k, v.split()) for k, v in (line.split(":", 1) for line in f))


def descriptors(pid):
    """number -> where it leads"""
    return {int(n): os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}


def children(gw):
    return [(role, pid) for role, pids in gw.roles().items() for pid in pids]


def inodes(*kind):
    """inode of listening sockets -> address, as ss says."""
    out = subprocess.run(["ss", "-H", "-l", "-n", "-e", *kind], stdout=subprocess.PIPE, text=True, check=True).stdout
    if kind == ("-x",):
        return {f[5]: f[4] for f in (line.split() for line in out.splitlines())}
    return {re.search(r"ino:(\d+)", line).group(1): line.split()[4 if len(kind) > 1 else 3] for line in out.splitlines() if "ino:" in line}


def check_proofs(gw):
    """Each child tried it all itself: one line a child, with bits only where the role has that work."""
    seen = {}
    for role, can in re.findall(r" (\w+) sandbox can=0x([0-9a-f]+)", gw.log(gw.mark)):
        seen.setdefault(role, []).append(int(can, 16))
    roles = gw.roles()
    assert set(seen) == set(roles) == set(CAN), (seen, roles)
    for role, bits in seen.items():
        assert len(bits) == len(roles[role]), f"{role}: {len(bits)} proofs of {len(roles[role])} processes"
        assert all(b == CAN[role] for b in bits), f"{role} can {[hex(b) for b in bits]}, may {CAN[role]:#x}"


def check_locks(gw):
    for role, pid in children(gw):
        s = proc_status(pid)
        assert s["NoNewPrivs"] == ["1"], (role, s["NoNewPrivs"])
        assert s["Seccomp"] == ["2"], (role, s["Seccomp"])
        for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(s[caps][0], 16) == 0, (role, caps, s[caps])
        assert len(os.listdir(f"/proc/{pid}/task")) == 1 or role in ("keeper", "relay", "public", "web"), f"{role} has threads"
        limits = open(f"/proc/{pid}/limits").read()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M), (role, limits)
        for name in ("environ", "mem", "maps", "auxv"):  # belong to root when the process is not dumpable, else to its user
            st = os.stat(f"/proc/{pid}/{name}")
            assert (st.st_uid, st.st_gid) == (0, 0), f"{role} is dumpable: /proc/PID/{name} belongs to {st.st_uid}"
        assert s["Uid"] != ["0"] * 4, f"{role} runs as root"


def check_descriptors(gw):
    """Beyond the log, files are open only where the role keeps its own; nobody but the relay, and public and web at their one address each, listens to the network, nobody but admin to the control socket."""
    listening = {"tcp": inodes("-t"), "udp": inodes("-u"), "unix": inodes("-x")}
    public, web = (re.search(role + r' { address = "([^"]*)"', gw.sections).group(1) for role in ("public", "web"))
    for role, pid in children(gw):
        for n, to in descriptors(pid).items():
            if n <= 2:
                assert to in ("/dev/null", gw.log_path), (role, n, to)
                continue
            if to.startswith("/"):
                st = os.stat(f"/proc/{pid}/fd/{n}")
                below = os.path.join(gw.data, FILES[role]) + "/" if role in FILES else None
                assert below and to.startswith(below), f"{role} has {to} open ({stat.filemode(st.st_mode)})"
            inode = re.fullmatch(r"socket:\[(\d+)\]", to)
            if inode and inode.group(1) in listening["tcp"]:
                assert role == {public: "public", web: "web"}.get(listening["tcp"][inode.group(1)], "relay"), f"{role} listens at {listening['tcp'][inode.group(1)]}"
            if inode and inode.group(1) in listening["unix"]:
                assert role == "admin", f"{role} listens at {listening['unix'][inode.group(1)]}"
    held = {role: {m for to in descriptors(pid).values() for m in re.findall(r"socket:\[(\d+)\]", to)} for role, pid in children(gw) if role in ("relay", "admin", "public", "web")}
    at = {listening["tcp"][i] for i in held["relay"] if i in listening["tcp"]}
    assert at == {f"127.0.0.1:{gw.inside}", f"127.0.0.1:{gw.outside}"}, f"the check itself does not see what the relay listens at: {at}"
    assert [listening["tcp"][i] for i in held["public"] if i in listening["tcp"]] == [public]
    assert [listening["tcp"][i] for i in held["web"] if i in listening["tcp"]] == [web]
    assert [listening["unix"][i] for i in held["admin"] if i in listening["unix"]] == [gw.sock]


def check_names(gw):
    """Whoever looks at `ps` sees what is what."""
    for role, pid in children(gw):
        with open(f"/proc/{pid}/comm") as f:
            assert f.read() == f"postern-{role}\n"


@quick
def test_roles_as_own_users(top):
    assert os.geteuid() == 0, "run as root, as the daemon is started"
    gw = Gateway(top, "lab", "lab.example", "127.0.0.1:1", log_level="debug", sections=public_section()).start()
    gw.make_identity()
    check_proofs(gw)
    check_locks(gw)
    check_descriptors(gw)
    check_names(gw)
    for role, pid in children(gw):
        s = proc_status(pid)
        assert s["Uid"] == s["Gid"] == [str(59900 + NUMBER[role])] * 4 and s["Groups"] == [], (role, s["Uid"], s["Gid"], s["Groups"])
        tried = subprocess.run(["/bin/cat", f"/proc/{pid}/environ"], user=59900 + NUMBER[role], group=59900 + NUMBER[role], extra_groups=[], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert b"Permission denied" in tried.stderr, f"another process of its user may look into {role}: {tried.stderr}"
    modes = {d: os.stat(os.path.join(gw.data, d)) for d in ("keys", "store", "queue")}
    assert {d: (s.st_uid, s.st_mode & 0o777) for d, s in modes.items()} == {"keys": (0, 0o700), "store": (59902, 0o700), "queue": (59905, 0o700)}


def test_filters_stay_on_without_root(top):
    """An ordinary user starts it (demo, tests): the same locks, under one user."""
    gw = Unprivileged(top, "lab", "lab.example", "127.0.0.1:1", log_level="debug", sections=public_section()).start()
    gw.make_identity()
    check_proofs(gw)
    check_locks(gw)
    check_descriptors(gw)
    for role, pid in children(gw):
        assert proc_status(pid)["Uid"] == [str(NOBODY)] * 4
