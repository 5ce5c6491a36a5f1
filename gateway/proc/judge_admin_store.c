/* audit.*, store.snapshot, status: role judge; reads the store. */
#include "gateway/proc/judge_admin_store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_expiry.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_scout.h"

enum { EXPIRY_ROWS = 300 };

/* ---- audit ---- */

static json_t *audit_row(const struct store_audit *r)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "id", json_integer(r->id));
	judge_call_set(o, "at", judge_call_time(r->at));
	judge_call_set(o, "who", judge_call_text(r->who));
	judge_call_set(o, "what", judge_call_text(r->what));
	judge_call_set(o, "subject", judge_call_text(r->subject));
	judge_call_set(o, "detail", judge_call_text(r->detail));
	judge_call_set(o, "hash", judge_call_text(r->hash));
	return o;
}

int judge_admin_audit_list(struct judge_call *c)
{
	struct store_audit *list;
	int64_t before, max;
	json_t *a;
	size_t n;

	if (judge_call_int(c, "before", 0, INT64_MAX, 0, &before) < 0 ||
	    judge_call_int(c, "max", 1, 10000, 100, &max) < 0 ||
	    store_audit_list(c->store, before, (size_t)max, &list, &n, c->pr) < 0)
		return -1;
	a = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(a, audit_row(&list[i]));
	judge_call_set(c->data, "rows", a);
	store_audit_free(list, n);
	return 0;
}

static int tell_head(struct judge_call *c, const char *name)
{
	json_t *o;
	char hash[65];
	int64_t id;

	if (store_audit_head(c->store, &id, hash, c->pr) < 0)
		return -1;
	o = judge_call_object();
	judge_call_set(o, "id", json_integer(id));
	judge_call_set(o, "hash", judge_call_text(hash));
	judge_call_set(c->data, name, o);
	return 0;
}

/* The head that a log has: a row of the chain must carry it, or the chain was rewritten or cut off since. */
static int check_head(struct judge_call *c, const char *text)
{
	char hash[CERT_HASH_TEXT];
	int64_t id;

	if (judge_call_fingerprint(c, text, hash) < 0)
		return -1;
	if (strlen(hash) != 64)
		return judge_call_fail(
		    c, "usage", "\"%.80s\" is not a whole hash: 64 hex digits, as the log has it", text);
	if (store_audit_find(c->store, hash, &id, c->pr) < 0)
		return -1;
	if (id == 0)
		return judge_call_fail(c, "refused",
		    "the chain is whole in itself, but no row of it has the hash %s: the audit log was rewritten, "
		    "cut off "
		    "or replaced by an older one since the system log wrote that head",
		    hash);
	judge_call_set(c->data, "found", json_integer(id));
	return 0;
}

int judge_admin_audit_verify(struct judge_call *c)
{
	const char *head;

	if (judge_call_str(c, "head", JUDGE_MAY, 200, &head) < 0 || store_audit_verify(c->store, c->pr) < 0)
		return -1;
	if (head && check_head(c, head) < 0)
		return -1;
	return tell_head(c, "head");
}

/* ---- snapshot ---- */

