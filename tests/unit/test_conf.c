/* The whole configuration: what is taken, what is refused with a sentence, defaults, what spans settings. */
#include "gateway/proc/conf.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/settings.h"
#include "gateway/policy/policy.h"
#include "tests/unit/suite.h"

#define TOP "hostname = \"gw.hospital.example\"\n"
#define INSIDE                                                                                                       \
	"listener \"inside\" {\n address = \"192.0.2.10:10025\"\n side = inside\n networks = {\"192.0.2.0/24\", "    \
	"\"2001:db8::/32\"}\n}\n"
#define OUTSIDE "listener \"outside\" {\n address = \"[2001:db8::10]\"\n side = outside\n}\n"
#define DOMAIN "domain \"hospital.example\" {\n inside-server = \"192.0.2.20:25\"\n}\n"
#define LDAP_A "ldap \"a\" {\n servers = {\"ldap://a\"}\n base = \"\"\n}\n"
#define LDAP_B "ldap \"b\" {\n servers = {\"ldap://b\"}\n base = \"\"\n}\n"
#define CERTS "certificate-directory \"c\" {\n servers = {\"ldap://c\"}\n"
#define GOOD TOP INSIDE OUTSIDE DOMAIN

static struct conf *c;
static struct problem pr;

static int parse(const char *text)
{
	memset(&pr, 0, sizeof(pr));
	c = NULL;
	return conf_parse("test.conf", text, strlen(text), &c, &pr);
}

START_TEST(smallest)
{
	const struct conf_listener *l;
	const struct conf_domain *d;
	const struct conf_top *t;
	const char *name;

	ck_assert_msg(parse(GOOD) == 0, "%s", pr.text);
	t = conf_top(c);
	ck_assert_str_eq(t->hostname, "gw.hospital.example");
	ck_assert_str_eq(t->authserv_id, "");
	ck_assert_str_eq(t->relay_host, "");
	ck_assert_str_eq(t->users, "roles");
	ck_assert(t->default_treatment == POLICY_SEAL && t->default_strength == POLICY_PREFER);
	ck_assert(t->mx_port == 25 && t->nesting_max == 5 && t->open_failures_max == 5 && t->header_max == 131072);
	ck_assert(t->relay_tls == CONF_TLS_DANE && !t->subject_mark && t->foreign_encrypted == 0);
	ck_assert_uint_eq(conf_listeners(c), 2);
	l = conf_listener(c, 0, &name);
	ck_assert_str_eq(name, "inside");
	ck_assert(l->side == 0 && l->starttls && !l->tls_required && l->networks.n == 2);
	ck_assert_str_eq(l->networks.v[1], "2001:db8::/32");
	l = conf_listener(c, 1, NULL);
	ck_assert(l->side == 1 && l->networks.n == 0);
	ck_assert_uint_eq(conf_domains(c), 1);
	d = conf_domain(c, 0, &name);
	ck_assert_str_eq(name, "hospital.example");
	ck_assert_str_eq(d->inside_server, "192.0.2.20:25");
	ck_assert(d->unsigned_clear == POLICY_DELIVER && d->untrusted == POLICY_MARK && d->broken == POLICY_MARK);
	ck_assert(d->sealed_unsigned == POLICY_HOLD && d->inside_tls == CONF_TLS_MAY);
	ck_assert_int_eq(d->recipient_routes, CONF_ROUTES_REFUSE);
	conf_free(c);
}
END_TEST

/* Others write our name in lower case; it is the same name. */
START_TEST(hostname_in_capitals)
{
	ck_assert_msg(parse("hostname = \"GW.Hospital.Example.\"\n" INSIDE OUTSIDE DOMAIN) == 0, "%s", pr.text);
	ck_assert_str_eq(conf_top(c)->hostname, "gw.hospital.example");
	conf_free(c);
}
END_TEST

