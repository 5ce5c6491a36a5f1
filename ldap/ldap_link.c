#include "ldap/ldap_link.h"

#include <errno.h>
#include <fcntl.h>
#include <ldap.h>
#include <openldap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { WORDS = 400 };

struct ldap_link {
	LDAP *ld;
	void *notes;
};
struct ldap_link_tls {
	struct ldap_link_tls *next;
	char *ca_file;
	bool verify;
	LDAP *holder; /* of the context */
	void *ctx;
};

/* ---- TLS ---- */

static struct ldap_link_tls *kept;

static int make_context(struct ldap_link_tls *t)
{
	int demand = t->verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER, client = 0;

	if ((t->verify && ldap_set_option(t->holder, LDAP_OPT_X_TLS_CACERTFILE, t->ca_file) != LDAP_OPT_SUCCESS) ||
	    ldap_set_option(t->holder, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(t->holder, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
		return -1;
	return ldap_get_option(t->holder, LDAP_OPT_X_TLS_CTX, &t->ctx) == LDAP_OPT_SUCCESS && t->ctx != NULL ? 0 : -1;
}

const struct ldap_link_tls *ldap_link_tls(const struct ldap_settings *set, struct problem *pr)
{
	struct ldap_link_tls *t;

	for (t = kept; t != NULL; t = t->next)
		if (t->verify == set->tls_verify && strcmp(t->ca_file, set->ca_file) == 0)
			return t;
	/* neither ldap.conf nor the environment may add to what postern.conf says */
	setenv("LDAPNOINIT", "1", 1);
	t = mem_new(sizeof(*t));
	if (ldap_initialize(&t->holder, NULL) != LDAP_SUCCESS)
		log_fatal("libldap cannot be started");
	t->verify = set->tls_verify;
	t->ca_file = mem_str(set->ca_file);
	if (make_context(t) == 0) {
		t->next = kept;
		kept = t;
		return t;
	}
	problem_perm(pr,
	    "ca-file %s cannot be read as PEM certificates: install ca-certificates or name another file",
	    set->ca_file);
	ldap_unbind_ext_s(t->holder, NULL, NULL);
	free(t->ca_file);
	free(t);
	return NULL;
}

/* ---- connecting ---- */

/* Connected and blocking again, or -1 with errno. */
static int connect_to(const struct sockaddr_storage *ss, int64_t ms)
{
	socklen_t n = ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(err);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)ss, n) != 0) {
		if (errno != EINPROGRESS)
			err = errno;
		else if (poll(&p, 1, (int)ms) != 1)
			err = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
			err = errno;
	}
	if (err == 0 && fcntl(fd, F_SETFL, 0) == 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		return fd;
	}
	close(fd);
	errno = err == 0 ? EBADF : err;
	return -1;
}

/* Of TLS and bind. */
static enum ldap_link_result judge(int rc)
{
	switch (rc) {
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_TIMEOUT:
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
		return LDAP_LINK_DOWN;
	default:
		return LDAP_LINK_ERROR;
	}
}

static void describe(LDAP *ld, int rc, const char *what, char words_r[WORDS])
{
	char *more = NULL;

	(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	snprintf(words_r, WORDS, "%s: %s%s%.160s", what, ldap_err2string(rc), more != NULL && *more ? ": " : "",
	    more != NULL ? more : "");
	ldap_memfree(more);
}

static enum ldap_link_result failed(LDAP *ld, int rc, const char *what, char words_r[WORDS])
{
	describe(ld, rc, what, words_r);
	return judge(rc);
}

/* libldap keeps a message whole: how long one may be is said before it is read. */
static void bound(LDAP *ld, size_t octets)
{
	Sockbuf *sb = NULL;
	ber_len_t max = octets;

	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS && sb != NULL)
		ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &max);
}

static void set_options(LDAP *ld, const struct ldap_link_to *to)
{
	struct timeval tv = {to->set->timeout / 1000, to->set->timeout % 1000 * 1000};
	int version = LDAP_VERSION3, demand = to->set->tls_verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;

	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &tv);
	ldap_set_option(ld, LDAP_OPT_TIMEOUT, &tv);
	ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
	ldap_set_option(ld, LDAP_OPT_X_TLS_CTX, to->tls->ctx);
	bound(ld, LDAP_LINK_MESSAGE_MAX);
}

