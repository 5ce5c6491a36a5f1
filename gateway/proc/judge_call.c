/* Arguments and replies of admin requests. Role judge; pure. */
#include "gateway/proc/judge_call.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"

int judge_call_fail(struct judge_call *c, const char *code, const char *fmt, ...)
{
	char text[sizeof c->pr->text];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->code = code;
	return problem_set(c->pr, PROBLEM_PERM, 0, "", "", "%s", text);
}

static int wrong(struct judge_call *c, const char *name, const char *allowed)
{
	return judge_call_fail(c, "usage", "argument \"%s\" must be %s", name, allowed);
}

/* 1 there, 0 not there and need not be, -1. A JSON null counts as not there. */
static int look(struct judge_call *c, const char *name, enum judge_need need, json_t **v_r)
{
	*v_r = json_object_get(c->args, name);
	if (*v_r && !json_is_null(*v_r))
		return 1;
	return need == JUDGE_MAY ? 0 : judge_call_fail(c, "usage", "argument \"%s\" is missing", name);
}

int judge_call_str(struct judge_call *c, const char *name, enum judge_need need, size_t max, const char **v_r)
{
	json_t *v;
	int rc = look(c, name, need, &v);

	*v_r = NULL;
	if (rc <= 0)
		return rc;
	if (!json_is_string(v))
		return wrong(c, name, "a string");
	if (json_string_length(v) > max)
		return judge_call_fail(c, "usage", "argument \"%s\" is longer than %zu octets", name, max);
	if (need == JUDGE_MUST && json_string_length(v) == 0)
		return judge_call_fail(c, "usage", "argument \"%s\" is empty", name);
	for (const char *p = json_string_value(v); *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return wrong(c, name, "free of control characters");
	*v_r = json_string_value(v);
	return 0;
}

int judge_call_int(struct judge_call *c, const char *name, int64_t min, int64_t max, int64_t dflt, int64_t *v_r)
{
	json_t *v;
	int rc = look(c, name, JUDGE_MAY, &v);

	*v_r = dflt;
	if (rc <= 0)
		return rc;
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
		return judge_call_fail(c, "usage", "argument \"%s\" must be a number from %lld to %lld", name,
		    (long long)min, (long long)max);
	*v_r = json_integer_value(v);
	return 0;
}

int judge_call_bool(struct judge_call *c, const char *name, bool dflt, bool *v_r)
{
	json_t *v;
	int rc = look(c, name, JUDGE_MAY, &v);

	*v_r = dflt;
	if (rc <= 0)
		return rc;
	if (!json_is_boolean(v))
		return wrong(c, name, "true or false");
	*v_r = json_is_true(v);
	return 0;
}

int judge_call_octets(
    struct judge_call *c, const char *name, enum judge_need need, size_t max, uint8_t **p_r, size_t *n_r)
{
	json_t *v;
	int rc = look(c, name, need, &v);
	size_t cap;
	long n;

	*p_r = NULL;
	*n_r = 0;
	if (rc <= 0)
		return rc;
	if (!json_is_string(v))
		return wrong(c, name, "base64 text");
	if (json_string_length(v) / 4 * 3 > max + 2)
		return judge_call_fail(c, "usage", "argument \"%s\" is larger than %zu octets", name, max);
	cap = json_string_length(v) / 4 * 3 + 3;
	*p_r = mem_new(cap);
	n = encode_unb64(json_string_value(v), json_string_length(v), *p_r, cap);
	if (n > 0) {
		*n_r = (size_t)n;
		return 0;
	}
	mem_free_secret(*p_r, cap);
	*p_r = NULL;
	return wrong(c, name, n == 0 ? "not empty" : "base64 text without blanks");
}

int judge_call_domain(struct judge_call *c, const char *name, enum judge_need need, char out[ADDRESS_DOMAIN_MAX + 1])
{
	const char *v;

	out[0] = 0;
	if (judge_call_str(c, name, need, 1024, &v) < 0)
		return -1;
	if (!v)
		return 0;
	if (address_domain(v, strlen(v), out, NULL) == 0)
		return 0;
	return judge_call_fail(
	    c, "usage", "argument \"%s\": \"%.100s\" is not a domain name such as lab.example", name, v);
}

static bool is_group(const char *v)
{
	size_t n = strspn(v, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= JUDGE_GROUP_MAX && !v[n];
}

int judge_call_group(struct judge_call *c, const char *name, enum judge_need need, char out[JUDGE_GROUP_MAX + 1])
{
	const char *v;

	out[0] = 0;
	if (judge_call_str(c, name, need, 300, &v) < 0)
		return -1;
	if (!v || !v[0])
		return 0;
	if (!is_group(v))
		return wrong(c, name, "a name of lower-case letters, digits and \"-\", at most 40");
	return mem_copy_str(out, JUDGE_GROUP_MAX + 1, v);
}

int judge_call_scope(struct judge_call *c, const char *name, enum judge_need need, char out[ADDRESS_DOMAIN_MAX + 1])
{
	const char *v;

	out[0] = 0;
	if (judge_call_str(c, name, need, 300, &v) < 0)
		return -1;
	if (!v)
		return 0;
	if (strcmp(v, "*") == 0 || (v[0] == '@' && is_group(v + 1)))
		return mem_copy_str(out, ADDRESS_DOMAIN_MAX + 1, v);
	if (judge_call_domain(c, name, need, out) == 0)
		return 0;
	return judge_call_fail(c, "usage",
	    "argument \"%s\" must be a partner's domain, \"@GROUP\" for a group of partners, or \"*\" for all", name);
}

int judge_call_local(struct judge_call *c, const char *name, char out[ADDRESS_DOMAIN_MAX + 1])
{
	if (judge_call_domain(c, name, JUDGE_MAY, out) < 0)
		return -1;
	if (!out[0] || judge_world_domain(c->ja->world, out) >= 0)
		return 0;
	return judge_call_fail(c, "usage", "argument \"%s\": %s is not one of our domains", name, out);
}

int judge_call_direction(struct judge_call *c, enum store_direction *dir_r)
{
	const char *v;

	*dir_r = STORE_BOTH;
	if (judge_call_str(c, "direction", JUDGE_MAY, 20, &v) < 0)
		return -1;
	if (!v || store_direction_parse(v, dir_r) == 0)
		return 0;
	return judge_call_fail(c, "usage",
	    "argument \"direction\" must be \"both\", \"out\" (whom we encrypt to) or \"in\" (whose signatures we "
	    "believe)");
}

static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

int judge_call_owner(
    struct judge_call *c, const char *name, enum judge_need need, char out[ADDRESS_TEXT_MAX], struct address *who_r)
{
	struct address a = {.local = ""};
	const char *v;

	out[0] = 0;
	if (who_r)
		*who_r = a;
	if (judge_call_str(c, name, need, 1024, &v) < 0)
		return -1;
	if (!v)
		return 0;
	if (strchr(v, '@') ? address_parse_utf8(v, strlen(v), &a, NULL) < 0 || !a.local[0] || a.domain[0] == '['
			   : address_domain(v, strlen(v), a.domain, NULL) < 0)
		return judge_call_fail(c, "usage",
		    "argument \"%s\": \"%.100s\" is neither a domain (lab.example) nor an address (bob@lab.example)",
		    name, v);
	if (a.local[0])
		(void)address_text(&a, out);
	else
		(void)snprintf(out, ADDRESS_TEXT_MAX, "%s", a.domain);
	lower(out);
	if (who_r)
		*who_r = a;
	return 0;
}

int judge_call_treatment(struct judge_call *c, const char *dflt, const char **word_r)
{
	enum policy_treatment t;

	if (judge_call_str(c, "treatment", JUDGE_MAY, 32, word_r) < 0)
		return -1;
	if (!*word_r)
		*word_r = dflt;
	return policy_treatment_parse(*word_r, &t) == 0
		   ? 0
		   : wrong(c, "treatment", "\"clear\", \"tls\", \"sign\" or \"seal\"");
}

int judge_call_strength(struct judge_call *c, const char *dflt, const char **word_r)
{
	enum policy_strength s;

	if (judge_call_str(c, "strength", JUDGE_MAY, 32, word_r) < 0)
		return -1;
	if (!*word_r)
		*word_r = dflt;
	return policy_strength_parse(*word_r, &s) == 0 ? 0
						       : wrong(c, "strength", "\"require\", \"prefer\" or \"never\"");
}

int judge_call_fingerprint(struct judge_call *c, const char *text, char out[CERT_HASH_TEXT])
{
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		if (*p == ' ' || *p == ':')
			continue;
		if (!isxdigit((unsigned char)*p) || n == CERT_HASH_TEXT - 1)
			return judge_call_fail(
			    c, "usage", "\"%.100s\" is not a SHA-256 fingerprint (64 hex digits)", text);
		out[n++] = (char)tolower((unsigned char)*p);
	}
	out[n] = 0;
	if (n < 8)
		return judge_call_fail(
		    c, "usage", "\"%.100s\" is too short for a fingerprint: give at least 8 hex digits", text);
	return 0;
}

int judge_call_compared(struct judge_call *c, const char *text, char out[CERT_HASH_TEXT])
{
	if (judge_call_fingerprint(c, text, out) < 0)
		return -1;
	if (strlen(out) >= 16)
		return 0;
	return judge_call_fail(c, "usage",
	    "\"%.100s\" is too short to decide by: compare at least 16 hex digits, for a stranger can make a "
	    "certificate that begins with fewer",
	    text);
}

static json_t *must(json_t *v)
{
	if (!v)
		log_fatal("out of memory: JSON");
	return v;
}

json_t *judge_call_text(const char *s)
{
	json_t *v = json_string(s);
	char *plain;

	if (v)
		return v;
	/* Not UTF-8 (a name in a certificate, a sentence cut inside a character). */
	plain = mem_str(s);
	for (char *p = plain; *p; p++)
		if ((unsigned char)*p > 0x7e)
			*p = '?';
	v = must(json_string(plain));
	free(plain);
	return v;
}

json_t *judge_call_time(int64_t unix_s)
{
	char t[21];

	if (unix_s == 0)
		return must(json_null());
	encode_time(unix_s, t);
	return must(json_string(t));
}

void judge_call_set(json_t *object, const char *name, json_t *v)
{
	if (json_object_set_new(object, name, must(v)) != 0)
		log_fatal("out of memory: JSON");
}

void judge_call_add(json_t *array, json_t *v)
{
	if (json_array_append_new(array, must(v)) != 0)
		log_fatal("out of memory: JSON");
}

json_t *judge_call_object(void)
{
	return must(json_object());
}

json_t *judge_call_array(void)
{
	return must(json_array());
}

static const char *state_word(const struct cert_facts *f, int64_t now)
{
	if (f->weak)
		return "weak";
	if (now < f->not_before)
		return "not yet valid";
	return now >= f->not_after ? "expired" : "valid";
}

/* "dns:a.example mail:b@a.example" as an array. */
static json_t *names_array(const char *names)
{
	json_t *a = judge_call_array();

	while (*names) {
		size_t n = strcspn(names, " ");
		char *one = mem_dup(names, n);

		judge_call_add(a, judge_call_text(one));
		free(one);
		names += n + (names[n] == ' ');
	}
	return a;
}

json_t *judge_call_facts(X509 *x, int64_t now)
{
	json_t *o = judge_call_object();
	struct cert_facts f;
	char print[96];

	cert_facts(x, &f);
	cert_fingerprint(x, print);
	judge_call_set(o, "subject", judge_call_text(f.subject));
	judge_call_set(o, "issuer", judge_call_text(f.issuer));
	judge_call_set(o, "serial", judge_call_text(f.serial));
	judge_call_set(o, "sha256", judge_call_text(f.sha256));
	judge_call_set(o, "fingerprint", judge_call_text(print));
	judge_call_set(o, "key", judge_call_text(f.key));
	judge_call_set(o, "names", names_array(f.names));
	judge_call_set(o, "not_before", judge_call_time(f.not_before));
	judge_call_set(o, "not_after", judge_call_time(f.not_after));
	judge_call_set(o, "days_left", json_integer(now >= f.not_after ? 0 : (f.not_after - now) / 86400));
	judge_call_set(o, "may_sign", json_boolean(f.may_sign));
	judge_call_set(o, "may_encrypt", json_boolean(f.may_encrypt));
	judge_call_set(o, "ca", json_boolean(f.ca));
	judge_call_set(o, "self_signed", json_boolean(f.self_signed));
	judge_call_set(o, "weak", f.weak ? judge_call_text(f.weak_why) : json_false());
	judge_call_set(o, "state", judge_call_text(state_word(&f, now)));
	return o;
}

json_t *judge_call_pem(const char *label, const void *der, size_t n)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	json_t *v;
	long len;

	if (!b || PEM_write_bio(b, label, "", der, (long)n) <= 0)
		log_fatal("out of memory: PEM");
	len = BIO_get_mem_data(b, &p);
	v = must(json_stringn(p, (size_t)len));
	BIO_free(b);
	return v;
}