/* The name is gone before anybody could use it: what remains is the descriptor. */
static int open_and_unlink(struct judge_call *c, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	(void)unlink(path);
	if (fd < 0 || fstat(fd, &st) < 0) {
		judge_call_fail(c, "unavailable", "the snapshot cannot be read: %s", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	c->fd = fd;
	judge_call_set(c->data, "octets", json_integer(st.st_size));
	return 0;
}

int judge_admin_snapshot(struct judge_call *c)
{
	char path[4096], hex[17];
	uint8_t r[8];
	int n;

	if (RAND_bytes(r, sizeof r) != 1)
		log_fatal("no random numbers");
	encode_hex(r, sizeof r, hex);
	n = snprintf(path, sizeof path, "%s/snapshot-%s.db", c->ja->directory, hex);
	if (n < 0 || (size_t)n >= sizeof path)
		return judge_call_fail(c, "unavailable", "the path of the store is too long");
	/* The row stands in the copy as well: a backup says who took it. */
	if (store_audit_add(c->store, c->who, "store.snapshot", "", "", c->pr) < 0 ||
	    store_snapshot(c->store, path, c->pr) < 0)
		return -1;
	return open_and_unlink(c, path);
}

/* ---- status ---- */

static int tell_counts(struct judge_call *c)
{
	struct store_counts n;
	json_t *o;

	if (store_count(c->store, &n, c->pr) < 0)
		return -1;
	o = judge_call_object();
	judge_call_set(o, "partners", json_integer(n.partners));
	judge_call_set(o, "certificates", json_integer(n.certs));
	judge_call_set(o, "anchors", json_integer(n.anchors));
	judge_call_set(o, "rules", json_integer(n.rules));
	judge_call_set(o, "identities", json_integer(n.identities));
	judge_call_set(o, "seen_protected", json_integer(n.seen));
	judge_call_set(c->data, "counts", o);
	return 0;
}

static void tell_keeper(struct judge_call *c)
{
	static const char *const words[] = {
	    [KEYS_READY] = "ready", [KEYS_SEALED] = "sealed", [KEYS_UNREACHABLE] = "unreachable"};
	unsigned n = 0;
	enum keys_state s = c->ja->keys ? keys_status(c->ja->keys, &n) : KEYS_UNREACHABLE;
	json_t *o = judge_call_object();

	judge_call_set(o, "state", judge_call_text(words[s]));
	judge_call_set(o, "keys", json_integer(n));
	judge_call_set(c->data, "keeper", o);
}

static void add_expiry(void *ctx, const struct judge_expiry *e)
{
	json_t *rows = ctx, *o;

	if (json_array_size(rows) >= EXPIRY_ROWS)
		return;
	o = judge_call_object();
	judge_call_set(o, "owner", judge_call_text(e->owner));
	judge_call_set(o, "kind", judge_call_text(e->kind));
	judge_call_set(o, "subject", judge_call_text(e->f->subject));
	judge_call_set(o, "serial", judge_call_text(e->f->serial));
	judge_call_set(o, "sha256", judge_call_text(e->f->sha256));
	judge_call_set(o, "not_after", judge_call_time(e->f->not_after));
	judge_call_set(o, "days_left", json_integer(e->days_left));
	judge_call_add(rows, o);
}

static int tell_expiring(struct judge_call *c)
{
	json_t *rows = judge_call_array();

	judge_call_set(c->data, "expiring", rows);
	return judge_expiry_all(c->ja->world->cache, c->store, c->now, add_expiry, rows, c->pr);
}

static int tell_domains(struct judge_call *c)
{
	const struct judge_world *w = c->ja->world;
	json_t *a = judge_call_array();

	judge_call_set(c->data, "domains", a);
	for (size_t i = 0; i < w->ndomains; i++) {
		const struct store_identity *sign, *open;
		char sign_why[400], open_why[400];
		json_t *o;

		if (judge_identities_find(w->cache, c->store, w->domains[i], STORE_SIGN, c->now, &sign, sign_why,
			sizeof sign_why, c->pr) < 0 ||
		    judge_identities_find(w->cache, c->store, w->domains[i], STORE_DECRYPT, c->now, &open, open_why,
			sizeof open_why, c->pr) < 0)
			return -1;
		o = judge_call_object();
		judge_call_set(o, "domain", judge_call_text(w->domains[i]));
		judge_call_set(o, "signs", json_boolean(sign != NULL));
		judge_call_set(o, "sign_why", judge_call_text(sign_why));
		judge_call_set(o, "opens", json_boolean(open != NULL));
		judge_call_set(o, "open_why", judge_call_text(open_why));
		judge_call_add(a, o);
	}
	return 0;
}

static void tell_lookups(struct judge_call *c)
{
	struct source_book_counts n;
	json_t *o;

	if (!c->ja->scout)
		return;
	n = judge_scout_counts(c->ja->scout);
	o = judge_call_object();
	judge_call_set(o, "kept", json_integer((json_int_t)n.kept));
	judge_call_set(o, "octets", json_integer((json_int_t)n.octets));
	judge_call_set(o, "asking", json_integer((json_int_t)n.asking));
	judge_call_set(o, "asked", json_integer((json_int_t)n.asked));
	judge_call_set(o, "used", json_integer((json_int_t)n.used));
	judge_call_set(o, "refused", json_integer((json_int_t)n.refused));
	judge_call_set(o, "waiting", json_integer((json_int_t)judge_scout_waiting(c->ja->scout)));
	judge_call_set(c->data, "lookups", o);
}

int judge_admin_status(struct judge_call *c)
{
	if (tell_counts(c) < 0 || tell_head(c, "audit") < 0 || tell_expiring(c) < 0 || tell_domains(c) < 0)
		return -1;
	tell_keeper(c);
	tell_lookups(c);
	return 0;
}
