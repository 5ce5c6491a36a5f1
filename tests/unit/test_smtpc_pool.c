/* The pool: which host next, reuse of connections, limits, back-off, waiting mails, the end. Scripted servers over
 * loopback. */
#include "gateway/smtp/smtpc_pool.h"
#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

static const char *const good[] = {"> 220 hi", "*", NULL};
static const char *const bad_greeting[] = {"> 421 4.3.2 not today", "w", NULL};
static const char *const never[] = {"> 521 5.3.2 never", "w", NULL};

static struct peer *start(const char *const *script)
{
	struct peer *p = peer_new();

	p->scripts[0] = script;
	p->nscripts = 1;
	p->parallel = true;
	peer_start(p);
	return p;
}

/* A port of loopback where nobody listens; keep *fd_r open meanwhile. */
static struct sockaddr_storage dead_address(int *fd_r)
{
	struct sockaddr_storage ss;

	*fd_r = peer_socket(&ss);
	return ss;
}

static void wait_connections(struct fixture *f, size_t n)
{
	int64_t end = loop_now_ms() + 10000;

	while (smtpc_pool_connections(f->pool, NULL) != n && loop_now_ms() < end)
		loop_once(f->loop, 50);
	ck_assert_uint_eq(smtpc_pool_connections(f->pool, NULL), n);
}

START_TEST(dead_host_then_living)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = start(good);
	int fd;
	struct sockaddr_storage dead = dead_address(&fd);

	fixture_init(&f);
	fixture_host(&f, "mx1.peer.test", &dead);
	fixture_host(&f, "mx2.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	ck_assert_ptr_nonnull(strstr(m.remote, "mx2.peer.test["));
	ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	fixture_end(&f);
	peer_end(p);
	close(fd);
}
END_TEST

/* The second address of the same host, and a host that refuses in its greeting. */
START_TEST(alternatives)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *refusing = start(bad_greeting), *p = start(good);
	int fd;
	struct sockaddr_storage dead = dead_address(&fd);

	fixture_init(&f);
	fixture_host(&f, "mx1.peer.test", &dead);
	f.hosts[0].addrs[1] = refusing->addr;
	f.hosts[0].addrs[2] = p->addr;
	f.hosts[0].naddrs = 3;
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	ck_assert_int_eq(atomic_load(&refusing->accepted), 1);
	fixture_end(&f);
	peer_end(p);
	peer_end(refusing);
	close(fd);
}
END_TEST

/* A refusal for good by one host is not one by the destination, unless no other host is milder. */
START_TEST(mildest_wins)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *no = start(never), *later = start(bad_greeting);

	for (int both = 0; both < 2; both++) {
		fixture_init(&f);
		if (both)
			fixture_host(&f, "mx2.peer.test", &later->addr);
		fixture_host(&f, "mx1.peer.test", &no->addr);
		fixture_pool(&f);
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_int_eq(m.rcpts[0].pr.cls, both ? PROBLEM_TEMP : PROBLEM_PERM);
		ck_assert_str_eq(m.rcpts[0].pr.enh, both ? "4.3.2" : "5.3.2");
		fixture_end(&f);
	}
	peer_end(no);
	peer_end(later);
}
END_TEST

/* A broken connection in the middle of a mail: once more on the next host, with the recipients that have no result.
 */
