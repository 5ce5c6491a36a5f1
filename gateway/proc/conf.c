#include "gateway/proc/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/find_settings.h"
#include "certstore/format.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/network.h"
#include "gateway/base/settings_help.h"
#include "gateway/base/settings_show.h"
#include "gateway/mail/address.h"
#include "gateway/pipeline/job_proto.h"
#include "gateway/proc/conf_limits.h"
#include "gateway/proc/format_settings.h"
#include "gateway/proc/relay_rcpts_settings.h"
#include "gateway/proc/partner_statement_settings.h"
#include "gateway/proc/public_settings.h"
#include "gateway/proc/statement_settings.h"
#include "gateway/proc/trust_settings.h"
#include "gateway/proc/web_settings.h"
#include "gateway/proc/alert_settings.h"
#include "gateway/queue/history_settings.h"
#include "gateway/queue/queue_settings.h"
#include "gateway/scout/dns_settings.h"
#include "gateway/scout/source_settings.h"
#include "gateway/scout/sts_settings.h"
#include "gateway/smtp/smtpc_settings.h"
#include "gateway/smtp/smtpd_settings.h"
#include "ldap/ldap_cert.h"
#include "ldap/ldap_cert_settings.h"
#include "ldap/ldap_find.h"
#include "ldap/ldap_settings.h"

struct conf {
	struct settings *s;
};

static const char *const tls_words[] = {"none", "may", "encrypt", "verify", "dane", "dane-only", NULL};
static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};
static const char *const treatment_words[] = {"clear", "tls", "sign", "seal", NULL};
static const char *const strength_words[] = {"never", "prefer", "require", NULL};
static const char *const client_certs_words[] = {"none", "ask", "require", NULL};
static const char *const side_words[] = {"inside", "outside", NULL};
static const char *const action_words[] = {"deliver", "mark", "hold", NULL};
static const char *const rcpts_words[] = {"call-ahead", "any", "map", "ldap", NULL};
static const char *const revocation_words[] = {"soft", "hard", "off", NULL}; /* as enum revoke_mode */
static const char *const unsure_words[] = {"defer", "accept", NULL};
static const char *const routes_words[] = {"refuse", "accept", NULL};
static const char *const tls_no_words[] = {"ignore", "honour", NULL};
static const char *const dsn_words[] = {"deliver", "mark", "hold", "refuse", NULL};
static const char *const foreign_words[] = {"refuse", "deliver", NULL};

static int check_host(const char *v, struct problem *pr)
{
	char out[ADDRESS_DOMAIN_MAX + 1];

	if (address_domain(v, strlen(v), out, NULL) != 0)
		return problem_perm(pr, "a full host name such as gw.hospital.example");
	return 0;
}

static int check_hostport(const char *v, struct problem *pr)
{
	char host[256];
	unsigned port;

	if (v[0] == '\0')
		return 0;
	return conf_hostport(v, 25, host, NULL, &port, pr);
}

static int check_listen(const char *v, struct problem *pr)
{
	char host[256];
	unsigned port;
	struct sockaddr_storage ss;

	return conf_hostport(v, 25, host, &ss, &port, pr);
}

/* It stands unquoted in a header field and is compared there (RFC 8601 2.2, 2.5). */
static int check_authserv(const char *v, struct problem *pr)
{
	if (v[0] != '\0' && check_host(v, NULL) != 0)
		return problem_perm(pr, "empty, or a name in the form of a host name such as gw.hospital.example");
	return 0;
}

static int check_postmaster(const char *v, struct problem *pr)
{
	struct address a;

	if (v[0] != '\0' && (address_parse(v, strlen(v), &a, NULL) != 0 || a.domain[0] == '\0'))
		return problem_perm(pr, "empty, or an address such as postmaster@hospital.example");
	return 0;
}

/* Relative to what would depend on who started us. */
static int check_path(const char *v, struct problem *pr)
{
	if (v[0] != '\0' && v[0] != '/')
		return problem_perm(pr, "a path that begins with /");
	return 0;
}

bool conf_users_base(const char *v, unsigned *base_r)
{
	unsigned long n;
	char *end;

	if (strncmp(v, "uid:", 4) != 0 || !isdigit((unsigned char)v[4])) /* strtoul would take a blank or a sign */
		return false;
	n = strtoul(v + 4, &end, 10);
	if (*end != '\0' || n == 0 || n > CONF_USERS_BASE_MAX)
		return false;
	*base_r = (unsigned)n;
	return true;
}

