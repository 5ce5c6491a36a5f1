/* What relay and judge say to each other about statements (certstore/judge_xsmg_proto.h), the judge's side. Role
 * judge; reads and writes the store. */
#ifndef POSTERN_PROC_JUDGE_XSMG_RELAY_H
#define POSTERN_PROC_JUDGE_XSMG_RELAY_H

#include "certstore/judge_xsmg_proto.h"
#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/proc/judge_world.h"

/* JUDGE_STATEMENT_GET, JUDGE_XSMG_DUE, JUDGE_XSMG_NOTE: read, done, and the answer in *o_r, to be sent. True when
 * there is one. A packet that cannot be read is fatal: it is of an own child. */
bool judge_xsmg_relay_packet(
    const struct judge_world *w, struct store *s, struct ipc_in *in, int64_t now, struct ipc_out *o_r);
/* JUDGE_STATEMENT_CAME. While run->pending is not 0 afterwards it is to be made again. */
void judge_xsmg_relay_came_packet(
    const struct judge_world *w, struct store *s, struct source_run *run, struct ipc_in *in, int64_t now);

/* The same over what was read. der of the answers is borrowed until the next question. */
void judge_xsmg_relay_get(
    const struct judge_world *w, const struct judge_statement_get *q, int64_t now, struct judge_statement_found *r_r);
void judge_xsmg_relay_came(const struct judge_world *w, struct store *s, struct source_run *run,
    const struct judge_statement_came *m, int64_t now);
void judge_xsmg_relay_due(const struct judge_world *w, struct store *s, const struct judge_xsmg_question *q,
    int64_t now, struct judge_xsmg_duty *d_r);
void judge_xsmg_relay_note(
    const struct judge_world *w, struct store *s, const struct judge_xsmg_note *m, int64_t now);

#endif
