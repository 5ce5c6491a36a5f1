#include "gateway/proc/parent_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/parent_rcpts.h"
#include "gateway/proc/parent_setup.h"
#include "gateway/proc/web_settings.h"

enum { CONTROL_FD = 3, STARTS_A_MINUTE = 5 };

/* Who talks to whom; there is no other way between processes. */
static const struct {
	enum control_role a, b;
} edges[] = {
    {ROLE_RELAY, ROLE_JUDGE},
    {ROLE_RELAY, ROLE_SCOUT},
    {ROLE_RELAY, ROLE_KEEPER},
    {ROLE_RELAY, ROLE_SEALER},
    {ROLE_SEALER, ROLE_KEEPER},
    {ROLE_JUDGE, ROLE_KEEPER},
    {ROLE_JUDGE, ROLE_SCOUT},
    {ROLE_ADMIN, ROLE_JUDGE},
    {ROLE_ADMIN, ROLE_RELAY},
    {ROLE_PUBLIC, ROLE_JUDGE},
    {ROLE_PUBLIC, ROLE_KEEPER},
    {ROLE_WEB, ROLE_JUDGE},
    {ROLE_WEB, ROLE_RELAY},
    {ROLE_WEB, ROLE_KEEPER}, /* when it speaks TLS */
    {ROLE_OPENER, ROLE_JUDGE},
};

static bool connected(const struct parent *p, enum control_role a, enum control_role b)
{
	bool keeper = a == ROLE_KEEPER || b == ROLE_KEEPER, web = a == ROLE_WEB || b == ROLE_WEB;

	if (keeper && web && !web_settings_tls(p->conf))
		return false;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		if ((edges[i].a == a && edges[i].b == b) || (edges[i].a == b && edges[i].b == a))
			return true;
	return false;
}

static void on_msg(void *ctx, struct ipc_chan *ch, struct ipc_in *in)
{
	(void)ch;
	parent_on_message(ctx, in);
}

static void on_close(void *ctx, struct ipc_chan *ch, const char *why)
{
	struct parent_proc *c = ctx;

	(void)why;
	ipc_chan_free(ch);
	c->chan = NULL;
	if (c->pid > 0 && c->state != PROC_STOPPING)
		kill(c->pid, SIGKILL); /* it broke its channel or is dying: SIGCHLD tells the rest */
}

static const struct ipc_chan_ops ops = {on_msg, on_close};

/* In the child between fork and exec: only async-signal-safe calls. */
static void exec_role(const char *role, int fd) __attribute__((noreturn));
static void exec_role(const char *role, int fd)
{
	char arg[32] = "--role=";
	char name[] = "posternd";
	char *argv[] = {name, arg, NULL};
	sigset_t none;

	memcpy(arg + 7, role, strlen(role) + 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_IGN); /* the parent orders the end; a signal to the whole group must not end children in
				     the middle of a commit */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (fd == CONTROL_FD || dup2(fd, CONTROL_FD) == CONTROL_FD) {
		if (fd == CONTROL_FD)
			(void)fcntl(CONTROL_FD, F_SETFD, 0); /* the pair was made close-on-exec */
		execv("/proc/self/exe", argv);
	}
	_exit(75);
}

static void tell(struct parent_proc *c, struct ipc_out *o)
{
	if (c->chan == NULL) {
		ipc_out_clear(o);
		return;
	}
	if (ipc_chan_send(c->chan, o) != 0)
		log_warn(NULL, "parent", "cannot-tell role=%s", control_role_word(c->role));
}

static void tell_fd(struct parent_proc *c, uint16_t type, enum control_role role, unsigned index, int fd)
{
	struct control_peer m = {(uint8_t)role, index, fd};
	struct ipc_out o;

	ipc_out_init(&o, type, 0);
	control_peer_put(&o, &m);
	tell(c, &o);
}

static int tell_start(struct parent_proc *c, struct problem *pr)
{
	struct control_start m = {.role = (uint8_t)c->role, .index = c->index};
	struct ipc_out o;

	if (parent_setup_user(c->of, c->role, &m.uid, &m.gid, pr) != 0)
		return -1;
	m.fd = file_memfd("postern.conf", c->of->text, c->of->text_len);
	if (m.fd < 0)
		return problem_temp(pr, "no memory file for the configuration: %s", strerror(errno));
	snprintf(m.file, sizeof(m.file), "%.255s", c->of->file);
	ipc_out_init(&o, CONTROL_START, 0);
	control_start_put(&o, &m);
	tell(c, &o);
	close(m.fd);
	return 0;
}

