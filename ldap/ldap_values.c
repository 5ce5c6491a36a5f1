#include "ldap/ldap_values.h"

#include <errno.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/loop.h"
#include "gateway/base/mem.h"

enum { WORDS = 400 };

/* RFC 4512 2.5.2: with other options than asked for it is the same attribute. */
static bool wanted(const struct settings_list *attributes, const char *got)
{
	size_t n = strcspn(got, ";");

	for (size_t i = 0; i < attributes->n; i++) {
		const char *w = attributes->v[i];

		if (strcspn(w, ";") == n && strncasecmp(w, got, n) == 0)
			return true;
	}
	return false;
}

static int take_values(LDAP *ld, LDAPMessage *entry, const char *name, struct ldap_values *v)
{
	struct berval **all = ldap_get_values_len(ld, entry, name);
	int r = 0;

	for (size_t i = 0; all != NULL && all[i] != NULL && r == 0; i++) {
		r = v->fn(v->ctx, name, all[i]->bv_val, all[i]->bv_len);
		v->values_n += r == 0;
	}
	ldap_value_free_len(all);
	return r;
}

static int take_entry(LDAP *ld, LDAPMessage *entry, struct ldap_values *v)
{
	BerElement *at = NULL;
	int r = 0;

	v->entries_n++;
	for (char *name = ldap_first_attribute(ld, entry, &at); name != NULL;
	     name = r == 0 ? ldap_next_attribute(ld, entry, at) : NULL) {
		if (wanted(v->attributes, name))
			r = take_values(ld, entry, name, v);
		ldap_memfree(name);
	}
	ber_free(at, 0);
	return r;
}

static enum ldap_link_result took_too_long(const struct ldap_values *v, char words_r[WORDS])
{
	snprintf(words_r, WORDS, "search: no answer within %lld ms", (long long)v->timeout);
	return LDAP_LINK_DOWN;
}

/* The result message is there. */
static enum ldap_link_result finish(LDAP *ld, LDAPMessage *m, struct ldap_values *v, char words_r[WORDS])
{
	char *text = NULL;
	int rc = LDAP_OTHER;

	if (ldap_parse_result(ld, m, &rc, NULL, &text, NULL, NULL, 0) != LDAP_SUCCESS)
		rc = LDAP_DECODING_ERROR;
	v->code = rc;
	words_r[0] = '\0';
	ldap_memfree(text);
	v->more = rc != LDAP_SUCCESS && v->values_n > 0;
	if (v->values_n > 0 || (rc == LDAP_SUCCESS && v->entries_n > 0))
		return LDAP_LINK_FOUND;
	ldap_set_option(ld, LDAP_OPT_RESULT_CODE, &rc);
	return ldap_link_code(ld, rc, words_r);
}

static enum ldap_link_result broke(LDAP *ld, struct ldap_values *v, char words_r[WORDS])
{
	int error = errno, rc = LDAP_SERVER_DOWN;

	ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &rc);
	v->code = rc;
	if (error != ERANGE)
		return ldap_link_code(ld, rc, words_r);
	v->more = true;
	snprintf(words_r, WORDS, "search: an entry is longer than allowed");
	return v->values_n > 0 ? LDAP_LINK_FOUND : LDAP_LINK_LATER; /* of the server it says nothing */
}

/* Enough, or too much. */
static enum ldap_link_result give_up(LDAP *ld, int id, bool full, struct ldap_values *v, char words_r[WORDS])
{
	ldap_abandon_ext(ld, id, NULL, NULL);
	v->more = true;
	words_r[0] = '\0';
	if (v->values_n > 0)
		return LDAP_LINK_FOUND;
	if (full)
		snprintf(words_r, WORDS, "search: a value is longer than allowed");
	else
		snprintf(words_r, WORDS, "search: more than %lld entries and referrals, none with a value",
		    (long long)v->entries);
	return LDAP_LINK_WRONG;
}

/* MS-ADTS 3.1.1.4.6: a search below a domain gives these with every answer; no persons are there. */
static bool is_usual(const char *url)
{
	static const char *const usual[] = {"DC=ForestDnsZones,", "DC=DomainDnsZones,", "CN=Configuration,"};
	const char *dn = strncasecmp(url, "ldap://", 7) == 0 ? strchr(url + 7, '/') : NULL;

	for (size_t i = 0; dn != NULL && i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strncasecmp(dn + 1, usual[i], strlen(usual[i])) == 0)
			return true;
	return false;
}

/* One whose URLs cannot be read leads who knows where. */
static void take_reference(LDAP *ld, LDAPMessage *m, struct ldap_values *v)
{
	char **urls = NULL;
	bool usual;

	if (ldap_parse_reference(ld, m, &urls, NULL, 0) != LDAP_SUCCESS)
		urls = NULL;
	usual = urls != NULL && urls[0] != NULL;
	for (size_t i = 0; urls != NULL && urls[i] != NULL; i++)
		usual = usual && is_usual(urls[i]);
	if (!usual && v->elsewhere++ == 0)
		snprintf(v->first_elsewhere, sizeof(v->first_elsewhere), "%s",
		    urls != NULL && urls[0] != NULL ? urls[0] : "");
	ldap_memvfree((void **)urls);
}

static enum ldap_link_result collect(LDAP *ld, int id, struct ldap_values *v, char words_r[WORDS])
{
	int64_t end = loop_now_ms() + v->timeout, count = 0;

	for (;;) {
		int64_t left = end - loop_now_ms();
		struct timeval tv = {left / 1000, left % 1000 * 1000};
		LDAPMessage *m = NULL;
		int type, enough = 0;

		errno = 0;
		type = left > 0 ? ldap_result(ld, id, LDAP_MSG_ONE, &tv, &m) : 0;
		if (type == 0) {
			ldap_abandon_ext(ld, id, NULL, NULL);
			v->more = true;
			return took_too_long(v, words_r);
		}
		if (type < 0)
			return broke(ld, v, words_r);
		if (type == LDAP_RES_SEARCH_RESULT) {
			enum ldap_link_result r = finish(ld, m, v, words_r);

			ldap_msgfree(m);
			return r;
		}
		if (type == LDAP_RES_SEARCH_ENTRY)
			enough = take_entry(ld, m, v);
		if (type == LDAP_RES_SEARCH_REFERENCE)
			take_reference(ld, m, v);
		ldap_msgfree(m);
		if (enough != 0 || ++count > v->entries)
			return give_up(ld, id, enough != 0, v, words_r);
	}
}

enum ldap_link_result ldap_values_search(struct ldap_link *k, struct ldap_values *v, char words_r[WORDS])
{
	struct timeval tv = {v->timeout / 1000 + 1, 0}; /* the server's limit; ours is the exact one */
	LDAP *ld = ldap_link_handle(k);
	char **names = mem_new((v->attributes->n + 1) * sizeof(*names));
	int id, rc;

	for (size_t i = 0; i < v->attributes->n; i++)
		names[i] = v->attributes->v[i];
	v->entries_n = v->values_n = v->elsewhere = 0;
	v->more = false;
	rc = ldap_search_ext(ld, v->base, v->filter == NULL ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE,
	    v->filter == NULL ? "(objectClass=*)" : v->filter, names, 0, NULL, NULL, &tv, (int)v->entries, &id);
	free(names);
	v->code = rc;
	if (rc != LDAP_SUCCESS)
		return ldap_link_code(ld, rc, words_r);
	return collect(ld, id, v, words_r);
}