/* What time alone changes, or a fetch that brought nothing, is no change of anybody's. */
static void drop_volatile(json_t *v)
{
	static const char *const names[] = {"days_left", "state", "fetching", "tried", "trouble", "since"};
	const char *name;
	json_t *x;
	size_t i;

	json_array_foreach(v, i, x) drop_volatile(x);
	json_object_foreach(v, name, x) drop_volatile(x);
	for (i = 0; json_is_object(v) && i < sizeof names / sizeof *names; i++)
		(void)json_object_del(v, names[i]);
}

void judge_call_revision(const json_t *v, char out[33])
{
	json_t *stable = must(json_deep_copy(v));
	char *text;
	uint8_t hash[32];

	drop_volatile(stable);
	text = json_dumps(stable, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(stable);

	if (!text || EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("out of memory: JSON");
	encode_hex(hash, 16, out);
	free(text);
}

int judge_call_unchanged(struct judge_call *c, const json_t *now, const char *what)
{
	const char *match;
	char revision[33];

	if (judge_call_str(c, "if_match", JUDGE_MAY, 64, &match) < 0)
		return -1;
	judge_call_revision(now, revision);
	if (!match || strcmp(match, revision) == 0)
		return 0;
	return judge_call_fail(c, "changed", "%s changed since it was looked at: look again", what);
}
