/* One statement that came, on its way from octets to a decision: for judge_xsmg*.c. Role judge. */
#ifndef POSTERN_PROC_JUDGE_XSMG_CASE_H
#define POSTERN_PROC_JUDGE_XSMG_CASE_H

#include "gateway/base/arena.h"
#include "gateway/proc/judge_xsmg.h"
#include "gateway/xsmg/statement_check.h"

struct judge_xsmg_case {
	const struct judge_world *w;
	struct store *store;
	struct source_run *run; /* NULL: nobody may be asked */
	const struct judge_xsmg_octets *o;
	int64_t now;
	bool listed;
	struct arena *mem;
	struct statement *s;
	struct statement_signed *sd;
	struct statement_verdict v;
	char key[STORE_STATEMENT_HASH], cert[STORE_STATEMENT_HASH]; /* of its statement key, "" not known */
	struct store_statement *known;				    /* never NULL; is_new: not in the store yet */
	bool is_new;
	struct store_statement_key *keys;
	size_t nkeys;
	struct xsmg_facts f;
	struct xsmg_decision d;
	char path_why[600]; /* of the path that judge_xsmg_facts_path weighed last, by what is scoped to the domain */
};

#endif
