/* Records of a real name server (nsd) through libunbound: signed, unsigned and bogus zones below a signed parent (by
 * NSEC3, and by NSEC), aliases, large answers, odd names, servers that are dead or silent. */
#include "gateway/scout/source_dns.h"

#include "gateway/base/mem.h"
#include "tests/unit/nsd_fixture.h"
#include "tests/unit/suite.h"

enum { CERT = 37, TXT = 16, SRV = 33, SMIMEA = 53, MX = 15 };

/* TXT records stand for any type: the source knows none but CNAME. */
#define PLAIN                                                                                                        \
	"a TXT \"one\"\na TXT \"two\"\na 30 SRV 1 2 389 ldap.plain.test.\nalias 20 CNAME a\nalias2 CNAME alias\n"    \
	"loop1 CNAME loop2\nloop2 CNAME loop1\ndangling CNAME nowhere\nfirst\\032last.x\\043y TXT \"odd\"\n"         \
	"f\\195\\188r TXT \"utf8\"\nUpper TXT \"case\"\ncert TYPE37 \\# 6 000100000001\nmx MX 10 a\n*.wild TXT "     \
	"\"any\"\n"
#define SIGNED "a TXT \"secret\"\nalias CNAME a\nout CNAME a.plain.test.\nbad CNAME a.bogus.test.\n"

static struct nsd nsd;
static int silent;
static unsigned silent_port, closed_port;

/* 200 records of 60 octets, and 40 of 1000. */
static void add_many(char *out, size_t cap)
{
	size_t n = strlen(out);
	char fill[1001];

	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(out + n, cap - n, "many TXT \"%060d\"\n", i);
	memset(fill, 'x', 250);
	fill[250] = 0;
	for (int i = 0; i < 40; i++)
		n += (size_t)snprintf(
		    out + n, cap - n, "big TXT \"%03d\" \"%s\" \"%s\" \"%s\" \"%s\"\n", i, fill, fill, fill, fill);
	ck_assert_uint_lt(n, cap);
}

/* A signed parent with delegations to zones that are signed (DS) and not, some of them with dead servers. */
static void parent(const char *name, const char *how)
{
	char records[2048];
	static const char *const below[] = {
	    "signed", "bogus", "plain", "deadsigned", "deadplain", "silentplain", "lamesigned"};
	size_t n = (size_t)snprintf(records, sizeof records, "here TXT \"parent\"\n");

	for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
		n += (size_t)snprintf(records + n, sizeof records - n, "%s NS ns.%s\nns.%s A 127.0.0.1\n", below[i],
		    below[i], below[i]);
	nsd_write(&nsd, name, records);
	server_run("cd %s && cat anchors-%s >>%s.zone && k=$(ldns-keygen -a ECDSAP256SHA256 -k %s 2>/dev/null) && "
		   "ldns-signzone %s -f %s.signed %s.zone $k && ldns-key2ds -n -2 $k.key >>anchors",
	    nsd.s.dir, name, name, name, how, name, name);
	snprintf(records, sizeof records, "%s.signed", name);
	nsd_zone(&nsd, name, records);
}

static void child(const char *name, const char *parent_name, const char *records)
{
	nsd_write(&nsd, name, records);
	nsd_sign(&nsd, name);
	server_run("cd %s && cat anchors >>anchors-%s && rm anchors", nsd.s.dir, parent_name);
}

static void setup(void)
{
	static char records[128 * 1024] = PLAIN;

	add_many(records, sizeof records);
	nsd_begin(&nsd);
	nsd_write(&nsd, "plain.test", records);
	nsd_zone(&nsd, "plain.test", "plain.test.zone");
	child("signed.test", "test", SIGNED);
	nsd_zone(&nsd, "signed.test", "signed.test.signed");
	child("bogus.test", "test", "a TXT \"secret\"\n");
	server_run(
	    "cd %s && sed -i -e 's/\"secret\"/\"forged\"/' bogus.test.signed && grep -q forged bogus.test.signed",
	    nsd.s.dir);
	nsd_zone(&nsd, "bogus.test", "bogus.test.signed");
	child("deadsigned.test", "test", "a TXT \"x\"\n");
	child("lamesigned.test", "test", "a TXT \"x\"\n");
	child("deadsigned.nsec", "nsec", "a TXT \"x\"\n");
	nsd_zone(&nsd, "lame.example", "missing"); /* SERVFAIL */
	nsd_zone(&nsd, "lamesigned.test", "missing");
	parent("test", "-n");
	parent("nsec", "");
	nsd_start(&nsd);
	silent = server_bind(SOCK_DGRAM, &silent_port);
	closed_port = free_port();
}

