/* One message for the admin: everything but the content and its key. relay. */
#include "gateway/queue/queue_show.h"

#include "gateway/queue/queue_json.h"
#include "gateway/queue/queue_parts.h"

char *queue_show_json(struct queue *q, const char *id, struct problem *pr)
{
	struct queue_json j;
	int64_t number;
	char *text = NULL;

	if (queue_number_parse(id, &number)) {
		problem_perm(pr,
		    "\"%s\" is not the id of a message (ten digits and capital letters, as `queue list` shows them)",
		    id);
		return NULL;
	}
	queue_json_init(&j, q);

	json_t *o = queue_json_msg(&j, number);

	if (o) {
		queue_json_more(&j, number, o);
		text = queue_json_text(o);
	} else {
		problem_perm(pr, "there is no message %s in the queue", id);
	}
	json_decref(o);
	queue_json_clear(&j);
	return text;
}