static enum ldap_link_result greet(LDAP *ld, const struct ldap_link_to *to, bool ldaps, char words_r[WORDS])
{
	struct berval secret = {.bv_len = to->password_len};
	enum ldap_link_result r;
	int rc = LDAP_SUCCESS;

	if (ldaps)
		rc = ldap_install_tls(ld);
	else if (to->set->starttls)
		rc = ldap_start_tls_s(ld, NULL, NULL);
	if (rc != LDAP_SUCCESS) {
		r = failed(ld, rc, ldaps ? "TLS" : "STARTTLS", words_r);
		/* libldap says "connect error" of a certificate that it does not like, too: somebody must look */
		return rc == LDAP_CONNECT_ERROR ? LDAP_LINK_ERROR : r;
	}
	if (to->set->bind_dn[0] == '\0')
		return LDAP_LINK_FOUND;
	secret.bv_val = mem_dup(to->password, to->password_len);
	rc = ldap_sasl_bind_s(ld, to->set->bind_dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
	mem_free_secret(secret.bv_val, secret.bv_len);
	return rc == LDAP_SUCCESS ? LDAP_LINK_FOUND : failed(ld, rc, "bind", words_r);
}

struct ldap_link *ldap_link_new(const struct ldap_link_to *to, const struct sockaddr_storage *addr,
    enum ldap_link_result *r_r, char words_r[WORDS])
{
	struct ldap_settings_server s;
	struct ldap_link *k;
	LDAP *ld = NULL;
	int fd = connect_to(addr, to->set->timeout), rc;

