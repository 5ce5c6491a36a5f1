/* The LDAP source with real directories (slapd) and with servers that do what they should not. Each answer in bounded
 * time, with the exact reason. */
#include "gateway/scout/source_ldap.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/sandbox.h"
#include "tests/unit/slapd_fixture.h"
#include "tests/unit/scout_fixture.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"

#define READER "cn=reader,dc=clinic,dc=example"

static struct slapd slapd, closed; /* closed: refuses anonymous questions */

/* ---- what is in the directories ---- */

static void put_der(FILE *f, const char *attribute, const void *p, size_t n)
{
	size_t cap = n * 2 + 8;
	char *text = mem_new(cap);

	ck_assert_int_eq(EVP_EncodeBlock((unsigned char *)text, p, (int)n) > 0, 1);
	fprintf(f, "%s:: %s\n", attribute, text);
	free(text);
}

static void put_person(FILE *f, const char *suffix, const char *uid, const char *mail)
{
	fprintf(f, "\ndn: uid=%s,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: x\nsn: x\nmail: %s\n", uid, suffix, uid,
	    mail);
}

static void put_suffix(FILE *f, const char *suffix, const char *dc)
{
	fprintf(f, "dn: %s\nobjectClass: domain\ndc: %s\n", suffix, dc);
}

static void fill(FILE *f, FILE *other)
{
	static const char suffix[] = "dc=clinic,dc=example";
	const struct testcert_spec spec = {.cn = "x", .san = "email:alice@clinic.example"};
	static char big[300000];
	struct testcert t = testcert_make(&spec);

	put_suffix(f, suffix, "clinic");
	fprintf(f, "\ndn: " READER "\nobjectClass: person\ncn: reader\nsn: r\nuserPassword: secret\n");
	put_person(f, suffix, "alice", "alice@clinic.example");
	put_der(f, "userCertificate;binary", t.der, t.n);
	put_person(f, suffix, "alice2", "alice@clinic.example");
	put_der(f, "userSMIMECertificate", "any octets", 10);
	put_person(f, suffix, "bob", "bob@clinic.example");
	put_person(f, suffix, "domain", "clinic.example");
	put_der(f, "userSMIMECertificate", "of the domain", 13);
	put_person(f, suffix, "star", "a*)(b@clinic.example");
	put_der(f, "userSMIMECertificate", "star", 4);
	put_person(f, suffix, "big", "big@clinic.example");
	put_der(f, "userSMIMECertificate", big, sizeof big);
	put_person(f, suffix, "many", "many@clinic.example");
	for (int i = 0; i < 100; i++) {
		char value[16];

		snprintf(value, sizeof value, "value %d", i);
		put_der(f, "userSMIMECertificate", value, strlen(value));
	}
	for (int i = 0; i < 30; i++) {
		char uid[16];

		snprintf(uid, sizeof uid, "e%d", i);
		put_person(f, suffix, uid, "entries@clinic.example");
	}
	ck_assert_int_eq(fclose(f), 0);
	put_suffix(other, "dc=other,dc=example", "other");
	put_person(other, "dc=other,dc=example", "olga", "olga@other.example");
	put_der(other, "userSMIMECertificate", "olga", 4);
	ck_assert_int_eq(fclose(other), 0);
	testcert_free(&t);
}

static void put_tls(const struct slapd *d)
{
	server_run(
	    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=directory "
	    "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
	    d->s.dir, d->s.dir);
}

static void setup_slapd(void)
{
	FILE *f;

	slapd_begin(&slapd, "");
	put_tls(&slapd);
	f = slapd_database(&slapd, "dc=clinic,dc=example",
	    "access to attrs=userPassword by anonymous auth\naccess to * by * read\n");
	fill(f, slapd_database(&slapd, "dc=other,dc=example", "access to * by * read\n"));
	slapd_start(&slapd);
	slapd_begin(&closed, "require authc\n");
	put_tls(&closed);
	f = slapd_database(&closed, "dc=clinic,dc=example",
	    "access to attrs=userPassword by anonymous auth\naccess to * by dn.exact=\"" READER
	    "\" read by * none\n");
	put_suffix(f, "dc=clinic,dc=example", "clinic");
	fprintf(f, "\ndn: " READER "\nobjectClass: person\ncn: reader\nsn: r\nuserPassword: secret\n");
	put_person(f, "dc=clinic,dc=example", "alice", "alice@clinic.example");
	put_der(f, "userSMIMECertificate", "closed", 6);
	ck_assert_int_eq(fclose(f), 0);
	slapd_start(&closed);
}

