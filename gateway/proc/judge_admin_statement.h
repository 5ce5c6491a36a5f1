/* statement.*: the admin's decisions on partners' statements. Role judge; reads and writes the store. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_STATEMENT_H
#define POSTERN_PROC_JUDGE_ADMIN_STATEMENT_H

#include "gateway/proc/judge_call.h"

/* What waits for a decision, and which domains are frozen: what to compare, what spoke for and against. */
int judge_admin_statement_pending(struct judge_call *c);
/* The one that waits is trusted; pin: its key is, from now on, and follow lets it announce another. */
int judge_admin_statement_approve(struct judge_call *c);
/* The one that waits is not, nor any by its key. */
int judge_admin_statement_refuse(struct judge_call *c);
/* A statement key is in other hands: nothing signed by it, or trusted through it alone, is trusted any more. */
int judge_admin_statement_compromised(struct judge_call *c);
/* Which further local parts may stand in its certificates; which key or certificate is pinned. */
int judge_admin_statement_set(struct judge_call *c);
/* Fetched by its URL now, and what came of it. */
int judge_admin_statement_fetch(struct judge_call *c);

/* Everything about the domain's statements, for partner.show; null: nothing is known. */
int judge_admin_statement_row(struct judge_call *c, const char *domain, json_t **row_r);

#endif
