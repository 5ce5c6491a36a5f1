/* Next hops from a real name server (nsd) through libunbound: plain, signed and bogus zones, null MX, aliases, dead
 * servers, the sandbox. */
#include "gateway/scout/dns.h"

#include "gateway/base/mem.h"
#include "gateway/base/sandbox.h"
#include "tests/unit/nsd_fixture.h"
#include "tests/unit/suite.h"

#define PLAIN                                                                                                        \
	"@ MX 10 mx1\n@ MX 20 mx3\n@ MX 10 mx2\n"                                                                    \
	"mx1 A 192.0.2.1\nmx1 AAAA 2001:db8::1\nmx2 A 192.0.2.2\nmx3 A 192.0.2.3\nmx3 A 192.0.2.4\n"                 \
	"null MX 0 .\nimplicit A 192.0.2.9\nnone TXT \"x\"\nalias CNAME target\ntarget MX 5 mx1\n"                   \
	"bare CNAME implicit\nloop1 CNAME loop2\nloop2 CNAME loop1\ndangling CNAME nowhere\n"                        \
	"badmx MX 10 nowhere\npart MX 10 nowhere\npart MX 20 mx1\nlo MX 10 local\nlocal A 127.0.0.1\nlocal AAAA "    \
	"::1\n"                                                                                                      \
	"viacname MX 10 mxalias\nmxalias CNAME mx1\nxn--bcher-kva MX 10 mx1\nodd MX 10 we\\032ird\nbogushost MX 10 " \
	"mx.bogus.test.\n"                                                                                           \
	"mixed MX 10 mx.bogus.test.\nmixed MX 20 mx3\nlame NS ns.lame\nns.lame A 127.0.0.1\n"
#define SIGNED "@ MX 10 mx\nmx A 192.0.2.50\n"
#define H32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
/* TLSA: at the host; usages 0 and 1 alone; at the alias's target, at the alias alone; behind a CNAME of its own; an
 * alias that leaves the signed tree; more than is kept */
#define DANE                                                                                                         \
	"t MX 10 mxt\nmxt A 192.0.2.60\n_25._tcp.mxt TLSA 3 1 1 " H32 "\n_25._tcp.mxt TLSA 2 0 1 " H32               \
	"\n_25._tcp.mxt TLSA 1 0 1 " H32 "\n_2525._tcp.mxt TLSA 3 0 1 " H32                                          \
	"\npkix MX 10 mxp\nmxp A 192.0.2.61\n_25._tcp.mxp TLSA 1 0 1 " H32                                           \
	"\nal MX 10 mxal\nmxal CNAME mxt\n_25._tcp.mxal TLSA 3 1 1 " H32                                             \
	"\nal2 MX 10 mxal2\nmxal2 CNAME mx\n_25._tcp.mxal2 TLSA 3 1 1 " H32                                          \
	"\nmx3 A 192.0.2.63\nvia MX 10 mx3\n_25._tcp.mx3 CNAME _25._tcp.mxt"                                         \
	"\nout MX 10 mxout\nmxout CNAME mx1.plain.test.\n_25._tcp.mxout TLSA 3 1 1 " H32                             \
	"\nlost MX 10 mxlost\nmxlost A 192.0.2.64\n_25._tcp.mxlost CNAME _25._tcp.mx.bogus.test."                    \
	"\nfar MX 10 mx1.plain.test.\ndom CNAME t\n"

static struct nsd nsd;
static int silent;
static unsigned silent_port, closed_port;

/* 70 hosts, and one host with 30 addresses. */
static void add_many(char *out, size_t cap)
{
	size_t n = strlen(out);

	for (int i = 0; i < 70; i++)
		n +=
		    (size_t)snprintf(out + n, cap - n, "many MX %d m%d\nm%d A 198.51.100.%d\n", 200 - i, i, i, i + 1);
	n += (size_t)snprintf(out + n, cap - n, "wide MX 10 w\n");
	for (int i = 0; i < 30; i++)
		n += (size_t)snprintf(out + n, cap - n, "w A 203.0.113.%d\nw AAAA 2001:db8::%d\n", i + 1, i + 1);
	ck_assert_uint_lt(n, cap);
}