static int connect_pair(struct parent_proc *a, struct parent_proc *b, struct problem *pr)
{
	int fds[2];

	if (ipc_pair(fds) != 0)
		return problem_temp(pr, "no socketpair: %s", strerror(errno));
	tell_fd(a, CONTROL_PEER, b->role, b->index, fds[0]);
	tell_fd(b, CONTROL_PEER, a->role, a->index, fds[1]);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int connect_all(struct parent_proc *c, struct problem *pr)
{
	struct parent *p = c->of;

	for (size_t i = 0; i < p->nprocs; i++) {
		struct parent_proc *other = &p->procs[i];

		if (other != c && other->chan != NULL && connected(p, c->role, other->role) &&
		    connect_pair(c, other, pr) != 0)
			return -1;
	}
	return 0;
}

static void tell_file(struct parent_proc *c, uint16_t type, const char *name, const void *p, size_t n)
{
	struct control_file m = {.p = p, .n = n};
	struct ipc_out o;

	if (mem_copy_str(m.name, sizeof(m.name), name) != 0)
		return;
	ipc_out_init(&o, type, 0);
	control_file_put(&o, &m);
	tell(c, &o);
}

static void give_key(void *ctx, const char *name, const struct buf *content)
{
	tell_file(
	    ctx, strcmp(name, "master") == 0 ? CONTROL_MASTER : CONTROL_KEYFILE, name, content->p, content->len);
}

bool parent_child_passphrase(struct parent_proc *k)
{
	bool given = false;
	struct buf b;
	struct problem pr = {0};

	buf_init(&b, 4096);
	switch (parent_setup_passphrase(k->of, &b, &pr)) {
	case 1:
		tell_file(k, CONTROL_PASSPHRASE, "passphrase", b.p, b.len);
		given = true;
		break;
	case 0:
		break;
	default:
		log_error(NULL, "parent", "alarm=sealed why=\"%s\"", pr.text);
	}
	buf_clear(&b);
	return given;
}

static int presents(struct parent_proc *c, struct problem *pr)
{
	struct parent *p = c->of;

	if (c->role == ROLE_KEEPER)
		return parent_setup_keyfiles(p, give_key, c, pr);
	for (size_t i = 0; c->role == ROLE_RELAY && i < p->rcpts->nmaps; i++)
		tell_fd(c, CONTROL_RCPT_MAP, ROLE_PARENT, p->rcpts->maps[i].domain, p->rcpts->maps[i].fd);
	for (size_t i = 0; c->role == ROLE_SCOUT && i < p->rcpts->npasswords; i++)
		tell_file(c, p->rcpts->passwords[i].certificates ? CONTROL_CERT_LDAP_PASSWORD : CONTROL_LDAP_PASSWORD,
		    p->rcpts->passwords[i].name, p->rcpts->passwords[i].text, p->rcpts->passwords[i].n);
	for (size_t i = 0; i < p->nlisten; i++)
		if (c->role == parent_setup_listens(p->conf, i))
			tell_fd(c, CONTROL_LISTEN, ROLE_PARENT, (unsigned)i, p->listen[i]);
	if (c->role == ROLE_JUDGE || c->role == ROLE_RELAY)
		tell_file(c, CONTROL_PERMIT_KEY, "permit", p->permit, sizeof(p->permit));
	if (c->role == ROLE_ADMIN)
		tell_fd(c, CONTROL_LISTEN, ROLE_PARENT, 0, p->control);
	if (c->role == ROLE_RELAY || c->role == ROLE_ADMIN) {
		struct control_state st = {(uint8_t)p->keeper, p->keys};
		struct ipc_out o;

		ipc_out_init(&o, CONTROL_STATE, 0);
		control_state_put(&o, &st);
		tell(c, &o);
	}
	return 0;
}

int parent_child_start(struct parent_proc *c, struct problem *pr)
{
	int fds[2];
	struct ipc_out go;

	if (ipc_pair(fds) != 0)
		return problem_temp(pr, "no socketpair: %s", strerror(errno));
	int pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return problem_temp(pr, "cannot start role %s: %s", control_role_word(c->role), strerror(errno));
	}
	if (pid == 0)
		exec_role(control_role_word(c->role), fds[1]);
	close(fds[1]);
	c->pid = pid;
	c->state = PROC_STARTING;
	c->started[c->starts++ % 8] = loop_now_ms();
	c->chan = ipc_chan_new(c->of->loop, fds[0], &ops, c);
	if (tell_start(c, pr) != 0 || presents(c, pr) != 0 || connect_all(c, pr) != 0)
		return -1;
	ipc_out_init(&go, CONTROL_GO, 0);
	tell(c, &go);
	if (c->role == ROLE_KEEPER)
		c->of->unsealing = parent_child_passphrase(c);
	return 0;
}

static void impatient(void *ctx)
{
	struct parent_proc *c = ctx;

	if (c->pid > 0 && c->state == PROC_STOPPING) {
		log_warn(NULL, "parent", "killed role=%s pid=%d why=\"it did not finish in time\"",
		    control_role_word(c->role), c->pid);
		kill(c->pid, SIGKILL);
	}
}

void parent_child_stop(struct parent_proc *c, int64_t patience)
{
	struct ipc_out o;

	if (c->pid <= 0 || c->state == PROC_STOPPING)
		return;
	c->state = PROC_STOPPING;
	ipc_out_init(&o, CONTROL_STOP, 0);
	tell(c, &o);
	loop_timer_free(c->timer);
	c->timer = loop_timer_new(c->of->loop, impatient, c);
	loop_timer_set(c->timer, patience);
}

void parent_child_gone(struct parent_proc *c, int status)
{
	bool over = c->role == ROLE_OPENER && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool expected = c->state == PROC_STOPPING || over;

	if (expected && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_info(
		    NULL, "parent", "stopped role=%s number=%u pid=%d", control_role_word(c->role), c->index, c->pid);
	else
		log_error(NULL, "parent", "alarm=died role=%s number=%u pid=%d %s=%d", control_role_word(c->role),
		    c->index, c->pid, WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	ipc_chan_free(c->chan);
	c->chan = NULL;
	loop_timer_free(c->timer);
	c->timer = NULL;
	c->pid = 0;
	c->state = PROC_DEAD;
}

int64_t parent_child_since(const struct parent_proc *c)
{
	return c->starts == 0 || c->pid <= 0
		   ? 0
		   : (int64_t)time(NULL) - (loop_now_ms() - c->started[(c->starts - 1) % 8]) / 1000;
}

int64_t parent_child_pause(const struct parent_proc *c)
{
	int64_t now = loop_now_ms();
	unsigned lately = 0;

	for (unsigned i = 0; i < 8 && i < c->starts; i++)
		lately += now - c->started[i] < 60000;
	return lately >= STARTS_A_MINUTE ? conf_top(c->of->conf)->restart_pause : 0;
}
