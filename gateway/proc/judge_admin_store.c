/* audit.*, store.snapshot: role judge; reads the store. */
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
#include "gateway/proc/judge_admin.h"

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
	char of[ADDRESS_TEXT_MAX];
	struct store_audit *list;
	int64_t before, max;
	json_t *a;
	size_t n;

	if (judge_call_int(c, "before", 0, INT64_MAX, 0, &before) < 0 ||
	    judge_call_int(c, "max", 1, 10000, 100, &max) < 0 || judge_call_owner(c, "of", JUDGE_MAY, of, NULL) < 0)
		return -1;
	if ((of[0] ? store_audit_of(c->store, of, before, (size_t)max, &list, &n, c->pr)
		   : store_audit_list(c->store, before, (size_t)max, &list, &n, c->pr)) < 0)
		return -1;
	a = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(a, audit_row(&list[i]));
	judge_call_set(c->data, "rows", a);
	store_audit_free(list, n);
	return 0;
}

int judge_admin_store_head(struct judge_call *c, const char *name)
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
	return judge_admin_store_head(c, "head");
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