static void teardown_slapd(void)
{
	slapd_end(&slapd);
	slapd_end(&closed);
}

/* ---- a server of the test's own: each question has its answer, or the last one ---- */

enum trick {
	SILENT,
	GARBAGE,
	CLOSE,
	BUSY,
	TIME_LIMIT,
	ENDLESS,
	ENDLESS_VALUES,
	REFERRALS,
	HUGE_CLAIM,
	DRIP,
	NO_OBJECT,
	NO_BASES,
	MANY_BASES,
	LONG_BASE,
	REFUSED,
	OPERATIONS,
	STAYS,
	LEAVES,
	AWAY,
	USUAL,
	USUAL_AND_AWAY,
};

struct tricky {
	int fd;
	unsigned port;
	enum trick trick;
	pthread_t thread;
	atomic_int accepted;
};

/* Tag and contents behind each other; n below 64 KiB. */
static size_t tlv(uint8_t *out, uint8_t tag, const void *p, size_t n)
{
	out[0] = tag;
	out[1] = 0x82;
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
	memmove(out + 4, p, n);
	return n + 4;
}

static size_t message(uint8_t *out, uint8_t id, const uint8_t *op, size_t n)
{
	uint8_t b[70000];

	b[0] = 2;
	b[1] = 1;
	b[2] = id;
	memcpy(b + 3, op, n);
	return tlv(out, 0x30, b, n + 3);
}

static size_t result(uint8_t *out, uint8_t id, uint8_t code)
{
	const uint8_t in[] = {0x0a, 1, code, 4, 0, 4, 0};
	uint8_t op[64];

	return message(out, id, op, tlv(op, 0x65, in, sizeof in));
}

/* An entry with one value. */
static size_t entry(uint8_t *out, uint8_t id, const char *attribute, const void *value, size_t n)
{
	static uint8_t a[70000], b[70000], c[70000];
	size_t k = tlv(a, 4, value, n), m = tlv(b, 4, attribute, strlen(attribute));

	m += tlv(b + m, 0x31, a, k); /* the values */
	k = tlv(a, 0x30, b, m);	     /* the attribute */
	m = tlv(b, 4, "c=x", 3);
	m += tlv(b + m, 0x30, a, k); /* the attributes */
	k = tlv(c, 0x64, b, m);
	return message(out, id, c, k);
}