static int check_users(const char *v, struct problem *pr)
{
	unsigned base;

	if (strcmp(v, "roles") == 0 || strcmp(v, "same") == 0 || conf_users_base(v, &base))
		return 0;
	return problem_perm(pr, "roles, same, or uid:N with N from 1 to %u", CONF_USERS_BASE_MAX);
}

static int check_delimiter(const char *v, struct problem *pr)
{
	if (strspn(v, "!#$%&'*+-/=?^_`{|}~.") != strlen(v))
		return problem_perm(
		    pr, "up to 4 characters that a local part may have without quotes, such as + or -");
	return 0;
}

static int check_network(const char *v, struct problem *pr)
{
	if (network_ok(v))
		return 0;
	return problem_perm(pr, "an address or network such as 192.0.2.0/24 or 2001:db8::/32");
}

#define AT(f) offsetof(struct conf_top, f)
static const struct setting top_rows[] = {
    {"hostname", SETTING_STR, AT(hostname), NULL, 0, 255, NULL, "Our name in greeting, EHLO and Received.",
	check_host},
    {"authserv-id", SETTING_STR, AT(authserv_id), "", 0, 255, NULL,
	"Name in Authentication-Results (RFC 8601); empty: hostname.", check_authserv},
    {"data-directory", SETTING_STR, AT(data_directory), "/var/lib/postern", 0, 200, NULL,
	"Where keys/, store/ and queue/ lie.", check_path},
    {"control-socket", SETTING_STR, AT(control_socket), "/run/postern/postern.sock", 0, 100, NULL,
	"Where the command `postern` reaches the gateway.", check_path},
    {"control-group", SETTING_STR, AT(control_group), "", 0, 64, NULL,
	"Group that may use the control socket; empty: only the owner.", NULL},
    {"passphrase-file", SETTING_STR, AT(passphrase_file), "", 0, 200, NULL,
	"File with the passphrase that unseals the keys; empty: the systemd credential postern-passphrase.",
	check_path},
    {"users", SETTING_STR, AT(users), "roles", 0, 20, NULL,
	"Started as root: each role's user. roles = postern-<role>; uid:N = N plus the number of the role; same = "
	"stay.",
	check_users},
    {"sealers", SETTING_INT, AT(sealers), "0", 0, 64, NULL, "Processes that sign, encrypt and open; 0: one per core.",
	NULL},
    {"restart-pause", SETTING_DURATION, AT(restart_pause), "10s", 50, 3600000, NULL,
	"How long a process that died five times within a minute waits before it is started again.", NULL},
    {"log-level", SETTING_ENUM, AT(log_level), "info", 0, 0, level_words, "Least important lines that are logged.",
	NULL},
    {"relay-host", SETTING_STR, AT(relay_host), "", 0, 255, NULL,
	"Outbound next hop host:port; empty: MX of the recipient's domain.", check_hostport},
    {"relay-tls", SETTING_ENUM, AT(relay_tls), "dane", 0, 0, tls_words,
	"TLS to the outbound next hop: none; may (where offered); encrypt (any certificate); verify (name and CA); "
	"dane (as the host's TLSA records demand, else may); dane-only (no host without TLSA records).",
	NULL},
    {"tls-required-no", SETTING_ENUM, AT(tls_required_no), "ignore", 0, 0, tls_no_words,
	"Outgoing mail whose author wrote \"TLS-Required: No\" (RFC 8689) into its header: ignore (DANE and MTA-STS "
	"hold for it "
	"as for all), honour (it goes without them, with TLS only where that works).",
	NULL},
    {"tls-ca-file", SETTING_STR, AT(tls_ca_file), "/etc/ssl/certs/ca-certificates.crt", 0, 200, NULL,
	"CAs for relay-tls and inside-tls = verify.", check_path},
    {"default-treatment", SETTING_ENUM, AT(default_treatment), "seal", 0, 0, treatment_words,
	"What unlisted domains get: clear, tls, sign, seal.", NULL},
    {"default-strength", SETTING_ENUM, AT(default_strength), "prefer", 0, 0, strength_words,
	"How strictly: never, prefer, require.", NULL},
    {"mx-port", SETTING_INT, AT(mx_port), "25", 1, 65535, NULL,
	"Port of the hosts found by MX (other than 25 only for tests).", NULL},
    {"sessions-max", SETTING_INT, AT(sessions_max), "10000", 1, 1000000, NULL,
	"Open sessions on each side, inside and outside; above it 421.", NULL},
    {"sessions-per-client", SETTING_INT, AT(sessions_per_client), "100", 1, 1000000, NULL,
	"Open sessions of one client address.", NULL},
    {"header-max", SETTING_SIZE, AT(header_max), "128k", 4096, 4 * 1024 * 1024, NULL,
	"Octets of a message's header block.", NULL},
    {"nesting-max", SETTING_INT, AT(nesting_max), "5", 1, 20, NULL,
	"S/MIME layers around each other that are opened.", NULL},
    {"open-failures-max", SETTING_INT, AT(open_failures_max), "5", 1, 1000000, NULL,
	"Messages an hour of one client, or with one encrypted key, that may fail to open; more are held unopened.",
	NULL},
    {"crashes-max", SETTING_INT, AT(crashes_max), "3", 1, 1000, NULL,
	"How often within an hour a sealing process may die over one message before it is refused with 554.", NULL},
    {"keeper-timeout", SETTING_DURATION, AT(keeper_timeout), "30s", 0, 3600000, NULL,
	"How long the process with the private keys may answer nothing before it is ended and started again; 0 for "
	"never.",
	NULL},
    {"mixed-policies", SETTING_BOOL, AT(mixed_policies), "no", 0, 0, NULL,
	"Take recipients of different policies in one transaction from inside. Otherwise those of another policy "
	"than "
	"the first get 452 4.5.3 and are sent again by themselves, so that what the content means for one of them "
	"(a refusal, a delay) is not said of all.",
	NULL},
    {"subject-mark", SETTING_BOOL, AT(subject_mark), "no", 0, 0, NULL,
	"Put \"[not verified]\" in front of the Subject of marked mail.", NULL},
    {"foreign-encrypted", SETTING_ENUM, AT(foreign_encrypted), "refuse", 0, 0, foreign_words,
	"Mail encrypted for none of our certificates: refuse or deliver as it came.", NULL},
    {"dsn-unmatched", SETTING_ENUM, AT(dsn_unmatched), "mark", 0, 0, dsn_words,
	"Delivery reports from outside about nothing that is known to have been sent from here: deliver, mark, hold "
	"or refuse. With refuse, whoever knows a Message-ID learns from the answer whether that sender sent it to "
	"that recipient.",
	NULL},
    {"encrypted-part", SETTING_ENUM, AT(encrypted_part), "refuse", 0, 0, dsn_words,
	"Mail with an encrypted part beside others (a multipart around application/pkcs7-mime), which is never "
	"opened here: deliver, mark, hold or refuse. A mail program inside that has a key would put what it decrypts "
	"among the parts around it, which may carry it off. Found inside an encryption, refuse holds.",
	NULL},
    {"broken-promise", SETTING_ENUM, AT(broken_promise), "mark", 0, 0, dsn_words,
	"Mail of a domain whose trusted statement (XSMG) promises that all its mail is signed, or encrypted, and "
	"that "
	"is not so: deliver, mark, hold or refuse. Its verdict is fail. Lists and services that send in a domain's "
	"name are why marking is the default. What came encrypted is held where it would be refused.",
	NULL},
    {"dsn-rate", SETTING_INT, AT(dsn_rate), "20", 1, 100000, NULL,
	"Delivery reports of one client outside that are matched within a second, and five times that of all; more "
	"get 451 and come again.",
	NULL},
    {"xsmg", SETTING_BOOL, AT(xsmg), "yes", 0, 0, NULL,
	"Exchange statements with the gateways of other domains (XSMG): offered outside inside TLS, and asked of "
	"hosts "
	"that offer it.",
	NULL},
    {"postmaster", SETTING_STR, AT(postmaster), "", 0, 320, NULL,
	"From address of notices; empty: postmaster@hostname.", check_postmaster},
};
#undef AT
#define AT(f) offsetof(struct conf_listener, f)
static const struct setting listener_rows[] = {
    {"address", SETTING_STR, AT(address), NULL, 0, 80, NULL, "Address and port, 192.0.2.1:25 or [2001:db8::1]:25.",
	check_listen},
    {"side", SETTING_ENUM, AT(side), NULL, 0, 0, side_words,
	"inside: our mail servers, may send anywhere; outside: the world, only to our domains.", NULL},
    {"networks", SETTING_LIST, AT(networks), "", 0, 0, NULL, "inside: clients that may connect.", check_network},
    {"starttls", SETTING_BOOL, AT(starttls), "yes", 0, 0, NULL,
	"Offer STARTTLS once there is a TLS certificate (postern domain tls).", NULL},
    {"tls-required", SETTING_BOOL, AT(tls_required), "no", 0, 0, NULL, "Refuse MAIL before STARTTLS.", NULL},
    {"client-certificates", SETTING_ENUM, AT(client_certificates), "ask", 0, 0, client_certs_words,
	"inside, under TLS: none; ask (the client's certificate stands in Received and the log); require (one of "
	"client-ca-file, and TLS before MAIL). Outside listeners never ask.",
	NULL},
    {"client-ca-file", SETTING_STR, AT(client_ca_file), "", 0, 200, NULL, "CAs of client-certificates = require.",
	check_path},
    {"proxy-from", SETTING_LIST, AT(proxy_from), "", 0, 0, NULL,
	"Balancers: their connections must begin with a PROXY header, version 2, which names the client.",
	check_network},
    {"unlimited", SETTING_LIST, AT(unlimited), "127.0.0.0/8, ::1", 0, 0, NULL,
	"outside: clients for whom the client-...-rate settings of smtp-server do not hold.", check_network},
};
#undef AT
#define AT(f) offsetof(struct conf_domain, f)
static const struct setting domain_rows[] = {
    {"inside-server", SETTING_STR, AT(inside_server), NULL, 0, 255, NULL,
	"Where mail for this domain is delivered, host:port.", check_hostport},
    {"inside-tls", SETTING_ENUM, AT(inside_tls), "may", 0, 0, tls_words,
	"TLS to the inside server; the words of relay-tls.", NULL},
    {"unsigned", SETTING_ENUM, AT(unsigned_clear), "deliver", 0, 0, action_words, "Neither signed nor encrypted.",
	NULL},
    {"untrusted", SETTING_ENUM, AT(untrusted), "mark", 0, 0, action_words,
	"Not encrypted, valid signature of somebody not trusted.", NULL},
    {"broken", SETTING_ENUM, AT(broken), "mark", 0, 0, action_words, "Not encrypted, signature not valid.", NULL},
    {"sealed-unsigned", SETTING_ENUM, AT(sealed_unsigned), "hold", 0, 0, action_words,
	"Encrypted without a valid, trusted signature.", NULL},
    {"revocation", SETTING_ENUM, AT(revocation), "soft", 0, 0, revocation_words,
	"When it cannot be learned whether a partner's certificate was revoked (the list or the responder does not "
	"answer): soft (it counts, and the log says so), hard (outgoing mail is tried again later, incoming mail "
	"waits), off (nobody is asked). What is known to be revoked is never used.",
	NULL},
    {"recipients", SETTING_ENUM, AT(recipients), "call-ahead", 0, 0, rcpts_words,
	"Who knows which recipients exist: call-ahead (the inside server is asked by RCPT), map (recipient-map), "
	"ldap "
	"(recipient-ldap), any (nobody: all are taken). Others are refused with 550 5.1.1; postmaster is always "
	"taken.",
	NULL},
    {"recipient-map", SETTING_STR, AT(recipient_map), "", 0, 200, NULL,
	"File of the recipients for recipients = map: an address, a local part, @domain or a wildcard such as shop-* "
	"a line, ! in front of what is refused. Read at start and on SIGHUP.",
	check_path},
    {"recipient-ldap", SETTING_STR, AT(recipient_ldap), "", 0, 64, NULL,
	"Title of the section ldap that is asked for recipients = ldap; empty: the only one.", NULL},
    {"recipient-delimiter", SETTING_STR, AT(recipient_delimiter), "+", 0, 4, NULL,
	"Characters that begin a tag: with +, user+tag is there when user is (map and ldap; by call-ahead the inside "
	"server decides). Empty: no tags.",
	check_delimiter},
    {"recipient-unsure", SETTING_ENUM, AT(recipient_unsure), "defer", 0, 0, unsure_words,
	"A recipient that cannot be asked for now and was not known before: defer (451, the sender's server tries "
	"again) or accept (one that does not exist is then held).",
	NULL},
    {"recipient-routes", SETTING_ENUM, AT(recipient_routes), "refuse", 0, 0, routes_words,
	"Recipients from outside with %, ! or @ in front of their @ (user%other.example@ours): refuse (550 5.7.1) or "
	"accept. An inside server that trusts the gateway may read them as routes and send such mail on to anywhere: "
	"accept only where it does not.",
	NULL},
};
#undef AT

