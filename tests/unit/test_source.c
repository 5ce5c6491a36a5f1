/* Questions to the network and their answers: there and back, inline and as a memory file, everything that must not
 * decode; asking in a run. */
#include "certstore/source.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certstore/trace.h"
#include "gateway/base/file.h"
#include "gateway/base/mem.h"

#include "tests/unit/suite.h"

/* The fields as a receiver gets them, who owns the descriptors. */
static struct ipc_in as_in(const struct ipc_out *o, uint16_t type)
{
	struct ipc_in in = {.type = type, .id = 7, .p = o->b.p + IPC_HEADER, .n = o->b.len - IPC_HEADER};

	for (int i = 0; i < o->nfds; i++)
		in.fds[in.nfds++] = dup(o->fds[i]);
	return in;
}

static const struct source_ask dns_ask = {.kind = SOURCE_DNS,
    .chosen = SOURCE_BY_STRANGER,
    .name = "first last.lab.example",
    .type = 37,
    .max = 65536,
    .timeout_ms = 5000};
static const struct source_ask ldap_ask = {.kind = SOURCE_LDAP,
    .chosen = SOURCE_BY_STRANGER,
    .name = "ldap://ldap.lab.example:389",
    .mail = "alice@lab.example",
    .max = 65536,
    .timeout_ms = 5000};
static const struct source_ask http_ask = {.kind = SOURCE_HTTP,
    .chosen = SOURCE_BY_ADMIN,
    .name = "http://ocsp.lab.example/",
    .body = {0x30, 0, 1},
    .nbody = 3,
    .type_sent = "application/ocsp-request",
    .type_wanted = "application/ocsp-response",
    .max = 65536,
    .timeout_ms = 5000};

START_TEST(ask_there_and_back)
{
	const struct source_ask *v[] = {&dns_ask, &ldap_ask, &http_ask};
	struct source_ask b;
	struct ipc_out o;
	struct ipc_in in;

	source_ask_put(&o, 7, v[_i]);
	ck_assert(!o.bad);
	in = as_in(&o, SOURCE_PROTO_ASK);
	ck_assert_int_eq(source_ask_get(&in, &b), 0);
	ck_assert_mem_eq(&b, v[_i], sizeof b);
	/* cut anywhere, or with something behind: no question */
	for (size_t n = 0; n < o.b.len - IPC_HEADER; n++) {
		in = (struct ipc_in){.type = SOURCE_PROTO_ASK, .p = o.b.p + IPC_HEADER, .n = n};
		ck_assert_int_eq(source_ask_get(&in, &b), -1);
	}
	in = as_in(&o, SOURCE_PROTO_ANSWER);
	ck_assert_int_eq(source_ask_get(&in, &b), -1);
	ipc_put_u8(&o, 0);
	in = as_in(&o, SOURCE_PROTO_ASK);
	ck_assert_int_eq(source_ask_get(&in, &b), -1);
	ipc_out_clear(&o);
}
END_TEST

