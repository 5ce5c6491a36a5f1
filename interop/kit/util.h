/* What every file of the kit needs: octets that grow, files, times, texts. The kit shares no code with the gateway.
 * Memory that is not there ends the program. */
#ifndef INTEROP_UTIL_H
#define INTEROP_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Octets; p is never NULL once something was added, and always has a NUL behind the last octet. Starts as {0}. */
struct buf {
	char *p;
	size_t n, room;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b); /* forgets the octets, keeps the room */
void buf_free(struct buf *b);

/* Adds a sentence to why (if it is not NULL) and returns -1: `return fail(why, "...")`. */
int fail(struct buf *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "postern-interop: ..." and ends the program with status 2: for what no case is to blame for. What is in it
 * becomes visible text, but for line ends: it may be of a stranger's file. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

void *need(size_t n); /* zeroed; dies without memory */
void *need_more(void *p, size_t n);
char *text_copy(const char *s);
char *text_cut(const char *s, size_t n);
char *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The octets of needle in those of hay; NULL: not there. Case counts. */
const char *octets_find(const char *hay, size_t n, const char *needle);
bool text_is_word_in(const char *word, const char *list); /* list: separated by commas */

/* Whole file, to 1 GiB; 0 or -1 with why. */
int file_read(const char *path, struct buf *out, struct buf *why);
/* The same of a directory that a stranger may have filled: a file of at most max octets, and no link, pipe or device.
 */
int file_read_plain(const char *path, size_t max, struct buf *out, struct buf *why);
/* A new file beside it takes its place: nobody sees half of it. mode: 0600 for keys. */
int file_write(const char *path, const void *p, size_t n, unsigned mode, struct buf *why);
bool file_there(const char *path);
int directory_make(const char *path, struct buf *why); /* with those above it, 0755 */

void sha256_of(const void *p, size_t n, unsigned char out[32]);
void hex_add(struct buf *b, const void *p, size_t n);
/* line: characters a line (CRLF between and after them); 0: one line without an end. */
void base64_add(struct buf *b, const void *p, size_t n, unsigned line);
/* Skips blanks and line ends; -1: something else in it, or wrong length. */
int base64_read(const char *p, size_t n, struct buf *out);
void base64url_add(struct buf *b, const void *p, size_t n); /* without padding */

int64_t now_ms(void);	/* wall clock */
int64_t ticks_us(void); /* monotonic */
void pause_ms(int64_t ms);
/* "-400d", "+1h", "30s", "5m", "20ms", "+0": milliseconds, signed. -1: not such a text. */
int span_read(const char *text, int64_t *ms);
void time_add_rfc5322(struct buf *b, time_t t);
void time_add_iso(struct buf *b, time_t t); /* 2026-01-31T12:00:00Z */

/* The number in text, from low to high; -1 otherwise. */
int number_read(const char *text, long low, long high, long *out);

#endif
