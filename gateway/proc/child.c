#include "gateway/proc/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { CONTROL_FD = 3, CONF_MAX = 1024 * 1024 };

static const struct child_role *the_role; /* for the control channel's callbacks */
static struct ipc_chan *the_channel;

static void read_conf(struct child *c)
{
	struct buf b;
	struct problem pr = {0};

	buf_init(&b, CONF_MAX);
	if (file_read_fd(c->start.fd, &b, &pr) != 0 ||
	    conf_parse(c->start.file, buf_str(&b), b.len, &c->conf, &pr) != 0)
		log_fatal("configuration: %s", pr.text);
	close(c->start.fd);
	buf_clear(&b);
}

static void begin(struct child *c, struct ipc_in *in, enum control_role r)
{
	struct problem pr = {0};

	if (control_start_get(in, &c->start) != 0 || c->start.role != r)
		log_fatal("the parent's START cannot be read");
	read_conf(c);
	log_init(control_role_word(r), (enum log_level)conf_top(c->conf)->log_level);
	if (c->start.uid != 0 && sandbox_become(c->start.uid, c->start.gid, &pr) != 0)
		log_fatal("%s", pr.text);
}

/* Until GO the parent speaks and we listen, without a loop. */
static void prepare(struct child *c, const struct child_role *role, enum control_role r)
{
	struct buf store;
	struct ipc_in in;
	bool started = false;

	buf_init(&store, IPC_PACKET_MAX);
	for (;;) {
		if (ipc_recv(c->control, &store, &in, -1) != 1)
			log_fatal("the parent is gone before GO");
		if (in.type == CONTROL_GO && started)
			break;
		if (in.type == CONTROL_STOP)
			exit(0);
		if (in.type == CONTROL_START && !started) {
			begin(c, &in, r);
			started = true;
		} else if (!started || role->message(c, &in) != 0) {
			log_fatal("message %u from the parent is not for this role", in.type);
		}
	}
	buf_clear(&store);
}

void child_main(const struct child_role *role, enum control_role r)
{
	struct child *c = mem_new(sizeof(*c));
	char name[16]; /* what ps shows; after execve of /proc/self/exe it would be "exe" */

	snprintf(name, sizeof(name), "postern-%s", control_role_word(r));
	prctl(PR_SET_NAME, name);
	/* memory that the next message needs again is not given back to the kernel after each */
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
	mallopt(M_TOP_PAD, 256 * 1024);
	c->control = CONTROL_FD;
	log_init(control_role_word(r), LOG_LEVEL_INFO);
	sandbox_limits();
	prepare(c, role, r);
	exit(role->run(c));
}

void child_sandbox(const struct child *c, const struct sandbox *s)
{
	struct problem pr = {0};

	if (sandbox_enter(s, &pr) != 0)
		log_fatal("sandbox: %s", pr.text);
	if (conf_top(c->conf)->log_level == LOG_LEVEL_DEBUG) /* the test of each role reads this line */
		log_debug(
		    NULL, control_role_word((enum control_role)c->start.role), "sandbox can=0x%x", sandbox_probe());
}

static void on_msg(void *ctx, struct ipc_chan *ch, struct ipc_in *in)
{
	(void)ch;
	if (the_role->message(ctx, in) != 0)
		log_fatal("message %u from the parent is not for this role", in->type);
}

static void on_close(void *ctx, struct ipc_chan *ch, const char *why)
{
	(void)ctx;
	(void)ch;
	log_fatal("the parent is gone (%s)", why);
}

void child_control(struct child *c, struct loop *l, const struct child_role *role)
{
	static const struct ipc_chan_ops ops = {on_msg, on_close};

	the_role = role;
	the_channel = ipc_chan_new(l, c->control, &ops, c);
}

void child_tell(struct child *c, struct ipc_out *o)
{
	int err = the_channel != NULL ? ipc_chan_send(the_channel, o) : ipc_send(c->control, o, 5000);

	if (the_channel == NULL)
		ipc_out_clear(o);
	if (err != 0)
		log_fatal("the parent does not take messages");
}

void child_ready(struct child *c)
{
	struct ipc_out o;

	ipc_out_init(&o, CONTROL_READY, 0);
	child_tell(c, &o);
}