#define ROWS(r) (r), sizeof(r) / sizeof((r)[0])
enum { OWN = 3, SECTIONS = 21 };

/* Filled once; the settings keep pointing at it. */
static const struct settings_section *sections(void)
{
	static struct settings_section s[SECTIONS];
	const struct settings_section own[OWN] = {
	    {"", ROWS(top_rows), sizeof(struct conf_top), false},
	    {"listener", ROWS(listener_rows), sizeof(struct conf_listener), true},
	    {"domain", ROWS(domain_rows), sizeof(struct conf_domain), true},
	};

	memcpy(s, own, sizeof(own));
	s[3] = queue_settings_section;
	s[4] = smtpd_settings_section;
	s[5] = smtpc_settings_section;
	s[6] = dns_settings_section;
	s[7] = sts_settings_section;
	s[8] = relay_rcpts_settings_section;
	s[9] = format_settings_section;
	s[10] = ldap_settings_section;
	s[11] = source_settings_section;
	s[12] = ldap_cert_settings_section;
	s[13] = find_settings_section;
	s[14] = trust_settings_section;
	s[15] = statement_settings_section;
	s[16] = partner_statement_settings_section;
	s[17] = public_settings_section;
	s[18] = history_settings_section;
	s[19] = web_settings_section;
	s[20] = alert_settings_section;
	return s;
}

