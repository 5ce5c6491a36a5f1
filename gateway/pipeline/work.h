/*
 * The state of one job while its stages run (sealer). Filled from left to right by the stages; freed by pipeline_run.
 */
#ifndef POSTERN_PIPELINE_WORK_H
#define POSTERN_PIPELINE_WORK_H

#include "gateway/cms/cms.h"
#include "gateway/mail/mime.h"
#include "gateway/pipeline/cache.h"
#include "gateway/pipeline/kind.h"
#include "gateway/pipeline/named.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/pipeline/unwrap.h"
#include "gateway/pipeline/verdict.h"
#include "gateway/policy/policy.h"

struct work {
	struct arena *a;
	struct cache *cache;
	struct keys_client *keys;
	const struct job_request *rq;
	struct job_result *res;
	struct spool **outs;

	struct spool *in; /* the message as it came */
	struct mime_limits lim;
	struct mime_entity msg; /* its header and body */
	struct buf front;	/* header text being made */

	/* outbound */
	struct kind kind;		     /* of content, once somebody asked */
	struct policy_decision *decisions;   /* one per recipient */
	const char *statement;		     /* the line XSMG-Statement of what is being written, "" none */
	char added[JOB_MESSAGE_ID_MAX + 80]; /* Message-ID and Date where the message has none, once wrap_outer ran */

	/* inbound: the layers peeled so far */
	struct spool *der;   /* scratch A: CMS octets of the layer being opened */
	struct spool *plain; /* scratch B: content of the last opened layer; NULL while still in the message itself */
	struct reader *cur;  /* where the present entity lies: in `in` or `plain` */
	struct mime_entity ent;	    /* the present entity */
	struct mime_entity shown;   /* what will be delivered */
	struct unwrap wrapped;	    /* the header fields that are protected in it */
	struct mime_entity between; /* an entity with protected fields that is a layer itself */
	size_t between_layers;	    /* layers around it; 0: there is none */
	bool peeled;		    /* the present entity is shown as it came, although it says to be a layer */
	bool binary;		    /* what was opened has a CR or LF alone: SMTP cannot carry it as it is */
	bool receipt;		    /* ... and is a signed receipt: its own header is not in what is signed */
	struct named named;	    /* the statement that it names */
	struct address from;
	bool have_from;
	char promises[256]; /* whose promise is weighed; "" nobody's */
	struct policy_in facts;
	bool key_used; /* a layer was opened: from here on nothing shows outside, and what fails counts (promise P10)
			*/
	bool closed_goes; /* what could not be opened is delivered as it came, marked: the admin wants it so */
	struct verdict verdict;
	struct judge_signer signers[JUDGE_CERTS_MAX]; /* of all layers; as numbered in the verdict while all hold */
	size_t nsigners;
	bool unknown_signer; /* one has no certificate in the message, and the judge knows none */
	struct judge_octets extra[JUDGE_CERTS_MAX];
	size_t nextra;
	size_t cert_octets; /* of signers and extra together: what fits into one packet */
	bool unwrapped_detached;
	struct mime_entity before_detached;
	char from_why[VERDICT_TEXT_MAX];  /* why there is no one author, when !have_from */
	char from_note[VERDICT_TEXT_MAX]; /* what looks odd about the author's field, or "" */
	char cipher[48];
	char dsn_text[JOB_DSN_TEXT_MAX + 16]; /* X-Postern-DSN, or "" */
};

/* Writers of the shared parts; 0 / -1 with w->res->pr. */
/* A new output for the request's recipients listed; returns its spool, NULL with pr. */
struct spool *work_output(struct work *w, struct job_output **out_r);
/* Closes the output: sizes into the result. */
int work_output_end(struct work *w, struct job_output *o);
/* A new scratch spool, which = 0 (A) or 1 (B). */
struct spool *work_scratch(struct work *w, int which);

#endif