static void teardown(void)
{
	nsd_end(&nsd);
	close(silent);
}

static struct loop *loop;
static struct dns *dns;
static struct source_dns *src;
static struct source_answer got;
static unsigned answers;
static char octets[65536];

static void make(void)
{
	static char stubs[16][64], anchors[100];
	static const struct {
		const char *zone;
		unsigned *port;
	} zones[] = {{"test", &nsd.port}, {"nsec", &nsd.port}, {"plain.test", &nsd.port}, {"signed.test", &nsd.port},
	    {"bogus.test", &nsd.port}, {"deadsigned.test", &closed_port}, {"deadplain.test", &closed_port},
	    {"silentplain.test", &silent_port}, {"deadsigned.nsec", &closed_port}, {"deadplain.nsec", &closed_port},
	    {"island.example", &closed_port}, {"lame.example", &nsd.port}, {"lamesigned.test", &nsd.port}};
	char *v[16];
	struct problem pr;
	struct dns_settings set = {
	    .stubs = {v, sizeof zones / sizeof zones[0]}, .timeout = 10000, .sockets = 256, .tcp_connections = 32};

	for (size_t i = 0; i < set.stubs.n; i++) {
		snprintf(stubs[i], sizeof stubs[i], "%s=127.0.0.1@%u", zones[i].zone, *zones[i].port);
		v[i] = stubs[i];
	}
	snprintf(anchors, sizeof anchors, "%s/anchors", nsd.s.dir);
	set.trust_anchor_file = anchors;
	loop = loop_new();
	dns = dns_new(loop, &set, &pr);
	ck_assert_msg(dns != NULL, "%s", pr.text);
	src = source_dns_new(loop, dns);
}

static void unmake(void)
{
	source_dns_free(src);
	dns_free(dns);
	loop_free(loop);
}

static void done(void *ctx, const struct source_answer *a)
{
	size_t n = 0;

	ck_assert_ptr_eq(ctx, &got);
	got = *a;
	for (size_t i = 0; i < a->n; i++) {
		memcpy(octets + n, a->items[i].p, a->items[i].n);
		got.items[i].p = (uint8_t *)octets + n;
		n += a->items[i].n;
	}
	answers++;
}

