/* Settings, mails and a loop to run them for tests of the SMTP client. */
#ifndef POSTERN_TESTS_SMTPC_FIXTURE_H
#define POSTERN_TESTS_SMTPC_FIXTURE_H

#include "gateway/base/stream.h"
#include "gateway/smtp/conn.h"
#include "gateway/smtp/smtpc.h"
#include "gateway/smtp/smtpc_settings.h"
#include "tests/unit/smtp_peer.h"

#define FIXTURE __attribute__((unused)) static
enum { FIXTURE_RCPTS = 8 };

FIXTURE const struct smtpc_settings fixture_settings = {
    .connect_timeout = 5000,
    .greeting_timeout = 10000,
    .ehlo_timeout = 10000,
    .tls_timeout = 10000,
    .mail_timeout = 10000,
    .rcpt_timeout = 10000,
    .data_timeout = 10000,
    .block_timeout = 10000,
    .end_timeout = 10000,
    .quit_timeout = 1000,
    .xsmg_timeout = 10000,
    .idle_time = 5000,
    .backoff_min = 60000,
    .backoff_max = 600000,
    .connections = 20,
    .first_connections = 2,
    .connections_total = 100,
    .messages = 100,
    .recipients = 100,
    .attempts = 8,
    .reply_line = 1024,
    .reply_lines = 20,
    .chunking = true,
};

struct fixture_mail {
	struct smtpc_mail m;
	struct smtpc_rcpt rcpts[FIXTURE_RCPTS];
	struct stream_mem content;
	char remote[300], tls[200];
	int done; /* how often */
};
struct fixture {
	struct loop *loop;
	struct smtpc_settings set;
	struct smtpc_pool *pool;
	struct smtpc_host hosts[4];
	struct smtpc_dest dest;
};

FIXTURE void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	f->loop = loop_new();
	f->set = fixture_settings;
	f->dest = (struct smtpc_dest){.key = "peer.test", .hosts = f->hosts};
}

FIXTURE void fixture_pool(struct fixture *f)
{
	f->pool = smtpc_pool_new(f->loop, &f->set, "client.test");
}

FIXTURE void fixture_host(struct fixture *f, const char *name, const struct sockaddr_storage *ss)
{
	struct smtpc_host *h = &f->hosts[f->dest.nhosts++];

	snprintf(h->name, sizeof h->name, "%s", name);
	h->addrs[h->naddrs++] = *ss;
}

FIXTURE void fixture_linger(struct fixture *f)
{
	int64_t end = loop_now_ms() + 3000;

	while (conn_lingering() > 0 && loop_now_ms() < end)
		loop_once(f->loop, 50);
}

FIXTURE void fixture_end(struct fixture *f)
{
	smtpc_pool_free(f->pool);
	fixture_linger(f);
	loop_free(f->loop);
}

FIXTURE void fixture_done(void *ctx, struct smtpc_mail *m, const char *remote, const char *tls)
{
	struct fixture_mail *fm = ctx;

	ck_assert_ptr_eq(m, &fm->m);
	snprintf(fm->remote, sizeof fm->remote, "%s", remote);
	snprintf(fm->tls, sizeof fm->tls, "%s", tls);
	fm->done++;
}

FIXTURE void fixture_mail(struct fixture_mail *fm, size_t nrcpts, const char *content)
{
	static const char *const names[FIXTURE_RCPTS] = {"r0@peer.test", "r1@peer.test", "r2@peer.test",
	    "r3@peer.test", "r4@peer.test", "r5@peer.test", "r6@peer.test", "r7@peer.test"};

	memset(fm, 0, sizeof *fm);
	for (size_t i = 0; i < nrcpts; i++)
		fm->rcpts[i].address = names[i];
	stream_mem_init(&fm->content, content, strlen(content));
	fm->m = (struct smtpc_mail){.sender = "from@client.test",
	    .rcpts = fm->rcpts,
	    .nrcpts = nrcpts,
	    .front = "",
	    .content = &fm->content.reader,
	    .id = "Q1",
	    .done = fixture_done,
	    .ctx = fm};
}

/* Runs the loop until the mail is done. */
FIXTURE void fixture_wait(struct fixture *f, const struct fixture_mail *fm)
{
	int64_t end = loop_now_ms() + 20000;

	while (!fm->done && loop_now_ms() < end)
		loop_once(f->loop, 100);
	ck_assert_msg(fm->done == 1, "the mail was not done");
}

FIXTURE void fixture_send(struct fixture *f, struct fixture_mail *fm)
{
	smtpc_pool_send(f->pool, &f->dest, &fm->m);
	ck_assert_int_eq(fm->done, 0);
	fixture_wait(f, fm);
}

#endif