START_TEST(finding)
{
	ck_assert_msg(
	    parse(GOOD
		"domain \"second.example\" {\n inside-server = \"mail.second.example\"\n broken = hold\n}\n") == 0,
	    "%s", pr.text);
	ck_assert_uint_eq(conf_domains(c), 2);
	ck_assert_ptr_eq(conf_domain_find(c, "hospital.example"), conf_domain(c, 0, NULL));
	ck_assert_ptr_eq(conf_domain_find(c, "second.example"), conf_domain(c, 1, NULL));
	ck_assert_int_eq(conf_domain_find(c, "second.example")->broken, POLICY_HOLD);
	ck_assert_ptr_null(conf_domain_find(c, "third.example"));
	ck_assert_ptr_null(conf_domain_find(c, "sub.hospital.example"));
	ck_assert_ptr_null(conf_domain_find(c, ""));
	ck_assert_ptr_nonnull(conf_section(c, "queue"));
	ck_assert_ptr_nonnull(conf_section(c, "smtp-server"));
	ck_assert_ptr_nonnull(conf_section(c, "smtp-client"));
	ck_assert_ptr_nonnull(conf_section(c, "dns"));
	ck_assert_ptr_nonnull(conf_section(c, "recipients"));
	conf_free(c);
	conf_free(NULL);
}
END_TEST

static const struct {
	const char *line;
	size_t at;
	int want;
} words[] = {
    {"relay-tls = none", offsetof(struct conf_top, relay_tls), CONF_TLS_NONE},
    {"relay-tls = encrypt", offsetof(struct conf_top, relay_tls), CONF_TLS_ENCRYPT},
    {"relay-tls = verify", offsetof(struct conf_top, relay_tls), CONF_TLS_VERIFY},
    {"default-treatment = clear", offsetof(struct conf_top, default_treatment), POLICY_CLEAR},
    {"default-treatment = tls", offsetof(struct conf_top, default_treatment), POLICY_TLS},
    {"default-treatment = sign", offsetof(struct conf_top, default_treatment), POLICY_SIGN},
    {"default-strength = never", offsetof(struct conf_top, default_strength), POLICY_NEVER},
    {"default-strength = require", offsetof(struct conf_top, default_strength), POLICY_REQUIRE},
    {"foreign-encrypted = deliver", offsetof(struct conf_top, foreign_encrypted), 1},
};

/* The words stand in the order of the enums they are copied to. */
START_TEST(words_are_enums)
{
	char text[2048];

	(void)snprintf(text, sizeof(text), "%s\n" GOOD, words[_i].line);
	ck_assert_msg(parse(text) == 0, "%s", pr.text);
	ck_assert_int_eq(*(const int *)((const char *)conf_top(c) + words[_i].at), words[_i].want);
	conf_free(c);
}
END_TEST

