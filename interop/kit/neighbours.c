#include "interop/kit/neighbours.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct neighbours {
	pid_t nsd, slapd;
};

/* --- whatever ends this program ends them ----------------------------------------------------------------------- */

static volatile sig_atomic_t children[2];

static void end_children(void)
{
	for (size_t i = 0; i < 2; i++)
		if (children[i] > 0)
			kill((pid_t)children[i], SIGTERM);
}

static void on_signal(int number)
{
	end_children();
	signal(number, SIG_DFL);
	raise(number);
}

/* Signals that are ignored (nohup) or taken by somebody else stay as they are. */
static void watch(void)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	static bool watched;

	if (watched)
		return;
	watched = true;
	atexit(end_children);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct sigaction now, ours = {.sa_handler = on_signal};

		if (sigaction(all[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			sigaction(all[i], &ours, NULL);
	}
}

static void remember(pid_t pid)
{
	for (size_t i = 0; i < 2; i++)
		if (children[i] == 0) {
			children[i] = pid;
			return;
		}
}

static void forget(pid_t pid)
{
	for (size_t i = 0; i < 2; i++)
		if (children[i] == pid)
			children[i] = 0;
}

/* --- starting and ending ---------------------------------------------------------------------------------------- */

/* With no signal blocked and none ignored, however this program was started. */
static void plain_signals(posix_spawnattr_t *attr)
{
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGCHLD);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &usual);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static pid_t start(const char *log, const char *const argv[], struct buf *why)
{
	posix_spawn_file_actions_t a;
	posix_spawnattr_t attr;
	pid_t pid;
	int rc;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	posix_spawn_file_actions_adddup2(&a, 1, 2);
	posix_spawnattr_init(&attr);
	plain_signals(&attr);
	watch();
	rc = posix_spawnp(&pid, argv[0], &a, &attr, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&a);
	if (rc != 0)
		return fail(why, "%s cannot be started: %s", argv[0], strerror(rc));
	remember(pid);
	return pid;
}

static bool connects(const char *address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *a = NULL;
	char *host, *port;
	bool good = false;
	int fd;

	if (kit_address(address, &host, &port) < 0)
		return false;
	if (getaddrinfo(host, port, &hints, &a) == 0) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		good = fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0;
		if (fd >= 0)
			close(fd);
		freeaddrinfo(a);
	}
	free(host);
	free(port);
	return good;
}

/* Until it takes connections, or has ended. */
static int wait_for(pid_t pid, const char *name, const char *address, const char *log, struct buf *why)
{
	for (int i = 0; i < 400; i++) {
		if (connects(address))
			return 0;
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			forget(pid);
			return fail(why, "%s ended; %s says why", name, log);
		}
		pause_ms(50);
	}
	return fail(why, "%s does not answer at %s", name, address);
}

static int start_nsd(struct neighbours *n, const struct kit *k, struct buf *why)
{
	char *conf = text_make("%s/world/zones/nsd.conf", k->dir), *log = text_make("%s/nsd.out", k->dir);
	const char *argv[] = {"/usr/sbin/nsd", "-d", "-c", conf, NULL};
	int rc;

	n->nsd = start(log, argv, why);
	rc = n->nsd < 0 ? -1 : wait_for(n->nsd, "nsd", k->dns, log, why);
	free(conf);
	free(log);
	return rc;
}

static int start_slapd(struct neighbours *n, const struct kit *k, struct buf *why)
{
	char *conf = text_make("%s/world/ldap/slapd.conf", k->dir), *log = text_make("%s/slapd.out", k->dir),
	     *url = text_make("ldap://%s", k->ldap);
	const char *argv[] = {"/usr/sbin/slapd", "-d", "0", "-f", conf, "-h", url, NULL};
	int rc;

	n->slapd = start(log, argv, why);
	rc = n->slapd < 0 ? -1 : wait_for(n->slapd, "slapd", k->ldap, log, why);
	free(conf);
	free(log);
	free(url);
	return rc;
}

struct neighbours *neighbours_start(const struct kit *k, struct buf *why)
{
	struct neighbours *n = need(sizeof(*n));

	n->nsd = n->slapd = -1;
	if ((*k->dns && start_nsd(n, k, why) < 0) || (*k->ldap && start_slapd(n, k, why) < 0)) {
		neighbours_stop(n);
		return NULL;
	}
	return n;
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int i = 0; i < 200; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0) {
			forget(pid);
			return;
		}
		pause_ms(25);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	forget(pid);
}

void neighbours_stop(struct neighbours *n)
{
	if (!n)
		return;
	end(n->nsd);
	end(n->slapd);
	free(n);
}