START_TEST(broken_then_next_host)
{
	static const char *const breaks[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT TO:<r0@",
	    "> 550 5.1.1 unknown", "< RCPT TO:<r1@", "> 250 x", "< DATA", "x", NULL};
	static const char *const rest[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT TO:<r1@",
	    "> 250 x", "< DATA", "> 354 x", ".", "> 250 in", "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *a = start(breaks), *b = start(rest);

	fixture_init(&f);
	fixture_host(&f, "mx1.peer.test", &a->addr);
	fixture_host(&f, "mx2.peer.test", &b->addr);
	fixture_pool(&f);
	fixture_mail(&m, 2, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_str_eq(m.rcpts[0].pr.enh, "5.1.1");
	ck_assert_msg(m.rcpts[1].ok, "%s", m.rcpts[1].pr.text);
	fixture_end(&f);
	peer_end(a);
	peer_end(b);
}
END_TEST

/* After the final dot nothing is tried elsewhere: that would be a duplicate for sure where it was only possible. */
START_TEST(lost_after_end_is_not_repeated)
{
	static const char *const lost[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT", "> 250 x",
	    "< DATA", "> 354 x", ".", "x", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *a = start(lost), *b = start(good);

	fixture_init(&f);
	fixture_host(&f, "mx1.peer.test", &a->addr);
	fixture_host(&f, "mx2.peer.test", &b->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_ptr_nonnull(strstr(m.rcpts[0].pr.text, "duplicate"));
	ck_assert_int_eq(atomic_load(&b->accepted), 0);
	ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	fixture_end(&f);
	peer_end(a);
	peer_end(b);
}
END_TEST

START_TEST(no_hosts)
{
	struct fixture f;
	struct fixture_mail m;

	fixture_init(&f);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_str_eq(m.rcpts[0].pr.enh, "4.4.4");
	fixture_end(&f);
}
END_TEST

/* ---- reuse ---- */

START_TEST(reuse)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = start(good);

	fixture_init(&f);
	f.set.messages = 3;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 7; i++) {
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert(m.rcpts[0].ok);
		ck_assert_int_eq(atomic_load(&p->accepted), i / 3 + 1);
		ck_assert_uint_eq(smtpc_pool_connections(f.pool, "peer.test"), i % 3 == 2 ? 0 : 1);
	}
	fixture_end(&f);
	ck_assert_int_eq(atomic_load(&p->mails), 7);
	peer_end(p);
}
END_TEST

/* After a transaction that was not finished the next one begins with RSET, in the same go where pipelined. */
START_TEST(reset_before_reuse)
{
	static const char *const steps[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT",
	    "> 550 5.1.1 no", "< RSET", "> 250 x", "< MAIL", "> 250 x", "< RCPT", "> 250 x", "< DATA", "> 354 x", ".",
	    "> 250 in", "< MAIL", "> 250 x", "< RCPT", "> 250 x", "< DATA", "> 354 x", ".", "> 250 in", "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = start(steps);

	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 3; i++) {
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_int_eq(m.rcpts[0].ok, i > 0);
	}
	ck_assert_int_eq(atomic_load(&p->accepted), 1);
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* An idle connection ends with QUIT when its time is over, and quietly when the server closes it. */
START_TEST(idle_ends)
{
	static const char *const quits[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT", "> 250 x",
	    "< DATA", "> 354 x", ".", "> 250 in", "< QUIT", "> 221 bye", "w", NULL};
	static const char *const closes[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT",
	    "> 250 x", "< DATA", "> 354 x", ".", "> 250 in", "> 421 idle too long", "x", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = start(_i ? closes : quits);

	fixture_init(&f);
	f.set.idle_time = _i ? 20000 : 20;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert(m.rcpts[0].ok);
	wait_connections(&f, 0);
	ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* A kept connection that dies under the next mail's MAIL: a new connection, no failure. */
START_TEST(stale_connection)
{
	static const char *const stale[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT", "> 250 x",
	    "< DATA", "> 354 x", ".", "> 250 in", "< MAIL", "> 421 idle too long", "x", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();

	p->scripts[0] = stale;
	p->scripts[1] = good;
	p->nscripts = 2;
	peer_start(p);
	fixture_init(&f);
	f.set.attempts = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 2; i++) {
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	}
	ck_assert_int_eq(atomic_load(&p->accepted), 2);
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* A connection made under a weaker demand, or to a host that is no longer named, carries no mail of a stronger one.
 */
START_TEST(no_reuse_across_demands)
{
	static const char *const refuse_tls[] = {"> 220 hi", "< EHLO", "> 250 x", "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new(), *other = start(good);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	p->scripts[0] = good;
	p->scripts[1] = refuse_tls;
	p->nscripts = 2;
	p->parallel = true;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert(m.rcpts[0].ok);
	f.dest.tls = SMTPC_TLS_ENCRYPT;
	f.dest.ctx = ctx;
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_str_eq(m.rcpts[0].pr.enh, "4.7.4");
	ck_assert_int_eq(atomic_load(&p->accepted), 2);
	/* back to the weaker demand, with another host: the first connection is still there, but not for it */
	f.dest.tls = SMTPC_TLS_NONE;
	f.hosts[0].addrs[0] = other->addr;
	smtpc_pool_wake(f.pool, "peer.test");
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert(m.rcpts[0].ok);
	ck_assert_int_eq(atomic_load(&other->accepted), 1);
	fixture_end(&f);
	SSL_CTX_free(ctx);
	peer_end(p);
	peer_end(other);
}
END_TEST

/* ---- limits ---- */

/* Starts with one connection, grows with success, never beyond the maximum. */
START_TEST(connections_grow)
{
	struct fixture f;
	struct fixture_mail m[30];
	struct peer *p = start(good);
	size_t done = 0;
	int64_t end = loop_now_ms() + 20000;

	fixture_init(&f);
	f.set.first_connections = 1;
	f.set.connections = 3;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 30; i++) {
		fixture_mail(&m[i], 1, "x\r\n");
		smtpc_pool_send(f.pool, &f.dest, &m[i].m);
		ck_assert_uint_eq(smtpc_pool_connections(f.pool, "peer.test"), 1);
	}
	ck_assert_uint_eq(smtpc_pool_busy(f.pool, "peer.test"), 30);
	while (done < 30 && loop_now_ms() < end) {
		loop_once(f.loop, 100);
		ck_assert_uint_le(smtpc_pool_connections(f.pool, "peer.test"), 3);
		done = 0;
		for (int i = 0; i < 30; i++)
			done += (size_t)m[i].done;
	}
	ck_assert_uint_eq(done, 30);
	ck_assert_uint_eq(smtpc_pool_busy(f.pool, NULL), 0);
	for (int i = 0; i < 30; i++)
		ck_assert(m[i].rcpts[0].ok);
	ck_assert_int_eq(atomic_load(&p->accepted), 3);
	fixture_end(&f);
	ck_assert_int_eq(atomic_load(&p->mails), 30);
	peer_end(p);
}
END_TEST

static size_t limit(struct fixture *f)
{
	for (size_t i = 0; i < SMTPC_POOL_HASH; i++) {
		if (f->pool->sites[i])
			return f->pool->sites[i]->limit;
	}
	return 0;
}

/* Each failure of the destination halves what it may have, down to one; each success gives one back. */
START_TEST(connections_shrink)
{
	static const size_t want[] = {4, 2, 1, 1};
	struct peer *p = start(good);
	struct fixture f;
	struct fixture_mail m;
	int fd;
	struct sockaddr_storage dead = dead_address(&fd);

	fixture_init(&f);
	f.set.first_connections = 8;
	fixture_host(&f, "mx.peer.test", &dead);
	fixture_pool(&f);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert(!m.rcpts[0].ok);
		ck_assert_uint_eq(limit(&f), want[i]);
		smtpc_pool_wake(f.pool, "peer.test");
	}
	f.hosts[0].addrs[0] = p->addr;
	for (size_t i = 0; i < 3; i++) {
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
		ck_assert_uint_eq(limit(&f), 2 + i);
	}
	fixture_end(&f);
	peer_end(p);
	close(fd);
}
END_TEST

/* With one connection the mails go in the order in which they came. */
START_TEST(first_come_first_served)
{
	struct fixture f;
	struct fixture_mail m[5];
	struct peer *p = start(good);
	static const char *const texts[5] = {"one\r\n", "two\r\n", "three\r\n", "four\r\n", "five\r\n"};

	fixture_init(&f);
	f.set.first_connections = f.set.connections = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 5; i++) {
		fixture_mail(&m[i], 1, texts[i]);
		smtpc_pool_send(f.pool, &f.dest, &m[i].m);
	}
	fixture_wait(&f, &m[4]);
	fixture_end(&f);
	ck_assert_str_eq(p->content, "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n");
	peer_end(p);
}
END_TEST

/* The total is shared: an idle connection of one destination makes room for another's. */
START_TEST(total)
{
	struct fixture f;
	struct fixture_mail m[2];
	struct peer *p = start(good), *q = start(good);

	fixture_init(&f);
	f.set.connections_total = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m[0], 1, "x\r\n");
	fixture_mail(&m[1], 1, "x\r\n");
	smtpc_pool_send(f.pool, &f.dest, &m[0].m);
	f.dest.key = "other.test";
	f.hosts[0].addrs[0] = q->addr;
	smtpc_pool_send(f.pool, &f.dest, &m[1].m);
	ck_assert_uint_eq(smtpc_pool_connections(f.pool, NULL), 1);
	ck_assert_uint_eq(smtpc_pool_busy(f.pool, "other.test"), 1);
	fixture_wait(&f, &m[0]);
	fixture_wait(&f, &m[1]);
	ck_assert(m[0].rcpts[0].ok && m[1].rcpts[0].ok);
	ck_assert_uint_eq(smtpc_pool_connections(f.pool, NULL), 1);
	fixture_end(&f);
	peer_end(p);
	peer_end(q);
}
END_TEST

/* Who comes later to a total that is used up does not wait until the others have nothing left. */
START_TEST(total_in_turn)
{
	enum { MANY = 40 };
	struct fixture f;
	static struct fixture_mail m[MANY], late;
	struct peer *p = start(good), *q = start(good);
	int before = 0;

	fixture_init(&f);
	f.set.connections_total = 1;
	f.set.messages = 2;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < MANY; i++) {
		fixture_mail(&m[i], 1, "x\r\n");
		smtpc_pool_send(f.pool, &f.dest, &m[i].m);
	}
	f.dest.key = "other.test";
	f.hosts[0].addrs[0] = q->addr;
	fixture_mail(&late, 1, "x\r\n");
	smtpc_pool_send(f.pool, &f.dest, &late.m);
	fixture_wait(&f, &late);
	for (int i = 0; i < MANY; i++)
		before += m[i].rcpts[0].ok;
	ck_assert_msg(before <= 6, "after %d others", before);
	for (int i = 0; i < MANY; i++)
		fixture_wait(&f, &m[i]);
	fixture_end(&f);
	peer_end(p);
	peer_end(q);
}
END_TEST

/* More recipients than one transaction takes. */
START_TEST(recipients_in_parts)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = start(good);

	fixture_init(&f);
	f.set.recipients = 3;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 8, "x\r\n");
	fixture_send(&f, &m);
	for (int i = 0; i < 8; i++)
		ck_assert(m.rcpts[i].ok);
	fixture_end(&f);
	ck_assert_int_eq(atomic_load(&p->mails), 3);
	ck_assert_int_eq(atomic_load(&p->accepted), 1);
	peer_end(p);
}
END_TEST