static void ask_for(const char *name, uint16_t type, uint32_t max, uint32_t timeout)
{
	struct source_ask a = {
	    .kind = SOURCE_DNS, .chosen = SOURCE_BY_ADMIN, .type = type, .max = max, .timeout_ms = timeout};
	int64_t end = loop_now_ms() + 30000;

	ck_assert_int_eq(mem_copy_str(a.name, sizeof a.name, name), 0);
	answers = 0;
	source_dns_ask(src, &a, done, &got);
	ck_assert_uint_eq(answers, 0);
	while (!answers && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_uint_eq(answers, 1);
}

static const struct {
	const char *name;
	uint16_t type;
	enum source_status status;
	enum source_dnssec dnssec;
	size_t n;
	const char *first; /* of the first item, or part of why */
	uint32_t ttl;
} cases[] = {
    {"a.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 2, NULL, 60},
    {"a.plain.test", SRV, SOURCE_FOUND, SOURCE_UNSIGNED, 1, "^\0\1\0\2\1\x85\4ldap\5plain\4test", 30},
    {"alias.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 2, NULL, 20},
    {"alias2.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 2, NULL, 20},
    {"first last.x+y.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 1, "\3odd", 60},
    {"f\xc3\xbcr.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 1, "\4utf8", 60},
    {"uPPer.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 1, "\4case", 60},
    {"x.wild.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 1, "\3any", 60},
    {"cert.plain.test", CERT, SOURCE_FOUND, SOURCE_UNSIGNED, 1, "^\0\1\0\0\0\1", 60},
    {"many.plain.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 64, NULL, 60},
    {"mx.plain.test", MX, SOURCE_TEMP, SOURCE_UNKNOWN, 0, "of this type are not looked up", 0},
    {"a.plain.test", CERT, SOURCE_NONE, SOURCE_UNSIGNED, 0, "no record of this type", 60},
    {"nowhere.plain.test", CERT, SOURCE_NONE, SOURCE_UNSIGNED, 0, "no such name", 60},
    {"dangling.plain.test", CERT, SOURCE_NONE, SOURCE_UNSIGNED, 0, "no such name", 60},
    {"loop1.plain.test", TXT, SOURCE_TEMP, SOURCE_UNSIGNED, 0, "loop1.plain.test TXT failed", 0},
    {"a.signed.test", TXT, SOURCE_FOUND, SOURCE_SECURE, 1, "\6secret", 60},
    {"alias.signed.test", TXT, SOURCE_FOUND, SOURCE_SECURE, 1, "\6secret", 60},
    {"out.signed.test", TXT, SOURCE_FOUND, SOURCE_UNSIGNED, 2, NULL, 60},
    {"a.signed.test", CERT, SOURCE_NONE, SOURCE_SECURE, 0, "no record of this type", 60},
    {"nowhere.signed.test", CERT, SOURCE_NONE, SOURCE_SECURE, 0, "no such name", 60},
    {"a.bogus.test", TXT, SOURCE_TEMP, SOURCE_BOGUS, 0, "a.bogus.test TXT failed", 0},
    {"bad.signed.test", TXT, SOURCE_TEMP, SOURCE_BOGUS, 0, "bad.signed.test TXT failed", 0},
    {"a.deadsigned.test", TXT, SOURCE_TEMP, SOURCE_SIGNED_SILENT, 0, "no answer within 1500 ms", 0},
    {"a.deadplain.test", TXT, SOURCE_TEMP, SOURCE_UNSIGNED, 0, "no answer within 1500 ms", 0},
    {"_x.y.a.deadplain.test", TXT, SOURCE_TEMP, SOURCE_UNSIGNED, 0, "no answer within 1500 ms", 0},
    {"a.deadsigned.nsec", TXT, SOURCE_TEMP, SOURCE_SIGNED_SILENT, 0, "no answer within 1500 ms", 0},
    {"a.deadplain.nsec", TXT, SOURCE_TEMP, SOURCE_UNSIGNED, 0, "no answer within 1500 ms", 0},
    {"a.lame.example", TXT, SOURCE_TEMP, SOURCE_UNSIGNED, 0, "do not answer or fail", 0},
    {"a.lamesigned.test", TXT, SOURCE_TEMP, SOURCE_SIGNED_SILENT, 0, "do not answer or fail", 0},
    {"a.island.example", TXT, SOURCE_TEMP, SOURCE_UNSIGNED, 0, "no answer within 1500 ms", 0},
};

static void begins(const struct source_item *item, const char *want)
{
	size_t n = want[0] == '^' ? 6 : strlen(want); /* "^": six octets, any of them NUL */

	ck_assert_uint_ge(item->n, n);
	ck_assert_mem_eq(item->p, want[0] == '^' ? want + 1 : want, n);
}

enum { CASES = sizeof cases / sizeof cases[0] };

/* What came for one case, with octets of its own. */
struct came {
	struct source_answer a;
	uint8_t octets[16384];
	unsigned times;
};
static struct came came[CASES];
static unsigned missing;

static void one_came(void *ctx, const struct source_answer *a)
{
	struct came *c = ctx;
	size_t n = 0;

	c->a = *a;
	c->times++;
	for (size_t i = 0; i < a->n; i++) {
		ck_assert_uint_le(n + a->items[i].n, sizeof c->octets);
		memcpy(c->octets + n, a->items[i].p, a->items[i].n);
		c->a.items[i].p = c->octets + n;
		n += a->items[i].n;
	}
	missing--;
}

static bool waits(size_t i)
{
	return strstr(cases[i].first ? cases[i].first : "", "within") != NULL;
}

static void ask_all(void)
{
	int64_t end = loop_now_ms() + 40000;

	memset(came, 0, sizeof came);
	missing = CASES;
	for (size_t i = 0; i < CASES; i++) {
		struct source_ask a = {.kind = SOURCE_DNS,
		    .chosen = SOURCE_BY_ADMIN,
		    .type = cases[i].type,
		    .max = 65536,
		    .timeout_ms = waits(i) ? 1500 : 20000};

		ck_assert_int_eq(mem_copy_str(a.name, sizeof a.name, cases[i].name), 0);
		source_dns_ask(src, &a, one_came, &came[i]);
	}
	ck_assert_uint_eq(missing, CASES); /* never from inside the question */
	while (missing > 0 && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_uint_eq(missing, 0);
}

static void check_case(size_t i)
{
	const struct source_answer *a = &came[i].a;

	ck_assert_msg(a->status == cases[i].status && a->dnssec == cases[i].dnssec, "%s: status %d dnssec %d: %s",
	    cases[i].name, a->status, a->dnssec, a->why);
	ck_assert_msg(a->n == cases[i].n && came[i].times == 1, "%s: %zu records", cases[i].name, a->n);
	if (cases[i].n == 0)
		ck_assert_msg(strstr(a->why, cases[i].first) != NULL, "%s: %s", cases[i].name, a->why);
	else if (cases[i].first)
		begins(&a->items[0], cases[i].first);
	ck_assert_msg(a->ttl <= cases[i].ttl && a->ttl + 15 >= cases[i].ttl, "%s: ttl %u", cases[i].name, a->ttl);
	ck_assert_msg(a->more == (cases[i].n == 64), "%s", cases[i].name);
}

/* All at once, because some wait for their time; twice: from the network, and from what libunbound remembers. */
START_TEST(all_questions)
{
	make();
	for (int round = 0; round < 2; round++) {
		ask_all();
		for (size_t i = 0; i < CASES; i++)
			check_case(i);
	}
	unmake();
}
END_TEST

/* Over TCP, and cut where the question says. */
START_TEST(large_answers)
{
	make();
	ask_for("big.plain.test", TXT, 65536, 8000);
	ck_assert_uint_eq(got.status, SOURCE_FOUND);
	ck_assert(got.n == 40 && !got.more && got.items[39].n == 4 + 4 * 251);
	ask_for("big.plain.test", TXT, 3000, 8000);
	ck_assert(got.status == SOURCE_FOUND && got.n == 2 && got.more);
	ask_for("big.plain.test", TXT, 100, 8000);
	ck_assert_uint_eq(got.status, SOURCE_TEMP);
	ck_assert_ptr_nonnull(strstr(got.why, "longer than what is read"));
	unmake();
}
END_TEST

START_TEST(silence)
{
	int64_t began;

	make();
	began = loop_now_ms();
	ask_for("a.silentplain.test", TXT, 65536, 600);
	ck_assert_uint_eq(got.status, SOURCE_TEMP);
	ck_assert_msg(got.dnssec == SOURCE_UNSIGNED, "%d", got.dnssec);
	ck_assert_ptr_nonnull(strstr(got.why, "no answer within 600 ms"));
	ck_assert(loop_now_ms() - began >= 600 && got.took_ms >= 600);
	unmake();
}
END_TEST

static unsigned count;

static void tally(void *ctx, const struct source_answer *a)
{
	(void)ctx;
	ck_assert_uint_eq(a->status, SOURCE_FOUND);
	count++;
}

START_TEST(many_at_once)
{
	struct source_ask a = {
	    .kind = SOURCE_DNS, .chosen = SOURCE_BY_ADMIN, .type = TXT, .max = 999, .timeout_ms = 9000};
	int64_t end;

	make();
	count = 0;
	for (int i = 0; i < 500; i++) {
		snprintf(a.name, sizeof a.name, "x%d.wild.plain.test", i);
		source_dns_ask(src, &a, tally, NULL);
	}
	end = loop_now_ms() + 30000;
	while (count < 500 && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_uint_eq(count, 500);
	/* freed with questions under way: no callback, nothing left */
	source_dns_ask(src, &a, tally, NULL);
	snprintf(a.name, sizeof a.name, "a.silentplain.test");
	source_dns_ask(src, &a, tally, NULL);
	loop_once(loop, 0);
	unmake();
}
END_TEST

static void nothing(void *ctx, const struct source_answer *a)
{
	(void)ctx, (void)a;
}

/* Servers that are silent take no place from those that answer. */
START_TEST(beside_the_silent)
{
	struct source_ask a = {
	    .kind = SOURCE_DNS, .chosen = SOURCE_BY_ADMIN, .type = TXT, .max = 999, .timeout_ms = 20000};

	make();
	for (int i = 0; i < 200; i++) {
		snprintf(a.name, sizeof a.name, "x%d.silentplain.test", i);
		source_dns_ask(src, &a, nothing, NULL);
	}
	ask_for("a.plain.test", TXT, 999, 20000);
	ck_assert_uint_eq(got.status, SOURCE_FOUND);
	ck_assert_msg(got.took_ms < 2000, "%u ms", got.took_ms);
	unmake();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source_dns");
	TCase *c = tcase_create("nsd");

	tcase_add_unchecked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, all_questions);
	tcase_add_test(c, large_answers);
	tcase_add_test(c, silence);
	tcase_add_test(c, many_at_once);
	tcase_add_test(c, beside_the_silent);
	suite_add_tcase(s, c);
	return suite_run(s);
}