static void setup(void)
{
	char records[16384] = PLAIN;

	add_many(records, sizeof records);
	nsd_begin(&nsd);
	nsd_write(&nsd, "plain.test", records);
	nsd_zone(&nsd, "plain.test", "plain.test.zone");
	nsd_write(&nsd, "signed.test",
	    SIGNED DANE "null MX 0 .\n_mta-sts TXT \"v=STSv1; id=1;\"\n_mta-sts.two TXT "
			"\"v=STSv1; id=1;\"\n_mta-sts.two TXT \"v=STSv1; id=2;\"\n_mta-sts.some TXT "
			"\"else\"\n_mta-sts.some TXT \"v=STSv1; \" \"id=3;\"\n");
	nsd_sign(&nsd, "signed.test");
	nsd_zone(&nsd, "signed.test", "signed.test.signed");
	nsd_write(&nsd, "bogus.test", SIGNED "_25._tcp.mx TLSA 3 1 1 " H32 "\n_mta-sts TXT \"v=STSv1; id=7;\"\n");
	nsd_sign(&nsd, "bogus.test");
	/* after signing: what the signatures do not cover */
	server_run("cd %s && sed -i -e 's/192\\.0\\.2\\.50/192.0.2.66/' -e 's/MX\\t10 mx/MX\\t11 mx/' -e "
		   "'s/00112233445566/99112233445566/' -e 's/id=7/id=8/' bogus.test.signed && "
		   "grep -q 192.0.2.66 bogus.test.signed && grep -q 'MX.11' bogus.test.signed",
	    nsd.s.dir);
	nsd_zone(&nsd, "bogus.test", "bogus.test.signed");
	nsd_start(&nsd);
	silent = server_bind(SOCK_DGRAM, &silent_port);

	int fd = server_bind(SOCK_DGRAM, &closed_port);

	close(fd);
}

static void teardown(void)
{
	nsd_end(&nsd);
	close(silent);
}

/* ---- asking ---- */

static struct loop *loop;
static struct dns *dns;
static struct scout_hosts got;
static int answers;

static void make(int64_t timeout, bool loopback_hosts)
{
	static char stubs[8][64], anchors[100];
	char *v[8];
	struct problem pr;
	struct dns_settings set = {.stubs = {v, 6}, .timeout = timeout, .loopback_hosts = loopback_hosts};
	static const char *const zones[] = {
	    "plain.test", "signed.test", "bogus.test", "unserved.test", "silent.test", "closed.test"};

	for (size_t i = 0; i < 6; i++) {
		unsigned port = i == 4 ? silent_port : i == 5 ? closed_port : nsd.port;

		snprintf(stubs[i], sizeof stubs[i], "%s=127.0.0.1@%u", zones[i], port);
		v[i] = stubs[i];
	}
	snprintf(anchors, sizeof anchors, "%s/anchors", nsd.s.dir);
	set.trust_anchor_file = anchors;
	loop = loop_new();
	dns = dns_new(loop, &set, &pr);
	ck_assert_msg(dns != NULL, "%s", pr.text);
}

static void unmake(void)
{
	dns_free(dns);
	loop_free(loop);
}

static void done(void *ctx, const struct scout_hosts *h)
{
	ck_assert_ptr_eq(ctx, &got);
	got = *h;
	answers++;
}

static unsigned port;

