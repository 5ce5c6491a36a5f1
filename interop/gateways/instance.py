"""A Postfix instance of its own with a content filter by pipe(8), as Postfix's FILTER_README describes it: what the two set-up programs here have in
common. Needs root, as Postfix's master does; touches nothing of the machine's own Postfix; is stopped by process id."""
import argparse
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time

MASTER = """{inside} inet n - n - - smtpd
    -o content_filter=out:
    -o smtpd_relay_restrictions=permit_mynetworks,reject
{outside} inet n - n - - smtpd
    -o content_filter=in:
    -o mynetworks=
    -o smtpd_relay_restrictions=reject_unauth_destination
{again} inet n - n - - smtpd
    -o smtpd_relay_restrictions=permit_mynetworks,reject
out unix - n n - 10 pipe
    flags=q user={user} null_sender= argv={python} {filter} out {state} {again} ${{sender}} ${{recipient}}
in unix - n n - 10 pipe
    flags=q user={user} null_sender= argv={python} {filter} in {state} {again} ${{sender}} ${{recipient}}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
KIT = """gateway-inside = {inside}
gateway-outside = {outside}
gateway-sign = {state}/gateway.pem
gateway-encrypt = {state}/gateway.pem
mark-trusted = ^X-Filter: trusted$
mark-untrusted = ^X-Filter: untrusted$
mark-broken = ^X-Filter: broken$
mark-unsigned = ^X-Filter: unsigned$
gateway-name = {name}
"""


PYTHON = "/usr/bin/python3"  # one that every user may run


def run(*args, **more):
    r = subprocess.run(args, capture_output=True, stdin=subprocess.DEVNULL if "input" not in more else None, **more)
    if r.returncode:
        sys.exit(f"{' '.join(args[:3])}: {r.stderr.decode(errors='replace').strip()[-500:]}")
    return r.stdout


def bracket(address):
    """host:port as Postfix writes a next hop."""
    host, _, port = address.rpartition(":")
    return f"[{host.strip('[]')}]:{port}"


class Setup:
    """setup.json of the kit: what its operator's instructions say, for programs."""
    def __init__(self, path):
        with open(path) as f:
            self.all = json.load(f)
        self.top = os.path.dirname(os.path.abspath(path))
        self.domain, self.kit_domain = self.all["domain"], self.all["kit-domain"]
        self.outside, self.inside = self.all["outside"], self.all["inside"]

    def file(self, name):
        return os.path.join(self.top, name)

    def anchors(self):
        """Files of all authorities; that one of them is meant for one domain alone, such filters cannot express."""
        return list(dict.fromkeys(self.file(a["file"]) for a in self.all.get("anchors", [])))

    def certificates(self):
        """{domain: file}: the first certificate that was given for it and may be encrypted to."""
        out = {}
        for c in self.all.get("certificates", []):
            path = self.file(c["file"])
            shown = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-ext", "keyUsage"], capture_output=True)
            usage = shown.stdout.decode(errors="replace") if shown.returncode == 0 else ""
            if "Key Usage" not in usage or re.search("Key Encipherment|Key Agreement", usage):
                out.setdefault(c["for"].rpartition("@")[2].lower(), path)
        return out


def gateway_key(state, domain):
    """gateway.key and a self-signed gateway.pem for the domain, made once."""
    if not os.path.exists(os.path.join(state, "gateway.pem")):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "gateway.key", "-out", "gateway.pem", "-days", "730",
            "-subj", f"/CN={domain}",
            "-addext", f"subjectAltName=DNS:{domain},email:postmaster@{domain}", "-addext", "keyUsage=critical,digitalSignature,keyEncipherment",
            "-addext", "extendedKeyUsage=emailProtection", cwd=state)