/* What belongs to another kind is not sent: one place, one question. */
START_TEST(foreign_fields_are_left_out)
{
	struct source_ask a = dns_ask, b;
	struct ipc_out o;
	struct ipc_in in;

	snprintf(a.mail, sizeof a.mail, "x");
	snprintf(a.directory, sizeof a.directory, "y");
	snprintf(a.type_wanted, sizeof a.type_wanted, "z");
	a.nbody = 2;
	source_ask_put(&o, 7, &a);
	in = as_in(&o, SOURCE_PROTO_ASK);
	ck_assert_int_eq(source_ask_get(&in, &b), 0);
	ck_assert_mem_eq(&b, &dns_ask, sizeof b);
	ipc_out_clear(&o);
}
END_TEST

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
static const struct {
	struct source_ask a;
	const char *why; /* part of it; NULL: can be asked */
} checks[] = {
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a.b", .type = 1, .max = 1, .timeout_ms = 1}, NULL},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "", .type = 1, .max = 1, .timeout_ms = 1}, "1 to 253"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a..b", .type = 1, .max = 1, .timeout_ms = 1}, "label"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a.b.", .type = 1, .max = 1, .timeout_ms = 1}, "label"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = X64 ".b", .type = 1, .max = 1, .timeout_ms = 1}, "label"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a.b", .type = 0, .max = 1, .timeout_ms = 1}, "type"},
    {{.kind = SOURCE_DNS, .chosen = 0, .name = "a.b", .type = 1, .max = 1, .timeout_ms = 1}, "who chose"},
    {{.kind = SOURCE_DNS, .chosen = 3, .name = "a.b", .type = 1, .max = 1, .timeout_ms = 1}, "who chose"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a.b", .type = 1, .max = 0, .timeout_ms = 1}, "octets"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a.b", .type = 1, .max = SOURCE_OCTETS_MAX + 1, .timeout_ms = 1},
	"octets"},
    {{.kind = SOURCE_DNS, .chosen = 1, .name = "a.b", .type = 1, .max = 1, .timeout_ms = 0}, "time limit"},
    {{.kind = SOURCE_LDAP, .chosen = 1, .name = "ldap://h:1", .mail = "", .max = 1, .timeout_ms = 1}, "address"},
    {{.kind = SOURCE_LDAP, .chosen = 1, .directory = "d", .mail = "m", .max = 1, .timeout_ms = 1}, NULL},
    {{.kind = SOURCE_LDAP, .chosen = 1, .name = "ldapi://x", .mail = "m", .max = 1, .timeout_ms = 1}, "neither"},
    {{.kind = SOURCE_LDAP, .chosen = 1, .name = "ldaps://h", .mail = "m", .max = 1, .timeout_ms = 1}, NULL},
    {{.kind = SOURCE_HTTP, .chosen = 1, .name = "HTTP://h/", .max = 1, .timeout_ms = 1}, NULL},
    {{.kind = SOURCE_HTTP, .chosen = 1, .name = "ftp://h/", .max = 1, .timeout_ms = 1}, "http"},
    {{.kind = SOURCE_HTTP, .chosen = 1, .name = "http://", .max = 1, .timeout_ms = 1}, "http"},
    {{.kind = SOURCE_HTTP, .chosen = 1, .name = "http://h/a b", .max = 1, .timeout_ms = 1}, "printable"},
    {{.kind = SOURCE_HTTP, .chosen = 1, .name = "http://h/\n", .max = 1, .timeout_ms = 1}, "printable"},
    {{.kind = SOURCE_HTTP, .chosen = 1, .name = "http://h/", .nbody = 4097, .max = 1, .timeout_ms = 1}, "long"},
    {{.kind = 0, .chosen = 1, .name = "a", .max = 1, .timeout_ms = 1}, "kind"},
    {{.kind = 4, .chosen = 1, .name = "a", .max = 1, .timeout_ms = 1}, "kind"},
};

START_TEST(what_can_be_asked)
{
	char why[200] = "";

	ck_assert_int_eq(source_ask_check(&checks[_i].a, why, sizeof why), checks[_i].why ? -1 : 0);
	if (checks[_i].why)
		ck_assert_msg(strstr(why, checks[_i].why) != NULL, "%s", why);
}
END_TEST

START_TEST(in_words)
{
	char w[600];
	struct source_ask a = dns_ask;

	source_ask_words(&a, w, sizeof w);
	ck_assert_str_eq(w, "first last.lab.example CERT");
	a.type = 4711;
	source_ask_words(&a, w, sizeof w);
	ck_assert_str_eq(w, "first last.lab.example TYPE4711");
	source_ask_words(&ldap_ask, w, sizeof w);
	ck_assert_str_eq(w, "ldap://ldap.lab.example:389 (mail=alice@lab.example)");
	source_ask_words(&http_ask, w, sizeof w);
	ck_assert_str_eq(w, "POST http://ocsp.lab.example/ (3 octets)");
}
END_TEST

/* ---- answers ---- */

static uint8_t *octets;

