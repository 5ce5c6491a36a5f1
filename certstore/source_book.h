/*
 * The judge's book of answers: what the network said, how long it counts, which questions are under way, and who
 * waits for them. Role judge, one thread. No I/O and no clock of its own: questions go out through a callback.
 *
 * One question is asked once, however many wait for it. What was found, and that there is nothing, is kept by its TTL
 * within the limits of the settings; an answer still in use is asked for again in the last fifth of its time. That a
 * place gave no answer is kept for a short time. Everything is bounded: answers and their octets (those not used for
 * longest go), questions under way in all and for one site (source_site.h); past that a question is answered TEMP at
 * once.
 */
#ifndef POSTERN_CERTSTORE_SOURCE_BOOK_H
#define POSTERN_CERTSTORE_SOURCE_BOOK_H

#include "certstore/find_settings.h"
#include "certstore/source.h"

struct source_book;
struct source_wait;

struct source_book_ops {
	/* Sends a question; its answer comes to source_book_answer with the same id, later. 0, or -1: nobody is there
	 * to answer now; it is sent again by source_book_back. */
	int (*send)(void *ctx, uint32_t id, const struct source_ask *a);
	int64_t (*now_ms)(void *ctx); /* monotonic */
	int64_t (*now_s)(void *ctx);  /* unix */
};

/* set, ops and ctx stay. Never NULL. No run may be open, and nobody wait, when it is freed. */
struct source_book *source_book_new(const struct find_settings *set, const struct source_book_ops *ops, void *ctx);
void source_book_free(struct source_book *b);

/* A run over what is known; answers it gives are valid until source_book_end. over: its last one, nothing more is
 * asked for. trace may be NULL. */
struct source_run *source_book_begin(struct source_book *b, bool over, struct trace *trace);
/* Before source_book_end of a run with pending answers: fn is called once, when one of them has come; then w is gone.
 * It is called from inside source_book_answer, _tick and _away, and only notes it. */
struct source_wait *source_book_wait(struct source_run *r, void (*fn)(void *ctx), void *ctx);
void source_book_end(struct source_run *r);
/* fn is not called any more. NULL is allowed. */
void source_book_forget(struct source_wait *w);

/* r is copied. An id that nobody waits for is thrown away. */
void source_book_answer(struct source_book *b, uint32_t id, const struct source_answer *r);
/* The answering process is gone: what was asked is asked once more when another one is there. */
void source_book_away(struct source_book *b);
void source_book_back(struct source_book *b);
/* To be called every second or so: ends questions that were not answered in their time. */
void source_book_tick(struct source_book *b);

struct source_book_counts {
	size_t kept, octets, asking;
	uint64_t asked, used, refused; /* sent; answered from the book; TEMP because too many were under way */
};
struct source_book_counts source_book_counts(const struct source_book *b);

#endif
