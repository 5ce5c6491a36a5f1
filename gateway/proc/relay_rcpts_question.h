/*
 * Questions about recipients that their source is being asked, or is going to be: one for an address, however many
 * wait for it; a few at a time (relay_rcpts_turn.h); bounded in all and for each client. Private to relay_rcpts*.c,
 * with what these share. Relay, loop thread.
 */
#ifndef POSTERN_PROC_RELAY_RCPTS_QUESTION_H
#define POSTERN_PROC_RELAY_RCPTS_QUESTION_H

#include "gateway/proc/relay_rcpts.h"
#include "gateway/proc/relay_rcpts_turn.h"
#include "gateway/smtp/smtpc_probe.h"

enum {
	RELAY_RCPTS_KEY_MAX = ADDRESS_LOCAL_MAX + 1 + ADDRESS_DOMAIN_MAX + 1,
	RELAY_RCPTS_TABLE = 1024,
};

struct relay_rcpts_domain {
	const struct conf_domain *set;
	const char *name;
	struct relay_rcpts_map *map;
	int64_t told[2]; /* when the log was last told of its trouble: a passing one, an alarm */
	struct relay_rcpts_turn turn;
	size_t at_once; /* questions that its source has at a time */
	bool asking;	/* its source is being given questions */
};
enum relay_rcpts_limit { RELAY_RCPTS_NO_LIMIT, RELAY_RCPTS_LIMIT_ALL, RELAY_RCPTS_LIMIT_CLIENT };
/* Somebody who wants to know. At a question's list, or nowhere while the answer is being given. */
struct relay_rcpts_wait {
	struct relay_rcpts_wait *next, **prev;
	struct relay_rcpts_wait **slot;
	struct relay_rcpts *of;
	struct relay_rcpts_domain *domain;
	struct relay_rcpts_question *question; /* at whose list it is */
	const char *client;		       /* the caller's; NULL: nobody is counted */
	enum relay_rcpts_limit limit;	       /* that kept it from being asked */
	struct address asked;		       /* as the client wrote it */
	struct address address;		       /* local part in lower case, in the end without its tag */
	bool anew;
	bool whole; /* the whole local part is being asked for, not the one without its tag */
	relay_rcpts_fn *fn;
	void *ctx;
};
/* An address whose source is being asked, or is going to be. Without anybody who waits it is dropped as long as its
 * source has not been asked: nobody holds a place in the table with questions and no sessions. */
struct relay_rcpts_question {
	struct relay_rcpts_question *next, **prev;
	struct relay_rcpts *of;
	struct relay_rcpts_domain *domain;
	struct relay_rcpts_place place;
	struct relay_rcpts_wait *waits;
	bool telling; /* those who wait */
	struct loop_timer *late;
	int64_t began;
	uint32_t id;
	struct address address;
	char key[RELAY_RCPTS_KEY_MAX];
	struct smtpc_probe probe;
};
struct relay_rcpts {
	struct relay *r;
	const struct relay_rcpts_settings *set;
	struct relay_rcpts_domain *domains;
	size_t ndomains;
	struct relay_rcpts_map **maps; /* each may be that of several domains */
	size_t nmaps;
	struct relay_rcpts_cache *cache;
	struct smtpc_pool *pool;
	struct smtpc_settings *pool_set;
	struct relay_rcpts_question *questions[RELAY_RCPTS_TABLE]; /* by the hash of the key; one for an address */
	size_t nquestions;
	uint32_t next_id;
	bool ending;
	/* Takes w, which waits nowhere. */
	void (*told)(struct relay_rcpts_wait *w, enum relay_rcpts_state state, const char *key, const char *said);
};

const char *relay_rcpts_question_source(const struct relay_rcpts_domain *d);
/* How many questions the source of that domain has at a time. */
size_t relay_rcpts_question_at_once(const struct relay_rcpts *rc, const struct conf_domain *d);
/* w is told later, or at once, by rc->told. */
void relay_rcpts_question_wait(struct relay_rcpts_wait *w, const char *key);
/* w waits no longer; it may be freed. */
void relay_rcpts_question_leave(struct relay_rcpts_wait *w);
/* q is gone after it. */
void relay_rcpts_question_answered(struct relay_rcpts_question *q, enum relay_rcpts_state state, const char *said);
/* A question with this range of ids that waits for the scout, or NULL. */
struct relay_rcpts_question *relay_rcpts_question_at_scout(struct relay_rcpts *rc, uint32_t first, uint32_t last);
/* Of trouble with a source the log hears once a minute and domain. */
void relay_rcpts_question_log(struct relay_rcpts_domain *d, bool alarm, const char *why);

#endif