static void ask(enum scout_kind kind, const char *name)
{
	struct scout_ask a = {.kind = kind, .tlsa_port = port};
	int64_t end = loop_now_ms() + 30000;

	ck_assert_int_eq(mem_copy_str(a.name, sizeof a.name, name), 0);
	memset(&got, 0x55, sizeof got);
	answers = 0;
	dns_ask(dns, &a, done, &got);
	ck_assert_int_eq(answers, 0);
	while (!answers && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_int_eq(answers, 1);
}

/* "mx1.plain.test:6 4 mx2.plain.test:4": hosts with the families of their addresses. */
static const char *words(void)
{
	static char out[4096];
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < got.nhosts; i++) {
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%s:", i ? " " : "", got.hosts[i].name);
		for (size_t k = 0; k < got.hosts[i].naddrs; k++)
			n += (size_t)snprintf(
			    out + n, sizeof out - n, "%c", got.hosts[i].addrs[k].ss_family == AF_INET ? '4' : '6');
	}
	return out;
}

struct row {
	const char *name;
	enum scout_status status;
	const char *hosts; /* or enhanced code and part of the text */
	const char *text;
	bool secure;
	enum scout_kind kind;
};
static const struct row rows[] = {
    {"null.plain.test", SCOUT_NULL_MX, "5.1.10", "null MX", false, SCOUT_KIND_MX},
    {"implicit.plain.test", SCOUT_OK, "implicit.plain.test:4", "", false, SCOUT_KIND_MX},
    {"IMPLICIT.Plain.Test", SCOUT_OK, "implicit.plain.test:4", "", false, SCOUT_KIND_MX},
    {"none.plain.test", SCOUT_PERM, "5.1.2", "neither MX nor address", false, SCOUT_KIND_MX},
    {"nowhere.plain.test", SCOUT_PERM, "5.1.2", "does not exist", false, SCOUT_KIND_MX},
    {"alias.plain.test", SCOUT_OK, "mx1.plain.test:64", "", false, SCOUT_KIND_MX},
    {"bare.plain.test", SCOUT_OK, "implicit.plain.test:4", "", false, SCOUT_KIND_MX},
    {"loop1.plain.test", SCOUT_TEMP, "4.4.3", "loop1.plain.test", false, SCOUT_KIND_MX},
    {"dangling.plain.test", SCOUT_PERM, "5.1.2", "does not exist", false, SCOUT_KIND_MX},
    {"badmx.plain.test", SCOUT_PERM, "5.4.4", "none of their hosts", false, SCOUT_KIND_MX},
    {"odd.plain.test", SCOUT_PERM, "5.4.4", "none of their hosts", false, SCOUT_KIND_MX},
    {"part.plain.test", SCOUT_OK, "mx1.plain.test:64", "", false, SCOUT_KIND_MX},
    {"lo.plain.test", SCOUT_PERM, "5.4.4", "none of their hosts", false, SCOUT_KIND_MX},
    {"viacname.plain.test", SCOUT_OK, "mxalias.plain.test:64", "", false, SCOUT_KIND_MX},
    {"wide.plain.test", SCOUT_OK, "w.plain.test:64646464", "", false, SCOUT_KIND_MX},
    {"signed.test", SCOUT_OK, "mx.signed.test:4", "", true, SCOUT_KIND_MX},
    {"null.signed.test", SCOUT_NULL_MX, "5.1.10", "null MX", true, SCOUT_KIND_MX},
    {"nowhere.signed.test", SCOUT_PERM, "5.1.2", "does not exist", true, SCOUT_KIND_MX},
    {"bogus.test", SCOUT_TEMP, "4.4.3", "bogus.test MX failed", false, SCOUT_KIND_MX},
    {"bogushost.plain.test", SCOUT_TEMP, "4.4.3", "mx.bogus.test", false, SCOUT_KIND_MX},
    {"mixed.plain.test", SCOUT_OK, "mx3.plain.test:44", "", false, SCOUT_KIND_MX},
    {"unserved.test", SCOUT_TEMP, "4.4.3", "unserved.test", false, SCOUT_KIND_MX},
    {"", SCOUT_PERM, "5.1.2", "not a domain name", false, SCOUT_KIND_MX},
    {"not a domain", SCOUT_PERM, "5.1.2", "not a domain name", false, SCOUT_KIND_MX},
    {"[192.0.2.1]", SCOUT_PERM, "5.1.2", "not a domain name", false, SCOUT_KIND_MX},
    {"b\xc3\xbc"
     "cher.plain.test",
	SCOUT_OK, "mx1.plain.test:64", "", false, SCOUT_KIND_MX},
    {"B\xc3\x9c"
     "CHER.plain.test",
	SCOUT_OK, "mx1.plain.test:64", "", false, SCOUT_KIND_MX},
    {"\xff\xfe.plain.test", SCOUT_PERM, "5.1.2", "not a domain name", false, SCOUT_KIND_MX},
    {"a..b", SCOUT_PERM, "5.1.2", "not a domain name", false, SCOUT_KIND_MX},
    {"mx1.plain.test", SCOUT_OK, "mx1.plain.test:64", "", false, SCOUT_KIND_HOST},
    {"mx.signed.test", SCOUT_OK, "mx.signed.test:4", "", true, SCOUT_KIND_HOST},
    {"local.plain.test", SCOUT_OK, "local.plain.test:64", "", false, SCOUT_KIND_HOST},
    {"localhost", SCOUT_OK, "localhost:64", "", false, SCOUT_KIND_HOST},
    {"none.plain.test", SCOUT_PERM, "5.4.4", "no address", false, SCOUT_KIND_HOST},
    {"nowhere.plain.test", SCOUT_PERM, "5.4.4", "no address", false, SCOUT_KIND_HOST},
    {"mx.bogus.test", SCOUT_TEMP, "4.4.3", "mx.bogus.test", false, SCOUT_KIND_HOST},
    {"192.0.2.7", SCOUT_OK, "192.0.2.7:4", "", false, SCOUT_KIND_HOST},
    {"2001:db8::7", SCOUT_OK, "2001:db8::7:6", "", false, SCOUT_KIND_HOST},
};

