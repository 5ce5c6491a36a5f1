/* Who is told what about which recipient: a scripted inside server for call-ahead, a scripted scout for LDAP; many
 * that wait for one answer, and some that stop waiting. */
#include "gateway/proc/relay_rcpts.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/ipc.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/scout/ldap_proto.h"
#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

enum { MANY = 1000 };

#define D(name, port, more)                                                                                          \
	"domain \"" name "\" {\n inside-server = \"127.0.0.1:" port "\"\n inside-tls = none\n" more "}\n"
static const char conf_text[] =
    "hostname = \"gw.hospital.example\"\n"
    "listener \"in\" {\n address = \"127.0.0.1:1\"\n side = inside\n networks = {\"127.0.0.0/8\"}\n}\n"
    "recipients {\n known-for = %s\n timeout = %s\n waiting-max = 3\n waiting-per-client = 2\n probe-backoff = "
    "1ms\n}\n" D("ask.example", "%u", "") D("map.example", "1", " recipients = map\n recipient-map = \"/m\"\n")
	D("map2.example", "1", " recipients = map\n recipient-map = \"/m\"\n")
	    D("ldap.example", "1", " recipients = ldap\n recipient-ldap = house\n")
		D("narrow.example", "1", " recipients = ldap\n recipient-ldap = narrow\n") D("soft.example", "1",
		    " recipients = ldap\n recipient-ldap = house\n recipient-unsure = accept\n") D("any.example", "1",
		    " recipients = any\n") "ldap \"house\" {\n servers = {\"ldap://127.0.0.1\"}\n base = \"\"\n}\n"
					   "ldap \"narrow\" {\n servers = {\"ldap://127.0.0.1\"}\n base = \"\"\n "
					   "connections = 1\n}\n";

static struct relay r;
static struct conf *conf;
static int scout = -1; /* our end of the channel */

static void begin(unsigned port, const char *known_for, const char *timeout)
{
	char text[2000];
	struct problem pr = {0};

	snprintf(text, sizeof(text), conf_text, known_for, timeout, port);
	ck_assert_msg(conf_parse("t", text, strlen(text), &conf, &pr) == 0, "%s\n%s", pr.text, text);
	memset(&r, 0, sizeof(r));
	r.loop = loop_new();
	r.conf = conf;
	r.top = conf_top(conf);
	r.hops = relay_hops_new(&r);
	r.rcpts = relay_rcpts_new(&r);
}

static void end(void)
{
	relay_hops_free(r.hops);
	relay_rcpts_free(r.rcpts);
	while (conn_lingering() > 0)
		loop_once(r.loop, 50);
	loop_free(r.loop);
	conf_free(conf);
}

static void connect_scout(void)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	scout = fds[0];
	relay_hops_channel(r.hops, fds[1]);
}

/* The next question at the scout; its id. */
static uint32_t asked(const char *local)
{
	struct ldap_proto_ask m;
	struct ipc_in in;
	struct buf b;
	uint32_t id;

	loop_once(r.loop, 0);
	buf_init(&b, IPC_PACKET_MAX);
	ck_assert_int_eq(ipc_recv(scout, &b, &in, 5000), 1);
	id = in.id;
	ck_assert_int_eq(ldap_proto_get_ask(&in, &m), 0);
	ck_assert(strcmp(m.directory, "house") == 0 || strcmp(m.directory, "narrow") == 0);
	ck_assert_str_eq(m.local, local);
	buf_clear(&b);
	return id;
}

static void answer(uint32_t id, enum ldap_proto_status status)
{
	struct ldap_proto_answer a = {status, "the scout's words"};
	struct ipc_out o;

	ldap_proto_put_answer(&o, id, &a);
	ck_assert_int_eq(ipc_send(scout, &o, 5000), 0);
	ipc_out_clear(&o);
}

struct asker {
	struct relay_rcpts_wait *wait;
	struct asker *cancels; /* when it is told */
	struct relay_rcpts_answer got;
	int told;
};

static void on_answer(void *ctx, const struct relay_rcpts_answer *a)
{
	struct asker *k = ctx;

	k->got = *a;
	k->told++;
	ck_assert_ptr_null(k->wait);
	if (k->cancels != NULL) {
		relay_rcpts_cancel(k->cancels->wait);
		ck_assert_ptr_null(k->cancels->wait);
	}
}

static void ask_for(struct asker *k, const char *address, const char *client)
{
	struct address a;

	ck_assert_int_eq(address_parse_utf8(address, strlen(address), &a, NULL), 0);
	relay_rcpts_ask(r.rcpts, &a, client, on_answer, k, &k->wait);
	ck_assert(k->told == (k->wait == NULL));
}