/* ---- back-off ---- */

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(backoff)
{
	struct fixture f;
	struct fixture_mail m, waiting;
	struct problem pr;
	struct peer *p = start(bad_greeting);

	fixture_init(&f);
	f.set.first_connections = 1;
	f.set.backoff_max = 200000;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 4; i++) {
		static const int64_t wanted[4] = {60000, 120000, 200000, 200000};

		fixture_mail(&m, 1, "x\r\n");
		fixture_mail(&waiting, 1, "x\r\n");
		smtpc_pool_send(f.pool, &f.dest, &m.m);
		smtpc_pool_send(f.pool, &f.dest, &waiting.m);
		fixture_wait(&f, &m);
		fixture_wait(&f, &waiting);
		ck_assert_str_eq(m.rcpts[0].pr.enh, "4.3.2");
		ck_assert_int_eq(waiting.rcpts[0].pr.cls, PROBLEM_TEMP);
		ck_assert_ptr_nonnull(strstr(waiting.rcpts[0].pr.text, "left alone"));

		int64_t ms = smtpc_pool_backoff(f.pool, "peer.test", &pr) - wall_ms();

		ck_assert_int_ge(ms, wanted[i] * 7 / 8 - 5000);
		ck_assert_int_le(ms, wanted[i] * 9 / 8);
		ck_assert_ptr_nonnull(strstr(pr.text, "421 4.3.2 not today"));
		/* one that comes now is answered at once, without a connection */
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
		ck_assert_int_eq(atomic_load(&p->accepted), i + 1);
		smtpc_pool_wake(f.pool, "peer.test");
		ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	}
	ck_assert_int_eq(smtpc_pool_backoff(f.pool, "unknown.test", NULL), 0);
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* Success forgets the failures. */
START_TEST(backoff_ends_with_success)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();

	p->scripts[0] = bad_greeting;
	p->scripts[1] = bad_greeting;
	p->scripts[2] = good;
	p->scripts[3] = bad_greeting;
	p->nscripts = 4;
	p->parallel = true;
	peer_start(p);
	fixture_init(&f);
	f.set.messages = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 4; i++) {
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_int_eq(m.rcpts[0].ok, i == 2);
		if (i == 3)
			ck_assert_int_le(smtpc_pool_backoff(f.pool, "peer.test", NULL) - wall_ms(), 60000 * 9 / 8);
		smtpc_pool_wake(f.pool, "peer.test");
	}
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* A permanent refusal of the host reaches the mail that met it; those that only waited may still try later. */
START_TEST(waiting_mails_are_not_bounced)
{
	struct fixture f;
	struct fixture_mail m, waiting;
	struct peer *p = start(never);

	fixture_init(&f);
	f.set.first_connections = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_mail(&waiting, 1, "x\r\n");
	smtpc_pool_send(f.pool, &f.dest, &m.m);
	smtpc_pool_send(f.pool, &f.dest, &waiting.m);
	fixture_wait(&f, &m);
	fixture_wait(&f, &waiting);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_PERM);
	ck_assert_int_eq(waiting.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_str_eq(waiting.rcpts[0].pr.enh, "4.3.2");
	ck_assert_int_eq(waiting.rcpts[0].pr.code, 451);
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* ---- the end ---- */

START_TEST(ends_with_results)
{
	static const char *const slow[] = {"> 220 hi", "w", NULL};
	struct fixture f;
	struct fixture_mail m[3];
	struct peer *p = start(slow);

	fixture_init(&f);
	f.set.first_connections = 2;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 3; i++) {
		fixture_mail(&m[i], 1, "x\r\n");
		smtpc_pool_send(f.pool, &f.dest, &m[i].m);
	}
	for (int i = 0; i < 1000 && atomic_load(&p->accepted) < 2; i++)
		loop_once(f.loop, 10);
	fixture_end(&f);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(m[i].done, 1);
		ck_assert_int_eq(m[i].rcpts[0].pr.cls, PROBLEM_TEMP);
		ck_assert_str_eq(m[i].rcpts[0].pr.enh, "4.3.2");
	}
	peer_end(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_pool");
	TCase *t = tcase_create("pool");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, dead_host_then_living);
	tcase_add_test(t, alternatives);
	tcase_add_test(t, mildest_wins);
	tcase_add_test(t, broken_then_next_host);
	tcase_add_test(t, lost_after_end_is_not_repeated);
	tcase_add_test(t, no_hosts);
	tcase_add_test(t, reuse);
	tcase_add_test(t, reset_before_reuse);
	tcase_add_loop_test(t, idle_ends, 0, 2);
	tcase_add_test(t, stale_connection);
	tcase_add_test(t, no_reuse_across_demands);
	tcase_add_test(t, connections_grow);
	tcase_add_test(t, connections_shrink);
	tcase_add_test(t, first_come_first_served);
	tcase_add_test(t, total);
	tcase_add_test(t, total_in_turn);
	tcase_add_test(t, recipients_in_parts);
	tcase_add_test(t, backoff);
	tcase_add_test(t, backoff_ends_with_success);
	tcase_add_test(t, waiting_mails_are_not_bounced);
	tcase_add_test(t, ends_with_results);
	suite_add_tcase(s, t);
	return suite_run(s);
}