static int put(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

static void rest(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static size_t reference(uint8_t *out, uint8_t id, const char *url)
{
	uint8_t uri[200], op[220];

	return message(out, id, op, tlv(op, 0x73, uri, tlv(uri, 4, url, strlen(url))));
}

static void trick(const struct tricky *s, int fd, uint8_t id)
{
	static uint8_t b[80000], value[60000];
	size_t n = 0;

	switch (s->trick) {
	case BUSY:
		n = result(b, id, 51);
		break;
	case TIME_LIMIT:
		n = result(b, id, 3);
		break;
	case MANY_BASES:
	case LONG_BASE:
		n = result(b, id, 0);
		break;
	case NO_OBJECT:
		n = result(b, id, 32);
		break;
	case REFUSED:
		n = result(b, id, 48);
		break;
	case OPERATIONS:
		n = result(b, id, 1);
		break;
	case ENDLESS:
		n = entry(b, id, "cn", "x", 1);
		while (put(fd, b, n) == 0)
			;
		return;
	case ENDLESS_VALUES:
		n = entry(b, id, "userCertificate;binary", value, sizeof value);
		while (put(fd, b, n) == 0)
			;
		return;
	case REFERRALS: {
		uint8_t uri[64], op[80];

		n = message(b, id, op, tlv(op, 0x73, uri, tlv(uri, 4, "ldap://127.0.0.1/", 17)));
		while (put(fd, b, n) == 0)
			;
		return;
	}
	case AWAY:
	case USUAL:
	case USUAL_AND_AWAY:
		if (s->trick != AWAY) {
			n += reference(b, id, "ldap://ForestDnsZones.x.example/DC=ForestDnsZones,DC=x");
			n += reference(b + n, id, "ldap://DomainDnsZones.x.example/DC=DomainDnsZones,DC=x");
			n += reference(b + n, id, "ldap://x.example/CN=Configuration,DC=x");
		}
		if (s->trick != USUAL)
			n += reference(b + n, id, "ldap://child.x.example/DC=child,DC=x");
		n += result(b + n, id, 0);
		break;
	case HUGE_CLAIM: /* a message of 2 GiB, a little of which comes */
		put(fd, "\x30\x84\x7f\xff\xff\xff\x02\x01", 8);
		while (put(fd, value, sizeof value) == 0)
			;
		return;
	case STAYS:
	case LEAVES:
		n = entry(b, id, "userSMIMECertificate", "kept", 4);
		n += result(b + n, id, 0);
		break;
	case DRIP:
		n = entry(b, id, "userCertificate;binary", value, 1000);
		for (size_t i = 0; i < n && put(fd, b + i, 1) == 0; i++)
			rest(20);
		return;
	default:
		(void)!read(fd, b, 1);
		return;
	}
	put(fd, b, n);
}

/* Its entry with namingContexts, of each value one. */
static size_t bases(uint8_t *out, uint8_t id, enum trick t)
{
	static char longer[900];
	size_t n = t == NO_BASES ? 0 : entry(out, id, "namingContexts", "c=x", 3);

	memset(longer, 'x', sizeof longer);
	memcpy(longer, "c=", 2);
	for (int i = 0; t == MANY_BASES && i < 16; i++)
		n += entry(out + n, id, "namingContexts", "c=x", 3);
	if (t == LONG_BASE)
		n += entry(out + n, id, "namingContexts", longer, sizeof longer);
	return n;
}

static void *serve(void *ctx)
{
	struct tricky *s = ctx;
	uint8_t in[4096], b[4096];
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		atomic_fetch_add(&s->accepted, 1);
		for (;;) {
			ssize_t r = s->trick == CLOSE ? 0 : read(fd, in, sizeof in);
			uint8_t id = in[4];

			if (r < 5 ||
			    in[0] != 0x30) /* nothing asks in more than 127 octets, or with more than 127 questions */
				break;
			if (in[1] & 0x80)
				id = in[2 + (in[1] & 0x7f) + 2];
			if (in[r - 1] != 's' ||
			    s->trick == SILENT) { /* the last attribute asked for is not namingContexts */
				trick(s, fd, id);
				if (s->trick == LEAVES)
					break;
			} else if (s->trick == GARBAGE) {
				put(fd, "220 mail.example ESMTP\r\n", 24);
			} else {
				size_t n = bases(b, id, s->trick);

				n += result(b + n, id, 0);
				put(fd, b, n);
			}
		}
		close(fd);
	}
	return NULL;
}

static void tricky_start(struct tricky *s, enum trick t)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;

	memset(s, 0, sizeof *s);
	s->trick = t;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(bind(s->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(s->fd, 20) == 0);
	ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void tricky_stop(struct tricky *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* ---- asking ---- */

static struct dns *dns;
static struct source_ldap *ldap;
static char values[SOURCE_ITEMS_MAX][100];
static int host_full, dead_too, late;
static struct source_settings set;
static struct ldap_cert_settings dirs[4];
static char ca[100], uri[4][64], none[] = "", filter[] = "(mail=%s)", reader[] = READER,
				 base[] = "dc=clinic,dc=example", wrong[] = "dc=nowhere", local[] = "127.0.0.1",
				 ports[] = "1024-65535", certs[] = "userSMIMECertificate",
				 binary[] = "userCertificate;binary", short_filter[] = "(uid=%u)";
static char *v_local[] = {local}, *v_ports[] = {ports}, *v_certs[] = {binary, certs}, *v_uri[4][2];

static void directory(size_t i, const char *title, bool tls, const struct slapd *d, char *in)
{
	snprintf(uri[i], sizeof uri[i], "ldap%s://127.0.0.1:%u", tls ? "s" : "", tls ? d->tls_port : d->port);
	v_uri[i][0] = uri[i];
	dirs[i] = (struct ldap_cert_settings){.ldap = {.servers = {v_uri[i], 1},
						  .starttls = !tls,
						  .tls_verify = true,
						  .ca_file = ca,
						  .base = in,
						  .attributes = {v_certs, 2},
						  .filter = filter,
						  .bind_dn = reader,
						  .password_file = none,
						  .timeout = 2000,
						  .dead_time = 60000,
						  .connections = 2},
	    .entries = 50,
	    .waiting = 10,
	    .idle = 10000};
	source_ldap_add(ldap, title, &dirs[i]);
	source_ldap_password(ldap, title, i == 3 ? "wrong" : "secret", i == 3 ? 5 : 6);
}

static void setup(void)
{
	static struct dns_settings d = {.timeout = 5000, .trust_anchor_file = none};
	struct problem pr;

	signal(SIGPIPE, SIG_IGN);
	log_init("unit", LOG_LEVEL_ERROR);
	memset(&got, 0, sizeof got);
	answers = host_full = dead_too = late = 0;
	snprintf(ca, sizeof ca, "%s/cert.pem", closed.s.dir);
	loop = loop_new();
	dns = dns_new(loop, &d, &pr);
	ck_assert_msg(dns != NULL, "%s", pr.text);
	set = (struct source_settings){.allow_private = {v_local, 1},
	    .ldap_ports = {v_ports, 1},
	    .ldap_connections = 4,
	    .ldap_per_server = 2,
	    .ldap_waiting = 20,
	    .ldap_waiting_per_server = 10,
	    .ldap_timeout = 1500,
	    .ldap_dead_time = 60000,
	    .ldap_idle = 10000,
	    .ldap_entries = 20,
	    .ldap_tls_verify = true};
	ldap = source_ldap_new(loop, dns, &set, ca);
	directory(0, "starttls", false, &closed, none);
	directory(1, "ldaps", true, &closed, base);
	directory(2, "base", true, &closed, wrong);
	directory(3, "password", true, &closed, base);
}

static void teardown(void)
{
	dns_free(dns);
	source_ldap_free(ldap);
	loop_free(loop);
}

static void done(void *ctx, const struct source_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		snprintf(values[i], sizeof values[i], "%.*s", (int)a->items[i].n, (const char *)a->items[i].p);
	scout_took(ctx, a);
}

static struct source_ask question(const char *name, const char *mail)
{
	struct source_ask a = {.kind = SOURCE_LDAP, .chosen = SOURCE_BY_STRANGER, .max = 100000, .timeout_ms = 3000};

	ck_assert_int_eq(strchr(name, ':') ? mem_copy_str(a.name, sizeof a.name, name)
					   : mem_copy_str(a.directory, sizeof a.directory, name),
	    0);
	ck_assert_int_eq(mem_copy_str(a.mail, sizeof a.mail, mail), 0);
	return a;
}

static void run(const struct source_ask *a)
{
	int64_t began = scout_begin();

	source_ldap_ask(ldap, a, done, &got);
	scout_end(began, a);
}

static const char *url_of(const char *pattern)
{
	static char out[300];
	size_t n = 0;

	for (const char *p = pattern; *p; p++) {
		if (*p == '%')
			n += (size_t)snprintf(out + n, sizeof out - n, "%u",
			    *++p == 'u' ? slapd.port
			    : *p == 't' ? slapd.tls_port
			    : *p == 'c' ? closed.port
					: closed.tls_port);
		else
			out[n++] = *p;
	}
	out[n] = 0;
	return out;
}

#define OPEN "ldap://127.0.0.1:%u"
static const struct {
	const char *name, *mail;
	enum source_status status;
	size_t n;
	const char *why; /* or the last value */
	bool more;
} rows[] = {
    {OPEN, "clinic.example", SOURCE_FOUND, 1, "of the domain", false},
    {OPEN, "CLINIC.example", SOURCE_FOUND, 1, "of the domain", false},
    {OPEN, "olga@other.example", SOURCE_FOUND, 1, "olga", false},
    {OPEN, "alice@clinic.example", SOURCE_FOUND, 2, "any octets", false},
    {OPEN, "a*)(b@clinic.example", SOURCE_FOUND, 1, "star", false},
    {OPEN, "*", SOURCE_NONE, 0, "has no entry for *", false},
    {OPEN, "bob@clinic.example", SOURCE_NONE, 0, "has an entry for bob@clinic.example without a certificate", false},
    {OPEN, "nobody@clinic.example", SOURCE_NONE, 0, "has no entry for nobody@clinic.example", false},
    {OPEN, "many@clinic.example", SOURCE_FOUND, SOURCE_ITEMS_MAX, "value", true},
    {OPEN, "big@clinic.example", SOURCE_TEMP, 0, "a value is longer than allowed", false},
    {OPEN, "entries@clinic.example", SOURCE_TEMP, 0, "Size limit exceeded", false},
    {"ldaps://127.0.0.1:%t", "olga@other.example", SOURCE_TEMP, 0, "TLS: ", false}, /* none of our CAs */
    {"ldaps://127.0.0.1:%s", "olga@other.example", SOURCE_TEMP, 0, "it refuses anonymous questions: search: ", false},
    {"ldap://127.0.0.1:%c", "alice@clinic.example", SOURCE_TEMP, 0,
	"it refuses anonymous questions: search: ", false},
    {"ldap://10.0.0.1:%u", "x", SOURCE_TEMP, 0, "ldap://10.0.0.1:", false},
    {"ldap://10.0.0.1:%u", "x", SOURCE_TEMP, 0,
	"has private or reserved addresses alone, which others may not name (allow-private)", false},
    {"ldap://127.0.0.1:25", "x", SOURCE_TEMP, 0, "port 25 is not among ldap-ports", false},
    {"ldap://127.0.0.1:%u/dc=x", "x", SOURCE_TEMP, 0, "is no LDAP server", false},
    {"ldapi://x", "x", SOURCE_TEMP, 0, "is no LDAP server", false},
    {"starttls", "alice@clinic.example", SOURCE_FOUND, 1, "closed", false},
    {"ldaps", "alice@clinic.example", SOURCE_FOUND, 1, "closed", false},
    {"ldaps", "bob@clinic.example", SOURCE_NONE, 0, "has no entry for bob@clinic.example", false},
    {"base", "alice@clinic.example", SOURCE_TEMP, 0, "the setting base names nothing there", false},
    {"password", "alice@clinic.example", SOURCE_TEMP, 0, "bind: Invalid credentials", false},
    {"unknown", "x", SOURCE_TEMP, 0, "there is no section certificate-directory \"unknown\"", false},
};

START_TEST(one)
{
	struct source_ask a = question(url_of(rows[_i].name), rows[_i].mail);

	for (int i = 0; i < 2; i++) { /* the second time over a kept connection */
		run(&a);
		ck_assert_msg(got.status == rows[_i].status, "%s: %d %s", a.mail, got.status, got.why);
		ck_assert_msg(got.n == rows[_i].n && got.more == rows[_i].more, "%s: %zu", a.mail, got.n);
		ck_assert_msg(strstr(got.n ? values[got.n - 1] : got.why, rows[_i].why) != NULL, "%s: %s", a.mail,
		    got.n ? values[got.n - 1] : got.why);
		ck_assert_msg(strlen(got.where) > 0, "%s", a.mail);
	}
}
END_TEST

START_TEST(attributes)
{
	struct source_ask a = question(url_of(OPEN), "alice@clinic.example");

	run(&a);
	ck_assert_uint_eq(got.n, 2);
	ck_assert_str_eq(got.items[0].attribute, "usercertificate;binary");
	ck_assert_str_eq(got.items[1].attribute, "usersmimecertificate");
	ck_assert_uint_gt(got.items[0].n, 200);
	ck_assert_str_eq(got.where, url_of(OPEN));
}
END_TEST

/* %u of a domain alone is nothing. */
START_TEST(own_filter)
{
	struct source_ask a = question("own", "domain");

	snprintf(uri[0], sizeof uri[0], "ldap://127.0.0.1:%u", slapd.port);
	dirs[0].ldap.starttls = false;
	dirs[0].ldap.bind_dn = none;
	dirs[0].ldap.filter = short_filter;
	source_ldap_add(ldap, "own", &dirs[0]);
	run(&a);
	ck_assert_int_eq(got.status, SOURCE_NONE);
	snprintf(a.mail, sizeof a.mail, "domain@any.example");
	run(&a);
	ck_assert_msg(got.status == SOURCE_FOUND && strcmp(values[0], "of the domain") == 0, "%s", got.why);
}
END_TEST

/* References alone: of a server that the admin chose they are nothing to be in doubt about. */
START_TEST(references_of_own)
{
	struct tricky s;
	struct source_ask a = question("own", "alice@clinic.example");

	tricky_start(&s, AWAY);
	snprintf(uri[0], sizeof uri[0], "ldap://127.0.0.1:%u", s.port);
	dirs[0].ldap.starttls = false;
	dirs[0].ldap.bind_dn = none;
	source_ldap_add(ldap, "own", &dirs[0]);
	run(&a);
	ck_assert_msg(got.status == SOURCE_NONE, "%d %s", got.status, got.why);
	ck_assert_msg(strstr(got.why, "and names other servers, which are not asked") != NULL, "%s", got.why);
	source_ldap_free(ldap);
	ldap = NULL;
	tricky_stop(&s);
}
END_TEST

/* How often a real one was asked for namingContexts. */
static int bases_asked(void)
{
	char path[128], line[1000];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/errors", slapd.s.dir);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f))
		n += strstr(line, "SRCH base=\"\" scope=0") != NULL;
	ck_assert_int_eq(fclose(f), 0);
	return n;
}

/* Where to search is asked once a connection, not once an address. */
START_TEST(bases_known)
{
	static const char *const who[] = {"olga@other.example", "nobody@clinic.example", "alice@clinic.example"};
	int before = bases_asked();

	for (size_t i = 0; i < 9; i++) {
		struct source_ask a = question(url_of(OPEN), who[i % 3]);

		run(&a);
		ck_assert_int_eq(got.status, i % 3 == 1 ? SOURCE_NONE : SOURCE_FOUND);
	}
	ck_assert_int_eq(bases_asked() - before, 1);
}
END_TEST

/* A connection is used again; one that its server closed meanwhile is replaced. */
START_TEST(kept)
{
	struct tricky s;
	char name[64];

	tricky_start(&s, _i == 0 ? STAYS : LEAVES);
	snprintf(name, sizeof name, "ldap://127.0.0.1:%u", s.port);

	struct source_ask a = question(name, "x");

	for (int i = 0; i < 3; i++) {
		run(&a);
		ck_assert_msg(got.status == SOURCE_FOUND && strcmp(values[0], "kept") == 0, "%s", got.why);
	}
	ck_assert_int_eq(atomic_load(&s.accepted), _i == 0 ? 1 : 3);
	source_ldap_free(ldap);
	ldap = NULL;
	tricky_stop(&s);
}
END_TEST

static const struct {
	enum trick trick;
	bool dead; /* afterwards */
	enum source_status status;
	const char *why;
} tricks[] = {
    {SILENT, true, SOURCE_TEMP, "search: no answer within 1500 ms"},
    {GARBAGE, true, SOURCE_TEMP, "search: "},
    {CLOSE, true, SOURCE_TEMP, "search: Can't contact LDAP server"},
    {BUSY, false, SOURCE_TEMP, "search: Server is busy"},
    {TIME_LIMIT, false, SOURCE_TEMP, "Time limit exceeded"},
    {NO_OBJECT, false, SOURCE_NONE, "has no entry for alice@clinic.example"},
    {NO_BASES, false, SOURCE_TEMP, "it names no namingContexts where to search"},
    {MANY_BASES, false, SOURCE_TEMP, "it has more than 16"},
    {LONG_BASE, false, SOURCE_TEMP, "one longer than"},
    {REFUSED, false, SOURCE_TEMP, "it refuses anonymous questions: search: Inappropriate authentication"},
    {OPERATIONS, false, SOURCE_TEMP, "it refuses anonymous questions: search: Operations error"},
    {ENDLESS, false, SOURCE_TEMP, "search: more than 20 entries and referrals, none with a value"},
    {REFERRALS, false, SOURCE_TEMP, "search: more than 20 entries and referrals, none with a value"},
    {ENDLESS_VALUES, false, SOURCE_FOUND, ""},
    {AWAY, false, SOURCE_TEMP, "names other servers, which are not asked (ldap://child.x.example/DC=child,DC=x)"},
    {USUAL, false, SOURCE_NONE, "has no entry for alice@clinic.example"},
    {USUAL_AND_AWAY, false, SOURCE_TEMP,
	"(ldap://child.x.example/DC=child,DC=x): whether there is one cannot be told"},
    {HUGE_CLAIM, false, SOURCE_TEMP, "search: an entry is longer than allowed"},
    {DRIP, true, SOURCE_TEMP, "search: no answer within 1500 ms"},
};

START_TEST(tricked)
{
	struct tricky s;
	char name[64];
	struct rusage before, after;

	tricky_start(&s, tricks[_i].trick);
	snprintf(name, sizeof name, "ldap://127.0.0.1:%u", s.port);

	struct source_ask a = question(name, "alice@clinic.example");

	getrusage(RUSAGE_SELF, &before);
	run(&a);
	getrusage(RUSAGE_SELF, &after);
	ck_assert_msg(got.status == tricks[_i].status, "%d %s", got.status, got.why);
	ck_assert_msg(strstr(got.why, tricks[_i].why) != NULL, "%s", got.why);
	ck_assert_msg(after.ru_maxrss - before.ru_maxrss < 16 * 1024, "%ld KiB", after.ru_maxrss - before.ru_maxrss);
	if (tricks[_i].status == SOURCE_FOUND)
		ck_assert(got.n == 1 && got.more && got.items[0].n == 60000);

	int accepted = atomic_load(&s.accepted);

	run(&a);
	if (tricks[_i].dead) {
		ck_assert_msg(strstr(got.why, " is marked dead since ") != NULL, "%s", got.why);
		ck_assert_msg(strstr(got.why, tricks[_i].why) != NULL, "%s", got.why);
		ck_assert_uint_lt(got.took_ms, 1000);
		ck_assert_int_eq(atomic_load(&s.accepted), accepted);
	} else {
		ck_assert_msg(!strstr(got.why, "marked dead"), "%s", got.why);
	}
	source_ldap_free(ldap);
	ldap = NULL;
	tricky_stop(&s);
}
END_TEST

/* The question's own time is shorter than what the server may take: the thread is free again, the server not dead. */
START_TEST(cut_off)
{
	struct tricky s;
	char name[64];

	tricky_start(&s, SILENT);
	snprintf(name, sizeof name, "ldap://127.0.0.1:%u", s.port);

	struct source_ask a = question(name, "x");

	a.timeout_ms = 1000; /* below ldap-timeout */
	for (int i = 0; i < 2; i++) {
		run(&a);
		ck_assert_msg(strstr(got.why, "no whole answer within 1000 ms") != NULL, "%s", got.why);
	}
	source_ldap_free(ldap);
	ldap = NULL;
	tricky_stop(&s);
}
END_TEST

static void count(void *ctx, const struct source_answer *a)
{
	(void)ctx;
	answers++;
	host_full += strstr(a->why, "too many questions wait for ldap://127.0.0.1:") != NULL;
	dead_too += strstr(a->why, "marked dead since") != NULL;
	late += !strstr(a->why, "marked dead since") && strstr(a->why, "no answer within 1500 ms") != NULL;
}

/* Many questions to one silent server cost two places, and those to another are answered meanwhile. */
START_TEST(many)
{
	struct tricky s;
	char name[64];
	struct source_ask a, b = question(url_of(OPEN), "clinic.example");

	tricky_start(&s, SILENT);
	snprintf(name, sizeof name, "ldap://127.0.0.1:%u", s.port);
	a = question(name, "x");
	answers = 0;
	for (int i = 0; i < 15; i++)
		source_ldap_ask(ldap, &a, count, NULL);
	while (answers < 3) /* more than wait are refused at once */
		loop_once(loop, 100);
	ck_assert_int_ge(host_full, 3);
	answers = 0;

	source_ldap_ask(ldap, &b, done, &got);
	while (!got.where[0])
		loop_once(loop, 100);
	ck_assert_msg(got.status == SOURCE_FOUND, "%s", got.why);
	ck_assert_int_eq(late, 0);
	scout_wait(16 - host_full);
	ck_assert_int_eq(late, 2);
	ck_assert_int_eq(dead_too, 13 - host_full);
	for (int i = 0; i < 500 && atomic_load(&s.accepted) < 2; i++) /* it takes one after the other */
		rest(10);
	ck_assert_int_eq(atomic_load(&s.accepted), 2);
	source_ldap_free(ldap);
	ldap = NULL;
	tricky_stop(&s);
}
END_TEST

/* Nobody listens: dead for every name that leads there. */
START_TEST(nobody_there)
{
	char name[64];
	struct source_ask a;

	snprintf(name, sizeof name, "ldap://127.0.0.1:%u", free_port());
	a = question(name, "x");
	run(&a);
	ck_assert_msg(strstr(got.why, "connect: Connection refused") != NULL, "%s", got.why);
	snprintf(a.name, sizeof a.name, "LDAP%s", name + 4);
	run(&a);
	ck_assert_msg(strstr(got.why, "marked dead since") != NULL, "%s", got.why);
}
END_TEST

/* As the scout has it: no files, threads allowed. In a process of its own: Check could not report from inside the
 * filter. Tells by its exit status what went wrong. */
static int sandboxed(void)
{
	static const struct {
		const char *name, *mail;
		enum source_status want;
	} asks[] = {{OPEN, "clinic.example", SOURCE_FOUND}, {"starttls", "alice@clinic.example", SOURCE_FOUND},
	    {"ldaps", "alice@clinic.example", SOURCE_FOUND}, {"ldaps://127.0.0.1:%t", "x", SOURCE_TEMP},
	    {"ldaps", "alice@clinic.example", SOURCE_FOUND}};
	const struct sandbox box = {.net = SANDBOX_NET_CLIENT, .threads = true};
	struct problem pr;
	struct source_ask a;

	if (sandbox_enter(&box, &pr) < 0)
		return 2;
	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
		a = question(url_of(asks[i].name), asks[i].mail);
		run(&a);
		if (got.status != asks[i].want)
			return 3 + (int)i;
	}
	a.timeout_ms = 1; /* cut off, or just in time */
	run(&a);
	return 0;
}

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

int main(void)
{
	Suite *s = suite_create("source_ldap");
	TCase *t = tcase_create("directories");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, setup_slapd, teardown_slapd);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(t, attributes);
	tcase_add_test(t, own_filter);
	tcase_add_loop_test(t, kept, 0, 2);
	tcase_add_test(t, references_of_own);
	tcase_add_test(t, bases_known);
	tcase_add_loop_test(t, tricked, 0, sizeof tricks / sizeof tricks[0]);
	tcase_add_test(t, cut_off);
	tcase_add_test(t, many);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, in_the_sandbox);
	suite_add_tcase(s, t);

	return suite_run(s);
}
