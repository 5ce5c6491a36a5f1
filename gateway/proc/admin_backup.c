/*
 * The verb "backup.take". Role admin. The key files first, then the snapshot: a certificate in the copy of the store
 * whose key is not among the files would be a backup that cannot be used, a key too many is none the worse.
 */
#include "gateway/proc/admin_backup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_client.h"
#include "gateway/proc/admin_json.h"

struct backup {
	struct admin *of;
	struct admin_job *job;
	char who[128];
	json_t *keys;
	unsigned nkeys;
	bool master;
};
#define KEYS_MAX 4096

static void end(struct backup *b, const char *code, const char *text)
{
	if (text != NULL)
		admin_client_error(b->job, code, text);
	json_decref(b->keys);
	free(b);
}

static void from_judge(void *ctx, const struct admin_reply *r, const char *why)
{
	struct backup *b = ctx;
	struct admin_reply out = {.nfds = 1};
	char text[640];
	json_t *data, *snapshot;

	if (r == NULL) {
		end(b, "unavailable", why);
		return;
	}
	snapshot = admin_json_data(r->text, text);
	if (snapshot == NULL || r->nfds != 1) {
		json_decref(snapshot);
		end(b, "unavailable", snapshot == NULL ? text : "the judge's reply has no snapshot");
		return;
	}
	data = json_object();
	admin_json_set(data, "snapshot", snapshot);
	admin_json_set(data, "keys", json_incref(b->keys));
	out.text = admin_json_ok(data);
	out.fds[0] = r->fds[0];
	admin_client_reply(b->job, &out);
	free(out.text);
	end(b, NULL, NULL);
}

static void add_key(struct backup *b, const struct control_file *f)
{
	json_t *o = json_object();
	char *text = mem_new(4 * ((f->n + 2) / 3) + 1);

	(void)encode_b64(f->p, f->n, text);
	admin_json_set(o, "name", admin_json_text(f->name));
	admin_json_set(o, "content", json_string(text));
	admin_json_add(b->keys, o);
	free(text);
	if (strcmp(f->name, "master") == 0)
		b->master = true;
	else
		b->nkeys++;
}

/* The parent stops at the first file it cannot read and says which in the last packet: fewer files than the keeper
 * has keys is no backup. */
static bool complete(const struct backup *b)
{
	return b->nkeys >= b->of->parent.keeper.keys && (b->master || b->nkeys == 0);
}

static void from_parent(void *ctx, const struct control_file *f)
{
	struct backup *b = ctx;
	struct admin_request rq = {.text = (char[]){"{\"verb\":\"store.snapshot\",\"args\":{}}"}};

	if (f != NULL && f->name[0] != '\0') {
		if (json_array_size(b->keys) < KEYS_MAX)
			add_key(b, f);
		return;
	}
	if (f == NULL || f->n > 0 || !complete(b)) {
		char why[700];

		snprintf(why, sizeof why, "the parent did not bring all key files: %.*s",
		    f != NULL && f->n > 0 && f->n < 600 ? (int)f->n : 0, f != NULL ? (const char *)f->p : "");
		end(b, "unavailable", f != NULL && f->n > 0 ? why : "the parent did not bring all key files");
		return;
	}
	memcpy(rq.who, b->who, sizeof rq.who);
	admin_peer_ask(&b->of->judge, &rq, ADMIN_ASK_MS, from_judge, b);
}

void admin_backup(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	struct backup *b = mem_new(sizeof *b);

	b->of = a;
	b->job = j;
	memcpy(b->who, rq->who, sizeof b->who);
	b->keys = json_array();
	admin_parent_ask(&a->parent, CONTROL_KEYFILES, ADMIN_ASK_MS, from_parent, b);
}