static void judge(const struct row *r)
{
	ck_assert_msg(
	    got.status == r->status, "%s: status %d: %s %s", r->name, got.status, got.problem.text, words());
	if (r->status == SCOUT_OK) {
		ck_assert_str_eq(words(), r->hosts);
		ck_assert_int_eq(got.problem.cls, PROBLEM_NONE);
	} else {
		ck_assert_str_eq(got.problem.enh, r->hosts);
		ck_assert_msg(strstr(got.problem.text, r->text), "%s: %s", r->name, got.problem.text);
		ck_assert_int_eq(got.problem.cls, r->status == SCOUT_TEMP ? PROBLEM_TEMP : PROBLEM_PERM);
		ck_assert_uint_eq(got.nhosts, 0);
	}
	ck_assert_msg(got.secure == r->secure, "%s: secure %d", r->name, got.secure);
}

/* Twice: the second answer comes from the cache, from inside libunbound's call. */
START_TEST(answers_)
{
	make(20000, false);
	for (int i = 0; i < 2; i++) {
		ask(rows[_i].kind, rows[_i].name);
		judge(&rows[_i]);
	}
	unmake();
}
END_TEST

/* ---- TLSA ---- */

static const struct {
	const char *name;
	unsigned port;
	enum scout_tlsa_state state;
	const char *base;
	size_t n;
	const char *domain;
} tlsa_rows[] = {
    {"t.signed.test", 25, SCOUT_TLSA_SOME, "mxt.signed.test", 2, ""},
    {"t.signed.test", 2525, SCOUT_TLSA_SOME, "mxt.signed.test", 1, ""},
    {"t.signed.test", 26, SCOUT_TLSA_NONE, "", 0, ""},
    {"t.signed.test", 0, SCOUT_TLSA_NONE, "", 0, ""},
    {"signed.test", 25, SCOUT_TLSA_NONE, "", 0, ""},
    {"pkix.signed.test", 25, SCOUT_TLSA_SOME, "mxp.signed.test", 0, ""},
    {"al.signed.test", 25, SCOUT_TLSA_SOME, "mxt.signed.test", 2, ""},
    {"al2.signed.test", 25, SCOUT_TLSA_SOME, "mxal2.signed.test", 1, ""},
    {"via.signed.test", 25, SCOUT_TLSA_SOME, "mx3.signed.test", 2, ""},
    {"out.signed.test", 25, SCOUT_TLSA_SOME, "mxout.signed.test", 1, ""},
    {"lost.signed.test", 25, SCOUT_TLSA_TEMP, "", 0, ""},
    {"far.signed.test", 25, SCOUT_TLSA_NONE, "", 0, ""},
    {"plain.test", 25, SCOUT_TLSA_NONE, "", 0, ""},
    {"dom.signed.test", 25, SCOUT_TLSA_SOME, "mxt.signed.test", 2, "t.signed.test"},
};

