/* Directory servers that are no use: closed, silent, talking nonsense. Each costs at most its time limit, once. What
 * a real one says is tested end to end. */
#include "ldap/ldap_find.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/suite.h"

/* Takes connections; says `words` to each and closes, or with NULL keeps them open. */
struct server {
	int fd;
	unsigned port;
	const char *words;
	size_t n;
	pthread_t thread;
	atomic_int accepted;
};

static void *serve(void *ctx)
{
	struct server *s = ctx;
	char request[2000];
	int c;

	while ((c = accept(s->fd, NULL, NULL)) >= 0) {
		atomic_fetch_add(&s->accepted, 1);
		if (s->words == NULL)
			continue; /* open until the process ends */
		(void)!write(c, s->words, s->n);
		(void)!read(c, request, sizeof(request)); /* or the close would be a reset */
		close(c);
	}
	return NULL;
}

static void server_start(struct server *s, const char *words, size_t n)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->words = words;
	s->n = n;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert(bind(s->fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(s->fd, 10) == 0);
	ck_assert(getsockname(s->fd, (struct sockaddr *)&a, &len) == 0);
	s->port = ntohs(a.sin_port);
	ck_assert(pthread_create(&s->thread, NULL, serve, s) == 0);
}

static void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

struct got {
	int n;
	enum ldap_find_status status;
	char said[512];
};

static void on_found(void *ctx, enum ldap_find_status status, const char *said)
{
	struct got *g = ctx;

	g->n++;
	g->status = status;
	snprintf(g->said, sizeof(g->said), "%s", said);
}

static void ask(struct loop *l, struct ldap_find *f, struct got *g)
{
	struct ldap_find_where w = {0};
	int64_t end = loop_now_ms() + 20000;

	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_in *a = (struct sockaddr_in *)&w.servers[i].addrs[0];

		a->sin_family = AF_INET;
		a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		w.servers[i].naddrs = 1;
	}
	memset(g, 0, sizeof(*g));
	ldap_find_ask(f, "anna", "hospital.example", &w, on_found, g);
	ck_assert_int_eq(g->n, 0);
	while (g->n == 0 && loop_now_ms() < end)
		loop_once(l, 100);
	ck_assert_int_eq(g->n, 1);
}

static char one[64], two[64], attribute[] = "mail", empty[] = "";
static char *uris[] = {one, two}, *attributes[] = {attribute};

static struct ldap_settings settings(unsigned port1, unsigned port2)
{
	snprintf(one, sizeof(one), "ldap://127.0.0.1:%u", port1);
	snprintf(two, sizeof(two), "ldap://127.0.0.1:%u", port2);
	return (struct ldap_settings){.servers = {uris, 2},
	    .attributes = {attributes, 1},
	    .base = empty,
	    .filter = empty,
	    .bind_dn = empty,
	    .password_file = empty,
	    .ca_file = empty,
	    .timeout = 300,
	    .dead_time = 600000,
	    .connections = 1};
}

static unsigned closed_port(void)
{
	struct server s;

	server_start(&s, NULL, 0);
	server_stop(&s);
	return s.port;
}

#define RAW(s) (s), sizeof(s) - 1
static const struct {
	const char *words;
	size_t n;
	bool starttls;
} useless[] = {
    {NULL, 0, false},
    {NULL, 0, true},
    {RAW(""), false},
    {RAW("\x30"), false},
    {RAW("220 mail.example ESMTP\r\n"), false},
    {RAW("\x30\x84\xff\xff\xff\xff\x02\x01\x01"), false},
    {RAW("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00garbage that is no TLS"), true},
    {RAW("\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"), true},
};

START_TEST(no_use)
{
	struct loop *l = loop_new();
	struct server s;
	struct got g;
	struct problem pr = {0};

	server_start(&s, useless[_i].words, useless[_i].n);
	struct ldap_settings set = settings(s.port, closed_port());
	set.starttls = useless[_i].starttls;
	struct ldap_find *f = ldap_find_new(l, &set, &pr);
	ck_assert_msg(f != NULL, "%s", pr.text);
	ask(l, f, &g);
	ck_assert_msg(g.status == LDAP_FIND_TEMP || g.status == LDAP_FIND_WRONG, "%d %s", g.status, g.said);
	ck_assert_msg(strstr(g.said, "Connection refused") != NULL, "%s", g.said);
	int before = atomic_load(&s.accepted);
	ask(l, f, &g);
	ck_assert_ptr_nonnull(strstr(g.said, "failed a moment ago"));
	ck_assert_int_eq(atomic_load(&s.accepted), before);
	ldap_find_free(f);
	server_stop(&s);
	loop_free(l);
}
END_TEST

/* An anonymous search whose only entry comes by hand: message 1, found, done. */
START_TEST(found)
{
	static const char words[] = "\x30\x0c\x02\x01\x01\x64\x07\x04\x03"
				    "c=x\x30\x00"
				    "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
	struct loop *l = loop_new();
	struct server s;
	struct got g;
	struct problem pr = {0};

	server_start(&s, words, sizeof(words) - 1);
	struct ldap_settings set = settings(closed_port(), s.port);
	struct ldap_find *f = ldap_find_new(l, &set, &pr);
	ck_assert_msg(f != NULL, "%s", pr.text);
	for (int i = 0; i < 3; i++) { /* each time over a new connection: this server keeps none */
		ask(l, f, &g);
		ck_assert_msg(g.status == LDAP_FIND_FOUND, "%s", g.said);
		ck_assert_ptr_nonnull(strstr(g.said, "has c=x"));
	}
	ck_assert_int_eq(atomic_load(&s.accepted), 3);
	ldap_find_free(f);
	server_stop(&s);
	loop_free(l);
}
END_TEST

