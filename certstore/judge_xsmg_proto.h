/*
 * relay <-> judge about statements (XSMG): encoder and decoder of each message side by side. Decoders reject
 * left-over octets, over-long fields and what is no domain or id. The octets of a statement travel as they came: the
 * judge alone reads them.
 */
#ifndef POSTERN_CERTSTORE_JUDGE_XSMG_PROTO_H
#define POSTERN_CERTSTORE_JUDGE_XSMG_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "certstore/judge_proto.h"
#include "gateway/base/arena.h"
#include "gateway/base/ipc.h"

enum judge_xsmg_msg {
	JUDGE_STATEMENT_GET = 32, /* relay -> judge; answered by JUDGE_STATEMENT_FOUND with the same id */
	JUDGE_STATEMENT_FOUND,
	JUDGE_STATEMENT_CAME, /* relay -> judge: somebody's statement; no answer */
	JUDGE_XSMG_DUE,	      /* relay -> judge; answered by JUDGE_XSMG_DUTY with the same id, from memory: the
				 mail that asks waits for some milliseconds only */
	JUDGE_XSMG_DUTY,
	JUDGE_XSMG_NOTE, /* relay -> judge: what was seen of a partner; no answer */
};

#define JUDGE_XSMG_OCTETS 65536 /* largest statement */
#define JUDGE_XSMG_ID 43
#define JUDGE_XSMG_DOMAIN 256

/* ---- somebody asks for a statement of ours ---- */
struct judge_statement_get {
	char domain[JUDGE_XSMG_DOMAIN]; /* lower case; one of ours, as the configuration says */
	char id[JUDGE_XSMG_ID + 1];	/* what the asker has, "" nothing */
};
enum judge_statement_status {
	JUDGE_STATEMENT_CURRENT, /* id is the newest: der is empty */
	JUDGE_STATEMENT_NEWER,	 /* id, der */
	JUDGE_STATEMENT_NOT_OURS,
	JUDGE_STATEMENT_LATER, /* none now: the store or the keeper is away, or it is still being made */
};
struct judge_statement_found {
	enum judge_statement_status status;
	char id[JUDGE_XSMG_ID + 1];
	struct judge_octets der;
};

/* ---- a statement of somebody came ---- */
enum judge_statement_how {
	JUDGE_STATEMENT_HINT,	/* PUT by a client */
	JUDGE_STATEMENT_ANSWER, /* the partner's host gave it when asked */
};
struct judge_statement_came {
	char domain[JUDGE_XSMG_DOMAIN];
	enum judge_statement_how how;
	bool verified;	  /* ANSWER: the host is the partner's by DANE, MTA-STS or configuration, and TLS proved it */
	char remote[400]; /* the client's address; "mx.lab.example[192.0.2.1]:25" */
	struct judge_octets der;
};

/* ---- what is to be done beside a mail from one of our domains to a partner's ---- */
struct judge_xsmg_question {
	char ours[JUDGE_XSMG_DOMAIN]; /* "": the sender is in none of them (null path) */
	char partner[JUDGE_XSMG_DOMAIN];
};
struct judge_xsmg_duty {
	bool expected;		      /* the partner offered XSMG before: JUDGE_XSMG_MISSING is to be told */
	bool get;		      /* its statement is to be asked for */
	char held[JUDGE_XSMG_ID + 1]; /* the id of the newest one that was got (trusted or candidate), "" none */
	bool put;		      /* it has not had ours; sent after an answered GET only */
	char own[JUDGE_XSMG_ID + 1];  /* the id of ours, and it; with put */
	struct judge_octets der;
	uint32_t keep_s; /* so long, and until JUDGE_CHANGED, the answer need not be asked for again; 0: the relay's
			    own time */
};

/* ---- what was seen ---- */
enum judge_xsmg_seen {
	JUDGE_XSMG_OFFERED, /* in EHLO inside TLS; once an hour of each host */
	JUDGE_XSMG_MISSING, /* it was expected and is not offered; words say how */
	JUDGE_XSMG_CURRENT, /* GET was answered: id is the newest */
	JUDGE_XSMG_FAILED,  /* GET was not answered with a statement; words */
	JUDGE_XSMG_TAKEN,   /* PUT of ours with this id was answered 250 */
	JUDGE_XSMG_UNTAKEN, /* PUT of ours with this id was refused; words */
	JUDGE_XSMG_MET,	    /* encrypted or signed mail came with a sender of that domain: no more is known of it */
	JUDGE_XSMG_NAMED,  /* mail of that domain names its statement: id, and words is the URL; verified: a signature
			      of the domain that is believed covers it */
	JUDGE_XSMG_BROKEN, /* mail with an author of that domain is not what it promised: words say how; verified: it
			      did not say that this is a test; remote is the client */
	JUDGE_XSMG_NAMED_INSIDE, /* the same, and it was encrypted: what follows must not show outside when (P10) */
};
struct judge_xsmg_note {
	enum judge_xsmg_seen seen;
	char ours[JUDGE_XSMG_DOMAIN]; /* TAKEN, UNTAKEN: whose statement it was; else "" */
	char partner[JUDGE_XSMG_DOMAIN];
	char id[JUDGE_XSMG_ID + 1]; /* CURRENT, TAKEN, UNTAKEN, NAMED, NAMED_INSIDE */
	bool verified;		    /* as in judge_statement_came */
	char remote[400];
	char words[256];
};

/* As in judge_proto.h: put appends to o (ipc_out_init done by the caller with the matching type); get reads in, 0 /
 * -1, octets copied to the arena. */
void judge_statement_get_put(struct ipc_out *o, const struct judge_statement_get *m);
int judge_statement_get_get(struct ipc_in *in, struct judge_statement_get *m_r) __attribute__((warn_unused_result));
void judge_statement_found_put(struct ipc_out *o, const struct judge_statement_found *m);
int judge_statement_found_get(struct ipc_in *in, struct arena *a, struct judge_statement_found *m_r)
    __attribute__((warn_unused_result));
void judge_statement_came_put(struct ipc_out *o, const struct judge_statement_came *m);
int judge_statement_came_get(struct ipc_in *in, struct arena *a, struct judge_statement_came *m_r)
    __attribute__((warn_unused_result));
void judge_xsmg_question_put(struct ipc_out *o, const struct judge_xsmg_question *m);
int judge_xsmg_question_get(struct ipc_in *in, struct judge_xsmg_question *m_r) __attribute__((warn_unused_result));
void judge_xsmg_duty_put(struct ipc_out *o, const struct judge_xsmg_duty *m);
int judge_xsmg_duty_get(struct ipc_in *in, struct arena *a, struct judge_xsmg_duty *m_r)
    __attribute__((warn_unused_result));
void judge_xsmg_note_put(struct ipc_out *o, const struct judge_xsmg_note *m);
int judge_xsmg_note_get(struct ipc_in *in, struct judge_xsmg_note *m_r) __attribute__((warn_unused_result));

#endif