START_TEST(tlsa)
{
	static const uint8_t h32[4] = {0x00, 0x11, 0x22, 0x33};

	make(20000, false);
	port = tlsa_rows[_i].port;
	for (int i = 0; i < 2; i++) {
		ask(SCOUT_KIND_MX, tlsa_rows[_i].name);
		ck_assert_msg(got.status == SCOUT_OK, "%s", got.problem.text);

		const struct scout_host *h = &got.hosts[0];

		ck_assert_msg(
		    h->tlsa_state == tlsa_rows[_i].state, "%s: state %d", tlsa_rows[_i].name, h->tlsa_state);
		ck_assert_str_eq(h->tlsa_base, tlsa_rows[_i].base);
		ck_assert_uint_eq(h->ntlsa, tlsa_rows[_i].n);
		ck_assert_str_eq(got.domain, tlsa_rows[_i].domain);
		for (size_t k = 0; k < h->ntlsa; k++) {
			ck_assert_uint_eq(h->tlsa[k].len, 32);
			ck_assert_int_eq(memcmp(got.octets + h->tlsa[k].at, h32, 4), 0);
		}
	}
	port = 0;
	unmake();
}
END_TEST

/* A configured host has its TLSA records too. */
START_TEST(tlsa_of_a_host)
{
	make(20000, false);
	port = 25;
	ask(SCOUT_KIND_HOST, "mxt.signed.test");
	ck_assert_int_eq(got.hosts[0].tlsa_state, SCOUT_TLSA_SOME);
	ask(SCOUT_KIND_HOST, "mx1.plain.test");
	ck_assert_int_eq(got.hosts[0].tlsa_state, SCOUT_TLSA_NONE);
	port = 0;
	unmake();
}
END_TEST

/* ---- TXT ---- */

static char txt[DNS_TXT_MAX + 1];

static void txt_came(void *ctx, const char *text, const struct problem *pr)
{
	ck_assert_ptr_eq(ctx, &txt);
	snprintf(txt, sizeof txt, "%s", text ? text : pr ? pr->enh : "(none)");
	answers++;
}

