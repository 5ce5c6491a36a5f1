/* The verb "status". Role admin. It answers also when judge or relay are away: then above all it is wanted. */
#include "gateway/proc/admin_status.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_client.h"
#include "gateway/proc/admin_json.h"

struct gathering {
	struct admin *of;
	struct admin_job *job;
	json_t *data, *trouble;
	unsigned missing;
};

static void say(struct gathering *g, const char *text)
{
	admin_json_add(g->trouble, admin_json_text(text));
}

static void one_came(struct gathering *g)
{
	struct admin_reply r = {.text = NULL};

	if (--g->missing > 0)
		return;
	admin_json_set(g->data, "trouble", g->trouble);
	r.text = admin_json_ok(g->data);
	admin_client_reply(g->job, &r);
	free(r.text);
	free(g);
}

static void from_peer(struct gathering *g, const char *name, const struct admin_reply *r)
{
	char text[640];
	json_t *data = NULL;

	if (r != NULL)
		data = admin_json_data(r->text, text);
	else
		(void)snprintf(text, sizeof text, "the %s does not answer at the moment", name);
	if (data == NULL)
		say(g, text);
	admin_json_set(g->data, name, data != NULL ? data : json_null());
	one_came(g);
}

static void from_judge(void *ctx, const struct admin_reply *r, const char *why)
{
	(void)why;
	from_peer(ctx, "judge", r);
}

static void from_relay(void *ctx, const struct admin_reply *r, const char *why)
{
	(void)why;
	from_peer(ctx, "relay", r);
}

/* A keeper that waits for its passphrase is the one trouble an admin must end himself. */
static void look_at_keeper(struct gathering *g, json_t *parent)
{
	const char *path = json_string_value(json_object_get(parent, "passphrase"));
	char text[640];

	if (g->of->parent.keeper.state == KEYS_SEALED) {
		(void)snprintf(text, sizeof text,
		    "the keys are sealed: put the passphrase into %.300s (mode 0600); until then mail is answered "
		    "with 421",
		    path != NULL ? path : "the passphrase file");
		say(g, text);
	} else if (g->of->parent.keeper.state == KEYS_UNREACHABLE) {
		say(g, "the keeper is not running at the moment: mail is answered with 451 until it is back");
	}
}

static void from_parent(void *ctx, const struct control_file *f)
{
	struct gathering *g = ctx;
	json_t *o = f != NULL ? json_loadb((const char *)f->p, f->n, 0, NULL) : NULL;

	if (o == NULL)
		say(g, "the parent did not answer in time");
	look_at_keeper(g, o);
	admin_json_set(g->data, "parent", o != NULL ? o : json_null());
	one_came(g);
}

void admin_status(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	struct gathering *g = mem_new(sizeof *g);

	*g = (struct gathering){.of = a, .job = j, .data = json_object(), .trouble = json_array(), .missing = 3};
	admin_parent_ask(&a->parent, CONTROL_STATUS, ADMIN_STATUS_MS, from_parent, g);
	admin_peer_ask(&a->judge, rq, ADMIN_STATUS_MS, from_judge, g);
	admin_peer_ask(&a->relay, rq, ADMIN_STATUS_MS, from_relay, g);
}