def configure(state, setup, name, filter_, user, ports):
    shutil.copy(filter_, os.path.join(state, "filter"))
    conf = os.path.join(state, "conf")
    dirs = {d: os.path.join(state, d) for d in ("conf", "queue", "data", "log")}
    for d in dirs.values():
        os.makedirs(d, exist_ok=True)
    postfix = pwd.getpwnam("postfix")
    os.chown(dirs["data"], postfix.pw_uid, postfix.pw_gid)
    os.makedirs(os.path.join(state, "tls"), mode=0o700, exist_ok=True)
    for f in ("gateway.pem", "gateway.key"):
        shutil.copy(os.path.join(state, f), os.path.join(state, "tls", f))
    tls_ca = setup.all.get("tls-ca")
    settings = {
        "compatibility_level": "3.6", "queue_directory": dirs["queue"], "data_directory": dirs["data"],
        "daemon_directory": run("postconf", "-dh", "daemon_directory").decode().strip(),
        "maillog_file": os.path.join(dirs["log"], "mail.log"), "maillog_file_prefixes": dirs["log"], "inet_protocols": "ipv4", "inet_interfaces": "127.0.0.1",
        "multi_instance_name": "postfix-" + os.path.basename(state), "multi_instance_enable": "yes",
        "myhostname": f"gateway.{setup.domain}", "myorigin": setup.domain,
        "mynetworks": "127.0.0.0/8", "mydestination": "", "relay_domains": setup.domain, "relay_recipient_maps": "",
        "local_recipient_maps": "", "alias_maps": "",
        "relayhost": bracket(setup.outside), "transport_maps": f"texthash:{conf}/transport", "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "out_destination_recipient_limit": "1", "in_destination_recipient_limit": "1", "message_size_limit": "104857600",
        "mailbox_size_limit": "0", "biff": "no",
        "minimal_backoff_time": "2s", "maximal_backoff_time": "10s", "queue_run_delay": "2s", "smtpd_client_connection_count_limit": "1000",
        "smtp_tls_security_level": "may", "smtpd_tls_security_level": "may", "smtpd_tls_cert_file": os.path.join(state, "tls", "gateway.pem"),
        "smtpd_tls_key_file": os.path.join(state, "tls", "gateway.key"), **({"smtp_tls_CAfile": setup.file(tls_ca)} if tls_ca else {}),
    }
    with open(os.path.join(conf, "main.cf"), "w") as f:
        f.writelines(f"{k} = {v}\n" for k, v in settings.items())
    with open(os.path.join(conf, "transport"), "w") as f:
        f.write(f"{setup.domain} smtp:{bracket(setup.inside)}\n")
    with open(os.path.join(conf, "master.cf"), "w") as f:
        f.write(MASTER.format(inside=ports[0], outside=ports[1], again=ports[2], user=user, python=PYTHON, filter=os.path.join(state, "filter"), state=state))
    with open(os.path.join(state, "kit.conf"), "w") as f:
        f.write(KIT.format(inside=ports[0], outside=ports[1], state=state, name=name))


def postfix_command(state, what):
    # the daemons inherit the output: a pipe would stay open as long as they live
    path = os.path.join(state, "log", "command.log")
    with open(path, "w") as f:
        code = subprocess.run(["postfix", "-c", os.path.join(state, "conf"), what], stdin=subprocess.DEVNULL, stdout=f, stderr=f).returncode
    with open(path) as f:
        return code, f.read()


def start(state, ports):
    code, said = postfix_command(state, "start")
    if code:
        sys.exit(f"postfix: {said}")
    until = time.monotonic() + 20
    for p in ports:
        host, _, port = p.rpartition(":")
        while True:
            try:
                socket.create_connection((host, int(port)), 2).close()
                break
            except OSError:
                if time.monotonic() > until:
                    sys.exit(f"nobody listens on {p}; see {state}/log/mail.log")
                time.sleep(0.05)


def stop(state):
    """By the process id of this instance's master; waits until it is gone."""
    if not os.path.exists(os.path.join(state, "log")):
        return  # it was never configured
    postfix_command(state, "stop")
    for _ in range(100):
        if postfix_command(state, "status")[0]:
            return
        time.sleep(0.1)
    sys.exit("postfix does not end")


def main(name, doc, filter_, prepare, finish):
    """prepare(state, setup, user) makes keys and certificates; finish(state, user) ends what prepare started."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("what", choices=("start", "stop"))
    parser.add_argument("--state", required=True, help="directory of this gateway; the filter's user must be able to enter it")
    parser.add_argument("--setup", help="the kit's setup.json")
    parser.add_argument("--inside", help="host:port where users submit")
    parser.add_argument("--outside", help="host:port where other gateways deliver")
    parser.add_argument("--again", help="host:port where the filter hands mail back; loopback")
    parser.add_argument("--user", default="nobody", help="whom the filter runs as (Postfix refuses root); it reads the private key")
    o = parser.parse_args()
    state = os.path.abspath(o.state)
    if os.geteuid() != 0:
        sys.exit("Postfix's master needs root")
    if o.what == "stop":
        stop(state)
        finish(state, o.user)
        return
    if not all((o.setup, o.inside, o.outside, o.again)):
        parser.error("start needs --setup, --inside, --outside and --again")
    os.makedirs(state, mode=0o755, exist_ok=True)
    setup, ports = Setup(o.setup), (o.inside, o.outside, o.again)
    gateway_key(state, setup.domain)
    prepare(state, setup, o.user)
    who = pwd.getpwnam(o.user)
    os.chown(os.path.join(state, "gateway.key"), who.pw_uid, who.pw_gid)
    configure(state, setup, name, filter_, o.user, ports)
    start(state, ports)
    print(f"{name} runs; for the kit's kit.conf:\n")
    with open(os.path.join(state, "kit.conf")) as f:
        print(f.read(), end="")