static void setup(void)
{
	octets = mem_new(SOURCE_OCTETS_MAX + 1);
	for (size_t i = 0; i <= SOURCE_OCTETS_MAX; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
}

static void teardown(void)
{
	free(octets);
}

static struct source_answer found(size_t n, size_t each)
{
	struct source_answer r;

	source_answer_set(&r, SOURCE_FOUND, "%s", "");
	r.dnssec = SOURCE_SECURE;
	r.ttl = 300;
	r.took_ms = 12;
	r.code = 200;
	snprintf(r.where, sizeof r.where, "ns.lab.example");
	snprintf(r.media, sizeof r.media, "application/pkix-cert");
	r.n = n;
	for (size_t i = 0; i < n; i++) {
		r.items[i] = (struct source_item){.p = octets + i, .n = each};
		snprintf(r.items[i].attribute, sizeof r.items[i].attribute, "usercertificate;binary");
	}
	return r;
}

static void same(const struct source_answer *a, const struct source_answer *b)
{
	ck_assert(a->status == b->status && a->dnssec == b->dnssec && a->ttl == b->ttl && a->took_ms == b->took_ms);
	ck_assert(a->code == b->code && a->more == b->more && a->n == b->n);
	ck_assert_str_eq(a->where, b->where);
	ck_assert_str_eq(a->media, b->media);
	ck_assert_str_eq(a->why, b->why);
	for (size_t i = 0; i < a->n; i++) {
		ck_assert_uint_eq(a->items[i].n, b->items[i].n);
		ck_assert_str_eq(a->items[i].attribute, b->items[i].attribute);
		ck_assert(a->items[i].n == 0 || memcmp(a->items[i].p, b->items[i].p, a->items[i].n) == 0);
	}
}

static const struct {
	size_t n, each;
	bool file;
} sizes[] = {{1, 0, false}, {1, 1, false}, {SOURCE_ITEMS_MAX, 1024, false}, {1, 65536, false}, {1, 65537, true},
    {SOURCE_ITEMS_MAX, 1025, true}, {1, SOURCE_OCTETS_MAX, true},
    {SOURCE_ITEMS_MAX, SOURCE_OCTETS_MAX / SOURCE_ITEMS_MAX, true}};

START_TEST(answer_there_and_back)
{
	struct source_answer r = found(sizes[_i].n, sizes[_i].each), b;
	struct arena *a = arena_new(SOURCE_OCTETS_MAX + 65536);
	struct ipc_out o;
	struct ipc_in in;
	int fd;

	r.more = true;
	ck_assert_int_eq(source_answer_put(&o, 7, &r, &fd), 0);
	ck_assert_int_eq(fd >= 0, sizes[_i].file);
	ck_assert_int_eq(ipc_out_finish(&o), 0);
	in = as_in(&o, SOURCE_PROTO_ANSWER);
	ck_assert_int_eq(source_answer_get(&in, a, &b), 0);
	same(&r, &b);
	if (fd >= 0)
		close(fd);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

static int decode(const struct source_answer *r)
{
	struct arena *a = arena_new(65536);
	struct source_answer b;
	struct ipc_out o;
	struct ipc_in in;
	int fd, rc;

	ck_assert_int_eq(source_answer_put(&o, 7, r, &fd), 0);
	in = as_in(&o, SOURCE_PROTO_ANSWER);
	rc = source_answer_get(&in, a, &b);
	ipc_out_clear(&o);
	arena_free(a);
	return rc;
}

START_TEST(states_that_belong_together)
{
	struct source_answer r;

	for (int st = 0; st < 4; st++)
		for (int d = 0; d < 6; d++)
			for (size_t n = 0; n < 2; n++) {
				bool want = d <= SOURCE_SECURE ? (n == 0 ? st > 0 && st < 3 : st == 0)
							       : st == SOURCE_TEMP && n == 0 && d < 5;

				r = found(n, 4);
				r.status = (enum source_status)st;
				r.dnssec = (enum source_dnssec)d;
				ck_assert_msg((decode(&r) == 0) == want, "status %d dnssec %d n %zu", st, d, n);
			}
	source_answer_set(&r, SOURCE_NONE, "no such name");
	r.more = true;
	ck_assert_int_eq(decode(&r), -1);
}
END_TEST

START_TEST(answer_cut)
{
	struct source_answer r = found(3, 5), b;
	struct ipc_out o;
	int fd;

	ck_assert_int_eq(source_answer_put(&o, 7, &r, &fd), 0);
	for (size_t n = 0; n < o.b.len - IPC_HEADER; n++) {
		struct ipc_in in = {.type = SOURCE_PROTO_ANSWER, .p = o.b.p + IPC_HEADER, .n = n};
		struct arena *a = arena_new(65536);

		ck_assert_int_eq(source_answer_get(&in, a, &b), -1);
		arena_free(a);
	}
	ipc_out_clear(&o);
}
END_TEST

START_TEST(control_octets_become_marks)
{
	struct source_answer r, b;
	struct arena *a = arena_new(65536);
	struct ipc_out o;
	struct ipc_in in;
	int fd;

	source_answer_set(&r, SOURCE_TEMP, "a\nb\x7f%s", "\r");
	ck_assert_int_eq(source_answer_put(&o, 7, &r, &fd), 0);
	in = as_in(&o, SOURCE_PROTO_ANSWER);
	ck_assert_int_eq(source_answer_get(&in, a, &b), 0);
	ck_assert_str_eq(b.why, "a?b??");
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

/* A memory file that its maker can still change, or of another size than was said, or no memory file. */
enum { WHOLE, UNSEALED, HALF_SEALED, TOO_SHORT, TOO_LONG, PIPE, NO_FILE, FILES };

static int odd_file(int what)
{
	static const size_t sizes_of[FILES] = {70000, 70000, 70000, 69999, 70001, 0, 0};
	int p[2], fd;

	if (what == PIPE) {
		ck_assert_int_eq(pipe(p), 0);
		close(p[1]);
		return p[0];
	}
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(write(fd, octets, sizes_of[what]), (ssize_t)sizes_of[what]);
	if (what != UNSEALED)
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS,
				     what == HALF_SEALED ? F_SEAL_SHRINK | F_SEAL_GROW
							 : F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
		    0);
	return fd;
}

START_TEST(odd_files)
{
	struct source_answer r = found(1, 70000), b;
	struct arena *a = arena_new(1 << 20);
	struct ipc_out o;
	struct ipc_in in;
	int fd;

	ck_assert_int_eq(source_answer_put(&o, 7, &r, &fd), 0);
	in = as_in(&o, SOURCE_PROTO_ANSWER);
	close(in.fds[0]);
	in.nfds = 0;
	if (_i != NO_FILE)
		in.fds[in.nfds++] = odd_file(_i);
	ck_assert_int_eq(source_answer_get(&in, a, &b), _i == WHOLE ? 0 : -1);
	close(fd);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

/* ---- a run ---- */

static const struct source_answer *give; /* NULL: pending */
static unsigned gets;

static const struct source_answer *get(struct source_run *r, const struct source_ask *a)
{
	(void)r;
	(void)a;
	gets++;
	return give;
}

START_TEST(run_counts)
{
	struct trace t = {0};
	struct source_answer r = found(2, 5);
	struct source_run run = {.get = get, .max = 3, .now = 1000, .trace = &t};

	gets = 0;
	give = NULL;
	ck_assert_ptr_null(source_get(&run, "dns CERT", &dns_ask));
	ck_assert(run.pending == 1 && run.asked == 1 && t.v[0].pending);
	r.at = 900;
	give = &r;
	ck_assert_ptr_eq(source_get(&run, "dns CERT", &dns_ask), &r);
	ck_assert(run.pending == 1 && run.asked == 2 && !t.v[1].pending);
	ck_assert_str_eq(t.v[1].place, "dns CERT");
	ck_assert_str_eq(t.v[1].query, "first last.lab.example CERT");
	ck_assert_str_eq(t.v[1].answer, "2 found, 10 octets, from ns.lab.example");
	ck_assert_str_eq(t.v[1].dnssec, "secure");
	ck_assert(t.v[1].age_s == 100 && t.v[1].ttl_s == 200 && t.v[1].took_ms == 12);
	run.over = true;
	give = NULL;
	ck_assert_int_eq(source_get(&run, "ldap", &ldap_ask)->status, SOURCE_TEMP);
	ck_assert(run.pending == 1);
	ck_assert_ptr_nonnull(strstr(t.v[2].answer, "no answer in time"));
	ck_assert_uint_eq(gets, 3);
	give = &r;
	ck_assert_ptr_nonnull(strstr(source_get(&run, "http", &http_ask)->why, "has led to 3 others"));
	ck_assert_uint_eq(gets, 3);
	trace_clear(&t);
}
END_TEST

START_TEST(nobody_to_ask)
{
	struct source_run run = {.get = get, .max = 3};
	struct source_ask a = dns_ask;

	gets = 0;
	ck_assert_int_eq(source_get(NULL, "dns", &dns_ask)->status, SOURCE_TEMP);
	a.type = 0;
	ck_assert_ptr_nonnull(strstr(source_get(&run, "dns", &a)->why, "DNS type is missing"));
	ck_assert(gets == 0 && run.pending == 0);
}
END_TEST

#define COUNT(v) ((int)(sizeof(v) / sizeof(v)[0]))

int main(void)
{
	Suite *s = suite_create("source");
	TCase *c = tcase_create("fields");

	tcase_add_unchecked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, ask_there_and_back, 0, 3);
	tcase_add_test(c, foreign_fields_are_left_out);
	tcase_add_loop_test(c, what_can_be_asked, 0, COUNT(checks));
	tcase_add_test(c, in_words);
	tcase_add_loop_test(c, answer_there_and_back, 0, COUNT(sizes));
	tcase_add_test(c, states_that_belong_together);
	tcase_add_test(c, answer_cut);
	tcase_add_test(c, control_octets_become_marks);
	tcase_add_loop_test(c, odd_files, 0, FILES);
	tcase_add_test(c, run_counts);
	tcase_add_test(c, nobody_to_ask);
	suite_add_tcase(s, c);
	return suite_run(s);
}
