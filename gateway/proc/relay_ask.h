/*
 * The relay's questions to the judge: verdict for a recipient, trust in signers, our identities. Answers of the first
 * kind are kept for a short time and thrown away when the judge says that the store changed. A judge that is away:
 * TEMP at once; one that does not answer: TEMP after ask-timeout. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_ASK_H
#define POSTERN_PROC_RELAY_ASK_H

#include "certstore/judge_proto.h"
#include "gateway/base/loop.h"

/* A verdict that several recipients and sessions may share: equal content is the same object. */
struct relay_verdict {
	struct judge_verdict v;
	struct arena *memory;
	unsigned refs;
	uint8_t hash[32];
	const char *certs; /* the certificates in words, for the history: NULL until asked for (relay_history.c) */
	size_t octets;	   /* of its packet */
};
struct relay_verdict *relay_verdict_ref(struct relay_verdict *v);
void relay_verdict_free(struct relay_verdict *v);
/* The verdict of a recipient in one of our own domains, met on an inside listener: goes in the clear to its inside
 * server. */
struct relay_verdict *relay_verdict_local(void);

struct relay_ask;
struct relay_ask *relay_ask_new(struct loop *l, void (*on_identities)(void *ctx), void *ctx);
void relay_ask_free(struct relay_ask *a);
/* Called when trust or keys may have changed: domain, or NULL for anybody's. */
void relay_ask_on_change(struct relay_ask *a, void (*fn)(void *ctx, const char *domain), void *ctx);
/* The channel to the judge (owned), at start and whenever the judge was replaced. */
void relay_ask_channel(struct relay_ask *a, int fd);

/* v: NULL when pr says why (TEMP). Exactly once, from the loop or from inside the call when the answer is known. */
typedef void relay_verdict_fn(void *ctx, struct relay_verdict *v, const struct problem *pr);
void relay_ask_verdict(
    struct relay_ask *a, const char *sender, const char *recipient, relay_verdict_fn *fn, void *ctx);
typedef void relay_trust_fn(void *ctx, const struct judge_trust *t, const struct problem *pr);
void relay_ask_trust(struct relay_ask *a, const struct judge_signers *q, relay_trust_fn *fn, void *ctx);
/* A question of another part: type, and the type that answers it. relay_ask_begin makes the packet that fields are
 * put into; relay_ask_send sends it. in: the answer, to be read whole by fn; NULL: pr says why there is none.
 * Exactly once, unless cancelled, from the loop or from inside these two. 0: fn was told already. */
typedef void relay_answer_fn(void *ctx, struct ipc_in *in, const struct problem *pr);
uint32_t relay_ask_begin(
    struct relay_ask *a, uint16_t type, uint16_t answer, relay_answer_fn *fn, void *ctx, struct ipc_out *o_r);
void relay_ask_send(struct relay_ask *a, struct ipc_out *o, uint32_t id);
/* What has no answer; consumes o. False: the judge is away. */
bool relay_ask_tell(struct relay_ask *a, struct ipc_out *o);
/* Forgets every question of ctx: its fn is not called any more. */
void relay_ask_cancel(struct relay_ask *a, void *ctx);
/* P9: mail with the domain, or with one person (an address), was protected; told once for each and life of the
 * process. */
void relay_ask_seen(struct relay_ask *a, const char *domain);
/* Grows whenever the answers known so far were thrown away. */
uint64_t relay_ask_changes(const struct relay_ask *a);
/* The same, of changes after which somebody's signatures or keys may be believed otherwise. */
uint64_t relay_ask_trust_changes(const struct relay_ask *a);
/* Our identities as last told by the judge; false while none came yet. Valid until the next loop round. */
bool relay_ask_identities(const struct relay_ask *a, const struct judge_identity **list_r, size_t *n_r);

#endif
