/* The table of verbs. Role admin. Arguments are the business of whoever answers. */
#include "gateway/proc/admin_route.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/proc/admin.h"
#include "gateway/proc/admin_backup.h"
#include "gateway/proc/admin_client.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/admin_message.h"
#include "gateway/proc/admin_status.h"

/* A peer's answer goes to the client as it came, with its descriptors. */
static void pass_on(void *ctx, const struct admin_reply *r, const char *why)
{
	if (r != NULL)
		admin_client_reply(ctx, r);
	else
		admin_client_error(ctx, "unavailable", why);
}

static void to_judge(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	admin_peer_ask(&a->judge, rq, ADMIN_ASK_MS, pass_on, j);
}

static void to_relay(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	admin_peer_ask(&a->relay, rq, ADMIN_ASK_MS, pass_on, j);
}

/* A verb, or with a point or nothing at the end its beginning; the first that fits. */
static const struct {
	const char *verb;
	void (*fn)(struct admin *a, struct admin_job *j, const struct admin_request *rq);
} routes[] = {
    {"queue.", to_relay},
    {"recipient.", to_relay},
    {"message.", admin_message},
    {"status", admin_status},
    {"backup.take", admin_backup},
    {"", to_judge},
};

static int fits(const char *route, const char *verb)
{
	size_t n = strlen(route);

	return n == 0 || route[n - 1] == '.' ? strncmp(verb, route, n) == 0 : strcmp(verb, route) == 0;
}

void admin_route(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	char why[200];
	char *verb = admin_json_verb(rq->text, why);

	if (verb == NULL) {
		admin_client_error(j, "usage", why);
		return;
	}
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (fits(routes[i].verb, verb)) {
			routes[i].fn(a, j, rq);
			break;
		}
	free(verb);
}