/* Refused, and the sentence says where and what. */
static const struct {
	const char *text, *says;
} refused[] = {
    {"", "hostname"},
    {TOP, "domain"},
    {TOP INSIDE OUTSIDE, "no domain section"},
    {TOP DOMAIN, "no listener section"},
    {TOP OUTSIDE DOMAIN "listener \"in\" {\n address = \"192.0.2.1:26\"\n side = inside\n}\n", "listener \"in\""},
    {TOP OUTSIDE DOMAIN "listener \"in\" {\n address = \"192.0.2.1:26\"\n side = inside\n networks = {}\n}\n",
	"which clients may send"},
    {TOP OUTSIDE "domain \"Hospital.Example\" {\n inside-server = \"a:25\"\n}\n", "lower case"},
    {TOP OUTSIDE "domain \"hospital.example.\" {\n inside-server = \"a:25\"\n}\n", "domain"},
    {TOP OUTSIDE "domain \"hos_pital\" {\n inside-server = \"a:25\"\n}\n", "domain"},
    {TOP OUTSIDE "domain \"\" {\n inside-server = \"a:25\"\n}\n", "domain"},
    {TOP OUTSIDE "domain \"hospital.example\" {\n}\n", "inside-server"},
    {"hostname = \"gw hospital\"\n" OUTSIDE DOMAIN, "test.conf:1:"},
    {"hostname = \"\"\n" OUTSIDE DOMAIN, "test.conf:1:"},
    {GOOD "authserv-id = \"a b\"\n", "authserv-id"},
    {GOOD "authserv-id = \"a;b\"\n", "authserv-id"},
    {GOOD "data-directory = \"var\"\n", "begins with /"},
    {GOOD "tls-ca-file = \"ca.pem\"\n", "begins with /"},
    {GOOD "postmaster = \"postmaster\"\n", "postmaster"},
    {GOOD "postmaster = \"a@b@c\"\n", "postmaster"},
    {GOOD "users = \"uid:0\"\n", "uid:N"},
    {GOOD "users = \"uid:5x\"\n", "uid:N"},
    {GOOD "users = \"uid:\"\n", "uid:N"},
    {GOOD "users = \"uid:+5\"\n", "uid:N"},
    {GOOD "users = \"uid: 5\"\n", "uid:N"},
    {GOOD "users = \"uid:4294967290\"\n", "uid:N"}, /* plus the number of a role: root */
    {GOOD "users = \"uid:4294967301\"\n", "uid:N"},
    {GOOD "users = \"root\"\n", "uid:N"},
    {GOOD "format {\n default = \"cipher=rc2\"\n}\n", "cipher cannot be \"rc2\""},
    {GOOD "format {\n default = \"triple\"\n}\n", "\"triple\" is none"},
    {GOOD "format {\n default = \"cipher=aes-128-gcm\"\n cipher-bits-min = 192\n}\n",
	"default is written with aes-128-gcm, which cipher-bits-min = 192 forbids"},
    {GOOD "format {\n cipher-bits-min = 64\n}\n", "cipher-bits-min"},
    {GOOD "format {\n rsa-bits-min = 1024\n}\n", "rsa-bits-min"},
    {GOOD "mx-port = 0\n", "mx-port"},
    {GOOD "mx-port = 65536\n", "mx-port"},
    {GOOD "nesting-max = 21\n", "nesting-max"},
    {GOOD "header-max = 4095\n", "header-max"},
    {GOOD "default-treatment = sealed\n", "default-treatment"},
    {GOOD "relay-host = \"host:0\"\n", "port"},
    {GOOD "relay-host = \":25\"\n", "relay-host"},
    {GOOD "no-such-setting = 1\n", "no-such-setting"},
    {GOOD "listener \"x\" {\n address = \"mail.example:25\"\n side = outside\n}\n", "numeric"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:70000\"\n side = outside\n}\n", "65535"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n}\n", "side"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = both\n}\n", "side"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = inside\n networks = {\"192.0.2.0/33\"}\n}\n",
	"networks"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = inside\n networks = {\"2001:db8::/129\"}\n}\n",
	"networks"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = inside\n networks = {\"inside.example\"}\n}\n",
	"networks"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = inside\n networks = {\"192.0.2.0/\"}\n}\n",
	"networks"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = inside\n networks = {\"192.0.2.0/2 4\"}\n}\n",
	"networks"},
    {GOOD "listener \"x\" {\n address = \"192.0.2.1:25\"\n side = inside\n networks = {\"0.0.0.0/4294967296\"}\n}\n",
	"networks"},
    {TOP INSIDE "domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = map\n}\n", "needs recipient-map"},
    {TOP INSIDE "domain \"a.example\" {\n inside-server = \"a:25\"\n recipient-map = \"map\"\n}\n", "begins with /"},
    {TOP INSIDE "domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = ldap\n}\n", "needs recipient-ldap"},
    {GOOD CERTS " bind-dn = \"cn=x\"\n}\n", "certificate-directory \"c\": bind-dn needs password-file"},
    {GOOD CERTS " filter = \"(mail=x)\"\n}\n", "a filter with %s"},
    {GOOD CERTS " attributes = {\"a b\"}\n}\n", "the name of an attribute"},
    {GOOD "certificate-directory \"c\" {\n servers = {\"http://c\"}\n}\n",
	"allowed is an LDAP server such as ldap://host"},
    {GOOD "certificate-directory \"c\" {\n servers = {}\n}\n", "setting \"servers\" is missing"},
    {GOOD CERTS "}\nfind {\n directories = {\"c\", \"d\"}\n}\n",
	"find: directories: there is no section certificate-directory \"d\""},
    {TOP INSIDE LDAP_A LDAP_B "domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = ldap\n}\n",
	"needs recipient-ldap"},
    {TOP INSIDE LDAP_A
	"domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = ldap\n recipient-ldap = b\n}\n",
	"needs recipient-ldap"},
    {TOP INSIDE "domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = some\n}\n",
	"call-ahead, any, map or ldap"},
    {TOP INSIDE "domain \"a.example\" {\n inside-server = \"a:25\"\n recipient-delimiter = \"@\"\n}\n",
	"recipient-delimiter"},
    {GOOD "certificate-directory \"c\" {\n}\n",
	"\"servers\" is missing in section \"certificate-directory\": allowed is one or"},
    {GOOD "find {\n tiers = {aaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n}\n", "store, smimea, smg, cert, ldap or http"},
    {GOOD "find {\n found-least = 1d\n found-most = 1s\n}\n",
	"found-least (86400000 ms) must be at most found-most (1000 ms): the least time cannot be longer than the "
	"most; set found-least to 1000 ms or less, or found-most to 86400000 ms or more"},
    {GOOD "find {\n found-least = 0s\n}\n", "found-least"},
    {GOOD "find {\n none-most = 1s\n}\n", "none-least (60000 ms) must be at most none-most"},
    {GOOD "find {\n timeout = 5s\n}\n",
	"place-timeout (5000 ms) must be less than timeout (5000 ms): else a server's silence is not known yet when "
	"the "
	"client is answered; set place-timeout to 4999 ms or less, or timeout to 5001 ms or more"},
    {GOOD "find {\n admin-timeout = 1s\n}\n", "place-timeout (5000 ms) must be less than admin-timeout"},
    {GOOD "find {\n answer-max = 4M\n kept-octets = 1M\n}\n", "answer-max (4194304 octets) must be less than"},
    {GOOD "find {\n kept-octets = 8M\n}\n",
	"trust: revocation-list-max (12582912 octets) must be less than find, kept-octets"},
    {GOOD "trust {\n revocation-again = 1h\n revocation-keep = 10m\n}\n",
	"trust: revocation-again (3600000 ms) must be at most revocation-keep (600000 ms)"},
    {GOOD "sources {\n http-connections = 2\n}\n", "http-per-host (4) must be at most http-connections (2)"},
    {GOOD "sources {\n http-waiting = 10\n}\n", "http-waiting-per-host (50)"},
    {GOOD "sources {\n ldap-per-server = 32\n}\n", "ldap-per-server (32) must be at most ldap-connections (8)"},
    {GOOD "sources {\n ldap-waiting = 10\n}\n", "ldap-waiting-per-server (50)"},
    {GOOD "ldap \"a\" {\n servers = {\"x\"}\n base = \"\"\n}\n", "allowed is an LDAP server such as ldap://host"},
    {GOOD "ldap \"a\" {\n base = \"dc=x\"\n}\n", "servers"},
    {GOOD "ldap \"a\" {\n servers = {\"ldap://a\"}\n base = \"\"\n filter = \"(mail=x)\"\n}\n", "(the address)"},
    {GOOD "ldap \"a\" {\n servers = {\"ldap://1\", \"ldap://2\", \"ldap://3\", \"ldap://4\", \"ldap://5\", "
	  "\"ldap://6\", "
	  "\"ldap://7\", \"ldap://8\", \"ldap://9\"}\n base = \"\"\n}\n",
	"more than 8 servers"},
};

/* Who knows the recipients: the defaults, and the one directory that needs no naming. */
START_TEST(recipients)
{
	const struct conf_domain *d;

	ck_assert_msg(parse(GOOD) == 0, "%s", pr.text);
	d = conf_domain(c, 0, NULL);
	ck_assert(d->recipients == CONF_RCPTS_CALL_AHEAD && d->recipient_unsure == CONF_UNSURE_DEFER);
	ck_assert_str_eq(d->recipient_delimiter, "+");
	conf_free(c);
	ck_assert_msg(
	    parse(TOP INSIDE LDAP_A "domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = ldap\n "
				    "recipient-unsure = accept\n}\n") == 0,
	    "%s", pr.text);
	d = conf_domain(c, 0, NULL);
	ck_assert(d->recipients == CONF_RCPTS_LDAP && d->recipient_unsure == CONF_UNSURE_ACCEPT);
	ck_assert_str_eq(d->recipient_ldap, "a");
	conf_free(c);
	ck_assert_msg(
	    parse(TOP INSIDE LDAP_A LDAP_B "domain \"a.example\" {\n inside-server = \"a:25\"\n recipients = "
					   "ldap\n recipient-ldap = b\n}\n") == 0,
	    "%s", pr.text);
	ck_assert_uint_eq(conf_directories(c), 2);
	conf_free(c);
}
END_TEST

START_TEST(refusals)
{
	ck_assert_msg(parse(refused[_i].text) == -1, "taken: %s", refused[_i].text);
	ck_assert_ptr_null(c);
	ck_assert_msg(strncmp(pr.text, "test.conf:", 10) == 0, "%s", pr.text);
	ck_assert_msg(
	    strstr(pr.text, refused[_i].says) != NULL, "\"%s\" does not say \"%s\"", pr.text, refused[_i].says);
}
END_TEST

static const struct {
	const char *text;
	const char *host; /* NULL: refused */
	unsigned port;
	int family; /* of the numeric form; 0: refused there */
} hostports[] = {
    {"192.0.2.1:25", "192.0.2.1", 25, AF_INET},
    {"192.0.2.1", "192.0.2.1", 587, AF_INET},
    {"192.0.2.1:65535", "192.0.2.1", 65535, AF_INET},
    {"[2001:db8::1]:25", "2001:db8::1", 25, AF_INET6},
    {"[2001:db8::1]", "2001:db8::1", 587, AF_INET6},
    {"[192.0.2.1]:26", "192.0.2.1", 26, AF_INET},
    {"mail.example:1", "mail.example", 1, 0},
    {"mail.example", "mail.example", 587, 0},
    {"192.0.2:25", "192.0.2", 25, 0},
    {"", NULL, 0, 0},
    {":25", NULL, 0, 0},
    {"[]:25", NULL, 0, 0},
    {"[2001:db8::1", NULL, 0, 0},
    {"[2001:db8::1]25", NULL, 0, 0},
    {"[2001:db8::1]:", NULL, 0, 0},
    {"2001:db8::1", NULL, 0, 0},
    {"mail.example:", NULL, 0, 0},
    {"mail.example:0", NULL, 0, 0},
    {"mail.example:65536", NULL, 0, 0},
    {"mail.example:4294967321", NULL, 0, 0},
    {"mail.example:99999999999999999999", NULL, 0, 0},
    {"mail.example:+25", NULL, 0, 0},
    {"mail.example:-1", NULL, 0, 0},
    {"mail.example:25x", NULL, 0, 0},
    {"mail.example: 25", NULL, 0, 0},
    {"mail.example:25:26", NULL, 0, 0},
};

START_TEST(hostport)
{
	struct sockaddr_storage ss;
	char host[256];
	unsigned port = 0;
	int rc = conf_hostport(hostports[_i].text, 587, host, NULL, &port, &pr);

	ck_assert_int_eq(rc, hostports[_i].host ? 0 : -1);
	if (rc == 0) {
		ck_assert_str_eq(host, hostports[_i].host);
		ck_assert_uint_eq(port, hostports[_i].port);
	}
	ck_assert_int_eq(
	    conf_hostport(hostports[_i].text, 587, host, &ss, &port, NULL), hostports[_i].family ? 0 : -1);
	if (hostports[_i].family) {
		ck_assert_int_eq(ss.ss_family, hostports[_i].family);
		ck_assert_uint_eq(hostports[_i].family == AF_INET ? ntohs(((struct sockaddr_in *)&ss)->sin_port)
								  : ntohs(((struct sockaddr_in6 *)&ss)->sin6_port),
		    hostports[_i].port);
	}
}
END_TEST

START_TEST(long_host)
{
	char text[400], host[256];
	unsigned port;

	for (size_t n = 250; n < 260; n++) {
		memset(text, 'a', n);
		(void)snprintf(text + n, sizeof(text) - n, ":25");
		ck_assert_int_eq(conf_hostport(text, 1, host, NULL, &port, &pr), n <= 255 ? 0 : -1);
		if (n <= 255)
			ck_assert_uint_eq(strlen(host), n);
	}
}
END_TEST

/* Every setting has its sentence, and the examples people copy are taken. */
START_TEST(help)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(conf_help(&b), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "open-failures-max"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "sealed-unsigned"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "tls-required"));
	buf_clear(&b);
}
END_TEST

START_TEST(cut_anywhere)
{
	static const char text[] = GOOD;

	for (size_t n = 0; n < sizeof(text); n++) {
		char *p = malloc(n ? n : 1);

		memcpy(p, text, n);
		memset(&pr, 0, sizeof(pr));
		c = NULL;
		if (conf_parse("test.conf", p, n, &c, &pr) == 0)
			ck_assert_uint_ge(n, sizeof(text) - 3);
		else
			ck_assert_msg(pr.text[0] != '\0', "no sentence at %zu", n);
		conf_free(c);
		free(p);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conf");
	TCase *t = tcase_create("conf");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, smallest);
	tcase_add_test(t, hostname_in_capitals);
	tcase_add_test(t, finding);
	tcase_add_test(t, recipients);
	tcase_add_loop_test(t, words_are_enums, 0, (int)(sizeof(words) / sizeof(words[0])));
	tcase_add_loop_test(t, refusals, 0, (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_loop_test(t, hostport, 0, (int)(sizeof(hostports) / sizeof(hostports[0])));
	tcase_add_test(t, long_host);
	tcase_add_test(t, help);
	tcase_add_test(t, cut_anywhere);
	suite_add_tcase(s, t);
	return suite_run(s);
}