/* A search that ends with a result code and no entry (RFC 4511 appendix A). Only what is about the server or the
 * connection keeps the next question from it; an error is never "no such recipient". */
static const struct {
	unsigned char rc;
	enum ldap_find_status want;
	bool dead;
	const char *words;
} codes[] = {
    {0, LDAP_FIND_NOTHING, false, "has no entry for it"},
    {1, LDAP_FIND_WRONG, false, "Operations error (Active Directory says this of a search without bind-dn)"},
    {2, LDAP_FIND_TEMP, true, "Protocol error"},
    {3, LDAP_FIND_TEMP, false, "are its attributes indexed?"},
    {4, LDAP_FIND_FOUND, false, "more than one entry"},
    {8, LDAP_FIND_WRONG, false, "it wants TLS or bind-dn"},
    {10, LDAP_FIND_WRONG, false, "name that one in servers"},
    {11, LDAP_FIND_WRONG, false, "indexed there?"},
    {13, LDAP_FIND_WRONG, false, "it wants TLS: ldaps:// or starttls = yes"},
    {17, LDAP_FIND_WRONG, false, "does not know an attribute"},
    {32, LDAP_FIND_WRONG, false, "the setting base names nothing there, or bind-dn may not see it"},
    {34, LDAP_FIND_WRONG, false, "the setting base is no DN"},
    {50, LDAP_FIND_WRONG, false, "give bind-dn the right to search below base"},
    {51, LDAP_FIND_TEMP, false, "search: Server is busy"},
    {52, LDAP_FIND_TEMP, true, "Server is unavailable"},
    {53, LDAP_FIND_WRONG, false, "does it allow searches for bind-dn?"},
    {80, LDAP_FIND_WRONG, false, "search: Other"},
};

START_TEST(result_codes)
{
	char words[] = "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
	struct loop *l = loop_new();
	struct server s;
	struct got g;
	struct problem pr = {0};

	words[9] = (char)codes[_i].rc;
	server_start(&s, words, sizeof(words) - 1);
	struct ldap_settings set = settings(s.port, 1);
	set.servers.n = 1;
	struct ldap_find *f = ldap_find_new(l, &set, &pr);
	ck_assert_msg(f != NULL, "%s", pr.text);
	for (int i = 0; i < 2; i++) {
		bool away = codes[_i].dead && i == 1;

		ask(l, f, &g);
		ck_assert_msg(g.status == codes[_i].want, "%d %s", g.status, g.said);
		ck_assert_msg(strstr(g.said, codes[_i].words) != NULL, "%s", g.said);
		ck_assert_msg((strstr(g.said, "failed a moment ago") != NULL) == away, "%s", g.said);
		ck_assert_int_eq(atomic_load(&s.accepted), away ? 1 : i + 1);
	}
	ldap_find_free(f);
	server_stop(&s);
	loop_free(l);
}
END_TEST

/* What one server cannot say another may. */
START_TEST(the_other_server)
{
	static const char no[] = "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x20\x04\x00\x04\x00";
	static const char yes[] = "\x30\x0c\x02\x01\x01\x64\x07\x04\x03"
				  "c=x\x30\x00"
				  "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
	struct loop *l = loop_new();
	struct server s[2];
	struct got g;
	struct problem pr = {0};

	server_start(&s[0], no, sizeof(no) - 1);
	server_start(&s[1], yes, sizeof(yes) - 1);
	struct ldap_settings set = settings(s[0].port, s[1].port);
	struct ldap_find *f = ldap_find_new(l, &set, &pr);
	ck_assert_msg(f != NULL, "%s", pr.text);
	ask(l, f, &g);
	ck_assert_msg(g.status == LDAP_FIND_FOUND, "%s", g.said);
	ldap_find_free(f);
	server_stop(&s[0]);
	server_stop(&s[1]);
	loop_free(l);
}
END_TEST

START_TEST(bad_ca_file)
{
	static char nowhere[] = "/nonexistent.pem";
	struct ldap_settings set = settings(1, 2);
	struct loop *l = loop_new();
	struct problem pr = {0};

	set.tls_verify = true;
	set.ca_file = nowhere;
	ck_assert_ptr_null(ldap_find_new(l, &set, &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "ca-file /nonexistent.pem"));
	ldap_find_free(NULL);
	loop_free(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ldap_find");
	TCase *t = tcase_create("find");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(t, 40);
	tcase_add_loop_test(t, no_use, 0, sizeof(useless) / sizeof(useless[0]));
	tcase_add_test(t, found);
	tcase_add_loop_test(t, result_codes, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_test(t, the_other_server);
	tcase_add_test(t, bad_ca_file);
	suite_add_tcase(s, t);
	return suite_run(s);
}
