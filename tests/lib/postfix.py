"""Real Postfix instances on loopback: own configuration, queue and data directory below one folder. Needs root, as Postfix's master does."""
import os
import pwd
import shutil
import subprocess
import time

from gateway import free_ports, wait_for

# the services of a plain Postfix, none of them chrooted
SERVICES = """pickup unix n - n 60 1 pickup
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
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class MountNamespace:
    """Where the folder `conf` is /etc/postfix, so that sendmail(1) and its set-gid postdrop(1), which take no folder from anybody, speak to the instance there. It ends with the
    pipe to it, and so with us."""
    def __init__(self, conf):
        # what a start looks for beside main.cf
        for name in os.listdir("/etc/postfix"):
            if name.startswith(("postfix-files", "dynamicmaps.cf", "post-install", "postfix-script")):
                source = os.path.join("/etc/postfix", name)
                (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, os.path.join(conf, name))
        self.p = subprocess.Popen(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/postfix && echo mounted && exec cat', conf], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.p.stdout.readline() != b"mounted\n":
            raise AssertionError(f"no mount namespace with {conf} as /etc/postfix")

    def command(self, *args):
        return ["nsenter", "--mount", "--target", str(self.p.pid), "--", *args]

    def end(self):
        self.p.stdin.close()
        self.p.wait()
        self.p.stdout.close()


class Postfix:
    def __init__(self, top, name, relayhost="", domain=None, maildir=False, extra=None, master_extra="", processes=100, host=None, sendmail=False):
        """host: one of netns.py, where it listens at port 25. relayhost: [host]:port for everything; maildir with domain: mail for it is stored below self.mail (one file a message).
        sendmail: what its pipe(8) runs can give mail to it with sendmail(1), where the environment names no other MAIL_CONFIG."""
        self.name = name
        self.dir = os.path.join(top, "postfix-" + name)
        self.host = host
        self.sendmail, self.namespace = sendmail, None
        self.ip, self.port = (host.address, 25) if host else ("127.0.0.1", free_ports(1)[0])
        self.address = f"{self.ip}:{self.port}"
        self.mail = os.path.join(self.dir, "mail")
        self.log_path = os.path.join(self.dir, "log", "mail.log")
        conf, queue, data = (os.path.join(self.dir, d) for d in ("conf", "queue", "data"))
        self.conf = conf
        for d in (conf, queue, data, self.mail, os.path.dirname(self.log_path)):
            os.makedirs(d, exist_ok=True)
        user = pwd.getpwnam("postfix")
        os.chown(data, user.pw_uid, user.pw_gid)
        nobody = pwd.getpwnam("nobody")
        os.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        os.chmod(self.dir, 0o755)
        settings = {
            "compatibility_level": "3.6", "queue_directory": queue, "data_directory": data, "daemon_directory": "/usr/lib/postfix/sbin",
            "command_directory": "/usr/sbin", "maillog_file": self.log_path, "maillog_file_prefixes": os.path.dirname(self.log_path),
            "inet_interfaces": self.ip, "inet_protocols": "ipv4", "mydestination": "", "myhostname": f"{name}.postfix.test",
            "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native", "alias_maps": "", "local_recipient_maps": "",
            "multi_instance_name": "postfix-" + name, "multi_instance_enable": "yes", "mynetworks": "127.0.0.0/8", "relayhost": relayhost,
            "message_size_limit": "104857600", "mailbox_size_limit": "0", "virtual_mailbox_limit": "0", "minimal_backoff_time": "2s", "queue_run_delay": "2s",
            "maximal_backoff_time": "10s", "default_process_limit": str(processes), "smtpd_client_connection_count_limit": "1000", "biff": "no", "strict_8bitmime": "no",
        }
        if maildir and domain:
            settings.update({"virtual_mailbox_domains": domain, "virtual_mailbox_base": self.mail, "virtual_mailbox_maps": "static:all/",
                             "virtual_uid_maps": f"static:{nobody.pw_uid}", "virtual_gid_maps": f"static:{nobody.pw_gid}"})
        settings.update(extra or {})
        with open(os.path.join(conf, "main.cf"), "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in settings.items())
        with open(os.path.join(conf, "master.cf"), "w") as f:
            f.write(f"{self.ip}:{self.port} inet n - n - - smtpd\n" + SERVICES + master_extra + "\n")

    def _run(self, *args):
        # the daemons inherit the output: a pipe would stay open as long as they live
        path = os.path.join(self.dir, "postfix-command.log")
        with open(path, "w") as f:
            command = ["postfix", "-c", self.conf, *args]
            where = self.host or self.namespace
            r = subprocess.run(where.command(*command) if where else command, stdout=f, stderr=f)
        with open(path) as f:
            r.stdout = f.read()
        return r

    def start(self):
        if self.sendmail:
            self.namespace = MountNamespace(self.conf)
        r = self._run("start")
        if r.returncode != 0:
            raise AssertionError(f"postfix {self.name}: {r.stdout}")
        import socket

        def up():
            try:
                s = socket.create_connection((self.ip, self.port), 2)
                s.close()
                return True
            except OSError:
                return False
        wait_for(f"postfix {self.name} to listen", 20, (lambda: self.host.inside(up)) if self.host else up)
        return self

    def stop(self):
        self._run("stop")
        for _ in range(100):
            if self._run("status").returncode != 0:
                break
            time.sleep(0.1)
        if self.namespace:
            self.namespace.end()
            self.namespace = None

    def stored(self):
        """Contents of all mails delivered into the maildir."""
        out = []
        for folder, _, names in os.walk(self.mail):
            if folder.endswith("/new"):
                for n in names:
                    with open(os.path.join(folder, n), "rb") as f:
                        out.append(f.read())
        return out

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def wipe(self):
        shutil.rmtree(self.dir, ignore_errors=True)
