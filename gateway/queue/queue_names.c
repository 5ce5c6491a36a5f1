/* The words for kinds, states and outcomes. Pure. */
#include "gateway/queue/queue_names.h"

#include <stddef.h>
#include <string.h>

static const char *const kinds[] = {
    [QUEUE_RAW] = "raw", [QUEUE_INBOUND] = "inbound", [QUEUE_OUTBOUND] = "outbound", [QUEUE_NOTICE] = "notice"};
static const char *const states[] = {
    [QUEUE_QUEUED] = "queued", [QUEUE_ACTIVE] = "active", [QUEUE_HELD] = "held", [QUEUE_DONE] = "done"};
static const char *const outcomes[] = {
    [QUEUE_NONE] = "",
    [QUEUE_DELIVERED] = "delivered",
    [QUEUE_BOUNCED] = "bounced",
    [QUEUE_EXPIRED] = "expired",
    [QUEUE_DELETED] = "deleted",
    [QUEUE_OPENED] = "opened",
    [QUEUE_REFUSED] = "refused",
};

static const char *const waits[] = {
    [QUEUE_WAITS_ADMIN] = "admin",
    [QUEUE_WAITS_TRUST] = "trust",
    [QUEUE_WAITS_KEY] = "key",
    [QUEUE_WAITS_INSIDE] = "inside",
    [QUEUE_WAITS_SERVICE] = "service",
};

#define WORD(table, i) ((size_t)(i) < sizeof(table) / sizeof(table)[0] ? (table)[i] : "?")

const char *queue_names_kind(enum queue_kind k)
{
	return WORD(kinds, k);
}

const char *queue_names_state(enum queue_state s)
{
	return WORD(states, s);
}

const char *queue_names_outcome(enum queue_outcome o)
{
	return WORD(outcomes, o);
}

const char *queue_names_waits(enum queue_waits w)
{
	return WORD(waits, w);
}

int queue_names_find_state(const char *word)
{
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(states[i], word) == 0)
			return (int)i;
	return -1;
}
