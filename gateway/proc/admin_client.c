/*
 * Local clients of the control socket: who they are says the kernel (SO_PEERCRED), what they may the mode of the
 * socket. Role admin. A client asks one thing at a time; its channel is not read while it waits, so that nobody piles
 * up requests. What a client sends wrongly costs it its connection and nobody else anything.
 */
#include "gateway/proc/admin_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/admin_route.h"

enum { ACCEPTS_AT_ONCE = 16 };

struct admin_client {
	struct admin_client *next;
	struct admin *of;
	struct ipc_chan *chan;
	struct loop_timer *idle;
	char who[128];
	struct admin_job *job;
};
struct admin_job {
	struct admin_client *client; /* NULL: gone */
	uint32_t id;
};

/* Of one that is no longer in the list. */
static void end(struct admin_client *c)
{
	c->of->nclients--;
	if (c->job != NULL)
		c->job->client = NULL;
	loop_timer_free(c->idle);
	ipc_chan_free(c->chan);
	free(c);
}

static void drop(struct admin_client *c)
{
	struct admin_client **q = &c->of->clients;

	while (*q != c)
		q = &(*q)->next;
	*q = c->next;
	end(c);
}

/* ---- replies ---- */

static int put_reply(struct ipc_out *o, uint32_t id, const struct admin_reply *r, int *made_r)
{
	ipc_out_init(o, ADMIN_PROTO_REPLY, id);
	if (admin_reply_put(o, r, made_r) == 0)
		return 0;
	ipc_out_clear(o);
	return -1;
}

static int send_reply(struct admin_client *c, uint32_t id, const struct admin_reply *r)
{
	struct ipc_out o;
	int made = -1, err = put_reply(&o, id, r, &made);

	if (err == 0)
		err = ipc_chan_send(c->chan, &o);
	if (made >= 0)
		close(made);
	return err;
}

void admin_client_reply(struct admin_job *j, const struct admin_reply *r)
{
	struct admin_client *c = j->client;
	uint32_t id = j->id;

	free(j);
	if (c == NULL)
		return;
	c->job = NULL;
	if (send_reply(c, id, r) != 0) {
		drop(c);
		return;
	}
	loop_timer_set(c->idle, ADMIN_IDLE_MS);
	ipc_chan_pause(c->chan, false);
}

void admin_client_error(struct admin_job *j, const char *code, const char *text)
{
	struct admin_reply r = {.text = admin_json_error(code, text)};

	admin_client_reply(j, &r);
	free(r.text);
}

/* To a connection that is about to be closed, and may not even have a channel: what the socket takes at once. */
static void last_words(int fd, uint32_t id, const char *code, const char *text)
{
	struct admin_reply r = {.text = admin_json_error(code, text)};
	struct ipc_out o;
	int made;

	if (put_reply(&o, id, &r, &made) == 0) {
		if (ipc_out_finish(&o) != 0 || ipc_send_now(fd, &o.b, NULL, 0) != 0)
			log_debug(NULL, "admin", "unheard why=\"%s\"", strerror(errno));
		ipc_out_clear(&o);
	}
	free(r.text);
}

static void refuse(struct admin_client *c, uint32_t id, const char *text)
{
	log_info(NULL, "admin", "refused client=\"%s\" why=\"%s\"", c->who, text);
	last_words(ipc_chan_fd(c->chan), id, "usage", text);
	drop(c);
}

/* ---- requests ---- */

/* Reading a client's descriptor must neither wait (a pipe) nor see what still changes: only a sealed memory file will
 * do. */
static bool all_sealed(const struct ipc_in *in)
{
	const int want = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	for (int i = 0; i < in->nfds; i++) {
		int seals = in->fds[i] >= 0 ? fcntl(in->fds[i], F_GET_SEALS) : -1;

		if (seals < 0 || (seals & want) != want)
			return false;
	}
	return true;
}

static void on_msg(void *ctx, struct ipc_chan *ch, struct ipc_in *in)
{
	struct admin_client *c = ctx;
	struct admin_request rq = {.text = NULL};
	uint32_t id = in->id;

	if (in->type != ADMIN_PROTO_REQUEST || !all_sealed(in) || admin_request_get(in, &rq) != 0) {
		refuse(c, id, "the request cannot be read: does the command have the version of the gateway?");
		return;
	}
	memcpy(rq.who, c->who, sizeof rq.who);
	loop_timer_off(c->idle);
	ipc_chan_pause(ch, true);
	c->job = mem_new(sizeof *c->job);
	*c->job = (struct admin_job){.client = c, .id = id};
	admin_route(c->of, c->job, &rq); /* may have answered, and dropped the client */
	mem_free_secret(rq.text, strlen(rq.text));
}

static void on_close(void *ctx, struct ipc_chan *ch, const char *why)
{
	struct admin_client *c = ctx;

	(void)ch;
	if (strcmp(why, "malformed packet") == 0)
		refuse(c, 0, "the packet cannot be read: does the command have the version of the gateway?");
	else
		drop(c);
}

static void on_idle(void *ctx)
{
	struct admin_client *c = ctx;

	log_info(NULL, "admin", "idle client=\"%s\"", c->who);
	drop(c);
}

/* ---- accepting ---- */

static int who_is(int fd, char out[128])
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof cred)
		return -1;
	(void)snprintf(out, 128, "uid %u", (unsigned)cred.uid);
	return 0;
}

static void add(struct admin *a, int fd)
{
	static const struct ipc_chan_ops ops = {on_msg, on_close};
	struct admin_client *c;
	char who[128];

	if (who_is(fd, who) != 0) {
		log_warn(NULL, "admin", "refused why=\"no credentials: %s\"", strerror(errno));
		close(fd);
		return;
	}
	if (a->nclients >= ADMIN_CLIENTS_MAX) {
		log_warn(NULL, "admin", "refused client=\"%s\" why=\"too many clients\"", who);
		last_words(fd, 0, "unavailable", "too many clients are at the control socket: try again in a minute");
		close(fd);
		return;
	}
	c = mem_new(sizeof *c);
	c->of = a;
	memcpy(c->who, who, sizeof c->who);
	c->next = a->clients;
	a->clients = c;
	a->nclients++;
	c->idle = loop_timer_new(a->loop, on_idle, c);
	loop_timer_set(c->idle, ADMIN_IDLE_MS);
	c->chan = ipc_chan_new(a->loop, fd, &ops, c);
}

static void on_accept(void *ctx, int listener, unsigned got)
{
	struct admin *a = ctx;

	(void)got;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd < 0)
			log_fatal("accept at the control socket: %s", strerror(errno));
		add(a, fd);
	}
}

void admin_client_accept(struct admin *a)
{
	a->accepts = loop_io_new(a->loop, a->listener, on_accept, a);
	loop_io_want(a->accepts, LOOP_READ);
}

void admin_client_close_all(struct admin *a)
{
	while (a->clients != NULL) {
		struct admin_client *c = a->clients;

		a->clients = c->next;
		end(c);
	}
	loop_io_free(a->accepts);
	close(a->listener);
}