/* Where its recipients are known must be said, too. */
static int check_recipients(
    const struct conf *c, const char *file, const char *name, struct conf_domain *d, struct problem *pr)
{
	const char *title;
	size_t n = settings_count(c->s, "ldap");

	for (size_t i = 0; i < n; i++) {
		const struct ldap_settings *l = conf_directory(c, i, &title);

		if (l->servers.n > LDAP_FIND_SERVERS_MAX)
			return problem_perm(
			    pr, "%s: ldap \"%s\": more than %d servers", file, title, LDAP_FIND_SERVERS_MAX);
		/* RFC 4513 5.1.2: a name without a password is an anonymous bind that looks like another one */
		if (l->bind_dn[0] != '\0' && l->password_file[0] == '\0')
			return problem_perm(pr, "%s: ldap \"%s\": bind-dn needs password-file", file, title);
	}

	if (d->recipients == CONF_RCPTS_MAP && d->recipient_map[0] == '\0')
		return problem_perm(
		    pr, "%s: domain \"%s\": recipients = map needs recipient-map: which file?", file, name);
	if (d->recipients != CONF_RCPTS_LDAP)
		return 0;
	if (d->recipient_ldap[0] == '\0' && n == 1) {
		settings_at(c->s, "ldap", 0, &title);
		d->recipient_ldap = (char *)(uintptr_t)title; /* lives as long as the settings */
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		settings_at(c->s, "ldap", i, &title);
		if (strcmp(title, d->recipient_ldap) == 0)
			return 0;
	}
	return problem_perm(
	    pr, "%s: domain \"%s\": recipients = ldap needs recipient-ldap, the title of a section ldap", file, name);
}

