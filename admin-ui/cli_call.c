/* Asking the gateway: one connection, one request, one reply. */
#include "admin-ui/cli_call.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "certstore/admin_proto.h"
#include "gateway/base/mem.h"

/* Longer than the gateway itself takes to give up (two RSA-4096 keys on a slow machine). */
enum { SEND_MS = 10000, ANSWER_MS = 300000, REQUEST_ID = 1 };

static void wiping_free(void *p)
{
	if (p != NULL)
		mem_wipe(p, malloc_usable_size(p));
	free(p);
}

void cli_call_init(void)
{
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(malloc, wiping_free);
}

/* The descriptor, or -1 with errno. */
static int reach(const struct cli *c)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd;

	if (mem_copy_str(un.sun_path, sizeof un.sun_path, c->socket) != 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

bool cli_call_running(const struct cli *c)
{
	int fd = reach(c);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || (errno != ENOENT && errno != ECONNREFUSED);
}

static int unreachable(const struct cli *c)
{
	const char *hint = "is posternd running, and is this its control-socket (--socket PATH, POSTERN_SOCKET)?";

	if (errno == EACCES || errno == EPERM)
		hint = "you must be root or in the group named by control-group";
	(void)cli_out_fail("the gateway cannot be reached at %s (%s): %s", c->socket, strerror(errno), hint);
	return CLI_AWAY;
}

static int ask(int fd, char *text)
{
	struct admin_request rq = {.text = text};
	struct ipc_out o;
	int made, err;

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, REQUEST_ID);
	err = admin_request_put(&o, &rq, &made);
	if (err == 0 && ipc_send(fd, &o, SEND_MS) != 0 && errno != EPIPE) /* it may have said why before it closed */
		err = -1;
	ipc_out_clear(&o);
	if (made >= 0)
		close(made);
	return err;
}

/* 0 / -1. A connection that was closed on us with our request unread reports that first, and its last words after. */
static int hear(int fd, struct admin_reply *r_r)
{
	struct buf store;
	struct ipc_in in;
	int got, err = -1;

	buf_init(&store, IPC_PACKET_MAX);
	got = ipc_recv(fd, &store, &in, ANSWER_MS);
	if (got < 0 && errno == ECONNRESET)
		got = ipc_recv(fd, &store, &in, ANSWER_MS);
	if (got == 1 && in.type == ADMIN_PROTO_REPLY)
		err = admin_reply_get(&in, r_r);
	else if (got == 1)
		ipc_close_fds(&in);
	buf_clear(&store);
	return err;
}

static int refused(const struct cli *c, json_t *reply)
{
	json_t *e = json_object_get(reply, "error");
	const char *code = cli_json_str(e, "code"), *text = cli_json_str(e, "text");

	if (c->file != NULL && strcmp(code, "refused") == 0)
		(void)cli_out_fail("%s: %s", c->file, text);
	else
		(void)cli_out_fail("%s", text[0] ? text : "the gateway's answer cannot be understood");
	if (strcmp(code, "usage") == 0)
		return CLI_USAGE;
	return strcmp(code, "unavailable") == 0 ? CLI_AWAY : CLI_FAILED;
}

static int waits(const struct cli *c, const json_t *data)
{
	long long id = (long long)cli_json_int(json_object_get(data, "proposal"), "id");

	if (!cli_out_json(c, data))
		cli_out_line("Nothing is changed yet: it waits for a second person (two-person). Another user says: "
			     "postern proposal confirm %lld",
		    id);
	return CLI_WAITS;
}

/* One file goes with a reply, or none. */
static void take_file(struct admin_reply *r, int *fd_r)
{
	for (int i = 0; i < r->nfds; i++)
		if (fd_r != NULL && *fd_r < 0)
			*fd_r = r->fds[i];
		else
			close(r->fds[i]);
}

static int converse(struct cli *c, char *text, json_t **data_r, int *fd_r)
{
	struct admin_reply r = {.text = NULL};
	int fd = reach(c), rc = CLI_OK;
	json_t *reply;

	if (fd < 0)
		return unreachable(c);
	if (ask(fd, text) != 0 || hear(fd, &r) != 0) {
		close(fd);
		(void)cli_out_fail(
		    "the gateway did not answer (%s): look whether the change was made before you try again",
		    errno == ETIMEDOUT ? "time-out" : "the connection ended");
		return CLI_AWAY;
	}
	close(fd);
	reply = json_loads(r.text, JSON_REJECT_DUPLICATES, NULL);
	free(r.text);
	take_file(&r, fd_r);
	if (json_is_true(json_object_get(reply, "ok")))
		*data_r = json_incref(json_object_get(reply, "data"));
	if (*data_r == NULL)
		rc = refused(c, reply);
	json_decref(reply);
	if (json_object_get(*data_r, "proposal")) {
		rc = waits(c, *data_r);
		json_decref(*data_r);
		*data_r = NULL;
	}
	return rc;
}

int cli_call_file(struct cli *c, const char *verb, json_t *args, json_t **data_r, int *fd_r)
{
	json_t *o = cli_json_object();
	char *text;
	int rc;

	*data_r = NULL;
	if (fd_r != NULL)
		*fd_r = -1;
	cli_json_set(o, "verb", json_string(verb));
	cli_json_set(o, "args", args != NULL ? args : cli_json_object());
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL)
		return cli_out_fail("an argument is not UTF-8 text");
	rc = converse(c, text, data_r, fd_r);
	mem_free_secret(text, strlen(text));
	if (rc != CLI_OK && fd_r != NULL && *fd_r >= 0) {
		close(*fd_r);
		*fd_r = -1;
	}
	return rc;
}

int cli_call(struct cli *c, const char *verb, json_t *args, json_t **data_r)
{
	return cli_call_file(c, verb, args, data_r, NULL);
}