START_TEST(txt_record)
{
	static const struct {
		const char *domain, *want;
	} t[] = {{"signed.test", "v=STSv1; id=1;"}, {"some.signed.test", "v=STSv1; id=3;"},
	    {"two.signed.test", "(none)"}, {"plain.test", "(none)"}, {"not a domain", "(none)"},
	    {"bogus.test", "4.4.3"}, {"unserved.test", "4.4.3"}};
	int64_t end = loop_now_ms() + 30000;

	make(20000, false);
	answers = 0;
	dns_txt(dns, "_mta-sts.", t[_i].domain, "v=STSv1", txt_came, &txt);
	ck_assert_int_eq(answers, 0);
	while (!answers && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_str_eq(txt, t[_i].want);
	unmake();
}
END_TEST

START_TEST(preferences)
{
	int first = 0;

	make(20000, false);
	for (int i = 0; i < 100; i++) {
		ask(SCOUT_KIND_MX, "plain.test");
		ck_assert_int_eq(got.status, SCOUT_OK);
		ck_assert_uint_eq(got.nhosts, 3);
		ck_assert_str_eq(got.hosts[2].name, "mx3.plain.test");
		ck_assert_uint_eq(got.hosts[2].pref, 20);
		ck_assert_uint_eq(got.hosts[2].naddrs, 2);
		first += strcmp(got.hosts[0].name, "mx1.plain.test") == 0;
	}
	ck_assert_int_gt(first, 0);
	ck_assert_int_lt(first, 100);
	unmake();
}
END_TEST

START_TEST(many_hosts)
{
	make(20000, false);
	ask(SCOUT_KIND_MX, "many.plain.test");
	ck_assert_int_eq(got.status, SCOUT_OK);
	ck_assert_uint_eq(got.nhosts, SCOUT_HOSTS_MAX);
	for (size_t i = 1; i < got.nhosts; i++)
		ck_assert_uint_lt(got.hosts[i - 1].pref, got.hosts[i].pref);
	unmake();
}
END_TEST

START_TEST(loopback_allowed)
{
	make(20000, true);
	ask(SCOUT_KIND_MX, "lo.plain.test");
	ck_assert_int_eq(got.status, SCOUT_OK);
	ck_assert_str_eq(words(), "local.plain.test:64");
	unmake();
}
END_TEST

/* A server that never answers, or is not there: our own time limit, and the loop goes on meanwhile. */
START_TEST(dead_server)
{
	int64_t begin;

	make(1000, false);
	begin = loop_now_ms();
	ask(SCOUT_KIND_MX, _i ? "closed.test" : "silent.test");
	ck_assert_int_eq(got.status, SCOUT_TEMP);
	ck_assert_ptr_nonnull(strstr(got.problem.text, "no answer within 1000 ms"));
	ck_assert_int_ge(loop_now_ms() - begin, 990);
	ck_assert_int_lt(loop_now_ms() - begin, 10000);
	/* others are answered all the same */
	ask(SCOUT_KIND_MX, "implicit.plain.test");
	ck_assert_int_eq(got.status, SCOUT_OK);
	unmake();
}
END_TEST

static int counted;

static void count(void *ctx, const struct scout_hosts *h)
{
	(void)ctx, (void)h;
	counted++;
}

START_TEST(many_questions)
{
	int64_t end = loop_now_ms() + 60000;
	char name[64];

	make(20000, false);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "m%d.plain.test", i % 100);
		dns_mx(dns, name, count, NULL);
	}
	ck_assert_int_eq(counted, 0);
	while (counted < 500 && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_int_eq(counted, 500);
	unmake();
}
END_TEST

START_TEST(ends_with_questions_open)
{
	make(20000, false);
	dns_mx(dns, "silent.test", count, NULL);
	dns_mx(dns, "plain.test", count, NULL);
	loop_once(loop, 0);
	unmake();
	ck_assert_int_eq(counted, 0);
}
END_TEST

/* In a process of its own: Check could not report from inside the filter. Tells by its exit status what went wrong.
 */
static int sandboxed(void)
{
	static const struct sandbox box = {.net = SANDBOX_NET_CLIENT};
	struct problem pr;

	make(20000, false);
	if (sandbox_enter(&box, &pr) < 0)
		return 2;
	ask(SCOUT_KIND_MX, "signed.test");
	if (got.status != SCOUT_OK || !got.secure)
		return 3;
	ask(SCOUT_KIND_MX, "bogus.test");
	if (got.status != SCOUT_TEMP)
		return 4;
	ask(SCOUT_KIND_MX, "alias.plain.test");
	return strcmp(words(), "mx1.plain.test:64") == 0 ? 0 : 5;
}

/* As in role scout: no file may be opened any more when the first question comes. */
START_TEST(in_the_sandbox)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(sandboxed());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* ---- settings that cannot work ---- */

static void refuses(struct dns_settings *set, const char *text)
{
	struct problem pr;

	loop = loop_new();
	ck_assert_ptr_null(dns_new(loop, set, &pr));
	ck_assert_msg(strstr(pr.text, text), "%s", pr.text);
	loop_free(loop);
}