static int check_directories(const struct conf *c, const char *file, struct problem *pr)
{
	const char *title;

	for (size_t i = 0; i < conf_cert_directories(c); i++) {
		const struct ldap_settings *l = &conf_cert_directory(c, i, &title)->ldap;

		if (strlen(title) >= sizeof(((struct source_ask *)0)->directory))
			return problem_perm(pr,
			    "%s: certificate-directory \"%.60s...\": the title is longer than 127 octets", file,
			    title);
		if (l->servers.n == 0 || l->servers.n > LDAP_CERT_SERVERS_MAX)
			return problem_perm(pr, "%s: certificate-directory \"%s\": 1 to %d servers are allowed", file,
			    title, LDAP_CERT_SERVERS_MAX);
		/* RFC 4513 5.1.2, as above */
		if (l->bind_dn[0] != '\0' && l->password_file[0] == '\0')
			return problem_perm(
			    pr, "%s: certificate-directory \"%s\": bind-dn needs password-file", file, title);
	}
	return 0;
}

/* Those that section find names must be there. */
static int check_found(const struct conf *c, const char *file, struct problem *pr)
{
	const struct find_settings *f = conf_section(c, "find");
	const char *title;

	for (size_t i = 0; i < f->directories.n; i++) {
		size_t k = 0;

		while (k < conf_cert_directories(c) && conf_cert_directory(c, k, &title) != NULL &&
		       strcmp(title, f->directories.v[i]) != 0)
			k++;
		if (k == conf_cert_directories(c))
			return problem_perm(pr,
			    "%s: find: directories: there is no section certificate-directory \"%s\"", file,
			    f->directories.v[i]);
	}
	return 0;
}

