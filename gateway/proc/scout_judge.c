/* What the judge asks. Role scout. */
#include "gateway/proc/scout_judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

static struct {
	struct ipc_chan *chan;
	uint64_t generation; /* of the channel */
} judge;

struct question {
	uint32_t id;
	uint64_t generation;
};

/* 0, or -1 with errno: no memory file. */
static int tell(uint32_t id, const struct source_answer *a)
{
	struct ipc_out o;
	int fd;

	if (source_answer_put(&o, id, a, &fd) != 0)
		return -1;
	if (ipc_chan_send(judge.chan, &o) != 0)
		log_warn(NULL, "scout", "cannot-answer to=judge");
	if (fd >= 0)
		close(fd);
	return 0;
}

static void answered(void *ctx, const struct source_answer *a)
{
	struct question *q = ctx;
	struct source_answer instead;

	if (judge.chan != NULL && q->generation == judge.generation && tell(q->id, a) != 0) {
		source_answer_set(&instead, SOURCE_TEMP, "the answer cannot be handed on: %s", strerror(errno));
		instead.dnssec = SOURCE_UNKNOWN;
		(void)tell(q->id, &instead); /* short: needs no file */
	}
	free(q);
}

static void from_judge(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	const struct scout_judge *from = ctx;
	struct question *q = mem_new(sizeof(*q));
	struct source_ask a;

	(void)c;
	q->id = in->id;
	q->generation = judge.generation;
	if (source_ask_get(in, &a) != 0)
		log_fatal("the judge's question cannot be read");
	switch (a.kind) {
	case SOURCE_DNS:
		source_dns_ask(from->dns, &a, answered, q);
		break;
	case SOURCE_LDAP:
		source_ldap_ask(from->ldap, &a, answered, q);
		break;
	case SOURCE_HTTP:
		source_http_ask(from->http, &a, answered, q);
		break;
	}
}

static void gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	judge.chan = NULL;
}

void scout_judge_channel(struct loop *l, const struct scout_judge *from, int fd)
{
	static const struct ipc_chan_ops ops = {from_judge, gone};

	ipc_chan_free(judge.chan);
	judge.generation++;
	judge.chan = ipc_chan_new(l, fd, &ops, (void *)(uintptr_t)from);
}