static void ask(struct asker *k, const char *address)
{
	ask_for(k, address, NULL);
}

static void until_told(struct asker *k)
{
	int64_t end = loop_now_ms() + 10000;

	while (k->told == 0 && loop_now_ms() < end)
		loop_once(r.loop, 100);
	ck_assert_int_eq(k->told, 1);
}

static void is(const struct asker *k, enum relay_rcpts_state state, const char *enh)
{
	ck_assert_msg(
	    k->told == 1 && k->got.state == state, "told %d state %d: %s", k->told, k->got.state, k->got.said);
	ck_assert(k->got.accepted == (enh == NULL));
	if (enh != NULL)
		ck_assert_msg(strcmp(k->got.pr.enh, enh) == 0 && k->got.pr.code == (strcmp(enh, "5.6.7") == 0 ? 553
										       : enh[0] == '5'	      ? 550
													      : 451),
		    "%d %s", k->got.pr.code, k->got.pr.text);
}

START_TEST(without_asking)
{
	static const struct {
		const char *address;
		enum relay_rcpts_state state;
		const char *enh, *source;
	} rows[] = {
	    {"whoever@any.example", RELAY_RCPTS_KNOWN, NULL, "any"},
	    {"postmaster@ask.example", RELAY_RCPTS_KNOWN, NULL, "postmaster"},
	    {"PostMaster@map.example", RELAY_RCPTS_KNOWN, NULL, "postmaster"},
	    {"Anna@map.example", RELAY_RCPTS_KNOWN, NULL, "map"},
	    {"anna+tag@map2.example", RELAY_RCPTS_KNOWN, NULL, "map"},
	    {"bob@map2.example", RELAY_RCPTS_UNKNOWN, "5.1.1", "map"},
	    {"bob@map.example", RELAY_RCPTS_KNOWN, NULL, "map"},
	    {"shop-1@map.example", RELAY_RCPTS_KNOWN, NULL, "map"},
	    {"shop-x+y@map.example", RELAY_RCPTS_UNKNOWN, "5.1.1", "map"},
	    /* no scout */
	    {"anna@ldap.example", RELAY_RCPTS_UNSURE, "4.4.3", "ldap"},
	    {"anna@soft.example", RELAY_RCPTS_UNSURE, NULL, "ldap"},
	};
	static const char text[] = "anna\nbob@map.example\nshop-*\n!shop-x\n!postmaster\n";

	begin(1, "1h", "5s");
	relay_rcpts_map_came(r.rcpts, 1, file_memfd("map", text, strlen(text)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct asker k = {0};

		ask(&k, rows[i].address);
		is(&k, rows[i].state, rows[i].enh);
		ck_assert_str_eq(k.got.source, rows[i].source);
	}
	end();
}
END_TEST

/* 1,000 that wait are one probe; some go before the answer, some because another was told. */
START_TEST(one_question)
{
	static const char *const steps[] = {"> 220 hi", "< EHLO", "> 250 x", "< MAIL FROM:<>", "> 250 m",
	    "< RCPT TO:<anna@ask.example>", "> 250 yes", "< RSET", "> 250 r", "< MAIL FROM:<>", "> 250 m",
	    "< RCPT TO:<joe+tag@ask.example>", "> 550 5.1.1 no", "w", NULL};
	static struct asker k[MANY];
	struct asker again = {0}, joe = {0};
	struct peer *p = peer_new();

	p->scripts[0] = steps;
	p->nscripts = 1;
	peer_start(p);
	begin(ntohs(((struct sockaddr_in *)&p->addr)->sin_port), "1h", "10s");
	for (int i = 0; i < MANY; i++)
		ask(&k[i], i % 2 ? "anna@ask.example" : "ANNA@ask.example");
	for (int i = 0; i < 100; i++)
		relay_rcpts_cancel(k[i].wait);
	k[200].cancels = &k[199]; /* they are told in some order: of the two, one at least */
	k[199].cancels = &k[200];
	until_told(&k[500]);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(i == 199 || i == 200 || k[i].told == (i >= 100), 1);
	ck_assert_int_eq(k[199].told + k[200].told, 1);
	is(&k[999], RELAY_RCPTS_KNOWN, NULL);
	ask(&again, "anna@ask.example");
	is(&again, RELAY_RCPTS_KNOWN, NULL);
	ask(&joe, "joe+tag@ask.example"); /* the whole address is asked for */
	until_told(&joe);
	is(&joe, RELAY_RCPTS_UNKNOWN, "5.1.1");
	ck_assert_ptr_nonnull(strstr(joe.got.said, "550 5.1.1 no"));
	ck_assert_int_eq(atomic_load(&p->accepted), 1);
	end();
	peer_end(p);
}
END_TEST

START_TEST(by_scout)
{
	struct asker tag = {0}, joe = {0}, other = {0}, late = {0}, gone = {0};
	uint32_t id;

	begin(1, "0s", "5s");
	connect_scout();
	ask(&tag, "anna+tag@ldap.example");
	answer(asked("anna+tag"), LDAP_PROTO_NOTHING);
	loop_once(r.loop, 5000);
	ck_assert_int_eq(tag.told, 0);
	answer(asked("anna"), LDAP_PROTO_FOUND);
	until_told(&tag);
	is(&tag, RELAY_RCPTS_KNOWN, NULL);
	ask(&joe, "joe@ldap.example");
	answer(asked("joe"), LDAP_PROTO_NOTHING);
	until_told(&joe);
	is(&joe, RELAY_RCPTS_UNKNOWN, "5.1.1");
	ask(&other, "eve@ldap.example");
	id = asked("eve");
	answer(id + 7, LDAP_PROTO_FOUND); /* of a question that nobody remembers */
	answer(id, LDAP_PROTO_WRONG);
	until_told(&other);
	is(&other, RELAY_RCPTS_UNSURE, "4.4.3");
	/* the scout dies: who waits is told; "exists" still counts, whatever its age */
	ask(&late, "eve@ldap.example");
	ask(&gone, "anna@ldap.example");
	asked("eve");
	asked("anna");
	close(scout);
	until_told(&late);
	is(&late, RELAY_RCPTS_UNSURE, "4.4.3");
	until_told(&gone);
	is(&gone, RELAY_RCPTS_KNOWN, NULL);
	ck_assert_ptr_nonnull(strstr(gone.got.said, "said earlier"));
	end();
}
END_TEST

/* waiting-max 3; a client waits no longer than timeout, and the answer is used when it comes. */
START_TEST(bounds)
{
	struct asker k[4] = {0}, again = {0};
	uint32_t id[3];

	begin(1, "1h", "100ms");
	connect_scout();
	ask(&k[0], "a@ldap.example");
	ask(&k[1], "b@ldap.example");
	ask(&k[2], "c@ldap.example");
	ask(&k[3], "d@ldap.example");
	is(&k[3], RELAY_RCPTS_UNSURE, "4.3.2");
	id[0] = asked("a");
	id[1] = asked("b");
	id[2] = asked("c");
	for (int i = 0; i < 3; i++) {
		until_told(&k[i]);
		is(&k[i], RELAY_RCPTS_UNSURE, "4.4.3");
	}
	for (int i = 0; i < 3; i++)
		answer(id[i], LDAP_PROTO_FOUND);
	do {
		memset(&again, 0, sizeof(again));
		ask(&again, "a@ldap.example");
		if (again.told == 0)
			until_told(&again);
	} while (!again.got.accepted);
	is(&again, RELAY_RCPTS_KNOWN, NULL);
	end();
}
END_TEST

/* A question that nobody waits for any more holds no place, as long as its source was not asked; what was asked goes
 * on, a few at a time. */
START_TEST(given_up)
{
	struct asker k[3] = {0}, more = {0}, never = {0};
	uint32_t id;

	begin(1, "1h", "10s");
	connect_scout();
	ask(&k[0], "a@narrow.example");
	ask(&k[1], "b@narrow.example");
	ask(&k[2], "c@narrow.example");
	ask(&never, "d@narrow.example");
	is(&never, RELAY_RCPTS_UNSURE, "4.3.2");
	id = asked("a");
	asked("b");
	relay_rcpts_cancel(k[2].wait);
	ask(&more, "d@narrow.example");
	ck_assert_ptr_nonnull(more.wait);
	relay_rcpts_cancel(k[0].wait);
	relay_rcpts_cancel(k[1].wait);
	answer(id, LDAP_PROTO_NOTHING);
	loop_once(r.loop, 5000);
	answer(asked("d"), LDAP_PROTO_FOUND); /* and c was never asked for */
	until_told(&more);
	is(&more, RELAY_RCPTS_KNOWN, NULL);
	memset(&k[0], 0, sizeof(k[0]));
	ask(&k[0], "a@narrow.example"); /* nobody waited, and the answer is remembered */
	is(&k[0], RELAY_RCPTS_UNKNOWN, "5.1.1");
	end();
}
END_TEST

/* waiting-per-client 2: also for a domain that accepts when unsure. Others are not concerned; an address that is
 * asked for already costs nothing. */
START_TEST(one_client)
{
	struct asker a = {0}, b = {0}, c = {0}, soft = {0}, other = {0}, same = {0};

	begin(1, "1h", "10s");
	connect_scout();
	ask_for(&a, "a@ldap.example", "IPv6:2001:db8::1");
	ask_for(&b, "b@ldap.example", "IPv6:2001:db8::2");
	ask_for(&c, "c@ldap.example", "IPv6:2001:db8::3");
	is(&c, RELAY_RCPTS_UNSURE, "4.7.1");
	ck_assert_ptr_nonnull(strstr(c.got.pr.text, "<c@ldap.example>: too many recipients that you asked for"));
	ask_for(&soft, "c@soft.example", "IPv6:2001:db8::3");
	is(&soft, RELAY_RCPTS_UNSURE, "4.7.1");
	ask_for(&same, "a@ldap.example", "IPv6:2001:db8::4");
	ck_assert_ptr_nonnull(same.wait);
	ask_for(&other, "c@ldap.example", "192.0.2.1");
	ck_assert_ptr_nonnull(other.wait);
	memset(&soft, 0, sizeof(soft));
	ask_for(&soft, "c@soft.example", "192.0.2.2"); /* waiting-max: nobody's fault */
	is(&soft, RELAY_RCPTS_UNSURE, NULL);
	end();
}
END_TEST

/* RFC 6531 3.5: that the inside server does not know SMTPUTF8 is no word about the mailbox. */
START_TEST(characters)
{
	static const char *const steps[] = {"> 220 hi", "< EHLO", "> 250 x", "w", NULL};
	static const char *const knows[] = {"> 220 hi", "< EHLO", "> 250-x", "> 250 SMTPUTF8",
	    "< MAIL FROM:<> SMTPUTF8", "> 250 m", "< RCPT TO:<b\xc3\xbc@ask.example>", "> 250 yes", "< RSET",
	    "> 250 r", "w", NULL};
	struct asker k = {0};

	for (int i = 0; i < 2; i++) {
		struct peer *p = peer_new();

		memset(&k, 0, sizeof(k));
		p->scripts[0] = i ? knows : steps;
		p->nscripts = 1;
		peer_start(p);
		begin(ntohs(((struct sockaddr_in *)&p->addr)->sin_port), "1h", "10s");
		ask(&k, "b\xc3\xbc@ask.example");
		until_told(&k);
		if (i)
			is(&k, RELAY_RCPTS_KNOWN, NULL);
		else
			is(&k, RELAY_RCPTS_UNABLE, "5.6.7");
		if (i) { /* and it is forgotten like any other */
			memset(&k, 0, sizeof(k));
			relay_rcpts_forget(r.rcpts, "B\xc3\xbc@ask.example");
			ask(&k, "b\xc3\xbc@ask.example");
			ck_assert_ptr_nonnull(k.wait);
		}
		end();
		peer_end(p);
	}
}
END_TEST

/* What was said of the address without its tag let the mail in. */
START_TEST(forgets_tags)
{
	struct asker k = {0};

	begin(1, "1h", "10s");
	connect_scout();
	ask(&k, "anna@ldap.example");
	answer(asked("anna"), LDAP_PROTO_FOUND);
	until_told(&k);
	memset(&k, 0, sizeof(k));
	relay_rcpts_forget(r.rcpts, "other+x@ldap.example");
	ask(&k, "anna@ldap.example");
	is(&k, RELAY_RCPTS_KNOWN, NULL);
	memset(&k, 0, sizeof(k));
	relay_rcpts_forget(r.rcpts, "Anna+tag@ldap.example");
	ask(&k, "anna@ldap.example");
	answer(asked("anna"), LDAP_PROTO_NOTHING);
	until_told(&k);
	is(&k, RELAY_RCPTS_UNKNOWN, "5.1.1");
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_rcpts");
	TCase *t = tcase_create("rcpts");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(t, 40);
	tcase_add_test(t, without_asking);
	tcase_add_test(t, one_question);
	tcase_add_test(t, by_scout);
	tcase_add_test(t, bounds);
	tcase_add_test(t, given_up);
	tcase_add_test(t, one_client);
	tcase_add_test(t, characters);
	tcase_add_test(t, forgets_tags);
	suite_add_tcase(s, t);
	return suite_run(s);
}