static int check_client_certificates(
    const struct conf_listener *l, const char *file, const char *name, struct problem *pr)
{
	if (l->client_certificates != CONF_CLIENT_CERTS_REQUIRE)
		return 0;
	if (l->side != 0)
		return problem_perm(
		    pr, "%s: listener \"%s\": client-certificates = require is for side = inside", file, name);
	if (l->client_ca_file[0] == '\0' || !l->starttls)
		return problem_perm(pr,
		    "%s: listener \"%s\": client-certificates = require needs client-ca-file and starttls = yes",
		    file, name);
	return 0;
}

static int check_floor(const struct format_settings *s, const char *file, struct problem *pr)
{
	struct format f = format_default();
	unsigned given;

	if (format_read(s->dflt, &f, &given, pr) != 0)
		return -1;
	if (format_cipher_bits(f.cipher) >= s->cipher_bits_min)
		return 0;
	return problem_perm(pr, "%s: format: default is written with %s, which cipher-bits-min = %d forbids", file,
	    format_cipher_word(f.cipher), (int)s->cipher_bits_min);
}

/* One text of them all travels with each job. */
static int check_hide(const struct format_settings *s, const char *file, struct problem *pr)
{
	size_t n = 0;

	for (size_t i = 0; i < s->hide.n; i++)
		n += strlen(s->hide.v[i]) + 1;
	if (n <= JOB_HIDE_MAX)
		return 0;
	return problem_perm(pr, "%s: format: hide names fields of more than %d octets together", file, JOB_HIDE_MAX);
}

static int cross_check(struct conf *c, const char *file, struct problem *pr)
{
	struct find_options find;
	const char *name;

	if (check_floor(conf_section(c, "format"), file, pr) != 0 ||
	    check_hide(conf_section(c, "format"), file, pr) != 0)
		return -1;
	if (find_settings_options(conf_section(c, "find"), &find, pr) != 0)
		return problem_prefix(pr, "%s: ", file);

	if (check_directories(c, file, pr) != 0 || check_found(c, file, pr) != 0 ||
	    conf_limits_check(c, file, pr) != 0)
		return -1;
	if (conf_domains(c) == 0)
		return problem_perm(pr, "%s: there is no domain section: which mail domains are ours?", file);
	if (conf_listeners(c) == 0)
		return problem_perm(
		    pr, "%s: there is no listener section: at least one inside and one outside are needed", file);
	for (size_t i = 0; i < conf_listeners(c); i++) {
		const struct conf_listener *l = conf_listener(c, i, &name);

		if (l->side == 0 && l->networks.n == 0)
			return problem_perm(pr,
			    "%s: listener \"%s\": side = inside needs networks: which clients may send?", file, name);
		if (check_client_certificates(l, file, name, pr) != 0)
			return -1;
	}
	for (size_t i = 0; i < conf_domains(c); i++) {
		char norm[ADDRESS_DOMAIN_MAX + 1];

		conf_domain(c, i, &name);
		if (address_domain(name, strlen(name), norm, NULL) != 0 || strcmp(norm, name) != 0)
			return problem_perm(
			    pr, "%s: domain \"%s\": a domain name in lower case (A-labels) is allowed", file, name);
		if (check_recipients(c, file, name, (struct conf_domain *)(uintptr_t)conf_domain(c, i, NULL), pr) !=
		    0)
			return -1;
	}
	return 0;
}

/* It is compared with what others write of us, and they write it as they like: kept in the one form of
 * address_domain(), which is never longer. */