START_TEST(bad_anchors)
{
	static const char *const texts[] = {
	    "", "; only a comment\n", "signed.test. IN DS nonsense\n", "signed.test. IN A 192.0.2.1\n"};
	char path[100];
	struct dns_settings set = {.timeout = 1000, .trust_anchor_file = path};
	FILE *f;

	snprintf(path, sizeof path, "%s/bad-anchors", nsd.s.dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(texts[_i], f);
	fclose(f);
	refuses(&set, _i < 2 ? "holds no DS or DNSKEY record" : "trust-anchor-file");
}
END_TEST

START_TEST(missing_anchors)
{
	char path[100];
	struct dns_settings set = {.timeout = 1000, .trust_anchor_file = path};

	snprintf(path, sizeof path, "%s/no-such-file", nsd.s.dir);
	refuses(&set, path);
}
END_TEST

/* The built-in anchors and "none" are accepted without any file. */
START_TEST(no_anchor_file)
{
	static char empty[] = "", none[] = "none";
	char *const names[] = {NULL, empty, none};
	struct dns_settings set = {.timeout = 1000, .trust_anchor_file = names[_i]};
	struct problem pr;

	loop = loop_new();
	dns = dns_new(loop, &set, &pr);
	ck_assert_msg(dns != NULL, "%s", pr.text);
	unmake();
}
END_TEST

/* Without validation a bogus answer is believed: "none" does what it says, and only it does. */
START_TEST(none_means_none)
{
	char stub[64], *v[1] = {stub};
	struct dns_settings set = {.timeout = 20000, .trust_anchor_file = (char[]){"none"}, .stubs = {v, 1}};
	struct problem pr;

	snprintf(stub, sizeof stub, "bogus.test=127.0.0.1@%u", nsd.port);
	loop = loop_new();
	dns = dns_new(loop, &set, &pr);
	ck_assert_ptr_nonnull(dns);
	ask(SCOUT_KIND_MX, "bogus.test");
	ck_assert_int_eq(got.status, SCOUT_OK);
	ck_assert(!got.secure);
	unmake();
}
END_TEST

/* Over a forward: nsd is no resolver, but for its own zones it looks like one. */
START_TEST(forward)
{
	char server[64], *v[1] = {server};
	struct dns_settings set = {.timeout = 20000, .trust_anchor_file = (char[]){"none"}, .forwards = {v, 1}};
	struct problem pr;

	snprintf(server, sizeof server, "127.0.0.1@%u", nsd.port);
	loop = loop_new();
	dns = dns_new(loop, &set, &pr);
	ck_assert_ptr_nonnull(dns);
	ask(SCOUT_KIND_MX, "plain.test");
	ck_assert_int_eq(got.status, SCOUT_OK);
	ck_assert_uint_eq(got.nhosts, 3);
	unmake();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dns");
	TCase *t = tcase_create("dns");

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, answers_, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_loop_test(t, tlsa, 0, (int)(sizeof tlsa_rows / sizeof tlsa_rows[0]));
	tcase_add_test(t, tlsa_of_a_host);
	tcase_add_loop_test(t, txt_record, 0, 7);
	tcase_add_test(t, preferences);
	tcase_add_test(t, many_hosts);
	tcase_add_test(t, loopback_allowed);
	tcase_add_loop_test(t, dead_server, 0, 2);
	tcase_add_test(t, many_questions);
	tcase_add_test(t, ends_with_questions_open);
	tcase_add_loop_test(t, bad_anchors, 0, 4);
	tcase_add_test(t, missing_anchors);
	tcase_add_loop_test(t, no_anchor_file, 0, 3);
	tcase_add_test(t, none_means_none);
	tcase_add_test(t, forward);
	tcase_add_test(t, in_the_sandbox);
	suite_add_tcase(s, t);
	return suite_run(s);
}