	if (fd < 0 || ldap_settings_server(to->uri, &s, NULL) != 0) {
		snprintf(words_r, WORDS, "connect: %s", strerror(errno));
		*r_r = LDAP_LINK_DOWN;
		return NULL;
	}
	if (to->connected != NULL)
		to->connected(to->ctx, fd);
	rc = ldap_init_fd(fd, LDAP_PROTO_TCP, to->uri, &ld);
	if (rc != LDAP_SUCCESS) {
		snprintf(words_r, WORDS, "libldap: %s", ldap_err2string(rc));
		close(fd);
		*r_r = LDAP_LINK_DOWN;
		return NULL;
	}
	set_options(ld, to);
	*r_r = greet(ld, to, s.tls, words_r);
	if (*r_r != LDAP_LINK_FOUND) {
		ldap_unbind_ext_s(ld, NULL, NULL);
		return NULL;
	}
	k = mem_new(sizeof(*k));
	k->ld = ld;
	return k;
}

LDAP *ldap_link_handle(struct ldap_link *k)
{
	return k->ld;
}

void ldap_link_bound(struct ldap_link *k, size_t octets)
{
	bound(k->ld, octets);
}

void ldap_link_free(struct ldap_link *k)
{
	if (k == NULL)
		return;
	ldap_unbind_ext_s(k->ld, NULL, NULL);
	free(k->notes);
	free(k);
}

void **ldap_link_notes(struct ldap_link *k)
{
	return &k->notes;
}

/* ---- searching ---- */

static void take_dn(LDAP *ld, LDAPMessage *entry, char words_r[WORDS])
{
	char *dn = ldap_get_dn(ld, entry);

	snprintf(words_r, WORDS, "%.380s", dn == NULL ? "" : dn);
	ldap_memfree(dn);
}

/* What a result code without an entry means (RFC 4511 4.1.9, appendix A), and where to look. "There is no such
 * object" is about the base: it must never become "no such recipient". */
static const struct {
	int rc;
	enum ldap_link_result r;
	const char *look;
} results[] = {
    {LDAP_SUCCESS, LDAP_LINK_NOTHING, ""},
    {LDAP_SERVER_DOWN, LDAP_LINK_DOWN, ""},
    {LDAP_CONNECT_ERROR, LDAP_LINK_DOWN, ""},
    {LDAP_TIMEOUT, LDAP_LINK_DOWN, ""},
    {LDAP_ENCODING_ERROR, LDAP_LINK_DOWN, ""},
    {LDAP_DECODING_ERROR, LDAP_LINK_DOWN, ""},
    {LDAP_LOCAL_ERROR, LDAP_LINK_DOWN, ""},
    {LDAP_PROTOCOL_ERROR, LDAP_LINK_DOWN, ""},
    {LDAP_UNAVAILABLE, LDAP_LINK_DOWN, ""},
    {LDAP_BUSY, LDAP_LINK_LATER, ""},
    {LDAP_TIMELIMIT_EXCEEDED, LDAP_LINK_LATER, "the search takes too long there: are its attributes indexed?"},
    {LDAP_ADMINLIMIT_EXCEEDED, LDAP_LINK_WRONG, "are the attributes of the search indexed there?"},
    {LDAP_NO_SUCH_OBJECT, LDAP_LINK_WRONG, "the setting base names nothing there, or bind-dn may not see it"},
    {LDAP_INVALID_DN_SYNTAX, LDAP_LINK_WRONG, "the setting base is no DN"},
    {LDAP_INSUFFICIENT_ACCESS, LDAP_LINK_WRONG, "give bind-dn the right to search below base"},
    {LDAP_INAPPROPRIATE_AUTH, LDAP_LINK_WRONG, "set bind-dn and password-file"},
    {LDAP_STRONG_AUTH_REQUIRED, LDAP_LINK_WRONG, "it wants TLS or bind-dn with password-file"},
    {LDAP_CONFIDENTIALITY_REQUIRED, LDAP_LINK_WRONG, "it wants TLS: ldaps:// or starttls = yes"},
    {LDAP_OPERATIONS_ERROR, LDAP_LINK_WRONG, "Active Directory says this of a search without bind-dn"},
    {LDAP_UNWILLING_TO_PERFORM, LDAP_LINK_WRONG, "does it allow searches for bind-dn?"},
    {LDAP_REFERRAL, LDAP_LINK_WRONG, "base is kept by another server: name that one in servers"},
    {LDAP_FILTER_ERROR, LDAP_LINK_WRONG, "the setting filter is no LDAP filter"},
    {LDAP_UNDEFINED_TYPE, LDAP_LINK_WRONG, "it does not know an attribute of the search"},
    {LDAP_INAPPROPRIATE_MATCHING, LDAP_LINK_WRONG, "an attribute of the search cannot be compared"},
};

enum ldap_link_result ldap_link_code(LDAP *ld, int rc, char words_r[WORDS])
{
	enum ldap_link_result r = LDAP_LINK_WRONG;
	const char *look = "";
	size_t n;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (results[i].rc == rc) {
			r = results[i].r;
			look = results[i].look;
		}
	if (rc == LDAP_SUCCESS)
		return r;
	describe(ld, rc, "search", words_r);
	n = strlen(words_r);
	if (look[0] != '\0')
		snprintf(words_r + n, WORDS - n, " (%s)", look);
	return r;
}

enum ldap_link_result ldap_link_search(
    struct ldap_link *k, const struct ldap_settings *set, const char *filter, char words_r[WORDS])
{
	struct timeval tv = {set->timeout / 1000, set->timeout % 1000 * 1000};
	char none[] = LDAP_NO_ATTRS, *attrs[] = {none, NULL};
	LDAPMessage *got = NULL, *entry;
	enum ldap_link_result r;
	int rc = ldap_search_ext_s(k->ld, set->base, LDAP_SCOPE_SUBTREE, filter, attrs, 0, NULL, NULL, &tv, 1, &got);

	words_r[0] = '\0';
	entry = got == NULL ? NULL : ldap_first_entry(k->ld, got);
	if (entry != NULL) { /* also beside "size limit exceeded": there are several */
		take_dn(k->ld, entry, words_r);
		r = LDAP_LINK_FOUND;
	} else if (rc == LDAP_SIZELIMIT_EXCEEDED) { /* we ask for one: there are more */
		snprintf(words_r, WORDS, "more than one entry for it");
		r = LDAP_LINK_FOUND;
	} else {
		r = ldap_link_code(k->ld, rc, words_r);
	}
	ldap_msgfree(got);
	return r;
}