static void settle_hostname(struct conf *c)
{
	struct conf_top *t = (struct conf_top *)(uintptr_t)conf_top(c);
	char norm[ADDRESS_DOMAIN_MAX + 1];

	REQUIRE(address_domain(t->hostname, strlen(t->hostname), norm, NULL) == 0);
	memcpy(t->hostname, norm, strlen(norm) + 1);
}

int conf_parse(const char *file, const char *text, size_t n, struct conf **c_r, struct problem *pr)
{
	struct conf *c = mem_new(sizeof(*c));

	if (settings_parse(file, text, n, sections(), SECTIONS, &c->s, pr) != 0) {
		free(c);
		return -1;
	}
	if (cross_check(c, file, pr) != 0) {
		conf_free(c);
		return -1;
	}
	settle_hostname(c);
	*c_r = c;
	return 0;
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	settings_free(c->s);
	free(c);
}

const struct conf_top *conf_top(const struct conf *c)
{
	return settings_get(c->s, "");
}

size_t conf_listeners(const struct conf *c)
{
	return settings_count(c->s, "listener");
}

const struct conf_listener *conf_listener(const struct conf *c, size_t i, const char **name_r)
{
	const char *name;

	return settings_at(c->s, "listener", i, name_r == NULL ? &name : name_r);
}

size_t conf_domains(const struct conf *c)
{
	return settings_count(c->s, "domain");
}

const struct conf_domain *conf_domain(const struct conf *c, size_t i, const char **name_r)
{
	const char *name;

	return settings_at(c->s, "domain", i, name_r == NULL ? &name : name_r);
}

const struct conf_domain *conf_domain_find(const struct conf *c, const char *name)
{
	const char *title;

	for (size_t i = 0; i < conf_domains(c); i++) {
		const struct conf_domain *d = conf_domain(c, i, &title);

		if (strcmp(title, name) == 0)
			return d;
	}
	return NULL;
}

size_t conf_directories(const struct conf *c)
{
	return settings_count(c->s, "ldap");
}

const struct ldap_settings *conf_directory(const struct conf *c, size_t i, const char **name_r)
{
	return settings_at(c->s, "ldap", i, name_r);
}

size_t conf_cert_directories(const struct conf *c)
{
	return settings_count(c->s, "certificate-directory");
}

const struct ldap_cert_settings *conf_cert_directory(const struct conf *c, size_t i, const char **name_r)
{
	return settings_at(c->s, "certificate-directory", i, name_r);
}

const void *conf_section(const struct conf *c, const char *section)
{
	return settings_get(c->s, section);
}

int conf_show(const struct conf *c, void (*one)(void *ctx, const struct settings_shown *shown), void *ctx)
{
	return settings_show(c->s, sections(), SECTIONS, one, ctx);
}

int conf_help(struct buf *out)
{
	return settings_help(sections(), SECTIONS, out);
}

static int port_of(const char *p, unsigned dflt, unsigned *port_r)
{
	unsigned v = 0;

	if (*p == '\0') {
		*port_r = dflt;
		return 0;
	}
	if (*p++ != ':' || *p == '\0')
		return -1;
	for (; *p >= '0' && *p <= '9' && v < 65536; p++)
		v = v * 10 + (unsigned)(*p - '0');
	if (*p != '\0' || v == 0 || v > 65535)
		return -1;
	*port_r = v;
	return 0;
}

static int to_sockaddr(const char *host, unsigned port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return 0;
	}
	return -1;
}

int conf_hostport(const char *text, unsigned default_port, char host_r[256], struct sockaddr_storage *ss_r,
    unsigned *port_r, struct problem *pr)
{
	const char *p = text, *end;

	if (*p == '[') {
		end = strchr(++p, ']');
	} else {
		end = strchr(p, ':');
		if (end == NULL)
			end = p + strlen(p);
	}
	if (end == NULL || end == p || (size_t)(end - p) > 255)
		return problem_perm(pr, "host:port, 192.0.2.1:25 or [2001:db8::1]:25");
	memcpy(host_r, p, (size_t)(end - p));
	host_r[end - p] = '\0';
	if (port_of(*end == ']' ? end + 1 : end, default_port, port_r) != 0)
		return problem_perm(pr, "host:port with a port from 1 to 65535");
	if (ss_r != NULL && to_sockaddr(host_r, *port_r, ss_r) != 0)
		return problem_perm(pr, "a numeric address and port, 192.0.2.1:25 or [2001:db8::1]:25");
	return 0;
}
