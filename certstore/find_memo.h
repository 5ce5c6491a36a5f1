/*
 * What octets out of the network are, remembered by their SHA-256: a question is worked out again for each answer
 * that comes, and a domain with hundreds of certificates would have each of them read each time. Judge; one thread;
 * fixed places.
 */
#ifndef POSTERN_CERTSTORE_FIND_MEMO_H
#define POSTERN_CERTSTORE_FIND_MEMO_H

#include <stddef.h>
#include <stdint.h>

enum find_memo_kind {
	FIND_MEMO_UNKNOWN, /* not seen yet, or none of these */
	FIND_MEMO_LEAF,	   /* exactly one certificate in DER */
	FIND_MEMO_CA,	   /* the same, of an authority */
	FIND_MEMO_JUNK,	   /* cannot be read */
};
struct find_memo;
struct find_memo *find_memo_new(void);
void find_memo_free(struct find_memo *m);
/* m NULL: nothing is remembered. key: filled in for the put. */
enum find_memo_kind find_memo_get(const struct find_memo *m, const void *p, size_t n, uint8_t key[32]);
void find_memo_put(struct find_memo *m, const uint8_t key[32], enum find_memo_kind kind);

#endif
